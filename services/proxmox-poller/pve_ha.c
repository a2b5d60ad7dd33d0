/* SPDX-License-Identifier: MIT */
/*
 * "pve1 (idle, watchdog standby, Fri Oct 10 10:20:04 2025)" says: idle. Before PVE 9.2 there is no watchdog in it
 * and no row about fencing.
 */
#include "services/proxmox-poller/pve_ha.h"

#include <errno.h>

#define NODES_MAX 256
#define SERVICES_MAX 512
#define TIME_MAX_S 100000000000 /* the year 5138 */

struct ha_row {
	const char *type, *node, *status, *armed, *sid, *state, *request, *comment;
	struct opt_i64 timestamp;
	struct opt_bool quorate;
};

static const struct pve_field fields[] = {
	PVE_FIELD(ha_row, "armed-state", armed, PVE_STR),
	PVE_FIELD(ha_row, "comment", comment, PVE_STR),
	PVE_FIELD(ha_row, "node", node, PVE_STR),
	PVE_FIELD(ha_row, "quorate", quorate, PVE_BOOL),
	PVE_FIELD(ha_row, "request_state", request, PVE_STR),
	PVE_FIELD(ha_row, "sid", sid, PVE_STR),
	PVE_FIELD(ha_row, "state", state, PVE_STR),
	PVE_FIELD(ha_row, "status", status, PVE_STR),
	PVE_FIELD(ha_row, "timestamp", timestamp, PVE_I64),
	PVE_FIELD(ha_row, "type", type, PVE_STR),
};

struct ha_reader {
	struct arena *arena;
	struct msg_ha_state *doc;
	struct msg_ha_node *nodes;
	struct msg_ha_service *services;
	bool has_quorum;
};

/* What stands in brackets, up to the first comma. */
static const char *state_of(const char *status, struct arena *arena)
{
	const char *from = status ? strchr(status, '(') : NULL;
	size_t length = from ? strcspn(from + 1, ",)") : 0;

	return length ? pve_text(arena, arena_strndup(arena, from + 1, length), 64) : NULL;
}

static bool read_quorum(struct ha_reader *r, const struct ha_row *row)
{
	r->doc->quorate = row->quorate;
	r->has_quorum = true;
	return true;
}

static bool read_master(struct ha_reader *r, const struct ha_row *row)
{
	if (!pve_is_name(row->node))
		return false;
	r->doc->master = row->node;
	r->doc->master_state = state_of(row->status, r->arena);
	return true;
}

static bool read_fencing(struct ha_reader *r, const struct ha_row *row)
{
	r->doc->fencing = pve_text(r->arena, row->armed ? row->armed : row->status, 32);
	return true;
}

static bool read_node(struct ha_reader *r, const struct ha_row *row)
{
	struct msg_ha_node node = { .node = row->node };

	if (!pve_is_name(row->node))
		return false;
	if (r->doc->nodes_n >= NODES_MAX)
		return true;
	node.state = state_of(row->status, r->arena);
	if (row->timestamp.has && row->timestamp.v > 0 && row->timestamp.v <= TIME_MAX_S)
		node.seen_ms = some_i64(row->timestamp.v * 1000);
	r->nodes[r->doc->nodes_n++] = node;
	return true;
}

/* "vm:101" → 101 */
static struct opt_i64 vmid_of(const char *sid)
{
	const char *colon = strchr(sid, ':');
	int64_t vmid;

	if (colon && str_to_i64(colon + 1, 1, INT32_MAX, &vmid) == 0)
		return some_i64(vmid);
	return (struct opt_i64){ 0 };
}

static bool read_service(struct ha_reader *r, const struct ha_row *row)
{
	if (!row->sid || strlen(row->sid) > 32)
		return false;
	if (r->doc->services_n >= SERVICES_MAX)
		return true;
	r->services[r->doc->services_n++] = (struct msg_ha_service){
		.sid = row->sid,
		.vmid = vmid_of(row->sid),
		.node = pve_text(r->arena, row->node, 64),
		.state = pve_text(r->arena, row->state, 32),
		.wanted = pve_text(r->arena, row->request, 32),
		.comment = pve_text(r->arena, row->comment, 256),
	};
	return true;
}

static const struct {
	const char *type;
	bool (*read)(struct ha_reader *r, const struct ha_row *row);
} kinds[] = {
	{ "quorum", read_quorum }, { "master", read_master },	{ "fencing", read_fencing },
	{ "lrm", read_node },	   { "service", read_service },
};

/* False when the row is of a known kind and cannot be used, or has none. */
static bool read_row(struct ha_reader *r, const cJSON *item)
{
	struct ha_row row = { 0 };

	pve_read(item, fields, countof(fields), r->arena, &row);
	if (!row.type)
		return false;
	for (size_t i = 0; i < countof(kinds); i++) {
		if (str_eq(row.type, kinds[i].type))
			return kinds[i].read(r, &row);
	}
	return true;
}

static int compare_nodes(const void *a, const void *b)
{
	return strcmp(((const struct msg_ha_node *)a)->node, ((const struct msg_ha_node *)b)->node);
}

static int compare_services(const void *a, const void *b)
{
	return strcmp(((const struct msg_ha_service *)a)->sid,
		      ((const struct msg_ha_service *)b)->sid);
}

int pve_parse_ha(const cJSON *answer, struct arena *arena, size_t *bad, struct msg_ha_state *ret)
{
	const cJSON *data = pve_data_list(answer);
	size_t count = data ? (size_t)cJSON_GetArraySize(data) : 0, unusable = 0;
	struct msg_ha_state doc = { 0 };
	struct ha_reader r = { .arena = arena, .doc = &doc };
	const cJSON *item;

	if (!data)
		return -EINVAL;
	r.nodes = pve_list_alloc(arena, min_of(count, (size_t)NODES_MAX), sizeof(*r.nodes));
	r.services =
		pve_list_alloc(arena, min_of(count, (size_t)SERVICES_MAX), sizeof(*r.services));
	cJSON_ArrayForEach(item, data)
		unusable += !read_row(&r, item);
	if (!r.has_quorum)
		return -EINVAL;
	qsort(r.nodes, doc.nodes_n, sizeof(*r.nodes), compare_nodes);
	qsort(r.services, doc.services_n, sizeof(*r.services), compare_services);
	doc.nodes = r.nodes;
	doc.services = r.services;
	*bad = unusable;
	*ret = doc;
	return 0;
}
