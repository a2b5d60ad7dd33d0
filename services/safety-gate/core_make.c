/* SPDX-License-Identifier: MIT */
/*
 * From a judged request to the action that it becomes, and to the bytes that a person is shown and approves.
 */
#include "services/safety-gate/core_asking.h"

#include "common/codec.h"

static const struct msg_step_seen *keep_seen(struct action *action,
					     const struct msg_step_seen *seen)
{
	struct msg_step_seen *kept = arena_alloc(action->arena, sizeof(*kept));

	*kept = (struct msg_step_seen){
		.node = action_text(action, seen->node),
		.status = action_text(action, seen->status),
		.config_digest = action_text(action, seen->config_digest),
	};
	return kept;
}

static void fill_steps(struct action *action, const struct asking *a)
{
	for (size_t i = 0; i < a->targets_n; i++) {
		_cleanup_(str_done) struct str args = { 0 };
		struct msg_action_step *step = &action->steps[i];
		const char *object = judge_object(&a->targets[i], action->arena);
		struct msg_step_seen seen;

		tool_args_write(&a->targets[i].args, &args);
		*step = (struct msg_action_step){
			.object = object[0] ? object : NULL,
			.name = action_text(action, core_name_of(&a->targets[i])),
			.args = action_text(action, str_get(&args)),
			.status = STEP_PENDING,
		};
		if (a->verdict.decision == DECISION_ASK &&
		    core_see(a->core, &a->targets[i], a->verdict.tier, &seen))
			step->seen = keep_seen(action, &seen);
	}
	action->state.steps_n = a->targets_n;
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
	fill_steps(action, a);
	fill_facts(action, &a->verdict);
	return action;
}

static const char *verify_text(const struct tool *tool)
{
	static const char *const texts[] = {
		[VERIFY_NOTHING] = "nothing: it only reads",
		[VERIFY_RUNNING] = "that it runs",
		[VERIFY_STOPPED] = "that it is stopped",
		[VERIFY_PAUSED] = "that it is paused",
		[VERIFY_REBOOTED] = "that it was restarted and runs",
		[VERIFY_MOVED] = "that it is on the other node",
		[VERIFY_SNAPSHOT_THERE] = "that the snapshot is there",
		[VERIFY_SNAPSHOT_GONE] = "that the snapshot is gone",
		[VERIFY_BACKUP_THERE] = "that a new backup is there",
		[VERIFY_FILE_THERE] = "that the file is there",
		[VERIFY_TASK_ENDED] = "that the task has ended",
		[VERIFY_TASK_OK] = "that Proxmox reports success",
		[VERIFY_NODE_ONLINE] = "that the node is online",
		[VERIFY_NODE_OFFLINE] = "that the node is offline",
		[VERIFY_NODE_REBOOTED] = "that the node was restarted and is online",
	};

	return texts[tool->verify];
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
		.verify = verify_text(a->tool),
		.policy = a->core->policy,
		.until_ms = a->now.wall_ms + wait_ms,
	};
	char digest[65];

	codec_encode(&message_action_shown, &shown, &text);
	core_sha256(text.data, text.len, digest);
	s->shown = action_text(action, text.data);
	s->digest = action_text(action, digest);
}
