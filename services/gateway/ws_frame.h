/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * WebSocket frames (RFC 6455) as bytes: built whole for sending, and taken apart strictly. Pure; no socket.
 */
#include "common/str.h"

enum ws_opcode {
	WS_CONTINUATION = 0,
	WS_TEXT = 1,
	WS_BINARY = 2,
	WS_CLOSE = 8,
	WS_PING = 9,
	WS_PONG = 10,
};

/* Close codes; 4401 is ours: the session has ended. */
enum ws_close_code {
	WS_CLOSE_NORMAL = 1000,
	WS_CLOSE_GOING_AWAY = 1001,
	WS_CLOSE_PROTOCOL = 1002,
	WS_CLOSE_UNSUPPORTED = 1003,
	WS_CLOSE_POLICY = 1008,
	WS_CLOSE_TOO_BIG = 1009,
	WS_CLOSE_SESSION = 4401,
};

#define WS_MESSAGE_MAX (64 * 1024)
#define WS_HEADER_MAX 10

/* A frame as it goes on the wire, shared by all who are to get it. Of the loop's thread alone. */
struct ws_frame {
	unsigned refs;
	size_t len;
	unsigned char data[];
};

/* A complete unmasked frame with one reference. */
struct ws_frame *ws_frame_new(enum ws_opcode opcode, const void *payload,
			      size_t length) _nodiscard_;
/* A close frame; TEXT (at most 120 bytes of it) says why. */
struct ws_frame *ws_frame_new_close(int code, const char *text) _nodiscard_;
struct ws_frame *ws_frame_ref(struct ws_frame *frame) _nodiscard_;
/* NULL is nothing. */
void ws_frame_unref(struct ws_frame *frame);

/* Puts the frames of one client together to messages. Zeroed is ready. */
struct ws_parser {
	unsigned char header[14];
	size_t header_len;  /* bytes of it that came */
	size_t header_need; /* 0: not known yet */
	uint64_t left;	    /* of the frame's payload */
	size_t mask_at;
	unsigned char control[125];
	size_t control_len;
	struct str message; /* of text frames so far */
	bool in_message;
};

/*
 * Told of every complete message: WS_TEXT, WS_CLOSE, WS_PING or WS_PONG; DATA is NUL-terminated and gone afterwards.
 * Returns 0, or a close code to stop.
 */
typedef int (*ws_message_fn)(void *ctx, enum ws_opcode opcode, const char *data, size_t length);

/*
 * Takes in what was received (DATA is unmasked in place). 0, or the close code for what is wrong or what FN
 * returned; then nothing more may be fed. No payload is kept before it came, and never more than WS_MESSAGE_MAX.
 */
int ws_parser_feed(struct ws_parser *parser, unsigned char *data, size_t length, ws_message_fn fn,
		   void *ctx);
void ws_parser_done(struct ws_parser *parser);
