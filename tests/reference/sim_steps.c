/* SPDX-License-Identifier: MIT */
/*
 * What may happen: a table, each row as often as its weight says.
 */
#include "common/codec.h"
#include "tests/reference/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct msg_actor actors[] = {
	{ "user", "op" },  { "user", "op" },	{ "user", "guest" },
	{ "token", "ci" }, { "mcp", "claude" },
};

static bool sim_is_person(const char *principal, const struct msg_actor *actor)
{
	return str_eq(principal, "gateway") && actor && str_eq(actor->kind, "user");
}

/* Mostly the gateway for somebody, else a service or a remote; sometimes one that lies. */
static const char *pick_principal(struct sim *sim, const struct msg_actor **actor)
{
	static const char *const others[] = { "monitor", "llm-router", "ha", "executor",
					      "stranger" };

	*actor = NULL;
	if (!dice_once_in(&sim->dice, 3)) {
		*actor = &dice_pick(&sim->dice, actors);
		return "gateway";
	}
	if (dice_once_in(&sim->dice, 20))
		*actor = &actors[0];
	return dice_pick(&sim->dice, others);
}

static struct sim_action *pick_action(struct sim *sim)
{
	size_t n = min_of(sim->actions_n, (size_t)12);

	return n ? &sim->actions[sim->actions_n - 1 - dice_roll(&sim->dice, n)] : NULL;
}

/* ── asking and deciding ───────────────────────────────────────────────────────────────────────────────────── */

static const struct {
	const char *tool, *args;
	bool needs_target;
} wishes[] = {
	{ "guest_status", "{\"guest\":101}", false },
	{ "node_list", "{}", false },
	{ "guest_start", "{\"guest\":103}", false },
	{ "guest_start", "{\"guest\":\"ct\"}", false },
	{ "guest_snapshot", "{\"guest\":102,\"snapshot\":\"s\"}", false },
	{ "guest_shutdown", "{\"guest\":101}", false },
	{ "guest_shutdown", "{\"guest\":\"db\"}", false },
	{ "guest_shutdown", "{}", true },
	{ "guest_start", "{}", true },
	{ "guest_migrate", "{\"guest\":102,\"target_node\":\"c\"}", false },
	{ "guest_stop", "{\"guest\":101}", false },
	{ "guest_stop", "{}", true },
	{ "guest_stop", "{\"guest\":105}", false },
	{ "node_reboot", "{\"node\":\"b\"}", false },
	{ "guest_reset", "{\"guest\":102}", false },
	{ "guest_destroy", "{\"guest\":102}", false },
	{ "guest_stop", "{\"guest\":105,\"force\":true}", false },
};

static void step_request(struct sim *sim)
{
	static const char *const words[] = { "101", "102", "web", "db", "105", "box", "103" };
	const char *targets[5];
	size_t wish = dice_roll(&sim->dice, countof(wishes));
	struct msg_action_request request = {
		.tool = wishes[wish].tool,
		.args = wishes[wish].args,
		.confirmed = some_bool(!dice_once_in(&sim->dice, 6)),
		.proposes = some_bool(dice_once_in(&sim->dice, 8)),
	};
	const char *principal = pick_principal(sim, &request.actor);
	struct effects *out = effects_new();
	char id[24], digest[65];

	/* Often one that was used before: by accident, or sent twice. */
	(void)snprintf(id, sizeof(id), "r%zu", dice_roll(&sim->dice, 60));
	request.request_id = dice_once_in(&sim->dice, 15) ? NULL : id;
	if (str_eq(principal, "monitor") && dice_once_in(&sim->dice, 2))
		request.runbook = "start";
	if (wishes[wish].needs_target) {
		request.targets = targets;
		request.targets_n =
			1 +
			dice_roll(&sim->dice, dice_once_in(&sim->dice, 3) ? countof(targets) : 2);
		for (size_t i = 0; i < request.targets_n; i++)
			targets[i] = dice_pick(&sim->dice, words);
	}
	(void)snprintf(digest, sizeof(digest), "%060zu%s", wish,
		       request.actor ? request.actor->name : "");
	sim->call = (struct sim_call){ .kind = CALL_REQUEST };
	core_request(sim->core, principal, &request, digest, sim->w.now, out);
	sim_apply(sim, out);
}

static void step_decide(struct sim *sim)
{
	static const char *const decisions[] = { "approve", "approve", "approve", "approve",
						 "approve", "deny",    "cancel",  "perhaps" };
	static const enum proof_result proofs[] = { PROOF_CODE,	   PROOF_CODE, PROOF_CODE,
						    PROOF_KEYWORD, PROOF_NONE, PROOF_WRONG };
	struct sim_action *a = pick_action(sim), *other = pick_action(sim);
	struct msg_action_approval approval = { .request_id = "d",
						.decision = dice_pick(&sim->dice, decisions) };
	const char *principal =
		dice_once_in(&sim->dice, 3) ? pick_principal(sim, &approval.actor) : "gateway";
	struct effects *out;

	if (!a)
		return;
	if (!approval.actor && str_eq(principal, "gateway"))
		approval.actor = &actors[0];
	approval.digest = dice_once_in(&sim->dice, 8) ? other->digest : a->digest;
	if (!approval.digest)
		approval.digest = "none";
	if (dice_once_in(&sim->dice, 4))
		approval.person = "op";
	out = effects_new();
	sim->call = (struct sim_call){ .kind = CALL_APPROVE,
				       .is_person = sim_is_person(principal, approval.actor),
				       .id = a->id,
				       .digest = approval.digest,
				       .proof = dice_pick(&sim->dice, proofs) };
	core_approval(sim->core, principal, a->id, &approval, sim->call.proof, sim->w.now, out);
	sim_apply(sim, out);
}

/* ── the executor ──────────────────────────────────────────────────────────────────────────────────────────── */

static void step_hello(struct sim *sim)
{
	const char *holds[SIM_GRANTS_MAX];
	char nonce[65];
	struct msg_executor_hello hello = { .nonce = nonce, .holds = holds };
	struct effects *out = effects_new();

	(void)snprintf(nonce, sizeof(nonce), "%064" PRIx64, dice_next(&sim->dice));
	/* It remembers its grants, or has lost its journal. */
	if (!dice_once_in(&sim->dice, 3)) {
		for (size_t i = 0; i < sim->grants_n; i++)
			holds[hello.holds_n++] = sim->grants[i].gid;
	}

	sim->call = (struct sim_call){ .kind = CALL_OTHER };
	core_hello(sim->core, &hello, sim->w.now, out);
	sim_apply(sim, out);
}

static void claim(struct sim *sim, struct sim_action *a)
{
	char nonce[65];
	struct msg_grant_claim said = { a->id, nonce, sim->epoch };
	struct effects *out = effects_new();

	(void)snprintf(nonce, sizeof(nonce), "%064" PRIx64, dice_next(&sim->dice));
	if (dice_once_in(&sim->dice, 12))
		said.epoch -= 1;
	if (dice_once_in(&sim->dice, 30))
		nonce[10] = '\0';
	sim->call = (struct sim_call){
		.kind = CALL_CLAIM, .id = a->id, .nonce = nonce, .epoch = said.epoch
	};
	sim->claims++;
	core_claim(sim->core, &said, sim->w.now, out);
	sim_apply(sim, out);
}

static void step_claim(struct sim *sim)
{
	struct sim_action *a = pick_action(sim);
	size_t times = dice_once_in(&sim->dice, 6) ? 2 : 1;

	for (size_t i = 0; a && i < times; i++)
		claim(sim, a);
}

static void step_progress(struct sim *sim)
{
	const struct sim_grant *grant =
		sim->grants_n ? &sim->grants[dice_roll(&sim->dice, sim->grants_n)] : NULL;
	struct msg_action_progress progress = { .line = "half of it", .upid = "UPID:x" };
	struct effects *out = effects_new();

	if (grant) {
		progress.id = grant->id;
		progress.gid = grant->gid;
		progress.step = grant->step;
		sim->call = (struct sim_call){ .kind = CALL_OTHER };
		core_progress(sim->core, &progress, sim->w.now, out);
	}
	sim_apply(sim, out);
}

static void step_result(struct sim *sim)
{
	size_t last = min_of(sim->grants_n, (size_t)3);
	const struct sim_grant *grant =
		last ? &sim->grants[sim->grants_n - 1 - dice_roll(&sim->dice, last)] : NULL;
	struct msg_action_result result = {
		.outcome = dice_once_in(&sim->dice, 3) ?
				   (enum step_status)dice_roll(&sim->dice, STEP_SKIPPED + 1) :
				   STEP_VERIFIED,
		.content = dice_once_in(&sim->dice, 2) ? "{\"x\":1}" : NULL,
		.detail = dice_once_in(&sim->dice, 2) ? "so" : NULL,
	};
	struct effects *out = effects_new();

	if (grant) {
		result.id = grant->id;
		result.gid = dice_once_in(&sim->dice, 10) ? "ff" : grant->gid;
		result.step = grant->step;
		sim->call = (struct sim_call){ .kind = CALL_OTHER };
		core_result(sim->core, &result, sim->w.now, out);
	}
	sim_apply(sim, out);
}

/* What the executor does when all goes well: claims what is approved, and reports. */
static void step_work(struct sim *sim)
{
	for (size_t i = 0; i < sim->actions_n; i++) {
		if (sim->actions[i].status != ACTION_APPROVED)
			continue;
		claim(sim, &sim->actions[i]);
		step_result(sim);
		return;
	}
}

/* ── level, freeze, fitness ────────────────────────────────────────────────────────────────────────────────── */

static void step_autonomy(struct sim *sim)
{
	static const char *const ops[] = { "freeze",   "unfreeze", "unfreeze",
					   "unfreeze", "level",	   "x" };
	static const enum proof_result proofs[] = { PROOF_CODE, PROOF_CODE, PROOF_KEYWORD,
						    PROOF_NONE, PROOF_WRONG };
	struct msg_autonomy_set set = { .request_id = "a", .op = dice_pick(&sim->dice, ops) };
	const char *principal = pick_principal(sim, &set.actor);
	struct effects *out = effects_new();

	sim->call.proof = dice_pick(&sim->dice, proofs);
	if (core_is_frozen(sim->core) && !dice_once_in(&sim->dice, 3)) {
		set.op = "unfreeze";
		set.actor = &actors[0];
		principal = "gateway";
		sim->call.proof = PROOF_CODE;
	}
	set.level = some_i64((int64_t)dice_roll(&sim->dice, 7) - 1);
	if (dice_once_in(&sim->dice, 4))
		set.runbook = "start";
	sim->call = (struct sim_call){ .kind = set.op[0] == 'f' ? CALL_FREEZE :
					       set.op[0] == 'u' ? CALL_UNFREEZE :
								  CALL_LEVEL,
				       .is_person = sim_is_person(principal, set.actor),
				       .proof = sim->call.proof,
				       .level = (int)set.level.v };
	core_autonomy(sim->core, principal, &set, sim->call.proof, sim->w.now, out);
	sim_apply(sim, out);
}

static void step_fitness(struct sim *sim)
{
	sim->unfit = sim->unfit || !dice_once_in(&sim->dice, 4) ? NULL : "the disk is full";
	sim->is_policy_bad = dice_once_in(&sim->dice, 8);
	core_set_unfit(sim->core, sim->unfit);
	core_set_policy_bad(sim->core, sim->is_policy_bad);
}

/* ── the world, and time ───────────────────────────────────────────────────────────────────────────────────── */

static void step_guest(struct sim *sim)
{
	static const char *const names[] = { "web", "db", "ct", "tpl", "box" };
	size_t which = dice_roll(&sim->dice, countof(names));
	static const enum guest_status statuses[] = { GUEST_RUNNING, GUEST_RUNNING, GUEST_STOPPED,
						      GUEST_UNKNOWN };
	static const char *const digests[] = { "aa", "aa", "bb", NULL };
	const struct msg_guest_state guest = {
		.ts = sim->w.now.wall_ms,
		.cluster = "home",
		.vmid = 101 + (int64_t)which,
		.name = dice_once_in(&sim->dice, 10) ? "renamed" : names[which],
		.type = which == 2 || which == 4 ? GUEST_LXC : GUEST_QEMU,
		.node = dice_once_in(&sim->dice, 4) ? "b" : "a",
		.status = dice_pick(&sim->dice, statuses),
		.template = which == 3,
		.lock = dice_once_in(&sim->dice, 8) ? "backup" : NULL,
	};

	gate_world_guest(&sim->w, &guest);
	if (dice_once_in(&sim->dice, 4))
		gate_world_config(&sim->w, guest.vmid, dice_pick(&sim->dice, digests));
}

static void step_poll(struct sim *sim)
{
	gate_world_poll(&sim->w, dice_once_in(&sim->dice, 10) ? 2 : 3);
}

static void tick(struct sim *sim)
{
	struct effects *out = effects_new();

	sim->call = (struct sim_call){ .kind = CALL_OTHER };
	core_tick(sim->core, sim->w.now, out);
	sim_apply(sim, out);
}

static void step_time(struct sim *sim)
{
	static const int64_t jumps[] = { 250,	250,   1000,  5000,   9999,
					 10000, 20000, 61000, 130000, 310000 };
	int64_t by = dice_pick(&sim->dice, jumps);

	sim->w.now.boot_ms += by;
	sim->w.now.wall_ms += by;
	if (!dice_once_in(&sim->dice, 8))
		step_poll(sim);
	/* A machine that slept has messages before its ticks. */
	if (!dice_once_in(&sim->dice, 4))
		tick(sim);
}

static void step_clock(struct sim *sim)
{
	static const int64_t steps[] = {
		1000, -1000, 3600000, -3600000, 315360000000, -315360000000
	};
	struct effects *out;

	if (!dice_once_in(&sim->dice, 3))
		return;
	sim->w.now.wall_ms += dice_pick(&sim->dice, steps);
	sim->is_time_lost = true;
	if (sim->w.now.wall_ms < 1000000000000)
		sim->w.now.wall_ms = 1700000000000;
	out = effects_new();
	sim->call = (struct sim_call){ .kind = CALL_OTHER };
	core_clock_step(sim->core, sim->w.now, out);
	sim_apply(sim, out);
}

static const struct core_person persons[] = { { "op", true, true }, { "guest", false, false } };

static void random_bytes(void *ctx, void *out, size_t n)
{
	struct sim *sim = ctx;

	sim->hex++;
	memset(out, 0, n);
	memcpy(out, &sim->hex, min_of(n, sizeof(sim->hex)));
	/* An id is made of the low five bits of each byte. */
	for (size_t i = 0; i < min_of(n, (size_t)5); i++)
		((unsigned char *)out)[8 + i] = (unsigned char)(sim->hex >> (5 * i) & 31);
}

static void step_restart(struct sim *sim)
{
	core_free(sim->core);
	sim->core = core_new(&(struct core_random){ random_bytes, sim });
	core_set_policy(sim->core, sim->w.config, "policy");
	core_set_view(sim->core, sim->w.view);
	core_set_persons(sim->core, persons, countof(persons));
	core_set_unfit(sim->core, sim->unfit);
	core_set_policy_bad(sim->core, sim->is_policy_bad);
	sim_restart(sim);
	/* The file that says so is still there. */
	if (sim->was_frozen)
		core_hold_frozen(sim->core);
}

/* ── one of them ───────────────────────────────────────────────────────────────────────────────────────────── */

void sim_apply(struct sim *sim, struct effects *effects)
{
	if (effects->n && dice_once_in(&sim->dice, 60)) {
		/* As the gate does it: nothing of this has happened, but for a freeze. */
		sim->was_frozen = core_is_frozen(sim->core);
		sim->is_held = sim->was_frozen;
		effects_free(effects);
		sim->unfit = "the disk is full";
		step_restart(sim);
		return;
	}
	sim_take(sim, effects);
	effects_free(effects);
	sim_check_always(sim);
	sim->was_frozen = core_is_frozen(sim->core);
	sim->level_before = (int)core_settings(sim->core, sim->w.now)->level;
}

static const struct {
	void (*run)(struct sim *);
	unsigned weight;
} steps[] = {
	{ step_request, 30 }, { step_decide, 25 },  { step_claim, 12 },	 { step_work, 15 },
	{ step_progress, 4 }, { step_result, 10 },  { step_time, 18 },	 { step_guest, 5 },
	{ step_poll, 8 },     { step_autonomy, 6 }, { step_fitness, 4 }, { step_hello, 2 },
	{ step_restart, 3 },  { step_clock, 2 },
};

void sim_step(struct sim *sim)
{
	unsigned sum = 0;
	size_t at;

	for (size_t i = 0; i < countof(steps); i++)
		sum += steps[i].weight;
	at = dice_roll(&sim->dice, sum);
	if (!sim->core) {
		const struct msg_autonomy_state first = { .level = 2 +
								   (int)dice_roll(&sim->dice, 2) };

		step_restart(sim);
		core_load_settings(sim->core, &first, 0);
		sim->level_before = (int)first.level;
		step_hello(sim);
		return;
	}
	for (size_t i = 0; i < countof(steps); i++) {
		if (at < steps[i].weight) {
			steps[i].run(sim);
			return;
		}
		at -= steps[i].weight;
	}
}
