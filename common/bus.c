/* SPDX-License-Identifier: MIT */
/*
 * The bus: topics, classes and presence on top of the link. What is received goes through bus_dispatch.c.
 */
#include "common/bus.h"

#include "common/alloc.h"
#include "common/bus_dispatch.h"
#include "common/bus_events.h"
#include "common/bus_link.h"
#include "common/codec.h"
#include "common/log.h"
#include "common/timer.h"

#include <errno.h>
#include <stdio.h>

#define PAYLOAD_MAX_BYTES (256 * 1024)
#define MIDS 65536

_Static_assert(TOPIC_COUNT < 255, "a topic id fits in a byte");

struct bus {
	struct bus_options options;
	char *base;
	char *instance;
	char *presence_topic;
	struct link *link;
	struct dispatch *dispatch;
	struct bus_events *events;
	uint8_t *topic_of_mid; /* topic id + 1 of each QoS 1 publication in flight; 0: none */
	int64_t in_flight;
	struct bus_stats stats;
	struct log_fold refused_fold;
	struct timer *drain;
	bool stopping;
	bool online; /* presence was published on this connection */
	int64_t drain_until_ms;
	void (*stop_done)(void *ctx);
	void *stop_ctx;
};

/* ── publishing ────────────────────────────────────────────────────────────────────────────────────────────── */

static int send_now(struct bus *bus, enum topic_id id, const char *topic, const char *payload,
		    size_t length, int *ret_mid)
{
	const struct class_def *class = &class_table[topic_table[id].class];
	struct link_publication p = {
		.topic = topic,
		.payload = payload,
		.length = length,
		.qos = class->qos,
		.retain = class->retained,
		.expiry_s = length ? class->expiry_s : 0,
		.json = length && topic_table[id].message != &message_bare,
	};
	int mid = 0;
	int r = link_publish(bus->link, &p, &mid);

	if (r < 0)
		return r;
	bus->stats.published++;
	if (class->qos > 0) {
		bus->in_flight++;
		bus->topic_of_mid[(uint16_t)mid] = (uint8_t)(id + 1);
	}
	*ret_mid = mid;
	return 0;
}

/* Sends the events that wait. */
static void flush_events(struct bus *bus)
{
	const struct bus_event *e;
	int mid = 0;

	while (link_is_up(bus->link) && (e = bus_events_next(bus->events))) {
		int r = send_now(bus, e->id, e->topic, e->payload, e->length, &mid);

		if (r == -ENOTCONN)
			return; /* the next connect tries again */
		if (r < 0)
			bus->stats.dropped_events++;
		bus_events_sent(bus->events, r < 0 ? 0 : mid);
	}
}

/* Through the queue also while online: it keeps an event until the broker has it. */
static void publish_event(struct bus *bus, enum topic_id id, const char *topic, const char *payload,
			  size_t length)
{
	if (!bus_events_add(bus->events, &(struct bus_event){ id, topic, payload, length }))
		bus->stats.dropped_events++;
	if (!bus->stopping)
		flush_events(bus);
}

int bus_publish_text(struct bus *bus, enum topic_id id, const char *const *args,
		     const char *payload, size_t length)
{
	char topic[TOPIC_MAX_BYTES];
	int r = topic_build(bus->base, id, args, topic);
	int mid;

	if (r < 0)
		return r;
	if (length > PAYLOAD_MAX_BYTES)
		return -EMSGSIZE;
	if (topic_table[id].class == CLASS_EVENT)
		publish_event(bus, id, topic, payload, length);
	else if (bus_is_online(bus))
		return send_now(bus, id, topic, payload, length, &mid);
	return bus_is_online(bus) ? 0 : BUS_E_OFFLINE;
}

int bus_publish(struct bus *bus, enum topic_id id, const char *const *args, const void *value)
{
	_cleanup_(str_done) struct str text = { 0 };

	codec_encode(topic_table[id].message, value, &text);
	return bus_publish_text(bus, id, args, str_get(&text), text.len);
}

void bus_reply(struct bus *bus, const struct msg *command, const char *request_id,
	       const struct msg_reply *reply)
{
	const char *args[] = { NULL, request_id, NULL };
	int word = topic_word_find(command->id, "principal");
	int r;

	if (!request_id || word < 0 || !dispatch_is_request_id(request_id))
		return;
	args[0] = command->args->value[word];
	r = bus_publish(bus, TOPIC_REPLY, args, reply);
	if (r < 0)
		(void)log_errno(r, "reply to %s", args[0]);
}

/* ── the link's callbacks ──────────────────────────────────────────────────────────────────────────────────── */

static void publish_presence(struct bus *bus, const char *word)
{
	int mid;
	int r = send_now(bus, TOPIC_SERVICE_STATE, bus->presence_topic, word, strlen(word), &mid);

	if (r < 0)
		(void)log_errno(r, "publish %s", bus->presence_topic);
}

static void on_up(void *ctx)
{
	struct bus *bus = ctx;

	bus->stats.connects++;
	log_info("connected to the broker");
	if (dispatch_subscribe(bus->dispatch, bus->link) < 0) {
		log_error("cannot subscribe at the broker; connecting again");
		link_cut(bus->link);
		return;
	}
	if (bus->stopping)
		return;
	if (bus->options.on_online)
		bus->options.on_online(bus->options.ctx);
	flush_events(bus);
	publish_presence(bus, "online");
	bus->online = true;
}

static void on_down(void *ctx)
{
	struct bus *bus = ctx;

	bus->online = false;
	/* The handle is gone with all that it had in flight: state is published anew, events are sent again. */
	memset(bus->topic_of_mid, 0, MIDS);
	bus->in_flight = 0;
	bus_events_unsend(bus->events);
	log_warn("lost the broker; reconnecting");
	if (bus->options.on_offline)
		bus->options.on_offline(bus->options.ctx);
}

static void on_message(void *ctx, const char *topic, const char *payload, size_t length,
		       bool retained)
{
	struct bus *bus = ctx;

	bus->stats.received++;
	/* Somebody's late last will says that we are gone: we are not. */
	if (bus->online && !bus->stopping && !retained && str_eq(topic, bus->presence_topic) &&
	    str_eq(payload, "offline")) {
		log_warn("our presence was set to offline by an older session; setting it right");
		publish_presence(bus, "online");
	}
	dispatch_message(bus->dispatch, topic, payload, length, retained);
}

static void on_batch_end(void *ctx)
{
	struct bus *bus = ctx;

	if (bus->options.on_batch_end)
		bus->options.on_batch_end(bus->options.ctx);
}

static void drained(struct bus *bus);

static void on_ack(void *ctx, int mid, int reason)
{
	struct bus *bus = ctx;
	int id = bus->topic_of_mid[(uint16_t)mid] - 1;

	/* libmosquitto reports QoS 0 here too. */
	if (id < 0)
		return;
	bus->topic_of_mid[(uint16_t)mid] = 0;
	bus->in_flight--;
	if (topic_table[id].class == CLASS_EVENT)
		bus_events_acknowledged(bus->events, mid);
	if (reason >= 0x80) {
		bus->stats.refused++;
		log_folded(
			&bus->refused_fold, clock_boot_ms(bus->options.clock), LOG_LEVEL_ERROR,
			"the broker refuses a publication on %s (reason 0x%02x): is its ACL current?",
			topic_table[id].pattern, (unsigned)reason);
	}
	if (bus->stopping)
		drained(bus);
}

static const struct link_callbacks link_callbacks = {
	.on_up = on_up,
	.on_down = on_down,
	.on_message = on_message,
	.on_batch_end = on_batch_end,
	.on_ack = on_ack,
};

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static void drained(struct bus *bus)
{
	bool late = clock_boot_ms(bus->options.clock) >= bus->drain_until_ms;

	if (bus->in_flight > 0 && !late && link_is_up(bus->link))
		return;
	if (bus->in_flight > 0 && late)
		log_warn("%lld messages were not acknowledged by the broker",
			 (long long)bus->in_flight);
	timer_stop(bus->drain);
	link_stop(bus->link, bus->stop_done, bus->stop_ctx);
}

static void drain_fire(void *ctx)
{
	drained(ctx);
}

int bus_new(const struct bus_options *options, struct bus **ret)
{
	const char *service = service_table[options->service].name;
	const char *presence[] = { service, options->instance, NULL };
	char topic[TOPIC_MAX_BYTES];
	struct bus *bus = xnew(struct bus);
	struct link_options link = {
		.loop = options->loop,
		.host = options->host,
		.port = options->port,
		.client_id = options->client_id,
		.user = service,
		.password = options->password,
		.keepalive_s = options->keepalive_s,
		.session_expiry_s = options->session_expiry_s,
		.will_topic = topic,
		.will_payload = "offline",
		.will_sid = options->sid,
		.callbacks = &link_callbacks,
		.ctx = bus,
	};
	int r = topic_build(options->base, TOPIC_SERVICE_STATE, presence, topic);

	bus->options = *options;
	bus->events = bus_events_new();
	bus->topic_of_mid = xcalloc(MIDS, sizeof(*bus->topic_of_mid));
	bus->base = xstrdup(options->base);
	bus->instance = xstrdup(options->instance);
	bus->presence_topic = xstrdup(topic);
	if (r == 0)
		r = link_new(&link, &bus->link);
	if (r < 0) {
		bus_free(bus);
		return r;
	}
	bus->drain = timer_new(options->loop, drain_fire, bus);
	bus->dispatch =
		dispatch_new(bus, &bus->options, bus->base, bus->presence_topic, &bus->stats);
	*ret = bus;
	return 0;
}

void bus_start(struct bus *bus)
{
	link_start(bus->link);
}

void bus_stop(struct bus *bus, unsigned deadline_ms, void (*done)(void *ctx), void *ctx)
{
	if (bus->stopping)
		return;
	bus->stopping = true;
	bus->stop_done = done;
	bus->stop_ctx = ctx;
	bus->drain_until_ms = clock_boot_ms(bus->options.clock) + deadline_ms;
	if (bus->online)
		publish_presence(bus, "offline");
	timer_every(bus->drain, 50, 50);
	drained(bus);
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	bus_events_free(bus->events);
	timer_free(bus->drain);
	dispatch_free(bus->dispatch);
	link_free(bus->link);
	free(bus->topic_of_mid);
	free(bus->base);
	free(bus->instance);
	free(bus->presence_topic);
	free(bus);
}

bool bus_is_online(const struct bus *bus)
{
	return link_is_up(bus->link) && !bus->stopping;
}

struct bus_stats bus_stats(const struct bus *bus)
{
	struct bus_stats stats = bus->stats;

	stats.waiting = (size_t)bus->in_flight + bus_events_waiting(bus->events);
	return stats;
}
