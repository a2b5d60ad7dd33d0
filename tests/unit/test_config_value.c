/* SPDX-License-Identifier: MIT */
/*
 * Single values of jarvis.yaml by a table: what passes, in which normal form, and what does not. And the table of
 * keys itself.
 */
#include "common/config_parts.h"

#include <errno.h>

#include "tests/unit/check.h"

#define PIN "0011223344556677889900112233445566778899001122334455667788990011"

struct value_case {
	enum config_check check;
	const char *text;
	const char *result; /* NULL: refused */
};

static const struct value_case value_cases[] = {
	{ CHECK_host, "proxmox.example.org", "proxmox.example.org" },
	{ CHECK_host, "10.0.0.1", "10.0.0.1" },
	{ CHECK_host, "::1", "::1" },
	{ CHECK_host, "[::1]", NULL },
	{ CHECK_host, "host:8006", NULL },
	{ CHECK_host, "https://host", NULL },
	{ CHECK_host, "-host", NULL },
	{ CHECK_host, "", NULL },
	{ CHECK_address, "0.0.0.0", "0.0.0.0" },
	{ CHECK_address, "localhost", NULL },
	{ CHECK_address, "127.0.0.1:80", NULL },
	{ CHECK_network, "10.0.0.0/8", "10.0.0.0/8" },
	{ CHECK_network, "10.0.0.0/33", NULL },
	{ CHECK_network, "10.0.0.0/", NULL },
	{ CHECK_network, "10.0.0.0/08", NULL },
	{ CHECK_network, "fd00::/129", NULL },
	{ CHECK_network, "fd00::/128", "fd00::/128" },
	{ CHECK_network, "/8", NULL },
	{ CHECK_path, "/a", "/a" },
	{ CHECK_path, "a", NULL },
	{ CHECK_path, "", NULL },
	{ CHECK_name, "A.b_c-9", "A.b_c-9" },
	{ CHECK_name, "0123456789012345678901234567890123456789012345678901234567890123",
	  "0123456789012345678901234567890123456789012345678901234567890123" },
	{ CHECK_name, "01234567890123456789012345678901234567890123456789012345678901234", NULL },
	{ CHECK_name, "a+b", NULL },
	{ CHECK_name, "a#", NULL },
	{ CHECK_name, "k\xc3\xb6ln", NULL },
	{ CHECK_name, "", NULL },
	{ CHECK_base, "jarvis_2-b", "jarvis_2-b" },
	{ CHECK_base, "Jarvis", NULL },
	{ CHECK_base, "a/b", NULL },
	{ CHECK_base, "a.b", NULL },
	{ CHECK_service, "gateway", "gateway" },
	{ CHECK_service, "Gateway", NULL },
	{ CHECK_token, "root@pam!x", "root@pam!x" },
	{ CHECK_token, "me@home@pve!x", "me@home@pve!x" },
	{ CHECK_token, "root@pam", NULL },
	{ CHECK_token, "root!x", NULL },
	{ CHECK_token, "@pam!x", NULL },
	{ CHECK_token, "root@!x", NULL },
	{ CHECK_token, "root@pam!", NULL },
	{ CHECK_token, "root@pam!x=uuid", NULL },
	{ CHECK_token, "ro ot@pam!x", NULL },
	{ CHECK_fingerprint,
	  "5A:C8:08:90:45:6C:15:5E:C9:BA:30:7F:95:1F:D0:E7:"
	  "A3:F0:41:D6:BB:0D:1A:C6:73:40:55:1F:6B:31:FF:0C",
	  "5ac80890456c155ec9ba307f951fd0e7a3f041d6bb0d1ac67340551f6b31ff0c" },
	{ CHECK_fingerprint, PIN, PIN },
	{ CHECK_fingerprint, PIN "0", NULL },
	{ CHECK_fingerprint, "00", NULL },
	{ CHECK_fingerprint, "g011223344556677889900112233445566778899001122334455667788990011",
	  NULL },
	{ CHECK_fingerprint,
	  "5A-C8-08-90-45-6C-15-5E-C9-BA-30-7F-95-1F-D0-E7-A3-F0-41-D6-BB-0D-1A-C6-73-40-55-1F-6B-"
	  "31-FF-0C",
	  NULL },
	{ CHECK_mac, "BC:24:11:aB:00:01", "bc:24:11:ab:00:01" },
	{ CHECK_mac, "bc2411000001", NULL },
	{ CHECK_mac, "bc:24:11:00:00", NULL },
	{ CHECK_mac, "bc:24:11:00:00:0g", NULL },
	{ CHECK_origin, "https://jarvis.example.org", "https://jarvis.example.org" },
	{ CHECK_origin, "HTTPS://Jarvis.Example:8443", "https://jarvis.example:8443" },
	{ CHECK_origin, "http://[fd00::1]", "http://[fd00::1]" },
	{ CHECK_origin, "http://[fd00::1]:80", "http://[fd00::1]:80" },
	{ CHECK_origin, "https://x/", NULL },
	{ CHECK_origin, "https://x/path", NULL },
	{ CHECK_origin, "https://x:0", NULL },
	{ CHECK_origin, "https://x:", NULL },
	{ CHECK_origin, "https://u@x", NULL },
	{ CHECK_origin, "https://fd00::1", NULL },
	{ CHECK_origin, "https://[fd00::1", NULL },
	{ CHECK_origin, "https://[]", NULL },
	{ CHECK_origin, "https://", NULL },
	{ CHECK_origin, "x.example", NULL },
	{ CHECK_origin, "ws://x", NULL },
	{ CHECK_origin, "*", NULL },
	{ CHECK_origin, "null", NULL },
	{ CHECK_guest, "home/100", "home/100" },
	{ CHECK_guest, "home/99", NULL },
	{ CHECK_guest, "home/1000000000", NULL },
	{ CHECK_guest, "home/0100", NULL },
	{ CHECK_guest, "100", NULL },
	{ CHECK_guest, "/100", NULL },
	{ CHECK_guest, "home/100/x", NULL },
	{ CHECK_member, "home/Home", "home/Home" },
	{ CHECK_member, "home/", NULL },
	{ CHECK_object, "home/guest/100", "home/guest/100" },
	{ CHECK_object, "home/node/pve", "home/node/pve" },
	{ CHECK_object, "home/storage/nas", "home/storage/nas" },
	{ CHECK_object, "home/guest/*", NULL },
	{ CHECK_object, "home/pool/x", NULL },
	{ CHECK_object, "home", NULL },
	{ CHECK_unit, "smbd.service", "smbd.service" },
	{ CHECK_unit, "getty@tty1.service", "getty@tty1.service" },
	{ CHECK_unit, "a.b.timer", "a.b.timer" },
	{ CHECK_unit, "smbd", NULL },
	{ CHECK_unit, ".service", NULL },
	{ CHECK_unit, "-a.service", NULL },
	{ CHECK_unit, "@a.service", NULL },
	{ CHECK_unit, "a.exe", NULL },
	{ CHECK_unit, "a.service ", NULL },
	{ CHECK_unit, "a\\x2d.service", NULL },
	{ CHECK_unit, "../a.service", NULL },
	{ CHECK_unit, "*.service", NULL },
	{ CHECK_word, "rpool", "rpool" },
	{ CHECK_word, "_a.b-c", "_a.b-c" },
	{ CHECK_word, "-a", NULL },
	{ CHECK_word, "..", NULL },
	{ CHECK_word, "a/b", NULL },
	{ CHECK_word, "", NULL },
	{ CHECK_sentence, "Begin.", "Begin." },
	{ CHECK_sentence, "", NULL },
	{ CHECK_target, "home/guest/*", "home/guest/*" },
	{ CHECK_target, "home/*", NULL },
	{ CHECK_target, "*/guest/100", NULL },
};

static void test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(value_cases); i++) {
		const struct value_case *c = &value_cases[i];
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		const char *result = NULL;
		int r = config_check_text(c->check, arena, c->text, &result);

		if (r != (c->result ? 0 : -EINVAL) ||
		    (c->result && !str_eq_null(result, c->result)))
			fail_msg("%s: %d %s", c->text, r, result ? result : "-");
	}
}

static void test_socket_fits(void **state)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	char path[110] = "/";
	const char *result;

	(void)state;
	memset(path + 1, 'x', 106);
	assert_int_equal(config_check_text(CHECK_socket, arena, path, &result), 0);
	memset(path + 1, 'x', 107);
	assert_int_equal(config_check_text(CHECK_socket, arena, path, &result), -EINVAL);
}

static const struct {
	const char *text;
	int64_t ms; /* -1: refused */
} duration_cases[] = {
	{ "0s", 0 },
	{ "1ms", 1 },
	{ "1500ms", 1500 },
	{ "10s", 10000 },
	{ "5m", 300000 },
	{ "12h", 43200000 },
	{ "30d", 2592000000 },
	{ "999999999d", 86399999913600000 },
	{ "", -1 },
	{ "10", -1 },
	{ "s", -1 },
	{ "10 s", -1 },
	{ " 10s", -1 },
	{ "10S", -1 },
	{ "010s", -1 },
	{ "-1s", -1 },
	{ "+1s", -1 },
	{ "1.5s", -1 },
	{ "10sec", -1 },
	{ "1h30m", -1 },
	{ "1000000000s", -1 },
	{ "1w", -1 },
	{ "1e3s", -1 },
};

static void test_durations(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(duration_cases); i++) {
		int64_t ms = -1;
		int r = config_duration_parse(duration_cases[i].text, &ms);

		if (ms != duration_cases[i].ms || r != (ms < 0 ? -EINVAL : 0))
			fail_msg("'%s': %d, %lld", duration_cases[i].text, r, (long long)ms);
	}
}

static void test_integers(void **state)
{
	int64_t value = 77;

	(void)state;
	assert_int_equal(config_int_parse("0", 0, 10, &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(config_int_parse("-10", -10, 10, &value), 0);
	assert_int_equal(value, -10);
	assert_int_equal(config_int_parse("010", 0, 10, &value), -EINVAL);
	assert_int_equal(config_int_parse("-01", -10, 10, &value), -EINVAL);
	assert_int_equal(config_int_parse("", 0, 10, &value), -EINVAL);
	assert_int_equal(config_int_parse("11", 0, 10, &value), -ERANGE);
	assert_int_equal(value, -10);
}

/* The table itself: defaults and ranges that the parser can read, and a sentence for every key. */
static void check_table(const struct section_def *section)
{
	size_t n;
	const struct key_def *keys = section->keys(&n);

	for (size_t i = 0; i < n; i++) {
		const struct key_def *key = &keys[i];
		int64_t shortest, longest;

		assert_true(str_ends(key->doc, "."));
		assert_false(key->is_required && key->value);
		if (key->kind == KEY_DURATION) {
			assert_int_equal(config_duration_parse(key->shortest, &shortest), 0);
			assert_int_equal(config_duration_parse(key->longest, &longest), 0);
			assert_true(shortest < longest);
		}
		if (key->section)
			check_table(key->section);
	}
}

static void test_table(void **state)
{
	(void)state;
	check_table(&config_root_section);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),	  cmocka_unit_test(test_socket_fits),
		cmocka_unit_test(test_durations), cmocka_unit_test(test_integers),
		cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
