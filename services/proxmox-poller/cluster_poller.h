/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * One cluster being polled: its sources, its endpoints, its connection, and the timer that wakes it. Here is all
 * the input and output of the poller; what answers mean stands in pve_*.[ch].
 */
#include "common/pve_error.h"
#include "common/pve_settings.h"
#include "common/service.h"
#include "common/timer.h"
#include "services/proxmox-poller/protection.h"
#include "services/proxmox-poller/pve_load.h"
#include "services/proxmox-poller/pve_rights.h"
#include "services/proxmox-poller/pve_tasks.h"
#include "services/proxmox-poller/source.h"

struct refresh;
struct refresh_part;

struct cluster_poller {
	struct service_env *env;
	struct pve_settings *settings;
	const struct config_cluster *config; /* in settings */
	bool stopped;

	/* What was read. */
	struct pve_cluster model;
	struct pve_task_list tasks;
	struct protection protection;

	/* How it is asked. */
	struct http *http;   /* NULL until token and certificate authority could be read */
	char *authorization; /* the header; a secret */
	int64_t setup_retry_ms;
	char setup_error[PVE_ERROR_BYTES];
	struct endpoint_set endpoints;
	const struct config_node **endpoint_nodes; /* of the same index */
	struct timer *timer;

	struct source **sources; /* by source_compare() */
	size_t sources_n;

	/* The token is not accepted: until then nothing but one probe is sent. */
	bool auth_failed;
	int64_t auth_retry_ms;

	/* A view without quorum, kept back while another node is asked for its own. */
	cJSON *held_status;
	unsigned opinions; /* asked about it */
	size_t opinion_from;

	/* What stands in cluster_state.error. */
	char auth_error[PVE_ERROR_BYTES];
	char rights_error[PVE_ERROR_BYTES];
	char (*trust_errors)[PVE_ERROR_BYTES]; /* of each endpoint; "" while it is trusted */
	bool rights_known;
	bool sees_all_guests; /* the token may see every guest */
	size_t guests_before; /* how many the last answer that was believed had */
	bool is_doubting;     /* all guests went at once */

	cJSON *permissions; /* the token's, as Proxmox told them last; NULL before */
	struct pve_findings findings;

	/* Which endpoint knows of Ceph, and how many of them said in this round that they have none. */
	size_t ceph_from;
	size_t ceph_absent;
	bool ceph_unsure; /* one of them could not be asked, and another was in its place */

	struct pve_load load_by_node, load_by_path; /* requests of the last minute */

	uint64_t membership;  /* hash of who is online */
	int64_t published_ms; /* when the cluster's document was written, boot clock */
	bool is_dirty;	      /* it should be written again soon */
	bool had_round;	      /* all that there is was published once */

	struct refresh_part *parts; /* of requests that wait for this cluster */
};

struct cluster_poller *cluster_poller_new(struct service_env *env,
					  const struct config_cluster *cluster) _nodiscard_;
/* Asks everything at once. */
void cluster_poller_start(struct cluster_poller *c);
/* No more requests; those under way are cancelled, and nobody is called back. */
void cluster_poller_stop(struct cluster_poller *c);
void cluster_poller_free(struct cluster_poller *c);
/* Reads the token's file again; a cluster that was refused tries at once. */
void cluster_poller_reread(struct cluster_poller *c);
/* Clears all its documents: it is not in the configuration any more. */
void cluster_poller_forget(struct cluster_poller *c);

/* For the parts of the poller: starts what is due and may start, and sets the timer. */
void cluster_poller_pump(struct cluster_poller *c);
struct pve_now cluster_poller_now(const struct cluster_poller *c);
/* NULL when there is none. */
struct source *cluster_poller_find(const struct cluster_poller *c, enum source_kind kind,
				   const char *node, int64_t vmid);
/* The source, made when there is none yet; due at once unless it is of the single kind. */
struct source *cluster_poller_get(struct cluster_poller *c, enum source_kind kind, const char *node,
				  int64_t vmid);
/* The same for a thing that NODE has, such as a storage. */
struct source *cluster_poller_find_item(const struct cluster_poller *c, enum source_kind kind,
					const char *node, const char *item);
struct source *cluster_poller_get_item(struct cluster_poller *c, enum source_kind kind,
				       const char *node, const char *item);
/* Drops the sources that are marked as gone. */
void cluster_poller_drop_gone(struct cluster_poller *c);
/* Makes the sources of new nodes, drops those of nodes that went, and rests those of nodes that are offline. */
void cluster_poller_sync_nodes(struct cluster_poller *c);
/* cluster_sources.c: drops guests that were asked for and whom nobody waits for any more; frees all. */
void cluster_sources_drop_idle(struct cluster_poller *c);
void cluster_sources_done(struct cluster_poller *c);

/* cluster_take.c: a round of SOURCE begins; chooses its first step. */
void cluster_begin(struct cluster_poller *c, struct source *source);
/*
 * Takes SOURCE's ANSWER in, publishes what follows: 0, or -EINVAL when it makes no sense. CLUSTER_MORE when the
 * round needs another request, for which it has set step and object. ANSWER is NULL when source->refusal says why.
 */
#define CLUSTER_MORE 1
int cluster_take(struct cluster_poller *c, struct source *source, cJSON **answer);
/* True when the round goes on without the answer to this step; REASON is the status line's. */
bool cluster_bears(struct cluster_poller *c, const struct source *source, const char *reason,
		   const struct pve_fault *fault);
/* An answer did not come: what follows from that, beside trying again. */
void cluster_take_failure(struct cluster_poller *c, struct source *source,
			  const struct pve_fault *fault);
