/* SPDX-License-Identifier: MIT */
/*
 * Connect, host key, login: on a thread of the pool, against one deadline for all of it. The session never blocks
 * by itself; the job waits in poll(), in slices, so that it notices when nobody wants it any more.
 */
#include "common/ssh_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/time.h"

#define SLICE_MS 100
#define USER_TIMEOUT_MS 45000
#define IDLE_WINDOW_BYTES 32768
#define END_TRIES 16
/* Far more than an sshd says until the login is over. */
#define HEARD_MAX_BYTES ((size_t)64 << 10)

_printf_(3, 4) static int refuse(struct ssh_login *login, enum ssh_end end, const char *format, ...)
{
	va_list args;
	int n = snprintf(login->error, sizeof(login->error), "%s:%u ", login->host, login->port);

	login->end = end;
	if (n > 0 && (size_t)n < sizeof(login->error)) {
		va_start(args, format);
		(void)vsnprintf(login->error + n, sizeof(login->error) - (size_t)n, format, args);
		va_end(args);
	}
	return -EIO;
}

/* Until EVENTS (poll's) may be there: 0, or -ETIMEDOUT, -ECANCELED. */
static int wait_for(struct ssh_login *login, short events)
{
	for (;;) {
		int64_t left = login->until_ms - clock_boot_ms(&clock_system);
		struct pollfd fd = { .fd = login->fd, .events = events };

		if (atomic_load(&login->cancelled))
			return -ECANCELED;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&fd, 1, (int)min_of(left, (int64_t)SLICE_MS)) > 0)
			return 0;
	}
}

/* After a step of libssh2 said EAGAIN. */
static int wait_session(struct ssh_login *login)
{
	int directions = libssh2_session_block_directions(login->session);
	short events = 0;

	if (!directions || (directions & LIBSSH2_SESSION_BLOCK_INBOUND))
		events |= POLLIN;
	if (!directions || (directions & LIBSSH2_SESSION_BLOCK_OUTBOUND))
		events |= POLLOUT;
	return wait_for(login, events);
}

static int late(struct ssh_login *login, const char *what)
{
	return refuse(login, SSH_END_UNREACHABLE,
		      "did not %s within %u ms: is the node up, and no firewall between?", what,
		      login->timeout_ms);
}

/* What the session last complained about. */
static const char *complaint(struct ssh_login *login)
{
	char *text = NULL;

	(void)libssh2_session_last_error(login->session, &text, NULL, 0);
	return text && *text ? text : "no reason given";
}

static int connect_one(struct ssh_login *login, const struct addrinfo *address)
{
	socklen_t size = sizeof(int);
	int r, error = 0;

	login->fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (login->fd < 0)
		return -errno;
	if (connect(login->fd, address->ai_addr, address->ai_addrlen) < 0)
		error = errno;
	if (error == EINPROGRESS) {
		r = wait_for(login, POLLOUT);
		if (r < 0)
			return r;
		if (getsockopt(login->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
			error = errno;
	}
	return -error;
}

static void tune_socket(int fd)
{
	int on = 1;
	unsigned timeout = USER_TIMEOUT_MS;

	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof(timeout));
}

static int connect_any(struct ssh_login *login)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
	struct addrinfo *list = NULL;
	char port[8];
	int r;

	(void)snprintf(port, sizeof(port), "%u", login->port);
	r = getaddrinfo(login->host, port, &hints, &list);
	if (r)
		return refuse(login, SSH_END_UNREACHABLE, "is no host: %s; check its address",
			      gai_strerror(r));
	r = -EADDRNOTAVAIL;
	for (struct addrinfo *a = list; a; a = a->ai_next) {
		r = connect_one(login, a);
		if (!r || r == -ETIMEDOUT || r == -ECANCELED)
			break;
		if (login->fd >= 0)
			(void)close(login->fd);
		login->fd = -1;
	}
	freeaddrinfo(list);
	if (r == -ETIMEDOUT || r == -ECANCELED)
		return late(login, "answer");
	if (r < 0)
		return refuse(login, SSH_END_UNREACHABLE,
			      "cannot be reached: %s; is sshd running there?", strerror(-r));
	tune_socket(login->fd);
	return 0;
}

/* libssh2 skips what is said before the handshake, for as long as it comes, and asks nobody. */
static ssize_t receive_cb(libssh2_socket_t fd, void *buffer, size_t length, int flags,
			  void **abstract)
{
	struct ssh_login *login = ((struct ssh_memory *)*abstract)->owner;
	ssize_t n;

	if (login->heard_bytes >= HEARD_MAX_BYTES)
		return -EPROTO;
	n = recv(fd, buffer, length, flags);
	if (n < 0)
		return -errno;
	login->heard_bytes += (size_t)n;
	return n;
}

static int shake_hands(struct ssh_login *login)
{
	int r;

	login->memory = xnew(struct ssh_memory);
	login->session = ssh_memory_session(login->memory);
	if (!login->session)
		return refuse(login, SSH_END_UNREACHABLE, "no memory for a session");
	libssh2_session_set_blocking(login->session, 0);
	ssh_memory_receive(login->session, login->memory, login, receive_cb);
	/* The one kind that every sshd of today has: then known_hosts needs one line a host. */
	(void)libssh2_session_method_pref(login->session, LIBSSH2_METHOD_HOSTKEY, "ssh-ed25519");
	while ((r = libssh2_session_handshake(login->session, login->fd)) == LIBSSH2_ERROR_EAGAIN) {
		if (wait_session(login) < 0)
			return late(login, "finish the SSH handshake");
	}
	if (r < 0)
		return refuse(
			login, SSH_END_UNREACHABLE,
			"broke off the SSH handshake: %s; does sshd have an ed25519 host key?",
			complaint(login));
	return 0;
}

static void take_fingerprint(struct ssh_login *login)
{
	const char *hash = libssh2_hostkey_hash(login->session, LIBSSH2_HOSTKEY_HASH_SHA256);
	char text[sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)] = "";

	if (hash)
		(void)sodium_bin2base64(text, sizeof(text), (const unsigned char *)hash, 32,
					sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	(void)snprintf(login->fingerprint, sizeof(login->fingerprint), "SHA256:%s", text);
}

/* One of LIBSSH2_KNOWNHOST_CHECK_…, or -errno when the file cannot be read. */
static int look_up_key(struct ssh_login *login)
{
	LIBSSH2_KNOWNHOSTS *hosts = libssh2_knownhost_init(login->session);
	int r = LIBSSH2_KNOWNHOST_CHECK_FAILURE, type;
	size_t length;
	const char *key = libssh2_session_hostkey(login->session, &length, &type);

	if (!hosts)
		return r;
	if (access(login->known_hosts, R_OK) < 0)
		r = -errno;
	else if (libssh2_knownhost_readfile(hosts, login->known_hosts,
					    LIBSSH2_KNOWNHOST_FILE_OPENSSH) < 0)
		r = -EINVAL;
	else if (key)
		r = libssh2_knownhost_checkp(
			hosts, login->host, (int)login->port, key, length,
			LIBSSH2_KNOWNHOST_TYPE_PLAIN | LIBSSH2_KNOWNHOST_KEYENC_RAW, NULL);
	libssh2_knownhost_free(hosts);
	return r;
}

static int check_host(struct ssh_login *login)
{
	int r;

	take_fingerprint(login);
	r = look_up_key(login);
	if (r == LIBSSH2_KNOWNHOST_CHECK_MATCH)
		return 0;
	if (r < 0)
		return refuse(login, SSH_END_REFUSED, "was not trusted: cannot read %s: %s",
			      login->known_hosts, strerror(-r));
	if (r == LIBSSH2_KNOWNHOST_CHECK_MISMATCH)
		return refuse(
			login, SSH_END_NOT_TRUSTED,
			"shows the host key %s, %s has another: if it was not installed anew, "
			"somebody is in between",
			login->fingerprint, login->known_hosts);
	return refuse(login, SSH_END_NOT_TRUSTED,
		      "shows the host key %s, unknown to %s; compare (on the node: ssh-keygen -lf "
		      "/etc/ssh/ssh_host_ed25519_key.pub) and add it",
		      login->fingerprint, login->known_hosts);
}

/* After an error: libssh2's codes do not tell a refusal from a peer that is gone. */
static bool is_gone(const struct ssh_login *login)
{
	char byte;
	ssize_t n = recv(login->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
}

static int gone(struct ssh_login *login, const char *what)
{
	return refuse(login, SSH_END_UNREACHABLE,
		      "closed the connection during %s: see the journal of its sshd", what);
}

static int log_in(struct ssh_login *login)
{
	int r;

	while ((r = libssh2_userauth_publickey_frommemory(
			login->session, login->user, strlen(login->user), NULL, 0, login->key,
			login->key_len, NULL)) == LIBSSH2_ERROR_EAGAIN) {
		if (wait_session(login) < 0)
			return late(login, "finish the login");
	}
	if (r == LIBSSH2_ERROR_FILE)
		return refuse(login, SSH_END_REFUSED,
			      "our private key is not understood: it must be ed25519 without a "
			      "passphrase (ssh-keygen -t ed25519 -N '')");
	if (r < 0 && r != LIBSSH2_ERROR_AUTHENTICATION_FAILED && is_gone(login))
		return gone(login, "the login");
	if (r < 0)
		return refuse(login, SSH_END_REFUSED,
			      "refuses the key of user %s: %s; is its public half in that user's "
			      "authorized_keys?",
			      login->user, complaint(login));
	return 0;
}

static int open_idle(struct ssh_login *login)
{
	for (;;) {
		login->idle =
			libssh2_channel_open_ex(login->session, "session", 7, IDLE_WINDOW_BYTES,
						LIBSSH2_CHANNEL_PACKET_DEFAULT, NULL, 0);
		if (login->idle)
			return 0;
		if (libssh2_session_last_errno(login->session) != LIBSSH2_ERROR_EAGAIN)
			break;
		if (wait_session(login) < 0)
			return late(login, "open a session");
	}
	if (is_gone(login))
		return gone(login, "the login");
	return refuse(login, SSH_END_REFUSED, "opens no session: %s", complaint(login));
}

void ssh_login_run(void *ctx)
{
	struct ssh_login *login = ctx;

	static int (*const steps[])(struct ssh_login *) = { connect_any, shake_hands, check_host,
							    log_in, open_idle };

	/* From here on, not from when it was queued: the wait for a thread is not the host's. */
	login->until_ms = clock_boot_ms(&clock_system) + login->timeout_ms;
	for (size_t i = 0; i < countof(steps); i++) {
		if (atomic_load(&login->cancelled))
			return;
		if (steps[i](login) < 0) {
			if (login->heard_bytes >= HEARD_MAX_BYTES)
				(void)refuse(login, SSH_END_UNREACHABLE,
					     "says too much before the login: is an sshd there?");
			return;
		}
	}
	login->ok = true;
}

/* Nothing that still comes is of interest. */
static ssize_t ended_cb(libssh2_socket_t fd, void *buffer, size_t length, int flags,
			void **abstract)
{
	(void)fd;
	(void)buffer;
	(void)length;
	(void)flags;
	(void)abstract;
	return -ECONNRESET;
}

void ssh_session_end(LIBSSH2_SESSION *session, struct ssh_memory *memory, int fd)
{
	if (session) {
		libssh2_session_set_blocking(session, 0);
		ssh_memory_receive(session, memory, NULL, ended_cb);
		/* Not in the middle of a key exchange: libssh2 1.10 encrypts with a cipher that it may not have. */
		if (libssh2_userauth_authenticated(session))
			(void)libssh2_session_disconnect(session, "bye");
		/* What is still to be sent now fails at once, instead of waiting for the peer. */
		(void)shutdown(fd, SHUT_RDWR);
		for (int i = 0; i < END_TRIES; i++) {
			if (libssh2_session_free(session) != LIBSSH2_ERROR_EAGAIN)
				break;
		}
	}
	if (memory)
		(void)ssh_memory_done(memory);
	free(memory);
	if (fd >= 0)
		(void)close(fd);
}

void ssh_login_free(struct ssh_login *login)
{
	ssh_session_end(login->session, login->memory, login->fd);
	explicit_bzero(login->key, login->key_len);
	free(login->key);
	free(login->host);
	free(login->user);
	free(login->known_hosts);
	free(login);
}
