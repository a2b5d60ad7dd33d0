/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * When a source is due, and whether it may start now. Everything is due at once on start; after its first answer a
 * source takes a phase of its own, so that hundreds of them do not knock together. A source has one request under
 * way at most, and a node is never asked more than two things at a time. Pure.
 */
#include "services/proxmox-poller/endpoint.h"

#define SCHEDULE_PER_NODE 2 /* requests that one node works on at a time; it has three workers */
#define SCHEDULE_PER_ENDPOINT 6 /* requests that one endpoint hands on to other nodes at a time */

struct slot {
	int64_t period_ms; /* 0: asked once, when it is called for */
	int64_t due_ms;	   /* INT64_MAX: not by itself */
	unsigned failures; /* since the last answer */
	bool spread;	   /* takes a phase of its own */
	bool phased;	   /* has taken it */
	bool busy;	   /* a request is under way */
	bool midway;	   /* between two requests of one round */
	bool again;	   /* called for during a round: once more afterwards */
	bool off;	   /* not to be asked: its node is offline */
};

void slot_init(struct slot *slot, int64_t period_ms, bool spread, int64_t now);
/* True when it waits for nothing but its time, and that has come. */
bool slot_is_due(const struct slot *slot, int64_t now);
/* When it will be due: INT64_MAX while busy or off. */
int64_t slot_next(const struct slot *slot);
void slot_started(struct slot *slot);
/* The round that was begun needs another request, which may start now. */
void slot_goes_on(struct slot *slot, int64_t now);
void slot_succeeded(struct slot *slot, int64_t now, const struct dice *dice);
/* Tries again after a growing rest within MIN_MS and MAX_MS; at once when MAX_MS is 0. */
void slot_failed(struct slot *slot, int64_t now, int64_t min_ms, int64_t max_ms,
		 const struct dice *dice);
/* Due now, also when it was not its time; during a round, as soon as that is over. */
void slot_call(struct slot *slot, int64_t now);

/* What is under way around a request that wants to start. */
struct load {
	unsigned on_node;   /* on the node that would do the work */
	bool slow_on_node;  /* one of them is of the slow kind */
	unsigned handed_on; /* through the endpoint, to other nodes */
};

/* SLOW: the request may hang for long; FOREIGN: its endpoint hands it on to another node. */
bool schedule_may_start(const struct load *load, bool slow, bool foreign);
