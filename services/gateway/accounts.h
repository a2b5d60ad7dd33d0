/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * People, their sessions, API tokens, and who guessed wrong how often: gateway.db, and the same in memory, so that a
 * request costs no query. Secrets are kept as hashes alone. Sessions outlive a restart. Of the loop's thread.
 */
#include "common/str.h"
#include "common/time.h"
#include "common/topics.h"

#include <sodium.h>

#define ACCOUNTS_USER_MAX 64
#define ACCOUNTS_SESSIONS_MAX 1000
#define ACCOUNTS_TOKENS_MAX 1000
/* Text of a session's secret, with the NUL. */
#define SESSION_SECRET_SIZE 65
#define TOKEN_ID_SIZE 13
#define TOKEN_SECRET_SIZE 72

enum scope {
	SCOPE_READ = 1 << 0,
	SCOPE_READ_LOGS = 1 << 1,
	SCOPE_PROPOSE = 1 << 2,
	SCOPE_OPERATE = 1 << 3,
	SCOPE_METRICS = 1 << 4,
};
#define SCOPES_N 5
/* In the order of the bits. */
extern const char *const scope_names[SCOPES_N];
/* The bit of a name, or 0. */
unsigned scope_find(const char *name);

struct accounts;

struct accounts_options {
	const struct clock *clock;
	const char *dir; /* for gateway.db and initial-password */
	int64_t idle_ms, lifetime_ms;
	/* A session or token has ended before its time. */
	void (*on_ended)(void *ctx, uint64_t owner);
	void *ctx;
};

struct person {
	int64_t id;
	char name[ACCOUNTS_USER_MAX + 1];
	enum role role;
	char hash[crypto_pwhash_STRBYTES];
	bool must_change; /* the password is the one from the file */
};

struct token {
	uint64_t owner;
	char id[TOKEN_ID_SIZE];
	char *name;
	unsigned scopes;
	unsigned char hash[crypto_hash_sha256_BYTES];
	int64_t created_ms, expires_ms;
	int64_t used_ms;  /* 0: never */
	int64_t saved_ms; /* the used_ms that is in the database */
};

enum caller_kind {
	CALLER_NOBODY,
	CALLER_SESSION,
	CALLER_TOKEN,
};

/* Who asks. */
struct caller {
	enum caller_kind kind;
	uint64_t owner;	    /* number of the session or token in this run; 0 for nobody */
	const char *name;   /* of the person or token; borrowed */
	enum role role;	    /* of a token: operator with SCOPE_OPERATE, else viewer */
	unsigned scopes;    /* of a session: all */
	int64_t expires_ms; /* wall */
	bool must_change;
	int64_t person_id;
};

/*
 * Opens or makes the database in options->dir. On the first start the person `operator` is made, with a random
 * password in the file initial-password (0600), which exists before the person does. 0, or -errno with *ERROR.
 */
int accounts_open(const struct accounts_options *options, struct accounts **ret,
		  struct str *error) _nodiscard_;
void accounts_free(struct accounts *accounts);
/* A new configuration. */
void accounts_set_times(struct accounts *accounts, int64_t idle_ms, int64_t lifetime_ms);

/* NULL when there is none. Borrowed until the next call that changes people. */
const struct person *accounts_find_person(const struct accounts *accounts, const char *name);
const struct person *accounts_get_person(const struct accounts *accounts, int64_t id);
/* Sets the password and ends the person's other sessions; the initial password's file goes. 0 or -errno. */
int accounts_set_password(struct accounts *accounts, int64_t person_id, const char *hash,
			  uint64_t keep_owner);

/* ── sessions ── */

/* Begins one; SECRET is what the cookie holds. 0 or -errno. */
int accounts_begin_session(struct accounts *accounts, int64_t person_id,
			   char secret[SESSION_SECRET_SIZE]) _nodiscard_;
/* Who has this secret; the session counts as used. False, and *RET nobody, when it is none or has ended. */
bool accounts_check_session(struct accounts *accounts, const char *secret, struct caller *ret);
void accounts_end_session(struct accounts *accounts, uint64_t owner);

/* ── tokens ── */

/* Makes one; SECRET is the whole of it: jrv_<id>_<…>. 0, -ENOSPC (there are too many) or -errno. */
int accounts_add_token(struct accounts *accounts, const char *name, unsigned scopes,
		       int64_t expires_ms, char secret[TOKEN_SECRET_SIZE],
		       const struct token **ret) _nodiscard_;
/* 0, -ENOENT or -errno. */
int accounts_delete_token(struct accounts *accounts, const char *id);
/* Newest first; borrowed until the next call that changes tokens. */
const struct token *accounts_tokens(const struct accounts *accounts, size_t *n);
bool accounts_check_token(struct accounts *accounts, const char *secret, struct caller *ret);

/* ── both ── */

bool accounts_is_alive(const struct accounts *accounts, uint64_t owner);
/* The session or token did something. */
void accounts_use(struct accounts *accounts, uint64_t owner);

/* ── wrong guesses ── */

/* How long this address, or this name from anywhere, must wait before it may try a password; 0: not at all. */
int64_t accounts_wait_ms(struct accounts *accounts, const char *address, const char *name);
/* Before trying: it counts. */
void accounts_count_attempt(struct accounts *accounts, const char *address, const char *name);
/* It was right: all is forgotten. */
void accounts_forget_attempts(struct accounts *accounts, const char *address, const char *name);
/* It was not tried after all. */
void accounts_undo_attempt(struct accounts *accounts, const char *address, const char *name);
