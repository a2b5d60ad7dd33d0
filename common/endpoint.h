/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Which node's API to ask next. One endpoint of a cluster is the entry: it is asked for what any node can answer,
 * and kept until it fails. What a certain node must answer is asked of that node itself when it has an endpoint.
 * A failed endpoint rests 1 s, doubling to a minute, with jitter; but it is always tried again. Pure: the time and
 * the dice are arguments.
 */
#include "common/base.h"

#define ENDPOINT_REST_MIN_MS 1000
#define ENDPOINT_REST_MAX_MS 60000

/* A number in [0, 1). */
struct dice {
	double (*roll)(void *ctx);
	void *ctx;
};

static inline double dice_roll(const struct dice *dice)
{
	return dice->roll(dice->ctx);
}

struct endpoint {
	const char *node; /* its name; borrowed */
	int64_t retry_ms; /* rests until then */
	unsigned failures;
	bool refuses; /* it did not accept the token, and has not since */
};

struct endpoint_set {
	struct endpoint *list;
	size_t n;
	size_t entry;
	struct dice dice;
};

/* NODES: names of the N nodes that have an address, borrowed. */
void endpoint_init(struct endpoint_set *set, const char *const *nodes, size_t n, struct dice dice);
void endpoint_done(struct endpoint_set *set);

/* The endpoint for what any node can answer, or -1 while all of them rest. */
int endpoint_entry(struct endpoint_set *set, int64_t now);
/* The endpoint for what NODE must answer: its own, else the entry; -1 while all rest. */
int endpoint_for_node(struct endpoint_set *set, const char *node, int64_t now);
/* The endpoint of NODE, or -1. */
int endpoint_find(const struct endpoint_set *set, const char *node);
/* An endpoint other than BUT, for a second opinion: each in turn; -1 when there is none that does not rest. */
int endpoint_other(const struct endpoint_set *set, size_t but, int64_t now);
/* True when none has answered since it last failed. */
bool endpoint_all_failed(const struct endpoint_set *set);
/* True when an endpoint other than EXCEPT may be asked that does not refuse the token. */
bool endpoint_has_willing(const struct endpoint_set *set, size_t except, int64_t now);
/* When the first of the resting ones may be asked; INT64_MAX when none rests. */
int64_t endpoint_next_retry(const struct endpoint_set *set, int64_t now);

void endpoint_answered(struct endpoint_set *set, size_t index);
/* Rests it, at least MIN_MS. */
void endpoint_failed(struct endpoint_set *set, size_t index, int64_t now, int64_t min_ms);
/* The token may be another: those that refused the old one may be asked at once. */
void endpoint_forgive(struct endpoint_set *set);
/* From now on INDEX is the entry. */
void endpoint_prefer(struct endpoint_set *set, size_t index);

/* The rest after the Nth failure in a row, with jitter: between a half and the whole of min(MAX, MIN * 2^(n-1)). */
int64_t backoff_ms(unsigned failures, int64_t min_ms, int64_t max_ms, const struct dice *dice);
