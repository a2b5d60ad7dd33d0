/* SPDX-License-Identifier: MIT */
/*
 * One table. `over` rows stay for a month without their texts, so that no grant is ever used twice.
 */
#include "services/executor/journal.h"

#include "common/alloc.h"
#include "common/db.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

struct journal {
	struct db *db;
	int lock; /* a file that is locked while we live */
};

static const struct db_migration migrations[] = {
	{ "CREATE TABLE step ("
	  " gid TEXT PRIMARY KEY,"
	  " id TEXT NOT NULL,"
	  " step INTEGER NOT NULL,"
	  " state INTEGER NOT NULL,"
	  " payload TEXT,"
	  " known TEXT,"
	  " uptime_s INTEGER NOT NULL DEFAULT -1,"
	  " upid TEXT,"
	  " result TEXT,"
	  " granted_ms INTEGER NOT NULL,"
	  " sent_ms INTEGER NOT NULL DEFAULT 0,"
	  " over INTEGER NOT NULL DEFAULT 0"
	  ") STRICT;"
	  "CREATE INDEX step_open ON step (granted_ms) WHERE over = 0;" },
};

/* Two that take the same rows up would each believe that the other's had not been begun. */
static int lock_folder(const char *data_dir, struct str *error)
{
	_cleanup_(freep) char *path = xasprintf("%s/executor.lock", data_dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int r;

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	r = -errno;
	if (fd >= 0)
		(void)close(fd);
	if (r == -EWOULDBLOCK)
		str_printf(error,
			   "another executor works in %s: stop it, or start this one with "
			   "another --data",
			   data_dir);
	else
		str_printf(error, "%s: %s", path, strerror(-r));
	return r;
}

int journal_open(const char *data_dir, struct journal **ret, struct str *error)
{
	int lock = lock_folder(data_dir, error);
	_cleanup_(freep) char *path = xasprintf("%s/executor.db", data_dir);
	const struct db_options options = {
		.path = path,
		.migrations = migrations,
		.migrations_n = countof(migrations),
		.is_durable = true,
	};
	struct db *db;
	int r = lock < 0 ? lock : db_open(&options, &db, error);

	if (r < 0) {
		if (lock >= 0)
			(void)close(lock);
		return r;
	}
	*ret = xnew(struct journal);
	(*ret)->db = db;
	(*ret)->lock = lock;
	return 0;
}

void journal_free(struct journal *journal)
{
	if (!journal)
		return;
	db_free(journal->db);
	(void)close(journal->lock);
	free(journal);
}

const char *journal_error(const struct journal *journal)
{
	return db_error(journal->db);
}

/* A change that concerns no row was not written down. */
static int one(struct journal *journal, int r)
{
	return r == 0 && db_changes(journal->db) != 1 ? -ENOENT : r;
}

int journal_grant(struct journal *journal, const struct journal_entry *entry)
{
	return db_exec(journal->db,
		       "INSERT INTO step (gid, id, step, state, payload, granted_ms)"
		       " VALUES (?, ?, ?, ?, ?, ?)",
		       DB_TEXT(entry->gid), DB_TEXT(entry->id), DB_I64(entry->step),
		       DB_I64(JOURNAL_GRANTED), DB_TEXT(entry->payload), DB_I64(entry->granted_ms));
}

int journal_send(struct journal *journal, const char *gid, const char *known, int64_t uptime_s,
		 int64_t sent_ms)
{
	return one(journal,
		   db_exec(journal->db,
			   "UPDATE step SET state = ?, known = ?, uptime_s = ?, sent_ms = ?"
			   " WHERE gid = ? AND state = ?",
			   DB_I64(JOURNAL_SENT), DB_TEXT(known), DB_I64(uptime_s), DB_I64(sent_ms),
			   DB_TEXT(gid), DB_I64(JOURNAL_GRANTED)));
}

int journal_task(struct journal *journal, const char *gid, const char *upid)
{
	return one(journal, db_exec(journal->db, "UPDATE step SET upid = ? WHERE gid = ?",
				    DB_TEXT(upid), DB_TEXT(gid)));
}

int journal_finish(struct journal *journal, const char *gid, const char *result)
{
	return one(journal,
		   db_exec(journal->db, "UPDATE step SET state = ?, result = ? WHERE gid = ?",
			   DB_I64(JOURNAL_DONE), DB_TEXT(result), DB_TEXT(gid)));
}

int journal_close(struct journal *journal, const char *gid)
{
	return one(journal, db_exec(journal->db,
				    "UPDATE step SET over = 1, payload = NULL, known = NULL,"
				    " result = NULL WHERE gid = ?",
				    DB_TEXT(gid)));
}

int journal_prune(struct journal *journal, int64_t wall_ms)
{
	return db_exec(journal->db, "DELETE FROM step WHERE over = 1 AND granted_ms < ?",
		       DB_I64(wall_ms));
}

int journal_each(struct journal *journal, journal_fn fn, void *ctx)
{
	_cleanup_(db_rows_freep) struct db_rows *rows =
		db_query(journal->db,
			 "SELECT gid, id, step, state, payload, known, uptime_s, upid, result,"
			 " granted_ms, sent_ms FROM step WHERE over = ? ORDER BY granted_ms, gid",
			 DB_I64(0));
	int r;

	while ((r = db_next(rows)) > 0) {
		const struct journal_entry entry = {
			.gid = db_text(rows, 0),
			.id = db_text(rows, 1),
			.step = db_i64(rows, 2),
			.state = (enum journal_state)db_i64(rows, 3),
			.payload = db_text(rows, 4),
			.known = db_text(rows, 5),
			.uptime_s = db_i64(rows, 6),
			.upid = db_text(rows, 7),
			.result = db_text(rows, 8),
			.granted_ms = db_i64(rows, 9),
			.sent_ms = db_i64(rows, 10),
		};

		fn(ctx, &entry);
	}
	return r;
}
