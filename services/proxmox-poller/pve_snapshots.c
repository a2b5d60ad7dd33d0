/* SPDX-License-Identifier: MIT */
/*
 * Snapshots: rows to documents.
 */
#include "services/proxmox-poller/pve_snapshots.h"

#include <errno.h>

#define SNAPSHOTS_MAX 128
#define TIME_MAX_S 100000000000 /* the year 5138 */

struct snapshot_row {
	const char *name, *description, *parent, *digest;
	struct opt_i64 snaptime;
	struct opt_bool vmstate;
};

static const struct pve_field fields[] = {
	PVE_FIELD(snapshot_row, "description", description, PVE_STR),
	PVE_FIELD(snapshot_row, "digest", digest, PVE_STR),
	PVE_FIELD(snapshot_row, "name", name, PVE_STR),
	PVE_FIELD(snapshot_row, "parent", parent, PVE_STR),
	PVE_FIELD(snapshot_row, "snaptime", snaptime, PVE_I64),
	PVE_FIELD(snapshot_row, "vmstate", vmstate, PVE_BOOL),
};

static int compare_age(const void *a, const void *b)
{
	const struct msg_snapshot *x = a, *y = b;

	if (x->time_ms.v != y->time_ms.v)
		return x->time_ms.v < y->time_ms.v ? -1 : 1;
	return strcmp(x->name, y->name);
}

static struct msg_snapshot snapshot_of(const struct snapshot_row *row, struct arena *arena)
{
	struct msg_snapshot snapshot = {
		.name = row->name,
		.description = pve_text(arena, row->description, 512),
		.parent = pve_text(arena, row->parent, 64),
		.memory = row->vmstate.has && row->vmstate.v,
	};

	if (row->snaptime.has && row->snaptime.v > 0 && row->snaptime.v <= TIME_MAX_S)
		snapshot.time_ms = some_i64(row->snaptime.v * 1000);
	return snapshot;
}

int pve_parse_snapshots(const cJSON *answer, struct arena *arena, size_t *bad, const char **digest,
			struct msg_guest_snapshots *ret)
{
	const cJSON *data = pve_data_list(answer);
	struct msg_snapshot *list;
	const char *current = NULL;
	size_t n = 0, unusable = 0, cut;
	bool has_current = false;
	const cJSON *item;

	if (!data)
		return -EINVAL;
	list = pve_list_alloc(arena, (size_t)cJSON_GetArraySize(data), sizeof(*list));
	cJSON_ArrayForEach(item, data) {
		struct snapshot_row row = { 0 };

		pve_read(item, fields, countof(fields), arena, &row);
		if (!pve_is_name(row.name)) {
			unusable++;
		} else if (str_eq(row.name, "current")) {
			has_current = true;
			current = pve_text(arena, row.digest, 64);
		} else {
			list[n++] = snapshot_of(&row, arena);
		}
	}
	if (!has_current)
		return -EINVAL;
	qsort(list, n, sizeof(*list), compare_age);
	cut = n > SNAPSHOTS_MAX ? n - SNAPSHOTS_MAX : 0;
	ret->snapshots = list + cut;
	ret->snapshots_n = n - cut;
	*bad = unusable;
	*digest = current;
	return 0;
}
