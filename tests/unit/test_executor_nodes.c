/* SPDX-License-Identifier: MIT */
/*
 * Nodes that are restarted and woken: no task tells of them, and who wakes the first one has nobody to ask.
 */
#include "tests/unit/check.h"
#include "tests/unit/executor_plays.h"
#include "tests/unit/faulty_vfs.h"

#include <errno.h>
#include <net/if.h>

#define MEMBERS(b)                                                                                 \
	"{\"data\":[{\"type\":\"cluster\",\"quorate\":1},{\"type\":\"node\",\"name\":\"pve\","     \
	"\"online\":1},{\"type\":\"node\",\"name\":\"b\",\"online\":" b "}]}"

static const struct lab_order wake = { "node_wake", "yellow",
				       "{\"cluster\":\"home\",\"node\":\"b\"}", "home/node/b",
				       "{\"object\":\"home/node/b\",\"node\":\"b\","
				       "\"status\":\"offline\"}" };
static const struct lab_order wake_c = { "node_wake", "yellow",
					 "{\"cluster\":\"home\",\"node\":\"c\"}", "home/node/c",
					 "{\"object\":\"home/node/c\",\"node\":\"c\","
					 "\"status\":\"offline\"}" };

static void send_reboot(struct lab *l)
{
	lab_order(l, &play_reboot_pve);
	lab_answer(l, "GET /nodes/pve/status", "{\"data\":{\"uptime\":5000}}");
	/* About a node another one is asked. */
	assert_string_equal(lab_host(l, "GET /cluster/status"), "10.0.0.2");
	lab_answer(l, "GET /cluster/status", MEMBERS("1"));
	assert_string_equal(lab_host(l, "POST /nodes/pve/status"), "10.0.0.1");
}

/* No task tells whether the request arrived: only the node itself does. */
static void test_reboot_that_may_not_have_arrived(void **state)
{
	struct lab *l = *state;

	send_reboot(l);
	lab_lose(l, "POST /nodes/pve/status", HTTP_TIMEOUT, true);
	while (lab_is_asked(l, "GET /nodes/pve/status")) {
		lab_answer(l, "GET /nodes/pve/status", "{\"data\":{\"uptime\":9000}}");
		lab_pass(l, 60000);
	}
	lab_expect(l, "unknown",
		   "it is not known whether Proxmox heard it, and the node has been up for 9000 s");
	send_reboot(l);
	lab_refuse(l, "POST /nodes/pve/status", 502, "Bad Gateway");
	lab_pass(l, 60000);
	lab_answer(l, "GET /nodes/pve/status", "{\"data\":{\"uptime\":3}}");
	lab_pass(l, 0);
	lab_expect(l, "verified", "Done, and verified.");
}

static void look_at_b(struct lab *l, const struct lab_order *order)
{
	lab_order(l, order);
	lab_answer(l, "GET /cluster/status",
		   "{\"data\":[{\"type\":\"node\",\"name\":\"pve\",\"online\":1},"
		   "{\"name\":\"b\",\"online\":0},{\"name\":\"c\",\"online\":0}]}");
}

/* No living node could send it: our own packet does, on its own word. */
static void test_packet_of_our_own(void **state)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct lab *l = *state;

	l->interface[0] = (struct ifaddrs){ .ifa_flags = IFF_UP | IFF_BROADCAST,
					    .ifa_addr = (struct sockaddr *)&to,
					    .ifa_broadaddr = (struct sockaddr *)&to };
	l->interfaces_n = 1;
	look_at_b(l, &wake);
	lab_refuse(l, "POST /nodes/b/wakeonlan", 500, "No wake on LAN MAC address defined");
	assert_int_equal(l->sent_n, 1);
	lab_answer(l, "GET /cluster/status", MEMBERS("0"));
	lab_pass(l, 5000);
	lab_answer(l, "GET /cluster/status", MEMBERS("1"));
	lab_pass(l, 0);
	lab_expect(l, "verified", "Done");

	/* Nor could any be asked how it is. */
	lab_order(l, &wake);
	lab_refuse(l, "GET /cluster/status", 500, "no");
	assert_int_equal(l->sent_n, 2);
	lab_cancel(l);
	lab_answer(l, "GET /cluster/status", MEMBERS("1"));
	lab_pass(l, 0);
	lab_expect(l, "verified", "too late to cancel");

	l->sendto = EPERM;
	look_at_b(l, &wake);
	lab_refuse(l, "POST /nodes/b/wakeonlan", 500, "no");
	lab_pass(l, 0);
	lab_expect(l, "failed", "The magic packet could not be sent: Operation not permitted.");
}

static void test_no_packet(void **state)
{
	struct lab *l = *state;

	/* Nobody knows its hardware address. */
	look_at_b(l, &wake_c);
	lab_refuse(l, "POST /nodes/c/wakeonlan", 500, "no");
	lab_pass(l, 0);
	lab_expect(l, "failed", "set clusters.home.nodes.c.mac in jarvis.yaml");
	/* An answer that makes no sense is no reason to act without one. */
	lab_order(l, &wake);
	lab_answer(l, "GET /cluster/status", "{\"data\":{}}");
	lab_pass(l, 0);
	lab_expect(l, "failed", "it could not be looked at first: the answer makes no sense");
	/* The switch was thrown meanwhile. */
	lab_order(l, &wake);
	lab_write(l, "run/frozen", "");
	lab_refuse(l, "GET /cluster/status", 500, "no");
	lab_pass(l, 0);
	lab_expect(l, "failed", "Nothing was done: ");
	lab_remove(l, "run/frozen");
	/* It was cancelled while Proxmox was asked. */
	look_at_b(l, &wake);
	lab_cancel(l);
	lab_refuse(l, "POST /nodes/b/wakeonlan", 403, "Permission check failed");
	lab_pass(l, 0);
	lab_expect(l, "cancelled", "Nothing was done: it was cancelled");
	/* The same, and Proxmox may have done it: that is looked at, and nothing is added to it. */
	look_at_b(l, &wake);
	lab_cancel(l);
	lab_lose(l, "POST /nodes/b/wakeonlan", HTTP_TIMEOUT, true);
	lab_answer(l, "GET /cluster/status", MEMBERS("1"));
	lab_pass(l, 0);
	lab_expect(l, "verified", "too late to cancel");
	/* Without a row in the journal no packet leaves. */
	lab_order(l, &wake);
	faulty_vfs_arm((struct faulty_plan){ FAULT_WRITE, 1, true });
	lab_refuse(l, "GET /cluster/status", 500, "no");
	lab_pass(l, 0);
	(void)faulty_vfs_disarm();
	lab_expect(l, "failed", "Nothing was done: the journal cannot be written");
	assert_int_equal(l->sent_n, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, play_setup_started, play_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(reboot_that_may_not_have_arrived),
		TEST(packet_of_our_own),
		TEST(no_packet),
	};

	faulty_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
