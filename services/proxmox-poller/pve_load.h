/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * How many requests there were in the last minute, by name: a window of twelve buckets of five seconds that slides
 * with the time it is told. A name without requests in the window is not there. Pure.
 */
#include "common/alloc.h"
#include "common/topics.h"

#define PVE_LOAD_BUCKETS 12
#define PVE_LOAD_BUCKET_MS 5000

struct pve_load_entry {
	char *name;
	int64_t newest; /* number of the bucket that was counted in last */
	uint32_t counts[PVE_LOAD_BUCKETS];
};

struct pve_load {
	struct pve_load_entry *entries; /* by name */
	size_t n;
};

void pve_load_done(struct pve_load *load);
/* One request for NAME. */
void pve_load_note(struct pve_load *load, const char *name, int64_t now_ms);
/* The last minute's counts, by name, MAX of them at most; in ARENA but for the names, which are borrowed from LOAD. */
void pve_load_build(const struct pve_load *load, int64_t now_ms, size_t max, struct arena *arena,
		    const struct num_entry **ret, size_t *n);
