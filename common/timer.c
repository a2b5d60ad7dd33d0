/* SPDX-License-Identifier: MIT */
/*
 * Timers that free themselves.
 */
#include "common/timer.h"

#include "common/alloc.h"

#include <assert.h>

struct timer {
	uv_timer_t handle;
	timer_fn fn;
	void *ctx;
};

static void fire_cb(uv_timer_t *handle)
{
	struct timer *timer = handle->data;

	timer->fn(timer->ctx);
}

static void close_cb(uv_handle_t *handle)
{
	free(handle->data);
}

struct timer *timer_new(uv_loop_t *loop, timer_fn fn, void *ctx)
{
	struct timer *timer = xnew(struct timer);
	int r;

	r = uv_timer_init(loop, &timer->handle);
	assert(r == 0);
	(void)r;
	timer->handle.data = timer;
	timer->fn = fn;
	timer->ctx = ctx;
	return timer;
}

void timer_free(struct timer *timer)
{
	if (timer)
		uv_close((uv_handle_t *)&timer->handle, close_cb);
}

void timer_once(struct timer *timer, uint64_t delay_ms)
{
	timer_every(timer, delay_ms, 0);
}

void timer_every(struct timer *timer, uint64_t delay_ms, uint64_t period_ms)
{
	(void)uv_timer_start(&timer->handle, fire_cb, delay_ms, period_ms);
}

void timer_stop(struct timer *timer)
{
	(void)uv_timer_stop(&timer->handle);
}

bool timer_is_active(const struct timer *timer)
{
	return uv_is_active((const uv_handle_t *)&timer->handle);
}
