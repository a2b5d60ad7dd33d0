/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl probe: is the service of this container well? Made for healthchecks: no login, nothing in anybody's
 * log, a few milliseconds. A service without a port is well while it holds its connection to the broker, for the
 * broker cuts those that hang.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/str.h"
#include "jarvisctl/jarvisctl.h"

#define TIMEOUT_S 3
#define LINE_MAX_BYTES 512

/* As the kernel counts them in /proc/net/tcp. */
enum tcp_state { TCP_IS_ESTABLISHED = 0x01, TCP_IS_LISTENING = 0x0a };

/* Does the line of /proc/net/tcp tell of a socket in STATE, with PORT at the end that matters in it? */
static bool line_matches(const char *line, unsigned port, unsigned state)
{
	unsigned local, remote, found;

	if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%x %x", &local, &remote, &found) !=
	    3)
		return false;
	return found == state && (state == TCP_IS_LISTENING ? local : remote) == port;
}

static bool table_has(const char *path, unsigned port, unsigned state)
{
	FILE *file = fopen(path, "re");
	char line[LINE_MAX_BYTES];
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		found = line_matches(line, port, state);
	(void)fclose(file);
	return found;
}

static bool sockets_have(unsigned port, unsigned state)
{
	return table_has("/proc/net/tcp", port, state) || table_has("/proc/net/tcp6", port, state);
}

static int open_connection(unsigned port)
{
	const struct sockaddr_in address = { .sin_family = AF_INET,
					     .sin_port = htons((uint16_t)port),
					     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct timeval limit = { .tv_sec = TIMEOUT_S };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0 ||
	    connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int r = -errno;

		(void)close(fd);
		return r;
	}
	return fd;
}

/* The status of GET PATH on FD, or -errno. */
static int exchange(int fd, const char *path)
{
	_cleanup_(freep) char *request =
		xasprintf("GET %s HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n", path);
	size_t length = strlen(request);
	char answer[sizeof("HTTP/1.1 200")];
	unsigned status;
	ssize_t n = send(fd, request, length, MSG_NOSIGNAL);

	if (n != (ssize_t)length)
		return n < 0 ? -errno : -EIO;
	n = recv(fd, answer, sizeof(answer) - 1, MSG_WAITALL);
	if (n != (ssize_t)sizeof(answer) - 1)
		return n < 0 ? -errno : -EPROTO;
	answer[n] = '\0';
	return sscanf(answer, "HTTP/1.%*1u %3u", &status) == 1 ? (int)status : -EPROTO;
}

static int probe_http(unsigned port, const char *path)
{
	int status, fd = open_connection(port);

	if (fd < 0) {
		fprintf(stderr, "jarvisctl: 127.0.0.1:%u: %s\n", port, strerror(-fd));
		return EXIT_FAILED;
	}
	status = exchange(fd, path);
	(void)close(fd);
	if (status == 200)
		return EXIT_OK;
	if (status < 0)
		fprintf(stderr, "jarvisctl: 127.0.0.1:%u%s: %s\n", port, path, strerror(-status));
	else
		fprintf(stderr, "jarvisctl: 127.0.0.1:%u%s answers %d\n", port, path, status);
	return EXIT_FAILED;
}

static int probe_sockets(unsigned port, unsigned state)
{
	if (sockets_have(port, state))
		return EXIT_OK;
	fprintf(stderr, "jarvisctl: nothing %s port %u\n",
		state == TCP_IS_LISTENING ? "listens on" : "is connected to", port);
	return EXIT_FAILED;
}

/* 1 to 65535, or 0 when TEXT is no port. */
static unsigned parse_port(const char *text)
{
	unsigned long port;
	char *end;

	if (strspn(text, "0123456789") != strlen(text) || strlen(text) > 5)
		return 0;
	port = strtoul(text, &end, 10);
	return port <= UINT16_MAX ? (unsigned)port : 0;
}

int command_probe(int argc, char **argv)
{
	unsigned port = argc > 2 ? parse_port(argv[2]) : 0;

	if (port && argc == 4 && str_eq(argv[1], "http") && argv[3][0] == '/')
		return probe_http(port, argv[3]);
	if (port && argc == 3 && str_eq(argv[1], "listening"))
		return probe_sockets(port, TCP_IS_LISTENING);
	if (port && argc == 3 && str_eq(argv[1], "connected"))
		return probe_sockets(port, TCP_IS_ESTABLISHED);
	return EXIT_USAGE;
}
