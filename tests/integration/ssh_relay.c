/* SPDX-License-Identifier: MIT */
/*
 * The relay: a process between a client and sshd that passes bytes on in both directions, each with a buffer of its
 * own, so that neither waits for the other. Nothing but system calls happens in it: it is forked from a program with
 * threads.
 */
#include "tests/integration/ssh_world.h"

#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLOW_BUFFER_BYTES 4096
#define FDS_MAX 1024
/* A slow cable passes on so much, then rests. */
#define SLOW_BURST_BYTES 16384

struct flow {
	int from, to;
	char data[4096];
	size_t at, n; /* what was read and not yet passed on */
};

struct pass {
	enum relay_mode mode;
	size_t bytes;
	size_t answered; /* bytes of sshd's that were passed on */
	size_t burst;
	uint32_t dice;
	struct flow flows[2]; /* to sshd, and back */
};

static size_t next_chunk(struct pass *pass, const struct flow *flow)
{
	size_t chunk = sizeof(flow->data);

	if (pass->mode == RELAY_SLOW) {
		pass->dice = pass->dice * 1664525 + 1013904223;
		return 1 + (pass->dice >> 8) % min_of(pass->bytes, chunk);
	}
	return flow == &pass->flows[1] ? min_of(chunk, pass->bytes - pass->answered) : chunk;
}

/* False when the connection is over. */
static bool move(struct pass *pass, struct flow *flow, bool can_read, bool can_write)
{
	ssize_t n;

	if (!flow->n && can_read) {
		n = recv(flow->from, flow->data, next_chunk(pass, flow), MSG_DONTWAIT);
		if (n <= 0)
			return false;
		flow->at = 0;
		flow->n = (size_t)n;
	} else if (flow->n && can_write) {
		n = send(flow->to, flow->data + flow->at, flow->n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0)
			return false;
		flow->at += (size_t)n;
		flow->n -= (size_t)n;
		pass->burst += (size_t)n;
		if (flow == &pass->flows[1])
			pass->answered += (size_t)n;
	}
	return true;
}

static bool turn(struct pass *pass)
{
	struct flow *there = &pass->flows[0], *back = &pass->flows[1];
	bool is_over = pass->mode != RELAY_SLOW && pass->answered >= pass->bytes;
	struct pollfd fds[2] = { { .fd = there->from }, { .fd = back->from } };

	if (is_over && pass->mode == RELAY_CUT)
		return false;
	if (pass->mode == RELAY_SLOW && pass->burst >= SLOW_BURST_BYTES) {
		pass->burst = 0;
		(void)poll(NULL, 0, 1);
	}
	fds[0].events = (short)((there->n ? 0 : POLLIN) | (back->n ? POLLOUT : 0));
	fds[1].events = (short)((back->n || is_over ? 0 : POLLIN) | (there->n ? POLLOUT : 0));
	/* One that hangs does not look at sshd's end, which may have hung up. */
	fds[1].fd = fds[1].events ? fds[1].fd : -1;
	if (poll(fds, 2, -1) < 0)
		return false;
	return move(pass, there, fds[0].revents & ~POLLOUT, fds[1].revents & POLLOUT) &&
	       (is_over || move(pass, back, fds[1].revents & ~POLLOUT, fds[0].revents & POLLOUT));
}

static void serve(int listener, unsigned port, enum relay_mode mode, size_t bytes)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct pass pass = { .mode = mode, .bytes = bytes };
	int client = accept(listener, NULL, NULL);
	int sshd = socket(AF_INET, SOCK_STREAM, 0);

	while (mode == RELAY_TALK && send(client, "nonsense\r\n", 10, MSG_NOSIGNAL) > 0)
		;
	if (client < 0 || mode == RELAY_TALK ||
	    connect(sshd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return;
	pass.flows[0].from = pass.flows[1].to = client;
	pass.flows[0].to = pass.flows[1].from = sshd;
	while (turn(&pass))
		;
}

void relay_init(struct relay *relay, struct world *w)
{
	*relay = (struct relay){ .pid = -1 };
	relay->listener = world_listen(&relay->port);
	relay->known_hosts = xasprintf("%s/known_relay", w->dir);
	world_write(relay->known_hosts, "[127.0.0.1]:%u %s", relay->port, w->host_key);
}

void relay_done(struct relay *relay)
{
	relay_stop(relay);
	(void)close(relay->listener);
	free(relay->known_hosts);
}

void relay_start(struct relay *relay, struct world *w, enum relay_mode mode, size_t bytes)
{
	int size = SLOW_BUFFER_BYTES;

	/* Connections have it from the listener. */
	if (mode == RELAY_SLOW)
		(void)setsockopt(relay->listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	relay_stop(relay);
	relay->pid = fork();
	assert_true(relay->pid >= 0);
	if (relay->pid)
		return;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	serve(relay->listener, w->port, mode, bytes);
	_exit(0);
}

void relay_squeeze(const struct relay *relay)
{
	struct sockaddr_in address;
	int size = SLOW_BUFFER_BYTES;

	for (int fd = 0; fd < FDS_MAX; fd++) {
		socklen_t length = sizeof(address);

		if (getpeername(fd, (struct sockaddr *)&address, &length) == 0 &&
		    address.sin_family == AF_INET && ntohs(address.sin_port) == relay->port)
			assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)),
					 0);
	}
}

void relay_stop(struct relay *relay)
{
	if (relay->pid <= 0)
		return;
	(void)kill(relay->pid, SIGKILL);
	(void)waitpid(relay->pid, NULL, 0);
	relay->pid = -1;
}
