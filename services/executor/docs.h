/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The state documents on the bus, as they came: what reads are answered from. With each goes how fresh it is, by the
 * rule of common/fresh. Pure: messages and the time are handed in.
 */
#include "common/bus.h"
#include "common/fresh.h"

struct docs;

struct doc {
	enum topic_id id;
	char *topic;		    /* below the base */
	char *word[TOPIC_ARGS_MAX]; /* of the topic, decoded; NULL past the last */
	char *json;
	int64_t boot_ms; /* when it arrived */
};

struct docs *docs_new(void) _nodiscard_;
void docs_free(struct docs *docs);
/* Takes a document in; an empty payload forgets it. Presence of services too. */
void docs_take(struct docs *docs, const struct msg *msg, int64_t boot_ms);
/* The link to the broker is lost: nothing is live before it is heard again. */
void docs_offline(struct docs *docs);

bool docs_is_online(const struct docs *docs, enum service_id service);
/* Whether an instance of SERVICE under another name than INSTANCE is. */
bool docs_is_other_online(const struct docs *docs, enum service_id service, const char *instance);
/* The document with these words (those past the last NULL), or NULL. */
const struct doc *docs_find(const struct docs *docs, enum topic_id id, const char *const *words);
/*
 * All of topic ID whose words begin with WORDS (ended by NULL; topic_wild stands for any), sorted by topic, numbers by
 * their value. The caller frees the list, not what it points to.
 */
const struct doc **docs_list(const struct docs *docs, enum topic_id id, const char *const *words,
			     size_t *n) _nodiscard_;
enum fresh_verdict docs_judge(const struct docs *docs, const struct doc *doc, int64_t boot_ms);
