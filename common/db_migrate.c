/* SPDX-License-Identifier: MIT */
/*
 * Migrations. They run on a copy; when all of them went well the copy is written back over the
 * original in one transaction of SQLite's backup interface, which other processes with the file
 * open survive (a rename would leave them, and the write-ahead log, with the wrong file).
 */
#include "common/db_internal.h"

#include "common/alloc.h"

#include <errno.h>
#include <unistd.h>

int db_version(struct db *db)
{
	int64_t version;
	int r = db_find_i64(db, &version, "PRAGMA user_version");

	if (r < 0)
		return r;
	if (version < 0 || version > INT32_MAX)
		return -EUCLEAN;
	return (int)version;
}

static int is_empty(struct db *db)
{
	int64_t objects;
	int r = db_find_i64(db, &objects, "SELECT count(*) FROM sqlite_schema");

	return r < 0 ? r : objects == 0;
}

static int exec_text(struct db *db, const char *sql, size_t version)
{
	_cleanup_(freep) char *what = xasprintf("migration to version %zu", version);
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : db_fail(db, code, what);
}

static int check_references(struct db *db, size_t version)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = db_query(db, "PRAGMA foreign_key_check");
	int r = db_next(rows);

	if (r <= 0)
		return r;
	str_clear(&db->error);
	str_printf(&db->error,
		   "%s: migration to version %zu leaves rows of %s that refer to nothing", db->path,
		   version, db_text(rows, 0));
	return -EINVAL;
}

static int step(struct db *db, const char *sql, size_t version)
{
	_cleanup_(freep) char *mark = xasprintf("PRAGMA user_version = %zu", version);
	int r = db_begin(db);

	if (r < 0)
		return r;
	r = exec_text(db, sql, version);
	if (r == 0)
		r = check_references(db, version);
	if (r == 0)
		r = exec_text(db, mark, version);
	if (r < 0) {
		db_rollback(db);
		return r;
	}
	return db_commit(db);
}

/* Tables are rebuilt by dropping the old one, which must not take what refers to it along. */
static int run_steps(struct db *db, const struct db_options *options, size_t from)
{
	int r = exec_text(db, "PRAGMA foreign_keys = OFF", from);

	for (size_t i = from; r == 0 && i < options->migrations_n; i++)
		r = step(db, options->migrations[i].sql, i + 1);
	if (r == 0)
		r = exec_text(db, "PRAGMA foreign_keys = ON", options->migrations_n);
	return r;
}

static void remove_copy(const char *path)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };

	for (size_t i = 0; i < countof(suffixes); i++) {
		_cleanup_(freep) char *name = xasprintf("%s%s", path, suffixes[i]);

		(void)unlink(name);
	}
}

static int migrate_copy(struct db *db, const struct db_options *options, size_t from,
			const char *path)
{
	_cleanup_(db_freep) struct db *copy = NULL;
	int r;

	/* It lives for a moment and is thrown away after a crash: no need for it to be durable. */
	r = db_connect(path, false, &copy);
	if (r == 0)
		r = db_copy(db, copy);
	if (r == 0)
		r = run_steps(copy, options, from);
	if (r < 0) {
		str_clear(&db->error);
		str_printf(&db->error,
			   "%s; %s is unchanged (version %zu). Free some disk space if that is the "
			   "reason, or "
			   "go back to the version of the program that wrote it",
			   db_error(copy), db->path, from);
		return r;
	}
	db_forget_statements(db);
	return db_copy(copy, db);
}

int db_migrate(struct db *db, const struct db_options *options)
{
	_cleanup_(freep) char *path = xasprintf("%s.migrating", options->path);
	int version = db_version(db);
	int r;

	remove_copy(path);
	if (version < 0)
		return version;
	if ((size_t)version == options->migrations_n)
		return 0;
	if ((size_t)version > options->migrations_n) {
		str_clear(&db->error);
		str_printf(&db->error,
			   "%s was written by a newer version of the program (its schema is %d, "
			   "this one knows "
			   "%zu); install that version again, or restore a backup",
			   db->path, version, options->migrations_n);
		return -ENOTSUP;
	}
	r = is_empty(db);
	if (r < 0)
		return r;
	if (r > 0)
		return run_steps(db, options, (size_t)version);
	r = migrate_copy(db, options, (size_t)version, path);
	remove_copy(path);
	return r;
}
