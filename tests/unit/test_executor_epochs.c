/* SPDX-License-Identifier: MIT */
/*
 * The epoch: what the executor does while another one has it, and when it is there again.
 */
#include "common/alloc.h"
#include "tests/unit/check.h"
#include "tests/unit/executor_plays.h"

static void hand_epoch(struct lab *l, const char *nonce, int64_t epoch)
{
	_cleanup_(freep) char *json =
		xasprintf("{\"nonce\":\"%s\",\"epoch\":%lld}", nonce, (long long)epoch);

	lab_hand(l, executor_on_epoch, TOPIC_X_EPOCH, (const char *const[]){ NULL }, json);
}

static void test_epochs(void **state)
{
	struct lab *l = *state;
	_cleanup_(freep) char *nonce = NULL;
	size_t hellos;

	assert_int_equal(lab_boot(l), 0);
	lab_pass(l, 0);
	lab_answer(l, PLAY_RIGHTS, LAB_RIGHTS);
	l->is_online = true;
	executor_on_online(l->x);
	lab_presence(l, "safety-gate", "main", "online");
	lab_beat(l);
	nonce = lab_value(l, TOPIC_X_HELLO, "nonce");
	/* Somebody else's, or none: no claim, and hello again. */
	hand_epoch(l, "another", 3);
	hand_epoch(l, nonce, 0);
	assert_false(lab_approve(l, &lab_start_101));
	hellos = lab_count(l, TOPIC_X_HELLO);
	lab_pass(l, 5000);
	assert_int_equal(lab_count(l, TOPIC_X_HELLO), hellos + 1);
	hand_epoch(l, nonce, 4);
	assert_int_equal(lab_count(l, TOPIC_X_CLAIM), 0);
	lab_connect(l);
	assert_true(lab_count(l, TOPIC_X_CLAIM) > 0);
	/* A lower one, or the answer to the old hello, is nothing new. */
	hand_epoch(l, "another", l->epoch - 1);
	play_expect_trouble(l, NULL);
	play_start_101(l);
}

static void test_fenced(void **state)
{
	struct lab *l = *state;
	size_t hellos;

	lab_remove(l, "secrets/executor/gate.pub");
	lab_start(l);
	lab_presence(l, "executor", "second", "online");
	hand_epoch(l, "another", l->epoch + 5);
	hand_epoch(l, "another", l->epoch + 6);
	/* All that is wrong is said. */
	play_expect_trouble(
		l, "another executor has taken over; this one waits until that one has ended; "
		   "no grant can be checked");
	assert_false(lab_approve(l, &lab_start_101));
	/* The gate that comes again is the other one's to greet. */
	hellos = lab_count(l, TOPIC_X_HELLO);
	lab_presence(l, "safety-gate", "main", "offline");
	lab_presence(l, "safety-gate", "main", "online");
	lab_presence(l, "thermal-collector", "main", "offline");
	lab_presence(l, "executor", "main", "online");
	lab_pass(l, 60000);
	assert_int_equal(lab_count(l, TOPIC_X_HELLO), hellos);
	/* What the broker kept says nothing of who is there now. */
	l->is_retained = true;
	lab_presence(l, "executor", "second", "offline");
	l->is_retained = false;
	lab_pass(l, 60000);
	assert_int_equal(lab_count(l, TOPIC_X_HELLO), hellos);
	/* It goes, and is back before it counts as gone. */
	lab_presence(l, "executor", "second", "");
	lab_pass(l, 10000);
	lab_presence(l, "executor", "second", "online");
	lab_pass(l, 60000);
	assert_int_equal(lab_count(l, TOPIC_X_HELLO), hellos);
	lab_presence(l, "executor", "second", "offline");
	lab_pass(l, 16000);
	assert_int_equal(lab_count(l, TOPIC_X_HELLO), hellos + 1);
}

/* The link to the broker is lost between grant and effect. */
static void test_offline(void **state)
{
	struct lab *l = *state;

	lab_start(l);
	lab_order(l, &lab_start_101);
	lab_answer(l, LAB_TASKS, LAB_NONE);
	l->is_online = false;
	executor_on_offline(l->x);
	lab_beat(l);
	lab_answer(l, LAB_CURRENT, LAB_STOPPED);
	lab_pass(l, 0);
	assert_false(lab_is_asked(l, PLAY_START));
	lab_expect_none(l);
	/* Its result is said as soon as somebody hears it. */
	lab_connect(l);
	lab_expect(l, "failed", "the link to the safety gate was lost before it was begun");
	assert_non_null(strstr(lab_last(l, TOPIC_X_HELLO), l->gid));
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, play_setup, play_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(epochs),
		TEST(fenced),
		TEST(offline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
