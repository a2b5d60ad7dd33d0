/* SPDX-License-Identifier: MIT */
/*
 * The gate's tables: what the core wants to be kept comes back as it was, and what cannot be read is said.
 */
#include "common/codec.h"
#include "services/safety-gate/core_parts.h"
#include "services/safety-gate/store.h"
#include "tests/unit/check.h"
#include "tests/unit/gate_stage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct db *open_db(char path[64])
{
	const struct db_migration migrations[] = { { store_schema } };
	const struct db_options options = { path, migrations, countof(migrations),
					    .is_durable = false };
	_cleanup_(str_done) struct str error = { 0 };
	struct db *db;
	int fd;

	(void)snprintf(path, 64, "/tmp/jarvis-store-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_int_equal(db_open(&options, &db, &error), 0);
	return db;
}

static void close_db(struct db *db, const char *path)
{
	char side[80];

	db_free(db);
	(void)unlink(path);
	(void)snprintf(side, sizeof(side), "%s-wal", path);
	(void)unlink(side);
	(void)snprintf(side, sizeof(side), "%s-shm", path);
	(void)unlink(side);
}

static void keep(struct stage *s, struct db *db)
{
	for (size_t i = 0; i < s->out->n; i++) {
		const struct effect *e = &s->out->list[i];

		if (e->kind == EFFECT_STORE)
			assert_int_equal(store_action(db, e->record), 0);
		else if (e->kind == EFFECT_FORGET)
			assert_int_equal(store_forget(db, e->name), 0);
		else if (e->kind == EFFECT_REQUEST)
			assert_int_equal(store_request(db, e->request), 0);
		else if (e->kind == EFFECT_SETTINGS)
			assert_int_equal(store_settings(db, core_settings(s->core, s->w.now),
							core_epoch(s->core)),
					 0);
	}
}

static void test_round_trip(void **unused)
{
	const struct msg_autonomy_set lower = {
		.request_id = "l", .op = "level", .level = some_i64(1), .actor = &stage_operator
	};
	_cleanup_(str_done) struct str before = { 0 }, after = { 0 };
	_cleanup_(freep) char *id = NULL;
	struct stage s, t;
	char path[64];
	struct db *db = open_db(path);

	(void)unused;
	stage_init(&s, "");
	stage_init(&t, "");
	assert_int_equal(store_load(db, t.core, t.w.now), 0);
	stage_hello(&s);
	keep(&s, db);
	core_set_runbook(s.core, "start", 1);
	stage_again(&s);
	core_autonomy(s.core, "gateway", &lower, PROOF_NONE, s.w.now, s.out);
	keep(&s, db);
	stage_ask(&s, NULL, "guest_snapshot", "{\"guest\":102,\"snapshot\":\"s\"}");
	keep(&s, db);
	stage_ask(&s, "r0", "guest_destroy", "{}");
	keep(&s, db);
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	keep(&s, db);
	id = stage_id_of(&s);
	assert_int_equal(store_load(db, t.core, t.w.now), 0);
	codec_encode(&message_action_record, core_find(s.core, id), &before);
	codec_encode(&message_action_record, core_find(t.core, id), &after);
	assert_string_equal(str_get(&before), str_get(&after));
	assert_int_equal(core_settings(t.core, t.w.now)->level, 1);
	assert_int_equal(core_settings(t.core, t.w.now)->runbooks[0].value, 1);
	assert_int_equal(core_epoch(t.core), 1);
	stage_ask(&t, "r1", "guest_shutdown", "{\"guest\":101}");
	assert_null(stage_last(&t, EFFECT_STORE));
	stage_ask(&t, "r0", "guest_destroy", "{}");
	assert_null(stage_last(&t, EFFECT_AUDIT));
	/* After a day nothing is known of requests any more. */
	assert_int_equal(store_drop_old(db, s.w.now.wall_ms + CORE_REQUEST_KEPT_MS + 1), 0);
	assert_int_equal(store_forget(db, id), 0);
	stage_done(&t);
	stage_init(&t, "");
	assert_int_equal(store_load(db, t.core, t.w.now), 0);
	assert_null(core_find(t.core, id));
	stage_done(&s);
	stage_done(&t);
	close_db(db, path);
}

static void test_codes(void **unused)
{
	char path[64];
	struct db *db = open_db(path);
	int64_t step;

	(void)unused;
	assert_int_equal(store_code_last(db, "op", &step), 0);
	assert_int_equal(step, -1);
	assert_int_equal(store_code_used(db, "op", 7), 0);
	assert_int_equal(store_code_used(db, "op", 8), 0);
	assert_int_equal(store_code_last(db, "op", &step), 0);
	assert_int_equal(step, 8);
	assert_int_equal(db_exec(db, "DROP TABLE code"), 0);
	assert_true(store_code_last(db, "op", &step) < 0);
	close_db(db, path);
}

/* Rubbish in a table: nothing is guessed. */
static void test_rubbish(void **unused)
{
	static const char *const rubbish[] = {
		"INSERT INTO settings VALUES (1, '{', 0)",
		"INSERT INTO action VALUES ('A', '{}')",
	};

	(void)unused;
	for (size_t i = 0; i < countof(rubbish); i++) {
		struct stage s;
		char path[64];
		struct db *db = open_db(path);

		stage_init(&s, "");
		assert_int_equal(db_exec(db, rubbish[i]), 0);
		assert_int_equal(store_load(db, s.core, s.w.now), -EBADMSG);
		assert_int_equal(db_exec(db, i ? "DROP TABLE action" : "DROP TABLE settings"), 0);
		assert_true(store_load(db, s.core, s.w.now) < 0);
		stage_done(&s);
		close_db(db, path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_codes),
		cmocka_unit_test(test_rubbish),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
