/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * From the model to the bus.
 */
#include "services/proxmox-poller/cluster_poller.h"

/* Nodes, guests and storages, after a complete answer; what is gone is cleared, unless KEEP. */
void publish_all(struct cluster_poller *c, bool keep);
void publish_node(struct cluster_poller *c, const char *node);
void publish_guest(struct cluster_poller *c, int64_t vmid);
void publish_storages(struct cluster_poller *c);
void publish_tasks(struct cluster_poller *c);
/* Clears what a source of KIND told of NODE, which has gone. */
void publish_forget(struct cluster_poller *c, enum source_kind kind, const char *node);
/* The source document, in any case. */
void publish_cluster(struct cluster_poller *c);
/* Why the cluster cannot be read, or not wholly; NULL while all is well. */
const char *publish_error(const struct cluster_poller *c);
void publish_task_event(void *ctx, enum event_type type, const struct msg_task *before,
			const struct msg_task *after);
