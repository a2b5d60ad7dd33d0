/* SPDX-License-Identifier: MIT */
/*
 * Follows a task on its own node to its end, and tells what it says. That a node does not answer means nothing: the
 * task goes on there.
 */
#include "services/executor/run_parts.h"

#include "common/pve_settings.h"

#include <stdio.h>

/* Its last line is written a moment after it has stopped. */
#define LOST_POLLS 3

static void poll_cb(void *ctx);

static void add_task_path(const struct run *run, struct str *path, const char *rest)
{
	struct upid upid;

	(void)upid_parse(run->upid, &upid);
	str_add(path, "/nodes/");
	pve_add_level(path, upid.node);
	str_add(path, "/tasks/");
	pve_add_level(path, run->upid);
	str_add(path, rest);
}

static const char *task_node(struct run *run)
{
	struct upid upid;

	(void)upid_parse(run->upid, &upid);
	return arena_strdup(run->arena, upid.node);
}

static void tell(struct run *run, const char *line)
{
	const struct msg_grant_payload *p = run->order.payload;
	const struct msg_action_progress progress = {
		.id = p->id, .step = p->step, .gid = p->gid, .upid = run->upid, .line = line
	};

	run->host->progress(run->host->ctx, &progress);
}

/* ── the end of the task ───────────────────────────────────────────────────────────────────────────────────── */

static void on_task_end(struct run *run)
{
	const char *cancelled = run->has_cancelled ? "It was cancelled. " : "";

	switch (run->end) {
	case TASK_END_ERROR:
		run_end(run, STEP_FAILED, "%sThe task failed: %s", cancelled, run->exit);
		break;
	case TASK_END_LOST:
		run_end(run, STEP_UNKNOWN, "%sThe task ended without saying how: %s", cancelled,
			run->exit);
		break;
	default:
		run_verify(run);
		break;
	}
}

static bool is_over(struct run *run)
{
	/* Its last line may be on its way. */
	run->lost = run->end == TASK_END_LOST ? run->lost + 1 : 0;
	if (run->end == TASK_END_LOST)
		return run->lost >= LOST_POLLS;
	return run->end != TASK_END_NONE;
}

static void go_on(struct run *run)
{
	int64_t limit_ms = (int64_t)run->order.tool->deadline_s * 1000;

	if (is_over(run))
		on_task_end(run);
	else if (run_now(run) - run->sent_ms > limit_ms)
		run_end(run, STEP_UNKNOWN,
			"The task has not ended after %d s; it goes on at Proxmox.",
			run->order.tool->deadline_s);
	else
		run_later(run, follow_delay_ms(run->polls++), poll_cb);
}

/* ── asking ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void on_log(void *ctx, const struct pve_answer *answer)
{
	struct run *run = ctx;
	char line[FOLLOW_TEXT] = "";
	int64_t n = answer->fault.class == PVE_OK ? follow_read_log(answer->tree, line) : -1;

	run->call = NULL;
	if (n > 0) {
		run->log_lines += n;
		if (line[0]) {
			(void)snprintf(run->line, sizeof(run->line), "%s", line);
			tell(run, run->line);
		}
	}
	go_on(run);
}

static void on_status(void *ctx, const struct pve_answer *answer)
{
	struct run *run = ctx;
	_cleanup_(str_done) struct str path = { 0 };
	char more[64];

	run->call = NULL;
	run->end = TASK_END_NONE;
	if (answer->fault.class != PVE_OK ||
	    follow_read_status(answer->tree, &run->end, run->exit) < 0) {
		(void)snprintf(run->seen, sizeof(run->seen), "%s", answer->fault.text);
		go_on(run);
		return;
	}
	(void)snprintf(more, sizeof(more), "/log?start=%lld&limit=500", (long long)run->log_lines);
	add_task_path(run, &path, more);
	run_get(run, str_get(&path), task_node(run), NULL, on_log);
}

static void poll_cb(void *ctx)
{
	struct run *run = ctx;
	_cleanup_(str_done) struct str path = { 0 };

	add_task_path(run, &path, "/status");
	run_get(run, str_get(&path), task_node(run), NULL, on_status);
}

void run_follow(struct run *run)
{
	struct upid upid;

	run_enter(run, PHASE_FOLLOWING);
	/* High availability only notes the wish, and its task is over at once. */
	if (upid_parse(run->upid, &upid) && str_starts(upid.type, "ha"))
		run->is_managed = true;
	tell(run, NULL);
	if (run->wants_cancel)
		run_stop_task(run);
	run_later(run, run->is_managed ? 0 : follow_delay_ms(run->polls++), poll_cb);
}

/* ── stopping it ───────────────────────────────────────────────────────────────────────────────────────────── */

static void on_stopped(void *ctx, const struct pve_answer *answer)
{
	struct run *run = ctx;

	run->cancel_call = NULL;
	/* Whether it has ended is for the task's status to say. */
	if (answer->fault.class == PVE_OK || answer->is_ambiguous)
		run->has_cancelled = true;
	else
		tell(run, answer->fault.text);
}

void run_stop_task(struct run *run)
{
	_cleanup_(str_done) struct str path = { 0 };
	struct pve_request request = { .method = "DELETE", .node = task_node(run) };

	if (run->cancel_call || run->has_cancelled)
		return;
	add_task_path(run, &path, "");
	request.path = str_get(&path);
	run->cancel_call = pve_link_ask(run->link, &request, on_stopped, run);
}
