/* SPDX-License-Identifier: MIT */
/*
 * The certificate check. A pin is the SHA-256 of the whole certificate, as Proxmox shows it;
 * whoever sets one has decided about name, issuer and expiry, so that none of those is asked any
 * more.
 */
#include "common/http_tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/str.h"

int http_pin_parse(const char *text, unsigned char ret[HTTP_PIN_BYTES])
{
	unsigned char pin[HTTP_PIN_BYTES];
	bool has_colons = strlen(text) == HTTP_PIN_TEXT - 1;

	if (!has_colons && strlen(text) != 2 * HTTP_PIN_BYTES)
		return -EINVAL;
	for (size_t i = 0; i < HTTP_PIN_BYTES; i++) {
		const char *at = text + i * (has_colons ? 3U : 2U);
		int high = hex_digit(at[0]);
		int low = hex_digit(at[1]);

		if (high < 0 || low < 0 || (has_colons && i + 1 < HTTP_PIN_BYTES && at[2] != ':'))
			return -EINVAL;
		pin[i] = (unsigned char)(high * 16 + low);
	}
	memcpy(ret, pin, sizeof(pin));
	return 0;
}

void http_pin_build(const unsigned char pin[HTTP_PIN_BYTES], char ret[HTTP_PIN_TEXT])
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < HTTP_PIN_BYTES; i++) {
		ret[3 * i] = digits[pin[i] >> 4];
		ret[3 * i + 1] = digits[pin[i] & 15];
		ret[3 * i + 2] = ':';
	}
	ret[HTTP_PIN_TEXT - 1] = '\0';
}

static size_t store_add_all(X509_STORE *store, const STACK_OF(X509_INFO) * infos)
{
	size_t added = 0;

	for (int i = 0; i < sk_X509_INFO_num(infos); i++) {
		X509 *cert = sk_X509_INFO_value(infos, i)->x509;

		if (cert && X509_STORE_add_cert(store, cert) == 1)
			added++;
	}
	return added;
}

static void filep(FILE **file)
{
	if (*file)
		(void)fclose(*file);
}

int http_store_load(const char *path, X509_STORE **ret)
{
	_cleanup_(filep) FILE *file = fopen(path, "re");
	STACK_OF(X509_INFO) * infos;
	X509_STORE *store;
	size_t added;

	if (!file)
		return -errno;
	errno = 0;
	infos = PEM_X509_INFO_read(file, NULL, NULL, NULL);
	if (!infos) {
		int r = ferror(file) && errno ? -errno : -EINVAL;

		ERR_clear_error();
		return r;
	}
	store = X509_STORE_new();
	added = store ? store_add_all(store, infos) : 0;
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	ERR_clear_error();
	if (added == 0) {
		X509_STORE_free(store);
		return -EINVAL;
	}
	/*
	 * What the file holds is trusted, also when it is an intermediate or the server's own
	 * certificate.
	 */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	*ret = store;
	return 0;
}

static bool is_pinned(const struct http_trust *trust)
{
	return !trust->store;
}

/* Notes what CERT is; false when that cannot be said. */
static bool trust_note(struct http_trust *trust, const X509 *cert)
{
	unsigned int size = 0;

	trust->is_shown = cert && X509_digest(cert, EVP_sha256(), trust->shown, &size) == 1 &&
			  size == HTTP_PIN_BYTES;
	return trust->is_shown;
}

static bool pin_matches(const struct http_trust *trust)
{
	return trust->is_shown && sodium_memcmp(trust->shown, trust->pin, HTTP_PIN_BYTES) == 0;
}

static int verify_cb(X509_STORE_CTX *store_ctx, void *arg)
{
	struct http_trust *trust = arg;
	bool is_good = trust_note(trust, X509_STORE_CTX_get0_cert(store_ctx));

	if (is_good && is_pinned(trust)) {
		is_good = pin_matches(trust);
		X509_STORE_CTX_set_error(store_ctx, is_good ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
	} else if (is_good) {
		is_good = X509_verify_cert(store_ctx) == 1;
		if (!is_good) {
			int code = X509_STORE_CTX_get_error(store_ctx);

			trust->reason = X509_verify_cert_error_string(code);
		}
	}
	trust->is_refused = !is_good;
	return is_good ? 1 : 0;
}

void http_trust_apply(struct http_trust *trust, SSL_CTX *ctx)
{
	if (trust->store)
		SSL_CTX_set1_cert_store(ctx, trust->store);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify_cb, trust);
	/* A renegotiation would show another certificate, at a time when TRUST may be gone. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
}

bool http_trust_check(struct http_trust *trust, SSL *ssl)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);
	bool is_good = trust_note(trust, cert);

	X509_free(cert);
	if (!is_good)
		return false;
	return is_pinned(trust) ? pin_matches(trust) : SSL_get_verify_result(ssl) == X509_V_OK;
}
