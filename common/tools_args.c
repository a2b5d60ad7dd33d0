/* SPDX-License-Identifier: MIT */
/*
 * Arguments of a tool: from JSON, strictly; to JSON, in one canonical form.
 */
#include "common/tools.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define PAIR_NUMBER_MAX INT64_C(999999999999999)
#define VMID_MIN 100
#define VMID_MAX 999999999

static size_t index_of(const struct tool *tool, const struct tool_arg *arg)
{
	return (size_t)(arg - tool->args);
}

static int wrong(struct tool_error *error, const struct tool_arg *arg, const char *what)
{
	(void)snprintf(error->text, sizeof(error->text), "%s: %s", arg->name, what);
	return -EINVAL;
}

/* Proxmox: guests' names are DNS names, nodes host names, storages and snapshots configuration ids. */
static bool is_name(const char *text)
{
	if (!isalnum((unsigned char)text[0]) || strlen(text) > TOOL_NAME_MAX)
		return false;
	for (const char *p = text; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			return false;
	}
	return true;
}

static bool is_digits(const char *text)
{
	return text[0] && strspn(text, "0123456789") == strlen(text);
}

/* "101" is a vmid as 101 is: nobody calls a guest so, and a form that quotes numbers means one. */
static int read_guest(const struct tool_arg *arg, const char *text, struct tool_value *ret,
		      struct tool_error *error)
{
	static const char allowed[] = "a vmid from 100 to 999999999, or a name";

	if (is_digits(text)) {
		/* A leading zero may be a typing error; nobody should have to guess. */
		if (text[0] == '0' || str_to_i64(text, VMID_MIN, VMID_MAX, &ret->i) < 0)
			return wrong(error, arg, allowed);
	} else if (is_name(text)) {
		ret->s = text;
	} else {
		return wrong(error, arg, allowed);
	}
	ret->has = true;
	return 0;
}

static bool is_word(const char *words, const char *text)
{
	size_t length = strlen(text);

	for (const char *at = words; *at; at += strcspn(at, " "), at += *at == ' ') {
		if (strcspn(at, " ") == length && length && memcmp(at, text, length) == 0)
			return true;
	}
	return false;
}

static const char *text_wanted(const struct tool_arg *arg)
{
	static const char *const patterns[PATTERN_COUNT] = {
		[PATTERN_LINE] = "one line of text, with nothing invisible in it",
		[PATTERN_UPID] = "a UPID as Proxmox prints it",
		[PATTERN_FILENAME] = "a file name of letters, digits and . _ + -",
		[PATTERN_HTTPS_URL] = "an https:// address with a path",
		[PATTERN_HEX] = "hexadecimal digits",
		[PATTERN_COMMAND] = "1 to 32 of a-z 0-9 _, the first a letter",
		[PATTERN_UNIT] = "the full name of a systemd unit, such as smbd.service",
	};

	return patterns[arg->pattern];
}

static int read_text(const struct tool_arg *arg, const char *text, struct tool_value *ret,
		     struct tool_error *error)
{
	*ret = (struct tool_value){ .has = true, .s = text };
	switch (arg->kind) {
	case ARG_NODE:
	case ARG_STORAGE:
	case ARG_SNAPSHOT:
	case ARG_CLUSTER:
		return is_name(text) ? 0 : wrong(error, arg, "not a name that Proxmox allows");
	case ARG_WORD:
		if (is_word(arg->words, text))
			return 0;
		(void)snprintf(error->text, sizeof(error->text), "%s: one of %s", arg->name,
			       arg->words);
		return -EINVAL;
	case ARG_TEXT:
		if (strlen(text) > (size_t)arg->max || !tool_pattern_match(arg->pattern, text))
			return wrong(error, arg, text_wanted(arg));
		return 0;
	default:
		return wrong(error, arg, "not text");
	}
}

static int read_integer(const struct tool_arg *arg, double number, struct tool_value *ret,
			struct tool_error *error)
{
	int64_t low = arg->kind == ARG_GUEST ? VMID_MIN : arg->min;
	int64_t high = arg->kind == ARG_GUEST ? VMID_MAX : arg->max;

	if (!(number >= (double)low && number <= (double)high) || number != floor(number)) {
		(void)snprintf(error->text, sizeof(error->text),
			       "%s: a whole number from %lld to %lld", arg->name, (long long)low,
			       (long long)high);
		return -EINVAL;
	}
	*ret = (struct tool_value){ .has = true, .i = (int64_t)number };
	return 0;
}

/* ── pairs ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* The value of a pair as text, or NULL: whole numbers as they are written, and a line of text. What it may be by its
   type, the gate's list says and the node's catalogue. */
static const char *pair_value(const cJSON *item, struct arena *arena)
{
	const char *text = item->valuestring;

	if (cJSON_IsNumber(item) && item->valuedouble >= 0 &&
	    item->valuedouble <= (double)PAIR_NUMBER_MAX &&
	    item->valuedouble == floor(item->valuedouble))
		return arena_printf(arena, "%lld", (long long)item->valuedouble);
	if (!cJSON_IsString(item) || !*text || strlen(text) > TOOL_PAIR_MAX)
		return NULL;
	return tool_pattern_match(PATTERN_LINE, text) ? text : NULL;
}

/* The pair with the next greater name; NULL when there is none. */
static const cJSON *next_pair(const cJSON *object, const char *last)
{
	const cJSON *best = NULL, *item;

	cJSON_ArrayForEach(item, object) {
		if (last && strcmp(item->string, last) <= 0)
			continue;
		if (!best || strcmp(item->string, best->string) < 0)
			best = item;
	}
	return best;
}

static int read_pairs(const struct tool_arg *arg, const cJSON *object, struct arena *arena,
		      struct tool_value *ret, struct tool_error *error)
{
	static const char wanted[] =
		"an object of at most 8 members, each a whole number or a line of text";
	_cleanup_(str_done) struct str text = { 0 };
	const cJSON *item = NULL;

	if (!cJSON_IsObject(object) || cJSON_GetArraySize(object) > TOOL_PAIRS_MAX)
		return wrong(error, arg, wanted);
	while ((item = next_pair(object, item ? item->string : NULL))) {
		const char *value = pair_value(item, arena);

		if (!value || !tool_pattern_match(PATTERN_COMMAND, item->string))
			return wrong(error, arg, wanted);
		str_printf(&text, "%s%s=%s", text.len ? "\n" : "", item->string, value);
	}
	/* Nothing in it is as if it had been left out. */
	*ret = (struct tool_value){ .has = text.len, .s = NULL };
	if (ret->has)
		ret->s = arena_strdup(arena, str_get(&text));
	return 0;
}

size_t tool_pairs_split(const char *text, struct arena *arena, struct tool_pair ret[TOOL_PAIRS_MAX])
{
	size_t n = 0;

	while (text && *text && n < TOOL_PAIRS_MAX) {
		size_t name = strcspn(text, "="), all = strcspn(text, "\n");

		ret[n++] = (struct tool_pair){
			arena_strndup(arena, text, name),
			arena_strndup(arena, text + name + 1, all - name - 1),
		};
		text += all + (text[all] == '\n');
	}
	return n;
}

static void write_pairs(const struct tool_arg *arg, const char *text, struct json_writer *w)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct tool_pair pairs[TOOL_PAIRS_MAX];
	size_t n = tool_pairs_split(text, arena, pairs);

	json_object_begin(w, arg->name);
	for (size_t i = 0; i < n; i++)
		json_add_str(w, pairs[i].name, pairs[i].value);
	json_object_end(w);
}

static int read_value(const struct tool_arg *arg, const cJSON *item, struct arena *arena,
		      struct tool_value *ret, struct tool_error *error)
{
	*ret = (struct tool_value){ 0 };
	if (arg->kind == ARG_FLAG) {
		if (!cJSON_IsBool(item))
			return wrong(error, arg, "true or false");
		*ret = (struct tool_value){ .has = true, .i = cJSON_IsTrue(item) };
		return 0;
	}
	if (arg->kind == ARG_PAIRS)
		return read_pairs(arg, item, arena, ret, error);
	if (cJSON_IsNumber(item) && (arg->kind == ARG_INT || arg->kind == ARG_GUEST))
		return read_integer(arg, item->valuedouble, ret, error);
	if (arg->kind == ARG_INT)
		return wrong(error, arg, "a whole number");
	if (!cJSON_IsString(item))
		return wrong(error, arg, arg->kind == ARG_GUEST ? "a vmid or a name" : "text");
	if (arg->kind == ARG_GUEST)
		return read_guest(arg, arena_strdup(arena, item->valuestring), ret, error);
	return read_text(arg, arena_strdup(arena, item->valuestring), ret, error);
}

/* Whether all that must be there is. */
static int check_needed(const struct tool_args *args, bool without_target, struct tool_error *error)
{
	const struct tool_arg *target = tool_target(args->tool);

	for (size_t i = 0; i < args->tool->args_n; i++) {
		const struct tool_arg *arg = &args->tool->args[i];
		bool is_elsewhere = without_target && arg == target;

		if (is_elsewhere && args->v[i].has)
			return wrong(error, arg, "either here or in targets, not both");
		if (arg->needed && !args->v[i].has && !is_elsewhere)
			return wrong(error, arg, "is missing");
	}
	return 0;
}

int tool_args_read(const struct tool *tool, const char *json, size_t length, bool without_target,
		   struct arena *arena, struct tool_args *ret, struct tool_error *error)
{
	_cleanup_(json_treep) cJSON *tree = NULL;
	struct json_error bad;
	const cJSON *item;

	*ret = (struct tool_args){ .tool = tool };
	if (json_parse(json, length, JSON_COMMAND, &tree, &bad) < 0) {
		(void)snprintf(error->text, sizeof(error->text), "args: %s", bad.text);
		return -EINVAL;
	}
	if (!cJSON_IsObject(tree)) {
		(void)snprintf(error->text, sizeof(error->text), "args: an object");
		return -EINVAL;
	}
	cJSON_ArrayForEach(item, tree) {
		const struct tool_arg *arg = tool_arg_find(tool, item->string);

		if (!arg) {
			(void)snprintf(error->text, sizeof(error->text),
				       "%.64s: %s has no such argument", item->string, tool->name);
			return -EINVAL;
		}
		if (read_value(arg, item, arena, &ret->v[index_of(tool, arg)], error) < 0)
			return -EINVAL;
	}
	return check_needed(ret, without_target, error);
}

int tool_args_set_target(struct tool_args *args, const char *text, struct arena *arena,
			 struct tool_error *error)
{
	const struct tool_arg *target = tool_target(args->tool);
	struct tool_value value = { 0 };
	int r;

	if (!target) {
		(void)snprintf(error->text, sizeof(error->text), "targets: %s has no target",
			       args->tool->name);
		return -EINVAL;
	}
	text = arena_strdup(arena, text);
	r = target->kind == ARG_GUEST ? read_guest(target, text, &value, error) :
					read_text(target, text, &value, error);
	if (r == 0)
		args->v[index_of(args->tool, target)] = value;
	return r;
}

struct tool_value tool_args_get(const struct tool_args *args, const char *name)
{
	const struct tool_arg *arg = tool_arg_find(args->tool, name);

	return arg ? args->v[index_of(args->tool, arg)] : (struct tool_value){ 0 };
}

void tool_args_set(struct tool_args *args, const char *name, struct tool_value value)
{
	args->v[index_of(args->tool, tool_arg_find(args->tool, name))] = value;
}

static void write_value(const struct tool_arg *arg, const struct tool_value *value,
			struct json_writer *w)
{
	if (arg->kind == ARG_FLAG)
		json_add_bool(w, arg->name, value->i);
	else if (arg->kind == ARG_PAIRS)
		write_pairs(arg, value->s, w);
	else if (value->s)
		json_add_str(w, arg->name, value->s);
	else
		json_add_i64(w, arg->name, value->i);
}

/* The argument that comes next after LAST by its bytes and has a value; -1 when there is none. */
static int next_by_name(const struct tool_args *args, const char *last)
{
	int best = -1;

	for (size_t i = 0; i < args->tool->args_n; i++) {
		const char *name = args->tool->args[i].name;

		if (!args->v[i].has || (last && strcmp(name, last) <= 0))
			continue;
		if (best < 0 || strcmp(name, args->tool->args[best].name) < 0)
			best = (int)i;
	}
	return best;
}

void tool_args_write(const struct tool_args *args, struct str *out)
{
	struct json_writer w = { .out = out };
	const char *last = NULL;
	int i;

	json_object_begin(&w, NULL);
	while ((i = next_by_name(args, last)) >= 0) {
		write_value(&args->tool->args[i], &args->v[i], &w);
		last = args->tool->args[i].name;
	}
	json_object_end(&w);
}
