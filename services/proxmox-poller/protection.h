/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The slow part of a cluster: backups, replication, high availability, configurations and snapshots. Here it meets
 * the engine; the rules stand in pve_posture, pve_replication, pve_ha, guest_walk and their like.
 */
#include "common/pve_error.h"
#include "services/proxmox-poller/guest_walk.h"
#include "services/proxmox-poller/pve_posture.h"
#include "services/proxmox-poller/pve_replication.h"

struct cluster_poller;
struct source;

/* A failed backup task whose log is still to be read. */
struct backup_log_wait {
	char *upid, *node;
	int64_t vmid; /* 0: a job of several guests */
	int64_t start_ms, end_ms, due_ms;
	unsigned tries;
	bool asked;
};

struct protection {
	struct pve_posture posture;
	int64_t publish_ms; /* when the posture is to be published; INT64_MAX: nothing new */
	int64_t began_ms;
	bool published;
	uint64_t guests; /* hash of what the posture takes from them */

	struct backup_log_wait *logs;
	size_t logs_n;
	uint64_t *
		seen; /* hashes of the UPIDs of failed backups that are listed and were looked at */
	size_t seen_n;

	struct pve_replication replication;
	struct guest_walk walk;
	bool adopted; /* what an earlier run left of guests was cleared */
};

void protection_init(struct cluster_poller *c);
void protection_done(struct cluster_poller *c);
/* After nodes, guests or membership were read. KEEP: nothing is believed to be gone. */
void protection_follow(struct cluster_poller *c, bool keep);
/* After every answer, and when protection_wake() said: asks and publishes what is due. */
void protection_run(struct cluster_poller *c, int64_t now);
int64_t protection_wake(const struct cluster_poller *c, int64_t now);
/* A task has ended: what it changed is read again. */
void protection_on_task_end(struct cluster_poller *c, const struct msg_task *task);
/* Looks through an answer of /cluster/tasks for backups that failed. */
void protection_take_tasks(struct cluster_poller *c, const cJSON *answer);
void protection_on_failure(struct cluster_poller *c, struct source *source,
			   const struct pve_fault *fault);
/* The entry of the walk in cluster_state.sources. TEXT is borrowed. */
void protection_build_walk(const struct cluster_poller *c, struct pve_now now,
			   struct msg_source_state *ret);

/* Rows of cluster_take()'s table. */
int protection_take_ha(struct cluster_poller *c, struct source *source, cJSON **answer);
int protection_take_backup_jobs(struct cluster_poller *c, struct source *source, cJSON **answer);
int protection_take_backup_list(struct cluster_poller *c, struct source *source, cJSON **answer);
int protection_take_task_log(struct cluster_poller *c, struct source *source, cJSON **answer);
int protection_take_replication(struct cluster_poller *c, struct source *source, cJSON **answer);
int protection_take_node_replication(struct cluster_poller *c, struct source *source,
				     cJSON **answer);
int protection_take_guest_config(struct cluster_poller *c, struct source *source, cJSON **answer);
int protection_take_guest_snapshots(struct cluster_poller *c, struct source *source,
				    cJSON **answer);
