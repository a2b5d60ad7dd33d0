/* SPDX-License-Identifier: MIT */
/*
 * What the executor needs and may lose while it runs: keys, tokens, rights, endpoints, the gate, its own epoch. Without
 * any of them nothing is begun, it says why, and goes on by itself when it is there again.
 */
#include "common/alloc.h"
#include "tests/unit/check.h"
#include "tests/unit/executor_plays.h"

#include <errno.h>
#include <stdio.h>

#define KEEP "self: external\n"

static void reload(struct lab *l, const char *text)
{
	struct config *old = text ? lab_configure(l, text) : NULL;

	executor_reload(l->x, l->config);
	config_free(old);
	lab_pass(l, 0);
}

/* ── keys and tokens ───────────────────────────────────────────────────────────────────────────────────────── */

static void test_no_key(void **state)
{
	struct lab *l = *state;
	_cleanup_(freep) char *path = xasprintf("%s/secrets/executor/gate.pub", l->folder);
	_cleanup_(freep) char *aside = xasprintf("%s.aside", path);

	assert_int_equal(rename(path, aside), 0);
	lab_start(l);
	play_expect_trouble(l, "no grant can be checked: ");
	assert_false(lab_approve(l, &lab_start_101));
	/* Without one a reload does not help; with one nothing else is needed. */
	reload(l, NULL);
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	assert_false(lab_approve(l, &lab_start_101));
	assert_int_equal(rename(aside, path), 0);
	lab_beat(l);
	lab_pass(l, 10000);
	assert_true(lab_count(l, TOPIC_X_CLAIM) > 0);
	lab_pass(l, 1000);
	play_expect_trouble(l, NULL);
	/* A file that is spoilt afterwards: the old one goes on. */
	lab_write(l, "secrets/executor/gate.pub", "no key");
	reload(l, NULL);
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	play_expect_trouble(l, NULL);
}

/* A key that is mended while nobody wants anything is noticed, too. */
static void test_key_mended(void **state)
{
	struct lab *l = *state;
	_cleanup_(freep) char *path = xasprintf("%s/secrets/executor/gate.pub", l->folder);
	_cleanup_(freep) char *aside = xasprintf("%s.aside", path);

	assert_int_equal(rename(path, aside), 0);
	lab_start(l);
	lab_pass(l, 1000);
	play_expect_trouble(l, "no grant can be checked: ");
	assert_int_equal(rename(aside, path), 0);
	lab_pass(l, 11000);
	play_expect_trouble(l, NULL);
}

static void test_no_token(void **state)
{
	struct lab *l = *state;

	lab_write(l, "secrets/executor/home.token", "no token");
	assert_int_equal(lab_boot(l), 0);
	/* Before anything was looked at it is asked for something. */
	lab_connect(l);
	assert_false(lab_approve(l, &lab_start_101));
	lab_pass(l, 20000);
	assert_false(lab_is_asked(l, PLAY_RIGHTS));
	play_expect_trouble(l, "home.token does not hold the secret of an API token");
	lab_write(l, "secrets/executor/home.token", "");
	lab_pass(l, 5000);
	play_expect_trouble(l, "home.token");
	lab_write(l, "secrets/executor/home.token", "11111111-2222");
	l->http = -EBADMSG;
	lab_pass(l, 5000);
	play_expect_trouble(
		l, "HTTPS cannot be set up with none as certificate authority: Bad message");
	l->http = 0;
	lab_pass(l, 5000);
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	play_expect_trouble(l, NULL);
	play_start_101(l);
	/* One that is spoilt while it runs: the old one goes on. */
	lab_remove(l, "secrets/executor/home.token");
	reload(l, NULL);
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	play_expect_trouble(l, NULL);
	play_start_101(l);
}

static void test_no_address(void **state)
{
	struct lab *l = *state;

	config_free(lab_configure(l,
				  "clusters: {home: {" LAB_ACTS ", nodes: {" LAB_PVE
				  "}}, lab: {token: \"a@pve!b\", nodes: {" LAB_PVE "}}}\n" KEEP));
	lab_start(l);
	play_start_101(l);
	/* One that is only watched is not acted on. */
	reload(l, "clusters: {home: {token: \"a@pve!b\", nodes: {" LAB_PVE "}}}\n" KEEP);
	assert_false(lab_approve(l, &lab_start_101));
	reload(l, KEEP);
	assert_false(lab_approve(l, &lab_start_101));
	play_expect_trouble(l, NULL);
}

/* ── rights ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_rights(void **state)
{
	struct lab *l = *state;

	assert_int_equal(lab_boot(l), 0);
	lab_pass(l, 0);
	lab_connect(l);
	/* Until they are known nothing is done; asked for once, though it is told to look again. */
	assert_false(lab_approve(l, &lab_start_101));
	reload(l, NULL);
	lab_answer(l, PLAY_RIGHTS, "{\"data\":[]}");
	assert_false(lab_is_asked(l, PLAY_RIGHTS));
	play_expect_trouble(l, "its rights cannot be read");
	for (int i = 0; i < 2; i++) {
		lab_pass(l, 5000);
		lab_refuse(l, PLAY_RIGHTS, 401, "no");
		play_expect_trouble(l, "home: pve does not accept token jarvis@pve!control");
	}
	/* Too many: said, and said once. */
	for (int i = 0; i < 2; i++) {
		lab_pass(l, i ? 600000 : 5000);
		lab_answer(l, PLAY_RIGHTS, "{\"data\":{\"/\":{\"VM.Audit\":1,\"VM.Allocate\":1}}}");
		play_expect_trouble(l, "may do what no tool needs: VM.Allocate on /");
		assert_false(lab_approve(l, &lab_start_101));
	}
	/* Too few: said, and the rest is done. */
	lab_pass(l, 600000);
	lab_answer(l, PLAY_RIGHTS, "{\"data\":{\"/\":{\"VM.Audit\":1}}}");
	play_expect_trouble(l, "lacks VM.PowerMgmt, Sys.Audit: add it");
	lab_pass(l, 600000);
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	play_expect_trouble(l, NULL);
	play_start_101(l);
	/* That nobody answers is no reason to believe anything else of the token. */
	lab_pass(l, 600000);
	lab_refuse(l, PLAY_RIGHTS, 500, "busy");
	play_expect_trouble(l, "busy");
	play_start_101(l);
}

/* ── endpoints ─────────────────────────────────────────────────────────────────────────────────────────────── */

/* What only reads is asked of another node; never longer than there are nodes. */
static void test_another_node(void **state)
{
	static const enum http_outcome outcomes[] = { HTTP_UNREACHABLE, HTTP_TIMEOUT,
						      HTTP_NOT_TRUSTED };
	struct lab *l = *state;

	lab_start(l);
	for (size_t i = 0; i < countof(outcomes); i++) {
		lab_order(l, &lab_start_101);
		assert_string_equal(lab_host(l, LAB_TASKS), "10.0.0.1");
		lab_lose(l, LAB_TASKS, outcomes[i], false);
		assert_string_equal(lab_host(l, LAB_TASKS), "10.0.0.2");
		lab_lose(l, LAB_TASKS, outcomes[i], false);
		assert_false(lab_is_asked(l, LAB_TASKS));
		lab_pass(l, 0);
		lab_expect(l, "failed", "it could not be looked at first");
		lab_pass(l, 120000);
	}
	/* Where there is no path the node itself is away: nobody else has one. */
	lab_order(l, &lab_start_101);
	lab_refuse(l, LAB_TASKS, 595, "No route to host");
	assert_false(lab_is_asked(l, LAB_TASKS));
	lab_pass(l, 0);
	lab_expect(l, "failed", "no path to node pve: No route to host");
	/* All rest: the one that has rested longest is asked rather than none. */
	lab_order(l, &lab_start_101);
	lab_lose(l, LAB_TASKS, HTTP_UNREACHABLE, false);
	lab_lose(l, LAB_TASKS, HTTP_UNREACHABLE, false);
	lab_pass(l, 0);
	lab_order(l, &lab_start_101);
	assert_true(lab_is_asked(l, LAB_TASKS));
	lab_answer(l, LAB_TASKS, LAB_NONE);
	lab_answer(l, LAB_CURRENT, LAB_STOPPED);
	/* What changes something is asked for once. */
	lab_lose(l, PLAY_START, HTTP_UNREACHABLE, false);
	assert_false(lab_is_asked(l, PLAY_START));
	lab_pass(l, 0);
	lab_expect(l, "failed", "did not do it");
}

static void test_statuses(void **state)
{
	struct lab *l = *state;

	lab_start(l);
	lab_send_101(l);
	lab_refuse(l, PLAY_START, 501, "Method not implemented");
	lab_pass(l, 0);
	lab_expect(l, "failed", "Proxmox was asked and did not do it");
	lab_send_101(l);
	lab_answer(l, PLAY_START, "<html>");
	assert_true(lab_is_asked(l, LAB_TASKS));
	assert_int_equal(lab_counter(l, "ambiguous"), 1);
}

/* The cluster is taken out of the configuration while something runs there: that goes on, nothing new is begun. */
static void test_cluster_taken_away(void **state)
{
	struct lab *l = *state;

	lab_start(l);
	lab_follow_101(l);
	reload(l, KEEP);
	play_task_well(l);
	lab_expect(l, "verified", "Done");
	assert_false(lab_approve(l, &lab_start_101));
	/* Back, and with another address. */
	reload(l, "clusters: {home: {" LAB_ACTS ", nodes: {" LAB_B "}}}\n" KEEP);
	assert_string_equal(lab_host(l, PLAY_RIGHTS), "10.0.0.2");
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	play_start_101(l);
	reload(l, "clusters: {home: {" LAB_ACTS ", nodes: {" LAB_PVE "}}}\n" KEEP);
	assert_string_equal(lab_host(l, PLAY_RIGHTS), "10.0.0.1");
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	play_start_101(l);
}

/* The cluster's settings change between claim and grant: what is not set up yet is not acted on. */
static void test_changed_under_a_claim(void **state)
{
	struct lab *l = *state;
	struct config *old;

	lab_start(l);
	assert_true(lab_approve(l, &lab_start_101));
	old = lab_configure(l, "clusters: {home: {" LAB_ACTS ", nodes: {" LAB_B "}}}\n" KEEP);
	executor_reload(l->x, l->config);
	config_free(old);
	lab_grant(l, &lab_start_101);
	lab_pass(l, 0);
	lab_expect(l, "failed", "Nothing was done: it has not been set up yet.");
	assert_int_equal(lab_counter(l, "effects"), 0);
}

/* A read that names no cluster means the only one; of two neither. What is wrong with each is said. */
static void test_two_clusters(void **state)
{
	static const struct lab_order log = {
		"task_log", "green",
		"{\"upid\":\"UPID:pve:0008380E:0131F1BF:6A84EA54:vzdump:101:root@pam:\"}", NULL,
		NULL
	};
	struct lab *l = *state;

	lab_start(l);
	lab_order(l, &log);
	assert_true(lab_is_asked(l, "GET /nodes/pve/tasks/UPID"));
	lab_answer(l, "GET /nodes/pve/tasks/UPID", "{\"total\":0}");
	lab_answer(l, "GET /nodes/pve/tasks/UPID", LAB_NONE);
	lab_pass(l, 0);
	lab_expect(l, "verified", "\"lines\":[]");
	reload(l, "clusters: {home: {" LAB_ACTS ", nodes: {" LAB_NODES "}}, lab: {" LAB_ACTS
		  ", nodes: {" LAB_PVE "}}}\n" KEEP);
	lab_answer(l, PLAY_RIGHTS, "{\"data\":{\"/\":{\"VM.Audit\":1}}}");
	play_expect_trouble(l, "; lab: ");
	lab_order(l, &log);
	lab_pass(l, 0);
	lab_expect(l, "failed", "the cluster is not one of those that the executor acts on");
	lab_write(l, "secrets/executor/lab.token", "11111111-2222");
	lab_pass(l, 5000);
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	play_start_101(l);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, play_setup, play_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(no_key),
		TEST(key_mended),
		TEST(no_token),
		TEST(no_address),
		TEST(rights),
		TEST(another_node),
		TEST(statuses),
		TEST(cluster_taken_away),
		TEST(changed_under_a_claim),
		TEST(two_clusters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
