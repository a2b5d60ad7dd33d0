/* SPDX-License-Identifier: MIT */
/*
 * The world of the audit chain's tests.
 */
#include "tests/unit/audit_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/codec.h"
#include "tests/unit/check.h"

static const struct db_migration migrations[] = { { AUDIT_SQL }, { AUDIT_INDEX_SQL } };

static int64_t boot(void *ctx)
{
	return ((struct audit_world *)ctx)->boot_ms;
}

static int64_t wall(void *ctx)
{
	return ((struct audit_world *)ctx)->wall_ms;
}

int world_open(struct audit_world *w)
{
	struct audit_options options = {
		.db = w->db, .clock = &w->clock, .keys = { .n = 0 }, .origin = AUDIT_ORIGIN
	};

	audit_free(take(w->audit));
	str_clear(&w->error);
	memcpy(options.secret, w->secret, sizeof(options.secret));
	return audit_open(&options, &w->audit, &w->error);
}

static void open_db(struct audit_world *w)
{
	struct db_options options = {
		.path = w->path, .migrations = migrations, .migrations_n = 1, .is_durable = false
	};

	assert_int_equal(db_open(&options, &w->db, &w->error), 0);
}

int world_setup(void **state)
{
	struct audit_world *w = xnew(struct audit_world);
	char hex[65];

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_audit.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->path, sizeof(w->path), "%s/gate.db", w->folder);
	w->clock = (struct clock){ boot, wall, w };
	w->wall_ms = 1700000000000;
	w->arena = arena_new();
	assert_int_equal(grant_secret_from_hex(AUDIT_SEED, w->secret), 0);
	grant_public_hex(w->secret, hex);
	assert_int_equal(audit_keys_from_hex(hex, &w->keys), 0);
	open_db(w);
	assert_int_equal(world_open(w), 0);
	*state = w;
	return 0;
}

int world_teardown(void **state)
{
	struct audit_world *w = *state;
	struct dirent *entry;
	DIR *folder;

	audit_free(w->audit);
	db_free(w->db);
	folder = opendir(w->folder);
	while ((entry = readdir(folder)))
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	(void)closedir(folder);
	assert_int_equal(rmdir(w->folder), 0);
	arena_free(w->arena);
	str_done(&w->error);
	free(w);
	return 0;
}

int world_append(struct audit_world *w, const char *kind, const char *body)
{
	int r;

	assert_int_equal(db_begin(w->db), 0);
	r = audit_append(w->audit, kind, body, strlen(body), NULL);
	if (r < 0) {
		db_rollback(w->db);
		return r;
	}
	w->wall_ms += 7;
	w->boot_ms += 7;
	return db_commit(w->db);
}

struct audit_checkpoint world_fill(struct audit_world *w)
{
	struct audit_checkpoint last;
	struct msg_audit_checkpoint message;
	_cleanup_(str_done) struct str text = { 0 };
	const char *at;
	char body[64];

	for (int i = 1; i <= AUDIT_RECORDS; i++) {
		(void)snprintf(body, sizeof(body), "{\"id\":\"%d\",\"word\":\"asked\"}", i * 7919);
		assert_int_equal(world_append(w, i % 2 ? "action" : "autonomy.set", body), 0);
		assert_int_equal(audit_sign_due(w->audit, w->arena, &message), i % 100 == 0);
	}
	assert_int_equal(message.size, AUDIT_RECORDS);
	codec_encode(&message_audit_checkpoint, &message, &text);
	at = str_get(&text);
	assert_int_equal(audit_checkpoint_parse(&at, &last), 1);
	assert_int_equal(
		db_exec(w->db, "DELETE FROM checkpoint WHERE size = ?", DB_I64(AUDIT_RECORDS)), 0);
	assert_int_equal(db_exec(w->db, "DROP TRIGGER record_stays"), 0);
	assert_int_equal(db_exec(w->db, "DROP TRIGGER record_is_final"), 0);
	return last;
}

int world_verify(struct audit_world *w, const struct audit_checkpoint *outside,
		 struct audit_report *report)
{
	struct audit_check check = { .keys = &w->keys,
				     .outside = outside,
				     .outside_n = outside ? 1 : 0 };

	return audit_verify(w->db, &check, report);
}

int64_t world_bad(struct audit_world *w, const struct audit_checkpoint *outside)
{
	struct audit_report report;
	int r = world_verify(w, outside, &report);

	assert_true(r == 0 || r == -EILSEQ);
	assert_int_equal(r == 0, report.text.len == 0);
	str_done(&report.text);
	return r == 0 ? 0 : report.bad;
}

void world_run(struct audit_world *w, const char *sql)
{
	if (db_exec(w->db, sql) < 0)
		fail_msg("%s", db_error(w->db));
}

void world_run_n(struct audit_world *w, const char *before, int n, const char *after)
{
	_cleanup_(freep) char *sql = xasprintf("%s%d%s", before, n, after);

	world_run(w, sql);
}
