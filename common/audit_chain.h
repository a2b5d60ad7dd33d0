/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The audit chain: every record's hash covers the one before it, so that nothing can be changed, left out or moved
 * without all that follows. Written by the safety gate (services/safety-gate/audit.h), checked by anybody who has the
 * file. A tail that was cut off shows only against a checkpoint that was kept elsewhere.
 *
 *	hash(n) = SHA-256(hash(n−1) ‖ n as 8 bytes, big-endian ‖ "TS KIND " ‖ body)      hash(0) is 32 zeros
 */
#include "common/audit_checkpoint.h"
#include "common/db.h"

/* Largest body; the kind is [a-z0-9_.]. */
#define AUDIT_BODY_MAX ((size_t)256 << 10)
#define AUDIT_KIND_MAX ((size_t)32)

/* The tables, for the one migration of whoever writes the chain. The triggers are against our own mistakes. */
#define AUDIT_SQL                                                                                  \
	"CREATE TABLE record (seq INTEGER PRIMARY KEY, ts INTEGER NOT NULL, kind TEXT NOT NULL,"   \
	" body BLOB NOT NULL, hash BLOB NOT NULL) STRICT;"                                         \
	"CREATE TABLE checkpoint (size INTEGER PRIMARY KEY, ts INTEGER NOT NULL,"                  \
	" note TEXT NOT NULL) STRICT;"                                                             \
	"CREATE TRIGGER record_stays BEFORE DELETE ON record BEGIN"                                \
	" SELECT RAISE(ABORT, 'a record is never deleted'); END;"                                  \
	"CREATE TRIGGER record_is_final BEFORE UPDATE ON record BEGIN"                             \
	" SELECT RAISE(ABORT, 'a record is never changed'); END;"
/* A migration of its own: what is read of one kind alone. */
#define AUDIT_INDEX_SQL "CREATE INDEX record_of_kind ON record (kind, seq);"

struct audit_record {
	int64_t seq; /* 1, 2, … */
	int64_t ts;  /* wall ms */
	const void *kind;
	size_t kind_size;
	const void *body;
	size_t body_size;
	const void *hash;
	size_t hash_size;
};

/* [a-z0-9_.]{1,32} */
bool audit_is_kind(const char *kind, size_t size);
void audit_record_hash(const unsigned char before[AUDIT_HASH_BYTES],
		       const struct audit_record *record, unsigned char ret[AUDIT_HASH_BYTES]);

/* How far a chain was followed. Start with { 0 }. */
struct audit_chain {
	int64_t size;
	unsigned char head[AUDIT_HASH_BYTES];
};

/* Follows the chain to RECORD, which must be the next one: 0; or -EILSEQ, *WHY says what is wrong with it. */
int audit_chain_follow(struct audit_chain *chain, const struct audit_record *record,
		       struct str *why) _nodiscard_;

/* What to check a chain against. */
struct audit_check {
	const struct audit_keys *keys;		/* that may have signed checkpoints */
	const struct audit_checkpoint *outside; /* kept elsewhere */
	size_t outside_n;
	struct audit_chain
		from; /* a signed head: what is before it is not followed; { 0 }: all is */
};

struct audit_report {
	struct audit_chain chain; /* as far as it is sound */
	int64_t checkpoints;	  /* that agree with it: its own and those from elsewhere */
	int64_t bad;		  /* the first record, or size of a checkpoint, that is wrong */
	struct str text;	  /* what is wrong with it, a sentence; free it with str_done() */
};

/*
 * Follows the chain in DB to its end, and compares its own checkpoints and those from outside. 0 when all is sound;
 * -EILSEQ with the first thing that is not in *ret; or -errno with the text when it cannot be read, -EUCLEAN when the
 * database itself is damaged.
 */
int audit_verify(struct db *db, const struct audit_check *check,
		 struct audit_report *ret) _nodiscard_;
