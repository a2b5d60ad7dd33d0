/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What must survive a crash: which grants were used, how far each came, and how it ended. A row is on the disk before
 * the request that it speaks of leaves, so that after any crash it is known whether there may have been an effect.
 */
#include "common/base.h"
#include "common/str.h"

struct journal;

enum journal_state {
	JOURNAL_GRANTED =
		1, /* the grant is used up, Proxmox was not asked for anything that changes something */
	JOURNAL_SENT, /* the request may have left; its task is known, or has to be looked for */
	JOURNAL_DONE, /* there is a result, which the gate may not have seen yet */
};

struct journal_entry {
	const char *gid;
	const char *id; /* the action */
	int64_t step;
	enum journal_state state;
	const char *payload; /* of the grant */
	const char *known;  /* UPIDs that were there before, one a line; NULL before JOURNAL_SENT */
	int64_t uptime_s;   /* of the target before, or -1 */
	const char *upid;   /* NULL: not known */
	const char *result; /* with JOURNAL_DONE: message action_result as JSON */
	int64_t granted_ms; /* wall clock */
	int64_t sent_ms;    /* wall clock; 0 before */
};

/*
 * Opens $DATA_DIR/executor.db, which nobody else may have open (-EWOULDBLOCK). 0, or -errno with a sentence in ERROR.
 * A damaged file is set aside: 0, and ERROR says so. Nothing is done twice for it, since a grant also dies with the
 * process whose nonce it answers; but of what was under way nobody will tell the end, and the gate calls it unknown.
 */
int journal_open(const char *data_dir, struct journal **ret, struct str *error) _nodiscard_;
void journal_free(struct journal *journal);

/* Uses a grant up: 0, -EEXIST when it has been before, or -errno. Durable when it returns, as all that follow. */
int journal_grant(struct journal *journal, const struct journal_entry *entry) _nodiscard_;
/* The request leaves now. */
int journal_send(struct journal *journal, const char *gid, const char *known, int64_t uptime_s,
		 int64_t sent_ms) _nodiscard_;
int journal_task(struct journal *journal, const char *gid, const char *upid) _nodiscard_;
int journal_finish(struct journal *journal, const char *gid, const char *result) _nodiscard_;
/* The gate knows how it ended: the result need not be kept. */
int journal_close(struct journal *journal, const char *gid) _nodiscard_;
/* Forgets grants that were used before WALL_MS; long before that nobody would take them any more. */
int journal_prune(struct journal *journal, int64_t wall_ms);
/* What went wrong last. */
const char *journal_error(const struct journal *journal);

/* Borrowed for the call. */
typedef void (*journal_fn)(void *ctx, const struct journal_entry *entry);
/* Every step of which the gate does not know the end, oldest first. 0 or -errno. FN may not touch the journal. */
int journal_each(struct journal *journal, journal_fn fn, void *ctx) _nodiscard_;
