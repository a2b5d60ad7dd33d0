/* SPDX-License-Identifier: MIT */
/*
 * Opening somebody else's database to look into it. SQLite reads a database with a write-ahead log only together with
 * its log and its index; where there is neither, and no right to make them, nobody can be writing either, and the
 * file is read as it stands.
 */
#include "common/db_internal.h"

#include "common/alloc.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

/* The path as an URI: what has a meaning there is escaped. */
static char *uri_of(const char *path, const char *query)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-";
	struct str uri = { 0 };

	str_add(&uri, *path == '/' ? "file://" : "file:");
	for (; *path; path++) {
		if (strchr(plain, *path))
			str_add_char(&uri, *path);
		else
			str_printf(&uri, "%%%02x", (unsigned char)*path);
	}
	str_add(&uri, query);
	return str_take(&uri);
}

static int connect_uri(const char *path, const char *query, struct db **ret)
{
	_cleanup_(freep) char *uri = uri_of(path, query);
	struct db *db = xnew(struct db);
	int64_t objects;
	int code, r;

	*ret = db;
	db->path = xstrdup(path);
	code = sqlite3_open_v2(uri, &db->handle,
			       SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX |
				       SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
			       NULL);
	if (code != SQLITE_OK)
		return db_fail(db, code, "open");
	r = db_set_switches(db);
	/* The first look into the file. */
	return r < 0 ? r : db_find_i64(db, &objects, "SELECT count(*) FROM sqlite_schema");
}

/* Nothing waits in a log. */
static bool is_whole(const char *path)
{
	_cleanup_(freep) char *log = xasprintf("%s-wal", path);
	struct stat st;

	return stat(log, &st) < 0 ? errno == ENOENT : st.st_size == 0;
}

int db_open_to_read(const char *path, struct db **ret, struct str *error)
{
	_cleanup_(db_freep) struct db *db = NULL;
	struct stat st;
	int r;

	str_clear(error);
	if (stat(path, &st) < 0 || access(path, R_OK) < 0) {
		r = -errno;
		str_printf(error, "%s: cannot be read: %s", path, strerror(-r));
		return r;
	}
	r = connect_uri(path, "?mode=ro", &db);
	if (r < 0 && r != -EUCLEAN && is_whole(path)) {
		db_free(take(db));
		r = connect_uri(path, "?mode=ro&immutable=1", &db);
	}
	if (r < 0) {
		str_add(error, db_error(db));
		return r;
	}
	*ret = take(db);
	return 0;
}
