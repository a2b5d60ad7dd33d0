/* SPDX-License-Identifier: MIT */
/*
 * Every way in which something granted can go on, from the last look to the result: what Proxmox answers, what it does
 * not, and what is then said. Nothing is asked for twice, and nothing is called done that was not seen.
 */
#include "tests/unit/check.h"
#include "tests/unit/executor_plays.h"
#include "tests/unit/faulty_vfs.h"

#include <stdio.h>

#define STOP_TASK "DELETE /nodes/pve/tasks/"
#define LOG LAB_STATUS "qmstart%3A101%3Ajarvis%40pve%21control%3A/log"
#define TASK_RUNS "{\"data\":{\"status\":\"running\"}}"
#define TASK_ENDS(words) "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"" words "\"}}"
#define ROW(upid) "{\"upid\":\"" upid "\"}"
#define HOUR_MS 3600000

/* The status of the task that is due is answered, then its log. */
static void poll(struct lab *l, const char *status, const char *log)
{
	lab_pass(l, 5000);
	lab_answer(l, LAB_STATUS, status);
	if (lab_is_asked(l, LOG))
		lab_answer(l, LOG, log);
}

/* ── sending ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_all_goes_well(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	poll(l, TASK_RUNS, "{\"data\":[{\"n\":1,\"t\":\"one\"},{\"n\":2,\"t\":\"\"}]}");
	assert_non_null(strstr(lab_last(l, TOPIC_X_PROGRESS), "\"line\":\"one\""));
	/* The lines that were seen are not asked for again. */
	lab_pass(l, 5000);
	lab_answer(l, LAB_STATUS, TASK_ENDS("WARNINGS: 2"));
	assert_true(lab_is_asked(l, LOG "?start=2&limit=500"));
	lab_answer(l, LOG, LAB_NONE);
	lab_answer(l, LAB_CURRENT, LAB_RUNNING);
	lab_pass(l, 0);
	lab_expect(l, "verified", "Done, and verified. The task had warnings.");
	assert_int_equal(lab_counter(l, "effects"), 1);
}

/* Accepted, but with something that is not the task that was asked for: it is looked for. */
static void test_strange_acceptance(void **state)
{
	static const char *const answers[] = {
		"{\"data\":\"done\"}",
		"{\"data\":\"UPID:pve:0008380E:0131F1BF:6A84EA54:qmstart:102:jarvis@pve!control:\"}",
		"{\"data\":7}",
		"{}",
	};
	struct lab *l = *state;

	for (size_t i = 0; i < countof(answers); i++) {
		lab_send_101(l);
		lab_answer(l, PLAY_START, answers[i]);
		lab_answer(l, LAB_TASKS, "{\"data\":[" ROW(LAB_UPID) "]}");
		poll(l, PLAY_TASK_OK, LAB_NONE);
		lab_answer(l, LAB_CURRENT, LAB_RUNNING);
		lab_pass(l, 0);
		lab_expect(l, "verified", LAB_UPID);
	}
	assert_int_equal(lab_counter(l, "adopted"), countof(answers));
	assert_int_equal(lab_counter(l, "effects"), countof(answers));
}

static void test_took_it_and_did_nothing(void **state)
{
	struct lab *l = *state;

	lab_send_101(l);
	lab_answer(l, PLAY_START, "{\"data\":\"OK\"}");
	lab_pass(l, 0);
	lab_expect(l, "failed", "did nothing: the guest is not on pve");
}

/* The answer is lost, and of two tasks either could be ours. */
static void test_several_could_be(void **state)
{
	struct lab *l = *state;

	lab_send_101(l);
	lab_lose(l, PLAY_START, HTTP_TIMEOUT, true);
	lab_answer(
		l, LAB_TASKS,
		"{\"data\":[" ROW(LAB_UPID) "," ROW(LAB_UPID) "," ROW(
			"UPID:pve:0008380F:0131F1BF:6A84EA54:qmstart:101:jarvis@pve!control:") "]}");
	lab_pass(l, 0);
	lab_expect(l, "unknown", "several tasks could be the one. It is not tried again.");
	assert_false(lab_is_asked(l, "POST"));
}

static void test_no_task_of_it(void **state)
{
	struct lab *l = *state;

	lab_send_101(l);
	lab_lose(l, PLAY_START, HTTP_BROKEN, true);
	for (int i = 0; i < 4; i++) {
		lab_expect_none(l);
		lab_answer(l, LAB_TASKS, LAB_NONE);
		lab_pass(l, 2000);
	}
	lab_expect(l, "unknown", "Proxmox lists no task of it");
}

/* While the node does not say what runs on it, it is asked for a minute. */
static void test_blind(void **state)
{
	struct lab *l = *state;
	int64_t until = l->boot + 60000;

	lab_send_101(l);
	lab_lose(l, PLAY_START, HTTP_TIMEOUT, true);
	while (l->boot <= until) {
		lab_expect_none(l);
		lab_refuse(l, LAB_TASKS, 500, "no");
		lab_pass(l, 2000);
	}
	lab_answer(l, LAB_TASKS, "{\"data\":7}");
	lab_pass(l, 0);
	lab_expect(l, "unknown", "the node cannot be asked for its tasks");
	assert_int_equal(lab_counter(l, "ambiguous"), 1);
}

/* It never left: that is certain. */
static void test_never_left(void **state)
{
	static const enum http_outcome outcomes[] = { HTTP_UNREACHABLE, HTTP_NOT_TRUSTED,
						      HTTP_REFUSED };
	struct lab *l = *state;

	for (size_t i = 0; i < countof(outcomes); i++) {
		lab_send_101(l);
		lab_lose(l, PLAY_START, outcomes[i], false);
		lab_pass(l, 0);
		lab_expect(l, "failed", "Proxmox was asked and did not do it");
		lab_pass(l, 120000);
	}
	assert_int_equal(lab_counter(l, "ambiguous"), 0);
}

/* ── following ─────────────────────────────────────────────────────────────────────────────────────────────── */

/* What it says of the task makes no sense, or it says nothing: the task goes on, and is asked for again. */
static void test_blind_on_the_way(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	lab_pass(l, 5000);
	lab_refuse(l, LAB_STATUS, 500, "no");
	poll(l, "{\"data\":{}}", NULL);
	poll(l, "{\"data\":[]}", NULL);
	poll(l, TASK_RUNS, "{\"data\":7}");
	lab_pass(l, 5000);
	lab_answer(l, LAB_STATUS, TASK_RUNS);
	lab_refuse(l, LOG, 596, "no");
	poll(l, PLAY_TASK_OK, "{\"data\":[{\"n\":1,\"t\":\"\"}]}");
	lab_answer(l, LAB_CURRENT, LAB_RUNNING);
	lab_pass(l, 0);
	lab_expect(l, "verified", "Done");
	assert_int_equal(lab_count(l, TOPIC_X_PROGRESS), 1);
}

static void test_takes_too_long(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	lab_pass(l, HOUR_MS);
	lab_answer(l, LAB_STATUS, TASK_RUNS);
	lab_answer(l, LOG, LAB_NONE);
	lab_pass(l, 0);
	lab_expect(l, "unknown", "has not ended after 120 s; it goes on at Proxmox");
}

/* High availability takes the wish at once, and carries it out in its own time. */
static void test_managed(void **state)
{
	struct lab *l = *state;

	lab_send_101(l);
	lab_answer(
		l, PLAY_START,
		"{\"data\":\"UPID:pve:0008380E:0131F1BF:6A84EA54:hastart:101:jarvis@pve!control:\"}");
	lab_pass(l, 0);
	lab_answer(l, LAB_STATUS "hastart", PLAY_TASK_OK);
	lab_answer(l, LAB_STATUS "hastart", LAB_NONE);
	for (int i = 0; i < 12; i++) {
		lab_answer(l, LAB_CURRENT, LAB_STOPPED);
		lab_pass(l, 5000);
		lab_expect_none(l);
	}
	lab_answer(l, LAB_CURRENT, LAB_RUNNING);
	lab_pass(l, 0);
	lab_expect(l, "verified", "Done");
}

/* ── cancelling ────────────────────────────────────────────────────────────────────────────────────────────── */

/* Whether it became so before it was stopped may be looked at; it did not. */
static void expect_cancelled(struct lab *l, const char *words)
{
	for (int i = 0; i < 20 && lab_is_asked(l, LAB_CURRENT); i++) {
		lab_answer(l, LAB_CURRENT, LAB_STOPPED);
		lab_pass(l, 1000);
	}
	lab_pass(l, 0);
	lab_expect(l, "", "was cancelled");
	lab_expect(l, "", words);
}

/* While the request is on its way: as soon as there is a task it is stopped, once. */
static void test_cancelled_on_its_way(void **state)
{
	struct lab *l = *state;

	lab_send_101(l);
	lab_cancel(l);
	assert_false(lab_is_asked(l, STOP_TASK));
	lab_answer(l, PLAY_START, "{\"data\":\"" LAB_UPID "\"}");
	assert_true(lab_is_asked(l, STOP_TASK));
	lab_cancel(l);
	lab_answer(l, STOP_TASK, "{\"data\":null}");
	lab_cancel(l);
	assert_false(lab_is_asked(l, STOP_TASK));
	poll(l, TASK_ENDS("interrupted by signal"), LAB_NONE);
	expect_cancelled(l, "interrupted by signal");
}

static void test_cancel_that_is_refused(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	lab_cancel(l);
	lab_refuse(l, STOP_TASK, 403, "Permission check failed (/nodes/pve, Sys.Modify)");
	assert_non_null(strstr(lab_last(l, TOPIC_X_PROGRESS), "Sys.Modify"));
	poll(l, PLAY_TASK_OK, LAB_NONE);
	lab_answer(l, LAB_CURRENT, LAB_RUNNING);
	lab_pass(l, 0);
	lab_expect(l, "verified", "It was too late to cancel it.");
}

/* Whether the task was stopped is not known, nor how it ended. */
static void test_cancel_that_is_lost(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	lab_cancel(l);
	lab_lose(l, STOP_TASK, HTTP_TIMEOUT, true);
	for (int i = 0; i < 3; i++) {
		lab_expect_none(l);
		poll(l, TASK_ENDS("unexpected status"), LAB_NONE);
	}
	expect_cancelled(l, "unexpected status");
}

/* With a result that is only waited for there is nothing to stop. */
static void test_cancelled_after_the_end(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	poll(l, TASK_ENDS("no"), LAB_NONE);
	lab_cancel(l);
	assert_false(lab_is_asked(l, STOP_TASK));
	lab_pass(l, 0);
	lab_expect(l, "failed", "\"The task failed: no\"");
}

/* ── verifying ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void verify(struct lab *l, const char *task, const char *seen)
{
	int64_t until;

	lab_follow_101(l);
	poll(l, task, LAB_NONE);
	for (until = l->boot + 20000; lab_is_asked(l, LAB_CURRENT); lab_pass(l, 5000)) {
		if (seen)
			lab_answer(l, LAB_CURRENT, seen);
		else
			lab_refuse(l, LAB_CURRENT, 596, "no path");
	}
	assert_true(l->boot >= until);
}

static void test_is_not_so(void **state)
{
	struct lab *l = *state;

	verify(l, PLAY_TASK_OK, LAB_STOPPED);
	lab_expect(l, "still_failing", "Proxmox says that it is done, but it is stopped.\"");
	verify(l, TASK_ENDS("WARNINGS: 1"), LAB_STOPPED);
	lab_expect(l, "still_failing", "but it is stopped. The task had warnings.");
}

static void test_cannot_be_seen(void **state)
{
	struct lab *l = *state;

	verify(l, PLAY_TASK_OK, NULL);
	lab_expect(l, "unknown", "It was done, but it could not be verified: pve has no path");
	verify(l, PLAY_TASK_OK, "{\"data\":[]}");
	lab_expect(l, "unknown", "It was done, but it could not be verified");
}

static void test_is_gone(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	poll(l, PLAY_TASK_OK, LAB_NONE);
	for (int i = 0; i < 20 && lab_is_asked(l, LAB_CURRENT); i++) {
		lab_refuse(l, LAB_CURRENT, 500,
			   "Configuration file 'nodes/pve/qemu-server/101.conf' does not exist");
		lab_pass(l, 5000);
	}
	lab_expect(l, "unknown", "it is not there");
}

/* A container has no reset button. */
static void test_cannot_be_asked_for(void **state)
{
	static const struct lab_order reset = {
		"guest_reset", "red", "{\"cluster\":\"home\",\"guest\":102}", "home/guest/102",
		"{\"object\":\"home/guest/102\",\"name\":\"ct\",\"type\":\"lxc\",\"node\":\"pve\","
		"\"status\":\"running\",\"lock\":null}"
	};
	struct lab *l = *state;

	lab_order(l, &reset);
	lab_answer(l, "GET /nodes/pve/lxc/102/status/current",
		   "{\"data\":{\"status\":\"running\",\"name\":\"ct\"}}");
	lab_pass(l, 0);
	lab_expect(l, "failed", "Nothing was done: ");
	assert_null(l->calls);
	assert_int_equal(lab_counter(l, "effects"), 0);
}

/* ── the disk ───────────────────────────────────────────────────────────────────────────────────────────────── */

/* The task's number cannot be written down: it goes on all the same, and its result is said. */
static void test_disk_fails_on_the_way(void **state)
{
	struct lab *l = *state;

	lab_send_101(l);
	faulty_vfs_arm((struct faulty_plan){ FAULT_WRITE, 1, true });
	lab_answer(l, PLAY_START, "{\"data\":\"" LAB_UPID "\"}");
	poll(l, PLAY_TASK_OK, LAB_NONE);
	lab_answer(l, LAB_CURRENT, LAB_RUNNING);
	lab_pass(l, 0);
	(void)faulty_vfs_disarm();
	lab_expect(l, "verified", LAB_UPID);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, play_setup_started, play_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_goes_well),
		TEST(strange_acceptance),
		TEST(took_it_and_did_nothing),
		TEST(several_could_be),
		TEST(no_task_of_it),
		TEST(blind),
		TEST(never_left),
		TEST(blind_on_the_way),
		TEST(takes_too_long),
		TEST(managed),
		TEST(cancelled_on_its_way),
		TEST(cancel_that_is_refused),
		TEST(cancel_that_is_lost),
		TEST(cancelled_after_the_end),
		TEST(is_not_so),
		TEST(cannot_be_seen),
		TEST(is_gone),
		TEST(cannot_be_asked_for),
		TEST(disk_fails_on_the_way),
	};

	faulty_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
