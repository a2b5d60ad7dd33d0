/* SPDX-License-Identifier: MIT */
/*
 * Decoding and encoding, a table of cases a kind of field. What holds for every message at once (round trips,
 * copies, comparing) stands in test_codec_walk.c.
 */
#include "common/codec.h"

#include "tests/unit/check.h"

#include <errno.h>
#include <math.h>

struct decode_case {
	const struct message_def *message;
	enum codec_mode mode;
	const char *json;
	const char *error; /* NULL: decodes */
};

static void check_decode(const struct decode_case *c)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct codec_error error = { "" };
	void *value = NULL;
	int r = codec_decode(c->message, c->json, strlen(c->json), JSON_STATE, c->mode, arena,
			     &value, &error);

	if (r != (c->error ? -EINVAL : 0) || strcmp(error.text, c->error ? c->error : "") != 0)
		fail_msg("%s\n  is %d \"%s\"\n  not \"%s\"", c->json, r, error.text,
			 c->error ? c->error : "");
	assert_int_equal(value != NULL, r == 0);
}

#define SOURCE &message_source_state
#define TASK                                                                                       \
	"{\"upid\":\"U\",\"node\":\"n\",\"type\":\"t\",\"user\":\"u\",\"start_ms\":1,\"status\":\"ok\"}"

static const struct decode_case decode_cases[] = {
	/* missing, null, unknown */
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":10,\"failures\":0}", NULL },
	{ SOURCE, CODEC_STRICT, "{\"period_s\":10,\"failures\":0}", NULL },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":10}", "source_state.failures: is missing" },
	{ SOURCE, CODEC_STRICT, "{\"period_s\":10}", "source_state.failures: is missing" },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":10,\"failures\":null}",
	  "source_state.failures: is null" },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":10,\"failures\":0,\"error\":null}", NULL },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":10,\"failures\":0,\"new\":[{}]}", NULL },
	{ SOURCE, CODEC_STRICT, "{\"period_s\":10,\"failures\":0,\"new\":1}",
	  "source_state.new: is not a field of this message" },
	{ SOURCE, CODEC_STRICT, "{\"period_s\":10,\"failures\":0,\"Failures\":1}",
	  "source_state.Failures: is not a field of this message" },
	{ SOURCE, CODEC_LENIENT, "{\"Period_s\":10,\"failures\":0}",
	  "source_state.period_s: is missing" },
	/* not a document */
	{ SOURCE, CODEC_LENIENT, "[]", "source_state: is not an object" },
	{ SOURCE, CODEC_LENIENT, "null", "source_state: is not an object" },
	{ SOURCE, CODEC_LENIENT, "\"online\"", "source_state: is not an object" },
	/* integers */
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":9007199254740991}", NULL },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":-9007199254740991}", NULL },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":1e3}", NULL },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":-0}", NULL },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":9007199254740992.0}",
	  "source_state.failures: is not an integer" },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":-1e16}",
	  "source_state.failures: is not an integer" },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":1e300}",
	  "source_state.failures: is not an integer" },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":1.5}",
	  "source_state.failures: is not an integer" },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":\"1\"}",
	  "source_state.failures: is not an integer" },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":true}",
	  "source_state.failures: is not an integer" },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":1,\"last_ok_ms\":0.1}",
	  "source_state.last_ok_ms: is not an integer" },
	/* numbers */
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":-1.5e-3,\"failures\":1}", NULL },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":\"10\",\"failures\":1}",
	  "source_state.period_s: is not a number" },
	{ SOURCE, CODEC_LENIENT, "{\"period_s\":1,\"failures\":1,\"latency_ms\":false}",
	  "source_state.latency_ms: is not a number" },
	/* text */
	{ &message_bare, CODEC_LENIENT, "{\"word\":\"\"}", NULL },
	{ &message_bare, CODEC_LENIENT, "{\"word\":1}", "bare.word: is not text" },
	{ &message_bare, CODEC_LENIENT, "{\"word\":[\"a\"]}", "bare.word: is not text" },
	/* booleans */
	{ &message_done, CODEC_LENIENT, "{\"ok\":false}", NULL },
	{ &message_done, CODEC_LENIENT, "{\"ok\":0}", "done.ok: is neither true nor false" },
	{ &message_done, CODEC_LENIENT, "{\"ok\":\"true\"}", "done.ok: is neither true nor false" },
	/* words */
	{ &message_storage_node, CODEC_LENIENT, "{\"node\":\"n\",\"status\":\"x\"}",
	  "storage_node.status: is not one of the known words" },
	{ &message_storage_node, CODEC_LENIENT, "{\"node\":\"n\",\"status\":\"\"}",
	  "storage_node.status: is not one of the known words" },
	{ &message_storage_node, CODEC_LENIENT, "{\"node\":\"n\",\"status\":0}",
	  "storage_node.status: is not a word" },
	/* nested: the message is the whole one, the field the one that is wrong */
	{ &message_tasks_state, CODEC_LENIENT, "{\"ts\":1,\"cluster\":\"c\"}", NULL },
	{ &message_tasks_state, CODEC_LENIENT, "{\"ts\":1,\"cluster\":\"c\",\"tasks\":null}",
	  NULL },
	{ &message_tasks_state, CODEC_STRICT,
	  "{\"ts\":1,\"cluster\":\"c\",\"tasks\":[" TASK "," TASK "]}", NULL },
	{ &message_tasks_state, CODEC_LENIENT, "{\"ts\":1,\"cluster\":\"c\",\"tasks\":{}}",
	  "tasks_state.tasks: is not a list" },
	{ &message_tasks_state, CODEC_LENIENT, "{\"ts\":1,\"cluster\":\"c\",\"tasks\":[1]}",
	  "tasks_state: is not an object" },
	{ &message_tasks_state, CODEC_LENIENT, "{\"ts\":1,\"cluster\":\"c\",\"tasks\":[{}]}",
	  "tasks_state.upid: is missing" },
	{ &message_chat_say, CODEC_STRICT, "{\"text\":\"t\",\"actor\":{\"root\":1}}",
	  "chat_say.root: is not a field of this message" },
	{ &message_chat_say, CODEC_STRICT, "{\"text\":\"t\",\"actor\":[]}",
	  "chat_say: is not an object" },
	{ &message_thermal_sources, CODEC_LENIENT, "{\"ts\":1,\"cluster\":\"c\",\"sources\":[]}",
	  "thermal_sources.sources: is not an object" },
	{ &message_thermal_sources, CODEC_LENIENT,
	  "{\"ts\":1,\"cluster\":\"c\",\"sources\":{\"node.a\":{\"period_s\":1}}}",
	  "thermal_sources.failures: is missing" },
	{ &message_request, CODEC_STRICT, "{\"op\":\"x\",\"objects\":[\"a\",\"\"]}", NULL },
	{ &message_request, CODEC_STRICT, "{\"op\":\"x\",\"objects\":[null]}",
	  "request.objects: has an element that is not a short text" },
	{ &message_request, CODEC_STRICT, "{\"op\":\"x\",\"objects\":{\"0\":\"a\"}}",
	  "request.objects: is not a list" },
};

static void test_decode(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < countof(decode_cases); i++)
		check_decode(&decode_cases[i]);
}

/* Text that never was JSON is told with its place, whatever the message. */
static void test_not_json(void **unused)
{
	static const char *const texts[] = {
		"",
		"{",
		"{\"ok\":true}x",
		"{\"ok\":true,}",
		"{\"ok\":true,\"ok\":true}",
		"{\"ok\":tru}",
		"{\"a\":01}",
		"{\"a\":NaN}",
		"{\"a\":9007199254740992}",
		"{\"a\":-9007199254740992}",
		"{\"a\":\"\\u0000\"}",
		"{\"a\":\"\xff\"}",
	};

	(void)unused;
	for (size_t i = 0; i < countof(texts); i++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		struct codec_error error = { "" };
		void *value = NULL;

		assert_int_equal(codec_decode(&message_done, texts[i], strlen(texts[i]), JSON_STATE,
					      CODEC_LENIENT, arena, &value, &error),
				 -EINVAL);
		assert_true(str_starts(error.text, "byte "));
		/* The error is optional. */
		assert_int_equal(codec_decode(&message_done, texts[i], strlen(texts[i]), JSON_STATE,
					      CODEC_LENIENT, arena, &value, NULL),
				 -EINVAL);
		assert_null(value);
	}
}

static void repeat(struct str *s, const char *text, size_t n)
{
	while (n--)
		str_add(s, text);
}

/* BEFORE, UNIT n times, AFTER: decodes at the limit, and not one beyond. */
static void check_limit(const struct message_def *message, const char *before, const char *unit,
			size_t limit, const char *after, const char *expected)
{
	for (size_t n = limit; n <= limit + 1; n++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		_cleanup_(str_done) struct str text = { 0 };
		struct codec_error error = { "" };
		void *value;
		int r;

		str_add(&text, before);
		repeat(&text, unit, n);
		str_add(&text, after);
		r = codec_decode(message, text.data, text.len, JSON_FOREIGN, CODEC_LENIENT, arena,
				 &value, &error);
		assert_int_equal(r, n == limit ? 0 : -EINVAL);
		assert_string_equal(error.text, n == limit ? "" : expected);
	}
}

static void test_limits(void **unused)
{
	(void)unused;
	check_limit(&message_bare, "{\"word\":\"", "x", 64, "\"}", "bare.word: is too long");
	/* bytes, not characters */
	check_limit(&message_bare, "{\"word\":\"", "\\u00e4", 32, "\"}", "bare.word: is too long");
	check_limit(&message_request, "{\"op\":\"x\",\"objects\":[\"", "x", 1024, "\"]}",
		    "request.objects: has an element that is not a short text");
	check_limit(&message_request, "{\"op\":\"x\",\"objects\":[\"\"", ",\"\"", 63, "]}",
		    "request.objects: has too many elements");
	check_limit(&message_tasks_state, "{\"ts\":1,\"cluster\":\"c\",\"tasks\":[" TASK, "," TASK,
		    99, "]}", "tasks_state.tasks: has too many elements");
	check_limit(&message_thermal_sources, "{\"ts\":1,\"cluster\":\"c\",\"sources\":{\"", "k",
		    256, "\":{\"period_s\":1,\"failures\":0}}}",
		    "thermal_sources.sources: has a key that is too long");
	check_limit(&message_event, "{\"id\":\"i\",\"ts\":1,\"event_type\":\"new\",\"after\":\"",
		    "x", 16382, "\"}", "event.after: is too large");
}

/* A peer may send any name; the error stays short, and ends in what was wrong. */
static void test_long_unknown_field(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(str_done) struct str text = { 0 };
	struct codec_error error;
	void *value;

	(void)unused;
	str_add(&text, "{\"ok\":true,\"");
	repeat(&text, "x", 1000);
	str_add(&text, "\":1}");
	assert_int_equal(codec_decode(&message_done, text.data, text.len, JSON_COMMAND,
				      CODEC_STRICT, arena, &value, &error),
			 -EINVAL);
	assert_true(str_starts(error.text, "done.xxx"));
	assert_true(str_ends(error.text, "x: is not a field of this message"));
}

/* Decodes JSON as MESSAGE and encodes it again. */
static void check_text(const struct message_def *message, const char *json, const char *expected)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(str_done) struct str out = { 0 };
	struct codec_error error = { "" };
	void *value;

	if (codec_decode(message, json, strlen(json), JSON_STATE, CODEC_LENIENT, arena, &value,
			 &error) < 0)
		fail_msg("%s: %s", json, error.text);
	codec_encode(message, value, &out);
	assert_string_equal(str_get(&out), expected);
}

static void test_text(void **unused)
{
	(void)unused;
	/* fields in the order of the table, null for what is unknown, empty lists written */
	check_text(
		SOURCE, "{\"failures\":2,\"period_s\":10}",
		"{\"last_ok_ms\":null,\"period_s\":10,\"latency_ms\":null,\"failures\":2,\"error\":null}");
	check_text(&message_request, "{\"op\":\"refresh\"}",
		   "{\"request_id\":null,\"op\":\"refresh\",\"objects\":[],"
		   "\"before\":null,\"limit\":null,\"kind\":null}");
	check_text(&message_bare, "{\"word\":\"a\\\"\\\\\\n\\u00e4\\ud83d\\ude00/\"}",
		   "{\"word\":\"a\\\"\\\\\\n\xc3\xa4\xf0\x9f\x98\x80/\"}");
	/* any JSON is handed through: order, numbers, nulls */
	check_text(
		&message_grant,
		"{\"id\":\"i\",\"nonce\":\"n\","
		"\"envelope\":{ \"b\" : [1, -2.50, 9007199254740991, 1e3, null, true, \"\\u00e4\"],"
		" \"a\": {} }}",
		"{\"id\":\"i\",\"nonce\":\"n\","
		"\"envelope\":{\"b\":[1,-2.5,9007199254740991,1000,null,true,\"\xc3\xa4\"],"
		"\"a\":{}},\"refused\":null}");
	check_text(&message_grant, "{\"id\":\"i\",\"nonce\":\"n\",\"envelope\":false}",
		   "{\"id\":\"i\",\"nonce\":\"n\",\"envelope\":false,\"refused\":null}");
	check_text(
		&message_reply, "{\"request_id\":\"r\",\"status\":\"ok\",\"result\":null}",
		"{\"request_id\":\"r\",\"status\":\"ok\",\"code\":null,\"text\":null,\"result\":null}");
}

/* A message of our own, for resolutions that no real one has beside each other. */
struct numbers {
	double any, fine, half, coarse;
};

static const struct field_def *numbers_fields(size_t *n)
{
	/* clang-format off */
#define NUMBER(field, r) \
	{ .name = #field, .kind = FIELD_F64, .offset = offsetof(struct numbers, field), \
	  .resolution = r }
	/* clang-format on */
	static const struct field_def fields[] = {
		NUMBER(any, RESOLUTION_ANY),
		NUMBER(fine, 0.005),
		NUMBER(half, 0.5),
		NUMBER(coarse, 65536),
	};
#undef NUMBER

	*n = countof(fields);
	return fields;
}

static const struct message_def message_numbers = { .name = "numbers",
						    .size = sizeof(struct numbers),
						    .fields = numbers_fields };

/* No finer than the resolution means, and never in a form that is not JSON or reads as another number. */
static void test_numbers(void **unused)
{
	static const struct {
		double value;
		const char *any, *fine, *half, *coarse;
	} cases[] = {
		{ 0, "0", "0", "0", "0" },
		{ 0.1 + 0.2, "0.3", "0.3", "0.3", "0.3" },
		{ -2.0 / 3, "-0.666667", "-0.66667", "-0.667", "-0.67" },
		{ 12345.6789, "12345.6789", "12345.6789", "12345.679", "12345.68" },
		{ 1e-300, "0", "0", "0", "0" },
		{ 1e15, "1e+15", "1e+15", "1e+15", "1e+15" },
		{ 9007199254740991, "9007199254740991", "9007199254740991", "9007199254740991",
		  "9007199254740991" },
		{ 9007199254740994, "9007199254740994.0", "9007199254740994.0",
		  "9007199254740994.0", "9007199254740994.0" },
		{ 1e300, "1e+300", "1e+300", "1e+300", "1e+300" },
		{ -1.7e308, "-1.7e+308", "-1.7e+308", "-1.7e+308", "-1.7e+308" },
	};

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		_cleanup_(str_done) struct str out = { 0 };
		_cleanup_(str_done) struct str expected = { 0 };
		double v = cases[i].value;

		codec_encode(&message_numbers, &(struct numbers){ v, v, v, v }, &out);
		str_printf(&expected, "{\"any\":%s,\"fine\":%s,\"half\":%s,\"coarse\":%s}",
			   cases[i].any, cases[i].fine, cases[i].half, cases[i].coarse);
		assert_string_equal(str_get(&out), str_get(&expected));
		assert_int_equal(json_scan(out.data, out.len, JSON_STATE, NULL), 0);
	}
}

/* What we computed but is no number is written as unknown. */
static void test_not_a_number(void **unused)
{
	static const double values[] = { NAN, INFINITY, -INFINITY };

	(void)unused;
	for (size_t i = 0; i < countof(values); i++) {
		_cleanup_(str_done) struct str out = { 0 };
		double v = values[i];

		codec_encode(&message_numbers, &(struct numbers){ v, v, v, v }, &out);
		assert_string_equal(str_get(&out),
				    "{\"any\":null,\"fine\":null,\"half\":null,\"coarse\":null}");
	}
}

/* What a receiver would refuse is cut or left out by the sender, so that the rest of the document arrives. */
static void test_sender_keeps_limits(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(str_done) struct str out = { 0 }, text = { 0 };
	struct msg_reply reply = { .request_id = "r", .status = REPLY_OK };
	struct msg_tasks_state tasks = { .cluster = "home" };
	struct msg_task *many = arena_alloc(arena, 150 * sizeof(*many));
	struct msg_storage_state storage = { .cluster = "home",
					     .storage = "efs",
					     .ts = INT64_MAX,
					     .total = some_i64(INT64_C(1) << 62) };
	void *back;

	(void)unused;
	while (text.len < 600)
		str_add(&text, "ä");
	reply.text = str_get(&text);
	codec_encode(&message_reply, &reply, &out);
	assert_int_equal(codec_decode(&message_reply, out.data, out.len, JSON_STATE, CODEC_STRICT,
				      arena, &back, NULL),
			 0);
	assert_int_equal(strlen(((struct msg_reply *)back)->text), 512);

	for (size_t i = 0; i < 150; i++)
		many[i] = (struct msg_task){
			.upid = "u", .node = "n", .type = "t", .user = "root@pam"
		};
	tasks.tasks = many;
	tasks.tasks_n = 150;
	str_clear(&out);
	codec_encode(&message_tasks_state, &tasks, &out);
	assert_int_equal(codec_decode(&message_tasks_state, out.data, out.len, JSON_STATE,
				      CODEC_STRICT, arena, &back, NULL),
			 0);
	assert_int_equal(((struct msg_tasks_state *)back)->tasks_n, 100);

	str_clear(&out);
	codec_encode(&message_storage_state, &storage, &out);
	assert_int_equal(codec_decode(&message_storage_state, out.data, out.len, JSON_STATE,
				      CODEC_STRICT, arena, &back, NULL),
			 0);
	assert_false(((struct msg_storage_state *)back)->total.has);
	assert_true(((struct msg_storage_state *)back)->ts == 9007199254740991);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),	     cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_limits),	     cmocka_unit_test(test_long_unknown_field),
		cmocka_unit_test(test_text),	     cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_not_a_number), cmocka_unit_test(test_sender_keeps_limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
