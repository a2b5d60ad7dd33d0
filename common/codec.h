/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * JSON <-> message structs, by the tables of topics.h. One codec for all: nobody writes or reads a payload by
 * hand.
 */
#include "common/alloc.h"
#include "common/json.h"
#include "common/topics.h"

enum codec_mode {
	CODEC_LENIENT, /* state, events, replies: unknown fields are ignored, missing optional ones are null */
	CODEC_STRICT, /* commands, REST bodies: an unknown field is an error */
};

struct codec_error {
	char text[160]; /* "guest_state.vmid: not an integer" */
};

/*
 * Decodes JSON text into a struct of MESSAGE (memory from ARENA, which owns all it points to).
 * 0, or -EINVAL with *error filled. The text is scanned first, by CLASS.
 */
int codec_decode(const struct message_def *message, const char *text, size_t length,
		 enum json_class class, enum codec_mode mode, struct arena *arena, void **ret,
		 struct codec_error *error);

/* The same from a tree that json_parse() made. */
int codec_decode_tree(const struct message_def *message, const cJSON *tree, enum codec_mode mode,
		      struct arena *arena, void **ret, struct codec_error *error);

/* Appends VALUE (a struct of MESSAGE) to OUT as one line of JSON. */
void codec_encode(const struct message_def *message, const void *value, struct str *out);
/* The same as member KEY of what WRITER is writing. */
void codec_encode_into(const struct message_def *message, const void *value, struct json_writer *w,
		       const char *key);

/*
 * True when NOW differs from OLD enough to be published: some field that is not marked NEVER changed its
 * text, or moved by at least its resolution, or became or ceased to be null.
 */
bool codec_changed(const struct message_def *message, const void *old, const void *now);

/* A deep copy in ARENA. */
void *codec_copy(const struct message_def *message, const void *value, struct arena *arena);
