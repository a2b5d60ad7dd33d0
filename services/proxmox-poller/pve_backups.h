/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What Proxmox says about backups: jobs, what storages keep, and what the log of a backup task tells of guests that
 * failed. Thousands of backups become one row a guest as they are read. Pure; what follows from it all stands in
 * pve_posture.[ch].
 */
#include "services/proxmox-poller/pve_parse.h"

/* A row of /cluster/backup. */
struct pve_backup_job {
	const char *id, *schedule, *storage, *node, *comment, *pool;
	const char *vmids, *exclude; /* lists: "100,102" */
	struct opt_bool enabled, all;
	struct opt_i64 next_run; /* s */
};

struct pve_backup_jobs {
	struct pve_backup_job *rows; /* by id */
	size_t n, bad;
};
int pve_parse_backup_jobs(const cJSON *answer, struct arena *arena, struct pve_backup_jobs *ret);
/* By the rules of vzdump: a pool, else a list, else all but some; on one node where the job names it. */
bool pve_backup_job_covers(const struct pve_backup_job *job, int64_t vmid, const char *node,
			   const char *pool);
/* A job without the word is enabled. */
bool pve_backup_job_enabled(const struct pve_backup_job *job);

/* The backups of one guest on one storage. */
struct pve_kept {
	int64_t vmid;
	int64_t backups;  /* finished ones */
	int64_t size;	  /* of all, bytes */
	int64_t newest_s; /* 0: no time is known */
	/* The newest whose verification did not fail; `good_s` 0: there is none. */
	int64_t good_s;
	struct opt_i64 good_size;
	bool good_verified;
	int64_t bad_s; /* the newest whose verification failed; 0: there is none */
};

/* /nodes/{node}/storage/{storage}/content */
struct pve_kept_list {
	struct pve_kept *rows; /* by vmid */
	size_t n, bad;
};
int pve_parse_kept(const cJSON *answer, struct arena *arena, struct pve_kept_list *ret);
/* NULL when nothing of VMID is kept. */
const struct pve_kept *pve_kept_find(const struct pve_kept_list *list, int64_t vmid);

/* One guest that a backup task failed for; TEXT is "" when the log gives no reason of its own. */
struct pve_backup_failure {
	int64_t vmid;
	const char *text;
};

/* /nodes/{node}/tasks/{upid}/log of a backup task. */
struct pve_backup_log {
	struct pve_backup_failure *failures; /* as they came */
	size_t failures_n;
	bool whole; /* it began with this: a job whose guests `vmids` or `all` name */
	bool all;   /* all guests of the node but those of `exclude` */
	const char *vmids, *exclude;
	int64_t *finished; /* guests that went well */
	size_t finished_n;
};
int pve_parse_backup_log(const cJSON *answer, struct arena *arena, struct pve_backup_log *ret);
/* True when the job whose log it is meant VMID, and did not say that it went well. */
bool pve_backup_log_meant(const struct pve_backup_log *log, int64_t vmid);
/* True when LIST ("100,102 103"; may be NULL) names VMID. */
bool pve_list_has_vmid(const char *list, int64_t vmid);
