/* SPDX-License-Identifier: MIT */
/*
 * A table of kinds; what is not live is shown, and said to be so.
 */
#include "jarvisctl/lists.h"

#include "jarvisctl/amount.h"
#include "jarvisctl/findable.h"

#define FULL_WARN 85
#define FULL_BAD 95
#define BUSY_WARN 80
#define BUSY_BAD 95
#define HEADS_MAX 10

struct kind {
	enum topic_id id;
	const char *heads[HEADS_MAX + 1];
	unsigned right; /* columns of numbers */
	const char *none;
	/* Not in the list, though there is a document. */
	bool (*is_hidden)(const void *body);
	void (*add_cells)(const struct world *world, const struct world_doc *doc,
			  struct show_table *table);
};

/* ── rows ──────────────────────────────────────────────────────────────────────────────────────────────────── */

/* A status that is not live is a memory. */
static void add_status(struct show_table *table, const struct world_doc *doc, const char *word,
		       enum shade shade)
{
	_cleanup_(freep) char *old = doc->stale ? xasprintf("%s (old)", word) : NULL;

	show_cell(table, old ? old : word, doc->stale ? SHADE_DIM : shade);
}

static enum shade guest_shade(enum guest_status status)
{
	switch (status) {
	case GUEST_RUNNING:
		return SHADE_GOOD;
	case GUEST_STOPPED:
		return SHADE_DIM;
	case GUEST_IO_ERROR:
	case GUEST_INTERNAL_ERROR:
		return SHADE_BAD;
	default:
		return SHADE_WARN;
	}
}

static void add_backup(struct show_table *table, const struct world *world,
		       const struct world_doc *doc)
{
	enum backup_word word = findable_backup(world, doc);
	struct opt_i64 ms = findable_backup_ms(world, doc);
	_cleanup_(str_done) struct str text = { 0 };
	enum shade shade = SHADE_WARN;

	if (word == BACKUP_FAILED)
		shade = SHADE_BAD;
	if (word == BACKUP_FINE || word == BACKUP_UNKNOWN)
		shade = SHADE_DIM;
	if (word != BACKUP_FINE || !ms.has)
		str_add(&text, backup_word_text(word));
	if (ms.has) {
		str_add(&text, text.len ? ", " : "");
		amount_duration(&text, world->wall_ms - ms.v);
	}
	show_cell(table, str_get(&text), shade);
}

static bool is_template(const void *body)
{
	return ((const struct msg_guest_state *)body)->template;
}

static void add_guest(const struct world *world, const struct world_doc *doc,
		      struct show_table *table)
{
	const struct msg_guest_state *g = doc->body;
	_cleanup_(str_done) struct str tags = { 0 };

	for (size_t i = 0; i < g->tags_n; i++)
		str_printf(&tags, "%s%s", i ? " " : "", g->tags[i]);
	show_cell(table, doc->args.value[1], SHADE_PLAIN);
	show_cell(table, g->name, SHADE_STRONG);
	show_cell(table, g->type == GUEST_QEMU ? "vm" : "ct", SHADE_DIM);
	show_cell(table, g->node, SHADE_PLAIN);
	add_status(table, doc, enumeration_word(&enumeration_guest_status, (int)g->status),
		   guest_shade(g->status));
	amount_cell_percent(table, g->cpu, BUSY_WARN, BUSY_BAD);
	amount_cell_percent(table, findable_share(g->mem, g->maxmem), FULL_WARN, FULL_BAD);
	amount_cell_age(table, g->boot_ms, world->wall_ms);
	add_backup(table, world, doc);
	show_cell(table, str_get(&tags), SHADE_DIM);
}

static void add_node(const struct world *world, const struct world_doc *doc,
		     struct show_table *table)
{
	const struct msg_node_state *n = doc->body;
	struct opt_f64 celsius = findable_celsius(world, n->cluster, n->node);
	_cleanup_(freep) char *heat = celsius.has ? xasprintf("%.0f °C", celsius.v) : NULL;
	_cleanup_(freep) char *load = n->load1.has ? xasprintf("%.2f", n->load1.v) : NULL;
	static const enum shade shades[] = {
		[NODE_ONLINE] = SHADE_GOOD,
		[NODE_OFFLINE] = SHADE_BAD,
		[NODE_UNKNOWN] = SHADE_WARN,
	};

	show_cell(table, n->node, SHADE_STRONG);
	add_status(table, doc, enumeration_word(&enumeration_node_status, (int)n->status),
		   shades[n->status]);
	amount_cell_percent(table, n->cpu, BUSY_WARN, BUSY_BAD);
	show_cell(table, load ? load : AMOUNT_UNKNOWN, load ? SHADE_PLAIN : SHADE_DIM);
	amount_cell_percent(table, findable_share(n->mem, n->maxmem), FULL_WARN, FULL_BAD);
	amount_cell_bytes(table, n->maxmem);
	amount_cell_percent(table, findable_share(n->disk, n->maxdisk), FULL_WARN, FULL_BAD);
	show_cell(table, heat ? heat : AMOUNT_UNKNOWN, heat ? SHADE_PLAIN : SHADE_DIM);
	amount_cell_age(table, n->boot_ms, world->wall_ms);
	show_cell(table, n->version, SHADE_DIM);
}

static void add_storage(const struct world *world, const struct world_doc *doc,
			struct show_table *table)
{
	const struct msg_storage_state *s = doc->body;
	static const enum shade shades[] = {
		[STORAGE_AVAILABLE] = SHADE_GOOD,
		[STORAGE_INACTIVE] = SHADE_BAD,
		[STORAGE_DISABLED] = SHADE_DIM,
		[STORAGE_UNKNOWN] = SHADE_WARN,
	};
	_cleanup_(str_done) struct str content = { 0 };

	(void)world;
	for (size_t i = 0; i < s->content_n; i++)
		str_printf(&content, "%s%s", i ? " " : "", s->content[i]);
	show_cell(table, s->storage, SHADE_STRONG);
	show_cell(table, s->node ? s->node : "shared", SHADE_PLAIN);
	show_cell(table, s->type, SHADE_DIM);
	add_status(table, doc, enumeration_word(&enumeration_storage_status, (int)s->status),
		   shades[s->status]);
	amount_cell_percent(table, findable_share(s->used, s->total), FULL_WARN, FULL_BAD);
	amount_cell_bytes(table, s->used);
	amount_cell_bytes(table, s->total);
	show_cell(table, str_get(&content), SHADE_DIM);
}

static const struct kind kinds[] = {
	[LIST_GUESTS] = {
		TOPIC_GUEST_STATE,
		{ "VMID", "NAME", "TYPE", "NODE", "STATUS", "CPU", "MEM", "UP", "BACKUP", "TAGS" },
		1u << 0 | 1u << 5 | 1u << 6 | 1u << 7,
		"no guest",
		is_template,
		add_guest,
	},
	[LIST_NODES] = {
		TOPIC_NODE_STATE,
		{ "NODE", "STATUS", "CPU", "LOAD", "MEM", "OF", "ROOT", "TEMP", "UP", "VERSION" },
		1u << 2 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 7 | 1u << 8,
		"no node",
		NULL,
		add_node,
	},
	[LIST_STORAGES] = {
		TOPIC_STORAGE_STATE,
		{ "STORAGE", "NODE", "TYPE", "STATUS", "FULL", "USED", "OF", "CONTENT" },
		1u << 4 | 1u << 5 | 1u << 6,
		"no storage",
		NULL,
		add_storage,
	},
};

/* ── the list ──────────────────────────────────────────────────────────────────────────────────────────────── */

struct listing {
	const struct kind *kind;
	const struct world *world;
	const struct search *search; /* NULL: all */
	bool has_clusters;	     /* more than one: a row says whose it is */
	bool json;
	size_t rows;
	struct show_table table;
	struct json_writer w;
};

static void begin(struct listing *l)
{
	size_t n = 0;

	if (l->json) {
		json_object_begin(&l->w, NULL);
		json_list_begin(&l->w, "items");
		return;
	}
	while (l->kind->heads[n])
		n++;
	l->table.columns = n + l->has_clusters;
	l->table.right = l->kind->right << l->has_clusters;
	if (l->has_clusters)
		show_cell(&l->table, "CLUSTER", SHADE_DIM);
	for (size_t i = 0; i < n; i++)
		show_cell(&l->table, l->kind->heads[i], SHADE_DIM);
}

void list_add_json(struct json_writer *w, const struct world *world, const struct world_doc *doc)
{
	char *text;

	json_object_begin(w, NULL);
	json_add_str(w, "topic", doc->topic);
	json_add_bool(w, "live", !doc->stale);
	json_add_str(w, "why", doc->stale);
	if (doc->id == TOPIC_GUEST_STATE)
		json_add_str(w, "backup", backup_word_text(findable_backup(world, doc)));
	text = cJSON_PrintUnformatted(doc->json);
	json_add_raw(w, "state", text);
	cJSON_free(text);
	json_object_end(w);
}

static void add(struct listing *l, const struct world_doc *doc)
{
	struct search_item item;

	if (l->kind->is_hidden && l->kind->is_hidden(doc->body))
		return;
	if (l->search) {
		findable_fill(l->world, doc, &item);
		if (!search_test(l->search, &item))
			return;
	}
	l->rows++;
	if (l->json) {
		list_add_json(&l->w, l->world, doc);
		return;
	}
	if (l->has_clusters)
		show_cell(&l->table, doc->args.value[0], SHADE_PLAIN);
	l->kind->add_cells(l->world, doc, &l->table);
}

static bool has_clusters(const struct world *world)
{
	const struct world_doc *first = world_next(world, TOPIC_CLUSTER_STATE, NULL);

	return first && world_next(world, TOPIC_CLUSTER_STATE, first);
}

size_t list_add(enum list_kind kind, const struct world *world, const struct search *search,
		bool colour, bool json, struct str *out)
{
	struct listing l = {
		.kind = &kinds[kind],
		.world = world,
		.search = search,
		.has_clusters = has_clusters(world),
		.json = json,
		.table.colour = colour,
		.w.out = out,
	};
	_cleanup_(str_done) struct str text = { 0 };

	begin(&l);
	for (const struct world_doc *doc = NULL; (doc = world_next(world, l.kind->id, doc));)
		add(&l, doc);
	if (json) {
		json_list_end(&l.w);
		json_object_end(&l.w);
		str_add_char(out, '\n');
		return l.rows;
	}
	show_table(&l.table, &text);
	if (l.rows)
		str_add(out, str_get(&text));
	else
		str_printf(out, "%s is found\n", l.kind->none);
	return l.rows;
}

void list_add_table(enum list_kind kind, const struct world *world, bool colour, struct str *out)
{
	(void)list_add(kind, world, NULL, colour, false, out);
}
