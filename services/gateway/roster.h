/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The services, as far as the gateway has heard of them: for /api/health, /readyz and /metrics. Pure.
 */
#include "common/topics.h"

#define ROSTER_MAX 256

struct roster_entry {
	char service[TOPIC_LEVEL_MAX + 1];
	char instance[TOPIC_LEVEL_MAX + 1];
	char state[16];	  /* online, offline, unknown */
	bool confirmed;	  /* its presence came since the link is up */
	char version[65]; /* "" when unknown */
	int64_t heard_ms; /* boot, when it last said something itself; ROSTER_NEVER */
	char *health;	  /* its last health message, JSON; NULL: none */
};
#define ROSTER_NEVER INT64_MIN

struct roster {
	struct roster_entry *items;
	size_t n;
};

void roster_done(struct roster *roster);
/* The entry of an instance, made when there is none; NULL when there are too many or the name is too long. */
struct roster_entry *roster_get(struct roster *roster, const char *service, const char *instance);
/* After a lost link: from now on, a presence that does not come again is not known. */
void roster_begin_round(struct roster *roster);
void roster_sweep(struct roster *roster);
/* True when some instance of the service is online. */
bool roster_is_online(const struct roster *roster, const char *service);
