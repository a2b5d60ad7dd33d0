/* SPDX-License-Identifier: MIT */
/*
 * Rate limits. A clock that jumped back begins a new window, so that no jump locks anybody out for longer than the
 * longest delay.
 */
#include "services/gateway/limits.h"

#define MINUTE_MS (60 * 1000)

const struct limit_rule limit_login_address = { .window_ms = MINUTE_MS, .free = 5 };
const struct limit_rule limit_login_person = {
	.window_ms = 60 * MINUTE_MS,
	.free = 10,
	.first_delay_ms = 30 * 1000,
	.max_delay_ms = 15 * MINUTE_MS,
};

static bool is_current(const struct limit_rule *rule, const struct limit *limit, int64_t now_ms)
{
	return limit->count > 0 && now_ms >= limit->since_ms &&
	       now_ms < limit->since_ms + rule->window_ms;
}

static int64_t longest_ms(const struct limit_rule *rule)
{
	return rule->first_delay_ms ? rule->max_delay_ms : rule->window_ms;
}

int64_t limit_wait_ms(const struct limit_rule *rule, const struct limit *limit, int64_t now_ms)
{
	int64_t wait_ms = limit->until_ms - now_ms;

	if (wait_ms <= 0 || wait_ms > longest_ms(rule))
		return 0;
	return wait_ms;
}

static int64_t delay_ms(const struct limit_rule *rule, int64_t excess)
{
	int64_t delay = rule->first_delay_ms;

	for (int64_t i = 0; i < excess && delay < rule->max_delay_ms; i++)
		delay *= 2;
	return min_of(delay, rule->max_delay_ms);
}

void limit_add(const struct limit_rule *rule, struct limit *limit, int64_t now_ms)
{
	if (!is_current(rule, limit, now_ms))
		*limit = (struct limit){ .since_ms = now_ms };
	limit->count++;
	if (limit->count < rule->free)
		return;
	if (rule->first_delay_ms)
		limit->until_ms = now_ms + delay_ms(rule, limit->count - rule->free);
	else
		limit->until_ms = limit->since_ms + rule->window_ms;
}

void limit_undo(struct limit *limit)
{
	if (limit->count > 0)
		limit->count--;
	limit->until_ms = 0;
}

bool limit_is_over(const struct limit_rule *rule, const struct limit *limit, int64_t now_ms)
{
	return !is_current(rule, limit, now_ms) && limit_wait_ms(rule, limit, now_ms) == 0;
}

bool bucket_take(struct bucket *bucket, double per_second, double burst, int64_t now_ms)
{
	double freed = (double)(now_ms - bucket->at_ms) / 1000.0 * per_second;

	if (freed > 0.0)
		bucket->used = max_of(0.0, bucket->used - freed);
	bucket->at_ms = now_ms;
	if (bucket->used + 1.0 > burst)
		return false;
	bucket->used += 1.0;
	return true;
}
