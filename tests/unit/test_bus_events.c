/* SPDX-License-Identifier: MIT */
/*
 * Events stay in order, until the broker has them.
 */
#include "common/bus_events.h"

#include <stdio.h>

#include "tests/unit/check.h"

#include "common/alloc.h"
#include "common/str.h"

static bool add(struct bus_events *events, const char *payload)
{
	return bus_events_add(
		events, &(struct bus_event){ TOPIC_EVENT_TASK, "t", payload, strlen(payload) });
}

static void expect_next(const struct bus_events *events, const char *payload)
{
	const struct bus_event *next = bus_events_next(events);

	assert_non_null(next);
	assert_string_equal(next->payload, payload);
	assert_int_equal(next->length, strlen(payload));
}

static void test_order(void **state)
{
	struct bus_events *events = bus_events_new();

	(void)state;
	assert_null(bus_events_next(events));
	assert_true(add(events, "a"));
	assert_true(add(events, "b"));
	assert_true(add(events, "c"));
	expect_next(events, "a");
	bus_events_sent(events, 7);
	expect_next(events, "b");
	bus_events_sent(events, 8);
	assert_int_equal(bus_events_waiting(events), 1);
	/* Acknowledged out of order; then the connection breaks: a and c are left. */
	bus_events_acknowledged(events, 8);
	bus_events_acknowledged(events, 99);
	bus_events_unsend(events);
	assert_int_equal(bus_events_waiting(events), 2);
	expect_next(events, "a");
	bus_events_sent(events, 1);
	expect_next(events, "c");
	bus_events_sent(events, 0); /* cannot be sent at all */
	assert_null(bus_events_next(events));
	assert_true(add(events, "d"));
	expect_next(events, "d");
	bus_events_acknowledged(events, 1);
	expect_next(events, "d");
	bus_events_free(events);
}

static void test_full(void **state)
{
	struct bus_events *events = bus_events_new();
	char text[16];

	(void)state;
	for (int i = 0; i < BUS_EVENTS_MAX; i++) {
		(void)snprintf(text, sizeof(text), "%d", i);
		assert_true(add(events, text));
	}
	assert_false(add(events, "one more"));
	expect_next(events, "1");
	assert_int_equal(bus_events_waiting(events), BUS_EVENTS_MAX);
	/* What was sent and not acknowledged goes first too. */
	bus_events_sent(events, 5);
	assert_false(add(events, "and one more"));
	assert_int_equal(bus_events_waiting(events), BUS_EVENTS_MAX);
	expect_next(events, "2");
	bus_events_free(events);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
