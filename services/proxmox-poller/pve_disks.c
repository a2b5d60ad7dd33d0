/* SPDX-License-Identifier: MIT */
/*
 * Rows to disks with a name each. The name must be the same after a reboot, when sda and sdb may have changed
 * places: disks that share a candidate all pass on to the next one, whatever order they were listed in.
 */
#include "services/proxmox-poller/pve_disks.h"

#include <errno.h>

#define SERIAL_MIN_BYTES 2

static const struct pve_field disk_fields[] = {
	PVE_FIELD(pve_disk, "by_id_link", by_id_link, PVE_STR),
	PVE_FIELD(pve_disk, "devpath", devpath, PVE_STR),
	PVE_FIELD(pve_disk, "health", health, PVE_STR),
	PVE_FIELD(pve_disk, "model", model, PVE_STR),
	PVE_FIELD(pve_disk, "mounted", mounted, PVE_BOOL),
	PVE_FIELD(pve_disk, "rpm", rpm, PVE_I64),
	PVE_FIELD(pve_disk, "serial", serial, PVE_STR),
	PVE_FIELD(pve_disk, "size", size, PVE_I64),
	PVE_FIELD(pve_disk, "type", type, PVE_STR),
	PVE_FIELD(pve_disk, "used", used, PVE_STR),
	PVE_FIELD(pve_disk, "wwn", wwn, PVE_STR),
};

/* ── names ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static const char *without_padding(struct arena *arena, const char *text)
{
	size_t length;

	if (!text)
		return NULL;
	text += strspn(text, " \t");
	length = strlen(text);
	while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	return length ? arena_strndup(arena, text, length) : NULL;
}

static bool is_telling(const char *text)
{
	size_t length = text ? strlen(text) : 0;

	if (length < SERIAL_MIN_BYTES || length > TOPIC_LEVEL_MAX)
		return false;
	/* What bridges put there when they know none. */
	return !str_eq(text, "unknown") && strspn(text, "0") != length &&
	       strspn(text, "Ff") != length && strspn(text, " ") != length;
}

static const char *after_slash(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;

	return slash ? slash + 1 : path;
}

enum { CANDIDATES = 4 };

static const char *candidate(const struct pve_disk *disk, int which)
{
	switch (which) {
	case 0:
		return disk->serial;
	case 1:
		return after_slash(disk->by_id_link);
	case 2:
		return disk->wwn;
	default:
		return str_starts(disk->devpath, "/dev/") ? disk->devpath + 5 : disk->devpath;
	}
}

/* Any candidate of another disk will do, so that nothing that one is named by names another. */
static bool is_called(const struct pve_disk *disk, const char *word)
{
	for (int which = 0; which < CANDIDATES; which++) {
		const char *mine = candidate(disk, which);

		if (mine && str_eq(mine, word))
			return true;
	}
	return false;
}

static bool is_shared(const struct pve_disks *disks, size_t self, int which)
{
	const char *mine = candidate(&disks->rows[self], which);

	for (size_t i = 0; i < disks->n; i++) {
		if (i != self && is_called(&disks->rows[i], mine))
			return true;
	}
	return false;
}

static void name_disk(struct pve_disks *disks, size_t i)
{
	struct pve_disk *disk = &disks->rows[i];

	for (int which = 0; which < CANDIDATES && !disk->word; which++) {
		bool last = which == CANDIDATES - 1;

		if (last || (is_telling(candidate(disk, which)) && !is_shared(disks, i, which)))
			disk->word = candidate(disk, which);
	}
}

/* ── the answer ────────────────────────────────────────────────────────────────────────────────────────────── */

static int compare_disks(const void *a, const void *b)
{
	return strcmp(((const struct pve_disk *)a)->devpath, ((const struct pve_disk *)b)->devpath);
}

/* Its device must be there, once, and fit into a level of a topic. */
static bool is_usable(const struct pve_disk *disk)
{
	return disk->devpath && str_starts(disk->devpath, "/dev/") && disk->devpath[5] &&
	       pve_is_name(disk->devpath);
}

static void drop_twins(struct pve_disks *disks)
{
	size_t kept = 0;

	for (size_t i = 0; i < disks->n; i++) {
		if (kept && str_eq(disks->rows[kept - 1].devpath, disks->rows[i].devpath))
			disks->bad++;
		else
			disks->rows[kept++] = disks->rows[i];
	}
	disks->n = kept;
}

static bool keep_disk(void *row, const cJSON *item, struct arena *arena)
{
	struct pve_disk *disk = row;

	disk->life_left = pve_wearout(json_get(item, "wearout"));
	disk->serial = without_padding(arena, disk->serial);
	return is_usable(disk);
}

int pve_parse_disks(const cJSON *answer, struct arena *arena, struct pve_disks *ret)
{
	static const struct pve_rows rows = { disk_fields, countof(disk_fields),
					      sizeof(struct pve_disk), keep_disk, compare_disks };

	ret->rows = pve_read_rows(answer, &rows, arena, &ret->n, &ret->bad);
	if (!ret->rows)
		return -EINVAL;
	drop_twins(ret);
	for (size_t i = 0; i < ret->n; i++)
		name_disk(ret, i);
	return ret->n || !ret->bad ? 0 : -EINVAL;
}

bool pve_disk_may_sleep(const struct pve_disk *disk)
{
	bool solid = disk->type && (str_eq(disk->type, "ssd") || str_eq(disk->type, "nvme"));

	return !solid || (disk->rpm.has && disk->rpm.v > 0);
}

/* ── documents ─────────────────────────────────────────────────────────────────────────────────────────────── */

/* Without SMART the list says UNKNOWN, which is not a state of the disk's health. */
static const char *known_health(const char *health)
{
	return health && !str_eq(health, "UNKNOWN") ? health : NULL;
}

void pve_build_disk(const struct pve_disk *disk, const struct pve_smart *smart, const char *reason,
		    struct arena *arena, struct msg_disk_state *ret)
{
	const char *health = smart ? smart->health : NULL;

	*ret = (struct msg_disk_state){
		.serial = disk->word,
		.device = pve_text(arena, disk->devpath, 128),
		.model = pve_text(arena, without_padding(arena, disk->model), 128),
		.type = pve_text(arena, disk->type, 16),
		.size = disk->size,
		.health = pve_text(arena, health ? health : known_health(disk->health), 32),
		.life_left = disk->life_left,
		.used_by = pve_text(arena, disk->used, 64),
		.reason = pve_text(arena, reason, 256),
	};
	if (!ret->used_by && disk->mounted.has && disk->mounted.v)
		ret->used_by = "mounted";
	if (!smart)
		return;
	if (smart->life_left.has)
		ret->life_left = smart->life_left;
	ret->celsius = smart->celsius;
	ret->power_on_hours = smart->power_on_hours;
	ret->reallocated = smart->reallocated;
	ret->pending = smart->pending;
	ret->media_errors = smart->media_errors;
}
