/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The gate's side of the audit chain: appending inside the caller's transaction, so that a record and what it is
 * about are committed together or not at all; signed checkpoints; reading for the dashboard. Nothing of the chain is
 * kept in memory, so that a rollback needs no care. The tables are AUDIT_SQL and AUDIT_INDEX_SQL, for
 * the gate's migrations.
 */
#include "common/audit_chain.h"
#include "common/time.h"

#define AUDIT_CHECKPOINT_RECORDS 100
#define AUDIT_CHECKPOINT_MS 60000
#define AUDIT_PAGE_MAX 200

struct audit;

struct audit_options {
	struct db *db; /* migrated; outlives the audit */
	const struct clock *clock;
	unsigned char secret[GRANT_SECRET_BYTES]; /* of the gate's signing key; copied */
	struct audit_keys keys; /* all that ever signed; the present one is added */
	const char *origin;	/* names the installation, see audit_is_origin(); copied */
};

/*
 * Checks the chain from its last checkpoint on (from the first record when there is none). 0; -EILSEQ or another
 * -errno with a sentence appended to ERROR: then nothing may be appended, and nothing above GREEN be done, before a
 * person has looked.
 */
int audit_open(const struct audit_options *options, struct audit **ret,
	       struct str *error) _nodiscard_;
/* NULL is nothing. */
void audit_free(struct audit *audit);
DEFINE_FREEP(struct audit, audit_free)

/*
 * Appends BODY, JSON of at most AUDIT_BODY_MAX bytes, inside the transaction that the caller has begun. KIND is
 * [a-z0-9_.]{1,32}. 0 with the record's number in *ret_seq (may be NULL); or -errno: roll back, and do nothing that
 * needs a record. -EMSGSIZE when BODY is too long.
 */
int audit_append(struct audit *audit, const char *kind, const char *body, size_t length,
		 int64_t *ret_seq) _nodiscard_;

/*
 * Signs and stores a checkpoint when one is due: 100 records or 60 s after the last, and something was appended. To be
 * called after commits and every few seconds, outside of a transaction. 1 with a message for audit/checkpoint (text in
 * ARENA), 0 when none is due, or -errno.
 */
int audit_sign_due(struct audit *audit, struct arena *arena,
		   struct msg_audit_checkpoint *ret) _nodiscard_;
/* Likewise, due or not, unless nothing was appended: for the end of the service. */
int audit_sign_now(struct audit *audit, struct arena *arena,
		   struct msg_audit_checkpoint *ret) _nodiscard_;
/* The last one again, for the retained topic: 1, 0 when there is none yet, or -errno. */
int audit_last_signed(struct audit *audit, struct arena *arena,
		      struct msg_audit_checkpoint *ret) _nodiscard_;

struct audit_wish {
	int64_t before;	  /* records before this number; 0: from the newest on */
	const char *kind; /* only of this kind; NULL: of all */
	int limit;	  /* at most so many: 1 … AUDIT_PAGE_MAX */
	size_t max_bytes; /* about so much of them, but at least one; a body longer than that is given as null */
};

/*
 * Appends a page as JSON to OUT, newest first. 0 or -errno.
 *
 *   {"size":1234,"kinds":["allowed",…],"next":1200,"records":[{"seq":1234,"ts":…,"kind":"…","hash":"…","body":{…}}, …]}
 *
 * `kinds` are all that there are in the chain. `next` is the BEFORE of the following page, null when there is none.
 */
int audit_page(struct audit *audit, const struct audit_wish *wish, struct str *out);
