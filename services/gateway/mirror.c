/* SPDX-License-Identifier: MIT */
/*
 * Documents in a hash table by topic and in a list by change. A cleared topic leaves a tombstone at the end of the
 * list, so that whoever is behind learns of it; the oldest tombstones go when there are too many, and the floor
 * rises: a client below it gets a snapshot.
 */
#include "services/gateway/mirror.h"

#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/str.h"
#include "services/gateway/mirror_ring.h"

#define FIRST_BUCKETS 256

struct mirror {
	struct mirror_doc **buckets;
	size_t buckets_n; /* a power of two */
	size_t entries;	  /* documents and tombstones */
	size_t tombstones;
	struct mirror_doc *first, *last; /* by seq */
	struct mirror_ring events;
	struct mirror_ring stream;
	uint64_t seq;
	uint64_t buried_seq; /* of the newest tombstone that was dropped */
	uint32_t round;
	struct mirror_stats stats;
};

struct mirror *mirror_new(void)
{
	struct mirror *mirror = xnew(struct mirror);

	mirror->buckets_n = FIRST_BUCKETS;
	mirror->buckets = xcalloc(mirror->buckets_n, sizeof(struct mirror_doc *));
	mirror_ring_init(&mirror->events, MIRROR_EVENTS_MAX, MIRROR_EVENT_BYTES_MAX);
	mirror_ring_init(&mirror->stream, MIRROR_STREAM_MAX, MIRROR_EVENT_BYTES_MAX);
	return mirror;
}

static void free_doc(struct mirror_doc *doc)
{
	free(doc->topic);
	free(doc->text);
	free(doc);
}

void mirror_free(struct mirror *mirror)
{
	struct mirror_doc *doc = mirror ? mirror->first : NULL;

	if (!mirror)
		return;
	while (doc) {
		struct mirror_doc *next = doc->next;

		free_doc(doc);
		doc = next;
	}
	mirror_ring_done(&mirror->events);
	mirror_ring_done(&mirror->stream);
	free(mirror->buckets);
	free(mirror);
}

uint64_t mirror_seq(const struct mirror *mirror)
{
	return mirror->seq;
}

uint64_t mirror_floor(const struct mirror *mirror)
{
	return max_of(mirror->buried_seq, mirror->events.lost_seq);
}

const struct mirror_stats *mirror_stats(const struct mirror *mirror)
{
	return &mirror->stats;
}

bool mirror_has_age(enum topic_id id)
{
	if (id >= TOPIC_COUNT)
		return false;
	return topic_table[id].class == CLASS_PRESENCE ||
	       str_eq(topic_table[id].source, TOPIC_SOURCES);
}

/* ── the table ─────────────────────────────────────────────────────────────────────────────────────────────── */

/* FNV-1a. Whoever may choose topics may write them: no need for a keyed hash. */
static uint32_t hash_topic(const char *topic)
{
	uint32_t hash = 2166136261u;

	for (; *topic; topic++)
		hash = (hash ^ (unsigned char)*topic) * 16777619u;
	return hash;
}

static struct mirror_doc **bucket_of(const struct mirror *mirror, uint32_t hash)
{
	return &mirror->buckets[hash & (mirror->buckets_n - 1)];
}

static struct mirror_doc *find(const struct mirror *mirror, const char *topic)
{
	uint32_t hash = hash_topic(topic);
	struct mirror_doc *doc = *bucket_of(mirror, hash);

	while (doc && !(doc->hash == hash && str_eq(doc->topic, topic)))
		doc = doc->bucket_next;
	return doc;
}

static void insert(struct mirror *mirror, struct mirror_doc *doc)
{
	struct mirror_doc **bucket = bucket_of(mirror, doc->hash);

	doc->bucket_next = *bucket;
	*bucket = doc;
}

static void grow(struct mirror *mirror)
{
	free(mirror->buckets);
	mirror->buckets_n *= 2;
	mirror->buckets = xcalloc(mirror->buckets_n, sizeof(struct mirror_doc *));
	for (struct mirror_doc *doc = mirror->first; doc; doc = doc->next)
		insert(mirror, doc);
}

static void unlink_doc(struct mirror *mirror, struct mirror_doc *doc)
{
	*(doc->prev ? &doc->prev->next : &mirror->first) = doc->next;
	*(doc->next ? &doc->next->prev : &mirror->last) = doc->prev;
	doc->prev = NULL;
	doc->next = NULL;
}

/* Gives the document the next number and puts it at the end of the list. */
static void touch(struct mirror *mirror, struct mirror_doc *doc)
{
	unlink_doc(mirror, doc);
	doc->seq = ++mirror->seq;
	doc->prev = mirror->last;
	*(mirror->last ? &mirror->last->next : &mirror->first) = doc;
	mirror->last = doc;
	mirror->stats.changes++;
}

static void remove_entry(struct mirror *mirror, struct mirror_doc *doc)
{
	struct mirror_doc **at = bucket_of(mirror, doc->hash);

	while (*at != doc)
		at = &(*at)->bucket_next;
	*at = doc->bucket_next;
	unlink_doc(mirror, doc);
	mirror->entries--;
	free_doc(doc);
}

static struct mirror_doc *add_entry(struct mirror *mirror, enum topic_id id, const char *topic)
{
	struct mirror_doc *doc = xnew(struct mirror_doc);

	doc->id = id;
	doc->topic = xstrdup(topic);
	doc->hash = hash_topic(topic);
	doc->live_ms = MIRROR_NEVER;
	doc->gone = true;
	/* A list of one, for touch() to take it out of. */
	doc->prev = mirror->last;
	*(mirror->last ? &mirror->last->next : &mirror->first) = doc;
	mirror->last = doc;
	if (++mirror->entries > mirror->buckets_n)
		grow(mirror);
	else
		insert(mirror, doc);
	mirror->tombstones++;
	return doc;
}

/* ── documents ─────────────────────────────────────────────────────────────────────────────────────────────── */

/* Topics hold nothing that JSON would escape: [A-Za-z0-9_.=/-] alone. */
static char *build_text(const char *open, const char *topic, const char *between, const char *json,
			size_t json_len, const char *close, size_t *ret_len)
{
	struct str text = { 0 };

	str_add(&text, open);
	str_add(&text, topic);
	str_add(&text, between);
	str_add_n(&text, json, json_len);
	str_add(&text, close);
	*ret_len = text.len;
	return str_take(&text);
}

static void set_text(struct mirror *mirror, struct mirror_doc *doc, const char *json,
		     size_t json_len)
{
	mirror->stats.bytes -= doc->text_len;
	free(doc->text);
	doc->text = build_text("\"", doc->topic, "\":", json, json_len, "", &doc->text_len);
	doc->json_len = json_len;
	doc->json_at = doc->text_len - json_len;
	mirror->stats.bytes += doc->text_len;
}

bool mirror_set(struct mirror *mirror, enum topic_id id, const char *topic, const char *json,
		size_t json_len, bool live, int64_t boot_ms)
{
	struct mirror_doc *doc = find(mirror, topic);
	bool same;

	if (!doc && mirror->entries >= MIRROR_DOCUMENTS_MAX) {
		mirror->stats.refused++;
		return false;
	}
	if (!doc)
		doc = add_entry(mirror, id, topic);
	doc->renewed_ms = boot_ms;
	doc->round = mirror->round;
	if (live)
		doc->live_ms = boot_ms;
	same = !doc->gone && doc->json_len == json_len &&
	       memcmp(doc->text + doc->json_at, json, json_len) == 0;
	if (same && !(live && mirror_has_age(doc->id)))
		return false;
	if (doc->gone) {
		doc->gone = false;
		mirror->tombstones--;
		mirror->stats.documents++;
	}
	if (!same)
		set_text(mirror, doc, json, json_len);
	touch(mirror, doc);
	return true;
}

/* Drops the oldest tombstones when there are too many. */
static void bury(struct mirror *mirror)
{
	struct mirror_doc *doc = mirror->first;

	while (doc && mirror->tombstones > MIRROR_TOMBSTONES_MAX) {
		struct mirror_doc *next = doc->next;

		if (doc->gone) {
			mirror->buried_seq = doc->seq;
			mirror->stats.bytes -= doc->text_len;
			mirror->tombstones--;
			remove_entry(mirror, doc);
		}
		doc = next;
	}
}

static void clear_doc(struct mirror *mirror, struct mirror_doc *doc)
{
	set_text(mirror, doc, "null", 4);
	doc->gone = true;
	doc->live_ms = MIRROR_NEVER;
	mirror->stats.documents--;
	mirror->tombstones++;
	touch(mirror, doc);
}

bool mirror_clear(struct mirror *mirror, const char *topic)
{
	struct mirror_doc *doc = find(mirror, topic);

	if (!doc || doc->gone)
		return false;
	clear_doc(mirror, doc);
	bury(mirror);
	return true;
}

const struct mirror_doc *mirror_get(const struct mirror *mirror, const char *topic)
{
	const struct mirror_doc *doc = find(mirror, topic);

	return doc && !doc->gone ? doc : NULL;
}

/* ── rounds and age ────────────────────────────────────────────────────────────────────────────────────────── */

void mirror_begin_round(struct mirror *mirror)
{
	mirror->round++;
	for (struct mirror_doc *doc = mirror->first; doc; doc = doc->next)
		doc->live_ms = MIRROR_NEVER;
}

/* Clears the documents that IS_OLD picks. Those cleared move behind LAST, where the walk ends. */
static size_t clear_if(struct mirror *mirror, bool (*is_old)(const struct mirror_doc *, int64_t),
		       int64_t than)
{
	struct mirror_doc *last = mirror->last;
	struct mirror_doc *doc = mirror->first;
	bool more = doc != NULL;
	size_t n = 0;

	while (more) {
		struct mirror_doc *next = doc->next;

		more = doc != last;
		if (!doc->gone && doc->id < TOPIC_COUNT && is_old(doc, than)) {
			clear_doc(mirror, doc);
			n++;
		}
		doc = next;
	}
	bury(mirror);
	return n;
}

static bool is_of_older_round(const struct mirror_doc *doc, int64_t round)
{
	return doc->round != (uint32_t)round;
}

static bool is_expired(const struct mirror_doc *doc, int64_t oldest_ms)
{
	return class_table[topic_table[doc->id].class].expiry_s > 0 && doc->renewed_ms < oldest_ms;
}

size_t mirror_sweep(struct mirror *mirror)
{
	return clear_if(mirror, is_of_older_round, mirror->round);
}

size_t mirror_expire(struct mirror *mirror, int64_t boot_ms, int64_t max_age_ms)
{
	return clear_if(mirror, is_expired, boot_ms - max_age_ms);
}

const struct mirror_doc *mirror_after(const struct mirror *mirror, uint64_t seq)
{
	const struct mirror_doc *doc = mirror->last;

	/* Whoever asks for all begins at the front; else the news are at the back. */
	if (seq == 0)
		return mirror->first;
	while (doc && doc->prev && doc->prev->seq > seq)
		doc = doc->prev;
	return doc && doc->seq > seq ? doc : NULL;
}

const struct mirror_doc *mirror_next(const struct mirror_doc *doc)
{
	return doc->next;
}

/* ── events ────────────────────────────────────────────────────────────────────────────────────────────────── */

void mirror_event(struct mirror *mirror, enum topic_id id, const char *topic, const char *json,
		  size_t json_len)
{
	bool stream = topic_table[id].class == CLASS_STREAM;
	struct mirror_event event = { .id = id, .seq = ++mirror->seq, .topic = xstrdup(topic) };
	size_t dropped;

	event.text = build_text("[\"", topic, "\",", json, json_len, "]", &event.text_len);
	dropped = mirror_ring_push(stream ? &mirror->stream : &mirror->events, event);
	mirror->stats.events++;
	if (stream)
		mirror->stats.stream_dropped += (int64_t)dropped;
}

const struct mirror_event *mirror_next_event(const struct mirror *mirror, uint64_t seq,
					     struct mirror_cursor *cursor)
{
	const struct mirror_event *event, *stream;

	if (!cursor->begun) {
		cursor->begun = true;
		cursor->event = mirror_ring_after(&mirror->events, seq);
		cursor->stream = mirror_ring_after(&mirror->stream, seq);
	}
	event = mirror_ring_at(&mirror->events, cursor->event);
	stream = mirror_ring_at(&mirror->stream, cursor->stream);
	if (event && (!stream || event->seq < stream->seq)) {
		cursor->event++;
		return event;
	}
	if (stream)
		cursor->stream++;
	return stream;
}
