/* SPDX-License-Identifier: MIT */
/*
 * Sessions: 256 random bits in a cookie, their SHA-256 here. When a session was used is written down once a minute at
 * most: after a crash it may end a minute early.
 */
#include <string.h>

#include "services/gateway/accounts_internal.h"

#define SECRET_BYTES 32

static bool is_over(const struct accounts *a, const struct session *session, int64_t boot_ms)
{
	return boot_ms - session->begun_boot_ms >= a->options.lifetime_ms ||
	       boot_ms - session->used_boot_ms >= a->options.idle_ms;
}

static struct session *find_owner(const struct accounts *a, uint64_t owner)
{
	for (size_t i = 0; i < a->sessions_n; i++) {
		if (a->sessions[i].owner == owner)
			return &a->sessions[i];
	}
	return NULL;
}

void sessions_retry(struct accounts *a)
{
	for (; a->ended_n; a->ended_n--) {
		if (db_exec(a->db, "DELETE FROM session WHERE hash = ?",
			    DB_BLOB(a->ended[a->ended_n - 1], sizeof(*a->ended))) < 0) {
			(void)accounts_failed(a, 0, "end a session");
			return;
		}
	}
}

static void remove_session(struct accounts *a, struct session *session)
{
	uint64_t owner = session->owner;

	a->ended = xreallocarray(a->ended, a->ended_n + 1, sizeof(*a->ended));
	memcpy(a->ended[a->ended_n++], session->hash, sizeof(session->hash));
	sessions_retry(a);
	*session = a->sessions[--a->sessions_n];
	if (a->options.on_ended)
		a->options.on_ended(a->options.ctx, owner);
}

static void remove_old(struct accounts *a)
{
	int64_t boot_ms = accounts_boot_ms(a);

	for (size_t i = a->sessions_n; i > 0; i--) {
		if (is_over(a, &a->sessions[i - 1], boot_ms))
			remove_session(a, &a->sessions[i - 1]);
	}
}

static void remove_oldest(struct accounts *a)
{
	struct session *oldest = &a->sessions[0];

	for (size_t i = 1; i < a->sessions_n; i++) {
		if (a->sessions[i].used_boot_ms < oldest->used_boot_ms)
			oldest = &a->sessions[i];
	}
	remove_session(a, oldest);
}

static struct session *add_session(struct accounts *a)
{
	struct session *session;

	a->sessions = xreallocarray(a->sessions, a->sessions_n + 1, sizeof(*a->sessions));
	session = &a->sessions[a->sessions_n++];
	*session = (struct session){ .owner = ++a->last_owner };
	return session;
}

int sessions_load(struct accounts *a)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = db_query_values(
		a->db, "SELECT hash, person_id, begun_ms, used_ms FROM session", NULL, 0);
	int64_t wall_ms = accounts_wall_ms(a), boot_ms = accounts_boot_ms(a);
	int r;

	while ((r = db_next(rows)) > 0) {
		size_t size;
		const void *hash = db_blob(rows, 0, &size);
		struct session *session;

		if (size != sizeof(session->hash))
			continue;
		session = add_session(a);
		memcpy(session->hash, hash, size);
		session->person_id = db_i64(rows, 1);
		session->begun_boot_ms = boot_ms - max_of(wall_ms - db_i64(rows, 2), (int64_t)0);
		session->used_boot_ms = boot_ms - max_of(wall_ms - db_i64(rows, 3), (int64_t)0);
		session->saved_boot_ms = session->used_boot_ms;
	}
	return r;
}

int accounts_begin_session(struct accounts *a, int64_t person_id, char secret[SESSION_SECRET_SIZE])
{
	unsigned char random[SECRET_BYTES];
	int64_t wall_ms = accounts_wall_ms(a);
	struct session *session;
	int r;

	sessions_retry(a);
	remove_old(a);
	if (a->sessions_n >= ACCOUNTS_SESSIONS_MAX)
		remove_oldest(a);
	randombytes_buf(random, sizeof(random));
	hex_build(random, sizeof(random), secret);
	session = add_session(a);
	(void)crypto_hash_sha256(session->hash, (const unsigned char *)secret, strlen(secret));
	session->person_id = person_id;
	session->begun_boot_ms = accounts_boot_ms(a);
	session->used_boot_ms = session->begun_boot_ms;
	session->saved_boot_ms = session->begun_boot_ms;
	r = db_exec(a->db,
		    "INSERT INTO session (hash, person_id, begun_ms, used_ms) VALUES (?, ?, ?, ?)",
		    DB_BLOB(session->hash, sizeof(session->hash)), DB_I64(person_id),
		    DB_I64(wall_ms), DB_I64(wall_ms));
	if (r < 0) {
		a->sessions_n--;
		return accounts_failed(a, r, "begin a session");
	}
	return 0;
}

static void use(struct accounts *a, struct session *session)
{
	session->used_boot_ms = accounts_boot_ms(a);
	if (session->used_boot_ms - session->saved_boot_ms < SAVE_USE_MS)
		return;
	session->saved_boot_ms = session->used_boot_ms;
	sessions_retry(a);
	if (db_exec(a->db, "UPDATE session SET used_ms = ? WHERE hash = ?",
		    DB_I64(accounts_wall_ms(a)), DB_BLOB(session->hash, sizeof(session->hash))) < 0)
		(void)accounts_failed(a, 0, "note the use of a session");
}

bool accounts_check_session(struct accounts *a, const char *secret, struct caller *ret)
{
	unsigned char hash[crypto_hash_sha256_BYTES];
	int64_t boot_ms = accounts_boot_ms(a);
	const struct person *person;
	struct session *session = NULL;

	*ret = (struct caller){ 0 };
	(void)crypto_hash_sha256(hash, (const unsigned char *)secret, strlen(secret));
	for (size_t i = 0; i < a->sessions_n && !session; i++) {
		if (memcmp(a->sessions[i].hash, hash, sizeof(hash)) == 0)
			session = &a->sessions[i];
	}
	person = session ? accounts_get_person(a, session->person_id) : NULL;
	if (!person || is_over(a, session, boot_ms))
		return false;
	use(a, session);
	*ret = (struct caller){
		.kind = CALLER_SESSION,
		.owner = session->owner,
		.name = person->name,
		.role = person->role,
		.scopes = (1u << SCOPES_N) - 1,
		.expires_ms = accounts_wall_ms(a) +
			      min_of(a->options.idle_ms,
				     session->begun_boot_ms + a->options.lifetime_ms - boot_ms),
		.must_change = person->must_change,
		.person_id = person->id,
	};
	return true;
}

void accounts_end_session(struct accounts *a, uint64_t owner)
{
	struct session *session = find_owner(a, owner);

	if (session)
		remove_session(a, session);
}

void sessions_end_of(struct accounts *a, int64_t person_id, uint64_t keep)
{
	for (size_t i = a->sessions_n; i > 0; i--) {
		struct session *session = &a->sessions[i - 1];

		if (session->person_id == person_id && session->owner != keep)
			remove_session(a, session);
	}
}

static const struct token *find_token(const struct accounts *a, uint64_t owner)
{
	for (size_t i = 0; i < a->tokens_n; i++) {
		if (a->tokens[i].owner == owner)
			return &a->tokens[i];
	}
	return NULL;
}

bool accounts_is_alive(const struct accounts *a, uint64_t owner)
{
	const struct session *session = find_owner(a, owner);
	const struct token *token = find_token(a, owner);

	if (session)
		return !is_over(a, session, accounts_boot_ms(a));
	return token && accounts_wall_ms(a) < token->expires_ms;
}

void accounts_use(struct accounts *a, uint64_t owner)
{
	struct session *session = find_owner(a, owner);

	if (session && !is_over(a, session, accounts_boot_ms(a)))
		use(a, session);
}
