/* SPDX-License-Identifier: MIT */
/*
 * Time: a list of what is due, and the timers of the services. What is due at once happens in the order in which it was
 * planned; whoever sleeps does it when awake.
 */
#include "common/alloc.h"
#include "tests/reference/whole/whole.h"

#define CALM_TICK_MS 2000

struct event {
	struct event *next;
	int64_t at_ms;
	uint64_t order;
	struct side *side;
	event_fn fn;
	void (*drop)(void *ctx);
	void *ctx;
};

struct timer {
	struct timer *next;
	struct side *side;
	timer_fn fn;
	void *ctx;
	struct event *event; /* NULL: it is not set */
	int64_t period_ms;   /* 0: once */
};

/* ── events ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void insert(struct whole *w, struct event *event)
{
	struct event **at = &w->events;

	event->order = ++w->order;
	while (*at && (*at)->at_ms <= event->at_ms)
		at = &(*at)->next;
	event->next = *at;
	*at = event;
}

struct event *event_add(struct whole *w, int64_t delay_ms, struct side *side, event_fn fn,
			void (*drop)(void *ctx), void *ctx)
{
	struct event *event = xnew(struct event);

	*event = (struct event){
		.at_ms = w->now_ms + delay_ms, .side = side, .fn = fn, .drop = drop, .ctx = ctx
	};
	insert(w, event);
	return event;
}

static void drop_at(struct event **at)
{
	struct event *event = *at;

	*at = event->next;
	if (event->drop)
		event->drop(event->ctx);
	free(event);
}

void event_cancel(struct whole *w, struct event *event)
{
	struct event **at = &w->events;

	while (*at != event)
		at = &(*at)->next;
	drop_at(at);
}

void event_cancel_all(struct whole *w, event_fn fn, bool (*is_meant)(void *ctx, void *of), void *of)
{
	for (struct event **at = &w->events; *at;) {
		if ((*at)->fn == fn && is_meant((*at)->ctx, of))
			drop_at(at);
		else
			at = &(*at)->next;
	}
}

int64_t event_last(struct whole *w, event_fn fn, bool (*is_meant)(void *ctx, void *of), void *of)
{
	int64_t last = -1;

	for (const struct event *at = w->events; at; at = at->next) {
		if (at->fn == fn && is_meant(at->ctx, of))
			last = at->at_ms;
	}
	return last;
}

bool time_step(struct whole *w, int64_t until_ms)
{
	struct event *event = w->events;
	struct event done;

	if (!event || event->at_ms > until_ms) {
		w->now_ms = max_of(w->now_ms, until_ms);
		return false;
	}
	w->events = event->next;
	w->now_ms = max_of(w->now_ms, event->at_ms);
	if (event->side && event->side->asleep_until > w->now_ms) {
		event->at_ms = event->side->asleep_until;
		insert(w, event);
		return true;
	}
	done = *event;
	free(event);
	done.fn(w, done.ctx);
	return true;
}

void time_done(struct whole *w)
{
	while (w->events)
		drop_at(&w->events);
}

/* ── clocks ────────────────────────────────────────────────────────────────────────────────────────────────── */

int64_t side_boot_ms(const struct side *side)
{
	return side->boot_ms + side->w->now_ms;
}

int64_t side_wall_ms(const struct side *side)
{
	return side->wall_ms + side->w->now_ms;
}

/* ── timers ────────────────────────────────────────────────────────────────────────────────────────────────── */

struct timer *__wrap_timer_new(uv_loop_t *loop, timer_fn fn, void *ctx);
void __wrap_timer_free(struct timer *timer);
void __wrap_timer_once(struct timer *timer, uint64_t delay_ms);
void __wrap_timer_every(struct timer *timer, uint64_t delay_ms, uint64_t period_ms);
void __wrap_timer_stop(struct timer *timer);

static void fire(struct whole *w, void *ctx)
{
	struct timer *timer = ctx;
	struct side *side = timer->side;

	int64_t period_ms = timer->period_ms;

	/* Hours go by in which nothing happens. */
	if (period_ms && w->is_calm)
		period_ms = max_of(period_ms, (int64_t)CALM_TICK_MS);
	timer->event = period_ms ? event_add(w, period_ms, side, fire, NULL, timer) : NULL;
	timer->fn(timer->ctx);
	side_settle(side);
}

struct timer *__wrap_timer_new(uv_loop_t *loop, timer_fn fn, void *ctx)
{
	struct whole *w = whole_current;
	struct timer *timer = xnew(struct timer);

	*timer = (struct timer){ .next = w->timers,
				 .side = loop == &w->gate.loop ? &w->gate : &w->executor,
				 .fn = fn,
				 .ctx = ctx };
	w->timers = timer;
	return timer;
}

void __wrap_timer_stop(struct timer *timer)
{
	if (timer->event)
		event_cancel(whole_current, take(timer->event));
}

void __wrap_timer_free(struct timer *timer)
{
	struct timer **at = &whole_current->timers;

	if (!timer)
		return;
	__wrap_timer_stop(timer);
	while (*at != timer)
		at = &(*at)->next;
	*at = timer->next;
	free(timer);
}

void __wrap_timer_once(struct timer *timer, uint64_t delay_ms)
{
	__wrap_timer_stop(timer);
	timer->period_ms = 0;
	timer->event = event_add(whole_current, (int64_t)delay_ms, timer->side, fire, NULL, timer);
}

/* Of a machine that is busy a period may be longer than was asked for. */
void __wrap_timer_every(struct timer *timer, uint64_t delay_ms, uint64_t period_ms)
{
	__wrap_timer_once(timer, delay_ms);
	timer->period_ms = max_of((int64_t)period_ms, whole_current->tick_ms);
}
