/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A walk over all guests, for what only the guest itself can be asked: its configuration, and over the same
 * connection its snapshots. At most two calls a second, and one at a time on each node; the guests of a period are
 * spread over it, and where there are too many for that the period grows. What is new, or has just changed, does not
 * wait for its turn. Pure.
 */
#include "services/proxmox-poller/pve_cluster.h"

enum walk_step { WALK_CONFIG, WALK_SNAPSHOTS, WALK_STEPS };

struct walk_guest {
	int64_t vmid;
	uint64_t lock;	  /* hash of what holds it locked */
	bool unreachable; /* its node is not to be asked */
	struct walk_turn {
		int64_t due_ms;
		bool urgent; /* new, or changed */
		bool asked;  /* a call is under way */
		bool was_ok; /* read once at least */
		unsigned failures;
	} turns[WALK_STEPS];
};

struct guest_walk {
	int64_t wanted_ms;	   /* period from the configuration */
	struct walk_guest *guests; /* by vmid */
	size_t n;
	int64_t last_ms; /* when the last call began */
	int64_t turn_ms; /* and the last one that came in its turn */
	bool had_round;	 /* every guest that can be asked was asked */
	/* For the source document. */
	struct opt_i64 last_ok_ms;
	struct opt_f64 latency_ms;
	unsigned failures;
	char error[257];
};

struct walk_events {
	void (*gone)(void *ctx, int64_t vmid);
	/* The node of GUEST is not asked any more, or GUEST is new there. */
	void (*unreachable)(void *ctx, const struct pve_guest *guest);
	/* True while a call of the walk is under way on NODE. */
	bool (*is_busy)(void *ctx, const char *node);
	void *ctx;
};

void guest_walk_init(struct guest_walk *walk, int64_t wanted_ms, int64_t now);
void guest_walk_done(struct guest_walk *walk);
/* How long one walk takes. */
int64_t guest_walk_period_ms(const struct guest_walk *walk);
/* Follows the guests of CLUSTER. */
void guest_walk_sync(struct guest_walk *walk, const struct pve_cluster *cluster,
		     const struct walk_events *events, struct pve_now now);
/* Whom to ask now; NULL when it is nobody's turn. The caller asks. */
const struct pve_guest *guest_walk_next(struct guest_walk *walk, const struct pve_cluster *cluster,
					const struct walk_events *events, int64_t now,
					enum walk_step *ret);
/* When it may be somebody's turn; INT64_MAX while there is nobody. */
int64_t guest_walk_wake(const struct guest_walk *walk, int64_t now);
/* VMID has changed: it is asked as soon as possible. */
void guest_walk_call(struct guest_walk *walk, int64_t vmid, enum walk_step step, int64_t now);
void guest_walk_succeeded(struct guest_walk *walk, int64_t vmid, enum walk_step step, int64_t now);
/* ELSEWHERE: it moved, or another endpoint will do: that is known soon. Returns the failures in a row. */
unsigned guest_walk_failed(struct guest_walk *walk, int64_t vmid, enum walk_step step,
			   bool elsewhere, int64_t now);
