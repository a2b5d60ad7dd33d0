/* SPDX-License-Identifier: MIT */
/*
 * As the dashboard writes them, but with the unit behind a blank, as SI wants it.
 */
#include "jarvisctl/amount.h"

void amount_bytes(struct str *out, double bytes, const char *unit)
{
	static const char *const prefixes[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi" };
	size_t i = 0;

	for (; bytes >= 1024 && i + 1 < countof(prefixes); i++)
		bytes /= 1024;
	str_printf(out, i && bytes < 99.95 ? "%.1f %s%s" : "%.0f %s%s", bytes, prefixes[i], unit);
}

void amount_duration(struct str *out, int64_t ms)
{
	static const struct {
		int64_t seconds;
		char name;
	} steps[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	int64_t s = max_of(ms, (int64_t)0) / 1000, rest;
	size_t i = 0;

	while (i + 1 < countof(steps) && s < steps[i].seconds)
		i++;
	str_printf(out, "%lld%c", (long long)(s / steps[i].seconds), steps[i].name);
	/* Seconds are told only where there is nothing greater. */
	if (i + 2 >= countof(steps))
		return;
	rest = s % steps[i].seconds / steps[i + 1].seconds;
	if (rest)
		str_printf(out, " %lld%c", (long long)rest, steps[i + 1].name);
}

void amount_cell_bytes(struct show_table *table, struct opt_i64 bytes)
{
	_cleanup_(str_done) struct str text = { 0 };

	if (bytes.has)
		amount_bytes(&text, (double)bytes.v, "B");
	show_cell(table, bytes.has ? str_get(&text) : AMOUNT_UNKNOWN,
		  bytes.has ? SHADE_PLAIN : SHADE_DIM);
}

void amount_cell_percent(struct show_table *table, struct opt_f64 percent, double warn, double bad)
{
	_cleanup_(str_done) struct str text = { 0 };
	enum shade shade = SHADE_PLAIN;

	if (!percent.has) {
		show_cell(table, AMOUNT_UNKNOWN, SHADE_DIM);
		return;
	}
	if (warn > 0 && percent.v >= warn)
		shade = bad > 0 && percent.v >= bad ? SHADE_BAD : SHADE_WARN;
	str_printf(&text, "%.0f %%", percent.v);
	show_cell(table, str_get(&text), shade);
}

void amount_cell_age(struct show_table *table, struct opt_i64 ms, int64_t wall_ms)
{
	_cleanup_(str_done) struct str text = { 0 };

	if (ms.has)
		amount_duration(&text, wall_ms - ms.v);
	show_cell(table, ms.has ? str_get(&text) : AMOUNT_UNKNOWN, SHADE_DIM);
}
