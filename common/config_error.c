/* SPDX-License-Identifier: MIT */
/*
 * Errors in jarvis.yaml are collected and shown together, by line. They quote keys but never values: somebody
 * will put a secret where none belongs.
 */
#include "common/config_parts.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>

#define ERRORS_MAX 100
#define ERROR_MAX_BYTES 512
#define WORD_MAX_BYTES 32 /* for suggestions */

struct config_error {
	size_t line, column, order;
	char *text;
};

static void add_printable(struct str *out, const char *text)
{
	size_t left = ERROR_MAX_BYTES;

	for (; *text && left; text++, left--)
		str_add_char(out, *text >= 0x20 && *text < 0x7f ? *text : '?');
}

void config_error_add(struct config_errors *errors, size_t line, size_t column, const char *key,
		      const char *format, ...)
{
	char what[ERROR_MAX_BYTES];
	struct str text = { 0 };
	va_list args;

	if (errors->n == ERRORS_MAX) {
		errors->suppressed++;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	str_printf(&text, "%s:%zu:%zu: ", errors->file, line, column);
	if (key && *key) {
		add_printable(&text, key);
		str_add(&text, ": ");
	}
	add_printable(&text, what);
	if (errors->n == errors->cap) {
		errors->cap = errors->cap ? 2 * errors->cap : 8;
		errors->items = xreallocarray(errors->items, errors->cap, sizeof(*errors->items));
	}
	errors->items[errors->n] =
		(struct config_error){ line, column, errors->n, str_take(&text) };
	errors->n++;
}

/* How many single changes lead from A to B (Levenshtein), without regard to case. */
static size_t distance(const char *a, const char *b)
{
	size_t n = strlen(b), row[WORD_MAX_BYTES + 1];

	if (strlen(a) > WORD_MAX_BYTES || n > WORD_MAX_BYTES)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t j = 0; j < n; j++) {
			bool same = tolower((unsigned char)a[i]) == tolower((unsigned char)b[j]);
			size_t changed = diagonal + !same;
			size_t longer = min_of(row[j + 1], row[j]) + 1;

			diagonal = row[j + 1];
			row[j + 1] = min_of(changed, longer);
		}
	}
	return row[n];
}

void config_error_add_unknown(struct config_errors *errors, const struct ynode *node,
			      const char *key, const struct key_def *keys, size_t n)
{
	_cleanup_(str_done) struct str allowed = { 0 };
	const char *nearest = NULL;
	size_t best = 3;

	for (size_t i = 0; i < n; i++) {
		size_t d = distance(node->text, keys[i].name);

		if (keys[i].kind == KEY_WORD)
			continue;
		str_printf(&allowed, "%s%s", allowed.len ? ", " : "", keys[i].name);
		if (d < best && d < strlen(keys[i].name)) {
			best = d;
			nearest = keys[i].name;
		}
	}
	if (nearest)
		config_error_add(errors, node->line, node->column, key,
				 "unknown key; did you mean %s?", nearest);
	else
		config_error_add(errors, node->line, node->column, key,
				 "unknown key; allowed are %s", str_get(&allowed));
}

static int compare_errors(const void *a, const void *b)
{
	const struct config_error *x = a, *y = b;

	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	if (x->column != y->column)
		return x->column < y->column ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

void config_errors_take(struct config_errors *errors, struct str *out)
{
	if (errors->n)
		qsort(errors->items, errors->n, sizeof(*errors->items), compare_errors);
	for (size_t i = 0; i < errors->n; i++) {
		str_add(out, errors->items[i].text);
		str_add_char(out, '\n');
		free(errors->items[i].text);
	}
	if (errors->suppressed)
		str_printf(out, "%s: %zu more errors are not shown\n", errors->file,
			   errors->suppressed);
	free(errors->items);
	*errors = (struct config_errors){ .file = errors->file };
}
