/* SPDX-License-Identifier: MIT */
/*
 * The arguments of a tool as JSON Schema 2020-12: what models, MCP and OpenAPI are told. The gate judges by the
 * table itself and believes nobody who says that a value fits the schema.
 */
#include "common/tools.h"

#include <string.h>

static void write_words(struct json_writer *w, const char *words)
{
	json_list_begin(w, "enum");
	for (const char *at = words; *at; at += strcspn(at, " "), at += *at == ' ') {
		_cleanup_(freep) char *word = xstrndup(at, strcspn(at, " "));

		json_add_str(w, NULL, word);
	}
	json_list_end(w);
}

static void write_type(struct json_writer *w, const struct tool_arg *arg)
{
	switch (arg->kind) {
	case ARG_GUEST:
		json_list_begin(w, "type");
		json_add_str(w, NULL, "integer");
		json_add_str(w, NULL, "string");
		json_list_end(w);
		return;
	case ARG_INT:
		json_add_str(w, "type", "integer");
		json_add_i64(w, "minimum", arg->min);
		json_add_i64(w, "maximum", arg->max);
		return;
	case ARG_PAIRS:
		json_add_str(w, "type", "object");
		json_add_i64(w, "maxProperties", TOOL_PAIRS_MAX);
		json_object_begin(w, "additionalProperties");
		json_list_begin(w, "type");
		json_add_str(w, NULL, "string");
		json_add_str(w, NULL, "integer");
		json_list_end(w);
		json_add_i64(w, "minLength", 1);
		json_add_i64(w, "maxLength", TOOL_PAIR_MAX);
		json_object_end(w);
		return;
	case ARG_FLAG:
		json_add_str(w, "type", "boolean");
		return;
	case ARG_WORD:
		json_add_str(w, "type", "string");
		write_words(w, arg->words);
		return;
	default:
		json_add_str(w, "type", "string");
		json_add_i64(w, "maxLength", arg->kind == ARG_TEXT ? arg->max : TOOL_NAME_MAX);
		return;
	}
}

void tool_write_schema(const struct tool *tool, struct json_writer *w, const char *key)
{
	json_object_begin(w, key);
	json_add_str(w, "type", "object");
	json_object_begin(w, "properties");
	for (size_t i = 0; i < tool->args_n; i++) {
		json_object_begin(w, tool->args[i].name);
		write_type(w, &tool->args[i]);
		json_add_str(w, "description", tool->args[i].doc);
		json_object_end(w);
	}
	json_object_end(w);
	json_list_begin(w, "required");
	for (size_t i = 0; i < tool->args_n; i++) {
		if (tool->args[i].needed)
			json_add_str(w, NULL, tool->args[i].name);
	}
	json_list_end(w);
	json_add_bool(w, "additionalProperties", false);
	json_object_end(w);
}
