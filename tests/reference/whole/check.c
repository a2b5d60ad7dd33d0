/* SPDX-License-Identifier: MIT */
/*
 * Held against what is said and done, when it is.
 */
#include "tests/reference/whole/check.h"

#include "common/alloc.h"
#include "common/grant.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RED_MS 10000

const char *const check_tools[OP_COUNT] = {
	[OP_START] = "guest_start",	  [OP_SHUTDOWN] = "guest_shutdown",
	[OP_STOP] = "guest_stop",	  [OP_REBOOT] = "guest_reboot",
	[OP_SNAPSHOT] = "guest_snapshot", [OP_DELETE_SNAPSHOT] = "snapshot_delete",
	[OP_RESTART] = "service_restart", [OP_HALT] = "service_stop",
	[OP_READ] = "guest_status",
};

static const enum tier floors[OP_COUNT] = {
	[OP_START] = TIER_YELLOW,   [OP_SHUTDOWN] = TIER_ORANGE, [OP_STOP] = TIER_RED,
	[OP_REBOOT] = TIER_ORANGE,  [OP_SNAPSHOT] = TIER_YELLOW, [OP_DELETE_SNAPSHOT] = TIER_RED,
	[OP_RESTART] = TIER_YELLOW, [OP_HALT] = TIER_ORANGE,	 [OP_READ] = TIER_GREEN,
};

void check_init(struct whole *w)
{
	w->check = xnew(struct check);
	w->check->level = 2;
	w->check->heard_ms = -1;
}

void check_done(struct whole *w)
{
	free(take(w->check));
}

void check_fail(struct whole *w, const char *format, ...)
{
	char text[sizeof(w->failure)];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (w->failure[0])
		return;
	memcpy(w->failure, text, sizeof(text));
	trace(w, "BROKEN: %s", text);
}

bool check_is_over(enum action_status status)
{
	return status >= ACTION_VERIFIED;
}

struct check_action *check_find(struct whole *w, const char *id)
{
	for (size_t i = 0; i < w->check->actions_n; i++) {
		if (str_eq(w->check->actions[i].id, id))
			return &w->check->actions[i];
	}
	return NULL;
}

struct check_grant *check_grant(struct whole *w, const char *gid)
{
	for (size_t i = 0; i < w->check->grants_n; i++) {
		if (str_eq(w->check->grants[i].gid, gid))
			return &w->check->grants[i];
	}
	return NULL;
}

void check_level(struct whole *w, int level)
{
	w->check->level = max_of(w->check->level, level);
}

void check_approved(struct whole *w, struct check_action *action)
{
	if (action->approved_ms < 0)
		action->approved_ms = w->now_ms;
}

/* ── actions ───────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_word(const cJSON *tree, const char *key, const char *word)
{
	const cJSON *item = json_get(tree, key);

	return cJSON_IsString(item) && str_eq(item->valuestring, word);
}

/* Whether ARGS of step I are what was asked for. */
static bool is_as_asked(const struct asked *asked, size_t i, const char *args)
{
	_cleanup_(json_treep) cJSON *tree = cJSON_Parse(args);
	const cJSON *guest = json_get(tree, "guest"), *snapshot = json_get(tree, "snapshot");
	int members = cJSON_GetArraySize(tree);

	if (asked->node)
		return i == 0 && members == 3 && is_word(tree, "node", asked->node) &&
		       is_word(tree, "unit", PVE_UNIT);
	if (i >= asked->n || !cJSON_IsNumber(guest) || guest->valuedouble != (double)asked->vmid[i])
		return false;
	if (!asked->snapshot[0])
		return members == 2;
	return members == 3 && cJSON_IsString(snapshot) &&
	       str_eq(snapshot->valuestring, asked->snapshot);
}

static bool is_same_asker(const struct asked *asked, const struct msg_action_state *state)
{
	if (!str_eq(asked->principal, state->principal) || !asked->actor != !state->actor)
		return false;
	return !asked->actor || (str_eq(asked->actor->kind, state->actor->kind) &&
				 str_eq(asked->actor->name, state->actor->name));
}

/* Its reason is the number of the wish. */
static const struct asked *asked_of(struct whole *w, const struct msg_action_state *state)
{
	int64_t number;
	const struct asked *asked;

	if (!state->reason || str_to_i64(state->reason, 0, CHECK_ASKED - 1, &number) < 0 ||
	    (size_t)number >= w->check->asked_n)
		return NULL;
	asked = &w->check->asked[number];
	if (!str_eq(check_tools[asked->op], state->tool) || !is_same_asker(asked, state) ||
	    state->steps_n != asked->n || state->tier < floors[asked->op])
		return NULL;
	for (size_t i = 0; i < state->steps_n; i++) {
		if (!is_as_asked(asked, i, state->steps[i].args))
			return NULL;
	}
	return asked;
}

static struct check_action *add_action(struct whole *w, const struct msg_action_state *state)
{
	struct check *c = w->check;
	struct check_action *action;
	const struct asked *asked = asked_of(w, state);

	if (!asked)
		check_fail(w, "action %s (%s) is not what anybody has asked for", state->id,
			   state->tool);
	if (!asked || c->actions_n == CHECK_ACTIONS)
		return NULL;
	action = &c->actions[c->actions_n++];
	*action = (struct check_action){ .asked = asked,
					 .tier = state->tier,
					 .need = state->need,
					 .steps_n = state->steps_n,
					 .approved_ms = -1,
					 .ended_ms = -1 };
	snprintf(action->id, sizeof(action->id), "%s", state->id);
	snprintf(action->digest, sizeof(action->digest), "%s", state->digest ? state->digest : "");
	return action;
}

static bool says_nothing(const char *text)
{
	/* A guess, and of one target, say nothing of what has been done. */
	if (!text || strstr(text, "Most likely") || strstr(text, "done; after that:"))
		return false;
	return (strstr(text, "othing was done") || strstr(text, "before it began") ||
		strstr(text, "did not do it") || strstr(text, "before anything was done"));
}

/* An action is verified when each of its steps was. */
static void check_verified(struct whole *w, const struct check_action *action)
{
	size_t n = 0;

	for (size_t i = 0; i < w->check->grants_n; i++) {
		const struct check_grant *grant = &w->check->grants[i];

		n += grant->action == action && grant->has_result &&
		     grant->outcome == STEP_VERIFIED;
	}
	if (n < action->steps_n)
		check_fail(w, "%s is said to be verified, and %zu of its %zu steps are", action->id,
			   n, action->steps_n);
}

static void check_nothing(struct whole *w, const struct check_action *action, const char *summary)
{
	for (size_t i = 0; i < w->check->grants_n; i++) {
		if (w->check->grants[i].action == action && w->check->grants[i].applied)
			check_fail(w, "%s says: %s - and it was done", action->id, summary);
	}
}

static void end_action(struct whole *w, struct check_action *action,
		       const struct msg_action_state *state)
{
	action->ended_ms = w->now_ms;
	action->says_nothing = state->status == ACTION_DENIED || state->status == ACTION_REFUSED ||
			       says_nothing(state->summary);
	if (state->status == ACTION_VERIFIED)
		check_verified(w, action);
	if (action->says_nothing)
		check_nothing(w, action, state->summary);
	w->check->verified += state->status == ACTION_VERIFIED;
	w->check->unknown += state->status == ACTION_UNKNOWN;
	w->check->failed += state->status == ACTION_FAILED;
}

static void take_action(struct whole *w, const struct msg_action_state *state)
{
	struct check_action *action = check_find(w, state->id);
	bool was_over;

	if (!action)
		action = add_action(w, state);
	if (!action)
		return;
	was_over = check_is_over(action->status);
	if (was_over && state->status != action->status)
		check_fail(w, "%s had ended with %d and is %d now", action->id, (int)action->status,
			   (int)state->status);
	action->status = state->status;
	if (!was_over && check_is_over(state->status))
		end_action(w, action, state);
	people_see(w, state);
}

/* ── grants ────────────────────────────────────────────────────────────────────────────────────────────────── */

const char *check_objection(const struct whole *w, const struct check_action *action)
{
	const struct asked *asked = action->asked;
	bool is_person = str_eq(asked->principal, "gateway") && asked->actor &&
			 str_eq(asked->actor->kind, "user");

	if (action->approved_ms >= 0) {
		if (action->tier == TIER_RED && w->now_ms - action->approved_ms < RED_MS)
			return "its window is not over";
		return NULL;
	}
	if (action->tier > TIER_YELLOW)
		return "nobody has approved it";
	if (is_person)
		return NULL;
	if (w->check->level < 3 || asked->proposes || str_eq(asked->principal, "ha"))
		return "its asker may only propose it";
	return NULL;
}

static void add_grant(struct whole *w, const struct msg_grant_payload *p,
		      struct check_action *action)
{
	struct check_grant *grant = &w->check->grants[w->check->grants_n++];
	const struct asked *asked = action->asked;

	*grant = (struct check_grant){
		.action = action, .step = p->step, .journaled_ms = -1, .sent_ms = -1
	};
	snprintf(grant->gid, sizeof(grant->gid), "%s", p->gid);
	snprintf(grant->node, sizeof(grant->node), "%s",
		 p->target && p->target->node ? p->target->node : "");
	grant->change.op = asked->op;
	if (asked->node)
		grant->change.unit = pve_unit(w, asked->node);
	else
		grant->change.guest = pve_guest(w, asked->vmid[p->step]);
	snprintf(grant->change.snapshot, sizeof(grant->change.snapshot), "%s", asked->snapshot);
}

static void check_payload(struct whole *w, const struct msg_grant_payload *p)
{
	struct check_action *action = check_find(w, p->id);
	const char *why;

	if (!action) {
		check_fail(w, "a grant for %s, of which nobody knows", p->id);
		return;
	}
	if (p->step < 0 || (size_t)p->step >= action->steps_n ||
	    !str_eq(p->tool, check_tools[action->asked->op]) ||
	    !is_as_asked(action->asked, (size_t)p->step, p->args)) {
		check_fail(w, "the grant %s is for something else than %s", p->gid, p->id);
		return;
	}
	why = check_objection(w, action);
	if (!why && w->check->is_gate_frozen && p->tier > TIER_GREEN)
		why = "Jarvis is frozen";
	if (!why && action->ended_ms >= 0)
		why = "it had ended";
	if (check_grant(w, p->gid))
		why = "its gid was used before";
	if (why)
		check_fail(w, "%s of %s was granted, though %s", p->tool, p->id, why);
	if (w->check->grants_n < CHECK_GRANTS)
		add_grant(w, p, action);
}

static void take_grant(struct whole *w, const struct msg_grant *grant, struct arena *arena)
{
	_cleanup_(str_done) struct str payload = { 0 };
	struct codec_error error;
	const char *why;
	void *body;

	if (!grant->envelope)
		return;
	if (grant_open(&w->keys, grant->envelope, strlen(grant->envelope), &payload, &why) < 0 ||
	    codec_decode(&message_grant_payload, str_get(&payload), payload.len, JSON_FOREIGN,
			 CODEC_STRICT, arena, &body, &error) < 0)
		check_fail(w, "a grant that cannot be opened");
	else
		check_payload(w, body);
}

/* ── results ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void take_result(struct whole *w, const struct msg_action_result *result)
{
	struct check_grant *grant = check_grant(w, result->gid);
	int64_t since_ms;

	if (!grant) {
		check_fail(w, "a result for the grant %s, which nobody gave", result->gid);
		return;
	}
	if (grant->has_result && grant->outcome != result->outcome)
		check_fail(w, "the results of %s differ: %d, then %d", grant->gid,
			   (int)grant->outcome, (int)result->outcome);
	/* Killed before its request left, the executor cannot know that it did not. */
	since_ms = grant->sent_ms < 0 ? grant->journaled_ms : grant->sent_ms;
	if (result->outcome == STEP_VERIFIED && !grant->has_result && grant->change.op != OP_READ &&
	    (since_ms < 0 || !pve_was_so(&grant->change, since_ms)))
		check_fail(w, "%s is called verified (%s), and is not so", grant->gid,
			   result->detail);
	grant->has_result = true;
	grant->outcome = result->outcome;
	grant->says_nothing |= says_nothing(result->detail);
	if (grant->says_nothing && grant->applied)
		check_fail(w, "%s is said to be: %s - and it was done", grant->gid, result->detail);
}

/* ── what is said ──────────────────────────────────────────────────────────────────────────────────────────── */

void check_told(struct whole *w, struct side *side, enum topic_id id, const char *text,
		size_t length)
{
	_cleanup_(arena_freep) struct arena *arena = NULL;
	struct codec_error error;
	void *body;

	if (id == TOPIC_AUTONOMY_STATE)
		w->check->is_gate_frozen = strstr(text, "\"frozen\":true");
	if (!length || (id != TOPIC_ACTION_STATE && id != TOPIC_X_GRANT && id != TOPIC_X_RESULT))
		return;
	arena = arena_new();
	if (codec_decode(topic_table[id].message, text, length, JSON_STATE, CODEC_STRICT, arena,
			 &body, &error) < 0)
		check_fail(w, "%s says what cannot be read: %s", side->name, error.text);
	else if (id == TOPIC_ACTION_STATE)
		take_action(w, body);
	else if (id == TOPIC_X_GRANT)
		take_grant(w, body, arena);
	else
		take_result(w, body);
}

void check_heard(struct whole *w, struct side *side, const char *topic, const char *text,
		 bool is_kept)
{
	bool is_frozen = strstr(text, "\"frozen\":true");

	if (side != &w->executor || !str_ends(topic, "/autonomy/state"))
		return;
	if (is_kept && !is_frozen)
		return;
	w->check->is_known_frozen = is_frozen;
	w->check->heard_ms = is_kept ? -1 : w->now_ms;
	w->check->heard_life = side->lives;
}
