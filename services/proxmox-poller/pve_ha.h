/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * /cluster/ha/status/current: a list in which every row is of another kind. Its words for people hold the server's
 * local time; what is taken from them is the state alone, the times come from numbers. Pure.
 */
#include "common/topics.h"
#include "services/proxmox-poller/pve_parse.h"

/*
 * Fills RET but for ts and cluster, in ARENA; lists are sorted, too long ones cut. BAD counts rows that were left
 * out. 0, or -EINVAL when it is no such answer: there is always a row about the quorum.
 */
int pve_parse_ha(const cJSON *answer, struct arena *arena, size_t *bad, struct msg_ha_state *ret);
