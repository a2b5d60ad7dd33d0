/* SPDX-License-Identifier: MIT */
/*
 * Who asks, what they have started lately, and the judgement by that: when something is asked for, and again when it
 * is approved and when it is taken up.
 */
#include "services/safety-gate/core_asking.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define RATE_MS 600000
#define RULE_GONE "again"
#define RULE_RENAMED "renamed"
#define RULE_CHANGED "changed"

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
	if (action->state.status == ACTION_WAITING)
		return false;
	return !action_is_over(action) || action->rec.granted_ms.has;
}

static bool is_red_under_way(const struct core *core)
{
	for (size_t i = 0; i < core->actions_n; i++) {
		const struct action *action = core->actions[i];

		if (action->state.tier == TIER_RED && !action_is_over(action) &&
		    action->state.status != ACTION_WAITING)
			return true;
	}
	return false;
}

static bool is_user(const struct msg_actor *actor)
{
	return actor && str_eq(actor->kind, "user");
}

/* Of a person counts what they asked for, and what they approved for others. */
static bool counts_for(const struct action *action, const char *principal,
		       const struct msg_actor *actor)
{
	if (action_is_of(action, principal, actor))
		return true;
	return is_user(actor) && str_eq_null(action->state.approved_by, actor->name);
}

/* For these the gateway's word is all there is: tokens, and persons who are not enrolled. */
static bool is_hearsay(const struct core *core, const struct msg_actor *actor)
{
	return actor && !(is_user(actor) && person_of(core, actor->name));
}

/* ACTOR is one of many names that could be one and the same, and ACTION was started by another of them. */
static bool counts_for_all(const struct core *core, const struct action *action,
			   const struct msg_actor *actor)
{
	const struct msg_actor *other = action->state.actor;
	const char *by = action->state.approved_by;

	if (!is_hearsay(core, actor))
		return false;
	if (is_hearsay(core, other) && is_user(actor) == is_user(other))
		return true;
	return is_user(actor) && by && !person_of(core, by);
}

/* What was started in the last ten minutes, by tier. */
struct recent {
	unsigned yellow, orange;
};

static void recent_add(struct recent *recent, const struct action *action)
{
	if (action->state.tier == TIER_YELLOW)
		recent->yellow += (unsigned)action->state.steps_n;
	else if (action->state.tier >= TIER_ORANGE)
		recent->orange += (unsigned)action->state.steps_n;
}

/* All of them may together what one person may, which is six times what an agent may: making up names gains nothing. */
static unsigned at_least(unsigned own, unsigned all, int64_t rate, bool person)
{
	int64_t share = person ? all : all - 5 * rate;

	return share > own ? (unsigned)share : own;
}

static void count_recent(const struct core *core, const char *principal,
			 const struct msg_actor *actor, struct core_now now, struct ask *ask)
{
	const struct config_safety_gate *g = &core->config->safety_gate;
	struct recent own = { 0 }, all = { 0 };

	ask->red_under_way = is_red_under_way(core);
	for (size_t i = 0; i < core->actions_n; i++) {
		const struct action *action = core->actions[i];

		if (!was_started(action) || now.boot_ms - action->since_ms > RATE_MS)
			continue;
		if (counts_for(action, principal, actor))
			recent_add(&own, action);
		if (counts_for_all(core, action, actor))
			recent_add(&all, action);
	}
	ask->yellow_10min = at_least(own.yellow, all.yellow, g->yellow_rate, is_user(actor));
	ask->orange_10min = at_least(own.orange, all.orange, g->orange_rate, is_user(actor));
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
	if (!ask->unfit && who != WHO_PERSON)
		ask->unfit = core_unfit_agents(core);
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
	if (a->verdict.decision == DECISION_ALLOW || a->verdict.decision == DECISION_ASK)
		(void)core_is_free(a->core, NULL, a->targets, a->targets_n, a->out->arena,
				   &a->verdict);
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

bool core_see(const struct core *core, const struct judge_target *target, enum tier tier,
	      struct msg_step_seen *ret)
{
	const struct tool_arg *arg = tool_target(target->args.tool);

	*ret = (struct msg_step_seen){ 0 };
	if (arg && arg->kind == ARG_GUEST) {
		ret->node = target->guest->node;
		ret->status =
			enumeration_word(&enumeration_guest_status, (int)target->guest->status);
		if (tier >= TIER_ORANGE)
			ret->config_digest = view_config_digest(core->view, target->cluster,
								target->guest->vmid);
	} else if (arg && arg->kind == ARG_NODE) {
		ret->status = enumeration_word(&enumeration_node_status, (int)target->node->status);
	}
	return ret->status;
}

/* ── again ─────────────────────────────────────────────────────────────────────────────────────────────────── */

_printf_(3, 4) static bool refuse(struct verdict *v, const char *rule, const char *format, ...)
{
	va_list args;

	v->decision = DECISION_REFUSE;
	v->rule = rule;
	va_start(args, format);
	(void)vsnprintf(v->reason, sizeof(v->reason), format, args);
	va_end(args);
	return false;
}

/* Its number may have been given to another guest since: what was approved had a name. */
static bool is_same_name(const struct msg_action_step *step, const struct judge_target *target,
			 struct verdict *v)
{
	const char *name = step->name, *now = core_name_of(target);

	if (target->args.tool->tier == TIER_GREEN || str_eq_null(name, now))
		return true;
	return refuse(v, RULE_RENAMED,
		      "It was called %.100s when it was asked for, and is called %.100s now.",
		      name ? name : "nothing", now ? now : "nothing");
}

/* What was shown is what is approved. A status that is not known at present is judge()'s to refuse. */
static bool is_as_shown(const struct core *core, enum tier tier, const struct msg_action_step *step,
			const struct judge_target *target, struct verdict *v)
{
	static const char again[] = "look at it, and ask again.";
	const char *name = step->name ? step->name : step->object;
	const struct msg_step_seen *seen = step->seen;
	struct msg_step_seen now;

	if (!seen)
		return true;
	(void)core_see(core, target, tier, &now);
	if (!str_eq_null(seen->node, now.node))
		return refuse(v, RULE_CHANGED,
			      "%.100s was on %.64s when this was shown, and is on %.64s now: %s",
			      name, seen->node, now.node, again);
	if (!str_eq_null(seen->status, now.status) && !str_eq_null(now.status, "unknown"))
		return refuse(v, RULE_CHANGED,
			      "%.100s was %.32s when this was shown, and is %.32s now: %s", name,
			      seen->status, now.status, again);
	if (seen->config_digest && now.config_digest &&
	    !str_eq(seen->config_digest, now.config_digest))
		return refuse(v, RULE_CHANGED,
			      "The configuration of %.100s was changed since this was shown: %s",
			      name, again);
	return true;
}

/* Its targets, as they are now. */
static bool read_again(const struct core *core, struct again *again, const struct tool *tool,
		       struct arena *arena)
{
	for (size_t i = 0; i < again->n; i++) {
		const struct msg_action_step *step = &again->action->steps[again->first + i];
		struct judge_target *target = &again->targets[i];
		struct tool_error error = { "" };
		struct tool_args args;

		if (tool_args_read(tool, step->args, strlen(step->args), false, arena, &args,
				   &error) < 0 ||
		    judge_resolve(core->view, &args, arena, target, &error) < 0)
			return refuse(&again->verdict, RULE_GONE, "It is not there any more: %s.",
				      error.text);
		if (!is_same_name(step, target, &again->verdict) ||
		    !is_as_shown(core, again->action->state.tier, step, target, &again->verdict))
			return false;
	}
	return true;
}

bool core_is_changed(const struct verdict *verdict)
{
	return str_eq(verdict->rule, RULE_GONE) || str_eq(verdict->rule, RULE_RENAMED) ||
	       str_eq(verdict->rule, RULE_CHANGED);
}

/* Whoever approves has rates too, or one would ask in the name of many. */
static bool is_within_rates(const struct core *core, const struct again *again, struct core_now now,
			    struct verdict *ret)
{
	struct ask ask = { .who = WHO_PERSON, .targets_n = again->n };

	if (!again->approver)
		return true;
	count_recent(core, service_table[SERVICE_GATEWAY].name, again->approver, now, &ask);
	return !judge_rates(core->config, &ask, again->action->state.tier, ret);
}

bool core_judge_again(struct core *core, struct again *again, struct core_now now,
		      struct arena *arena)
{
	const struct msg_action_state *s = &again->action->state;
	struct verdict *v = &again->verdict;
	struct ask ask = {
		.confirmed = true,
		.tool = tool_find(s->tool),
		.targets = again->targets,
		.targets_n = again->n,
		.level = core_level_of(core, s->runbook),
	};
	const char *why;
	enum who who;

	*v = (struct verdict){ .tier = TIER_BLACK };
	if (!ask.tool || !core_who(core, s->principal, s->actor, &who, &why))
		return refuse(v, RULE_GONE, "It cannot be asked for any more.");
	if (!read_again(core, again, ask.tool, arena))
		return false;
	fill_ask(core, who, s->principal, s->actor, &ask);
	/* Somebody's proof was taken already, or is about to be. */
	ask.has_code = ask.has_keyword = true;
	if (again->approver)
		count_recent(core, s->principal, s->actor, now, &ask);
	judge(core->config, core->view, &ask, now.boot_ms, arena, v);
	if (v->decision == DECISION_REFUSE || v->decision == DECISION_STATE)
		return false;
	if (v->tier > s->tier)
		return refuse(v, "risen", "It has become %s since it was asked for.",
			      enumeration_word(&enumeration_tier, (int)v->tier));
	if (!again->approver && !s->approved_by && v->decision == DECISION_ASK)
		return refuse(
			v, "level",
			"The level was lowered before it began: now a person has to approve it.");
	/* What has been allowed already is not taken back by what was allowed beside it. */
	if (again->approver &&
	    !core_is_free(core, again->action, again->targets, again->n, arena, v))
		return false;
	return is_within_rates(core, again, now, v);
}
