/* SPDX-License-Identifier: MIT */
/*
 * From a judged request to the action that it becomes, and to the bytes that a person is shown and approves.
 */
#include "services/safety-gate/core_asking.h"

#include "common/codec.h"
#include "common/sha256.h"

static const char *keep(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

static const struct msg_step_seen *keep_seen(struct arena *arena, const struct msg_step_seen *seen)
{
	struct msg_step_seen *kept = arena_alloc(arena, sizeof(*kept));

	*kept = (struct msg_step_seen){
		.node = keep(arena, seen->node),
		.status = keep(arena, seen->status),
		.config_digest = keep(arena, seen->config_digest),
	};
	return kept;
}

static void fill_steps(const struct asking *a, struct arena *arena, struct msg_action_step *steps)
{
	for (size_t i = 0; i < a->targets_n; i++) {
		_cleanup_(str_done) struct str args = { 0 };
		struct msg_action_step *step = &steps[i];
		const char *object = judge_object(&a->targets[i], arena);
		struct msg_step_seen seen;

		tool_args_write(&a->targets[i].args, &args);
		*step = (struct msg_action_step){
			.object = object[0] ? object : NULL,
			.name = keep(arena, core_name_of(&a->targets[i])),
			.args = keep(arena, str_get(&args)),
			.status = STEP_PENDING,
		};
		if (a->verdict.decision == DECISION_ASK &&
		    core_see(a->core, &a->targets[i], a->verdict.tier, &seen))
			step->seen = keep_seen(arena, &seen);
	}
}

static void fill_facts(struct action *action, const struct verdict *verdict)
{
	const char **facts = arena_alloc(action->arena, JUDGE_FACTS_MAX * sizeof(*facts));

	for (size_t i = 0; i < verdict->facts_n; i++)
		facts[i] = action_text(action, verdict->facts[i]);
	action->state.facts = facts;
	action->state.facts_n = verdict->facts_n;
}

struct action *asking_make_action(struct asking *a)
{
	struct action *action = action_new(a->core);
	struct msg_action_state *s = &action->state;
	const struct msg_action_request *request = a->request;
	char id[CORE_ID_BYTES];

	core_ulid(a->core, a->now.wall_ms, id);
	s->id = action_text(action, id);
	s->tier = a->verdict.tier;
	s->tool = a->tool->name;
	s->principal = action_text(action, a->principal);
	if (request->actor) {
		action->actor = (struct msg_actor){ action_text(action, request->actor->kind),
						    action_text(action, request->actor->name) };
		s->actor = &action->actor;
	}
	s->runbook = action_text(action, request->runbook);
	s->reason = action_text(action, request->reason);
	s->rule = a->verdict.rule;
	s->verdict = action_text(action, a->verdict.reason);
	s->need = (enum action_need)a->verdict.need;
	s->created_ms = a->now.wall_ms;
	action->rec.request_id = action_text(action, request->request_id);
	action->rec.confirmed = request->confirmed.has && request->confirmed.v;
	action->since_ms = a->now.boot_ms;
	fill_steps(a, action->arena, action->steps);
	s->steps_n = a->targets_n;
	fill_facts(action, &a->verdict);
	return action;
}

void asking_fill_shown(struct asking *a, struct action *action, int64_t wait_ms)
{
	struct msg_action_state *s = &action->state;
	_cleanup_(str_done) struct str text = { 0 };
	const struct msg_action_shown shown = {
		.id = s->id,
		.tool = s->tool,
		.sentence = a->tool->doc,
		.tier = s->tier,
		.principal = s->principal,
		.actor = s->actor,
		.reason = s->reason,
		.steps = s->steps,
		.steps_n = s->steps_n,
		.facts = s->facts,
		.facts_n = s->facts_n,
		.verify = tool_verify_text(a->tool->verify),
		.policy = a->core->policy,
		.until_ms = a->now.wall_ms + wait_ms,
	};
	char digest[SHA256_HEX_SIZE];

	codec_encode(&message_action_shown, &shown, &text);
	sha256_hex(text.data, text.len, digest);
	s->shown = action_text(action, text.data);
	s->digest = action_text(action, digest);
}

void asking_answer_dry(struct asking *a, enum action_decision decision, enum tier tier,
		       const char *rule, const char *reason)
{
	struct msg_action_step steps[JUDGE_TARGETS_MAX];
	_cleanup_(str_done) struct str text = { 0 };
	const struct msg_action_verdict verdict = {
		.dry_run = true,
		.decision = decision,
		.tier = tier,
		.rule = rule,
		.reason = reason,
		.need = decision == ACTION_ASK ? (enum action_need)a->verdict.need :
						 ACTION_NEEDS_NOTHING,
		.facts = a->verdict.facts,
		.facts_n = a->verdict.facts_n,
		.steps = steps,
		.steps_n = a->targets_n,
		.verify = a->tool ? tool_verify_text(a->tool->verify) : NULL,
	};

	fill_steps(a, a->out->arena, steps);
	codec_encode(&message_action_verdict, &verdict, &text);
	effect_reply(a->out, a->principal, a->request->request_id, REPLY_OK, NULL, NULL,
		     str_get(&text));
}
