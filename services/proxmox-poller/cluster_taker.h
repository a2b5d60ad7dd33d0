/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The takers that have files of their own (take_*.c); cluster_take.c has the table of all. A taker and its bearer
 * are what cluster_take() and cluster_bears() are for one kind of source.
 */
#include "services/proxmox-poller/cluster_poller.h"

#define TAKER(kind)                                                                                \
	int cluster_take_##kind(struct cluster_poller *c, struct source *source, cJSON **answer);  \
	bool cluster_bears_##kind(struct cluster_poller *c, const struct source *source,           \
				  const char *reason, const struct pve_fault *fault)

TAKER(permissions);
TAKER(ceph);
TAKER(updates);
TAKER(disks);
#undef TAKER

void cluster_begin_ceph(struct cluster_poller *c);
/* Leaves out what the token may not ask for. */
void cluster_begin_updates(struct cluster_poller *c, struct source *source);

/* True when what lies at fault is the thing that was asked about, and neither the way to it nor the token. */
bool cluster_is_refusal(enum pve_class class);
/* Counts a failure that was borne. */
void cluster_count_borne(struct cluster_poller *c, const struct source *source);
/*
 * Clears the documents of topic ID that an earlier run left behind: once every node that is online has answered the
 * sources of KIND.
 */
void cluster_adopt(struct cluster_poller *c, enum source_kind kind, enum topic_id id);
