/* SPDX-License-Identifier: MIT */
/*
 * The database and the people in it.
 */
#include "services/gateway/accounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/gateway/accounts_internal.h"

#define FIRST_PERSON "operator"
#define INITIAL_LENGTH 24

static const struct db_migration migrations[] = {
	{ "CREATE TABLE person ("
	  " id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL,"
	  " hash TEXT NOT NULL, must_change INTEGER NOT NULL, created_ms INTEGER NOT NULL) STRICT;"
	  "CREATE TABLE session ("
	  " hash BLOB PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES person(id) ON DELETE CASCADE,"
	  " begun_ms INTEGER NOT NULL, used_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	  "CREATE TABLE token ("
	  " id TEXT PRIMARY KEY, name TEXT NOT NULL, scopes INTEGER NOT NULL, hash BLOB NOT NULL,"
	  " created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL, used_ms INTEGER) STRICT;"
	  "CREATE TABLE attempt ("
	  " key TEXT PRIMARY KEY, since_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
	  " count INTEGER NOT NULL) STRICT, WITHOUT ROWID;" },
};

int accounts_failed(struct accounts *a, int r, const char *what)
{
	log_error("%s: %s", what, db_error(a->db));
	return r;
}

/* ── people ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_person(struct accounts *a, struct db_rows *rows)
{
	struct person *person;
	int role = enumeration_find(&enumeration_role, db_text(rows, 2));

	a->people = xreallocarray(a->people, a->people_n + 1, sizeof(*a->people));
	person = &a->people[a->people_n++];
	*person = (struct person){
		.id = db_i64(rows, 0),
		.role = role < 0 ? ROLE_VIEWER : (enum role)role,
		.must_change = db_i64(rows, 4) != 0,
	};
	(void)snprintf(person->name, sizeof(person->name), "%s", db_text(rows, 1));
	(void)snprintf(person->hash, sizeof(person->hash), "%s", db_text(rows, 3));
}

static int load_people(struct accounts *a)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = NULL;
	int r;

	a->people_n = 0;
	rows = db_query_values(
		a->db, "SELECT id, name, role, hash, must_change FROM person ORDER BY id", NULL, 0);
	while ((r = db_next(rows)) > 0)
		add_person(a, rows);
	return r;
}

const struct person *accounts_find_person(const struct accounts *a, const char *name)
{
	for (size_t i = 0; i < a->people_n; i++) {
		if (str_eq(a->people[i].name, name))
			return &a->people[i];
	}
	return NULL;
}

const struct person *accounts_get_person(const struct accounts *a, int64_t id)
{
	for (size_t i = 0; i < a->people_n; i++) {
		if (a->people[i].id == id)
			return &a->people[i];
	}
	return NULL;
}

/* ── the first start ───────────────────────────────────────────────────────────────────────────────────────── */

/* No letter that looks like another. */
static void make_password(char password[INITIAL_LENGTH + 1])
{
	static const char letters[] = "abcdefghjkmnpqrstuvwxyz23456789";

	for (size_t i = 0; i < INITIAL_LENGTH; i++)
		password[i] = letters[randombytes_uniform(sizeof(letters) - 1)];
	password[INITIAL_LENGTH] = '\0';
}

static int sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd >= 0 && fsync(fd) == 0 ? 0 : -errno;

	if (fd >= 0)
		(void)close(fd);
	return r;
}

static int write_line(const char *path, const char *line)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (dprintf(fd, "%s\n", line) < 0 || fsync(fd) < 0)
		r = -errno;
	(void)close(fd);
	return r;
}

/* Writes the password's file so that it is there whole or not at all. */
static int write_initial(const struct accounts *a, const char *password)
{
	_cleanup_(freep) char *path = xasprintf("%s/initial-password", a->dir);
	_cleanup_(freep) char *draft = xasprintf("%s.new", path);
	int r = write_line(draft, password);

	if (r == 0 && rename(draft, path) < 0)
		r = -errno;
	if (r == 0)
		r = sync_dir(a->dir);
	if (r < 0)
		(void)unlink(draft);
	return r;
}

static int insert_first(struct accounts *a, const char *hash)
{
	int r = db_exec(
		a->db,
		"INSERT INTO person (name, role, hash, must_change, created_ms) VALUES (?, ?, ?, 1, ?)",
		DB_TEXT(FIRST_PERSON), DB_TEXT(enumeration_word(&enumeration_role, ROLE_OPERATOR)),
		DB_TEXT(hash), DB_I64(accounts_wall_ms(a)));

	return r < 0 ? r : load_people(a);
}

static int make_first_person(struct accounts *a, struct str *error)
{
	char password[INITIAL_LENGTH + 1];
	char hash[crypto_pwhash_STRBYTES];
	int r;

	make_password(password);
	if (crypto_pwhash_str(hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
			      crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
		r = -ENOMEM;
	else
		r = write_initial(a, password);
	sodium_memzero(password, sizeof(password));
	if (r < 0) {
		str_printf(error, "write %s/initial-password: %s", a->dir, strerror(-r));
		return r;
	}
	r = insert_first(a, hash);
	if (r < 0) {
		str_add(error, db_error(a->db));
		return r;
	}
	log_info("made the person %s; the password is in %s/initial-password", FIRST_PERSON,
		 a->dir);
	return 0;
}

int accounts_set_password(struct accounts *a, int64_t person_id, const char *hash,
			  uint64_t keep_owner)
{
	_cleanup_(freep) char *path = xasprintf("%s/initial-password", a->dir);
	struct person *person = (struct person *)accounts_get_person(a, person_id);
	bool was_initial = person && person->must_change;
	int r = db_exec(a->db, "UPDATE person SET hash = ?, must_change = 0 WHERE id = ?",
			DB_TEXT(hash), DB_I64(person_id));

	if (r < 0)
		return accounts_failed(a, r, "set a password");
	/* Not read again: if that failed there would be nobody left. */
	if (person) {
		(void)snprintf(person->hash, sizeof(person->hash), "%s", hash);
		person->must_change = false;
	}
	if (was_initial && unlink(path) < 0 && errno != ENOENT)
		log_warn("remove %s: %s; it holds a password that is no longer valid", path,
			 strerror(errno));
	sessions_end_of(a, person_id, keep_owner);
	return 0;
}

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static int load_all(struct accounts *a, struct str *error)
{
	int r = load_people(a);

	if (r == 0)
		r = sessions_load(a);
	if (r == 0)
		r = tokens_load(a);
	if (r == 0)
		r = attempts_load(a);
	if (r < 0)
		str_add(error, db_error(a->db));
	else if (a->people_n == 0)
		r = make_first_person(a, error);
	return r;
}

int accounts_open(const struct accounts_options *options, struct accounts **ret, struct str *error)
{
	struct accounts *a = xnew(struct accounts);
	_cleanup_(freep) char *path = xasprintf("%s/gateway.db", options->dir);
	struct db_options db = {
		.path = path,
		.migrations = migrations,
		.migrations_n = countof(migrations),
		.is_durable = true,
	};
	int r = db_open(&db, &a->db, error);

	a->options = *options;
	a->dir = xstrdup(options->dir);
	if (r == DB_E_RECREATED)
		log_error("the accounts are lost: %s", str_get(error));
	if (r >= 0)
		r = load_all(a, error);
	if (r < 0) {
		accounts_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

void accounts_set_times(struct accounts *a, int64_t idle_ms, int64_t lifetime_ms)
{
	a->options.idle_ms = idle_ms;
	a->options.lifetime_ms = lifetime_ms;
}

void accounts_free(struct accounts *a)
{
	if (!a)
		return;
	tokens_done(a);
	attempts_done(a);
	if (a->db)
		sessions_retry(a);
	free(a->ended);
	free(a->sessions);
	free(a->people);
	db_free(a->db);
	free(a->dir);
	free(a);
}
