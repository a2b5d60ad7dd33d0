/* SPDX-License-Identifier: MIT */
/*
 * A person decides about an action: approve, deny, cancel.
 */
#include "services/safety-gate/core_parts.h"

#include <stdio.h>
#include <string.h>

#define WRONG_MAX                                                                                  \
	10 /* wrong proofs of one principal and person in ten minutes; others are not held up by them */
#define WRONG_MS 600000

struct deciding {
	struct core *core;
	const char *principal;
	const struct msg_action_approval *approval;
	struct core_now now;
	struct effects *out;
	struct action *action;
	enum who who;
	const char *by; /* person, or principal */
};

static void done(const struct deciding *d, const char *text)
{
	effect_reply(d->out, d->principal, d->approval->request_id, REPLY_OK, NULL, text, NULL);
}

/* CODE decides how the asker takes it, RULE says what is in the way. Always false. */
static bool refuse(const struct deciding *d, const char *code, const char *rule, const char *text)
{
	bool is_error = str_eq(code, "state") || str_eq(code, "gone") || str_eq(code, "invalid");
	const char *result =
		d->action ? effect_refusal(d->out, d->action->state.tier, rule, text) : NULL;

	effect_reply(d->out, d->principal, d->approval->request_id,
		     is_error ? REPLY_ERROR : REPLY_DENIED, code, text, result);
	return false;
}

/* ── wrong proofs ──────────────────────────────────────────────────────────────────────────────────────────── */

static size_t count_wrong(struct core *core, const char *principal, const char *person,
			  struct core_now now)
{
	size_t kept = 0, n = 0;

	for (size_t i = 0; i < core->wrong_n; i++) {
		struct wrong_proof *w = &core->wrong[i];

		if (now.boot_ms - w->boot_ms > WRONG_MS) {
			free(w->principal);
			free(w->person);
			continue;
		}
		n += str_eq(w->principal, principal) && str_eq(w->person, person);
		core->wrong[kept++] = *w;
	}
	core->wrong_n = kept;
	return n;
}

static void note_wrong(struct core *core, const char *principal, const char *person,
		       struct core_now now)
{
	core->wrong = xreallocarray(core->wrong, core->wrong_n + 1, sizeof(*core->wrong));
	core->wrong[core->wrong_n++] =
		(struct wrong_proof){ xstrdup(principal), xstrdup(person), now.boot_ms };
}

bool core_proof_counts(struct core *core, const char *principal, const char *person,
		       enum proof_grade proof, struct core_now now, struct effects *out,
		       const char **why)
{
	*why = NULL;
	if (count_wrong(core, principal, person, now) >= WRONG_MAX) {
		*why = "Too many wrong proofs for this person from here: wait ten minutes.";
	} else if (proof == GRADE_BAD) {
		note_wrong(core, principal, person, now);
		effect_audit(out, "wrong_proof", "principal", principal, "person", person, NULL);
		*why = "That is not right, or was used already.";
	}
	return !*why;
}

/* ── deciding ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void deny(struct deciding *d)
{
	char text[200];

	if (d->action->state.status != ACTION_WAITING) {
		(void)refuse(d, "state", "state.decided",
			     "It does not wait for a decision any more.");
		return;
	}
	(void)snprintf(text, sizeof(text), "%.100s said no.", d->by);
	action_end(d->core, d->action, ACTION_DENIED, d->by, text, d->now, d->out);
	done(d, NULL);
}

static void cancel_running(struct deciding *d)
{
	struct arena *arena = d->out->arena;
	struct msg_action_cancel *cancel;

	d->action->rec.is_cancelling = true;
	effect_audit_action(d->out, "cancelling", d->action, d->by, NULL);
	effect_store(d->out, d->action);
	cancel = arena_alloc(arena, sizeof(*cancel));
	*cancel = (struct msg_action_cancel){ arena_strdup(arena, d->action->state.id),
					      arena_strdup(arena, d->action->rec.gid) };
	effect_add(d->out, EFFECT_CANCEL)->cancel = cancel;
	done(d, "The executor was told to stop it.");
}

static void cancel(struct deciding *d)
{
	bool is_asker = str_eq(d->principal, d->action->state.principal);
	char text[200];

	if (d->who != WHO_PERSON && !is_asker) {
		(void)refuse(d, "policy", "cancel.asker", "Only a person or who asked may cancel.");
		return;
	}
	switch (d->action->state.status) {
	case ACTION_WAITING:
	case ACTION_WINDOW:
	case ACTION_APPROVED:
		(void)snprintf(text, sizeof(text), "%.100s cancelled it before it began.", d->by);
		action_end(d->core, d->action, ACTION_CANCELLED, d->by, text, d->now, d->out);
		done(d, NULL);
		return;
	case ACTION_RUNNING:
		cancel_running(d);
		return;
	default:
		(void)refuse(d, "state", "state.over", "It is over.");
	}
}

static bool is_enough(enum action_need need, enum proof_grade proof)
{
	switch (need) {
	case ACTION_NEEDS_NOTHING:
		return true;
	case ACTION_NEEDS_KEYWORD:
		return proof == GRADE_KEYWORD || proof == GRADE_CODE;
	default:
		return proof == GRADE_CODE;
	}
}

/* Whether it can be approved now, and is what was shown: as it was asked for, judged once more. */
static bool is_still_right(struct deciding *d)
{
	struct again again = { .action = d->action,
			       .n = d->action->state.steps_n,
			       .approver = d->approval->actor };
	const struct verdict *v = &again.verdict;
	char text[500];

	if (core_judge_again(d->core, &again, d->now, d->out->arena))
		return true;
	if (core_is_changed(v)) {
		d->action->state.rule = v->rule;
		action_end(d->core, d->action, ACTION_REFUSED, NULL, v->reason, d->now, d->out);
		return refuse(d, "state", v->rule, v->reason);
	}
	(void)snprintf(text, sizeof(text), "%s It waits on, and can be approved later.", v->reason);
	return refuse(d,
		      v->decision == DECISION_STATE ? "state" :
		      str_starts(v->rule, "rate.")  ? "rate" :
						      "policy",
		      v->rule, text);
}

static bool may_decide(const struct deciding *d)
{
	const struct msg_action_approval *approval = d->approval;
	const struct msg_action_state *s = &d->action->state;

	if (d->who != WHO_PERSON)
		return refuse(d, "policy", "approver",
			      "Only a person may approve, through the gateway; others may deny.");
	if (approval->person && !str_eq(approval->person, approval->actor->name))
		return refuse(d, "policy", "approver", "One approves in one's own name.");
	if (s->status != ACTION_WAITING)
		return refuse(d, "state", "state.decided",
			      "It does not wait for a decision any more.");
	if (!str_eq_null(s->digest, approval->digest))
		return refuse(d, "digest", "digest",
			      "That is not what is waiting: look at it again.");
	if (d->core->is_frozen)
		return refuse(d, "frozen", "frozen", "Jarvis is frozen: unfreeze it first.");
	return true;
}

static bool may_approve(struct deciding *d, enum proof_grade proof)
{
	enum action_need need = d->action->state.need;
	const char *why;

	if (!may_decide(d) || !is_still_right(d))
		return false;
	if (proof != GRADE_NONE &&
	    !core_proof_counts(d->core, d->principal, d->by, proof, d->now, d->out, &why))
		return refuse(d, "proof", "proof", why);
	if (!is_enough(need, proof))
		return refuse(d, "proof", "proof",
			      need == ACTION_NEEDS_CODE ? "This needs a one-time code." :
							  "This needs the keyword.");
	return true;
}

static void approve(struct deciding *d, enum proof_grade proof)
{
	struct action *action = d->action;

	if (!may_approve(d, proof))
		return;
	action->state.approved_by = action_text(action, d->by);
	action->since_ms = d->now.boot_ms;
	effect_audit_action(d->out, "approved", action, d->by, NULL);
	if (action->state.tier == TIER_RED)
		action_set(action, ACTION_WINDOW, CORE_WINDOW_MS, d->now, d->out);
	else
		action_set(action, ACTION_APPROVED, CORE_CLAIM_MS, d->now, d->out);
	effect_event(d->core, d->out, EVENT_UPDATE, action, d->now);
	/* Whoever asked learns that it does not wait any longer. */
	effect_reply_action(d->out, action);
	done(d, NULL);
}

void core_approval(struct core *core, const char *principal, const char *id,
		   const struct msg_action_approval *approval, enum proof_grade proof,
		   struct core_now now, struct effects *out)
{
	struct deciding d = { .core = core,
			      .principal = principal,
			      .approval = approval,
			      .now = now,
			      .out = out,
			      .action = core_action(core, id) };
	const char *why;

	if (!core_who(core, principal, approval->actor, &d.who, &why)) {
		(void)refuse(&d, "actor", "actor", why);
		return;
	}
	d.by = approval->actor ? approval->actor->name : principal;
	if (!d.action) {
		(void)refuse(&d, "gone", "gone",
			     "There is no such action, or it is over since long.");
		return;
	}
	action_catch_up(core, d.action, now, out);
	/* Agents have no say here, whatever the broker let through. */
	if (d.who == WHO_AGENT)
		(void)refuse(&d, "policy", "approver", "Agents decide nothing.");
	else if (str_eq(approval->decision, "approve"))
		approve(&d, proof);
	else if (str_eq(approval->decision, "deny"))
		deny(&d);
	else if (str_eq(approval->decision, "cancel"))
		cancel(&d);
	else
		(void)refuse(&d, "invalid", "decision", "decision: approve, deny or cancel");
}
