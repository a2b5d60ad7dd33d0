/* SPDX-License-Identifier: MIT */
/*
 * The life of a connection, and its turn on the loop: after every event all channels are read until there is no
 * more, and whoever has half a packet in flight goes first. Memory goes when libuv has closed the handles, so a
 * callback may free everything.
 */
#include "common/ssh_parts.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#include "common/alloc.h"
#include "common/time.h"
#include "common/work.h"

#define CONNECT_TIMEOUT_MS 10000
#define KEEPALIVE_MS 15000
#define DEAD_MS 45000
#define PULSES_A_KEEPALIVE 3
/* In one turn: libssh2 reads for as long as there is something to read, and others wait. */
#define TURN_BYTES ((size_t)1 << 20)

static void poll_cb(uv_poll_t *poll, int status, int events);

/* ── the turn ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void set_events(struct ssh *ssh, bool wants_to_send)
{
	int events = UV_READABLE | UV_DISCONNECT | (wants_to_send ? UV_WRITABLE : 0);

	/* Nobody may read now, so what comes in would only wake us again and again. */
	if (ssh->stuck)
		events = UV_WRITABLE | UV_DISCONNECT;

	if (uv_poll_start(&ssh->poll, events, poll_cb) < 0)
		ssh_lose(ssh, "cannot be listened to");
}

/* Reads the connection itself. The idle channel never says anything. */
static int run_idle(struct ssh *ssh)
{
	char byte[64];
	ssize_t r = libssh2_channel_read(ssh->idle, byte, sizeof(byte));

	if (r >= 0)
		return libssh2_channel_eof(ssh->idle) ? LIBSSH2_ERROR_SOCKET_DISCONNECT : 0;
	return (int)r;
}

/* Notes who is stuck: nobody else may go on. */
static void note(struct ssh *ssh, const void *who, int r, bool *wants_to_send)
{
	int directions;

	if (r != LIBSSH2_ERROR_EAGAIN)
		return;
	directions = libssh2_session_block_directions(ssh->session);
	/* Neither: the library waits for somebody else's packet, and does not say so. */
	if (directions != LIBSSH2_SESSION_BLOCK_INBOUND)
		*wants_to_send = true;
	if (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND)
		ssh->stuck = who;
}

/* After an error that a session does not survive. */
static void lose_by(struct ssh *ssh, int r)
{
	char error[128], *text = NULL;

	if (r == LIBSSH2_ERROR_SOCKET_DISCONNECT || r == LIBSSH2_ERROR_SOCKET_RECV ||
	    r == LIBSSH2_ERROR_SOCKET_SEND) {
		ssh_lose(ssh, "closed the connection");
		return;
	}
	(void)libssh2_session_last_error(ssh->session, &text, NULL, 0);
	(void)snprintf(error, sizeof(error), "broke the connection: %s (%d)",
		       text && *text ? text : "no reason given", r);
	ssh_lose(ssh, error);
}

/* True when WHO may run and the connection is still ours afterwards. */
static bool run_one(struct ssh *ssh, struct ssh_call *call, bool *wants_to_send)
{
	const void *who = call ? (const void *)call : ssh;
	int r;

	if (ssh->stuck && ssh->stuck != who)
		return true;
	r = call ? ssh_call_run(call) : run_idle(ssh);
	if (ssh->is_freed || !ssh->is_up)
		return false;
	if (r != LIBSSH2_ERROR_EAGAIN && ssh->stuck == who)
		ssh->stuck = NULL;
	if (r < 0 && r != LIBSSH2_ERROR_EAGAIN) {
		lose_by(ssh, r);
		return false;
	}
	note(ssh, who, r, wants_to_send);
	return true;
}

static struct ssh_call *stuck_call(struct ssh *ssh)
{
	return ssh->stuck && ssh->stuck != ssh ? (struct ssh_call *)ssh->stuck : NULL;
}

static void reap(struct ssh *ssh)
{
	for (struct ssh_call **at = &ssh->calls; *at;) {
		struct ssh_call *call = *at;

		if (call->step != SSH_STEP_GONE) {
			at = &call->next;
			continue;
		}
		*at = call->next;
		ssh_call_free(call);
	}
}

/* Everybody's turn, once. False when the connection is not ours any more. */
static bool run_all(struct ssh *ssh, bool *wants_to_send)
{
	if (ssh->stuck && !run_one(ssh, stuck_call(ssh), wants_to_send))
		return false;
	if (!run_one(ssh, NULL, wants_to_send))
		return false;
	/* Calls that a callback adds stand at the end, and have their turn too. */
	for (struct ssh_call *call = ssh->calls; call; call = call->next) {
		if (!run_one(ssh, call, wants_to_send))
			return false;
	}
	return true;
}

/* Whoever reads the socket may take in what another waits for, so it goes on until nobody read anything. */
static void run(struct ssh *ssh)
{
	bool wants_to_send;

	ssh->room = TURN_BYTES;
	do {
		ssh->has_read = false;
		wants_to_send = false;
		if (!run_all(ssh, &wants_to_send))
			return;
	} while (ssh->has_read);
	reap(ssh);
	set_events(ssh, wants_to_send);
}

static ssize_t receive_cb(libssh2_socket_t fd, void *buffer, size_t length, int flags,
			  void **abstract)
{
	struct ssh *ssh = ((struct ssh_memory *)*abstract)->owner;
	ssize_t n;

	/* What is left in the socket wakes us again. */
	if (!ssh->room)
		return -EAGAIN;
	n = recv(fd, buffer, min_of(length, ssh->room), flags);
	if (n < 0)
		return -errno;
	ssh->room -= (size_t)n;
	if (n > 0) {
		ssh->heard_ms = clock_boot_ms(&clock_system);
		ssh->has_read = true;
	}
	return n;
}

static void poll_cb(uv_poll_t *poll, int status, int events)
{
	struct ssh *ssh = poll->data;

	if (status < 0) {
		/* libuv's EBADF for whatever a socket may have: mostly a reset. */
		ssh_lose(ssh, "closed the connection");
		return;
	}
	run(ssh);
	/* Half a packet for a peer that has hung up: nothing would ever change. */
	if (!ssh->is_freed && ssh->is_up && ssh->stuck && (events & UV_DISCONNECT))
		ssh_lose(ssh, "closed the connection");
}

static void kick_cb(uv_timer_t *timer)
{
	struct ssh *ssh = timer->data;

	if (ssh->is_up)
		run(ssh);
}

void ssh_kick(struct ssh *ssh)
{
	if (!ssh->is_freed)
		(void)uv_timer_start(&ssh->kick, kick_cb, 0, 0);
}

static bool can_send(const struct ssh *ssh)
{
	struct pollfd fd = { .fd = ssh->fd, .events = POLLOUT };

	return poll(&fd, 1, 0) > 0 && (fd.revents & POLLOUT);
}

static void on_pulse(void *ctx)
{
	struct ssh *ssh = ctx;
	int64_t silent = clock_boot_ms(&clock_system) - ssh->heard_ms;
	char text[96];
	int next;

	if (silent >= ssh->dead_ms) {
		(void)snprintf(text, sizeof(text),
			       "was silent for %lld s: the connection counts as lost",
			       (long long)silent / 1000);
		ssh_lose(ssh, text);
		return;
	}
	/* The library forgets a keepalive that goes out by halves, so none is sent where that could be. */
	if (!ssh->stuck && can_send(ssh) && libssh2_keepalive_send(ssh->session, &next) < 0)
		ssh_lose(ssh, "closed the connection");
}

/* ── coming and going ──────────────────────────────────────────────────────────────────────────────────────── */

static void come_up(struct ssh *ssh, struct ssh_login *login)
{
	ssh->fd = login->fd;
	login->fd = -1;
	ssh->session = take(login->session);
	ssh->memory = take(login->memory);
	ssh->idle = take(login->idle);
	ssh_memory_receive(ssh->session, ssh->memory, ssh, receive_cb);
	ssh->heard_ms = clock_boot_ms(&clock_system);
	if (uv_poll_init(ssh->poll.loop, &ssh->poll, ssh->fd) < 0) {
		ssh_lose(ssh, "cannot be listened to");
		return;
	}
	ssh->is_polling = true;
	ssh->is_up = true;
	ssh->handles++;
	ssh->poll.data = ssh;
	libssh2_keepalive_config(ssh->session, 1, max_of(1U, ssh->keepalive_ms / 1000));
	ssh->pulse = timer_new(ssh->poll.loop, on_pulse, ssh);
	timer_every(ssh->pulse, ssh->keepalive_ms / PULSES_A_KEEPALIVE,
		    ssh->keepalive_ms / PULSES_A_KEEPALIVE);
	set_events(ssh, false);
	if (ssh->is_up && ssh->hooks.up)
		ssh->hooks.up(ssh->ctx);
}

static void login_done(void *ctx, bool cancelled)
{
	struct ssh_login *login = ctx;
	struct ssh *ssh = login->ssh;

	if (cancelled && ssh)
		(void)snprintf(login->error, sizeof(login->error), "%s: cancelled", ssh->name);
	if (ssh) {
		ssh->login = NULL;
		(void)snprintf(ssh->fingerprint, sizeof(ssh->fingerprint), "%s",
			       login->fingerprint);
		if (login->ok)
			come_up(ssh, login);
		else if (ssh->hooks.down)
			ssh->hooks.down(ssh->ctx, login->end, login->error);
	}
	ssh_login_free(login);
}

static void begin_cb(uv_timer_t *timer)
{
	struct ssh *ssh = timer->data;
	int r = work_run(timer->loop, ssh_login_run, login_done, ssh->login);

	if (r < 0) {
		ssh_login_free(take(ssh->login));
		if (ssh->hooks.down)
			ssh->hooks.down(ssh->ctx, SSH_END_UNREACHABLE, strerror(-r));
	}
}

static void init_library(void)
{
	int r = libssh2_init(0);

	assert(r == 0);
	(void)r;
}

/* The text of a key file, with the newline at its end that the parser wants. */
static char *copy_key(const struct ssh_options *options, size_t *ret)
{
	char *key = xmalloc(options->key_len + 2);

	memcpy(key, options->key, options->key_len);
	*ret = options->key_len;
	if (!*ret || key[*ret - 1] != '\n')
		key[(*ret)++] = '\n';
	key[*ret] = '\0';
	return key;
}

static struct ssh_login *login_new(struct ssh *ssh, const struct ssh_options *options)
{
	struct ssh_login *login = xnew(struct ssh_login);
	size_t length = strlen(options->host);
	bool has_brackets =
		length > 2 && options->host[0] == '[' && options->host[length - 1] == ']';

	login->ssh = ssh;
	login->fd = -1;
	login->host =
		has_brackets ? xstrndup(options->host + 1, length - 2) : xstrdup(options->host);
	login->user = xstrdup(options->user);
	login->known_hosts = xstrdup(options->known_hosts);
	login->key = copy_key(options, &login->key_len);
	login->port = options->port;
	login->timeout_ms =
		options->connect_timeout_ms ? options->connect_timeout_ms : CONNECT_TIMEOUT_MS;
	(void)snprintf(login->error, sizeof(login->error), "%s:%u was not asked", login->host,
		       login->port);
	return login;
}

struct ssh *ssh_open(const struct ssh_options *options, const struct ssh_hooks *hooks, void *ctx)
{
	static uv_once_t once = UV_ONCE_INIT;
	struct ssh *ssh = xnew(struct ssh);

	/* Not safe to call from threads, so before the first job. */
	uv_once(&once, init_library);
	ssh->hooks = *hooks;
	ssh->ctx = ctx;
	ssh->fd = -1;
	ssh->keepalive_ms = options->keepalive_ms ? options->keepalive_ms : KEEPALIVE_MS;
	ssh->dead_ms = options->dead_ms ? options->dead_ms : DEAD_MS;
	ssh->login = login_new(ssh, options);
	ssh->name = xasprintf("%s:%u", ssh->login->host, options->port);
	ssh->poll.loop = options->loop;
	(void)uv_timer_init(options->loop, &ssh->kick);
	ssh->kick.data = ssh;
	ssh->handles = 1;
	(void)uv_timer_start(&ssh->kick, begin_cb, 0, 0);
	return ssh;
}

bool ssh_is_up(const struct ssh *ssh)
{
	return ssh->is_up;
}

const char *ssh_fingerprint(const struct ssh *ssh)
{
	return ssh->fingerprint;
}

/* Stops everything that could call us back, and leaves the memory. */
static void go_down(struct ssh *ssh)
{
	ssh->is_up = false;
	timer_free(take(ssh->pulse));
	if (ssh->is_polling)
		(void)uv_poll_stop(&ssh->poll);
	for (struct ssh_call *call = ssh->calls; call; call = call->next)
		timer_free(take(call->timer));
}

void ssh_lose(struct ssh *ssh, const char *what)
{
	char error[SSH_ERROR_BYTES];

	(void)snprintf(error, sizeof(error), "%s %s", ssh->name, what);
	go_down(ssh);
	for (struct ssh_call *call = ssh->calls; call && !ssh->is_freed; call = call->next)
		ssh_call_tell(call, SSH_CUT, 0, what);
	if (!ssh->is_freed && ssh->hooks.down)
		ssh->hooks.down(ssh->ctx, SSH_END_UNREACHABLE, error);
}

static void closed_cb(uv_handle_t *handle)
{
	struct ssh *ssh = handle->data;

	if (--ssh->handles)
		return;
	ssh_session_end(ssh->session, ssh->memory, ssh->fd);
	while (ssh->calls) {
		struct ssh_call *call = ssh->calls;

		ssh->calls = call->next;
		ssh_call_free(call);
	}
	free(ssh->name);
	free(ssh);
}

/* A job that runs cannot be taken back: it is told, and frees itself. One that was not begun is freed here. */
static void leave_login(struct ssh *ssh)
{
	struct ssh_login *login = take(ssh->login);

	if (!login)
		return;
	if (uv_is_active((uv_handle_t *)&ssh->kick)) {
		ssh_login_free(login);
		return;
	}
	login->ssh = NULL;
	atomic_store(&login->cancelled, true);
}

void ssh_free(struct ssh *ssh)
{
	if (!ssh || ssh->is_freed)
		return;
	ssh->is_freed = true;
	leave_login(ssh);
	go_down(ssh);
	if (ssh->is_polling)
		uv_close((uv_handle_t *)&ssh->poll, closed_cb);
	uv_close((uv_handle_t *)&ssh->kick, closed_cb);
}
