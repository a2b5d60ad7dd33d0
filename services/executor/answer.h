/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The JSON that a read returns: {"items": […], "left_off": n}. What does not fit is left off at the end and counted,
 * so that it can be asked for more narrowly. Pure.
 */
#include "common/json.h"

#define ANSWER_MAX_BYTES ((size_t)190 << 10)

struct answer {
	struct json_writer w;
	int64_t left_off;
};

/* OUT must be empty. NAME: what the list is called. */
void answer_begin(struct answer *answer, struct str *out, const char *name);
/* Appends a value as it is; JSON must have passed json_scan(). */
void answer_add(struct answer *answer, const char *json);
/* The same for a tree; NULL is null. */
void answer_add_tree(struct answer *answer, const cJSON *tree);
void answer_end(struct answer *answer);

/* Writes a tree as member KEY, or as an element when KEY is NULL. */
void answer_write_tree(struct json_writer *w, const char *key, const cJSON *tree);
