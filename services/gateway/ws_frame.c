/* SPDX-License-Identifier: MIT */
/*
 * Frames. What civetweb lets through is refused here: unmasked frames, reserved bits, long or fragmented control
 * frames, messages beyond the limit. A length in a header costs no memory: it grows with what really arrives.
 */
#include "services/gateway/ws_frame.h"

#include <stdio.h>

#include "common/alloc.h"

#define FIN 0x80
#define MASKED 0x80

struct ws_frame *ws_frame_new(enum ws_opcode opcode, const void *payload, size_t length)
{
	struct ws_frame *frame = xmalloc(sizeof(*frame) + WS_HEADER_MAX + length);
	unsigned char *p = frame->data;

	*p++ = (unsigned char)(FIN | opcode);
	if (length < 126) {
		*p++ = (unsigned char)length;
	} else if (length <= 0xffff) {
		*p++ = 126;
		*p++ = (unsigned char)(length >> 8);
		*p++ = (unsigned char)length;
	} else {
		*p++ = 127;
		for (int shift = 56; shift >= 0; shift -= 8)
			*p++ = (unsigned char)((uint64_t)length >> shift);
	}
	if (length)
		memcpy(p, payload, length);
	frame->refs = 1;
	frame->len = (size_t)(p - frame->data) + length;
	return frame;
}

struct ws_frame *ws_frame_new_close(int code, const char *text)
{
	unsigned char payload[2 + 120];
	size_t length = min_of(strlen(text), sizeof(payload) - 2);

	payload[0] = (unsigned char)(code >> 8);
	payload[1] = (unsigned char)code;
	memcpy(payload + 2, text, length);
	return ws_frame_new(WS_CLOSE, payload, 2 + length);
}

struct ws_frame *ws_frame_ref(struct ws_frame *frame)
{
	frame->refs++;
	return frame;
}

void ws_frame_unref(struct ws_frame *frame)
{
	if (frame && --frame->refs == 0)
		free(frame);
}

static bool is_control(enum ws_opcode opcode)
{
	return opcode >= WS_CLOSE;
}

static enum ws_opcode opcode_of(const struct ws_parser *parser)
{
	return (enum ws_opcode)(parser->header[0] & 0x0f);
}

/* How long the header is, from its first two bytes. */
static size_t header_size(const unsigned char header[2])
{
	unsigned length = header[1] & 0x7f;

	return 2 + 4 + (length == 126 ? 2u : length == 127 ? 8u : 0u);
}

static uint64_t payload_size(const unsigned char *header)
{
	size_t bytes = (header[1] & 0x7f) == 126 ? 2 : (header[1] & 0x7f) == 127 ? 8 : 0;
	uint64_t size = 0;

	if (!bytes)
		return header[1] & 0x7f;
	for (size_t i = 0; i < bytes; i++)
		size = size << 8 | header[2 + i];
	return size;
}

/* The first two bytes are there: 0 or a close code. */
static int check_start(const struct ws_parser *parser)
{
	enum ws_opcode opcode = opcode_of(parser);
	bool fin = parser->header[0] & FIN;

	if (parser->header[0] & 0x70 || !(parser->header[1] & MASKED))
		return WS_CLOSE_PROTOCOL;
	switch (opcode) {
	case WS_CONTINUATION:
		return parser->in_message ? 0 : WS_CLOSE_PROTOCOL;
	case WS_TEXT:
		return parser->in_message ? WS_CLOSE_PROTOCOL : 0;
	case WS_BINARY:
		return WS_CLOSE_UNSUPPORTED;
	case WS_CLOSE:
	case WS_PING:
	case WS_PONG:
		return fin && (parser->header[1] & 0x7f) <= 125 ? 0 : WS_CLOSE_PROTOCOL;
	}
	return WS_CLOSE_PROTOCOL;
}

/* The whole header is there: 0 or a close code. */
static int begin_payload(struct ws_parser *parser)
{
	parser->left = payload_size(parser->header);
	parser->mask_at = 0;
	parser->control_len = 0;
	if (is_control(opcode_of(parser)))
		return 0;
	parser->in_message = true;
	if (parser->left > WS_MESSAGE_MAX || parser->message.len + parser->left > WS_MESSAGE_MAX)
		return WS_CLOSE_TOO_BIG;
	return 0;
}

static void take_payload(struct ws_parser *parser, unsigned char *data, size_t length)
{
	const unsigned char *mask = parser->header + parser->header_need - 4;

	for (size_t i = 0; i < length; i++)
		data[i] ^= mask[parser->mask_at++ & 3];
	parser->left -= length;
	if (is_control(opcode_of(parser))) {
		memcpy(parser->control + parser->control_len, data, length);
		parser->control_len += length;
	} else {
		str_add_n(&parser->message, (const char *)data, length);
	}
}

/* The frame is complete: hands over what it completes. 0 or a close code. */
static int end_frame(struct ws_parser *parser, ws_message_fn fn, void *ctx)
{
	enum ws_opcode opcode = opcode_of(parser);
	char control[sizeof(parser->control) + 1];
	int r;

	parser->header_len = 0;
	parser->header_need = 0;
	if (is_control(opcode)) {
		memcpy(control, parser->control, parser->control_len);
		control[parser->control_len] = '\0';
		return fn(ctx, opcode, control, parser->control_len);
	}
	if (!(parser->header[0] & FIN))
		return 0;
	parser->in_message = false;
	r = fn(ctx, WS_TEXT, str_get(&parser->message), parser->message.len);
	/* A client at rest keeps no memory. */
	str_done(&parser->message);
	return r;
}

/* Takes one byte of the header: 0 or a close code. */
static int take_header(struct ws_parser *parser, unsigned char byte)
{
	int r;

	parser->header[parser->header_len++] = byte;
	if (parser->header_len == 2) {
		r = check_start(parser);
		if (r != 0)
			return r;
		parser->header_need = header_size(parser->header);
	}
	if (parser->header_len == parser->header_need)
		return begin_payload(parser);
	return 0;
}

static bool has_header(const struct ws_parser *parser)
{
	return parser->header_need && parser->header_len == parser->header_need;
}

int ws_parser_feed(struct ws_parser *parser, unsigned char *data, size_t length, ws_message_fn fn,
		   void *ctx)
{
	int r;

	while (length > 0) {
		if (!has_header(parser)) {
			r = take_header(parser, *data++);
			length--;
			if (r != 0)
				return r;
		} else {
			size_t n = min_of((uint64_t)length, parser->left);

			take_payload(parser, data, n);
			data += n;
			length -= n;
		}
		if (has_header(parser) && parser->left == 0) {
			r = end_frame(parser, fn, ctx);
			if (r != 0)
				return r;
		}
	}
	return 0;
}

void ws_parser_done(struct ws_parser *parser)
{
	str_done(&parser->message);
	*parser = (struct ws_parser){ 0 };
}
