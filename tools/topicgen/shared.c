/* SPDX-License-Identifier: MIT */
/*
 * What several printers need: quoting, names, JSON schemas.
 */
#include "tools/topicgen/topicgen.h"

#include "common/json.h"

#include <ctype.h>

void print_quoted(struct str *out, const char *text)
{
	struct json_writer w = { .out = out };

	json_add_str(&w, NULL, text);
}

void print_camel(struct str *out, const char *name)
{
	bool upper = true;

	for (; *name; name++) {
		if (*name == '_' || *name == '-') {
			upper = true;
			continue;
		}
		str_add_char(out, upper ? (char)toupper((unsigned char)*name) : *name);
		upper = false;
	}
}

void print_mask(struct str *out, service_mask mask, const char *separator)
{
	const char *before = "";

	if ((mask & MASK_ANY_SERVICE) == MASK_ANY_SERVICE) {
		str_add(out, "any service");
		mask &= ~MASK_ANY_SERVICE;
		before = separator;
	}
	for (int i = 0; i < SERVICE_COUNT; i++) {
		if (!(mask & SERVICE_BIT(i)))
			continue;
		str_printf(out, "%s%s", before, service_table[i].name);
		before = separator;
	}
	if (mask & MASK_REMOTES) {
		str_printf(out, "%sremotes", before);
		before = separator;
	}
	if (mask & MASK_VIEWERS)
		str_printf(out, "%sviewers", before);
}

/* ── JSON schema ───────────────────────────────────────────────────────────────────────────────────────────── */

struct schema_printer {
	struct str *out;
	int indent;
	const char *base;
};

static void line(const struct schema_printer *p, int deeper, const char *text)
{
	str_printf(p->out, "%*s%s\n", p->indent + deeper, "", text);
}

static void print_reference(const struct schema_printer *p, int deeper, const struct message_def *m)
{
	str_printf(p->out, "%*s$ref: \"%s%s\"\n", p->indent + deeper, "", p->base, m->name);
}

static void print_words(const struct schema_printer *p, const struct field_def *f)
{
	str_printf(p->out, "%*senum: [", p->indent + 4, "");
	for (size_t i = 0; i < f->enumeration->words_n; i++) {
		str_add(p->out, i ? ", " : "");
		print_quoted(p->out, f->enumeration->words[i]);
	}
	/* In JSON Schema null must be among the values too. */
	str_add(p->out, f->optional ? ", null]\n" : "]\n");
}

static void print_type(const struct schema_printer *p, const struct field_def *f, const char *type)
{
	if (f->optional)
		str_printf(p->out, "%*stype: [%s, \"null\"]\n", p->indent + 4, "", type);
	else
		str_printf(p->out, "%*stype: %s\n", p->indent + 4, "", type);
}

static void print_object_field(const struct schema_printer *p, const struct field_def *f)
{
	if (!f->optional) {
		print_reference(p, 4, f->message);
		return;
	}
	line(p, 4, "oneOf:");
	str_printf(p->out, "%*s- $ref: \"%s%s\"\n", p->indent + 6, "", p->base, f->message->name);
	line(p, 6, "- type: \"null\"");
}

static void print_list_field(const struct schema_printer *p, const struct field_def *f)
{
	line(p, 4, "type: array");
	str_printf(p->out, "%*smaxItems: %zu\n", p->indent + 4, "", f->max);
	line(p, 4, "items:");
	if (f->kind == FIELD_LIST)
		print_reference(p, 6, f->message);
	else
		line(p, 6, "type: string");
}

static void print_map_field(const struct schema_printer *p, const struct field_def *f)
{
	line(p, 4, "type: object");
	str_printf(p->out, "%*smaxProperties: %zu\n", p->indent + 4, "", f->max);
	line(p, 4, "additionalProperties:");
	if (f->kind == FIELD_MAP)
		print_reference(p, 6, f->message);
	else
		line(p, 6, "type: integer");
}

static void print_field(const struct schema_printer *p, const struct field_def *f)
{
	str_printf(p->out, "%*s%s:\n", p->indent + 2, "", f->name);
	if (f->kind != FIELD_OBJ || f->optional) {
		str_printf(p->out, "%*sdescription: ", p->indent + 4, "");
		print_quoted(p->out, f->doc);
		str_add_char(p->out, '\n');
	}
	switch (f->kind) {
	case FIELD_STR:
		print_type(p, f, "string");
		str_printf(p->out, "%*smaxLength: %zu\n", p->indent + 4, "", f->max);
		return;
	case FIELD_ENUM:
		print_type(p, f, "string");
		print_words(p, f);
		return;
	case FIELD_BOOL:
		print_type(p, f, "boolean");
		return;
	case FIELD_I64:
		print_type(p, f, "integer");
		return;
	case FIELD_F64:
		print_type(p, f, "number");
		return;
	case FIELD_OBJ:
		print_object_field(p, f);
		return;
	case FIELD_LIST:
	case FIELD_STRS:
		print_list_field(p, f);
		return;
	case FIELD_MAP:
	case FIELD_NUMS:
		print_map_field(p, f);
		return;
	case FIELD_RAW:
		return; /* anything */
	}
}

static bool is_required(const struct field_def *f)
{
	return !f->optional && f->kind != FIELD_LIST && f->kind != FIELD_STRS &&
	       f->kind != FIELD_MAP && f->kind != FIELD_NUMS;
}

static void print_required(const struct schema_printer *p, const struct field_def *fields, size_t n)
{
	const char *before = "";

	str_printf(p->out, "%*srequired: [", p->indent, "");
	for (size_t i = 0; i < n; i++) {
		if (!is_required(&fields[i]))
			continue;
		str_printf(p->out, "%s%s", before, fields[i].name);
		before = ", ";
	}
	str_add(p->out, "]\n");
}

void print_schema(struct str *out, const struct message_def *message, int indent, const char *base)
{
	struct schema_printer p = { out, indent, base };
	size_t n;
	const struct field_def *fields = message->fields(&n);

	str_printf(out, "%*sdescription: ", indent, "");
	print_quoted(out, message->doc);
	str_add_char(out, '\n');
	if (message == &message_bare) {
		line(&p, 0, "type: string");
		return;
	}
	line(&p, 0, "type: object");
	print_required(&p, fields, n);
	line(&p, 0, "properties:");
	for (size_t i = 0; i < n; i++)
		print_field(&p, &fields[i]);
}
