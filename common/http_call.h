/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Internal to common/http*.c: one request on its way. http.c moves calls between its lists and the
 * loop, http_call.c makes the curl handle, http_result.c says what became of it.
 */
#include "common/http.h"
#include "common/http_tls.h"
#include "common/str.h"
#include "common/timer.h"

#include <curl/curl.h>
#include <sys/queue.h>

struct http_call {
	struct http *http;
	TAILQ_ENTRY(http_call) link; /* of http->active, then of http->settled */
	CURL *easy;		     /* NULL: refused before it began */
	struct timer *deadline;
	bool (*may_send)(void *ctx);
	http_done_fn done;
	void *ctx;
	bool is_settled;

	char *host;  /* as in the URL */
	char *where; /* "host:port", for texts */
	char *server_name;
	char *fingerprint_key;
	const char *ca_file; /* borrowed */
	struct curl_slist *headers;
	struct curl_slist *connect_to;
	char *body;
	size_t body_len;
	size_t max_bytes;
	unsigned timeout_ms;
	unsigned connect_timeout_ms;
	uint64_t started_ns;

	struct http_trust trust;
	bool has_pin;
	bool is_resolving; /* curl began to look the name up */
	bool is_connected; /* TCP is; TLS may not be yet */
	bool is_fresh;	   /* may not use a kept connection */
	bool wants_fresh;  /* a kept connection was for another certificate: try a new one */
	bool is_too_large;
	bool is_withheld; /* may_send said no */
	bool is_sent;
	char errors[CURL_ERROR_SIZE];

	size_t header_bytes;
	bool is_head_complete;
	bool is_chunked;
	struct str reason;
	struct str cookie;
	struct str answer;

	enum http_outcome outcome; /* once settled */
	int status;
	struct str error;
};

/*
 * Makes a call of REQUEST, with everything copied. Never NULL; when the request is not allowed
 * `easy` is NULL and outcome and error say why. STORE and CA_FILE are borrowed and may be NULL.
 */
struct http_call *http_call_new(const struct http_options *options, X509_STORE *store,
				const struct http_request *request) _nodiscard_;
/* Wipes what may be secret: our copies of headers and body. curl's own buffers are out of reach. */
void http_call_free(struct http_call *call);
/* The call that a curl handle belongs to. */
struct http_call *http_call_of(CURL *easy);
/* Makes it ready to be added to the multi handle again, on a new connection. */
void http_call_restart(struct http_call *call);

/* Sets outcome, status and error by what curl said. */
void http_call_judge(struct http_call *call, CURLcode code);
/* The same for a call whose deadline passed. */
void http_call_expire(struct http_call *call);
/* Sets outcome and error of a call that may not begin. */
void http_call_refuse(struct http_call *call, enum http_outcome outcome, const char *format, ...)
	_printf_(3, 4);
