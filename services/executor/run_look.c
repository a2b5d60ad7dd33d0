/* SPDX-License-Identifier: MIT */
/*
 * What is read before anything is asked for, one after the other; the target itself last, right before the effect.
 */
#include "services/executor/run_parts.h"

#include "common/pve_settings.h"
#include "common/pve_value.h"

#include <errno.h>
#include <stdio.h>

static void look_next(struct run *run);

static void add(struct run *run, enum look look)
{
	run->looks[run->looks_n++] = look;
}

static void plan(struct run *run)
{
	const struct tool_arg *arg = tool_target(run->order.tool);

	if (pve_action_has_task(run->action, &run->order.target))
		add(run, LOOK_TASKS);
	if (run->order.tool->verify == VERIFY_NODE_REBOOTED)
		add(run, LOOK_UPTIME);
	if (arg && arg->kind == ARG_GUEST && run->order.payload->target->config_digest)
		add(run, LOOK_CONFIG);
	if (!arg)
		add(run, LOOK_TASK);
	else if (arg->kind == ARG_STORAGE)
		add(run, LOOK_STORAGE);
	else if (arg->kind == ARG_NODE)
		add(run, LOOK_NODE);
	else
		add(run, LOOK_GUEST);
}

/* ── answers ───────────────────────────────────────────────────────────────────────────────────────────────── */

static bool take_tasks(struct run *run, const cJSON *answer)
{
	const struct wanted_task wanted = run_wanted(run);

	return follow_list(answer, &wanted, &run->known) == 0;
}

static bool take_uptime(struct run *run, const cJSON *answer)
{
	double uptime;

	if (!pve_number(json_get(pve_data_object(answer), "uptime"), &uptime))
		return false;
	run->uptime_s = (int64_t)uptime;
	return true;
}

static void refuse_outdated(struct run *run, const char *why)
{
	run->is_outdated = true;
	run_end(run, STEP_FAILED, "Nothing was done: %s", why);
}

static bool take_config(struct run *run, const cJSON *answer)
{
	char why[PRECHECK_TEXT];
	int r = precheck_config(run->order.payload->target, answer, why);

	if (r == -EBUSY)
		refuse_outdated(run, why);
	return r != -EINVAL;
}

static bool take_guest(struct run *run, const cJSON *answer)
{
	struct guest_now now;
	char why[PRECHECK_TEXT];

	if (precheck_read_guest(answer, run->arena, &now) < 0)
		return false;
	if (precheck_guest(run->order.payload->target, &now, why) < 0) {
		refuse_outdated(run, why);
		return true;
	}
	run->is_running = precheck_is_running(now.status);
	run->is_managed = now.is_managed;
	run->uptime_s = now.uptime_s.has && run->is_running ? now.uptime_s.v : -1;
	return true;
}

static bool take_node(struct run *run, const cJSON *answer)
{
	bool is_wake = run->order.tool->runner == RUNNER_WOL;
	struct node_now now;
	char why[PRECHECK_TEXT];

	if (precheck_read_node(answer, run->order.target.node, &now) < 0)
		return false;
	if (precheck_node(run->order.payload->target, &now, is_wake, why) < 0)
		refuse_outdated(run, why);
	return true;
}

static bool take_storage(struct run *run, const cJSON *answer)
{
	double active;

	if (!pve_data_object(answer))
		return false;
	if (!pve_number(json_get(pve_data_object(answer), "active"), &active) || !active)
		run_end(run, STEP_FAILED, "Nothing was done: the storage is not active on %s.",
			run->order.target.node);
	return true;
}

static bool take_task(struct run *run, const cJSON *answer)
{
	enum task_end end;
	char text[FOLLOW_TEXT];

	if (follow_read_status(answer, &end, text) < 0)
		return false;
	if (end != TASK_END_NONE)
		run_end(run, STEP_FAILED, "Nothing was done: the task had ended already: %s", text);
	return true;
}

static bool (*const takers[])(struct run *run, const cJSON *answer) = {
	[LOOK_TASKS] = take_tasks,     [LOOK_CONFIG] = take_config, [LOOK_UPTIME] = take_uptime,
	[LOOK_STORAGE] = take_storage, [LOOK_TASK] = take_task,	    [LOOK_NODE] = take_node,
	[LOOK_GUEST] = take_guest,
};

static void on_look(void *ctx, const struct pve_answer *answer)
{
	struct run *run = ctx;
	enum look look = run->looks[run->look++];

	run->call = NULL;
	if (answer->fault.class == PVE_OK && takers[look](run, answer->tree)) {
		if (run->phase == PHASE_LOOKING)
			look_next(run);
		return;
	}
	/* Who wakes the first node of a cluster has nobody to ask. */
	if (run->order.tool->runner == RUNNER_WOL && answer->fault.class != PVE_OK) {
		run_wake(run);
		return;
	}
	run_end(run, STEP_FAILED, "Nothing was done: it could not be looked at first: %s",
		answer->fault.class == PVE_OK ? "the answer makes no sense" : answer->fault.text);
}

/* ── questions ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_node(const struct run *run, struct str *path, const char *rest)
{
	str_add(path, "/nodes/");
	pve_add_level(path, run->order.target.node);
	str_add(path, rest);
}

static void add_guest(const struct run *run, struct str *path, const char *rest)
{
	add_node(run, path, "/");
	str_printf(path, "%s/%lld%s", run->order.target.type, (long long)run->order.target.vmid,
		   rest);
}

static void look_next(struct run *run)
{
	const struct action_target *t = &run->order.target;
	_cleanup_(str_done) struct str path = { 0 };

	if (run->look == run->looks_n) {
		run_send(run);
		return;
	}
	switch (run->looks[run->look]) {
	case LOOK_TASKS:
		run_add_task_list(run, &path);
		break;
	case LOOK_UPTIME:
		add_node(run, &path, "/status");
		break;
	case LOOK_CONFIG:
		add_guest(run, &path, "/config");
		break;
	case LOOK_STORAGE:
		add_node(run, &path, "/storage/");
		pve_add_level(&path, tool_args_get(&run->order.args, "storage").s);
		str_add(&path, "/status");
		break;
	case LOOK_TASK:
		add_node(run, &path, "/tasks/");
		pve_add_level(&path, tool_args_get(&run->order.args, "upid").s);
		str_add(&path, "/status");
		break;
	case LOOK_NODE:
		run_get(run, "/cluster/status", NULL, t->node, on_look);
		return;
	case LOOK_GUEST:
		add_guest(run, &path, "/status/current");
		break;
	}
	run_get(run, str_get(&path), t->node, NULL, on_look);
}

void run_look(struct run *run)
{
	if (!run_settle_node(run)) {
		run_end(run, STEP_FAILED, "Nothing was done: it is not known on which node.");
		return;
	}
	run_enter(run, PHASE_LOOKING);
	plan(run);
	look_next(run);
}
