/* SPDX-License-Identifier: MIT */
/*
 * One thing at a time is done to a target, and nothing to what is on a node that is being taken away. The executor
 * keeps to that as well, and would let the second wait: here it is refused at once, in words that say what for.
 */
#include "services/safety-gate/core_parts.h"

#include <stdio.h>

/* What is done, or would be, and where. */
struct deed {
	const char *object;  /* "" for none */
	const char *cluster; /* NULL: not known, and so is the node */
	const char *node;    /* where it is */
	bool is_nodes;	     /* it is done to the node itself */
};

static struct deed deed_of(const struct judge_target *target, const char *object)
{
	const struct tool_arg *arg = tool_target(target->args.tool);
	struct tool_value node = tool_args_get(&target->args, "node");

	return (struct deed){
		.object = object,
		.cluster = target->cluster,
		.node = target->guest ? target->guest->node : node.s,
		.is_nodes = arg && arg->kind == ARG_NODE,
	};
}

static struct deed deed_of_step(const struct core *core, const struct action *action,
				const struct msg_action_step *step, struct arena *arena)
{
	const struct tool *tool = tool_find(action->state.tool);
	struct judge_target target;
	struct tool_error error;
	struct tool_args args;

	if (!tool ||
	    tool_args_read(tool, step->args, strlen(step->args), false, arena, &args, &error) < 0 ||
	    judge_resolve(core->view, &args, arena, &target, &error) < 0)
		return (struct deed){ .object = step->object };
	return deed_of(&target, step->object);
}

static bool is_in_way(const struct deed *a, const struct deed *b)
{
	if (str_eq_null(a->object, b->object))
		return true;
	return (a->is_nodes || b->is_nodes) && a->node && str_eq_null(a->node, b->node) &&
	       str_eq_null(a->cluster, b->cluster);
}

static bool is_under_way(const struct action *action)
{
	return action->state.tier > TIER_GREEN && !action_is_over(action) &&
	       action->state.status != ACTION_WAITING;
}

/* The step of ACTION that is in the way; NULL when none is. Its later ones count: they were allowed together. */
static const struct msg_action_step *step_in_way(const struct core *core,
						 const struct action *action,
						 const struct deed *deed, struct arena *arena)
{
	for (size_t i = 0; i < action->state.steps_n; i++) {
		const struct msg_action_step *step = &action->steps[i];
		struct deed other;

		if (step->status > STEP_RUNNING || !step->object)
			continue;
		other = deed_of_step(core, action, step, arena);
		if (is_in_way(deed, &other))
			return step;
	}
	return NULL;
}

static bool is_free(const struct core *core, const struct action *self, const struct deed *deed,
		    struct arena *arena, struct verdict *ret)
{
	for (size_t i = 0; i < core->actions_n; i++) {
		const struct action *action = core->actions[i];
		const struct msg_action_step *step;

		if (action == self || !is_under_way(action))
			continue;
		step = step_in_way(core, action, deed, arena);
		if (!step)
			continue;
		ret->decision = DECISION_STATE;
		ret->rule = "busy";
		(void)snprintf(
			ret->reason, sizeof(ret->reason),
			"%.64s of %.100s is %s: wait until that has ended, or cancel it, and ask again.",
			action->state.tool, step->name ? step->name : step->object,
			action->state.status == ACTION_RUNNING ? "being done" : "about to be done");
		return false;
	}
	return true;
}

bool core_is_free(const struct core *core, const struct action *self,
		  const struct judge_target *targets, size_t n, struct arena *arena,
		  struct verdict *ret)
{
	for (size_t i = 0; i < n; i++) {
		const char *object = judge_object(&targets[i], arena);
		struct deed deed = deed_of(&targets[i], object);

		if (object[0] && targets[i].args.tool->tier > TIER_GREEN &&
		    !is_free(core, self, &deed, arena, ret))
			return false;
	}
	return true;
}
