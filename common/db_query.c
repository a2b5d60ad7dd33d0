/* SPDX-License-Identifier: MIT */
/*
 * Statements: prepared once and kept under the address of their SQL. The text is compared as well,
 * for an address may come to hold other text.
 */
#include "common/db_internal.h"

#include "common/alloc.h"

#include <assert.h>
#include <errno.h>

struct db_rows {
	struct db *db;
	sqlite3_stmt *stmt;
	struct db_statement *kept; /* NULL: the statement is ours alone */
	int failed;		   /* -errno, for db_next() */
	bool done;		   /* a further step would run the statement again */
};

static const struct {
	int code;
	int error;
} errors[] = {
	/* Extended codes first. */
	{ SQLITE_CONSTRAINT_UNIQUE, EEXIST },
	{ SQLITE_CONSTRAINT_PRIMARYKEY, EEXIST },
	{ SQLITE_CONSTRAINT_ROWID, EEXIST },
	{ SQLITE_CORRUPT, EUCLEAN },
	{ SQLITE_NOTADB, EUCLEAN },
	{ SQLITE_FULL, ENOSPC },
	{ SQLITE_BUSY, EBUSY },
	{ SQLITE_LOCKED, EBUSY },
	{ SQLITE_IOERR, EIO },
	{ SQLITE_READONLY, EROFS },
	{ SQLITE_CANTOPEN, ENOENT },
	{ SQLITE_PERM, EACCES },
	{ SQLITE_AUTH, EACCES },
	{ SQLITE_TOOBIG, E2BIG },
	{ SQLITE_NOMEM, ENOMEM },
	{ SQLITE_INTERRUPT, EINTR },
};

int db_errno(int code)
{
	int plain = code & 0xff;

	if (plain == SQLITE_OK || plain == SQLITE_ROW || plain == SQLITE_DONE)
		return 0;
	for (size_t i = 0; i < countof(errors); i++) {
		if (errors[i].code == code || errors[i].code == plain)
			return -errors[i].error;
	}
	return -EINVAL;
}

int db_fail(struct db *db, int code, const char *what)
{
	str_clear(&db->error);
	str_printf(&db->error, "%s: %s: %s", db->path, what,
		   db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code));
	return db_errno(code);
}

const char *db_error(const struct db *db)
{
	return str_get(&db->error);
}

/* ── kept statements ─────────────────────────────────────────────────────────────────────────── */

static struct db_statement *find_statement(struct db *db, const char *sql)
{
	for (size_t i = 0; i < db->statements_n; i++) {
		struct db_statement *kept = &db->statements[i];

		if (kept->sql == sql && !kept->is_busy && str_eq(sqlite3_sql(kept->stmt), sql))
			return kept;
	}
	return NULL;
}

/* A place to keep one more; NULL when all are in use. */
static struct db_statement *free_place(struct db *db)
{
	if (db->statements_n < DB_STATEMENTS_MAX)
		return &db->statements[db->statements_n++];
	for (size_t i = 0; i < DB_STATEMENTS_MAX; i++) {
		struct db_statement *kept = &db->statements[db->next_victim++ % DB_STATEMENTS_MAX];

		if (!kept->is_busy) {
			(void)sqlite3_finalize(kept->stmt);
			return kept;
		}
	}
	return NULL;
}

void db_forget_statements(struct db *db)
{
	for (size_t i = 0; i < db->statements_n; i++) {
		assert(!db->statements[i].is_busy);
		(void)sqlite3_finalize(db->statements[i].stmt);
	}
	db->statements_n = 0;
}

/* Exactly one statement: SQLite would silently leave out what follows. */
static int compile(struct db *db, const char *sql, sqlite3_stmt **ret)
{
	sqlite3_stmt *stmt;
	const char *tail;
	int code = sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, &tail);

	if (code != SQLITE_OK)
		return db_fail(db, code, sql);
	if (!stmt || tail[strspn(tail, " \t\n;")]) {
		(void)sqlite3_finalize(stmt);
		str_clear(&db->error);
		str_printf(&db->error, "%s: not exactly one statement: %s", db->path, sql);
		return -EINVAL;
	}
	*ret = stmt;
	return 0;
}

static int prepare(struct db_rows *rows, const char *sql)
{
	struct db *db = rows->db;
	struct db_statement *kept = find_statement(db, sql);
	sqlite3_stmt *stmt = NULL;
	int r;

	if (!kept) {
		r = compile(db, sql, &stmt);
		if (r < 0)
			return r;
		kept = free_place(db);
		if (!kept) {
			rows->stmt = stmt;
			return 0;
		}
		*kept = (struct db_statement){ .sql = sql, .stmt = stmt };
	}
	kept->is_busy = true;
	rows->kept = kept;
	rows->stmt = kept->stmt;
	return 0;
}

/* ── running ─────────────────────────────────────────────────────────────────────────────────── */

static int bind_one(sqlite3_stmt *stmt, int at, const struct db_value *value)
{
	switch (value->type) {
	case DB_TYPE_NULL:
		return sqlite3_bind_null(stmt, at);
	case DB_TYPE_I64:
		return sqlite3_bind_int64(stmt, at, value->i64);
	case DB_TYPE_F64:
		return sqlite3_bind_double(stmt, at, value->f64);
	case DB_TYPE_TEXT:
		return sqlite3_bind_text64(stmt, at, value->data, value->size, SQLITE_STATIC,
					   SQLITE_UTF8);
	case DB_TYPE_BLOB:
		/* A NULL pointer would bind NULL, and an empty blob is not that. */
		return sqlite3_bind_blob64(stmt, at, value->data ? value->data : "", value->size,
					   SQLITE_STATIC);
	}
	return SQLITE_MISUSE;
}

static int bind_all(struct db_rows *rows, const struct db_value *values, size_t values_n)
{
	assert((size_t)sqlite3_bind_parameter_count(rows->stmt) == values_n);
	for (size_t i = 0; i < values_n; i++) {
		int code = bind_one(rows->stmt, (int)i + 1, &values[i]);

		if (code != SQLITE_OK)
			return db_fail(rows->db, code, sqlite3_sql(rows->stmt));
	}
	return 0;
}

static void rows_init(struct db_rows *rows, struct db *db, const char *sql,
		      const struct db_value *values, size_t values_n)
{
	*rows = (struct db_rows){ .db = db };
	rows->failed = prepare(rows, sql);
	if (rows->failed == 0)
		rows->failed = bind_all(rows, values, values_n);
}

static void rows_done(struct db_rows *rows)
{
	if (!rows->stmt)
		return;
	if (!rows->kept) {
		(void)sqlite3_finalize(rows->stmt);
		return;
	}
	(void)sqlite3_reset(rows->stmt);
	(void)sqlite3_clear_bindings(rows->stmt);
	rows->kept->is_busy = false;
}

struct db_rows *db_query_values(struct db *db, const char *sql, const struct db_value *values,
				size_t values_n)
{
	struct db_rows *rows = xnew(struct db_rows);

	rows_init(rows, db, sql, values, values_n);
	return rows;
}

int db_next(struct db_rows *rows)
{
	int code;

	if (rows->failed < 0)
		return rows->failed;
	if (rows->done)
		return 0;
	code = sqlite3_step(rows->stmt);
	if (code == SQLITE_ROW)
		return 1;
	if (code != SQLITE_DONE)
		return rows->failed = db_fail(rows->db, code, sqlite3_sql(rows->stmt));
	/* Ends the read transaction now, not when the rows are freed. */
	(void)sqlite3_reset(rows->stmt);
	rows->done = true;
	return 0;
}

void db_rows_free(struct db_rows *rows)
{
	if (!rows)
		return;
	rows_done(rows);
	free(rows);
}

int db_exec_values(struct db *db, const char *sql, const struct db_value *values, size_t values_n)
{
	struct db_rows rows;
	int r;

	rows_init(&rows, db, sql, values, values_n);
	do
		r = db_next(&rows);
	while (r > 0);
	rows_done(&rows);
	return r;
}

int db_find_i64_values(struct db *db, int64_t *ret, const char *sql, const struct db_value *values,
		       size_t values_n)
{
	struct db_rows rows;
	int r;

	rows_init(&rows, db, sql, values, values_n);
	r = db_next(&rows);
	if (r > 0 && !db_is_null(&rows, 0)) {
		*ret = db_i64(&rows, 0);
		r = 0;
	} else if (r >= 0) {
		r = -ENOENT;
	}
	rows_done(&rows);
	return r;
}

/* ── columns ─────────────────────────────────────────────────────────────────────────────────── */

bool db_is_null(struct db_rows *rows, int column)
{
	return sqlite3_column_type(rows->stmt, column) == SQLITE_NULL;
}

int64_t db_i64(struct db_rows *rows, int column)
{
	return sqlite3_column_int64(rows->stmt, column);
}

double db_f64(struct db_rows *rows, int column)
{
	return sqlite3_column_double(rows->stmt, column);
}

struct opt_i64 db_opt_i64(struct db_rows *rows, int column)
{
	return db_is_null(rows, column) ? (struct opt_i64){ 0 } : some_i64(db_i64(rows, column));
}

struct opt_f64 db_opt_f64(struct db_rows *rows, int column)
{
	return db_is_null(rows, column) ? (struct opt_f64){ 0 } : some_f64(db_f64(rows, column));
}

const char *db_text(struct db_rows *rows, int column)
{
	return (const char *)sqlite3_column_text(rows->stmt, column);
}

const void *db_blob(struct db_rows *rows, int column, size_t *ret_size)
{
	const void *data = sqlite3_column_blob(rows->stmt, column);

	*ret_size = (size_t)sqlite3_column_bytes(rows->stmt, column);
	/* SQLite gives NULL for an empty blob, too. */
	return data || db_is_null(rows, column) ? data : "";
}

int64_t db_changes(const struct db *db)
{
	return sqlite3_changes64(db->handle);
}

int64_t db_last_id(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

/* ── transactions ────────────────────────────────────────────────────────────────────────────── */

int db_begin(struct db *db)
{
	return db_exec(db, "BEGIN IMMEDIATE");
}

int db_commit(struct db *db)
{
	int r = db_exec(db, "COMMIT");

	/* A COMMIT that fails leaves the transaction open. */
	if (r < 0)
		db_rollback(db);
	return r;
}

void db_rollback(struct db *db)
{
	if (db_is_in_transaction(db))
		(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

bool db_is_in_transaction(const struct db *db)
{
	return sqlite3_get_autocommit(db->handle) == 0;
}
