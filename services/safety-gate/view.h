/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What the gate knows of the clusters: the newest documents of the poller, and whether they are to be believed.
 * Nothing is judged on a retained copy, nor on what is older than three periods of its source. Pure: documents and
 * the time are handed in.
 */
#include "common/fresh.h"
#include "common/topics.h"

struct view;

struct view *view_new(void) _nodiscard_;
void view_free(struct view *view);
DEFINE_FREEP(struct view, view_free)

/*
 * Takes a document in: SERVICE_STATE of the poller, CLUSTER_STATE, NODE_STATE, GUEST_STATE, GUEST_CONFIG (of which the
 * digest alone is kept), STORAGE_STATE; others are ignored. BODY is copied; NULL clears.
 */
void view_take(struct view *view, enum topic_id id, const struct topic_args *args, const void *body,
	       bool retained, int64_t boot_ms);
/* The link to the broker is lost: nothing counts as live before it is heard again. */
void view_offline(struct view *view);

/* Whether CLUSTER is seen live; *why says in a few words why not. Static text. */
bool view_is_live(const struct view *view, const char *cluster, int64_t boot_ms, const char **why);

/* All of these are NULL when there is none. Borrowed until the next view_take(). */
const struct msg_cluster_state *view_cluster(const struct view *view, const char *cluster);
/* NAME as Proxmox spells it. */
const struct msg_node_state *view_node(const struct view *view, const char *cluster,
				       const char *name);
const struct msg_guest_state *view_guest(const struct view *view, const char *cluster,
					 int64_t vmid);
/* Proxmox's digest of the guest's configuration; NULL: not known. */
const char *view_config_digest(const struct view *view, const char *cluster, int64_t vmid);
/* NODE is "-" for a shared storage. */
const struct msg_storage_state *view_storage(const struct view *view, const char *cluster,
					     const char *node, const char *storage);

/* The clusters, nodes, guests, storages in turn: from *at = 0 on; NULL after the last. CLUSTER NULL: of all. */
const struct msg_cluster_state *view_next_cluster(const struct view *view, size_t *at);
const struct msg_node_state *view_next_node(const struct view *view, const char *cluster,
					    size_t *at);
const struct msg_guest_state *view_next_guest(const struct view *view, const char *cluster,
					      size_t *at);
const struct msg_storage_state *view_next_storage(const struct view *view, const char *cluster,
						  size_t *at);
