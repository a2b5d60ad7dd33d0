/* SPDX-License-Identifier: MIT */
/*
 * The rule of freshness, and nothing else.
 */
#include "common/fresh.h"

#define PERIODS 3

void fresh_observe(struct fresh_source *source, const struct msg_source_state *entry, int64_t ts,
		   bool retained, int64_t boot_ms)
{
	if (retained)
		return;
	source->seen = true;
	source->at_boot_ms = boot_ms;
	source->period_s = entry->period_s;
	source->never_ok = !entry->last_ok_ms.has;
	/* Both times are the owner's own, so its clock need not agree with ours. */
	source->age_ms = source->never_ok ? 0 : max_of(ts - entry->last_ok_ms.v, (int64_t)0);
}

enum fresh_verdict fresh_judge(bool owner_online, const struct fresh_source *source,
			       int64_t boot_ms)
{
	int64_t age;

	if (!owner_online)
		return FRESH_OWNER_OFFLINE;
	if (!source)
		return FRESH_LIVE;
	if (!source->seen)
		return FRESH_NO_EVIDENCE;
	age = source->age_ms + (boot_ms - source->at_boot_ms);
	if (source->never_ok || (double)age >= source->period_s * 1000 * PERIODS)
		return FRESH_SOURCE_OLD;
	return FRESH_LIVE;
}

const char *fresh_text(enum fresh_verdict verdict)
{
	static const char *const texts[] = {
		[FRESH_LIVE] = "live",
		[FRESH_OWNER_OFFLINE] = "the service that reports it is offline",
		[FRESH_SOURCE_OLD] = "its source has not answered for three periods",
		[FRESH_NO_EVIDENCE] = "not confirmed since we connected",
	};

	return texts[verdict];
}
