/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * How well guests are backed up: jobs, what storages keep, and failed attempts, joined when a document is built.
 * A storage that cannot be read never makes a guest look as if it had no backup: what depends on it is unknown, and
 * the reason names it. Pure.
 */
#include "services/proxmox-poller/pve_listings.h"

/* The last attempt that failed for a guest. */
struct pve_failed_backup {
	int64_t vmid, start_ms, end_ms;
	char text[257];
};

struct pve_posture {
	int64_t period_ms;
	struct pve_answer jobs_answer;
	struct pve_backup_jobs jobs;
	char jobs_error[257];
	struct pve_listings listings;
	struct pve_failed_backup *failed; /* by vmid */
	size_t failed_n;
};

void pve_posture_init(struct pve_posture *posture, int64_t period_ms);
void pve_posture_done(struct pve_posture *posture);
/* 0, or -EINVAL when it is no such answer, and nothing changed. BAD counts rows that were left out. */
int pve_posture_take_jobs(struct pve_posture *posture, const cJSON *answer, struct pve_now now,
			  size_t *bad);
/* Notes a failed attempt, unless a later one is known; one of the same time gets the new text. */
void pve_posture_note_failure(struct pve_posture *posture, int64_t vmid, int64_t start_ms,
			      int64_t end_ms, const char *text);
/* NULL when none is known. */
struct pve_failed_backup *pve_posture_find_failure(const struct pve_posture *posture, int64_t vmid);
/* Forgets the failures of guests that CLUSTER does not have. */
void pve_posture_forget_gone(struct pve_posture *posture, const struct pve_cluster *cluster);

/* One round of documents; everything is borrowed from posture and cluster, or in ARENA. */
struct pve_posture_round;
/* COMPLETE: every guest that exists is in CLUSTER, so that others are gone. */
struct pve_posture_round *pve_posture_round_new(const struct pve_posture *posture,
						const struct pve_cluster *cluster, bool complete,
						struct pve_now now, struct arena *arena);
/* In any order, each guest once; templates are no guests here. ARENA may be another than the round's. */
void pve_build_guest_backup(struct pve_posture_round *round, const struct pve_guest *guest,
			    struct arena *arena, struct msg_guest_backup *ret);
/* After all guests. In the round's arena. */
void pve_build_posture(struct pve_posture_round *round, struct msg_backup_posture *ret);
