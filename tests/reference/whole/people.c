/* SPDX-License-Identifier: MIT */
/*
 * Persons and agents: they ask, approve with right and wrong proofs, deny, cancel, freeze and set levels. What they do
 * rightly is noted for the checks.
 */
#include "tests/reference/whole/people.h"

#include "common/alloc.h"
#include "common/seal.h"
#include "common/totp.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROBE_MS 12000
static const struct msg_actor op = { "user", "op" }, guest = { "user", "guest" },
			      agent = { "mcp", "claude" };

static const struct {
	const char *principal;
	const struct msg_actor *actor;
} askers[] = {
	{ "gateway", &op },    { "gateway", &op },    { "gateway", &op },     { "gateway", &op },
	{ "gateway", &op },    { "gateway", &op },    { "gateway", &op },     { "gateway", &op },
	{ "gateway", &guest }, { "gateway", &agent }, { "llm-router", NULL }, { "ha", NULL },
};

/* ── asking ────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Mostly what makes sense. */
static enum pve_op pick_op(struct whole *w, const struct pve_guest *of)
{
	static const enum pve_op running[] = { OP_SHUTDOWN, OP_SHUTDOWN, OP_REBOOT, OP_STOP,
					       OP_SNAPSHOT };
	static const enum pve_op resting[] = { OP_START, OP_START, OP_START, OP_SNAPSHOT,
					       OP_DELETE_SNAPSHOT };

	if (dice_once_in(&w->dice, 8))
		return (enum pve_op)dice_roll(&w->dice, OP_RESTART);
	return of->is_running ? dice_pick(&w->dice, running) : dice_pick(&w->dice, resting);
}

/* Now and then a unit of a node. */
static bool pick_unit(struct whole *w, struct asked *asked)
{
	if (!dice_once_in(&w->dice, 4))
		return false;
	asked->op = dice_once_in(&w->dice, 4) ? OP_HALT : OP_RESTART;
	asked->node = w->pve->units[dice_roll(&w->dice, PVE_NODES)].node;
	asked->n = 1;
	return true;
}

static void pick_targets(struct whole *w, struct asked *asked)
{
	size_t first = dice_roll(&w->dice, PVE_GUESTS);

	asked->op = pick_op(w, &w->pve->guests[first]);
	asked->n = dice_once_in(&w->dice, 5) ? 2 + dice_roll(&w->dice, 2) : 1;
	for (size_t i = 0; i < asked->n; i++)
		asked->vmid[i] = w->pve->guests[(first + i) % PVE_GUESTS].vmid;
	if (asked->op == OP_SNAPSHOT)
		snprintf(asked->snapshot, sizeof(asked->snapshot), "s%zu", dice_roll(&w->dice, 6));
	else if (asked->op == OP_DELETE_SNAPSHOT)
		snprintf(asked->snapshot, sizeof(asked->snapshot), "old");
}

static void say_request(struct whole *w, const struct asked *asked, size_t number)
{
	char id[24], args[100], words[CHECK_STEPS][24];
	const char *targets[CHECK_STEPS];
	struct msg_action_request request = {
		.request_id = id,
		.tool = check_tools[asked->op],
		.args = args,
		.targets = targets,
		.targets_n = asked->n > 1 ? asked->n : 0,
		.reason = id + 1,
		.confirmed = some_bool(asked->confirmed),
		.proposes = some_bool(asked->proposes),
		.actor = asked->actor,
	};

	snprintf(id, sizeof(id), "r%zu", number);
	snprintf(args, sizeof(args), "{%s%.0" PRId64,
		 asked->n > 1 ? "" : "\"guest\":", asked->n > 1 ? 0 : asked->vmid[0]);
	if (asked->snapshot[0])
		snprintf(args + strlen(args), sizeof(args) - strlen(args), "%s\"snapshot\":\"%s\"",
			 asked->n > 1 ? "" : ",", asked->snapshot);
	snprintf(args + strlen(args), sizeof(args) - strlen(args), "}");
	if (asked->node)
		snprintf(args, sizeof(args), "{\"node\":\"%s\",\"unit\":\"" PVE_UNIT "\"}",
			 asked->node);
	for (size_t i = 0; i < asked->n; i++) {
		snprintf(words[i], sizeof(words[i]), "%" PRId64, asked->vmid[i]);
		targets[i] = words[i];
	}
	trace(w, "%s asks for %s %s (%s) of %zu", asked->principal, request.tool, args, id,
	      asked->n);
	broker_say(w, TOPIC_ACTION_REQUEST, (const char *const[]){ asked->principal, NULL },
		   &request);
}

static void ask(struct whole *w)
{
	struct check *c = w->check;
	size_t who = dice_roll(&w->dice, countof(askers));
	struct asked *asked;

	if (c->asked_n == CHECK_ASKED - 1)
		return;
	asked = &c->asked[c->asked_n++];
	*asked = (struct asked){ .principal = askers[who].principal,
				 .actor = askers[who].actor,
				 .proposes = dice_once_in(&w->dice, 8),
				 .confirmed = !dice_once_in(&w->dice, 8) };
	if (!pick_unit(w, asked))
		pick_targets(w, asked);
	say_request(w, asked, c->asked_n - 1);
	if (dice_once_in(&w->dice, 8))
		say_request(w, asked, c->asked_n - 1);
}

/* ── proofs ────────────────────────────────────────────────────────────────────────────────────────────────── */

enum proof { RIGHT_CODE, RIGHT_KEYWORD, NO_PROOF, WRONG_CODE, WRONG_KEYWORD, OTHERS_CODE };

static const char *make_proof(struct whole *w, enum proof proof, const char *digest,
			      char ret[SEAL_TEXT_SIZE])
{
	static const char *const other =
		"0000000000000000000000000000000000000000000000000000000000000000";
	bool is_keyword = proof == RIGHT_KEYWORD || proof == WRONG_KEYWORD;
	struct totp_secret secret;
	char code[TOTP_DIGITS + 1];

	if (proof == NO_PROOF || totp_secret_from_base32(WHOLE_CODE, &secret) < 0 ||
	    totp_code(&secret, totp_step(side_wall_ms(&w->gate)), code) < 0)
		return NULL;
	if (proof == WRONG_CODE)
		code[3] = code[3] == '9' ? '0' : (char)(code[3] + 1);
	if (seal_proof(w->box.pk[0], proof == OTHERS_CODE ? other : digest,
		       !is_keyword	      ? NULL :
		       proof == RIGHT_KEYWORD ? WHOLE_KEYWORD :
						"sesame",
		       is_keyword ? NULL : code, ret) < 0)
		return NULL;
	return ret;
}

static bool is_enough(enum action_need need, enum proof proof)
{
	if (need == ACTION_NEEDS_NOTHING)
		return true;
	return proof == RIGHT_CODE || (need == ACTION_NEEDS_KEYWORD && proof == RIGHT_KEYWORD);
}

/* ── deciding ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void say_decision(struct whole *w, const struct check_action *action, const char *decision,
			 size_t who, const char *digest, const char *proof)
{
	const struct msg_action_approval approval = {
		.request_id = "d",
		.decision = decision,
		.digest = digest,
		.proof = proof,
		.actor = askers[who].actor,
	};

	trace(w, "%s (%s) decides on %s: %s", askers[who].principal,
	      askers[who].actor ? askers[who].actor->name : "", action->id, decision);
	broker_say(w, TOPIC_ACTION_APPROVAL,
		   (const char *const[]){ action->id, askers[who].principal, NULL }, &approval);
}

static void approve(struct whole *w, struct check_action *action)
{
	static const enum proof proofs[] = { RIGHT_CODE,    RIGHT_CODE,	   RIGHT_CODE,
					     RIGHT_CODE,    RIGHT_KEYWORD, RIGHT_KEYWORD,
					     RIGHT_KEYWORD, NO_PROOF,	   WRONG_CODE,
					     WRONG_KEYWORD, OTHERS_CODE };
	size_t who = dice_once_in(&w->dice, 8) ? dice_roll(&w->dice, countof(askers)) : 0;
	bool is_digest = action->digest[0] && !dice_once_in(&w->dice, 20);
	const char *digest = is_digest ? action->digest : "none";
	enum proof proof = dice_pick(&w->dice, proofs);
	char text[SEAL_TEXT_SIZE];
	const char *sealed = make_proof(w, proof, action->digest, text);

	/* A person without a proof of his own may approve what needs none. */
	if (is_digest && is_enough(action->need, proof) && w->breakage != BREAK_UNAPPROVED &&
	    (askers[who].actor == &op ||
	     (askers[who].actor == &guest && action->need == ACTION_NEEDS_NOTHING)))
		check_approved(w, action);
	say_decision(w, action, "approve", who, digest, sealed);
}

static struct check_action *pick_action(struct whole *w)
{
	struct check *c = w->check;
	struct check_action *action;

	for (int i = 0; i < 4 && c->actions_n; i++) {
		action = &c->actions[c->actions_n - 1 -
				     dice_roll(&w->dice, min_of(c->actions_n, (size_t)6))];
		if (!check_is_over(action->status))
			return action;
	}
	return NULL;
}

static void cancel(struct whole *w, struct check_action *action)
{
	/* Whoever asked may, and persons. */
	action->is_cancelled = true;
	say_decision(w, action, "cancel", 0, "", NULL);
}

static void decide(struct whole *w)
{
	struct check_action *action = pick_action(w);

	if (!action)
		return;
	if (action->status != ACTION_WAITING && dice_once_in(&w->dice, 3))
		cancel(w, action);
	else if (action->status == ACTION_WAITING && dice_once_in(&w->dice, 12))
		say_decision(w, action, "deny", 0, action->digest, NULL);
	else
		approve(w, action);
}

void people_see(struct whole *w, const struct msg_action_state *state)
{
	struct people *p = w->people;

	/* Somebody looks at what waits. */
	if (state->status == ACTION_WAITING && p->eager < 6)
		p->eager++;
}

/* ── autonomy ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void set(struct whole *w, const char *op_word, int level, enum proof proof)
{
	struct people *p = w->people;
	char id[24], digest[65], text[SEAL_TEXT_SIZE];
	struct msg_autonomy_set message = { .request_id = id, .op = op_word, .actor = &op };

	snprintf(id, sizeof(id), "a%u", ++p->serial);
	if (level >= 0)
		message.level = some_i64(level);
	seal_autonomy_digest(&message, digest);
	message.proof = make_proof(w, proof, digest, text);
	if (level >= 0 && proof == RIGHT_CODE)
		check_level(w, level);
	trace(w, "op sets %s %d", op_word, level);
	broker_say(w, TOPIC_AUTONOMY_SET, (const char *const[]){ "gateway", NULL }, &message);
}

static void thaw_file(struct whole *w, void *ctx)
{
	_cleanup_(freep) char *path = xasprintf("%s/frozen", w->executor.runtime);

	(void)ctx;
	(void)unlink(path);
}

/* On the host itself; who shares the folder with the gate freezes that too. */
static void freeze_by_file(struct whole *w)
{
	_cleanup_(freep) char *path = xasprintf("%s/frozen", w->executor.runtime);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	trace(w, "somebody writes %s", path);
	if (fd >= 0)
		(void)close(fd);
	if (!str_eq(w->executor.runtime, w->gate.runtime))
		event_add(w, whole_between(w, 1000, 15000), NULL, thaw_file, NULL, NULL);
}

static void thaw(struct whole *w, void *ctx)
{
	(void)ctx;
	if (!w->is_calm)
		set(w, "unfreeze", -1, dice_once_in(&w->dice, 4) ? NO_PROOF : RIGHT_CODE);
	if (!w->is_calm && w->check->is_gate_frozen)
		event_add(w, whole_between(w, 500, 15000), NULL, thaw, NULL, NULL);
}

static void govern(struct whole *w)
{
	if (whole_happens(w, w->weather.freeze)) {
		if (dice_once_in(&w->dice, 3))
			freeze_by_file(w);
		else
			set(w, "freeze", -1, NO_PROOF);
		event_add(w, whole_between(w, 500, 15000), NULL, thaw, NULL, NULL);
	} else if (dice_once_in(&w->dice, 12)) {
		set(w, "level", (int)dice_roll(&w->dice, 5),
		    dice_once_in(&w->dice, 4) ? NO_PROOF : RIGHT_CODE);
	}
}

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static void people_cb(struct whole *w, void *ctx)
{
	struct people *p = w->people;

	(void)ctx;
	if (w->is_calm)
		return;
	if (p->eager && !dice_once_in(&w->dice, 4)) {
		p->eager--;
		decide(w);
	} else if (dice_once_in(&w->dice, 2)) {
		ask(w);
	} else {
		decide(w);
	}
	govern(w);
	event_add(w, whole_between(w, 100, p->pause_ms), NULL, people_cb, NULL, NULL);
}

void people_init(struct whole *w)
{
	w->people = xnew(struct people);
	w->people->pause_ms = whole_between(w, 300, 3000);
	event_add(w, whole_between(w, 1500, 4000), NULL, people_cb, NULL, NULL);
}

void people_done(struct whole *w)
{
	free(take(w->people));
}

static bool is_well(const struct side *side)
{
	return side->self && side->is_online && !side->is_deaf &&
	       side->asleep_until <= side->w->now_ms;
}

/* When all has been well for a while, somebody who asks is answered. */
static void probe(struct whole *w, _unused_ void *ctx)
{
	struct people *p = w->people;
	struct check *c = w->check;
	struct asked *asked;

	p->well_n = is_well(&w->gate) && is_well(&w->executor) ? p->well_n + 1 : 0;
	if (p->well_n * 1000 < PROBE_MS) {
		event_add(w, 1000, NULL, probe, NULL, NULL);
		return;
	}
	asked = &c->asked[c->asked_n++];
	*asked = (struct asked){ .principal = "gateway", .actor = &op, .op = OP_READ, .n = 1 };
	asked->vmid[0] = w->pve->guests[0].vmid;
	c->probe = asked;
	say_request(w, asked, c->asked_n - 1);
}

void people_calm(struct whole *w)
{
	for (size_t i = 0; i < w->check->actions_n; i++) {
		struct check_action *action = &w->check->actions[i];

		if (action->status == ACTION_WAITING)
			say_decision(w, action, "deny", 0, action->digest, NULL);
	}
	thaw_file(w, NULL);
	event_add(w, 1000, NULL, probe, NULL, NULL);
}
