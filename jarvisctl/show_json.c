/* SPDX-License-Identifier: MIT */
/*
 * Any JSON for people. A list of objects becomes a table of those members that fit the width of a page; --json has the
 * rest. What nobody knows (null) takes no room.
 */
#include "jarvisctl/show.h"

#include <math.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/topics.h"
#include "jarvisctl/amount.h"

#define PAGE_WIDTH 118
#define CELL_WIDTH_MAX 64
#define DEPTH_MAX 8

struct page {
	struct str *out;
	bool colour;
	size_t width;
};

static bool is_leaf(const cJSON *value)
{
	return !cJSON_IsObject(value) && !cJSON_IsArray(value);
}

/* The unit that the vocabulary gives all fields of this name; "" when there is none, or they differ. */
static const char *unit_of(const char *key)
{
	const char *unit = NULL;

	for (size_t i = 0; key && message_table[i]; i++) {
		size_t n;
		const struct field_def *fields = message_table[i]->fields(&n);

		for (size_t k = 0; k < n; k++) {
			if (!fields[k].unit || !*fields[k].unit || !str_eq(fields[k].name, key))
				continue;
			if (unit && !str_eq(unit, fields[k].unit))
				return "";
			unit = fields[k].unit;
		}
	}
	return unit ? unit : "";
}

static void add_number(struct str *out, const char *key, double number)
{
	const char *unit = unit_of(key);

	if (str_eq(unit, "ms") && number > 1e11)
		show_time(out, (int64_t)number);
	else if (unit[0] == 'B')
		amount_bytes(out, number, unit);
	else if (floor(number) == number && fabs(number) < 9e15)
		str_printf(out, "%.0f", number);
	else
		str_printf(out, "%.4g", number);
	if (*unit && unit[0] != 'B' && !(str_eq(unit, "ms") && number > 1e11))
		str_printf(out, " %s", unit);
}

static char *leaf_text(const cJSON *value, const char *key)
{
	struct str out = { 0 };

	if (cJSON_IsString(value))
		str_add(&out, value->valuestring);
	else if (cJSON_IsNumber(value))
		add_number(&out, key, value->valuedouble);
	else if (cJSON_IsBool(value))
		str_add(&out, cJSON_IsTrue(value) ? "yes" : "no");
	else
		str_add(&out, "-");
	return str_take(&out);
}

/* ── tables ────────────────────────────────────────────────────────────────────────────────────────────────── */

struct column {
	const char *key;
	size_t width;
};

static size_t column_width(const cJSON *list, const char *key)
{
	size_t width = 0;
	const cJSON *row;

	cJSON_ArrayForEach(row, list) {
		const cJSON *value = json_get(row, key);
		_cleanup_(freep) char *text = NULL;

		if (!value || cJSON_IsNull(value) || !is_leaf(value))
			continue;
		text = leaf_text(value, key);
		width = max_of(width, show_width(text));
	}
	return width ? max_of(width, strlen(key)) : 0;
}

/* The members that say something and still fit. */
static size_t choose_columns(const struct page *page, const cJSON *list, struct column *ret)
{
	size_t n = 0, used = 0;
	const cJSON *member;

	cJSON_ArrayForEach(member, list->child) {
		size_t width = column_width(list, member->string);

		if (!width || width > CELL_WIDTH_MAX || str_eq(member->string, "ts") ||
		    n == SHOW_COLUMNS_MAX || used + width + 2 > page->width)
			continue;
		ret[n++] = (struct column){ member->string, width };
		used += width + 2;
	}
	return n;
}

static void add_table(const struct page *page, const cJSON *list)
{
	struct column columns[SHOW_COLUMNS_MAX];
	struct show_table table = { .columns = choose_columns(page, list, columns),
				    .colour = page->colour };
	const cJSON *row;

	for (size_t i = 0; i < table.columns; i++)
		show_cell(&table, columns[i].key, SHADE_DIM);
	cJSON_ArrayForEach(row, list) {
		for (size_t i = 0; i < table.columns; i++) {
			const cJSON *value = json_get(row, columns[i].key);
			_cleanup_(freep) char *text =
				value && is_leaf(value) ? leaf_text(value, columns[i].key) : NULL;

			show_cell(&table, text, SHADE_PLAIN);
		}
	}
	if (table.columns)
		show_table(&table, page->out);
}

/* ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_value(const struct page *page, const cJSON *value, int depth);

static bool is_table(const cJSON *list)
{
	return cJSON_GetArraySize(list) > 1 && cJSON_IsObject(list->child);
}

/* ── documents of the bus ──────────────────────────────────────────────────────────────────────────────────── */

static bool is_documents(const cJSON *list)
{
	return cJSON_IsObject(json_get(list->child, "doc")) &&
	       cJSON_IsString(json_get(list->child, "topic"));
}

/* Documents of one message have the same members. */
static bool is_alike(const cJSON *a, const cJSON *b)
{
	const cJSON *x = json_get(a, "doc"), *y = json_get(b, "doc");

	for (x = x ? x->child : NULL, y = y ? y->child : NULL; x && y; x = x->next, y = y->next) {
		if (!str_eq(x->string, y->string))
			return false;
	}
	return !x && !y;
}

static void add_staleness(const struct page *page, const cJSON *item)
{
	const char *fresh = cJSON_GetStringValue(json_get(item, "fresh"));
	const char *topic = cJSON_GetStringValue(json_get(item, "topic"));
	const cJSON *age = json_get(item, "age_s");
	_cleanup_(freep) char *text = NULL;

	if (!fresh || str_eq(fresh, "live"))
		return;
	text = xasprintf("%s: %s, %.0f s old", topic ? topic : "", fresh,
			 cJSON_IsNumber(age) ? age->valuedouble : 0);
	show_shaded(page->out, text, SHADE_WARN, page->colour);
	str_add_char(page->out, '\n');
}

static void add_documents(const struct page *page, const cJSON *list)
{
	const cJSON *item = list->child, *first;

	while (item) {
		cJSON *group = cJSON_CreateArray();

		for (first = item; item && is_alike(first, item); item = item->next)
			(void)cJSON_AddItemReferenceToArray(
				group, (cJSON *)(uintptr_t)json_get(item, "doc"));
		if (is_table(group))
			add_table(page, group);
		else
			add_value(page, group, 0);
		cJSON_Delete(group);
		for (const cJSON *i = first; i != item; i = i->next)
			add_staleness(page, i);
		if (item)
			str_add_char(page->out, '\n');
	}
}

/* ── any value ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_leaf(const struct page *page, const cJSON *value, int depth)
{
	_cleanup_(freep) char *text = leaf_text(value, value->string);

	str_printf(page->out, "%*s", depth * 2, "");
	if (value->string) {
		size_t width = show_width(value->string);

		show_shaded(page->out, value->string, SHADE_DIM, page->colour);
		str_printf(page->out, "%*s", (int)(width < 18 ? 20 - width : 2), "");
	}
	show_text(page->out, text);
	str_add_char(page->out, '\n');
}

static void add_member(const struct page *page, const cJSON *value, int depth)
{
	if (cJSON_IsNull(value) || (!is_leaf(value) && !value->child))
		return;
	if (is_leaf(value)) {
		add_leaf(page, value, depth);
		return;
	}
	if (value->string && !str_eq(value->string, "items")) {
		str_printf(page->out, "%*s", depth * 2, "");
		show_shaded(page->out, value->string, SHADE_STRONG, page->colour);
		str_add_char(page->out, '\n');
	}
	add_value(page, value, value->string ? depth + 1 : depth);
}

static void add_value(const struct page *page, const cJSON *value, int depth)
{
	const cJSON *member;

	if (depth > DEPTH_MAX)
		return;
	if (is_leaf(value)) {
		add_leaf(page, value, depth);
		return;
	}
	if (cJSON_IsArray(value) && is_documents(value)) {
		add_documents(page, value);
		return;
	}
	if (cJSON_IsArray(value) && is_table(value)) {
		add_table(page, value);
		return;
	}
	cJSON_ArrayForEach(member, value)
		add_member(page, member, depth);
}

void show_json(struct str *out, const cJSON *value, bool colour)
{
	struct winsize size = { 0 };
	struct page page = { .out = out, .colour = colour, .width = PAGE_WIDTH };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
		page.width = size.ws_col;
	add_value(&page, value, 0);
}
