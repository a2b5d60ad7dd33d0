/* SPDX-License-Identifier: MIT */
/*
 * Which documents are not live, by the one rule of common/fresh.h: for programs that read over HTTP, see no messages
 * come, and should not have to know where each document's age is written.
 */
#include "common/codec.h"
#include "common/fresh.h"
#include "services/gateway/gateway.h"

/* A source document, decoded. */
struct evidence {
	const struct mirror_doc *doc;
	const struct map_source_state *sources;
	size_t sources_n;
	int64_t ts;
};

struct judge {
	const struct gateway *g;
	struct arena *arena;
	struct evidence *evidence;
	size_t evidence_n;
	int64_t now_ms;
};

/* ── evidence ──────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct field_def *find_field(const struct message_def *message, const char *name)
{
	size_t n;
	const struct field_def *fields = message->fields(&n);

	for (size_t i = 0; i < n; i++) {
		if (str_eq(fields[i].name, name))
			return &fields[i];
	}
	return NULL;
}

/* Every source document has `ts` and a map `sources`: tests/unit/test_topics.c. */
static void add_evidence(struct judge *j, const struct mirror_doc *doc)
{
	const struct message_def *message = topic_table[doc->id].message;
	const struct field_def *sources = find_field(message, "sources");
	const struct field_def *ts = find_field(message, "ts");
	struct evidence *e = &j->evidence[j->evidence_n];
	struct codec_error error;
	void *value;

	if (codec_decode(message, doc->text + doc->json_at, doc->json_len, JSON_STATE,
			 CODEC_LENIENT, j->arena, &value, &error) < 0)
		return;
	e->doc = doc;
	memcpy(&e->ts, (const char *)value + ts->offset, sizeof(e->ts));
	memcpy(&e->sources, (const char *)value + sources->offset, sizeof(e->sources));
	memcpy(&e->sources_n, (const char *)value + sources->offset + sizeof(e->sources),
	       sizeof(e->sources_n));
	j->evidence_n++;
}

static bool is_source_document(const struct mirror_doc *doc)
{
	return !doc->gone && doc->id < TOPIC_COUNT &&
	       str_eq(topic_table[doc->id].source, TOPIC_SOURCES);
}

static void collect(struct judge *j)
{
	const struct mirror_doc *first = mirror_after(j->g->mirror, 0);
	size_t n = 0;

	for (const struct mirror_doc *doc = first; doc; doc = mirror_next(doc))
		n += is_source_document(doc);
	j->evidence = arena_alloc(j->arena, (n + 1) * sizeof(*j->evidence));
	for (const struct mirror_doc *doc = first; doc; doc = mirror_next(doc)) {
		if (is_source_document(doc))
			add_evidence(j, doc);
	}
}

static void observe(const struct judge *j, const struct topic_source *where,
		    struct fresh_source *ret)
{
	for (size_t i = 0; i < j->evidence_n; i++) {
		const struct evidence *e = &j->evidence[i];

		if (!str_eq(e->doc->topic, where->topic) || e->doc->live_ms == MIRROR_NEVER)
			continue;
		for (size_t k = 0; k < e->sources_n; k++) {
			if (str_eq(e->sources[k].key, where->key))
				fresh_observe(ret, &e->sources[k].value, e->ts, false,
					      e->doc->live_ms);
		}
	}
}

/* ── the verdict ───────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_owner_online(const struct gateway *g, const struct mirror_doc *doc,
			    const struct topic_args *args)
{
	const char *service = args->n ? args->value[0] : "";

	if (!g->linked)
		return false;
	for (int id = 0; id < SERVICE_COUNT; id++) {
		if (topic_table[doc->id].writers == SERVICE_BIT(id))
			service = service_table[id].name;
	}
	return roster_is_online(&g->roster, service) ||
	       str_eq(service, service_table[SERVICE_GATEWAY].name);
}

static void add_verdict(const struct judge *j, const struct mirror_doc *doc, struct json_writer *w)
{
	struct fresh_source source = { 0 };
	struct topic_source where;
	struct topic_args args;
	enum fresh_verdict verdict;
	enum topic_id id;
	bool has_source;

	if (topic_parse(NULL, doc->topic, &id, &args) < 0)
		return;
	has_source = topic_source(id, &args, &where) == 0;
	if (has_source)
		observe(j, &where, &source);
	verdict = fresh_judge(is_owner_online(j->g, doc, &args), has_source ? &source : NULL,
			      j->now_ms);
	if (verdict == FRESH_LIVE)
		return;
	json_object_begin(w, doc->topic);
	json_add_str(w, "why", j->g->linked ? fresh_text(verdict) : "the broker is away");
	if (source.seen && !source.never_ok)
		json_add_i64(w, "age_ms", source.age_ms + j->now_ms - source.at_boot_ms);
	else
		json_add_null(w, "age_ms");
	json_object_end(w);
}

void stale_list(struct gateway *g, struct call *call)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct judge j = { .g = g, .arena = arena, .now_ms = clock_boot_ms(g->clock) };
	struct json_writer w = { .out = &call->exchange->response.body };
	uint64_t allowed = show_allowed(&call->caller);

	collect(&j);
	json_object_begin(&w, NULL);
	for (const struct mirror_doc *doc = mirror_after(g->mirror, 0); doc;
	     doc = mirror_next(doc)) {
		if (show_may_see(allowed, doc) && topic_table[doc->id].class == CLASS_STATE)
			add_verdict(&j, doc, &w);
	}
	json_object_end(&w);
	answer(g, call->exchange, 200);
}
