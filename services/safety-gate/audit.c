/* SPDX-License-Identifier: MIT */
/*
 * The newest record is read anew for every append: a lookup of microseconds beside a commit of hundreds, and no copy
 * of it can be wrong after a rollback.
 */
#include "services/safety-gate/audit.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>

#include <sodium.h>

#include "common/json.h"

struct audit {
	struct db *db;
	const struct clock *clock;
	unsigned char secret[GRANT_SECRET_BYTES];
	struct audit_keys keys;
	char origin[AUDIT_ORIGIN_MAX + 1];
	int64_t checkpoint_boot_ms; /* when the last one was made or looked for */
};

/* The newest record; size 0 when there is none. */
static int read_head(struct db *db, struct audit_chain *ret)
{
	_cleanup_(db_rows_freep) struct db_rows *rows =
		db_query(db, "SELECT seq, hash FROM record ORDER BY seq DESC LIMIT 1");
	const void *hash;
	size_t size;
	int r = db_next(rows);

	*ret = (struct audit_chain){ .size = 0 };
	if (r <= 0)
		return r;
	hash = db_blob(rows, 1, &size);
	if (size != AUDIT_HASH_BYTES)
		return -EILSEQ;
	ret->size = db_i64(rows, 0);
	memcpy(ret->head, hash, size);
	return 0;
}

/* The last checkpoint: 1, 0 when there is none, or -errno. */
static int read_checkpoint(struct db *db, struct audit_checkpoint *ret, int64_t *ret_ts)
{
	_cleanup_(db_rows_freep) struct db_rows *rows =
		db_query(db, "SELECT ts, note FROM checkpoint ORDER BY size DESC LIMIT 1");
	const char *note;
	int r = db_next(rows);

	if (r <= 0)
		return r;
	note = db_text(rows, 1);
	if (!note || audit_checkpoint_parse(&note, ret) != 1)
		return -EILSEQ;
	*ret_ts = db_i64(rows, 0);
	return 1;
}

/* ── opening ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* The key that signs now counts, too. */
static void add_own_key(struct audit *audit)
{
	const unsigned char *public = audit->secret + crypto_sign_SEEDBYTES;

	for (size_t i = 0; i < audit->keys.n; i++) {
		if (memcmp(audit->keys.key[i], public, GRANT_PUBLIC_BYTES) == 0)
			return;
	}
	/* The oldest makes room. */
	if (audit->keys.n == AUDIT_KEYS_MAX)
		audit->keys.n--;
	memcpy(audit->keys.key[audit->keys.n++], public, GRANT_PUBLIC_BYTES);
}

/* Is the record that the last checkpoint C is about still the same? Then what comes after it is followed. */
static int check_end(struct audit *audit, struct str *error)
{
	struct audit_check check = { .keys = &audit->keys };
	struct audit_report report = { .checkpoints = 0 };
	struct audit_checkpoint last;
	int64_t ts;
	int r = read_checkpoint(audit->db, &last, &ts);

	if (r > 0 && audit_checkpoint_is_signed(&last, &audit->keys)) {
		check.from.size = last.size;
		memcpy(check.from.head, last.head, AUDIT_HASH_BYTES);
	}
	if (r >= 0 || r == -EILSEQ) {
		r = audit_verify(audit->db, &check, &report);
		str_add(error, str_get(&report.text));
		str_done(&report.text);
	} else {
		str_add(error, db_error(audit->db));
	}
	return r;
}

int audit_open(const struct audit_options *options, struct audit **ret, struct str *error)
{
	_cleanup_(audit_freep) struct audit *audit = xnew(struct audit);
	size_t before = error->len;
	int r;

	assert(audit_is_origin(options->origin));
	audit->db = options->db;
	audit->clock = options->clock;
	audit->keys = options->keys;
	memcpy(audit->secret, options->secret, sizeof(audit->secret));
	(void)snprintf(audit->origin, sizeof(audit->origin), "%s", options->origin);
	audit->checkpoint_boot_ms = clock_boot_ms(audit->clock);
	add_own_key(audit);
	r = check_end(audit, error);
	if (r < 0) {
		if (error->len > before)
			str_add(error, "; ");
		str_add(error,
			"the audit log cannot be relied on: look at it with jarvisctl audit verify, keep "
			"the file, and put a backup back or move it away");
		return r;
	}
	*ret = take(audit);
	return 0;
}

void audit_free(struct audit *audit)
{
	if (!audit)
		return;
	sodium_memzero(audit->secret, sizeof(audit->secret));
	free(audit);
}

/* ── appending ───────────────────────────────────────────────────────────────────────────────────────────────── */

int audit_append(struct audit *audit, const char *kind, const char *body, size_t length,
		 int64_t *ret_seq)
{
	struct audit_record record = {
		.kind = kind, .kind_size = strlen(kind), .body = body, .body_size = length
	};
	unsigned char hash[AUDIT_HASH_BYTES];
	struct audit_chain head;
	int r;

	assert(db_is_in_transaction(audit->db) && audit_is_kind(kind, record.kind_size));
	if (length > AUDIT_BODY_MAX)
		return -EMSGSIZE;
	r = read_head(audit->db, &head);
	if (r < 0)
		return r;
	record.seq = head.size + 1;
	record.ts = clock_wall_ms(audit->clock);
	audit_record_hash(head.head, &record, hash);
	r = db_exec(audit->db,
		    "INSERT INTO record (seq, ts, kind, body, hash) VALUES (?, ?, ?, ?, ?)",
		    DB_I64(record.seq), DB_I64(record.ts), DB_TEXT(kind), DB_BLOB(body, length),
		    DB_BLOB(hash, sizeof(hash)));
	if (r == 0 && ret_seq)
		*ret_seq = record.seq;
	return r;
}

/* ── checkpoints ─────────────────────────────────────────────────────────────────────────────────────────────── */

static int store_checkpoint(struct audit *audit, const struct audit_chain *head,
			    struct arena *arena, struct msg_audit_checkpoint *ret)
{
	_cleanup_(str_done) struct str note = { 0 };
	struct audit_checkpoint checkpoint = { .size = head->size };
	int64_t ts = clock_wall_ms(audit->clock);
	int r;

	memcpy(checkpoint.head, head->head, AUDIT_HASH_BYTES);
	(void)snprintf(checkpoint.origin, sizeof(checkpoint.origin), "%s", audit->origin);
	audit_checkpoint_sign(&checkpoint, audit->secret);
	audit_checkpoint_build(&checkpoint, &note);
	r = db_exec(audit->db, "INSERT INTO checkpoint (size, ts, note) VALUES (?, ?, ?)",
		    DB_I64(checkpoint.size), DB_I64(ts), DB_TEXT(str_get(&note)));
	if (r < 0)
		return r;
	audit->checkpoint_boot_ms = clock_boot_ms(audit->clock);
	audit_checkpoint_message(&checkpoint, ts, arena, ret);
	return 1;
}

static int make_checkpoint(struct audit *audit, int64_t records, struct arena *arena,
			   struct msg_audit_checkpoint *ret)
{
	struct audit_checkpoint last = { .size = 0 };
	struct audit_chain head;
	int64_t ts;
	int r;

	assert(!db_is_in_transaction(audit->db));
	r = read_checkpoint(audit->db, &last, &ts);
	if (r >= 0)
		r = read_head(audit->db, &head);
	if (r < 0)
		return r;
	return head.size - last.size >= records ? store_checkpoint(audit, &head, arena, ret) : 0;
}

int audit_sign_now(struct audit *audit, struct arena *arena, struct msg_audit_checkpoint *ret)
{
	return make_checkpoint(audit, 1, arena, ret);
}

int audit_sign_due(struct audit *audit, struct arena *arena, struct msg_audit_checkpoint *ret)
{
	int64_t age_ms = clock_boot_ms(audit->clock) - audit->checkpoint_boot_ms;

	return make_checkpoint(audit, age_ms >= AUDIT_CHECKPOINT_MS ? 1 : AUDIT_CHECKPOINT_RECORDS,
			       arena, ret);
}

int audit_last_signed(struct audit *audit, struct arena *arena, struct msg_audit_checkpoint *ret)
{
	struct audit_checkpoint last;
	int64_t ts;
	int r = read_checkpoint(audit->db, &last, &ts);

	if (r > 0)
		audit_checkpoint_message(&last, ts, arena, ret);
	return r;
}

/* ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_record(struct json_writer *w, struct db_rows *rows, size_t max_bytes)
{
	char hex[2 * AUDIT_HASH_BYTES + 1] = "";
	size_t hash_size, body_size;
	const void *hash = db_blob(rows, 3, &hash_size);
	const char *body = db_blob(rows, 4, &body_size);
	_cleanup_(freep) char *text = NULL;

	/* A damaged body must not make the whole page unreadable. */
	if (body && body_size <= max_bytes && json_scan(body, body_size, JSON_FOREIGN, NULL) == 0)
		text = xstrndup(body, body_size);
	if (hash_size == AUDIT_HASH_BYTES)
		hex_build(hash, hash_size, hex);
	json_object_begin(w, NULL);
	json_add_i64(w, "seq", db_i64(rows, 0));
	json_add_i64(w, "ts", db_i64(rows, 1));
	json_add_str(w, "kind", db_text(rows, 2));
	json_add_str(w, "hash", hex);
	json_add_raw(w, "body", text);
	json_object_end(w);
}

static struct db_rows *query_records(struct db *db, const struct audit_wish *wish)
{
	int64_t before = wish->before > 0 ? wish->before : INT64_MAX;
	/* One more tells whether there is another page. */
	int64_t limit = max_of(1, min_of(wish->limit, AUDIT_PAGE_MAX)) + 1;

	if (wish->kind)
		return db_query(db,
				"SELECT seq, ts, kind, hash, body FROM record WHERE kind = ?"
				" AND seq < ? ORDER BY seq DESC LIMIT ?",
				DB_TEXT(wish->kind), DB_I64(before), DB_I64(limit));
	return db_query(db,
			"SELECT seq, ts, kind, hash, body FROM record WHERE seq < ?"
			" ORDER BY seq DESC LIMIT ?",
			DB_I64(before), DB_I64(limit));
}

/* Writes the list; *ret_next is the last record in it, 0 when there is none before it. */
static int add_records(struct audit *audit, struct json_writer *w, const struct audit_wish *wish,
		       int64_t *ret_next)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = query_records(audit->db, wish);
	int left = max_of(1, min_of(wish->limit, AUDIT_PAGE_MAX));
	size_t start = w->out->len, body_size;
	int64_t last = 0;
	int r;

	while ((r = db_next(rows)) > 0) {
		(void)db_blob(rows, 4, &body_size);
		if (!left || (last && w->out->len - start + body_size > wish->max_bytes))
			break;
		add_record(w, rows, wish->max_bytes);
		last = db_i64(rows, 0);
		left--;
	}
	*ret_next = r > 0 ? last : 0;
	return r < 0 ? r : 0;
}

/* From one to the next through the index: a chain of years has a dozen kinds. */
static int add_kinds(struct audit *audit, struct json_writer *w)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = db_query(
		audit->db, "WITH RECURSIVE k(kind) AS (SELECT min(kind) FROM record UNION ALL"
			   " SELECT (SELECT min(kind) FROM record WHERE kind > k.kind) FROM k"
			   " WHERE k.kind IS NOT NULL) SELECT kind FROM k WHERE kind IS NOT NULL");
	int r;

	json_list_begin(w, "kinds");
	while ((r = db_next(rows)) > 0)
		json_add_str(w, NULL, db_text(rows, 0));
	json_list_end(w);
	return r;
}

int audit_page(struct audit *audit, const struct audit_wish *wish, struct str *out)
{
	_cleanup_(str_done) struct str list = { 0 }, page = { 0 };
	struct json_writer lw = { .out = &list }, w = { .out = &page };
	struct audit_chain head;
	int64_t next = 0;
	int r = read_head(audit->db, &head);

	if (r < 0)
		return r;
	json_list_begin(&lw, NULL);
	r = add_records(audit, &lw, wish, &next);
	json_list_end(&lw);
	if (r < 0)
		return r;
	json_object_begin(&w, NULL);
	json_add_i64(&w, "size", head.size);
	r = add_kinds(audit, &w);
	if (r < 0)
		return r;
	if (next)
		json_add_i64(&w, "next", next);
	else
		json_add_null(&w, "next");
	json_add_raw(&w, "records", str_get(&list));
	json_object_end(&w);
	str_add_n(out, page.data, page.len);
	return 0;
}
