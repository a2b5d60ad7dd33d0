/* SPDX-License-Identifier: MIT */
/*
 * The commented sample of jarvis.yaml, printed from the tables. What has a default stands there with it; what has
 * none stands behind a '#' without a blank, which a person (and the unit test) takes away to use it.
 */
#include "common/config_parts.h"

#define LINE_COLUMNS 100

struct printer {
	struct str *out;
	size_t indent;
	bool is_off; /* everything stands behind a '#' */
};

static void print_section(struct printer *p, const struct section_def *section);

static void print_indent(struct printer *p)
{
	for (size_t i = 0; i < p->indent; i++)
		str_add(p->out, "  ");
}

/* TEXT as comment, broken between words. */
static void print_doc(struct printer *p, const char *text)
{
	size_t width = LINE_COLUMNS - 2 * p->indent - 2;

	while (*text) {
		size_t n = strlen(text);

		if (n > width) {
			for (n = width; n > 1 && text[n] != ' '; n--)
				;
		}
		print_indent(p);
		str_add(p->out, "# ");
		str_add_n(p->out, text, n);
		str_add_char(p->out, '\n');
		text += n;
		text += strspn(text, " ");
	}
}

/* `key:` with VALUE, when there is one; behind a '#' when IS_OFF. */
static void print_line(struct printer *p, const char *key, const char *value, bool is_off)
{
	print_indent(p);
	str_printf(p->out, "%s%s:", p->is_off || is_off ? "#" : "", key);
	if (value)
		str_printf(p->out, " %s", value);
	str_add_char(p->out, '\n');
}

static void print_deeper(struct printer *p, const struct section_def *section, bool is_off)
{
	struct printer deeper = { p->out, p->indent + 1, p->is_off || is_off };

	print_section(&deeper, section);
}

static void print_map(struct printer *p, const struct key_def *key)
{
	struct printer entry = { p->out, p->indent + 1, true };

	print_line(p, key->name, NULL, true);
	print_line(&entry, key->example, NULL, true);
	print_deeper(&entry, key->section, true);
}

static void print_list(struct printer *p, const struct key_def *key)
{
	_cleanup_(str_done) struct str value = { 0 };

	str_printf(&value, "[%s]", key->value ? key->value : "");
	print_line(p, key->name, str_get(&value), false);
}

static void print_range(struct printer *p, const struct key_def *key)
{
	_cleanup_(str_done) struct str doc = { 0 };

	str_add(&doc, key->doc);
	if (key->kind == KEY_INT)
		str_printf(&doc, " (%lld to %lld)", (long long)key->min, (long long)key->max);
	if (key->kind == KEY_DURATION)
		str_printf(&doc, " (%s to %s)", key->shortest, key->longest);
	print_doc(p, str_get(&doc));
}

static void print_key(struct printer *p, const struct key_def *key)
{
	print_range(p, key);
	switch (key->kind) {
	case KEY_OBJ:
		print_line(p, key->name, NULL, false);
		print_deeper(p, key->section, false);
		return;
	case KEY_OPT_OBJ:
		print_line(p, key->name, NULL, true);
		print_deeper(p, key->section, true);
		return;
	case KEY_MAP:
		print_map(p, key);
		return;
	case KEY_STRS:
		print_list(p, key);
		return;
	case KEY_LISTS:
		print_line(p, key->name, NULL, true);
		print_indent(p);
		str_printf(p->out, "  #%s\n", key->example);
		return;
	default:
		print_line(p, key->name, key->value ? key->value : key->example, !key->value);
	}
}

static void print_section(struct printer *p, const struct section_def *section)
{
	size_t n;
	const struct key_def *keys = section->keys(&n);

	for (size_t i = 0; i < n; i++) {
		/* It stands in place of the section, whose sentence names it. */
		if (keys[i].kind == KEY_WORD)
			continue;
		if (!p->indent && i)
			str_add_char(p->out, '\n');
		print_key(p, &keys[i]);
	}
}

void config_print_sample(struct str *out)
{
	struct printer p = { .out = out };

	str_add(out, "# jarvis.yaml: the configuration of all of Jarvis's services. `jarvisctl "
		     "config --check FILE`\n"
		     "# checks it; after a change send the services SIGHUP. What stands here with "
		     "a value is the\n"
		     "# default and may be left out; take the # before a key away to use it. No "
		     "secret belongs here:\n"
		     "# each has a file of its own below /etc/jarvis/secrets, which its service "
		     "alone may read.\n\n");
	print_section(&p, &config_root_section);
}
