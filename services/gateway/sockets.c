/* SPDX-License-Identifier: MIT */
/*
 * Sockets by their ends, through /proc/self/fd.
 */
#include "services/gateway/sockets.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/str.h"

static void map_v4(const void *v4, unsigned char ret[16])
{
	memset(ret, 0, 10);
	memset(ret + 10, 0xff, 2);
	memcpy(ret + 12, v4, 4);
}

int socket_end_parse(const char *address, int port, struct socket_end *ret)
{
	unsigned char v4[4];
	char text[INET6_ADDRSTRLEN];
	/* A link-local address comes with its interface: fe80::1%eth0. */
	size_t length = strcspn(address, "%");

	if (length >= sizeof(text))
		return -EINVAL;
	memcpy(text, address, length);
	text[length] = '\0';
	ret->port = (uint16_t)port;
	if (inet_pton(AF_INET, text, v4) == 1) {
		map_v4(v4, ret->address);
		return 0;
	}
	return inet_pton(AF_INET6, text, ret->address) == 1 ? 0 : -EINVAL;
}

static int end_of(const struct sockaddr_storage *address, struct socket_end *ret)
{
	if (address->ss_family == AF_INET) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)address;

		map_v4(&v4->sin_addr, ret->address);
		ret->port = ntohs(v4->sin_port);
		return 0;
	}
	if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)address;

		memcpy(ret->address, &v6->sin6_addr, 16);
		ret->port = ntohs(v6->sin6_port);
		return 0;
	}
	return -EAFNOSUPPORT;
}

static bool has_port(int fd, uint16_t port)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	struct socket_end end;

	return getsockname(fd, (struct sockaddr *)&address, &size) == 0 &&
	       end_of(&address, &end) == 0 && end.port == port;
}

static bool is_connection(int fd, const struct socket_end *peer, uint16_t local_port)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	struct socket_end end;

	return getpeername(fd, (struct sockaddr *)&address, &size) == 0 &&
	       end_of(&address, &end) == 0 && end.port == peer->port &&
	       memcmp(end.address, peer->address, 16) == 0 && has_port(fd, local_port);
}

/* The number in the name of an entry of /proc/self/fd; -1 for the others. */
static int entry_fd(const struct dirent *entry)
{
	int64_t fd;

	return str_to_i64(entry->d_name, 0, INT32_MAX, &fd) == 0 ? (int)fd : -1;
}

int socket_find(const struct socket_end *peer, uint16_t local_port, int *ret, int *original)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int found = -1, copy = -1;

	if (!dir)
		return -errno;
	while (copy < 0 && (entry = readdir(dir))) {
		found = entry_fd(entry);
		if (found < 0 || !is_connection(found, peer, local_port))
			continue;
		copy = fcntl(found, F_DUPFD_CLOEXEC, 3);
		/* The descriptor may have become another socket's in between. */
		if (copy >= 0 && !is_connection(copy, peer, local_port)) {
			(void)close(copy);
			copy = -1;
		}
	}
	(void)closedir(dir);
	if (copy < 0)
		return -ENOENT;
	*ret = copy;
	if (original)
		*original = found;
	return 0;
}

int socket_find_listener(uint16_t local_port)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	int found = -ENOENT;

	if (!dir)
		return -errno;
	while (found < 0 && (entry = readdir(dir))) {
		int fd = entry_fd(entry);
		int listens = 0;
		socklen_t size = sizeof(listens);

		if (fd >= 0 && getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 &&
		    listens && has_port(fd, local_port))
			found = fd;
	}
	(void)closedir(dir);
	return found;
}

int socket_new_ended(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	(void)close(pair[1]);
	return pair[0];
}

int socket_raise_limit(size_t wanted)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	if (limit.rlim_cur >= wanted)
		return 0;
	limit.rlim_cur = min_of((rlim_t)wanted, limit.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	return limit.rlim_cur >= wanted ? 0 : -EMFILE;
}
