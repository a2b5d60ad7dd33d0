/* SPDX-License-Identifier: MIT */
/*
 * Documents in one list, sorted by topic and words. A document owns its memory.
 */
#include "services/safety-gate/view.h"

#include "common/alloc.h"
#include "common/codec.h"

#include <stdio.h>
#include <string.h>

#define KEY_BYTES (2 * TOPIC_LEVEL_MAX + TOPIC_LEVEL_MAX + 3)
#define INSTANCES_MAX 8

struct doc {
	enum topic_id id;
	char cluster[TOPIC_LEVEL_MAX + 1];
	char name[2 * TOPIC_LEVEL_MAX + 2]; /* node; vmid; node/storage; "" for the cluster */
	struct arena *arena;
	const void *body;
	/* CLUSTER_STATE alone: how its two vital sources stand. */
	struct fresh_source resources, status;
};

struct view {
	struct doc *docs;
	size_t n;
	char online[INSTANCES_MAX][TOPIC_LEVEL_MAX + 1]; /* instances of the poller */
	size_t online_n;
};

struct view *view_new(void)
{
	return xnew(struct view);
}

void view_free(struct view *view)
{
	if (!view)
		return;
	for (size_t i = 0; i < view->n; i++)
		arena_free(view->docs[i].arena);
	free(view->docs);
	free(view);
}

/* ── the list ──────────────────────────────────────────────────────────────────────────────────────────────── */

static int compare(const struct doc *doc, enum topic_id id, const char *cluster, const char *name)
{
	int r = (doc->id > id) - (doc->id < id);

	if (r == 0)
		r = strcmp(doc->cluster, cluster);
	return r ? r : strcmp(doc->name, name);
}

/* Where the document stands, or would. */
static size_t place_of(const struct view *view, enum topic_id id, const char *cluster,
		       const char *name)
{
	size_t low = 0, high = view->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (compare(&view->docs[middle], id, cluster, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct doc *find(const struct view *view, enum topic_id id, const char *cluster,
			const char *name)
{
	size_t place = place_of(view, id, cluster, name);

	if (place < view->n && compare(&view->docs[place], id, cluster, name) == 0)
		return &view->docs[place];
	return NULL;
}

static const void *body_of(const struct view *view, enum topic_id id, const char *cluster,
			   const char *name)
{
	const struct doc *doc = find(view, id, cluster, name);

	return doc ? doc->body : NULL;
}

static struct doc *insert(struct view *view, enum topic_id id, const char *cluster,
			  const char *name)
{
	size_t place = place_of(view, id, cluster, name);
	struct doc *doc;

	view->docs = xreallocarray(view->docs, view->n + 1, sizeof(*view->docs));
	doc = &view->docs[place];
	memmove(doc + 1, doc, (view->n - place) * sizeof(*doc));
	view->n++;
	*doc = (struct doc){ .id = id };
	(void)snprintf(doc->cluster, sizeof(doc->cluster), "%.*s", TOPIC_LEVEL_MAX, cluster);
	(void)snprintf(doc->name, sizeof(doc->name), "%s", name);
	return doc;
}

static void drop(struct view *view, struct doc *doc)
{
	arena_free(doc->arena);
	view->n--;
	memmove(doc, doc + 1, (size_t)(view->docs + view->n - doc) * sizeof(*doc));
}

/* ── what comes in ─────────────────────────────────────────────────────────────────────────────────────────── */

/* A retained copy counts too: the broker itself says `offline` for who is gone. */
static void take_presence(struct view *view, const struct topic_args *args,
			  const struct msg_bare *body)
{
	const char *instance = args->value[1];
	bool online = body && str_eq(body->word, "online");

	if (!str_eq(args->value[0], service_table[SERVICE_PROXMOX_POLLER].name))
		return;
	for (size_t i = 0; i < view->online_n; i++) {
		if (!str_eq(view->online[i], instance))
			continue;
		if (!online)
			memmove(view->online[i], view->online[--view->online_n],
				sizeof(view->online[i]));
		return;
	}
	if (online && view->online_n < INSTANCES_MAX)
		(void)snprintf(view->online[view->online_n++], sizeof(view->online[0]), "%.*s",
			       TOPIC_LEVEL_MAX, instance);
}

static void observe(struct doc *doc, const struct msg_cluster_state *state, bool retained,
		    int64_t boot_ms)
{
	for (size_t i = 0; i < state->sources_n; i++) {
		const struct map_source_state *entry = &state->sources[i];

		if (str_eq(entry->key, "resources"))
			fresh_observe(&doc->resources, &entry->value, state->ts, retained, boot_ms);
		else if (str_eq(entry->key, "status"))
			fresh_observe(&doc->status, &entry->value, state->ts, retained, boot_ms);
	}
}

/* Of a configuration, which may be long, nothing is judged by but whether it is the same. */
static const void *copy_of(enum topic_id id, const void *body, struct arena *arena)
{
	struct msg_guest_config brief;

	if (id != TOPIC_GUEST_CONFIG)
		return codec_copy(topic_table[id].message, body, arena);
	brief = (struct msg_guest_config){
		.cluster = "", .digest = ((const struct msg_guest_config *)body)->digest
	};
	return codec_copy(&message_guest_config, &brief, arena);
}

void view_take(struct view *view, enum topic_id id, const struct topic_args *args, const void *body,
	       bool retained, int64_t boot_ms)
{
	char name[2 * TOPIC_LEVEL_MAX + 2] = "";
	const char *cluster = args->value[0];
	struct doc *doc;

	if (id == TOPIC_SERVICE_STATE) {
		take_presence(view, args, body);
		return;
	}
	if (id == TOPIC_NODE_STATE || id == TOPIC_GUEST_STATE || id == TOPIC_GUEST_CONFIG)
		(void)snprintf(name, sizeof(name), "%.*s", TOPIC_LEVEL_MAX, args->value[1]);
	else if (id == TOPIC_STORAGE_STATE)
		(void)snprintf(name, sizeof(name), "%.*s/%.*s", TOPIC_LEVEL_MAX, args->value[1],
			       TOPIC_LEVEL_MAX, args->value[2]);
	else if (id != TOPIC_CLUSTER_STATE)
		return;
	doc = find(view, id, cluster, name);
	if (!body) {
		if (doc)
			drop(view, doc);
		return;
	}
	if (!doc)
		doc = insert(view, id, cluster, name);
	arena_free(doc->arena);
	doc->arena = arena_new();
	doc->body = copy_of(id, body, doc->arena);
	if (id == TOPIC_CLUSTER_STATE)
		observe(doc, doc->body, retained, boot_ms);
}

void view_offline(struct view *view)
{
	view->online_n = 0;
	for (size_t i = 0; i < view->n; i++) {
		view->docs[i].resources = (struct fresh_source){ 0 };
		view->docs[i].status = (struct fresh_source){ 0 };
	}
}

/* ── questions ─────────────────────────────────────────────────────────────────────────────────────────────── */

bool view_is_live(const struct view *view, const char *cluster, int64_t boot_ms, const char **why)
{
	const struct doc *doc = find(view, TOPIC_CLUSTER_STATE, cluster, "");
	enum fresh_verdict verdict;

	if (!doc) {
		*why = "nothing was heard of this cluster";
		return false;
	}
	verdict = fresh_judge(view->online_n, &doc->resources, boot_ms);
	if (verdict == FRESH_LIVE)
		verdict = fresh_judge(view->online_n, &doc->status, boot_ms);
	*why = fresh_text(verdict);
	return verdict == FRESH_LIVE;
}

const struct msg_cluster_state *view_cluster(const struct view *view, const char *cluster)
{
	return body_of(view, TOPIC_CLUSTER_STATE, cluster, "");
}

const struct msg_node_state *view_node(const struct view *view, const char *cluster,
				       const char *name)
{
	return body_of(view, TOPIC_NODE_STATE, cluster, name);
}

const struct msg_guest_state *view_guest(const struct view *view, const char *cluster, int64_t vmid)
{
	char name[24];

	(void)snprintf(name, sizeof(name), "%lld", (long long)vmid);
	return body_of(view, TOPIC_GUEST_STATE, cluster, name);
}

const char *view_config_digest(const struct view *view, const char *cluster, int64_t vmid)
{
	const struct msg_guest_config *config;
	char name[24];

	(void)snprintf(name, sizeof(name), "%lld", (long long)vmid);
	config = body_of(view, TOPIC_GUEST_CONFIG, cluster, name);
	return config ? config->digest : NULL;
}

const struct msg_storage_state *view_storage(const struct view *view, const char *cluster,
					     const char *node, const char *storage)
{
	char name[2 * TOPIC_LEVEL_MAX + 2];

	(void)snprintf(name, sizeof(name), "%.*s/%.*s", TOPIC_LEVEL_MAX, node, TOPIC_LEVEL_MAX,
		       storage);
	return body_of(view, TOPIC_STORAGE_STATE, cluster, name);
}

static const void *next(const struct view *view, enum topic_id id, const char *cluster, size_t *at)
{
	if (!*at)
		*at = place_of(view, id, cluster ? cluster : "", "");
	if (*at >= view->n || view->docs[*at].id != id)
		return NULL;
	if (cluster && !str_eq(view->docs[*at].cluster, cluster))
		return NULL;
	return view->docs[(*at)++].body;
}

const struct msg_cluster_state *view_next_cluster(const struct view *view, size_t *at)
{
	return next(view, TOPIC_CLUSTER_STATE, NULL, at);
}

const struct msg_node_state *view_next_node(const struct view *view, const char *cluster,
					    size_t *at)
{
	return next(view, TOPIC_NODE_STATE, cluster, at);
}

const struct msg_guest_state *view_next_guest(const struct view *view, const char *cluster,
					      size_t *at)
{
	return next(view, TOPIC_GUEST_STATE, cluster, at);
}

const struct msg_storage_state *view_next_storage(const struct view *view, const char *cluster,
						  size_t *at)
{
	return next(view, TOPIC_STORAGE_STATE, cluster, at);
}
