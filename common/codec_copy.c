/* SPDX-License-Identifier: MIT */
/*
 * Deep copies: the struct is copied as it is, then every pointer in it is replaced by a copy of what it shows.
 */
#include "common/codec.h"

#include "common/codec_parts.h"

static void copy_fields(const struct message_def *message, void *value, struct arena *arena);

static void copy_text(void *at, struct arena *arena)
{
	const char **text = at;

	if (*text)
		*text = arena_strdup(arena, *text);
}

static void copy_elements(const struct field_def *f, void *at, struct arena *arena)
{
	const struct message_def *m = f->message;
	size_t size = f->kind == FIELD_STRS ? sizeof(char *) :
		      f->kind == FIELD_NUMS ? sizeof(struct num_entry) :
		      f->kind == FIELD_LIST ? m->size :
					      m->map_size;
	size_t n = codec_get_count(at);
	char *elements = arena_alloc(arena, n * size);

	if (n)
		memcpy(elements, *(void **)at, n * size);
	*(void **)at = elements;
	for (size_t i = 0; i < n; i++) {
		char *element = elements + i * size;

		if (f->kind != FIELD_LIST)
			copy_text(element, arena);
		if (f->kind == FIELD_LIST)
			copy_fields(m, element, arena);
		else if (f->kind == FIELD_MAP)
			copy_fields(m, element + m->map_offset, arena);
	}
}

static void copy_field(const struct field_def *f, void *at, struct arena *arena)
{
	switch (f->kind) {
	case FIELD_STR:
	case FIELD_RAW:
		copy_text(at, arena);
		return;
	case FIELD_OBJ:
		if (*(void **)at)
			*(void **)at = codec_copy(f->message, *(void **)at, arena);
		return;
	case FIELD_LIST:
	case FIELD_MAP:
	case FIELD_STRS:
	case FIELD_NUMS:
		copy_elements(f, at, arena);
		return;
	default:
		return; /* lies in the struct itself */
	}
}

static void copy_fields(const struct message_def *message, void *value, struct arena *arena)
{
	size_t n;
	const struct field_def *fields = message->fields(&n);

	for (size_t i = 0; i < n; i++)
		copy_field(&fields[i], (char *)value + fields[i].offset, arena);
}

void *codec_copy(const struct message_def *message, const void *value, struct arena *arena)
{
	void *copy = arena_alloc(arena, message->size);

	memcpy(copy, value, message->size);
	copy_fields(message, copy, arena);
	return copy;
}
