/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Hashing passwords and keywords (argon2id, 64 MiB each) away from the loop: two at once, a few more wait, the rest
 * is refused, so that nobody can buy our memory with guesses.
 */
#include "common/base.h"

#include <uv.h>

#define PASSWORD_MAX_BYTES 128
#define PASSWORD_HASH_SIZE 128 /* with its NUL */

enum password_result {
	PASSWORD_WRONG,
	PASSWORD_RIGHT,	 /* verified, or hashed */
	PASSWORD_FAILED, /* no memory, or the service is ending */
};

struct password_jobs;

/* HASH is the new one, after password_hash(). */
typedef void (*password_done_fn)(void *ctx, enum password_result result, const char *hash);

struct password_jobs *password_jobs_new(uv_loop_t *loop) _nodiscard_;
/* When none is left, see password_jobs_n(). */
void password_jobs_free(struct password_jobs *jobs);
/* Running and waiting. */
size_t password_jobs_n(const struct password_jobs *jobs);

/* Both: true when DONE will be called; false when too many wait. PASSWORD is copied. */
/* HASH NULL: there is no such person; takes as long, and is wrong. */
bool password_verify(struct password_jobs *jobs, const char *hash, const char *password,
		     password_done_fn done, void *ctx) _nodiscard_;
bool password_hash(struct password_jobs *jobs, const char *password, password_done_fn done,
		   void *ctx) _nodiscard_;

/* For programs without a loop: 0 or -ENOMEM. */
int password_hash_now(const char *password, char ret[PASSWORD_HASH_SIZE]) _nodiscard_;
/* Whether HASH is one that we make, so that comparing with it costs what we expect. */
bool password_is_hash(const char *hash);
