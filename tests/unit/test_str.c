/* SPDX-License-Identifier: MIT */
/*
 * The growing string, and the parsers of numbers by tables.
 */
#include "common/str.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "tests/unit/check.h"

static void test_empty(void **state)
{
	struct str s = { 0 };
	char *text;

	(void)state;
	assert_string_equal(str_get(&s), "");
	str_add(&s, "");
	assert_string_equal(str_get(&s), "");
	str_clear(&s);
	text = str_take(&s);
	assert_string_equal(text, "");
	free(text);
	text = str_take(&s);
	assert_string_equal(text, "");
	free(text);
	str_done(&s);
	str_done(&s);
}

static void test_grow(void **state)
{
	_cleanup_(str_done) struct str s = { 0 };

	(void)state;
	for (size_t i = 0; i < 10000; i++) {
		str_add_char(&s, (char)('a' + i % 26));
		assert_int_equal(s.len, i + 1);
		assert_true(s.cap > s.len);
		assert_int_equal(s.data[s.len], '\0');
	}
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(s.data[i], 'a' + i % 26);
	str_clear(&s);
	assert_int_equal(s.len, 0);
	assert_string_equal(str_get(&s), "");
}

static void test_add(void **state)
{
	_cleanup_(str_done) struct str s = { 0 };
	char *text;

	(void)state;
	str_add(&s, "one");
	str_add_n(&s, " two!", 4);
	str_printf(&s, " %s %d", "three", 4);
	str_printf(&s, "%s", "");
	assert_string_equal(str_get(&s), "one two three 4");
	assert_int_equal(s.len, 15);
	text = str_take(&s);
	assert_string_equal(text, "one two three 4");
	assert_null(s.data);
	assert_int_equal(s.len, 0);
	free(text);
}

static void test_printf_long(void **state)
{
	_cleanup_(str_done) struct str s = { 0 };

	(void)state;
	for (int width = 1; width < 500; width++) {
		size_t before = s.len;

		str_printf(&s, "%*d", width, 7);
		assert_int_equal(s.len, before + (size_t)width);
		assert_int_equal(s.data[s.len - 1], '7');
	}
}

static void test_add_keeps_nuls(void **state)
{
	_cleanup_(str_done) struct str s = { 0 };

	(void)state;
	str_add_n(&s, "a\0b", 3);
	assert_int_equal(s.len, 3);
	assert_memory_equal(s.data, "a\0b", 4);
}

static void test_compare(void **state)
{
	(void)state;
	assert_true(str_eq("a", "a"));
	assert_false(str_eq("a", "A"));
	assert_true(str_eq_null(NULL, NULL));
	assert_false(str_eq_null(NULL, ""));
	assert_false(str_eq_null("", NULL));
	assert_true(str_starts("jarvis/x", "jarvis/"));
	assert_false(str_starts("jarvis", "jarvis/"));
	assert_true(str_starts("x", ""));
	assert_true(str_ends("a.json", ".json"));
	assert_true(str_ends("a", ""));
	assert_false(str_ends("n", "json"));
	assert_false(str_ends("json", "jso"));
}

static const struct {
	const char *text;
	int64_t min, max;
	int r;
	int64_t value;
} integer_cases[] = {
	{ "0", 0, 10, 0, 0 },
	{ "10", 0, 10, 0, 10 },
	{ "-5", -10, 10, 0, -5 },
	{ "007", 0, 10, 0, 7 },
	{ "11", 0, 10, -ERANGE, 0 },
	{ "-1", 0, 10, -ERANGE, 0 },
	{ "9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX },
	{ "-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN },
	{ "9223372036854775808", INT64_MIN, INT64_MAX, -ERANGE, 0 },
	{ "99999999999999999999999", INT64_MIN, INT64_MAX, -ERANGE, 0 },
	{ "", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ "-", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ " 1", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ "1 ", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ "+1", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ "--1", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ "- 1", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ "-+1", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ "0x10", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ "1.5", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ "1e3", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ "x", INT64_MIN, INT64_MAX, -EINVAL, 0 },
	{ "99999999999999999999999x", INT64_MIN, INT64_MAX, -EINVAL, 0 },
};

static void test_integers(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(integer_cases); i++) {
		int64_t value = 77;
		int r = str_to_i64(integer_cases[i].text, integer_cases[i].min,
				   integer_cases[i].max, &value);

		if (r != integer_cases[i].r || value != (r == 0 ? integer_cases[i].value : 77))
			fail_msg("'%s': %d, %lld", integer_cases[i].text, r, (long long)value);
	}
}

static const struct {
	const char *text;
	int r;
	double value;
} double_cases[] = {
	{ "0", 0, 0 },
	{ "-1.5", 0, -1.5 },
	{ "1e3", 0, 1000 },
	{ "1E-2", 0, 0.01 },
	{ ".5", 0, 0.5 },
	{ "5.", 0, 5 },
	{ "1e-999", 0, 0 },
	{ "", -EINVAL, 0 },
	{ "+1", -EINVAL, 0 },
	{ " 1", -EINVAL, 0 },
	{ "1 ", -EINVAL, 0 },
	{ "1e999", -EINVAL, 0 },
	{ "-1e999", -EINVAL, 0 },
	{ "inf", -EINVAL, 0 },
	{ "nan", -EINVAL, 0 },
	{ "0x1p3", -EINVAL, 0 },
	{ "1,5", -EINVAL, 0 },
	{ "1.2.3", -EINVAL, 0 },
	{ "e5", -EINVAL, 0 },
	{ ".", -EINVAL, 0 },
	{ "-", -EINVAL, 0 },
};

static void test_doubles(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(double_cases); i++) {
		double value = 77;
		int r = str_to_f64(double_cases[i].text, &value);

		if (r != double_cases[i].r || value != (r == 0 ? double_cases[i].value : 77))
			fail_msg("'%s': %d, %g", double_cases[i].text, r, value);
	}
}

static void test_asprintf(void **state)
{
	char *text = xasprintf("%s-%03d", "a", 7);

	(void)state;
	assert_string_equal(text, "a-007");
	free(text);
	text = xasprintf("%s", "");
	assert_string_equal(text, "");
	free(text);
}

static void test_hex(void **state)
{
	static const unsigned char bytes[] = { 0x00, 0x0f, 0xa5, 0xff };
	char text[9];

	(void)state;
	hex_build(bytes, sizeof(bytes), text);
	assert_string_equal(text, "000fa5ff");
	hex_build(bytes, 0, text);
	assert_string_equal(text, "");
}

static void test_hex_digit(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	(void)state;
	for (int c = -1; c < 256; c++) {
		const char *at = c > 0 ? strchr(digits, c) : NULL;
		int expected = at ? (int)(at - digits) : -1;

		assert_int_equal(hex_digit(c), expected > 15 ? expected - 6 : expected);
	}
}

static void test_lines(void **unused)
{
	static const char text[] = "one\n\nthree\nlast";
	static const size_t wanted[] = { 3, 0, 5, 4 };
	const char *at = text, *line;
	size_t n = 0, i = 0;

	(void)unused;
	for (; str_take_line(&at, text + sizeof(text) - 1, &line, &n); i++) {
		assert_true(i < countof(wanted));
		assert_int_equal(n, wanted[i]);
	}
	assert_int_equal(i, countof(wanted));
	assert_memory_equal(line, "last", 4);
	at = text;
	/* A line feed at the end begins no other line. */
	assert_true(str_take_line(&at, text + 4, &line, &n));
	assert_false(str_take_line(&at, text + 4, &line, &n));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hex_digit),   cmocka_unit_test(test_empty),
		cmocka_unit_test(test_grow),	    cmocka_unit_test(test_add),
		cmocka_unit_test(test_printf_long), cmocka_unit_test(test_add_keeps_nuls),
		cmocka_unit_test(test_compare),	    cmocka_unit_test(test_integers),
		cmocka_unit_test(test_doubles),	    cmocka_unit_test(test_asprintf),
		cmocka_unit_test(test_hex),	    cmocka_unit_test(test_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
