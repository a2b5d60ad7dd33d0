/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * /nodes/{node}/disks/smart: what a disk says of itself. ATA disks come as a list of attributes, NVMe and SAS disks
 * as smartctl's own text; both are made into the same few numbers. What makes no sense is unknown, never 0.
 */
#include "services/proxmox-poller/pve_value.h"

struct pve_smart {
	const char *health; /* PASSED, OK, FAILED!, … */
	struct opt_f64 celsius;
	struct opt_i64 life_left; /* percent */
	struct opt_i64 power_on_hours, reallocated, pending, media_errors;
};

/* 0, or -EINVAL when it is no such answer. */
int pve_parse_smart(const cJSON *answer, struct arena *arena, struct pve_smart *ret);
/* Proxmox's word for what is left of a disk: a number within 0 and 100, or none ("N/A"). */
struct opt_i64 pve_wearout(const cJSON *value);
