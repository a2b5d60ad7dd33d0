/* SPDX-License-Identifier: MIT */
/*
 * What can be read about actions: the tools that there are, the actions of late, level and freeze. All of it stands in
 * the mirror or in a table.
 */
#include "common/tools.h"
#include "services/gateway/gateway.h"

#include <errno.h>
#include <stdlib.h>

#define ACTIONS_PAGE 50
#define ACTIONS_PAGE_MAX 200

int query_number(const char *query, const char *name, struct opt_i64 *ret)
{
	size_t length = strlen(name);

	for (const char *at = query; at && *at; at += *at == '&') {
		size_t n = strcspn(at, "&");

		if (strncmp(at, name, length) == 0 && at[length] == '=') {
			_cleanup_(freep) char *text = xstrndup(at + length + 1, n - length - 1);

			ret->has = true;
			return str_to_i64(text, 0, INT64_MAX, &ret->v);
		}
		at += n;
	}
	return 0;
}

static const char *query_text(const char *query, const char *name, struct arena *arena)
{
	size_t length = strlen(name);

	for (const char *at = query; at && *at; at += *at == '&') {
		size_t n = strcspn(at, "&");

		if (strncmp(at, name, length) == 0 && at[length] == '=')
			return arena_strndup(arena, at + length + 1, n - length - 1);
		at += n;
	}
	return NULL;
}

/* ── tools ─────────────────────────────────────────────────────────────────────────────────────────────────── */

void tools_list(struct gateway *g, struct call *call)
{
	struct json_writer w = { .out = &call->exchange->response.body };

	json_object_begin(&w, NULL);
	json_list_begin(&w, "items");
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		const struct tool *tool = &tool_table[i];
		const struct tool_arg *target = tool_target(tool);

		json_object_begin(&w, NULL);
		json_add_str(&w, "name", tool->name);
		json_add_str(&w, "tier", enumeration_word(&enumeration_tier, (int)tool->tier));
		json_add_str(&w, "description", tool->doc);
		json_add_str(&w, "target", target ? target->name : NULL);
		tool_write_schema(tool, &w, "schema");
		json_object_end(&w);
	}
	json_list_end(&w);
	json_add_null(&w, "next");
	json_object_end(&w);
	answer(g, call->exchange, 200);
}

/* ── actions ───────────────────────────────────────────────────────────────────────────────────────────────── */

struct row {
	const char *id; /* in the topic: "action/{id}/state" */
	const struct mirror_doc *doc;
};

static const char *id_of(const struct mirror_doc *doc)
{
	return doc->topic + strlen("action/");
}

static int newest_first(const void *a, const void *b)
{
	return strcmp(((const struct row *)b)->id, ((const struct row *)a)->id);
}

static size_t collect(struct gateway *g, const char *cursor, struct arena *arena, struct row **ret)
{
	size_t n = 0, room = mirror_stats(g->mirror)->documents + 1;
	struct row *rows = arena_alloc(arena, room * sizeof(*rows));

	for (const struct mirror_doc *doc = mirror_after(g->mirror, 0); doc;
	     doc = mirror_next(doc)) {
		if (doc->gone || doc->id != TOPIC_ACTION_STATE || n == room)
			continue;
		/* ULIDs sort by time: a page begins below the last one of the page before. */
		if (cursor && strncmp(id_of(doc), cursor, strlen(cursor)) >= 0)
			continue;
		rows[n++] = (struct row){ id_of(doc), doc };
	}
	qsort(rows, n, sizeof(*rows), newest_first);
	*ret = rows;
	return n;
}

void actions_list(struct gateway *g, struct call *call)
{
	struct exchange *x = call->exchange;
	struct opt_i64 limit = { 0 };
	const char *cursor = query_text(x->request.query, "cursor", x->arena);
	struct str *out = &x->response.body;
	struct row *rows;
	size_t n, shown;

	if (query_number(x->request.query, "limit", &limit) < 0 ||
	    (limit.has && (limit.v < 1 || limit.v > ACTIONS_PAGE_MAX))) {
		answer_problem(g, x, 400, "limit: 1 to 200");
		return;
	}
	n = collect(g, cursor, x->arena, &rows);
	shown = min_of(n, (size_t)(limit.has ? limit.v : ACTIONS_PAGE));
	str_add(out, "{\"items\":[");
	for (size_t i = 0; i < shown; i++) {
		if (i)
			str_add_char(out, ',');
		str_add_n(out, rows[i].doc->text + rows[i].doc->json_at, rows[i].doc->json_len);
	}
	if (shown && shown < n)
		str_printf(out, "],\"next\":\"%.26s\"}", rows[shown - 1].id);
	else
		str_add(out, "],\"next\":null}");
	answer(g, x, 200);
}

static void answer_doc(struct gateway *g, struct call *call, const char *topic, const char *missing)
{
	const struct mirror_doc *doc = mirror_get(g->mirror, topic);

	if (!doc || doc->gone) {
		answer_problem(g, call->exchange, 404, missing);
		return;
	}
	str_add_n(&call->exchange->response.body, doc->text + doc->json_at, doc->json_len);
	answer(g, call->exchange, 200);
}

void actions_get(struct gateway *g, struct call *call)
{
	_cleanup_(freep) char *topic = xasprintf("action/%s/state", call->rest);

	answer_doc(g, call, topic, "there is no such action, or it is over since long");
}

void actions_autonomy(struct gateway *g, struct call *call)
{
	answer_doc(g, call, "autonomy/state", "the safety gate has not said anything yet");
}
