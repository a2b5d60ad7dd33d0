/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The parts of protection.h among themselves: each follows the cluster, runs what is due, and says when it wants to
 * be woken.
 */
#include "services/proxmox-poller/cluster_poller.h"

/* protect_backups.c */
void backups_follow(struct cluster_poller *c, bool keep);
void backups_run(struct cluster_poller *c, int64_t now);
int64_t backups_wake(const struct cluster_poller *c, int64_t now);
void backups_on_task_end(struct cluster_poller *c, const struct msg_task *task);
void backups_on_failure(struct cluster_poller *c, struct source *source,
			const struct pve_fault *fault);
/* Something new is known: it is published soon, or at once while somebody waits for it. */
void backups_changed(struct cluster_poller *c);
/* protect_logs.c */
void backup_logs_run(struct cluster_poller *c, int64_t now);
int64_t backup_logs_wake(const struct cluster_poller *c);
void backup_logs_on_failure(struct cluster_poller *c, const struct source *source);
void backup_logs_done(struct protection *protection);
/* protect_replication.c */
void replication_follow(struct cluster_poller *c, bool keep);
void replication_on_failure(struct cluster_poller *c, struct source *source,
			    const struct pve_fault *fault);
/* protect_guests.c */
void guests_follow(struct cluster_poller *c, bool keep);
void guests_run(struct cluster_poller *c, int64_t now);
int64_t guests_wake(const struct cluster_poller *c, int64_t now);
void guests_on_task_end(struct cluster_poller *c, const struct msg_task *task);
void guests_on_failure(struct cluster_poller *c, struct source *source,
		       const struct pve_fault *fault);

/* Counts rows that made no sense. */
void protection_count_bad(struct cluster_poller *c, size_t bad);
