/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * /nodes/{node}/disks/list, asked without SMART so that no disk wakes, and the documents that follow. What names a
 * disk's topic is its serial number; of disks that have none, or share one (bridges to USB do both), it is the name
 * of its link in /dev/disk/by-id, else its WWN, else its device: the first of these that no other disk of the node
 * has. Pure.
 */
#include "common/topics.h"
#include "services/proxmox-poller/pve_smart.h"

struct pve_disk {
	const char *devpath, *model, *serial, *wwn, *type, *health, *used, *by_id_link;
	struct opt_i64 size, rpm;
	struct opt_bool mounted;
	struct opt_i64 life_left;
	const char *word; /* in the topic */
};

struct pve_disks {
	struct pve_disk *rows; /* by devpath */
	size_t n, bad;
};

int pve_parse_disks(const cJSON *answer, struct arena *arena, struct pve_disks *ret);
/* True when reading its SMART may set a platter turning: it rotates, or does not say what it is. */
bool pve_disk_may_sleep(const struct pve_disk *disk);
/* SMART is NULL while it is not known, and REASON says why. Text is borrowed, or in ARENA. */
void pve_build_disk(const struct pve_disk *disk, const struct pve_smart *smart, const char *reason,
		    struct arena *arena, struct msg_disk_state *ret);
