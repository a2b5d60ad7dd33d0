/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The link to the broker: the only file that knows libmosquitto. MQTT 5 on the loop, without a thread of
 * libmosquitto's. It connects and reconnects by itself with a growing, jittered delay; nothing is published
 * before the broker has accepted the connection; acknowledgements of what was received leave only after the
 * service's on_batch_end has run (its COMMIT). On every connect: subscribe, on_online (the service's state is
 * published again, see state.h), then presence `online`.
 */
#include "common/time.h"
#include "common/topics.h"

#include <uv.h>

struct bus;

/* One received message; all of it is gone when the handler returns. */
struct msg {
	enum topic_id id;
	const struct topic_args *args;
	const char *topic; /* whole, with the base */
	bool retained;	   /* a copy that the broker kept: data, not evidence of life */
	const char *payload;
	size_t payload_len; /* 0: the topic was cleared */
	union { /* the decoded payload, by its message's name; NULL when cleared, or for a raw route */
		const void *body;
		/* clang-format off */
#define MESSAGE(name, doc) const struct msg_##name *name;
#include "common/messages.def"
		/* clang-format on */
	};
};

typedef void (*bus_handler_fn)(void *self, const struct msg *msg);

/*
 * What a service listens to. A bad payload never reaches the handler: it is counted and logged once a topic, and a
 * bad command is answered with an error. A raw route gets well-formed JSON (or a bare word) that was not decoded.
 */
struct bus_route {
	enum topic_id topic;
	bus_handler_fn fn;
	bool raw;
};

struct bus_options {
	uv_loop_t *loop;
	const struct clock *clock;
	const char *base;
	enum service_id service; /* also the MQTT user */
	const char *instance;
	const char *sid;
	const char *host; /* or the path of a Unix socket when port is 0 */
	int port;
	const char *password;
	const char *
		client_id; /* with a secret suffix; the same on every connect of this installation */
	unsigned keepalive_s;		/* 15 */
	unsigned session_expiry_s;	/* 0: clean sessions */
	const struct bus_route *routes; /* not copied */
	size_t routes_n;
	void *ctx; /* handed to the callbacks below, all of which but deliver are optional */
	/* A message for ROUTE: calls its handler, with the handler's self. */
	void (*deliver)(void *ctx, const struct bus_route *route, const struct msg *msg);
	/* The broker still has this state document of ours, from before. */
	void (*on_own_retained)(void *ctx, const struct msg *msg);
	void (*on_online)(void *ctx);	 /* subscribed; publish what you own */
	void (*on_batch_end)(void *ctx); /* commit now: acknowledgements leave next */
	void (*on_offline)(void *ctx);
};

/* Counters for service_health. */
struct bus_stats {
	int64_t received, published, refused, bad_payloads, bad_topics, dropped_events, connects;
	size_t waiting; /* QoS 1 messages that the broker has not acknowledged, and queued events */
};

int bus_new(const struct bus_options *options, struct bus **ret) _nodiscard_;
/* Begins to connect. */
void bus_start(struct bus *bus);
/*
 * Leaves politely: presence offline, waits until what is in flight is acknowledged or DEADLINE_MS, disconnects,
 * then calls DONE once. Idempotent.
 */
void bus_stop(struct bus *bus, unsigned deadline_ms, void (*done)(void *ctx), void *ctx);
/* After bus_stop() is done, or before bus_start(). */
void bus_free(struct bus *bus);

bool bus_is_online(const struct bus *bus);
struct bus_stats bus_stats(const struct bus *bus);

/* Results of publishing that are not errors of ours. */
enum {
	BUS_E_OFFLINE = 1, /* not connected: nothing was kept, but events are (see below) */
};

/*
 * Publishes VALUE (a struct of the topic's message) by the rules of its class. ARGS: the topic's words, ended by
 * NULL. 0, BUS_E_OFFLINE, or -errno (-EMSGSIZE over 256 KiB, -EINVAL for bad words). While offline an event is
 * kept in a queue of 1,024 (the oldest are dropped and counted) and sent after the state on the next connect;
 * other classes are not kept. State documents are published through state.h.
 */
int bus_publish(struct bus *bus, enum topic_id id, const char *const *args, const void *value);
/* The same with a payload that is already text; LENGTH 0 clears a retained topic. */
int bus_publish_text(struct bus *bus, enum topic_id id, const char *const *args,
		     const char *payload, size_t length);

/*
 * Answers the command that MSG is, at reply/{principal}/{request_id}; both come from the command's topic and
 * body, and a response-topic property is ignored. Without a request_id nothing is sent.
 */
void bus_reply(struct bus *bus, const struct msg *command, const char *request_id,
	       const struct msg_reply *reply);
