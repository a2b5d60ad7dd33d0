/* SPDX-License-Identifier: MIT */
/*
 * All clients together: who may come in, when they are told, who is seen to. While nobody is connected and nothing
 * changes, no timer runs.
 */
#include "services/gateway/ws.h"

#include <inttypes.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/json.h"
#include "common/timer.h"
#include "services/gateway/ws_client.h"

/* While much is sent stalled clients are found sooner. */
#define CHECK_BUSY_MS 500
#define CHECK_IDLE_MS 1000
#define TICKET_MS 10000

struct ticket {
	uint64_t number, owner, allowed;
	int64_t at_ms;
	struct ticket *next;
};

struct ws_hub {
	struct ws_shared shared;
	struct ws_options options;
	char *sid, *version;
	struct ticket *tickets;
	size_t tickets_n;
	uint64_t last_ticket;
	struct timer *tick;  /* runs while somebody is not told yet */
	struct timer *check; /* runs while there are clients or tickets */
	bool busy;	     /* something was sent since the last check */
	bool stopping;
};

/* ── telling ───────────────────────────────────────────────────────────────────────────────────────────────── */

/*
 * Tells everybody whose last batch is long enough ago, and sees to it that the others are told in time. Clients that
 * were told together are so told together again, which is what lets them share frames.
 */
static void flush(struct ws_hub *hub)
{
	struct ws_client *client = hub->shared.clients;
	int64_t now_ms = clock_boot_ms(hub->options.clock);
	int64_t wait_ms = INT64_MAX;

	while (client) {
		struct ws_client *next = client->next;
		int64_t left_ms = client->batch_ms + WS_TICK_MS - now_ms;

		/* Whoever has not got the last batch yet gets both in one later. */
		if (client->out_n > 0 || client->closing || !ws_client_is_behind(client))
			left_ms = INT64_MAX;
		else if (left_ms <= 0)
			ws_client_pump(client, true);
		if (left_ms > 0)
			wait_ms = min_of(wait_ms, left_ms);
		client = next;
	}
	hub->busy = true;
	if (wait_ms < INT64_MAX)
		timer_once(hub->tick, (uint64_t)wait_ms);
}

static void tick_cb(void *ctx)
{
	flush(ctx);
}

void ws_hub_changed(struct ws_hub *hub)
{
	if (hub->shared.clients)
		flush(hub);
}

/* ── seeing to them ────────────────────────────────────────────────────────────────────────────────────────── */

static void drop_old_tickets(struct ws_hub *hub, int64_t now_ms)
{
	struct ticket **at = &hub->tickets;

	while (*at) {
		struct ticket *ticket = *at;

		if (now_ms - ticket->at_ms < TICKET_MS) {
			at = &ticket->next;
			continue;
		}
		*at = ticket->next;
		hub->tickets_n--;
		free(ticket);
	}
}

static void check_cb(void *ctx)
{
	struct ws_hub *hub = ctx;
	int64_t now_ms = clock_boot_ms(hub->options.clock);
	struct ws_client *client = hub->shared.clients;

	while (client) {
		struct ws_client *next = client->next;

		if (!client->closing && !hub->options.is_alive(hub->options.ctx, client->owner))
			ws_client_close(client, WS_CLOSE_SESSION, "the session has ended");
		else
			ws_client_check(client, now_ms);
		client = next;
	}
	drop_old_tickets(hub, now_ms);
	view_hub_trim(hub->shared.views, now_ms);
	if (hub->shared.clients || hub->tickets)
		timer_once(hub->check, hub->busy ? CHECK_BUSY_MS : CHECK_IDLE_MS);
	hub->busy = false;
}

static void keep_checking(struct ws_hub *hub)
{
	if (!timer_is_active(hub->check))
		timer_once(hub->check, CHECK_IDLE_MS);
}

/* ── coming and going ──────────────────────────────────────────────────────────────────────────────────────── */

struct ws_hub *ws_hub_new(const struct ws_options *options)
{
	struct ws_hub *hub = xnew(struct ws_hub);

	hub->options = *options;
	hub->sid = xstrdup(options->sid);
	hub->version = xstrdup(options->version);
	hub->shared.loop = options->loop;
	hub->shared.clock = options->clock;
	hub->shared.mirror = options->mirror;
	hub->shared.views = view_hub_new(options->mirror);
	hub->shared.on_use = options->on_use;
	hub->shared.use_ctx = options->ctx;
	hub->tick = timer_new(options->loop, tick_cb, hub);
	hub->check = timer_new(options->loop, check_cb, hub);
	return hub;
}

static size_t count_owner(const struct ws_hub *hub, uint64_t owner)
{
	size_t n = 0;

	for (const struct ws_client *c = hub->shared.clients; c; c = c->next)
		n += c->owner == owner;
	for (const struct ticket *t = hub->tickets; t; t = t->next)
		n += t->owner == owner;
	return n;
}

static size_t owner_limit(const struct ws_hub *hub)
{
	size_t max = hub->options.max_clients;

	return max >= 4 * WS_RESERVED ? max - WS_RESERVED : max;
}

enum ws_admission ws_hub_admit(struct ws_hub *hub, uint64_t owner, uint64_t allowed, uint64_t *ret)
{
	struct ticket *ticket;

	if (hub->stopping || hub->shared.stats.clients + hub->tickets_n >= hub->options.max_clients)
		return WS_FULL;
	if (count_owner(hub, owner) >= owner_limit(hub))
		return WS_OWNER_FULL;
	ticket = xnew(struct ticket);
	ticket->number = ++hub->last_ticket;
	ticket->owner = owner;
	ticket->allowed = allowed;
	ticket->at_ms = clock_boot_ms(hub->options.clock);
	ticket->next = hub->tickets;
	hub->tickets = ticket;
	hub->tickets_n++;
	keep_checking(hub);
	*ret = ticket->number;
	return WS_ADMITTED;
}

static struct ticket *take_ticket(struct ws_hub *hub, uint64_t number)
{
	struct ticket **at = &hub->tickets;
	struct ticket *ticket;

	while (*at && (*at)->number != number)
		at = &(*at)->next;
	ticket = *at;
	if (ticket) {
		*at = ticket->next;
		hub->tickets_n--;
	}
	return ticket;
}

static char *make_hello(const struct ws_hub *hub)
{
	struct str text = { 0 };
	struct json_writer w = { .out = &text };

	json_object_begin(&w, NULL);
	json_add_str(&w, "op", "hello");
	json_add_i64(&w, "v", 1);
	json_add_str(&w, "sid", hub->sid);
	json_add_str(&w, "version", hub->version);
	json_add_i64(&w, "now", clock_wall_ms(hub->options.clock));
	json_object_end(&w);
	return str_take(&text);
}

void ws_hub_open(struct ws_hub *hub, uint64_t number, int fd)
{
	_cleanup_(freep) struct ticket *ticket = take_ticket(hub, number);
	_cleanup_(freep) char *hello = make_hello(hub);

	if (!ticket || hub->stopping) {
		(void)close(fd);
		return;
	}
	(void)!ws_client_new(&hub->shared, fd, ticket->owner, ticket->allowed, hello);
	keep_checking(hub);
}

static void close_all(struct ws_hub *hub, const uint64_t *owner, int code, const char *why)
{
	struct ws_client *client = hub->shared.clients;

	while (client) {
		struct ws_client *next = client->next;

		if (!owner || client->owner == *owner)
			ws_client_close(client, code, why);
		client = next;
	}
}

void ws_hub_close_owner(struct ws_hub *hub, uint64_t owner, int code, const char *why)
{
	close_all(hub, &owner, code, why);
}

void ws_hub_stop(struct ws_hub *hub)
{
	hub->stopping = true;
	close_all(hub, NULL, WS_CLOSE_GOING_AWAY, "the gateway is ending");
}

void ws_hub_free(struct ws_hub *hub)
{
	if (!hub)
		return;
	while (hub->shared.clients)
		ws_client_kill(hub->shared.clients, false);
	/* All of them. */
	drop_old_tickets(hub, INT64_MAX);
	timer_free(hub->tick);
	timer_free(hub->check);
	view_hub_free(hub->shared.views);
	free(hub->sid);
	free(hub->version);
	free(hub);
}

const struct ws_stats *ws_hub_stats(const struct ws_hub *hub)
{
	return &hub->shared.stats;
}
