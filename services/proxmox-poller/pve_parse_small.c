/* SPDX-License-Identifier: MIT */
/*
 * Trees to structs: the lists of storages, tasks and votes, and the small answers.
 */
#include "services/proxmox-poller/pve_parse.h"

#include <errno.h>

/* Sorted by key, as all tables here. */
static const struct pve_field storage_fields[] = {
	PVE_FIELD(pve_storage, "active", active, PVE_BOOL),
	PVE_FIELD(pve_storage, "content", content, PVE_STR),
	PVE_FIELD(pve_storage, "enabled", enabled, PVE_BOOL),
	PVE_FIELD(pve_storage, "shared", shared, PVE_BOOL),
	PVE_FIELD(pve_storage, "storage", storage, PVE_STR),
	PVE_FIELD(pve_storage, "total", total, PVE_I64),
	PVE_FIELD(pve_storage, "type", type, PVE_STR),
	PVE_FIELD(pve_storage, "used", used, PVE_I64),
};

static const struct pve_field task_fields[] = {
	PVE_FIELD(pve_task, "endtime", endtime, PVE_I64),
	PVE_FIELD(pve_task, "id", id, PVE_STR),
	PVE_FIELD(pve_task, "node", node, PVE_STR),
	PVE_FIELD(pve_task, "starttime", starttime, PVE_I64),
	PVE_FIELD(pve_task, "status", status, PVE_STR),
	PVE_FIELD(pve_task, "tokenid", tokenid, PVE_STR),
	PVE_FIELD(pve_task, "type", type, PVE_STR),
	PVE_FIELD(pve_task, "upid", upid, PVE_STR),
	PVE_FIELD(pve_task, "user", user, PVE_STR),
};

static const struct pve_field vote_fields[] = {
	PVE_FIELD(pve_vote, "name", name, PVE_STR),
	PVE_FIELD(pve_vote, "node", node, PVE_STR),
	PVE_FIELD(pve_vote, "quorum_votes", votes, PVE_I64),
};

static const struct pve_field guest_status_fields[] = {
	PVE_FIELD(pve_guest_status, "lock", lock, PVE_STR),
	PVE_FIELD(pve_guest_status, "name", name, PVE_STR),
	PVE_FIELD(pve_guest_status, "qmpstatus", qmpstatus, PVE_STR),
	PVE_FIELD(pve_guest_status, "status", status, PVE_STR),
	PVE_FIELD(pve_guest_status, "uptime", uptime, PVE_I64),
};

/* ── lists of simple rows ──────────────────────────────────────────────────────────────────────────────────── */

static int compare_storages(const void *a, const void *b)
{
	return strcmp(((const struct pve_storage *)a)->storage,
		      ((const struct pve_storage *)b)->storage);
}

static bool keep_storage(void *row, _unused_ const cJSON *item, _unused_ struct arena *arena)
{
	return pve_is_name(((const struct pve_storage *)row)->storage);
}

int pve_parse_storages(const cJSON *answer, struct arena *arena, struct pve_storages *ret)
{
	static const struct pve_rows rows = { storage_fields, countof(storage_fields),
					      sizeof(struct pve_storage), keep_storage,
					      compare_storages };

	ret->rows = pve_read_rows(answer, &rows, arena, &ret->n, &ret->bad);
	return ret->rows ? 0 : -EINVAL;
}

const struct pve_storage *pve_storages_find(const struct pve_storages *list, const char *storage)
{
	struct pve_storage key = { .storage = storage };

	return list->n ? bsearch(&key, list->rows, list->n, sizeof(key), compare_storages) : NULL;
}

static bool keep_task(void *row, _unused_ const cJSON *item, _unused_ struct arena *arena)
{
	const struct pve_task *task = row;

	return task->upid && task->node && task->type && task->starttime.has;
}

int pve_parse_tasks(const cJSON *answer, struct arena *arena, struct pve_tasks *ret)
{
	static const struct pve_rows rows = { task_fields, countof(task_fields),
					      sizeof(struct pve_task), keep_task, NULL };

	ret->rows = pve_read_rows(answer, &rows, arena, &ret->n, &ret->bad);
	return ret->rows ? 0 : -EINVAL;
}

static int compare_votes(const void *a, const void *b)
{
	return strcmp(((const struct pve_vote *)a)->node, ((const struct pve_vote *)b)->node);
}

int pve_parse_votes(const cJSON *answer, struct arena *arena, struct pve_votes *ret)
{
	const cJSON *data = pve_data_list(answer);
	const cJSON *item;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_votes){ 0 };
	ret->rows = pve_list_alloc(arena, (size_t)cJSON_GetArraySize(data), sizeof(*ret->rows));
	cJSON_ArrayForEach(item, data) {
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
	const cJSON *version = json_get(pve_data_object(answer), "version");

	if (!cJSON_IsString(version) || !version->valuestring[0])
		return -EINVAL;
	*ret = arena_strdup(arena, version->valuestring);
	return 0;
}

static void note_privilege(const char *path, const cJSON *privilege, struct pve_permissions *ret)
{
	const char *name = privilege->string;

	ret->none = false;
	if (str_eq(name, "Sys.Audit") && str_eq(path, "/"))
		ret->sys = true;
	else if (str_eq(name, "VM.Audit"))
		ret->vm = true;
	else if (str_eq(name, "Datastore.Audit"))
		ret->datastore = true;
}

/* True when VM.Audit is handed down from PATH (the value says so). */
static bool hands_down(const cJSON *data, const char *path)
{
	struct pve_field field = { "VM.Audit", PVE_BOOL, 0 };
	struct opt_bool has = { 0 };

	pve_read(json_get(data, path), &field, 1, NULL, &has);
	return has.has && has.v;
}

/* By a right on all guests that no path below takes away. */
static bool sees_all_guests(const cJSON *data)
{
	const cJSON *path;

	if (!hands_down(data, "/vms") && (json_get(data, "/vms") || !hands_down(data, "/")))
		return false;
	cJSON_ArrayForEach(path, data) {
		if (str_starts(path->string, "/vms/") && !json_get(path, "VM.Audit"))
			return false;
	}
	return true;
}

int pve_parse_permissions(const cJSON *answer, struct pve_permissions *ret)
{
	const cJSON *data = pve_data_object(answer);
	const cJSON *path, *privilege;

	if (!data)
		return -EINVAL;
	*ret = (struct pve_permissions){ .none = true };
	ret->all_guests = sees_all_guests(data);
	cJSON_ArrayForEach(path, data) {
		if (!cJSON_IsObject(path))
			continue;
		cJSON_ArrayForEach(privilege, path)
			note_privilege(path->string, privilege, ret);
	}
	return 0;
}

int pve_parse_guest_status(const cJSON *answer, struct arena *arena, struct pve_guest_status *ret)
{
	const cJSON *data = pve_data_object(answer);

	if (!data)
		return -EINVAL;
	*ret = (struct pve_guest_status){ 0 };
	pve_read(data, guest_status_fields, countof(guest_status_fields), arena, ret);
	return ret->status ? 0 : -EINVAL;
}
