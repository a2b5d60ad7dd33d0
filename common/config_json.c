/* SPDX-License-Identifier: MIT */
/*
 * A loaded configuration as JSON, for programs: every key with the value that is in force. Each value is written as
 * the file would say it, so that a section can be put into a configuration again, which is YAML, and so JSON too.
 */
#include "common/config_parts.h"
#include "common/json.h"

static void write_section(struct json_writer *w, const char *name,
			  const struct section_def *section, const void *from);

/* In the largest unit that loses nothing. */
static void write_duration(struct json_writer *w, const char *name, int64_t ms)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = {
		{ "d", 86400000 }, { "h", 3600000 }, { "m", 60000 }, { "s", 1000 }, { "ms", 1 }
	};
	_cleanup_(str_done) struct str text = { 0 };

	for (size_t i = 0; i < countof(units) && !text.len; i++) {
		if (ms % units[i].ms == 0)
			str_printf(&text, "%lld%s", (long long)(ms / units[i].ms), units[i].unit);
	}
	json_add_str(w, name, str_get(&text));
}

static void write_items(struct json_writer *w, const char *name, const char *const *items, size_t n)
{
	json_list_begin(w, name);
	for (size_t i = 0; i < n; i++)
		json_add_str(w, NULL, items[i]);
	json_list_end(w);
}

static void write_lists(struct json_writer *w, const char *name, const struct config_list *lists,
			size_t n)
{
	json_object_begin(w, name);
	for (size_t i = 0; i < n; i++)
		write_items(w, lists[i].name, lists[i].items, lists[i].items_n);
	json_object_end(w);
}

static void write_map(struct json_writer *w, const struct key_def *key, const char *entries,
		      size_t n)
{
	json_object_begin(w, key->name);
	for (size_t i = 0; i < n; i++) {
		const char *entry = entries + i * key->section->size;

		/* The name is an entry's first member. */
		write_section(w, *(const char *const *)(const void *)entry, key->section, entry);
	}
	json_object_end(w);
}

/* What is left out has no key: NULL is the default of whatever may be NULL. */
static void write_key(struct json_writer *w, const struct key_def *key, const void *at)
{
	const void *pointer = *(const void *const *)at;
	/* The count of a list follows its pointer. */
	const size_t *n = (const size_t *)((const void *const *)at + 1);

	switch (key->kind) {
	case KEY_STR:
		if (pointer)
			json_add_str(w, key->name, pointer);
		break;
	case KEY_INT:
		json_add_i64(w, key->name, *(const int64_t *)at);
		break;
	case KEY_BOOL:
		json_add_bool(w, key->name, *(const bool *)at);
		break;
	case KEY_DURATION:
		write_duration(w, key->name, *(const int64_t *)at);
		break;
	case KEY_ENUM:
		json_add_str(w, key->name, key->words[*(const int *)at]);
		break;
	case KEY_STRS:
		write_items(w, key->name, pointer, *n);
		break;
	case KEY_LISTS:
		write_lists(w, key->name, pointer, *n);
		break;
	case KEY_OBJ:
		write_section(w, key->name, key->section, at);
		break;
	case KEY_OPT_OBJ:
		if (pointer)
			write_section(w, key->name, key->section, pointer);
		break;
	case KEY_MAP:
		write_map(w, key, pointer, *n);
		break;
	case KEY_WORD:
		break;
	}
}

/* The word that the section was given as, or NULL. */
static const char *word_of(const struct key_def *keys, size_t n, const char *from)
{
	for (size_t i = 0; i < n; i++) {
		if (keys[i].kind == KEY_WORD && *(const bool *)(from + keys[i].offset))
			return keys[i].name;
	}
	return NULL;
}

static void write_section(struct json_writer *w, const char *name,
			  const struct section_def *section, const void *from)
{
	size_t n;
	const struct key_def *keys = section->keys(&n);
	const char *word = word_of(keys, n, from);

	if (word) {
		json_add_str(w, name, word);
		return;
	}
	json_object_begin(w, name);
	for (size_t i = 0; i < n; i++)
		write_key(w, &keys[i], (const char *)from + keys[i].offset);
	json_object_end(w);
}

void config_print_json(const struct config *config, struct str *out)
{
	struct json_writer w = { .out = out };

	write_section(&w, NULL, &config_root_section, config);
	str_add_char(out, '\n');
}
