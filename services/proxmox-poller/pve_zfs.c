/* SPDX-License-Identifier: MIT */
/*
 * A pool's tree to the list of devices that need looking at: leaves that are not ONLINE or have counted errors, so
 * that a mirror is not named for what one of its disks did. Proxmox cuts "1.2K" errors to 1.2, so that a fraction
 * only says that there are many.
 */
#include "services/proxmox-poller/pve_zfs.h"

#include <errno.h>
#include <math.h>

#define BAD_DEVICES_MAX 64
#define DEVICE_MAX_BYTES 255

static const struct pve_field pool_fields[] = {
	PVE_FIELD(pve_pool, "alloc", alloc, PVE_I64),	PVE_FIELD(pve_pool, "frag", frag, PVE_I64),
	PVE_FIELD(pve_pool, "health", health, PVE_STR), PVE_FIELD(pve_pool, "name", name, PVE_STR),
	PVE_FIELD(pve_pool, "size", size, PVE_I64),
};

static const struct pve_field detail_fields[] = {
	PVE_FIELD(pve_pool, "errors", errors, PVE_STR),
	PVE_FIELD(pve_pool, "scan", scan, PVE_STR),
	PVE_FIELD(pve_pool, "state", state, PVE_STR),
};

struct vdev {
	const char *name, *state, *msg;
	struct opt_f64 read, write, cksum;
};

static const struct pve_field vdev_fields[] = {
	PVE_FIELD(vdev, "cksum", cksum, PVE_F64), PVE_FIELD(vdev, "msg", msg, PVE_STR),
	PVE_FIELD(vdev, "name", name, PVE_STR),	  PVE_FIELD(vdev, "read", read, PVE_F64),
	PVE_FIELD(vdev, "state", state, PVE_STR), PVE_FIELD(vdev, "write", write, PVE_F64),
};

static int compare_pools(const void *a, const void *b)
{
	return strcmp(((const struct pve_pool *)a)->name, ((const struct pve_pool *)b)->name);
}

static bool keep_pool(void *row, _unused_ const cJSON *item, _unused_ struct arena *arena)
{
	const struct pve_pool *pool = row;

	return pve_is_name(pool->name) && pool->health;
}

int pve_parse_pools(const cJSON *answer, struct arena *arena, struct pve_pools *ret)
{
	static const struct pve_rows rows = { pool_fields, countof(pool_fields),
					      sizeof(struct pve_pool), keep_pool, compare_pools };

	ret->rows = pve_read_rows(answer, &rows, arena, &ret->n, &ret->bad);
	return ret->rows ? 0 : -EINVAL;
}

/* ── details ───────────────────────────────────────────────────────────────────────────────────────────────── */

struct bad_list {
	struct arena *arena;
	const char **list;
	size_t n;
};

static bool has_errors(struct opt_f64 count)
{
	return count.has && count.v > 0;
}

static bool is_bad(const struct vdev *v)
{
	/* Spares wait, or serve. */
	static const char *const good[] = { "ONLINE", "AVAIL", "INUSE" };

	if (has_errors(v->read) || has_errors(v->write) || has_errors(v->cksum))
		return true;
	for (size_t i = 0; i < countof(good); i++) {
		if (str_eq(v->state, good[i]))
			return false;
	}
	return true;
}

static void add_count(struct str *out, struct opt_f64 count, const char *what)
{
	if (!has_errors(count))
		return;
	if (count.v == floor(count.v))
		str_printf(out, ", %.0f %s", count.v, what);
	else
		str_printf(out, ", many %s", what);
}

static void add_bad(struct bad_list *bad, const struct vdev *v)
{
	_cleanup_(str_done) struct str text = { 0 };

	if (bad->n >= BAD_DEVICES_MAX)
		return;
	str_printf(&text, "%.128s: %.32s", v->name, v->state);
	add_count(&text, v->read, "read errors");
	add_count(&text, v->write, "write errors");
	add_count(&text, v->cksum, "checksum errors");
	if (v->msg)
		str_printf(&text, " (%.64s)", v->msg);
	bad->list[bad->n++] = pve_text(bad->arena, str_get(&text), DEVICE_MAX_BYTES);
}

/* No deeper than JSON may be. */
static void walk(const cJSON *children, struct bad_list *bad)
{
	const cJSON *child;

	cJSON_ArrayForEach(child, children) {
		const cJSON *below = json_get(child, "children");
		struct vdev v = { 0 };

		if (cJSON_IsArray(below) && below->child) {
			walk(below, bad);
			continue;
		}
		pve_read(child, vdev_fields, countof(vdev_fields), bad->arena, &v);
		if (v.name && v.state && is_bad(&v))
			add_bad(bad, &v);
	}
}

int pve_parse_pool_details(const cJSON *answer, struct arena *arena, struct pve_pool *pool)
{
	const cJSON *data = pve_data_object(answer);
	const cJSON *children = json_get(data, "children");
	struct bad_list bad = { arena, NULL, 0 };

	if (!data)
		return -EINVAL;
	pool->state = pool->scan = pool->errors = NULL;
	pve_read(data, detail_fields, countof(detail_fields), arena, pool);
	bad.list = arena_alloc(arena, BAD_DEVICES_MAX * sizeof(*bad.list));
	if (cJSON_IsArray(children))
		walk(children, &bad);
	pool->bad_devices = bad.list;
	pool->bad_devices_n = bad.n;
	return 0;
}

/* ── documents ─────────────────────────────────────────────────────────────────────────────────────────────── */

void pve_build_pool(const struct pve_pool *pool, struct arena *arena, struct msg_zfs_pool *ret)
{
	bool sized = pool->size.has && pool->size.v > 0;

	*ret = (struct msg_zfs_pool){
		.pool = pool->name,
		.health = pve_text(arena, pool->state ? pool->state : pool->health, 32),
		.scan = pve_text(arena, pool->scan, 256),
		.errors = pve_text(arena, pool->errors, 256),
		.bad_devices = pool->bad_devices,
		.bad_devices_n = pool->bad_devices_n,
	};
	/* A pool that cannot be opened says "-", which Proxmox makes 0 of. */
	if (!sized)
		return;
	ret->size = pool->size;
	ret->used = pool->alloc;
	ret->fragmentation = pool->frag;
}
