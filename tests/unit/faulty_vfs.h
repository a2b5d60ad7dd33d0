/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A disk that fails: a layer below SQLite that lets the n-th access go wrong. For tests alone; it becomes the default
 * of the whole process, so that databases opened by db_open() stand on it too.
 *
 *	faulty_vfs_install();
 *	for (unsigned at = 1, fired = 1; fired; at++) {
 *		faulty_vfs_arm((struct faulty_plan){ .fault = FAULT_WRITE, .at = at });
 *		...                         open, work, close: any of it may fail
 *		fired = faulty_vfs_disarm(); 0: AT lies behind the last access
 *		...                         open again, look whether what was promised is there
 *	}
 */
#include "common/base.h"

enum fault_kind {
	FAULT_NONE,	 /* only counts */
	FAULT_READ,	 /* a read: SQLITE_IOERR_READ */
	FAULT_SHORT,	 /* a read gives half, then zeros */
	FAULT_WRITE,	 /* a write: SQLITE_IOERR_WRITE, nothing was written */
	FAULT_TORN,	 /* a write: half of it is written, then SQLITE_IOERR_WRITE */
	FAULT_DISK_FULL, /* a write: SQLITE_FULL */
	FAULT_SYNC,	 /* a sync: SQLITE_IOERR_FSYNC */
	FAULT_BUSY, /* a lock, of the file or the shared memory: SQLITE_BUSY; nobody waits for real */
	FAULT_OPEN, /* opening a file: SQLITE_CANTOPEN */
	/*
	 * The power is cut at the n-th write or sync: what was written and not synced since is gone (of the write that
	 * is under way half may remain), and nothing works until faulty_vfs_disarm().
	 */
	FAULT_POWER,
	FAULT_KIND_COUNT
};

struct faulty_plan {
	enum fault_kind fault;
	unsigned
		at; /* the first access that fails, from 1; accesses of the fault's sort are counted */
	bool is_sticky; /* all that follow fail too */
};

/* Makes it the default. Once is enough; it stays until the process ends. */
void faulty_vfs_install(void);
/* Accesses are counted from now on. */
void faulty_vfs_arm(struct faulty_plan plan);
/* Ends the plan: how often it struck. */
unsigned faulty_vfs_disarm(void);
/* "write", "power", …: for messages. */
const char *faulty_vfs_name(enum fault_kind fault);
