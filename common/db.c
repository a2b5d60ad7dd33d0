/* SPDX-License-Identifier: MIT */
/*
 * Opening. The order matters: limits and switches first, then the first look into the file (which
 * finds damage), then the check, then migrations. A damaged file is set aside together with its
 * log, never deleted.
 */
#include "common/db.h"

#include "common/alloc.h"
#include "common/db_internal.h"
#include "common/time.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 5000

/*
 * SQLite's advice for files and statements that one does not fully trust; 0 attached also rules out
 * VACUUM.
 */
static const struct {
	int id;
	int value;
} limits[] = {
	{ SQLITE_LIMIT_LENGTH, 1000000 },
	{ SQLITE_LIMIT_SQL_LENGTH, 100000 },
	{ SQLITE_LIMIT_COLUMN, 100 },
	{ SQLITE_LIMIT_EXPR_DEPTH, 100 },
	{ SQLITE_LIMIT_COMPOUND_SELECT, 10 },
	{ SQLITE_LIMIT_VDBE_OP, 25000 },
	{ SQLITE_LIMIT_FUNCTION_ARG, 16 },
	{ SQLITE_LIMIT_ATTACHED, 0 },
	{ SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 200 },
	{ SQLITE_LIMIT_VARIABLE_NUMBER, 100 },
	{ SQLITE_LIMIT_TRIGGER_DEPTH, 10 },
};

/* 64 MiB: what a burst leaves of the log is given back. */
static const char setup_sql[] = "PRAGMA foreign_keys = ON;"
				"PRAGMA trusted_schema = OFF;"
				"PRAGMA cell_size_check = ON;"
				"PRAGMA temp_store = MEMORY;"
				"PRAGMA journal_size_limit = 67108864;";

/* ── files ───────────────────────────────────────────────────────────────────────────────────── */

/* Closed before SQLite opens the file: closing later would drop SQLite's locks. */
int db_make_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat info = { 0 };
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &info) == 0 && !S_ISREG(info.st_mode))
		r = -EINVAL;
	else if (fchmod(fd, 0600) < 0)
		r = -errno;
	(void)close(fd);
	return r;
}

static int sync_path(const char *path, int flags)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd) < 0)
		r = -errno;
	(void)close(fd);
	return r;
}

static int sync_folder_of(const char *path)
{
	_cleanup_(freep) char *copy = xstrdup(path);

	return sync_path(dirname(copy), O_DIRECTORY);
}

/* ── connecting ──────────────────────────────────────────────────────────────────────────────── */

static int run(struct db *db, const char *sql)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : db_fail(db, code, sql);
}

int db_set_switches(struct db *db)
{
	sqlite3 *handle = db->handle;

	for (size_t i = 0; i < countof(limits); i++)
		(void)sqlite3_limit(handle, limits[i].id, limits[i].value);
	(void)sqlite3_busy_timeout(handle, BUSY_TIMEOUT_MS);
	(void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(handle, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	(void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
	(void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
	return run(db, setup_sql);
}

/* The first statement that looks into the file. */
static int set_journal(struct db *db, bool is_durable)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = db_query(db, "PRAGMA journal_mode = WAL");
	int r = db_next(rows);

	if (r < 0)
		return r;
	if (r == 0 || !str_eq_null(db_text(rows, 0), "wal")) {
		str_clear(&db->error);
		str_printf(&db->error,
			   "%s: this file system cannot hold a database with a write-ahead log; "
			   "use a local one",
			   db->path);
		return -ENOTSUP;
	}
	return run(db, is_durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
}

int db_connect(const char *path, bool is_durable, struct db **ret)
{
	struct db *db = xnew(struct db);
	int code;
	int r;

	*ret = db;
	db->path = xstrdup(path);
	r = db_make_file(path);
	if (r < 0) {
		str_printf(&db->error, "%s: %s; check the folder, its owner and its mode", path,
			   strerror(-r));
		return r;
	}
	code = sqlite3_open_v2(path, &db->handle,
			       SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
				       SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
			       NULL);
	if (code != SQLITE_OK)
		return db_fail(db, code, "open");
	r = db_set_switches(db);
	if (r < 0)
		return r;
	return set_journal(db, is_durable);
}

void db_free(struct db *db)
{
	if (!db)
		return;
	if (db->handle) {
		db_rollback(db);
		db_forget_statements(db);
		(void)sqlite3_close(db->handle);
	}
	free(db->path);
	str_done(&db->error);
	free(db);
}

/* ── checking ────────────────────────────────────────────────────────────────────────────────── */

static int check(struct db *db)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = db_query(db, "PRAGMA quick_check(1)");
	int r = db_next(rows);

	if (r < 0)
		return r;
	if (r > 0 && str_eq_null(db_text(rows, 0), "ok"))
		return 0;
	str_clear(&db->error);
	str_printf(&db->error, "%s: %s", db->path,
		   r > 0 ? db_text(rows, 0) : "the check gave no result");
	return -EUCLEAN;
}

static char *name_aside(const char *path)
{
	char stamp[32];
	time_t now = (time_t)(clock_wall_ms(&clock_system) / 1000);
	struct tm utc;
	char *name;

	(void)gmtime_r(&now, &utc);
	(void)strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
	name = xasprintf("%s.corrupt-%s", path, stamp);
	for (unsigned i = 2; access(name, F_OK) == 0; i++) {
		free(name);
		name = xasprintf("%s.corrupt-%s.%u", path, stamp, i);
	}
	return name;
}

static int set_aside(const char *path, const char *aside)
{
	static const char *const suffixes[] = { "-wal", "-shm", "" };

	for (size_t i = 0; i < countof(suffixes); i++) {
		_cleanup_(freep) char *from = xasprintf("%s%s", path, suffixes[i]);
		_cleanup_(freep) char *to = xasprintf("%s%s", aside, suffixes[i]);

		if (rename(from, to) < 0 && errno != ENOENT)
			return -errno;
	}
	return sync_folder_of(path);
}

/* Opens and checks; a damaged file is replaced once. 0, DB_E_RECREATED or -errno. */
static int connect_sound(const struct db_options *options, struct db **ret, struct str *note)
{
	_cleanup_(freep) char *aside = NULL;
	int r;

	r = db_connect(options->path, options->is_durable, ret);
	if (r == 0)
		r = check(*ret);
	if (r != -EUCLEAN)
		return r;
	aside = name_aside(options->path);
	str_printf(note, "%s; the damaged file is kept as %s, and a new, empty one is used",
		   db_error(*ret), aside);
	db_free(take(*ret));
	r = set_aside(options->path, aside);
	if (r < 0) {
		str_clear(note);
		str_printf(note, "%s is damaged and cannot be renamed to %s: %s", options->path,
			   aside, strerror(-r));
		return r;
	}
	r = db_connect(options->path, options->is_durable, ret);
	return r < 0 ? r : DB_E_RECREATED;
}

int db_open(const struct db_options *options, struct db **ret, struct str *error)
{
	_cleanup_(db_freep) struct db *db = NULL;
	int result;
	int r;

	str_clear(error);
	result = connect_sound(options, &db, error);
	r = result < 0 ? result : db_migrate(db, options);
	if (r < 0) {
		if (db) {
			str_clear(error);
			str_add(error, db_error(db));
		}
		return r;
	}
	if (options->busy_ms)
		(void)sqlite3_busy_timeout(db->handle, (int)options->busy_ms);
	r = db_check_place(db);
	if (r < 0) {
		str_clear(error);
		str_add(error, db_error(db));
		return r;
	}
	*ret = take(db);
	return result;
}

/* ── copies ──────────────────────────────────────────────────────────────────────────────────── */

int db_copy(struct db *source, struct db *target)
{
	sqlite3_backup *backup;
	int code;

	backup = sqlite3_backup_init(target->handle, "main", source->handle, "main");
	if (!backup)
		return db_fail(target, sqlite3_extended_errcode(target->handle), "copy");
	(void)sqlite3_backup_step(backup, -1);
	code = sqlite3_backup_finish(backup);
	return code == SQLITE_OK ? 0 : db_fail(target, code, "copy");
}

static int backup_into(struct db *db, const char *path)
{
	_cleanup_(db_freep) struct db *target = xnew(struct db);
	int code;
	int r;

	target->path = xstrdup(path);
	code = sqlite3_open_v2(path, &target->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_EXRESCODE,
			       NULL);
	r = code == SQLITE_OK ? db_copy(db, target) : db_fail(target, code, "open");
	if (r < 0) {
		str_clear(&db->error);
		str_add(&db->error, db_error(target));
	}
	return r;
}

int db_backup_to(struct db *db, const char *path)
{
	_cleanup_(freep) char *partial = xasprintf("%s.partial", path);
	int r;

	(void)unlink(partial);
	r = db_make_file(partial);
	if (r == 0)
		r = backup_into(db, partial);
	if (r == 0)
		r = sync_path(partial, 0);
	if (r == 0 && rename(partial, path) < 0)
		r = -errno;
	if (r == 0)
		return sync_folder_of(path);
	(void)unlink(partial);
	return r;
}
