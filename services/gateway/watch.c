/* SPDX-License-Identifier: MIT */
/*
 * The timer runs only while some worker is busy; the first one wakes the loop to start it.
 */
#include "services/gateway/watch.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/timer.h"
#include "services/gateway/sockets.h"

#define PERIOD_MS 250

/* The address is split in numbers, so that it can be read while it is written; a torn one is found nowhere. */
struct watch_slot {
	struct watch *watch;
	_Atomic int64_t since_ms; /* 0: idle */
	_Atomic int64_t due_ms;	  /* nobody keeps it for longer */
	_Atomic bool served;
	_Atomic uint64_t address[2];
	_Atomic uint32_t port;
};

struct watch {
	const struct clock *clock;
	uv_async_t wake;
	struct timer *timer;
	uint16_t local_port;
	size_t slots_n;
	_Atomic size_t taken;
	_Atomic size_t busy;
	int64_t cut; /* the loop's */
	struct watch_slot slots[];
};

/* ── the loop ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* Shuts down the connection that began at SINCE_MS, which sets its worker free. */
static void cut(struct watch *watch, struct watch_slot *slot, int64_t since_ms)
{
	uint64_t address[2] = { atomic_load(&slot->address[0]), atomic_load(&slot->address[1]) };
	struct socket_end peer = { .port = (uint16_t)atomic_load(&slot->port) };
	int fd;

	memcpy(peer.address, address, sizeof(peer.address));
	/* Its worker may have gone on to the next one, whose address this then is. */
	if (atomic_load(&slot->since_ms) != since_ms)
		return;
	if (socket_find(&peer, watch->local_port, &fd, NULL) < 0)
		return;
	(void)shutdown(fd, SHUT_RDWR);
	(void)close(fd);
	watch->cut++;
}

static void check_cb(void *ctx)
{
	struct watch *watch = ctx;
	int64_t now_ms = clock_boot_ms(watch->clock);
	size_t busy = atomic_load(&watch->busy);
	bool hurry =
		watch->slots_n - min_of(busy, watch->slots_n) < watch->slots_n / WATCH_FREE_PART;

	if (busy == 0)
		timer_stop(watch->timer);
	for (size_t i = 0; i < watch->slots_n && busy; i++) {
		struct watch_slot *slot = &watch->slots[i];
		int64_t since_ms = atomic_load(&slot->since_ms);
		int64_t age_ms = now_ms - since_ms;

		bool is_silent = age_ms >= WATCH_HURRY_MS && !atomic_load(&slot->served);

		if (since_ms && (now_ms >= atomic_load(&slot->due_ms) || (hurry && is_silent)))
			cut(watch, slot, since_ms);
	}
}

static void wake_cb(uv_async_t *wake)
{
	struct watch *watch = wake->data;

	if (!timer_is_active(watch->timer))
		timer_every(watch->timer, PERIOD_MS, PERIOD_MS);
}

struct watch *watch_new(uv_loop_t *loop, const struct clock *clock, size_t workers,
			uint16_t local_port)
{
	struct watch *watch = xcalloc(1, sizeof(*watch) + workers * sizeof(struct watch_slot));

	watch->clock = clock;
	watch->local_port = local_port;
	watch->slots_n = workers;
	watch->timer = timer_new(loop, check_cb, watch);
	(void)uv_async_init(loop, &watch->wake, wake_cb);
	watch->wake.data = watch;
	uv_unref((uv_handle_t *)&watch->wake);
	return watch;
}

static void closed_cb(uv_handle_t *handle)
{
	free(handle->data);
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	timer_free(watch->timer);
	uv_close((uv_handle_t *)&watch->wake, closed_cb);
}

int64_t watch_cut(const struct watch *watch)
{
	return watch->cut;
}

/* ── the workers ───────────────────────────────────────────────────────────────────────────────────────────── */

struct watch_slot *watch_slot_take(struct watch *watch)
{
	size_t i = atomic_fetch_add(&watch->taken, 1);

	if (i >= watch->slots_n)
		return NULL;
	watch->slots[i].watch = watch;
	return &watch->slots[i];
}

void watch_begin(struct watch_slot *slot, const char *address, int port)
{
	struct socket_end peer;
	uint64_t halves[2];

	if (!slot || socket_end_parse(address, port, &peer) < 0)
		return;
	memcpy(halves, peer.address, sizeof(halves));
	atomic_store(&slot->address[0], halves[0]);
	atomic_store(&slot->address[1], halves[1]);
	atomic_store(&slot->port, peer.port);
	atomic_store(&slot->served, false);
	atomic_store(&slot->due_ms, clock_boot_ms(slot->watch->clock) + WATCH_LIMIT_MS);
	atomic_store(&slot->since_ms, clock_boot_ms(slot->watch->clock));
	if (atomic_fetch_add(&slot->watch->busy, 1) == 0)
		(void)uv_async_send(&slot->watch->wake);
}

void watch_serve(struct watch_slot *slot)
{
	if (slot)
		atomic_store(&slot->served, true);
}

void watch_wait(struct watch_slot *slot, int64_t wait_ms)
{
	if (slot)
		atomic_store(&slot->due_ms,
			     clock_boot_ms(slot->watch->clock) + wait_ms + WATCH_LIMIT_MS);
}

void watch_end(struct watch_slot *slot)
{
	if (slot && atomic_exchange(&slot->since_ms, 0) != 0)
		(void)atomic_fetch_sub(&slot->watch->busy, 1);
}
