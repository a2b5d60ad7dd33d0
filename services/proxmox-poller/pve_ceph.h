/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * /cluster/ceph/status, which is Ceph's own `status` as it stands: what Quincy, Reef and Squid say in different
 * places becomes one document. Pure.
 */
#include "common/pve_value.h"
#include "common/topics.h"

/* All but ts and cluster. 0, or -EINVAL when it is no such answer. */
int pve_parse_ceph(const cJSON *answer, struct arena *arena, struct msg_ceph_state *ret);
/* True when REASON, that of a status line, says that there is no Ceph on the node that was asked. */
bool pve_ceph_is_absent(const char *reason);
