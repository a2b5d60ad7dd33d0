/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * An HTTP client on the loop (curl's multi-socket interface). One `struct http` per credential and
 * server, so that connections are never shared between principals. Rules that hold for every
 * request: https only (plain http to loopback alone), no redirects, no proxies from the
 * environment, nothing written to a cookie jar, a deadline, a size cap counted after decompression,
 * and the certificate is checked before a byte of the request leaves: by the SHA-256 fingerprint of
 * the certificate, or by a CA file and the name. There is no third way.
 */
#include "common/base.h"

#include <uv.h>

struct http;
struct http_call;

struct http_options {
	uv_loop_t *loop;
	const char *ca_file; /* PEM, read once; NULL: certificates must match a fingerprint */
	unsigned connect_timeout_ms; /* 0: 3 s */
	unsigned timeout_ms;	     /* 0: 15 s; the wait for a free connection counts */
	size_t max_bytes;	     /* of an answer; 0: 8 MiB */
	unsigned max_per_host;	     /* connections at once to one host and port; 0: no limit */
};

struct http_request {
	const char *method; /* "GET", "POST", … */
	const char *url;
	/*
	 * "AA:BB:…" or plain hex, SHA-256 of the server's certificate; NULL: the CA file decides.
	 */
	const char *fingerprint;
	/*
	 * Where that is configured, for the error text: "clusters.home.nodes.pve.fingerprint"; or
	 * NULL.
	 */
	const char *fingerprint_key;
	/* For the CA file: the name that the certificate must bear; NULL: the URL's host. */
	const char *server_name;
	/* "Name: value", ended by NULL; CR and LF are refused. NULL: none. */
	const char *const *headers;
	/* NULL: none. A form, unless a Content-Type header says otherwise. */
	const char *body;
	size_t body_len;
	unsigned timeout_ms; /* 0: as in http_options */
	/*
	 * Asked with DONE's context right before the request leaves, which may be long after
	 * http_start(), for a connection may have to be made first: false, and it does not. It
	 * touches nothing of ours. NULL: it always may.
	 */
	bool (*may_send)(void *ctx);
};

enum http_outcome {
	HTTP_ANSWERED,	  /* there is a status; it may be any */
	HTTP_UNREACHABLE, /* no connection: refused, no route, name not found, connect timeout */
	HTTP_NOT_TRUSTED, /* the certificate is not the one: nothing was sent */
	HTTP_TIMEOUT,	  /* connected, but no complete answer before the deadline */
	HTTP_BROKEN,	  /* the connection broke, or what came is not HTTP */
	HTTP_TOO_LARGE,	  /* the answer is larger than max_bytes */
	HTTP_REFUSED,	  /* the request is not allowed (scheme, header), or not wanted any more */
};

struct http_response {
	enum http_outcome outcome;
	int status;	    /* with HTTP_ANSWERED */
	const char *reason; /* reason phrase of the status line; "" when there is none */
	const char *body;   /* NUL-terminated; "" when empty */
	size_t body_len;
	/* For people: names the host, what happened, and what to do; "" when answered. */
	const char *error;
	/* "name=value" of the first Set-Cookie header, a secret mostly; "" when there is none. */
	const char *cookie;
	/* Of the certificate that the server showed, "AA:BB:…"; "" when unknown. */
	const char *fingerprint;
	unsigned duration_ms;
	/*
	 * The request may have reached the server; false is certain: a failed change was not made.
	 */
	bool sent;
};

/* Called once per request, on the loop. RESPONSE and all it points to are gone afterwards. */
typedef void (*http_done_fn)(void *ctx, const struct http_response *response);

/* 0, or -errno when the CA file cannot be read or is no certificate. Options are copied. */
int http_new(const struct http_options *options, struct http **ret) _nodiscard_;
/*
 * Cancels what is under way: their callbacks are NOT called. Also from within a callback. NULL is
 * nothing.
 */
void http_free(struct http *http);

/*
 * Starts a request, of which everything is copied; DONE is always called later from the loop, never
 * from within. The returned call is borrowed, valid until DONE, and only for http_cancel(). Header
 * values may hold secrets: they are wiped after use and appear in no text.
 */
struct http_call *http_start(struct http *http, const struct http_request *request,
			     http_done_fn done, void *ctx);
/* DONE will not be called. Also from within another call's DONE. */
void http_cancel(struct http_call *call);
DEFINE_FREEP(struct http, http_free)
