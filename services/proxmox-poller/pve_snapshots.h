/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * /nodes/{node}/qemu|lxc/{vmid}/snapshot. The last row is none: it is called `current`, and its digest tells
 * whether the guest's configuration changed. Pure.
 */
#include "common/topics.h"
#include "services/proxmox-poller/pve_parse.h"

/*
 * Fills RET's list in ARENA, oldest first; too long ones lose their oldest. DIGEST is NULL when it is not told.
 * BAD counts rows that were left out. 0, or -EINVAL when it is no such answer.
 */
int pve_parse_snapshots(const cJSON *answer, struct arena *arena, size_t *bad, const char **digest,
			struct msg_guest_snapshots *ret);
