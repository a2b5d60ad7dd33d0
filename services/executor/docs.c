/* SPDX-License-Identifier: MIT */
/*
 * A hash table of documents, and the sources by which they are judged.
 */
#include "services/executor/docs.h"

#include "common/alloc.h"
#include "common/codec.h"
#include "common/str.h"

#include <stdio.h>
#include <strings.h>

#define BUCKETS 4096
#define BASE "-"
#define SOURCE_NAME_BYTES 256

struct entry {
	struct entry *next;
	struct doc doc;
};

struct source {
	struct source *next;
	char *name; /* topic of the source document, a blank, its key in there */
	struct fresh_source fresh;
};

struct instance {
	struct instance *next;
	enum service_id service;
	char *name;
	bool is_online;
};

struct docs {
	struct entry *entries[BUCKETS];
	struct source *sources[BUCKETS];
	struct instance *instances;
};

struct docs *docs_new(void)
{
	return xnew(struct docs);
}

static void doc_done(struct doc *doc)
{
	for (size_t i = 0; i < TOPIC_ARGS_MAX; i++)
		free(doc->word[i]);
	free(doc->topic);
	free(doc->json);
}

static void free_bucket(struct docs *docs, size_t i)
{
	while (docs->entries[i]) {
		struct entry *entry = docs->entries[i];

		docs->entries[i] = entry->next;
		doc_done(&entry->doc);
		free(entry);
	}
	while (docs->sources[i]) {
		struct source *source = docs->sources[i];

		docs->sources[i] = source->next;
		free(source->name);
		free(source);
	}
}

void docs_free(struct docs *docs)
{
	if (!docs)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		free_bucket(docs, i);
	while (docs->instances) {
		struct instance *instance = docs->instances;

		docs->instances = instance->next;
		free(instance->name);
		free(instance);
	}
	free(docs);
}

static size_t hash(const char *text)
{
	uint32_t h = 2166136261u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 16777619u;
	return h % BUCKETS;
}

/* ── services ──────────────────────────────────────────────────────────────────────────────────────────────── */

bool docs_is_online(const struct docs *docs, enum service_id service)
{
	for (const struct instance *at = docs->instances; at; at = at->next) {
		if (at->service == service && at->is_online)
			return true;
	}
	return false;
}

bool docs_is_other_online(const struct docs *docs, enum service_id service, const char *instance)
{
	for (const struct instance *at = docs->instances; at; at = at->next) {
		if (at->service == service && at->is_online && !str_eq(at->name, instance))
			return true;
	}
	return false;
}

static void take_presence(struct docs *docs, const struct msg *msg)
{
	int service = service_find(msg->args->value[0]);
	struct instance *at = docs->instances;

	if (service < 0)
		return;
	while (at &&
	       (at->service != (enum service_id)service || !str_eq(at->name, msg->args->value[1])))
		at = at->next;
	if (!at) {
		at = xnew(struct instance);
		at->service = (enum service_id)service;
		at->name = xstrdup(msg->args->value[1]);
		at->next = docs->instances;
		docs->instances = at;
	}
	at->is_online = msg->bare && str_eq(msg->bare->word, "online");
}

void docs_offline(struct docs *docs)
{
	for (struct instance *at = docs->instances; at; at = at->next)
		at->is_online = false;
}

/* ── sources ───────────────────────────────────────────────────────────────────────────────────────────────── */

static struct source *find_source(const struct docs *docs, const char *name)
{
	struct source *at = docs->sources[hash(name)];

	while (at && !str_eq(at->name, name))
		at = at->next;
	return at;
}

static struct source *get_source(struct docs *docs, const char *name)
{
	struct source *source = find_source(docs, name);
	struct source **bucket = &docs->sources[hash(name)];

	if (source)
		return source;
	source = xnew(struct source);
	source->name = xstrdup(name);
	source->next = *bucket;
	*bucket = source;
	return source;
}

static void observe(struct docs *docs, const struct msg *msg, const char *cluster, int64_t ts,
		    const struct map_source_state *sources, size_t n, int64_t boot_ms)
{
	for (size_t i = 0; i < n; i++) {
		char name[SOURCE_NAME_BYTES];

		(void)snprintf(name, sizeof(name), "%d %s %s", (int)msg->id, cluster,
			       sources[i].key);
		fresh_observe(&get_source(docs, name)->fresh, &sources[i].value, ts, msg->retained,
			      boot_ms);
	}
}

static void take_sources(struct docs *docs, const struct msg *msg, int64_t boot_ms)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct codec_error error;
	void *body;

	if ((msg->id != TOPIC_CLUSTER_STATE && msg->id != TOPIC_THERMAL_SOURCES) ||
	    codec_decode(topic_table[msg->id].message, msg->payload, msg->payload_len, JSON_STATE,
			 CODEC_LENIENT, arena, &body, &error) < 0)
		return;
	if (msg->id == TOPIC_CLUSTER_STATE) {
		const struct msg_cluster_state *c = body;

		observe(docs, msg, msg->args->value[0], c->ts, c->sources, c->sources_n, boot_ms);
	} else {
		const struct msg_thermal_sources *t = body;

		observe(docs, msg, msg->args->value[0], t->ts, t->sources, t->sources_n, boot_ms);
	}
}

/* "storage.{node}" → "storage.pve", by the words of the document's own topic. */
static void source_key(const struct doc *doc, char *out, size_t room)
{
	const char *pattern = topic_table[doc->id].source;
	const char *brace = strchr(pattern, '{');
	char word[32];
	int index;

	if (!brace) {
		(void)snprintf(out, room, "%s", pattern);
		return;
	}
	(void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(brace + 1, "}"), brace + 1);
	index = topic_word_find(doc->id, word);
	(void)snprintf(out, room, "%.*s%s", (int)(brace - pattern), pattern,
		       index < 0 ? "" : doc->word[index]);
}

static enum service_id owner_of(enum topic_id id)
{
	for (int i = 0; i < SERVICE_COUNT; i++) {
		if (topic_table[id].writers & SERVICE_BIT(i))
			return (enum service_id)i;
	}
	return SERVICE_COUNT;
}

enum fresh_verdict docs_judge(const struct docs *docs, const struct doc *doc, int64_t boot_ms)
{
	const char *pattern = topic_table[doc->id].source;
	enum service_id owner = owner_of(doc->id);
	bool is_online = owner < SERVICE_COUNT && docs_is_online(docs, owner);
	static const struct fresh_source none = { 0 };
	char key[SOURCE_NAME_BYTES / 2], name[SOURCE_NAME_BYTES];
	const struct source *source;

	if (!pattern[0])
		return fresh_judge(is_online, NULL, boot_ms);
	if (str_eq(pattern, TOPIC_SOURCES))
		(void)snprintf(key, sizeof(key), "%s",
			       doc->id == TOPIC_CLUSTER_STATE ? "resources" : "");
	else
		source_key(doc, key, sizeof(key));
	if (!key[0])
		return fresh_judge(is_online, NULL, boot_ms);
	(void)snprintf(name, sizeof(name), "%d %.64s %s",
		       (int)(owner == SERVICE_THERMAL_COLLECTOR ? TOPIC_THERMAL_SOURCES :
								  TOPIC_CLUSTER_STATE),
		       doc->word[0], key);
	source = find_source(docs, name);
	return fresh_judge(is_online, source ? &source->fresh : &none, boot_ms);
}

/* ── documents ─────────────────────────────────────────────────────────────────────────────────────────────── */

static struct entry **find_place(struct docs *docs, const char *topic)
{
	struct entry **at = &docs->entries[hash(topic)];

	while (*at && !str_eq((*at)->doc.topic, topic))
		at = &(*at)->next;
	return at;
}

static struct entry *make_entry(const struct msg *msg, const char *topic)
{
	struct entry *entry = xnew(struct entry);

	entry->doc.id = msg->id;
	entry->doc.topic = xstrdup(topic);
	for (size_t i = 0; i < msg->args->n && i < TOPIC_ARGS_MAX; i++)
		entry->doc.word[i] = xstrdup(msg->args->value[i]);
	return entry;
}

static void forget(struct entry **place)
{
	struct entry *entry = *place;

	if (!entry)
		return;
	*place = entry->next;
	doc_done(&entry->doc);
	free(entry);
}

/* The topic below any base; false when it cannot be built, which a received one always can. */
static bool relative_topic(enum topic_id id, const char *const *words, char out[TOPIC_MAX_BYTES])
{
	return topic_build(BASE, id, words, out) == 0;
}

void docs_take(struct docs *docs, const struct msg *msg, int64_t boot_ms)
{
	const char *words[TOPIC_ARGS_MAX + 1] = { NULL };
	char topic[TOPIC_MAX_BYTES];
	struct entry **place;

	if (msg->id == TOPIC_SERVICE_STATE) {
		take_presence(docs, msg);
		return;
	}
	for (size_t i = 0; i < msg->args->n; i++)
		words[i] = msg->args->value[i];
	if (!relative_topic(msg->id, words, topic))
		return;
	place = find_place(docs, topic + sizeof(BASE));
	if (!msg->payload_len) {
		forget(place);
		return;
	}
	if (!*place)
		*place = make_entry(msg, topic + sizeof(BASE));
	free((*place)->doc.json);
	(*place)->doc.json = xstrndup(msg->payload, msg->payload_len);
	(*place)->doc.boot_ms = boot_ms;
	take_sources(docs, msg, boot_ms);
}

const struct doc *docs_find(const struct docs *docs, enum topic_id id, const char *const *words)
{
	char topic[TOPIC_MAX_BYTES];
	struct entry **place;

	if (!relative_topic(id, words, topic))
		return NULL;
	place = find_place((struct docs *)docs, topic + sizeof(BASE));
	return *place ? &(*place)->doc : NULL;
}

static bool matches(const struct doc *doc, enum topic_id id, const char *const *words)
{
	if (doc->id != id)
		return false;
	for (size_t i = 0; words[i]; i++) {
		if (words[i] != topic_wild && !str_eq_null(doc->word[i], words[i]))
			return false;
	}
	return true;
}

/* Numbers in names by their value: 9 comes before 10. */
static int compare(const void *a, const void *b)
{
	const struct doc *x = *(const struct doc *const *)a, *y = *(const struct doc *const *)b;

	return strverscmp(x->topic, y->topic);
}

const struct doc **docs_list(const struct docs *docs, enum topic_id id, const char *const *words,
			     size_t *n)
{
	const struct doc **list = NULL;
	size_t room = 0;

	*n = 0;
	for (size_t i = 0; i < BUCKETS; i++) {
		for (const struct entry *at = docs->entries[i]; at; at = at->next) {
			if (!matches(&at->doc, id, words))
				continue;
			if (*n == room)
				list = xreallocarray(list, room = room ? 2 * room : 32,
						     sizeof(*list));
			list[(*n)++] = &at->doc;
		}
	}
	if (*n)
		qsort(list, *n, sizeof(*list), compare);
	return list;
}
