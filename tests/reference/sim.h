/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The gate's core played with: everything that may happen to it, in an order that a seed decides, with a clock, a
 * database and an executor that are not there. What must hold is told from the effects alone, by a model of its own.
 */
#include "services/safety-gate/core.h"
#include "tests/reference/dice.h"
#include "tests/unit/gate_world.h"

#define SIM_ACTIONS_MAX 400
#define SIM_REQUESTS_MAX 400
#define SIM_GRANTS_MAX 400

/* What the model knows of an action. */
struct sim_action {
	char id[32];
	char *record; /* as stored, JSON; NULL: forgotten */
	char *principal, *request_id, *digest;
	char *args[JUDGE_TARGETS_MAX], *objects[JUDGE_TARGETS_MAX];
	size_t steps_n;
	enum tier tier;
	enum action_need need;
	enum action_status status;
	bool is_allowed, is_agents;
	bool is_approved;
	int64_t approved_boot_ms, until_boot_ms;
	int64_t begun_boot_ms; /* allowed or approved */
	char asker[80];	       /* principal, kind and name of the actor */
	bool has_runbook;
	uint32_t granted; /* a bit a step */
	unsigned ends;
};

struct sim_request {
	char *principal, *request_id, *action, *reply;
	char digest[65];
	int64_t wall_ms;
};

struct sim_grant {
	char id[32], gid[40];
	int64_t step;
};

/* What was called last, for the model to hold the effects against. */
struct sim_call {
	enum {
		CALL_OTHER,
		CALL_REQUEST,
		CALL_APPROVE,
		CALL_CLAIM,
		CALL_FREEZE,
		CALL_UNFREEZE,
		CALL_LEVEL,
	} kind;
	bool is_person;
	const char *id, *digest, *nonce;
	int64_t epoch;
	enum proof_grade proof;
	int level; /* asked for */
};

struct sim {
	struct dice dice;
	uint64_t seed;
	unsigned step;
	char failure[400]; /* "" as long as all is well */

	struct gate_world w;
	struct core *core;
	unsigned hex; /* the next random bytes */
	const char *unfit;
	bool is_time_lost; /* the clock was set: after a restart nobody knows what is a day old */
	bool is_policy_bad;
	struct sim_call call;

	/* The database. */
	struct sim_action actions[SIM_ACTIONS_MAX];
	size_t actions_n;
	struct sim_request requests[SIM_REQUESTS_MAX];
	size_t requests_n;
	char *settings;
	int64_t epoch;

	/* What reached the executor. */
	struct sim_grant grants[SIM_GRANTS_MAX];
	size_t grants_n;
	bool was_frozen;
	bool is_held; /* frozen, and that could not be stored: what was approved could not be ended */
	int level_before;
	unsigned claims, granted, approved; /* how much happened, for all seeds */
};

/* Notes what does not hold; the first time counts. */
_printf_(3, 4) void sim_check(struct sim *sim, bool holds, const char *format, ...);
struct sim_action *sim_find(struct sim *sim, const char *id);

/* sim_model.c: holds EFFECTS against the model, and keeps them as the database would. */
void sim_take(struct sim *sim, const struct effects *effects);
/* What must hold between any two steps. */
void sim_check_always(struct sim *sim);
/* What is in the core's memory is what is stored. */
void sim_check_same(struct sim *sim);
/* A core made anew from what is stored. */
void sim_restart(struct sim *sim);
void sim_model_done(struct sim *sim);

/* sim_steps.c: one thing happens. */
void sim_step(struct sim *sim);
/* Hands in effects; NULL-terminated chance: sometimes the disk is full. Frees them. */
void sim_apply(struct sim *sim, struct effects *effects);
