/* SPDX-License-Identifier: MIT */
/*
 * From a request to a curl handle. What is not asked for here is off: no redirects, cookies, netrc,
 * proxies, HTTP/2 or TLS sessions (a resumed session would skip the handshake's look at the
 * certificate).
 */
#include "common/http_call.h"

#include "common/alloc.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <sodium.h>

#define METHOD_MAX_BYTES 16
#define HEADERS_MAX_BYTES 65536
#define REASON_MAX_BYTES 512
/*
 * Proxmox closes a connection that was idle for 5 s. curl compares whole seconds with "greater
 * than", so that this stops using one after 4.
 */
#define KEEP_IDLE_S 3L
#define KEEP_LIFETIME_S 300L

/* ── what may not be asked ───────────────────────────────────────────────────────────────────── */

static bool is_token(const char *text, size_t length)
{
	if (length == 0)
		return false;
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= 0x20 || c >= 0x7f || strchr("\"(),/:;<=>?@[\\]{}", c))
			return false;
	}
	return true;
}

/* Upper-case letters only: also what keeps a second request out of the request line. */
static bool is_method(const char *method)
{
	size_t length = strlen(method);

	return length > 0 && length <= METHOD_MAX_BYTES &&
	       strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == length;
}

static bool is_header(const char *header)
{
	const char *colon = strchr(header, ':');

	if (!colon || !is_token(header, (size_t)(colon - header)))
		return false;
	for (const char *c = colon; *c; c++) {
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			return false;
	}
	return true;
}

static bool is_printable(const char *text)
{
	for (; *text; text++) {
		if ((unsigned char)*text <= 0x20 || *text == 0x7f)
			return false;
	}
	return true;
}

/* A host name or an address, so that it cannot become another part of a URL. */
static bool is_name(const char *text)
{
	for (const char *c = text; *c; c++) {
		bool is_letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');

		if (!is_letter && !(*c >= '0' && *c <= '9') && !strchr(".-_:", *c))
			return false;
	}
	return *text && strlen(text) <= 253;
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return str_eq(host, "[::1]");
}

/* ── the URL ─────────────────────────────────────────────────────────────────────────────────── */

static void url_donep(CURLU **url)
{
	curl_url_cleanup(*url);
}

static char *url_part(CURLU *url, CURLUPart part, unsigned flags)
{
	char *text = NULL;
	char *copy;

	if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
		return NULL;
	copy = xstrdup(text);
	curl_free(text);
	return copy;
}

static bool check_scheme(struct http_call *call, const char *scheme)
{
	if (str_eq(scheme, "https") || (str_eq(scheme, "http") && is_loopback(call->host)))
		return true;
	http_call_refuse(call, HTTP_REFUSED,
			 "%s: %s is not allowed there; use https (plain http is for 127.0.0.1 and "
			 "[::1] alone)",
			 call->where, scheme);
	return false;
}

static bool parse_address(struct http_call *call, CURLU *url, const char *text)
{
	_cleanup_(freep) char *port = NULL;
	_cleanup_(freep) char *user = NULL;
	_cleanup_(freep) char *scheme = NULL;

	if (!is_printable(text) ||
	    curl_url_set(url, CURLUPART_URL, text, CURLU_PATH_AS_IS) != CURLUE_OK) {
		http_call_refuse(call, HTTP_REFUSED,
				 "the URL is not one; write https://host:port/path");
		return false;
	}
	scheme = url_part(url, CURLUPART_SCHEME, 0);
	call->host = url_part(url, CURLUPART_HOST, 0);
	port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	if (!scheme || !call->host || !port) {
		http_call_refuse(call, HTTP_REFUSED,
				 "the URL has no host; write https://host:port/path");
		return false;
	}
	call->where = xasprintf("%s:%s", call->host, port);
	user = url_part(url, CURLUPART_USER, 0);
	if (user) {
		http_call_refuse(call, HTTP_REFUSED, "%s: a URL with a user name is not allowed",
				 call->where);
		return false;
	}
	return check_scheme(call, scheme);
}

/*
 * The connection goes to the URL's address; the name asked of the certificate, and sent, is
 * server_name.
 */
static bool rename_server(struct http_call *call, CURLU *url)
{
	_cleanup_(freep) char *bracketed = NULL;
	_cleanup_(freep) char *rule = NULL;
	const char *name = call->server_name;

	if (!is_name(name)) {
		http_call_refuse(call, HTTP_REFUSED, "%s: the server name is not a host name",
				 call->where);
		return false;
	}
	if (strchr(name, ':'))
		bracketed = xasprintf("[%s]", name);
	if (curl_url_set(url, CURLUPART_HOST, bracketed ? bracketed : name, 0) != CURLUE_OK) {
		http_call_refuse(call, HTTP_REFUSED, "%s: the server name is not a host name",
				 call->where);
		return false;
	}
	rule = xasprintf("::%s", call->where);
	call->connect_to = curl_slist_append(NULL, rule);
	return true;
}

static char *final_url(struct http_call *call, const char *text)
{
	_cleanup_(url_donep) CURLU *url = curl_url();

	if (!url || !parse_address(call, url, text))
		return NULL;
	if (call->server_name && !call->has_pin && !rename_server(call, url))
		return NULL;
	return url_part(url, CURLUPART_URL, 0);
}

/* ── trust ───────────────────────────────────────────────────────────────────────────────────── */

static bool decide_trust(struct http_call *call, const char *url, const char *fingerprint,
			 X509_STORE *store)
{
	bool is_plain = str_starts(url, "http:");
	const char *key = call->fingerprint_key ? call->fingerprint_key : "its fingerprint";

	if (is_plain)
		return true;
	if (call->has_pin) {
		if (http_pin_parse(fingerprint, call->trust.pin) == 0)
			return true;
		http_call_refuse(call, HTTP_NOT_TRUSTED,
				 "%s: the fingerprint is not the SHA-256 of a certificate "
				 "(64 hex digits, as AA:BB:…); mend %s in jarvis.yaml",
				 call->where, key);
		return false;
	}
	call->trust.store = store;
	if (store)
		return true;
	http_call_refuse(
		call, HTTP_NOT_TRUSTED,
		"%s: nothing says which certificate to trust; set %s or a CA file in jarvis.yaml",
		call->where, key);
	return false;
}

/* ── what curl calls ─────────────────────────────────────────────────────────────────────────── */

static size_t write_cb(char *data, size_t size, size_t count, void *ctx)
{
	struct http_call *call = ctx;
	size_t bytes = size * count;

	if (bytes > call->max_bytes - call->answer.len) {
		call->is_too_large = true;
		return 0;
	}
	str_add_n(&call->answer, data, bytes);
	return bytes;
}

/* "HTTP/1.1 595 No route to host\r\n": everything after the number. */
static void note_reason(struct http_call *call, const char *line, size_t length)
{
	const char *at = memchr(line, ' ', length);
	const char *end = line + length;

	str_clear(&call->reason);
	call->is_head_complete = false;
	call->is_chunked = false;
	if (!at || end - at <= 4)
		return;
	for (at += 4; at < end && *at == ' '; at++)
		;
	for (; at < end && call->reason.len < REASON_MAX_BYTES; at++) {
		if ((unsigned char)*at >= 0x20 && *at != 0x7f)
			str_add_char(&call->reason, *at);
	}
}

/* "Set-Cookie: name=value; Path=/": what stands before the first semicolon. */
static void note_cookie(struct http_call *call, const char *value, size_t length)
{
	while (length > 0 && *value == ' ') {
		value++;
		length--;
	}
	str_reserve(&call->cookie, length);
	for (size_t i = 0; i < length && value[i] != ';' && (unsigned char)value[i] > 0x20; i++)
		str_add_char(&call->cookie, value[i]);
}

static size_t header_cb(char *data, size_t size, size_t count, void *ctx)
{
	struct http_call *call = ctx;
	size_t bytes = size * count;

	call->header_bytes += bytes;
	if (call->header_bytes > HEADERS_MAX_BYTES) {
		call->is_too_large = true;
		return 0;
	}
	if (bytes > 5 && strncmp(data, "HTTP/", 5) == 0)
		note_reason(call, data, bytes);
	else if (bytes <= 2)
		call->is_head_complete = true;
	else if (bytes > 18 && strncasecmp(data, "Transfer-Encoding:", 18) == 0)
		call->is_chunked = true;
	else if (bytes > 11 && !call->cookie.len && strncasecmp(data, "Set-Cookie:", 11) == 0)
		note_cookie(call, data + 11, bytes - 11);
	return bytes;
}

struct http_call *http_call_of(CURL *easy)
{
	char *call = NULL;

	(void)curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
	assert(call);
	return (struct http_call *)(void *)call;
}

/*
 * The user pointer is the same for all calls: newer curls compare it before they reuse a
 * connection.
 */
static CURLcode ssl_ctx_cb(CURL *easy, void *ssl_ctx, void *ctx)
{
	struct http_call *call = http_call_of(easy);

	(void)ctx;
	call->is_connected = true;
	http_trust_apply(&call->trust, ssl_ctx);
	return CURLE_OK;
}

/* On every connection, new or kept, right before the request. */
static int before_request_cb(void *ctx, char *remote_ip, char *local_ip, int remote_port,
			     int local_port)
{
	struct http_call *call = ctx;
	struct curl_tlssessioninfo *tls = NULL;
	char *scheme = NULL;

	(void)remote_ip;
	(void)local_ip;
	(void)remote_port;
	(void)local_port;
	if (curl_easy_getinfo(call->easy, CURLINFO_SCHEME, &scheme) != CURLE_OK || !scheme)
		return CURL_PREREQFUNC_ABORT;
	if (strcasecmp(scheme, "https") == 0) {
		if (curl_easy_getinfo(call->easy, CURLINFO_TLS_SSL_PTR, &tls) != CURLE_OK || !tls ||
		    tls->backend != CURLSSLBACKEND_OPENSSL || !tls->internals)
			return CURL_PREREQFUNC_ABORT;
		if (!http_trust_check(&call->trust, tls->internals)) {
			call->wants_fresh = !call->is_fresh;
			call->trust.is_refused = call->is_fresh;
			return CURL_PREREQFUNC_ABORT;
		}
	}
	call->is_connected = true;
	if (call->may_send && !call->may_send(call->ctx)) {
		call->is_withheld = true;
		return CURL_PREREQFUNC_ABORT;
	}
	call->is_sent = true;
	return CURL_PREREQFUNC_OK;
}

static int resolver_cb(void *state, void *reserved, void *ctx)
{
	struct http_call *call = ctx;

	(void)state;
	(void)reserved;
	call->is_resolving = true;
	return 0;
}

/* ── the handle ──────────────────────────────────────────────────────────────────────────────── */

static void set_limits(struct http_call *call)
{
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)call->connect_timeout_ms);
	/* A cancelled lookup of a name would block the loop until the resolver gives up. */
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)call->max_bytes);
	curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, KEEP_IDLE_S);
	curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, KEEP_LIFETIME_S);
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
			 is_loopback(call->host) ? "http,https" : "https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_NONE);
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "jarvis/" JARVIS_VERSION);
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
}

static void set_trust(struct http_call *call)
{
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	/*
	 * Neither the machine's CAs nor a file that curl reads: the store comes through the
	 * callback.
	 */
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, call->has_pin ? 0L : 2L);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, ssl_ctx_cb);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, call);
	curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request_cb);
	curl_easy_setopt(easy, CURLOPT_PREREQDATA, call);
	if (call->connect_to)
		curl_easy_setopt(easy, CURLOPT_CONNECT_TO, call->connect_to);
}

static void set_answer(struct http_call *call)
{
	CURL *easy = call->easy;

	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, call->errors);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, write_cb);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, call);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, header_cb);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, call);
	curl_easy_setopt(easy, CURLOPT_RESOLVER_START_FUNCTION, resolver_cb);
	curl_easy_setopt(easy, CURLOPT_RESOLVER_START_DATA, call);
}

static void set_method(struct http_call *call, const char *method)
{
	CURL *easy = call->easy;
	bool is_get = str_eq(method, "GET");
	bool has_body = call->body || str_eq(method, "POST") || str_eq(method, "PUT");

	if (has_body) {
		curl_easy_setopt(easy, CURLOPT_POST, 1L);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body_len);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, call->body ? call->body : "");
	} else if (str_eq(method, "HEAD")) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
	}
	if (!is_get || has_body)
		curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, call->headers);
	if (is_get)
		return;
	/*
	 * curl sends a request again when a kept connection turns out dead: never one that changes
	 * something.
	 */
	call->is_fresh = true;
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
}

static bool copy_headers(struct http_call *call, const char *const *headers)
{
	/* Proxmox never answers 100, and curl would wait a second for it. */
	call->headers = curl_slist_append(NULL, "Expect:");
	for (; headers && *headers; headers++) {
		if (!is_header(*headers)) {
			http_call_refuse(call, HTTP_REFUSED,
					 "%s: a header of the request is not allowed; it must be "
					 "\"Name: value\" without control characters",
					 call->where);
			return false;
		}
		call->headers = curl_slist_append(call->headers, *headers);
	}
	return true;
}

static bool prepare(struct http_call *call, X509_STORE *store, const struct http_request *request)
{
	_cleanup_(freep) char *url = final_url(call, request->url);

	if (!url)
		return false;
	if (!is_method(request->method)) {
		http_call_refuse(call, HTTP_REFUSED, "%s: the method of the request is not allowed",
				 call->where);
		return false;
	}
	if (!copy_headers(call, request->headers) ||
	    !decide_trust(call, url, request->fingerprint, store))
		return false;
	call->easy = curl_easy_init();
	if (!call->easy)
		return false;
	curl_easy_setopt(call->easy, CURLOPT_URL, url);
	set_limits(call);
	set_trust(call);
	set_answer(call);
	set_method(call, request->method);
	return true;
}

struct http_call *http_call_new(const struct http_options *options, X509_STORE *store,
				const struct http_request *request)
{
	struct http_call *call = xnew(struct http_call);

	call->outcome = HTTP_REFUSED;
	call->has_pin = request->fingerprint != NULL;
	call->server_name = xstrdup_null(request->server_name);
	call->fingerprint_key = xstrdup_null(request->fingerprint_key);
	call->ca_file = options->ca_file;
	call->max_bytes = options->max_bytes;
	call->connect_timeout_ms = options->connect_timeout_ms;
	call->may_send = request->may_send;
	call->timeout_ms = request->timeout_ms ? request->timeout_ms : options->timeout_ms;
	call->started_ns = uv_hrtime();
	if (request->body) {
		call->body = xmemdup(request->body, request->body_len);
		call->body_len = request->body_len;
	}
	if (!prepare(call, store, request) && call->error.len == 0)
		http_call_refuse(call, HTTP_REFUSED,
				 "the request could not be made: out of memory");
	return call;
}

void http_call_restart(struct http_call *call)
{
	call->wants_fresh = false;
	call->is_fresh = true;
	call->header_bytes = 0;
	call->is_connected = false;
	call->trust.is_shown = false;
	str_clear(&call->reason);
	str_clear(&call->cookie);
	str_clear(&call->answer);
	curl_easy_setopt(call->easy, CURLOPT_FRESH_CONNECT, 1L);
}

static void wipe_list(struct curl_slist *list)
{
	for (struct curl_slist *item = list; item; item = item->next)
		sodium_memzero(item->data, strlen(item->data));
	curl_slist_free_all(list);
}

void http_call_free(struct http_call *call)
{
	if (!call)
		return;
	if (call->easy)
		curl_easy_cleanup(call->easy);
	timer_free(call->deadline);
	wipe_list(call->headers);
	curl_slist_free_all(call->connect_to);
	if (call->body)
		sodium_memzero(call->body, call->body_len);
	free(call->body);
	free(call->host);
	free(call->where);
	free(call->server_name);
	free(call->fingerprint_key);
	str_done(&call->reason);
	str_wipe(&call->cookie);
	str_done(&call->answer);
	str_done(&call->error);
	free(call);
}
