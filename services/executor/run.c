/* SPDX-License-Identifier: MIT */
/*
 * A run's beginning and end.
 */
#include "services/executor/run_parts.h"

#include "common/codec.h"
#include "common/log.h"
#include "common/pve_settings.h"

#include <stdarg.h>
#include <stdio.h>

/* What a topic below any base is built with. */
#define BASE "-"
/* How long Proxmox may be out of reach after a restart. */
#define RESUME_WAIT_MS 120000
#define RESUME_AGAIN_MS 500

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

struct run *run_new(const struct run_host *host, struct pve_link *link, struct arena *arena,
		    const struct order *order)
{
	struct run *run = xnew(struct run);

	run->host = host;
	run->link = link ? pve_link_ref(link) : NULL;
	run->arena = arena;
	run->order = *order;
	run->action = pve_action_find(order->tool);
	run->uptime_s = -1;
	run->started_ms = run_now(run);
	return run;
}

static void let_go(struct run *run)
{
	pve_link_cancel(take(run->call));
	pve_link_cancel(take(run->cancel_call));
	ssh_links_cancel(take(run->ssh_ask));
	refresh_cancel(take(run->wait));
	timer_free(take(run->timer));
}

void run_free(struct run *run)
{
	if (!run)
		return;
	let_go(run);
	pve_link_unref(run->link);
	str_done(&run->known);
	free(run->content);
	arena_free(run->arena);
	free(run);
}

const struct order *run_order(const struct run *run)
{
	return &run->order;
}

/* A unit of it is not the node. */
static bool is_node_tool(const struct order *order)
{
	const struct tool_arg *arg = tool_target(order->tool);

	return arg && arg->kind == ARG_NODE && order->tool->tier > TIER_GREEN &&
	       order->tool->runner != RUNNER_SSH;
}

/* A node is not taken away from under what happens on it. */
static bool is_on_node(const struct order *node, const struct order *other)
{
	return is_node_tool(node) && str_eq_null(node->target.cluster, other->target.cluster) &&
	       str_eq_null(node->target.node, other->target.node);
}

bool run_is_in_way(const struct run *run, const struct order *order)
{
	if (run->order.tool->tier == TIER_GREEN || order->tool->tier == TIER_GREEN)
		return false;
	return str_eq(run->order.object, order->object) || is_on_node(&run->order, order) ||
	       is_on_node(order, &run->order);
}

/* ── for the phases ────────────────────────────────────────────────────────────────────────────────────────── */

void run_enter(struct run *run, enum phase phase)
{
	run->phase = phase;
	run->phase_ms = run_now(run);
	run->polls = 0;
}

void run_later(struct run *run, int64_t delay_ms, timer_fn fn)
{
	timer_free(run->timer);
	run->timer = timer_new(run->host->env->loop, fn, run);
	timer_once(run->timer, (uint64_t)delay_ms);
}

void run_get(struct run *run, const char *path, const char *node, const char *avoid, pve_link_fn fn)
{
	const struct pve_request request = {
		.method = "GET", .path = path, .node = node, .avoid = avoid
	};

	run->call = pve_link_ask(run->link, &request, fn, run);
}

struct verify_case run_case(const struct run *run)
{
	return (struct verify_case){
		.tool = run->order.tool,
		.args = &run->order.args,
		.target = &run->order.target,
		.upid = run->upid[0] ? run->upid : NULL,
		.uptime_s = run->uptime_s,
		.elapsed_ms = run_now(run) - run->sent_ms,
		.is_managed = run->is_managed,
	};
}

struct wanted_task run_wanted(const struct run *run)
{
	return (struct wanted_task){
		.action = run->action,
		.target = &run->order.target,
		.args = &run->order.args,
		.user = pve_link_token(run->link),
	};
}

bool run_settle_node(struct run *run)
{
	struct tool_value upid = tool_args_get(&run->order.args, "upid");
	struct upid parts;

	if (upid.has && upid_parse(upid.s, &parts))
		run->order.target.node = arena_strdup(run->arena, parts.node);
	return run->order.target.node;
}

void run_add_task_list(const struct run *run, struct str *path)
{
	str_add(path, "/nodes/");
	pve_add_level(path, run->order.target.node);
	str_add(path, "/tasks?source=all&limit=200");
	pve_action_narrow(run->action, &run->order.target, path);
}

/* ── the end ───────────────────────────────────────────────────────────────────────────────────────────────── */

static char *make_content(const struct run *run)
{
	struct str text = { 0 };
	struct json_writer w = { .out = &text };

	json_object_begin(&w, NULL);
	json_add_str(&w, "outcome", enumeration_word(&enumeration_step_status, (int)run->outcome));
	json_add_str(&w, "detail", run->detail);
	json_add_str(&w, "upid", run->upid[0] ? run->upid : NULL);
	json_add_str(&w, "exitstatus", run->exit[0] ? run->exit : NULL);
	json_add_str(&w, "last_line", run->line[0] ? run->line : NULL);
	json_add_f64(&w, "seconds", (double)(run_now(run) - run->started_ms) / 1000);
	json_object_end(&w);
	return str_take(&text);
}

static void deliver(void *ctx)
{
	struct run *run = ctx;
	const struct msg_grant_payload *p = run->order.payload;
	struct msg_action_result result = {
		.id = p->id,
		.step = p->step,
		.gid = p->gid,
		.outcome = run->outcome,
		.upid = run->upid[0] ? run->upid : NULL,
		.detail = run->detail[0] ? run->detail : NULL,
	};

	run->wait = NULL;
	run_enter(run, PHASE_ENDED);
	let_go(run);
	if (!run->content)
		run->content = make_content(run);
	result.content = run->content;
	run->host->finished(run->host->ctx, run, &result);
}

struct objects {
	const char *list[REFRESH_OBJECTS_MAX];
	size_t n;
};

static void add_object(struct run *run, struct objects *objects, enum topic_id id, const char *word,
		       const char *more)
{
	const char *const args[] = { run->order.target.cluster, word, more, NULL };
	char topic[TOPIC_MAX_BYTES];

	if (topic_build(BASE, id, args, topic) == 0 && objects->n < REFRESH_OBJECTS_MAX)
		objects->list[objects->n++] = arena_strdup(run->arena, topic + sizeof(BASE));
}

/* Snapshots stand in the configuration, and a start brings changes into it that had to wait. */
static void add_guest(struct run *run, struct objects *objects)
{
	const char *vmid = arena_printf(run->arena, "%lld", (long long)run->order.target.vmid);

	add_object(run, objects, TOPIC_GUEST_STATE, vmid, NULL);
	add_object(run, objects, TOPIC_GUEST_CONFIG, vmid, NULL);
	if (tool_args_get(&run->order.args, "snapshot").has)
		add_object(run, objects, TOPIC_GUEST_SNAPSHOTS, vmid, NULL);
	/* Else it would be said for minutes that there is none. */
	if (run->order.tool->verify == VERIFY_BACKUP_THERE)
		add_object(run, objects, TOPIC_GUEST_BACKUP, vmid, NULL);
}

static void add_touched(struct run *run, struct objects *objects)
{
	const struct action_target *t = &run->order.target;
	const struct msg_grant_target *granted = run->order.payload->target;
	struct tool_value target_node = tool_args_get(&run->order.args, "target_node");
	struct tool_value storage = tool_args_get(&run->order.args, "storage");

	if (t->vmid)
		add_guest(run, objects);
	if (is_node_tool(&run->order))
		add_object(run, objects, TOPIC_NODE_STATE, t->node, NULL);
	if (target_node.has)
		add_object(run, objects, TOPIC_NODE_STATE, target_node.s, NULL);
	if (storage.has && !t->vmid)
		add_object(run, objects, TOPIC_STORAGE_STATE,
			   granted && granted->node ? granted->node : "-", storage.s);
	add_object(run, objects, TOPIC_TASKS_STATE, NULL, NULL);
}

/* What was touched, or is not as it was thought to be, is looked at again before anybody hears that it is over. */
static void refresh_first(struct run *run)
{
	struct objects objects = { .n = 0 };
	bool is_seen = run->order.tool->runner != RUNNER_SSH; /* by the poller */

	run_enter(run, PHASE_REFRESHING);
	add_touched(run, &objects);
	if (is_seen && (run->sent_ms || run->is_outdated) && run->host->has_poller(run->host->ctx))
		run->wait = refresh_ask(run->host->refresh, objects.list, objects.n, deliver, run);
	/* Also without it the result comes later, never from within. */
	if (!run->wait)
		run_later(run, 0, deliver);
}

void run_end(struct run *run, enum step_status outcome, const char *format, ...)
{
	va_list args;

	if (run->phase >= PHASE_REFRESHING)
		return;
	va_start(args, format);
	(void)vsnprintf(run->detail, sizeof(run->detail), format, args);
	va_end(args);
	run->outcome = outcome;
	pve_link_cancel(take(run->call));
	pve_link_cancel(take(run->cancel_call));
	ssh_links_cancel(take(run->ssh_ask));
	timer_free(take(run->timer));
	if (run->order.tool->tier > TIER_GREEN)
		log_info("%s %s: %s: %s", run->order.tool->name, run->order.object,
			 enumeration_word(&enumeration_step_status, (int)outcome), run->detail);
	refresh_first(run);
}

void run_answer(struct run *run, enum step_status outcome, const char *detail, const char *content)
{
	free(run->content);
	run->content = xstrdup_null(content);
	run_end(run, outcome, "%s", detail);
}

/* ── the beginning ─────────────────────────────────────────────────────────────────────────────────────────── */

void run_start(struct run *run)
{
	const char *why = "the cluster is not one of those that the executor acts on";

	if (run->link && run->order.tool->runner == RUNNER_SSH)
		run_ssh(run);
	else if (!run->link || !pve_link_is_up(run->link, &why))
		run_end(run, STEP_FAILED, "Nothing was done: %s.", why);
	else if (run->order.tool->tier == TIER_GREEN)
		run_read(run);
	else if (!run->action)
		run_end(run, STEP_FAILED, "Nothing was done: %s is not known how to do.",
			run->order.tool->name);
	else
		run_look(run);
}

static void resume_cb(void *ctx)
{
	struct run *run = ctx;
	const char *why = "its cluster is not configured any more";

	if (run->link && run->order.tool->runner == RUNNER_SSH) {
		run_ssh_resume(run);
		return;
	}
	if (!run->link ||
	    (!pve_link_is_up(run->link, &why) && run_now(run) - run->phase_ms > RESUME_WAIT_MS)) {
		run_end(run, STEP_UNKNOWN,
			"The executor was restarted after it had asked Proxmox, and cannot ask it now: %s",
			why);
	} else if (!pve_link_is_up(run->link, &why)) {
		run_later(run, RESUME_AGAIN_MS, resume_cb);
	} else if (run->upid[0]) {
		run_follow(run);
	} else if (run->action && pve_action_has_task(run->action, &run->order.target)) {
		run_adopt(run);
	} else {
		run->is_ambiguous = true;
		run_verify(run);
	}
}

void run_resume(struct run *run, const struct journal_entry *entry)
{
	int64_t ago_ms = clock_wall_ms(run->host->env->clock) - entry->sent_ms;
	struct upid upid;

	if (entry->state == JOURNAL_GRANTED) {
		run_end(run, STEP_FAILED,
			"Nothing was done: the executor was restarted before it had asked %s.",
			run->order.tool->runner == RUNNER_SSH ? "the node" : "Proxmox");
		return;
	}
	/* A clock that was set back would say that it is yet to come. */
	if (ago_ms < 0)
		ago_ms = 0;
	run->sent_ms = max_of(run_now(run) - ago_ms, (int64_t)1);
	run->uptime_s = entry->uptime_s;
	str_add(&run->known, entry->known ? entry->known : "");
	if (entry->upid && upid_parse(entry->upid, &upid))
		(void)snprintf(run->upid, sizeof(run->upid), "%s", entry->upid);
	run_settle_node(run);
	run->phase_ms = run_now(run);
	run_later(run, 0, resume_cb);
}

void run_cancel(struct run *run)
{
	run->wants_cancel = true;
	if (run->phase == PHASE_LOOKING)
		run_end(run, STEP_CANCELLED, "It was cancelled before anything was done.");
	else if (run->phase == PHASE_FOLLOWING)
		run_stop_task(run);
}
