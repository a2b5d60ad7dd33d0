/* SPDX-License-Identifier: MIT */
/*
 * One list: first what was sent and not acknowledged, then what waits.
 */
#include "common/bus_events.h"

#include "common/alloc.h"

#include <sys/queue.h>

struct entry {
	TAILQ_ENTRY(entry) link;
	struct bus_event event; /* its texts are ours */
	int mid;		/* 0: waits */
};

TAILQ_HEAD(entries, entry);

struct bus_events {
	struct entries list;
	struct entry *next; /* the first that waits */
	size_t n;
	size_t waiting;
};

struct bus_events *bus_events_new(void)
{
	struct bus_events *events = xnew(struct bus_events);

	TAILQ_INIT(&events->list);
	return events;
}

static void forget(struct bus_events *events, struct entry *entry)
{
	if (events->next == entry)
		events->next = TAILQ_NEXT(entry, link);
	if (entry->mid == 0)
		events->waiting--;
	events->n--;
	TAILQ_REMOVE(&events->list, entry, link);
	free((char *)entry->event.topic);
	free((char *)entry->event.payload);
	free(entry);
}

void bus_events_free(struct bus_events *events)
{
	if (!events)
		return;
	while (!TAILQ_EMPTY(&events->list))
		forget(events, TAILQ_FIRST(&events->list));
	free(events);
}

bool bus_events_add(struct bus_events *events, const struct bus_event *event)
{
	struct entry *entry = xnew(struct entry);
	bool full = events->n >= BUS_EVENTS_MAX;

	if (full)
		forget(events, TAILQ_FIRST(&events->list));
	entry->event = *event;
	entry->event.topic = xstrdup(event->topic);
	entry->event.payload = xstrndup(event->payload, event->length);
	TAILQ_INSERT_TAIL(&events->list, entry, link);
	if (!events->next)
		events->next = entry;
	events->n++;
	events->waiting++;
	return !full;
}

const struct bus_event *bus_events_next(const struct bus_events *events)
{
	return events->next ? &events->next->event : NULL;
}

void bus_events_sent(struct bus_events *events, int mid)
{
	struct entry *entry = events->next;

	if (!mid) {
		forget(events, entry);
		return;
	}
	entry->mid = mid;
	events->next = TAILQ_NEXT(entry, link);
	events->waiting--;
}

void bus_events_acknowledged(struct bus_events *events, int mid)
{
	struct entry *entry;

	TAILQ_FOREACH(entry, &events->list, link)
	{
		if (entry->mid != mid)
			continue;
		forget(events, entry);
		return;
	}
}

void bus_events_unsend(struct bus_events *events)
{
	struct entry *entry;

	TAILQ_FOREACH(entry, &events->list, link)
	entry->mid = 0;
	events->next = TAILQ_FIRST(&events->list);
	events->waiting = events->n;
}

size_t bus_events_waiting(const struct bus_events *events)
{
	return events->waiting;
}
