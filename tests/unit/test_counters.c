/* SPDX-License-Identifier: MIT */
/*
 * Counters: found by name and not by address, never more than the message that carries them may hold.
 */
#include "common/counters.h"

#include "tests/unit/check.h"

#include "common/str.h"

#include <stdio.h>

static int64_t value_of(const struct counters *counters, const char *name)
{
	size_t n;
	const struct num_entry *entries = counters_get(counters, &n);

	for (size_t i = 0; i < n; i++) {
		if (str_eq(entries[i].key, name))
			return entries[i].value;
	}
	return -1;
}

static void test_count(void **unused)
{
	struct counters *counters = counters_new();
	char name[] = "polls"; /* the same text elsewhere */
	size_t n;

	(void)unused;
	(void)counters_get(counters, &n);
	assert_int_equal(n, 0);
	counter_add(counters, "polls", 1);
	counter_add(counters, name, 2);
	counter_add(counters, "errors", 0);
	counter_set(counters, "queue", 7);
	counter_set(counters, "queue", 5);
	counter_add(counters, "big", INT64_C(9007199254740991));
	assert_int_equal(value_of(counters, "polls"), 3);
	assert_int_equal(value_of(counters, "errors"), 0);
	assert_int_equal(value_of(counters, "queue"), 5);
	assert_int_equal(value_of(counters, "big"), INT64_C(9007199254740991));
	assert_int_equal(value_of(counters, "never"), -1);
	(void)counters_get(counters, &n);
	assert_int_equal(n, 4);
	counters_free(counters);
	counters_free(NULL);
}

/* The last place is "other", so that all of them fit into service_health. */
static void test_too_many(void **unused)
{
	struct counters *counters = counters_new();
	char names[100][8];
	size_t fields_n, n;
	const struct field_def *fields = message_service_health.fields(&fields_n);
	int64_t sum = 0;

	(void)unused;
	for (size_t i = 0; i < countof(names); i++) {
		(void)snprintf(names[i], sizeof(names[i]), "c%zu", i);
		counter_add(counters, names[i], 1);
	}
	counter_add(counters, "c0", 1);
	for (size_t i = 0; i < fields_n; i++) {
		(void)counters_get(counters, &n);
		if (fields[i].kind == FIELD_NUMS)
			assert_int_equal(n, fields[i].max);
	}
	for (size_t i = 0; i < n; i++)
		sum += counters_get(counters, &n)[i].value;
	assert_int_equal(sum, countof(names) + 1);
	assert_int_equal(value_of(counters, "c0"), 2);
	assert_int_equal(value_of(counters, "c62"), 1);
	assert_int_equal(value_of(counters, "c63"), -1);
	assert_int_equal(value_of(counters, "other"), countof(names) - 63);
	counters_free(counters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_count),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
