/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What is asked of Proxmox: one row of a table a kind, one `struct source` a thing that is asked again and again
 * (or, for a single guest, when somebody wants to know). A new kind of data is a row here, and a function in
 * cluster_take.c that takes its answer in.
 */
#include "common/config.h"
#include "common/http.h"
#include "common/topics.h"
#include "services/proxmox-poller/schedule.h"

struct pve_fault;

/* In the order in which they may start when several are due. */
enum source_kind {
	SOURCE_STATUS,
	SOURCE_RESOURCES,
	SOURCE_TASKS,
	SOURCE_OPINION, /* /cluster/status at another node, while the entry has no quorum */
	SOURCE_GUEST,
	SOURCE_NODE,
	SOURCE_PERMISSIONS,
	SOURCE_VOTES,
	SOURCE_VERSION,
	SOURCE_STORAGE,
	SOURCE_HA,
	SOURCE_BACKUP_JOBS,
	SOURCE_REPLICATION,
	SOURCE_NODE_REPLICATION,
	SOURCE_GUEST_CONFIG,
	SOURCE_GUEST_SNAPSHOTS,
	SOURCE_TASK_LOG,    /* of a backup that failed */
	SOURCE_BACKUP_LIST, /* what a storage keeps */
	SOURCE_CEPH,
	SOURCE_UPDATES,
	SOURCE_DISKS,
	SOURCE_KIND_COUNT
};

/* The requests of a round of several: 0 is source_def.path, the others stand in source_def.more. */
enum permissions_step { PERMISSIONS_TOKEN, PERMISSIONS_ACL };
enum updates_step { UPDATES_ALL, UPDATES_OWN, UPDATES_CERTIFICATES };
enum disks_step { DISKS_LIST, DISKS_SMART, DISKS_POOLS, DISKS_POOL };
#define STEPS_MAX 4

struct source_def {
	const char *name; /* in cluster_state.sources, before ".{node}"; NULL: not shown there */
	const char *path;
	const char *more[STEPS_MAX - 1]; /* paths of the further requests of its round */
	const char *counter;
	bool of_node; /* the node itself must answer */
	bool slow;    /* may hang for long, and blocks a worker of Proxmox while it does */
	bool vital;   /* another endpoint is asked when this one refuses */
	bool single;  /* asked when it is called for */
	bool rare;    /* costs more than the others: read again only when it is named */
	bool quiet;   /* asked of so many that a failure is not worth a line in the log */
};
extern const struct source_def source_table[SOURCE_KIND_COUNT];

struct source {
	void *owner; /* the cluster that asks */
	enum source_kind kind;
	char node[TOPIC_LEVEL_MAX + 1];
	int64_t vmid;	   /* of a guest */
	char item[257];	   /* storage, UPID: what it is asked about beside that; "" */
	bool is_container; /* of a guest */
	bool gone;	   /* for sweeping */

	struct slot slot;
	struct http_call *call;
	size_t endpoint;	   /* that is being asked */
	unsigned step;		   /* of its round: which path */
	char object[129];	   /* {disk} or {pool} in that path */
	struct arena *round_arena; /* holds what the round has gathered so far; NULL before */
	void *round;		   /* that; belongs to the source's taker */
	const struct pve_fault
		*refusal;	   /* while it is taken in: why there is no answer to this step */
	unsigned long starts;	   /* rounds so far */
	unsigned long finished;	   /* the last of them that came to an end, good or bad */
	bool ok;		   /* how that ended */
	struct opt_i64 last_ok_ms; /* boot clock */
	struct opt_f64 latency_ms;
	char error[257]; /* of the last attempt; "" when it went well */
};

/* Forgets what a round has gathered; the next request begins another. */
void source_end_round(struct source *source);
/* Order of the list: kind, node, vmid, item. */
int source_compare(const struct source *a, const struct source *b);
/* How often KIND is asked; 0 for what is called for. */
int64_t source_period_ms(enum source_kind kind, const struct config_cluster *cluster);
/* How long one request may take. */
int64_t source_timeout_ms(enum source_kind kind, const struct config_cluster *cluster);
/* "https://192.168.1.74:8006/api2/json/nodes/pve/status"; the caller frees it. */
char *source_url(const struct source *source, const struct config_node *endpoint);
/* The path alone, for people: "/nodes/pve/status"; the caller frees it. */
char *source_path(const struct source *source);
/* Its entry in cluster_state.sources. TEXT is borrowed. */
void source_build(const struct source *source, const struct config_cluster *cluster,
		  int64_t boot_ms, int64_t wall_ms, struct msg_source_state *ret);
