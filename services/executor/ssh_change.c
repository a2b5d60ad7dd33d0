/* SPDX-License-Identifier: MIT */
/*
 * What is changed at the node itself: looked at, journaled, asked for once, and looked at again. An answer that cannot
 * be believed whole says nothing; then the unit does, and where it does not it is unknown. Never is it asked for twice.
 */
#include "services/executor/run_parts.h"

#include "common/log.h"
#include "services/executor/ssh_answers.h"
#include "services/executor/ssh_unit.h"

#include <stdio.h>

#define AGAIN_MS 500
/* It said itself that it failed: all that could still help is systemd's own restart. */
#define FAILED_PATIENCE_MS ((int64_t)2000)

/* ── afterwards ────────────────────────────────────────────────────────────────────────────────────────────── */

static void look_again(void *ctx);

/* RUN->exit: what was wrong with the answer to the change; "" for nothing. */
static void succeed(struct run *run)
{
	run_end(run, STEP_VERIFIED, "Done, and verified: %s.%s%s%s", run->seen,
		run->exit[0] ? " Its own answer was: " : "", run->exit,
		run->wants_cancel ? " It was too late to cancel it." : "");
}

static void give_up(struct run *run, enum verify_verdict verdict)
{
	if (run->is_ambiguous)
		run_end(run, STEP_UNKNOWN,
			"It was asked for, and it is not known what became of it (%.200s); %.200s. It is not "
			"tried again.",
			run->exit, run->seen);
	else if (run->end == TASK_END_ERROR)
		run_end(run, STEP_FAILED, "It failed, %s; %.200s.", run->exit, run->seen);
	else if (verdict == VERDICT_NOT_YET)
		run_end(run, STEP_STILL_FAILING, "The node says that it is done, but %s.",
			run->seen);
	else
		run_end(run, STEP_UNKNOWN, "It was done, but it could not be verified: %s",
			run->seen);
}

static void on_seen(struct run *run, bool is_sent, const struct ssh_answer *answer)
{
	const char *known = str_get(&run->known);
	enum verify_verdict verdict = VERDICT_BLIND;
	struct unit_now before, now;
	int64_t patience_ms = run_ssh_patience_ms(run);

	(void)is_sent;
	run->polls++;
	if (run->end == TASK_END_ERROR && !run->is_ambiguous)
		patience_ms = min_of(patience_ms, FAILED_PATIENCE_MS);
	if (!run_ssh_is_ok(answer))
		run_ssh_describe(answer, run->seen);
	else if (ssh_unit_read(answer->out, answer->out_len, &now) < 0 ||
		 ssh_unit_read(known, strlen(known), &before) < 0)
		(void)snprintf(run->seen, sizeof(run->seen), "what systemd says makes no sense");
	else
		verdict = ssh_unit_judge(run->order.tool->verify, &before, &now, run->seen);
	if (verdict == VERDICT_YES)
		succeed(run);
	else if (run_now(run) - run->phase_ms >= patience_ms)
		give_up(run, verdict);
	else
		run_later(run, AGAIN_MS, look_again);
}

static void look_again(void *ctx)
{
	struct run *run = ctx;
	const char *why = run_ssh_ask_unit(run, on_seen);

	if (!why)
		return;
	(void)snprintf(run->seen, sizeof(run->seen), "%s", why);
	give_up(run, VERDICT_BLIND);
}

static void verify(struct run *run)
{
	run_enter(run, PHASE_VERIFYING);
	look_again(run);
}

/* A command has no state to look at: its own word is all there is. */
static void end_command(struct run *run, const struct ssh_answer *answer, const char *words)
{
	_cleanup_(str_done) struct str text = { 0 };

	(void)ssh_answer_lines(answer, &text);
	if (run_ssh_is_ok(answer))
		run_answer(run, STEP_VERIFIED,
			   answer->out_lost ? "The command says that it is done. What it wrote was "
					      "too long: the end of it is missing." :
					      "The command says that it is done.",
			   str_get(&text));
	else if (answer->outcome == SSH_ANSWER_EXIT)
		run_answer(run, STEP_FAILED, words, str_get(&text));
	else
		run_end(run, STEP_UNKNOWN,
			"It was asked for, and it is not known what became of it: %.300s. It is not tried "
			"again.",
			words);
}

/* ── the change ────────────────────────────────────────────────────────────────────────────────────────────── */

static void on_changed(struct run *run, bool is_sent, const struct ssh_answer *answer)
{
	char words[FOLLOW_TEXT];

	run_ssh_describe(answer, words);
	if (run->held) {
		run_end(run, run->wants_cancel ? STEP_CANCELLED : STEP_FAILED,
			"Nothing was done: %s.", run->held);
		return;
	}
	if (!is_sent || answer->outcome == SSH_ANSWER_REFUSED) {
		run_end(run, STEP_FAILED, "Nothing was done: %s", words);
		return;
	}
	run->exit[0] = '\0';
	if (!run_ssh_is_ok(answer)) {
		(void)snprintf(run->exit, sizeof(run->exit), "%s", words);
		run->end = TASK_END_ERROR;
		run->is_ambiguous = answer->outcome != SSH_ANSWER_EXIT;
	}
	if (run->is_ambiguous) {
		counter_add(run->host->env->counters, "ambiguous", 1);
		log_warn("%s %s: it may have been done: %s", run->order.tool->name,
			 run->order.object, words);
	}
	if (ssh_unit_knows(run->order.tool->verify))
		verify(run);
	else
		end_command(run, answer, words);
}

static void send_change(struct run *run)
{
	const char *why = run_objection(run);

	if (!why && !run_journal(run))
		return;
	/* Writing takes its time. */
	why = why ? why : run_objection(run);
	if (!why) {
		run_enter(run, PHASE_SENDING);
		run->sent_ms = run_now(run);
		why = run_ssh_ask_tool(run, false, on_changed);
	}
	if (why)
		run_end(run, STEP_FAILED, "Nothing was done: %s.", why);
}

/* ── before ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void on_before(struct run *run, bool is_sent, const struct ssh_answer *answer)
{
	const char *unit = tool_args_get(&run->order.args, "unit").s;
	struct unit_now now;
	char words[FOLLOW_TEXT];

	(void)is_sent;
	run_ssh_describe(answer, words);
	if (!run_ssh_is_ok(answer)) {
		run_end(run, STEP_FAILED, "Nothing was done: it could not be looked at first: %s",
			words);
	} else if (ssh_unit_read(answer->out, answer->out_len, &now) < 0) {
		run_end(run, STEP_FAILED, "Nothing was done: what systemd says makes no sense.");
	} else if (!str_eq(now.load, "loaded")) {
		run_end(run, STEP_FAILED, "Nothing was done: %s is %s on %s.", unit, now.load,
			run->order.target.node);
	} else {
		ssh_unit_write(&now, &run->known);
		send_change(run);
	}
}

/* ── the beginning ─────────────────────────────────────────────────────────────────────────────────────────── */

const char *run_ssh_change(struct run *run)
{
	if (ssh_unit_knows(run->order.tool->verify))
		return run_ssh_ask_unit(run, on_before);
	send_change(run);
	return NULL;
}

void run_ssh_resume(struct run *run)
{
	run->is_ambiguous = true;
	(void)snprintf(run->exit, sizeof(run->exit), "the executor was restarted meanwhile");
	if (ssh_unit_knows(run->order.tool->verify))
		verify(run);
	else
		run_end(run, STEP_UNKNOWN,
			"It was asked for, and it is not known what became of it: %s. It is not tried again.",
			run->exit);
}
