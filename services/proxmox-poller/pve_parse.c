/* SPDX-License-Identifier: MIT */
/*
 * Trees to structs: /cluster/resources, /cluster/status and a node's own status. A table of members for each kind of
 * row.
 */
#include "services/proxmox-poller/pve_parse.h"

#include <errno.h>

/* Sorted by key, as all tables here. */
static const struct pve_field resource_fields[] = {
	PVE_FIELD(pve_resource, "content", content, PVE_STR),
	PVE_FIELD(pve_resource, "cpu", cpu, PVE_F64),
	PVE_FIELD(pve_resource, "disk", disk, PVE_I64),
	PVE_FIELD(pve_resource, "diskread", diskread, PVE_I64),
	PVE_FIELD(pve_resource, "diskwrite", diskwrite, PVE_I64),
	PVE_FIELD(pve_resource, "hastate", hastate, PVE_STR),
	PVE_FIELD(pve_resource, "id", id, PVE_STR),
	PVE_FIELD(pve_resource, "lock", lock, PVE_STR),
	PVE_FIELD(pve_resource, "maxcpu", maxcpu, PVE_F64),
	PVE_FIELD(pve_resource, "maxdisk", maxdisk, PVE_I64),
	PVE_FIELD(pve_resource, "maxmem", maxmem, PVE_I64),
	PVE_FIELD(pve_resource, "mem", mem, PVE_I64),
	PVE_FIELD(pve_resource, "memhost", memhost, PVE_I64),
	PVE_FIELD(pve_resource, "name", name, PVE_STR),
	PVE_FIELD(pve_resource, "netin", netin, PVE_I64),
	PVE_FIELD(pve_resource, "netout", netout, PVE_I64),
	PVE_FIELD(pve_resource, "node", node, PVE_STR),
	PVE_FIELD(pve_resource, "plugintype", plugintype, PVE_STR),
	PVE_FIELD(pve_resource, "pool", pool, PVE_STR),
	PVE_FIELD(pve_resource, "shared", shared, PVE_BOOL),
	PVE_FIELD(pve_resource, "status", status, PVE_STR),
	PVE_FIELD(pve_resource, "storage", storage, PVE_STR),
	PVE_FIELD(pve_resource, "tags", tags, PVE_STR),
	PVE_FIELD(pve_resource, "template", template, PVE_BOOL),
	PVE_FIELD(pve_resource, "type", type, PVE_STR),
	PVE_FIELD(pve_resource, "uptime", uptime, PVE_I64),
	PVE_FIELD(pve_resource, "vmid", vmid, PVE_I64),
};

/* One row of /cluster/status: the cluster itself, or a node. */
struct status_row {
	const char *type, *name, *ip;
	struct opt_bool quorate, online, local;
};

static const struct pve_field status_fields[] = {
	PVE_FIELD(status_row, "ip", ip, PVE_STR),
	PVE_FIELD(status_row, "local", local, PVE_BOOL),
	PVE_FIELD(status_row, "name", name, PVE_STR),
	PVE_FIELD(status_row, "online", online, PVE_BOOL),
	PVE_FIELD(status_row, "quorate", quorate, PVE_BOOL),
	PVE_FIELD(status_row, "type", type, PVE_STR),
};

/* ── /cluster/resources ────────────────────────────────────────────────────────────────────────────────────── */

enum resource_kind { RESOURCE_NODE, RESOURCE_GUEST, RESOURCE_STORAGE, RESOURCE_OTHER };

static enum resource_kind resource_kind(const char *type)
{
	if (!type)
		return RESOURCE_OTHER;
	if (str_eq(type, "qemu") || str_eq(type, "lxc"))
		return RESOURCE_GUEST;
	if (str_eq(type, "node"))
		return RESOURCE_NODE;
	if (str_eq(type, "storage"))
		return RESOURCE_STORAGE;
	return RESOURCE_OTHER;
}

static bool is_usable(const struct pve_resource *row, enum resource_kind kind)
{
	if (!pve_is_name(row->node))
		return false;
	if (kind == RESOURCE_GUEST)
		return row->vmid.has && row->vmid.v > 0;
	return kind == RESOURCE_NODE || pve_is_name(row->storage);
}

static void count_resources(const cJSON *data, size_t counts[RESOURCE_OTHER + 1])
{
	const cJSON *item;

	cJSON_ArrayForEach(item, data) {
		const cJSON *type = json_get(item, "type");

		counts[resource_kind(cJSON_IsString(type) ? type->valuestring : NULL)]++;
	}
}

static int compare_nodes(const void *a, const void *b)
{
	return strcmp(((const struct pve_resource *)a)->node,
		      ((const struct pve_resource *)b)->node);
}

static int compare_guests(const void *a, const void *b)
{
	const struct pve_resource *x = a, *y = b;

	if (x->vmid.v != y->vmid.v)
		return x->vmid.v < y->vmid.v ? -1 : 1;
	return strcmp(x->node, y->node);
}

static int compare_storages(const void *a, const void *b)
{
	const struct pve_resource *x = a, *y = b;
	int order = strcmp(x->storage, y->storage);

	return order ? order : strcmp(x->node, y->node);
}

static void add_resource(const cJSON *item, struct arena *arena, struct pve_resources *ret)
{
	struct pve_resource row = { 0 };
	enum resource_kind kind;

	pve_read(item, resource_fields, countof(resource_fields), arena, &row);
	kind = resource_kind(row.type);
	if (kind == RESOURCE_OTHER)
		return;
	if (!is_usable(&row, kind)) {
		ret->bad++;
		return;
	}
	if (kind == RESOURCE_NODE)
		ret->nodes[ret->nodes_n++] = row;
	else if (kind == RESOURCE_GUEST)
		ret->guests[ret->guests_n++] = row;
	else
		ret->storages[ret->storages_n++] = row;
}

int pve_parse_resources(const cJSON *answer, struct arena *arena, struct pve_resources *ret)
{
	const cJSON *data = pve_data_list(answer);
	size_t counts[RESOURCE_OTHER + 1] = { 0 };
	const cJSON *item;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_resources){ 0 };
	count_resources(data, counts);
	ret->nodes = pve_list_alloc(arena, counts[RESOURCE_NODE], sizeof(*ret->nodes));
	ret->guests = pve_list_alloc(arena, counts[RESOURCE_GUEST], sizeof(*ret->guests));
	ret->storages = pve_list_alloc(arena, counts[RESOURCE_STORAGE], sizeof(*ret->storages));
	cJSON_ArrayForEach(item, data)
		add_resource(item, arena, ret);
	qsort(ret->nodes, ret->nodes_n, sizeof(*ret->nodes), compare_nodes);
	qsort(ret->guests, ret->guests_n, sizeof(*ret->guests), compare_guests);
	qsort(ret->storages, ret->storages_n, sizeof(*ret->storages), compare_storages);
	/* The node that answers is one at least. */
	return ret->nodes_n ? 0 : -EINVAL;
}

/* ── /cluster/status ───────────────────────────────────────────────────────────────────────────────────────── */

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct pve_member *)a)->name, ((const struct pve_member *)b)->name);
}

int pve_parse_status(const cJSON *answer, struct arena *arena, struct pve_status *ret)
{
	const cJSON *data = pve_data_list(answer);
	const cJSON *item;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_status){ 0 };
	ret->members =
		pve_list_alloc(arena, (size_t)cJSON_GetArraySize(data), sizeof(*ret->members));
	cJSON_ArrayForEach(item, data) {
		struct status_row row = { 0 };

		pve_read(item, status_fields, countof(status_fields), arena, &row);
		if (!row.type || !row.name) {
			ret->bad++;
		} else if (str_eq(row.type, "cluster")) {
			ret->clustered = true;
			ret->name = row.name;
			ret->quorate = row.quorate;
		} else if (str_eq(row.type, "node")) {
			ret->members[ret->members_n++] =
				(struct pve_member){ row.name, row.ip, row.online, row.local };
		}
	}
	qsort(ret->members, ret->members_n, sizeof(*ret->members), compare_members);
	return ret->members_n ? 0 : -EINVAL;
}

const struct pve_member *pve_status_find(const struct pve_status *status, const char *name)
{
	struct pve_member key = { .name = name };

	if (!status->members_n)
		return NULL;
	return bsearch(&key, status->members, status->members_n, sizeof(key), compare_members);
}

/* ── /nodes/{node}/status ──────────────────────────────────────────────────────────────────────────────────── */

/* One of the nested objects' members. */
static const char *nested_text(const cJSON *data, const char *object, const char *key,
			       struct arena *arena)
{
	const cJSON *value = json_get(json_get(data, object), key);

	return cJSON_IsString(value) && value->valuestring[0] ?
		       arena_strdup(arena, value->valuestring) :
		       NULL;
}

static struct opt_i64 nested_i64(const cJSON *data, const char *object, const char *key)
{
	struct {
		struct opt_i64 value;
	} one = { 0 };
	const struct pve_field field = { key, PVE_I64, 0 };

	pve_read(json_get(data, object), &field, 1, NULL, &one);
	return one.value;
}

static struct opt_f64 nth_load(const cJSON *data, int index)
{
	double value;
	const cJSON *item = cJSON_GetArrayItem(json_get(data, "loadavg"), index);

	return item && pve_number(item, &value) ? some_f64(value) : (struct opt_f64){ 0 };
}

/* "pve-manager/9.2.2/0123456789abcdef" → "9.2.2" */
static const char *manager_version(const cJSON *data, struct arena *arena)
{
	const cJSON *value = json_get(data, "pveversion");
	const char *from;

	if (!cJSON_IsString(value))
		return NULL;
	from = strchr(value->valuestring, '/');
	from = from ? from + 1 : value->valuestring;
	return from[0] ? arena_strndup(arena, from, strcspn(from, "/")) : NULL;
}

/* "Linux 6.8.12-4-pve #1 SMP …": the second word. Newer versions say it in current-kernel. */
static const char *legacy_kernel(const cJSON *data, struct arena *arena)
{
	const cJSON *value = json_get(data, "kversion");
	const char *from = cJSON_IsString(value) ? strchr(value->valuestring, ' ') : NULL;

	return from && from[1] ? arena_strndup(arena, from + 1, strcspn(from + 1, " ")) : NULL;
}

int pve_parse_node_status(const cJSON *answer, struct arena *arena, struct pve_node_status *ret)
{
	static const struct pve_field fields[] = {
		PVE_FIELD(pve_node_status, "cpu", cpu, PVE_F64),
		PVE_FIELD(pve_node_status, "uptime", uptime, PVE_I64),
		PVE_FIELD(pve_node_status, "wait", wait, PVE_F64),
	};
	const cJSON *data = pve_data_object(answer);

	if (!data)
		return -EINVAL;
	*ret = (struct pve_node_status){ 0 };
	pve_read(data, fields, countof(fields), arena, ret);
	ret->swap = nested_i64(data, "swap", "used");
	ret->maxswap = nested_i64(data, "swap", "total");
	ret->load1 = nth_load(data, 0);
	ret->load5 = nth_load(data, 1);
	ret->load15 = nth_load(data, 2);
	ret->cpu_model = nested_text(data, "cpuinfo", "model", arena);
	ret->kernel = nested_text(data, "current-kernel", "release", arena);
	if (!ret->kernel)
		ret->kernel = legacy_kernel(data, arena);
	ret->version = manager_version(data, arena);
	return 0;
}
