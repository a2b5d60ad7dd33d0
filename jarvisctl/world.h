/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What the gateway shows of everything, at one moment: the state documents, decoded, and which of them are not live.
 */
#include "common/topics.h"
#include "jarvisctl/client.h"

struct world_doc {
	enum topic_id id;
	struct topic_args args; /* the topic's words */
	const char *topic;	/* below the base */
	const void *body;	/* struct msg_… of the topic; NULL for a bare word */
	const char *word;	/* of a bare word: "online" */
	const cJSON *json;
	const char *stale; /* why it is not live; NULL: it is */
};

struct world {
	struct arena *arena;
	int64_t wall_ms;
	struct world_doc *docs; /* sorted by topic, numbers as numbers */
	size_t docs_n;
	size_t unread; /* documents that could not be understood: of another version, perhaps */
	struct client_answer state, stale;
};

/* Asks the gateway. EXIT_OK, or the exit code, with the reason on stderr. *ret: end it in any case. */
int world_load(struct client *client, struct world *ret) _nodiscard_;
void world_done(struct world *world);

/* The next document of ID after PREVIOUS, or the first; NULL at the end. */
const struct world_doc *world_next(const struct world *world, enum topic_id id,
				   const struct world_doc *previous);
/* The document of ID with these words, ended by NULL; or NULL. */
const struct world_doc *world_find(const struct world *world, enum topic_id id,
				   const char *const *words);
/* The same, its body; NULL also when it is not live. */
const void *world_live(const struct world *world, enum topic_id id, const char *const *words);
