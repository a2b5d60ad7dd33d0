/* SPDX-License-Identifier: MIT */
/*
 * From a grant to a run, and from its end to a result. A grant is used up in the journal before anything else.
 */
#include "services/executor/executor_parts.h"

#include "common/codec.h"
#include "services/executor/state_tools.h"

#include <errno.h>
#include <stdio.h>

/* ── results ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void report(struct executor *x, const struct msg_action_result *result, bool is_journaled)
{
	_cleanup_(str_done) struct str json = { 0 };

	codec_encode(&message_action_result, result, &json);
	if (is_journaled && journal_finish(x->journal, result->gid, str_get(&json)) < 0)
		log_error("the journal: %s; the result is kept in memory alone",
			  journal_error(x->journal));
	(void)outbox_add(&x->outbox, result, str_get(&json), is_journaled, executor_now(x));
	counter_add(x->env->counters,
		    result->outcome == STEP_VERIFIED ? "results_verified" : "results_other", 1);
}

/* A grant that is not acted on. */
static void report_refused(struct executor *x, const struct order *order, const char *why,
			   bool is_journaled)
{
	char detail[512];
	const struct msg_action_result result = {
		.id = order->payload->id,
		.step = order->payload->step,
		.gid = order->payload->gid,
		.outcome = STEP_FAILED,
		.detail = detail,
	};

	(void)snprintf(detail, sizeof(detail), "Nothing was done: the grant was refused: %.440s",
		       why);
	report(x, &result, is_journaled);
	executor_pump(x);
}

/* ── runs ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_change(const struct order *order)
{
	return order->tool->tier > TIER_GREEN;
}

bool executor_is_busy(const struct executor *x, const struct order *order, const char *object)
{
	for (const struct job *job = x->jobs; job; job = job->next) {
		const struct order *other = run_order(job->run);

		if (order ? run_is_in_way(job->run, order) :
			    is_change(other) && object[0] && str_eq(other->object, object))
			return true;
	}
	return false;
}

static void add_job(struct executor *x, struct run *run)
{
	struct job *job = xnew(struct job);

	job->run = run;
	job->next = x->jobs;
	x->jobs = job;
	x->jobs_n++;
}

static void drop_job(struct executor *x, struct run *run)
{
	for (struct job **at = &x->jobs; *at; at = &(*at)->next) {
		struct job *job = *at;

		if (job->run != run)
			continue;
		*at = job->next;
		x->jobs_n--;
		run_free(job->run);
		free(job);
		return;
	}
}

void executor_end_jobs(struct executor *x)
{
	while (x->jobs)
		drop_job(x, x->jobs->run);
}

void executor_finished(void *ctx, struct run *run, const struct msg_action_result *result)
{
	struct executor *x = ctx;

	report(x, result, is_change(run_order(run)));
	drop_job(x, run);
	executor_pump(x);
}

static void answer_from_state(struct executor *x, struct run *run)
{
	const struct order *order = run_order(run);
	const struct state_question q = {
		.docs = x->docs,
		.tool = order->tool,
		.args = &order->args,
		.boot_ms = executor_now(x),
		.wall_ms = clock_wall_ms(x->env->clock),
	};
	_cleanup_(str_done) struct str text = { 0 };
	struct tool_error error;

	if (state_tool_answer(&q, &text, &error) == 0)
		run_answer(run, STEP_VERIFIED, "", str_get(&text));
	else
		run_answer(run, STEP_FAILED, error.text, NULL);
}

/* Without a cluster in its arguments a read means the only one. */
static struct pve_link *link_for(const struct executor *x, const struct order *order)
{
	if (!order->target.cluster && x->links_n == 1)
		return x->links[0];
	return executor_link(x, order->target.cluster);
}

static void begin(struct executor *x, struct arena *arena, const struct order *order)
{
	struct run *run = run_new(&x->host, link_for(x, order), arena, order);

	add_job(x, run);
	if (order->tool->runner == RUNNER_STATE)
		answer_from_state(x, run);
	else
		run_start(run);
}

/* ── grants ────────────────────────────────────────────────────────────────────────────────────────────────── */

static int use_up(struct executor *x, const struct order *order)
{
	const struct journal_entry entry = {
		.gid = order->payload->gid,
		.id = order->payload->id,
		.step = order->payload->step,
		.payload = order->text,
		.granted_ms = clock_wall_ms(x->env->clock),
	};

	return is_change(order) ? journal_grant(x->journal, &entry) : 0;
}

static void count_refusal(struct executor *x, const char *counter, const char *why)
{
	counter_add(x->env->counters, counter, 1);
	log_folded(&x->grant_fold, executor_now(x), LOG_LEVEL_WARN, "a grant was refused: %s", why);
}

/* A checked order: what is left to stand in its way is that it was used before, or that we are at work there. */
static void take_order(struct executor *x, struct arena *arena, const struct order *order)
{
	int r = use_up(x, order);

	if (r == -EEXIST) {
		/* Whoever used it reports it. */
		count_refusal(x, "grants_replayed", "it has been used before");
		arena_free(arena);
		return;
	}
	if (r < 0 || executor_is_busy(x, order, NULL)) {
		const char *why = r < 0 ? journal_error(x->journal) :
					  "something is being done to the same target";

		count_refusal(x, "grants_refused", why);
		report_refused(x, order, why, r == 0 && is_change(order));
		arena_free(arena);
		return;
	}
	counter_add(x->env->counters, "grants_accepted", 1);
	begin(x, arena, order);
}

/* Only what answers this very claim is reported: a replayed grant is somebody else's. */
static bool is_ours(const struct order *order, const struct claim *claim)
{
	return order->payload && str_eq(order->payload->id, claim->id) &&
	       str_eq(order->payload->nonce, claim->nonce);
}

static void on_envelope(struct executor *x, struct wish *wish, const char *envelope)
{
	const struct claim claim = {
		.id = wish->id,
		.nonce = wish->nonce,
		.epoch = x->epoch,
		.age_ms = executor_now(x) - wish->claimed_ms,
	};
	struct arena *arena = arena_new();
	struct grant_error error;
	struct order order;
	enum grant_fault fault = grant_check(&x->keys, envelope, &claim, arena, &order, &error);

	if (fault == GRANT_GOOD) {
		wishes_drop(&x->wishes, wish->id);
		take_order(x, arena, &order);
		return;
	}
	count_refusal(x, fault == GRANT_UNSIGNED ? "grants_forged" : "grants_refused", error.text);
	/* Of an unsigned one nothing is believed, not even that the claim has been answered. */
	if (fault != GRANT_UNSIGNED && is_ours(&order, &claim)) {
		/* The report looks at all wishes, and may free this one. */
		wish_refuse(wish, executor_now(x));
		report_refused(x, &order, error.text, false);
	}
	arena_free(arena);
}

void executor_on_grant(void *self, const struct msg *msg)
{
	struct executor *x = self;
	const struct msg_grant *grant = msg->body;
	struct wish *wish = wishes_find(&x->wishes, grant->nonce);

	if (x->is_stopping)
		return;
	if (!wish || !str_eq(wish->id, grant->id)) {
		count_refusal(x, "grants_unasked", "nobody has asked for it");
		return;
	}
	if (grant->envelope) {
		on_envelope(x, wish, grant->envelope);
		return;
	}
	counter_add(x->env->counters, "claims_refused", 1);
	log_info("%s %s: not granted: %s", wish->tool->name, wish->object,
		 grant->refused ? grant->refused : "no reason");
	wish_refuse(wish, executor_now(x));
}

void executor_on_cancel(void *self, const struct msg *msg)
{
	struct executor *x = self;
	const struct msg_action_cancel *cancel = msg->body;

	for (struct job *job = x->jobs; job; job = job->next) {
		const struct msg_grant_payload *p = run_order(job->run)->payload;

		if (str_eq(p->gid, cancel->gid) && str_eq(p->id, cancel->id)) {
			counter_add(x->env->counters, "cancels", 1);
			run_cancel(job->run);
			return;
		}
	}
}

/* ── after a restart ───────────────────────────────────────────────────────────────────────────────────────── */

static void take_up_unreadable(struct executor *x, const struct journal_entry *entry,
			       const char *why)
{
	const struct msg_action_result result = {
		.id = entry->id,
		.step = entry->step,
		.gid = entry->gid,
		.outcome = entry->state == JOURNAL_GRANTED ? STEP_FAILED : STEP_UNKNOWN,
		.upid = entry->upid,
		.detail = "The executor was restarted, and cannot read what it had begun.",
	};
	_cleanup_(str_done) struct str json = { 0 };

	log_error("the journal: %s: %s", entry->gid, why);
	codec_encode(&message_action_result, &result, &json);
	(void)outbox_add(&x->outbox, &result, str_get(&json), true, executor_now(x));
}

static void take_up_entry(void *ctx, const struct journal_entry *entry)
{
	struct executor *x = ctx;
	struct arena *arena;
	struct grant_error error = { "it has no payload" };
	struct order order;
	struct run *run;

	if (entry->state == JOURNAL_DONE && entry->result) {
		const struct msg_action_result result = { .id = entry->id,
							  .step = entry->step,
							  .gid = entry->gid };

		(void)outbox_add(&x->outbox, &result, entry->result, true, executor_now(x));
		return;
	}
	arena = arena_new();
	if (!entry->payload || order_read(entry->payload, arena, &order, &error) < 0) {
		take_up_unreadable(x, entry, error.text);
		arena_free(arena);
		return;
	}
	log_info("%s %s: taking up what was begun before the restart", order.tool->name,
		 order.object);
	counter_add(x->env->counters, "taken_up", 1);
	run = run_new(&x->host, link_for(x, &order), arena, &order);
	add_job(x, run);
	run_resume(run, entry);
}

int executor_take_up(struct executor *x)
{
	int r = journal_each(x->journal, take_up_entry, x);

	if (r < 0)
		log_error("the journal: %s", journal_error(x->journal));
	return r;
}
