/* SPDX-License-Identifier: MIT */
/*
 * What is printable is decided here and not by the C library's locale, so that it is the same everywhere.
 */
#include "jarvisctl/show.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/utf8.h"
#include "jarvisctl/jarvisctl.h"

struct show_cell {
	char *text;
	enum shade shade;
};

/* ── text ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct range {
	uint32_t first, last;
} wide[] = {
	{ 0x1100, 0x115f }, { 0x2e80, 0xa4cf },	  { 0xac00, 0xd7a3 },	{ 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f }, { 0xff00, 0xff60 },	  { 0xffe0, 0xffe6 },	{ 0x1f300, 0x1faff },
	{ 0x20000, 0x3fffd },
}, joining[] = {
	{ 0x0300, 0x036f }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff }, { 0x20d0, 0x20ff },
	{ 0xfe00, 0xfe0f },
};

static bool is_in(uint32_t c, const struct range *ranges, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	}
	return false;
}

void show_text(struct str *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t left = strlen(text);

	while (left > 0) {
		size_t length = utf8_length(p, left);
		uint32_t c = length ? utf8_code_point(p, length) : *p;

		if (!length || (c < 0x100 && utf8_is_hidden(c)))
			str_printf(out, "\\x%02x", (unsigned)c);
		else if (utf8_is_hidden(c))
			str_printf(out, "\\u{%x}", (unsigned)c);
		else
			str_add_n(out, (const char *)p, length);
		p += length ? length : 1;
		left -= length ? length : 1;
	}
}

size_t show_width(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t width = 0;

	for (size_t left = strlen(text), length; left > 0; p += length, left -= length) {
		uint32_t c;

		length = max_of(utf8_length(p, left), (size_t)1);
		c = utf8_code_point(p, length);
		if (!is_in(c, joining, countof(joining)))
			width += is_in(c, wide, countof(wide)) ? 2 : 1;
	}
	return width;
}

/* ── colours ───────────────────────────────────────────────────────────────────────────────────────────────── */

bool show_has_colour(int fd)
{
	const char *no = getenv("NO_COLOR"), *terminal = getenv("TERM");

	return isatty(fd) && !(no && *no) && terminal && !str_eq(terminal, "dumb");
}

static const char *const codes[] = {
	[SHADE_PLAIN] = "",	  [SHADE_GOOD] = "\033[32m", [SHADE_WARN] = "\033[33m",
	[SHADE_BAD] = "\033[31m", [SHADE_DIM] = "\033[2m",   [SHADE_STRONG] = "\033[1m",
};

void show_shaded(struct str *out, const char *text, enum shade shade, bool colour)
{
	if (!text)
		return;
	if (colour && shade != SHADE_PLAIN)
		str_add(out, codes[shade]);
	show_text(out, text);
	if (colour && shade != SHADE_PLAIN)
		str_add(out, "\033[0m");
}

enum shade show_shade_of(const char *word)
{
	static const struct {
		const char *word;
		enum shade shade;
	} table[] = {
		{ "green", SHADE_GOOD },	{ "yellow", SHADE_WARN },
		{ "orange", SHADE_WARN },	{ "red", SHADE_BAD },
		{ "black", SHADE_BAD },		{ "verified", SHADE_GOOD },
		{ "still_failing", SHADE_BAD }, { "failed", SHADE_BAD },
		{ "unknown", SHADE_WARN },	{ "waiting", SHADE_WARN },
		{ "window", SHADE_WARN },	{ "running", SHADE_STRONG },
		{ "approved", SHADE_STRONG },	{ "denied", SHADE_BAD },
		{ "refused", SHADE_BAD },	{ "cancelled", SHADE_DIM },
		{ "expired", SHADE_DIM },	{ "skipped", SHADE_DIM },
		{ "pending", SHADE_DIM },
	};

	for (size_t i = 0; i < countof(table); i++) {
		if (str_eq(table[i].word, word))
			return table[i].shade;
	}
	return SHADE_PLAIN;
}

/* ── times and tables ──────────────────────────────────────────────────────────────────────────────────────── */

void show_time(struct str *out, int64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	char text[32] = "-";
	struct tm tm;

	if (ms > 0 && localtime_r(&seconds, &tm))
		(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
	str_add(out, text);
}

void show_cell(struct show_table *table, const char *text, enum shade shade)
{
	struct str safe = { 0 };

	show_text(&safe, text && *text ? text : "-");
	table->cells = xreallocarray(table->cells, table->cells_n + 1, sizeof(*table->cells));
	table->cells[table->cells_n++] = (struct show_cell){ str_take(&safe), shade };
}

static void add_cell(const struct show_table *table, size_t i, size_t width, struct str *out)
{
	const struct show_cell *cell = &table->cells[i];
	bool is_last = i % table->columns == table->columns - 1 || i + 1 == table->cells_n;
	bool is_right = table->right & 1u << i % table->columns;
	size_t pad = is_last && !is_right ? 0 : width - show_width(cell->text);

	if (is_right)
		str_printf(out, "%*s", (int)pad, "");
	if (table->colour)
		str_add(out, codes[cell->shade]);
	/* Made safe already. */
	str_add(out, cell->text);
	if (table->colour && cell->shade != SHADE_PLAIN)
		str_add(out, "\033[0m");
	if (is_last)
		str_add_char(out, '\n');
	else
		str_printf(out, "%*s", (int)(is_right ? 2 : pad + 2), "");
}

void show_table(struct show_table *table, struct str *out)
{
	size_t widths[SHOW_COLUMNS_MAX] = { 0 };

	for (size_t i = 0; i < table->cells_n; i++) {
		size_t *width = &widths[i % table->columns];

		*width = max_of(*width, show_width(table->cells[i].text));
	}
	for (size_t i = 0; i < table->cells_n; i++) {
		add_cell(table, i, widths[i % table->columns], out);
		free(table->cells[i].text);
	}
	free(table->cells);
	table->cells = NULL;
	table->cells_n = 0;
}

int show_print(struct str *out)
{
	size_t length = out->len;
	bool is_written = fwrite(str_get(out), 1, length, stdout) == length;

	str_clear(out);
	if (is_written && fflush(stdout) == 0)
		return EXIT_OK;
	fprintf(stderr, "jarvisctl: cannot write: %s\n", strerror(errno));
	return EXIT_FAILED;
}
