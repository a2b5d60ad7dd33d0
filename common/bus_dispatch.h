/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What the bus receives, on its way to a handler: recognise the topic, check the payload, refuse what may not be,
 * decode, call. Used by bus.c alone.
 */
#include "common/bus.h"
#include "common/bus_link.h"

struct dispatch;

/* OPTIONS, BASE and STATS outlive it. */
struct dispatch *dispatch_new(struct bus *bus, const struct bus_options *options, const char *base,
			      const char *presence_topic, struct bus_stats *stats) _nodiscard_;
void dispatch_free(struct dispatch *dispatch);
/* Subscribes to what the routes name, and to our own presence. 0 or -errno. */
int dispatch_subscribe(struct dispatch *dispatch, struct link *link);
void dispatch_message(struct dispatch *dispatch, const char *topic, const char *payload,
		      size_t length, bool retained);
/* [A-Za-z0-9_-]{1,64} */
bool dispatch_is_request_id(const char *text);
