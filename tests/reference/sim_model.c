/* SPDX-License-Identifier: MIT */
/*
 * The database and the model: what was asked, allowed, approved, granted, and what must never be.
 */
#include "common/codec.h"
#include "tests/reference/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_check(struct sim *sim, bool holds, const char *format, ...)
{
	va_list args;

	if (holds || sim->failure[0])
		return;
	va_start(args, format);
	(void)vsnprintf(sim->failure, sizeof(sim->failure), format, args);
	va_end(args);
}

struct sim_action *sim_find(struct sim *sim, const char *id)
{
	for (size_t i = sim->actions_n; i-- > 0;) {
		if (str_eq(sim->actions[i].id, id))
			return &sim->actions[i];
	}
	return NULL;
}

static void set(char **text, const char *value)
{
	free(*text);
	*text = xstrdup_null(value);
}

/* ── what is stored ────────────────────────────────────────────────────────────────────────────────────────── */

static struct sim_action *add_action(struct sim *sim, const struct msg_action_record *record)
{
	const struct msg_action_state *state = record->state;
	struct sim_action *a;

	if (sim->actions_n == SIM_ACTIONS_MAX)
		return NULL;
	a = &sim->actions[sim->actions_n++];
	(void)snprintf(a->id, sizeof(a->id), "%s", state->id);
	a->principal = xstrdup(state->principal);
	a->request_id = xstrdup_null(record->request_id);
	a->digest = xstrdup_null(state->digest);
	a->steps_n = state->steps_n;
	a->tier = state->tier;
	a->need = state->need;
	a->is_allowed = state->status == ACTION_APPROVED;
	a->is_agents = !state->actor || !str_eq(state->actor->kind, "user");
	a->has_runbook = state->runbook;
	a->until_boot_ms = sim->w.now.boot_ms + state->until_ms.v - state->ts;
	a->begun_boot_ms = sim->w.now.boot_ms;
	(void)snprintf(a->asker, sizeof(a->asker), "%s %s %s", state->principal,
		       state->actor ? state->actor->kind : "",
		       state->actor ? state->actor->name : "");
	for (size_t i = 0; i < a->steps_n; i++) {
		a->args[i] = xstrdup(state->steps[i].args);
		a->objects[i] = xstrdup_null(state->steps[i].object);
	}
	/* A read may be done again. */
	for (size_t i = 0; i + 1 < sim->actions_n && a->request_id && !sim->is_time_lost; i++)
		sim_check(sim,
			  a->tier == TIER_GREEN || sim->actions[i].tier == TIER_GREEN ||
				  !str_eq(sim->actions[i].principal, a->principal) ||
				  !str_eq_null(sim->actions[i].request_id, a->request_id),
			  "request %s of %s became two actions", a->request_id, a->principal);
	return a;
}

static void store_record(struct sim *sim, const struct msg_action_record *record)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct sim_action *a = sim_find(sim, record->state->id);

	if (!a)
		a = add_action(sim, record);
	if (!a)
		return;
	codec_encode(&message_action_record, record, &text);
	set(&a->record, str_get(&text));
	set(&a->shown, NULL);
	sim_check(sim, a->status < ACTION_VERIFIED || a->status == record->state->status,
		  "%s was over and is %d now", a->id, (int)record->state->status);
	a->status = record->state->status;
	sim_check(sim, a->tier == record->state->tier && a->need == record->state->need,
		  "%s changed its tier", a->id);
	sim_check(sim, str_eq_null(a->digest, record->state->digest), "%s changed its digest",
		  a->id);
	for (size_t i = 0; i < a->steps_n; i++)
		sim_check(sim, str_eq(a->args[i], record->state->steps[i].args),
			  "%s changed its arguments", a->id);
}

/* What is told and not kept is about what runs, and changes nothing but what it says. */
static void show_record(struct sim *sim, const struct msg_action_record *record)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct sim_action *a = sim_find(sim, record->state->id);

	sim_check(sim, a && a->status == ACTION_RUNNING && record->state->status == ACTION_RUNNING,
		  "%s is shown, and does not run", record->state->id);
	if (!a)
		return;
	codec_encode(&message_action_record, record, &text);
	set(&a->shown, str_get(&text));
}

static void store_request(struct sim *sim, const struct effect_request *request)
{
	struct sim_request *r;

	if (!request->request_id[0] || sim->requests_n == SIM_REQUESTS_MAX)
		return;
	r = &sim->requests[sim->requests_n++];
	*r = (struct sim_request){ .principal = xstrdup(request->principal),
				   .actor = xstrdup(request->actor),
				   .request_id = xstrdup(request->request_id),
				   .action = xstrdup_null(request->action),
				   .reply = xstrdup_null(request->reply),
				   .wall_ms = request->wall_ms,
				   .kept_ms = request->kept_ms };
	memcpy(r->digest, request->digest, sizeof(r->digest));
}

static void store_settings(struct sim *sim)
{
	_cleanup_(str_done) struct str text = { 0 };

	codec_encode(&message_autonomy_state, core_settings(sim->core, sim->w.now), &text);
	set(&sim->settings, str_get(&text));
	sim->epoch = core_epoch(sim->core);
}

/* ── what is allowed to happen ─────────────────────────────────────────────────────────────────────────────── */

/* The audit's records are about what stands in the same list: found by the id inside. */
static const struct effect *audited(const struct effects *effects, const char *name, const char *id,
				    size_t before)
{
	for (size_t i = 0; i < before; i++) {
		const struct effect *e = &effects->list[i];

		if (e->kind == EFFECT_AUDIT && str_eq(e->name, name) && strstr(e->text, id))
			return e;
	}
	return NULL;
}

/* No more begins in ten minutes than whoever asked for A may, however and whenever it was asked for. */
static void check_rates(struct sim *sim, const struct sim_action *a)
{
	const struct config_safety_gate *gate = &sim->w.config->safety_gate;
	int64_t rate = a->tier == TIER_YELLOW ? gate->yellow_rate : gate->orange_rate;
	size_t n = 0;

	for (size_t i = 0; i < sim->actions_n; i++) {
		const struct sim_action *b = &sim->actions[i];
		bool has_begun = b->is_approved || b->is_allowed;
		bool is_over = b->status >= ACTION_VERIFIED;

		if (has_begun && (!is_over || b->granted) && str_eq(a->asker, b->asker) &&
		    (a->tier == TIER_YELLOW) == (b->tier == TIER_YELLOW) && b->tier != TIER_GREEN &&
		    sim->w.now.boot_ms - b->begun_boot_ms <= 600000)
			n += b->steps_n;
	}
	sim_check(sim, sim->is_time_lost || n <= (size_t)(a->is_agents ? rate : 6 * rate),
		  "%s: %zu of %s in ten minutes", a->id, n, a->asker);
}

static void check_approved(struct sim *sim, const struct effects *effects,
			   const struct msg_action_record *record, size_t at)
{
	struct sim_action *a = sim_find(sim, record->state->id);
	enum proof_result proof = sim->call.proof;

	if (!a || !record->state->approved_by || a->is_approved)
		return;
	sim_check(sim, sim->call.kind == CALL_APPROVE && str_eq(sim->call.id, a->id),
		  "%s was approved by nobody", a->id);
	sim_check(sim, audited(effects, "approved", a->id, at), "%s: approval not audited", a->id);
	sim_check(sim, sim->call.is_person, "%s was approved by no person", a->id);
	sim_check(sim, a->digest && str_eq(sim->call.digest, a->digest),
		  "%s was approved with another digest", a->id);
	sim_check(sim,
		  a->need == ACTION_NEEDS_NOTHING ? proof != PROOF_WRONG :
		  a->need == ACTION_NEEDS_KEYWORD ? proof == PROOF_KEYWORD || proof == PROOF_CODE :
						    proof == PROOF_CODE,
		  "%s was approved with proof %d", a->id, (int)proof);
	sim_check(sim, !sim->was_frozen, "%s was approved while frozen", a->id);
	sim_check(sim, sim->is_time_lost || sim->w.now.boot_ms < a->until_boot_ms,
		  "%s was approved too late", a->id);
	a->is_approved = true;
	a->approved_boot_ms = a->begun_boot_ms = sim->w.now.boot_ms;
	sim->approved++;
	check_rates(sim, a);
}

static void check_started(struct sim *sim, const struct effects *effects,
			  const struct msg_action_record *record, size_t at)
{
	const struct msg_action_state *state = record->state;

	if (sim_find(sim, state->id))
		return;
	sim_check(sim, sim->call.kind == CALL_REQUEST, "%s came from nowhere", state->id);
	sim_check(sim,
		  audited(effects, state->status == ACTION_APPROVED ? "allowed" : "asked",
			  state->id, at),
		  "%s: request not audited", state->id);
	sim_check(sim, state->status == ACTION_APPROVED || state->status == ACTION_WAITING,
		  "%s begins with status %d", state->id, (int)state->status);
	sim_check(sim, state->status == ACTION_WAITING || state->tier <= TIER_YELLOW,
		  "%s is allowed at once at tier %d", state->id, (int)state->tier);
	sim_check(sim, state->tier == TIER_GREEN || (!sim->was_frozen && !sim->unfit),
		  "%s was taken in while frozen or unfit", state->id);
}

/* What a person approved is what is granted: where it was, how it was, and as it was configured. */
static void check_shown(struct sim *sim, const struct sim_action *a,
			const struct msg_grant_payload *grant)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const struct msg_grant_target *target = grant->target;
	const struct msg_step_seen *seen;
	struct codec_error error;
	const char *digest;
	int64_t vmid;
	void *record;

	if (!a->record || codec_decode(&message_action_record, a->record, strlen(a->record),
				       JSON_FOREIGN, CODEC_LENIENT, arena, &record, &error) < 0)
		return;
	seen = ((struct msg_action_record *)record)->state->steps[grant->step].seen;
	if (!seen)
		return;
	sim_check(sim, str_eq_null(seen->status, target->status), "%s: was %s, is %s", a->id,
		  seen->status, target->status);
	sim_check(sim, !seen->node || str_eq(seen->node, target->node), "%s: was on %s, is on %s",
		  a->id, seen->node ? seen->node : "", target->node);
	sim_check(sim, str_eq_null(seen->config_digest, target->config_digest),
		  "%s: another configuration was granted than was shown", a->id);
	if (!seen->config_digest ||
	    str_to_i64(target->object + strlen("home/guest/"), 1, INT64_MAX, &vmid) < 0)
		return;
	digest = view_config_digest(sim->w.view, "home", vmid);
	sim_check(sim, !digest || str_eq(digest, seen->config_digest),
		  "%s: its configuration was changed", a->id);
}

static void check_grant(struct sim *sim, const struct effects *effects, const struct effect *e,
			size_t at)
{
	const struct msg_grant_payload *grant = e->grant;
	struct sim_action *a = sim_find(sim, grant->id);
	bool acts;
	const char *why;

	sim_check(sim, a, "a grant for %s, which is not stored", grant->id);
	if (!a)
		return;
	acts = a->tier != TIER_GREEN;
	sim_check(sim, audited(effects, "granted", grant->gid, at), "%s: grant not audited", a->id);
	sim_check(sim, a->is_allowed || a->is_approved, "%s: granted without approval", a->id);
	sim_check(sim,
		  sim->call.kind == CALL_CLAIM && str_eq(sim->call.id, a->id) &&
			  str_eq(sim->call.nonce, grant->nonce),
		  "%s: a grant that nobody claimed", a->id);
	sim_check(sim, grant->epoch == sim->epoch && sim->call.epoch == sim->epoch,
		  "%s: granted to an executor of epoch %lld", a->id, (long long)grant->epoch);
	sim_check(sim, grant->step < (int64_t)a->steps_n && !(a->granted & (1U << grant->step)),
		  "%s: step %lld granted twice", a->id, (long long)grant->step);
	sim_check(sim, grant->step == 0 || (a->granted & (1U << (grant->step - 1))),
		  "%s: step %lld before the one before it", a->id, (long long)grant->step);
	sim_check(sim, str_eq(grant->args, a->args[grant->step]), "%s: other arguments", a->id);
	sim_check(sim, !acts || (!sim->was_frozen && !sim->unfit),
		  "%s: granted while frozen or unfit", a->id);
	sim_check(sim, !acts || !a->is_agents || !sim->is_policy_bad || a->is_approved,
		  "%s: granted by a bad policy", a->id);
	sim_check(sim,
		  !acts || !a->is_agents || a->is_approved ||
			  core_settings(sim->core, sim->w.now)->level >= (a->has_runbook ? 2 : 3),
		  "%s: granted although the level has been lowered", a->id);
	sim_check(sim, !acts || view_is_live(sim->w.view, "home", sim->w.now.boot_ms, &why),
		  "%s: granted blindly", a->id);
	sim_check(sim,
		  a->tier != TIER_RED || sim->w.now.boot_ms - a->approved_boot_ms >= CORE_WINDOW_MS,
		  "%s: granted within its window", a->id);
	check_shown(sim, a, grant);
	a->granted |= 1U << grant->step;
	sim->granted++;
	if (sim->grants_n == SIM_GRANTS_MAX || dice_once_in(&sim->dice, 8))
		return; /* lost on its way */
	(void)snprintf(sim->grants[sim->grants_n].id, sizeof(sim->grants[0].id), "%s", grant->id);
	(void)snprintf(sim->grants[sim->grants_n].gid, sizeof(sim->grants[0].gid), "%s",
		       grant->gid);
	sim->grants[sim->grants_n++].step = grant->step;
}

static void count_end(struct sim *sim, const struct effect *e)
{
	for (size_t i = 0; i < sim->actions_n; i++) {
		struct sim_action *a = &sim->actions[i];
		int status = -1;

		for (int k = ACTION_VERIFIED; k <= ACTION_REFUSED && status < 0; k++)
			status = str_eq(e->name, enumeration_word(&enumeration_action_status, k)) ?
					 k :
					 -1;
		if (status < 0 || !strstr(e->text, a->id))
			continue;
		a->ends++;
		sim_check(sim, a->ends == 1, "%s ended twice", a->id);
	}
}

static void take_one(struct sim *sim, const struct effects *effects, size_t i)
{
	const struct effect *e = &effects->list[i];
	struct sim_action *a;
	bool is_new;

	switch (e->kind) {
	case EFFECT_AUDIT:
		count_end(sim, e);
		return;
	case EFFECT_STORE:
		is_new = !sim_find(sim, e->record->state->id);
		check_started(sim, effects, e->record, i);
		store_record(sim, e->record);
		a = sim_find(sim, e->record->state->id);
		if (is_new && a && a->is_allowed && a->tier != TIER_GREEN)
			check_rates(sim, a);
		check_approved(sim, effects, e->record, i);
		return;
	case EFFECT_SHOW:
		show_record(sim, e->record);
		return;
	case EFFECT_FORGET:
		a = sim_find(sim, e->name);
		sim_check(sim, !a || a->status >= ACTION_VERIFIED, "%s forgotten alive", e->name);
		if (a)
			set(&a->record, NULL);
		return;
	case EFFECT_REQUEST:
		store_request(sim, e->request);
		return;
	case EFFECT_SETTINGS:
		store_settings(sim);
		return;
	case EFFECT_GRANT:
		if (e->grant)
			check_grant(sim, effects, e, i);
		return;
	default:
		return;
	}
}

void sim_take(struct sim *sim, const struct effects *effects)
{
	for (size_t i = 0; i < effects->n; i++)
		take_one(sim, effects, i);
}

/* ── what holds at any time ────────────────────────────────────────────────────────────────────────────────── */

static void check_crowds(struct sim *sim)
{
	size_t reds = 0;

	for (size_t i = 0; i < sim->actions_n; i++) {
		const struct sim_action *a = &sim->actions[i];
		size_t same = 0, persons = 0;

		reds += a->tier == TIER_RED && a->status >= ACTION_WINDOW &&
			a->status <= ACTION_RUNNING;
		for (size_t k = 0; k < sim->actions_n && a->status == ACTION_WAITING; k++) {
			bool is_same = sim->actions[k].status == ACTION_WAITING &&
				       str_eq_null(sim->actions[k].objects[0], a->objects[0]);

			same += is_same;
			persons += is_same && !sim->actions[k].is_agents;
		}
		/* A person waits in no line but that of persons. */
		sim_check(sim,
			  persons <= CORE_WAITING_TARGET_MAX && same <= 2 * CORE_WAITING_TARGET_MAX,
			  "%zu wait for %s, %zu of persons", same,
			  a->objects[0] ? a->objects[0] : "nothing", persons);
		sim_check(sim,
			  !core_is_frozen(sim->core) || sim->is_held || a->tier == TIER_GREEN ||
				  (a->status != ACTION_WINDOW &&
				   (a->status != ACTION_APPROVED || a->granted)),
			  "%s is about to begin while frozen", a->id);
	}
	sim_check(sim, reds <= 1, "%zu that can lose data at once", reds);
}

void sim_check_always(struct sim *sim)
{
	int level = (int)core_settings(sim->core, sim->w.now)->level;
	bool proved = sim->call.is_person && sim->call.proof == PROOF_CODE;

	check_crowds(sim);
	sim_check(sim,
		  core_is_frozen(sim->core) || !sim->was_frozen ||
			  (sim->call.kind == CALL_UNFREEZE && proved),
		  "unfrozen without a code");
	sim_check(sim, sim->call.kind != CALL_FREEZE || core_is_frozen(sim->core) || sim->unfit,
		  "not frozen");
	sim_check(sim,
		  level <= sim->level_before ||
			  (sim->call.kind == CALL_LEVEL && proved && level == sim->call.level),
		  "level %d from %d without a code", level, sim->level_before);
}

void sim_check_same(struct sim *sim)
{
	_cleanup_(str_done) struct str settings = { 0 };

	for (size_t i = 0; i < sim->actions_n; i++) {
		const struct sim_action *a = &sim->actions[i];
		const struct msg_action_record *record = core_find(sim->core, a->id);
		_cleanup_(str_done) struct str text = { 0 };

		sim_check(sim, !record == !a->record, "%s is stored or remembered, not both",
			  a->id);
		if (!record || !a->record)
			continue;
		codec_encode(&message_action_record, record, &text);
		sim_check(sim, str_eq(str_get(&text), a->shown ? a->shown : a->record),
			  "%s is not remembered as it is stored: %.100s", a->id, str_get(&text));
	}
}

static void load_actions(struct sim *sim)
{
	for (size_t i = 0; i < sim->actions_n; i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		const char *text = sim->actions[i].record;
		struct codec_error error;
		void *record;

		if (!text)
			continue;
		if (codec_decode(&message_action_record, text, strlen(text), JSON_FOREIGN,
				 CODEC_LENIENT, arena, &record, &error) < 0)
			sim_check(sim, false, "a record cannot be read: %s", error.text);
		else
			core_load_action(sim->core, record, sim->w.now);
	}
}

void sim_restart(struct sim *sim)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct codec_error error;
	void *settings;

	if (sim->settings) {
		if (codec_decode(&message_autonomy_state, sim->settings, strlen(sim->settings),
				 JSON_FOREIGN, CODEC_LENIENT, arena, &settings, &error) < 0)
			sim_check(sim, false, "settings cannot be read: %s", error.text);
		else
			core_load_settings(sim->core, settings, sim->epoch);
	}
	for (size_t i = 0; i < sim->actions_n; i++)
		set(&sim->actions[i].shown, NULL);
	load_actions(sim);
	for (size_t i = 0; i < sim->requests_n; i++) {
		struct sim_request *r = &sim->requests[i];
		struct effect_request request = { .principal = r->principal,
						  .actor = r->actor,
						  .request_id = r->request_id,
						  .action = r->action,
						  .reply = r->reply,
						  .wall_ms = r->wall_ms,
						  .kept_ms = r->kept_ms };

		memcpy(request.digest, r->digest, sizeof(request.digest));
		core_load_request(sim->core, &request, sim->w.now);
	}
	sim_check_same(sim);
}

void sim_model_done(struct sim *sim)
{
	for (size_t i = 0; i < sim->actions_n; i++) {
		struct sim_action *a = &sim->actions[i];

		free(a->record);
		free(a->shown);
		free(a->principal);
		free(a->request_id);
		free(a->digest);
		for (size_t k = 0; k < a->steps_n; k++) {
			free(a->args[k]);
			free(a->objects[k]);
		}
	}
	for (size_t i = 0; i < sim->requests_n; i++) {
		free(sim->requests[i].principal);
		free(sim->requests[i].actor);
		free(sim->requests[i].request_id);
		free(sim->requests[i].action);
		free(sim->requests[i].reply);
	}
	free(sim->settings);
}
