/* SPDX-License-Identifier: MIT */
/*
 * A shim over SQLite's own VFS. Every file keeps what its unsynced writes have overwritten, which is what a power cut
 * brings back.
 */
#include "tests/unit/faulty_vfs.h"

#include "common/alloc.h"

#include <sqlite3.h>
#include <string.h>

/* What a write has overwritten. */
struct undo {
	struct undo *next;	    /* the one before */
	sqlite3_int64 offset, size; /* SIZE of the whole file before */
	int n;
	unsigned char old[];
};

struct file {
	sqlite3_file base;
	struct file *next;
	struct undo *undo;
	sqlite3_file *real; /* behind this */
};

/* One a process, as SQLite's list of systems is. */
static struct {
	sqlite3_vfs vfs;
	sqlite3_vfs *real;
	sqlite3_io_methods methods;
	struct faulty_plan plan;
	unsigned calls, struck;
	bool is_dark; /* the power is cut */
	struct file *files;
} disk;

static const char *const names[FAULT_KIND_COUNT] = {
	[FAULT_NONE] = "none",	 [FAULT_READ] = "read",	      [FAULT_SHORT] = "short read",
	[FAULT_WRITE] = "write", [FAULT_TORN] = "torn write", [FAULT_DISK_FULL] = "full disk",
	[FAULT_SYNC] = "sync",	 [FAULT_BUSY] = "busy",	      [FAULT_OPEN] = "open",
	[FAULT_POWER] = "power",
};

/* ── when ──────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Whether an access that FAULT is about fails now. */
static bool strikes(enum fault_kind fault)
{
	if (disk.plan.fault != fault || disk.is_dark)
		return false;
	disk.calls++;
	if (disk.calls < disk.plan.at || (disk.calls > disk.plan.at && !disk.plan.is_sticky))
		return false;
	disk.struck++;
	return true;
}

static struct file *file_of(sqlite3_file *base)
{
	return (struct file *)base;
}

static sqlite3_file *real_of(sqlite3_file *base)
{
	return file_of(base)->real;
}

/* ── what was not synced ───────────────────────────────────────────────────────────────────────────────────── */

static void forget_undo(struct file *file)
{
	while (file->undo) {
		struct undo *undo = file->undo;

		file->undo = undo->next;
		free(undo);
	}
}

static void keep_undo(struct file *file, int n, sqlite3_int64 offset)
{
	struct undo *undo;

	if (disk.plan.fault != FAULT_POWER)
		return;
	undo = xcalloc(1, sizeof(*undo) + (size_t)n);
	undo->offset = offset;
	undo->n = n;
	(void)file->real->pMethods->xFileSize(file->real, &undo->size);
	/* Past the end it reads zeros. */
	(void)file->real->pMethods->xRead(file->real, undo->old, n, offset);
	undo->next = file->undo;
	file->undo = undo;
}

static void cut_power(void)
{
	disk.is_dark = true;
	for (struct file *file = disk.files; file; file = file->next) {
		for (struct undo *undo = file->undo; undo; undo = undo->next) {
			const sqlite3_io_methods *m = file->real->pMethods;

			if (undo->n)
				(void)m->xWrite(file->real, undo->old, undo->n, undo->offset);
			(void)m->xTruncate(file->real, undo->size);
		}
		forget_undo(file);
	}
}

/* ── accesses ──────────────────────────────────────────────────────────────────────────────────────────────── */

static int read_file(sqlite3_file *base, void *to, int n, sqlite3_int64 offset)
{
	sqlite3_file *real = real_of(base);
	int code;

	if (disk.is_dark || strikes(FAULT_READ))
		return SQLITE_IOERR_READ;
	code = real->pMethods->xRead(real, to, n, offset);
	if (!strikes(FAULT_SHORT))
		return code;
	memset((unsigned char *)to + n / 2, 0, (size_t)(n - n / 2));
	return SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *base, const void *from, int n, sqlite3_int64 offset)
{
	sqlite3_file *real = real_of(base);

	if (disk.is_dark || strikes(FAULT_WRITE))
		return SQLITE_IOERR_WRITE;
	if (strikes(FAULT_DISK_FULL))
		return SQLITE_FULL;
	if (strikes(FAULT_TORN)) {
		(void)real->pMethods->xWrite(real, from, n / 2, offset);
		return SQLITE_IOERR_WRITE;
	}
	if (strikes(FAULT_POWER)) {
		cut_power();
		(void)real->pMethods->xWrite(real, from, n / 2, offset);
		return SQLITE_IOERR_WRITE;
	}
	keep_undo(file_of(base), n, offset);
	return real->pMethods->xWrite(real, from, n, offset);
}

static int truncate_file(sqlite3_file *base, sqlite3_int64 size)
{
	sqlite3_file *real = real_of(base);
	sqlite3_int64 before = 0;

	if (disk.is_dark)
		return SQLITE_IOERR_TRUNCATE;
	(void)real->pMethods->xFileSize(real, &before);
	if (before > size)
		keep_undo(file_of(base), (int)(before - size), size);
	return real->pMethods->xTruncate(real, size);
}

/* What is kept to be undone is what is not synced: the real disk need not be waited for. */
static int sync_file(sqlite3_file *base, int flags)
{
	(void)flags;
	if (disk.is_dark || strikes(FAULT_SYNC))
		return SQLITE_IOERR_FSYNC;
	if (strikes(FAULT_POWER)) {
		cut_power();
		return SQLITE_IOERR_FSYNC;
	}
	forget_undo(file_of(base));
	return SQLITE_OK;
}

static int lock_file(sqlite3_file *base, int level)
{
	sqlite3_file *real = real_of(base);

	return strikes(FAULT_BUSY) ? SQLITE_BUSY : real->pMethods->xLock(real, level);
}

static int lock_memory(sqlite3_file *base, int offset, int n, int flags)
{
	sqlite3_file *real = real_of(base);

	if ((flags & SQLITE_SHM_LOCK) && strikes(FAULT_BUSY))
		return SQLITE_BUSY;
	return real->pMethods->xShmLock(real, offset, n, flags);
}

static int close_file(sqlite3_file *base)
{
	struct file *file = file_of(base);
	struct file **at = &disk.files;
	int code = file->real->pMethods->xClose(file->real);

	while (*at && *at != file)
		at = &(*at)->next;
	if (*at)
		*at = file->next;
	forget_undo(file);
	return code;
}

/* ── what only passes through ──────────────────────────────────────────────────────────────────────────────── */

static int unlock_file(sqlite3_file *base, int level)
{
	return real_of(base)->pMethods->xUnlock(real_of(base), level);
}

static int get_size(sqlite3_file *base, sqlite3_int64 *ret)
{
	return real_of(base)->pMethods->xFileSize(real_of(base), ret);
}

static int check_reserved(sqlite3_file *base, int *ret)
{
	return real_of(base)->pMethods->xCheckReservedLock(real_of(base), ret);
}

static int control_file(sqlite3_file *base, int op, void *arg)
{
	return real_of(base)->pMethods->xFileControl(real_of(base), op, arg);
}

static int sector_size(sqlite3_file *base)
{
	return real_of(base)->pMethods->xSectorSize(real_of(base));
}

static int characteristics(sqlite3_file *base)
{
	return real_of(base)->pMethods->xDeviceCharacteristics(real_of(base));
}

static int map_memory(sqlite3_file *base, int region, int size, int extend, void volatile **ret)
{
	return real_of(base)->pMethods->xShmMap(real_of(base), region, size, extend, ret);
}

static void fence_memory(sqlite3_file *base)
{
	real_of(base)->pMethods->xShmBarrier(real_of(base));
}

static int unmap_memory(sqlite3_file *base, int is_to_be_deleted)
{
	return real_of(base)->pMethods->xShmUnmap(real_of(base), is_to_be_deleted);
}

/* ── the system ────────────────────────────────────────────────────────────────────────────────────────────── */

static int open_file(sqlite3_vfs *vfs, const char *name, sqlite3_file *base, int flags,
		     int *ret_flags)
{
	struct file *file = file_of(base);
	int code;

	(void)vfs;
	*file = (struct file){ .real = (sqlite3_file *)(file + 1) };
	if (disk.is_dark || strikes(FAULT_OPEN))
		return SQLITE_CANTOPEN;
	code = disk.real->xOpen(disk.real, name, file->real, flags, ret_flags);
	if (!file->real->pMethods)
		return code;
	file->base.pMethods = &disk.methods;
	file->next = disk.files;
	disk.files = file;
	return code;
}

static int delete_file(sqlite3_vfs *vfs, const char *name, int sync_folder)
{
	(void)vfs;
	(void)sync_folder;
	return disk.is_dark ? SQLITE_IOERR_DELETE : disk.real->xDelete(disk.real, name, 0);
}

/* Who waits for a lock has waited long enough at once: SQLite adds up what it has asked for. */
static int pass_time(sqlite3_vfs *vfs, int microseconds)
{
	(void)vfs;
	return microseconds;
}

void faulty_vfs_install(void)
{
	if (disk.real)
		return;
	disk.real = sqlite3_vfs_find(NULL);
	disk.methods = (sqlite3_io_methods){
		.iVersion = 2, /* without fetch: a page that is mapped is not read */
		.xClose = close_file,
		.xRead = read_file,
		.xWrite = write_file,
		.xTruncate = truncate_file,
		.xSync = sync_file,
		.xFileSize = get_size,
		.xLock = lock_file,
		.xUnlock = unlock_file,
		.xCheckReservedLock = check_reserved,
		.xFileControl = control_file,
		.xSectorSize = sector_size,
		.xDeviceCharacteristics = characteristics,
		.xShmMap = map_memory,
		.xShmLock = lock_memory,
		.xShmBarrier = fence_memory,
		.xShmUnmap = unmap_memory,
	};
	disk.vfs = *disk.real;
	disk.vfs.zName = "faulty";
	disk.vfs.pNext = NULL;
	disk.vfs.szOsFile = (int)sizeof(struct file) + disk.real->szOsFile;
	disk.vfs.xOpen = open_file;
	disk.vfs.xDelete = delete_file;
	disk.vfs.xSleep = pass_time;
	(void)sqlite3_vfs_register(&disk.vfs, 1);
}

void faulty_vfs_arm(struct faulty_plan plan)
{
	disk.plan = plan;
	disk.calls = disk.struck = 0;
	disk.is_dark = false;
}

unsigned faulty_vfs_disarm(void)
{
	disk.plan = (struct faulty_plan){ 0 };
	disk.is_dark = false;
	return disk.struck;
}

const char *faulty_vfs_name(enum fault_kind fault)
{
	return names[fault];
}
