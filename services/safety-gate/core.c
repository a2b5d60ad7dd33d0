/* SPDX-License-Identifier: MIT */
/*
 * The core's memory, and what time brings.
 */
#include "services/safety-gate/core_parts.h"

#include "common/codec.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#define KEPT_MAX 500
#define SUMMARY_MAX 800

struct core *core_new(const struct core_random *random)
{
	struct core *core = xnew(struct core);

	core->random = *random;
	core->level = CORE_LEVEL;
	core->settings_arena = arena_new();
	return core;
}

static void action_free(struct action *action)
{
	arena_free(action->arena);
	free(action);
}

static void request_done(struct seen_request *request)
{
	free(request->principal);
	free(request->actor);
	free(request->request_id);
	free(request->action);
	free(request->reply);
}

void core_free(struct core *core)
{
	if (!core)
		return;
	for (size_t i = 0; i < core->actions_n; i++)
		action_free(core->actions[i]);
	free(core->actions);
	for (size_t i = 0; i < core->requests_n; i++)
		request_done(&core->requests[i]);
	free(core->requests);
	for (size_t i = 0; i < core->wrong_n; i++) {
		free(core->wrong[i].principal);
		free(core->wrong[i].person);
	}
	free(core->wrong);
	for (size_t i = 0; i < core->runbooks_n; i++)
		free((char *)core->runbooks[i].key);
	free(core->runbooks);
	free(core->frozen_by);
	arena_free(core->settings_arena);
	free(core);
}

/* ── small things ──────────────────────────────────────────────────────────────────────────────────────────── */

void core_hex(struct core *core, size_t bytes, char *out)
{
	unsigned char raw[32];

	core->random.bytes(core->random.ctx, raw, bytes);
	(void)sodium_bin2hex(out, 2 * bytes + 1, raw, bytes);
}

void core_ulid(struct core *core, int64_t wall_ms, char out[CORE_ID_BYTES])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	unsigned char raw[16];

	core->random.bytes(core->random.ctx, raw, sizeof(raw));
	for (int i = 9; i >= 0; i--) {
		out[i] = digits[wall_ms & 31];
		wall_ms >>= 5;
	}
	for (size_t i = 0; i < 16; i++)
		out[10 + i] = digits[raw[i] & 31];
	out[CORE_ID_BYTES - 1] = '\0';
}

int core_own_level(const struct core *core, const char *runbook)
{
	for (size_t i = 0; runbook && i < core->runbooks_n; i++) {
		if (str_eq(core->runbooks[i].key, runbook))
			return (int)core->runbooks[i].value;
	}
	return runbook ? CORE_RUNBOOK_LEVEL : core->level;
}

int core_level_of(const struct core *core, const char *runbook)
{
	return core->level <= CORE_LEVEL_ALL ? core->level : core_own_level(core, runbook);
}

bool core_is_frozen(const struct core *core)
{
	return core->is_frozen;
}

int64_t core_epoch(const struct core *core)
{
	return core->epoch;
}

/* ── actions ───────────────────────────────────────────────────────────────────────────────────────────────── */

struct action *core_action(const struct core *core, const char *id)
{
	for (size_t i = core->actions_n; i-- > 0;) {
		if (str_eq(core->actions[i]->state.id, id))
			return core->actions[i];
	}
	return NULL;
}

const struct msg_action_record *core_find(const struct core *core, const char *id)
{
	struct action *action = core_action(core, id);

	return action ? &action->rec : NULL;
}

struct action *action_new(struct core *core)
{
	struct action *action = xnew(struct action);

	(void)core;
	action->arena = arena_new();
	action->rec.state = &action->state;
	action->state.steps = action->steps;
	return action;
}

void action_add(struct core *core, struct action *action)
{
	core->actions = xreallocarray(core->actions, core->actions_n + 1, sizeof(*core->actions));
	core->actions[core->actions_n++] = action;
}

bool action_is_over(const struct action *action)
{
	return action->state.status >= ACTION_VERIFIED;
}

const char *action_text(struct action *action, const char *text)
{
	return text ? arena_strdup(action->arena, text) : NULL;
}

void action_set(struct action *action, enum action_status status, int64_t wait_ms,
		struct core_now now, struct effects *out)
{
	action->state.status = status;
	action->state.ts = now.wall_ms;
	action->state.until_ms =
		status < ACTION_RUNNING ? some_i64(now.wall_ms + wait_ms) : (struct opt_i64){ 0 };
	action->deadline_ms = now.boot_ms + wait_ms;
	effect_store(out, action);
}

int64_t action_kept_ms(const struct action *action)
{
	return action->state.tier == TIER_GREEN ? CORE_KEPT_GREEN_MS : CORE_KEPT_MS;
}

/* What is said of one target is not said of those before it. */
static const char *with_done(const struct action *action, enum action_status status,
			     const char *text, char buffer[SUMMARY_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < action->state.steps_n; i++)
		n += action->state.steps[i].status == STEP_VERIFIED;
	if (!n || status == ACTION_VERIFIED)
		return text;
	(void)snprintf(buffer, SUMMARY_MAX, "%zu of %zu done; after that: %s", n,
		       action->state.steps_n, text);
	return buffer;
}

void action_end(struct core *core, struct action *action, enum action_status status, const char *by,
		const char *text, struct core_now now, struct effects *out)
{
	const char *word = enumeration_word(&enumeration_action_status, (int)status);
	char buffer[SUMMARY_MAX];

	text = with_done(action, status, text, buffer);
	for (size_t i = 0; i < action->state.steps_n; i++) {
		struct msg_action_step *step = &action->steps[i];

		if (step->status == STEP_PENDING)
			step->status = STEP_SKIPPED;
		else if (step->status == STEP_RUNNING)
			step->status = STEP_UNKNOWN;
	}
	action->rec.is_error = status != ACTION_VERIFIED;
	action->state.summary = action_text(action, text);
	action->state.ended_ms = some_i64(now.wall_ms);
	action->state.status = status;
	effect_audit_action(out, word, action, by, text);
	action_set(action, status, action_kept_ms(action), now, out);
	effect_event(core, out, EVENT_END, action, now);
	effect_reply_action(out, action);
}

static void drop_action(struct core *core, size_t i, struct effects *out)
{
	effect_add(out, EFFECT_FORGET)->name = arena_strdup(out->arena, core->actions[i]->state.id);
	action_free(core->actions[i]);
	core->actions_n--;
	memmove(&core->actions[i], &core->actions[i + 1],
		(core->actions_n - i) * sizeof(*core->actions));
}

/* ── what it judges by ─────────────────────────────────────────────────────────────────────────────────────── */

const struct msg_action_state *core_next_action(const struct core *core, size_t *at)
{
	return *at < core->actions_n ? &core->actions[(*at)++]->state : NULL;
}

void core_set_policy(struct core *core, const struct config *config, const char *policy)
{
	core->config = config;
	(void)snprintf(core->policy, sizeof(core->policy), "%s", policy);
}

void core_set_view(struct core *core, const struct view *view)
{
	core->view = view;
}

void core_set_persons(struct core *core, const struct core_person *persons, size_t n)
{
	core->persons = persons;
	core->persons_n = n;
}

void core_set_unfit(struct core *core, const char *why)
{
	core->unfit = why;
}

const char *core_unfit_agents(const struct core *core)
{
	return core->is_policy_bad ?
		       "jarvis.yaml has an error, and agents wait until it is mended" :
		       NULL;
}

void core_set_policy_bad(struct core *core, bool is_bad)
{
	core->is_policy_bad = is_bad;
}

/* ── time ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static void pass_deadline(struct core *core, struct action *action, struct core_now now,
			  struct effects *out)
{
	switch (action->state.status) {
	case ACTION_WAITING:
		action_end(core, action, ACTION_EXPIRED, NULL, "Nobody approved it in time.", now,
			   out);
		return;
	case ACTION_WINDOW:
		effect_audit_action(out, "window_over", action, NULL, NULL);
		action_set(action, ACTION_APPROVED, CORE_CLAIM_MS, now, out);
		return;
	case ACTION_APPROVED:
		action_end(
			core, action, ACTION_EXPIRED, NULL,
			"The executor did not take it up: is it running, and what does it say is "
			"wrong? Nothing was done.",
			now, out);
		return;
	default: /* it runs */
		action_end(
			core, action, ACTION_UNKNOWN, NULL,
			"The executor did not report how it ended. Look at the target before trying again.",
			now, out);
	}
}

void action_catch_up(struct core *core, struct action *action, struct core_now now,
		     struct effects *out)
{
	if (!action_is_over(action) && action->deadline_ms <= now.boot_ms)
		pass_deadline(core, action, now, out);
}

static void drop_old_requests(struct core *core, struct core_now now)
{
	size_t kept = 0;

	for (size_t i = 0; i < core->requests_n; i++) {
		struct seen_request *request = &core->requests[i];

		if (now.boot_ms - request->boot_ms > request->kept_ms)
			request_done(request);
		else
			core->requests[kept++] = *request;
	}
	core->requests_n = kept;
}

void core_tick(struct core *core, struct core_now now, struct effects *out)
{
	size_t over[2] = { 0 };

	for (size_t i = 0; i < core->actions_n; i++)
		action_catch_up(core, core->actions[i], now, out);
	for (size_t i = core->actions_n; i-- > 0;) {
		struct action *action = core->actions[i];
		bool is_read;

		if (!action_is_over(action))
			continue;
		/* Counted apart: however much is read, what was done is kept. */
		is_read = action->state.tier == TIER_GREEN;
		if (action->deadline_ms <= now.boot_ms || ++over[is_read] > KEPT_MAX)
			drop_action(core, i, out);
	}
	drop_old_requests(core, now);
}

int64_t core_next(const struct core *core)
{
	int64_t next = INT64_MAX;

	for (size_t i = 0; i < core->actions_n; i++)
		next = min_of(next, core->actions[i]->deadline_ms);
	return next;
}

void core_clock_step(struct core *core, struct core_now now, struct effects *out)
{
	effect_audit(out, "clock_step", NULL);
	for (size_t i = 0; i < core->actions_n; i++) {
		struct action *action = core->actions[i];
		enum action_status status = action->state.status;

		if (status == ACTION_WAITING || status == ACTION_WINDOW)
			action_end(core, action, ACTION_EXPIRED, NULL,
				   "The clock was set while it waited; ask again.", now, out);
	}
}
