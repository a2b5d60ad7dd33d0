/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A small HTTP/1.1 server on threads of its own, with or without TLS, that counts what reaches it;
 * and certificates made on the spot. It answers by a handler that may misbehave as it likes.
 */
#include "common/base.h"

#include <openssl/evp.h>
#include <openssl/x509.h>

struct test_cert {
	X509 *cert;
	EVP_PKEY *key;
	char fingerprint[96]; /* "AA:BB:…" */
};

/*
 * Signed by ISSUER, or by itself when NULL. SAN as in "DNS:a,IP:127.0.0.1"; valid for DAYS from
 * now, which may be < 0.
 */
void test_cert_make(struct test_cert *cert, const char *san, int days,
		    const struct test_cert *issuer);
void test_cert_done(struct test_cert *cert);
void test_cert_write(const struct test_cert *cert, const char *path);

struct http_server;
struct http_server_call {
	struct http_server *server;
	void *connection;
	unsigned nth; /* request on this connection, from 1 */
	char method[16];
	char path[256];
	char headers[8192];
	char body[8192];
};

enum http_server_then {
	SERVER_KEEPS,  /* the connection stays open for the next request */
	SERVER_CLOSES, /* in order */
	SERVER_CUTS,   /* TCP closes without a TLS goodbye */
	SERVER_HOLDS,  /* says nothing until the client goes away */
};
typedef enum http_server_then (*http_server_fn)(struct http_server_call *call);

/* CERT NULL: plain http. MUTE: accepts, and never says a word. */
struct http_server *http_server_new(const struct test_cert *cert, http_server_fn handler,
				    bool mute);
void http_server_free(struct http_server *server);
unsigned http_server_port(const struct http_server *server);
/* For connections from now on. */
void http_server_set_cert(struct http_server *server, const struct test_cert *cert);

/* TLS 1.2 at most, for connections from now on. */
void http_server_set_tls12(struct http_server *server);
/*
 * TLS 1.2 alone: asks the client for a new handshake on this connection, and returns when it has
 * refused.
 */
void http_server_renegotiate(struct http_server_call *call);

void http_server_write(struct http_server_call *call, const void *data, size_t size);
/* Status line "HTTP/1.1 LINE", Content-Length and BODY. */
void http_server_answer(struct http_server_call *call, const char *line, const char *body);

struct http_server_counts {
	unsigned connections;
	unsigned requests;
	unsigned open;
	unsigned most_open;
	size_t bytes; /* of requests, decrypted */
};
struct http_server_counts http_server_counts(struct http_server *server);
