/* SPDX-License-Identifier: MIT */
/*
 * Level and freeze. Freezing and lowering need nothing; unfreezing and raising need a person's one-time code.
 */
#include "services/safety-gate/core_parts.h"

#include <stdio.h>
#include <string.h>

#define LEVEL_MAX 4

void core_set_runbook(struct core *core, const char *runbook, int level)
{
	for (size_t i = 0; i < core->runbooks_n; i++) {
		if (str_eq(core->runbooks[i].key, runbook)) {
			core->runbooks[i].value = level;
			return;
		}
	}
	core->runbooks =
		xreallocarray(core->runbooks, core->runbooks_n + 1, sizeof(*core->runbooks));
	core->runbooks[core->runbooks_n++] = (struct num_entry){ xstrdup(runbook), level };
}

void core_hold_frozen(struct core *core)
{
	core->is_frozen = true;
}

void core_load_settings(struct core *core, const struct msg_autonomy_state *settings, int64_t epoch)
{
	core->epoch = epoch;
	if (!settings)
		return;
	core->level = (int)settings->level;
	core->is_frozen = settings->frozen;
	free(core->frozen_by);
	core->frozen_by = xstrdup_null(settings->by);
	for (size_t i = 0; i < settings->runbooks_n; i++)
		core_set_runbook(core, settings->runbooks[i].key, (int)settings->runbooks[i].value);
}

static const char *const *names_with(const struct core *core, bool code, struct arena *arena,
				     size_t *n)
{
	const char **names =
		arena_alloc(arena, max_of(core->persons_n, (size_t)1) * sizeof(*names));

	*n = 0;
	for (size_t i = 0; i < core->persons_n; i++) {
		if (code ? core->persons[i].has_code : core->persons[i].has_keyword)
			names[(*n)++] = core->persons[i].name;
	}
	return names;
}

const struct msg_autonomy_state *core_settings(struct core *core, struct core_now now)
{
	struct msg_autonomy_state *s = &core->settings;

	arena_reset(core->settings_arena);
	*s = (struct msg_autonomy_state){
		.ts = now.wall_ms,
		.level = core->level,
		.runbooks = core->runbooks,
		.runbooks_n = core->runbooks_n,
		.frozen = core->is_frozen,
		.by = core->frozen_by,
		.unfit = core->unfit,
		.policy = core->policy,
	};
	s->keywords = names_with(core, false, core->settings_arena, &s->keywords_n);
	s->codes = names_with(core, true, core->settings_arena, &s->codes_n);
	return s;
}

void core_autonomy_digest(const struct msg_autonomy_set *set, char ret[65])
{
	_cleanup_(freep) char *text =
		xasprintf("autonomy\n%s\n%lld\n%s\n%s", set->op,
			  (long long)(set->level.has ? set->level.v : -1),
			  set->runbook ? set->runbook : "", set->request_id ? set->request_id : "");

	core_sha256(text, strlen(text), ret);
}

/* ── setting ───────────────────────────────────────────────────────────────────────────────────────────────── */

struct setting {
	struct core *core;
	const char *principal;
	const struct msg_autonomy_set *set;
	enum proof_grade proof;
	struct core_now now;
	struct effects *out;
	enum who who;
	const char *by;
};

static void answer(const struct setting *s, enum reply_status status, const char *code,
		   const char *text)
{
	effect_reply(s->out, s->principal, s->set->request_id, status, code, text, NULL);
}

static void changed(const struct setting *s)
{
	char level[16];

	(void)snprintf(level, sizeof(level), "%d", core_own_level(s->core, s->set->runbook));
	effect_audit(s->out, arena_strdup(s->out->arena, s->set->op), "by", s->by, "principal",
		     s->principal, "runbook", s->set->runbook, "level", level, NULL);
	effect_add(s->out, EFFECT_SETTINGS);
	answer(s, REPLY_OK, NULL, NULL);
}

/* What was approved and has not begun does not begin. */
static void stop_what_waits(const struct setting *s)
{
	for (size_t i = 0; i < s->core->actions_n; i++) {
		struct action *action = s->core->actions[i];
		enum action_status status = action->state.status;

		if (action->state.tier != TIER_GREEN &&
		    (status == ACTION_WINDOW || status == ACTION_APPROVED))
			action_end(s->core, action, ACTION_CANCELLED, s->by,
				   "Jarvis was frozen before it began.", s->now, s->out);
	}
}

static void freeze(const struct setting *s)
{
	s->core->is_frozen = true;
	free(s->core->frozen_by);
	s->core->frozen_by = xstrdup(s->by);
	stop_what_waits(s);
	changed(s);
}

static bool has_code(const struct setting *s)
{
	const char *why;

	if (s->who != WHO_PERSON) {
		answer(s, REPLY_DENIED, "policy",
		       "Only a person may do this, with a one-time code.");
		return false;
	}
	if (s->proof != GRADE_NONE &&
	    !core_proof_counts(s->core, s->principal, s->by, s->proof, s->now, s->out, &why)) {
		answer(s, REPLY_DENIED, "proof", why);
		return false;
	}
	if (s->proof != GRADE_CODE) {
		answer(s, REPLY_DENIED, "proof",
		       "This needs a one-time code; jarvisctl person enrol NAME on Jarvis's host makes one.");
		return false;
	}
	return true;
}

static void unfreeze(const struct setting *s)
{
	if (!has_code(s))
		return;
	s->core->is_frozen = false;
	free(s->core->frozen_by);
	s->core->frozen_by = xstrdup(s->by);
	changed(s);
}

static void set_level(const struct setting *s)
{
	const char *runbook = s->set->runbook;
	int64_t level = s->set->level.v;

	if (!s->set->level.has || level < 0 || level > LEVEL_MAX) {
		answer(s, REPLY_ERROR, "invalid", "level: 0 to 4");
		return;
	}
	if (level > core_own_level(s->core, runbook) && !has_code(s))
		return;
	if (s->who == WHO_REMOTE) {
		answer(s, REPLY_DENIED, "policy", "A remote may freeze, and nothing else.");
		return;
	}
	if (runbook)
		core_set_runbook(s->core, runbook, (int)level);
	else
		s->core->level = (int)level;
	changed(s);
}

void core_autonomy(struct core *core, const char *principal, const struct msg_autonomy_set *set,
		   enum proof_grade proof, struct core_now now, struct effects *out)
{
	struct setting s = { .core = core,
			     .principal = principal,
			     .set = set,
			     .proof = proof,
			     .now = now,
			     .out = out };
	const char *why;

	/* Whoever reaches this topic may freeze, by the broker's ACL. */
	if (str_eq(set->op, "freeze")) {
		bool is_gateway = str_eq(principal, service_table[SERVICE_GATEWAY].name);

		/* Nobody else speaks for somebody. */
		s.by = set->actor && is_gateway ? set->actor->name : principal;
		freeze(&s);
		return;
	}
	if (!core_who(core, principal, set->actor, &s.who, &why)) {
		answer(&s, REPLY_DENIED, "actor", why);
		return;
	}
	s.by = set->actor ? set->actor->name : principal;
	if (str_eq(set->op, "unfreeze"))
		unfreeze(&s);
	else if (str_eq(set->op, "level"))
		set_level(&s);
	else
		answer(&s, REPLY_ERROR, "invalid", "op: level, freeze or unfreeze");
}
