/* SPDX-License-Identifier: MIT */
/*
 * Steps that go to the node itself, and of which it is not certain what became: no answer, none that can be believed, a
 * restart meanwhile. They left once; the unit is looked at, and what it does not tell is called unknown.
 */
#include "common/alloc.h"
#include "tests/unit/check.h"
#include "tests/unit/executor_ssh_plays.h"

#define AGAIN "It is not tried again."
#define LOST "and it is not known what became of it"
#define BEGIN "JARVIS-BEGIN @ 1\n"
#define OTHER "00000000000000000000000000000000"

/* ── a change whose answer is none ─────────────────────────────────────────────────────────────────────────── */

static const struct {
	enum ssh_outcome outcome;
	const char *bytes;
} none[] = {
	{ SSH_ENDED, "" },
	{ SSH_ENDED, BEGIN "\nJARVIS-END @ signal 9 0 0 0 0 5\n" },
	{ SSH_ENDED, BEGIN "\nJARVIS-END @ timeout 0 0 0 0 0 5\n" },
	{ SSH_ENDED, BEGIN "\nJARVIS-END @ flood 0 0 0 0 0 5\n" },
	{ SSH_ENDED, BEGIN "\nJARVIS-END " OTHER " exit 0 0 0 0 0 5\n" },
	{ SSH_ENDED, BEGIN "\nJARVIS-END @ exit 0 1 0 0 0 5\n" },
	{ SSH_ENDED, BEGIN "\nJARVIS-END @ exit 0 0 0 0 0" },
	{ SSH_FAILED, "" },
	{ SSH_KILLED, BEGIN },
	{ SSH_TIMEOUT, BEGIN "\nJARVIS-END @ exit 0 0 0 0 0 5\n" },
	{ SSH_TOO_LARGE, "" },
	{ SSH_CUT, BEGIN "\nJARVIS-END @ exit 0 0 0 0 0 5\n" },
};

static void test_lost_answers(void **state)
{
	struct lab *l = *state;

	for (size_t i = 0; i < countof(none); i++) {
		/* The unit tells: it was done, or it was not. */
		ssh_begin_change(l, &ssh_restart);
		lab_ssh_end("service_restart", none[i].outcome, none[i].bytes);
		lab_pass(l, 0);
		ssh_answer(l, "service_status", "exit 0", UNIT_NEW, "");
		lab_expect(l, "verified", "Its own answer was: ");
		ssh_begin_change(l, &ssh_restart);
		lab_ssh_end("service_restart", none[i].outcome, none[i].bytes);
		lab_pass(l, 0);
		ssh_keep_saying(l, "exit 0", UNIT_OLD);
		lab_expect(l, "unknown", LOST);
		lab_expect(l, "unknown", "has been so since before. " AGAIN);
		/* A command has nothing that tells. */
		ssh_begin(l, &ssh_scrub);
		lab_ssh_end("run_command", none[i].outcome, none[i].bytes);
		lab_pass(l, 0);
		lab_expect(l, "unknown", LOST);
		assert_false(lab_ssh_is_asked("run_command"));
	}
	assert_int_equal(lab_counter(l, "effects"), countof(none) * 3);
	assert_int_equal(lab_counter(l, "ambiguous"), countof(none) * 3);
}

/* Not even to be looked at again. */
static void test_lost_for_good(void **state)
{
	struct lab *l = *state;

	ssh_begin_change(l, &ssh_restart);
	assert_true(lab_ssh_send("service_restart"));
	lab_ssh_cut();
	for (int i = 0; i < 100 && !lab_ssh_is_asked("service_restart"); i++) {
		if (lab_ssh_connecting())
			lab_ssh_refuse(SSH_END_UNREACHABLE, "10.0.0.1:22 cannot be reached");
		lab_pass(l, 500);
	}
	lab_expect(l, "unknown",
		   "(10.0.0.1:22 has its reasons); 10.0.0.1:22 cannot be reached. " AGAIN);
	assert_int_equal(lab_counter(l, "effects"), 1);
}

/* ── cancelled, and restarted ──────────────────────────────────────────────────────────────────────────────── */

static void test_cancel(void **state)
{
	struct lab *l = *state;

	/* While it is only looked at: nobody waits for the answer any more. */
	ssh_begin(l, &ssh_restart);
	assert_true(lab_ssh_send("service_status"));
	lab_cancel(l);
	lab_pass(l, 0);
	lab_expect(l, "cancelled", "before anything was done");
	assert_int_equal(lab_ssh_cancelled(), 1);
	assert_false(lab_ssh_is_asked("service_status"));
	/* While it waits for its connection: it does not leave. */
	lab_ssh_cut();
	lab_order(l, &ssh_scrub);
	lab_pass(l, 0);
	lab_cancel(l);
	lab_pass(l, 1000);
	lab_expect_none(l);
	lab_ssh_up();
	assert_false(lab_ssh_send("run_command"));
	lab_pass(l, 0);
	lab_expect(l, "cancelled", "Nothing was done: it was cancelled.");
	/* Once it left it is too late. */
	ssh_begin_change(l, &ssh_restart);
	assert_true(lab_ssh_send("service_restart"));
	lab_cancel(l);
	lab_pass(l, 0);
	lab_expect_none(l);
	ssh_answer(l, "service_restart", "exit 0", "", "");
	ssh_answer(l, "service_status", "exit 0", UNIT_NEW, "");
	lab_expect(l, "verified", "It was too late to cancel it.");
}

static void restart(struct lab *l)
{
	lab_stop(l);
	assert_int_equal(lab_ssh_connections(), 0);
	lab_start(l);
	lab_pass(l, 0);
}

static void test_restarts(void **state)
{
	struct lab *l = *state;

	/* Before it was journaled that it leaves. */
	ssh_begin(l, &ssh_restart);
	restart(l);
	lab_expect(l, "failed", "restarted before it had asked");
	/* Afterwards, whether it left or not: the unit tells. */
	for (int has_left = 0; has_left < 2; has_left++) {
		ssh_begin_change(l, &ssh_restart);
		if (has_left)
			assert_true(lab_ssh_send("service_restart"));
		restart(l);
		lab_ssh_up();
		ssh_answer(l, "service_status", "exit 0", UNIT_NEW, "");
		lab_expect(l, "verified", "the executor was restarted meanwhile");
		ssh_begin_change(l, &ssh_restart);
		if (has_left)
			assert_true(lab_ssh_send("service_restart"));
		restart(l);
		lab_ssh_up();
		ssh_keep_saying(l, "exit 0", UNIT_OLD);
		lab_expect(l, "unknown", AGAIN);
		assert_false(lab_ssh_is_asked("service_restart"));
	}
	/* A command has nothing that tells. */
	ssh_begin(l, &ssh_scrub);
	restart(l);
	lab_expect(l, "unknown", "the executor was restarted meanwhile. " AGAIN);
	assert_null(lab_ssh_connecting());
	/* Where it leads is not known any more. */
	ssh_begin_change(l, &ssh_restart);
	lab_stop(l);
	config_free(lab_configure(l, "clusters: {home: {" LAB_ACTS ", nodes: {" LAB_NODES
				     "}}}\nself: external\n"));
	lab_start(l);
	lab_pass(l, 0);
	lab_expect(l, "unknown", "executor.ssh is not set in jarvis.yaml. " AGAIN);
	assert_int_equal(lab_counter(l, "effects"), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lost_answers, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_lost_for_good, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_cancel, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_restarts, ssh_setup, play_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
