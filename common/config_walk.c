/* SPDX-License-Identifier: MIT */
/*
 * From the YAML tree to the structs, by the tables: one function for each kind of key. A default goes the same
 * way as a value from the file, so that the table holds nothing that a file could not say.
 */
#include "common/config_parts.h"

#include <errno.h>

#define KEYS_MAX 1024 /* of one map in the file */

struct walker {
	struct arena *arena;
	struct config_errors *errors;
	struct str key; /* where we are: "clusters.home.nodes" */
};

/* What to set: TARGET is the member of the section's struct; NODE is never a null. */
typedef void (*key_fn)(struct walker *w, const struct key_def *key, const struct ynode *node,
		       void *target);

static void walk_section(struct walker *w, const struct section_def *section,
			 const struct ynode *node, void *target);

#define complain(w, node, ...)                                                                     \
	config_error_add((w)->errors, (node)->line, (node)->column, str_get(&(w)->key), __VA_ARGS__)

/* Steps into a key; answers what key_leave() wants. */
static size_t key_enter(struct walker *w, const char *name)
{
	size_t length = w->key.len;

	if (length)
		str_add_char(&w->key, '.');
	str_printf(&w->key, "%.*s", TOPIC_LEVEL_MAX, name);
	return length;
}

static void key_leave(struct walker *w, size_t length)
{
	w->key.len = length;
	if (w->key.data)
		w->key.data[length] = '\0';
}

static bool is_null(const struct ynode *node)
{
	return !node || (node->kind == YNODE_TEXT && node->null);
}

static bool is_bad_key(const struct ynode *value)
{
	return value->key->kind != YNODE_TEXT;
}

/* ── maps ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct ynode *find_earlier(const struct ynode *map, const struct ynode *value)
{
	for (const struct ynode *v = map->first; v != value; v = v->next) {
		if (!is_bad_key(v) && str_eq(v->key->text, value->key->text))
			return v;
	}
	return NULL;
}

/* Complains about keys that are given twice, or are no text. False when the map is not to be read at all. */
static bool check_keys(struct walker *w, const struct ynode *map)
{
	if (map->n > KEYS_MAX) {
		complain(w, map, "has %zu keys; at most %d", map->n, KEYS_MAX);
		return false;
	}
	for (const struct ynode *v = map->first; v; v = v->next) {
		const struct ynode *earlier = is_bad_key(v) ? NULL : find_earlier(map, v);
		size_t length;

		if (v->key->kind == YNODE_LIST || v->key->kind == YNODE_MAP)
			complain(w, v->key, "a list or map cannot be a key; write a word");
		if (!earlier)
			continue;
		length = key_enter(w, v->key->text);
		complain(w, v->key, "given twice, first in line %zu; keep one of them",
			 earlier->key->line);
		key_leave(w, length);
	}
	return true;
}

/* NODE as a map that may be read; else complains. */
static bool expect_map(struct walker *w, const struct ynode *node, const char *what)
{
	if (node->kind == YNODE_BAD)
		return false;
	if (node->kind != YNODE_MAP) {
		complain(w, node, "is %s; must be %s",
			 node->kind == YNODE_LIST ? "a list" : "a single value", what);
		return false;
	}
	return check_keys(w, node);
}

/* ── single values ─────────────────────────────────────────────────────────────────────────────────────────── */

static bool expect_text(struct walker *w, const struct ynode *node, const char *allowed)
{
	if (node->kind == YNODE_TEXT)
		return true;
	if (node->kind != YNODE_BAD)
		complain(w, node, "is a %s; must be %s",
			 node->kind == YNODE_LIST ? "list" : "section", allowed);
	return false;
}

static void walk_text(struct walker *w, enum config_check check, const struct ynode *node,
		      const char **ret)
{
	const char *allowed = config_check_allowed(check);

	if (!expect_text(w, node, allowed))
		return;
	if (config_check_text(check, w->arena, node->text, ret) < 0)
		complain(w, node, "is not right; must be %s", allowed);
}

static void walk_str(struct walker *w, const struct key_def *key, const struct ynode *node,
		     void *target)
{
	walk_text(w, key->check, node, target);
}

static void walk_int(struct walker *w, const struct key_def *key, const struct ynode *node,
		     void *target)
{
	int r;

	if (!expect_text(w, node, "a whole number"))
		return;
	r = config_int_parse(node->text, key->min, key->max, target);
	if (r < 0)
		complain(w, node, "%s; must be a whole number from %lld to %lld",
			 r == -ERANGE ? "is out of range" : "is not a number", (long long)key->min,
			 (long long)key->max);
}

static void walk_bool(struct walker *w, _unused_ const struct key_def *key,
		      const struct ynode *node, void *target)
{
	bool *ret = target;

	if (!expect_text(w, node, "true or false"))
		return;
	if (!str_eq(node->text, "true") && !str_eq(node->text, "false"))
		complain(w, node, "is not right; must be true or false");
	else
		*ret = str_eq(node->text, "true");
}

static void walk_duration(struct walker *w, const struct key_def *key, const struct ynode *node,
			  void *target)
{
	int64_t value, min = 0, max = 0, *ret = target;

	if (!expect_text(w, node, "a time such as 10s"))
		return;
	(void)config_duration_parse(key->shortest, &min);
	(void)config_duration_parse(key->longest, &max);
	if (config_duration_parse(node->text, &value) < 0)
		complain(w, node,
			 "is not a time; must be a number with ms, s, m, h or d, from %s to %s",
			 key->shortest, key->longest);
	else if (value < min || value > max)
		complain(w, node, "is out of range; must be from %s to %s", key->shortest,
			 key->longest);
	else
		*ret = value;
}

static void list_words(const char *const *words, struct str *out)
{
	for (; *words; words++) {
		if (**words)
			str_printf(out, "%s%s", out->len ? ", " : "", *words);
	}
}

static void walk_enum(struct walker *w, const struct key_def *key, const struct ynode *node,
		      void *target)
{
	_cleanup_(str_done) struct str allowed = { 0 };
	int *ret = target;

	list_words(key->words, &allowed);
	if (!expect_text(w, node, str_get(&allowed)))
		return;
	for (int i = 0; key->words[i]; i++) {
		if (*key->words[i] && str_eq(key->words[i], node->text)) {
			*ret = i;
			return;
		}
	}
	complain(w, node, "is unknown; must be one of %s", str_get(&allowed));
}

/* ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* A list of texts into ITEMS and N. */
static void walk_items(struct walker *w, const struct key_def *key, const struct ynode *node,
		       const char *const **items, size_t *n)
{
	const char **texts;
	size_t i = 0, length = w->key.len;

	if (node->kind == YNODE_BAD)
		return;
	if (node->kind != YNODE_LIST) {
		complain(w, node, "must be a list: [one, two], or lines that begin with '- '");
		return;
	}
	if (node->n > (size_t)key->max) {
		complain(w, node, "has %zu elements; at most %lld", node->n, (long long)key->max);
		return;
	}
	texts = arena_alloc(w->arena, (node->n + 1) * sizeof(*texts));
	for (const struct ynode *v = node->first; v; v = v->next, i++) {
		texts[i] = "";
		str_printf(&w->key, "[%zu]", i);
		walk_text(w, key->check, v, &texts[i]);
		key_leave(w, length);
	}
	*items = texts;
	*n = i;
}

static void walk_strs(struct walker *w, const struct key_def *key, const struct ynode *node,
		      void *target)
{
	const char *const **items = target;

	walk_items(w, key, node, items, (size_t *)(items + 1));
}

static void walk_lists(struct walker *w, const struct key_def *key, const struct ynode *node,
		       void *target)
{
	const struct config_list **ret = target;
	struct config_list *lists;
	size_t i = 0;

	if (!expect_map(w, node, "a map of NAME: [one, two]"))
		return;
	lists = arena_alloc(w->arena, (node->n + 1) * sizeof(*lists));
	for (const struct ynode *v = node->first; v; v = v->next) {
		size_t length;

		if (is_bad_key(v))
			continue;
		length = key_enter(w, v->key->text);
		lists[i].name = v->key->text;
		if (config_check_text(key->names, w->arena, v->key->text, &lists[i].name) < 0)
			complain(w, v->key, "is a bad name; must be %s",
				 config_check_allowed(key->names));
		if (!is_null(v))
			walk_items(w, key, v, &lists[i].items, &lists[i].items_n);
		key_leave(w, length);
		i++;
	}
	*ret = lists;
	*(size_t *)(ret + 1) = i;
}

/* ── sections ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void walk_obj(struct walker *w, const struct key_def *key, const struct ynode *node,
		     void *target)
{
	walk_section(w, key->section, node, target);
}

static void walk_opt_obj(struct walker *w, const struct key_def *key, const struct ynode *node,
			 void *target)
{
	void **ret = target;
	void *value = arena_alloc(w->arena, key->section->size);

	walk_section(w, key->section, node, value);
	*ret = value;
}

static void walk_map(struct walker *w, const struct key_def *key, const struct ynode *node,
		     void *target)
{
	char *elements, **ret = target;
	size_t i = 0, size = key->section->size;

	if (!expect_map(w, node, "a map of NAME: section"))
		return;
	if (node->n > (size_t)key->max) {
		complain(w, node, "has %zu entries; at most %lld", node->n, (long long)key->max);
		return;
	}
	elements = arena_alloc(w->arena, (node->n + 1) * size);
	for (const struct ynode *v = node->first; v; v = v->next) {
		char *element = elements + i * size;
		size_t length;

		if (is_bad_key(v))
			continue;
		length = key_enter(w, v->key->text);
		/* The name is an entry's first member. */
		*(const char **)(void *)element = v->key->text;
		if (config_check_text(CHECK_name, w->arena, v->key->text,
				      (const char **)(void *)element) < 0)
			complain(w, v->key, "is a bad name; must be %s",
				 config_check_allowed(CHECK_name));
		walk_section(w, key->section, v, element);
		key_leave(w, length);
		i++;
	}
	*ret = elements;
	*(size_t *)(ret + 1) = i;
}

static const key_fn walkers[] = {
	[KEY_STR] = walk_str,		[KEY_INT] = walk_int,	[KEY_BOOL] = walk_bool,
	[KEY_DURATION] = walk_duration, [KEY_ENUM] = walk_enum, [KEY_STRS] = walk_strs,
	[KEY_LISTS] = walk_lists,	[KEY_OBJ] = walk_obj,	[KEY_OPT_OBJ] = walk_opt_obj,
	[KEY_MAP] = walk_map,
};

static void set_default(struct walker *w, const struct key_def *key, void *target)
{
	struct ynode text = { .kind = YNODE_TEXT, .text = key->value };
	const struct ynode list = { .kind = YNODE_LIST, .first = &text, .n = 1 };

	if (key->kind == KEY_OBJ)
		walk_section(w, key->section, NULL, target);
	else if (key->value)
		walkers[key->kind](w, key, key->kind == KEY_STRS ? &list : &text, target);
}

static const struct key_def *find_key(const struct key_def *keys, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (keys[i].kind != KEY_WORD && str_eq(keys[i].name, name))
			return &keys[i];
	}
	return NULL;
}

/* A section that was given as one word. True when NODE is no map and all is said. */
static bool walk_word(struct walker *w, const struct key_def *keys, size_t n,
		      const struct ynode *node, void *target)
{
	const char *word = NULL;

	for (size_t i = 0; i < n; i++) {
		if (keys[i].kind != KEY_WORD)
			continue;
		word = keys[i].name;
		if (node->kind == YNODE_TEXT && str_eq(node->text, word)) {
			*(bool *)((char *)target + keys[i].offset) = true;
			return true;
		}
	}
	if (!word || node->kind != YNODE_TEXT)
		return false;
	complain(w, node, "must be a section (key: value), or the word %s", word);
	return true;
}

/* Reports what the section must have and has not. Its place is the section's own key, where it has one. */
static void check_required(struct walker *w, const struct key_def *keys, size_t n,
			   const struct ynode *node)
{
	static const struct ynode top = { .line = 1, .column = 1 };
	const struct ynode *place = node && node->key ? node->key : node ? node : &top;

	for (size_t i = 0; i < n; i++) {
		size_t length;

		if (!keys[i].is_required || ynode_get(node, keys[i].name))
			continue;
		length = key_enter(w, keys[i].name);
		complain(w, place, "is missing; for example %s: %s", keys[i].name, keys[i].example);
		key_leave(w, length);
	}
}

static void walk_section(struct walker *w, const struct section_def *section,
			 const struct ynode *node, void *target)
{
	size_t n;
	const struct key_def *keys = section->keys(&n);

	for (size_t i = 0; i < n; i++)
		set_default(w, &keys[i], (char *)target + keys[i].offset);
	if (!is_null(node) &&
	    (walk_word(w, keys, n, node, target) || !expect_map(w, node, "a section (key: value)")))
		return;
	check_required(w, keys, n, node);
	for (const struct ynode *v = node ? node->first : NULL; v; v = v->next) {
		const struct key_def *key = is_bad_key(v) ? NULL : find_key(keys, n, v->key->text);
		size_t length;

		if (is_bad_key(v))
			continue;
		length = key_enter(w, v->key->text);
		if (!key)
			config_error_add_unknown(w->errors, v->key, str_get(&w->key), keys, n);
		else if (!is_null(v))
			walkers[key->kind](w, key, v, (char *)target + key->offset);
		key_leave(w, length);
	}
}

void config_walk(struct config *config, const struct ynode *root, struct config_errors *errors)
{
	struct walker w = { .arena = config->owned, .errors = errors };

	walk_section(&w, &config_root_section, root, config);
	str_done(&w.key);
}
