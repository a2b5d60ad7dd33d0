/* SPDX-License-Identifier: MIT */
/*
 * Every message through the codec: the first byte picks the message and, by its highest bit, the strict mode; the
 * rest is the text. What decodes must encode, decode again and be unchanged, and so must its copy.
 */
#include "common/codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static const struct message_def *pick(unsigned n)
{
	const struct message_def *const *m = message_table;

	while (n--)
		m = m[1] ? m + 1 : message_table;
	return *m;
}

static void check(const struct message_def *m, const void *value, struct arena *arena)
{
	_cleanup_(str_done) struct str first = { 0 };
	_cleanup_(str_done) struct str second = { 0 };
	const void *copy = codec_copy(m, value, arena);
	void *again;

	must(!codec_changed(m, value, copy));
	codec_encode(m, copy, &first);
	/* The largest class: what was left out is written as null, and that may be more than came in. */
	must(codec_decode(m, first.data, first.len, JSON_FOREIGN, CODEC_STRICT, arena, &again,
			  NULL) == 0);
	must(!codec_changed(m, value, again));
	codec_encode(m, again, &second);
	must(str_eq(first.data, second.data));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct codec_error error = { "" };
	const struct message_def *m;
	bool strict;
	void *value = NULL;

	if (!size)
		return 0;
	m = pick(data[0] & 0x7f);
	strict = data[0] & 0x80;
	if (codec_decode(m, (const char *)data + 1, size - 1, strict ? JSON_COMMAND : JSON_STATE,
			 strict ? CODEC_STRICT : CODEC_LENIENT, arena, &value, &error) == 0)
		check(m, value, arena);
	else
		must(error.text[0] && !value);
	return 0;
}
