/* SPDX-License-Identifier: MIT */
/*
 * WebSocket frames and messages: the limits of RFC 6455 and ours, any way of cutting the bytes, and that a length in a
 * header costs nothing.
 */
#include "services/gateway/ws_frame.h"
#include "services/gateway/ws_message.h"

#include <errno.h>

#include "common/alloc.h"

#include "tests/unit/check.h"

struct heard {
	struct str log; /* opcode:data; */
	int answer;
};

static int hear(void *ctx, enum ws_opcode opcode, const char *data, size_t length)
{
	struct heard *heard = ctx;

	assert_int_equal(data[length], 0);
	str_printf(&heard->log, "%d:%zu:%.20s;", opcode, length, data);
	return heard->answer;
}

/* A masked client frame, appended to OUT. */
static void add_frame(struct str *out, unsigned char first, const char *payload, size_t length)
{
	static const char mask[4] = { 0x11, 0x22, 0x33, 0x44 };

	str_add_char(out, (char)first);
	if (length < 126) {
		str_add_char(out, (char)(0x80 | length));
	} else if (length < 65536) {
		str_add_char(out, (char)(0x80 | 126));
		str_add_char(out, (char)(length >> 8));
		str_add_char(out, (char)length);
	} else {
		str_add_char(out, (char)(0x80 | 127));
		for (int shift = 56; shift >= 0; shift -= 8)
			str_add_char(out, (char)((uint64_t)length >> shift));
	}
	str_add_n(out, mask, sizeof(mask));
	for (size_t i = 0; i < length; i++)
		str_add_char(out, (char)(payload[i] ^ mask[i & 3]));
}

static int feed(const struct str *bytes, size_t step, struct heard *heard)
{
	struct ws_parser parser = { 0 };
	_cleanup_(freep) unsigned char *copy = xmemdup(bytes->data, bytes->len);
	int code = 0;

	str_clear(&heard->log);
	for (size_t at = 0; at < bytes->len && code == 0; at += step)
		code = ws_parser_feed(&parser, copy + at, min_of(step, bytes->len - at), hear,
				      heard);
	ws_parser_done(&parser);
	return code;
}

static void test_messages_however_they_are_cut(void **state)
{
	struct str bytes = { 0 };
	struct heard heard = { { 0 }, 0 };

	(void)state;
	add_frame(&bytes, 0x81, "hello", 5);
	add_frame(&bytes, 0x01, "frag", 4);
	add_frame(&bytes, 0x89, "ping", 4);
	add_frame(&bytes, 0x00, "men", 3);
	add_frame(&bytes, 0x80, "ted", 3);
	add_frame(&bytes, 0x81, "", 0);
	add_frame(&bytes, 0x8a, "", 0);
	add_frame(&bytes, 0x88, "\x03\xe8", 2);
	for (size_t step = 1; step <= bytes.len; step++) {
		assert_int_equal(feed(&bytes, step, &heard), 0);
		assert_string_equal(str_get(&heard.log),
				    "1:5:hello;9:4:ping;1:10:fragmented;1:0:;10:0:;8:2:\x03\xe8;");
	}
	heard.answer = 1008;
	assert_int_equal(feed(&bytes, 3, &heard), 1008);
	assert_string_equal(str_get(&heard.log), "1:5:hello;");
	str_done(&bytes);
	str_done(&heard.log);
}

static void test_long_messages(void **state)
{
	_cleanup_(freep) char *text = xcalloc(1, WS_MESSAGE_MAX + 2);
	struct heard heard = { { 0 }, 0 };
	static const size_t sizes[] = { 125, 126, 127, 65535, 65536 };

	(void)state;
	memset(text, 'x', WS_MESSAGE_MAX + 1);
	for (size_t i = 0; i < countof(sizes); i++) {
		struct str bytes = { 0 };
		_cleanup_(freep) char *want = NULL;

		add_frame(&bytes, 0x81, text, sizes[i]);
		assert_int_equal(feed(&bytes, 1000, &heard), 0);
		want = xasprintf("1:%zu:xxxxxxxxxxxxxxxxxxxx;", sizes[i]);
		assert_string_equal(str_get(&heard.log), want);
		str_done(&bytes);
	}
	str_done(&heard.log);
}

/* Bytes that are refused, and with which code. */
static void test_refusals(void **state)
{
	static const struct {
		const char *bytes;
		size_t length;
		int code;
	} cases[] = {
		{ "\x81\x05hello", 7, 1002 },	     /* not masked */
		{ "\xc1\x80", 2, 1002 },	     /* a reserved bit */
		{ "\x82\x80", 2, 1003 },	     /* binary */
		{ "\x83\x80", 2, 1002 },	     /* an unknown opcode */
		{ "\x8b\x80", 2, 1002 },	     /* an unknown control opcode */
		{ "\x80\x80", 2, 1002 },	     /* goes on with nothing */
		{ "\x09\x80", 2, 1002 },	     /* a ping in pieces */
		{ "\x89\xfe", 2, 1002 },	     /* a long ping */
		{ "\x01\x80mask\x81\x80", 8, 1002 }, /* a text within a text */
		{ "\x81\xff\x00\x00\x00\x00\x80\x00\x00\x00mask", 14, 1009 }, /* 2 GiB */
		{ "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xffmask", 14,
		  1009 }, /* more than there is */
		{ "\x81\xff\x00\x00\x00\x00\x00\x01\x00\x01mask", 14, 1009 }, /* 64 KiB and one */
	};
	struct heard heard = { { 0 }, 0 };

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct str bytes = { 0 };

		str_add_n(&bytes, cases[i].bytes, cases[i].length);
		assert_int_equal(feed(&bytes, 1, &heard), cases[i].code);
		assert_int_equal(feed(&bytes, 100, &heard), cases[i].code);
		str_done(&bytes);
	}
	str_done(&heard.log);
}

static void test_pieces_that_add_up_are_refused(void **state)
{
	_cleanup_(freep) char *text = xcalloc(1, 40000);
	struct heard heard = { { 0 }, 0 };
	struct str bytes = { 0 };

	(void)state;
	memset(text, 'x', 40000);
	add_frame(&bytes, 0x01, text, 40000);
	add_frame(&bytes, 0x80, text, 30000);
	assert_int_equal(feed(&bytes, 5000, &heard), 1009);
	assert_string_equal(str_get(&heard.log), "");
	str_done(&bytes);
	str_done(&heard.log);
}

static void test_built_frames(void **state)
{
	_cleanup_(freep) char *text = xcalloc(1, 70000);
	static const struct {
		size_t length, header;
	} cases[] = {
		{ 0, 2 }, { 125, 2 }, { 126, 4 }, { 65535, 4 }, { 65536, 10 }, { 70000, 10 }
	};
	struct ws_frame *close_frame = ws_frame_new_close(4401, "the session has ended");

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct ws_frame *frame = ws_frame_new(WS_TEXT, text, cases[i].length);

		assert_int_equal(frame->len, cases[i].header + cases[i].length);
		assert_int_equal(frame->data[0], 0x81);
		ws_frame_unref(ws_frame_ref(frame));
		ws_frame_unref(frame);
	}
	assert_memory_equal(close_frame->data, "\x88\x17\x11\x31the session", 15);
	ws_frame_unref(close_frame);
}

struct message_case {
	const char *text;
	const char *why; /* NULL: accepted */
	enum ws_op op;
	const char *id;
	size_t filters_n;
};

static const struct message_case message_cases[] = {
	{ "{\"op\":\"sub\",\"id\":1,\"filters\":[\"pve/#\",\"link\"]}", NULL, WS_OP_SUB, "1", 2 },
	{ "{\"op\":\"sub\",\"id\":\"a\\\"b\",\"filters\":[\"#\"]}", NULL, WS_OP_SUB, "\"a\\\"b\"",
	  1 },
	{ "{\"op\":\"unsub\",\"id\":-7}", NULL, WS_OP_UNSUB, "-7", 0 },
	{ "{\"op\":\"ping\"}", NULL, WS_OP_PING, NULL, 0 },
	{ "{\"op\":\"ping\",\"id\":2}", NULL, WS_OP_PING, "2", 0 },
	{ "{}", "op is missing", 0, NULL, 0 },
	{ "[]", "op is missing", 0, NULL, 0 },
	{ "{\"op\":1}", "op is missing", 0, NULL, 0 },
	{ "{\"op\":\"execute\"}", "op is none of sub, unsub, ping", 0, NULL, 0 },
	{ "{\"op\":\"ping\",\"x\":1}", "unknown member", 0, NULL, 0 },
	{ "{\"op\":\"ping\",\"filters\":[\"#\"]}", "unknown member", 0, NULL, 0 },
	{ "{\"op\":\"unsub\"}", "id must be a text of at most 64 bytes or a whole number", 0, NULL,
	  0 },
	{ "{\"op\":\"unsub\",\"id\":1.5}",
	  "id must be a text of at most 64 bytes or a whole number", 0, NULL, 0 },
	{ "{\"op\":\"unsub\",\"id\":[]}", "id must be a text of at most 64 bytes or a whole number",
	  0, NULL, 0 },
	{ "{\"op\":\"sub\",\"id\":1}", "filters must be 1 to 64 topic filters", 0, NULL, 0 },
	{ "{\"op\":\"sub\",\"id\":1,\"filters\":[]}", "filters must be 1 to 64 topic filters", 0,
	  NULL, 0 },
	{ "{\"op\":\"sub\",\"id\":1,\"filters\":[\"a\\\"b\"]}",
	  "filters must be 1 to 64 topic filters", 0, NULL, 0 },
	{ "{\"op\":\"sub\",\"id\":1,\"filters\":[7]}", "filters must be 1 to 64 topic filters", 0,
	  NULL, 0 },
	{ "{\"op\":\"ping\",\"op\":\"sub\"}", "", 0, NULL, 0 },
	{ "{\"op\":\"ping\"} x", "", 0, NULL, 0 },
	{ "", "", 0, NULL, 0 },
};

static void test_messages(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(message_cases); i++) {
		const struct message_case *c = &message_cases[i];
		struct ws_command command;
		const char *why = NULL;
		int r = ws_command_parse(c->text, strlen(c->text), &command, &why);

		assert_int_equal(r, c->why ? -EINVAL : 0);
		if (c->why && c->why[0])
			assert_string_equal(why, c->why);
		if (c->why)
			continue;
		assert_int_equal(command.op, c->op);
		assert_true(str_eq_null(command.id, c->id));
		assert_int_equal(command.filters_n, c->filters_n);
		ws_command_done(&command);
	}
}

static void test_a_bomb_of_brackets(void **state)
{
	_cleanup_(freep) char *text = xcalloc(1, 1601);
	struct ws_command command;
	const char *why;

	(void)state;
	memset(text, '[', 1600);
	assert_int_equal(ws_command_parse(text, 1600, &command, &why), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages_however_they_are_cut),
		cmocka_unit_test(test_long_messages),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_pieces_that_add_up_are_refused),
		cmocka_unit_test(test_built_frames),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_a_bomb_of_brackets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
