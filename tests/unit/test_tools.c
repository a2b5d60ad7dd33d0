/* SPDX-License-Identifier: MIT */
/*
 * Arguments of tools: what is read, what is refused, one canonical form; and that the table has no way to destroy.
 */
#include "common/tools.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* "" when JSON is taken as arguments of NAME, else the error; CANON gets the canonical form. */
static char *try_args(const char *name, const char *json, struct str *canon)
{
	static char text[256];
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct tool_error error = { "" };
	struct tool_args args;
	const struct tool *tool = tool_find(name);

	assert_non_null(tool);
	if (canon)
		canon->len = 0;
	if (tool_args_read(tool, json, strlen(json), false, arena, &args, &error) == 0 && canon)
		tool_args_write(&args, canon);
	(void)snprintf(text, sizeof(text), "%s", error.text);
	return text;
}

static void test_canonical(void **unused)
{
	static const struct {
		const char *tool, *json, *canon;
	} rows[] = {
		{ "guest_start", "{\"guest\":101}", "{\"guest\":101}" },
		{ "guest_start", "{\"guest\":\"101\"}", "{\"guest\":101}" },
		{ "guest_start", "{ \"guest\" : 1.01e2 }", "{\"guest\":101}" },
		{ "guest_start", "{\"guest\":\"web\",\"cluster\":\"home\"}",
		  "{\"cluster\":\"home\",\"guest\":\"web\"}" },
		{ "guest_snapshot", "{\"snapshot\":\"pre-1\",\"memory\":false,\"guest\":100}",
		  "{\"guest\":100,\"memory\":false,\"snapshot\":\"pre-1\"}" },
		{ "guest_shutdown", "{\"guest\":100,\"timeout\":30}",
		  "{\"guest\":100,\"timeout\":30}" },
		{ "task_log",
		  "{\"upid\":\"UPID:pve:0008380E:0131F1BF:6A84EA54:vzreboot:101:root@pam!a:\"}",
		  "{\"upid\":\"UPID:pve:0008380E:0131F1BF:6A84EA54:vzreboot:101:root@pam!a:\"}" },
		{ "node_list", "{}", "{}" },
	};
	_cleanup_(str_done) struct str canon = { 0 };

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		assert_string_equal(try_args(rows[i].tool, rows[i].json, &canon), "");
		assert_string_equal(str_get(&canon), rows[i].canon);
	}
}

static void test_refused(void **unused)
{
	static const struct {
		const char *tool, *json, *error;
	} rows[] = {
		{ "guest_start", "{}", "guest: is missing" },
		{ "guest_start", "[]", "args: an object" },
		{ "guest_start", "{\"guest\":101,\"force\":true}",
		  "force: guest_start has no such argument" },
		{ "guest_start", "{\"guest\":101,\"guest\":102}", "args:" },
		{ "guest_start", "{\"guest\":101,\"Guest\":102}", "args:" },
		{ "guest_start", "{\"guest\":99}", "guest: a whole number from 100" },
		{ "guest_start", "{\"guest\":101.5}", "guest: a whole number" },
		{ "guest_start", "{\"guest\":1000000000}", "guest: a whole number" },
		{ "guest_start", "{\"guest\":9007199254740993}", "args:" },
		{ "guest_start", "{\"guest\":\"0000000101234\"}", "guest: a vmid" },
		{ "guest_start", "{\"guest\":\"../100\"}", "guest: a vmid" },
		{ "guest_start", "{\"guest\":\"-rf\"}", "guest: a vmid" },
		{ "guest_start", "{\"guest\":\"web\\u202e\"}", "guest: a vmid" },
		{ "guest_start", "{\"guest\":true}", "guest: a vmid or a name" },
		{ "guest_start", "{\"guest\":null}", "guest: a vmid or a name" },
		{ "guest_start", "{\"guest\":101} x", "args:" },
		{ "guest_shutdown", "{\"guest\":100,\"timeout\":9}",
		  "timeout: a whole number from 10 to 240" },
		{ "guest_shutdown", "{\"guest\":100,\"timeout\":\"60\"}",
		  "timeout: a whole number" },
		{ "guest_snapshot", "{\"guest\":100,\"snapshot\":\"a b\"}",
		  "snapshot: not a name" },
		{ "guest_snapshot", "{\"guest\":100,\"snapshot\":\"a\",\"memory\":1}",
		  "memory: true or false" },
		{ "guest_snapshot", "{\"guest\":100,\"snapshot\":\"a\",\"description\":\"a\\nb\"}",
		  "description: one line" },
		{ "guest_list", "{\"status\":\"runn\"}", "status: one of running" },
		{ "guest_list", "{\"status\":\"\"}", "status: one of running" },
		{ "guest_list", "{\"status\":\"running stopped\"}", "status: one of running" },
		{ "task_stop", "{\"upid\":\"UPID:pve:1:2:3:a:b:c:\"}", "upid: a UPID" },
		{ "task_stop",
		  "{\"upid\":\"UPID:pve:0008380E:0131F1BF:6A84EA54:vz:101:root@pam:x\"}",
		  "upid: a UPID" },
		{ "task_stop",
		  "{\"upid\":\"UPID:../x:0008380E:0131F1BF:6A84EA54:vz:101:root@pam:\"}",
		  "upid: a UPID" },
	};

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		const char *error = try_args(rows[i].tool, rows[i].json, NULL);

		if (!str_starts(error, rows[i].error))
			fail_msg("%s %s: \"%s\"", rows[i].tool, rows[i].json, error);
	}
}

static void test_patterns(void **unused)
{
	static const struct {
		enum tool_pattern pattern;
		const char *text;
		bool fits;
	} rows[] = {
		{ PATTERN_UPID, "UPID:pve:0008380E:0131F1BF:6A84EA54:vncshell::root@pam:", true },
		{ PATTERN_UPID, "UPID:pve::0131F1BF:6A84EA54:vncshell::root@pam:", false },
		{ PATTERN_UPID, "upid:pve:0008380E:0131F1BF:6A84EA54:vncshell::root@pam:", false },
		{ PATTERN_UPID, "UPID:pve:0008380E", false },
		{ PATTERN_UPID, "UPID:pve:8380E:0131F1BF:6A84EA54:x:1:root@pam:", false },
		{ PATTERN_UPID, "UPID:pve:0008380E00:0131F1BF:6A84EA54:x:1:root@pam:", false },
		{ PATTERN_UPID, "UPID:pve:0008380G:0131F1BF:6A84EA54:x:1:root@pam:", false },
		{ PATTERN_UPID, "UPID:p/ve:0008380E:0131F1BF:6A84EA54:x:1:root@pam:", false },
		{ PATTERN_UPID, "UPID:pve:0008380E:0131F1BF:6A84EA54:x:1:root@pam:more", false },
		{ PATTERN_LINE, "a line, number 7", true },
		{ PATTERN_LINE, "two\nlines", false },
		{ PATTERN_LINE, "rub\x7f out", false },
		{ PATTERN_FILENAME, "debian-12.iso", true },
		{ PATTERN_FILENAME, ".hidden", false },
		{ PATTERN_FILENAME, "a..b", false },
		{ PATTERN_FILENAME, "a/b", false },
		{ PATTERN_FILENAME, "", false },
		{ PATTERN_HTTPS_URL, "https://cloud.debian.org/images/x.qcow2", true },
		{ PATTERN_HTTPS_URL, "https://cloud.debian.org:8443/x", true },
		{ PATTERN_HTTPS_URL, "http://cloud.debian.org/x", false },
		{ PATTERN_HTTPS_URL, "https://user@evil.org/x", false },
		{ PATTERN_HTTPS_URL, "https://evil.org", false },
		{ PATTERN_HTTPS_URL, "https:///x", false },
		{ PATTERN_HTTPS_URL, "https://evil.org/../x", false },
		{ PATTERN_HTTPS_URL, "https://evil.org/x#y", false },
		{ PATTERN_HTTPS_URL, "https://evil.org/a b", false },
		{ PATTERN_HTTPS_URL, "https://[::1]/x", false },
		{ PATTERN_HEX, "00ffAB", true },
		{ PATTERN_HEX, "0x00", false },
		{ PATTERN_HEX, "", false },
		{ PATTERN_UNIT, "smbd.service", true },
		{ PATTERN_UNIT, "getty@tty1.service", true },
		{ PATTERN_UNIT, "_x\\x2d:a-b.timer", true },
		{ PATTERN_UNIT, "smbd", false },
		{ PATTERN_UNIT, ".service", false },
		{ PATTERN_UNIT, "-smbd.service", false },
		{ PATTERN_UNIT, "../smbd.service", false },
		{ PATTERN_UNIT, "smbd nmbd.service", false },
		{ PATTERN_UNIT, "sda.device", false },
		{ PATTERN_UNIT, "smbd.service\n", false },
		{ PATTERN_COMMAND, "zpool_scrub", true },
		{ PATTERN_COMMAND, "a2345678901234567890123456789012", true },
		{ PATTERN_COMMAND, "a23456789012345678901234567890123", false },
		{ PATTERN_COMMAND, "Scrub", false },
		{ PATTERN_COMMAND, "2scrub", false },
		{ PATTERN_COMMAND, "a-b", false },
		{ PATTERN_COMMAND, "", false },
		{ PATTERN_LINE, "what it is for", true },
		{ PATTERN_LINE, "a\x1b[31m", false },
		{ PATTERN_LINE, "für später — 备份", true },
		{ PATTERN_LINE,
		  "a\xc2\x9b"
		  "31m",
		  false },
		{ PATTERN_LINE,
		  "from \xe2\x80\xae"
		  "101",
		  false },
		{ PATTERN_LINE,
		  "a\xe2\x80\x8b"
		  "b",
		  false },
		{ PATTERN_LINE, "a\xff", false },
	};

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		if (tool_pattern_match(rows[i].pattern, rows[i].text) != rows[i].fits)
			fail_msg("%s", rows[i].text);
	}
}

static void test_targets(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(str_done) struct str canon = { 0 };
	struct tool_error error;
	struct tool_args args;
	const struct tool *tool = tool_find("guest_shutdown");

	(void)unused;
	assert_int_equal(tool_args_read(tool, "{\"timeout\":20}", 14, true, arena, &args, &error),
			 0);
	assert_int_equal(tool_args_set_target(&args, "104", arena, &error), 0);
	tool_args_write(&args, &canon);
	assert_string_equal(str_get(&canon), "{\"guest\":104,\"timeout\":20}");
	assert_int_equal(tool_args_set_target(&args, "1 4", arena, &error), -EINVAL);
	assert_int_equal(tool_args_read(tool, "{\"guest\":104}", 13, true, arena, &args, &error),
			 -EINVAL);
	assert_string_equal(error.text, "guest: either here or in targets, not both");
	assert_int_equal(
		tool_args_read(tool_find("node_list"), "{}", 2, true, arena, &args, &error), 0);
	assert_int_equal(tool_args_set_target(&args, "pve", arena, &error), -EINVAL);
}

/* Written one way, whatever the order and whether numbers are quoted. */
static void test_pairs(void **unused)
{
	static const struct {
		const char *params, *canonical; /* NULL: refused */
	} rows[] = {
		{ "{\"pool\":\"tank\",\"count\":3}", "{\"count\":\"3\",\"pool\":\"tank\"}" },
		{ "{\"count\":\"3\"}", "{\"count\":\"3\"}" },
		{ "{\"a\":\"_x.y-z\",\"b\":0}", "{\"a\":\"_x.y-z\",\"b\":\"0\"}" },
		{ "{}", "" },
		/* What it may be is not said here, but by the type that the gate's list gives it. */
		{ "{\"b\":\"/srv/my files\",\"a\":\"https://a/x?y=z&b=c\"}",
		  "{\"a\":\"https://a/x?y=z&b=c\",\"b\":\"/srv/my files\"}" },
		{ "{\"a\":\"b=c d=e\",\"f\":\"=\"}", "{\"a\":\"b=c d=e\",\"f\":\"=\"}" },
		{ "{\"a\":\"x\\ny=z\"}", NULL },
		{ "{\"a\":\"x\\u202ey\"}", NULL },
		{ "{\"a\":\"x\\u0000y\"}", NULL },
		{ "{\"a\":\"\"}", NULL },
		{ "{\"a b\":\"x\"}", NULL },
		{ "{\"\":\"x\"}", NULL },
		{ "{\"a\":-1}", NULL },
		{ "{\"a\":1.5}", NULL },
		{ "{\"a\":1e300}", NULL },
		{ "{\"a\":true}", NULL },
		{ "{\"a\":{}}", NULL },
		{ "{\"a\":1,\"b\":1,\"c\":1,\"d\":1,\"e\":1,\"f\":1,\"g\":1,\"h\":1,\"i\":1}",
		  NULL },
		{ "[]", NULL },
		{ "\"a=b\"", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		_cleanup_(freep) char *json = xasprintf(
			"{\"node\":\"pve\",\"command_id\":\"go\",\"params\":%s}", rows[i].params);
		_cleanup_(freep) char *wanted = NULL;
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		_cleanup_(str_done) struct str canon = { 0 };
		struct tool_error error;
		struct tool_args args;
		int r = tool_args_read(tool_find("run_command"), json, strlen(json), false, arena,
				       &args, &error);

		if ((r == 0) != (rows[i].canonical != NULL))
			fail_msg("%s: %d", json, r);
		if (r < 0)
			continue;
		wanted = rows[i].canonical[0] ?
				 xasprintf("{\"command_id\":\"go\",\"node\":\"pve\",\"params\":%s}",
					   rows[i].canonical) :
				 xstrdup("{\"command_id\":\"go\",\"node\":\"pve\"}");
		tool_args_write(&args, &canon);
		assert_string_equal(str_get(&canon), wanted);
		/* What is written is read as the same. */
		assert_int_equal(tool_args_read(tool_find("run_command"), str_get(&canon),
						canon.len, false, arena, &args, &error),
				 0);
		str_clear(&canon);
		tool_args_write(&args, &canon);
		assert_string_equal(str_get(&canon), wanted);
	}
}

/* What must never be a tool, by whatever name. */
static void test_no_way_to_destroy(void **unused)
{
	static const char *const never[] = { "destroy",	   "wipe",  "purge", "format", "passw",
					     "permission", "acl",   "token", "user",   "role",
					     "exec",	   "shell", "prune", "remove", "erase" };

	(void)unused;
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		const struct tool *tool = &tool_table[i];

		assert_in_range(tool->tier, TIER_GREEN, TIER_RED);
		assert_true(tool->deadline_s > 0);
		assert_int_equal(tool->tier == TIER_GREEN, tool->verify == VERIFY_NOTHING);
		assert_non_null(tool_arg_find(tool, "cluster"));
		if (tool->tier > TIER_GREEN && tool->args[0].kind != ARG_TEXT)
			assert_non_null(tool_target(tool));
		for (size_t k = 0; k < countof(never); k++)
			assert_null(strstr(tool->name, never[k]));
	}
	assert_null(tool_find("guest_destroy"));
	assert_null(tool_find("Guest_start"));
	assert_null(tool_find(""));
}

static void test_schema(void **unused)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };
	_cleanup_(json_treep) cJSON *tree = NULL;

	(void)unused;
	tool_write_schema(tool_find("guest_shutdown"), &w, NULL);
	assert_int_equal(json_parse(text.data, text.len, JSON_COMMAND, &tree, NULL), 0);
	assert_true(cJSON_IsFalse(json_get(tree, "additionalProperties")));
	assert_int_equal(cJSON_GetArraySize(json_get(tree, "required")), 1);
	assert_int_equal(cJSON_GetArraySize(json_get(tree, "properties")), 3);
	str_clear(&text);
	w = (struct json_writer){ .out = &text };
	tool_write_schema(tool_find("run_command"), &w, NULL);
	assert_non_null(strstr(str_get(&text),
			       "\"additionalProperties\":{\"type\":[\"string\",\"integer\"],"
			       "\"minLength\":1,\"maxLength\":512}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_no_way_to_destroy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
