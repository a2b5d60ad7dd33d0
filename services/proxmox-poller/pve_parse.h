/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The answers of the Proxmox API as structs, and nothing else: no judgement of what they mean. Each parser takes
 * the whole answer ({"data": …}) as a tree and fills a struct whose pieces live in ARENA; lists are sorted for
 * searching. A row that cannot be used (no name, no vmid) is left out and counted in `bad`. Results: 0, or -EINVAL
 * when the answer has not the shape of such an answer at all.
 */
#include "services/proxmox-poller/pve_value.h"

/* A row of /cluster/resources: node, guest or storage. */
struct pve_resource {
	const char *type, *id, *node, *name, *status;
	const char *storage, *plugintype, *content;
	const char *pool, *tags, *lock, *hastate;
	struct opt_i64 vmid, uptime;
	struct opt_f64 cpu, maxcpu;
	struct opt_i64 mem, maxmem, memhost, disk, maxdisk;
	struct opt_i64 netin, netout, diskread, diskwrite;
	struct opt_bool shared, template;
};

struct pve_resources {
	struct pve_resource *nodes;    /* by name */
	struct pve_resource *guests;   /* by vmid; one may be there twice while it moves */
	struct pve_resource *storages; /* by storage, then node */
	size_t nodes_n, guests_n, storages_n, bad;
};
int pve_parse_resources(const cJSON *answer, struct arena *arena, struct pve_resources *ret);

struct pve_member {
	const char *name, *ip;
	struct opt_bool online, local;
};

/* /cluster/status */
struct pve_status {
	const char *name; /* of the cluster; NULL for a standalone node */
	bool clustered;
	struct opt_bool quorate;    /* a standalone node says nothing */
	struct pve_member *members; /* by name */
	size_t members_n, bad;
};
int pve_parse_status(const cJSON *answer, struct arena *arena, struct pve_status *ret);
/* NULL when there is none called NAME. */
const struct pve_member *pve_status_find(const struct pve_status *status, const char *name);

/* /nodes/{node}/status */
struct pve_node_status {
	struct opt_i64 uptime, swap, maxswap;
	struct opt_f64 cpu, wait, load1, load5, load15;
	const char *cpu_model, *kernel, *version;
};
int pve_parse_node_status(const cJSON *answer, struct arena *arena, struct pve_node_status *ret);

/* A row of /nodes/{node}/storage. */
struct pve_storage {
	const char *storage, *type, *content;
	struct opt_bool shared, enabled, active;
	struct opt_i64 total, used;
};

struct pve_storages {
	struct pve_storage *rows; /* by name */
	size_t n, bad;
};
int pve_parse_storages(const cJSON *answer, struct arena *arena, struct pve_storages *ret);
const struct pve_storage *pve_storages_find(const struct pve_storages *list, const char *storage);

/* A row of /cluster/tasks. */
struct pve_task {
	const char *upid, *node, *type, *id, *user, *tokenid, *status;
	struct opt_i64 starttime, endtime;
};

struct pve_tasks {
	struct pve_task *rows; /* as they came */
	size_t n, bad;
};
int pve_parse_tasks(const cJSON *answer, struct arena *arena, struct pve_tasks *ret);

/* /cluster/config/nodes: who has how many votes. */
struct pve_vote {
	const char *node, *name;
	struct opt_i64 votes;
};

struct pve_votes {
	struct pve_vote *rows; /* by node */
	size_t n;
	int64_t total;
};
int pve_parse_votes(const cJSON *answer, struct arena *arena, struct pve_votes *ret);
/* The votes of NODE; 0 when it is not listed. */
int64_t pve_votes_of(const struct pve_votes *votes, const char *node);

/* /version: "9.2.11". */
int pve_parse_version(const cJSON *answer, struct arena *arena, const char **ret);

/* /access/permissions: what the token may do. */
struct pve_permissions {
	bool none; /* it may do nothing at all */
	bool sys, vm,
		datastore; /* it holds Sys.Audit on /, VM.Audit and Datastore.Audit somewhere */
	bool all_guests;   /* it may see every guest */
};
int pve_parse_permissions(const cJSON *answer, struct pve_permissions *ret);

/* /nodes/{node}/qemu|lxc/{vmid}/status/current: what is true of one guest right now. */
struct pve_guest_status {
	const char *status, *qmpstatus, *name, *lock;
	struct opt_i64 uptime;
};
int pve_parse_guest_status(const cJSON *answer, struct arena *arena, struct pve_guest_status *ret);
