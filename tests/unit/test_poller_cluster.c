/* SPDX-License-Identifier: MIT */
/*
 * From answers to documents: the numbers of nodes and guests, a dead node's guests, expired data, a guest that
 * moves, quorum and votes.
 */
#include "tests/unit/pve_fixture.h"

#include "services/proxmox-poller/pve_cluster.h"
#include "tests/unit/check.h"

#include <stdio.h>

#define NODE_PERIOD_MS 30000
#define STORAGE_PERIOD_MS 30000

struct fixture {
	struct pve_cluster cluster;
	struct arena *arena;
};

static int setup(void **state)
{
	struct fixture *f = xnew(struct fixture);

	pve_cluster_init(&f->cluster, "lab", NODE_PERIOD_MS, STORAGE_PERIOD_MS);
	f->arena = arena_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pve_cluster_done(&f->cluster);
	arena_free(f->arena);
	free(f);
	return 0;
}

static struct msg_node_state node_at(struct fixture *f, const char *name, int64_t boot_ms)
{
	const struct pve_node *node = pve_cluster_find_node(&f->cluster, name);
	struct msg_node_state doc;

	assert_non_null(node);
	pve_build_node(&f->cluster, node, fixture_now(boot_ms), f->arena, &doc);
	return doc;
}

static struct msg_guest_state guest_at(struct fixture *f, int64_t vmid, int64_t boot_ms)
{
	const struct pve_guest *guest = pve_cluster_find_guest(&f->cluster, vmid);
	struct msg_guest_state doc;

	assert_non_null(guest);
	pve_build_guest(&f->cluster, guest, fixture_now(boot_ms), f->arena, &doc);
	return doc;
}

static struct msg_cluster_state cluster_at(struct fixture *f, int64_t boot_ms)
{
	struct msg_cluster_state doc;

	pve_build_cluster(&f->cluster, fixture_now(boot_ms), f->arena, &doc);
	return doc;
}

static void take_node(struct fixture *f, const char *node, const char *name, int64_t boot_ms)
{
	_cleanup_(json_treep) cJSON *answer = pve_fixture(name);

	assert_int_equal(pve_cluster_take_node(&f->cluster, node, answer, fixture_now(boot_ms)), 0);
}

/* ── nodes ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_node(void **state)
{
	struct fixture *f = *state;
	struct msg_node_state doc;

	take_resources(&f->cluster, "resources-v9", 1000);
	doc = node_at(f, "pve1", 1000);
	assert_int_equal(doc.status, NODE_ONLINE);
	assert_float_equal(doc.cpu.v, 25, 1e-9);
	assert_int_equal(doc.maxcpu.v, 16);
	assert_int_equal(doc.mem.v, 20401094656);
	assert_int_equal(doc.boot_ms.v, FIXTURE_WALL_MS + 1000 - 864000000);
	assert_string_equal(doc.ha_state, "online");
	/* Not known yet, and so null. */
	assert_false(doc.load1.has || doc.swap.has || doc.iowait.has);
	assert_null(doc.version);
	assert_null(doc.ip);
	take_status(&f->cluster, "status-v9", 1010);
	take_node(f, "pve1", "node-status-v9", 1020);
	doc = node_at(f, "pve1", 1020);
	assert_string_equal(doc.ip, "10.0.0.1");
	assert_float_equal(doc.load15.v, 0.6, 1e-9);
	assert_float_equal(doc.iowait.v, 1.23, 1e-9);
	assert_string_equal(doc.version, "9.2.11");
	/* Numbers that came as text. */
	assert_int_equal(node_at(f, "pve3", 1020).maxcpu.v, 4);
	assert_float_equal(node_at(f, "pve3", 1020).cpu.v, 10, 1e-9);
}

static void test_boot_time_does_not_wobble(void **state)
{
	struct fixture *f = *state;
	int64_t boot;

	take_resources(&f->cluster, "resources-v9", 1000);
	boot = node_at(f, "pve1", 1000).boot_ms.v;
	/* The same sample, 14 s later, and one that is a little newer. */
	take_resources(&f->cluster, "resources-v9", 15000);
	assert_int_equal(node_at(f, "pve1", 15000).boot_ms.v, boot);
	take_node(f, "pve1", "node-status-v9", 20000);
	assert_int_equal(node_at(f, "pve1", 20000).boot_ms.v, boot);
	/* Suspended for a minute: it has moved. */
	take_resources(&f->cluster, "resources-v9", 61000);
	assert_int_equal(node_at(f, "pve1", 61000).boot_ms.v, boot + 60000);
}

static void test_old_details_are_left_out(void **state)
{
	struct fixture *f = *state;
	struct pve_node *node;
	struct msg_node_state doc;

	take_resources(&f->cluster, "resources-v9", 0);
	take_node(f, "pve1", "node-status-v9", 0);
	doc = node_at(f, "pve1", 3 * NODE_PERIOD_MS);
	assert_true(doc.load1.has);
	node = pve_cluster_find_node(&f->cluster, "pve1");
	(void)snprintf(node->detail_error, sizeof(node->detail_error), "pve1 did not answer");
	doc = node_at(f, "pve1", 3 * NODE_PERIOD_MS + 1);
	assert_false(doc.load1.has);
	assert_null(doc.version);
	assert_true(doc.cpu.has);
	assert_string_equal(doc.reason, "pve1 did not answer");
	assert_int_equal(doc.status, NODE_ONLINE);
}

static void test_first_sample_of_a_worker_says_nothing(void **state)
{
	struct fixture *f = *state;

	take_resources(&f->cluster, "resources-v8", 0);
	take_node(f, "solo", "node-status-v8", 0);
	assert_false(node_at(f, "solo", 0).iowait.has);
	assert_true(node_at(f, "solo", 0).load1.has);
	assert_int_equal(node_at(f, "solo", 0).maxswap.v, 0);
}

static void test_offline_node(void **state)
{
	struct fixture *f = *state;
	struct msg_node_state doc;

	take_resources(&f->cluster, "resources-v9", 0);
	take_node(f, "pve3", "node-status-v9", 0);
	take_status(&f->cluster, "status-v9", 5);
	take_resources(&f->cluster, "resources-dead", 10000);
	doc = node_at(f, "pve3", 10000);
	assert_int_equal(doc.status, NODE_OFFLINE);
	assert_false(doc.cpu.has || doc.mem.has || doc.maxmem.has || doc.maxcpu.has ||
		     doc.boot_ms.has || doc.load1.has || doc.disk.has || doc.maxdisk.has ||
		     doc.swap.has);
	assert_null(doc.version);
}

static void test_newest_membership_decides(void **state)
{
	struct fixture *f = *state;

	/* The node died between the two answers. */
	take_resources(&f->cluster, "resources-v9", 1000);
	take_status(&f->cluster, "status-dead", 1010);
	assert_int_equal(node_at(f, "pve3", 1010).status, NODE_OFFLINE);
	/* It is back, and the resources say so first. */
	take_resources(&f->cluster, "resources-v9", 11000);
	assert_int_equal(node_at(f, "pve3", 11000).status, NODE_ONLINE);
	take_status(&f->cluster, "status-v9", 11010);
	take_resources(&f->cluster, "resources-dead", 21000);
	assert_int_equal(node_at(f, "pve3", 21000).status, NODE_OFFLINE);
	take_status(&f->cluster, "status-v9", 21010);
	assert_int_equal(node_at(f, "pve3", 21010).status, NODE_ONLINE);
}

static void test_node_without_data(void **state)
{
	struct fixture *f = *state;
	struct msg_node_state doc;

	take_resources(&f->cluster, "resources-expired", 0);
	doc = node_at(f, "pve2", 0);
	assert_int_equal(doc.status, NODE_UNKNOWN);
	assert_non_null(strstr(doc.reason, "pvestatd"));
	assert_false(doc.cpu.has || doc.mem.has || doc.boot_ms.has);
}

/* ── guests ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_running_vm(void **state)
{
	struct fixture *f = *state;
	struct msg_guest_state doc;

	take_resources(&f->cluster, "resources-v9", 1000);
	doc = guest_at(f, 100, 1000);
	assert_int_equal(doc.status, GUEST_RUNNING);
	assert_int_equal(doc.type, GUEST_QEMU);
	assert_string_equal(doc.name, "web");
	assert_string_equal(doc.pool, "shop");
	assert_int_equal(doc.tags_n, 2);
	assert_string_equal(doc.tags[1], "web");
	assert_float_equal(doc.cpu.v, 1.23, 1e-9);
	/* PVE 9 counts the whole process: more than the guest has is no error. */
	assert_true(doc.mem.v > doc.maxmem.v);
	assert_true(doc.memhost.has);
	/* A virtual machine does not say what its disk holds. */
	assert_false(doc.disk.has);
	assert_int_equal(doc.maxdisk.v, 34359738368);
	assert_int_equal(doc.boot_ms.v, FIXTURE_WALL_MS + 1000 - 3600000);
	/* No rate without a second sample. */
	assert_false(doc.net_in.has || doc.net_out.has || doc.disk_read.has || doc.disk_write.has);
}

static void test_container(void **state)
{
	struct fixture *f = *state;
	struct msg_guest_state doc;

	take_resources(&f->cluster, "resources-v9", 1000);
	doc = guest_at(f, 1000, 1000);
	assert_int_equal(doc.type, GUEST_LXC);
	/* A little below nothing just after a restart. */
	assert_true(doc.cpu.has && doc.cpu.v == 0);
	assert_float_equal(doc.maxcpu.v, 1.5, 1e-9);
	assert_int_equal(doc.disk.v, 734003200);
	assert_false(doc.memhost.has);
	assert_int_equal(doc.tags_n, 0);
}

static void test_stopped_guest(void **state)
{
	struct fixture *f = *state;
	struct msg_guest_state doc;

	take_resources(&f->cluster, "resources-v9", 1000);
	doc = guest_at(f, 101, 1000);
	assert_int_equal(doc.status, GUEST_STOPPED);
	assert_string_equal(doc.lock, "backup");
	assert_false(doc.cpu.has || doc.mem.has || doc.memhost.has || doc.boot_ms.has ||
		     doc.net_in.has);
	assert_int_equal(doc.maxmem.v, 2147483648);
	assert_true(guest_at(f, 102, 1000).template);
	assert_false(doc.last_status.has);
	assert_null(doc.reason);
}

static void test_states_of_qemu(void **state)
{
	struct fixture *f = *state;
	struct msg_guest_state doc;

	take_resources(&f->cluster, "resources-v9", 1000);
	doc = guest_at(f, 104, 1000);
	assert_int_equal(doc.status, GUEST_PAUSED);
	assert_true(doc.mem.has && doc.boot_ms.has);
	assert_int_equal(doc.tags_n, 3);
	assert_string_equal(doc.ha_state, "started");
	doc = guest_at(f, 105, 1000);
	assert_int_equal(doc.status, GUEST_OTHER);
	assert_false(doc.maxdisk.has);
	assert_int_equal(pve_guest_status_of("io-error"), GUEST_IO_ERROR);
	assert_int_equal(pve_guest_status_of("unknown"), GUEST_UNKNOWN);
	assert_int_equal(pve_guest_status_of(NULL), GUEST_UNKNOWN);
	assert_int_equal(pve_guest_status_of("guest-panicked"), GUEST_OTHER);
}

static void test_version_8(void **state)
{
	struct fixture *f = *state;
	struct msg_guest_state doc;

	take_resources(&f->cluster, "resources-v8", 1000);
	doc = guest_at(f, 100, 1000);
	assert_true(doc.mem.has);
	assert_false(doc.memhost.has);
	assert_int_equal(guest_at(f, 200, 1000).status, GUEST_STOPPED);
}

static void test_dead_node(void **state)
{
	struct fixture *f = *state;
	struct msg_guest_state doc;

	take_resources(&f->cluster, "resources-v9", 0);
	/* Proxmox still says `running`, with numbers. */
	take_resources(&f->cluster, "resources-dead", 10000);
	doc = guest_at(f, 104, 10000);
	assert_int_equal(doc.status, GUEST_UNKNOWN);
	assert_true(doc.last_status.has && doc.last_status.v == GUEST_RUNNING);
	assert_string_equal(doc.reason, "node pve3 is offline");
	assert_string_equal(doc.name, "lab");
	assert_false(doc.cpu.has || doc.mem.has || doc.memhost.has || doc.boot_ms.has ||
		     doc.net_in.has);
	/* The others go on: 10 s and 20 kB later. */
	doc = guest_at(f, 100, 10000);
	assert_int_equal(doc.status, GUEST_RUNNING);
	assert_float_equal(doc.net_out.v, 2000, 1e-9);
	/* Five minutes later the data is gone; what it was is not forgotten. */
	take_resources(&f->cluster, "resources-expired", 310000);
	doc = guest_at(f, 104, 310000);
	assert_int_equal(doc.status, GUEST_UNKNOWN);
	assert_int_equal(doc.last_status.v, GUEST_RUNNING);
	assert_string_equal(doc.name, "lab");
	assert_int_equal(doc.maxmem.v, 2147483648);
}

static void test_dead_by_status_alone(void **state)
{
	struct fixture *f = *state;

	take_resources(&f->cluster, "resources-v9", 0);
	assert_int_equal(guest_at(f, 104, 0).status, GUEST_PAUSED);
	take_status(&f->cluster, "status-dead", 100);
	assert_int_equal(guest_at(f, 104, 100).status, GUEST_UNKNOWN);
	assert_int_equal(guest_at(f, 104, 100).last_status.v, GUEST_PAUSED);
	assert_int_equal(guest_at(f, 100, 100).status, GUEST_RUNNING);
}

static void test_expired_without_history(void **state)
{
	struct fixture *f = *state;
	struct msg_guest_state doc;

	take_resources(&f->cluster, "resources-expired", 0);
	doc = guest_at(f, 100, 0);
	assert_int_equal(doc.status, GUEST_UNKNOWN);
	assert_false(doc.last_status.has);
	assert_null(doc.name);
	assert_non_null(strstr(doc.reason, "pve2"));
}

static void test_moving_guest(void **state)
{
	struct fixture *f = *state;
	struct msg_guest_state doc;

	take_resources(&f->cluster, "resources-v9", 0);
	take_resources(&f->cluster, "resources-dead", 10000);
	assert_true(guest_at(f, 100, 10000).net_in.has);
	take_resources(&f->cluster, "resources-moved", 20000);
	assert_int_equal(f->cluster.guests_n, 1);
	doc = guest_at(f, 100, 20000);
	assert_string_equal(doc.node, "pve2");
	assert_int_equal(doc.status, GUEST_RUNNING);
	/* Counters of another process on another node. */
	assert_false(doc.net_in.has);
}

static void test_asked_itself(void **state)
{
	struct fixture *f = *state;
	_cleanup_(json_treep) cJSON *answer = pve_fixture("guest-current");
	struct msg_guest_state doc;

	take_resources(&f->cluster, "resources-v9", 0);
	assert_int_equal(pve_cluster_take_guest(&f->cluster, 101, answer, fixture_now(2000)), 0);
	doc = guest_at(f, 101, 2000);
	assert_int_equal(doc.status, GUEST_PRELAUNCH);
	assert_int_equal(doc.ts, FIXTURE_WALL_MS + 2000);
	assert_int_equal(doc.boot_ms.v, FIXTURE_WALL_MS + 2000 - 3000);
	assert_false(doc.cpu.has || doc.mem.has);
	/* pvestatd has not noticed yet. */
	take_resources(&f->cluster, "resources-v9", 8000);
	assert_int_equal(guest_at(f, 101, 8000).status, GUEST_PRELAUNCH);
	/* It has had its time. */
	take_resources(&f->cluster, "resources-v9", 18000);
	assert_int_equal(guest_at(f, 101, 18000).status, GUEST_STOPPED);
	/* A newer sample counts at once, though it says something else again. */
	assert_int_equal(pve_cluster_take_guest(&f->cluster, 100, answer, fixture_now(20000)), 0);
	take_resources(&f->cluster, "resources-v9", 22000);
	assert_int_equal(guest_at(f, 100, 22000).status, GUEST_PRELAUNCH);
	take_resources(&f->cluster, "resources-dead", 28000);
	assert_int_equal(guest_at(f, 100, 28000).status, GUEST_RUNNING);
	/* Of a guest that has gone meanwhile nothing is kept. */
	assert_int_equal(pve_cluster_take_guest(&f->cluster, 999, answer, fixture_now(2000)), 0);
}

/* ── the cluster ───────────────────────────────────────────────────────────────────────────────────────────── */

static void take_votes(struct fixture *f, const char *text)
{
	_cleanup_(json_treep) cJSON *answer = text ? NULL : pve_fixture("config-nodes");

	if (text)
		assert_int_equal(json_parse(text, strlen(text), JSON_FOREIGN, &answer, NULL), 0);
	assert_int_equal(pve_cluster_take_votes(&f->cluster, answer, fixture_now(0)), 0);
}

static void test_totals(void **state)
{
	struct fixture *f = *state;
	struct msg_cluster_state doc;

	doc = cluster_at(f, 0);
	assert_false(doc.nodes.has || doc.guests.has || doc.quorate.has || doc.cpu.has ||
		     doc.disk.has);
	take_resources(&f->cluster, "resources-v9", 0);
	take_status(&f->cluster, "status-v9", 0);
	take_votes(f, NULL);
	doc = cluster_at(f, 0);
	assert_string_equal(doc.name, "lab");
	assert_false(doc.standalone.v);
	assert_true(doc.quorate.v);
	assert_int_equal(doc.votes.v, 3);
	assert_int_equal(doc.votes_expected.v, 3);
	assert_int_equal(doc.votes_needed.v, 2);
	assert_int_equal(doc.nodes.v, 3);
	assert_int_equal(doc.nodes_online.v, 3);
	assert_int_equal(doc.guests.v, 5); /* without the template */
	assert_int_equal(doc.guests_running.v, 2);
	assert_int_equal(doc.maxcpu.v, 28);
	assert_float_equal(doc.cpu.v, (0.25 * 16 + 0.05 * 8 + 0.1 * 4) / 28 * 100, 1e-9);
	/* Two local storages, and the shared one once; the unknown one not at all. */
	assert_int_equal(doc.maxdisk.v, 2 * 100861726720 + 4000000000000);
}

static void test_totals_without_the_dead(void **state)
{
	struct fixture *f = *state;
	struct msg_cluster_state doc;

	take_resources(&f->cluster, "resources-v9", 0);
	take_votes(f, NULL);
	take_status(&f->cluster, "status-dead", 10);
	doc = cluster_at(f, 10);
	assert_int_equal(doc.nodes_online.v, 2);
	assert_int_equal(doc.votes.v, 2);
	assert_int_equal(doc.guests.v, 5);
	assert_int_equal(doc.guests_running.v, 2);
	assert_int_equal(doc.maxcpu.v, 24);
	take_status(&f->cluster, "status-minority", 20);
	doc = cluster_at(f, 20);
	assert_false(doc.quorate.v);
	assert_int_equal(doc.votes.v, 1);
	assert_int_equal(doc.votes_needed.v, 2);
}

static void test_votes_that_contradict_are_not_said(void **state)
{
	struct fixture *f = *state;

	take_resources(&f->cluster, "resources-v9", 0);
	take_status(&f->cluster, "status-dead", 10);
	/* Nine votes, of which two are here; and yet Proxmox is quorate: somebody unlisted votes too. */
	take_votes(
		f,
		"{\"data\":[{\"node\":\"pve1\",\"quorum_votes\":1},{\"node\":\"pve2\",\"quorum_votes\":1},"
		"{\"node\":\"pve3\",\"quorum_votes\":7}]}");
	assert_false(cluster_at(f, 10).votes.has);
	assert_true(cluster_at(f, 10).quorate.v);
}

static void test_standalone(void **state)
{
	struct fixture *f = *state;
	struct msg_cluster_state doc;

	take_resources(&f->cluster, "resources-v8", 0);
	take_status(&f->cluster, "status-standalone", 0);
	doc = cluster_at(f, 0);
	assert_true(doc.standalone.v && doc.quorate.v);
	assert_null(doc.name);
	assert_int_equal(doc.votes_needed.v, 1);
	assert_int_equal(doc.nodes.v, 1);
	assert_int_equal(doc.guests_running.v, 1);
	assert_string_equal(node_at(f, "solo", 0).ip, "192.168.1.10");
}

static void test_filtered(void **state)
{
	struct fixture *f = *state;
	struct msg_cluster_state doc;

	take_resources(&f->cluster, "resources-filtered", 0);
	doc = cluster_at(f, 0);
	assert_int_equal(doc.nodes_online.v, 3);
	assert_int_equal(doc.guests.v, 0);
	assert_false(doc.cpu.has || doc.mem.has || doc.maxcpu.has || doc.disk.has);
}

static void test_bad_answer_changes_nothing(void **state)
{
	struct fixture *f = *state;
	_cleanup_(json_treep) cJSON *answer = cJSON_Parse("{\"data\":null}");
	size_t bad;

	take_resources(&f->cluster, "resources-v9", 0);
	assert_true(pve_cluster_take_resources(&f->cluster, answer, fixture_now(10), &bad) < 0);
	assert_true(pve_cluster_take_status(&f->cluster, answer, fixture_now(10)) < 0);
	assert_int_equal(f->cluster.guests_n, 6);
	assert_int_equal(guest_at(f, 100, 10).status, GUEST_RUNNING);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_node),
		TEST(test_boot_time_does_not_wobble),
		TEST(test_old_details_are_left_out),
		TEST(test_first_sample_of_a_worker_says_nothing),
		TEST(test_offline_node),
		TEST(test_newest_membership_decides),
		TEST(test_node_without_data),
		TEST(test_running_vm),
		TEST(test_container),
		TEST(test_stopped_guest),
		TEST(test_states_of_qemu),
		TEST(test_version_8),
		TEST(test_dead_node),
		TEST(test_dead_by_status_alone),
		TEST(test_expired_without_history),
		TEST(test_moving_guest),
		TEST(test_asked_itself),
		TEST(test_totals),
		TEST(test_totals_without_the_dead),
		TEST(test_votes_that_contradict_are_not_said),
		TEST(test_standalone),
		TEST(test_filtered),
		TEST(test_bad_answer_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
