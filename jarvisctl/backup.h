/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A backup is a folder: `files/` with every file at its absolute path, and manifest.json, which says of each what it
 * is, whose, and its SHA-256. It is complete or not there. Databases are copied while they are in use, each as it was
 * at one moment.
 */
#include <sys/types.h>

#include "common/str.h"

#define BACKUP_FORMAT 1

enum backup_kind { BACKUP_FOLDER, BACKUP_FILE, BACKUP_DATABASE, BACKUP_LINK };

struct backup_entry {
	enum backup_kind kind;
	char *path; /* absolute */
	int64_t size;
	char sha256[65];
	mode_t mode;
	uid_t uid;
	gid_t gid;
	char *owner, *group; /* their names; "" when they had none */
	char *target;	     /* of a link; else NULL */
};

struct backup {
	char *version; /* of Jarvis */
	int64_t created_ms;
	char **roots; /* the folders that were saved, absolute */
	size_t roots_n;
	struct backup_entry *entries; /* a folder before what is in it */
	size_t entries_n;
	size_t skipped; /* sockets, logs of databases, what was set aside as damaged */
};

void backup_done(struct backup *backup);
/* Adds an entry with this path; the rest is zero. It is good until the next one. */
struct backup_entry *backup_add(struct backup *backup, const char *path);

/* Saves the folders of BACKUP->roots into TARGET, which must not be there. 0, or -errno with a sentence. */
int backup_make(struct backup *backup, const char *target, struct str *error) _nodiscard_;
/* TARGET/manifest.json: 0, or -errno with a sentence. */
int backup_write_manifest(const struct backup *backup, const char *target,
			  struct str *error) _nodiscard_;
int backup_read_manifest(const char *folder, struct backup *ret, struct str *error) _nodiscard_;
/*
 * Reads FOLDER and looks at every file and into every database: 0, or -errno with a line for each that is missing,
 * changed or damaged. *ret is ended in any case.
 */
int backup_check(const char *folder, struct backup *ret, struct str *error) _nodiscard_;
/*
 * Puts everything where it was, below BELOW ("" is the root). What is there stays beside it, with IS_REPLACING as
 * NAME.before-TIME, else it is an error. Nothing is changed before all is ready, and what was changed is put back when
 * the rest cannot be. What belonged to somebody who is not known here is root's: NOTES says so. 0, or -errno with a
 * sentence.
 */
int backup_restore(const struct backup *backup, const char *folder, const char *below,
		   bool is_replacing, struct str *notes, struct str *error) _nodiscard_;
/* Appends the processes that have a file of BACKUP's roots below BELOW open: "executor (123)". */
void backup_users(const struct backup *backup, const char *below, struct str *ret);

/* FOLDER/files/PATH. */
char *backup_place(const char *folder, const char *path) _nodiscard_;
/* Copies what FROM, an open file, holds, into TO: 0 or -errno, with its length and SHA-256 in *ret. */
int backup_copy(int from, int to, struct backup_entry *ret) _nodiscard_;
