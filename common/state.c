/* SPDX-License-Identifier: MIT */
/*
 * Retained documents. A tree finds an entry by its topic, a list walks them all. An entry keeps what was last
 * published (that is what changes are measured against, so that slow drift is not lost) and, when it differs, the
 * newest value.
 */
#include "common/state.h"

#include "common/codec.h"
#include "common/log.h"

#include <search.h>

/* A topic's whole name is the key; the base does not matter here. */
#define KEY_BASE "-"

struct doc {
	char *key; /* first: the tree compares by it */
	enum topic_id id;
	char *args[TOPIC_ARGS_MAX + 1];
	struct arena *shown_arena;
	void *shown; /* as last published, or NULL */
	struct arena *newest_arena;
	void *newest; /* NULL when the same as shown */
	int64_t published_ms;
	uint64_t mark;
	bool orphan; /* the broker has it, we never set it */
	bool gone;   /* cleared while offline: the broker is told on the next connect */
	struct doc *prev, *next;
};

struct state {
	const struct clock *clock;
	struct bus *bus;
	void *tree;
	struct doc *first;
	size_t n;
	uint64_t mark;
};

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

struct state *state_new(const struct clock *clock)
{
	struct state *state = xnew(struct state);

	state->clock = clock;
	state->mark = 1;
	return state;
}

static void doc_free(struct doc *e)
{
	for (size_t i = 0; e->args[i]; i++)
		free(e->args[i]);
	arena_free(e->shown_arena);
	arena_free(e->newest_arena);
	free(e->key);
	free(e);
}

static void doc_drop(struct state *state, struct doc *e)
{
	(void)tdelete(e, &state->tree, compare_keys);
	if (e->prev)
		e->prev->next = e->next;
	else
		state->first = e->next;
	if (e->next)
		e->next->prev = e->prev;
	state->n--;
	doc_free(e);
}

void state_free(struct state *state)
{
	if (!state)
		return;
	while (state->first)
		doc_drop(state, state->first);
	free(state);
}

void state_set_bus(struct state *state, struct bus *bus)
{
	state->bus = bus;
}

static struct doc *doc_find(const struct state *state, enum topic_id id, const char *const *args,
			    char *key)
{
	struct doc **found;

	if (topic_build(KEY_BASE, id, args, key) < 0)
		return NULL;
	found = tfind(&key, &state->tree, compare_keys);
	return found ? *found : NULL;
}

static struct doc *doc_get(struct state *state, enum topic_id id, const char *const *args)
{
	char key[TOPIC_MAX_BYTES];
	struct doc *e = doc_find(state, id, args, key);

	if (e)
		return e;
	if (topic_build(KEY_BASE, id, args, key) < 0) {
		log_error("cannot name a document of %s: its words are missing or too long",
			  topic_table[id].id);
		return NULL;
	}
	e = xnew(struct doc);
	e->key = xstrdup(key);
	e->id = id;
	for (size_t i = 0; args && args[i] && i < TOPIC_ARGS_MAX; i++)
		e->args[i] = xstrdup(args[i]);
	e->next = state->first;
	if (e->next)
		e->next->prev = e;
	state->first = e;
	state->n++;
	(void)tsearch(e, &state->tree, compare_keys);
	return e;
}

static const char *const *args_of(const struct doc *e)
{
	return (const char *const *)e->args;
}

/* Keeps VALUE as the newest; what was there goes. */
static void keep(struct doc *e, const void *value)
{
	struct arena *old = e->newest_arena; /* VALUE may borrow from it: see state_get() */

	e->newest_arena = arena_new();
	e->newest = codec_copy(topic_table[e->id].message, value, e->newest_arena);
	arena_free(old);
}

/* The newest becomes what is shown. */
static void promote(struct doc *e)
{
	struct arena *old = e->shown_arena;

	if (!e->newest)
		return;
	e->shown_arena = take(e->newest_arena);
	e->shown = take(e->newest);
	arena_free(old);
}

static void publish(struct state *state, struct doc *e)
{
	int r;

	promote(e);
	e->published_ms = clock_boot_ms(state->clock);
	if (!state->bus || !bus_is_online(state->bus))
		return; /* all of it goes out on the next connect */
	r = bus_publish(state->bus, e->id, args_of(e), e->shown);
	if (r < 0)
		(void)log_errno(r, "publish %s", e->key + strlen(KEY_BASE) + 1);
}

static bool set(struct state *state, enum topic_id id, const char *const *args, const void *value,
		bool always)
{
	struct doc *e = doc_get(state, id, args);
	bool changed;

	if (!e)
		return false;
	e->mark = ++state->mark;
	e->orphan = false;
	e->gone = false;
	changed = always || !e->shown || codec_changed(topic_table[id].message, e->shown, value);
	keep(e, value);
	if (changed)
		publish(state, e);
	return changed;
}

bool state_set(struct state *state, enum topic_id id, const char *const *args, const void *value)
{
	return set(state, id, args, value, false);
}

void state_set_always(struct state *state, enum topic_id id, const char *const *args,
		      const void *value)
{
	(void)set(state, id, args, value, true);
}

const void *state_get(const struct state *state, enum topic_id id, const char *const *args)
{
	char key[TOPIC_MAX_BYTES];
	const struct doc *e = doc_find(state, id, args, key);

	if (!e || e->gone)
		return NULL;
	return e->newest ? e->newest : e->shown;
}

static void clear(struct state *state, struct doc *e)
{
	if (state->bus && !bus_is_online(state->bus)) {
		e->gone = true;
		return;
	}
	if (state->bus)
		(void)bus_publish_text(state->bus, e->id, args_of(e), NULL, 0);
	doc_drop(state, e);
}

void state_clear(struct state *state, enum topic_id id, const char *const *args)
{
	char key[TOPIC_MAX_BYTES];
	struct doc *e = doc_find(state, id, args, key);

	if (e)
		clear(state, e);
}

static bool begins_with(const struct doc *e, enum topic_id id, const char *const *args)
{
	if (e->id != id)
		return false;
	for (size_t i = 0; args && args[i]; i++) {
		if (!e->args[i] || !str_eq(e->args[i], args[i]))
			return false;
	}
	return true;
}

void state_sweep(struct state *state, enum topic_id id, const char *const *args, uint64_t mark)
{
	for (struct doc *e = state->first, *next; e; e = next) {
		next = e->next;
		if (e->mark <= mark && begins_with(e, id, args))
			clear(state, e);
	}
}

uint64_t state_mark(struct state *state)
{
	return state->mark;
}

void state_on_own_retained(struct state *state, const struct msg *msg)
{
	const char *args[TOPIC_ARGS_MAX + 1] = { NULL };
	char key[TOPIC_MAX_BYTES];
	struct doc *e;

	if (!msg->retained || !msg->payload_len)
		return;
	for (size_t i = 0; i < msg->args->n; i++)
		args[i] = msg->args->value[i];
	if (doc_find(state, msg->id, args, key))
		return;
	e = doc_get(state, msg->id, args);
	if (e)
		e->orphan = true;
}

void state_adopt(struct state *state, enum topic_id id, const char *const *args)
{
	for (struct doc *e = state->first, *next; e; e = next) {
		next = e->next;
		if (e->orphan && begins_with(e, id, args))
			clear(state, e);
	}
}

void state_republish(struct state *state)
{
	for (struct doc *e = state->first, *next; e; e = next) {
		next = e->next;
		if (e->gone)
			clear(state, e);
		else if (!e->orphan)
			publish(state, e);
	}
}

void state_refresh(struct state *state)
{
	int64_t now = clock_boot_ms(state->clock);

	for (struct doc *e = state->first; e; e = e->next) {
		unsigned expiry_s = class_table[topic_table[e->id].class].expiry_s;

		if (!e->orphan && !e->gone && now - e->published_ms >= (int64_t)expiry_s * 1000 / 3)
			publish(state, e);
	}
}

size_t state_count(const struct state *state)
{
	size_t n = 0;

	for (const struct doc *e = state->first; e; e = e->next)
		n += !e->orphan && !e->gone;
	return n;
}
