/* SPDX-License-Identifier: MIT */
/*
 * The audit chain of two hundred records: every flipped bit, every deleted, swapped, inserted and cut record is found;
 * and so is what was done to its checkpoints.
 */
#include "common/alloc.h"
#include "tests/unit/audit_fixture.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

static void test_sound(void **state)
{
	struct audit_world *w = *state;
	struct audit_checkpoint last = world_fill(w);
	struct audit_report report;

	assert_int_equal(world_verify(w, &last, &report), 0);
	assert_int_equal(report.chain.size, AUDIT_RECORDS);
	assert_int_equal(report.checkpoints, 2);
	assert_memory_equal(report.chain.head, last.head, AUDIT_HASH_BYTES);
	/* A chain that went on since the checkpoint was kept. */
	assert_int_equal(world_append(w, "action", "{}"), 0);
	assert_int_equal(world_bad(w, &last), 0);
}

/* What the hash is of, computed by hand. */
static void test_format(void **state)
{
	static const char text[] =
		"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
		"\0\0\0\0\0\0\0\1"
		"1700000000000 action {\"a\":1}";
	struct audit_world *w = *state;
	unsigned char hash[32];
	int64_t same;

	assert_int_equal(world_append(w, "action", "{\"a\":1}"), 0);
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
	struct audit_world *w = *state;
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	_cleanup_(str_done) struct str why = { 0 };
	struct audit_chain chain = { .size = 0 };

	(void)world_fill(w);
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
	assert_int_equal(chain.size, AUDIT_RECORDS);
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
	struct audit_world *w = *state;
	struct audit_checkpoint last = world_fill(w);

	for (int i = 1; i <= AUDIT_RECORDS; i++) {
		for (size_t c = 0; c < countof(changes); c++) {
			assert_int_equal(db_begin(w->db), 0);
			world_run_n(w, changes[c], i, "");
			assert_int_equal(world_bad(w, &last), i);
			db_rollback(w->db);
		}
		assert_int_equal(db_begin(w->db), 0);
		world_run_n(w, "UPDATE record SET seq = -seq WHERE seq = ", i, "");
		assert_int_equal(world_bad(w, &last), 1);
		db_rollback(w->db);
	}
	assert_int_equal(world_bad(w, &last), 0);
}

/* ── records that go ─────────────────────────────────────────────────────────────────────────────────────────── */

static void test_deleted(void **state)
{
	struct audit_world *w = *state;
	struct audit_checkpoint last = world_fill(w);

	for (int i = 1; i <= AUDIT_RECORDS; i++) {
		assert_int_equal(db_begin(w->db), 0);
		world_run_n(w, "DELETE FROM record WHERE seq = ", i, "");
		assert_int_equal(world_bad(w, &last), i);
		/* And all that follow moved up. */
		world_run_n(w, "UPDATE record SET seq = -(seq - 1) WHERE seq > ", i, "");
		world_run(w, "UPDATE record SET seq = -seq WHERE seq < 0");
		assert_int_equal(world_bad(w, &last), i);
		db_rollback(w->db);
	}
}

static void test_swapped(void **state)
{
	struct audit_world *w = *state;
	struct audit_checkpoint last = world_fill(w);

	for (int i = 1; i < AUDIT_RECORDS; i++) {
		int other = i + 1 + i * 31 % (AUDIT_RECORDS - i);
		_cleanup_(freep) char *swap =
			xasprintf("UPDATE record SET seq = CASE seq WHEN -%d THEN %d ELSE %d END"
				  " WHERE seq < 0",
				  i, other, i);

		assert_int_equal(db_begin(w->db), 0);
		world_run_n(w, "UPDATE record SET seq = -seq WHERE seq = ", i, "");
		world_run_n(w, "UPDATE record SET seq = -seq WHERE seq = ", other, "");
		world_run(w, swap);
		assert_int_equal(world_bad(w, &last), i);
		db_rollback(w->db);
	}
}

/* The end cut off, with the checkpoints that tell of it: only one from elsewhere shows it. */
static void test_cut(void **state)
{
	struct audit_world *w = *state;
	struct audit_checkpoint last = world_fill(w);

	for (int i = 0; i < AUDIT_RECORDS; i++) {
		assert_int_equal(db_begin(w->db), 0);
		world_run_n(w, "DELETE FROM record WHERE seq > ", i, "");
		assert_int_equal(world_bad(w, &last), i + 1);
		assert_int_equal(world_bad(w, NULL), i < 100 ? i + 1 : 0);
		world_run_n(w, "DELETE FROM checkpoint WHERE size > ", i, "");
		assert_int_equal(world_bad(w, &last), i + 1);
		assert_int_equal(world_bad(w, NULL), 0);
		db_rollback(w->db);
	}
}

/* Somebody who can compute hashes writes the rest of history anew. */
static void test_rewritten(void **state)
{
	struct audit_world *w = *state;
	struct audit_checkpoint last = world_fill(w);

	for (int from = 1; from <= AUDIT_RECORDS; from += 13) {
		assert_int_equal(db_begin(w->db), 0);
		world_run_n(w, "DELETE FROM record WHERE seq >= ", from, "");
		for (int i = from; i <= AUDIT_RECORDS; i++)
			assert_int_equal(audit_append(w->audit, "action", "{}", 2, NULL), 0);
		assert_int_equal(world_bad(w, &last), from <= 100 ? 100 : 200);
		world_run(w, "DELETE FROM checkpoint");
		assert_int_equal(world_bad(w, &last), 200);
		assert_int_equal(world_bad(w, NULL), 0);
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
	struct audit_world *w = *state;
	struct audit_checkpoint last = world_fill(w);
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
	struct audit_world *w = *state;
	_cleanup_(db_freep) struct db *reader = NULL;
	_cleanup_(freep) char *none = xasprintf("%s/none.db", w->folder);
	struct audit_checkpoint last = world_fill(w);
	struct audit_check check = { .keys = &w->keys, .outside = &last, .outside_n = 1 };
	struct audit_report report;

	assert_int_equal(db_open_to_read(w->path, &reader, &w->error), 0);
	assert_int_equal(audit_verify(reader, &check, &report), 0);
	assert_int_equal(world_append(w, "action", "{}"), 0);
	assert_int_equal(audit_verify(reader, &check, &report), 0);
	assert_int_equal(report.chain.size, AUDIT_RECORDS + 1);
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
	struct audit_world *w = *state;
	struct audit_checkpoint last = world_fill(w), same;
	_cleanup_(str_done) struct str text = { 0 };
	const char *at;
	size_t length;

	audit_checkpoint_build(&last, &text);
	assert_true(str_starts(text.data, AUDIT_ORIGIN "\n200\n"));
	assert_non_null(strstr(text.data, "\n\n\u2014 " AUDIT_ORIGIN " "));
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
	struct audit_world *w = *state;
	struct audit_checkpoint last = world_fill(w), forged = last;
	unsigned char other[GRANT_SECRET_BYTES];
	struct audit_report report;
	char hex[130];

	assert_int_equal(grant_secret_from_hex(AUDIT_OTHER_SEED, other), 0);
	audit_checkpoint_sign(&forged, other);
	assert_int_equal(world_verify(w, &forged, &report), -EILSEQ);
	assert_non_null(strstr(report.text.data, "from elsewhere is signed by none"));
	str_done(&report.text);
	/* A second key, as after an exchange. */
	grant_public_hex(other, hex);
	hex[64] = '\n';
	grant_public_hex(w->secret, hex + 65);
	assert_int_equal(audit_keys_from_hex(hex, &w->keys), 0);
	assert_int_equal(world_bad(w, &forged), 0);
	assert_int_equal(world_bad(w, &last), 0);
	/* One of the chain's own, under another number. */
	world_run(w, "UPDATE checkpoint SET size = 99");
	assert_int_equal(world_verify(w, NULL, &report), -EILSEQ);
	assert_int_equal(report.bad, 99);
	str_done(&report.text);
	world_run(w, "UPDATE checkpoint SET size = 100, note = 'x'");
	assert_int_equal(world_bad(w, NULL), 100);
}

/* What is no checkpoint. */
static void test_no_checkpoints(void **state)
{
#define SIGNATURE                                                                                  \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define HEAD "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
#define HEX "0000000000000000000000000000000000000000000000000000000000000000"
#define JSON(origin, size, head, signature)                                                        \
	"{\"ts\":1,\"origin\":\"" origin "\",\"size\":" size ",\"head\":\"" head                   \
	"\",\"signature\":\"" signature "\"}\n"
	static const char *const right[] = {
		"o\n1\n" HEAD "\n\n\u2014 o " SIGNATURE "\n",
		"o\n1\n" HEAD "\n\n\u2014 x AAAA\n\u2014 o " SIGNATURE "\n",
		"o\n1\n" HEAD "\n\n\u2014 o " SIGNATURE,
		JSON("o", "1", HEX, SIGNATURE),
	};
	static const char *const wrong[] = {
		"o o\n1\n" HEAD "\n\n\u2014 o " SIGNATURE "\n",
		"o\n-1\n" HEAD "\n\n\u2014 o " SIGNATURE "\n",
		"o\n1\n" HEAD "A\n\n\u2014 o " SIGNATURE "\n",
		"o\n1\nAAAA\n\n\u2014 o " SIGNATURE "\n",
		"o\n1\n" HEAD "\n\u2014 o " SIGNATURE "\n",
		"o\n1\n" HEAD "\nmore\n\n\u2014 o " SIGNATURE "\n",
		"o\n1\n" HEAD "\n\n\u2014 x " SIGNATURE "\n",
		"o\n1\n" HEAD "\n\n\u2014 " SIGNATURE "\n",
		"o\n1\n" HEAD "\n\n\u2014 o AAAA\n",
		"o\n1\n" HEAD "\n\n\u2014 o " SIGNATURE " " HEX HEX HEX "\n",
		"o\n1\n" HEAD "\n\n",
		"o\n1\n",
		JSON("", "1", HEX, SIGNATURE),
		JSON("o", "-1", HEX, SIGNATURE),
		JSON("o", "1", "00", SIGNATURE),
		JSON("o", "1", "xx", SIGNATURE),
		JSON("o", "1", HEX, "AAAA"),
		"{}\n",
	};
	struct audit_checkpoint checkpoint;
	struct audit_keys keys;

	(void)state;
	for (size_t i = 0; i < countof(right); i++) {
		const char *at = right[i];

		assert_int_equal(audit_checkpoint_parse(&at, &checkpoint), 1);
		assert_int_equal(checkpoint.size, 1);
		assert_string_equal(checkpoint.origin, "o");
		assert_int_equal(audit_checkpoint_parse(&at, &checkpoint), 0);
	}
	for (size_t i = 0; i < countof(wrong); i++) {
		const char *at = wrong[i];

		assert_int_equal(audit_checkpoint_parse(&at, &checkpoint), -EINVAL);
	}
	assert_int_equal(audit_keys_from_hex("", &keys), -EINVAL);
	assert_int_equal(audit_keys_from_hex(HEX "0", &keys), -EINVAL);
	assert_int_equal(audit_keys_from_hex(HEX " x" HEX, &keys), -EINVAL);
	assert_int_equal(audit_keys_from_hex(" " HEX "\n" HEX "\n", &keys), 0);
	assert_int_equal(keys.n, 2);
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

#define WORLD(test) cmocka_unit_test_setup_teardown(test, world_setup, world_teardown)

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
		cmocka_unit_test(test_no_checkpoints),
		cmocka_unit_test(test_origins),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
