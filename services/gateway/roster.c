/* SPDX-License-Identifier: MIT */
/*
 * The services heard of, in the order in which they were.
 */
#include "services/gateway/roster.h"

#include <stdio.h>

#include "common/alloc.h"
#include "common/str.h"

void roster_done(struct roster *roster)
{
	for (size_t i = 0; i < roster->n; i++)
		free(roster->items[i].health);
	free(roster->items);
	*roster = (struct roster){ 0 };
}

struct roster_entry *roster_get(struct roster *roster, const char *service, const char *instance)
{
	struct roster_entry *entry;

	for (size_t i = 0; i < roster->n; i++) {
		entry = &roster->items[i];
		if (str_eq(entry->service, service) && str_eq(entry->instance, instance))
			return entry;
	}
	if (roster->n == ROSTER_MAX || strlen(service) > TOPIC_LEVEL_MAX ||
	    strlen(instance) > TOPIC_LEVEL_MAX)
		return NULL;
	roster->items = xreallocarray(roster->items, roster->n + 1, sizeof(*roster->items));
	entry = &roster->items[roster->n++];
	*entry = (struct roster_entry){ .state = "unknown", .heard_ms = ROSTER_NEVER };
	(void)snprintf(entry->service, sizeof(entry->service), "%s", service);
	(void)snprintf(entry->instance, sizeof(entry->instance), "%s", instance);
	return entry;
}

void roster_begin_round(struct roster *roster)
{
	for (size_t i = 0; i < roster->n; i++)
		roster->items[i].confirmed = false;
}

void roster_sweep(struct roster *roster)
{
	for (size_t i = 0; i < roster->n; i++) {
		struct roster_entry *entry = &roster->items[i];

		if (!entry->confirmed)
			(void)snprintf(entry->state, sizeof(entry->state), "unknown");
	}
}

bool roster_is_online(const struct roster *roster, const char *service)
{
	for (size_t i = 0; i < roster->n; i++) {
		if (str_eq(roster->items[i].service, service) &&
		    str_eq(roster->items[i].state, "online"))
			return true;
	}
	return false;
}
