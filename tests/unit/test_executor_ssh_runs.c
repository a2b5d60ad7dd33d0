/* SPDX-License-Identifier: MIT */
/*
 * What becomes of a step that goes to the node itself, for everything that the node may answer.
 */
#include "common/alloc.h"
#include "tests/unit/check.h"
#include "tests/unit/executor_ssh_plays.h"
#include "tests/unit/faulty_vfs.h"

/* ── reads ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_reads(void **state)
{
	static const char rows[] = "heading\n100 40 60 10 1 ext4 /\n";
	struct lab *l = *state;

	ssh_begin(l, &ssh_status);
	assert_true(lab_ssh_says("service_status", "unit=smbd.service"));
	assert_int_equal(lab_ssh_timeout_ms("service_status"), 20000);
	ssh_answer(l, "service_status", "exit 0", UNIT_OLD, "");
	lab_expect(l, "verified", "ActiveState");
	ssh_begin(l, &ssh_ping);
	ssh_answer(l, "ping_node", "exit 0", "host=pve\n", "");
	lab_expect(l, "verified", "pve");
	ssh_begin(l, &ssh_journal);
	assert_true(lab_ssh_says("journal_tail", "lines=50"));
	lab_ssh_end("journal_tail", SSH_ENDED,
		    "JARVIS-BEGIN @ 1\n\nJARVIS-END @ exit 0 0 9 0 0 1\n");
	lab_pass(l, 0);
	lab_expect(l, "verified", "It was too long: the end of it is missing.");
	ssh_begin(l, &(struct lab_order){ "journal_tail", "green",
					  "{\"cluster\":\"home\",\"lines\":7,\"node\":\"pve\","
					  "\"unit\":\"smbd.service\"}",
					  ssh_journal.object, ssh_journal.target });
	assert_true(lab_ssh_says("journal_tail", "lines=7"));
	ssh_answer(l, "journal_tail", "exit 0", "", "No journal files were found.\n");
	lab_expect(l, "failed", "It could not be read: it ended with status 0: No journal files");
	ssh_begin(l, &ssh_disks);
	ssh_answer(l, "disk_usage", "exit 0", rows, "");
	lab_expect(l, "verified", "ext4");
	/* One of them could not be read. */
	ssh_begin(l, &ssh_disks);
	ssh_answer(l, "disk_usage", "exit 1", rows, "df: /x: gone\n");
	lab_expect(l, "verified", "it ended with status 1: df: /x: gone");
	ssh_begin(l, &ssh_disks);
	ssh_answer(l, "disk_usage", "exit 1", "", "df: no");
	lab_expect(l, "failed", "It could not be read: it ended with status 1: df: no");
	/* What a node says may not look like ours. */
	ssh_begin(l, &ssh_ping);
	ssh_answer(l, "ping_node", "exit 2", "", "a\x1b[2J\nb \n\n");
	lab_expect(l, "failed", "it ended with status 2: a?[2J b\"");
	assert_int_equal(lab_counter(l, "ssh_connects"), 1);
	assert_int_equal(lab_counter(l, "effects"), 0);
}

#define BEGIN "JARVIS-BEGIN @ 1\n"
#define OTHER "00000000000000000000000000000000"

/* No answer, or one that cannot be believed: nothing is said that was not read. */
static void test_read_fails(void **state)
{
	static const struct {
		enum ssh_outcome outcome;
		const char *bytes, *words;
	} rows[] = {
		{ SSH_ENDED, BEGIN "\nJARVIS-END @ signal 11 0 0 0 0 5\n", "killed by signal 11" },
		{ SSH_ENDED, BEGIN "\nJARVIS-END @ timeout 0 0 0 0 0 5\n", "did not end in time" },
		{ SSH_ENDED, BEGIN "\nJARVIS-END @ flood 0 0 0 0 0 5\n", "it wrote too much" },
		{ SSH_ENDED, BEGIN "not\nJARVIS-END @ refused 69 0 0 3 0 5\n",
		  "the node refused it: not" },
		{ SSH_ENDED, "", "it has no beginning" },
		{ SSH_KILLED, "Killed\n", "it has no beginning" },
		{ SSH_FAILED, "", "it has no beginning: 10.0.0.1:22 has its reasons: perl: not" },
		{ SSH_FAILED, BEGIN "host=p", "it was cut off" },
		{ SSH_ENDED, "JARVIS-BEGIN " OTHER " 1\n\nJARVIS-END " OTHER " exit 0 0 0 0 0 5\n",
		  "it has no beginning" },
		{ SSH_ENDED, BEGIN "\nJARVIS-END " OTHER " exit 0 0 0 0 0 5\n", "it was cut off" },
		{ SSH_ENDED, BEGIN "host=pve\nJARVIS-END @ exit 0 7 0 0 0 5\n",
		  "its length is not what it says" },
		{ SSH_ENDED, BEGIN "host=pve\nJARVIS-END @ exit 0 4 0 5 0 5\n",
		  "its length is not what it says" },
		{ SSH_TIMEOUT, BEGIN "host=pve\nJARVIS-END @ exit 0 8 0 0 0 5\n",
		  "has its reasons" },
		{ SSH_TOO_LARGE, BEGIN "host=pve\nJARVIS-END @ exit 0 8 0 0 0 5\n",
		  "has its reasons" },
		{ SSH_NOT_RUN, "", "has its reasons" },
	};
	struct lab *l = *state;

	for (size_t i = 0; i < countof(rows); i++) {
		ssh_begin(l, &ssh_ping);
		lab_ssh_end("ping_node", rows[i].outcome, rows[i].bytes);
		lab_pass(l, 0);
		lab_expect(l, "failed", rows[i].words);
		lab_expect(l, "failed", "It could not be read: ");
	}
	assert_int_equal(lab_counter(l, "ssh_reads"), countof(rows));
}

/* ── what is looked at before ──────────────────────────────────────────────────────────────────────────────── */

static void test_before(void **state)
{
	static const struct {
		const char *end, *out, *words;
	} rows[] = {
		{ "exit 1", "", "it could not be looked at first: it ended with status 1" },
		{ "exit 0", "nonsense\n", "what systemd says makes no sense" },
		{ "exit 0", "LoadState=not-found\nActiveState=inactive\n",
		  "smbd.service is not-found on pve" },
	};
	struct lab *l = *state;

	for (size_t i = 0; i < countof(rows); i++) {
		ssh_begin(l, &ssh_restart);
		ssh_answer(l, "service_status", rows[i].end, rows[i].out, "");
		lab_expect(l, "failed", "Nothing was done: ");
		lab_expect(l, "failed", rows[i].words);
	}
	assert_int_equal(lab_counter(l, "effects"), 0);
	/* What was decided meanwhile counts. */
	ssh_begin(l, &ssh_restart);
	lab_write(l, "run/frozen", "");
	ssh_answer(l, "service_status", "exit 0", UNIT_OLD, "");
	lab_expect(l, "failed", "Nothing was done: frozen by the file");
	assert_false(lab_ssh_is_asked("service_restart"));
	lab_remove(l, "run/frozen");
}

/* Without a durable note that it leaves it does not. */
static void test_no_disk(void **state)
{
	struct lab *l = *state;

	ssh_begin(l, &ssh_restart);
	faulty_vfs_arm((struct faulty_plan){ FAULT_DISK_FULL, 1, true });
	ssh_answer(l, "service_status", "exit 0", UNIT_OLD, "");
	assert_true(faulty_vfs_disarm() > 0);
	lab_expect(l, "failed", "Nothing was done: the journal cannot be written: ");
	assert_false(lab_ssh_is_asked("service_restart"));
}

static void test_nowhere(void **state)
{
	static const struct lab_order at_c = { "ping_node", "green",
					       "{\"cluster\":\"home\",\"node\":\"c\"}", NULL,
					       NULL };
	static const struct lab_order at_d = { "ping_node", "green",
					       "{\"cluster\":\"home\",\"node\":\"d\"}", NULL,
					       NULL };
	static const char no_ssh[] =
		"clusters: {home: {" LAB_ACTS ", nodes: {" LAB_NODES "}}}\nself: external\n";
	struct lab *l = *state;

	lab_order(l, &at_c);
	lab_pass(l, 0);
	lab_expect(l, "failed", "the node has no address in jarvis.yaml");
	lab_order(l, &at_d);
	lab_pass(l, 0);
	lab_expect(l, "failed", "the node has no address in jarvis.yaml");
	/* A step that is on its way keeps what it began with; the next one finds nothing. */
	ssh_begin_change(l, &ssh_restart);
	ssh_reload(l, no_ssh);
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	lab_order(l, &ssh_ping);
	lab_pass(l, 0);
	lab_expect(l, "failed", "clusters.NAME.executor.ssh is not set in jarvis.yaml");
	lab_ssh_up();
	ssh_answer(l, "service_restart", "exit 0", "", "");
	ssh_answer(l, "service_status", "exit 0", UNIT_NEW, "");
	assert_int_equal(lab_counter(l, "results_verified"), 1);
	lab_order(l, &ssh_scrub);
	lab_pass(l, 0);
	lab_expect(l, "failed", "clusters.NAME.executor.ssh is not set in jarvis.yaml");
}

/* ── a change that is answered ─────────────────────────────────────────────────────────────────────────────── */

static void test_change(void **state)
{
	struct lab *l = *state;

	ssh_begin_change(l, &ssh_restart);
	assert_int_equal(lab_ssh_timeout_ms("service_restart"), 110000);
	ssh_answer(l, "service_restart", "exit 0", "", "");
	/* It takes a moment. */
	lab_ssh_answer("service_status", "exit 0", "LoadState=loaded\nActiveState=activating\n",
		       "");
	lab_expect_none(l);
	lab_pass(l, 500);
	ssh_answer(l, "service_status", "exit 0", UNIT_NEW, "");
	lab_expect(l, "verified", "Done, and verified: the unit is active (running).\"");
	ssh_begin_change(l, &ssh_stop);
	ssh_answer(l, "service_stop", "exit 0", "", "");
	ssh_answer(l, "service_status", "exit 0", UNIT_DEAD, "");
	lab_expect(l, "verified", "Done, and verified: the unit is inactive (dead).");
	assert_int_equal(lab_counter(l, "effects"), 2);
}

static void test_change_fails(void **state)
{
	struct lab *l = *state;
	int64_t began;

	/* It says itself that it failed: that is soon certain. */
	ssh_begin_change(l, &ssh_restart);
	ssh_answer(l, "service_restart", "exit 1", "", "Job failed.");
	began = l->boot;
	ssh_keep_saying(l, "exit 0", UNIT_DEAD);
	lab_expect(l, "failed",
		   "It failed, it ended with status 1: Job failed.; the unit is inactive (dead).");
	assert_true(l->boot - began < 5000);
	/* It says that all is well, and the unit does not. */
	ssh_begin_change(l, &ssh_restart);
	ssh_answer(l, "service_restart", "exit 0", "", "");
	began = l->boot;
	ssh_keep_saying(l, "exit 0", UNIT_OLD);
	lab_expect(l, "still_failing", "The node says that it is done, but the unit is active");
	assert_true(l->boot - began >= 20000);
	/* The unit cannot be looked at, or says nothing of sense. */
	ssh_begin_change(l, &ssh_restart);
	ssh_answer(l, "service_restart", "exit 0", "", "");
	ssh_keep_saying(l, "exit 0", "nonsense\n");
	lab_expect(l, "unknown", "could not be verified: what systemd says makes no sense");
	ssh_begin_change(l, &ssh_stop);
	ssh_answer(l, "service_stop", "exit 0", "", "");
	ssh_keep_saying(l, "exit 1", "");
	lab_expect(l, "unknown", "could not be verified: it ended with status 1");
	/* It did nothing. */
	ssh_begin_change(l, &ssh_stop);
	ssh_answer(l, "service_stop", "refused 69", "", "not listed");
	lab_expect(l, "failed", "Nothing was done: the node refused it: not listed");
	assert_false(lab_ssh_is_asked("service_status"));
}

/* ── commands ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_command(void **state)
{
	struct lab *l = *state;

	ssh_begin(l, &ssh_scrub);
	assert_true(lab_ssh_says("run_command", "command_id=scrub"));
	assert_true(lab_ssh_says("run_command", "pool=tank"));
	assert_int_equal(lab_ssh_timeout_ms("run_command"), 100000);
	ssh_answer(l, "run_command", "exit 0", "one\ntwo\n", "");
	lab_expect(l, "verified", "The command says that it is done.");
	lab_expect(l, "verified", "two");
	ssh_begin(l, &ssh_scrub);
	ssh_answer(l, "run_command", "exit 3", "one\n", "no pool");
	lab_expect(l, "failed", "it ended with status 3: no pool");
	ssh_begin(l, &ssh_scrub);
	lab_ssh_end("run_command", SSH_ENDED, BEGIN "one\n\nJARVIS-END @ exit 0 4 7 0 0 5\n");
	lab_pass(l, 0);
	lab_expect(l, "verified", "too long: the end of it is missing");
	ssh_begin(l, &ssh_scrub);
	lab_ssh_end("run_command", SSH_NOT_RUN, "");
	lab_pass(l, 0);
	lab_expect(l, "failed", "Nothing was done: 10.0.0.1:22 has its reasons");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_reads, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_read_fails, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_before, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_no_disk, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_nowhere, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_change, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_change_fails, ssh_setup, play_teardown),
		cmocka_unit_test_setup_teardown(test_command, ssh_setup, play_teardown),
	};

	faulty_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
