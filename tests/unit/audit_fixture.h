/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A database with an audit chain in it, and clocks that a test turns.
 */
#include "services/safety-gate/audit.h"

#define AUDIT_SEED "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define AUDIT_OTHER_SEED "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define AUDIT_RECORDS 200
#define AUDIT_ORIGIN "jarvis/main"

struct audit_world {
	char folder[64], path[96];
	struct db *db;
	struct audit *audit;
	struct arena *arena;
	struct clock clock;
	int64_t boot_ms, wall_ms;
	struct audit_keys keys;
	unsigned char secret[GRANT_SECRET_BYTES];
	struct str error;
};

/* For cmocka. */
int world_setup(void **state);
int world_teardown(void **state);

/* Opens the audit anew, as at the gate's start. */
int world_open(struct audit_world *w);
/* One record in a transaction of its own, 7 ms later. */
int world_append(struct audit_world *w, const char *kind, const char *body);
/*
 * AUDIT_RECORDS records with a checkpoint at 100, and without what keeps a chain from being changed; returns the
 * checkpoint at the end, which is kept elsewhere.
 */
struct audit_checkpoint world_fill(struct audit_world *w);
int world_verify(struct audit_world *w, const struct audit_checkpoint *outside,
		 struct audit_report *report);
/* The number of the first bad record, 0 when all is well. */
int64_t world_bad(struct audit_world *w, const struct audit_checkpoint *outside);
void world_run(struct audit_world *w, const char *sql);
/* Runs BEFORE N AFTER. */
void world_run_n(struct audit_world *w, const char *before, int n, const char *after);
