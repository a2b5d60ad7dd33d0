/* SPDX-License-Identifier: MIT */
/*
 * The HTTP client: answers of every kind, requests that are refused, and deadlines. The life of
 * connections and calls is test_http_life.c's matter, who is at the other end test_http_trust.c's.
 */
#include "common/alloc.h"
#include "common/http.h"
#include "common/str.h"
#include "tests/unit/http_fixture.h"
#include "tests/unit/http_pages.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/check.h"

/* ── answers ─────────────────────────────────────────────────────────────────────────────────── */

static void test_answers(void **state)
{
	static const struct {
		const char *path;
		enum http_outcome outcome;
		int status;
		const char *reason;
		const char *body; /* NULL: not looked at */
		const char *error;
	} cases[] = {
		{ "/ok", HTTP_ANSWERED, 200, "OK", "{\"data\":1}", "" },
		{ "/zipped", HTTP_ANSWERED, 200, "OK", "{\"data\":\"zipped\"}", "" },
		{ "/595", HTTP_ANSWERED, 595, "No route to host", "", "" },
		{ "/401-cut", HTTP_ANSWERED, 401, "No ticket", "", "" },
		{ "/400", HTTP_ANSWERED, 400, "Parameter verification failed.", "{\"data\":null}",
		  "" },
		{ "/no-reason", HTTP_ANSWERED, 200, "", "x", "" },
		{ "/odd-reason", HTTP_ANSWERED, 500, "[31mred \xc3\xa4", "", "" },
		{ "/wait", HTTP_ANSWERED, 200, "OK", "{\"data\":1}", "" },
		{ "/moved", HTTP_ANSWERED, 302, "Found", "", "" },
		{ "/half", HTTP_BROKEN, 0, NULL, NULL, "the connection broke" },
		{ "/half-chunk", HTTP_BROKEN, 0, NULL, NULL, "the connection broke" },
		{ "/half-head", HTTP_BROKEN, 0, NULL, NULL, "the connection broke" },
		{ "/garbage", HTTP_BROKEN, 0, NULL, NULL, "the connection broke" },
		{ "/die", HTTP_BROKEN, 0, NULL, NULL, "the connection broke" },
		{ "/large", HTTP_TOO_LARGE, 0, NULL, NULL, "larger than 4000 bytes" },
		{ "/large-chunked", HTTP_TOO_LARGE, 0, NULL, NULL, "larger than 4000 bytes" },
		{ "/bomb", HTTP_TOO_LARGE, 0, NULL, NULL, "larger than 4000 bytes" },
		{ "/endless-head", HTTP_TOO_LARGE, 0, NULL, NULL, "larger than" },
	};
	struct http_options options = { .max_bytes = 4000 };
	struct fixture f;

	(void)state;
	fixture_init(&f, http_pages_serve, &options);
	for (size_t i = 0; i < countof(cases); i++) {
		struct answer *answer = fixture_get(&f, cases[i].path);
		char where[32];

		print_message("%s: %s\n", cases[i].path, answer->error);
		assert_int_equal(answer->outcome, cases[i].outcome);
		assert_int_equal(answer->status, cases[i].status);
		assert_true(answer->sent);
		if (cases[i].reason)
			assert_string_equal(answer->reason, cases[i].reason);
		if (cases[i].body)
			assert_string_equal(answer->body, cases[i].body);
		assert_non_null(strstr(answer->error, cases[i].error));
		(void)snprintf(where, sizeof(where), "127.0.0.1:%u", http_server_port(f.server));
		if (*cases[i].error)
			assert_non_null(strstr(answer->error, where));
		assert_string_equal(answer->fingerprint, f.cert.fingerprint);
	}
	fixture_done(&f);
}

static void test_chunks_come_together(void **state)
{
	struct fixture f;
	struct answer *answer;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	answer = fixture_get(&f, "/chunked");
	assert_int_equal(answer->outcome, HTTP_ANSWERED);
	assert_int_equal(answer->body_len, 1600);
	for (size_t i = 0; i < 1600; i++)
		assert_int_equal(answer->body[i], CHUNK[i % 16]);
	fixture_done(&f);
}

static void test_long_reason_is_cut(void **state)
{
	struct fixture f;
	struct answer *answer;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	answer = fixture_get(&f, "/long-reason");
	assert_int_equal(answer->outcome, HTTP_ANSWERED);
	assert_int_equal(answer->status, 500);
	assert_int_equal(strlen(answer->reason), 512);
	fixture_done(&f);
}

static void test_request_as_sent(void **state)
{
	static const char *const headers[] = { "Authorization: PVEAPIToken=a@pve!b=c", NULL };
	struct http_request request = {
		.method = "POST", .headers = headers, .body = "a=1&b=2", .body_len = 7
	};
	struct fixture f;
	struct answer *answer;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	request.url = fixture_url(&f, "/request");
	request.fingerprint = f.cert.fingerprint;
	answer = fixture_send(&f, &request);
	assert_int_equal(answer->outcome, HTTP_ANSWERED);
	assert_true(str_starts(answer->body, "POST /request HTTP/1.1\r\n"));
	assert_true(str_ends(answer->body, "|a=1&b=2"));
	assert_non_null(strstr(answer->body, "\r\nAuthorization: PVEAPIToken=a@pve!b=c\r\n"));
	assert_non_null(strstr(answer->body, "\r\nContent-Length: 7\r\n"));
	assert_non_null(strstr(answer->body, "\r\nAccept-Encoding: gzip\r\n"));
	assert_null(strstr(answer->body, "Expect"));
	assert_null(strstr(answer->body, "Cookie"));

	request.body = NULL;
	request.body_len = 0;
	answer = fixture_send(&f, &request);
	assert_non_null(strstr(answer->body, "\r\nContent-Length: 0\r\n"));

	request.method = "DELETE";
	answer = fixture_send(&f, &request);
	assert_true(str_starts(answer->body, "DELETE /request"));
	assert_null(strstr(answer->body, "Content-Length"));
	fixture_done(&f);
}

/* Proxies of the environment are not for us: they would see where we go, or be in the way. */
static void test_environment_is_ignored(void **state)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy",
					     "http_proxy" };
	struct fixture f;

	(void)state;
	for (size_t i = 0; i < countof(names); i++)
		assert_int_equal(setenv(names[i], "http://127.0.0.1:1", 1), 0);
	fixture_init(&f, http_pages_serve, NULL);
	assert_int_equal(fixture_get(&f, "/ok")->outcome, HTTP_ANSWERED);
	fixture_done(&f);
	for (size_t i = 0; i < countof(names); i++)
		(void)unsetenv(names[i]);
}

/* ── what is not sent at all ─────────────────────────────────────────────────────────────────── */

static void test_refused(void **state)
{
	static const char *const good[] = { "X-A: b", NULL };
	static const char *const two_lines[] = { "X-A: b\r\nX-Evil: SECRET", NULL };
	static const char *const newline[] = { "X-A: SECRET\n", NULL };
	static const char *const no_colon[] = { "X-A SECRET", NULL };
	static const char *const bad_name[] = { "X A: SECRET", NULL };
	static const struct {
		const char *method;
		const char *url; /* %u: the port */
		const char *const *headers;
		const char *server_name;
	} cases[] = {
		{ "GET", "https://127.0.0.1:%u/ok", two_lines, NULL },
		{ "GET", "https://127.0.0.1:%u/ok", newline, NULL },
		{ "GET", "https://127.0.0.1:%u/ok", no_colon, NULL },
		{ "GET", "https://127.0.0.1:%u/ok", bad_name, NULL },
		{ "GET /x HTTP/1.1\r\nX-Evil:", "https://127.0.0.1:%u/ok", good, NULL },
		{ "", "https://127.0.0.1:%u/ok", good, NULL },
		{ "GET", "https://127.0.0.1:%u/o k", good, NULL },
		{ "GET", "https://127.0.0.1:%u/ok\r\nX-Evil: SECRET", good, NULL },
		{ "GET", "https://me:SECRET@127.0.0.1:%u/ok", good, NULL },
		{ "GET", "http://192.0.2.1:%u/ok", good, NULL },
		{ "GET", "http://localhost:%u/ok", good, NULL },
		{ "GET", "http://127.0.0.1.example:%u/ok", good, NULL },
		{ "GET", "file:///etc/passwd", good, NULL },
		{ "GET", "ftp://127.0.0.1:%u/ok", good, NULL },
		{ "GET", "", good, NULL },
		{ "GET", "/ok", good, NULL },
	};
	struct fixture f;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	for (size_t i = 0; i < countof(cases); i++) {
		char url[128];
		struct http_request request = {
			.method = cases[i].method,
			.url = url,
			.headers = cases[i].headers,
			.fingerprint = f.cert.fingerprint,
		};
		struct answer *answer;

/* The formats are the table's own. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		(void)snprintf(url, sizeof(url), cases[i].url, http_server_port(f.server));
#pragma GCC diagnostic pop
		answer = fixture_send(&f, &request);
		print_message("%zu: %s\n", i, answer->error);
		assert_int_equal(answer->outcome, HTTP_REFUSED);
		assert_true(*answer->error);
		assert_null(strstr(answer->error, "SECRET"));
		assert_false(answer->sent);
	}
	assert_int_equal(http_server_counts(f.server).connections, 0);
	fixture_done(&f);
}

static void test_plain_on_loopback(void **state)
{
	struct http_request request = { .method = "GET" };
	struct http_server *plain = http_server_new(NULL, http_pages_serve, false);
	struct fixture f;
	struct answer *answer;
	char url[64];

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u/ok", http_server_port(plain));
	request.url = url;
	answer = fixture_send(&f, &request);
	assert_int_equal(answer->outcome, HTTP_ANSWERED);
	assert_string_equal(answer->body, "{\"data\":1}");
	assert_string_equal(answer->fingerprint, "");

	/* The other way round: TLS is expected where there is none. */
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/ok", http_server_port(plain));
	request.fingerprint = f.cert.fingerprint;
	answer = fixture_send(&f, &request);
	print_message("%s\n", answer->error);
	assert_int_equal(answer->outcome, HTTP_BROKEN);
	assert_non_null(strstr(answer->error, "TLS handshake"));
	assert_false(answer->sent);
	fixture_done(&f);
	http_server_free(plain);
}

/* ── time ────────────────────────────────────────────────────────────────────────────────────── */

static unsigned free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static void test_unreachable(void **state)
{
	struct http_request request = { .method = "POST" };
	struct fixture f;
	struct answer *answer;
	char url[64];

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", free_port());
	request.url = url;
	request.fingerprint = f.cert.fingerprint;
	answer = fixture_send(&f, &request);
	print_message("%s\n", answer->error);
	assert_int_equal(answer->outcome, HTTP_UNREACHABLE);
	assert_non_null(strstr(answer->error, "Connection refused"));
	assert_false(answer->sent);

	request.url = "https://no-such-host.invalid:8006/";
	answer = fixture_send(&f, &request);
	print_message("%s\n", answer->error);
	assert_int_equal(answer->outcome, HTTP_UNREACHABLE);
	assert_non_null(strstr(answer->error, "no-such-host.invalid:8006: the name"));
	fixture_done(&f);
}

/* A listener whose queue is full: the kernel drops what asks to connect. */
static void test_connect_timeout(void **state)
{
	struct http_options options = { .connect_timeout_ms = 100 };
	struct http_request request = { .method = "GET" };
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t size = sizeof(address);
	int fds[8];
	struct fixture f;
	struct answer *answer;
	char url[64];

	(void)state;
	for (size_t i = 0; i < countof(fds); i++)
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | (i > 0 ? SOCK_NONBLOCK : 0),
				0);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fds[0], (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(fds[0], 0), 0);
	assert_int_equal(getsockname(fds[0], (struct sockaddr *)&address, &size), 0);
	for (size_t i = 1; i < countof(fds); i++)
		(void)connect(fds[i], (struct sockaddr *)&address, size);
	fixture_init(&f, http_pages_serve, &options);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", ntohs(address.sin_port));
	request.url = url;
	request.fingerprint = f.cert.fingerprint;
	answer = fixture_send(&f, &request);
	print_message("%s\n", answer->error);
	assert_int_equal(answer->outcome, HTTP_UNREACHABLE);
	assert_non_null(strstr(answer->error, "no connection within 100 ms"));
	fixture_done(&f);
	for (size_t i = 0; i < countof(fds); i++)
		close(fds[i]);
}

static void test_deadline(void **state)
{
	static const struct {
		const char *path;
		const char *stage;
	} cases[] = {
		{ "/hold", "the request was sent, and nothing came back" },
		{ "/hold-after-head", "only a part of it came" },
	};
	struct http_request request = { .method = "GET", .timeout_ms = 100 };
	struct fixture f;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	request.fingerprint = f.cert.fingerprint;
	for (size_t i = 0; i < countof(cases); i++) {
		struct answer *answer;

		request.url = fixture_url(&f, cases[i].path);
		answer = fixture_send(&f, &request);
		print_message("%s\n", answer->error);
		assert_int_equal(answer->outcome, HTTP_TIMEOUT);
		assert_non_null(strstr(answer->error, cases[i].stage));
		assert_true(answer->sent);
	}
	fixture_done(&f);
}

static void test_mute_server(void **state)
{
	struct http_request request = { .method = "GET", .timeout_ms = 100 };
	struct fixture f;
	struct http_server *mute;
	struct answer *answer;
	char url[64];

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	mute = http_server_new(&f.cert, http_pages_serve, true);
	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u/", http_server_port(mute));
	request.url = url;
	request.fingerprint = f.cert.fingerprint;
	answer = fixture_send(&f, &request);
	assert_int_equal(answer->outcome, HTTP_TIMEOUT);
	assert_non_null(strstr(answer->error, "TLS handshake did not end"));
	assert_false(answer->sent);
	fixture_done(&f);
	http_server_free(mute);
}

/* The wait for a free connection counts. */
static void test_deadline_in_queue(void **state)
{
	struct http_options options = { .max_per_host = 1 };
	struct http_request request = { .method = "GET" };
	struct answer held = { 0 };
	struct http_call *call;
	struct fixture f;
	struct answer *answer;

	(void)state;
	fixture_init(&f, http_pages_serve, &options);
	request.fingerprint = f.cert.fingerprint;
	request.url = fixture_url(&f, "/hold");
	call = http_start(f.http, &request, answer_take, &held);
	request.timeout_ms = 100;
	request.url = fixture_url(&f, "/ok");
	answer = fixture_send(&f, &request);
	print_message("%s\n", answer->error);
	assert_int_equal(answer->outcome, HTTP_TIMEOUT);
	assert_non_null(strstr(answer->error, "waiting for a free connection"));
	assert_false(answer->sent);
	http_cancel(call);
	answer = fixture_get(&f, "/ok");
	assert_int_equal(answer->outcome, HTTP_ANSWERED);
	assert_false(held.is_done);
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_chunks_come_together),
		cmocka_unit_test(test_long_reason_is_cut),
		cmocka_unit_test(test_request_as_sent),
		cmocka_unit_test(test_environment_is_ignored),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_plain_on_loopback),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_connect_timeout),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_mute_server),
		cmocka_unit_test(test_deadline_in_queue),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
