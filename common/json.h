/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * JSON. Reading: a strict scanner (RFC 8259, and stricter) stands in front of cJSON, which by itself takes
 * trailing text, duplicate keys, NULs, bad UTF-8 and any depth. Writing: a small writer of our own, since cJSON
 * loses digits of integers and drops members silently when memory is short.
 */
#include "common/alloc.h"
#include "common/str.h"

#include <cjson/cJSON.h>

/* What a text may be, by where it came from. */
enum json_class {
	/* 64 KiB, 16,384 values, depth 16, 512 members an object; no duplicate keys, nor such that differ by case */
	JSON_COMMAND,
	/* 256 KiB, 65,536 values, depth 16; no duplicate keys */
	JSON_STATE,
	/* 8 MiB, 400,000 values, depth 32: Proxmox, models; of duplicate keys the first counts */
	JSON_FOREIGN,
};

struct json_error {
	size_t offset;	  /* byte at which it went wrong */
	const char *text; /* what was wrong; static */
};

/*
 * Checks TEXT: grammar, UTF-8, no BOM, no \u0000, no lone surrogates, numbers finite, and the limits of its class.
 * Integers are within ±(2^53−1), but for JSON_FOREIGN: some NFS servers say that they have 8 EiB. 0, or -EINVAL
 * with *error filled (error may be NULL).
 */
int json_scan(const char *text, size_t length, enum json_class class, struct json_error *error);

/*
 * Scans and parses. 0 with a tree that the caller frees with cJSON_Delete, or -EINVAL. Look members up with
 * json_get() alone: it is case-sensitive.
 */
int json_parse(const char *text, size_t length, enum json_class class, cJSON **ret,
	       struct json_error *error);

/* The member KEY of an object; NULL when there is none, or OBJECT is not an object. */
const cJSON *json_get(const cJSON *object, const char *key);

static inline void json_treep(cJSON **tree)
{
	cJSON_Delete(*tree);
	*tree = NULL;
}

/* The same for a tree that holds secrets: all its text is overwritten first. */
void json_wipe(cJSON *tree);
static inline void json_secret_treep(cJSON **tree)
{
	json_wipe(*tree);
	*tree = NULL;
}

/*
 * The writer: appends to OUT. Members and elements get their commas by themselves; KEY is NULL inside a list.
 * Text is escaped; bytes that are not UTF-8 become U+FFFD. A number that is not finite becomes null.
 */
struct json_writer {
	struct str *out;
	bool comma; /* something stands before on this level */
};

void json_object_begin(struct json_writer *w, const char *key);
void json_object_end(struct json_writer *w);
void json_list_begin(struct json_writer *w, const char *key);
void json_list_end(struct json_writer *w);
/* NULL becomes null. */
void json_add_str(struct json_writer *w, const char *key, const char *value);
void json_add_i64(struct json_writer *w, const char *key, int64_t value);
/* Shortest digits that read back as the same double. */
void json_add_f64(struct json_writer *w, const char *key, double value);
void json_add_bool(struct json_writer *w, const char *key, bool value);
void json_add_null(struct json_writer *w, const char *key);
/* JSON becomes the value as it is; it must have passed json_scan(). NULL becomes null. */
void json_add_raw(struct json_writer *w, const char *key, const char *json);
