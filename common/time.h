/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Two clocks, which are never mixed. `boot` (CLOCK_BOOTTIME, ms) is for ages, periods, deadlines and leases: it
 * never jumps and counts through a suspend. `wall` (CLOCK_REALTIME, ms since 1970) is for people and records.
 * Code that decides by time takes a `struct clock`, so that a test can be the clock.
 */
#include "common/base.h"

struct clock {
	int64_t (*boot_ms)(void *ctx);
	int64_t (*wall_ms)(void *ctx);
	void *ctx;
};

/* The machine's clocks. */
extern const struct clock clock_system;

static inline int64_t clock_boot_ms(const struct clock *clock)
{
	return clock->boot_ms(clock->ctx);
}
static inline int64_t clock_wall_ms(const struct clock *clock)
{
	return clock->wall_ms(clock->ctx);
}
