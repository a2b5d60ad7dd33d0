/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The wire below the bus: libmosquitto on libuv, and nothing of Jarvis. Used by bus.c alone. It connects,
 * reconnects, reads until the socket is dry and writes only afterwards.
 */
#include "common/base.h"

#include <uv.h>

struct link;

struct link_callbacks {
	/* The broker accepted the connection: subscribe and publish now. */
	void (*on_up)(void *ctx);
	void (*on_down)(void *ctx);
	/* PAYLOAD is NUL-terminated; both are gone afterwards. */
	void (*on_message)(void *ctx, const char *topic, const char *payload, size_t length,
			   bool retained);
	/* Everything that was waiting has been delivered; acknowledgements leave when this returns. */
	void (*on_batch_end)(void *ctx);
	/* The broker acknowledged publication MID, or refused it (REASON ≥ 0x80). */
	void (*on_ack)(void *ctx, int mid, int reason);
};

struct link_options {
	uv_loop_t *loop;
	const char *host; /* or the path of a Unix socket when port is 0 */
	int port;
	const char *client_id;
	const char *user;
	const char *password;
	unsigned keepalive_s;
	unsigned session_expiry_s;
	const char *will_topic;
	const char *will_payload;
	const char *will_sid; /* user property sid of the will */
	const struct link_callbacks *callbacks;
	void *ctx;
};

/* A publication. */
struct link_publication {
	const char *topic;
	const char *payload;
	size_t length;
	int qos;
	bool retain;
	unsigned expiry_s; /* 0: never */
	bool json;	   /* says so in content type and payload format */
};

/* Options are copied. 0, or -EINVAL when libmosquitto refuses one. */
int link_new(const struct link_options *options, struct link **ret) _nodiscard_;
void link_start(struct link *link);
/* Closes; DONE comes once, from the loop, when no thread of ours is at work any more. */
void link_stop(struct link *link, void (*done)(void *ctx), void *ctx);
/* After link_stop() is done, or before link_start(). */
void link_free(struct link *link);
bool link_is_up(const struct link *link);
/* Breaks the connection, and connects again after a while. */
void link_cut(struct link *link);

/* Only while up. 0 (and *mid, for QoS 1), or -errno. */
int link_publish(struct link *link, const struct link_publication *p, int *mid);
/* Subscribes to N filters at QoS; FLAGS: see below. 0 or -errno. */
int link_subscribe(struct link *link, char *const *filters, size_t n, int qos, int flags);

enum {
	LINK_NO_LOCAL = 0x04,		 /* do not send us what we published ourselves */
	LINK_RETAIN_AS_PUBLISHED = 0x08, /* show the retain flag of live messages too */
};
