/* SPDX-License-Identifier: MIT */
/*
 * The database: statements, transactions, migrations that fail, damaged files, a killed process, a
 * full disk.
 */
#include "common/alloc.h"
#include "common/db.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/check.h"

/* clang-format off */
#define PEOPLE_1 { "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"       \
		   " born INTEGER, photo BLOB, height REAL) STRICT;" }
#define PEOPLE_2 { "CREATE TABLE pet (id INTEGER PRIMARY KEY,"                                     \
		   " owner INTEGER NOT NULL REFERENCES person(id)) STRICT;"                        \
		   "CREATE INDEX pet_owner ON pet(owner);" }
#define PEOPLE_3 { "ALTER TABLE person ADD COLUMN town TEXT NOT NULL DEFAULT 'here';" }
/* clang-format on */

static const struct db_migration people[] = { PEOPLE_1, PEOPLE_2, PEOPLE_3 };

struct scratch {
	char folder[64];
	char path[96];
	struct str error;
	struct db *db;
};

static int setup(void **state)
{
	struct scratch *s = xnew(struct scratch);

	(void)snprintf(s->folder, sizeof(s->folder), "/tmp/test_db.XXXXXX");
	assert_non_null(mkdtemp(s->folder));
	(void)snprintf(s->path, sizeof(s->path), "%s/x.db", s->folder);
	*state = s;
	return 0;
}

static int teardown(void **state)
{
	struct scratch *s = *state;
	struct dirent *entry;
	DIR *folder = opendir(s->folder);

	db_free(s->db);
	while ((entry = readdir(folder)))
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	(void)closedir(folder);
	assert_int_equal(rmdir(s->folder), 0);
	str_done(&s->error);
	free(s);
	return 0;
}

static int reopen(struct scratch *s, const struct db_migration *migrations, size_t n)
{
	struct db_options options = {
		.path = s->path, .migrations = migrations, .migrations_n = n, .is_durable = true
	};
	int r;

	db_free(take(s->db));
	r = db_open(&options, &s->db, &s->error);
	if (s->error.len > 0)
		print_message("%s\n", s->error.data);
	assert_int_equal(r < 0, s->db == NULL);
	return r;
}

static int64_t number(struct db *db, const char *sql)
{
	int64_t value;

	assert_int_equal(db_find_i64(db, &value, sql), 0);
	return value;
}

static size_t count_files(const struct scratch *s, const char *part)
{
	struct dirent *entry;
	DIR *folder = opendir(s->folder);
	size_t n = 0;

	while ((entry = readdir(folder)))
		n += strstr(entry->d_name, part) != NULL;
	(void)closedir(folder);
	return n;
}

/* The whole file; the caller frees it. */
static char *read_whole(const char *path, size_t *ret_size)
{
	FILE *file = fopen(path, "re");
	char *data;
	long size;

	assert_non_null(file);
	assert_int_equal(fseek(file, 0, SEEK_END), 0);
	size = ftell(file);
	rewind(file);
	data = xmalloc((size_t)size);
	assert_int_equal(fread(data, 1, (size_t)size, file), size);
	(void)fclose(file);
	*ret_size = (size_t)size;
	return data;
}

/* ── statements ──────────────────────────────────────────────────────────────────────────────── */

static void test_values_come_back(void **state)
{
	static const unsigned char photo[] = { 0, 1, 0, 255 };
	struct scratch *s = *state;
	struct db_rows *rows;
	size_t size;

	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(
		db_exec(s->db, "INSERT INTO person (name, born, photo, height) VALUES (?, ?, ?, ?)",
			DB_TEXT("Ada'); DROP TABLE person; --"), DB_I64(INT64_MIN),
			DB_BLOB(photo, sizeof(photo)), DB_F64(1.75)),
		0);
	assert_int_equal(db_last_id(s->db), 1);
	assert_int_equal(
		db_exec(s->db, "INSERT INTO person (name, born, photo, height) VALUES (?, ?, ?, ?)",
			DB_TEXT("Bob"), DB_NULL, DB_BLOB(NULL, 0), DB_NULL),
		0);
	rows = db_query(s->db, "SELECT name, born, photo, height, town FROM person ORDER BY id");
	assert_int_equal(db_next(rows), 1);
	assert_string_equal(db_text(rows, 0), "Ada'); DROP TABLE person; --");
	assert_true(db_i64(rows, 1) == INT64_MIN);
	assert_memory_equal(db_blob(rows, 2, &size), photo, sizeof(photo));
	assert_int_equal(size, sizeof(photo));
	assert_true(db_f64(rows, 3) == 1.75 && db_opt_f64(rows, 3).has);
	assert_string_equal(db_text(rows, 4), "here");
	assert_int_equal(db_next(rows), 1);
	assert_false(db_opt_i64(rows, 1).has);
	assert_true(db_is_null(rows, 3));
	assert_null(db_text(rows, 3));
	assert_non_null(db_blob(rows, 2, &size));
	assert_int_equal(size, 0);
	assert_int_equal(db_next(rows), 0);
	/* The end stays the end; SQLite alone would begin again. */
	assert_int_equal(db_next(rows), 0);
	db_rows_free(rows);
	assert_int_equal(db_exec(s->db, "UPDATE person SET born = ?", DB_I64(1)), 0);
	assert_int_equal(db_changes(s->db), 2);
}

static void test_find(void **state)
{
	struct scratch *s = *state;
	int64_t value = 7;

	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(
		db_find_i64(s->db, &value, "SELECT id FROM person WHERE name = ?", DB_TEXT("x")),
		-ENOENT);
	assert_int_equal(db_find_i64(s->db, &value, "SELECT max(id) FROM person"), -ENOENT);
	assert_int_equal(value, 7);
	assert_int_equal(db_find_i64(s->db, &value, "SELECT count(*) FROM person"), 0);
	assert_int_equal(value, 0);
}

static void test_mistakes(void **state)
{
	struct scratch *s = *state;
	struct db_rows *rows;

	assert_int_equal(reopen(s, people, 3), 0);
	rows = db_query(s->db, "SELECT nothing FROM nowhere");
	assert_int_equal(db_next(rows), -EINVAL);
	assert_int_equal(db_next(rows), -EINVAL);
	assert_non_null(strstr(db_error(s->db), "nowhere"));
	assert_non_null(strstr(db_error(s->db), s->path));
	db_rows_free(rows);
	assert_int_equal(db_exec(s->db, "   "), -EINVAL);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES (?)", DB_TEXT("Ada")), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES (?)", DB_TEXT("Ada")),
			 -EEXIST);
	assert_null(strstr(db_error(s->db), "Ada"));
	assert_int_equal(db_exec(s->db, "INSERT INTO person (id, name) VALUES (1, 'x')"), -EEXIST);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES (?)", DB_TEXT(NULL)),
			 -EINVAL);
	assert_int_equal(db_exec(s->db, "INSERT INTO pet (owner) VALUES (99)"), -EINVAL);
	assert_int_equal(db_exec(s->db, "ATTACH ':memory:' AS other"), -EINVAL);
	assert_int_equal(db_exec(s->db, "SELECT load_extension('x')"), -EINVAL);
	assert_int_equal(db_exec(s->db, "PRAGMA writable_schema = ON"), 0);
	assert_true(db_exec(s->db, "DELETE FROM sqlite_schema") < 0); /* defensive */
	assert_int_equal(db_exec(s->db, "DELETE FROM pet; DELETE FROM person"), -EINVAL);
	assert_int_equal(db_exec(s->db, "DELETE FROM pet ;\n"), 0);
	assert_int_equal(number(s->db, "SELECT count(*) FROM person"), 1);
}

/* The same statement inside its own loop, and other text at the same address. */
static void test_kept_statements(void **state)
{
	static const char nested[] = "SELECT id FROM person WHERE id > ? ORDER BY id";
	struct scratch *s = *state;
	struct db_rows *outer;
	struct db_rows *inner;
	char sql[64];
	size_t seen = 0;

	assert_int_equal(reopen(s, people, 3), 0);
	for (int i = 0; i < 3; i++) {
		(void)snprintf(sql, sizeof(sql), "INSERT INTO person (name) VALUES ('%d')", i);
		assert_int_equal(db_exec(s->db, sql), 0);
	}
	assert_int_equal(number(s->db, "SELECT count(DISTINCT name) FROM person"), 3);
	outer = db_query(s->db, nested, DB_I64(0));
	while (db_next(outer) > 0) {
		inner = db_query(s->db, nested, DB_I64(db_i64(outer, 0)));
		while (db_next(inner) > 0)
			seen++;
		db_rows_free(inner);
	}
	db_rows_free(outer);
	assert_int_equal(seen, 2 + 1 + 0);
}

static void test_more_statements_than_are_kept(void **state)
{
	enum { MANY = 300 };
	struct scratch *s = *state;
	struct db_rows *open[MANY];
	char *sql[MANY];

	assert_int_equal(reopen(s, people, 3), 0);
	for (size_t i = 0; i < MANY; i++) {
		sql[i] = xasprintf("SELECT %zu UNION ALL SELECT 0", i);
		open[i] = db_query(s->db, sql[i]);
		assert_int_equal(db_next(open[i]), 1);
	}
	for (size_t i = 0; i < MANY; i++) {
		assert_int_equal(db_i64(open[i], 0), i);
		db_rows_free(open[i]);
	}
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(number(s->db, sql[i]), i);
	for (size_t i = 0; i < MANY; i++)
		free(sql[i]);
}

/* ── transactions ────────────────────────────────────────────────────────────────────────────── */

static void test_transactions(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(db_begin(s->db), 0);
	assert_true(db_is_in_transaction(s->db));
	assert_true(db_begin(s->db) < 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('a')"), 0);
	db_rollback(s->db);
	db_rollback(s->db);
	assert_int_equal(number(s->db, "SELECT count(*) FROM person"), 0);
	assert_int_equal(db_begin(s->db), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('a')"), 0);
	assert_int_equal(db_commit(s->db), 0);
	assert_false(db_is_in_transaction(s->db));
	assert_true(db_commit(s->db) < 0);
	/* What is not committed when the program ends is not there. */
	assert_int_equal(db_begin(s->db), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('b')"), 0);
	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(number(s->db, "SELECT count(*) FROM person"), 1);
}

static void test_commit_that_fails(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('kept')"), 0);
	assert_int_equal(db_begin(s->db), 0);
	assert_int_equal(db_exec(s->db, "PRAGMA defer_foreign_keys = ON"), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO pet (owner) VALUES (99)"), 0);
	assert_true(db_commit(s->db) < 0);
	assert_false(db_is_in_transaction(s->db));
	assert_int_equal(number(s->db, "SELECT count(*) FROM pet"), 0);
}

/* SQLite's own limit of pages stands for the disk: the same result code. */
static void test_full_disk(void **state)
{
	struct scratch *s = *state;
	int64_t before;
	int r;

	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(db_exec(s->db, "PRAGMA max_page_count = 50"), 0);
	do
		r = db_exec(s->db, "INSERT INTO person (name, photo) VALUES (hex(randomblob(8)), "
				   "zeroblob(9000))");
	while (r == 0);
	assert_int_equal(r, -ENOSPC);
	before = number(s->db, "SELECT count(*) FROM person");
	assert_true(before > 0);
	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(number(s->db, "SELECT count(*) FROM person"), before);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('again')"), 0);
}

/* ── opening ─────────────────────────────────────────────────────────────────────────────────── */

static void test_switches(void **state)
{
	static const struct {
		const char *sql;
		int64_t value;
	} cases[] = {
		{ "PRAGMA synchronous", 2 },	 { "PRAGMA foreign_keys", 1 },
		{ "PRAGMA trusted_schema", 0 },	 { "PRAGMA cell_size_check", 1 },
		{ "PRAGMA busy_timeout", 5000 }, { "PRAGMA user_version", 3 },
	};
	struct scratch *s = *state;
	struct db_options options = { .path = s->path, .migrations = people, .migrations_n = 3 };
	struct stat info;

	assert_int_equal(reopen(s, people, 3), 0);
	for (size_t i = 0; i < countof(cases); i++)
		assert_int_equal(number(s->db, cases[i].sql), cases[i].value);
	assert_int_equal(stat(s->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);

	/* Made more private when found open; and the other durability. */
	db_free(take(s->db));
	assert_int_equal(chmod(s->path, 0644), 0);
	assert_int_equal(db_open(&options, &s->db, &s->error), 0);
	assert_int_equal(stat(s->path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(number(s->db, "PRAGMA synchronous"), 1);

	/* Who must answer meanwhile does not wait so long. */
	db_free(take(s->db));
	options.busy_ms = 70;
	assert_int_equal(db_open(&options, &s->db, &s->error), 0);
	assert_int_equal(number(s->db, "PRAGMA busy_timeout"), 70);
}

/* A file that is gone or another is noticed, and that it is back. */
static void test_place(void **state)
{
	static const char *const suffixes[] = { "", "-wal", "-shm" };
	struct scratch *s = *state;

	assert_int_equal(reopen(s, people, 3), 0);
	for (size_t i = 0; i < countof(suffixes); i++) {
		_cleanup_(freep) char *path = xasprintf("%s%s", s->path, suffixes[i]);
		_cleanup_(freep) char *aside = xasprintf("%s.aside", path);
		int fd;

		assert_int_equal(db_check_place(s->db), 0);
		assert_int_equal(rename(path, aside), 0);
		assert_int_equal(db_check_place(s->db), -ESTALE);
		assert_non_null(strstr(db_error(s->db), path));
		assert_non_null(strstr(db_error(s->db), "deleted or moved"));
		/* SQLite itself sees nothing. */
		assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES (?)",
					 DB_TEXT(suffixes[i])),
				 0);
		fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
		assert_true(fd >= 0);
		(void)close(fd);
		assert_int_equal(db_check_place(s->db), -ESTALE);
		assert_non_null(strstr(db_error(s->db), "replaced"));
		assert_int_equal(rename(aside, path), 0);
	}
	assert_int_equal(db_check_place(s->db), 0);
}

static void test_no_such_folder(void **state)
{
	struct scratch *s = *state;
	struct db_options options = { .path = "/nowhere/x.db" };

	assert_int_equal(db_open(&options, &s->db, &s->error), -ENOENT);
	assert_non_null(strstr(s->error.data, "/nowhere/x.db"));
	options.path = s->folder;
	assert_int_equal(db_open(&options, &s->db, &s->error), -EISDIR);
	assert_null(s->db);
}

static void damage(const char *path, long from, size_t size)
{
	FILE *file = fopen(path, "r+e");

	assert_non_null(file);
	assert_int_equal(fseek(file, from, SEEK_SET), 0);
	for (size_t i = 0; i < size; i++)
		(void)fputc(0xa5, file);
	(void)fclose(file);
}

static void test_damaged_file(void **state)
{
	static const struct {
		long from;
		size_t size;
	} cases[] = {
		{ 0, 100 },	/* no database at all */
		{ 8192, 4096 }, /* the page of a table: found by the check alone */
	};
	struct scratch *s = *state;

	for (size_t i = 0; i < countof(cases); i++) {
		assert_int_equal(reopen(s, people, 3), 0);
		for (int n = 0; n < 50; n++)
			assert_int_equal(db_exec(s->db,
						 "INSERT INTO person (name, photo)"
						 " VALUES (hex(randomblob(8)), zeroblob(900))"),
					 0);
		db_free(take(s->db));
		damage(s->path, cases[i].from, cases[i].size);
		assert_int_equal(reopen(s, people, 3), DB_E_RECREATED);
		assert_non_null(strstr(s->error.data, ".corrupt-"));
		assert_int_equal(count_files(s, ".corrupt-"), i + 1);
		assert_int_equal(number(s->db, "SELECT count(*) FROM person"), 0);
		assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('works')"), 0);
		assert_int_equal(reopen(s, people, 3), 0);
		assert_int_equal(number(s->db, "SELECT count(*) FROM person"), 1);
		assert_int_equal(s->error.len, 0);
	}
}

/* ── migrations ──────────────────────────────────────────────────────────────────────────────── */

static void test_migrations_in_steps(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(reopen(s, people, 1), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('Ada')"), 0);
	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(number(s->db, "PRAGMA user_version"), 3);
	assert_int_equal(number(s->db, "SELECT count(*) FROM person WHERE town = 'here'"), 1);
	assert_int_equal(db_exec(s->db, "INSERT INTO pet (owner) VALUES (1)"), 0);
	assert_int_equal(number(s->db, "PRAGMA foreign_keys"), 1);
	assert_int_equal(count_files(s, ".migrating"), 0);
	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(number(s->db, "SELECT count(*) FROM pet"), 1);
}

static void test_failing_migration(void **state)
{
	static const struct db_migration bad[][4] = {
		{ PEOPLE_1,
		  PEOPLE_2,
		  PEOPLE_3,
		  { "CREATE TABLE a (x); INSERT INTO nowhere VALUES (1);" } },
		{ PEOPLE_1, PEOPLE_2, PEOPLE_3, { "CREATE TABLE person (x);" } },
		{ PEOPLE_1,
		  PEOPLE_2,
		  PEOPLE_3,
		  { "DELETE FROM person;" } }, /* pets without owners */
		{ PEOPLE_1, PEOPLE_2, PEOPLE_3, { "not SQL" } },
	};
	struct scratch *s = *state;
	size_t size_before;
	char *before;

	assert_int_equal(reopen(s, people, 2), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('Ada')"), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO pet (owner) VALUES (1)"), 0);
	db_free(take(s->db));
	before = read_whole(s->path, &size_before);
	for (size_t i = 0; i < countof(bad); i++) {
		size_t size;
		char *after;

		assert_true(reopen(s, bad[i], 4) < 0);
		assert_non_null(strstr(s->error.data, "migration to version 4"));
		assert_non_null(strstr(s->error.data, "is unchanged (version 2)"));
		after = read_whole(s->path, &size);
		assert_int_equal(size, size_before);
		assert_memory_equal(after, before, size);
		free(after);
		assert_int_equal(count_files(s, "migrating"), 0);
	}
	free(before);
	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(number(s->db, "SELECT count(*) FROM pet"), 1);
}

/* Rebuilding a table drops the old one; what refers to it must survive. */
static void test_rebuilt_table(void **state)
{
	static const struct db_migration rebuild[] = {
		PEOPLE_1,
		PEOPLE_2,
		PEOPLE_3,
		{ "CREATE TABLE person2 (id INTEGER PRIMARY KEY, name TEXT) STRICT;"
		  "INSERT INTO person2 SELECT id, name FROM person;"
		  "DROP TABLE person; ALTER TABLE person2 RENAME TO person;" },
	};
	struct scratch *s = *state;

	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('Ada')"), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO pet (owner) VALUES (1)"), 0);
	assert_int_equal(reopen(s, rebuild, 4), 0);
	assert_int_equal(number(s->db, "SELECT count(*) FROM pet JOIN person ON person.id = owner"),
			 1);
	assert_true(db_exec(s->db, "DELETE FROM person") < 0);
}

static void test_newer_file(void **state)
{
	struct scratch *s = *state;

	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(reopen(s, people, 2), -ENOTSUP);
	assert_non_null(strstr(s->error.data, "newer version"));
	assert_int_equal(reopen(s, people, 3), 0);
}

/* What a killed migration left behind is in nobody's way. */
static void test_leftover_copy(void **state)
{
	struct scratch *s = *state;
	_cleanup_(freep) char *copy = xasprintf("%s.migrating", s->path);

	assert_int_equal(reopen(s, people, 1), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('Ada')"), 0);
	assert_int_equal(db_backup_to(s->db, copy), 0);
	damage(copy, 4096, 100);
	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(number(s->db, "SELECT count(*) FROM person"), 1);
	assert_int_equal(count_files(s, ".migrating"), 0);
}

/* ── copies, and other processes ─────────────────────────────────────────────────────────────── */

static void test_backup(void **state)
{
	struct scratch *s = *state;
	_cleanup_(freep) char *copy = xasprintf("%s.backup", s->path);
	struct stat info;

	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('Ada')"), 0);
	assert_int_equal(db_backup_to(s->db, copy), 0);
	assert_int_equal(db_exec(s->db, "INSERT INTO person (name) VALUES ('Bob')"), 0);
	assert_int_equal(stat(copy, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	assert_int_equal(count_files(s, "partial"), 0);
	assert_int_equal(db_backup_to(s->db, "/nowhere/copy"), -ENOENT);
	(void)snprintf(s->path, sizeof(s->path), "%s", copy);
	assert_int_equal(reopen(s, people, 3), 0);
	assert_int_equal(number(s->db, "SELECT count(*) FROM person"), 1);
}

/* Commits and says so, until it is killed. */
static _noreturn_ void commit_for_ever(struct scratch *s, int tell)
{
	char name[32];

	if (reopen(s, people, 3) != 0)
		_exit(1);
	for (int i = 1;; i++) {
		(void)snprintf(name, sizeof(name), "%d", i);
		if (db_begin(s->db) != 0 ||
		    db_exec(s->db, "INSERT INTO person (id, name) VALUES (?, ?)", DB_I64(i),
			    DB_TEXT(name)) != 0 ||
		    db_commit(s->db) != 0 || write(tell, &i, sizeof(i)) != (ssize_t)sizeof(i))
			_exit(1);
	}
}

static void test_killed_process(void **state)
{
	struct scratch *s = *state;
	int last_told = 0;

	for (int round = 0; round < 10; round++) {
		int ends[2];
		int told = 0;
		int i;
		pid_t child;

		(void)unlink(s->path);
		assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
		child = fork();
		assert_true(child >= 0);
		if (child == 0)
			commit_for_ever(s, ends[1]);
		(void)close(ends[1]);
		while (told < 20 + 7 * round && read(ends[0], &i, sizeof(i)) == (ssize_t)sizeof(i))
			told = i;
		assert_int_equal(told, 20 + 7 * round);
		assert_int_equal(kill(child, SIGKILL), 0);
		assert_int_equal(waitpid(child, NULL, 0), child);
		while (read(ends[0], &i, sizeof(i)) == (ssize_t)sizeof(i))
			told = i;
		(void)close(ends[0]);
		assert_int_equal(reopen(s, people, 3), 0);
		assert_true(number(s->db, "SELECT count(*) FROM person") >= told);
		assert_int_equal(number(s->db, "SELECT count(*) = max(id) FROM person"), 1);
		db_free(take(s->db));
		last_told = told;
	}
	assert_true(last_told >= 83);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_values_come_back),
		T(test_find),
		T(test_mistakes),
		T(test_kept_statements),
		T(test_more_statements_than_are_kept),
		T(test_transactions),
		T(test_commit_that_fails),
		T(test_full_disk),
		T(test_switches),
		T(test_place),
		T(test_no_such_folder),
		T(test_damaged_file),
		T(test_migrations_in_steps),
		T(test_failing_migration),
		T(test_rebuilt_table),
		T(test_newer_file),
		T(test_leftover_copy),
		T(test_backup),
		T(test_killed_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
