/* SPDX-License-Identifier: MIT */
/*
 * Magic packets: onto which networks they go, and that nobody is told one left that did not.
 */
#include "services/executor/wake.h"
#include "tests/unit/check.h"
#include "tests/unit/executor_lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>

static const unsigned char packet[WAKE_PACKET_BYTES];

static struct sockaddr_in addresses[] = {
	{ .sin_family = AF_INET },
	{ .sin_family = AF_INET6 },
};

static struct sockaddr *broadcast(struct sockaddr_in *to, const char *text)
{
	*to = (struct sockaddr_in){ .sin_family = AF_INET };
	assert_int_equal(inet_pton(AF_INET, text, &to->sin_addr), 1);
	return (struct sockaddr *)to;
}

static int setup(void **state)
{
	struct lab *l = calloc(1, sizeof(*l));

	assert_non_null(l);
	lab_world_enter(l);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

/* Every network that carries a broadcast gets one, and only those. */
static void test_networks(void **state)
{
	const unsigned up = IFF_UP | IFF_BROADCAST;
	struct sockaddr *inet = (struct sockaddr *)&addresses[0];
	struct sockaddr *inet6 = (struct sockaddr *)&addresses[1];
	struct sockaddr_in a, b;
	struct lab *l = *state;

	const struct ifaddrs list[LAB_INTERFACES] = {
		{ .ifa_flags = up, .ifa_addr = NULL },
		{ .ifa_flags = up,
		  .ifa_addr = inet6,
		  .ifa_broadaddr = broadcast(&a, "10.0.0.255") },
		{ .ifa_flags = IFF_BROADCAST, .ifa_addr = inet, .ifa_broadaddr = (void *)&a },
		{ .ifa_flags = IFF_UP, .ifa_addr = inet, .ifa_broadaddr = (void *)&a },
		{ .ifa_flags = up, .ifa_addr = inet, .ifa_broadaddr = (void *)&a },
		{ .ifa_flags = up, .ifa_addr = inet, .ifa_broadaddr = broadcast(&b, "10.9.0.255") },
	};

	memcpy(l->interface, list, sizeof(list));
	l->interfaces_n = LAB_INTERFACES;
	assert_int_equal(wake_send(packet), 0);
	assert_int_equal(l->sent_n, 2);
	assert_int_equal(l->sent[0].sin_addr.s_addr, a.sin_addr.s_addr);
	assert_int_equal(l->sent[1].sin_addr.s_addr, b.sin_addr.s_addr);
	assert_int_equal(ntohs(l->sent[0].sin_port), WAKE_PORT);
	assert_int_equal(ntohs(l->sent[1].sin_port), WAKE_PORT);

	/* Without an address for it nothing can be sent there. */
	l->interface[4].ifa_broadaddr = NULL;
	l->interface[5].ifa_broadaddr = NULL;
	assert_int_equal(wake_send(packet), -ENETUNREACH);
	assert_int_equal(l->sent_n, 2);
}

static void test_nowhere(void **state)
{
	struct lab *l = *state;

	assert_int_equal(wake_send(packet), -ENETUNREACH);
	/* In a sandbox that shows no interfaces the default one has to do. */
	l->getifaddrs = EACCES;
	assert_int_equal(wake_send(packet), 0);
	assert_int_equal(l->sent_n, 1);
	assert_int_equal(l->sent[0].sin_addr.s_addr, htonl(INADDR_BROADCAST));
}

static void test_refused(void **state)
{
	struct sockaddr_in to;
	struct lab *l = *state;

	l->interface[0] = (struct ifaddrs){ .ifa_flags = IFF_UP | IFF_BROADCAST,
					    .ifa_addr = (struct sockaddr *)&addresses[0],
					    .ifa_broadaddr = broadcast(&to, "10.0.0.255") };
	l->interfaces_n = 1;
	l->socket = EMFILE;
	assert_int_equal(wake_send(packet), -EMFILE);
	l->socket = 0;
	l->setsockopt = EACCES;
	assert_int_equal(wake_send(packet), -EACCES);
	l->setsockopt = 0;
	l->sendto = EPERM;
	assert_int_equal(wake_send(packet), -EPERM);
	/* A part of a packet wakes nobody. */
	l->sendto = -1;
	assert_int_equal(wake_send(packet), -EIO);
	l->sendto = 0;
	assert_int_equal(wake_send(packet), 0);
	assert_int_equal(wake_send_to(packet, "no address", WAKE_PORT), -EINVAL);
}

/* One network that carries it is enough. */
static void test_one_of_two(void **state)
{
	struct sockaddr_in to;
	struct lab *l = *state;

	for (size_t i = 0; i < 2; i++)
		l->interface[i] = (struct ifaddrs){ .ifa_flags = IFF_UP | IFF_BROADCAST,
						    .ifa_addr = (struct sockaddr *)&addresses[0],
						    .ifa_broadaddr = broadcast(&to, "10.0.0.255") };
	l->interfaces_n = 2;
	l->fails_once = true;
	assert_int_equal(wake_send(packet), 0);
	assert_int_equal(l->sent_n, 1);
}

static void test_addresses(void **state)
{
	static const char *const bad[] = { "",
					   "bc",
					   "bc:24:11:00:00",
					   "bc:24:11:00:00:5",
					   "bc:24:11:00:00:5g",
					   "gc:24:11:00:00:50",
					   "bc.24.11.00.00.50",
					   "bc:24:11:00:00:50:",
					   "bc:24:11:00:00:500" };
	unsigned char made[WAKE_PACKET_BYTES];

	(void)state;
	for (size_t i = 0; i < countof(bad); i++)
		assert_int_equal(wake_build(bad[i], made), -EINVAL);
	assert_int_equal(wake_build("BC-24-11-00-00-50", made), 0);
	assert_int_equal(made[5], 0xff);
	assert_int_equal(made[6], 0xbc);
	assert_int_equal(made[WAKE_PACKET_BYTES - 1], 0x50);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_networks, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nowhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_of_two, setup, teardown),
		cmocka_unit_test(test_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
