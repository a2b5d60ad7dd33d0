/* SPDX-License-Identifier: MIT */
/*
 * What waits for its connection, to Proxmox or to a node, and what happens meanwhile.
 */
#include "tests/unit/check.h"
#include "tests/unit/executor_ssh_plays.h"

/* ── Proxmox ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_proxmox_goes_on(void **state)
{
	struct lab *l = *state;

	l->connects_late = true;
	lab_send_101(l);
	assert_true(lab_leave(l, PLAY_START));
	lab_answer(l, PLAY_START, "{\"data\":\"" LAB_UPID "\"}");
	play_task_well(l);
	lab_expect(l, "verified", "");
}

static void test_proxmox_frozen(void **state)
{
	struct lab *l = *state;

	l->connects_late = true;
	lab_send_101(l);
	lab_write(l, "run/frozen", "");
	assert_false(lab_leave(l, PLAY_START));
	lab_pass(l, 0);
	lab_expect(l, "failed", "Nothing was done: frozen by the file in the runtime folder");
	assert_int_equal(lab_counter(l, "ambiguous"), 0);
}

static void test_proxmox_cancelled(void **state)
{
	struct lab *l = *state;

	l->connects_late = true;
	lab_send_101(l);
	lab_cancel(l);
	assert_false(lab_leave(l, PLAY_START));
	lab_pass(l, 0);
	lab_expect(l, "cancelled", "Nothing was done: it was cancelled");
}

/* Over a kept connection that was gone: curl sends it once more, and asks again. */
static void test_proxmox_second_time(void **state)
{
	struct lab *l = *state;

	l->connects_late = true;
	lab_send_101(l);
	assert_true(lab_leave(l, PLAY_START));
	lab_write(l, "run/frozen", "");
	assert_false(lab_may_leave(l, PLAY_START));
	lab_lose(l, PLAY_START, HTTP_BROKEN, true);
	assert_int_equal(lab_counter(l, "ambiguous"), 1);
}

/* ── nodes: the old connection was lost after the first look ───────────────────────────────────────────────── */

/* The unit was looked at; then the connection is lost, before the change leaves. */
static void begin(struct lab *l)
{
	ssh_begin_change(l, &ssh_restart);
	lab_ssh_cut();
	lab_pass(l, 0);
	assert_non_null(lab_ssh_connecting());
	assert_int_equal(lab_ssh_sent(), 1);
}

static void test_goes_on(void **state)
{
	struct lab *l = *state;

	begin(l);
	lab_ssh_up();
	lab_pass(l, 0);
	assert_true(lab_ssh_send("service_restart"));
	ssh_answer(l, "service_restart", "exit 0", "", "");
	ssh_keep_saying(l, "exit 0", UNIT_NEW);
	lab_expect(l, "verified", "");
}

static void test_frozen_meanwhile(void **state)
{
	struct lab *l = *state;

	begin(l);
	lab_write(l, "run/frozen", "");
	lab_ssh_up();
	lab_pass(l, 0);
	if (lab_ssh_is_asked("service_restart"))
		assert_false(lab_ssh_send("service_restart"));
	lab_pass(l, 0);
	assert_int_equal(lab_ssh_sent(), 1);
	lab_expect(l, "failed", "Nothing was done: frozen by the file in the runtime folder");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, ssh_setup, play_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(proxmox_goes_on),	   TEST(proxmox_frozen), TEST(proxmox_cancelled),
		TEST(proxmox_second_time), TEST(goes_on),	 TEST(frozen_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
