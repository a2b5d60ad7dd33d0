/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What the bus says, kept for the browsers: the newest document of every topic, and the last events. Each change
 * gets the next number of one sequence; documents hang in a list in the order of their last change, so that "what
 * is new since N" is the tail of a list. All that a client needs is the last number it has: that conflates slow
 * clients by itself, and no client has a queue. Pure: no bus, no clock, no socket. Topics are below {base}.
 */
#include "common/topics.h"

#define MIRROR_DOCUMENTS_MAX (128 * 1024)
#define MIRROR_EVENTS_MAX 4096
#define MIRROR_STREAM_MAX 1024
#define MIRROR_EVENT_BYTES_MAX (8 * 1024 * 1024)
#define MIRROR_TOMBSTONES_MAX 4096
/* No live message of the topic came since we are connected. */
#define MIRROR_NEVER INT64_MIN

struct mirror;

/* Owned by the mirror; gone or changed with the next call that alters it. */
struct mirror_doc {
	enum topic_id id;   /* TOPIC_COUNT: made by the gateway itself */
	uint64_t seq;	    /* of its last change */
	int64_t renewed_ms; /* boot: when it last came, changed or not */
	int64_t live_ms;    /* boot: when it last came live, not as a retained copy; MIRROR_NEVER */
	bool gone;	    /* a tombstone: the topic was cleared */
	char *topic;
	char *text; /* `"topic":json`, NUL-terminated */
	size_t text_len;
	size_t json_at; /* where the document begins in `text` */
	size_t json_len;
	/* private */
	uint32_t hash;
	uint32_t round;
	struct mirror_doc *bucket_next;
	struct mirror_doc *prev, *next;
};

struct mirror_event {
	enum topic_id id;
	uint64_t seq;
	char *topic;
	char *text; /* `["topic",json]` */
	size_t text_len;
};

struct mirror_stats {
	size_t documents, bytes;
	int64_t changes, events, stream_dropped, refused;
};

struct mirror *mirror_new(void) _nodiscard_;
void mirror_free(struct mirror *mirror);
DEFINE_FREEP(struct mirror, mirror_free)

/* The number of the last change. */
uint64_t mirror_seq(const struct mirror *mirror);
/* Whoever is behind this number has missed something for good and needs a new snapshot. */
uint64_t mirror_floor(const struct mirror *mirror);
const struct mirror_stats *mirror_stats(const struct mirror *mirror);

/*
 * A document came: JSON (checked by the caller). The same text again is no change, unless LIVE and the topic is one
 * whose age matters (mirror_has_age()). True when it counts as a change.
 */
bool mirror_set(struct mirror *mirror, enum topic_id id, const char *topic, const char *json,
		size_t json_len, bool live, int64_t boot_ms);
/* The topic was cleared. True when there was a document. */
bool mirror_clear(struct mirror *mirror, const char *topic);
/* An event, or a piece of a stream, happened. */
void mirror_event(struct mirror *mirror, enum topic_id id, const char *topic, const char *json,
		  size_t json_len);

/* The document of TOPIC, or NULL. */
const struct mirror_doc *mirror_get(const struct mirror *mirror, const char *topic);
/* True for topics whose documents are evidence of life: presence and source documents. */
bool mirror_has_age(enum topic_id id);

/* After a lost link: from now on, what does not come again is old, and nothing was seen live. */
void mirror_begin_round(struct mirror *mirror);
/* Clears what has not come since mirror_begin_round(); documents of our own stay. Returns how many. */
size_t mirror_sweep(struct mirror *mirror);
/* Clears state documents that were not renewed for MAX_AGE_MS. Returns how many. */
size_t mirror_expire(struct mirror *mirror, int64_t boot_ms, int64_t max_age_ms);

/* Documents (and tombstones) in the order of change: the first one after SEQ, or NULL; and the next, or NULL. */
const struct mirror_doc *mirror_after(const struct mirror *mirror, uint64_t seq);
const struct mirror_doc *mirror_next(const struct mirror_doc *doc);
/*
 * Events after SEQ in order: start with a zeroed cursor; NULL at the end. Good until the mirror changes.
 */
struct mirror_cursor {
	bool begun;
	size_t event, stream; /* counted from the oldest */
};
const struct mirror_event *mirror_next_event(const struct mirror *mirror, uint64_t seq,
					     struct mirror_cursor *cursor);
