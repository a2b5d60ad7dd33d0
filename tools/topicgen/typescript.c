/* SPDX-License-Identifier: MIT */
/*
 * web/src/generated/topics.ts: an interface a message, a union an enumeration, and the table of topics.
 */
#include "tools/topicgen/topicgen.h"

#include <ctype.h>

static void print_field_type(const struct field_def *f, struct str *out)
{
	switch (f->kind) {
	case FIELD_STR:
		str_add(out, "string");
		break;
	case FIELD_ENUM:
		print_camel(out, f->enumeration->name);
		break;
	case FIELD_BOOL:
		str_add(out, "boolean");
		break;
	case FIELD_I64:
	case FIELD_F64:
		str_add(out, "number");
		break;
	case FIELD_OBJ:
		print_camel(out, f->message->name);
		break;
	case FIELD_LIST:
		print_camel(out, f->message->name);
		str_add(out, "[]");
		break;
	case FIELD_STRS:
		str_add(out, "string[]");
		break;
	case FIELD_MAP:
		str_add(out, "Record<string, ");
		print_camel(out, f->message->name);
		str_add(out, ">");
		break;
	case FIELD_NUMS:
		str_add(out, "Record<string, number>");
		break;
	case FIELD_RAW:
		str_add(out, "unknown");
		break;
	}
	if (f->optional && f->kind != FIELD_RAW)
		str_add(out, " | null");
}

static void print_interface(const struct message_def *m, struct str *out)
{
	size_t n;
	const struct field_def *fields = m->fields(&n);

	str_printf(out, "\n/** %s */\nexport interface ", m->doc);
	print_camel(out, m->name);
	str_add(out, " {\n");
	for (size_t i = 0; i < n; i++) {
		str_printf(out, "\t/** %s%s%s */\n\t%s: ", fields[i].doc,
			   *fields[i].unit ? "; " : "", fields[i].unit, fields[i].name);
		print_field_type(&fields[i], out);
		str_add(out, ";\n");
	}
	str_add(out, "}\n");
}

static void print_enumeration(const struct enumeration_def *e, struct str *out)
{
	str_printf(out, "\n/** %s */\nexport type ", e->doc);
	print_camel(out, e->name);
	str_add(out, " =");
	for (size_t i = 0; i < e->words_n; i++)
		str_printf(out, "%s '%s'", i ? " |" : "", e->words[i]);
	str_add(out, ";\n");
}

static const char *owner_of(const struct topic_def *t)
{
	for (int i = 0; i < SERVICE_COUNT; i++) {
		if (t->writers == SERVICE_BIT(i))
			return service_table[i].name;
	}
	return "";
}

static void print_topics(struct str *out)
{
	str_add(out,
		"\n/** Every topic below the base. `source`: see topics.md, Freshness; '*' is a source document. */\n"
		"export const TOPICS = {\n");
	for (int i = 0; i < TOPIC_COUNT; i++) {
		const struct topic_def *t = &topic_table[i];

		str_printf(
			out,
			"\t%s: { pattern: '%s', class: '%s', message: '%s', owner: '%s', source: '%s' },\n",
			t->id, t->pattern, class_table[t->class].name, t->message->name,
			owner_of(t), t->source);
	}
	str_add(out, "} as const;\n");
}

static void print_payload_map(struct str *out)
{
	str_add(out, "\n/** Message name to its interface. */\nexport interface Messages {\n");
	for (const struct message_def *const *m = message_table; *m; m++) {
		str_printf(out, "\t%s: ", (*m)->name);
		print_camel(out, (*m)->name);
		str_add(out, ";\n");
	}
	str_add(out, "}\n");
}

void print_typescript(struct str *out)
{
	str_add(out, "// Printed by topicgen from common/*.def; do not edit.\n");
	for (const struct enumeration_def *const *e = enumeration_table; *e; e++)
		print_enumeration(*e, out);
	for (const struct message_def *const *m = message_table; *m; m++)
		print_interface(*m, out);
	print_payload_map(out);
	print_topics(out);
}
