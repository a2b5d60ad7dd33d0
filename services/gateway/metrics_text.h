/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * State documents as Prometheus text, by the tables: every field marked METRIC becomes the gauge
 * jarvis_<message>_<field>, labelled with the words of the topic; lists and maps inside add one label more. Nothing
 * else becomes a label, so there are never more series than objects. Pure; runs on the thread pool.
 */
#include "common/str.h"
#include "common/topics.h"

/* A document: a copy. */
struct metrics_doc {
	enum topic_id id;
	char *topic; /* below {base} */
	char *json;
	size_t json_len;
};

/* Has this topic's message fields that are kept as history? */
bool metrics_has(enum topic_id id);
/* Appends the gauges of N documents to OUT. What cannot be decoded is left out. */
void metrics_add_docs(struct str *out, const struct metrics_doc *docs, size_t n);

/* One family by hand: its head, and then its samples. TYPE is "gauge" or "counter". */
void metrics_family(struct str *out, const char *name, const char *type, const char *help);
/* LABELS: name, value, name, value, …, ended by NULL; or NULL. */
void metrics_sample(struct str *out, const char *name, const char *const *labels, double value);
