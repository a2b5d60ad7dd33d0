/* SPDX-License-Identifier: MIT */
/*
 * What the executor takes up after it has ended in the middle of something: never a second request, always a result,
 * whatever has become of the clock, the configuration, the token or the journal meanwhile.
 */
#include "common/alloc.h"
#include "tests/unit/check.h"
#include "tests/unit/executor_plays.h"
#include "tests/unit/faulty_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

#define TASK_RUNS "{\"data\":{\"status\":\"running\"}}"

static void change(const struct lab *l, const char *sql)
{
	_cleanup_(freep) char *path = xasprintf("%s/executor.db", l->data);
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_changes(db), 1);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* Ended, SQL done to its journal, and there again. */
static void restart(struct lab *l, const char *sql)
{
	lab_stop(l);
	if (sql)
		change(l, sql);
	lab_start(l);
}

static void run_well(struct lab *l)
{
	play_task_well(l);
	lab_expect(l, "verified", "Done");
	assert_int_equal(lab_counter(l, "effects"), 1);
}

static void test_nothing_was_asked(void **state)
{
	struct lab *l = *state;

	lab_order(l, &lab_start_101);
	restart(l, NULL);
	lab_pass(l, 0);
	lab_expect(l, "failed", "restarted before it had asked Proxmox");
	assert_int_equal(lab_counter(l, "effects"), 0);
}

static void test_task_goes_on(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	restart(l, NULL);
	run_well(l);
}

/* It counts from what the clock says; one that was set back says that it is yet to come. */
static void test_clock_set_back(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	l->wall -= 86400000;
	restart(l, NULL);
	lab_pass(l, 5000);
	lab_answer(l, LAB_STATUS, TASK_RUNS);
	lab_answer(l, LAB_STATUS, LAB_NONE);
	lab_expect_none(l);
	/* And its time is over when it is over, not a day later. */
	lab_pass(l, 200000);
	lab_answer(l, LAB_STATUS, TASK_RUNS);
	lab_answer(l, LAB_STATUS, LAB_NONE);
	lab_pass(l, 0);
	lab_expect(l, "unknown", "has not ended after 120 s");
}

static void test_long_ago(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	l->wall += 86400000;
	l->boot = 1;
	restart(l, NULL);
	lab_pass(l, 5000);
	lab_answer(l, LAB_STATUS, TASK_RUNS);
	lab_answer(l, LAB_STATUS, LAB_NONE);
	lab_pass(l, 200000);
	lab_answer(l, LAB_STATUS, TASK_RUNS);
	lab_answer(l, LAB_STATUS, LAB_NONE);
	lab_pass(l, 0);
	lab_expect(l, "unknown", "it goes on at Proxmox");
}

/* The task's number is not known, or is none: it is looked for. */
static void test_task_is_found(void **state)
{
	static const char *const sql[] = { "UPDATE step SET upid = NULL WHERE over = 0",
					   "UPDATE step SET upid = 'no task' WHERE over = 0" };
	struct lab *l = *state;

	for (size_t i = 0; i < countof(sql); i++) {
		lab_follow_101(l);
		restart(l, sql[i]);
		lab_pass(l, 0);
		lab_answer(l, LAB_TASKS, "{\"data\":[{\"upid\":\"" LAB_UPID "\"}]}");
		lab_pass(l, 5000);
		lab_answer(l, LAB_STATUS, PLAY_TASK_OK);
		lab_answer(l, LAB_STATUS, LAB_NONE);
		lab_answer(l, LAB_CURRENT, LAB_RUNNING);
		lab_pass(l, 0);
		lab_expect(l, "verified", LAB_UPID);
		lab_settle(l);
	}
	assert_int_equal(lab_counter(l, "effects"), countof(sql));
}

static void test_no_task_tells(void **state)
{
	struct lab *l = *state;

	lab_order(l, &play_reboot_pve);
	lab_answer(l, "GET /nodes/pve/status", "{\"data\":{\"uptime\":5000}}");
	lab_answer(l, "GET /cluster/status",
		   "{\"data\":[{\"type\":\"node\",\"name\":\"pve\",\"online\":1}]}");
	assert_true(lab_is_asked(l, "POST /nodes/pve/status"));
	restart(l, NULL);
	lab_pass(l, 0);
	lab_answer(l, "GET /nodes/pve/status", "{\"data\":{\"uptime\":5001}}");
	lab_expect_none(l);
	lab_pass(l, 5000);
	lab_answer(l, "GET /nodes/pve/status", "{\"data\":{\"uptime\":2}}");
	lab_pass(l, 0);
	lab_expect(l, "verified", "Done");
	assert_int_equal(lab_counter(l, "effects"), 1);
}

static void test_cluster_is_gone(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	lab_stop(l);
	config_free(lab_configure(l, "self: external\n"));
	assert_int_equal(lab_boot(l), 0);
	lab_connect(l);
	lab_pass(l, 0);
	lab_expect(l, "unknown", "its cluster is not configured any more");
}

/* Without a token nobody can be asked: not for ever is that waited for. */
/* Without a token nobody can be asked: for two minutes it is waited for, and no longer. */
static void test_token_is_gone(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	lab_stop(l);
	lab_write(l, "secrets/executor/home.token", "none");
	assert_int_equal(lab_boot(l), 0);
	lab_connect(l);
	lab_pass(l, 60000);
	lab_expect_none(l);
	lab_write(l, "secrets/executor/home.token", "11111111-2222");
	lab_pass(l, 5500);
	run_well(l);
}

static void test_token_stays_away(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	lab_stop(l);
	lab_write(l, "secrets/executor/home.token", "none");
	assert_int_equal(lab_boot(l), 0);
	lab_connect(l);
	lab_pass(l, 125000);
	lab_expect(l, "unknown", "cannot ask it now: secrets/executor/home.token");
}

static void test_cannot_be_read(void **state)
{
	struct lab *l = *state;

	lab_order(l, &lab_start_101);
	restart(l, "UPDATE step SET payload = 'x' WHERE over = 0");
	lab_expect(l, "failed", "cannot read what it had begun");
	lab_settle(l);
	lab_follow_101(l);
	restart(l, "UPDATE step SET payload = NULL WHERE over = 0");
	lab_expect(l, "unknown", "cannot read what it had begun");
	lab_settle(l);
	/* The result itself is lost: the task still tells. */
	lab_follow_101(l);
	play_task_well(l);
	restart(l, "UPDATE step SET result = NULL WHERE over = 0");
	play_task_well(l);
	lab_expect(l, "verified", "Done");
	assert_int_equal(lab_counter(l, "effects"), 2);
}

/* What the gate has heard is not said again, though the disk fails when that is to be noted. */
static void test_settling_fails(void **state)
{
	struct lab *l = *state;
	size_t results;

	lab_follow_101(l);
	run_well(l);
	faulty_vfs_arm((struct faulty_plan){ FAULT_WRITE, 1, true });
	lab_settle(l);
	assert_true(faulty_vfs_disarm() > 0);
	results = lab_count(l, TOPIC_X_RESULT);
	lab_pass(l, 600000);
	assert_int_equal(lab_count(l, TOPIC_X_RESULT), results);
	/* After a restart it is, and the gate says again that it knows. */
	restart(l, NULL);
	lab_pass(l, 0);
	assert_true(lab_count(l, TOPIC_X_RESULT) > results);
	lab_settle(l);
	results = lab_count(l, TOPIC_X_RESULT);
	lab_pass(l, 600000);
	assert_int_equal(lab_count(l, TOPIC_X_RESULT), results);
}

/* How often it did not begin, of all starts in which some access of that kind failed. */
static unsigned count_failures(struct lab *l, enum fault_kind fault)
{
	unsigned struck = 1, failed = 0;

	for (unsigned at = 1; struck; at++) {
		faulty_vfs_arm((struct faulty_plan){ fault, at, true });
		failed += lab_boot(l) < 0;
		struck = faulty_vfs_disarm();
		lab_stop(l);
		assert_null(l->calls);
		assert_null(l->timers);
	}
	return failed;
}

/* A journal that cannot be read, or is somebody else's: it does not begin, and what stands there is kept. */
static void test_does_not_begin(void **state)
{
	struct lab *l = *state;
	struct service_env env = l->env;
	void *second;

	assert_int_equal(executor_start(&env, &second), -EWOULDBLOCK);
	lab_follow_101(l);
	lab_stop(l);
	assert_true(count_failures(l, FAULT_OPEN) > 0);
	assert_true(count_failures(l, FAULT_BUSY) > 0);
	assert_true(count_failures(l, FAULT_READ) > 0);
	lab_start(l);
	run_well(l);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, play_setup_started, play_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(nothing_was_asked), TEST(task_goes_on),	 TEST(clock_set_back),
		TEST(long_ago),		 TEST(task_is_found),	 TEST(no_task_tells),
		TEST(cluster_is_gone),	 TEST(token_stays_away), TEST(token_is_gone),
		TEST(cannot_be_read),	 TEST(settling_fails),	 TEST(does_not_begin),
	};

	faulty_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
