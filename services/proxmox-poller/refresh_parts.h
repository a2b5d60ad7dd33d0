/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The two halves of refresh.h among themselves: refresh.c waits and answers, refresh_objects.c knows what has to be
 * read for which object.
 */
#include "services/proxmox-poller/refresh.h"

struct wait {
	enum source_kind kind;
	char node[TOPIC_LEVEL_MAX + 1], item[TOPIC_LEVEL_MAX + 1];
	int64_t vmid;
	unsigned long want; /* the number of the request that will do */
};

/* A guest that is to be asked itself afterwards: of KIND, where it is then. */
struct guest_wait {
	int64_t vmid;
	enum source_kind kind;
};

struct refresh_part {
	struct refresh_part *next;
	struct refresh *refresh;
	int64_t deadline_ms;
	struct wait *waits;
	size_t waits_n;
	struct guest_wait *guests;
	size_t guests_n;
};

/* The command fails; the first reason counts. */
void refresh_fail(struct refresh *refresh, const char *code, const char *text);
/* Calls for SOURCE and has PART wait for it. What is under way already began too early to count. */
void refresh_call(struct cluster_poller *c, struct refresh_part *part, struct source *source);
/* Calls for everything that makes the documents of a topic new. False when it is none of ours. */
bool refresh_call_object(struct cluster_poller *c, struct refresh_part *part, enum topic_id id,
			 const struct topic_args *args);
