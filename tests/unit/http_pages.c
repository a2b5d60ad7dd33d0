/* SPDX-License-Identifier: MIT */
/*
 * What the server of the http tests does, by path: all the ways in which an answer may come, or
 * not.
 */
#include "tests/unit/http_pages.h"

#include "common/alloc.h"
#include "common/str.h"

#include <stdio.h>

/* gzip of {"data":"zipped"} */
static const unsigned char zipped[] = {
	0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0x4a,
	0x49, 0x2c, 0x49, 0x54, 0xb2, 0x52, 0xaa, 0xca, 0x2c, 0x28, 0x48, 0x4d, 0x51,
	0xaa, 0x05, 0x00, 0xae, 0xc5, 0x2c, 0x8e, 0x11, 0x00, 0x00, 0x00,
};

static void write_text(struct http_server_call *call, const char *text)
{
	http_server_write(call, text, strlen(text));
}

static enum http_server_then say_ok(struct http_server_call *call)
{
	http_server_answer(call, "200 OK", "{\"data\":1}");
	return SERVER_KEEPS;
}

static enum http_server_then say_chunked(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 100; i++)
		write_text(call, "10\r\n" CHUNK "\r\n");
	write_text(call, "0\r\n\r\n");
	return SERVER_KEEPS;
}

static enum http_server_then say_zipped(struct http_server_call *call)
{
	char head[160];

	(void)snprintf(head, sizeof(head),
		       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
		       sizeof(zipped));
	write_text(call, head);
	http_server_write(call, zipped, sizeof(zipped));
	return SERVER_KEEPS;
}

/*
 * A deflate stream made by hand: a literal zero, then COUNT times "258 bytes from one byte back",
 * 13 bits each.
 */
static size_t make_bomb(unsigned char *bomb, size_t count)
{
	static const unsigned char head[] = { 0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3 };
	size_t bit = sizeof(head) * 8;

	memcpy(bomb, head, sizeof(head));
	bomb[bit / 8] |= 3; /* last block, fixed codes */
	bit += 3;
	for (unsigned i = 0; i < 8; i++, bit++) /* literal 0: 00110000 */
		bomb[bit / 8] |= (unsigned char)((0x30u >> (7 - i) & 1) << bit % 8);
	for (; count > 0; count--) {
		for (unsigned i = 0; i < 8; i++, bit++) /* length 258: 11000101 */
			bomb[bit / 8] |= (unsigned char)((0xc5u >> (7 - i) & 1) << bit % 8);
		bit += 5; /* distance 1 */
	}
	return bit / 8 + 1;
}

static enum http_server_then say_bomb(struct http_server_call *call)
{
	enum { REPEATS = 40000 }; /* 10 MB in 65 kB */
	unsigned char *bomb = xcalloc(REPEATS, 2);
	size_t size = make_bomb(bomb, REPEATS);
	char head[160];

	(void)snprintf(head, sizeof(head),
		       "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n",
		       size);
	write_text(call, head);
	http_server_write(call, bomb, size);
	free(bomb);
	return SERVER_CLOSES;
}

static enum http_server_then say_595(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 595 No route to host\r\nConnection: close\r\n\r\n");
	return SERVER_CLOSES;
}

static enum http_server_then say_401_and_cut(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 401 No ticket\r\nConnection: close\r\n\r\n");
	return SERVER_CUTS;
}

static enum http_server_then say_400(struct http_server_call *call)
{
	http_server_answer(call, "400 Parameter verification failed.", "{\"data\":null}");
	return SERVER_CLOSES;
}

static enum http_server_then say_no_reason(struct http_server_call *call)
{
	http_server_answer(call, "200", "x");
	return SERVER_KEEPS;
}

static enum http_server_then say_odd_reason(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 500  \x1b[31mred\x7f \xc3\xa4\t\r\nContent-Length: 0\r\n\r\n");
	return SERVER_CLOSES;
}

static enum http_server_then say_long_reason(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 500 ");
	for (int i = 0; i < 200; i++)
		write_text(call, CHUNK);
	write_text(call, "\r\nContent-Length: 0\r\n\r\n");
	return SERVER_CLOSES;
}

/* An interim answer first, whose status is not the answer's. */
static enum http_server_then say_wait_then_ok(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 103 Early Hints\r\nX-A: b\r\n\r\n");
	return say_ok(call);
}

static enum http_server_then say_half(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf of it");
	return SERVER_CUTS;
}

static enum http_server_then say_half_chunk(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n");
	return SERVER_CUTS;
}

static enum http_server_then say_half_head(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 500 Oh\r\nContent-");
	return SERVER_CUTS;
}

static enum http_server_then say_garbage(struct http_server_call *call)
{
	write_text(call, "220 mail.example ESMTP\r\n\r\n");
	return SERVER_CLOSES;
}

static enum http_server_then say_moved(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n");
	return SERVER_KEEPS;
}

static enum http_server_then say_large(struct http_server_call *call)
{
	char body[5001];

	memset(body, 'x', sizeof(body) - 1);
	body[sizeof(body) - 1] = '\0';
	http_server_answer(call, "200 OK", body);
	return SERVER_KEEPS;
}

static enum http_server_then say_large_chunked(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 1000; i++)
		write_text(call, "10\r\n" CHUNK "\r\n");
	write_text(call, "0\r\n\r\n");
	return SERVER_CLOSES;
}

static enum http_server_then say_endless_head(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 10000; i++)
		write_text(call, "X-More: " CHUNK "\r\n");
	return SERVER_CLOSES;
}

static enum http_server_then say_request(struct http_server_call *call)
{
	_cleanup_(freep) char *text = xasprintf("%s|%s", call->headers, call->body);

	http_server_answer(call, "200 OK", text);
	return SERVER_KEEPS;
}

static enum http_server_then hold(struct http_server_call *call)
{
	(void)call;
	return SERVER_HOLDS;
}

static enum http_server_then hold_after_head(struct http_server_call *call)
{
	write_text(call, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
	return SERVER_HOLDS;
}

/* Answers once, promises to go on, and is gone. */
static enum http_server_then say_bye(struct http_server_call *call)
{
	http_server_answer(call, "200 OK", "bye");
	return SERVER_CLOSES;
}

/* Dies over the second request of a connection. */
static enum http_server_then die_on_second(struct http_server_call *call)
{
	return call->nth == 1 ? say_ok(call) : SERVER_CUTS;
}

static enum http_server_then die(struct http_server_call *call)
{
	(void)call;
	return SERVER_CUTS;
}

static const struct {
	const char *path;
	http_server_fn answer;
} pages[] = {
	{ "/ok", say_ok },
	{ "/chunked", say_chunked },
	{ "/zipped", say_zipped },
	{ "/bomb", say_bomb },
	{ "/595", say_595 },
	{ "/401-cut", say_401_and_cut },
	{ "/400", say_400 },
	{ "/no-reason", say_no_reason },
	{ "/odd-reason", say_odd_reason },
	{ "/long-reason", say_long_reason },
	{ "/wait", say_wait_then_ok },
	{ "/half", say_half },
	{ "/half-chunk", say_half_chunk },
	{ "/half-head", say_half_head },
	{ "/garbage", say_garbage },
	{ "/moved", say_moved },
	{ "/large", say_large },
	{ "/large-chunked", say_large_chunked },
	{ "/endless-head", say_endless_head },
	{ "/request", say_request },
	{ "/hold", hold },
	{ "/hold-after-head", hold_after_head },
	{ "/bye", say_bye },
	{ "/die-on-second", die_on_second },
	{ "/die", die },
};

enum http_server_then http_pages_serve(struct http_server_call *call)
{
	for (size_t i = 0; i < countof(pages); i++) {
		if (str_eq(pages[i].path, call->path))
			return pages[i].answer(call);
	}
	http_server_answer(call, "501 Not here", "");
	return SERVER_CLOSES;
}
