/* SPDX-License-Identifier: MIT */
/*
 * Many WebSockets in one process: to the gateway, or to a Socket.IO server. Some may be told never to read.
 */
#include "tests/bench/load/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/str.h"

#define HANDSHAKE_TIMEOUT_S 10

struct client {
	int fd;
	bool stalled;
	struct str in;
};

static int dial(const struct options *o, bool stalled)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)o->port) };
	struct timeval timeout = { .tv_sec = HANDSHAKE_TIMEOUT_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int small = 4096, on = 1;

	if (fd < 0)
		return -errno;
	(void)inet_pton(AF_INET, o->host, &address.sin_addr);
	if (stalled)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		(void)close(fd);
		return -errno;
	}
	return fd;
}

static int send_text(int fd, const char *text)
{
	size_t length = strlen(text);
	unsigned char head[8] = { 0x81, 0, 0, 0, 0, 0, 0, 0 };
	size_t n = 6; /* with a mask of zeros, which leaves the text as it is */

	if (length < 126) {
		head[1] = (unsigned char)(0x80 | length);
	} else {
		head[1] = 0x80 | 126;
		head[2] = (unsigned char)(length >> 8);
		head[3] = (unsigned char)length;
		n = 8;
	}
	if (send(fd, head, n, MSG_NOSIGNAL) < 0 || send(fd, text, length, MSG_NOSIGNAL) < 0)
		return -errno;
	return 0;
}

/* The cookie of client I: one a line, in turn, for a session may only have so many sockets. */
static char *cookie_of(const struct options *o, int i)
{
	const char *cookie = o->cookie;

	for (; i > 0 && cookie; i--) {
		cookie = strchr(cookie, '\n');
		cookie = cookie ? cookie + 1 : o->cookie;
	}
	return cookie ? xstrndup(cookie, strcspn(cookie, "\n")) : xstrdup("none=1");
}

/* Sends the upgrade and reads its answer byte by byte, so as not to swallow a frame. */
static int upgrade(const struct options *o, int fd, int i)
{
	const char *path = o->socketio ? "/socket.io/?EIO=4&transport=websocket" : "/ws";
	_cleanup_(freep) char *cookie = cookie_of(o, i);
	_cleanup_(freep) char *request = xasprintf(
		"GET %s HTTP/1.1\r\nHost: %s:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
		"Origin: http://%s:%d\r\nCookie: %s\r\n\r\n",
		path, o->host, o->port, o->host, o->port, cookie);
	char answer[2048];
	size_t n = 0;

	if (send(fd, request, strlen(request), MSG_NOSIGNAL) < 0)
		return -errno;
	while (n < sizeof(answer) - 1 && recv(fd, answer + n, 1, 0) == 1) {
		answer[++n] = '\0';
		if (n >= 4 && memcmp(answer + n - 4, "\r\n\r\n", 4) == 0)
			return strstr(answer, " 101 ") ? 0 : -EPROTO;
	}
	return -EPIPE;
}

static int subscribe(const struct options *o, int fd)
{
	_cleanup_(freep) char *text = NULL;

	if (o->socketio)
		return send_text(fd, "40");
	text = xasprintf("{\"op\":\"sub\",\"id\":\"1\",\"filters\":[\"%s\"]}", o->filter);
	return send_text(fd, text);
}

static int open_client(const struct options *o, struct client *c, int i)
{
	int r = 0;

	c->fd = dial(o, c->stalled);
	if (c->fd < 0)
		return c->fd;
	r = upgrade(o, c->fd, i);
	return r == 0 ? subscribe(o, c->fd) : r;
}

static void send_pong(int fd)
{
	static const unsigned char pong[] = { 0x8a, 0x80, 0, 0, 0, 0 };

	(void)send(fd, pong, sizeof(pong), MSG_NOSIGNAL);
}

/* Takes whole frames off the front of what came. */
static void take_frames(const struct options *o, struct client *c, struct samples *s)
{
	size_t at = 0;

	for (;;) {
		const unsigned char *p = (const unsigned char *)c->in.data + at;
		size_t left = c->in.len - at, head = 2, length;

		if (left < 2)
			break;
		length = p[1] & 127;
		if (length == 126) {
			head = 4;
			length = left < 4 ? 0 : (size_t)p[2] << 8 | p[3];
		} else if (length == 127) {
			head = 10;
			length = left < 10 ? 0 :
					     (size_t)p[6] << 24 | (size_t)p[7] << 16 |
						     (size_t)p[8] << 8 | p[9];
		}
		if (left < head || left < head + length)
			break;
		if ((p[0] & 15) == 9)
			send_pong(c->fd);
		else if (o->socketio && length == 1 && p[head] == '2')
			(void)send_text(c->fd, "3");
		else
			samples_scan(s, (const char *)p + head, length);
		at += head + length;
	}
	if (at) {
		memmove(c->in.data, c->in.data + at, c->in.len - at);
		c->in.len -= at;
	}
}

/* False when the connection is over. */
static bool read_client(const struct options *o, struct client *c, struct samples *s)
{
	static char buffer[256 * 1024];
	ssize_t n = recv(c->fd, buffer, sizeof(buffer), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN;
	if (n == 0)
		return false;
	str_add_n(&c->in, buffer, (size_t)n);
	take_frames(o, c, s);
	return true;
}

static int open_all(const struct options *o, struct client *clients, int poll_fd)
{
	for (int i = 0; i < o->clients; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &clients[i] };
		int r;

		clients[i].stalled = i < o->stalled;
		r = open_client(o, &clients[i], i);
		if (r < 0) {
			fprintf(stderr, "client %d of %d: %s\n", i, o->clients, strerror(-r));
			return r;
		}
		if (!clients[i].stalled)
			(void)epoll_ctl(poll_fd, EPOLL_CTL_ADD, clients[i].fd, &event);
	}
	return 0;
}

static int listen_all(const struct options *o, int poll_fd, struct samples *s)
{
	int64_t until = now_ns() + (int64_t)o->seconds * 1000000000;
	struct epoll_event events[256];
	int lost = 0;

	while (now_ns() < until) {
		int n = epoll_wait(poll_fd, events, countof(events), 100);

		for (int i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;

			if (read_client(o, c, s))
				continue;
			lost++;
			(void)epoll_ctl(poll_fd, EPOLL_CTL_DEL, c->fd, NULL);
		}
	}
	return lost;
}

int run_ws(const struct options *o)
{
	struct client *clients = xcalloc((size_t)o->clients, sizeof(*clients));
	int poll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct samples samples;
	char extra[64];
	int64_t began = now_ns();
	int r;

	samples_init(&samples);
	r = open_all(o, clients, poll_fd);
	if (r == 0) {
		/* Whoever started us begins to publish now. */
		samples.since_ns = now_ns();
		printf("{\"connected\":%d,\"ms\":%.1f}\n", o->clients,
		       (double)(now_ns() - began) / 1e6);
		(void)fflush(stdout);
		(void)snprintf(extra, sizeof(extra), ",\"lost\":%d",
			       listen_all(o, poll_fd, &samples));
		samples_print(&samples, extra);
	}
	for (int i = 0; i < o->clients; i++) {
		if (clients[i].fd > 0)
			(void)close(clients[i].fd);
		str_done(&clients[i].in);
	}
	free(clients);
	samples_done(&samples);
	(void)close(poll_fd);
	return r < 0 ? 1 : 0;
}
