/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The tasks of a cluster. /cluster/tasks shows what runs and the last 25 of each node that ended; here the answers
 * are merged into the newest 100, and what changed between two of them becomes events. Tasks that were there at the
 * first answer make none. A task that was running and is not listed any more has an unknown end. Pure.
 */
#include "services/proxmox-poller/pve_cluster.h"

#define PVE_TASKS_SHOWN 100

struct pve_task_entry;

/* A task whose UPID was listed, also when it is no longer among the newest. */
struct pve_seen {
	uint64_t hash;
	int64_t last_ms;
};

struct pve_task_list {
	bool started;			 /* there was a first answer */
	int64_t ts;			 /* wall time of the newest answer */
	struct pve_task_entry **entries; /* newest first */
	size_t n;
	struct pve_seen *seen; /* by hash */
	size_t seen_n;
};

/* BEFORE is NULL for a new task, and for the end of one that was never seen running. Both are borrowed. */
typedef void (*pve_task_event_fn)(void *ctx, enum event_type type, const struct msg_task *before,
				  const struct msg_task *after);

void pve_tasks_done(struct pve_task_list *list);
/* 0, or -EINVAL when it is no answer. BAD counts rows that were left out. */
int pve_tasks_take(struct pve_task_list *list, const cJSON *answer, struct pve_now now,
		   pve_task_event_fn fn, void *ctx, size_t *bad);
/* The document, borrowed from LIST but for the list itself, which is in ARENA. */
void pve_tasks_build(const struct pve_task_list *list, const char *cluster, struct arena *arena,
		     struct msg_tasks_state *ret);
/* What Proxmox's exit status means; NULL is a task that runs. */
enum task_status pve_task_status_of(const char *exitstatus);
