/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Internal to common/http*.c: who is at the other end. The certificate is judged twice: in
 * OpenSSL's verify callback, so that a wrong one ends the handshake, and again before each request,
 * since a kept connection may have been opened for another fingerprint.
 */
#include "common/base.h"

#include <openssl/ssl.h>

#define HTTP_PIN_BYTES 32
#define HTTP_PIN_TEXT (HTTP_PIN_BYTES * 3)

/* What one request expects of the certificate, and what was shown. */
struct http_trust {
	X509_STORE *store; /* borrowed; NULL: the pin decides */
	unsigned char pin[HTTP_PIN_BYTES];
	unsigned char shown[HTTP_PIN_BYTES];
	bool is_shown;
	bool is_refused;
	const char *reason; /* why the CA file does not vouch for it; static, NULL when it does */
};

/* Takes "AA:BB:…" or plain hex: 0 or -EINVAL. */
int http_pin_parse(const char *text, unsigned char ret[HTTP_PIN_BYTES]);
/* "AA:BB:…" */
void http_pin_build(const unsigned char pin[HTTP_PIN_BYTES], char ret[HTTP_PIN_TEXT]);
/* Reads all certificates of a PEM file: 0, -errno of the file, or -EINVAL when it holds none. */
int http_store_load(const char *path, X509_STORE **ret);
/* Makes CTX ask TRUST, which must live until the handshake is over. */
void http_trust_apply(struct http_trust *trust, SSL_CTX *ctx);
/* Whether the connection SSL, which may be a kept one, is what TRUST expects. */
bool http_trust_check(struct http_trust *trust, SSL *ssl);
