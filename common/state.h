/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The state documents that a service owns. It keeps the newest value of each topic, publishes one when a field
 * moved by its resolution or a third of its expiry has passed, all of them after each connect, and clears the
 * topics of what is gone: also of what an earlier run of this service left behind.
 */
#include "common/bus.h"

struct state;

struct state *state_new(const struct clock *clock) _nodiscard_;
void state_free(struct state *state);
/* The link may come later than the state; NULL takes it away. */
void state_set_bus(struct state *state, struct bus *bus);

/* Sets the document; VALUE is copied. ARGS: the topic's words, ended by NULL. True when it was (or will be)
 * published because it changed. */
bool state_set(struct state *state, enum topic_id id, const char *const *args, const void *value);
/* Sets and publishes in any case: for source documents, whose age is what counts. */
void state_set_always(struct state *state, enum topic_id id, const char *const *args,
		      const void *value);
/* The present document, or NULL. Borrowed until the next call. */
const void *state_get(const struct state *state, enum topic_id id, const char *const *args);
/* Forgets the document and clears its retained topic; while offline, on the next connect. */
void state_clear(struct state *state, enum topic_id id, const char *const *args);
/* Clears every document of topic ID whose words begin with ARGS (ended by NULL) and which was not set since MARK. */
void state_sweep(struct state *state, enum topic_id id, const char *const *args, uint64_t mark);
/* A mark for state_sweep(): everything that is set from now on is newer. */
uint64_t state_mark(struct state *state);
/*
 * Tells of a retained document of ours that the broker still had when we connected: an orphan, when it was not set
 * since our start. service.c calls it.
 */
void state_on_own_retained(struct state *state, const struct msg *msg);
/*
 * Every document of topic ID whose words begin with ARGS has been set: clears the orphans among them. A service
 * calls it after its first full round, for each topic whose words come and go; else what an earlier run left
 * behind stays until it expires.
 */
void state_adopt(struct state *state, enum topic_id id, const char *const *args);

/* On every connect, before presence `online`. */
void state_republish(struct state *state);
/* Every few seconds: publishes again what is older than a third of its expiry. */
void state_refresh(struct state *state);
size_t state_count(const struct state *state);
