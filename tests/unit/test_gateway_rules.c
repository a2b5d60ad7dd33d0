/* SPDX-License-Identifier: MIT */
/*
 * Who may ask, how often, and for what: limits, origins, proxies, paths, cookies, lists in headers.
 */
#include "services/gateway/limits.h"
#include "services/gateway/origin.h"
#include "services/gateway/request.h"

#include <errno.h>

#include "tests/unit/check.h"

#define MINUTE ((int64_t)60 * 1000)

static void test_five_a_minute_by_address(void **state)
{
	struct limit limit = { 0 };
	const struct limit_rule *rule = &limit_login_address;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(limit_wait_ms(rule, &limit, 1000 + i), 0);
		limit_add(rule, &limit, 1000 + i);
	}
	assert_int_equal(limit_wait_ms(rule, &limit, 1010), MINUTE - 10);
	assert_int_equal(limit_wait_ms(rule, &limit, 1000 + MINUTE - 1), 1);
	assert_int_equal(limit_wait_ms(rule, &limit, 1000 + MINUTE), 0);
	assert_true(limit_is_over(rule, &limit, 1000 + MINUTE));
	limit_add(rule, &limit, 1000 + MINUTE);
	assert_int_equal(limit.count, 1);
}

/* As fast as it is let, for an hour: the bar is 300 guesses. */
static void test_guesses_in_an_hour(void **state)
{
	struct limit address = { 0 }, person = { 0 };
	int by_address = 0, by_person = 0;

	(void)state;
	for (int64_t now = 0; now < 60 * MINUTE; now += 100) {
		if (limit_wait_ms(&limit_login_address, &address, now) == 0) {
			limit_add(&limit_login_address, &address, now);
			by_address++;
		}
		if (limit_wait_ms(&limit_login_person, &person, now) == 0) {
			limit_add(&limit_login_person, &person, now);
			by_person++;
		}
	}
	assert_int_equal(by_address, 300);
	assert_true(by_person <= 18);
	/* The longest that anybody ever waits. */
	assert_true(limit_wait_ms(&limit_login_person, &person, 60 * MINUTE) <= 15 * MINUTE);
}

static void test_an_attempt_can_be_undone(void **state)
{
	struct limit limit = { 0 };

	(void)state;
	for (int i = 0; i < 5; i++)
		limit_add(&limit_login_address, &limit, 0);
	limit_undo(&limit);
	assert_int_equal(limit_wait_ms(&limit_login_address, &limit, 1), 0);
	limit_add(&limit_login_address, &limit, 1);
	assert_true(limit_wait_ms(&limit_login_address, &limit, 1) > 0);
}

static void test_a_clock_set_back_locks_nobody_out(void **state)
{
	struct limit limit = { 0 };

	(void)state;
	for (int i = 0; i < 30; i++)
		limit_add(&limit_login_person, &limit, 1000 * MINUTE);
	assert_true(limit_wait_ms(&limit_login_person, &limit, 1000 * MINUTE) > 0);
	assert_int_equal(limit_wait_ms(&limit_login_person, &limit, 0), 0);
	limit_add(&limit_login_person, &limit, 0);
	assert_int_equal(limit.count, 1);
}

static void test_bucket(void **state)
{
	struct bucket bucket = { 0 };
	int taken = 0;

	(void)state;
	while (bucket_take(&bucket, 20, 40, 1000))
		taken++;
	assert_int_equal(taken, 40);
	assert_false(bucket_take(&bucket, 20, 40, 1049));
	assert_true(bucket_take(&bucket, 20, 40, 1051));
	assert_false(bucket_take(&bucket, 20, 40, 1051));
	assert_false(bucket_take(&bucket, 20, 40, 0));
}

static void test_origins(void **state)
{
	static const char *const list[] = { "https://jarvis.example.org",
					    "http://192.168.1.65:3004" };
	static const struct {
		const char *origin, *host;
		bool allowed;
	} cases[] = {
		{ "https://jarvis.example.org", "jarvis.example.org", true },
		{ "https://jarvis.example.org", NULL, true },
		{ "http://192.168.1.65:3004", "192.168.1.65:3004", true },
		{ "http://127.0.0.1:3004", "127.0.0.1:3004", true },
		{ "http://localhost:3004", "localhost:3004", true },
		{ "http://[::1]:3004", "[::1]:3004", true },
		{ "https://localhost", "localhost", true },
		/* another program on this machine */
		{ "http://localhost:8080", "localhost:3004", false },
		{ "http://127.0.0.1:3004", "localhost:3004", false },
		{ "http://localhost:3004", NULL, false },
		/* a name that its owner made point here */
		{ "http://evil.example:3004", "evil.example:3004", false },
		{ "http://127.0.0.1.evil.example:3004", "127.0.0.1.evil.example:3004", false },
		{ "http://localhost.evil.example", "localhost.evil.example", false },
		{ "http://192.168.1.66:3004", "192.168.1.66:3004", false },
		{ "https://jarvis.example.org.evil.example", "jarvis.example.org", false },
		{ "https://jarvis.example.org:8443", "jarvis.example.org", false },
		{ "http://jarvis.example.org", "jarvis.example.org", false },
		{ "null", "127.0.0.1:3004", false },
		{ "", "127.0.0.1:3004", false },
		{ "file://", "127.0.0.1:3004", false },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++)
		assert_int_equal(
			origin_is_allowed(cases[i].origin, cases[i].host, list, countof(list)),
			cases[i].allowed);
}

static void test_loopback_hosts(void **state)
{
	static const char *const yes[] = { "localhost",	   "localhost:1", "127.0.0.1",
					   "127.9.9.9:80", "[::1]",	  "[::1]:3004" };
	static const char *const no[] = { "",	     ":80",  "localhost.", "127.0.0.1.x",
					  "::1",     "[::1", "[::1]x",	   "128.0.0.1",
					  "0.0.0.0", "[::]", "example.org" };

	(void)state;
	for (size_t i = 0; i < countof(yes); i++)
		assert_true(host_is_loopback(yes[i]));
	for (size_t i = 0; i < countof(no); i++)
		assert_false(host_is_loopback(no[i]));
}

static void test_addresses_behind_proxies(void **state)
{
	static const char *const proxies[] = { "127.0.0.1", "10.1.0.0/16", "fd00::/8" };
	static const struct {
		const char *peer, *forwarded, *want;
	} cases[] = {
		{ "192.168.1.9", NULL, "192.168.1.9" },
		/* not from a proxy that we trust: a lie perhaps */
		{ "192.168.1.9", "1.2.3.4", "192.168.1.9" },
		{ "127.0.0.1", NULL, "127.0.0.1" },
		{ "127.0.0.1", "192.168.1.20", "192.168.1.20" },
		{ "127.0.0.1", "6.6.6.6, 192.168.1.20", "192.168.1.20" },
		{ "127.0.0.1", "6.6.6.6, 192.168.1.20, 10.1.2.3", "192.168.1.20" },
		{ "10.1.2.3", "2001:db8::1", "2001:db8::1" },
		{ "fd00::1", "192.168.1.20", "192.168.1.20" },
		{ "127.0.0.1", "rubbish", "127.0.0.1" },
		{ "127.0.0.1", "", "127.0.0.1" },
		{ "127.0.0.1", "10.1.0.1, 10.1.0.2", "10.1.0.1" },
		{ "::ffff:127.0.0.1", "192.168.1.20", "192.168.1.20" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		client_address(cases[i].peer, cases[i].forwarded, proxies, countof(proxies), text);
		assert_string_equal(text, cases[i].want);
	}
	assert_false(address_in("10.2.0.1", proxies, countof(proxies)));
	assert_false(address_in("rubbish", proxies, countof(proxies)));
}

static void test_paths(void **state)
{
	static const struct {
		const char *raw, *want; /* NULL: refused */
	} cases[] = {
		{ "/", "/" },
		{ "/api/state/pve/home/state", "/api/state/pve/home/state" },
		{ "/api/state/pve/a=20b/state", "/api/state/pve/a=20b/state" },
		{ "/a%20b", "/a b" },
		{ "/%c3%a4", "/\xc3\xa4" },
		{ "/a/", "/a/" },
		{ "", NULL },
		{ "*", NULL },
		{ "http://x/", NULL },
		{ "//", NULL },
		{ "/a//b", NULL },
		{ "/a/../b", NULL },
		{ "/./a", NULL },
		{ "/..", NULL },
		{ "/.", NULL },
		{ "/%2e%2e/a", NULL },
		{ "/a%2fb", NULL },
		{ "/a%5cb", NULL },
		{ "/a\\b", NULL },
		{ "/a%00", NULL },
		{ "/a%0d%0ab", NULL },
		{ "/a%", NULL },
		{ "/a%4", NULL },
		{ "/a%zz", NULL },
		{ "/%2541", NULL },
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		const char *path = NULL;
		int r = path_decode(cases[i].raw, arena, &path);

		assert_int_equal(r, cases[i].want ? 0 : -EINVAL);
		if (cases[i].want)
			assert_string_equal(path, cases[i].want);
	}
}

static void test_cookies(void **state)
{
	char value[16];

	(void)state;
	assert_true(cookie_find("a=1; jarvis=abc; b=2", "jarvis", value, sizeof(value)));
	assert_string_equal(value, "abc");
	assert_true(cookie_find("jarvis=", "jarvis", value, sizeof(value)));
	assert_string_equal(value, "");
	assert_true(cookie_find("x=jarvis=1;jarvis=2", "jarvis", value, sizeof(value)));
	assert_string_equal(value, "2");
	assert_false(cookie_find("xjarvis=1; jarvisx=2; jarvis", "jarvis", value, sizeof(value)));
	assert_false(cookie_find("__Host-jarvis=1", "jarvis", value, sizeof(value)));
	assert_false(cookie_find("jarvis=0123456789abcdef", "jarvis", value, sizeof(value)));
	assert_false(cookie_find("", "jarvis", value, sizeof(value)));
	assert_false(cookie_find(NULL, "jarvis", value, sizeof(value)));
}

static void test_list_headers(void **state)
{
	(void)state;
	assert_true(list_header_has("gzip, deflate, br", "gzip"));
	assert_true(list_header_has("br;q=1.0, gzip;q=0.8", "gzip"));
	assert_true(list_header_has("keep-alive, Upgrade", "upgrade"));
	assert_false(list_header_has("gzip;q=0", "gzip"));
	assert_false(list_header_has("gzip; q=0.000, br", "gzip"));
	assert_true(list_header_has("gzip;q=0.001", "gzip"));
	assert_false(list_header_has("xgzip", "gzip"));
	assert_false(list_header_has("", "gzip"));
	assert_false(list_header_has(NULL, "gzip"));
}

static void test_problems_are_json(void **state)
{
	struct response response = { 0 };

	(void)state;
	str_add(&response.body, "half an answer");
	response_problem(&response, 403, "no");
	assert_string_equal(
		response.body.data,
		"{\"type\":\"about:blank\",\"title\":\"Forbidden\",\"status\":403,\"detail\":\"no\"}");
	response_done(&response);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_five_a_minute_by_address),
		cmocka_unit_test(test_guesses_in_an_hour),
		cmocka_unit_test(test_an_attempt_can_be_undone),
		cmocka_unit_test(test_a_clock_set_back_locks_nobody_out),
		cmocka_unit_test(test_bucket),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_loopback_hosts),
		cmocka_unit_test(test_addresses_behind_proxies),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_cookies),
		cmocka_unit_test(test_list_headers),
		cmocka_unit_test(test_problems_are_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
