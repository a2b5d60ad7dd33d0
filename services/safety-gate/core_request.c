/* SPDX-License-Identifier: MIT */
/*
 * A request: whether it was asked before, what it names, and whether it is refused, begun, or waits for a person.
 */
#include "services/safety-gate/core_asking.h"

#include "common/codec.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* ── refusing ──────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_dry(const struct asking *a)
{
	return a->request->dry_run.has && a->request->dry_run.v;
}

static void refuse(struct asking *a, enum tier tier, const char *code, const char *rule,
		   const char *reason)
{
	_cleanup_(str_done) struct str body = { 0 }, reply = { 0 };
	struct json_writer b = { .out = &body };
	struct effect *audit;
	size_t before = a->out->n;

	if (is_dry(a)) {
		asking_answer_dry(a, str_eq(code, "state") ? ACTION_STATE : ACTION_REFUSE, tier,
				  rule, reason);
		return;
	}
	json_object_begin(&b, NULL);
	json_add_str(&b, "principal", a->principal);
	json_add_str(&b, "rule", rule);
	json_add_str(&b, "reason", reason);
	codec_encode_into(&message_action_request, a->request, &b, "request");
	json_object_end(&b);
	audit = effect_add(a->out, EFFECT_AUDIT);
	audit->name = "refused";
	audit->text = arena_strdup(a->out->arena, str_get(&body));
	effect_reply(a->out, a->principal, a->request->request_id, REPLY_DENIED, code, reason,
		     effect_refusal(a->out, tier, rule, reason));
	if (a->out->n > before + 1)
		codec_encode(&message_reply, a->out->list[a->out->n - 1].reply, &reply);
	asking_remember(a, NULL, reply.len ? str_get(&reply) : NULL);
}

/* ── reading what is asked ─────────────────────────────────────────────────────────────────────────────────── */

/* By whatever name. */
static bool was_named_before(const struct asking *a, const struct judge_target *target)
{
	const char *object = judge_object(target, a->out->arena);

	for (size_t i = 0; i < a->targets_n; i++) {
		if (str_eq(judge_object(&a->targets[i], a->out->arena), object))
			return true;
	}
	return false;
}

static bool read_one(struct asking *a, const char *target, struct tool_error *error)
{
	const char *args = a->request->args;
	struct tool_args *parsed = &a->targets[a->targets_n].args;
	struct tool_args copy;
	int r = tool_args_read(a->tool, args, strlen(args), target, a->out->arena, parsed, error);

	if (r == 0 && target)
		r = tool_args_set_target(parsed, target, a->out->arena, error);
	if (r < 0) {
		refuse(a, TIER_BLACK, "black", "arguments", error->text);
		return false;
	}
	copy = *parsed;
	r = judge_resolve(a->core->view, &copy, a->out->arena, &a->targets[a->targets_n], error);
	if (r < 0) {
		refuse(a, TIER_BLACK, "black", r == -EEXIST ? "target.ambiguous" : "target.unknown",
		       error->text);
		return false;
	}
	if (was_named_before(a, &a->targets[a->targets_n])) {
		refuse(a, TIER_BLACK, "black", "targets", "targets names something twice.");
		return false;
	}
	a->targets_n++;
	return true;
}

static bool read_request(struct asking *a)
{
	const struct msg_action_request *request = a->request;
	struct tool_error error;

	a->tool = tool_find(request->tool);
	if (!a->tool) {
		refuse(a, TIER_BLACK, "black", "tool.unknown", "There is no such tool.");
		return false;
	}
	if (request->runbook && !str_eq(a->principal, service_table[SERVICE_MONITOR].name)) {
		refuse(a, TIER_BLACK, "black", "runbook", "Only the monitor runs runbooks.");
		return false;
	}
	if (request->targets_n > JUDGE_TARGETS_MAX) {
		refuse(a, TIER_BLACK, "black", "targets", "targets names more than 20.");
		return false;
	}
	if (!request->targets_n)
		return read_one(a, NULL, &error);
	for (size_t i = 0; i < request->targets_n; i++) {
		if (!read_one(a, request->targets[i], &error))
			return false;
	}
	return true;
}

/* ── beginning ─────────────────────────────────────────────────────────────────────────────────────────────── */

/* What others have asked for does not hold a person up: they would only have to ask often enough. */
static bool is_in_line(const struct asking *a, const struct action *action)
{
	const struct msg_actor *actor = action->state.actor;

	if (action->state.status != ACTION_WAITING)
		return false;
	return a->who != WHO_PERSON || (actor && str_eq(actor->kind, "user"));
}

static bool too_many_wait(struct asking *a)
{
	const struct core *core = a->core;
	size_t mine = 0;

	for (size_t i = 0; i < core->actions_n; i++)
		mine += core->actions[i]->state.status == ACTION_WAITING &&
			action_is_of(core->actions[i], a->principal, a->request->actor);
	if (mine >= CORE_WAITING_MAX)
		return true;
	for (size_t t = 0; t < a->targets_n; t++) {
		const char *object = judge_object(&a->targets[t], a->out->arena);
		size_t n = 0;

		for (size_t i = 0; i < core->actions_n && object[0]; i++) {
			const struct action *action = core->actions[i];

			if (!is_in_line(a, action))
				continue;
			for (size_t k = 0; k < action->state.steps_n; k++)
				n += str_eq_null(action->steps[k].object, object);
		}
		if (n >= CORE_WAITING_TARGET_MAX)
			return true;
	}
	return false;
}

static void begin(struct asking *a)
{
	bool asks = a->verdict.decision == DECISION_ASK;
	int64_t wait_ms = a->core->config->safety_gate.approval_ms;
	struct action *action;

	if (asks && too_many_wait(a)) {
		refuse(a, a->verdict.tier, "rate", "waiting",
		       "Too many actions wait for a person already: decide those first.");
		return;
	}
	if (is_dry(a)) {
		asking_answer_dry(a, asks ? ACTION_ASK : ACTION_ALLOW, a->verdict.tier,
				  a->verdict.rule, a->verdict.reason);
		return;
	}
	if (a->verdict.tier == TIER_RED)
		wait_ms = min_of(wait_ms, (int64_t)CORE_RED_APPROVAL_MS);
	action = asking_make_action(a);
	if (asks)
		asking_fill_shown(a, action, wait_ms);
	action_add(a->core, action);
	effect_audit_action(a->out, asks ? "asked" : "allowed", action, NULL, NULL);
	action_set(action, asks ? ACTION_WAITING : ACTION_APPROVED, asks ? wait_ms : CORE_CLAIM_MS,
		   a->now, a->out);
	asking_remember(a, action->state.id, NULL);
	effect_event(a->core, a->out, EVENT_NEW, action, a->now);
	effect_reply_action(a->out, action);
}

static const char *code_of(const struct verdict *verdict)
{
	if (verdict->decision == DECISION_STATE)
		return "state";
	if (verdict->tier == TIER_BLACK)
		return "black";
	if (str_starts(verdict->rule, "rate."))
		return "rate";
	return "policy";
}

/* Refuses what was not looked at, and does not remember it: it may be asked again. */
static void turn_away(struct asking *a, const char *code, const char *rule, const char *text)
{
	const struct tool *tool = tool_find(a->request->tool);

	effect_reply(a->out, a->principal, a->request->request_id, REPLY_DENIED, code, text,
		     effect_refusal(a->out, tool ? tool->tier : TIER_BLACK, rule, text));
}

void core_request(struct core *core, const char *principal,
		  const struct msg_action_request *request, const char *digest, struct core_now now,
		  struct effects *out)
{
	struct asking a = { .core = core,
			    .principal = principal,
			    .request = request,
			    .digest = digest,
			    .now = now,
			    .out = out };
	struct seen_request *seen = is_dry(&a) ? NULL : asking_find_seen(&a);
	const char *why;

	if (seen) {
		asking_repeat_reply(&a, seen);
		return;
	}
	if (asking_is_too_many(&a)) {
		turn_away(&a, "rate", "rate.requests", "Too many requests: wait some minutes.");
		return;
	}
	if (!core->config || !core->view) {
		turn_away(&a, "policy", "policy.none", "The safety gate has no policy yet.");
		return;
	}
	if (!core_who(core, principal, request->actor, &a.who, &why)) {
		refuse(&a, TIER_BLACK, "black", "actor", why);
		return;
	}
	if (!read_request(&a))
		return;
	asking_judge(&a);
	if (a.verdict.decision == DECISION_REFUSE || a.verdict.decision == DECISION_STATE)
		refuse(&a, a.verdict.tier, code_of(&a.verdict), a.verdict.rule, a.verdict.reason);
	else
		begin(&a);
}
