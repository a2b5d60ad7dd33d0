/* SPDX-License-Identifier: MIT */
/*
 * Looks until it is as it should be, or for as long as it may take.
 */
#include "services/executor/run_parts.h"

#include <stdio.h>

#define EVERY_MIN_MS 1000
#define EVERY_MAX_MS 5000
/* Right after the task most things are as they should be; some take a moment. */
#define QUICK_MS 250
#define QUICK_LOOKS 4
/* What was interrupted does not become so any more. */
#define INTERRUPTED_MS 1000

static void look_cb(void *ctx);

static int64_t delay_ms(const struct run *run)
{
	if (run->polls <= QUICK_LOOKS)
		return QUICK_MS;
	return min_of((int64_t)run->polls * 500, (int64_t)EVERY_MAX_MS);
}

static const char *warnings(const struct run *run)
{
	return run->end == TASK_END_WARNINGS ? " The task had warnings." : "";
}

static void succeed(struct run *run)
{
	run_end(run, STEP_VERIFIED, "%s%s%s%s",
		run->order.tool->verify == VERIFY_TASK_OK ? "Proxmox says that it is done." :
							    "Done, and verified.",
		warnings(run), run->is_forgotten ? " Proxmox does not know its task any more." : "",
		run->wants_cancel ? " It was too late to cancel it." : "");
}

static void end_interrupted(struct run *run, enum verify_verdict verdict)
{
	if (verdict == VERDICT_NOT_YET)
		run_end(run, STEP_CANCELLED, "It was cancelled (%s), and %s.", run->exit,
			run->seen);
	else
		run_end(run, STEP_UNKNOWN,
			"It was cancelled (%s), and what had been done by then is not known: %s",
			run->exit, run->seen);
}

static void end_forgotten(struct run *run)
{
	run_end(run, STEP_UNKNOWN,
		"Proxmox began it and does not know its task any more, so it is not known how it "
		"ended%s%s.",
		run->seen[0] ? ": " : "", run->seen);
}

static void give_up(struct run *run, enum verify_verdict verdict)
{
	if (run->is_interrupted)
		end_interrupted(run, verdict);
	else if (run->is_forgotten)
		end_forgotten(run);
	else if (run->is_ambiguous)
		run_end(run, STEP_UNKNOWN,
			"It was asked for, it is not known whether Proxmox heard it, and %s.",
			run->seen);
	else if (verdict == VERDICT_NOT_YET)
		run_end(run, STEP_STILL_FAILING, "Proxmox says that it is done, but %s.%s",
			run->seen, warnings(run));
	else
		run_end(run, STEP_UNKNOWN, "It was done, but it could not be verified: %s",
			run->seen);
}

static int64_t patience_ms(const struct run *run, enum verify_verdict verdict)
{
	const struct verify_case c = run_case(run);

	return run->is_interrupted && verdict == VERDICT_NOT_YET ? INTERRUPTED_MS :
								   verify_patience_ms(&c);
}

static void on_seen(void *ctx, const struct pve_answer *answer)
{
	struct run *run = ctx;
	const struct verify_case c = run_case(run);
	bool is_gone = answer->fault.class == PVE_NOT_THERE;
	enum verify_verdict verdict = VERDICT_BLIND;

	run->call = NULL;
	run->polls++;
	if (answer->fault.class == PVE_OK || is_gone)
		verdict = verify_judge(&c, answer->tree, is_gone, run->seen);
	else
		(void)snprintf(run->seen, sizeof(run->seen), "%s", answer->fault.text);
	if (verdict == VERDICT_YES)
		succeed(run);
	else if (run_now(run) - run->phase_ms >= patience_ms(run, verdict))
		give_up(run, verdict);
	else
		run_later(run, delay_ms(run), look_cb);
}

static void look_cb(void *ctx)
{
	struct run *run = ctx;
	const struct verify_case c = run_case(run);
	_cleanup_(str_done) struct str path = { 0 };
	const char *node, *avoid;

	verify_build(&c, &path, &node, &avoid);
	run_get(run, str_get(&path), node, avoid, on_seen);
}

void run_verify(struct run *run)
{
	run_enter(run, PHASE_VERIFYING);
	if (verify_is_needed(run->order.tool))
		look_cb(run);
	else if (run->is_interrupted)
		run_end(run, STEP_CANCELLED, "It was cancelled (%s).", run->exit);
	else if (run->is_forgotten)
		end_forgotten(run);
	else
		succeed(run);
}
