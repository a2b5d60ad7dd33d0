/* SPDX-License-Identifier: MIT */
/*
 * Requests out of civetweb, answers into it. civetweb drops header lines beyond 64 without a word and takes the first
 * of two, so a stuffed or doubled head is refused: what is missing in it could be what matters.
 */
#include "services/gateway/http_io.h"

#include <strings.h>

#define HEADERS_MAX 63
/* One packet, as long as it is small. */
#define TOGETHER_MAX (32 * 1024)

static const char security_headers[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; "
	"img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
	"require-trusted-types-for 'script'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cross-Origin-Opener-Policy: same-origin\r\n"
	"Cross-Origin-Resource-Policy: same-origin\r\n"
	"X-Frame-Options: DENY\r\n"
	"Connection: close\r\n";

/* ── reading ───────────────────────────────────────────────────────────────────────────────────────────────── */

/* The headers that we read, and where they go. */
static const struct {
	const char *name;
	size_t offset;
} headers[] = {
	{ "Host", offsetof(struct request, host) },
	{ "Origin", offsetof(struct request, origin) },
	{ "Cookie", offsetof(struct request, cookie) },
	{ "Authorization", offsetof(struct request, authorization) },
	{ "Content-Type", offsetof(struct request, content_type) },
	{ "X-Jarvis", offsetof(struct request, x_jarvis) },
	{ "X-Forwarded-For", offsetof(struct request, forwarded_for) },
	{ "X-Forwarded-Proto", offsetof(struct request, forwarded_proto) },
	{ "Accept-Encoding", offsetof(struct request, accept_encoding) },
	{ "If-None-Match", offsetof(struct request, if_none_match) },
};

static int refuse(const char **why, int status, const char *text)
{
	*why = text;
	return status;
}

static int read_headers(const struct mg_request_info *info, struct arena *arena,
			struct request *ret, const char **why)
{
	bool length_seen = false;

	if (info->num_headers > HEADERS_MAX)
		return refuse(why, 431, "too many header lines");
	for (int h = 0; h < info->num_headers; h++) {
		const char *name = info->http_headers[h].name;

		if (strcasecmp(name, "Transfer-Encoding") == 0)
			return refuse(why, 411, "a body needs a Content-Length");
		if (strcasecmp(name, "Content-Length") == 0) {
			if (length_seen)
				return refuse(why, 400, "two Content-Length lines");
			length_seen = true;
		}
		for (size_t i = 0; i < countof(headers); i++) {
			const char **field = (const char **)((char *)ret + headers[i].offset);

			if (strcasecmp(name, headers[i].name) != 0)
				continue;
			if (*field)
				return refuse(why, 400,
					      "a header line that may stand once stands twice");
			*field = arena_strdup(arena, info->http_headers[h].value);
		}
	}
	return 0;
}

int http_read_head(const struct mg_connection *conn, struct arena *arena, struct request *ret,
		   const char **why)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	size_t length = min_of(strlen(info->remote_addr), sizeof(ret->peer) - 1);

	*ret = (struct request){ .method = method_parse(info->request_method), .body = "" };
	memcpy(ret->peer, info->remote_addr, length);
	if (ret->method == METHOD_OTHER)
		return refuse(why, 405, NULL);
	if (!info->request_uri || path_decode(info->request_uri, arena, &ret->path) < 0)
		return refuse(why, 400, "the path is not one that we would have given out");
	if (info->query_string)
		ret->query = arena_strdup(arena, info->query_string);
	return read_headers(info, arena, ret, why);
}

int http_read_body(struct mg_connection *conn, struct arena *arena, struct request *request,
		   const char **why)
{
	long long length = mg_get_request_info(conn)->content_length;
	char *body;
	int n;

	if (length > REQUEST_BODY_MAX)
		return refuse(why, 413, "a body may have 64 KiB");
	if (length <= 0)
		return 0;
	body = arena_alloc(arena, (size_t)length + 1);
	n = mg_read(conn, body, (size_t)length);
	if (n != length)
		return refuse(why, 408, "the body did not come whole");
	request->body = body;
	request->body_len = (size_t)n;
	return 0;
}

bool http_is_upgrade(const struct mg_connection *conn)
{
	const char *upgrade = mg_get_header(conn, "Upgrade");
	const char *connection = mg_get_header(conn, "Connection");

	return upgrade && connection && strcasecmp(upgrade, "websocket") == 0 &&
	       list_header_has(connection, "upgrade");
}

/* ── writing ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_status(struct str *head, int status)
{
	str_printf(head, "HTTP/1.1 %d %s\r\n", status, status_text(status));
	str_add(head, security_headers);
}

static void send_all(struct mg_connection *conn, struct str *head, const void *body, size_t length)
{
	const struct mg_request_info *info = mg_get_request_info(conn);
	/* Complaints about what could not be parsed have no method. */
	bool is_head = info && info->request_method && str_eq(info->request_method, "HEAD");

	str_add(head, "\r\n");
	if (is_head)
		length = 0;
	if (length <= TOGETHER_MAX) {
		str_add_n(head, body, length);
		length = 0;
	}
	if (mg_write(conn, head->data, head->len) == (int)head->len && length)
		(void)mg_write(conn, body, length);
}

void http_write(struct mg_connection *conn, const struct response *response)
{
	_cleanup_(str_done) struct str head = { 0 };

	add_status(&head, response->status);
	str_printf(&head, "Cache-Control: no-store\r\nContent-Type: %s\r\nContent-Length: %zu\r\n",
		   response->type ? response->type : "application/json", response->body.len);
	str_add_n(&head, str_get(&response->headers), response->headers.len);
	send_all(conn, &head, str_get(&response->body), response->body.len);
}

void http_write_problem(struct mg_connection *conn, int status, const char *why)
{
	struct response response = { 0 };

	response_problem(&response, status, why);
	http_write(conn, &response);
	response_done(&response);
}

void http_write_file(struct mg_connection *conn, const struct request *request,
		     const struct static_file *file)
{
	_cleanup_(str_done) struct str head = { 0 };
	bool known = static_is_known(file, request->if_none_match);
	bool gzip = file->gzip && list_header_has(request->accept_encoding, "gzip");
	const void *data = gzip ? file->gzip : file->data;
	size_t length = gzip ? file->gzip_len : file->len;

	add_status(&head, known ? 304 : 200);
	str_printf(&head, "Cache-Control: %s\r\nETag: %s\r\nVary: Accept-Encoding\r\n",
		   file->immutable ? "public, max-age=31536000, immutable" : "no-cache",
		   file->etag);
	if (!known)
		str_printf(&head, "Content-Type: %s\r\nContent-Length: %zu\r\n%s", file->type,
			   length, gzip ? "Content-Encoding: gzip\r\n" : "");
	send_all(conn, &head, data, known ? 0 : length);
}
