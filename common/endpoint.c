/* SPDX-License-Identifier: MIT */
/*
 * Choosing endpoints: a ring that is walked from the entry on.
 */
#include "common/endpoint.h"

#include "common/alloc.h"
#include "common/str.h"

#define DOUBLINGS_MAX 16

void endpoint_init(struct endpoint_set *set, const char *const *nodes, size_t n, struct dice dice)
{
	*set = (struct endpoint_set){ .n = n, .dice = dice };
	set->list = xcalloc(n, sizeof(*set->list));
	for (size_t i = 0; i < n; i++)
		set->list[i].node = nodes[i];
}

void endpoint_done(struct endpoint_set *set)
{
	free(set->list);
	*set = (struct endpoint_set){ 0 };
}

static bool is_rested(const struct endpoint_set *set, size_t index, int64_t now)
{
	return set->list[index].retry_ms <= now;
}

int endpoint_entry(struct endpoint_set *set, int64_t now)
{
	for (size_t i = 0; i < set->n; i++) {
		size_t index = (set->entry + i) % set->n;

		if (is_rested(set, index, now)) {
			set->entry = index;
			return (int)index;
		}
	}
	return -1;
}

int endpoint_find(const struct endpoint_set *set, const char *node)
{
	for (size_t i = 0; i < set->n; i++) {
		if (str_eq(set->list[i].node, node))
			return (int)i;
	}
	return -1;
}

int endpoint_for_node(struct endpoint_set *set, const char *node, int64_t now)
{
	int own = endpoint_find(set, node);

	if (own >= 0 && is_rested(set, (size_t)own, now))
		return own;
	return endpoint_entry(set, now);
}

int endpoint_other(const struct endpoint_set *set, size_t but, int64_t now)
{
	for (size_t i = 1; i < set->n; i++) {
		size_t index = (but + i) % set->n;

		if (is_rested(set, index, now))
			return (int)index;
	}
	return -1;
}

bool endpoint_all_failed(const struct endpoint_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (!set->list[i].failures)
			return false;
	}
	return set->n;
}

bool endpoint_has_willing(const struct endpoint_set *set, size_t except, int64_t now)
{
	for (size_t i = 0; i < set->n; i++) {
		if (i != except && !set->list[i].refuses && is_rested(set, i, now))
			return true;
	}
	return false;
}

int64_t endpoint_next_retry(const struct endpoint_set *set, int64_t now)
{
	int64_t first = INT64_MAX;

	for (size_t i = 0; i < set->n; i++) {
		if (!is_rested(set, i, now))
			first = min_of(first, set->list[i].retry_ms);
	}
	return first;
}

void endpoint_answered(struct endpoint_set *set, size_t index)
{
	set->list[index].failures = 0;
	set->list[index].retry_ms = 0;
	set->list[index].refuses = false;
}

void endpoint_forgive(struct endpoint_set *set)
{
	for (size_t i = 0; i < set->n; i++) {
		if (set->list[i].refuses)
			endpoint_answered(set, i);
	}
}

void endpoint_failed(struct endpoint_set *set, size_t index, int64_t now, int64_t min_ms)
{
	struct endpoint *e = &set->list[index];
	int64_t rest;

	/* Of several requests that fail together only the first counts. */
	if (e->retry_ms > now)
		return;
	e->failures++;
	rest = backoff_ms(e->failures, ENDPOINT_REST_MIN_MS, ENDPOINT_REST_MAX_MS, &set->dice);
	e->retry_ms = now + max_of(rest, min_ms);
}

void endpoint_prefer(struct endpoint_set *set, size_t index)
{
	set->entry = index;
}

int64_t backoff_ms(unsigned failures, int64_t min_ms, int64_t max_ms, const struct dice *dice)
{
	unsigned doublings = failures ? min_of(failures - 1, (unsigned)DOUBLINGS_MAX) : 0;
	int64_t whole = min_of(min_ms << doublings, max_ms);

	int64_t half = whole / 2;

	return half + (int64_t)((double)(whole - half) * dice_roll(dice));
}
