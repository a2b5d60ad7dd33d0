/* SPDX-License-Identifier: MIT */
/*
 * The one request that changes something, and what its answer is worth. It is journaled before it leaves, and whatever
 * becomes of it, it is not sent again.
 */
#include "services/executor/run_parts.h"

#include "common/log.h"
#include "common/pve_value.h"
#include "services/executor/wake.h"

#include <stdio.h>

/* A task that was asked for may appear late, when the node was slow to read the request. */
#define ADOPT_EVERY_MS 2000
#define ADOPT_LOOKS 4
#define ADOPT_BLIND_MS 60000

/* ── what the answer says ──────────────────────────────────────────────────────────────────────────────────── */

static bool take_upid(struct run *run, const char *text)
{
	struct upid upid;

	if (!upid_parse(text, &upid) ||
	    !pve_action_is_task(run->action, &run->order.target, &run->order.args, &upid,
				pve_link_token(run->link)))
		return false;
	(void)snprintf(run->upid, sizeof(run->upid), "%s", text);
	/* If this cannot be written the task is found again by looking for it. */
	if (journal_task(run->host->journal, run->order.payload->gid, text) < 0)
		log_error("the journal: %s", journal_error(run->host->journal));
	return true;
}

static void on_accepted(struct run *run, const cJSON *answer)
{
	const cJSON *data = json_get(answer, "data");
	bool has_task = pve_action_has_task(run->action, &run->order.target);

	if (!has_task) {
		run_verify(run);
	} else if (cJSON_IsString(data) && take_upid(run, data->valuestring)) {
		run_follow(run);
	} else if (cJSON_IsString(data) && str_eq(data->valuestring, "OK")) {
		/* What vzdump says when the guest is on another node. */
		run_end(run, STEP_FAILED,
			"Proxmox took the request and did nothing: the guest is not on %s.",
			run->order.target.node);
	} else {
		run_adopt(run);
	}
}

const char *run_objection(const struct run *run)
{
	const char *why = freeze_stops(run->host->freeze, run->order.tool->tier, run_now(run));

	return why ? why : run->host->objection(run->host->ctx);
}

/* Why it is not begun any more; NULL: it may be. */
static const char *stopped(const struct run *run)
{
	return run->wants_cancel ? "it was cancelled" : run_objection(run);
}

static void on_sent(void *ctx, const struct pve_answer *answer)
{
	struct run *run = ctx;

	run->call = NULL;
	if (run->held && !answer->is_ambiguous) {
		run_end(run, run->wants_cancel ? STEP_CANCELLED : STEP_FAILED,
			"Nothing was done: %s.", run->held);
	} else if (answer->fault.class == PVE_OK) {
		on_accepted(run, answer->tree);
	} else if (run->order.tool->runner == RUNNER_WOL) {
		/* Proxmox may have woken it: that nothing was done cannot be said any more. */
		if (answer->is_ambiguous && stopped(run)) {
			run->is_ambiguous = true;
			run_verify(run);
		} else {
			run_wake(run);
		}
	} else if (!answer->is_ambiguous) {
		run_end(run, STEP_FAILED, "Proxmox was asked and did not do it: %s",
			answer->fault.text);
	} else {
		counter_add(run->host->env->counters, "ambiguous", 1);
		log_warn("%s %s: it may have been begun: %s", run->order.tool->name,
			 run->order.object, answer->fault.text);
		(void)snprintf(run->seen, sizeof(run->seen), "%.250s", answer->fault.text);
		if (pve_action_has_task(run->action, &run->order.target)) {
			run_adopt(run);
			return;
		}
		run->is_ambiguous = true;
		run_verify(run);
	}
}

/* ── sending ───────────────────────────────────────────────────────────────────────────────────────────────── */

static const char *objection(const struct run *run)
{
	const char *why = run_objection(run);

	if (!why)
		(void)pve_link_is_fit(run->link, &why);
	return why;
}

/* A connection may have had to be made first. */
static bool may_send(void *ctx)
{
	struct run *run = ctx;

	run->held = run->wants_cancel ? stopped(run) : objection(run);
	return !run->held;
}

bool run_journal(struct run *run)
{
	int64_t wall_ms = clock_wall_ms(run->host->env->clock);
	int r = journal_send(run->host->journal, run->order.payload->gid, str_get(&run->known),
			     run->uptime_s, wall_ms);

	if (r < 0)
		run_end(run, STEP_FAILED, "Nothing was done: the journal cannot be written: %.300s",
			journal_error(run->host->journal));
	return r == 0;
}

void run_send(struct run *run)
{
	const struct action_target *t = &run->order.target;
	bool is_wake = run->order.tool->runner == RUNNER_WOL;
	_cleanup_(str_done) struct str path = { 0 }, form = { 0 };
	struct pve_request request = { .method = run->action->method };
	struct tool_error error;
	const char *why;

	if (pve_action_build(run->action, t, &run->order.args, run->is_running, &path, &form,
			     &error) < 0) {
		run_end(run, STEP_FAILED, "Nothing was done: %s.", error.text);
		return;
	}
	why = objection(run);
	if (!why && !run_journal(run))
		return;
	/* Writing takes its time. */
	why = why ? why : objection(run);
	if (why) {
		run_end(run, STEP_FAILED, "Nothing was done: %s.", why);
		return;
	}
	request.path = str_get(&path);
	request.form = str_get(&form);
	request.node = is_wake ? NULL : t->node;
	request.avoid = is_wake ? t->node : NULL;
	request.may_send = may_send;
	run_enter(run, PHASE_SENDING);
	run->sent_ms = run_now(run);
	counter_add(run->host->env->counters, "effects", 1);
	run->call = pve_link_ask(run->link, &request, on_sent, run);
}

/* ── looking for what may have been begun ──────────────────────────────────────────────────────────────────── */

static void adopt_cb(void *ctx);

static void give_up(struct run *run, const char *why)
{
	run_end(run, STEP_UNKNOWN,
		"It was asked for, and it is not known what became of it: %s. It is not tried again.",
		why);
}

static void on_tasks(void *ctx, const struct pve_answer *answer)
{
	struct run *run = ctx;
	const struct wanted_task wanted = run_wanted(run);
	char upid[UPID_BYTES];
	int r = answer->fault.class == PVE_OK ?
			follow_find(answer->tree, &wanted, str_get(&run->known), upid) :
			-1;

	run->call = NULL;
	if (r == -EEXIST) {
		give_up(run, "several tasks could be the one");
	} else if (r > 0 && take_upid(run, upid)) {
		counter_add(run->host->env->counters, "adopted", 1);
		log_info("%s %s: found its task %s", run->order.tool->name, run->order.object,
			 upid);
		run_follow(run);
	} else if (r == 0 && ++run->polls >= ADOPT_LOOKS) {
		give_up(run, "Proxmox lists no task of it");
	} else if (r < 0 && run_now(run) - run->phase_ms > ADOPT_BLIND_MS) {
		give_up(run, "the node cannot be asked for its tasks");
	} else {
		run_later(run, ADOPT_EVERY_MS, adopt_cb);
	}
}

static void adopt_cb(void *ctx)
{
	struct run *run = ctx;
	_cleanup_(str_done) struct str path = { 0 };

	run_add_task_list(run, &path);
	run_get(run, str_get(&path), run->order.target.node, NULL, on_tasks);
}

void run_adopt(struct run *run)
{
	run_enter(run, PHASE_ADOPTING);
	adopt_cb(run);
}

/* ── waking ────────────────────────────────────────────────────────────────────────────────────────────────── */

void run_wake(struct run *run)
{
	const char *mac = pve_link_mac(run->link, run->order.target.node);
	unsigned char packet[WAKE_PACKET_BYTES];
	const char *why = stopped(run);
	int r;

	/* The rights of a token that cannot be read by anybody do not matter to a packet of our own. */
	if (why) {
		run_end(run, run->wants_cancel ? STEP_CANCELLED : STEP_FAILED,
			"Nothing was done: %s.", why);
		return;
	}
	if (!mac || wake_build(mac, packet) < 0) {
		run_end(run, STEP_FAILED,
			"No living node could wake it, and its hardware address is not known: set "
			"clusters.%s.nodes.%s.mac in jarvis.yaml.",
			pve_link_cluster(run->link), run->order.target.node);
		return;
	}
	if (!run->sent_ms && !run_journal(run))
		return;
	run_enter(run, PHASE_SENDING);
	run->sent_ms = run_now(run);
	r = wake_send(packet);
	counter_add(run->host->env->counters, "magic_packets", 1);
	if (r < 0) {
		run_end(run, STEP_FAILED, "The magic packet could not be sent: %s.", strerror(-r));
		return;
	}
	run_verify(run);
}
