/* SPDX-License-Identifier: MIT */
/*
 * The audit chain of two hundred records: every flipped bit, every deleted, swapped, inserted and cut record is found;
 * and so is what was done to its checkpoints.
 */
#include "common/alloc.h"
#include "common/codec.h"
#include "services/safety-gate/audit.h"
#include "tests/unit/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#define SEED "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define OTHER_SEED "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
#define RECORDS 200
#define ORIGIN "jarvis/main"

static const struct db_migration migrations[] = { { AUDIT_SQL } };

struct world {
	char folder[64], path[96];
	struct db *db;
	struct audit *audit;
	struct arena *arena;
	struct clock clock;
	int64_t boot_ms, wall_ms;
	struct audit_keys keys;
	unsigned char secret[GRANT_SECRET_BYTES];
	struct str error;
};

static int64_t boot(void *ctx)
{
	return ((struct world *)ctx)->boot_ms;
}

static int64_t wall(void *ctx)
{
	return ((struct world *)ctx)->wall_ms;
}

static int open_audit(struct world *w)
{
	struct audit_options options = {
		.db = w->db, .clock = &w->clock, .keys = { .n = 0 }, .origin = ORIGIN
	};

	audit_free(take(w->audit));
	str_clear(&w->error);
	memcpy(options.secret, w->secret, sizeof(options.secret));
	return audit_open(&options, &w->audit, &w->error);
}

static void open_db(struct world *w)
{
	struct db_options options = {
		.path = w->path, .migrations = migrations, .migrations_n = 1, .is_durable = false
	};

	assert_int_equal(db_open(&options, &w->db, &w->error), 0);
}

static int setup(void **state)
{
	struct world *w = xnew(struct world);
	char hex[65];

	(void)snprintf(w->folder, sizeof(w->folder), "/tmp/test_audit.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->path, sizeof(w->path), "%s/gate.db", w->folder);
	w->clock = (struct clock){ boot, wall, w };
	w->wall_ms = 1700000000000;
	w->arena = arena_new();
	assert_int_equal(grant_secret_from_hex(SEED, w->secret), 0);
	grant_public_hex(w->secret, hex);
	assert_int_equal(audit_keys_from_hex(hex, &w->keys), 0);
	open_db(w);
	assert_int_equal(open_audit(w), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
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

static int append(struct world *w, const char *kind, const char *body)
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

/* RECORDS records with a checkpoint at 100; returns the one at the end, which is kept elsewhere. */
static struct audit_checkpoint fill(struct world *w)
{
	struct audit_checkpoint last;
	struct msg_audit_checkpoint message;
	_cleanup_(str_done) struct str text = { 0 };
	const char *at;
	char body[64];

	for (int i = 1; i <= RECORDS; i++) {
		(void)snprintf(body, sizeof(body), "{\"id\":\"%d\",\"word\":\"asked\"}", i * 7919);
		assert_int_equal(append(w, i % 2 ? "action" : "autonomy.set", body), 0);
		assert_int_equal(audit_sign_due(w->audit, w->arena, &message), i % 100 == 0);
	}
	assert_int_equal(message.size, RECORDS);
	codec_encode(&message_audit_checkpoint, &message, &text);
	at = str_get(&text);
	assert_int_equal(audit_checkpoint_parse(&at, &last), 1);
	assert_int_equal(db_exec(w->db, "DELETE FROM checkpoint WHERE size = ?", DB_I64(RECORDS)),
			 0);
	assert_int_equal(db_exec(w->db, "DROP TRIGGER record_stays"), 0);
	assert_int_equal(db_exec(w->db, "DROP TRIGGER record_is_final"), 0);
	return last;
}

static int verify_report(struct world *w, const struct audit_checkpoint *outside,
			 struct audit_report *report)
{
	struct audit_check check = { .keys = &w->keys,
				     .outside = outside,
				     .outside_n = outside ? 1 : 0 };

	return audit_verify(w->db, &check, report);
}

/* The number of the first bad record, 0 when all is well. */
static int64_t bad(struct world *w, const struct audit_checkpoint *outside)
{
	struct audit_report report;
	int r = verify_report(w, outside, &report);

	assert_true(r == 0 || r == -EILSEQ);
	assert_int_equal(r == 0, report.text.len == 0);
	str_done(&report.text);
	return r == 0 ? 0 : report.bad;
}

static void run(struct world *w, const char *sql)
{
	if (db_exec(w->db, sql) < 0)
		fail_msg("%s", db_error(w->db));
}

/* Runs SQL with N in place of %d. */
static void run_n(struct world *w, const char *before, int n, const char *after)
{
	_cleanup_(freep) char *sql = xasprintf("%s%d%s", before, n, after);

	run(w, sql);
}

static void test_sound(void **state)
{
	struct world *w = *state;
	struct audit_checkpoint last = fill(w);
	struct audit_report report;

	assert_int_equal(verify_report(w, &last, &report), 0);
	assert_int_equal(report.chain.size, RECORDS);
	assert_int_equal(report.checkpoints, 2);
	assert_memory_equal(report.chain.head, last.head, AUDIT_HASH_BYTES);
	/* A chain that went on since the checkpoint was kept. */
	assert_int_equal(append(w, "action", "{}"), 0);
	assert_int_equal(bad(w, &last), 0);
}

/* What the hash is of, computed by hand. */
static void test_format(void **state)
{
	static const char text[] =
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\1"
		"1700000000000 action {\"a\":1}";
	struct world *w = *state;
	unsigned char hash[32];
	int64_t same;

	assert_int_equal(append(w, "action", "{\"a\":1}"), 0);
	(void)crypto_hash_sha256(hash, (const unsigned char *)text, sizeof(text) - 1);
	assert_int_equal(db_find_i64(w->db, &same, "SELECT hash = ? FROM record",
				     DB_BLOB(hash, sizeof(hash))),
			 0);
	assert_true(same);
}

/* ── every bit ───────────────────────────────────────────────────────────────────────────────────────────────── */

/* Flips each bit of SIZE bytes at DATA, one by one: the chain must not get past the record. */
static void flip_each(const struct audit_chain *before, const struct audit_record *record,
		      const void *data, size_t size)
{
	unsigned char *bytes = (unsigned char *)data;
	_cleanup_(str_done) struct str why = { 0 };

	for (size_t i = 0; i < 8 * size; i++) {
		struct audit_chain chain = *before;

		str_clear(&why);
		bytes[i / 8] ^= (unsigned char)(1 << i % 8);
		assert_int_equal(audit_chain_follow(&chain, record, &why), -EILSEQ);
		bytes[i / 8] ^= (unsigned char)(1 << i % 8);
	}
}

static void test_every_bit(void **state)
{
	struct world *w = *state;
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	_cleanup_(str_done) struct str why = { 0 };
	struct audit_chain chain = { .size = 0 };

	(void)fill(w);
	rows = db_query(w->db, "SELECT seq, ts, kind, body, hash FROM record ORDER BY seq");
	while (db_next(rows) > 0) {
		struct audit_record record = { .seq = db_i64(rows, 0), .ts = db_i64(rows, 1) };
		unsigned char hash[32];
		char kind[64], body[64];

		record.kind = kind;
		memcpy(kind, db_blob(rows, 2, &record.kind_size), 8);
		(void)snprintf(kind, sizeof(kind), "%s", db_text(rows, 2));
		record.body = body;
		(void)db_blob(rows, 3, &record.body_size);
		memcpy(body, db_blob(rows, 3, &record.body_size), record.body_size);
		record.hash = hash;
		memcpy(hash, db_blob(rows, 4, &record.hash_size), sizeof(hash));
		record.kind_size = strlen(kind);

		flip_each(&chain, &record, body, record.body_size);
		flip_each(&chain, &record, hash, sizeof(hash));
		flip_each(&chain, &record, kind, record.kind_size);
		flip_each(&chain, &record, &record.ts, sizeof(record.ts));
		flip_each(&chain, &record, &record.seq, sizeof(record.seq));
		flip_each(&chain, &record, &record.body_size, 1);
		/* A byte from the end of the kind to the front of the body, and the other way round. */
		record.kind_size--;
		assert_int_equal(audit_chain_follow(&chain, &record, &why), -EILSEQ);
		record.kind_size++;
		assert_int_equal(audit_chain_follow(&chain, &record, &why), 0);
	}
	assert_int_equal(chain.size, RECORDS);
}

/* The same through the database: every column of every record, and the number of the record that is found. */
static void test_every_column(void **state)
{
	static const char *const changes[] = {
		"UPDATE record SET body = CAST(replace(body, 'asked', 'asket') AS BLOB) WHERE seq = ",
		"UPDATE record SET hash = zeroblob(32) WHERE seq = ",
		"UPDATE record SET hash = substr(hash, 1, 31) WHERE seq = ",
		"UPDATE record SET kind = 'b' || substr(kind, 2) WHERE seq = ",
		"UPDATE record SET kind = kind || ' ' WHERE seq = ",
		"UPDATE record SET kind = '' WHERE seq = ",
		"UPDATE record SET ts = ts + 1 WHERE seq = ",
		"UPDATE record SET seq = seq + 1000 WHERE seq = ",
	};
	struct world *w = *state;
	struct audit_checkpoint last = fill(w);

	for (int i = 1; i <= RECORDS; i++) {
		for (size_t c = 0; c < countof(changes); c++) {
			assert_int_equal(db_begin(w->db), 0);
			run_n(w, changes[c], i, "");
			assert_int_equal(bad(w, &last), i);
			db_rollback(w->db);
		}
		assert_int_equal(db_begin(w->db), 0);
		run_n(w, "UPDATE record SET seq = -seq WHERE seq = ", i, "");
		assert_int_equal(bad(w, &last), 1);
		db_rollback(w->db);
	}
	assert_int_equal(bad(w, &last), 0);
}

/* ── records that go ─────────────────────────────────────────────────────────────────────────────────────────── */

static void test_deleted(void **state)
{
	struct world *w = *state;
	struct audit_checkpoint last = fill(w);

	for (int i = 1; i <= RECORDS; i++) {
		assert_int_equal(db_begin(w->db), 0);
		run_n(w, "DELETE FROM record WHERE seq = ", i, "");
		assert_int_equal(bad(w, &last), i);
		/* And all that follow moved up. */
		run_n(w, "UPDATE record SET seq = -(seq - 1) WHERE seq > ", i, "");
		run(w, "UPDATE record SET seq = -seq WHERE seq < 0");
		assert_int_equal(bad(w, &last), i);
		db_rollback(w->db);
	}
}

static void test_swapped(void **state)
{
	struct world *w = *state;
	struct audit_checkpoint last = fill(w);

	for (int i = 1; i < RECORDS; i++) {
		int other = i + 1 + i * 31 % (RECORDS - i);
		_cleanup_(freep) char *swap =
			xasprintf("UPDATE record SET seq = CASE seq WHEN -%d THEN %d ELSE %d END"
				  " WHERE seq < 0",
				  i, other, i);

		assert_int_equal(db_begin(w->db), 0);
		run_n(w, "UPDATE record SET seq = -seq WHERE seq = ", i, "");
		run_n(w, "UPDATE record SET seq = -seq WHERE seq = ", other, "");
		run(w, swap);
		assert_int_equal(bad(w, &last), i);
		db_rollback(w->db);
	}
}

/* The end cut off, with the checkpoints that tell of it: only one from elsewhere shows it. */
static void test_cut(void **state)
{
	struct world *w = *state;
	struct audit_checkpoint last = fill(w);

	for (int i = 0; i < RECORDS; i++) {
		assert_int_equal(db_begin(w->db), 0);
		run_n(w, "DELETE FROM record WHERE seq > ", i, "");
		assert_int_equal(bad(w, &last), i + 1);
		assert_int_equal(bad(w, NULL), i < 100 ? i + 1 : 0);
		run_n(w, "DELETE FROM checkpoint WHERE size > ", i, "");
		assert_int_equal(bad(w, &last), i + 1);
		assert_int_equal(bad(w, NULL), 0);
		db_rollback(w->db);
	}
}

/* Somebody who can compute hashes writes the rest of history anew. */
static void test_rewritten(void **state)
{
	struct world *w = *state;
	struct audit_checkpoint last = fill(w);

	for (int from = 1; from <= RECORDS; from += 13) {
		assert_int_equal(db_begin(w->db), 0);
		run_n(w, "DELETE FROM record WHERE seq >= ", from, "");
		for (int i = from; i <= RECORDS; i++)
			assert_int_equal(audit_append(w->audit, "action", "{}", 2, NULL), 0);
		assert_int_equal(bad(w, &last), from <= 100 ? 100 : 200);
		run(w, "DELETE FROM checkpoint");
		assert_int_equal(bad(w, &last), 200);
		assert_int_equal(bad(w, NULL), 0);
		db_rollback(w->db);
	}
}

/* ── the file itself ─────────────────────────────────────────────────────────────────────────────────────────── */

static void dump(struct db *db, const struct audit_check *check, struct str *out, int *ret)
{
	struct audit_report report;

	*ret = audit_verify(db, check, &report);
	hex_build(report.chain.head, 32, out->data);
	str_done(&report.text);
}

/* A flipped bit anywhere in the file: found, or without any effect on what is read. */
static void test_file(void **state)
{
	struct world *w = *state;
	struct audit_checkpoint last = fill(w);
	struct audit_check check = { .keys = &w->keys, .outside = &last, .outside_n = 1 };
	_cleanup_(freep) char *copy = xasprintf("%s/copy.db", w->folder);
	_cleanup_(str_done) struct str hex = { 0 };
	unsigned found = 0, harmless = 0;
	struct stat st;
	int fd;

	str_reserve(&hex, 65);
	assert_int_equal(db_backup_to(w->db, copy), 0);
	fd = open(copy, O_RDWR);
	assert_int_equal(fstat(fd, &st), 0);
	for (off_t at = 0; at < st.st_size; at += 29) {
		_cleanup_(db_freep) struct db *db = NULL;
		unsigned char byte, changed;
		int r;

		assert_int_equal(pread(fd, &byte, 1, at), 1);
		changed = (unsigned char)(byte ^ 1 << at % 8);
		assert_int_equal(pwrite(fd, &changed, 1, at), 1);
		r = db_open_to_read(copy, &db, &w->error);
		if (r == 0)
			dump(db, &check, &hex, &r);
		if (r == 0)
			harmless++;
		else
			found++;
		/* Sound means that the last record is still the one that was signed. */
		if (r == 0) {
			char expected[65];

			hex_build(last.head, 32, expected);
			assert_string_equal(hex.data, expected);
		}
		assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	}
	(void)close(fd);
	print_message("flipped bits in the file: %u found, %u harmless\n", found, harmless);
	assert_true(found > harmless);
}

/* Reading leaves the file alone, also one without its log, and while the gate writes. */
static void test_read_only(void **state)
{
	struct world *w = *state;
	_cleanup_(db_freep) struct db *reader = NULL;
	_cleanup_(freep) char *none = xasprintf("%s/none.db", w->folder);
	struct audit_checkpoint last = fill(w);
	struct audit_check check = { .keys = &w->keys, .outside = &last, .outside_n = 1 };
	struct audit_report report;

	assert_int_equal(db_open_to_read(w->path, &reader, &w->error), 0);
	assert_int_equal(audit_verify(reader, &check, &report), 0);
	assert_int_equal(append(w, "action", "{}"), 0);
	assert_int_equal(audit_verify(reader, &check, &report), 0);
	assert_int_equal(report.chain.size, RECORDS + 1);
	assert_true(db_exec(reader, "DELETE FROM record") < 0);
	assert_int_equal(db_open_to_read(none, &reader, &w->error), -ENOENT);
	assert_non_null(strstr(w->error.data, none));
	assert_int_equal(access(none, F_OK), -1);
	/* Not a database at all. */
	assert_int_equal(symlink("/etc/passwd", none), 0);
	db_free(take(reader));
	assert_int_equal(db_open_to_read(none, &reader, &w->error), -EUCLEAN);
}

/* ── checkpoints ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_checkpoint_forms(void **state)
{
	struct world *w = *state;
	struct audit_checkpoint last = fill(w), same;
	_cleanup_(str_done) struct str text = { 0 };
	const char *at;
	size_t length;

	audit_checkpoint_build(&last, &text);
	assert_true(str_starts(text.data, ORIGIN "\n200\n"));
	assert_non_null(strstr(text.data, "\n\n\u2014 " ORIGIN " "));
	at = text.data;
	assert_int_equal(audit_checkpoint_parse(&at, &same), 1);
	assert_memory_equal(&same, &last, sizeof(same));
	assert_int_equal(audit_checkpoint_parse(&at, &same), 0);
	assert_true(audit_checkpoint_is_signed(&last, &w->keys));
	/* Several, with signatures of witnesses, and the message's JSON between. */
	length = text.len;
	str_add(&text,
		"\u2014 witness.example/x AAAAAAAA\n\n{\"ts\":1,\"origin\":\"o\",\"size\":0,");
	str_add(&text, "\"head\":\"00\",\"signature\":\"\"}\n");
	at = text.data;
	assert_int_equal(audit_checkpoint_parse(&at, &same), 1);
	assert_int_equal(audit_checkpoint_parse(&at, &same), -EINVAL);
	/* Every bit of the text: it is no checkpoint any more, or not a signed one. */
	for (size_t i = 0; i < 8 * (length - 1); i++) {
		text.data[i / 8] = (char)(text.data[i / 8] ^ 1 << i % 8);
		at = text.data;
		if (audit_checkpoint_parse(&at, &same) == 1)
			assert_false(audit_checkpoint_is_signed(&same, &w->keys));
		text.data[i / 8] = (char)(text.data[i / 8] ^ 1 << i % 8);
	}
	/* Cut anywhere. */
	for (size_t n = length - 1; n-- > 0;) {
		text.data[n] = '\0';
		at = text.data;
		assert_int_equal(audit_checkpoint_parse(&at, &same), n ? -EINVAL : 0);
	}
}

static void test_checkpoint_keys(void **state)
{
	struct world *w = *state;
	struct audit_checkpoint last = fill(w), forged = last;
	unsigned char other[GRANT_SECRET_BYTES];
	struct audit_report report;
	char hex[130];

	assert_int_equal(grant_secret_from_hex(OTHER_SEED, other), 0);
	audit_checkpoint_sign(&forged, other);
	assert_int_equal(verify_report(w, &forged, &report), -EILSEQ);
	assert_non_null(strstr(report.text.data, "from elsewhere is signed by none"));
	str_done(&report.text);
	/* A second key, as after an exchange. */
	grant_public_hex(other, hex);
	hex[64] = '\n';
	grant_public_hex(w->secret, hex + 65);
	assert_int_equal(audit_keys_from_hex(hex, &w->keys), 0);
	assert_int_equal(bad(w, &forged), 0);
	assert_int_equal(bad(w, &last), 0);
	/* One of the chain's own, under another number. */
	run(w, "UPDATE checkpoint SET size = 99");
	assert_int_equal(verify_report(w, NULL, &report), -EILSEQ);
	assert_int_equal(report.bad, 99);
	str_done(&report.text);
	run(w, "UPDATE checkpoint SET size = 100, note = 'x'");
	assert_int_equal(bad(w, NULL), 100);
}

static void test_origins(void **state)
{
	char longest[AUDIT_ORIGIN_MAX + 2];

	(void)state;
	memset(longest, 'o', sizeof(longest));
	longest[AUDIT_ORIGIN_MAX + 1] = '\0';
	assert_false(audit_is_origin(longest));
	longest[AUDIT_ORIGIN_MAX] = '\0';
	assert_true(audit_is_origin(longest));
	assert_false(audit_is_origin(""));
	assert_false(audit_is_origin("a b"));
	assert_false(audit_is_origin("a+b"));
	assert_false(audit_is_origin("a\nb"));
	assert_false(audit_is_origin("\u00e4"));
}

/* ── the gate's side ─────────────────────────────────────────────────────────────────────────────────────────── */

static void test_transactions(void **state)
{
	struct world *w = *state;
	int64_t seq;

	assert_int_equal(db_begin(w->db), 0);
	assert_int_equal(audit_append(w->audit, "action", "{}", 2, &seq), 0);
	assert_int_equal(seq, 1);
	assert_int_equal(audit_append(w->audit, "action", "{}", 2, &seq), 0);
	assert_int_equal(seq, 2);
	db_rollback(w->db);
	assert_int_equal(db_begin(w->db), 0);
	assert_int_equal(audit_append(w->audit, "action", "{\"b\":2}", 7, &seq), 0);
	assert_int_equal(seq, 1);
	assert_int_equal(db_commit(w->db), 0);
	assert_int_equal(bad(w, NULL), 0);
	/* Not by mistake either. */
	assert_true(db_exec(w->db, "DELETE FROM record") < 0);
	assert_true(db_exec(w->db, "UPDATE record SET ts = 0") < 0);
	assert_int_equal(bad(w, NULL), 0);
}

static void test_too_long(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *body = xmalloc(AUDIT_BODY_MAX + 2);

	memset(body, '1', AUDIT_BODY_MAX + 1);
	body[AUDIT_BODY_MAX + 1] = '\0';
	assert_int_equal(append(w, "action", body), -EMSGSIZE);
	body[AUDIT_BODY_MAX] = '\0';
	assert_int_equal(append(w, "action", body), 0);
	assert_int_equal(bad(w, NULL), 0);
}

static void test_when_signed(void **state)
{
	struct world *w = *state;
	struct msg_audit_checkpoint first, message;

	assert_int_equal(audit_last_signed(w->audit, w->arena, &message), 0);
	w->boot_ms += AUDIT_CHECKPOINT_MS;
	assert_int_equal(audit_sign_due(w->audit, w->arena, &message), 0);
	assert_int_equal(append(w, "action", "{}"), 0);
	assert_int_equal(audit_sign_due(w->audit, w->arena, &message), 1);
	assert_int_equal(message.size, 1);
	assert_string_equal(message.origin, ORIGIN);
	assert_int_equal(message.ts, w->wall_ms);
	assert_int_equal(strlen(message.head), 64);
	assert_int_equal(append(w, "action", "{}"), 0);
	assert_int_equal(audit_sign_due(w->audit, w->arena, &first), 0);
	assert_int_equal(audit_sign_now(w->audit, w->arena, &first), 1);
	assert_int_equal(first.size, 2);
	assert_int_equal(audit_sign_now(w->audit, w->arena, &message), 0);
	w->wall_ms += 5000;
	assert_int_equal(audit_last_signed(w->audit, w->arena, &message), 1);
	assert_string_equal(message.head, first.head);
	assert_string_equal(message.signature, first.signature);
	assert_int_equal(message.ts, first.ts);
}

static void test_reopen(void **state)
{
	struct world *w = *state;

	(void)fill(w);
	assert_int_equal(open_audit(w), 0);
	/* Before the last checkpoint it is verify's to find; at it and after it the gate sees it by itself. */
	for (int i = 99; i <= RECORDS; i++) {
		assert_int_equal(db_begin(w->db), 0);
		run_n(w, "UPDATE record SET hash = zeroblob(32) WHERE seq = ", i, "");
		assert_int_equal(open_audit(w), i < 100 ? 0 : -EILSEQ);
		assert_int_equal(w->error.len == 0, i < 100);
		db_rollback(w->db);
	}
	assert_non_null(strstr(w->error.data, "jarvisctl audit verify"));
	assert_int_equal(db_begin(w->db), 0);
	run(w, "DELETE FROM record WHERE seq > 99");
	assert_int_equal(open_audit(w), -EILSEQ);
	db_rollback(w->db);
	/* Signed by a key that is not known: all is followed, and its checkpoint refused. */
	assert_int_equal(grant_secret_from_hex(OTHER_SEED, w->secret), 0);
	assert_int_equal(open_audit(w), -EILSEQ);
	assert_non_null(strstr(w->error.data, "keys"));
}

/* ── pages ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static int64_t number(const cJSON *tree, const char *key)
{
	const cJSON *value = json_get(tree, key);

	return cJSON_IsNull(value) ? -1 : (int64_t)cJSON_GetNumberValue(value);
}

static cJSON *page(struct world *w, int64_t before, int limit, size_t max_bytes)
{
	_cleanup_(str_done) struct str text = { 0 };
	cJSON *tree = NULL;

	assert_int_equal(audit_page(w->audit, before, limit, max_bytes, &text), 0);
	assert_int_equal(json_parse(text.data, text.len, JSON_STATE, &tree, NULL), 0);
	return tree;
}

static void test_pages(void **state)
{
	struct world *w = *state;
	int64_t expected = RECORDS, before = 0;
	unsigned pages = 0;

	(void)fill(w);
	do {
		_cleanup_(json_treep) cJSON *tree = page(w, before, 30, 100000);
		const cJSON *record;

		assert_int_equal(number(tree, "size"), RECORDS);
		cJSON_ArrayForEach(record, json_get(tree, "records")) {
			assert_int_equal(number(record, "seq"), expected--);
			assert_true(cJSON_IsObject(json_get(record, "body")));
			assert_int_equal(strlen(json_get(record, "hash")->valuestring), 64);
		}
		before = number(tree, "next");
		pages++;
	} while (before > 0);
	assert_int_equal(expected, 0);
	assert_int_equal(pages, 7);
}

static void test_page_bounds(void **state)
{
	struct world *w = *state;
	_cleanup_(json_treep) cJSON *none = page(w, 0, 10, 1000);
	cJSON *tree;

	assert_int_equal(number(none, "size"), 0);
	assert_int_equal(number(none, "next"), -1);
	(void)fill(w);
	tree = page(w, 0, 100000, 1000000);
	assert_int_equal(cJSON_GetArraySize(json_get(tree, "records")), AUDIT_PAGE_MAX);
	cJSON_Delete(tree);
	tree = page(w, 0, 100, 2000);
	assert_in_range(cJSON_GetArraySize(json_get(tree, "records")), 2, 20);
	cJSON_Delete(tree);
	tree = page(w, 1, 10, 1000);
	assert_int_equal(cJSON_GetArraySize(json_get(tree, "records")), 0);
	assert_int_equal(number(tree, "next"), -1);
	cJSON_Delete(tree);
	/* One that is larger than a page, and one that is damaged: the page is still one. */
	run(w, "UPDATE record SET body = zeroblob(3) WHERE seq = 200");
	tree = page(w, 0, 1, 10);
	assert_int_equal(number(json_get(tree, "records")->child, "seq"), 200);
	assert_true(cJSON_IsNull(json_get(json_get(tree, "records")->child, "body")));
	assert_int_equal(number(tree, "next"), 200);
	cJSON_Delete(tree);
	tree = page(w, 200, 1, 10);
	assert_true(cJSON_IsNull(json_get(json_get(tree, "records")->child, "body")));
	cJSON_Delete(tree);
}

#define WORLD(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD(test_sound),
		WORLD(test_format),
		WORLD(test_every_bit),
		WORLD(test_every_column),
		WORLD(test_deleted),
		WORLD(test_swapped),
		WORLD(test_cut),
		WORLD(test_rewritten),
		WORLD(test_file),
		WORLD(test_read_only),
		WORLD(test_checkpoint_forms),
		WORLD(test_checkpoint_keys),
		cmocka_unit_test(test_origins),
		WORLD(test_transactions),
		WORLD(test_too_long),
		WORLD(test_when_signed),
		WORLD(test_reopen),
		WORLD(test_pages),
		WORLD(test_page_bounds),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
