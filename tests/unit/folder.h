/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A folder below /tmp in which a whole service lives during a test.
 */

/* PATH and the folder NAME in it, made for its owner alone; the caller frees it. */
char *folder_make(const char *path, const char *name);
/* A file below PATH, for its owner alone. */
void folder_write(const char *path, const char *name, const char *text);
/* PATH with all that is in it. Hidden files are not expected. */
void folder_remove(const char *path);
