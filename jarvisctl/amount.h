/* SPDX-License-Identifier: MIT */
#pragma once
/* Amounts as people read them. What is unknown is a dash, never a zero. */
#include "common/str.h"
#include "jarvisctl/show.h"

#define AMOUNT_UNKNOWN "–"

/* Appends "3.2 GiB"; UNIT is "B" or "B/s". */
void amount_bytes(struct str *out, double bytes, const char *unit);
/* Appends two steps at most: "12d 4h", "8m", "42s". */
void amount_duration(struct str *out, int64_t ms);

/* As cells of a table. */
void amount_cell_bytes(struct show_table *table, struct opt_i64 bytes);
/* "42 %", coloured from WARN and from BAD on; 0: never. */
void amount_cell_percent(struct show_table *table, struct opt_f64 percent, double warn, double bad);
/* How long ago WALL_MS was; dim. */
void amount_cell_age(struct show_table *table, struct opt_i64 ms, int64_t wall_ms);
