/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Replication: which jobs there are is known everywhere (/cluster/replication), how they went only to the node on
 * which the guest is (/nodes/{node}/replication). Both lists have the same rows, one with more in them. Pure.
 */
#include "services/proxmox-poller/pve_cluster.h"

struct pve_replication_row {
	const char *id, *target, *schedule, *error;
	struct opt_i64 guest, last_sync, next_sync, fail_count;
	struct opt_f64 duration;
	struct opt_bool disable;
};

struct pve_replication_list {
	struct pve_replication_row *rows; /* by guest, then id */
	size_t n, bad;
};
/* 0, or -EINVAL when it is no such answer. */
int pve_parse_replication(const cJSON *answer, struct arena *arena,
			  struct pve_replication_list *ret);

/* What one node says. */
struct pve_replication_node {
	char *node;
	struct pve_answer answer;
	struct pve_replication_list list;
	char error[257]; /* why it does not say it; "" while it does */
};

struct pve_replication {
	int64_t period_ms;
	struct pve_answer answer;
	struct pve_replication_list jobs;
	struct pve_replication_node *nodes; /* in no order */
	size_t nodes_n;
};

void pve_replication_done(struct pve_replication *replication);
/* Take an answer in: 0, or -EINVAL when it is none, and nothing changed. BAD counts rows that were left out. */
int pve_replication_take(struct pve_replication *replication, const cJSON *answer,
			 struct pve_now now, size_t *bad);
int pve_replication_take_node(struct pve_replication *replication, const char *node,
			      const cJSON *answer, struct pve_now now, size_t *bad);
void pve_replication_fail_node(struct pve_replication *replication, const char *node,
			       const char *text);
/* Forgets nodes that CLUSTER does not have any more. */
void pve_replication_forget_gone(struct pve_replication *replication,
				 const struct pve_cluster *cluster);
/* True when the guest of some job is on NODE. */
bool pve_replication_concerns(const struct pve_replication *replication,
			      const struct pve_cluster *cluster, const char *node);
/*
 * The document of the guest of row AT of the jobs; returns the row at which the next guest begins. False in *EXISTS
 * when the cluster does not have that guest.
 */
size_t pve_build_replication(const struct pve_replication *replication,
			     const struct pve_cluster *cluster, size_t at, struct pve_now now,
			     struct arena *arena, bool *exists, struct msg_guest_replication *ret);
