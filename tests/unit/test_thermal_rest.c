/* SPDX-License-Identifier: MIT */
/*
 * How long a node that failed is left alone.
 */
#include "services/thermal-collector/rest.h"

#include "tests/unit/check.h"

static void test_grows(void **state)
{
	static const int64_t seconds[] = { 5, 10, 20, 40, 80, 160, 300, 300 };

	(void)state;
	for (unsigned i = 0; i < countof(seconds); i++)
		assert_int_equal(rest_ms(i + 1, 30000, false, 0), seconds[i] * 1000);
	assert_int_equal(rest_ms(4000000000U, 30000, false, 0), REST_MAX_MS);
}

static void test_refused_is_not_knocked_at(void **state)
{
	(void)state;
	assert_int_equal(rest_ms(1, 30000, true, 0), 60000);
	assert_int_equal(rest_ms(2, 2000, true, 0), 120000);
	assert_int_equal(rest_ms(9, 30000, true, 0), REST_MAX_MS);
}

static void test_jitter_and_bounds(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 12; n++) {
		int64_t whole = rest_ms(n, 30000, false, 0);

		for (double roll = 0; roll < 1; roll += 0.09) {
			int64_t rest = rest_ms(n, 30000, false, roll);

			assert_true(rest <= whole && rest >= whole * 3 / 4 - 1);
		}
	}
	/* A short period is tried as often as it is read, but never in a tight loop. */
	assert_int_equal(rest_ms(1, 2000, false, 0), 2000);
	assert_int_equal(rest_ms(1, 1, false, 0.99), 1000);
	assert_int_equal(rest_ms(0, 30000, false, 0), 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows),
		cmocka_unit_test(test_refused_is_not_knocked_at),
		cmocka_unit_test(test_jitter_and_bounds),
	};

	return cmocka_run_group_tests_name("thermal_rest", tests, NULL, NULL);
}
