/* SPDX-License-Identifier: MIT */
/*
 * Client, server and loop of a test in one.
 */
#include "tests/unit/http_fixture.h"

#include "common/alloc.h"
#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

void fixture_init(struct fixture *f, http_server_fn handler, const struct http_options *options)
{
	struct http_options own = options ? *options : (struct http_options){ 0 };

	*f = (struct fixture){ 0 };
	assert_int_equal(uv_loop_init(&f->loop), 0);
	test_cert_make(&f->cert, "IP:127.0.0.1", 30, NULL);
	f->server = http_server_new(&f->cert, handler, false);
	own.loop = &f->loop;
	assert_int_equal(http_new(&own, &f->http), 0);
}

void fixture_done(struct fixture *f)
{
	http_free(f->http);
	(void)uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&f->loop), 0);
	if (f->server)
		http_server_free(f->server);
	test_cert_done(&f->cert);
	answer_done(&f->answer);
}

const char *fixture_url(struct fixture *f, const char *path)
{
	static char url[512];

	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%u%s", http_server_port(f->server),
		       path);
	return url;
}

void answer_done(struct answer *answer)
{
	free(answer->reason);
	free(answer->body);
	free(answer->error);
	*answer = (struct answer){ 0 };
}

void answer_take(void *ctx, const struct http_response *response)
{
	struct answer *answer = ctx;

	assert_false(answer->is_done);
	answer->is_done = true;
	answer->outcome = response->outcome;
	answer->status = response->status;
	answer->reason = xstrdup(response->reason);
	answer->body_len = response->body_len;
	answer->body = xmemdup(response->body, response->body_len + 1);
	answer->error = xstrdup(response->error);
	(void)snprintf(answer->fingerprint, sizeof(answer->fingerprint), "%s",
		       response->fingerprint);
	answer->sent = response->sent;
}

void fixture_wait(struct fixture *f, struct answer *answer)
{
	while (!answer->is_done)
		assert_int_not_equal(uv_run(&f->loop, UV_RUN_ONCE) == 0 && !answer->is_done, 1);
}

struct answer *fixture_send(struct fixture *f, const struct http_request *request)
{
	answer_done(&f->answer);
	(void)http_start(f->http, request, answer_take, &f->answer);
	assert_false(f->answer.is_done);
	fixture_wait(f, &f->answer);
	return &f->answer;
}

struct answer *fixture_get(struct fixture *f, const char *path)
{
	struct http_request request = {
		.method = "GET",
		.url = fixture_url(f, path),
		.fingerprint = f->cert.fingerprint,
	};

	return fixture_send(f, &request);
}
