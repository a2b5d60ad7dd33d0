/* SPDX-License-Identifier: MIT */
/*
 * Requests to the poller, and who waits for their answers.
 */
#include "services/executor/refresh.h"

#include "common/alloc.h"
#include "common/timer.h"

#include <sodium.h>
#include <stdio.h>

#define ID_BYTES 8

struct refresh {
	struct service_env *env;
	struct refresh_wait *waits;
};

struct refresh_wait {
	struct refresh_wait *next;
	struct refresh *refresh;
	char request_id[2 * ID_BYTES + 1];
	struct timer *timer;
	void (*fn)(void *ctx);
	void *ctx;
};

struct refresh *refresh_new(struct service_env *env)
{
	struct refresh *refresh = xnew(struct refresh);

	refresh->env = env;
	return refresh;
}

void refresh_free(struct refresh *refresh)
{
	if (!refresh)
		return;
	while (refresh->waits)
		refresh_cancel(refresh->waits);
	free(refresh);
}

void refresh_cancel(struct refresh_wait *wait)
{
	if (!wait)
		return;
	for (struct refresh_wait **at = &wait->refresh->waits; *at; at = &(*at)->next) {
		if (*at == wait) {
			*at = wait->next;
			break;
		}
	}
	timer_free(wait->timer);
	free(wait);
}

static void end_wait(struct refresh_wait *wait)
{
	void (*fn)(void *ctx) = wait->fn;
	void *ctx = wait->ctx;

	refresh_cancel(wait);
	fn(ctx);
}

static void late_cb(void *ctx)
{
	struct refresh_wait *wait = ctx;

	counter_add(wait->refresh->env->counters, "refreshes_late", 1);
	end_wait(wait);
}

struct refresh_wait *refresh_ask(struct refresh *refresh, const char *const *objects, size_t n,
				 void (*fn)(void *ctx), void *ctx)
{
	static const char *const args[] = { "proxmox-poller", "executor", NULL };
	struct refresh_wait *wait = xnew(struct refresh_wait);
	unsigned char random[ID_BYTES];
	const struct msg_request request = {
		.request_id = wait->request_id,
		.op = "refresh",
		.objects = objects,
		.objects_n = n,
	};

	randombytes_buf(random, sizeof(random));
	hex_build(random, sizeof(random), wait->request_id);
	if (bus_publish(refresh->env->bus, TOPIC_REQUEST, args, &request) != 0) {
		free(wait);
		return NULL;
	}
	wait->refresh = refresh;
	wait->fn = fn;
	wait->ctx = ctx;
	wait->timer = timer_new(refresh->env->loop, late_cb, wait);
	timer_once(wait->timer, REFRESH_WAIT_MS);
	wait->next = refresh->waits;
	refresh->waits = wait;
	return wait;
}

void refresh_on_reply(struct refresh *refresh, const struct msg_reply *reply)
{
	for (struct refresh_wait *wait = refresh->waits; wait; wait = wait->next) {
		if (str_eq(wait->request_id, reply->request_id)) {
			end_wait(wait);
			return;
		}
	}
}
