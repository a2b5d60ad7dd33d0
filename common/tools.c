/* SPDX-License-Identifier: MIT */
/*
 * The tables of tools.def, and the patterns of its texts.
 */
#include "common/tools.h"

#include <ctype.h>
#include <string.h>

#include "common/utf8.h"

#define COMMAND_MAX 32

/* clang-format off */
#define NEEDED true
#define MAY false

/* The arguments of each tool, as an array of its own. */
#define TOOL(name, tier, impact, runner, egress, deadline_s, verify, doc) \
	static const struct tool_arg name##_args[] = {
#define END };
#define GUEST(arg, need, text) { .name = #arg, .kind = ARG_GUEST, .needed = need, .doc = text },
#define NODE(arg, need, text) { .name = #arg, .kind = ARG_NODE, .needed = need, .doc = text },
#define STORAGE(arg, need, text) { .name = #arg, .kind = ARG_STORAGE, .needed = need, .doc = text },
#define SNAPSHOT(arg, need, text) \
	{ .name = #arg, .kind = ARG_SNAPSHOT, .needed = need, .doc = text },
#define CLUSTER(arg, need, text) { .name = #arg, .kind = ARG_CLUSTER, .needed = need, .doc = text },
#define INT(arg, need, low, high, text) \
	{ .name = #arg, .kind = ARG_INT, .needed = need, .min = low, .max = high, .doc = text },
#define TEXT(arg, need, row, bytes, text) \
	{ .name = #arg, .kind = ARG_TEXT, .needed = need, .pattern = PATTERN_##row, \
	  .max = bytes, .doc = text },
#define WORD(arg, need, list, text) \
	{ .name = #arg, .kind = ARG_WORD, .needed = need, .words = list, .doc = text },
#define PAIRS(arg, need, text) { .name = #arg, .kind = ARG_PAIRS, .needed = need, .doc = text },
#define FLAG(arg, need, text) { .name = #arg, .kind = ARG_FLAG, .needed = need, .doc = text },
#include "common/tools.def"

const struct tool tool_table[TOOL_COUNT] = {
#define TOOL(id, floor, service, who, goes, seconds, check, text) \
	[TOOL_##id] = { .name = #id, .tier = TIER_##floor, .impact = IMPACT_##service, \
			.runner = RUNNER_##who, .egress = EGRESS_##goes, .deadline_s = seconds, \
			.verify = VERIFY_##check, .doc = text, \
			.args = id##_args, .args_n = countof(id##_args) },
#include "common/tools.def"
};

#define TOOL(name, tier, impact, runner, egress, deadline_s, verify, doc) \
	_Static_assert(countof(name##_args) <= TOOL_ARGS_MAX, #name " has too many arguments");
#include "common/tools.def"

static const char *const verify_words[VERIFY_COUNT] = {
#define VERIFY(name, words) [VERIFY_##name] = words,
#include "common/tools.def"
};
/* clang-format on */

const char *tool_impact_word(enum tool_impact impact)
{
	static const char *const words[] = {
		[IMPACT_KEEPS] = "keeps",
		[IMPACT_MOVES] = "moves",
		[IMPACT_INTERRUPTS] = "interrupts",
		[IMPACT_TAKES_NODE] = "takes_node",
	};

	return words[impact];
}

const char *tool_verify_text(enum tool_verify verify)
{
	return verify_words[verify];
}

const struct tool *tool_find(const char *name)
{
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		if (str_eq(tool_table[i].name, name))
			return &tool_table[i];
	}
	return NULL;
}

const struct tool_arg *tool_arg_find(const struct tool *tool, const char *name)
{
	for (size_t i = 0; i < tool->args_n; i++) {
		if (str_eq(tool->args[i].name, name))
			return &tool->args[i];
	}
	return NULL;
}

const struct tool_arg *tool_target(const struct tool *tool)
{
	const struct tool_arg *first = &tool->args[0];

	if (first->kind == ARG_GUEST || first->kind == ARG_NODE || first->kind == ARG_STORAGE)
		return first->needed ? first : NULL;
	return NULL;
}

/* ── patterns ──────────────────────────────────────────────────────────────────────────────────────────────── */

static bool all_of(const char *text, size_t length, const char *more)
{
	for (size_t i = 0; i < length; i++) {
		if (!isalnum((unsigned char)text[i]) && (!text[i] || !strchr(more, text[i])))
			return false;
	}
	return length;
}

/* A person approves what they see of it. */
static bool is_line(const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	for (size_t left = strlen(text), n; left > 0; p += n, left -= n) {
		n = utf8_length(p, left);
		if (!n || utf8_is_hidden(utf8_code_point(p, n)))
			return false;
	}
	return true;
}

static bool is_hex(const char *text)
{
	return text[0] && strspn(text, "0123456789abcdefABCDEF") == strlen(text);
}

static bool is_filename(const char *text)
{
	return isalnum((unsigned char)text[0]) && all_of(text, strlen(text), "._+-") &&
	       !strstr(text, "..");
}

/* UPID:node:8 hex:8 or 9 hex:8 hex:type:id:user: */
static bool is_upid(const char *text)
{
	static const char *const more[] = { "-", "", "", "", "-_", "-_.!@=+%/", "-_.@!" };
	const char *at = text;

	if (!str_starts(at, "UPID:"))
		return false;
	at += 5;
	for (size_t i = 0; i < countof(more); i++) {
		size_t length = strcspn(at, ":");
		bool is_number = i >= 1 && i <= 3;

		if (at[length] != ':' || (!length && i != 5))
			return false;
		if (length && !all_of(at, length, more[i]))
			return false;
		if (is_number &&
		    (length < 8 || length > 9 || strspn(at, "0123456789abcdefABCDEF") < length))
			return false;
		at += length + 1;
	}
	return !*at;
}

/* A host name or IPv4 address, perhaps a port, and a path; nothing that a reader could be fooled with. */
static bool is_https_url(const char *text)
{
	const char *host = text + 8, *end;

	if (!str_starts(text, "https://"))
		return false;
	end = host + strcspn(host, "/");
	if (*end != '/' || end == host || !isalnum((unsigned char)host[0]))
		return false;
	if (!all_of(host, (size_t)(end - host), ".-:"))
		return false;
	return all_of(end, strlen(end), "/._~-+%=&?,;@") && !strstr(end, "..");
}

/* As deploy/nodes/jarvis-act takes it. */
static bool is_unit(const char *text)
{
	static const char *const kinds[] = {
		".service", ".socket", ".timer",  ".mount", ".automount",
		".swap",    ".path",   ".target", ".slice", ".scope",
	};
	const char *dot = strrchr(text, '.');

	if (!dot || !(isalnum((unsigned char)text[0]) || text[0] == '_') ||
	    !all_of(text, strlen(text), ":_.@\\-"))
		return false;
	for (size_t i = 0; i < countof(kinds); i++) {
		if (str_eq(dot, kinds[i]))
			return true;
	}
	return false;
}

static bool is_command(const char *text)
{
	return text[0] >= 'a' && text[0] <= 'z' && strlen(text) <= COMMAND_MAX &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(text);
}

bool tool_pattern_match(enum tool_pattern pattern, const char *text)
{
	static bool (*const table[PATTERN_COUNT])(const char *) = {
		[PATTERN_LINE] = is_line,	  [PATTERN_UPID] = is_upid,
		[PATTERN_FILENAME] = is_filename, [PATTERN_HTTPS_URL] = is_https_url,
		[PATTERN_HEX] = is_hex,		  [PATTERN_UNIT] = is_unit,
		[PATTERN_COMMAND] = is_command,
	};

	return table[pattern](text);
}
