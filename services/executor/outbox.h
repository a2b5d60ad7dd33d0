/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Results that the gate may not have seen: said again until its own record shows that the step is over. Pure but for
 * whoever calls it.
 */
#include "common/topics.h"

struct outcome {
	struct outcome *next;
	char *gid;
	char *id;
	int64_t step;
	char *json;
	bool is_journaled;
	int64_t made_ms, next_ms; /* boot clock */
	unsigned sent;
};

struct outbox {
	struct outcome *first;
};

void outbox_done(struct outbox *outbox);
struct outcome *outbox_add(struct outbox *outbox, const struct msg_action_result *result,
			   const char *json, bool is_journaled, int64_t boot_ms);
/*
 * Takes out one that ACTION (of id ID; NULL when the gate has forgotten it) shows to be over, or that is too old to be
 * said again; NULL when there is none. The caller frees it with outcome_free().
 */
struct outcome *outbox_settle(struct outbox *outbox, const char *id,
			      const struct msg_action_state *action);
struct outcome *outbox_expire(struct outbox *outbox, int64_t boot_ms);
void outcome_free(struct outcome *outcome);
/* The next one to be said now, or NULL; it is noted as said. */
struct outcome *outbox_next(struct outbox *outbox, int64_t boot_ms);
/* All are due: the link to the broker, or the gate, is new. */
void outbox_hurry(struct outbox *outbox);
