/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The gate's heart: actions from request to outcome, approvals, autonomy, freeze. Pure: what happens comes in as calls
 * with the time, what is to be done goes out as a list of effects; clock, bus, disk and keys are the shell's (gate.c).
 * The shell makes audit and store effects durable first, in one transaction, and publishes only then; when it
 * cannot, it forgets the core and loads it again from what is stored.
 */
#include "services/safety-gate/judge.h"

#define CORE_WAITING_MAX 20	  /* actions of one asker that wait for a person */
#define CORE_WAITING_TARGET_MAX 3 /* of one target */
#define CORE_REQUEST_KEPT_MS (24 * 3600 * 1000LL)
#define CORE_PRESS_MS 5000 /* a request without id is the same as its like within this */
#define CORE_RED_APPROVAL_MS 120000
#define CORE_WINDOW_MS 10000 /* in which what may lose data can still be cancelled */
#define CORE_CLAIM_MS 60000  /* an approved action is taken up within this, or not at all */
#define CORE_GRANT_MS 10000  /* a grant is used within this of its claim */
#define CORE_LEVEL 2	     /* of a new installation */
#define CORE_RUNBOOK_LEVEL 3 /* of a shipped runbook */
#define CORE_LEVEL_ALL 1     /* up to this one the level binds runbooks too, whatever their own */

struct core;

struct core_now {
	int64_t boot_ms, wall_ms;
};

enum effect_kind {
	EFFECT_AUDIT,	 /* name: what happened; text: JSON. Before anything else of the list */
	EFFECT_STORE,	 /* record: keep it, and publish its state */
	EFFECT_FORGET,	 /* name: id of an action that is not kept any longer */
	EFFECT_REQUEST,	 /* request: remember that it was answered */
	EFFECT_SETTINGS, /* keep and publish autonomy */
	EFFECT_EPOCH,	 /* epoch: keep and publish */
	EFFECT_EVENT,	 /* event */
	EFFECT_REPLY,	 /* name: the principal; reply */
	EFFECT_GRANT,	 /* name: nonce; grant: to be signed; or text: why there is none, and id */
	EFFECT_CANCEL,	 /* cancel */
};

struct effect_request {
	const char *principal, *request_id;
	char digest[65];    /* SHA-256 of its bytes */
	const char *action; /* NULL: refused */
	const char *reply;  /* JSON of the reply to a refused one */
	int64_t wall_ms;
};

struct effect {
	enum effect_kind kind;
	const char *name, *id, *text;
	union {
		const struct msg_action_record *record;
		const struct msg_event *event;
		const struct msg_reply *reply;
		const struct msg_grant_payload *grant;
		const struct msg_action_cancel *cancel;
		const struct msg_executor_epoch *epoch;
		const struct effect_request *request;
	};
};

/* What one step leads to; everything lives in the arena. */
struct effects {
	struct arena *arena;
	struct effect *list;
	size_t n, cap;
};

struct effects *effects_new(void) _nodiscard_;
void effects_free(struct effects *effects);
DEFINE_FREEP(struct effects, effects_free)

/* What the core asks for and cannot make itself. */
struct core_random {
	void (*bytes)(void *ctx, void *out, size_t n);
	void *ctx;
};

/* Who has enrolled what; handed in again when it changes. */
struct core_person {
	const char *name;
	bool has_keyword, has_code;
};

struct core *core_new(const struct core_random *random) _nodiscard_;
void core_free(struct core *core);
DEFINE_FREEP(struct core, core_free)

/* ── what it starts from; before any step ── */
/* An action as it was stored. Copied. */
void core_load_action(struct core *core, const struct msg_action_record *record,
		      struct core_now now);
void core_load_request(struct core *core, const struct effect_request *request,
		       struct core_now now);
/* Level, freeze and epoch as they were stored. */
void core_load_settings(struct core *core, const struct msg_autonomy_state *settings,
			int64_t epoch);

/* ── what it judges by; borrowed until the next call ── */
/* POLICY is the SHA-256 of the policy in hexadecimal. */
void core_set_policy(struct core *core, const struct config *config, const char *policy);
void core_set_view(struct core *core, const struct view *view);
void core_set_persons(struct core *core, const struct core_person *persons, size_t n);
/* Why nothing but reads may be done; NULL: all is well. Static text, or valid until the next call. */
void core_set_unfit(struct core *core, const char *why);
/* Somebody froze us and that could not be stored: it holds nevertheless. */
void core_hold_frozen(struct core *core);
/* The policy on the disk is bad: the old one stays, and agents may nothing but read. */
void core_set_policy_bad(struct core *core, bool is_bad);

/* ── what happens ── */
/* DIGEST: SHA-256 of the request's bytes, in hexadecimal. */
void core_request(struct core *core, const char *principal,
		  const struct msg_action_request *request, const char *digest, struct core_now now,
		  struct effects *out);

enum proof_grade {
	GRADE_NONE,
	GRADE_BAD,     /* not to be opened, for another digest, or wrong */
	GRADE_KEYWORD, /* right */
	GRADE_CODE,    /* right, and used up by the shell */
};
/* PROOF says what became of the proof; the shell has opened it. */
void core_approval(struct core *core, const char *principal, const char *id,
		   const struct msg_action_approval *approval, enum proof_grade proof,
		   struct core_now now, struct effects *out);
void core_autonomy(struct core *core, const char *principal, const struct msg_autonomy_set *set,
		   enum proof_grade proof, struct core_now now, struct effects *out);
/* The bytes that a proof for SET is bound to: SHA-256, in hexadecimal. */
void core_autonomy_digest(const struct msg_autonomy_set *set, char ret[65]);

void core_hello(struct core *core, const struct msg_executor_hello *hello, struct core_now now,
		struct effects *out);
void core_claim(struct core *core, const struct msg_grant_claim *claim, struct core_now now,
		struct effects *out);
void core_progress(struct core *core, const struct msg_action_progress *progress,
		   struct core_now now, struct effects *out);
void core_result(struct core *core, const struct msg_action_result *result, struct core_now now,
		 struct effects *out);
/* The wall clock was set: what waits for a person is over. */
void core_clock_step(struct core *core, struct core_now now, struct effects *out);
/* Deadlines, windows, what is kept too long. */
void core_tick(struct core *core, struct core_now now, struct effects *out);
/* When core_tick() has something to do next, boot clock; INT64_MAX: never. */
int64_t core_next(const struct core *core);

/* Autonomy as it stands, for the heartbeat; borrowed until the next call. */
const struct msg_autonomy_state *core_settings(struct core *core, struct core_now now);
/* The stored record, or NULL. Borrowed until the next step. */
const struct msg_action_record *core_find(const struct core *core, const char *id);
/* Every action, one a call, NULL at the end; *AT is 0 before the first. Borrowed until the next step. */
const struct msg_action_state *core_next_action(const struct core *core, size_t *at);
bool core_is_frozen(const struct core *core);
int64_t core_epoch(const struct core *core);
