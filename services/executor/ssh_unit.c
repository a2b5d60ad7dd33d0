/* SPDX-License-Identifier: MIT */
/*
 * Times are the node's own, and are compared with each other alone.
 */
#include "services/executor/ssh_unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 4096
#define NAME_MAX_BYTES 64
/* A line more, all of it escaped, still fits into a result. */
#define MEMBERS_MAX_BYTES ((size_t)128 << 10)

typedef void (*line_fn)(void *ctx, const char *name, const char *value);

/* NAME and VALUE are text; what has no "=" or is too long is skipped. */
static void each_line(const char *text, size_t length, line_fn fn, void *ctx)
{
	const char *end = text + length, *from;
	size_t n;

	while (str_take_line(&text, end, &from, &n)) {
		char line[LINE_MAX_BYTES];
		char *equals;

		if (n >= sizeof(line) || memchr(from, '\0', n))
			continue;
		memcpy(line, from, n);
		line[n] = '\0';
		equals = strchr(line, '=');
		if (!equals || equals == line)
			continue;
		*equals = '\0';
		fn(ctx, line, equals + 1);
	}
}

static void keep_word(char word[UNIT_WORD], const char *value)
{
	if (strspn(value, "abcdefghijklmnopqrstuvwxyz-") == strlen(value))
		(void)snprintf(word, UNIT_WORD, "%.63s", value);
}

static void take_line(void *ctx, const char *name, const char *value)
{
	struct unit_now *unit = ctx;

	if (str_eq(name, "LoadState"))
		keep_word(unit->load, value);
	else if (str_eq(name, "ActiveState"))
		keep_word(unit->active, value);
	else if (str_eq(name, "SubState"))
		keep_word(unit->sub, value);
	else if (str_eq(name, "MainPID"))
		(void)str_to_i64(value, 0, INT64_MAX, &unit->main_pid);
	else if (str_eq(name, "ActiveEnterTimestamp") && value[0] == '@')
		(void)str_to_i64(value + 1, 0, INT64_MAX, &unit->entered_s);
}

int ssh_unit_read(const char *text, size_t length, struct unit_now *ret)
{
	struct unit_now unit = { .entered_s = -1 };

	each_line(text, length, take_line, &unit);
	if (!unit.load[0] || !unit.active[0])
		return -EINVAL;
	*ret = unit;
	return 0;
}

void ssh_unit_write(const struct unit_now *unit, struct str *out)
{
	str_printf(out, "LoadState=%s\nActiveState=%s\nSubState=%s\nMainPID=%lld\n", unit->load,
		   unit->active, unit->sub, (long long)unit->main_pid);
	if (unit->entered_s >= 0)
		str_printf(out, "ActiveEnterTimestamp=@%lld\n", (long long)unit->entered_s);
}

struct members {
	struct json_writer w;
	struct str names; /* each between line feeds */
};

/* A name counts once: an object with two of them is refused by whoever reads it. */
static bool is_new(struct members *m, const char *name)
{
	_cleanup_(str_done) struct str line = { 0 };

	str_printf(&line, "\n%s\n", name);
	if (strstr(str_get(&m->names), str_get(&line)))
		return false;
	str_add(&m->names, str_get(&line));
	return true;
}

static void add_member(void *ctx, const char *name, const char *value)
{
	struct members *m = ctx;
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");

	if (!name[n] && n <= NAME_MAX_BYTES && m->w.out->len < MEMBERS_MAX_BYTES && is_new(m, name))
		json_add_str(&m->w, name, value);
}

void ssh_unit_add_json(const char *text, size_t length, struct str *out)
{
	struct members m = { .w = { .out = out } };

	json_object_begin(&m.w, NULL);
	each_line(text, length, add_member, &m);
	json_object_end(&m.w);
	str_done(&m.names);
}

/* ── what became of it ─────────────────────────────────────────────────────────────────────────────────────── */

/* What was not active has become it; what was is another process, or has been so for less long. */
static bool is_restarted(const struct unit_now *before, const struct unit_now *now)
{
	if (!str_eq(now->active, "active"))
		return false;
	return !str_eq(before->active, "active") || now->main_pid != before->main_pid ||
	       now->entered_s > before->entered_s;
}

/* One that failed while it was stopped does not run either. */
static bool is_stopped(const struct unit_now *now)
{
	return str_eq(now->active, "inactive") || str_eq(now->active, "failed");
}

bool ssh_unit_knows(enum tool_verify condition)
{
	return condition == VERIFY_UNIT_RESTARTED || condition == VERIFY_UNIT_STOPPED;
}

enum verify_verdict ssh_unit_judge(enum tool_verify condition, const struct unit_now *before,
				   const struct unit_now *now, char *text)
{
	bool is_old = condition == VERIFY_UNIT_RESTARTED && str_eq(now->active, "active") &&
		      !is_restarted(before, now);

	(void)snprintf(text, VERIFY_TEXT, "the unit is %s%s%s%s%s", now->active,
		       now->sub[0] ? " (" : "", now->sub, now->sub[0] ? ")" : "",
		       is_old ? ", and has been so since before" : "");
	if (condition == VERIFY_UNIT_STOPPED)
		return is_stopped(now) ? VERDICT_YES : VERDICT_NOT_YET;
	return is_restarted(before, now) ? VERDICT_YES : VERDICT_NOT_YET;
}
