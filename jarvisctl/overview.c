/* SPDX-License-Identifier: MIT */
/*
 * What is wrong stands above what is well, so that it is seen first, and on a small terminal at all.
 */
#include "jarvisctl/overview.h"

#include "common/alloc.h"
#include "jarvisctl/amount.h"
#include "jarvisctl/findable.h"
#include "jarvisctl/lists.h"

static void add_line(struct str *out, const struct overview_page *page, enum shade shade,
		     const char *text)
{
	show_shaded(out, text, shade, page->colour);
	str_add_char(out, '\n');
}

/* ── clusters ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_of(struct str *out, const char *what, struct opt_i64 part, struct opt_i64 whole)
{
	if (part.has && whole.has)
		str_printf(out, " · %lld of %lld %s", (long long)part.v, (long long)whole.v, what);
}

static void add_share(struct str *out, const char *what, struct opt_i64 part, struct opt_i64 whole)
{
	struct opt_f64 share = findable_share(part, whole);

	if (!share.has)
		return;
	str_printf(out, " · %s %.0f %% of ", what, share.v);
	amount_bytes(out, (double)whole.v, "B");
}

static void add_cluster(struct str *out, const struct overview_page *page,
			const struct world_doc *doc)
{
	const struct msg_cluster_state *c = doc->body;
	_cleanup_(str_done) struct str rest = { 0 };

	show_shaded(out, c->cluster, SHADE_STRONG, page->colour);
	str_add_char(out, ' ');
	if (doc->stale)
		show_shaded(out, "old", SHADE_WARN, page->colour);
	else if (c->standalone.has && c->standalone.v)
		show_shaded(out, "standalone", SHADE_GOOD, page->colour);
	else if (c->quorate.has)
		show_shaded(out, c->quorate.v ? "quorate" : "no quorum",
			    c->quorate.v ? SHADE_GOOD : SHADE_BAD, page->colour);
	else
		show_shaded(out, "quorum unknown", SHADE_WARN, page->colour);
	add_of(&rest, "votes", c->votes, c->votes_expected);
	add_of(&rest, "nodes", c->nodes_online, c->nodes);
	add_of(&rest, "guests run", c->guests_running, c->guests);
	if (c->cpu.has)
		str_printf(&rest, " · cpu %.0f %%", c->cpu.v);
	add_share(&rest, "memory", c->mem, c->maxmem);
	add_share(&rest, "storage", c->disk, c->maxdisk);
	add_line(out, page, doc->stale ? SHADE_DIM : SHADE_PLAIN, str_get(&rest));
}

/* ── what wants a look ─────────────────────────────────────────────────────────────────────────────────────── */

static void add_attentions(struct str *out, const struct overview_page *page,
			   const struct attentions *list, size_t room)
{
	size_t shown = list->n <= room ? list->n : max_of(room, (size_t)2) - 1;

	for (size_t i = 0; i < shown; i++) {
		const struct attention *a = &list->items[i];
		enum shade shade = a->is_critical ? SHADE_BAD : SHADE_WARN;

		show_shaded(out, a->is_critical ? " ✗ " : " ! ", shade, page->colour);
		show_shaded(out, a->text, shade, page->colour);
		if (a->detail) {
			str_add(out, ": ");
			show_shaded(out, a->detail, SHADE_DIM, page->colour);
		}
		str_add_char(out, '\n');
	}
	if (shown < list->n)
		str_printf(out, "   … and %zu more\n", list->n - shown);
}

/* ── actions, tasks, services ──────────────────────────────────────────────────────────────────────────────── */

static void add_action(struct str *out, const struct overview_page *page, const struct world *world,
		       const struct msg_action_state *a)
{
	_cleanup_(str_done) struct str text = { 0 };
	const char *tier = enumeration_word(&enumeration_tier, (int)a->tier);
	const char *target =
		a->steps_n ? a->steps[0].name ? a->steps[0].name : a->steps[0].object : NULL;

	show_shaded(out, " ▸ ", SHADE_STRONG, page->colour);
	show_shaded(out, tier, show_shade_of(tier), page->colour);
	str_printf(&text, " %s %s, asked by %s ", a->tool, target ? target : "",
		   a->actor && a->actor->name ? a->actor->name : a->principal);
	amount_duration(&text, world->wall_ms - a->created_ms);
	str_printf(&text, " ago%s%s", a->status == ACTION_WAITING ? ": jarvisctl approve " : ", ",
		   a->status == ACTION_WAITING ?
			   a->id :
			   enumeration_word(&enumeration_action_status, (int)a->status));
	add_line(out, page, SHADE_PLAIN, str_get(&text));
}

static void add_actions(struct str *out, const struct overview_page *page,
			const struct world *world)
{
	for (const struct world_doc *doc = NULL;
	     (doc = world_next(world, TOPIC_ACTION_STATE, doc));) {
		const struct msg_action_state *a = doc->body;

		if (a->status <= ACTION_RUNNING && !a->ended_ms.has)
			add_action(out, page, world, a);
	}
}

static void add_foot(struct str *out, const struct overview_page *page, const struct world *world)
{
	const struct world_doc *doc = world_find(world, TOPIC_AUTONOMY_STATE, NULL);
	const struct msg_autonomy_state *autonomy = doc ? doc->body : NULL;
	_cleanup_(str_done) struct str text = { 0 };
	size_t online = 0;

	for (doc = NULL; (doc = world_next(world, TOPIC_SERVICE_STATE, doc));)
		online += str_eq(doc->word, "online");
	str_printf(&text, "%zu service%s online", online, online == 1 ? "" : "s");
	if (autonomy)
		str_printf(&text, " · level %lld · %s", (long long)autonomy->level,
			   autonomy->frozen ? "frozen" : "not frozen");
	if (world->unread)
		str_printf(&text, " · %zu documents of another version", world->unread);
	str_printf(&text, " · %s%s", page->url, page->is_watched ? " · q ends" : "");
	add_line(out, page, SHADE_DIM, str_get(&text));
}

/* ── all of it ─────────────────────────────────────────────────────────────────────────────────────────────── */

static size_t count_lines(const struct str *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->len; i++)
		n += text->data[i] == '\n';
	return n;
}

void overview_text(const struct world *world, const struct attentions *attentions,
		   const struct overview_page *page, struct str *out)
{
	_cleanup_(str_done) struct str clusters = { 0 }, rest = { 0 };
	size_t used;

	for (const struct world_doc *doc = NULL;
	     (doc = world_next(world, TOPIC_CLUSTER_STATE, doc));)
		add_cluster(&clusters, page, doc);
	add_actions(&rest, page, world);
	list_add_table(LIST_NODES, world, page->colour, &rest);
	add_foot(&rest, page, world);
	used = count_lines(&clusters) + count_lines(&rest) + 1;
	str_add(out, str_get(&clusters));
	if (attentions->n)
		add_attentions(out, page, attentions, page->lines > used ? page->lines - used : 1);
	else
		add_line(out, page, SHADE_GOOD, " ✓ nothing wants a look");
	str_add(out, str_get(&rest));
}

static void add_json_docs(struct json_writer *w, const char *key, const struct world *world,
			  enum topic_id id)
{
	json_list_begin(w, key);
	for (const struct world_doc *doc = NULL; (doc = world_next(world, id, doc));)
		list_add_json(w, world, doc);
	json_list_end(w);
}

void overview_json(const struct world *world, const struct attentions *attentions, struct str *out)
{
	struct json_writer w = { .out = out };

	json_object_begin(&w, NULL);
	json_list_begin(&w, "attention");
	for (size_t i = 0; i < attentions->n; i++) {
		const struct attention *a = &attentions->items[i];

		json_object_begin(&w, NULL);
		json_add_str(&w, "severity", a->is_critical ? "critical" : "warning");
		json_add_str(&w, "text", a->text);
		json_add_str(&w, "detail", a->detail);
		json_object_end(&w);
	}
	json_list_end(&w);
	add_json_docs(&w, "clusters", world, TOPIC_CLUSTER_STATE);
	add_json_docs(&w, "nodes", world, TOPIC_NODE_STATE);
	add_json_docs(&w, "actions", world, TOPIC_ACTION_STATE);
	json_object_end(&w);
	str_add_char(out, '\n');
}
