/* SPDX-License-Identifier: MIT */
/*
 * From effects to the database, and from there to the bus. A batch that cannot be stored has not happened, see
 * gate_fault.c.
 */
#include "services/safety-gate/gate.h"

#include "common/codec.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* ── storing ───────────────────────────────────────────────────────────────────────────────────────────────── */

static int store_one(struct gate *gate, const struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_AUDIT:
		return audit_append(gate->audit, effect->name, effect->text, strlen(effect->text),
				    NULL);
	case EFFECT_STORE:
		return store_action(gate->db, effect->record);
	case EFFECT_FORGET:
		return store_forget(gate->db, effect->name);
	case EFFECT_REQUEST:
		return store_request(gate->db, effect->request);
	case EFFECT_SETTINGS:
		return store_settings(gate->db, core_settings(gate->core, gate_now(gate)),
				      core_epoch(gate->core));
	default:
		return 0;
	}
}

static int store_all(struct gate *gate, const struct effects *effects)
{
	int r = db_is_in_transaction(gate->db) ? 0 : db_begin(gate->db);

	for (size_t i = 0; i < effects->n && r >= 0; i++)
		r = store_one(gate, &effects->list[i]);
	return r;
}

void gate_drop_pending(struct gate *gate)
{
	for (size_t i = 0; i < gate->pending_n; i++)
		effects_free(gate->pending[i]);
	free(gate->pending);
	gate->pending = NULL;
	gate->pending_n = 0;
}

static bool is_harmless_one(const struct effect *effect)
{
	switch (effect->kind) {
	case EFFECT_STORE:
		return effect->record->state->tier == TIER_GREEN;
	case EFFECT_GRANT:
		return !effect->grant || effect->grant->tier == TIER_GREEN;
	case EFFECT_AUDIT:
	case EFFECT_REQUEST:
	case EFFECT_REPLY:
		return true;
	default:
		return false;
	}
}

/* Reads and refusals: they may be told when no record of them can be written. */
static bool is_harmless(const struct effects *effects)
{
	for (size_t i = 0; i < effects->n; i++) {
		if (!is_harmless_one(&effects->list[i]))
			return false;
	}
	return true;
}

void gate_apply(struct gate *gate, struct effects *effects)
{
	int r;

	if (!effects->n) {
		effects_free(effects);
		return;
	}
	/* Freezing does not wait for a disk. */
	if (core_is_frozen(gate->core))
		gate_beat(gate);
	r = gate->cannot_write && is_harmless(effects) ? 0 : store_all(gate, effects);
	gate->pending = xreallocarray(gate->pending, gate->pending_n + 1, sizeof(struct effects *));
	gate->pending[gate->pending_n++] = effects;
	if (r < 0)
		gate_give_up(gate, r);
}

/* ── telling ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void tell_grant(struct gate *gate, const struct effect *effect)
{
	_cleanup_(str_done) struct str payload = { 0 }, envelope = { 0 };
	struct msg_grant grant = { .id = effect->id,
				   .nonce = effect->name,
				   .refused = effect->text };

	if (effect->grant) {
		codec_encode(&message_grant_payload, effect->grant, &payload);
		grant_seal(gate->secret, payload.data, payload.len, &envelope);
		grant.envelope = str_get(&envelope);
	}
	counter_add(gate->env->counters, effect->grant ? "grants" : "claims_refused", 1);
	(void)bus_publish(gate->env->bus, TOPIC_X_GRANT, (const char *const[]){ NULL }, &grant);
}

static void tell(struct gate *gate, const struct effect *effect)
{
	struct bus *bus = gate->env->bus;

	switch (effect->kind) {
	case EFFECT_STORE:
		state_set_always(gate->env->state, TOPIC_ACTION_STATE,
				 (const char *const[]){ effect->record->state->id, NULL },
				 effect->record->state);
		return;
	case EFFECT_FORGET:
		state_clear(gate->env->state, TOPIC_ACTION_STATE,
			    (const char *const[]){ effect->name, NULL });
		return;
	case EFFECT_SETTINGS:
		gate_beat(gate);
		return;
	case EFFECT_EPOCH:
		(void)bus_publish(bus, TOPIC_X_EPOCH, (const char *const[]){ NULL }, effect->epoch);
		return;
	case EFFECT_EVENT:
		(void)bus_publish(bus, TOPIC_EVENT_ACTION, (const char *const[]){ NULL },
				  effect->event);
		return;
	case EFFECT_REPLY:
		(void)bus_publish(
			bus, TOPIC_REPLY,
			(const char *const[]){ effect->name, effect->reply->request_id, NULL },
			effect->reply);
		return;
	case EFFECT_GRANT:
		tell_grant(gate, effect);
		return;
	case EFFECT_CANCEL:
		(void)bus_publish(bus, TOPIC_X_CANCEL, (const char *const[]){ NULL },
				  effect->cancel);
		return;
	default:
		return;
	}
}

static void put_checkpoint(struct gate *gate, int r, const struct msg_audit_checkpoint *checkpoint)
{
	if (r > 0)
		(void)state_set(gate->env->state, TOPIC_AUDIT_CHECKPOINT,
				(const char *const[]){ NULL }, checkpoint);
	else if (r < 0)
		log_errno(r, "sign a checkpoint of the audit chain");
}

void gate_sign(struct gate *gate, bool is_last)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct msg_audit_checkpoint checkpoint;
	int r;

	if (gate->cannot_write)
		return;
	r = is_last ? audit_sign_now(gate->audit, arena, &checkpoint) :
		      audit_sign_due(gate->audit, arena, &checkpoint);

	put_checkpoint(gate, r, &checkpoint);
}

void gate_tell_checkpoint(struct gate *gate)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct msg_audit_checkpoint checkpoint;

	put_checkpoint(gate, audit_last_signed(gate->audit, arena, &checkpoint), &checkpoint);
}

void gate_flush(struct gate *gate)
{
	int r = 0;

	if (db_is_in_transaction(gate->db)) {
		r = gate_check_place(gate);
		if (r == 0)
			r = db_commit(gate->db);
	}
	if (r < 0) {
		gate_give_up(gate, r);
		return;
	}
	if (!gate->pending_n)
		return;
	for (size_t i = 0; i < gate->pending_n; i++) {
		for (size_t k = 0; k < gate->pending[i]->n; k++)
			tell(gate, &gate->pending[i]->list[k]);
	}
	gate_drop_pending(gate);
	gate_sign(gate, false);
}

/* ── level and freeze ──────────────────────────────────────────────────────────────────────────────────────── */

/* Removed only when we go from frozen to not: one that was just made by hand has not been looked at yet. */
static void keep_file(struct gate *gate, bool is_frozen)
{
	bool was_frozen = gate->keeps_file;
	int fd;

	gate->keeps_file = is_frozen;
	if (!is_frozen) {
		if (was_frozen && unlink(gate->frozen_path) < 0 && errno != ENOENT)
			log_errno(-errno, "remove %s", gate->frozen_path);
		return;
	}
	fd = open(gate->frozen_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		log_errno(-errno, "write %s", gate->frozen_path);
	else
		(void)close(fd);
}

void gate_beat(struct gate *gate)
{
	struct core_now now = gate_now(gate);

	gate->beat_ms = now.boot_ms;
	keep_file(gate, core_is_frozen(gate->core));
	state_set_always(gate->env->state, TOPIC_AUTONOMY_STATE, (const char *const[]){ NULL },
			 core_settings(gate->core, now));
}

void gate_set_unfit(struct gate *gate, const char *why)
{
	if (str_eq(gate->unfit, why ? why : ""))
		return;
	if (why)
		log_error("nothing but reads is done from now on: %s", why);
	else
		log_info("fit again: %s is over", gate->unfit);
	(void)snprintf(gate->unfit, sizeof(gate->unfit), "%s", why ? why : "");
	core_set_unfit(gate->core, why ? gate->unfit : NULL);
	gate_beat(gate);
}
