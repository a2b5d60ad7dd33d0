/* SPDX-License-Identifier: MIT */
/*
 * The only file that knows libyaml: its events become a tree. The stack of open containers is our own and has a
 * fixed depth, so that no input nests its way through the C stack.
 */
#include "common/yaml_tree.h"

#include <stdio.h>

#include <yaml.h>

#include "common/str.h"

#define DEPTH_MAX 16
#define NODES_MAX 100000

struct builder {
	struct arena *arena;
	yaml_error_fn on_error;
	void *ctx;
	struct ynode *root;
	struct ynode *open[DEPTH_MAX];
	struct ynode *pending[DEPTH_MAX]; /* key of an open map whose value is next */
	size_t depth;
	size_t nodes;
	size_t documents;
	bool is_end;
	bool is_broken; /* and so is the tree */
};

static void report(struct builder *b, const yaml_mark_t *mark, const char *text)
{
	b->on_error(b->ctx, mark->line + 1, mark->column + 1, text);
}

static void report_fatal(struct builder *b, const yaml_mark_t *mark, const char *text)
{
	report(b, mark, text);
	b->is_broken = true;
}

static void append(struct ynode *parent, struct ynode *node)
{
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->n++;
}

/* Puts NODE where the events stand: as the root, an element, a key, or a value. */
static void attach(struct builder *b, struct ynode *node)
{
	struct ynode *parent = b->depth ? b->open[b->depth - 1] : NULL;
	struct ynode **pending = b->depth ? &b->pending[b->depth - 1] : NULL;

	if (!parent) {
		b->root = node;
	} else if (parent->kind == YNODE_LIST) {
		append(parent, node);
	} else if (!*pending) {
		*pending = node;
	} else {
		node->key = take(*pending);
		append(parent, node);
	}
}

static struct ynode *add_node(struct builder *b, const yaml_event_t *event, enum ynode_kind kind)
{
	struct ynode *node;

	if (++b->nodes > NODES_MAX) {
		report_fatal(b, &event->start_mark, "the file has too many elements");
		return NULL;
	}
	node = arena_alloc(b->arena, sizeof(*node));
	node->kind = kind;
	node->line = event->start_mark.line + 1;
	node->column = event->start_mark.column + 1;
	attach(b, node);
	return node;
}

static void check_extras(struct builder *b, const yaml_event_t *event, const yaml_char_t *anchor,
			 const yaml_char_t *tag)
{
	if (anchor)
		report(b, &event->start_mark,
		       "anchors (&name) are not allowed; write the value out");
	if (tag)
		report(b, &event->start_mark,
		       "tags (!name) are not allowed; write the plain value");
}

static bool has_control(const unsigned char *text, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (text[i] < 0x20 || text[i] == 0x7f)
			return true;
	}
	return false;
}

static bool is_null(const yaml_event_t *event, const char *text)
{
	if (event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE)
		return false;
	return !*text || str_eq(text, "~") || str_eq(text, "null");
}

static void on_scalar(struct builder *b, const yaml_event_t *event)
{
	const unsigned char *value = event->data.scalar.value;
	size_t length = event->data.scalar.length;
	struct ynode *node = add_node(b, event, YNODE_TEXT);

	if (!node)
		return;
	check_extras(b, event, event->data.scalar.anchor, event->data.scalar.tag);
	if (has_control(value, length)) {
		report(b, &event->start_mark,
		       "line break or control character in a text; write it in one line");
		node->kind = YNODE_BAD;
		return;
	}
	node->text = arena_strndup(b->arena, (const char *)value, length);
	node->null = is_null(event, node->text);
}

static void on_alias(struct builder *b, const yaml_event_t *event)
{
	report(b, &event->start_mark,
	       "aliases (*name) are not allowed; write the value out, or put quotes round it");
	(void)add_node(b, event, YNODE_BAD);
}

static void on_open(struct builder *b, const yaml_event_t *event, enum ynode_kind kind)
{
	struct ynode *node = add_node(b, event, kind);

	if (!node)
		return;
	if (kind == YNODE_LIST)
		check_extras(b, event, event->data.sequence_start.anchor,
			     event->data.sequence_start.tag);
	else
		check_extras(b, event, event->data.mapping_start.anchor,
			     event->data.mapping_start.tag);
	if (b->depth == DEPTH_MAX) {
		report_fatal(b, &event->start_mark, "nested too deeply; at most 16 levels");
		return;
	}
	b->pending[b->depth] = NULL;
	b->open[b->depth++] = node;
}

static void on_event(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		on_scalar(b, event);
		return;
	case YAML_ALIAS_EVENT:
		on_alias(b, event);
		return;
	case YAML_SEQUENCE_START_EVENT:
		on_open(b, event, YNODE_LIST);
		return;
	case YAML_MAPPING_START_EVENT:
		on_open(b, event, YNODE_MAP);
		return;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return;
	case YAML_DOCUMENT_START_EVENT:
		if (!b->documents++)
			return;
		report(b, &event->start_mark, "a second document (---) is not allowed");
		b->is_end = true;
		return;
	case YAML_STREAM_END_EVENT:
		b->is_end = true;
		return;
	default:
		return;
	}
}

static void report_syntax(struct builder *b, const yaml_parser_t *parser)
{
	const char *problem = parser->problem ? parser->problem : "cannot be read";
	char text[256];

	if (parser->context)
		(void)snprintf(text, sizeof(text), "not YAML: %s (%s)", problem, parser->context);
	else
		(void)snprintf(text, sizeof(text), "not YAML: %s", problem);
	report_fatal(b, parser->error == YAML_READER_ERROR ? &parser->mark : &parser->problem_mark,
		     text);
}

struct ynode *yaml_tree_parse(struct arena *arena, const char *text, size_t length,
			      yaml_error_fn on_error, void *ctx)
{
	struct builder b = { .arena = arena, .on_error = on_error, .ctx = ctx };
	yaml_parser_t parser;

	if (!yaml_parser_initialize(&parser))
		abort();
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	while (!b.is_broken && !b.is_end) {
		yaml_event_t event;

		if (!yaml_parser_parse(&parser, &event)) {
			report_syntax(&b, &parser);
			break;
		}
		on_event(&b, &event);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return b.is_broken ? NULL : b.root;
}

const struct ynode *ynode_get(const struct ynode *map, const char *key)
{
	if (!map || map->kind != YNODE_MAP)
		return NULL;
	for (const struct ynode *v = map->first; v; v = v->next) {
		if (v->key->kind == YNODE_TEXT && str_eq(v->key->text, key))
			return v->kind == YNODE_TEXT && v->null ? NULL : v;
	}
	return NULL;
}

const struct ynode *ynode_at(const struct ynode *node, size_t index)
{
	const struct ynode *child = node ? node->first : NULL;

	for (; child && index; index--)
		child = child->next;
	return child;
}
