/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The command `refresh`: named objects are read again at once, and the answer leaves after what was read has been
 * published. Reads are the ordinary ones, so any number of commands that wait for the same source share one.
 */
#include "services/proxmox-poller/cluster_poller.h"

/* One command; it may concern several clusters. */
struct refresh;

/* CLUSTERS are all N of them. Answers the command in time, also when it cannot be carried out. */
void refresh_start(struct service_env *env, struct cluster_poller *const *clusters, size_t n,
		   const struct msg *msg);

/* After every answer: ends what waited for it. */
void refresh_check(struct cluster_poller *c);
/* Ends what waited too long. */
void refresh_expire(struct cluster_poller *c, int64_t now);
/* When the first of those that wait will have waited too long; INT64_MAX when none waits. */
int64_t refresh_deadline(const struct cluster_poller *c);
/* Tells all that wait that it will not be: the cluster is stopping. */
void refresh_abandon(struct cluster_poller *c);
