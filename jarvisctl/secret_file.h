/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Secret files as their maker handles them, mostly root: complete or not there, readable by the service alone whose
 * folder they are in. Services read them with common/secret.h.
 */
#include "common/secret.h"

/* Makes the folder when it is not there: 0 or -errno with a sentence appended to ERROR. */
int secret_folder_make(const char *path, mode_t mode, struct str *error) _nodiscard_;
/*
 * Reads PATH, a regular file of at most SECRET_MAX_BYTES, whoever owns it; *ret is wiped with str_wipe(). 0, -ENOENT
 * (nothing is said), or -errno with a sentence appended to ERROR.
 */
int secret_file_read(const char *path, struct str *ret, struct str *error) _nodiscard_;
/* The first line of the file at PATH, or of standard input for "-". 0 or -errno with a sentence, also for -ENOENT. */
int secret_line_read(const char *path, struct str *ret, struct str *error) _nodiscard_;
/*
 * Replaces PATH by TEXT at once: mode 0400, owned by the folder's owner when we are root. 0 or -errno with a sentence
 * appended to ERROR.
 */
int secret_file_write(const char *path, const char *text, struct str *error) _nodiscard_;
/*
 * As secret_file_read(), for the file of whoever calls jarvisctl: it must be theirs or root's, and nobody else may read
 * it. 0, -ENOENT, -EPERM or another -errno; all but -ENOENT with a sentence that says how to mend it.
 */
int private_file_read(const char *path, struct str *ret, struct str *error) _nodiscard_;
/* As secret_file_write(), with mode 0600. */
int private_file_write(const char *path, const char *text, struct str *error) _nodiscard_;
/* Waits until nobody else changes files of FOLDER: a descriptor to be closed, or -errno with a sentence. */
int secret_folder_lock(const char *folder, struct str *error) _nodiscard_;
