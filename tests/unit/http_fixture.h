/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The client's side of the http tests: a loop, a client, a server, and answers copied so that they
 * can be looked at afterwards. Tests wait for answers, never for time.
 */
#include "common/http.h"
#include "tests/unit/http_server.h"

struct answer {
	bool is_done;
	enum http_outcome outcome;
	int status;
	char *reason;
	char *body;
	size_t body_len;
	char *error;
	char fingerprint[96];
	bool sent;
};

struct fixture {
	uv_loop_t loop;
	struct http *http;
	struct http_server *server;
	struct test_cert cert;
	struct answer answer;
};

/* CERT NULL: a certificate for 127.0.0.1 is made; the server speaks TLS in any case. */
void fixture_init(struct fixture *f, http_server_fn handler, const struct http_options *options);
/* Frees what is left, and fails when the loop holds anything back. */
void fixture_done(struct fixture *f);

/* "https://127.0.0.1:PORT/PATH"; the text lives until the next call. */
const char *fixture_url(struct fixture *f, const char *path);
/* An http_done_fn; CTX is a struct answer. */
void answer_take(void *ctx, const struct http_response *response);
/* Runs the loop until ANSWER is there. */
void fixture_wait(struct fixture *f, struct answer *answer);
/* Sends REQUEST and waits for the answer, which lives until the next one. */
struct answer *fixture_send(struct fixture *f, const struct http_request *request);
/* GET with the server's own fingerprint. */
struct answer *fixture_get(struct fixture *f, const char *path);
void answer_done(struct answer *answer);
