/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * How often somebody may try. Pure: the caller brings the time and keeps the counts (of logins in SQLite, on the
 * wall clock, so that a restart forgives nobody; of messages in the client, on the boot clock).
 */
#include "common/base.h"

/*
 * FREE attempts in WINDOW_MS; more wait until the window is over or, with a delay, for FIRST_DELAY_MS, which doubles
 * with each further attempt up to MAX_DELAY_MS. Nobody is ever locked out for good.
 */
struct limit_rule {
	int64_t window_ms;
	int free;
	int64_t first_delay_ms; /* 0: until the end of the window */
	int64_t max_delay_ms;
};
extern const struct limit_rule limit_login_address; /* 5 a minute */
extern const struct limit_rule limit_login_person;  /* 10 an hour, then up to 15 min between two */

/* What one address or person has used up. Zeroed is ready. */
struct limit {
	int64_t since_ms; /* when the window began */
	int64_t until_ms; /* not before */
	int64_t count;
};

/* How long to wait before the next attempt; 0: now. */
int64_t limit_wait_ms(const struct limit_rule *rule, const struct limit *limit, int64_t now_ms);
/* Counts an attempt. Called before its outcome is known, so that many at once count as many. */
void limit_add(const struct limit_rule *rule, struct limit *limit, int64_t now_ms);
/* Takes the last attempt back: it was not wrong after all, or was never made. */
void limit_undo(struct limit *limit);
/* True when nothing of it matters any more. */
bool limit_is_over(const struct limit_rule *rule, const struct limit *limit, int64_t now_ms);

/* A bucket of BURST tokens that fills by PER_SECOND. Zeroed is full. */
struct bucket {
	double used;
	int64_t at_ms;
};
/* Takes a token; false when there is none. */
bool bucket_take(struct bucket *bucket, double per_second, double burst, int64_t now_ms);
