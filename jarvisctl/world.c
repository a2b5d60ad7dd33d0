/* SPDX-License-Identifier: MIT */
/*
 * Two questions, not one for each thing: the state of a cluster with hundreds of guests is one answer.
 */
#include "jarvisctl/world.h"

#include <ctype.h>

#include "common/codec.h"
#include "common/time.h"
#include "jarvisctl/jarvisctl.h"

/* "guest/99/state" before "guest/101/state". */
static int compare_topics(const char *a, const char *b)
{
	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			size_t a_n = strspn(a, "0123456789"), b_n = strspn(b, "0123456789");
			int r = a_n == b_n ? strncmp(a, b, a_n) : (a_n < b_n ? -1 : 1);

			if (r)
				return r;
			a += a_n;
			b += b_n;
			continue;
		}
		if (*a != *b)
			break;
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

static int compare_docs(const void *a, const void *b)
{
	return compare_topics(((const struct world_doc *)a)->topic,
			      ((const struct world_doc *)b)->topic);
}

static bool take_doc(struct world *world, const cJSON *json)
{
	struct world_doc *doc = &world->docs[world->docs_n];
	struct codec_error error;
	void *body = NULL;

	*doc = (struct world_doc){ .topic = json->string, .json = json };
	if (topic_parse(NULL, json->string, &doc->id, &doc->args) < 0)
		return false;
	doc->word = cJSON_GetStringValue(json);
	if (!doc->word && codec_decode_tree(topic_table[doc->id].message, json, CODEC_LENIENT,
					    world->arena, &body, &error) < 0)
		return false;
	doc->body = body;
	doc->stale = cJSON_GetStringValue(json_get(json_get(world->stale.body, doc->topic), "why"));
	return true;
}

int world_load(struct client *client, struct world *ret)
{
	int code;

	*ret = (struct world){ .arena = arena_new(), .wall_ms = clock_wall_ms(&clock_system) };
	code = client_get(client, "/api/stale", &ret->stale);
	if (code == EXIT_OK)
		code = client_get(client, "/api/state", &ret->state);
	if (code != EXIT_OK)
		return code;
	ret->docs = xcalloc((size_t)cJSON_GetArraySize(ret->state.body) + 1, sizeof(*ret->docs));
	for (const cJSON *doc = ret->state.body->child; doc; doc = doc->next) {
		bool is_read = take_doc(ret, doc);

		ret->docs_n += is_read;
		ret->unread += !is_read;
	}
	qsort(ret->docs, ret->docs_n, sizeof(*ret->docs), compare_docs);
	return EXIT_OK;
}

void world_done(struct world *world)
{
	client_answer_done(&world->state);
	client_answer_done(&world->stale);
	free(world->docs);
	arena_free(world->arena);
	*world = (struct world){ 0 };
}

const struct world_doc *world_next(const struct world *world, enum topic_id id,
				   const struct world_doc *previous)
{
	size_t i = previous ? (size_t)(previous - world->docs) + 1 : 0;

	for (; i < world->docs_n; i++) {
		if (world->docs[i].id == id)
			return &world->docs[i];
	}
	return NULL;
}

const struct world_doc *world_find(const struct world *world, enum topic_id id,
				   const char *const *words)
{
	char topic[TOPIC_MAX_BYTES];
	struct world_doc key = { .topic = topic };

	if (topic_build(NULL, id, words, topic) < 0)
		return NULL;
	return bsearch(&key, world->docs, world->docs_n, sizeof(*world->docs), compare_docs);
}

const void *world_live(const struct world *world, enum topic_id id, const char *const *words)
{
	const struct world_doc *doc = world_find(world, id, words);

	return doc && !doc->stale ? doc->body : NULL;
}
