/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What accounts.c, sessions.c, tokens.c and attempts.c share.
 */
#include "common/alloc.h"
#include "common/db.h"
#include "common/log.h"
#include "services/gateway/accounts.h"
#include "services/gateway/limits.h"

#define SAVE_USE_MS (60 * 1000)
#define ATTEMPTS_MAX 4096

struct session {
	uint64_t owner;
	int64_t person_id;
	unsigned char hash[crypto_hash_sha256_BYTES];
	/* On the boot clock, so that nobody is logged out because the wall clock was set. */
	int64_t begun_boot_ms, used_boot_ms, saved_boot_ms;
};

struct attempts {
	char *key; /* "a:<address>" or "p:<name>" */
	struct limit limit;
};

struct accounts {
	struct accounts_options options;
	char *dir;
	struct db *db;
	uint64_t last_owner;
	struct person *people;
	size_t people_n;
	struct session *sessions;
	size_t sessions_n;
	/* Hashes of sessions that ended but are not deleted yet: a restart would revive them. */
	unsigned char (*ended)[crypto_hash_sha256_BYTES];
	size_t ended_n;
	struct token *tokens; /* newest first */
	size_t tokens_n;
	struct attempts *attempts;
	size_t attempts_n;
};

static inline int64_t accounts_boot_ms(const struct accounts *a)
{
	return clock_boot_ms(a->options.clock);
}
static inline int64_t accounts_wall_ms(const struct accounts *a)
{
	return clock_wall_ms(a->options.clock);
}

/* Logs and returns R. */
int accounts_failed(struct accounts *a, int r, const char *what);
/* Reading what an earlier run left: 0 or -errno. */
int sessions_load(struct accounts *a);
int tokens_load(struct accounts *a);
int attempts_load(struct accounts *a);
/* Deletes what could not be deleted before. */
void sessions_retry(struct accounts *a);
/* Ends the sessions of a person but KEEP. */
void sessions_end_of(struct accounts *a, int64_t person_id, uint64_t keep);
void tokens_done(struct accounts *a);
void attempts_done(struct accounts *a);
