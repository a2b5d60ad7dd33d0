/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What we know of one cluster: the newest answers, what must be remembered from one to the next, and the documents
 * that follow from them. Answers are merged only here, when a document is built: Proxmox keeps a dead node's guests
 * `running` for five minutes, and says so with the same face as the truth. Pure: answers and times come in,
 * messages go out.
 */
#include "common/topics.h"
#include "services/proxmox-poller/pve_parse.h"
#include "services/proxmox-poller/pve_rate.h"

/* A machine that claims to be up longer does not know. */
#define PVE_UPTIME_MAX_S 10000000000

struct pve_now {
	int64_t boot_ms;
	int64_t wall_ms;
};

/* An answer's memory, and when it came. */
struct pve_answer {
	bool has;
	struct arena *arena;
	struct pve_now at;
};

struct pve_node {
	char *name;
	const struct pve_resource *row; /* of the newest resources */
	struct pve_now since;		/* when it was first seen */
	struct opt_i64 boot_ms;
	struct pve_answer detail_answer;
	struct pve_node_status detail;
	struct pve_answer storages_answer;
	struct pve_storages storages;
	/* Why the details or the storages do not come; "" while they do. */
	char detail_error[257], storages_error[257];
};

/* Read from the guest itself, when somebody asked for it; newer than what pvestatd gathers every 10 s. */
struct pve_direct {
	bool has;
	struct pve_now at;
	enum guest_status status;
	struct opt_i64 uptime;
	/* What the row said then, or shortly afterwards: when it changes, it is news. */
	enum guest_status row_status;
	struct opt_i64 row_uptime;
};

struct pve_guest {
	int64_t vmid;
	char *node; /* where it was last */
	char *name; /* last known */
	const struct pve_resource *row;
	bool template;
	struct opt_int last_status;
	struct opt_i64 boot_ms, maxmem, maxdisk;
	struct opt_f64 maxcpu;
	struct pve_rates rates;
	struct pve_direct direct;
};

struct pve_cluster {
	const char *name;	   /* in jarvis.yaml; borrowed */
	int64_t node_period_ms;	   /* of the details */
	int64_t storage_period_ms; /* of the lists of storages */

	struct pve_answer resources_answer, status_answer, votes_answer, version_answer;
	struct pve_resources resources;
	struct pve_status status;
	struct pve_votes votes;
	const char *version;

	struct pve_node *nodes;	  /* by name */
	struct pve_guest *guests; /* by vmid */
	size_t nodes_n, guests_n;
};

void pve_cluster_init(struct pve_cluster *cluster, const char *name, int64_t node_period_ms,
		      int64_t storage_period_ms);
void pve_cluster_done(struct pve_cluster *cluster);

/* Take an answer in: 0, or -EINVAL when it is none, and nothing changed. BAD counts rows that were left out. */
int pve_cluster_take_resources(struct pve_cluster *cluster, const cJSON *answer, struct pve_now now,
			       size_t *bad);
int pve_cluster_take_status(struct pve_cluster *cluster, const cJSON *answer, struct pve_now now);
int pve_cluster_take_votes(struct pve_cluster *cluster, const cJSON *answer, struct pve_now now);
int pve_cluster_take_version(struct pve_cluster *cluster, const cJSON *answer, struct pve_now now);
/* These are nothing to do when the node or guest has gone meanwhile: 0. */
int pve_cluster_take_node(struct pve_cluster *cluster, const char *node, const cJSON *answer,
			  struct pve_now now);
int pve_cluster_take_storages(struct pve_cluster *cluster, const char *node, const cJSON *answer,
			      struct pve_now now);
int pve_cluster_take_guest(struct pve_cluster *cluster, int64_t vmid, const cJSON *answer,
			   struct pve_now now);

/* NULL when there is none. */
struct pve_node *pve_cluster_find_node(const struct pve_cluster *cluster, const char *name);
struct pve_guest *pve_cluster_find_guest(const struct pve_cluster *cluster, int64_t vmid);
/* The node's state by membership; *reason (may be NULL) says why it is unknown, else NULL. */
enum node_status pve_cluster_node_status(const struct pve_cluster *cluster,
					 const struct pve_node *node, const char **reason);
bool pve_cluster_is_offline(const struct pve_cluster *cluster, const char *node);
/* The guest's state as it is to be shown: unknown while its node is offline. */
enum guest_status pve_cluster_guest_status(const struct pve_cluster *cluster,
					   const struct pve_guest *guest, struct pve_now now);

/*
 * Build documents, in ARENA. The storages come as one list of N, with shared ones merged. The cluster's document
 * lacks endpoint, error and sources, which the caller knows.
 */
void pve_build_node(const struct pve_cluster *cluster, const struct pve_node *node,
		    struct pve_now now, struct arena *arena, struct msg_node_state *ret);
void pve_build_guest(const struct pve_cluster *cluster, const struct pve_guest *guest,
		     struct pve_now now, struct arena *arena, struct msg_guest_state *ret);
void pve_build_storages(const struct pve_cluster *cluster, struct pve_now now, struct arena *arena,
			struct msg_storage_state **ret, size_t *n);
void pve_build_cluster(const struct pve_cluster *cluster, struct pve_now now, struct arena *arena,
		       struct msg_cluster_state *ret);

/* For the parts of the model (pve_guests.c): the guests of the newest resources, with what was remembered of them. */
void pve_guests_update(struct pve_cluster *cluster, struct pve_now now);
void pve_guests_done(struct pve_cluster *cluster);
/* Proxmox's word for a guest's state. */
enum guest_status pve_guest_status_of(const char *word);
/* True while the guest has processes, so that its numbers mean something. */
bool pve_is_alive(enum guest_status status);
