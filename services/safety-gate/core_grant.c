/* SPDX-License-Identifier: MIT */
/*
 * The executor: its epoch, its claims, what it says while it works, how it ended.
 */
#include "services/safety-gate/core_parts.h"

#include "common/codec.h"
#include "common/grant.h"

#include <stdio.h>
#include <string.h>

#define NONCE_HEX 64

static bool is_held(const struct msg_executor_hello *hello, const char *gid)
{
	/* A list that is full may have been cut. */
	if (hello->holds_n >= EXECUTOR_HOLDS_MAX)
		return true;
	for (size_t i = 0; i < hello->holds_n; i++) {
		if (str_eq(hello->holds[i], gid))
			return true;
	}
	return false;
}

/*
 * Grants of earlier epochs are not taken any more. So what runs by our books, and of which the executor knows
 * nothing, will never be reported: the grant was lost on its way, or the executor with its journal.
 */
static void end_forgotten(struct core *core, const struct msg_executor_hello *hello,
			  struct core_now now, struct effects *out)
{
	for (size_t i = 0; i < core->actions_n; i++) {
		struct action *action = core->actions[i];

		if (action->state.status == ACTION_RUNNING && !is_held(hello, action->rec.gid))
			action_end(
				core, action, ACTION_UNKNOWN, NULL,
				"The executor was started again or cut off, and does not know of it. "
				"Most likely nothing was done; look at the target before trying again.",
				now, out);
	}
}

void core_hello(struct core *core, const struct msg_executor_hello *hello, struct core_now now,
		struct effects *out)
{
	struct msg_executor_epoch *epoch = arena_alloc(out->arena, sizeof(*epoch));
	bool is_copy = str_eq(core->hello, hello->nonce);

	core->epoch += !is_copy;
	*epoch = (struct msg_executor_epoch){ arena_strdup(out->arena, hello->nonce), core->epoch };
	/* QoS 1 may bring it twice: to the executor a second epoch would be that of another one. */
	if (is_copy) {
		effect_add(out, EFFECT_EPOCH)->epoch = epoch;
		return;
	}
	(void)snprintf(core->hello, sizeof(core->hello), "%s", hello->nonce);
	effect_audit(out, "executor", "nonce", hello->nonce, NULL);
	effect_add(out, EFFECT_SETTINGS);
	effect_add(out, EFFECT_EPOCH)->epoch = epoch;
	end_forgotten(core, hello, now, out);
}

/* ── the claim ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void refuse_claim(const struct msg_grant_claim *claim, const char *why, struct effects *out)
{
	struct effect *effect = effect_add(out, EFFECT_GRANT);

	effect->id = arena_strdup(out->arena, claim->id);
	effect->name = arena_strdup(out->arena, claim->nonce);
	effect->text = arena_strdup(out->arena, why);
}

static const struct msg_grant_target *
make_target(const struct action *action, const struct judge_target *target, struct arena *arena)
{
	const struct tool_arg *arg = tool_target(target->args.tool);
	const struct msg_action_step *step = &action->steps[action->rec.step];
	const struct msg_guest_state *guest = target->guest;
	struct msg_grant_target *ret;

	if (!arg)
		return NULL;
	ret = arena_alloc(arena, sizeof(*ret));
	ret->object = step->object;
	if (guest) {
		ret->name = guest->name;
		ret->type = enumeration_word(&enumeration_guest_type, (int)guest->type);
		ret->node = guest->node;
		ret->status = enumeration_word(&enumeration_guest_status, (int)guest->status);
		ret->lock = guest->lock;
		/* As it was approved, not as it is now: the executor looks whether they are the same. */
		ret->config_digest = step->seen ? step->seen->config_digest : NULL;
	} else if (target->node) {
		ret->node = target->node->node;
		ret->status = enumeration_word(&enumeration_node_status, (int)target->node->status);
	} else {
		ret->node = target->storage->node;
	}
	return ret;
}

static void send_grant(struct core *core, struct action *action,
		       const struct msg_grant_claim *claim, const struct judge_target *target,
		       struct core_now now, struct effects *out)
{
	const struct msg_action_state *s = &action->state;
	const struct msg_action_step *step = &action->steps[action->rec.step];
	struct msg_grant_payload payload = {
		.v = 1,
		.gid = action->rec.gid,
		.id = s->id,
		.step = action->rec.step,
		.epoch = claim->epoch,
		.nonce = claim->nonce,
		.valid_ms = CORE_GRANT_MS,
		.tier = s->tier,
		.principal = s->principal,
		.actor = s->actor,
		.approved_by = s->approved_by,
		.policy = core->policy,
		.tool = s->tool,
		.args = step->args,
		.target = make_target(action, target, out->arena),
	};
	struct effect *effect = effect_add(out, EFFECT_GRANT);

	(void)now;
	effect->id = arena_strdup(out->arena, s->id);
	effect->name = arena_strdup(out->arena, claim->nonce);
	effect->grant = codec_copy(&message_grant_payload, &payload, out->arena);
}

/* Why CLAIM is not to be had; NULL when it is. */
static const char *claim_fault(const struct core *core, const struct action *action,
			       const struct msg_grant_claim *claim)
{
	if (claim->epoch != core->epoch)
		return "another executor has started since";
	if (strlen(claim->nonce) != NONCE_HEX)
		return "the nonce is not 32 bytes in hexadecimal";
	if (!action)
		return "there is no such action";
	if (action->state.status != ACTION_APPROVED)
		return "the action does not wait for the executor";
	return NULL;
}

void core_claim(struct core *core, const struct msg_grant_claim *claim, struct core_now now,
		struct effects *out)
{
	struct action *action = core_action(core, claim->id);
	struct again again = { .action = action, .n = 1 };
	const char *fault;
	char gid[33], text[500];

	if (action)
		action_catch_up(core, action, now, out);
	fault = claim_fault(core, action, claim);
	if (fault) {
		refuse_claim(claim, fault, out);
		return;
	}
	again.first = (size_t)action->rec.step;
	if (!core_judge_again(core, &again, now, out->arena)) {
		(void)snprintf(text, sizeof(text), "Nothing was done: %s", again.verdict.reason);
		action->state.rule = again.verdict.rule;
		refuse_claim(claim, text, out);
		action_end(core, action, ACTION_FAILED, NULL, text, now, out);
		return;
	}
	core_hex(core, 16, gid);
	action->rec.gid = action_text(action, gid);
	action->rec.nonce = action_text(action, claim->nonce);
	action->rec.epoch = claim->epoch;
	action->rec.granted_ms = some_i64(now.wall_ms);
	action->steps[action->rec.step].status = STEP_RUNNING;
	effect_audit_action(out, "granted", action, NULL, gid);
	action_set(action, ACTION_RUNNING,
		   tool_find(action->state.tool)->deadline_s * 1000LL + CORE_RUN_MARGIN_MS, now,
		   out);
	send_grant(core, action, claim, &again.targets[0], now, out);
}

/* ── what it says ──────────────────────────────────────────────────────────────────────────────────────────── */

static struct action *granted(struct core *core, const char *id, int64_t step, const char *gid)
{
	struct action *action = core_action(core, id);

	if (!action || action->state.status != ACTION_RUNNING || action->rec.step != step ||
	    !str_eq_null(action->rec.gid, gid))
		return NULL;
	return action;
}

void core_progress(struct core *core, const struct msg_action_progress *progress,
		   struct core_now now, struct effects *out)
{
	struct action *action = granted(core, progress->id, progress->step, progress->gid);
	struct msg_action_step *step;

	if (!action)
		return;
	step = &action->steps[action->rec.step];
	if (progress->line) {
		(void)snprintf(action->line, sizeof(action->line), "%s", progress->line);
		action->state.line = action->line;
	}
	action->state.ts = now.wall_ms;
	/* Which task it is must outlive us; what the task says need not. */
	if (progress->upid && !str_eq_null(progress->upid, step->upid)) {
		step->upid = action_text(action, progress->upid);
		effect_store(out, action);
	} else {
		effect_show(out, action);
	}
}

/* A runbook that did not mend what it should has lost its level, until a person gives it back. */
static void demote(struct core *core, const struct action *action, struct effects *out)
{
	const char *runbook = action->state.runbook;

	if (!runbook || core_own_level(core, runbook) <= 2)
		return;
	core_set_runbook(core, runbook, 2);
	effect_audit(out, "demoted", "runbook", runbook, NULL);
	effect_add(out, EFFECT_SETTINGS);
}

static enum action_status status_of(enum step_status outcome)
{
	switch (outcome) {
	case STEP_VERIFIED:
		return ACTION_VERIFIED;
	case STEP_STILL_FAILING:
		return ACTION_STILL_FAILING;
	case STEP_CANCELLED:
		return ACTION_CANCELLED;
	case STEP_FAILED:
		return ACTION_FAILED;
	default:
		return ACTION_UNKNOWN;
	}
}

static void next_step(struct core *core, struct action *action, struct core_now now,
		      struct effects *out)
{
	action->rec.step++;
	action->rec.gid = NULL;
	effect_audit_action(out, "step", action, NULL, NULL);
	if (action->rec.is_cancelling)
		action_end(core, action, ACTION_CANCELLED, NULL,
			   "It was cancelled between two targets.", now, out);
	else if (core->is_frozen && action->state.tier != TIER_GREEN)
		action_end(core, action, ACTION_CANCELLED, NULL,
			   "Jarvis was frozen between two targets.", now, out);
	else
		action_set(action, ACTION_APPROVED, CORE_CLAIM_MS, now, out);
}

void core_result(struct core *core, const struct msg_action_result *result, struct core_now now,
		 struct effects *out)
{
	struct action *action = granted(core, result->id, result->step, result->gid);
	enum action_status status = status_of(result->outcome);
	struct msg_action_step *step;
	char text[600];

	if (!action)
		return;
	step = &action->steps[action->rec.step];
	step->status = result->outcome <= STEP_RUNNING || result->outcome == STEP_SKIPPED ?
			       STEP_UNKNOWN :
			       result->outcome;
	step->detail = action_text(action, result->detail);
	if (result->upid)
		step->upid = action_text(action, result->upid);
	action->rec.result = action_text(action, result->content);
	action->rec.is_error = status != ACTION_VERIFIED;
	if (status == ACTION_VERIFIED && (size_t)action->rec.step + 1 < action->state.steps_n) {
		next_step(core, action, now, out);
		return;
	}
	if (status == ACTION_STILL_FAILING)
		demote(core, action, out);
	if (action->state.steps_n > 1 && status == ACTION_VERIFIED)
		(void)snprintf(text, sizeof(text), "All %zu are done.", action->state.steps_n);
	else
		(void)snprintf(text, sizeof(text), "%s",
			       result->detail ?
				       result->detail :
				       enumeration_word(&enumeration_action_status, (int)status));
	action_end(core, action, status, NULL, text, now, out);
}
