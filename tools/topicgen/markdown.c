/* SPDX-License-Identifier: MIT */
/*
 * The tables of topics.md.
 */
#include "tools/topicgen/topicgen.h"

static const char *kind_name(const struct field_def *f)
{
	static const char *const names[] = {
		[FIELD_STR] = "text",	       [FIELD_BOOL] = "boolean",
		[FIELD_I64] = "integer",       [FIELD_F64] = "number",
		[FIELD_STRS] = "list of text", [FIELD_NUMS] = "name → integer",
		[FIELD_RAW] = "any JSON",
	};

	return f->kind < countof(names) ? names[f->kind] : NULL;
}

static void print_kind(const struct field_def *f, struct str *out)
{
	switch (f->kind) {
	case FIELD_ENUM:
		for (size_t i = 0; i < f->enumeration->words_n; i++)
			str_printf(out, "%s`%s`", i ? " " : "", f->enumeration->words[i]);
		break;
	case FIELD_OBJ:
		str_printf(out, "[%s](#%s)", f->message->name, f->message->name);
		break;
	case FIELD_LIST:
		str_printf(out, "list of [%s](#%s)", f->message->name, f->message->name);
		break;
	case FIELD_MAP:
		str_printf(out, "name → [%s](#%s)", f->message->name, f->message->name);
		break;
	default:
		str_add(out, kind_name(f));
	}
	if (f->optional)
		str_add(out, " or null");
}

static void print_resolution(const struct field_def *f, struct str *out)
{
	if (f->resolution > 0)
		str_printf(out, "%.10g", f->resolution);
	else if (f->resolution < 0)
		str_add(out, "never");
}

static void print_message(const struct message_def *m, struct str *out)
{
	size_t n;
	const struct field_def *fields = m->fields(&n);

	str_printf(out,
		   "\n### %s\n\n%s\n\n| field | type | unit | published when it moved by | |\n"
		   "| --- | --- | --- | --- | --- |\n",
		   m->name, m->doc);
	for (size_t i = 0; i < n; i++) {
		str_printf(out, "| `%s` | ", fields[i].name);
		print_kind(&fields[i], out);
		str_printf(out, " | %s | ", fields[i].unit);
		print_resolution(&fields[i], out);
		str_printf(out, " | %s |\n", fields[i].doc);
	}
}

static void print_topic(const struct topic_def *t, struct str *out)
{
	str_printf(out, "| `%s` | %s | ", t->pattern, class_table[t->class].name);
	if (t->message == &message_bare)
		str_add(out, "bare word");
	else
		str_printf(out, "[%s](#%s)", t->message->name, t->message->name);
	str_add(out, " | ");
	print_mask(out, t->writers, ", ");
	str_add(out, " | ");
	if (strcmp(t->source, TOPIC_SOURCES) == 0)
		str_add(out, "is a source document");
	else if (*t->source)
		str_printf(out, "`%s`", t->source);
	str_printf(out, " | %s |\n", t->doc);
}

void print_markdown(struct str *out)
{
	str_add(out, "## Topics\n\nBelow `{base}/`.\n\n"
		     "| topic | class | payload | written by | source | |\n"
		     "| --- | --- | --- | --- | --- | --- |\n");
	for (int i = 0; i < TOPIC_COUNT; i++)
		print_topic(&topic_table[i], out);
	str_add(out, "\n## Payloads\n");
	for (const struct message_def *const *m = message_table; *m; m++)
		print_message(*m, out);
}
