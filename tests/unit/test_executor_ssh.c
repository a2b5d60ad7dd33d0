/* SPDX-License-Identifier: MIT */
/*
 * What goes to a node and what comes back, as docs/ssh-tools.md has it: what is believed, and everything that is not.
 */
#include "services/executor/ssh_answers.h"
#include "services/executor/ssh_unit.h"
#include "services/executor/ssh_wire.h"

#include <errno.h>
#include <stdio.h>

#include "common/alloc.h"
#include "common/tools.h"
#include "tests/unit/check.h"

#define B "0123456789abcdef0123456789abcdef"
#define OTHER "00000000000000000000000000000000"
#define BEGIN "JARVIS-BEGIN " B " 1\n"
#define END "\nJARVIS-END " B " "

/* ── requests ──────────────────────────────────────────────────────────────────────────────────────────────── */

static struct ssh_request request_of(const struct ssh_param *params, size_t n)
{
	return (struct ssh_request){ .envelope = "{\"payload\":\"\"}",
				     .id = "r-1",
				     .boundary = B,
				     .timeout_s = 30,
				     .tool = "service_restart",
				     .params = params,
				     .params_n = n };
}

static void test_request(void **unused)
{
	static const char wanted[] = "{\"payload\":\"\"}\n1\0r-1\0" B "\0"
				     "30\0service_restart\0unit=smbd.service\0end";
	const struct ssh_param unit = { "unit", "smbd.service" };
	const struct ssh_request request = request_of(&unit, 1);
	_cleanup_(str_done) struct str out = { 0 };

	(void)unused;
	assert_int_equal(ssh_wire_build(&request, &out), 0);
	assert_int_equal(out.len, sizeof(wanted));
	assert_memory_equal(out.data, wanted, sizeof(wanted));
}

/* A command of the catalogue with as many parameters as there may be, and its own name beside them. */
static void test_most_parameters(void **unused)
{
	struct ssh_param params[TOOL_PAIRS_MAX + 1] = { 0 };
	const struct ssh_request request = request_of(params, countof(params));
	_cleanup_(str_done) struct str out = { 0 };

	(void)unused;
	for (size_t i = 0; i < countof(params); i++)
		params[i] = (struct ssh_param){ "a", "b" };
	assert_int_equal(ssh_wire_build(&request, &out), 0);
}

/* What the far side would refuse does not leave. */
static void test_bad_requests(void **unused)
{
	_cleanup_(freep) char *long_text = xmalloc(50001);
	struct ssh_param params[SSH_WIRE_PARAMS_MAX + 1];
	struct ssh_request bad[12];
	size_t n = 0;

	(void)unused;
	memset(long_text, 'x', 50000);
	long_text[0] = '{';
	long_text[49999] = '}';
	long_text[50000] = '\0';
	for (size_t i = 0; i < countof(params); i++)
		params[i] = (struct ssh_param){ "a", "b" };
	for (size_t i = 0; i < countof(bad); i++)
		bad[i] = request_of(params, 1);
	bad[n++].envelope = "";
	bad[n++].envelope = "{}\n{}";
	bad[n++].envelope = "{\"\xc3\xa4\":1}";
	bad[n++].envelope = long_text;
	bad[n++].id = "";
	bad[n++].id = "a b";
	bad[n++].boundary = "0123";
	bad[n++].boundary = "0123456789ABCDEF0123456789abcdef";
	bad[n++].timeout_s = 0;
	bad[n++].timeout_s = 301;
	bad[n++].params_n = SSH_WIRE_PARAMS_MAX + 1;
	params[0].value = long_text;
	n++;
	for (size_t i = 0; i < n; i++) {
		_cleanup_(str_done) struct str out = { 0 };

		assert_int_equal(ssh_wire_build(&bad[i], &out), -EINVAL);
		assert_int_equal(out.len, 0);
	}
}

/* ── answers ───────────────────────────────────────────────────────────────────────────────────────────────── */

static struct ssh_answer parse_bytes(const char *bytes, size_t n, char **copy)
{
	struct ssh_answer answer;

	/* Exactly as long as it is, so that a sanitizer sees a byte read too many. */
	*copy = n ? xmemdup(bytes, n) : xmalloc(1);
	ssh_wire_parse(*copy, n, B, &answer);
	return answer;
}

static void test_answers(void **unused)
{
	static const struct {
		const char *text;
		enum ssh_answer_outcome outcome;
		unsigned value;
		const char *out, *err;
	} rows[] = {
		{ BEGIN END "exit 0 0 0 0 0 12\n", SSH_ANSWER_EXIT, 0, "", "" },
		{ BEGIN "out\nerr" END "exit 3 4 0 3 0 12\n", SSH_ANSWER_EXIT, 3, "out\n", "err" },
		{ "Last login\n" BEGIN "x" END "signal 11 1 0 0 0 1\n", SSH_ANSWER_SIGNAL, 11, "x",
		  "" },
		{ BEGIN END "timeout 0 0 7 0 0 1\n", SSH_ANSWER_TIMEOUT, 0, "", "" },
		{ BEGIN END "flood 0 0 0 0 9 1\n", SSH_ANSWER_FLOOD, 0, "", "" },
		{ BEGIN "no" END "refused 69 0 0 2 0 1\n", SSH_ANSWER_REFUSED, 69, "", "no" },
		/* It cannot know the boundary, so what it writes is only text. */
		{ BEGIN "\nJARVIS-END " OTHER " exit 0 0 0 0 0 1\n" END "exit 1 62 0 0 0 1\n",
		  SSH_ANSWER_EXIT, 1, "\nJARVIS-END " OTHER " exit 0 0 0 0 0 1\n", "" },
	};

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		_cleanup_(freep) char *copy = NULL;
		struct ssh_answer a = parse_bytes(rows[i].text, strlen(rows[i].text), &copy);

		if (a.outcome != rows[i].outcome || a.value != rows[i].value)
			fail_msg("row %zu: %d %u %s", i, a.outcome, a.value, a.why ? a.why : "");
		assert_int_equal(a.out_len, strlen(rows[i].out));
		assert_memory_equal(a.out, rows[i].out, a.out_len);
		assert_int_equal(a.err_len, strlen(rows[i].err));
		assert_memory_equal(a.err, rows[i].err, a.err_len);
	}
}

static void test_unknown(void **unused)
{
	static const char *const rows[] = {
		"",
		"\n",
		BEGIN,
		END "exit 0 0 0 0 0 1\n",
		BEGIN END "exit 0 0 0 0 0 1",	     /* its last byte is missing */
		BEGIN END "exit 0 0 0 0 0 1\nx",     /* something came after it */
		BEGIN END "exit 0 0 0 0 0 1\n\n",    /* likewise */
		BEGIN END "exit 0 1 0 0 0 1\n",	     /* a byte is missing */
		BEGIN "xx" END "exit 0 1 0 0 0 1\n", /* a byte too many */
		BEGIN "JARVIS-END " B " exit 0 0 0 0 0 1\n",
		BEGIN END "exit 0 0 0 0 0\n",
		BEGIN END "exit 0 0 0 0 0 1 1\n",
		BEGIN END "exit 256 0 0 0 0 1\n",
		BEGIN END "exit -1 0 0 0 0 1\n",
		BEGIN END "exit  0 0 0 0 0 1\n",
		BEGIN END "exit 0 0 0 0 0 9999999999999999\n",
		BEGIN END "exit 0 300000 0 0 0 1\n",
		BEGIN END "well 0 0 0 0 0 1\n",
		BEGIN END "unknown 0 0 0 0 0 1\n",
		"x" BEGIN END "exit 0 0 0 0 0 1\n",
		"JARVIS-BEGIN " OTHER " 1\n" END "exit 0 0 0 0 0 1\n",
		"JARVIS-BEGIN " B " 2\n" END "exit 0 0 0 0 0 1\n",
		BEGIN "\nJARVIS-END " OTHER " exit 0 0 0 0 0 1\n",
	};

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		_cleanup_(freep) char *copy = NULL;
		struct ssh_answer a = parse_bytes(rows[i], strlen(rows[i]), &copy);

		if (a.outcome != SSH_ANSWER_UNKNOWN || !a.why || a.out_len || a.err_len)
			fail_msg("row %zu is believed: %s", i, rows[i]);
	}
}

/* Cut off anywhere, it is unknown. */
static void test_cut(void **unused)
{
	static const char whole[] =
		"hello\n" BEGIN "out\nJARVIS-END\nerr" END "exit 0 15 0 3 0 12\n";

	(void)unused;
	for (size_t n = 0; n < sizeof(whole); n++) {
		_cleanup_(freep) char *copy = NULL;
		struct ssh_answer a = parse_bytes(whole, n, &copy);

		assert_int_equal(a.outcome,
				 n + 1 == sizeof(whole) ? SSH_ANSWER_EXIT : SSH_ANSWER_UNKNOWN);
	}
}

static void test_no_boundary(void **unused)
{
	static const char text[] = "JARVIS-BEGIN  1\n\nJARVIS-END  exit 0 0 0 0 0 1\n";
	struct ssh_answer a;

	(void)unused;
	ssh_wire_parse(text, sizeof(text) - 1, "", &a);
	assert_int_equal(a.outcome, SSH_ANSWER_UNKNOWN);
}

/* ── units ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static struct unit_now unit_of(const char *text)
{
	struct unit_now unit;

	assert_int_equal(ssh_unit_read(text, strlen(text), &unit), 0);
	return unit;
}

static void test_unit(void **unused)
{
	static const char *const none[] = { "", "LoadState=loaded\n", "ActiveState=active\n",
					    "LoadState=a b\nActiveState=active\n", "=\n==\n\n" };
	_cleanup_(str_done) struct str text = { 0 };
	struct unit_now unit = unit_of(
				"MainPID=17\nActiveState=active\nDescription=a=b\n"
				"ActiveEnterTimestamp=@99\nSubState=running\nLoadState=loaded"),
			again;

	(void)unused;
	assert_string_equal(unit.sub, "running");
	assert_int_equal(unit.main_pid, 17);
	assert_int_equal(unit.entered_s, 99);
	ssh_unit_write(&unit, &text);
	again = unit_of(str_get(&text));
	assert_memory_equal(&again, &unit, sizeof(unit));
	unit = unit_of("LoadState=not-found\nActiveState=inactive\nActiveEnterTimestamp=\n");
	assert_string_equal(unit.load, "not-found");
	assert_int_equal(unit.entered_s, -1);
	str_clear(&text);
	ssh_unit_write(&unit, &text);
	again = unit_of(str_get(&text));
	assert_memory_equal(&again, &unit, sizeof(unit));
	for (size_t i = 0; i < countof(none); i++)
		assert_int_equal(ssh_unit_read(none[i], strlen(none[i]), &unit), -EINVAL);
}

#define LOADED "LoadState=loaded\n"
#define ACTIVE LOADED "ActiveState=active\nSubState=running\n"
#define FAILED LOADED "ActiveState=failed\nSubState=failed\nMainPID=0\nActiveEnterTimestamp=@50\n"

static void test_verdicts(void **unused)
{
	static const struct {
		enum tool_verify condition;
		const char *before, *now;
		enum verify_verdict verdict;
		const char *says;
	} rows[] = {
		{ VERIFY_UNIT_RESTARTED, ACTIVE "MainPID=1\nActiveEnterTimestamp=@50\n",
		  ACTIVE "MainPID=2\nActiveEnterTimestamp=@50\n", VERDICT_YES,
		  "the unit is active (running)" },
		{ VERIFY_UNIT_RESTARTED, ACTIVE "MainPID=0\nActiveEnterTimestamp=@50\n",
		  ACTIVE "MainPID=0\nActiveEnterTimestamp=@51\n", VERDICT_YES,
		  "the unit is active (running)" },
		{ VERIFY_UNIT_RESTARTED, FAILED, ACTIVE "MainPID=0\nActiveEnterTimestamp=@50\n",
		  VERDICT_YES, "the unit is active (running)" },
		{ VERIFY_UNIT_RESTARTED, ACTIVE "MainPID=1\nActiveEnterTimestamp=@50\n",
		  ACTIVE "MainPID=1\nActiveEnterTimestamp=@50\n", VERDICT_NOT_YET,
		  "the unit is active (running), and has been so since before" },
		{ VERIFY_UNIT_RESTARTED, ACTIVE, FAILED, VERDICT_NOT_YET,
		  "the unit is failed (failed)" },
		{ VERIFY_UNIT_RESTARTED, ACTIVE, LOADED "ActiveState=activating\n", VERDICT_NOT_YET,
		  "the unit is activating" },
		{ VERIFY_UNIT_STOPPED, ACTIVE, FAILED, VERDICT_YES, "the unit is failed (failed)" },
		{ VERIFY_UNIT_STOPPED, ACTIVE, LOADED "ActiveState=inactive\nSubState=dead\n",
		  VERDICT_YES, "the unit is inactive (dead)" },
		{ VERIFY_UNIT_STOPPED, ACTIVE, LOADED "ActiveState=deactivating\n", VERDICT_NOT_YET,
		  "the unit is deactivating" },
		{ VERIFY_UNIT_STOPPED, ACTIVE, ACTIVE "MainPID=3\n", VERDICT_NOT_YET,
		  "the unit is active (running)" },
	};

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		struct unit_now before = unit_of(rows[i].before), now = unit_of(rows[i].now);
		char text[VERIFY_TEXT] = "";

		if (ssh_unit_judge(rows[i].condition, &before, &now, text) != rows[i].verdict)
			fail_msg("row %zu", i);
		assert_string_equal(text, rows[i].says);
	}
}

/* ── what is returned ──────────────────────────────────────────────────────────────────────────────────────── */

static void expect(bool (*make)(const struct ssh_answer *answer, struct str *out), const char *text,
		   const char *err, const char *json)
{
	const struct ssh_answer answer = { .outcome = SSH_ANSWER_EXIT,
					   .out = text,
					   .out_len = strlen(text),
					   .err = err,
					   .err_len = strlen(err) };
	_cleanup_(str_done) struct str out = { 0 };

	assert_true(make(&answer, &out) == (json != NULL));
	if (json)
		assert_string_equal(str_get(&out), json);
}

static void test_returned(void **unused)
{
	(void)unused;
	expect(ssh_answer_fields, "host=pve\nload1=0.1\nnonsense\nhost=two\na b=c\n=x\n", "",
	       "{\"host\":\"pve\",\"load1\":\"0.1\"}");
	expect(ssh_answer_fields, "", "", NULL);
	expect(ssh_answer_lines, "a\n\"b\"\xff\n\nlast", "",
	       "{\"lines\":[\"a\",\"\\\"b\\\"\xef\xbf\xbd\",\"\",\"last\"]}");
	expect(ssh_answer_lines, "", "", "{\"lines\":[]}");
	expect(ssh_answer_journal,
	       "{\"__REALTIME_TIMESTAMP\":\"5000\",\"PRIORITY\":\"3\",\"_PID\":\"7\","
	       "\"SYSLOG_IDENTIFIER\":\"smbd\",\"MESSAGE\":\"x\"}\nno json\n[]\n"
	       "{\"MESSAGE\":[72,105,0,300,\"x\"]}\n{\"MESSAGE\":null,\"PRIORITY\":3}\n",
	       "",
	       "{\"lines\":[{\"ts\":5,\"priority\":3,\"identifier\":\"smbd\",\"pid\":7,\"message\":\"x\"},"
	       "{\"ts\":null,\"priority\":null,\"identifier\":null,\"pid\":null,\"message\":\"Hi   \"},"
	       "{\"ts\":null,\"priority\":null,\"identifier\":null,\"pid\":null,\"message\":null}]}");
	expect(ssh_answer_journal, "", "", "{\"lines\":[]}");
	expect(ssh_answer_journal, "", "Hint: not in the group", NULL);
	expect(ssh_answer_disks,
	       "   1B-blocks Used Avail Inodes IUsed Type Mounted on\n"
	       "100 40 60 10 1 ext4 /mnt/my files\n7 7 0 - - vfat /boot\n7 7 0 0 0 x /y\nx\n",
	       "",
	       "{\"items\":[{\"total\":100,\"used\":40,\"available\":60,\"inodes\":10,\"inodes_used\":1,"
	       "\"type\":\"ext4\",\"mount\":\"/mnt/my files\"},"
	       "{\"total\":7,\"used\":7,\"available\":0,\"inodes\":null,\"inodes_used\":null,"
	       "\"type\":\"vfat\",\"mount\":\"/boot\"},"
	       "{\"total\":7,\"used\":7,\"available\":0,\"inodes\":null,\"inodes_used\":null,"
	       "\"type\":\"x\",\"mount\":\"/y\"}]}");
	expect(ssh_answer_disks, "", "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_most_parameters), cmocka_unit_test(test_request),
		cmocka_unit_test(test_bad_requests),	cmocka_unit_test(test_answers),
		cmocka_unit_test(test_unknown),		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_no_boundary),	cmocka_unit_test(test_unit),
		cmocka_unit_test(test_verdicts),	cmocka_unit_test(test_returned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
