/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What people read. Names, logs and reasons come from elsewhere: nothing of them reaches a terminal as a command to
 * it. Colours are for terminals alone, and never the only thing that tells.
 */
#include "common/json.h"

enum shade { SHADE_PLAIN, SHADE_GOOD, SHADE_WARN, SHADE_BAD, SHADE_DIM, SHADE_STRONG };

/* Colours of FILE from now on: when it is a terminal that can, and NO_COLOR does not say otherwise. */
bool show_has_colour(int fd);

/* Appends TEXT, which may be anything: control characters, broken UTF-8 and what turns writing round as \xNN, \u{…}. */
void show_text(struct str *out, const char *text);
/* The same in a colour, when COLOUR. NULL is nothing. */
void show_shaded(struct str *out, const char *text, enum shade shade, bool colour);
/* Columns that TEXT, as show_text() left it, takes on a terminal. */
size_t show_width(const char *text);
/* The shade of a tier's or a status' word. */
enum shade show_shade_of(const char *word);

/* Appends wall time MS as local date and time; "-" for 0. */
void show_time(struct str *out, int64_t ms);

/* Appends the value of a tool's answer for people: lists of objects as tables, objects as lines. */
void show_json(struct str *out, const cJSON *value, bool colour);

/* A table: rows of cells; the last column is as wide as it wants to be. */
#define SHOW_COLUMNS_MAX 12

struct show_table {
	size_t columns;
	unsigned right; /* a bit for each column of numbers */
	bool colour;
	struct show_cell *cells;
	size_t cells_n;
};

/* Adds a cell, a copy of TEXT made safe; NULL: "-". */
void show_cell(struct show_table *table, const char *text, enum shade shade);
/* Appends the table and empties it. */
void show_table(struct show_table *table, struct str *out);

/* Prints and empties OUT: 0, or EXIT_FAILED when standard output is broken. */
int show_print(struct str *out);
