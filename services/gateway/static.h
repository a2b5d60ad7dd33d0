/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The dashboard's files, read once at the start into a table that never changes: any thread may look things up, and
 * no path of a request ever reaches the file system.
 */
#include "common/str.h"

struct static_file {
	char *path; /* as in the URL: "/assets/app-3F9A.js" */
	const char *type;
	unsigned char *data;
	size_t len;
	unsigned char *gzip; /* the same, compressed; NULL: none */
	size_t gzip_len;
	char etag[40];	/* with quotes */
	bool immutable; /* its name has a hash of its content */
};

struct static_files {
	struct static_file *items; /* by path */
	size_t n;
};

/*
 * Reads the folder DIR: regular files alone, no symbolic links, nothing hidden. "index.html" is also "/". A file
 * "x.gz" beside "x" is its compressed form. 0, or -errno with *ERROR filled (what and where).
 */
int static_load(const char *dir, struct static_files *ret, struct str *error) _nodiscard_;
void static_done(struct static_files *files);
/* NULL when there is none. */
const struct static_file *static_find(const struct static_files *files, const char *path);
/* True when If-None-Match names the file's etag. */
bool static_is_known(const struct static_file *file, const char *if_none_match);
/* Has the name a hash of at least eight letters and digits before its ending: "app-3F9A2C7B.js"? */
bool static_name_is_hashed(const char *name);
