/* SPDX-License-Identifier: MIT */
/*
 * From an approved step to a claim. Nothing is claimed that would not be done at once: a grant is good for seconds.
 */
#include "services/executor/executor_parts.h"

#include "common/grant.h"

#include <sodium.h>
#include <stdio.h>

#define TICK_MS 1000
#define HELLO_AGAIN_MS 5000
/* Whoever is only restarted is there again by then, and goes on with what it has begun. */
#define ALONE_MS 15000

static void make_nonce(char out[NONCE_TEXT])
{
	unsigned char random[NONCE_BYTES];

	randombytes_buf(random, sizeof(random));
	hex_build(random, sizeof(random), out);
}

/* ── the epoch ─────────────────────────────────────────────────────────────────────────────────────────────── */

/* Everything that the gate will still hear of. */
static size_t list_held(const struct executor *x, const char *ret[EXECUTOR_HOLDS_MAX])
{
	size_t n = 0;

	for (const struct job *job = x->jobs; job && n < EXECUTOR_HOLDS_MAX; job = job->next)
		ret[n++] = run_order(job->run)->payload->gid;
	for (const struct outcome *at = x->outbox.first; at && n < EXECUTOR_HOLDS_MAX;
	     at = at->next)
		ret[n++] = at->gid;
	return n;
}

void executor_say_hello(struct executor *x)
{
	const char *holds[EXECUTOR_HOLDS_MAX];
	const struct msg_executor_hello hello = {
		.nonce = x->hello,
		.holds = holds,
		.holds_n = list_held(x, holds),
	};

	if (!bus_is_online(x->env->bus))
		return;
	x->epoch = 0;
	x->is_fenced = false;
	x->hello_ms = executor_now(x);
	make_nonce(x->hello);
	(void)bus_publish(x->env->bus, TOPIC_X_HELLO, NULL, &hello);
}

/*
 * The gate hears the executor that said hello last, and no other. What we have asked Proxmox for goes on and is
 * followed; nothing is begun any more.
 */
static void fence(struct executor *x)
{
	if (!x->is_fenced)
		log_warn(
			"another executor has taken over; this one waits until that one has ended");
	x->epoch = 0;
	x->is_fenced = true;
	x->alone_ms = 0;
	executor_pump(x);
}

void executor_on_epoch(void *self, const struct msg *msg)
{
	struct executor *x = self;
	const struct msg_executor_epoch *epoch = msg->body;

	if (!x->hello[0] || !str_eq(epoch->nonce, x->hello) || epoch->epoch <= 0) {
		if (x->is_fenced || (x->epoch && epoch->epoch > x->epoch))
			fence(x);
		return;
	}
	x->hello[0] = '\0';
	x->epoch = epoch->epoch;
	wishes_unclaim(&x->wishes);
	executor_pump(x);
}

void executor_watch(struct executor *x, const struct msg *msg)
{
	bool has_gone = !msg->bare || !str_eq(msg->bare->word, "online");
	bool is_ours = str_eq(msg->args->value[1], x->env->instance);

	/* Under our own name "online" may be ourselves, setting right what the other one's end has made of it. */
	if (!x->is_fenced || msg->retained || !str_eq(msg->args->value[0], "executor") ||
	    (is_ours && !has_gone))
		return;
	if (docs_is_other_online(x->docs, SERVICE_EXECUTOR, x->env->instance))
		x->alone_ms = 0;
	else if (has_gone)
		x->alone_ms = executor_now(x) + ALONE_MS;
	executor_pump(x);
}

const char *executor_objection(void *ctx)
{
	const struct executor *x = ctx;

	if (x->is_fenced)
		return "another executor has taken over";
	if (!x->epoch)
		return "the link to the safety gate was lost before it was begun";
	return NULL;
}

/* ── claims ────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Why WISH is not claimed now; NULL when it is. */
static const char *objection(const struct executor *x, const struct wish *wish)
{
	const struct pve_link *link = executor_link(x, wish->cluster);
	const char *why = freeze_stops(&x->freeze, wish->tool->tier, executor_now(x));

	if (why || wish->tool->tier == TIER_GREEN)
		return why;
	if (!link)
		return "its cluster has no executor section in jarvis.yaml";
	/* A token's rights do not matter to what goes to the node itself. */
	if (wish->tool->runner != RUNNER_SSH && !pve_link_is_fit(link, &why))
		return why;
	if (executor_is_busy(x, NULL, wish->object))
		return "something is being done to the same target";
	return NULL;
}

static void claim(struct executor *x, struct wish *wish)
{
	struct msg_grant_claim message = { .id = wish->id, .epoch = x->epoch };
	char nonce[NONCE_TEXT];

	make_nonce(nonce);
	message.nonce = nonce;
	/* The clock starts before the claim leaves: an age is then never too small. */
	wish_claim(wish, nonce, executor_now(x));
	counter_add(x->env->counters, "claims", 1);
	(void)bus_publish(x->env->bus, TOPIC_X_CLAIM, NULL, &message);
}

static void claim_due(struct executor *x)
{
	int64_t now = executor_now(x);

	for (struct wish *wish = x->wishes.first; wish; wish = wish->next) {
		const char *why;

		if (!wish_is_due(wish, now))
			continue;
		why = x->jobs_n < RUNS_MAX ? objection(x, wish) : "too much is being done already";
		if (!why) {
			claim(x, wish);
			continue;
		}
		counter_add(x->env->counters, "claims_held", 1);
		log_folded(&x->claim_fold, now, LOG_LEVEL_WARN, "%s %s waits: %s", wish->tool->name,
			   wish->object, why);
		wish->retry_ms = now + TICK_MS;
	}
}

/* ── results ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void settle(struct executor *x, struct outcome *outcome)
{
	if (outcome->is_journaled && journal_close(x->journal, outcome->gid) < 0)
		log_error("the journal: %s", journal_error(x->journal));
	outcome_free(outcome);
}

static void say_results(struct executor *x)
{
	int64_t now = executor_now(x);
	struct outcome *outcome;

	while ((outcome = outbox_expire(&x->outbox, now)))
		settle(x, outcome);
	while (bus_is_online(x->env->bus) && (outcome = outbox_next(&x->outbox, now)))
		(void)bus_publish_text(x->env->bus, TOPIC_X_RESULT, NULL, outcome->json,
				       strlen(outcome->json));
}

void executor_on_action(void *self, const struct msg *msg)
{
	struct executor *x = self;
	const struct msg_action_state *action = msg->body;
	const char *id = msg->args->value[0];
	struct outcome *outcome;

	while ((outcome = outbox_settle(&x->outbox, id, action)))
		settle(x, outcome);
	wishes_take(&x->wishes, id, action);
	if (x->wishes.n)
		executor_pump(x);
}

/* ── what is wrong ─────────────────────────────────────────────────────────────────────────────────────────────── */

void executor_tell_trouble(struct executor *x)
{
	_cleanup_(str_done) struct str text = { 0 };
	const char *why;

	if (x->is_fenced)
		str_add(&text,
			"another executor has taken over; this one waits until that one has ended");
	if (!x->keys.n)
		str_printf(&text, "%sno grant can be checked: %s", text.len ? "; " : "",
			   str_get(&x->keys_error));
	if (journal_check(x->journal) < 0)
		str_printf(&text,
			   "%snothing above green is done: %s; look at it, then restart executor",
			   text.len ? "; " : "", journal_error(x->journal));
	for (size_t i = 0; i < x->links_n; i++) {
		why = pve_link_trouble(x->links[i]);
		if (why)
			str_printf(&text, "%s%s: %s", text.len ? "; " : "",
				   pve_link_cluster(x->links[i]), why);
	}
	service_set_trouble(x->env, str_get(&text));
}

/* ── the pump ──────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_alone(const struct executor *x)
{
	return !x->is_fenced || (x->alone_ms && executor_now(x) >= x->alone_ms);
}

void executor_pump(struct executor *x)
{
	bool wants_epoch, has_keys;

	if (x->is_stopping)
		return;
	wants_epoch = bus_is_online(x->env->bus) && !x->epoch && is_alone(x) &&
		      docs_is_online(x->docs, SERVICE_SAFETY_GATE);
	if (wants_epoch && executor_now(x) - x->hello_ms >= HELLO_AGAIN_MS)
		executor_say_hello(x);
	has_keys = executor_has_keys(x);
	executor_tell_trouble(x);
	executor_prune(x);
	wishes_sweep(&x->wishes, executor_now(x));
	if (x->epoch && x->wishes.n && has_keys)
		claim_due(x);
	say_results(x);
	if (wants_epoch || !has_keys || x->wishes.n || x->outbox.first ||
	    (x->is_fenced && x->alone_ms))
		timer_once(x->timer, TICK_MS);
	else
		timer_stop(x->timer);
}
