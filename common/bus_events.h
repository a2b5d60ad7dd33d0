/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Events on their way to the broker, in order: each stays until the broker has acknowledged it, so that neither an
 * outage nor a connection that breaks loses one. Pure: no bus, no clock. Used by bus.c alone.
 */
#include "common/topics.h"

/* More than this wait at most; the oldest go. */
#define BUS_EVENTS_MAX 1024

struct bus_events;

struct bus_event {
	enum topic_id id;
	const char *topic;
	const char *payload;
	size_t length;
};

struct bus_events *bus_events_new(void) _nodiscard_;
void bus_events_free(struct bus_events *events);
/* At the end of the queue; TOPIC and PAYLOAD are copied. False when an older one had to go for it. */
bool bus_events_add(struct bus_events *events, const struct bus_event *event);
/* The first that was not sent yet, or NULL; borrowed until the next call. */
const struct bus_event *bus_events_next(const struct bus_events *events);
/* The next one was sent as publication MID, or (MID 0) cannot be sent at all and is forgotten. */
void bus_events_sent(struct bus_events *events, int mid);
/* The broker has MID. */
void bus_events_acknowledged(struct bus_events *events, int mid);
/* The connection is gone: what was not acknowledged is to be sent again. */
void bus_events_unsend(struct bus_events *events);
/* How many wait to be sent. */
size_t bus_events_waiting(const struct bus_events *events);
