/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A core on a stage: the world of gate_world.h, the person op with keyword and code, an executor, and the effects of
 * the last thing that was done.
 */
#include "tests/unit/gate_world.h"

#define STAGE_NONCE "0000000000000000000000000000000000000000000000000000000000000000"

extern const struct msg_actor stage_operator;

struct stage {
	struct gate_world w;
	struct core *core;
	struct effects *out;
	unsigned next, hellos;
	int64_t epoch; /* of the executor that claims */
};

void stage_init(struct stage *s, const char *config);
void stage_done(struct stage *s);
/* Forgets the effects. */
void stage_again(struct stage *s);
/* The last effect of KIND; NULL when there is none. */
const struct effect *stage_last(const struct stage *s, enum effect_kind kind);
/* The last reply, the last stored state: they must be there. */
const struct msg_reply *stage_reply(const struct stage *s);
const struct msg_action_state *stage_state(const struct stage *s);
/* Of the stored state; the caller frees it. */
char *stage_id_of(const struct stage *s);

/* Op asks, with `confirmed`. */
struct msg_action_request stage_request_of(const char *id, const char *tool, const char *args);
void stage_ask(struct stage *s, const char *id, const char *tool, const char *args);
/* Somebody else does. */
void stage_ask_as(struct stage *s, const char *principal, const struct msg_actor *actor,
		  const struct msg_action_request *request);
/* Op decides. */
void stage_decide(struct stage *s, const char *id, const char *decision, const char *digest,
		  enum proof_result proof);
void stage_hello(struct stage *s);
/* The grant that a claim is answered with. */
const struct effect *stage_claim(struct stage *s, const char *id);
void stage_report(struct stage *s, const struct msg_grant_payload *grant, enum step_status outcome);
