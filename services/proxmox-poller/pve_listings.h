/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The storages that keep backups, and what each keeps. A storage of a node is asked of that node; a shared one once,
 * through one node that reaches it. Which node that is changes when it fails, for a storage may hang on one node
 * alone; but of many nodes only three in a row are tried, since each attempt may cost a node a worker. Pure.
 */
#include "services/proxmox-poller/pve_backups.h"
#include "services/proxmox-poller/pve_cluster.h"

struct pve_listing {
	char *storage;
	char *node; /* to be asked; of a shared one NULL while no node reaches it */
	bool shared;
	bool gone; /* for sweeping */
	struct pve_now since;
	struct pve_answer answer;
	struct pve_kept_list kept;
	unsigned failures; /* since the last answer */
	bool moves;	   /* another node is to be asked */
	char error[257];   /* why it does not come; "" while it does */
};

struct pve_listings {
	int64_t period_ms;
	struct pve_listing *list; /* by storage, then node */
	size_t n;
};

void pve_listings_done(struct pve_listings *listings);
/* Follows the storages and nodes of CLUSTER. */
void pve_listings_sync(struct pve_listings *listings, const struct pve_cluster *cluster,
		       struct pve_now now);
/* The one that NODE is asked for, or NULL. */
struct pve_listing *pve_listings_find(const struct pve_listings *listings, const char *node,
				      const char *storage);
/* 0, or -EINVAL when it is no such answer, and nothing changed. BAD counts rows that were left out. */
int pve_listing_take(struct pve_listing *listing, const cJSON *answer, struct pve_now now,
		     size_t *bad);
void pve_listing_fail(struct pve_listing *listing, const char *text);
/* True when what it kept when it was last asked is still believed. */
bool pve_listing_is_known(const struct pve_listings *listings, const struct pve_listing *listing,
			  struct pve_now now);
/* Why it is not known, naming the storage. */
const char *pve_listing_reason(const struct pve_listing *listing, const struct pve_cluster *cluster,
			       struct arena *arena);
