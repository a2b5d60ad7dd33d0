/* SPDX-License-Identifier: MIT */
/*
 * The back-off of one node.
 */
#include "services/thermal-collector/rest.h"

#define DOUBLINGS_MAX 16
#define REST_LEAST_MS 1000

int64_t rest_ms(unsigned failures, int64_t period_ms, bool is_refused, double roll)
{
	int64_t least = is_refused ? REST_REFUSED_MIN_MS : min_of(period_ms, (int64_t)REST_MIN_MS);
	unsigned doublings = failures ? min_of(failures - 1, (unsigned)DOUBLINGS_MAX) : 0;
	int64_t rest = min_of(least << doublings, (int64_t)REST_MAX_MS);

	return max_of(rest - (int64_t)((double)rest * roll / 4), (int64_t)REST_LEAST_MS);
}
