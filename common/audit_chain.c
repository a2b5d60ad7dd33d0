/* SPDX-License-Identifier: MIT */
/*
 * Following a chain. Records and the chain's own checkpoints are read side by side in one read transaction, so that a
 * chain of any length takes no memory and may grow meanwhile.
 */
#include "common/audit_chain.h"

#include <errno.h>
#include <stdio.h>

#include <sodium.h>

#include "common/alloc.h"

void audit_record_hash(const unsigned char before[AUDIT_HASH_BYTES],
		       const struct audit_record *record, unsigned char ret[AUDIT_HASH_BYTES])
{
	crypto_hash_sha256_state state;
	unsigned char seq[8];
	char ts[24];
	int n = snprintf(ts, sizeof(ts), "%lld ", (long long)record->ts);

	for (int i = 0; i < 8; i++)
		seq[i] = (unsigned char)((uint64_t)record->seq >> (56 - 8 * i));
	(void)crypto_hash_sha256_init(&state);
	(void)crypto_hash_sha256_update(&state, before, AUDIT_HASH_BYTES);
	(void)crypto_hash_sha256_update(&state, seq, sizeof(seq));
	(void)crypto_hash_sha256_update(&state, (const unsigned char *)ts, (unsigned)n);
	(void)crypto_hash_sha256_update(&state, record->kind, record->kind_size);
	(void)crypto_hash_sha256_update(&state, (const unsigned char *)" ", 1);
	(void)crypto_hash_sha256_update(&state, record->body, record->body_size);
	(void)crypto_hash_sha256_final(&state, ret);
}

bool audit_is_kind(const char *kind, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";

	for (size_t i = 0; i < size; i++) {
		if (!kind[i] || !strchr(allowed, kind[i]))
			return false;
	}
	return size && size <= AUDIT_KIND_MAX;
}

int audit_chain_follow(struct audit_chain *chain, const struct audit_record *record,
		       struct str *why)
{
	unsigned char hash[AUDIT_HASH_BYTES];
	int64_t next = chain->size + 1;

	if (record->seq != next) {
		str_printf(why, "record %lld is missing: %lld follows %lld", (long long)next,
			   (long long)record->seq, (long long)chain->size);
		return -EILSEQ;
	}
	/* A blank in it would let bytes move between kind and body. */
	if (!audit_is_kind(record->kind, record->kind_size)) {
		str_printf(why, "record %lld has no proper kind", (long long)next);
		return -EILSEQ;
	}
	audit_record_hash(chain->head, record, hash);
	if (record->hash_size != AUDIT_HASH_BYTES ||
	    memcmp(hash, record->hash, AUDIT_HASH_BYTES) != 0) {
		str_printf(
			why,
			"record %lld was changed: its hash does not follow from it and from the record before",
			(long long)next);
		return -EILSEQ;
	}
	chain->size = next;
	memcpy(chain->head, hash, AUDIT_HASH_BYTES);
	return 0;
}

/* ── the whole ───────────────────────────────────────────────────────────────────────────────────────────────── */

struct walk {
	struct db *db;
	const struct audit_check *check;
	struct audit_report *report;
	struct db_rows *own; /* checkpoints of the chain itself */
	bool has_own;	     /* OWN stands on a row: its checkpoint is */
	struct audit_checkpoint next_own;
	const struct audit_checkpoint **outside; /* by size */
	size_t outside_at;
};

static int say_bad(struct walk *w, int64_t size, const char *what)
{
	w->report->bad = size;
	str_printf(&w->report->text, "the checkpoint of %lld records %s", (long long)size, what);
	return -EILSEQ;
}

static int say_error(struct walk *w, int r)
{
	str_add(&w->report->text, db_error(w->db));
	return r;
}

static int by_size(const void *a, const void *b)
{
	const struct audit_checkpoint *const *first = a, *const *second = b;

	return ((*first)->size > (*second)->size) - ((*first)->size < (*second)->size);
}

static int take_outside(struct walk *w)
{
	size_t n = w->check->outside_n;

	w->outside = xcalloc(n + 1, sizeof(*w->outside));
	for (size_t i = 0; i < n; i++) {
		const struct audit_checkpoint *c = &w->check->outside[i];

		if (!audit_checkpoint_is_signed(c, w->check->keys))
			return say_bad(
				w, c->size,
				"from elsewhere is signed by none of the safety gate's keys");
		if (c->size < w->check->from.size)
			continue;
		w->outside[w->outside_at++] = c;
	}
	qsort(w->outside, w->outside_at, sizeof(*w->outside), by_size);
	w->outside_at = 0;
	return 0;
}

/* Reads the next of the chain's own checkpoints: 0 or negative. */
static int next_own(struct walk *w)
{
	int r = db_next(w->own);
	const char *note;
	int64_t size;

	w->has_own = r > 0;
	if (r <= 0)
		return r < 0 ? say_error(w, r) : 0;
	size = db_i64(w->own, 0);
	note = db_text(w->own, 1);
	if (!note || audit_checkpoint_parse(&note, &w->next_own) != 1 || *note ||
	    w->next_own.size != size)
		return say_bad(w, size, "was changed");
	if (!audit_checkpoint_is_signed(&w->next_own, w->check->keys))
		return say_bad(w, size, "is signed by none of the safety gate's keys");
	return 0;
}

/* Holds checkpoint C, whose size is reached, against the chain. */
static int compare(struct walk *w, const struct audit_checkpoint *c, const char *wrong)
{
	const struct audit_chain *chain = &w->report->chain;

	if (c->size != chain->size || memcmp(c->head, chain->head, AUDIT_HASH_BYTES) != 0)
		return say_bad(w, c->size, wrong);
	w->report->checkpoints++;
	return 0;
}

/* All checkpoints that the chain has reached. */
static int compare_reached(struct walk *w)
{
	const struct audit_chain *chain = &w->report->chain;
	int r = 0;

	while (r == 0 && w->has_own && w->next_own.size <= chain->size) {
		r = compare(w, &w->next_own, "in the database was signed over other records");
		if (r == 0)
			r = next_own(w);
	}
	while (r == 0 && w->outside[w->outside_at] &&
	       w->outside[w->outside_at]->size <= chain->size)
		r = compare(w, w->outside[w->outside_at++],
			    "from elsewhere was signed over other records");
	return r;
}

static int read_record(struct walk *w, struct db_rows *rows, struct audit_record *ret)
{
	int r = db_next(rows);

	if (r < 0)
		return say_error(w, r);
	if (r == 0)
		return 0;
	ret->seq = db_i64(rows, 0);
	ret->ts = db_i64(rows, 1);
	ret->kind = db_blob(rows, 2, &ret->kind_size);
	ret->body = db_blob(rows, 3, &ret->body_size);
	ret->hash = db_blob(rows, 4, &ret->hash_size);
	return 1;
}

/* The record that the chain is followed from must be the one that was signed. */
static int check_first(struct walk *w, struct db_rows *rows)
{
	const struct audit_chain *from = &w->check->from;
	struct audit_record record;
	int r = from->size ? read_record(w, rows, &record) : 0;

	if (r < 0 || !from->size)
		return r;
	if (r > 0 && record.seq == from->size && record.hash_size == AUDIT_HASH_BYTES &&
	    memcmp(record.hash, from->head, AUDIT_HASH_BYTES) == 0)
		return 0;
	return say_bad(w, from->size, "does not fit the last of them");
}

static int follow_all(struct walk *w)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = db_query(
		w->db, "SELECT seq, ts, kind, body, hash FROM record WHERE seq >= ? ORDER BY seq",
		DB_I64(w->check->from.size ? w->check->from.size : INT64_MIN));
	int r = check_first(w, rows);

	if (r == 0)
		r = compare_reached(w);
	while (r == 0) {
		struct audit_record record;
		int more = read_record(w, rows, &record);

		if (more <= 0)
			return more;
		r = audit_chain_follow(&w->report->chain, &record, &w->report->text);
		if (r < 0)
			w->report->bad = w->report->chain.size + 1;
		else
			r = compare_reached(w);
	}
	return r;
}

static int check_end(struct walk *w)
{
	const struct audit_checkpoint *beyond =
		w->has_own ? &w->next_own : w->outside[w->outside_at];

	if (!beyond)
		return 0;
	w->report->bad = w->report->chain.size + 1;
	str_printf(&w->report->text,
		   "the end was cut: there are %lld records, and a signed checkpoint of %lld",
		   (long long)w->report->chain.size, (long long)beyond->size);
	return -EILSEQ;
}

int audit_verify(struct db *db, const struct audit_check *check, struct audit_report *ret)
{
	struct walk w = { .db = db, .check = check, .report = ret };
	int r;

	*ret = (struct audit_report){ .chain = check->from };
	w.own = db_query(db, "SELECT size, note FROM checkpoint WHERE size >= ? ORDER BY size",
			 DB_I64(check->from.size ? check->from.size : INT64_MIN));
	r = take_outside(&w);
	if (r == 0)
		r = next_own(&w);
	if (r == 0)
		r = follow_all(&w);
	if (r == 0)
		r = check_end(&w);
	db_rows_free(w.own);
	free((void *)w.outside);
	return r;
}
