/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * One MQTT 5 connection: libmosquitto, and the only file that knows it. Nothing here waits but handle_connect(),
 * nothing owns a timer or a loop. Used by bus_link.c alone.
 */
#include "common/bus_link.h"

struct handle;

struct handle_callbacks {
	/* The broker's answer to CONNECT: 0, or why not, in words. */
	void (*on_connack)(void *ctx, int reason, const char *why);
	/* The broker gave our session to another client. */
	void (*on_taken_over)(void *ctx);
	/* As in struct link_callbacks. */
	void (*on_message)(void *ctx, const char *topic, const char *payload, size_t length,
			   bool retained);
	void (*on_ack)(void *ctx, int mid, int reason);
};

/* OPTIONS and CALLBACKS outlive it. 0, or -EINVAL when libmosquitto refuses an option. */
int handle_new(const struct link_options *options, const struct handle_callbacks *callbacks,
	       void *ctx, struct handle **ret) _nodiscard_;
/* Not from within one of its callbacks. NULL is nothing. */
void handle_free(struct handle *handle);

/* Blocks (DNS, TCP): for the thread pool, while nobody else touches the handle. 0, or -errno with WHY, static text. */
int handle_connect(struct handle *handle, const char **why);
/* Queues DISCONNECT. */
void handle_disconnect(struct handle *handle);
/* The socket, or -1 when there is none (any more). libmosquitto closes it without telling. */
int handle_socket(const struct handle *handle);
bool handle_wants_write(const struct handle *handle);
/* Reads one packet, and calls what it is for; false when the connection is over. */
bool handle_read(struct handle *handle);
void handle_write(struct handle *handle);
/* Every few seconds: pings. */
void handle_misc(struct handle *handle);

/* As link_publish() and link_subscribe(). */
int handle_publish(struct handle *handle, const struct link_publication *p, int *mid);
int handle_subscribe(struct handle *handle, char *const *filters, size_t n, int qos, int flags);
