/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Timers on the loop. They own their libuv handle and free it in the close callback, so nobody outside common/
 * ever calls uv_close().
 */
#include "common/base.h"

#include <uv.h>

struct timer;

typedef void (*timer_fn)(void *ctx);

struct timer *timer_new(uv_loop_t *loop, timer_fn fn, void *ctx) _nodiscard_;
/* Also from within its own callback. NULL is nothing. */
void timer_free(struct timer *timer);
/* Once, in DELAY_MS; starting again replaces what was set. */
void timer_once(struct timer *timer, uint64_t delay_ms);
/* First in DELAY_MS, then every PERIOD_MS. */
void timer_every(struct timer *timer, uint64_t delay_ms, uint64_t period_ms);
void timer_stop(struct timer *timer);
bool timer_is_active(const struct timer *timer);
DEFINE_FREEP(struct timer, timer_free)
