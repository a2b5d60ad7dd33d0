/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A request and its answer as plain data: all that the loop ever sees of HTTP. And the few pieces of header text that
 * must be read with care. Pure.
 */
#include "common/alloc.h"
#include "common/str.h"

#define REQUEST_BODY_MAX (64 * 1024)
#define REQUEST_PATH_MAX 1024

enum http_method {
	METHOD_GET,
	METHOD_POST,
	METHOD_PUT,
	METHOD_DELETE,
	METHOD_OTHER,
};

/* Text is NULL where the header is missing; all of it lies in the exchange's arena. */
struct request {
	enum http_method method; /* HEAD is a GET whose body is not sent */
	const char *path;	 /* decoded */
	const char *query;
	const char *host;
	const char *origin;
	const char *cookie;
	const char *authorization;
	const char *content_type;
	const char *x_jarvis;
	const char *forwarded_for;
	const char *forwarded_proto;
	const char *accept_encoding;
	const char *if_none_match;
	char peer[64]; /* address of the other end of the connection */
	const char *body;
	size_t body_len;
	bool websocket; /* asks for the upgrade; 101 as an answer grants it */
};

struct response {
	int status;
	const char *type;   /* static text; NULL: JSON */
	struct str headers; /* further lines, each ending in CRLF */
	struct str body;
	uint64_t ticket; /* with 101 */
};

void response_done(struct response *response);
/* Turns the answer into a problem document (RFC 9457); DETAIL may be NULL. */
void response_problem(struct response *response, int status, const char *detail);
/* Reason phrase of a status. */
const char *status_text(int status);

enum http_method method_parse(const char *method);
/*
 * Decodes the path of a request target. 0; -EINVAL for what nobody asks for who means well: bad or needless
 * escapes, control characters, "//", "." and "..".
 */
int path_decode(const char *raw, struct arena *arena, const char **ret);
/* The value of cookie NAME in a Cookie header, in RET (SIZE bytes); false when it is not there or does not fit. */
bool cookie_find(const char *header, const char *name, char *ret, size_t size);
/* True when a list header ("gzip, br;q=0.5") names WORD and does not give it a quality of nought. */
bool list_header_has(const char *header, const char *word);
