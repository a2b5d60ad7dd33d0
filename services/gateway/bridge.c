/* SPDX-License-Identifier: MIT */
/*
 * A queue into the loop, woken by uv_async_send(), and a condition per exchange back. One mutex guards the queue and
 * what two threads see of an exchange: `refs` and `answered`.
 */
#include "services/gateway/bridge.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

/* What is posted to the loop: a request, or a socket. */
struct item {
	struct item *next;
	struct exchange *exchange;
	uint64_t ticket;
	int fd;
};

struct bridge {
	struct bridge_options options;
	uv_async_t wake;
	pthread_mutex_t mutex;
	struct item *first, **last;
	bool closed;
	pthread_condattr_t cond_attr;
};

static void drain_cb(uv_async_t *wake);

struct bridge *bridge_new(const struct bridge_options *options)
{
	struct bridge *bridge = xnew(struct bridge);

	bridge->options = *options;
	bridge->last = &bridge->first;
	(void)pthread_mutex_init(&bridge->mutex, NULL);
	(void)pthread_condattr_init(&bridge->cond_attr);
	(void)pthread_condattr_setclock(&bridge->cond_attr, CLOCK_MONOTONIC);
	(void)uv_async_init(options->loop, &bridge->wake, drain_cb);
	bridge->wake.data = bridge;
	/* Waiting for requests is no reason to keep the loop alive. */
	uv_unref((uv_handle_t *)&bridge->wake);
	return bridge;
}

struct exchange *exchange_new(struct bridge *bridge)
{
	struct exchange *exchange = xnew(struct exchange);

	exchange->bridge = bridge;
	exchange->arena = arena_new();
	exchange->refs = 1;
	(void)pthread_cond_init(&exchange->cond, &bridge->cond_attr);
	return exchange;
}

void exchange_unref(struct exchange *exchange)
{
	bool last;

	if (!exchange)
		return;
	(void)pthread_mutex_lock(&exchange->bridge->mutex);
	last = --exchange->refs == 0;
	(void)pthread_mutex_unlock(&exchange->bridge->mutex);
	if (!last)
		return;
	response_done(&exchange->response);
	arena_free(exchange->arena);
	(void)pthread_cond_destroy(&exchange->cond);
	free(exchange);
}

/* With the mutex held: false when the bridge is closed. */
static bool post(struct bridge *bridge, struct item *item)
{
	if (bridge->closed)
		return false;
	item->next = NULL;
	*bridge->last = item;
	bridge->last = &item->next;
	(void)uv_async_send(&bridge->wake);
	return true;
}

static struct timespec deadline(unsigned ms)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += ms / 1000;
	at.tv_nsec += (long)(ms % 1000) * 1000000;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

int bridge_ask(struct exchange *exchange, unsigned deadline_ms)
{
	struct bridge *bridge = exchange->bridge;
	struct item *item = xnew(struct item);
	struct timespec until = deadline(deadline_ms);
	int r = -ESHUTDOWN;

	item->exchange = exchange;
	(void)pthread_mutex_lock(&bridge->mutex);
	if (post(bridge, item)) {
		item = NULL;
		exchange->refs++;
		r = 0;
		while (!exchange->answered && r == 0)
			r = -pthread_cond_timedwait(&exchange->cond, &bridge->mutex, &until);
		if (exchange->answered)
			r = 0;
	}
	(void)pthread_mutex_unlock(&bridge->mutex);
	free(item);
	return r;
}

void bridge_hand_over(struct bridge *bridge, uint64_t ticket, int fd)
{
	struct item *item = xnew(struct item);

	item->ticket = ticket;
	item->fd = fd;
	(void)pthread_mutex_lock(&bridge->mutex);
	if (post(bridge, item))
		item = NULL;
	(void)pthread_mutex_unlock(&bridge->mutex);
	if (item) {
		(void)close(fd);
		free(item);
	}
}

static struct item *take_all(struct bridge *bridge)
{
	struct item *items;

	(void)pthread_mutex_lock(&bridge->mutex);
	items = bridge->first;
	bridge->first = NULL;
	bridge->last = &bridge->first;
	(void)pthread_mutex_unlock(&bridge->mutex);
	return items;
}

static void drain_cb(uv_async_t *wake)
{
	struct bridge *bridge = wake->data;
	struct item *item = take_all(bridge);

	while (item) {
		struct item *next = item->next;

		if (item->exchange)
			bridge->options.on_request(bridge->options.ctx, item->exchange);
		else
			bridge->options.on_socket(bridge->options.ctx, item->ticket, item->fd);
		free(item);
		item = next;
	}
}

void bridge_answer(struct exchange *exchange)
{
	struct bridge *bridge = exchange->bridge;

	(void)pthread_mutex_lock(&bridge->mutex);
	exchange->answered = true;
	(void)pthread_cond_signal(&exchange->cond);
	(void)pthread_mutex_unlock(&bridge->mutex);
	exchange_unref(exchange);
}

static void refuse(struct exchange *exchange)
{
	response_problem(&exchange->response, 503, "the gateway is ending");
	bridge_answer(exchange);
}

void bridge_close(struct bridge *bridge)
{
	struct item *item;

	(void)pthread_mutex_lock(&bridge->mutex);
	bridge->closed = true;
	(void)pthread_mutex_unlock(&bridge->mutex);
	item = take_all(bridge);
	while (item) {
		struct item *next = item->next;

		if (item->exchange)
			refuse(item->exchange);
		else
			(void)close(item->fd);
		free(item);
		item = next;
	}
}

static void closed_cb(uv_handle_t *handle)
{
	struct bridge *bridge = handle->data;

	(void)pthread_mutex_destroy(&bridge->mutex);
	(void)pthread_condattr_destroy(&bridge->cond_attr);
	free(bridge);
}

void bridge_free(struct bridge *bridge)
{
	if (bridge)
		uv_close((uv_handle_t *)&bridge->wake, closed_cb);
}
