/* SPDX-License-Identifier: MIT */
/*
 * Wrong guesses, per address and per name (also of people who do not exist). The newest few thousand are kept; who
 * floods the table with names has already been slowed down by address.
 */
#include <string.h>

#include "services/gateway/accounts_internal.h"

static const struct limit_rule *rule_of(const char *key)
{
	return key[0] == 'a' ? &limit_login_address : &limit_login_person;
}

static struct attempts *find(const struct accounts *a, const char *key)
{
	for (size_t i = 0; i < a->attempts_n; i++) {
		if (str_eq(a->attempts[i].key, key))
			return &a->attempts[i];
	}
	return NULL;
}

static struct attempts *add(struct accounts *a, const char *key)
{
	struct attempts *entry;

	a->attempts = xreallocarray(a->attempts, a->attempts_n + 1, sizeof(*a->attempts));
	entry = &a->attempts[a->attempts_n++];
	*entry = (struct attempts){ .key = xstrdup(key) };
	return entry;
}

static void drop(struct accounts *a, struct attempts *entry)
{
	if (db_exec(a->db, "DELETE FROM attempt WHERE key = ?", DB_TEXT(entry->key)) < 0)
		(void)accounts_failed(a, 0, "forget wrong passwords");
	free(entry->key);
	*entry = a->attempts[--a->attempts_n];
}

/* Makes room: what is over goes, and when that is not enough, the oldest. */
static void make_room(struct accounts *a)
{
	int64_t now_ms = accounts_wall_ms(a);
	struct attempts *oldest;

	if (a->attempts_n < ATTEMPTS_MAX)
		return;
	for (size_t i = a->attempts_n; i > 0; i--) {
		struct attempts *entry = &a->attempts[i - 1];

		if (limit_is_over(rule_of(entry->key), &entry->limit, now_ms))
			drop(a, entry);
	}
	if (a->attempts_n < ATTEMPTS_MAX)
		return;
	oldest = &a->attempts[0];
	for (size_t i = 1; i < a->attempts_n; i++) {
		if (a->attempts[i].limit.since_ms < oldest->limit.since_ms)
			oldest = &a->attempts[i];
	}
	drop(a, oldest);
}

static void save(struct accounts *a, const struct attempts *entry)
{
	if (db_exec(a->db,
		    "INSERT INTO attempt (key, since_ms, until_ms, count) VALUES (?1, ?2, ?3, ?4)"
		    " ON CONFLICT (key) DO UPDATE SET since_ms = ?2, until_ms = ?3, count = ?4",
		    DB_TEXT(entry->key), DB_I64(entry->limit.since_ms),
		    DB_I64(entry->limit.until_ms), DB_I64(entry->limit.count)) < 0)
		(void)accounts_failed(a, 0, "note a wrong password");
}

int attempts_load(struct accounts *a)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = db_query_values(
		a->db, "SELECT key, since_ms, until_ms, count FROM attempt", NULL, 0);
	int r;

	while ((r = db_next(rows)) > 0) {
		struct attempts *entry = add(a, db_text(rows, 0));

		entry->limit.since_ms = db_i64(rows, 1);
		entry->limit.until_ms = db_i64(rows, 2);
		entry->limit.count = db_i64(rows, 3);
	}
	return r;
}

void attempts_done(struct accounts *a)
{
	for (size_t i = 0; i < a->attempts_n; i++)
		free(a->attempts[i].key);
	free(a->attempts);
	a->attempts = NULL;
	a->attempts_n = 0;
}

static int64_t wait_of(const struct accounts *a, const char *key)
{
	const struct attempts *entry = find(a, key);

	return entry ? limit_wait_ms(rule_of(key), &entry->limit, accounts_wall_ms(a)) : 0;
}

static void for_both(struct accounts *a, const char *address, const char *name,
		     void (*fn)(struct accounts *, const char *key))
{
	_cleanup_(freep) char *by_address = xasprintf("a:%s", address);
	_cleanup_(freep) char *by_name = xasprintf("p:%s", name);

	fn(a, by_address);
	fn(a, by_name);
}

int64_t accounts_wait_ms(struct accounts *a, const char *address, const char *name)
{
	_cleanup_(freep) char *by_address = xasprintf("a:%s", address);
	_cleanup_(freep) char *by_name = xasprintf("p:%s", name);

	return max_of(wait_of(a, by_address), wait_of(a, by_name));
}

static void count(struct accounts *a, const char *key)
{
	struct attempts *entry = find(a, key);

	if (!entry) {
		make_room(a);
		entry = add(a, key);
	}
	limit_add(rule_of(key), &entry->limit, accounts_wall_ms(a));
	save(a, entry);
}

static void undo(struct accounts *a, const char *key)
{
	struct attempts *entry = find(a, key);

	if (!entry)
		return;
	limit_undo(&entry->limit);
	save(a, entry);
}

static void forget(struct accounts *a, const char *key)
{
	struct attempts *entry = find(a, key);

	if (entry)
		drop(a, entry);
}

void accounts_count_attempt(struct accounts *a, const char *address, const char *name)
{
	for_both(a, address, name, count);
}

void accounts_undo_attempt(struct accounts *a, const char *address, const char *name)
{
	for_both(a, address, name, undo);
}

void accounts_forget_attempts(struct accounts *a, const char *address, const char *name)
{
	for_both(a, address, name, forget);
}
