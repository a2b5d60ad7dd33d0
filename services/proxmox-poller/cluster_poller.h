/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * One cluster being polled: its sources, its endpoints, its connection, and the timer that wakes it. Here is all
 * the input and output of the poller; what answers mean stands in pve_*.[ch].
 */
#include "common/service.h"
#include "common/timer.h"
#include "common/pve_error.h"
#include "services/proxmox-poller/pve_tasks.h"
#include "common/pve_settings.h"
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
	bool rights_known, rights_warned;
	size_t guests_before; /* how many the last answer that was believed had */
	bool is_doubting;     /* all guests went at once */

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
/* Makes the sources of new nodes, drops those of nodes that went, and rests those of nodes that are offline. */
void cluster_poller_sync_nodes(struct cluster_poller *c);
/* cluster_sources.c: drops guests that were asked for and whom nobody waits for any more; frees all. */
void cluster_sources_drop_idle(struct cluster_poller *c);
void cluster_sources_done(struct cluster_poller *c);

/* cluster_take.c: takes SOURCE's ANSWER in, publishes what follows. -EINVAL when it makes no sense. */
int cluster_take(struct cluster_poller *c, struct source *source, cJSON **answer);
/* An answer did not come: what follows from that, beside trying again. */
void cluster_take_failure(struct cluster_poller *c, struct source *source,
			  const struct pve_fault *fault);
