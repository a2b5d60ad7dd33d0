/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * How well a guest is backed up, in one word, from what the poller says of it and when its jobs ought to run. The
 * dashboard judges by the same rule (web/src/lib/backup.ts); tests/data/backup.json holds both to it. Pure.
 */
#include "common/topics.h"

/* Worst first. */
enum backup_word {
	BACKUP_FAILED,	  /* the last attempt failed, and no good one came after it */
	BACKUP_UNCOVERED, /* no enabled job covers it */
	BACKUP_NEVER,	  /* covered, but there is no backup yet */
	BACKUP_STALE,	/* the last good one is older than its jobs allow, by a day and two hours */
	BACKUP_UNKNOWN, /* a storage did not say: never fine */
	BACKUP_FINE,
};

const char *backup_word_text(enum backup_word word);

/* BACKUP NULL: unknown. JOBS: of the cluster's posture. */
enum backup_word backup_judge(const struct msg_guest_backup *backup,
			      const struct msg_backup_job *jobs, size_t jobs_n, int64_t wall_ms);

/* The longest time between two runs of a calendar event of Proxmox, in days; 1 where it does not say, or NULL. */
int backup_longest_pause(const char *schedule);
