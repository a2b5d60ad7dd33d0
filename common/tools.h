/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The tools of tools.def as tables, and their arguments: read strictly, written in one canonical form. No doubt is
 * ever resolved here in favour of whoever asks: an unknown member, a wrong type or a value out of range is an error.
 */
#include "common/alloc.h"
#include "common/json.h"
#include "common/topics.h"

enum tool_id {
#define TOOL(name, tier, impact, runner, egress, deadline_s, verify, doc) TOOL_##name,
#include "common/tools.def"
	TOOL_COUNT
};

/* What becomes of the service of what it acts on; each is worse than the one before it. */
enum tool_impact {
	IMPACT_KEEPS,
	IMPACT_MOVES,
	IMPACT_INTERRUPTS,
	IMPACT_TAKES_NODE, /* with everything that runs on it */
};

enum tool_runner { RUNNER_PVE, RUNNER_STATE, RUNNER_WOL, RUNNER_SSH };

enum tool_egress {
	EGRESS_OPEN,  /* a cloud model may see the result */
	EGRESS_LOCAL, /* logs and configuration: stays here unless the owner allows otherwise */
};

/* What must be true afterwards, by a fresh look. */
enum tool_verify {
#define VERIFY(name, words) VERIFY_##name,
#include "common/tools.def"
	VERIFY_COUNT
};

enum tool_arg_kind {
	ARG_GUEST,
	ARG_NODE,
	ARG_STORAGE,
	ARG_SNAPSHOT,
	ARG_CLUSTER,
	ARG_INT,
	ARG_TEXT,
	ARG_WORD,
	ARG_FLAG,
	ARG_PAIRS, /* a JSON object; its value here is text: "count=3\nhost=pve", by name */
};

enum tool_pattern {
	PATTERN_LINE,	  /* what can be seen, in one line: see utf8_is_hidden() */
	PATTERN_UPID,	  /* PVE::UPID */
	PATTERN_FILENAME, /* [A-Za-z0-9][A-Za-z0-9._+-]*, no ".." */
	PATTERN_HTTPS_URL, /* https://host[:port]/path: no user, no fragment, no address of ours (see the gate) */
	PATTERN_HEX,
	PATTERN_COMMAND, /* [a-z][a-z0-9_]*, as jarvis-act spells its commands and their parameters */
	PATTERN_UNIT,	 /* the full name of a systemd unit, but of a device */
	PATTERN_COUNT
};

struct tool_arg {
	const char *name;
	enum tool_arg_kind kind;
	bool needed;
	int64_t min, max; /* ARG_INT: values; ARG_TEXT: max bytes */
	enum tool_pattern pattern;
	const char *words; /* ARG_WORD: separated by blanks */
	const char *doc;
};

struct tool {
	const char *name;
	enum tier tier;
	enum tool_impact impact;
	enum tool_runner runner;
	enum tool_egress egress;
	int deadline_s;
	enum tool_verify verify;
	const char *doc;
	const struct tool_arg *args;
	size_t args_n;
};

#define TOOL_ARGS_MAX 9
#define TOOL_NAME_MAX 128 /* bytes of an object's name in an argument */

extern const struct tool tool_table[TOOL_COUNT];

/* "takes_node", as GET /api/tools says it; static. */
const char *tool_impact_word(enum tool_impact impact);
/* "that it runs": what VERIFY is in words, for people; static. */
const char *tool_verify_text(enum tool_verify verify);
/* The tool called NAME, or NULL. */
const struct tool *tool_find(const char *name);
/* The argument called NAME, or NULL. */
const struct tool_arg *tool_arg_find(const struct tool *tool, const char *name);
/* The argument that names what the tool acts on: its first guest, node or storage; NULL when it has none. */
const struct tool_arg *tool_target(const struct tool *tool);

#define TOOL_PAIRS_MAX 8
#define TOOL_PAIR_MAX 512 /* bytes of a value: a path's or a URL's */

/* The value of one argument. */
struct tool_value {
	bool has;
	int64_t i; /* ARG_INT; ARG_FLAG: 0 or 1; ARG_GUEST: the vmid, or 0 while it is only a name */
	const char *s; /* everything else; a guest's name */
};

/* Values in the order of the tool's arguments. */
struct tool_args {
	const struct tool *tool;
	struct tool_value v[TOOL_ARGS_MAX];
};

struct tool_error {
	char text[200]; /* "guest: a vmid from 100 to 999999999, or a name" */
};

/*
 * Reads JSON, an object, as arguments of TOOL: 0, or -EINVAL with *error filled. Text is copied into ARENA. With
 * WITHOUT_TARGET the target must not be there: the request names several in `targets`.
 */
int tool_args_read(const struct tool *tool, const char *json, size_t length, bool without_target,
		   struct arena *arena, struct tool_args *ret, struct tool_error *error);
/* Reads one element of `targets` into the target of ARGS: a name, or a vmid as text. 0 or -EINVAL. */
int tool_args_set_target(struct tool_args *args, const char *text, struct arena *arena,
			 struct tool_error *error);
/* The value of argument NAME; one that has not `has` when it was left out or there is none. */
struct tool_value tool_args_get(const struct tool_args *args, const char *name);
/* Sets argument NAME, which the tool must have. VALUE's text is borrowed. */
void tool_args_set(struct tool_args *args, const char *name, struct tool_value value);
/*
 * Appends the canonical form: members sorted by their bytes, no blanks, no members that were left out. Two sets of
 * arguments mean the same exactly when their canonical forms are equal, once objects are resolved.
 */
void tool_args_write(const struct tool_args *args, struct str *out);

/* One of the pairs of an argument of kind ARG_PAIRS. */
struct tool_pair {
	const char *name, *value;
};

/* Splits TEXT, as such an argument holds it; NULL is none. How many; they are in RET, and their texts in ARENA. */
size_t tool_pairs_split(const char *text, struct arena *arena,
			struct tool_pair ret[TOOL_PAIRS_MAX]);

/* Whether TEXT is as PATTERN wants it. */
bool tool_pattern_match(enum tool_pattern pattern, const char *text);

/* Appends the tool's arguments as JSON Schema (2020-12): for models, MCP and OpenAPI. */
void tool_write_schema(const struct tool *tool, struct json_writer *w, const char *key);
