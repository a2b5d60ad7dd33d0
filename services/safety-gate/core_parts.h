/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The inside of core.h, for core_*.c alone.
 */
#include "services/safety-gate/core.h"

#define CORE_ID_BYTES 27
#define CORE_RUN_MARGIN_MS                                                                         \
	60000 /* what was granted may take this much longer than the tool's own deadline */
#define CORE_KEPT_MS (24 * 3600 * 1000LL) /* what is over */
#define CORE_KEPT_GREEN_MS 60000	  /* long enough for whoever asked to read how it ended */

#define CORE_LINE_BYTES 513 /* message action_progress */

struct action {
	struct arena *arena; /* owns all texts */
	struct msg_action_record rec;
	struct msg_action_state state; /* rec.state */
	struct msg_action_step steps[JUDGE_TARGETS_MAX];
	struct msg_actor actor;
	char line[CORE_LINE_BYTES]; /* the newest: of a long task there are very many */
	int64_t deadline_ms;	    /* boot clock: what it waits for must have come by then */
	int64_t since_ms; /* boot clock: when it was asked for or, later, approved, as far as we know */
};

struct seen_request {
	char *principal, *actor, *request_id; /* request_id "": a press */
	char digest[65];
	char *action, *reply;
	int64_t boot_ms, kept_ms;
};

struct wrong_proof {
	char *principal, *person;
	int64_t boot_ms;
};

struct core {
	struct core_random random;
	const struct config *config;
	char policy[65];
	const struct view *view;
	const struct core_person *persons;
	size_t persons_n;
	const char *unfit;
	bool is_policy_bad;

	struct action **actions;
	size_t actions_n;
	struct seen_request *requests;
	size_t requests_n;
	struct wrong_proof *wrong;
	size_t wrong_n;

	int level;
	struct num_entry *runbooks;
	size_t runbooks_n;
	bool is_frozen;
	char *frozen_by;
	int64_t epoch;
	char hello[65]; /* the nonce that it was given for */

	struct arena *settings_arena;
	struct msg_autonomy_state settings;
};

/* core_effects.c: each appends one. */
struct effect *effect_add(struct effects *out, enum effect_kind kind);
/* Audits WHAT about an action, with its state as the body. */
void effect_audit_action(struct effects *out, const char *what, const struct action *action,
			 const char *by, const char *more);
/* The same about anything else: pairs of names and texts, ended by NULL; a text may be NULL. */
void effect_audit(struct effects *out, const char *what, ...) __attribute__((sentinel));
void effect_store(struct effects *out, const struct action *action);
/* Publishes it as it is, and does not keep that. */
void effect_show(struct effects *out, const struct action *action);
void effect_event(struct core *core, struct effects *out, enum event_type type,
		  const struct action *action, struct core_now now);
/* What a reply to a refusal carries as its result: JSON with tier and rule. */
const char *effect_refusal(struct effects *out, enum tier tier, const char *rule,
			   const char *reason);
/* Nothing without a request id. CODE is a word for programs; RESULT is JSON, or NULL. */
void effect_reply(struct effects *out, const char *principal, const char *request_id,
		  enum reply_status status, const char *code, const char *text, const char *result);
/* Tells the asker how the action stands, or how it ended. */
void effect_reply_action(struct effects *out, const struct action *action);

/* core.c */
struct action *core_action(const struct core *core, const char *id);
struct action *action_new(struct core *core);
void action_add(struct core *core, struct action *action);
bool action_is_over(const struct action *action);
/* How long it is kept once it is over. */
int64_t action_kept_ms(const struct action *action);
/* Ends it: state, audit, event, reply. TEXT is for people. */
void action_end(struct core *core, struct action *action, enum action_status status, const char *by,
		const char *text, struct core_now now, struct effects *out);
/* Sets status and deadline, and stores. */
void action_set(struct action *action, enum action_status status, int64_t wait_ms,
		struct core_now now, struct effects *out);
/* Does what its deadline brings, when that has passed and nobody has looked yet. */
void action_catch_up(struct core *core, struct action *action, struct core_now now,
		     struct effects *out);
const char *action_text(struct action *action, const char *text);
/* The level that was set for RUNBOOK, or the shipped one; NULL: the level of all the rest. */
int core_own_level(const struct core *core, const char *runbook);
/* The level that binds RUNBOOK, or what asks without one (NULL). */
int core_level_of(const struct core *core, const char *runbook);
/* Why agents do nothing but read, while persons go on; NULL: they may. Static. */
const char *core_unfit_agents(const struct core *core);
void core_hex(struct core *core, size_t bytes, char *out);
void core_ulid(struct core *core, int64_t wall_ms, char out[CORE_ID_BYTES]);

/* core_judge.c: who PRINCIPAL is when it asks on behalf of ACTOR. False with *why when it may not ask at all. */
bool core_who(const struct core *core, const char *principal, const struct msg_actor *actor,
	      enum who *ret, const char **why);
/* Whether the same asked for it: principal and actor. */
bool action_is_of(const struct action *action, const char *principal,
		  const struct msg_actor *actor);
/* What the owner calls what it acts on; NULL: nothing, or a tool without a target. */
const char *core_name_of(const struct judge_target *target);
/* What is shown of TARGET to who approves an action of TIER; borrowed. False: there is nothing to be shown. */
bool core_see(const struct core *core, const struct judge_target *target, enum tier tier,
	      struct msg_step_seen *ret);

/* An action that is looked at again, as things are now. */
struct again {
	struct action *action;
	size_t first, n;		  /* these of its steps */
	const struct msg_actor *approver; /* it is about to be approved by them; NULL: it was */

	struct judge_target targets[JUDGE_TARGETS_MAX];
	struct verdict verdict;
};

/* Fills targets and verdict; true when it may go on. */
bool core_judge_again(struct core *core, struct again *again, struct core_now now,
		      struct arena *arena);
/* Whether that verdict says that it is not what was shown any more, and so can never be approved. */
bool core_is_changed(const struct verdict *verdict);

/*
 * core_busy.c: whether nothing that was allowed, but SELF, is in the way of what would be done to the N of TARGETS.
 * False with decision, rule and reason of *ret.
 */
bool core_is_free(const struct core *core, const struct action *self,
		  const struct judge_target *targets, size_t n, struct arena *arena,
		  struct verdict *ret);

/* core_decide.c: whether so many were wrong that no more are looked at for a while. */
bool core_is_locked_out(struct core *core, const char *principal, const char *person,
			struct core_now now);
/* Whether PROOF may be looked at, and is right or none; wrong ones are counted and audited. */
bool core_proof_counts(struct core *core, const char *principal, const char *person,
		       enum proof_result proof, struct core_now now, struct effects *out,
		       const char **why);
/* core_autonomy.c */
void core_set_runbook(struct core *core, const char *runbook, int level);
