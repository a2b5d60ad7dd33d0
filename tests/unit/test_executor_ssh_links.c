/* SPDX-License-Identifier: MIT */
/*
 * The connections that the SSH tools go over: made late, kept, checked, replaced. Whatever happens to them, what
 * changes something leaves once, and never when it may not any more.
 */
#include "common/alloc.h"
#include "tests/unit/check.h"
#include "tests/unit/executor_ssh_plays.h"

#include <sys/stat.h>

#define IDLE_MS 300000
#define AT_ONCE 8

/* ── made ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_none(void **state)
{
	static const struct {
		enum ssh_end end;
		const char *error;
	} rows[] = {
		{ SSH_END_UNREACHABLE, "10.0.0.1:22 cannot be reached: Connection refused" },
		{ SSH_END_UNREACHABLE, "10.0.0.1:22 did not answer within 10000 ms" },
		{ SSH_END_NOT_TRUSTED, "10.0.0.1:22 shows the host key SHA256:x, /k has another" },
		{ SSH_END_NOT_TRUSTED, "10.0.0.1:22 shows the host key SHA256:x, unknown to /k" },
		{ SSH_END_REFUSED, "10.0.0.1:22 refuses the key of user act" },
	};
	const struct lab_order *orders[] = { &ssh_ping, &ssh_restart, &ssh_scrub };
	struct lab *l = *state;

	for (size_t i = 0; i < countof(rows) * countof(orders); i++) {
		const struct lab_order *order = orders[i % countof(orders)];

		lab_order(l, order);
		lab_pass(l, 0);
		assert_string_equal(lab_ssh_connecting(), SSH_WHERE);
		lab_ssh_refuse(rows[i / countof(orders)].end, rows[i / countof(orders)].error);
		lab_pass(l, 0);
		lab_expect(l, "failed", rows[i / countof(orders)].error);
		lab_expect(l, "failed",
			   order == &ssh_ping ? "could not be read" : "Nothing was done");
		assert_int_equal(lab_ssh_connections(), 0);
	}
	assert_int_equal(lab_ssh_sent(), 0);
	assert_int_equal(lab_counter(l, "effects"), 0);
	/* What a peer says may reach a terminal. */
	lab_order(l, &ssh_ping);
	lab_pass(l, 0);
	lab_ssh_refuse(SSH_END_UNREACHABLE, "10.0.0.1:22 says \x1b[2J\xc2\x9b");
	lab_pass(l, 0);
	lab_expect(l, "failed", "10.0.0.1:22 says ?[2J??\"");
}

static void test_no_key(void **state)
{
	struct lab *l = *state;
	_cleanup_(freep) char *path = xasprintf("%s/secrets/executor/ssh-key", l->folder);

	assert_int_equal(chmod(path, 0644), 0);
	lab_order(l, &ssh_scrub);
	lab_pass(l, 0);
	lab_expect(l, "failed", "Nothing was done: ");
	lab_expect(l, "failed", "chmod");
	lab_remove(l, "secrets/executor/ssh-key");
	lab_order(l, &ssh_ping);
	lab_pass(l, 0);
	lab_expect(l, "failed", "secrets/executor/ssh-key");
	assert_int_equal(lab_ssh_connections(), 0);
	/* It is read for every connection: nothing else is needed. */
	lab_write(l, "secrets/executor/ssh-key", "OTHER\n");
	lab_order(l, &ssh_ping);
	lab_pass(l, 0);
	assert_string_equal(lab_ssh_connecting(), "act@10.0.0.1:22 /k OTHER 10000");
}

static void test_kept(void **state)
{
	struct lab *l = *state;

	for (int i = 0; i < 3; i++) {
		ssh_begin(l, &ssh_ping);
		lab_ssh_answer("ping_node", "exit 0", "host=pve\n", "");
		lab_pass(l, IDLE_MS - 1);
	}
	assert_int_equal(lab_counter(l, "ssh_connects"), 1);
	assert_int_equal(lab_ssh_connections(), 1);
	lab_pass(l, 1);
	assert_int_equal(lab_ssh_connections(), 0);
	/* Lost while nobody needs it: that is no loss. */
	ssh_begin(l, &ssh_ping);
	lab_ssh_answer("ping_node", "exit 0", "host=pve\n", "");
	lab_ssh_cut();
	lab_pass(l, IDLE_MS);
	assert_int_equal(lab_ssh_connections(), 0);
	assert_int_equal(lab_counter(l, "ssh_connects"), 2);
}

/* ── lost ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static void ping(struct lab *l)
{
	ssh_begin(l, &ssh_ping);
	ssh_answer(l, "ping_node", "exit 0", "host=pve\n", "");
	lab_expect(l, "verified", "");
}

/* A kept connection turns out to be dead before anything left: it goes over a new one. */
static void test_stale(void **state)
{
	struct lab *l = *state;

	ping(l);
	ssh_begin(l, &ssh_scrub);
	lab_ssh_cut();
	lab_pass(l, 0);
	lab_expect_none(l);
	lab_ssh_up();
	ssh_answer(l, "run_command", "exit 0", "", "");
	lab_expect(l, "verified", "");
	assert_int_equal(lab_counter(l, "effects"), 1);
	assert_int_equal(lab_ssh_sent(), 2);
	/* Once: whoever always closes is not asked for ever. */
	ssh_begin(l, &ssh_scrub);
	lab_ssh_cut();
	lab_pass(l, 0);
	lab_ssh_up();
	lab_ssh_cut();
	lab_pass(l, 0);
	lab_expect(l, "failed", "Nothing was done: ");
	/* Nor where the second one cannot be made. */
	ping(l);
	ssh_begin(l, &ssh_scrub);
	lab_ssh_cut();
	lab_pass(l, 0);
	lab_ssh_refuse(SSH_END_UNREACHABLE, "10.0.0.1:22 cannot be reached");
	lab_pass(l, 0);
	lab_expect(l, "failed", "Nothing was done: 10.0.0.1:22 cannot be reached");
	assert_int_equal(lab_counter(l, "effects"), 1);
}

/* It left: a read may go again, a change never. */
static void test_lost_after_sending(void **state)
{
	struct lab *l = *state;

	ssh_begin(l, &ssh_ping);
	assert_true(lab_ssh_send("ping_node"));
	lab_ssh_cut();
	lab_pass(l, 0);
	lab_ssh_up();
	assert_true(lab_ssh_send("ping_node"));
	lab_ssh_cut();
	lab_pass(l, 0);
	lab_expect(l, "failed", "It could not be read: ");
	/* Only its channel was closed: the connection is still good. */
	ssh_begin(l, &ssh_ping);
	lab_ssh_end("ping_node", SSH_CUT, "");
	lab_pass(l, 0);
	ssh_answer(l, "ping_node", "exit 0", "host=pve\n", "");
	lab_expect(l, "verified", "");
	assert_int_equal(lab_counter(l, "ssh_connects"), 3);
	ssh_begin(l, &ssh_scrub);
	assert_true(lab_ssh_send("run_command"));
	lab_ssh_cut();
	lab_pass(l, 0);
	lab_expect(l, "unknown", "It is not tried again.");
	assert_false(lab_ssh_is_asked("run_command"));
	assert_null(lab_ssh_connecting());
}

/* ── not any more ──────────────────────────────────────────────────────────────────────────────────────────── */

/* While the login hangs the world goes on. */
static void test_held(void **state)
{
	struct lab *l = *state;

	/* The file alone stops it. */
	ssh_begin(l, &ssh_scrub);
	lab_write(l, "run/frozen", "");
	assert_false(lab_ssh_send("run_command"));
	lab_pass(l, 0);
	lab_expect(l, "failed", "Nothing was done: frozen by the file in the runtime folder.");
	lab_remove(l, "run/frozen");
	/* So does a gate that falls silent, */
	lab_ssh_cut();
	lab_order(l, &ssh_scrub);
	lab_pass(l, 15001);
	lab_ssh_up();
	assert_false(lab_ssh_send("run_command"));
	lab_pass(l, 0);
	lab_expect(l, "failed", "the safety gate was not heard for 15 s");
	/* and a login that takes so long that what was approved is of another time. */
	lab_ssh_cut();
	lab_order(l, &ssh_scrub);
	lab_pass(l, 10000);
	lab_beat(l);
	lab_pass(l, 10001);
	lab_ssh_up();
	assert_false(lab_ssh_send("run_command"));
	lab_pass(l, 0);
	lab_expect(l, "failed", "Nothing was done: the connection to the node took too long.");
	/* A grant is valid when it is taken up: what is left of it does not count. */
	lab_ssh_cut();
	lab_order(l, &ssh_scrub);
	lab_pass(l, 14000);
	lab_ssh_up();
	assert_true(lab_ssh_send("run_command"));
	assert_int_equal(lab_counter(l, "effects"), 1);
}

/* ── hung ──────────────────────────────────────────────────────────────────────────────────────────────────── */

/* It opens no channel: what waits for one goes another way, what left still comes back. */
static void test_hung(void **state)
{
	struct lab *l = *state;

	ssh_begin_change(l, &ssh_restart);
	assert_true(lab_ssh_send("service_restart"));
	lab_order(l, &ssh_ping);
	lab_pass(l, 2999);
	assert_null(lab_ssh_connecting());
	lab_pass(l, 1);
	assert_int_equal(lab_ssh_cancelled(), 1);
	assert_string_equal(lab_ssh_connecting(), SSH_WHERE);
	lab_ssh_up();
	ssh_answer(l, "ping_node", "exit 0", "host=pve\n", "");
	lab_expect(l, "verified", "");
	ssh_answer(l, "service_restart", "exit 0", "", "");
	assert_int_equal(lab_ssh_connections(), 1);
	ssh_answer(l, "service_status", "exit 0", UNIT_NEW, "");
	assert_int_equal(lab_counter(l, "results_verified"), 2);
	/* When the second hangs as well, there is nothing to be gained. */
	lab_order(l, &ssh_scrub);
	lab_pass(l, 3000);
	lab_ssh_up();
	lab_pass(l, 3000);
	assert_null(lab_ssh_connecting());
	lab_beat(l);
	assert_true(lab_ssh_send("run_command"));
	lab_pass(l, 60000);
	lab_expect_none(l);
	ssh_answer(l, "run_command", "exit 0", "", "");
	lab_expect(l, "verified", "");
	/* Until its time is over: it certainly never left. */
	lab_order(l, &ssh_scrub);
	lab_pass(l, 1000);
	lab_ssh_late("run_command");
	lab_pass(l, 0);
	lab_expect(l, "failed", "Nothing was done: ");
	assert_int_equal(lab_counter(l, "effects"), 2);
}

/* ── many ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static size_t send_all(const char *tool, size_t most)
{
	size_t before = lab_ssh_sent();

	for (size_t i = 0; i < most; i++)
		assert_true(lab_ssh_send(tool));
	return lab_ssh_sent() - before;
}

static void test_many(void **state)
{
	struct lab *l = *state;

	for (size_t i = 0; i < AT_ONCE + 3; i++) {
		lab_order(l, &ssh_ping);
		lab_pass(l, 0);
	}
	assert_int_equal(lab_ssh_connections(), 1);
	lab_ssh_up();
	assert_int_equal(send_all("ping_node", AT_ONCE), AT_ONCE);
	/* One that has ended makes room for one. */
	for (size_t i = 0; i < 3; i++) {
		ssh_answer(l, "ping_node", "exit 0", "host=pve\n", "");
		assert_true(lab_ssh_send("ping_node"));
	}
	for (size_t i = 0; i < AT_ONCE; i++)
		ssh_answer(l, "ping_node", "exit 0", "host=pve\n", "");
	assert_int_equal(lab_counter(l, "results_verified"), AT_ONCE + 3);
	/* Every node has a connection of its own, and one step at a time that changes something. */
	ssh_begin(l, &ssh_restart);
	ssh_begin(l, &ssh_restart_b);
	assert_int_equal(lab_ssh_connections(), 2);
	assert_false(lab_approve(l, &ssh_stop));
	assert_int_equal(lab_counter(l, "claims_held"), 1);
	/* All that go over it hear of its end. */
	lab_order(l, &ssh_ping);
	lab_order(l, &ssh_ping);
	lab_pass(l, 0);
	lab_ssh_cut();
	lab_pass(l, 0);
	lab_ssh_refuse(SSH_END_UNREACHABLE, "10.0.0.1:22 cannot be reached");
	lab_pass(l, 0);
	assert_int_equal(lab_counter(l, "results_other"), 3);
}

/* ── told anew ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_reload(void **state)
{
	struct lab *l = *state;

	/* Not in use: closed, and the next one has the new key. */
	ping(l);
	lab_write(l, "secrets/executor/ssh-key", "NEW\n");
	ssh_reload(l, NULL);
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	assert_int_equal(lab_ssh_connections(), 0);
	/* In use: what left comes back over the old one, and nothing else goes over it. */
	ssh_begin_change(l, &ssh_restart);
	assert_true(lab_ssh_send("service_restart"));
	ssh_reload(l, SSH_CONFIG(", connect_timeout: 2s, settle: 5s"));
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	lab_order(l, &ssh_ping);
	lab_pass(l, 0);
	assert_string_equal(lab_ssh_connecting(), "act@10.0.0.1:22 /k NEW 2000");
	lab_ssh_up();
	assert_int_equal(lab_ssh_connections(), 2);
	ssh_answer(l, "ping_node", "exit 0", "host=pve\n", "");
	ssh_answer(l, "service_restart", "exit 0", "", "");
	/* The step itself goes on with what it began with, and the new key. */
	assert_int_equal(lab_ssh_connections(), 2);
	assert_string_equal(lab_ssh_connecting(), "act@10.0.0.1:22 /k NEW 10000");
	lab_ssh_up();
	ssh_answer(l, "service_status", "exit 0", UNIT_NEW, "");
	assert_int_equal(lab_counter(l, "results_verified"), 3);
	/* While it connects: it begins anew with what is true now. */
	ssh_reload(l, SSH_CONFIG(""));
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	lab_order(l, &ssh_ping);
	lab_pass(l, 0);
	lab_write(l, "secrets/executor/ssh-key", "NEWER\n");
	ssh_reload(l, NULL);
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	assert_string_equal(lab_ssh_connecting(), "act@10.0.0.1:22 /k NEWER 10000");
	assert_int_equal(lab_ssh_connections(), 1);
	lab_ssh_up();
	ssh_answer(l, "ping_node", "exit 0", "host=pve\n", "");
	lab_expect(l, "verified", "");
}

/* Shut down with all of it under way: nobody is told, nothing is left (the sanitizer looks). */
static void test_shutdown(void **state)
{
	struct lab *l = *state;

	ssh_begin_change(l, &ssh_restart);
	assert_true(lab_ssh_send("service_restart"));
	lab_order(l, &ssh_restart_b);
	lab_order(l, &ssh_ping);
	lab_pass(l, 0);
	ssh_reload(l, NULL);
	lab_order(l, &ssh_ping);
	assert_int_equal(lab_ssh_connections(), 3);
	lab_stop(l);
	assert_int_equal(lab_ssh_connections(), 0);
	assert_int_equal(lab_counter(l, "effects"), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_none, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_no_key, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_kept, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_stale, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_lost_after_sending, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_held, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_hung, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_many, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_reload, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_shutdown, ssh_setup, play_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
