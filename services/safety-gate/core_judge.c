/* SPDX-License-Identifier: MIT */
/*
 * Who asks, what they have started lately, and the judgement by that: when something is asked for, and again when it
 * is approved and when it is taken up.
 */
#include "services/safety-gate/core_asking.h"

#include <stdio.h>
#include <string.h>

#define RATE_MS 600000

/* ── who ───────────────────────────────────────────────────────────────────────────────────────────────────── */

bool core_who(const struct core *core, const char *principal, const struct msg_actor *actor,
	      enum who *ret, const char **why)
{
	bool is_gateway = str_eq(principal, service_table[SERVICE_GATEWAY].name);
	int service = service_find(principal);

	(void)core;
	*why = NULL;
	if (actor && !is_gateway)
		*why = "only the gateway may name an actor";
	else if (is_gateway && !actor)
		*why = "the gateway must name the actor";
	else if (is_gateway && !str_eq(actor->kind, "user") && !str_eq(actor->kind, "token") &&
		 !str_eq(actor->kind, "mcp"))
		*why = "the actor is neither user, token nor mcp";
	else if (!is_gateway && service >= 0 && service != SERVICE_MONITOR &&
		 service != SERVICE_LLM_ROUTER)
		*why = "this service may not ask for actions";
	if (*why)
		return false;
	*ret = service < 0				 ? WHO_REMOTE :
	       is_gateway && str_eq(actor->kind, "user") ? WHO_PERSON :
							   WHO_AGENT;
	return true;
}

static bool anybody(const struct core *core, bool code)
{
	for (size_t i = 0; i < core->persons_n; i++) {
		if (code ? core->persons[i].has_code : core->persons[i].has_keyword)
			return true;
	}
	return false;
}

static const struct core_person *person_of(const struct core *core, const char *name)
{
	for (size_t i = 0; i < core->persons_n; i++) {
		if (str_eq(core->persons[i].name, name))
			return &core->persons[i];
	}
	return NULL;
}

/* ── what they started ─────────────────────────────────────────────────────────────────────────────────────── */

bool action_is_of(const struct action *action, const char *principal, const struct msg_actor *actor)
{
	const struct msg_actor *other = action->state.actor;

	if (!str_eq(action->state.principal, principal) || !actor != !other)
		return false;
	return !actor || (str_eq(actor->kind, other->kind) && str_eq(actor->name, other->name));
}

static bool was_started(const struct action *action)
{
	switch (action->state.status) {
	case ACTION_WAITING:
	case ACTION_DENIED:
	case ACTION_REFUSED:
		return false;
	case ACTION_CANCELLED:
	case ACTION_EXPIRED:
		return action->rec.gid;
	default:
		return true;
	}
}

bool core_is_red_under_way(const struct core *core)
{
	for (size_t i = 0; i < core->actions_n; i++) {
		const struct action *action = core->actions[i];

		if (action->state.tier == TIER_RED && !action_is_over(action) &&
		    action->state.status != ACTION_WAITING)
			return true;
	}
	return false;
}

static void count_recent(const struct core *core, const char *principal,
			 const struct msg_actor *actor, struct core_now now, struct ask *ask)
{
	ask->red_under_way = core_is_red_under_way(core);
	for (size_t i = 0; i < core->actions_n; i++) {
		const struct action *action = core->actions[i];
		size_t n = action->state.steps_n;
		enum tier tier = action->state.tier;

		if (!was_started(action) || now.boot_ms - action->since_ms > RATE_MS ||
		    !action_is_of(action, principal, actor))
			continue;
		if (tier == TIER_YELLOW)
			ask->yellow_10min += (unsigned)n;
		else if (tier >= TIER_ORANGE)
			ask->orange_10min += (unsigned)n;
	}
}

static void fill_ask(const struct core *core, enum who who, const char *principal,
		     const struct msg_actor *actor, struct ask *ask)
{
	const struct core_person *person = who == WHO_PERSON ? person_of(core, actor->name) : NULL;

	ask->who = who;
	ask->principal = principal;
	ask->person = who == WHO_PERSON ? actor->name : NULL;
	ask->has_keyword = who == WHO_PERSON ? person && person->has_keyword : anybody(core, false);
	ask->has_code = who == WHO_PERSON ? person && person->has_code : anybody(core, true);
	ask->frozen = core->is_frozen;
	ask->unfit = core->unfit;
	if (!ask->unfit && core->is_policy_bad && who != WHO_PERSON)
		ask->unfit = "jarvis.yaml has an error, and agents wait until it is mended";
}

void asking_judge(struct asking *a)
{
	struct ask ask = {
		.confirmed = a->request->confirmed.has && a->request->confirmed.v,
		.tool = a->tool,
		.targets = a->targets,
		.targets_n = a->targets_n,
		.level = core_level_of(a->core, a->request->runbook),
		.proposes = a->request->proposes.has && a->request->proposes.v,
	};

	fill_ask(a->core, a->who, a->principal, a->request->actor, &ask);
	count_recent(a->core, a->principal, a->request->actor, a->now, &ask);
	judge(a->core->config, a->core->view, &ask, a->now.boot_ms, a->out->arena, &a->verdict);
}

const char *core_name_of(const struct judge_target *target)
{
	const struct tool_arg *arg = tool_target(target->args.tool);

	if (!arg)
		return NULL;
	return arg->kind == ARG_GUEST ? target->guest->name :
	       arg->kind == ARG_NODE  ? target->node->node :
					target->storage->storage;
}

void core_judge_again(struct core *core, struct action *action, size_t step, struct core_now now,
		      struct arena *arena, struct judge_target *target, struct verdict *ret)
{
	const char *args = action->steps[step].args;
	const char *name = action->steps[step].name, *now_called;
	struct ask ask = {
		.confirmed = true,
		.tool = tool_find(action->state.tool),
		.targets = target,
		.targets_n = 1,
		.level = core_level_of(core, action->state.runbook),
	};
	struct tool_error error = { "" };
	struct tool_args parsed;
	const char *why;
	enum who who;

	*ret = (struct verdict){ .tier = TIER_BLACK, .decision = DECISION_REFUSE, .rule = "again" };
	if (!ask.tool ||
	    !core_who(core, action->state.principal, action->state.actor, &who, &why) ||
	    tool_args_read(ask.tool, args, strlen(args), false, arena, &parsed, &error) < 0 ||
	    judge_resolve(core->view, &parsed, arena, target, &error) < 0) {
		(void)snprintf(ret->reason, sizeof(ret->reason), "It is not there any more: %s.",
			       error.text[0] ? error.text : "it cannot be read");
		return;
	}
	/* Its number may have been given to another guest since: what was approved had a name. */
	now_called = core_name_of(target);
	if (ask.tool->tier > TIER_GREEN && (name || now_called) && !str_eq_null(name, now_called)) {
		ret->rule = "renamed";
		(void)snprintf(
			ret->reason, sizeof(ret->reason),
			"It was called %.100s when it was asked for, and is called %.100s now.",
			name ? name : "nothing", now_called ? now_called : "nothing");
		return;
	}
	fill_ask(core, who, action->state.principal, action->state.actor, &ask);
	/* Somebody's proof was taken already. */
	ask.has_code = ask.has_keyword = true;
	judge(core->config, core->view, &ask, now.boot_ms, arena, ret);
}
