/* SPDX-License-Identifier: MIT */
/*
 * Six bytes of ones, then sixteen times the address.
 */
#include "services/executor/wake.h"

#include "common/str.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAC_BYTES 6
#define MAC_TIMES 16

int wake_build(const char *mac, unsigned char packet[WAKE_PACKET_BYTES])
{
	unsigned char bytes[MAC_BYTES];

	for (size_t i = 0; i < MAC_BYTES; i++, mac += 3) {
		if (hex_digit(mac[0]) < 0 || hex_digit(mac[1]) < 0 ||
		    (i + 1 < MAC_BYTES ? !strchr(":-", mac[2]) || !mac[2] : mac[2] != '\0'))
			return -EINVAL;
		bytes[i] = (unsigned char)(hex_digit(mac[0]) << 4 | hex_digit(mac[1]));
	}
	memset(packet, 0xff, MAC_BYTES);
	for (size_t i = 1; i <= MAC_TIMES; i++)
		memcpy(packet + i * MAC_BYTES, bytes, MAC_BYTES);
	return 0;
}

static int send_packet(const unsigned char *packet, struct sockaddr_in to)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int on = 1, r = 0;

	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0 ||
	    sendto(fd, packet, WAKE_PACKET_BYTES, MSG_NOSIGNAL, (struct sockaddr *)&to,
		   sizeof(to)) != WAKE_PACKET_BYTES)
		r = errno ? -errno : -EIO;
	(void)close(fd);
	return r;
}

int wake_send_to(const unsigned char packet[WAKE_PACKET_BYTES], const char *address, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		return -EINVAL;
	return send_packet(packet, to);
}

static bool is_broadcaster(const struct ifaddrs *interface)
{
	return interface->ifa_addr && interface->ifa_addr->sa_family == AF_INET &&
	       (interface->ifa_flags & IFF_UP) && (interface->ifa_flags & IFF_BROADCAST) &&
	       interface->ifa_broadaddr;
}

int wake_send(const unsigned char packet[WAKE_PACKET_BYTES])
{
	struct ifaddrs *list;
	int r = -ENETUNREACH;

	/* A sandbox may not let us see the interfaces; the one with the default route will do. */
	if (getifaddrs(&list) < 0)
		return wake_send_to(packet, "255.255.255.255", WAKE_PORT);
	for (const struct ifaddrs *at = list; at; at = at->ifa_next) {
		struct sockaddr_in to;
		int sent;

		if (!is_broadcaster(at))
			continue;
		memcpy(&to, at->ifa_broadaddr, sizeof(to));
		to.sin_port = htons(WAKE_PORT);
		sent = send_packet(packet, to);
		if (r < 0)
			r = sent;
	}
	freeifaddrs(list);
	return r;
}
