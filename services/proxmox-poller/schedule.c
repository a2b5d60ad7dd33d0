/* SPDX-License-Identifier: MIT */
/*
 * Times of sources. After an answer the next time is counted from the last due time, not from the answer, so that
 * a slow API does not stretch the period.
 */
#include "services/proxmox-poller/schedule.h"

void slot_init(struct slot *slot, int64_t period_ms, bool spread, int64_t now)
{
	*slot = (struct slot){ .period_ms = period_ms, .due_ms = now, .spread = spread };
}

bool slot_is_due(const struct slot *slot, int64_t now)
{
	return slot_next(slot) <= now;
}

int64_t slot_next(const struct slot *slot)
{
	return slot->busy || slot->off ? INT64_MAX : slot->due_ms;
}

void slot_started(struct slot *slot)
{
	slot->busy = true;
}

void slot_goes_on(struct slot *slot, int64_t now)
{
	slot->busy = false;
	slot->midway = true;
	slot->due_ms = now;
}

void slot_succeeded(struct slot *slot, int64_t now, const struct dice *dice)
{
	int64_t period = slot->period_ms;

	slot->busy = false;
	slot->midway = false;
	slot->failures = 0;
	if (slot->again) {
		slot->again = false;
		slot->due_ms = now;
		return;
	}
	if (!period) {
		slot->due_ms = INT64_MAX;
		return;
	}
	slot->due_ms += period;
	if (slot->spread && !slot->phased) {
		/* Sooner than a period, never later: nothing may look old because of its phase. */
		slot->due_ms = now + period / 2 + (int64_t)((double)period / 2 * dice_roll(dice));
		slot->phased = true;
	}
	if (slot->due_ms <= now || slot->due_ms > now + period)
		slot->due_ms = now + period;
}

void slot_failed(struct slot *slot, int64_t now, int64_t min_ms, int64_t max_ms,
		 const struct dice *dice)
{
	slot->busy = false;
	slot->midway = false;
	slot->again = false;
	slot->failures++;
	slot->due_ms = now + (max_ms ? backoff_ms(slot->failures, min_ms, max_ms, dice) : 0);
}

void slot_call(struct slot *slot, int64_t now)
{
	if (slot->busy || slot->midway)
		slot->again = true;
	else
		slot->due_ms = min_of(slot->due_ms, now);
}

bool schedule_may_start(const struct load *load, bool slow, bool foreign)
{
	if (load->on_node >= SCHEDULE_PER_NODE)
		return false;
	if (slow && load->slow_on_node)
		return false;
	return !foreign || load->handed_on < SCHEDULE_PER_ENDPOINT;
}
