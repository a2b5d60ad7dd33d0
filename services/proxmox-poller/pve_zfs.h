/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * /nodes/{node}/disks/zfs and …/zfs/{pool}: pools as documents. A pool without its details is a pool still. Pure.
 */
#include "common/pve_value.h"
#include "common/topics.h"

struct pve_pool {
	const char *name, *health;
	struct opt_i64 size, alloc, frag;
	/* From the details; NULL and none before. */
	const char *state, *scan, *errors;
	const char *const *bad_devices;
	size_t bad_devices_n;
};

struct pve_pools {
	struct pve_pool *rows; /* by name */
	size_t n, bad;
};

int pve_parse_pools(const cJSON *answer, struct arena *arena, struct pve_pools *ret);
/* Adds the details to POOL: 0, or -EINVAL when they are none, and nothing changed. */
int pve_parse_pool_details(const cJSON *answer, struct arena *arena, struct pve_pool *pool);
void pve_build_pool(const struct pve_pool *pool, struct arena *arena, struct msg_zfs_pool *ret);
