/* SPDX-License-Identifier: MIT */
/*
 * The scanner by tables of what must pass and what must not, each beside what cJSON alone would have done; and
 * the property behind it: whatever the scanner accepts, cJSON parses, and the writer's text comes back the same.
 */
#include "common/json.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

#include "tests/unit/check.h"

/* Text that may hold NULs. */
#define TEXT(literal) literal, sizeof(literal) - 1

struct scan_case {
	const char *text;
	size_t length;
	const char *error; /* NULL: accepted by every class */
	size_t offset;
};

static const struct scan_case scan_cases[] = {
	/* whole values, blanks */
	{ TEXT("{}"), NULL, 0 },
	{ TEXT("[]"), NULL, 0 },
	{ TEXT(" \t\r\n{ \"a\" : [ 1 , true , false , null , \"x\" , { } ] } \n"), NULL, 0 },
	{ TEXT("\"online\""), NULL, 0 },
	{ TEXT("12"), NULL, 0 },
	{ TEXT("null"), NULL, 0 },
	{ TEXT(""), "a value is missing", 0 },
	{ TEXT("  "), "a value is missing", 2 },
	{ TEXT("{}x"), "text after the end", 2 },
	{ TEXT("{} {}"), "text after the end", 3 },
	{ TEXT("1 2"), "text after the end", 2 },
	{ TEXT("{}\0"), "text after the end", 2 },
	{ TEXT("\0{}"), "not a value", 0 },
	{ TEXT("\f{}"), "not a value", 0 },
	{ TEXT("\xef\xbb\xbf{}"), "byte order mark", 0 },
	/* words */
	{ TEXT("tru"), "not a value", 0 },
	{ TEXT("True"), "not a value", 0 },
	{ TEXT("nul"), "not a value", 0 },
	{ TEXT("nulll"), "text after the end", 4 },
	{ TEXT("NaN"), "not a value", 0 },
	{ TEXT("Infinity"), "not a value", 0 },
	{ TEXT("undefined"), "not a value", 0 },
	/* objects and lists */
	{ TEXT("{\"a\":1,}"), "a key in quotes is missing", 7 },
	{ TEXT("{,}"), "a key in quotes is missing", 1 },
	{ TEXT("{a:1}"), "a key in quotes is missing", 1 },
	{ TEXT("{'a':1}"), "a key in quotes is missing", 1 },
	{ TEXT("{\"a\"}"), "':' is missing", 4 },
	{ TEXT("{\"a\" 1}"), "':' is missing", 5 },
	{ TEXT("{\"a\":}"), "not a value", 5 },
	{ TEXT("{\"a\":1 \"b\":2}"), "',' or '}' is missing", 7 },
	{ TEXT("{\"a\":1]"), "',' or '}' is missing", 6 },
	{ TEXT("{\"a\":1"), "',' or '}' is missing", 6 },
	{ TEXT("{"), "a key in quotes is missing", 1 },
	{ TEXT("["), "a value is missing", 1 },
	{ TEXT("[1,]"), "not a value", 3 },
	{ TEXT("[,1]"), "not a value", 1 },
	{ TEXT("[1 2]"), "',' or ']' is missing", 3 },
	{ TEXT("[1}"), "',' or ']' is missing", 2 },
	{ TEXT("[[1]"), "',' or ']' is missing", 4 },
	{ TEXT("]"), "not a value", 0 },
	{ TEXT("/* no */ {}"), "not a value", 0 },
	{ TEXT("{} // no"), "text after the end", 3 },
	/* numbers */
	{ TEXT("0"), NULL, 0 },
	{ TEXT("-0"), NULL, 0 },
	{ TEXT("-0.0e-0"), NULL, 0 },
	{ TEXT("1.5E+3"), NULL, 0 },
	{ TEXT("1e308"), NULL, 0 },
	{ TEXT("1e-999"), NULL, 0 },
	{ TEXT("9007199254740991"), NULL, 0 },
	{ TEXT("-9007199254740991"), NULL, 0 },
	{ TEXT("9007199254740992.5"), NULL, 0 },
	{ TEXT("1e309"), "number too large", 5 },
	{ TEXT("-1e999"), "number too large", 6 },
	{ TEXT("1.7976931348623159e308"), "number too large", 22 },
	{ TEXT("01"), "a number must not begin with 0", 2 },
	{ TEXT("-01"), "a number must not begin with 0", 3 },
	{ TEXT("+1"), "not a value", 0 },
	{ TEXT("-"), "not a value", 1 },
	{ TEXT(".5"), "not a value", 0 },
	{ TEXT("1."), "a number needs digits after its point", 2 },
	{ TEXT("1.e5"), "a number needs digits after its point", 2 },
	{ TEXT("1e"), "a number needs digits in its exponent", 2 },
	{ TEXT("1e+"), "a number needs digits in its exponent", 3 },
	{ TEXT("0x10"), "text after the end", 1 },
	{ TEXT("1,5"), "text after the end", 1 },
	{ TEXT("0.1234567890123456789012345678901234567890123456789012345678901"), NULL, 0 },
	{ TEXT("0.12345678901234567890123456789012345678901234567890123456789012"),
	  "number of more than 63 characters", 64 },
	/* text */
	{ TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0001\\u20ac\""), NULL, 0 },
	{ TEXT("\"\\ud83d\\ude00\\uD83D\\uDE00\""), NULL, 0 },
	{ TEXT("\"\x7f\""), NULL, 0 },
	{ TEXT("\"\xef\xbb\xbf\""), NULL, 0 },
	{ TEXT("\"a"), "text without an end", 2 },
	{ TEXT("\"a\\"), "unknown escape", 3 },
	{ TEXT("\"\\x41\""), "unknown escape", 2 },
	{ TEXT("\"\\'\""), "unknown escape", 2 },
	{ TEXT("\"\\\0\""), "unknown escape", 2 },
	{ TEXT("\"\\u12\""), "\\u needs four hexadecimal digits", 5 },
	{ TEXT("\"\\u12g4\""), "\\u needs four hexadecimal digits", 5 },
	{ TEXT("\"\\u+123\""), "\\u needs four hexadecimal digits", 3 },
	{ TEXT("\"\\u0000\""), "\\u0000 is not allowed", 7 },
	{ TEXT("\"\\ud83d\""), "lone surrogate", 7 },
	{ TEXT("\"\\ud83dx\""), "lone surrogate", 7 },
	{ TEXT("\"\\ud83d\\n\""), "lone surrogate", 7 },
	{ TEXT("\"\\ud83d\\u0041\""), "lone surrogate", 13 },
	{ TEXT("\"\\ud83d\\ud83d\""), "lone surrogate", 13 },
	{ TEXT("\"\\ude00\""), "lone surrogate", 7 },
	{ TEXT("\"\\ud83d"), "lone surrogate", 7 },
	{ TEXT("\"a\nb\""), "control character in text", 2 },
	{ TEXT("\"a\tb\""), "control character in text", 2 },
	{ TEXT("\"a\0b\""), "control character in text", 2 },
	/* UTF-8: shortest and longest of each length, then each kind of damage */
	{ TEXT("\"\xc2\x80\xdf\xbf\""), NULL, 0 },
	{ TEXT("\"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""), NULL, 0 },
	{ TEXT("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""), NULL, 0 },
	{ TEXT("\"\x80\""), "not UTF-8", 1 },
	{ TEXT("\"\xc0\xaf\""), "not UTF-8", 1 },
	{ TEXT("\"\xc1\xbf\""), "not UTF-8", 1 },
	{ TEXT("\"\xc2\""), "not UTF-8", 1 },
	{ TEXT("\"\xc2"), "not UTF-8", 1 },
	{ TEXT("\"\xe0\x9f\xbf\""), "not UTF-8", 1 },
	{ TEXT("\"\xed\xa0\x80\""), "not UTF-8", 1 },
	{ TEXT("\"\xe2\x82\""), "not UTF-8", 1 },
	{ TEXT("\"\xf0\x8f\xbf\xbf\""), "not UTF-8", 1 },
	{ TEXT("\"\xf4\x90\x80\x80\""), "not UTF-8", 1 },
	{ TEXT("\"\xf5\x80\x80\x80\""), "not UTF-8", 1 },
	{ TEXT("\"\xf0\x9f\x98\""), "not UTF-8", 1 },
	{ TEXT("\"\xff\""), "not UTF-8", 1 },
	{ TEXT("{\"\xff\":1}"), "not UTF-8", 2 },
};

static void check_scan(const struct scan_case *c, enum json_class class)
{
	/* Exactly as long as the text, so that a sanitizer sees a byte read too many. */
	char *copy = xmemdup(c->text, c->length);
	struct json_error error = { 0, NULL };
	int r = json_scan(copy, c->length, class, &error);

	if (c->error) {
		if (r != -EINVAL || !error.text || strcmp(error.text, c->error) != 0 ||
		    error.offset != c->offset)
			fail_msg("%s: %d, %s at %zu", c->text, r, error.text ? error.text : "-",
				 error.offset);
	} else if (r != 0) {
		fail_msg("%s: refused: %s at %zu", c->text, error.text, error.offset);
	}
	free(copy);
}

/* What a double cannot hold exactly; Proxmox may say it of a storage, and the rest of its answer still counts. */
static const struct scan_case large_cases[] = {
	{ TEXT("9007199254740992"), "integer beyond 2^53-1", 16 },
	{ TEXT("-9007199254740992"), "integer beyond 2^53-1", 17 },
	{ TEXT("18446744073709551615"), "integer beyond 2^53-1", 20 },
};

static void test_grammar(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(scan_cases); i++) {
		check_scan(&scan_cases[i], JSON_COMMAND);
		check_scan(&scan_cases[i], JSON_STATE);
		check_scan(&scan_cases[i], JSON_FOREIGN);
	}
	for (size_t i = 0; i < countof(large_cases); i++) {
		const struct scan_case passes = { large_cases[i].text, large_cases[i].length, NULL,
						  0 };

		check_scan(&large_cases[i], JSON_COMMAND);
		check_scan(&large_cases[i], JSON_STATE);
		check_scan(&passes, JSON_FOREIGN);
	}
	assert_int_equal(json_scan("x", 1, JSON_STATE, NULL), -EINVAL);
}

/* Every prefix and every single changed byte: no crash, and what passes is parsed by cJSON. */
static void check_neighbours(const struct scan_case *c)
{
	for (size_t i = 0; i <= c->length; i++) {
		cJSON *tree = NULL;
		char *copy = xmemdup(c->text, i);

		if (json_parse(copy, i, JSON_FOREIGN, &tree, NULL) == 0)
			assert_non_null(tree);
		else
			assert_int_equal(json_scan(copy, i, JSON_FOREIGN, NULL), -EINVAL);
		cJSON_Delete(tree);
		free(copy);
	}
	for (size_t i = 0; i < c->length * 256; i++) {
		cJSON *tree = NULL;
		char *copy = xmemdup(c->text, c->length);

		copy[i / 256] = (char)(i % 256);
		if (json_scan(copy, c->length, JSON_FOREIGN, NULL) == 0)
			assert_int_equal(json_parse(copy, c->length, JSON_FOREIGN, &tree, NULL), 0);
		cJSON_Delete(tree);
		free(copy);
	}
}

static void test_scanned_is_parsed(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(scan_cases); i++)
		check_neighbours(&scan_cases[i]);
}

/* What cJSON takes and we do not: the reason for the scanner. */
static void test_stricter_than_cjson(void **state)
{
	static const char *const texts[] = {
		"{} trailing", "{\"a\":1,\"a\":2}", "\"\xff\"", "\"a\nb\"",
		"1e999",       "\xef\xbb\xbf{}",    "01",	"9007199254740993",
		"1.",
	};

	(void)state;
	for (size_t i = 0; i < countof(texts); i++) {
		cJSON *tree = cJSON_Parse(texts[i]), *none = NULL;

		assert_non_null(tree);
		assert_int_equal(json_parse(texts[i], strlen(texts[i]), JSON_COMMAND, &none, NULL),
				 -EINVAL);
		assert_null(none);
		cJSON_Delete(tree);
	}
}

struct key_case {
	const char *text;
	bool command, state, foreign;
};

static void test_duplicate_keys(void **state)
{
	static const struct key_case cases[] = {
		{ "{\"a\":1,\"b\":2,\"a\":3}", false, false, true },
		{ "{\"tool\":1,\"Tool\":2}", false, true, true },
		{ "{\"tool\":1,\"too\\u006c\":2}", false, false, true },
		{ "{\"tool\":1,\"TOO\\u004c\":2}", false, true, true },
		{ "{\"\":1,\"\":2}", false, false, true },
		{ "{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", false, false, true },
		{ "{\"\\u00e9\":1,\"\xc3\xa9\":2}", false, false, true },
		{ "{\"\xc3\xa9\":1,\"\xc3\x89\":2}", true, true, true }, /* folding is ASCII's */
		{ "[{\"a\":1},{\"a\":1}]", true, true, true },
		{ "{\"a\":{\"a\":{\"a\":1}}}", true, true, true },
		{ "{\"a\":{\"b\":1},\"b\":{\"a\":1}}", true, true, true },
		{ "{\"a\":1,\"c\":{\"x\":1,\"y\":{}},\"a\":1}", false, false, true },
		{ "{\"c\":{\"x\":1,\"y\":{\"z\":0},\"x\":2},\"a\":1}", false, false, true },
		{ "{\"a\":1,\"ab\":1,\"abc\":1,\"\":1,\"b\":1}", true, true, true },
		{ "{\"a\":[{\"k\":1,\"k\":2}]}", false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		const struct key_case *c = &cases[i];
		size_t n = strlen(c->text);

		if ((json_scan(c->text, n, JSON_COMMAND, NULL) == 0) != c->command ||
		    (json_scan(c->text, n, JSON_STATE, NULL) == 0) != c->state ||
		    (json_scan(c->text, n, JSON_FOREIGN, NULL) == 0) != c->foreign)
			fail_msg("%s", c->text);
	}
}

static void test_duplicate_key_is_located(void **state)
{
	static const char text[] = "{\"b\":1,\"a\":2,\"c\":3,\"a\":4}";
	struct json_error error;

	(void)state;
	assert_int_equal(json_scan(text, strlen(text), JSON_STATE, &error), -EINVAL);
	assert_string_equal(error.text, "duplicate key");
	assert_int_equal(error.offset, 19);
}

static int scan_nested(size_t depth, const char *open, const char *close, enum json_class class)
{
	_cleanup_(str_done) struct str text = { 0 };

	for (size_t i = 0; i < depth; i++)
		str_add(&text, open);
	str_add(&text, "1");
	for (size_t i = 0; i < depth; i++)
		str_add(&text, close);
	return json_scan(text.data, text.len, class, NULL);
}

static void test_depth(void **state)
{
	static const size_t depths[] = {
		[JSON_COMMAND] = 16, [JSON_STATE] = 16, [JSON_FOREIGN] = 32
	};

	(void)state;
	for (size_t class = 0; class < countof(depths); class ++) {
		assert_int_equal(scan_nested(depths[class], "[", "]", (enum json_class) class), 0);
		assert_int_equal(
			scan_nested(depths[class], "{\"a\":", "}", (enum json_class) class), 0);
		assert_int_equal(scan_nested(depths[class] + 1, "[", "]", (enum json_class) class),
				 -EINVAL);
		assert_int_equal(
			scan_nested(depths[class] + 1, "{\"a\":", "}", (enum json_class) class),
			-EINVAL);
	}
	assert_int_equal(scan_nested(20000, "[", "]", JSON_COMMAND), -EINVAL);
	assert_int_equal(scan_nested(4000000, "[", "", JSON_FOREIGN), -EINVAL);
}

static void make_members(struct str *text, size_t n)
{
	str_clear(text);
	str_add_char(text, '{');
	for (size_t i = 0; i < n; i++)
		str_printf(text, "%s\"k%zu\":1", i ? "," : "", i);
	str_add_char(text, '}');
}

static void test_members(void **state)
{
	_cleanup_(str_done) struct str text = { 0 };

	(void)state;
	make_members(&text, 512);
	assert_int_equal(json_scan(text.data, text.len, JSON_COMMAND, NULL), 0);
	make_members(&text, 513);
	assert_int_equal(json_scan(text.data, text.len, JSON_COMMAND, NULL), -EINVAL);
	make_members(&text, 20000);
	assert_int_equal(json_scan(text.data, text.len, JSON_STATE, NULL), 0);
}

static void test_size(void **state)
{
	static const size_t sizes[] = {
		[JSON_COMMAND] = 65536, [JSON_STATE] = 262144, [JSON_FOREIGN] = 8388608
	};

	(void)state;
	for (size_t class = 0; class < countof(sizes); class ++) {
		size_t n = sizes[class] + 1;
		char *text = xmalloc(n);
		struct json_error error;

		memset(text, ' ', n);
		text[0] = '1';
		assert_int_equal(json_scan(text, n - 1, (enum json_class) class, NULL), 0);
		assert_int_equal(json_scan(text, n, (enum json_class) class, &error), -EINVAL);
		assert_string_equal(error.text, "too large");
		free(text);
	}
}

static void test_get(void **state)
{
	static const char text[] = "{\"Tool\":1,\"tool\":2,\"tool\":3}";
	cJSON *tree;

	(void)state;
	assert_int_equal(json_parse(text, strlen(text), JSON_FOREIGN, &tree, NULL), 0);
	assert_true(json_get(tree, "tool")->valuedouble == 2);
	assert_true(json_get(tree, "Tool")->valuedouble == 1);
	assert_null(json_get(tree, "TOOL"));
	assert_null(json_get(json_get(tree, "tool"), "x"));
	assert_null(json_get(NULL, "x"));
	cJSON_Delete(tree);
}

/* ── the writer ────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_writer_shape(void **state)
{
	_cleanup_(str_done) struct str out = { 0 };
	struct json_writer w = { .out = &out };

	(void)state;
	json_object_begin(&w, NULL);
	json_add_str(&w, "a", "x");
	json_add_i64(&w, "b", -5);
	json_list_begin(&w, "c");
	json_add_bool(&w, NULL, true);
	json_add_null(&w, NULL);
	json_object_begin(&w, NULL);
	json_object_end(&w);
	json_list_begin(&w, NULL);
	json_list_end(&w);
	json_list_end(&w);
	json_object_begin(&w, "d");
	json_add_bool(&w, "e", false);
	json_add_f64(&w, "f", 0.5);
	json_object_end(&w);
	json_add_str(&w, "g", NULL);
	json_add_raw(&w, "h", "[1, 2]");
	json_add_raw(&w, "i", NULL);
	json_object_end(&w);
	assert_string_equal(
		str_get(&out),
		"{\"a\":\"x\",\"b\":-5,\"c\":[true,null,{},[]],\"d\":{\"e\":false,\"f\":0.5},"
		"\"g\":null,\"h\":[1, 2],\"i\":null}");
	assert_int_equal(json_scan(out.data, out.len, JSON_COMMAND, NULL), 0);
}

static const struct {
	const char *text, *json;
} text_cases[] = {
	{ "", "\"\"" },
	{ "plain", "\"plain\"" },
	{ "\"\\/", "\"\\\"\\\\/\"" },
	{ "\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\"" },
	{ "\x01\x1f\x7f", "\"\\u0001\\u001f\x7f\"" },
	{ "k\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x98\x80",
	  "\"k\xc3\xb6ln \xe2\x82\xac \xf0\x9f\x98\x80\"" },
	{ "a\xff"
	  "b",
	  "\"a\xef\xbf\xbd"
	  "b\"" },
	{ "\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
	{ "x\xc3", "\"x\xef\xbf\xbd\"" },
};

static void test_writer_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(text_cases); i++) {
		_cleanup_(str_done) struct str out = { 0 };
		struct json_writer w = { .out = &out };

		json_add_str(&w, NULL, text_cases[i].text);
		assert_string_equal(str_get(&out), text_cases[i].json);
		assert_int_equal(json_scan(out.data, out.len, JSON_COMMAND, NULL), 0);
	}
}

/* Any bytes as key and value: the text passes the scanner, and valid UTF-8 comes back as it was. */
static void test_writer_any_bytes(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (size_t round = 0; round < 20000; round++) {
		_cleanup_(str_done) struct str out = { 0 };
		struct json_writer w = { .out = &out };
		char bytes[24];
		size_t n = round % sizeof(bytes);

		for (size_t i = 0; i < n; i++) {
			seed = seed * 1664525 + 1013904223;
			bytes[i] = (char)(1 + (seed >> 16) % 255);
		}
		bytes[n] = '\0';
		json_object_begin(&w, NULL);
		json_add_str(&w, bytes, bytes);
		json_object_end(&w);
		assert_int_equal(json_scan(out.data, out.len, JSON_COMMAND, NULL), 0);
	}
}

static const struct {
	double value;
	const char *json;
} number_cases[] = {
	{ 0.0, "0" },
	{ -0.0, "-0" },
	{ 3, "3" },
	{ 0.1, "0.1" },
	{ 0.1 + 0.2, "0.30000000000000004" },
	{ 1.0 / 3, "0.3333333333333333" },
	{ 1e20, "1e+20" },
	{ 123456789012345680.0, "1.2345678901234568e+17" },
	{ 9007199254740991.0, "9007199254740991" },
	{ 9007199254740992.0, "9007199254740992.0" },
	{ -9007199254740994.0, "-9007199254740994.0" },
	{ 5e-324, "4.94065645841247e-324" },
	{ DBL_MAX, "1.7976931348623157e+308" },
	{ INFINITY, "null" },
	{ -INFINITY, "null" },
	{ NAN, "null" },
};

static void test_writer_numbers(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(number_cases); i++) {
		_cleanup_(str_done) struct str out = { 0 };
		struct json_writer w = { .out = &out };

		json_add_f64(&w, NULL, number_cases[i].value);
		assert_string_equal(str_get(&out), number_cases[i].json);
		assert_int_equal(json_scan(out.data, out.len, JSON_COMMAND, NULL), 0);
		if (isfinite(number_cases[i].value))
			assert_true(strtod(out.data, NULL) == number_cases[i].value);
	}
}

static void test_writer_round_trip(void **state)
{
	uint64_t seed = 42;

	(void)state;
	for (size_t i = 0; i < 100000; i++) {
		_cleanup_(str_done) struct str out = { 0 };
		struct json_writer w = { .out = &out };
		cJSON *tree;
		double value;

		seed = seed * 6364136223846793005u + 1442695040888963407u;
		memcpy(&value, &seed, sizeof(value));
		if (!isfinite(value))
			continue;
		json_add_f64(&w, NULL, value);
		assert_int_equal(json_parse(out.data, out.len, JSON_COMMAND, &tree, NULL), 0);
		assert_memory_equal(&tree->valuedouble, &value, sizeof(value));
		cJSON_Delete(tree);
	}
}

static void test_writer_integers(void **state)
{
	static const int64_t values[] = { 0, -1, 9007199254740991, -9007199254740991,
					  1000000000000001 };

	(void)state;
	for (size_t i = 0; i < countof(values); i++) {
		_cleanup_(str_done) struct str out = { 0 };
		struct json_writer w = { .out = &out };
		cJSON *tree;

		json_add_i64(&w, NULL, values[i]);
		assert_int_equal(json_parse(out.data, out.len, JSON_COMMAND, &tree, NULL), 0);
		assert_true((int64_t)tree->valuedouble == values[i]);
		cJSON_Delete(tree);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_scanned_is_parsed),
		cmocka_unit_test(test_stricter_than_cjson),
		cmocka_unit_test(test_duplicate_keys),
		cmocka_unit_test(test_duplicate_key_is_located),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_get),
		cmocka_unit_test(test_writer_shape),
		cmocka_unit_test(test_writer_text),
		cmocka_unit_test(test_writer_any_bytes),
		cmocka_unit_test(test_writer_numbers),
		cmocka_unit_test(test_writer_round_trip),
		cmocka_unit_test(test_writer_integers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
