/* SPDX-License-Identifier: MIT */
/*
 * What became of a call, in an outcome for code and a sentence for people. A sentence names host
 * and port, what happened and what to do; it never holds a path, a header or a byte of the answer.
 */
#include "common/http_call.h"

#include "common/alloc.h"

#include <stdarg.h>
#include <stdio.h>

/* curl's codes that are not simply "the connection broke". */
static const struct {
	CURLcode code;
	enum http_outcome outcome;
} outcomes[] = {
	{ CURLE_OK, HTTP_ANSWERED },
	{ CURLE_COULDNT_RESOLVE_HOST, HTTP_UNREACHABLE },
	{ CURLE_COULDNT_CONNECT, HTTP_UNREACHABLE },
	{ CURLE_INTERFACE_FAILED, HTTP_UNREACHABLE },
	{ CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT },
	{ CURLE_PEER_FAILED_VERIFICATION, HTTP_NOT_TRUSTED },
	{ CURLE_FILESIZE_EXCEEDED, HTTP_TOO_LARGE },
	{ CURLE_URL_MALFORMAT, HTTP_REFUSED },
};

void http_call_refuse(struct http_call *call, enum http_outcome outcome, const char *format, ...)
{
	va_list args;
	char text[512];

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	call->outcome = outcome;
	str_clear(&call->error);
	str_add(&call->error, text);
}

static int64_t info_us(const struct http_call *call, CURLINFO info)
{
	curl_off_t value = 0;

	(void)curl_easy_getinfo(call->easy, info, &value);
	return value;
}

static void say_timeout(struct http_call *call)
{
	const char *stage = "it was still waiting for a free connection";
	unsigned limit_ms = call->timeout_ms;

	if (call->header_bytes > 0) {
		stage = "only a part of it came";
	} else if (call->is_sent) {
		stage = "the request was sent, and nothing came back";
	} else if (call->is_connected) {
		stage = "the connection was made, but its TLS handshake did not end";
		limit_ms = min_of(limit_ms, call->connect_timeout_ms);
	}
	str_printf(&call->error,
		   "%s: no complete answer within %u ms: %s; the server is slow or hung, or needs "
		   "a longer timeout",
		   call->where, limit_ms, stage);
}

/* The name was looked up, or the connection tried, until time was over. */
static void say_no_connection(struct http_call *call, CURLcode code)
{
	long os_error = 0;
	bool has_name = info_us(call, CURLINFO_NAMELOOKUP_TIME_T) > 0;

	if (code == CURLE_COULDNT_RESOLVE_HOST || (!has_name && code == CURLE_OPERATION_TIMEDOUT)) {
		str_printf(&call->error,
			   "%s: the name %s; check it in jarvis.yaml, or DNS on this machine",
			   call->where,
			   code == CURLE_OPERATION_TIMEDOUT ? "could not be looked up in time" :
							      "is not known");
		return;
	}
	(void)curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &os_error);
	if (code != CURLE_OPERATION_TIMEDOUT && os_error != 0)
		str_printf(&call->error, "%s: %s", call->where, strerror((int)os_error));
	else
		str_printf(&call->error, "%s: no connection within %u ms", call->where,
			   min_of(call->connect_timeout_ms, call->timeout_ms));
	str_add(&call->error,
		"; check that the machine is up, the service runs, and address and port are "
		"right");
}

static void say_wrong_pin(struct http_call *call)
{
	char shown[HTTP_PIN_TEXT];
	char expected[HTTP_PIN_TEXT];

	http_pin_build(call->trust.shown, shown);
	http_pin_build(call->trust.pin, expected);
	str_printf(&call->error,
		   "certificate of %s is %s, expected %s; nothing was sent. If the certificate was "
		   "renewed, set "
		   "%s in jarvis.yaml; if not, somebody is in between",
		   call->where, shown, expected,
		   call->fingerprint_key ? call->fingerprint_key : "its fingerprint");
}

static void say_wrong_ca(struct http_call *call)
{
	char shown[HTTP_PIN_TEXT];

	http_pin_build(call->trust.shown, shown);
	if (call->trust.reason)
		str_printf(&call->error, "certificate of %s (%s) is not vouched for by %s: %s",
			   call->where, shown, call->ca_file, call->trust.reason);
	else
		str_printf(&call->error, "certificate of %s (%s) is not for the name %s",
			   call->where, shown, call->server_name ? call->server_name : call->host);
	str_printf(&call->error,
		   "; nothing was sent. Use the CA and the name of this server, or pin its "
		   "certificate with %s in jarvis.yaml",
		   call->fingerprint_key ? call->fingerprint_key : "a fingerprint");
}

static void say_not_trusted(struct http_call *call)
{
	if (!call->trust.is_shown)
		str_printf(&call->error, "%s: the server showed no certificate; nothing was sent",
			   call->where);
	else if (call->has_pin)
		say_wrong_pin(call);
	else
		say_wrong_ca(call);
}

static void say_broken(struct http_call *call, CURLcode code)
{
	bool is_handshake = call->is_connected && !call->is_sent;

	str_printf(&call->error, "%s: %s: %s%s", call->where,
		   is_handshake ? "the TLS handshake failed" : "the connection broke",
		   call->errors[0] ? call->errors : curl_easy_strerror(code),
		   is_handshake ? "; check that this port speaks https" : "");
}

static enum http_outcome outcome_of(const struct http_call *call, CURLcode code)
{
	if (call->trust.is_refused)
		return HTTP_NOT_TRUSTED;
	/* When it had left already, over a kept connection that was gone, only the second time was withheld. */
	if (call->is_withheld && !call->is_sent)
		return HTTP_REFUSED;
	if (call->is_too_large)
		return HTTP_TOO_LARGE;
	for (size_t i = 0; i < countof(outcomes); i++) {
		if (outcomes[i].code == code)
			return outcomes[i].outcome;
	}
	return HTTP_BROKEN;
}

/*
 * Proxmox's errors often have neither a body nor its length, and end with the connection; TLS
 * without a goodbye makes that look cut. Nothing can be missing from an empty answer that says it
 * failed.
 */
static bool is_complete_without_end(const struct http_call *call, CURLcode code)
{
	curl_off_t length = -1;

	if (code != CURLE_RECV_ERROR || call->answer.len > 0 || call->status < 400)
		return false;
	(void)curl_easy_getinfo(call->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	return length < 0 && call->is_head_complete && !call->is_chunked;
}

static void conclude(struct http_call *call, enum http_outcome outcome, CURLcode code)
{
	call->outcome = outcome;
	str_clear(&call->error);
	switch (outcome) {
	case HTTP_ANSWERED:
		return;
	case HTTP_UNREACHABLE:
		say_no_connection(call, code);
		break;
	case HTTP_NOT_TRUSTED:
		say_not_trusted(call);
		break;
	case HTTP_TIMEOUT:
		say_timeout(call);
		break;
	case HTTP_TOO_LARGE:
		str_printf(&call->error,
			   "%s: the answer is larger than %zu bytes, and was not taken",
			   call->where, call->max_bytes);
		break;
	case HTTP_REFUSED:
	case HTTP_BROKEN:
		if (call->is_withheld)
			str_printf(&call->error, "%s: it was not asked any more", call->where);
		else
			say_broken(call, code);
		break;
	}
	call->status = 0;
}

void http_call_judge(struct http_call *call, CURLcode code)
{
	enum http_outcome outcome = outcome_of(call, code);
	long status = 0;

	(void)curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
	call->status = (int)status;
	/* curl is content with an answer that ends within its header. */
	if (outcome == HTTP_ANSWERED && !call->is_head_complete) {
		outcome = HTTP_BROKEN;
		code = CURLE_PARTIAL_FILE;
	}
	if (outcome == HTTP_BROKEN && is_complete_without_end(call, code))
		outcome = HTTP_ANSWERED;
	if (outcome == HTTP_TIMEOUT && !call->is_connected)
		outcome = HTTP_UNREACHABLE;
	conclude(call, outcome, code);
}

void http_call_expire(struct http_call *call)
{
	bool has_begun = call->is_resolving || info_us(call, CURLINFO_NAMELOOKUP_TIME_T) > 0;
	bool is_unreachable = has_begun && !call->is_connected;

	conclude(call, is_unreachable ? HTTP_UNREACHABLE : HTTP_TIMEOUT, CURLE_OPERATION_TIMEDOUT);
}
