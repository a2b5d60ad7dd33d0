/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Internal to common/db*.c, the only files that know SQLite.
 */
#include "common/db.h"

#include <sqlite3.h>
#include <sys/stat.h>

#define DB_STATEMENTS_MAX 128

struct db_statement {
	const char *sql; /* the caller's pointer */
	sqlite3_stmt *stmt;
	bool is_busy;
};

#define DB_FILES 3

/* Which file it is; ino 0: not known yet. */
struct db_place {
	dev_t dev;
	ino_t ino;
};

struct db {
	sqlite3 *handle;
	char *path;
	struct str error;
	struct db_statement statements[DB_STATEMENTS_MAX];
	size_t statements_n;
	size_t next_victim;
	struct db_place places[DB_FILES]; /* of the database, its log, and the log's index */
};

/* SQLite's result as -errno; 0 for OK, ROW and DONE. */
int db_errno(int code);
/* Notes what went wrong, "path: WHAT: SQLite's words", and returns the -errno of CODE. */
int db_fail(struct db *db, int code, const char *what);
/* Finalizes all kept statements. */
void db_forget_statements(struct db *db);

/* Opens without check or migration. 0 or -errno; *RET is set in both cases, for its error. */
int db_connect(const char *path, bool is_durable, struct db **ret);
/* Limits and settings of every connection. 0 or -errno with the error noted. */
int db_set_switches(struct db *db);
/* PRAGMA user_version: ≥ 0, or -errno. */
int db_version(struct db *db);
/* Copies all of SOURCE into TARGET in one transaction. */
int db_copy(struct db *source, struct db *target);
/* Brings DB to the last version. 0 or -errno with the error noted. */
int db_migrate(struct db *db, const struct db_options *options);
/* Makes PATH, or sets its mode: 0 or -errno. */
int db_make_file(const char *path);
