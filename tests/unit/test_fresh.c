/* SPDX-License-Identifier: MIT */
/*
 * The whole truth table of freshness. Times are round: a source with a period of 10 s is stale at the age of 30 s.
 */
#include "common/fresh.h"

#include "tests/unit/check.h"

#include "common/str.h"

#define WALL_MS 1700000000000

static const struct msg_source_state answered = { .last_ok_ms = { true, WALL_MS - 4000 },
						  .period_s = 10 };
static const struct msg_source_state silent = { .period_s = 10, .failures = 3 };
/* The source's clock runs ahead of the document's. */
static const struct msg_source_state from_tomorrow = { .last_ok_ms = { true, WALL_MS + 86400000 },
						       .period_s = 10 };

/* The source document arrives at boot time 1,000,000; its entry was 4 s old when it was written. */
#define AT_BOOT_MS 1000000

static const struct {
	const char *what;
	bool owner_online;
	bool has_source;		      /* of the document */
	const struct msg_source_state *entry; /* NULL: never heard of */
	bool retained;
	int64_t later_ms; /* after the source document */
	enum fresh_verdict verdict;
} cases[] = {
	{ "no source, online", true, false, NULL, false, 0, FRESH_LIVE },
	{ "no source, offline", false, false, NULL, false, 0, FRESH_OWNER_OFFLINE },
	{ "never heard, online", true, true, NULL, false, 0, FRESH_NO_EVIDENCE },
	{ "never heard, offline", false, true, NULL, false, 0, FRESH_OWNER_OFFLINE },
	{ "retained, online", true, true, &answered, true, 0, FRESH_NO_EVIDENCE },
	{ "retained, offline", false, true, &answered, true, 0, FRESH_OWNER_OFFLINE },
	{ "live, at once", true, true, &answered, false, 0, FRESH_LIVE },
	{ "live, at once, offline", false, true, &answered, false, 0, FRESH_OWNER_OFFLINE },
	{ "live, just younger", true, true, &answered, false, 25999, FRESH_LIVE },
	{ "live, three periods", true, true, &answered, false, 26000, FRESH_SOURCE_OLD },
	{ "live, long ago", true, true, &answered, false, 3600000, FRESH_SOURCE_OLD },
	{ "live, long ago, offline", false, true, &answered, false, 3600000, FRESH_OWNER_OFFLINE },
	{ "never answered", true, true, &silent, false, 0, FRESH_SOURCE_OLD },
	{ "never answered, offline", false, true, &silent, false, 0, FRESH_OWNER_OFFLINE },
	{ "never answered, retained", true, true, &silent, true, 0, FRESH_NO_EVIDENCE },
	{ "a clock ahead, at once", true, true, &from_tomorrow, false, 0, FRESH_LIVE },
	{ "a clock ahead, later", true, true, &from_tomorrow, false, 29999, FRESH_LIVE },
	{ "a clock ahead, too late", true, true, &from_tomorrow, false, 30000, FRESH_SOURCE_OLD },
};

static void test_judge(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		struct fresh_source source = { 0 };
		enum fresh_verdict verdict;

		if (cases[i].entry)
			fresh_observe(&source, cases[i].entry, WALL_MS, cases[i].retained,
				      AT_BOOT_MS);
		verdict = fresh_judge(cases[i].owner_online, cases[i].has_source ? &source : NULL,
				      AT_BOOT_MS + cases[i].later_ms);
		if (verdict != cases[i].verdict)
			fail_msg("%s: %s", cases[i].what, fresh_text(verdict));
	}
}

/* A retained copy neither makes a source look alive nor takes away what a live document has shown. */
static void test_retained_changes_nothing(void **unused)
{
	struct fresh_source source = { 0 };

	(void)unused;
	fresh_observe(&source, &answered, WALL_MS, false, AT_BOOT_MS);
	fresh_observe(&source, &silent, WALL_MS, true, AT_BOOT_MS + 1000);
	assert_int_equal(fresh_judge(true, &source, AT_BOOT_MS + 1000), FRESH_LIVE);
	fresh_observe(&source, &answered, WALL_MS, true, AT_BOOT_MS + 20000);
	assert_int_equal(fresh_judge(true, &source, AT_BOOT_MS + 26000), FRESH_SOURCE_OLD);
}

/* The newest document counts, whole: silence after an answer, an answer after silence, a new period. */
static void test_newest_counts(void **unused)
{
	const struct msg_source_state slower = { .last_ok_ms = { true, WALL_MS }, .period_s = 60 };
	struct fresh_source source = { 0 };

	(void)unused;
	fresh_observe(&source, &silent, WALL_MS, false, AT_BOOT_MS);
	fresh_observe(&source, &answered, WALL_MS, false, AT_BOOT_MS + 10);
	assert_int_equal(fresh_judge(true, &source, AT_BOOT_MS + 10), FRESH_LIVE);
	fresh_observe(&source, &silent, WALL_MS, false, AT_BOOT_MS + 20);
	assert_int_equal(fresh_judge(true, &source, AT_BOOT_MS + 20), FRESH_SOURCE_OLD);
	fresh_observe(&source, &slower, WALL_MS, false, AT_BOOT_MS + 30);
	assert_int_equal(fresh_judge(true, &source, AT_BOOT_MS + 30 + 179999), FRESH_LIVE);
	assert_int_equal(fresh_judge(true, &source, AT_BOOT_MS + 30 + 180000), FRESH_SOURCE_OLD);
}

static void test_texts(void **unused)
{
	(void)unused;
	for (int a = FRESH_LIVE; a <= FRESH_NO_EVIDENCE; a++) {
		assert_true(*fresh_text((enum fresh_verdict)a));
		for (int b = FRESH_LIVE; b < a; b++)
			assert_string_not_equal(fresh_text((enum fresh_verdict)a),
						fresh_text((enum fresh_verdict)b));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judge),
		cmocka_unit_test(test_retained_changes_nothing),
		cmocka_unit_test(test_newest_counts),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
