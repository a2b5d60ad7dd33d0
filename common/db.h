/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A service's own SQLite database: opened safely, migrated, and used by short calls that keep the
 * SQL readable. One connection, synchronous, for one thread. A value is never pasted into SQL: it
 * goes where a ? stands.
 *
 *	r = db_exec(db, "INSERT INTO person (name) VALUES (?)", DB_TEXT(name));
 *
 *	_cleanup_(db_rows_freep) struct db_rows *rows =
 *		db_query(db, "SELECT name FROM person WHERE born > ?", DB_I64(year));
 *	while ((r = db_next(rows)) > 0)
 *		use(db_text(rows, 0));
 *
 * Errors are -errno, and db_error() says more. Those worth telling apart: -EEXIST (a key is taken),
 * -ENOSPC (the disk is full; reading still works), -EBUSY (another process holds it), -EUCLEAN (the
 * file is damaged), -EROFS (it cannot be written), -EIO (the disk fails).
 */
#include "common/base.h"
#include "common/str.h"

struct db;
struct db_rows;

/*
 * One step of the schema; the first makes version 1. Never changed once released, only followed by
 * others.
 */
struct db_migration {
	const char *sql; /* statements; run in a transaction of their own */
};

struct db_options {
	const char *path; /* made with mode 0600; its folder must exist */
	const struct db_migration *migrations;
	size_t migrations_n;
	/*
	 * A commit is on the disk when db_commit() returns. False: after a crash of the program
	 * nothing is lost either, but the last commits may be after a power cut. For what can be
	 * measured again.
	 */
	bool is_durable;
	unsigned busy_ms; /* how long another process may hold it before that is -EBUSY; 0: 5 s */
};

/* Positive results of db_open(). */
enum db_open_result {
	/* The file was damaged and set aside, this is a new one; ERROR says where the old is. */
	DB_E_RECREATED = 1,
};

/*
 * Opens, checks and migrates. Pending migrations are tried on a copy, and taken over in one
 * transaction when all of them succeed; a failure leaves the database as it was. 0, DB_E_RECREATED,
 * or -errno with *ERROR naming the file and what to do; -ENOTSUP when a newer program wrote it.
 */
int db_open(const struct db_options *options, struct db **ret, struct str *error) _nodiscard_;
/*
 * Opens a database of another program to read it: nothing is written to it, not even a log that was
 * left behind. It may be in use, or a copy in a folder that cannot be written. 0, or -errno with
 * *ERROR naming the file; -ENOENT when there is none, -EUCLEAN when it is damaged or no database.
 */
int db_open_to_read(const char *path, struct db **ret, struct str *error) _nodiscard_;
/* Rolls back what was not committed. NULL is nothing. All rows must have been freed. */
void db_free(struct db *db);
DEFINE_FREEP(struct db, db_free)
/* What went wrong last: path and SQLite's words. Valid until the next call. */
const char *db_error(const struct db *db);
/*
 * Are the files still where they were opened? 0; or -ESTALE with the error noted: one was deleted, moved or replaced.
 * SQLite does not notice: it goes on writing to what nobody will find, and every commit succeeds.
 */
int db_check_place(struct db *db) _nodiscard_;

/* ── values for the ? of a statement ── */

enum db_type {
	DB_TYPE_NULL,
	DB_TYPE_I64,
	DB_TYPE_F64,
	DB_TYPE_TEXT,
	DB_TYPE_BLOB,
};
/* Text and blobs are borrowed until the statement has run, for queries until the rows are freed. */
struct db_value {
	enum db_type type;
	int64_t i64;
	double f64;
	const void *data;
	size_t size;
};

#define DB_NULL ((struct db_value){ .type = DB_TYPE_NULL })
#define DB_I64(value) ((struct db_value){ .type = DB_TYPE_I64, .i64 = (value) })
#define DB_F64(value) ((struct db_value){ .type = DB_TYPE_F64, .f64 = (value) })
/* NULL becomes SQL's NULL. */
#define DB_TEXT(text) db_value_text(text)
#define DB_BLOB(bytes, length)                                                                     \
	((struct db_value){ .type = DB_TYPE_BLOB, .data = (bytes), .size = (length) })

static inline struct db_value db_value_text(const char *text)
{
	return text ? (struct db_value){ .type = DB_TYPE_TEXT,
					 .data = text,
					 .size = strlen(text) } :
		      DB_NULL;
}

/* ── statements; SQL is best a literal: its prepared form is kept under its address ── */

#define DB_VALUES_(...)                                                                            \
	(const struct db_value[]){ __VA_ARGS__ },                                                  \
		sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value)

/* Runs one statement to its end: 0 or -errno. */
#define db_exec(db, sql, ...) db_exec_values(db, sql, DB_VALUES_(__VA_ARGS__))
/* Asks; never NULL: a mistake comes out of the first db_next(). */
#define db_query(db, sql, ...) db_query_values(db, sql, DB_VALUES_(__VA_ARGS__))
/* The first column of the first row: 0, -ENOENT when there is no row or it is NULL, or -errno. */
#define db_find_i64(db, ret, sql, ...) db_find_i64_values(db, ret, sql, DB_VALUES_(__VA_ARGS__))

int db_exec_values(struct db *db, const char *sql, const struct db_value *values, size_t values_n);
struct db_rows *db_query_values(struct db *db, const char *sql, const struct db_value *values,
				size_t values_n) _nodiscard_;
int db_find_i64_values(struct db *db, int64_t *ret, const char *sql, const struct db_value *values,
		       size_t values_n);

/* 1 with the next row, 0 after the last, or -errno. */
int db_next(struct db_rows *rows) _nodiscard_;
void db_rows_free(struct db_rows *rows);
DEFINE_FREEP(struct db_rows, db_rows_free)

/* Columns of the present row, from 0. Text and blobs are borrowed until the next db_next(). */
bool db_is_null(struct db_rows *rows, int column);
int64_t db_i64(struct db_rows *rows, int column); /* NULL: 0 */
double db_f64(struct db_rows *rows, int column);
struct opt_i64 db_opt_i64(struct db_rows *rows, int column);
struct opt_f64 db_opt_f64(struct db_rows *rows, int column);
/* NULL when it is SQL's NULL. */
const char *db_text(struct db_rows *rows, int column);
const void *db_blob(struct db_rows *rows, int column, size_t *ret_size);

/* Rows that the last statement changed; the row id that the last INSERT gave. */
int64_t db_changes(const struct db *db);
int64_t db_last_id(const struct db *db);

/* ── transactions: they take the write lock at once, so that they cannot fail for it half-way ── */

int db_begin(struct db *db) _nodiscard_;
/* When it fails everything since db_begin() is undone. */
int db_commit(struct db *db) _nodiscard_;
/* Nothing when no transaction is open. */
void db_rollback(struct db *db);
bool db_is_in_transaction(const struct db *db);

/*
 * A consistent copy of the open database, mode 0600, complete under its name or not there. 0 or
 * -errno.
 */
int db_backup_to(struct db *db, const char *path);
