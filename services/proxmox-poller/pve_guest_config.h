/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * /nodes/{node}/qemu|lxc/{vmid}/config: flat keys, with lists of properties as values. What is taken is named here
 * key by key, so that passwords, keys and command lines of a guest never get further than this file. Pure.
 */
#include "common/topics.h"
#include "services/proxmox-poller/pve_parse.h"

/*
 * Fills RET but for ts, cluster, vmid and reason, in ARENA. What is left out of a configuration is Proxmox's
 * default where that is a constant. BAD counts disks and cards that make no sense. 0, or -EINVAL when it is no
 * such answer: each has a digest.
 */
int pve_parse_guest_config(const cJSON *answer, bool is_container, struct arena *arena, size_t *bad,
			   struct msg_guest_config *ret);
