/* SPDX-License-Identifier: MIT */
/*
 * Trees to structs: a table of members for each kind of row, and one function that reads lists.
 */
#include "services/proxmox-poller/pve_parse.h"

#include "common/topics.h"

#include <errno.h>

/* clang-format off */
#define FIELD(type, key, member, kind) { key, kind, offsetof(struct type, member) }
/* clang-format on */

/* Sorted by key, as all tables here. */
static const struct pve_field resource_fields[] = {
	FIELD(pve_resource, "content", content, PVE_STR),
	FIELD(pve_resource, "cpu", cpu, PVE_F64),
	FIELD(pve_resource, "disk", disk, PVE_I64),
	FIELD(pve_resource, "diskread", diskread, PVE_I64),
	FIELD(pve_resource, "diskwrite", diskwrite, PVE_I64),
	FIELD(pve_resource, "hastate", hastate, PVE_STR),
	FIELD(pve_resource, "id", id, PVE_STR),
	FIELD(pve_resource, "lock", lock, PVE_STR),
	FIELD(pve_resource, "maxcpu", maxcpu, PVE_F64),
	FIELD(pve_resource, "maxdisk", maxdisk, PVE_I64),
	FIELD(pve_resource, "maxmem", maxmem, PVE_I64),
	FIELD(pve_resource, "mem", mem, PVE_I64),
	FIELD(pve_resource, "memhost", memhost, PVE_I64),
	FIELD(pve_resource, "name", name, PVE_STR),
	FIELD(pve_resource, "netin", netin, PVE_I64),
	FIELD(pve_resource, "netout", netout, PVE_I64),
	FIELD(pve_resource, "node", node, PVE_STR),
	FIELD(pve_resource, "plugintype", plugintype, PVE_STR),
	FIELD(pve_resource, "pool", pool, PVE_STR),
	FIELD(pve_resource, "shared", shared, PVE_BOOL),
	FIELD(pve_resource, "status", status, PVE_STR),
	FIELD(pve_resource, "storage", storage, PVE_STR),
	FIELD(pve_resource, "tags", tags, PVE_STR),
	FIELD(pve_resource, "template", template, PVE_BOOL),
	FIELD(pve_resource, "type", type, PVE_STR),
	FIELD(pve_resource, "uptime", uptime, PVE_I64),
	FIELD(pve_resource, "vmid", vmid, PVE_I64),
};

/* One row of /cluster/status: the cluster itself, or a node. */
struct status_row {
	const char *type, *name, *ip;
	struct opt_bool quorate, online, local;
};

static const struct pve_field status_fields[] = {
	FIELD(status_row, "ip", ip, PVE_STR),
	FIELD(status_row, "local", local, PVE_BOOL),
	FIELD(status_row, "name", name, PVE_STR),
	FIELD(status_row, "online", online, PVE_BOOL),
	FIELD(status_row, "quorate", quorate, PVE_BOOL),
	FIELD(status_row, "type", type, PVE_STR),
};

static const struct pve_field storage_fields[] = {
	FIELD(pve_storage, "active", active, PVE_BOOL),
	FIELD(pve_storage, "content", content, PVE_STR),
	FIELD(pve_storage, "enabled", enabled, PVE_BOOL),
	FIELD(pve_storage, "shared", shared, PVE_BOOL),
	FIELD(pve_storage, "storage", storage, PVE_STR),
	FIELD(pve_storage, "total", total, PVE_I64),
	FIELD(pve_storage, "type", type, PVE_STR),
	FIELD(pve_storage, "used", used, PVE_I64),
};

static const struct pve_field task_fields[] = {
	FIELD(pve_task, "endtime", endtime, PVE_I64),
	FIELD(pve_task, "id", id, PVE_STR),
	FIELD(pve_task, "node", node, PVE_STR),
	FIELD(pve_task, "starttime", starttime, PVE_I64),
	FIELD(pve_task, "status", status, PVE_STR),
	FIELD(pve_task, "tokenid", tokenid, PVE_STR),
	FIELD(pve_task, "type", type, PVE_STR),
	FIELD(pve_task, "upid", upid, PVE_STR),
	FIELD(pve_task, "user", user, PVE_STR),
};

static const struct pve_field vote_fields[] = {
	FIELD(pve_vote, "name", name, PVE_STR),
	FIELD(pve_vote, "node", node, PVE_STR),
	FIELD(pve_vote, "quorum_votes", votes, PVE_I64),
};

static const struct pve_field guest_status_fields[] = {
	FIELD(pve_guest_status, "lock", lock, PVE_STR),
	FIELD(pve_guest_status, "name", name, PVE_STR),
	FIELD(pve_guest_status, "qmpstatus", qmpstatus, PVE_STR),
	FIELD(pve_guest_status, "status", status, PVE_STR),
	FIELD(pve_guest_status, "uptime", uptime, PVE_I64),
};

/* What names a topic must fit into one of its levels. */
static bool is_name(const char *text)
{
	return text && strlen(text) <= TOPIC_LEVEL_MAX;
}

static const cJSON *data_list(const cJSON *answer)
{
	const cJSON *data = json_get(answer, "data");

	return cJSON_IsArray(data) ? data : NULL;
}

static const cJSON *data_object(const cJSON *answer)
{
	const cJSON *data = json_get(answer, "data");

	return cJSON_IsObject(data) ? data : NULL;
}

/* Room for COUNT elements of SIZE, never of none. */
static void *list_alloc(struct arena *arena, size_t count, size_t size)
{
	return arena_alloc(arena, max_of(count, (size_t)1) * size);
}

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
	if (!is_name(row->node))
		return false;
	if (kind == RESOURCE_GUEST)
		return row->vmid.has && row->vmid.v > 0;
	return kind == RESOURCE_NODE || is_name(row->storage);
}

static void count_resources(const cJSON *data, size_t counts[RESOURCE_OTHER + 1])
{
	const cJSON *item;

	cJSON_ArrayForEach(item, data)
	{
		const cJSON *type = json_get(item, "type");

		counts[resource_kind(cJSON_IsString(type) ? type->valuestring : NULL)]++;
	}
}

static int compare_nodes(const void *a, const void *b)
{
	return strcmp(((const struct pve_resource *)a)->node, ((const struct pve_resource *)b)->node);
}

static int compare_guests(const void *a, const void *b)
{
	const struct pve_resource *x = a, *y = b;

	if (x->vmid.v != y->vmid.v)
		return x->vmid.v < y->vmid.v ? -1 : 1;
	return strcmp(x->node, y->node);
}

static int compare_resource_storages(const void *a, const void *b)
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
	const cJSON *data = data_list(answer);
	size_t counts[RESOURCE_OTHER + 1] = { 0 };
	const cJSON *item;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_resources){ 0 };
	count_resources(data, counts);
	ret->nodes = list_alloc(arena, counts[RESOURCE_NODE], sizeof(*ret->nodes));
	ret->guests = list_alloc(arena, counts[RESOURCE_GUEST], sizeof(*ret->guests));
	ret->storages = list_alloc(arena, counts[RESOURCE_STORAGE], sizeof(*ret->storages));
	cJSON_ArrayForEach(item, data) add_resource(item, arena, ret);
	qsort(ret->nodes, ret->nodes_n, sizeof(*ret->nodes), compare_nodes);
	qsort(ret->guests, ret->guests_n, sizeof(*ret->guests), compare_guests);
	qsort(ret->storages, ret->storages_n, sizeof(*ret->storages), compare_resource_storages);
	return 0;
}

/* ── /cluster/status ───────────────────────────────────────────────────────────────────────────────────────── */

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct pve_member *)a)->name, ((const struct pve_member *)b)->name);
}

int pve_parse_status(const cJSON *answer, struct arena *arena, struct pve_status *ret)
{
	const cJSON *data = data_list(answer);
	const cJSON *item;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_status){ 0 };
	ret->members = list_alloc(arena, (size_t)cJSON_GetArraySize(data), sizeof(*ret->members));
	cJSON_ArrayForEach(item, data)
	{
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
		FIELD(pve_node_status, "cpu", cpu, PVE_F64),
		FIELD(pve_node_status, "uptime", uptime, PVE_I64),
		FIELD(pve_node_status, "wait", wait, PVE_F64),
	};
	const cJSON *data = data_object(answer);

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

/* ── lists of simple rows ──────────────────────────────────────────────────────────────────────────────────── */

static int compare_storages(const void *a, const void *b)
{
	return strcmp(((const struct pve_storage *)a)->storage,
		      ((const struct pve_storage *)b)->storage);
}

int pve_parse_storages(const cJSON *answer, struct arena *arena, struct pve_storages *ret)
{
	const cJSON *data = data_list(answer);
	const cJSON *item;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_storages){ 0 };
	ret->rows = list_alloc(arena, (size_t)cJSON_GetArraySize(data), sizeof(*ret->rows));
	cJSON_ArrayForEach(item, data)
	{
		struct pve_storage row = { 0 };

		pve_read(item, storage_fields, countof(storage_fields), arena, &row);
		if (is_name(row.storage))
			ret->rows[ret->n++] = row;
		else
			ret->bad++;
	}
	qsort(ret->rows, ret->n, sizeof(*ret->rows), compare_storages);
	return 0;
}

const struct pve_storage *pve_storages_find(const struct pve_storages *list, const char *storage)
{
	struct pve_storage key = { .storage = storage };

	return list->n ? bsearch(&key, list->rows, list->n, sizeof(key), compare_storages) : NULL;
}

int pve_parse_tasks(const cJSON *answer, struct arena *arena, struct pve_tasks *ret)
{
	const cJSON *data = data_list(answer);
	const cJSON *item;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_tasks){ 0 };
	ret->rows = list_alloc(arena, (size_t)cJSON_GetArraySize(data), sizeof(*ret->rows));
	cJSON_ArrayForEach(item, data)
	{
		struct pve_task row = { 0 };

		pve_read(item, task_fields, countof(task_fields), arena, &row);
		if (row.upid && row.node && row.type && row.starttime.has)
			ret->rows[ret->n++] = row;
		else
			ret->bad++;
	}
	return 0;
}

static int compare_votes(const void *a, const void *b)
{
	return strcmp(((const struct pve_vote *)a)->node, ((const struct pve_vote *)b)->node);
}

int pve_parse_votes(const cJSON *answer, struct arena *arena, struct pve_votes *ret)
{
	const cJSON *data = data_list(answer);
	const cJSON *item;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_votes){ 0 };
	ret->rows = list_alloc(arena, (size_t)cJSON_GetArraySize(data), sizeof(*ret->rows));
	cJSON_ArrayForEach(item, data)
	{
		struct pve_vote row = { 0 };

		pve_read(item, vote_fields, countof(vote_fields), arena, &row);
		if (!row.node)
			row.node = row.name;
		if (!row.node || !row.votes.has || row.votes.v < 0 || row.votes.v > 1000)
			return -EINVAL;
		ret->rows[ret->n++] = row;
		ret->total += row.votes.v;
	}
	qsort(ret->rows, ret->n, sizeof(*ret->rows), compare_votes);
	return 0;
}

int64_t pve_votes_of(const struct pve_votes *votes, const char *node)
{
	struct pve_vote key = { .node = node };
	const struct pve_vote *found;

	if (!votes->n)
		return 0;
	found = bsearch(&key, votes->rows, votes->n, sizeof(key), compare_votes);
	return found ? found->votes.v : 0;
}

/* ── the rest ──────────────────────────────────────────────────────────────────────────────────────────────── */

int pve_parse_version(const cJSON *answer, struct arena *arena, const char **ret)
{
	const cJSON *version = json_get(data_object(answer), "version");

	if (!cJSON_IsString(version) || !version->valuestring[0])
		return -EINVAL;
	*ret = arena_strdup(arena, version->valuestring);
	return 0;
}

/* What PVEAuditor holds on PVE 8 and 9, and what only looks besides. */
static bool is_reading(const char *privilege)
{
	return str_ends(privilege, ".Audit") || str_eq(privilege, "Sys.Syslog");
}

static void note_privilege(const char *path, const cJSON *privilege, struct arena *arena,
			   struct pve_permissions *ret)
{
	const char *name = privilege->string;

	ret->none = false;
	if (str_eq(name, "Sys.Audit") && str_eq(path, "/"))
		ret->sys = true;
	else if (str_eq(name, "VM.Audit"))
		ret->vm = true;
	else if (str_eq(name, "Datastore.Audit"))
		ret->datastore = true;
	if (is_reading(name) || ret->excess)
		return;
	ret->excess = arena_strdup(arena, name);
	ret->excess_path = arena_strdup(arena, path);
}

int pve_parse_permissions(const cJSON *answer, struct arena *arena, struct pve_permissions *ret)
{
	const cJSON *data = data_object(answer);
	const cJSON *path, *privilege;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_permissions){ .none = true };
	cJSON_ArrayForEach(path, data)
	{
		if (!cJSON_IsObject(path))
			continue;
		cJSON_ArrayForEach(privilege, path)
			note_privilege(path->string, privilege, arena, ret);
	}
	return 0;
}

int pve_parse_guest_status(const cJSON *answer, struct arena *arena, struct pve_guest_status *ret)
{
	const cJSON *data = data_object(answer);

	if (!data)
		return -EINVAL;
	*ret = (struct pve_guest_status){ 0 };
	pve_read(data, guest_status_fields, countof(guest_status_fields), arena, ret);
	return ret->status ? 0 : -EINVAL;
}
