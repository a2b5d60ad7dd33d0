/* SPDX-License-Identifier: MIT */
/*
 * The socket of one client. Frames are complete before they are sent, and nothing new is made while one is not sent
 * through: a slow reader is told less, not later.
 */
#include "services/gateway/ws_client.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"

/* The kernel would take megabytes for somebody who never reads. */
#define SEND_BUFFER_BYTES 65536
/* A peer that vanished without a word. */
#define USER_TIMEOUT_MS 10000
#define CLOSING_MS 1000

static void closed_cb(uv_handle_t *handle)
{
	struct ws_client *client = handle->data;

	(void)close(client->fd);
	free(client);
}

static void drop_queue(struct ws_client *client)
{
	while (client->out_n)
		ws_frame_unref(client->out[--client->out_n]);
	client->out_at = 0;
}

void ws_client_kill(struct ws_client *client, bool abrupt)
{
	struct linger reset = { .l_onoff = 1 };

	if (client->gone)
		return;
	client->gone = true;
	if (abrupt)
		(void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	drop_queue(client);
	ws_subs_done(client);
	ws_parser_done(&client->parser);
	*(client->prev ? &client->prev->next : &client->shared->clients) = client->next;
	if (client->next)
		client->next->prev = client->prev;
	client->shared->stats.clients--;
	uv_close((uv_handle_t *)&client->poll, closed_cb);
}

static void evict(struct ws_client *client)
{
	client->shared->stats.evicted++;
	ws_client_kill(client, true);
}

/* ── sending ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void poll_cb(uv_poll_t *poll, int status, int events);

static void watch(struct ws_client *client)
{
	int events = UV_READABLE | (client->out_n ? UV_WRITABLE : 0);

	if (!client->gone && uv_poll_start(&client->poll, events, poll_cb) < 0)
		ws_client_kill(client, true);
}

static void push(struct ws_client *client, struct ws_frame *frame)
{
	if (client->gone || client->out_n == WS_OUT_MAX) {
		ws_frame_unref(frame);
		if (!client->gone)
			evict(client);
		return;
	}
	if (client->out_n == 0)
		client->progress_ms = clock_boot_ms(client->shared->clock);
	client->out[client->out_n++] = frame;
}

static void first_is_sent(struct ws_client *client)
{
	client->shared->stats.frames++;
	ws_frame_unref(client->out[0]);
	client->out_n--;
	client->out_at = 0;
	memmove(&client->out[0], &client->out[1], client->out_n * sizeof(client->out[0]));
}

/* Sends what is queued: true when all of it went. */
static bool send_queue(struct ws_client *client)
{
	while (client->out_n && !client->gone) {
		const struct ws_frame *frame = client->out[0];
		ssize_t n = send(client->fd, frame->data + client->out_at,
				 frame->len - client->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return false;
		if (n < 0) {
			ws_client_kill(client, true);
			return false;
		}
		client->shared->stats.bytes += n;
		client->progress_ms = clock_boot_ms(client->shared->clock);
		client->out_at += (size_t)n;
		if (client->out_at == frame->len)
			first_is_sent(client);
	}
	return !client->gone;
}

bool ws_client_is_behind(const struct ws_client *client)
{
	return client->view && client->pos < mirror_seq(client->shared->mirror);
}

void ws_client_pump(struct ws_client *client, bool due)
{
	bool was_blocked = client->out_n > 0;

	while (send_queue(client) && !client->closing) {
		struct ws_frame *frame = ws_subs_next(client, due);

		if (!frame)
			break;
		push(client, frame);
	}
	if (client->gone)
		return;
	if (client->closing && client->out_n == 0)
		(void)shutdown(client->fd, SHUT_WR);
	if (was_blocked || client->out_n)
		watch(client);
}

void ws_client_say(struct ws_client *client, const char *json)
{
	if (!client->closing)
		push(client, ws_frame_new(WS_TEXT, json, strlen(json)));
}

void ws_client_close(struct ws_client *client, int code, const char *why)
{
	if (client->gone || client->closing)
		return;
	/* A frame that is sent in part must be finished; the others need not be sent any more. */
	while (client->out_n > (client->out_at ? 1 : 0))
		ws_frame_unref(client->out[--client->out_n]);
	push(client, ws_frame_new_close(code, why));
	client->closing = true;
	client->closing_ms = clock_boot_ms(client->shared->clock);
	ws_client_pump(client, false);
}

static void violation(struct ws_client *client, int code, const char *why)
{
	client->shared->stats.violations++;
	ws_client_close(client, code, why);
}

/* ── receiving ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void on_text(struct ws_client *client, const char *data, size_t length)
{
	struct ws_command command;
	const char *why;

	if (ws_command_parse(data, length, &command, &why) < 0) {
		violation(client, WS_CLOSE_POLICY, why);
		return;
	}
	client->shared->on_use(client->shared->use_ctx, client->owner);
	ws_subs_handle(client, &command);
	ws_command_done(&command);
}

static void take_message(struct ws_client *client, enum ws_opcode opcode, const char *data,
			 size_t length)
{
	if (client->closing) {
		if (opcode == WS_CLOSE)
			ws_client_kill(client, false);
		return;
	}
	client->heard_ms = clock_boot_ms(client->shared->clock);
	if (opcode != WS_CLOSE &&
	    !bucket_take(&client->rate, WS_MESSAGES_PER_S, WS_MESSAGES_BURST, client->heard_ms)) {
		violation(client, WS_CLOSE_POLICY, "more than 20 messages a second");
		return;
	}
	if (opcode == WS_TEXT)
		on_text(client, data, length);
	if (opcode == WS_PING)
		push(client, ws_frame_new(WS_PONG, data, length));
	if (opcode == WS_CLOSE)
		ws_client_close(client, WS_CLOSE_NORMAL, "");
}

static int on_message(void *ctx, enum ws_opcode opcode, const char *data, size_t length)
{
	struct ws_client *client = ctx;

	take_message(client, opcode, data, length);
	/* The parser of a client that is gone was emptied, and must not be filled again. */
	return client->gone ? WS_CLOSE_GOING_AWAY : 0;
}

static const char *reason_of(int code)
{
	switch (code) {
	case WS_CLOSE_TOO_BIG:
		return "at most 64 KiB a message";
	case WS_CLOSE_UNSUPPORTED:
		return "text messages alone";
	default:
		return "not as RFC 6455 says";
	}
}

static void receive(struct ws_client *client)
{
	struct ws_shared *shared = client->shared;
	ssize_t n = recv(client->fd, shared->buffer, sizeof(shared->buffer), MSG_DONTWAIT);
	int code;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		ws_client_kill(client, n < 0);
		return;
	}
	code = ws_parser_feed(&client->parser, shared->buffer, (size_t)n, on_message, client);
	if (client->gone)
		return;
	if (code != 0 && !client->closing)
		violation(client, code, reason_of(code));
	else if (code != 0)
		ws_client_kill(client, true);
	if (!client->gone)
		ws_client_pump(client, false);
}

static void poll_cb(uv_poll_t *poll, int status, int events)
{
	struct ws_client *client = poll->data;

	/* libuv tells of EPOLLERR so; the handle is stopped by then. */
	if (status < 0) {
		ws_client_kill(client, true);
		return;
	}
	if (events & UV_READABLE)
		receive(client);
	/* What was held back while the client did not read is long due. */
	if (!client->gone && events & UV_WRITABLE)
		ws_client_pump(client, true);
}

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static void set_options(int fd)
{
	int buffer = SEND_BUFFER_BYTES, one = 1;
	unsigned timeout = USER_TIMEOUT_MS;

	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof(buffer));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

struct ws_client *ws_client_new(struct ws_shared *shared, int fd, uint64_t owner, uint64_t allowed,
				const char *hello)
{
	struct ws_client *client = xnew(struct ws_client);

	set_options(fd);
	if (uv_poll_init(shared->loop, &client->poll, fd) < 0) {
		free(client);
		(void)close(fd);
		return NULL;
	}
	client->poll.data = client;
	client->shared = shared;
	client->fd = fd;
	client->owner = owner;
	client->allowed = allowed;
	client->heard_ms = clock_boot_ms(shared->clock);
	client->next = shared->clients;
	if (client->next)
		client->next->prev = client;
	shared->clients = client;
	shared->stats.clients++;
	shared->stats.opened++;
	ws_client_say(client, hello);
	watch(client);
	if (!client->gone)
		ws_client_pump(client, false);
	return client;
}

/*
 * True when the peer's window is closed: bytes wait in the kernel though all that went out is acknowledged. A peer that
 * is merely out of reach owes acknowledgements, and has longer (USER_TIMEOUT_MS).
 */
static bool is_window_closed(int fd)
{
	int queued = 0, unsent = 0;

	return ioctl(fd, SIOCOUTQ, &queued) == 0 && ioctl(fd, SIOCOUTQNSD, &unsent) == 0 &&
	       unsent > 0 && queued == unsent;
}

static bool is_stalled(struct ws_client *client, int64_t now_ms)
{
	if (!is_window_closed(client->fd))
		client->shut_ms = 0;
	else if (!client->shut_ms)
		client->shut_ms = now_ms;
	return (client->shut_ms && now_ms - client->shut_ms >= WS_STALLED_MS) ||
	       (client->out_n && now_ms - client->progress_ms >= WS_STALLED_MS);
}

void ws_client_check(struct ws_client *client, int64_t now_ms)
{
	int64_t silence_ms = now_ms - client->heard_ms;

	if (client->closing) {
		if (now_ms - client->closing_ms >= CLOSING_MS)
			ws_client_kill(client, true);
		return;
	}
	if (silence_ms >= WS_SILENT_MS || is_stalled(client, now_ms)) {
		evict(client);
		return;
	}
	if (silence_ms >= WS_PING_AFTER_MS && now_ms - client->pinged_ms >= WS_PING_AFTER_MS) {
		client->pinged_ms = now_ms;
		push(client, ws_frame_new(WS_PING, NULL, 0));
		ws_client_pump(client, false);
	}
}
