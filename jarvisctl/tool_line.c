/* SPDX-License-Identifier: MIT */
/*
 * The reader of tools.h has the last word; here words only get their type.
 */
#include "jarvisctl/tool_line.h"

#include <errno.h>

static int add_flag(struct json_writer *w, const char *name, const char *value)
{
	if (!str_eq(value, "true") && !str_eq(value, "false"))
		return -EINVAL;
	json_add_bool(w, name, str_eq(value, "true"));
	return 0;
}

/* "count=3,host=pve" */
static int add_pairs(struct json_writer *w, const char *name, const char *value)
{
	json_object_begin(w, name);
	while (*value) {
		size_t all = strcspn(value, ","), key = strcspn(value, "=,");
		_cleanup_(freep) char *member = xstrndup(value, key);
		_cleanup_(freep) char *text = NULL;

		if (value[key] != '=')
			return -EINVAL;
		text = xstrndup(value + key + 1, all - key - 1);
		json_add_str(w, member, text);
		value += all + (value[all] == ',');
	}
	json_object_end(w);
	return 0;
}

static int add_value(struct json_writer *w, const struct tool_arg *arg, const char *value)
{
	bool is_number = *value && strspn(value, "0123456789") == strlen(value);
	int64_t number;

	switch (arg->kind) {
	case ARG_INT:
		if (str_to_i64(value, INT32_MIN, INT32_MAX, &number) < 0)
			return -EINVAL;
		json_add_i64(w, arg->name, number);
		return 0;
	case ARG_PAIRS:
		return add_pairs(w, arg->name, value);
	case ARG_FLAG:
		return add_flag(w, arg->name, value);
	case ARG_GUEST:
		if (is_number && str_to_i64(value, 0, INT32_MAX, &number) == 0) {
			json_add_i64(w, arg->name, number);
			return 0;
		}
		json_add_str(w, arg->name, value);
		return 0;
	default:
		json_add_str(w, arg->name, value);
		return 0;
	}
}

static const char *kind_word(const struct tool_arg *arg)
{
	switch (arg->kind) {
	case ARG_INT:
		return "N";
	case ARG_FLAG:
		return "true|false";
	case ARG_PAIRS:
		return "NAME=VALUE,…";
	case ARG_GUEST:
		return "VMID|NAME";
	case ARG_TEXT:
		return "TEXT";
	case ARG_WORD:
		return arg->words;
	default:
		return "NAME";
	}
}

static void add_kind(const struct tool_arg *arg, struct str *out)
{
	for (const char *c = kind_word(arg); *c; c++)
		str_add_char(out, *c == ' ' ? '|' : *c);
}

void tool_line_usage(const struct tool *tool, struct str *out)
{
	for (size_t i = 0; i < tool->args_n; i++) {
		const struct tool_arg *arg = &tool->args[i];

		str_printf(out, "%s%s%s=", i ? " " : "", arg->needed ? "" : "[", arg->name);
		add_kind(arg, out);
		str_add(out, arg->needed ? "" : "]");
	}
}

/* The argument that WORD is for, and where its value begins; NULL with a sentence. */
static const struct tool_arg *argument_of(const struct tool *tool, const char *word,
					  const char **value, struct str *error)
{
	const char *equals = strchr(word, '=');
	const struct tool_arg *arg;
	_cleanup_(freep) char *name = NULL;

	if (!equals) {
		*value = word;
		arg = tool_target(tool);
		if (!arg)
			str_printf(error, "%s: %s acts on nothing that has a name; write ARG=VALUE",
				   word, tool->name);
		return arg;
	}
	name = xstrndup(word, (size_t)(equals - word));
	*value = equals + 1;
	arg = tool_arg_find(tool, name);
	if (!arg)
		str_printf(error, "%s has no argument %s; it takes: ", tool->name, name);
	if (!arg)
		tool_line_usage(tool, error);
	return arg;
}

static int add_word(const struct tool *tool, const char *word, bool *given, struct json_writer *w,
		    struct str *error)
{
	const char *value = "";
	const struct tool_arg *arg = argument_of(tool, word, &value, error);

	if (!arg)
		return -EINVAL;
	if (given[arg - tool->args]) {
		str_printf(error, "%s is given twice", arg->name);
		return -EINVAL;
	}
	given[arg - tool->args] = true;
	if (add_value(w, arg, value) == 0)
		return 0;
	str_printf(error, "%s: %s, as ", arg->name, arg->doc);
	add_kind(arg, error);
	return -EINVAL;
}

/* Of "params.dir=/srv/a,b": the argument that holds pairs, and "dir=/srv/a,b"; NULL when WORD is no such word. */
static const struct tool_arg *pair_of(const struct tool *tool, const char *word, const char **pair)
{
	size_t n = strcspn(word, ".=");
	_cleanup_(freep) char *name = xstrndup(word, n);
	const struct tool_arg *arg = word[n] == '.' ? tool_arg_find(tool, name) : NULL;

	if (!arg || arg->kind != ARG_PAIRS)
		return NULL;
	*pair = word + n + 1;
	return arg;
}

/* All of them are one object, wherever they stand. No tool has two arguments of that kind. */
static int add_dotted(const struct tool *tool, char *const *words, size_t words_n,
		      const bool *given, struct json_writer *w, struct str *error)
{
	bool is_open = false;

	for (size_t i = 0; i < words_n; i++) {
		const char *pair = "";
		const struct tool_arg *arg = pair_of(tool, words[i], &pair);
		_cleanup_(freep) char *name = xstrndup(pair, strcspn(pair, "="));

		if (!arg)
			continue;
		if (given[arg - tool->args] || !strchr(pair, '=')) {
			str_printf(error, "%s: either %s=NAME=VALUE,… once, or %s.NAME=VALUE each",
				   words[i], arg->name, arg->name);
			return -EINVAL;
		}
		if (!is_open)
			json_object_begin(w, arg->name);
		is_open = true;
		json_add_str(w, name, strchr(pair, '=') + 1);
	}
	if (is_open)
		json_object_end(w);
	return 0;
}

int tool_line_build(const struct tool *tool, char *const *words, size_t words_n,
		    bool without_target, struct str *ret, struct str *error)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct json_writer w = { .out = ret };
	bool given[TOOL_ARGS_MAX] = { false };
	struct tool_error wrong;
	struct tool_args args;

	json_object_begin(&w, NULL);
	for (size_t i = 0; i < words_n; i++) {
		const char *pair;

		if (!pair_of(tool, words[i], &pair) &&
		    add_word(tool, words[i], given, &w, error) < 0)
			return -EINVAL;
	}
	if (add_dotted(tool, words, words_n, given, &w, error) < 0)
		return -EINVAL;
	json_object_end(&w);
	if (tool_args_read(tool, str_get(ret), ret->len, without_target, arena, &args, &wrong) == 0)
		return 0;
	str_printf(error, "%s; %s takes: ", wrong.text, tool->name);
	tool_line_usage(tool, error);
	return -EINVAL;
}
