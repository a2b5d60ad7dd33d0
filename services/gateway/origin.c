/* SPDX-License-Identifier: MIT */
/*
 * Origins and addresses. Everything unexpected is a "no".
 */
#include "services/gateway/origin.h"

#include <arpa/inet.h>
#include <string.h>

#include "common/str.h"

/* The host without its port, in NAME: 0 or -1. */
static int split_host(const char *host, char *name, size_t size)
{
	size_t length;

	if (host[0] == '[') {
		const char *end = strchr(host, ']');

		if (!end || (end[1] != '\0' && end[1] != ':'))
			return -1;
		host++;
		length = (size_t)(end - host);
	} else {
		length = strcspn(host, ":");
	}
	if (length == 0 || length >= size)
		return -1;
	memcpy(name, host, length);
	name[length] = '\0';
	return 0;
}

bool host_is_loopback(const char *host)
{
	char name[64];
	struct in_addr v4;
	struct in6_addr v6;

	if (split_host(host, name, sizeof(name)) < 0)
		return false;
	if (str_eq(name, "localhost"))
		return true;
	if (inet_pton(AF_INET, name, &v4) == 1)
		return (ntohl(v4.s_addr) >> 24) == 127;
	return inet_pton(AF_INET6, name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

bool origin_is_allowed(const char *origin, const char *host, const char *const *list, size_t list_n)
{
	const char *rest;

	for (size_t i = 0; i < list_n; i++) {
		if (str_eq(list[i], origin))
			return true;
	}
	if (str_starts(origin, "http://"))
		rest = origin + strlen("http://");
	else if (str_starts(origin, "https://"))
		rest = origin + strlen("https://");
	else
		return false;
	return host && host_is_loopback(host) && str_eq(rest, host);
}

/* An address as 16 bytes, IPv4 mapped: 0 or -1. */
static int parse_address(const char *text, unsigned char ret[16])
{
	static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned char v4[4];

	if (inet_pton(AF_INET, text, v4) == 1) {
		memcpy(ret, mapped, sizeof(mapped));
		memcpy(ret + sizeof(mapped), v4, sizeof(v4));
		return 0;
	}
	return inet_pton(AF_INET6, text, ret) == 1 ? 0 : -1;
}

static bool in_network(const unsigned char address[16], const char *network)
{
	char text[64];
	unsigned char base[16];
	const char *slash = strchr(network, '/');
	size_t length = slash ? (size_t)(slash - network) : strlen(network);
	int64_t bits = 128;

	if (length >= sizeof(text))
		return false;
	memcpy(text, network, length);
	text[length] = '\0';
	if (parse_address(text, base) < 0)
		return false;
	if (slash) {
		bool v4 = !strchr(text, ':');

		if (str_to_i64(slash + 1, 0, v4 ? 32 : 128, &bits) < 0)
			return false;
		bits += v4 ? 96 : 0;
	}
	for (int i = 0; i < bits; i++) {
		if ((address[i / 8] ^ base[i / 8]) & (0x80 >> (i % 8)))
			return false;
	}
	return true;
}

bool address_in(const char *address, const char *const *networks, size_t networks_n)
{
	unsigned char bytes[16];

	if (parse_address(address, bytes) < 0)
		return false;
	for (size_t i = 0; i < networks_n; i++) {
		if (in_network(bytes, networks[i]))
			return true;
	}
	return false;
}

/* The part of a list that ends before END, without blanks, in RET; false when it is no address. */
static bool last_address(const char *list, const char *end, const char **start, char ret[64])
{
	unsigned char bytes[16];
	const char *from = end;
	size_t length;

	while (from > list && from[-1] != ',')
		from--;
	*start = from;
	while (from < end && *from == ' ')
		from++;
	while (end > from && end[-1] == ' ')
		end--;
	length = (size_t)(end - from);
	if (length == 0 || length >= 64)
		return false;
	memcpy(ret, from, length);
	ret[length] = '\0';
	return parse_address(ret, bytes) == 0;
}

void client_address(const char *peer, const char *forwarded, const char *const *proxies,
		    size_t proxies_n, char ret[64])
{
	const char *end = forwarded ? forwarded + strlen(forwarded) : NULL;
	char candidate[64];

	memcpy(ret, peer, min_of(strlen(peer) + 1, (size_t)64));
	ret[63] = '\0';
	while (end && address_in(ret, proxies, proxies_n)) {
		const char *start;

		if (!last_address(forwarded, end, &start, candidate))
			return;
		memcpy(ret, candidate, sizeof(candidate));
		end = start > forwarded ? start - 1 : NULL;
	}
}
