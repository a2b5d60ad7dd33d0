/* SPDX-License-Identifier: MIT */
/*
 * Prometheus wants all samples of one name together, so each document is decoded once and then asked for one field
 * after the other.
 */
#include "services/gateway/metrics_text.h"

#include <math.h>
#include <stdio.h>

#include "common/codec.h"

#define LABELS_MAX (TOPIC_ARGS_MAX + 1)
#define NAME_MAX_BYTES 160

/* A decoded document of one topic. */
struct row {
	struct topic_args args;
	const void *value;
};

struct family {
	enum topic_id id;
	const struct field_def *outer; /* the list or map; NULL: none */
	const struct field_def *field;
	const struct row *rows;
	size_t rows_n;
};

void metrics_family(struct str *out, const char *name, const char *type, const char *help)
{
	str_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void add_label(struct str *out, bool first, const char *name, const char *value)
{
	str_printf(out, "%c%s=\"", first ? '{' : ',', name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			str_add_char(out, '\\');
		if (*value == '\n')
			str_add(out, "\\n");
		else
			str_add_char(out, *value);
	}
	str_add_char(out, '"');
}

void metrics_sample(struct str *out, const char *name, const char *const *labels, double value)
{
	struct json_writer w = { .out = out };
	bool first = true;

	str_add(out, name);
	for (; labels && labels[0]; labels += 2) {
		add_label(out, first, labels[0], labels[1]);
		first = false;
	}
	str_add(out, first ? " " : "} ");
	if (isfinite(value))
		json_add_f64(&w, NULL, value);
	else
		str_add(out, "NaN");
	str_add_char(out, '\n');
}

static bool is_number(const struct field_def *field)
{
	return field->metric && (field->kind == FIELD_I64 || field->kind == FIELD_F64);
}

/* The number in FIELD of VALUE; false when it is null. */
static bool read_number(const struct field_def *field, const void *value, double *ret)
{
	const char *at = (const char *)value + field->offset;

	if (field->kind == FIELD_I64) {
		const struct opt_i64 *opt = (const void *)at;

		*ret = (double)(field->optional ? opt->v : *(const int64_t *)(const void *)at);
		return !field->optional || opt->has;
	}
	*ret = field->optional ? ((const struct opt_f64 *)(const void *)at)->v :
				 *(const double *)(const void *)at;
	return !field->optional || ((const struct opt_f64 *)(const void *)at)->has;
}

static bool is_nested(const struct field_def *field)
{
	return field->kind == FIELD_LIST || field->kind == FIELD_MAP;
}

static bool has_numbers(const struct message_def *message, bool nested)
{
	size_t n;
	const struct field_def *fields = message->fields(&n);

	for (size_t i = 0; i < n; i++) {
		if (is_number(&fields[i]) ||
		    (nested && is_nested(&fields[i]) && has_numbers(fields[i].message, false)))
			return true;
	}
	return false;
}

bool metrics_has(enum topic_id id)
{
	return topic_table[id].class == CLASS_STATE && has_numbers(topic_table[id].message, true);
}

/* Elements of a list or map: how many, and where the first and its text label are. */
static size_t read_elements(const struct field_def *outer, const void *value, const char **ret)
{
	/* Every list is a pointer and, right after it, its length. */
	struct {
		const char *items;
		size_t n;
	} list;

	memcpy(&list, (const char *)value + outer->offset, sizeof(list));
	*ret = list.items;
	return list.n;
}

/* The first text of a message names an element of a list. */
static const struct field_def *name_field(const struct message_def *message)
{
	size_t n;
	const struct field_def *fields = message->fields(&n);

	for (size_t i = 0; i < n; i++) {
		if (fields[i].kind == FIELD_STR && !fields[i].optional)
			return &fields[i];
	}
	return NULL;
}

static size_t topic_labels(enum topic_id id, const struct topic_args *args, char words[][32],
			   const char **labels)
{
	size_t n = 0;

	for (size_t i = 0; i < args->n && topic_word(id, i, words[i]) == 0; i++) {
		labels[n++] = words[i];
		labels[n++] = args->value[i];
	}
	labels[n] = NULL;
	return n;
}

static void add_nested(struct str *out, const char *name, const struct family *f, const void *value,
		       const char **labels, size_t labels_n)
{
	const struct message_def *message = f->outer->message;
	const struct field_def *named = name_field(message);
	bool map = f->outer->kind == FIELD_MAP;
	size_t size = map ? message->map_size : message->size;
	const char *items;
	size_t n = read_elements(f->outer, value, &items);

	for (size_t i = 0; i < n; i++) {
		const char *item = items + i * size;
		const char *element = map ? item + message->map_offset : item;
		const char *label = NULL;
		double number;

		if (map)
			memcpy(&label, item, sizeof(label));
		else if (named)
			memcpy(&label, element + named->offset, sizeof(label));
		if (!label || !read_number(f->field, element, &number))
			continue;
		labels[labels_n] = map ? "key" : named->name;
		labels[labels_n + 1] = label;
		labels[labels_n + 2] = NULL;
		metrics_sample(out, name, labels, number);
	}
}

static void add_row(struct str *out, const char *name, const struct family *f,
		    const struct row *row)
{
	char words[TOPIC_ARGS_MAX][32];
	const char *labels[2 * LABELS_MAX + 1];
	size_t n = topic_labels(f->id, &row->args, words, labels);
	double number;

	if (f->outer)
		add_nested(out, name, f, row->value, labels, n);
	else if (read_number(f->field, row->value, &number))
		metrics_sample(out, name, labels, number);
}

static void add_family(struct str *out, const struct family *f)
{
	const struct message_def *message = topic_table[f->id].message;
	char name[NAME_MAX_BYTES];
	size_t before = out->len, head;
	_cleanup_(freep) char *help =
		xasprintf("%s%s%s%s", f->field->doc, f->field->unit[0] ? " (" : "", f->field->unit,
			  f->field->unit[0] ? ")" : "");

	(void)snprintf(name, sizeof(name), "jarvis_%s_%s%s%s", message->name,
		       f->outer ? f->outer->name : "", f->outer ? "_" : "", f->field->name);
	metrics_family(out, name, "gauge", help);
	head = out->len;
	for (size_t i = 0; i < f->rows_n; i++)
		add_row(out, name, f, &f->rows[i]);
	/* A family without samples says nothing. */
	if (out->len == head) {
		out->len = before;
		out->data[before] = '\0';
	}
}

static void add_families(struct str *out, struct family *f, const struct message_def *message)
{
	size_t n;
	const struct field_def *fields = message->fields(&n);

	for (size_t i = 0; i < n; i++) {
		f->field = &fields[i];
		if (is_number(f->field))
			add_family(out, f);
	}
	for (size_t i = 0; i < n && !f->outer; i++) {
		struct family nested = *f;

		if (!is_nested(&fields[i]))
			continue;
		nested.outer = &fields[i];
		add_families(out, &nested, fields[i].message);
	}
}

/* The documents of one topic, decoded. */
static size_t decode_rows(struct arena *arena, enum topic_id id, const struct metrics_doc *docs,
			  size_t n, struct row *rows)
{
	size_t rows_n = 0;

	for (size_t i = 0; i < n; i++) {
		struct row *row = &rows[rows_n];
		struct codec_error error;
		enum topic_id found;
		void *value;

		if (docs[i].id != id)
			continue;
		if (topic_parse(NULL, docs[i].topic, &found, &row->args) < 0 || found != id ||
		    codec_decode(topic_table[id].message, docs[i].json, docs[i].json_len,
				 JSON_STATE, CODEC_LENIENT, arena, &value, &error) < 0)
			continue;
		row->value = value;
		rows_n++;
	}
	return rows_n;
}

void metrics_add_docs(struct str *out, const struct metrics_doc *docs, size_t n)
{
	_cleanup_(freep) struct row *rows = xcalloc(n + 1, sizeof(*rows));
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	for (int id = 0; id < TOPIC_COUNT; id++) {
		struct family family = { .id = (enum topic_id)id, .rows = rows };

		if (!metrics_has(family.id))
			continue;
		family.rows_n = decode_rows(arena, family.id, docs, n, rows);
		if (family.rows_n)
			add_families(out, &family, topic_table[id].message);
		arena_reset(arena);
	}
}
