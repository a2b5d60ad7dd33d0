/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Members of a Proxmox answer, read by a table. Proxmox sends numbers as text and text as numbers, booleans as 0,
 * 1, "1" or true, and leaves out what is false or unknown; null is the same as left out. Whatever does not fit is
 * taken as left out, so that one odd field never costs a whole answer.
 */
#include "common/alloc.h"
#include "common/json.h"

enum pve_kind {
	PVE_STR,  /* const char *; NULL when left out or empty */
	PVE_I64,  /* struct opt_i64; never negative, fractions are cut off */
	PVE_F64,  /* struct opt_f64 */
	PVE_BOOL, /* struct opt_bool */
};

struct pve_field {
	const char *key;
	enum pve_kind kind;
	size_t offset;
};

/* A row of such a table: MEMBER of struct TYPE. */
/* clang-format off */
#define PVE_FIELD(type, key, member, kind) { key, kind, offsetof(struct type, member) }
/* clang-format on */

/*
 * Reads the members of OBJECT that FIELDS (N of them, sorted by key) name into RET, which the caller zeroed. Text
 * is copied into ARENA. Of duplicate members the first counts. An OBJECT that is none changes nothing.
 */
void pve_read(const cJSON *object, const struct pve_field *fields, size_t n, struct arena *arena,
	      void *ret);

/* One value; false when it does not fit. */
bool pve_number(const cJSON *value, double *ret);

/*
 * TEXT cut to MAX bytes, at a character's end, in ARENA; NULL stays NULL, and "" becomes NULL.
 */
const char *pve_text(struct arena *arena, const char *text, size_t max);

/* The list, or the object, that ANSWER's `data` is; NULL when it is none. */
const cJSON *pve_data_list(const cJSON *answer);
const cJSON *pve_data_object(const cJSON *answer);
/* Zeroed room for COUNT elements of SIZE; for one when COUNT is 0. */
void *pve_list_alloc(struct arena *arena, size_t count, size_t size) _nodiscard_;
/* How the rows of a list are read. */
struct pve_rows {
	const struct pve_field *fields;
	size_t fields_n;
	size_t size; /* of a row */
	/* False for a row that is of no use; it may set what no table can say. */
	bool (*keep)(void *row, const cJSON *item, struct arena *arena);
	int (*compare)(const void *a, const void *b); /* NULL: the order stays */
};
/*
 * ANSWER's list as *N rows in ARENA; *BAD were of no use. NULL when there is no list, or nothing but rows of no use
 * in it.
 */
void *pve_read_rows(const cJSON *answer, const struct pve_rows *rows, struct arena *arena,
		    size_t *n, size_t *bad) _nodiscard_;
/* What names a topic must be there and fit into one of its levels. */
bool pve_is_name(const char *text);
