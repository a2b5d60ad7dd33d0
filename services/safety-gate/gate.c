/* SPDX-License-Identifier: MIT */
/*
 * The gate put together: keys, database, chain, persons, and the clock that drives what nobody asks for.
 */
#include "services/safety-gate/gate.h"

#include "common/log.h"
#include "common/secret.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <unistd.h>

#define TICK_MS 250
#define BEAT_MS 5000
#define CLOCK_STEP_MS 2000
/* Who asks waits 3 s (the gateway's ASK_REPLY_MS) and is then told that nothing is done. */
#define AWAY_MS 2500
#define LATE_MS 1000
#define PRUNE_MS 3600000
/* Whoever holds the database must not keep us from answering that nothing is done. */
#define BUSY_MS 500

static const struct db_migration migrations[] = {
	{ AUDIT_SQL },
	{ store_schema },
};

struct core_now gate_now(const struct gate *gate)
{
	return (struct core_now){ clock_boot_ms(gate->env->clock),
				  clock_wall_ms(gate->env->clock) };
}

static void random_bytes(_unused_ void *ctx, void *out, size_t n)
{
	randombytes_buf(out, n);
}

/* ── what it judges by ─────────────────────────────────────────────────────────────────────────────────────── */

static void set_policy(struct gate *gate, const struct config *config)
{
	_cleanup_(freep) char *text = xasprintf("%s %s", gate->env->version, config_digest(config));
	unsigned char hash[crypto_hash_sha256_BYTES];
	char hex[2 * crypto_hash_sha256_BYTES + 1];

	/* The rules are the program's, the limits the configuration's: together they are the policy. */
	(void)crypto_hash_sha256(hash, (const unsigned char *)text, strlen(text));
	(void)sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
	core_set_policy(gate->core, config, hex);
	core_set_policy_bad(gate->core, gate->is_policy_bad);
}

static void set_persons(struct gate *gate)
{
	gate->enrolled = xreallocarray(gate->enrolled, max_of(gate->persons->n, (size_t)1),
				       sizeof(*gate->enrolled));
	for (size_t i = 0; i < gate->persons->n; i++) {
		const struct person_proofs *person = &gate->persons->item[i];

		gate->enrolled[i] =
			(struct core_person){ person->name, person->keyword[0], person->totp.n };
	}
	core_set_persons(gate->core, gate->enrolled, gate->persons->n);
}

/* A file that cannot be read leaves nobody with a proof: then nothing above YELLOW is done by anybody. */
static void load_persons(struct gate *gate)
{
	_cleanup_(str_done) struct str error = { 0 };
	struct persons *persons;

	if (persons_load(gate->env->secrets_dir, &persons, &error) < 0) {
		log_error("%s", str_get(&error));
		persons = xnew(struct persons);
	}
	persons_free(gate->persons);
	gate->persons = persons;
	set_persons(gate);
}

int gate_load(struct gate *gate)
{
	const struct core_random random = { random_bytes, NULL };
	bool was_frozen = gate->core && core_is_frozen(gate->core);
	int r;

	core_free(gate->core);
	gate->core = core_new(&random);
	r = store_load(gate->db, gate->core, gate_now(gate));
	/* A freeze that could not be stored is one. */
	if (was_frozen)
		core_hold_frozen(gate->core);
	set_policy(gate, gate->env->config);
	core_set_view(gate->core, gate->view);
	core_set_unfit(gate->core, gate->unfit[0] ? gate->unfit : NULL);
	if (gate->persons)
		set_persons(gate);
	return r;
}

/* ── time ──────────────────────────────────────────────────────────────────────────────────────────────────── */

bool gate_is_late(const struct gate *gate)
{
	int64_t now_ms = gate_now(gate).boot_ms;

	return now_ms - gate->tick_ms > AWAY_MS || now_ms < gate->late_until_ms;
}

/* Stopped, swapped out, or the machine slept. */
static void watch_absence(struct gate *gate, struct core_now now)
{
	if (now.boot_ms - gate->tick_ms > AWAY_MS) {
		gate->late_until_ms = now.boot_ms + LATE_MS;
		log_warn("away for %lld ms: what was asked meanwhile is not done",
			 (long long)(now.boot_ms - gate->tick_ms));
	}
	gate->tick_ms = now.boot_ms;
}

static void watch_clock(struct gate *gate, struct core_now now)
{
	int64_t offset = now.wall_ms - now.boot_ms;
	int64_t step = offset - gate->wall_offset_ms;
	struct effects *effects;

	gate->wall_offset_ms = offset;
	if (step <= CLOCK_STEP_MS && step >= -CLOCK_STEP_MS)
		return;
	log_warn("the clock was set by %lld s: what waits for a person is over",
		 (long long)(step / 1000));
	effects = effects_new();
	core_clock_step(gate->core, now, effects);
	gate_apply(gate, effects);
}

/* Somebody with access to the host froze us by hand. */
static void watch_file(struct gate *gate, struct core_now now)
{
	const struct msg_autonomy_set set = { .op = "freeze" };
	struct effects *effects;

	/* A folder that cannot be looked into may hold it. */
	if (core_is_frozen(gate->core) || (access(gate->frozen_path, F_OK) < 0 && errno == ENOENT))
		return;
	log_warn("frozen by %s", gate->frozen_path);
	effects = effects_new();
	core_autonomy(gate->core, "file", &set, GRADE_NONE, now, effects);
	gate_apply(gate, effects);
}

/* What nobody needs any more, and what an earlier run has left on the bus. */
static void tidy(struct gate *gate, struct core_now now)
{
	state_adopt(gate->env->state, TOPIC_ACTION_STATE, (const char *const[]){ NULL });
	if (gate->cannot_write || (gate->pruned_ms && now.boot_ms - gate->pruned_ms < PRUNE_MS))
		return;
	gate->pruned_ms = now.boot_ms;
	if (store_drop_old(gate->db, now.wall_ms) < 0)
		log_warn("old requests cannot be forgotten: %s", db_error(gate->db));
}

static void on_tick(void *ctx)
{
	struct gate *gate = ctx;
	struct core_now now = gate_now(gate);
	struct effects *effects;

	watch_absence(gate, now);
	watch_clock(gate, now);
	watch_file(gate, now);
	if (!gate->cannot_write) {
		effects = effects_new();
		core_tick(gate->core, now, effects);
		gate_apply(gate, effects);
	}
	gate_flush(gate);
	if (now.boot_ms - gate->beat_ms < BEAT_MS)
		return;
	gate_try_again(gate);
	tidy(gate, now);
	gate_sign(gate, false);
	gate_beat(gate);
}

/* ── start and end ─────────────────────────────────────────────────────────────────────────────────────────── */

static int read_key(struct gate *gate, const char *name,
		    int (*take_key)(struct gate *, const char *))
{
	_cleanup_(str_done) struct str error = { 0 };
	_cleanup_(secret_done) struct secret secret = { 0 };
	int r = secret_read(gate->env->secrets_dir, "safety-gate", name, &secret, &error);

	if (r < 0) {
		log_error("%s (jarvisctl keys makes it)", str_get(&error));
		return r;
	}
	r = take_key(gate, secret.value);
	if (r < 0)
		log_error("secrets/safety-gate/%s is no key as jarvisctl keys makes it", name);
	return r;
}

static int take_signing_key(struct gate *gate, const char *text)
{
	return grant_secret_from_hex(text, gate->secret);
}

static int take_box_key(struct gate *gate, const char *text)
{
	return seal_keys_from_hex(text, &gate->seal);
}

static int open_database(struct gate *gate)
{
	_cleanup_(str_done) struct str error = { 0 };
	const struct db_options options = { gate->db_path, migrations, countof(migrations),
					    .is_durable = true, .busy_ms = BUSY_MS };
	int r = db_open(&options, &gate->db, &error);

	if (r < 0) {
		log_error("%s", str_get(&error));
		return r;
	}
	/* A chain that begins again is what somebody who wants to hide would like. */
	if (r == DB_E_RECREATED) {
		log_error("%s: nothing but reads is done until this service is started again",
			  str_get(&error));
		gate->needs_restart = true;
		(void)snprintf(
			gate->unfit, sizeof(gate->unfit), "%s",
			"the audit chain was damaged and has begun anew; look at it, then restart safety-gate");
	}
	return 0;
}

/* All keys that ever signed, so that what an old one signed still counts. */
static void read_old_keys(struct gate *gate, struct audit_keys *ret)
{
	_cleanup_(str_done) struct str error = { 0 };
	_cleanup_(secret_done) struct secret secret = { 0 };

	if (secret_read(gate->env->secrets_dir, "safety-gate", "signing-key.pub", &secret, &error) <
	    0)
		return;
	if (audit_keys_from_hex(secret.value, ret) < 0)
		log_error(
			"secrets/safety-gate/signing-key.pub holds something else than public keys");
}

static int open_audit(struct gate *gate)
{
	_cleanup_(str_done) struct str error = { 0 };
	struct audit_options options = { .db = gate->db,
					 .clock = gate->env->clock,
					 .origin = gate->env->instance };
	int r;

	read_old_keys(gate, &options.keys);
	memcpy(options.secret, gate->secret, sizeof(options.secret));
	r = audit_open(&options, &gate->audit, &error);
	sodium_memzero(options.secret, sizeof(options.secret));
	if (r < 0)
		log_error("%s", str_get(&error));
	return r;
}

static int start_parts(struct gate *gate)
{
	int r = read_key(gate, "signing-key", take_signing_key);

	if (r == 0)
		r = read_key(gate, "box-key", take_box_key);
	if (r == 0)
		r = open_database(gate);
	if (r == 0)
		r = open_audit(gate);
	if (r == 0)
		r = gate_load(gate);
	return r;
}

/* What was stored and not told before the end of an earlier run is told now. */
static void tell_actions(struct gate *gate)
{
	const struct msg_action_state *state;
	size_t at = 0;

	while ((state = core_next_action(gate->core, &at)))
		state_set_always(gate->env->state, TOPIC_ACTION_STATE,
				 (const char *const[]){ state->id, NULL }, state);
}

int gate_start(struct service_env *env, void **ret)
{
	struct gate *gate = xnew(struct gate);
	int r;

	gate->env = env;
	gate->view = view_new();
	gate->db_path = xasprintf("%s/safety-gate.db", env->data_dir);
	gate->frozen_path = xasprintf("%s/%s", env->runtime_dir, GATE_FROZEN_FILE);
	r = start_parts(gate);
	if (r < 0) {
		gate_free(gate);
		return r;
	}
	load_persons(gate);
	gate->passwords = password_jobs_new(env->loop);
	gate->wall_offset_ms = clock_wall_ms(env->clock) - clock_boot_ms(env->clock);
	gate->tick_ms = clock_boot_ms(env->clock);
	gate->tick = timer_new(env->loop, on_tick, gate);
	timer_every(gate->tick, TICK_MS, TICK_MS);
	tell_actions(gate);
	watch_file(gate, gate_now(gate));
	gate_beat(gate);
	*ret = gate;
	return 0;
}

void gate_stop(void *self)
{
	struct gate *gate = self;

	gate_flush(gate);
	gate_sign(gate, true);
	gate->is_stopping = true;
	timer_stop(gate->tick);
}

void gate_free(void *self)
{
	struct gate *gate = self;

	timer_free(gate->tick);
	password_jobs_free(gate->passwords);
	gate_drop_pending(gate);
	core_free(gate->core);
	view_free(gate->view);
	persons_free(gate->persons);
	free(gate->enrolled);
	audit_free(gate->audit);
	db_free(gate->db);
	seal_keys_wipe(&gate->seal);
	sodium_memzero(gate->secret, sizeof(gate->secret));
	free(gate->frozen_path);
	free(gate->db_path);
	free(gate);
}

void gate_online(void *self)
{
	gate_tell_checkpoint(self);
	gate_beat(self);
}

void gate_offline(void *self)
{
	struct gate *gate = self;

	view_offline(gate->view);
}

void gate_batch_end(void *self)
{
	gate_flush(self);
}

void gate_reload(void *self, const struct config *config)
{
	struct gate *gate = self;

	gate->is_policy_bad = false;
	set_policy(gate, config);
	load_persons(gate);
	gate_beat(gate);
}

void gate_reload_failed(void *self)
{
	struct gate *gate = self;

	gate->is_policy_bad = true;
	core_set_policy_bad(gate->core, true);
}
