/* SPDX-License-Identifier: MIT */
/*
 * All values are a node's own text. A message of several lines is indented, so that none can play another.
 */
#include "jarvisctl/show_node.h"

#include <math.h>
#include <stdio.h>

#include "jarvisctl/amount.h"
#include "jarvisctl/show.h"

#define INDENT 4
#define TIME_MAX 1e15  /* ms */
#define SYSLOG_NAMES 5 /* emergency to warning */

typedef bool (*show_fn)(struct str *out, const cJSON *content, bool colour);

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(json_get(object, key));

	return text ? text : "";
}

/* Made safe; further lines indented, tabs as blanks. */
static void add_lines(struct str *out, const char *text, int indent, enum shade shade, bool colour)
{
	for (;; text++) {
		size_t n = strcspn(text, "\n\t");
		_cleanup_(freep) char *part = xstrndup(text, n);

		show_shaded(out, part, shade, colour);
		text += n;
		if (!*text)
			return;
		if (*text == '\n')
			str_printf(out, "\n%*s", indent, "");
		else
			str_printf(out, "%*s", INDENT, "");
	}
}

static bool add_each(struct str *out, const char *between, const char *text)
{
	if (!*text)
		return false;
	str_add(out, between);
	show_text(out, text);
	return true;
}

/* ── a unit ────────────────────────────────────────────────────────────────────────────────────────────────── */

static enum shade shade_of_state(const char *state)
{
	return str_eq(state, "active") ? SHADE_GOOD :
	       str_eq(state, "failed") ? SHADE_BAD :
					 SHADE_WARN;
}

/* Numbers are text too: "[not set]" is none, and 0 says nothing. */
static int64_t number_of(const cJSON *unit, const char *key)
{
	int64_t number;

	return str_to_i64(text_of(unit, key), 0, INT64_MAX, &number) < 0 ? 0 : number;
}

static void add_since(struct str *out, const char *stamp)
{
	int64_t seconds;

	if (stamp[0] != '@' || str_to_i64(stamp + 1, 1, INT64_MAX / 1000, &seconds) < 0)
		return;
	str_add(out, " since ");
	show_time(out, seconds * 1000);
}

static void add_figures(struct str *out, const cJSON *unit)
{
	const char *load = text_of(unit, "LoadState"), *result = text_of(unit, "Result");
	int64_t memory = number_of(unit, "MemoryCurrent"), pid = number_of(unit, "MainPID");
	int64_t restarts = number_of(unit, "NRestarts"), status = number_of(unit, "ExecMainStatus");

	str_add(out, "  ");
	show_text(out, load);
	(void)add_each(out, ", ", text_of(unit, "UnitFileState"));
	if (pid)
		str_printf(out, ", process %lld", (long long)pid);
	if (memory) {
		str_add(out, ", ");
		amount_bytes(out, (double)memory, "B");
	}
	if (restarts)
		str_printf(out, ", restarted by systemd %lld times", (long long)restarts);
	if (!str_eq(result, "success") && add_each(out, ", result ", result) && status)
		str_printf(out, ", status %lld", (long long)status);
	str_add_char(out, '\n');
}

static bool show_unit(struct str *out, const cJSON *unit, bool colour)
{
	const char *state = text_of(unit, "ActiveState"), *sub = text_of(unit, "SubState");
	const char *id = text_of(unit, "Id"), *about = text_of(unit, "Description");

	if (!*state || !*id)
		return false;
	show_shaded(out, id, SHADE_STRONG, colour);
	if (!str_eq(id, about))
		(void)add_each(out, "  ", about);
	str_add(out, "\n  ");
	if (str_eq(text_of(unit, "LoadState"), "not-found")) {
		show_shaded(out, "not on this node", SHADE_WARN, colour);
		str_add_char(out, '\n');
		return true;
	}
	show_shaded(out, state, shade_of_state(state), colour);
	if (*sub && !str_eq(sub, state)) {
		str_add(out, " (");
		show_text(out, sub);
		str_add_char(out, ')');
	}
	add_since(out, text_of(unit, "StateChangeTimestamp"));
	str_add_char(out, '\n');
	add_figures(out, unit);
	return true;
}

/* ── a journal ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_entry(struct str *out, const cJSON *entry, bool colour)
{
	static const char *const names[SYSLOG_NAMES] = { "emergency", "alert", "critical", "error",
							 "warning" };
	const cJSON *ts = json_get(entry, "ts"), *priority = json_get(entry, "priority");
	const cJSON *pid = json_get(entry, "pid"), *message = json_get(entry, "message");
	int level = cJSON_IsNumber(priority) ? priority->valueint : SYSLOG_NAMES;
	bool is_grave = level >= 0 && level < SYSLOG_NAMES;
	enum shade shade = !is_grave ? SHADE_PLAIN : level < 4 ? SHADE_BAD : SHADE_WARN;

	show_time(out, cJSON_IsNumber(ts) && fabs(ts->valuedouble) < TIME_MAX ?
			       (int64_t)ts->valuedouble :
			       0);
	str_add_char(out, ' ');
	show_text(out, text_of(entry, "identifier"));
	if (cJSON_IsNumber(pid))
		str_printf(out, "[%d]", pid->valueint);
	str_add(out, ": ");
	if (is_grave) {
		show_shaded(out, names[level], shade, colour);
		str_add(out, ": ");
	}
	add_lines(out,
		  cJSON_IsString(message) ? message->valuestring :
					    "(a message too long to be shown)",
		  INDENT, shade, colour);
	str_add_char(out, '\n');
}

/* Asked for newest first, shown as a terminal does: the newest last. */
static bool show_journal(struct str *out, const cJSON *content, bool colour)
{
	const cJSON *lines = json_get(content, "lines");

	if (!cJSON_IsArray(lines))
		return false;
	if (!lines->child)
		str_add(out, "It has never written anything, or nothing that is kept.\n");
	/* The first child's `prev` is the last one. */
	for (const cJSON *at = lines->child ? lines->child->prev : NULL; at;
	     at = at == lines->child ? NULL : at->prev)
		add_entry(out, at, colour);
	return true;
}

/* ── a command, disks ──────────────────────────────────────────────────────────────────────────────────────── */

static bool show_output(struct str *out, const cJSON *content, bool colour)
{
	const cJSON *lines = json_get(content, "lines"), *line;

	if (!cJSON_IsArray(lines))
		return false;
	cJSON_ArrayForEach(line, lines) {
		add_lines(out, cJSON_IsString(line) ? line->valuestring : "", INDENT, SHADE_PLAIN,
			  colour);
		str_add_char(out, '\n');
	}
	return true;
}

static double number_at(const cJSON *row, const char *key)
{
	const cJSON *number = json_get(row, key);

	return cJSON_IsNumber(number) ? number->valuedouble : -1;
}

static void add_size(struct show_table *table, double bytes)
{
	_cleanup_(str_done) struct str text = { 0 };

	if (bytes >= 0)
		amount_bytes(&text, bytes, "B");
	show_cell(table, str_get(&text), SHADE_PLAIN);
}

static void add_share(struct show_table *table, double part, double rest)
{
	double share = part >= 0 && rest >= 0 && part + rest > 0 ? 100 * part / (part + rest) : -1;
	_cleanup_(freep) char *text = share < 0 ? NULL : xasprintf("%.0f%%", share);

	show_cell(table, text, share >= 92 ? SHADE_BAD : share >= 80 ? SHADE_WARN : SHADE_PLAIN);
}

static bool show_disks(struct str *out, const cJSON *content, bool colour)
{
	static const char *const heads[] = { "full", "used",   "available", "total",
					     "type", "inodes", "mount" };
	struct show_table table = { .columns = countof(heads), .colour = colour };
	const cJSON *rows = json_get(content, "items"), *row;

	if (!cJSON_IsArray(rows))
		return false;
	for (size_t i = 0; i < countof(heads); i++)
		show_cell(&table, heads[i], SHADE_DIM);
	cJSON_ArrayForEach(row, rows) {
		double used = number_at(row, "used"), available = number_at(row, "available");
		double inodes = number_at(row, "inodes"), taken = number_at(row, "inodes_used");

		add_share(&table, used, available);
		add_size(&table, used);
		add_size(&table, available);
		add_size(&table, number_at(row, "total"));
		show_cell(&table, text_of(row, "type"), SHADE_PLAIN);
		add_share(&table, taken, inodes < 0 ? -1 : inodes - taken);
		show_cell(&table, text_of(row, "mount"), SHADE_PLAIN);
	}
	show_table(&table, out);
	return true;
}

bool show_node(struct str *out, const struct tool *tool, const cJSON *content, bool colour)
{
	static const struct {
		enum tool_id tool;
		show_fn show;
	} rows[] = {
		{ TOOL_service_status, show_unit },
		{ TOOL_journal_tail, show_journal },
		{ TOOL_run_command, show_output },
		{ TOOL_disk_usage, show_disks },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		if (tool == &tool_table[rows[i].tool])
			return rows[i].show(out, content, colour);
	}
	return false;
}
