/* SPDX-License-Identifier: MIT */
/*
 * The life of connections and calls: what is kept and what is not, and being cancelled or freed at
 * any moment, also from within a callback.
 */
#include "common/alloc.h"
#include "common/http.h"
#include "tests/unit/http_fixture.h"
#include "tests/unit/http_pages.h"

#include <string.h>

#include "tests/unit/check.h"

/* ── connections ─────────────────────────────────────────────────────────────────────────────── */

static void test_connections_are_kept(void **state)
{
	struct http_request post = { .method = "POST" };
	struct fixture f;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	for (int i = 0; i < 5; i++)
		assert_int_equal(fixture_get(&f, "/ok")->outcome, HTTP_ANSWERED);
	assert_int_equal(http_server_counts(f.server).connections, 1);

	/* What changes something never rides on a kept connection, nor leaves one behind. */
	post.url = fixture_url(&f, "/request");
	post.fingerprint = f.cert.fingerprint;
	for (int i = 0; i < 2; i++)
		assert_int_equal(fixture_send(&f, &post)->outcome, HTTP_ANSWERED);
	assert_int_equal(http_server_counts(f.server).connections, 3);
	assert_int_equal(fixture_get(&f, "/ok")->outcome, HTTP_ANSWERED);
	assert_int_equal(http_server_counts(f.server).connections, 3);
	fixture_done(&f);
}

static void test_dead_kept_connection(void **state)
{
	struct http_request post = { .method = "POST" };
	struct fixture f;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	for (int i = 0; i < 5; i++)
		assert_int_equal(fixture_get(&f, "/bye")->outcome, HTTP_ANSWERED);
	assert_int_equal(http_server_counts(f.server).connections, 5);
	for (int i = 0; i < 3; i++)
		assert_int_equal(fixture_get(&f, "/die-on-second")->outcome, HTTP_ANSWERED);
	/* 5, then one more, and for the second and the third a lost one and its repetition. */
	assert_int_equal(http_server_counts(f.server).requests, 10);

	post.url = fixture_url(&f, "/die");
	post.fingerprint = f.cert.fingerprint;
	assert_int_equal(fixture_send(&f, &post)->outcome, HTTP_BROKEN);
	assert_true(f.answer.sent);
	assert_int_equal(http_server_counts(f.server).requests, 11);
	fixture_done(&f);
}

static void test_many_on_two_connections(void **state)
{
	enum { MANY = 200 };
	struct http_options options = { .max_per_host = 2 };
	struct http_request request = { .method = "GET" };
	struct answer answers[MANY] = { 0 };
	struct fixture f;

	(void)state;
	fixture_init(&f, http_pages_serve, &options);
	request.url = fixture_url(&f, "/chunked");
	request.fingerprint = f.cert.fingerprint;
	for (size_t i = 0; i < MANY; i++)
		(void)http_start(f.http, &request, answer_take, &answers[i]);
	for (size_t i = 0; i < MANY; i++) {
		fixture_wait(&f, &answers[i]);
		assert_int_equal(answers[i].outcome, HTTP_ANSWERED);
		assert_int_equal(answers[i].body_len, 1600);
		answer_done(&answers[i]);
	}
	assert_int_equal(http_server_counts(f.server).requests, MANY);
	assert_int_equal(http_server_counts(f.server).connections, 2);
	assert_int_equal(http_server_counts(f.server).most_open, 2);
	fixture_done(&f);
}

/* ── being stopped at any moment ─────────────────────────────────────────────────────────────── */

static void fail_if_called(void *ctx, const struct http_response *response)
{
	(void)ctx;
	fail_msg("called after cancel: %s", response->error);
}

static void test_cancel(void **state)
{
	static const char *const paths[] = { "/hold", "/hold-after-head" };
	struct http_request request = { .method = "GET" };
	struct fixture f;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	request.fingerprint = f.cert.fingerprint;
	for (size_t i = 0; i < countof(paths); i++) {
		for (unsigned turns = 0; turns < 12; turns++) {
			struct http_call *call;

			request.url = fixture_url(&f, paths[i]);
			call = http_start(f.http, &request, fail_if_called, NULL);
			for (unsigned t = 0; t < turns; t++)
				(void)uv_run(&f.loop, UV_RUN_NOWAIT);
			http_cancel(call);
		}
	}
	/* One that was refused at once, and would have been told next. */
	request.url = "gopher://x";
	http_cancel(http_start(f.http, &request, fail_if_called, NULL));
	assert_int_equal(fixture_get(&f, "/ok")->outcome, HTTP_ANSWERED);
	fixture_done(&f);
}

static void test_free_in_flight(void **state)
{
	struct http_request request = { .method = "GET" };

	(void)state;
	for (unsigned turns = 0; turns < 12; turns++) {
		struct fixture f;

		fixture_init(&f, http_pages_serve, &(struct http_options){ .max_per_host = 2 });
		request.fingerprint = f.cert.fingerprint;
		(void)fixture_get(&f, "/ok"); /* leaves a kept connection */
		for (size_t i = 0; i < 4; i++) {
			request.url = fixture_url(&f, i % 2 ? "/hold" : "/hold-after-head");
			(void)http_start(f.http, &request, fail_if_called, NULL);
		}
		if (turns == 0) {
			request.url = "gopher://x";
			(void)http_start(f.http, &request, fail_if_called, NULL);
		}
		/*
		 * Each time a little further: before anything was done, while connecting, in the
		 * handshake, …
		 */
		for (unsigned t = 0; turns > 0 && t < turns - 1; t++)
			(void)uv_run(&f.loop, UV_RUN_NOWAIT);
		fixture_done(&f);
	}
}

struct in_callback {
	struct fixture *f;
	struct http_call *other;
	bool is_done;
};

static void free_in_callback(void *ctx, const struct http_response *response)
{
	struct in_callback *c = ctx;

	assert_int_equal(response->outcome, HTTP_ANSWERED);
	http_free(take(c->f->http));
	/* Still ours until we return. */
	assert_string_equal(response->body, "{\"data\":1}");
	c->is_done = true;
}

static void test_free_in_callback(void **state)
{
	struct http_request request = { .method = "GET" };
	struct in_callback c = { 0 };
	struct fixture f;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	c.f = &f;
	request.fingerprint = f.cert.fingerprint;
	request.url = fixture_url(&f, "/hold");
	(void)http_start(f.http, &request, fail_if_called, NULL);
	request.url = fixture_url(&f, "/ok");
	(void)http_start(f.http, &request, free_in_callback, &c);
	while (!c.is_done)
		(void)uv_run(&f.loop, UV_RUN_ONCE);
	fixture_done(&f);
}

static void cancel_in_callback(void *ctx, const struct http_response *response)
{
	struct in_callback *c = ctx;

	assert_int_equal(response->outcome, HTTP_ANSWERED);
	http_cancel(c->other);
	c->is_done = true;
}

/* Whichever comes first cancels the other. */
struct pair {
	struct http_call *calls[2];
	bool is_done;
};

static void cancel_other(struct pair *pair, size_t own)
{
	assert_false(pair->is_done);
	http_cancel(pair->calls[1 - own]);
	/* In its own callback a call is past cancelling; nothing happens. */
	http_cancel(pair->calls[own]);
	pair->is_done = true;
}

static void first_done(void *ctx, const struct http_response *response)
{
	(void)response;
	cancel_other(ctx, 0);
}

static void second_done(void *ctx, const struct http_response *response)
{
	(void)response;
	cancel_other(ctx, 1);
}

static void test_cancel_in_callback(void **state)
{
	struct http_request request = { .method = "GET" };
	struct in_callback c = { 0 };
	struct fixture f;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	request.fingerprint = f.cert.fingerprint;
	request.url = fixture_url(&f, "/hold");
	c.other = http_start(f.http, &request, fail_if_called, NULL);
	request.url = fixture_url(&f, "/ok");
	(void)http_start(f.http, &request, cancel_in_callback, &c);
	while (!c.is_done)
		(void)uv_run(&f.loop, UV_RUN_ONCE);

	for (int is_refused = 0; is_refused < 2; is_refused++) {
		struct pair pair = { 0 };

		request.url = is_refused ? "gopher://x" : fixture_url(&f, "/ok");
		pair.calls[0] = http_start(f.http, &request, first_done, &pair);
		pair.calls[1] = http_start(f.http, &request, second_done, &pair);
		while (!pair.is_done)
			(void)uv_run(&f.loop, UV_RUN_ONCE);
	}
	fixture_done(&f);
}

static void start_in_callback(void *ctx, const struct http_response *response)
{
	struct in_callback *c = ctx;
	struct http_request request = { .method = "GET", .fingerprint = c->f->cert.fingerprint };

	assert_int_equal(response->outcome, HTTP_ANSWERED);
	request.url = fixture_url(c->f, "/ok");
	(void)http_start(c->f->http, &request, answer_take, &c->f->answer);
}

static void test_start_in_callback(void **state)
{
	struct http_request request = { .method = "GET" };
	struct in_callback c = { 0 };
	struct fixture f;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	c.f = &f;
	request.fingerprint = f.cert.fingerprint;
	request.url = fixture_url(&f, "/ok");
	(void)http_start(f.http, &request, start_in_callback, &c);
	fixture_wait(&f, &f.answer);
	assert_int_equal(f.answer.outcome, HTTP_ANSWERED);
	assert_int_equal(http_server_counts(f.server).connections, 1);
	fixture_done(&f);
}

/* ── may it still leave? ─────────────────────────────────────────────────────────────────────── */

static unsigned asked;

static bool says_no(void *ctx)
{
	(void)ctx;
	asked++;
	return false;
}

static bool says_yes(void *ctx)
{
	asked++;
	return ctx;
}

/* Asked on a new connection and on a kept one, once each; what is withheld never comes. */
static void test_withheld(void **state)
{
	struct fixture f;
	struct http_request request = { .method = "POST", .body = "x=1", .body_len = 3 };
	const struct answer *answer;

	(void)state;
	fixture_init(&f, http_pages_serve, NULL);
	request.url = fixture_url(&f, "/ok");
	request.fingerprint = f.cert.fingerprint;
	for (int i = 0; i < 2; i++) {
		unsigned before = http_server_counts(f.server).requests;

		asked = 0;
		request.may_send = says_no;
		answer = fixture_send(&f, &request);
		assert_int_equal(answer->outcome, HTTP_REFUSED);
		assert_false(answer->sent);
		assert_non_null(strstr(answer->error, "it was not asked any more"));
		assert_int_equal(asked, 1);
		assert_int_equal(http_server_counts(f.server).requests, before);
		request.may_send = says_yes;
		answer = fixture_send(&f, &request);
		assert_int_equal(answer->outcome, HTTP_ANSWERED);
		assert_true(answer->sent);
		assert_int_equal(asked, 2);
		assert_int_equal(http_server_counts(f.server).requests, before + 1);
	}
	fixture_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_withheld),
		cmocka_unit_test(test_connections_are_kept),
		cmocka_unit_test(test_dead_kept_connection),
		cmocka_unit_test(test_many_on_two_connections),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_free_in_flight),
		cmocka_unit_test(test_free_in_callback),
		cmocka_unit_test(test_cancel_in_callback),
		cmocka_unit_test(test_start_in_callback),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
