/* SPDX-License-Identifier: MIT */
/*
 * Endpoints and times, with a clock and dice of our own.
 */
#include "services/proxmox-poller/schedule.h"

#include "tests/unit/check.h"

static double fixed_roll(void *ctx)
{
	return *(double *)ctx;
}

static struct dice dice_of(double *value)
{
	return (struct dice){ fixed_roll, value };
}

static const char *const names[] = { "a", "b", "c" };

static void test_entry_is_kept_until_it_fails(void **unused)
{
	double half = 0.5;
	struct endpoint_set set;

	(void)unused;
	endpoint_init(&set, names, 3, dice_of(&half));
	assert_int_equal(endpoint_entry(&set, 0), 0);
	assert_int_equal(endpoint_entry(&set, 1000), 0);
	endpoint_failed(&set, 0, 1000, 0);
	assert_int_equal(endpoint_entry(&set, 1000), 1);
	/* The first has rested long since, but the second is well. */
	assert_int_equal(endpoint_entry(&set, 99000), 1);
	endpoint_prefer(&set, 2);
	assert_int_equal(endpoint_entry(&set, 99000), 2);
	endpoint_done(&set);
}

static void test_all_rest(void **unused)
{
	double none = 0;
	struct endpoint_set set;

	(void)unused;
	endpoint_init(&set, names, 3, dice_of(&none));
	for (size_t i = 0; i < 3; i++)
		endpoint_failed(&set, i, (int64_t)i * 100, 0);
	assert_int_equal(endpoint_entry(&set, 400), -1);
	assert_int_equal(endpoint_for_node(&set, "b", 400), -1);
	assert_int_equal(endpoint_next_retry(&set, 400), 500);
	assert_int_equal(endpoint_entry(&set, 500), 0);
	assert_int_equal(endpoint_next_retry(&set, 500), 600);
	endpoint_answered(&set, 1);
	endpoint_answered(&set, 2);
	assert_true(endpoint_next_retry(&set, 500) == INT64_MAX);
	endpoint_done(&set);
}

static void test_own_endpoint_first(void **unused)
{
	double half = 0.5;
	struct endpoint_set set;

	(void)unused;
	endpoint_init(&set, names, 3, dice_of(&half));
	assert_int_equal(endpoint_for_node(&set, "c", 0), 2);
	assert_int_equal(endpoint_for_node(&set, "elsewhere", 0), 0);
	endpoint_failed(&set, 2, 0, 0);
	assert_int_equal(endpoint_for_node(&set, "c", 0), 0);
	/* A second opinion comes from any other that does not rest. */
	assert_int_equal(endpoint_other(&set, 0, 0), 1);
	assert_int_equal(endpoint_other(&set, 1, 0), 0);
	endpoint_failed(&set, 1, 0, 0);
	assert_int_equal(endpoint_other(&set, 0, 0), -1);
	endpoint_done(&set);
}

static void test_rests_grow_and_end(void **unused)
{
	double most = 0.999999;
	struct endpoint_set set;
	int64_t now = 0, rest = 0;

	(void)unused;
	endpoint_init(&set, names, 1, dice_of(&most));
	for (int i = 0; i < 40; i++) {
		int64_t before = rest;

		endpoint_failed(&set, 0, now, 0);
		rest = set.list[0].retry_ms - now;
		assert_true(rest >= before && rest <= ENDPOINT_REST_MAX_MS && rest >= 500);
		/* What fails while it rests was under way before: it does not count again. */
		endpoint_failed(&set, 0, now, 0);
		assert_int_equal(set.list[0].failures, (unsigned)i + 1);
		now = set.list[0].retry_ms;
		assert_int_equal(endpoint_entry(&set, now), 0);
	}
	assert_true(rest > ENDPOINT_REST_MAX_MS - 10);
	endpoint_failed(&set, 0, now, 30000);
	endpoint_answered(&set, 0);
	endpoint_failed(&set, 0, now, 30000);
	assert_true(set.list[0].retry_ms - now == 30000);
	endpoint_done(&set);
}

static void test_jitter(void **unused)
{
	double low = 0, high = 0.999999;
	struct dice a = dice_of(&low), b = dice_of(&high);

	(void)unused;
	assert_int_equal(backoff_ms(1, 1000, 60000, &a), 500);
	assert_int_equal(backoff_ms(1, 1000, 60000, &b), 999);
	assert_int_equal(backoff_ms(4, 1000, 60000, &a), 4000);
	assert_int_equal(backoff_ms(100000, 1000, 60000, &a), 30000);
	assert_int_equal(backoff_ms(0, 1000, 60000, &a), 500);
}

static void test_period_does_not_stretch(void **unused)
{
	double half = 0.5;
	struct dice dice = dice_of(&half);
	struct slot slot;

	(void)unused;
	slot_init(&slot, 10000, false, 500);
	assert_true(slot_is_due(&slot, 500));
	slot_started(&slot);
	assert_false(slot_is_due(&slot, 500));
	slot_succeeded(&slot, 3500, &dice); /* a slow API */
	assert_int_equal(slot_next(&slot), 10500);
	slot_started(&slot);
	slot_succeeded(&slot, 45000, &dice); /* a very slow one: no burst to catch up */
	assert_int_equal(slot_next(&slot), 55000);
}

static void test_phase_comes_early(void **unused)
{
	double rolls[] = { 0, 0.3, 0.999 };

	(void)unused;
	for (size_t i = 0; i < countof(rolls); i++) {
		struct dice dice = dice_of(&rolls[i]);
		struct slot slot;
		int64_t first;

		slot_init(&slot, 30000, true, 0);
		slot_started(&slot);
		slot_succeeded(&slot, 100, &dice);
		first = slot_next(&slot);
		assert_true(first >= 15100 && first <= 30100);
		slot_started(&slot);
		slot_succeeded(&slot, first + 20, &dice);
		assert_int_equal(slot_next(&slot), first + 30000);
	}
}

static void test_failures(void **unused)
{
	double none = 0;
	struct dice dice = dice_of(&none);
	struct slot slot;

	(void)unused;
	slot_init(&slot, 10000, false, 0);
	slot_started(&slot);
	slot_failed(&slot, 100, 0, 0, &dice);
	assert_int_equal(slot_next(&slot), 100); /* another endpoint, at once */
	slot_started(&slot);
	slot_failed(&slot, 200, 1000, 60000, &dice);
	assert_int_equal(slot_next(&slot), 1200);
	slot_started(&slot);
	slot_failed(&slot, 1200, 1000, 60000, &dice);
	assert_int_equal(slot_next(&slot), 3200);
	slot_started(&slot);
	slot_succeeded(&slot, 3300, &dice);
	assert_int_equal(slot.failures, 0);
}

static void test_called_for(void **unused)
{
	double half = 0.5;
	struct dice dice = dice_of(&half);
	struct slot slot;

	(void)unused;
	slot_init(&slot, 10000, false, 0);
	slot_started(&slot);
	slot_succeeded(&slot, 10, &dice);
	slot_call(&slot, 5000);
	assert_true(slot_is_due(&slot, 5000));
	slot_started(&slot);
	/* What is under way began before: it runs once more. */
	slot_call(&slot, 5010);
	slot_succeeded(&slot, 5020, &dice);
	assert_true(slot_is_due(&slot, 5020));
	slot_started(&slot);
	slot_succeeded(&slot, 5030, &dice);
	assert_int_equal(slot_next(&slot), 15020);
	slot.off = true;
	slot_call(&slot, 6000);
	assert_false(slot_is_due(&slot, 60000));
}

static void test_single(void **unused)
{
	double half = 0.5;
	struct dice dice = dice_of(&half);
	struct slot slot;

	(void)unused;
	slot_init(&slot, 0, false, 0);
	slot_started(&slot);
	slot_succeeded(&slot, 10, &dice);
	assert_true(slot_next(&slot) == INT64_MAX);
}

static void test_load(void **unused)
{
	static const struct {
		struct load load;
		bool slow, foreign, may;
	} cases[] = {
		{ { 0, false, 0 }, false, false, true },  { { 1, false, 0 }, false, false, true },
		{ { 2, false, 0 }, false, false, false }, { { 2, true, 0 }, false, false, false },
		{ { 1, true, 0 }, true, false, false },	  { { 1, true, 0 }, false, false, true },
		{ { 1, false, 0 }, true, false, true },	  { { 0, false, 5 }, false, true, true },
		{ { 0, false, 6 }, false, true, false },  { { 0, false, 6 }, false, false, true },
	};

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		if (schedule_may_start(&cases[i].load, cases[i].slow, cases[i].foreign) !=
		    cases[i].may)
			fail_msg("case %zu", i);
	}
}

static void test_a_round_of_several(void **unused)
{
	double none = 0;
	struct dice dice = dice_of(&none);
	struct slot slot;

	(void)unused;
	slot_init(&slot, 10000, false, 0);
	slot_started(&slot);
	slot_goes_on(&slot, 100);
	assert_true(slot_is_due(&slot, 100));
	/* Called for between two requests: this round began too early to count. */
	slot_call(&slot, 150);
	assert_true(slot.again);
	slot_started(&slot);
	slot_succeeded(&slot, 200, &dice);
	assert_false(slot.midway);
	assert_true(slot_is_due(&slot, 200));
	slot_started(&slot);
	slot_goes_on(&slot, 300);
	slot_started(&slot);
	slot_failed(&slot, 400, 1000, 1000, &dice);
	assert_false(slot.midway);
	assert_false(slot_is_due(&slot, 400));
}

/* While nobody answers only what is vital may use up the tries. */
static void test_all_failed(void **unused)
{
	double half = 0.5;
	struct endpoint_set set;

	(void)unused;
	endpoint_init(&set, names, 3, dice_of(&half));
	assert_false(endpoint_all_failed(&set));
	for (size_t i = 0; i < 3; i++)
		endpoint_failed(&set, i, 1000, 0);
	assert_true(endpoint_all_failed(&set));
	endpoint_answered(&set, 1);
	assert_false(endpoint_all_failed(&set));
	endpoint_done(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_failed),
		cmocka_unit_test(test_entry_is_kept_until_it_fails),
		cmocka_unit_test(test_all_rest),
		cmocka_unit_test(test_own_endpoint_first),
		cmocka_unit_test(test_rests_grow_and_end),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_period_does_not_stretch),
		cmocka_unit_test(test_phase_comes_early),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_called_for),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_a_round_of_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
