/* SPDX-License-Identifier: MIT */
/*
 * JSON -> structs: one walk over the fields of a message; what is special about a kind stands in that kind's
 * function alone. Nothing of the cJSON tree is kept: text is copied into the arena.
 */
#include "common/codec.h"

#include "common/codec_parts.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#define KEY_MAX_BYTES 256
#define NESTING_MAX 8

struct decoder {
	const struct message_def *message;
	enum codec_mode mode;
	struct arena *arena;
	struct codec_error *error;
	unsigned depth;
};

static int fail(const struct decoder *d, const char *field, const char *what)
{
	(void)snprintf(d->error->text, sizeof(d->error->text), "%s%s%.60s: %s", d->message->name,
		       field[0] ? "." : "", field, what);
	return -EINVAL;
}

static int decode_fields(struct decoder *d, const struct message_def *message, const cJSON *tree,
			 void *out);

static int decode_text(struct decoder *d, const struct field_def *f, const cJSON *item, void *at)
{
	if (!cJSON_IsString(item))
		return fail(d, f->name, "is not text");
	if (strlen(item->valuestring) > f->max)
		return fail(d, f->name, "is too long");
	*(const char **)at = arena_strdup(d->arena, item->valuestring);
	return 0;
}

static int decode_enum(struct decoder *d, const struct field_def *f, const cJSON *item, void *at)
{
	int value;

	if (!cJSON_IsString(item))
		return fail(d, f->name, "is not a word");
	value = enumeration_find(f->enumeration, item->valuestring);
	if (value < 0)
		return fail(d, f->name, "is not one of the known words");
	if (f->optional)
		*(struct opt_int *)at = (struct opt_int){ true, value };
	else
		*(int *)at = value;
	return 0;
}

static int decode_bool(struct decoder *d, const struct field_def *f, const cJSON *item, void *at)
{
	if (!cJSON_IsBool(item))
		return fail(d, f->name, "is neither true nor false");
	if (f->optional)
		*(struct opt_bool *)at = some_bool(cJSON_IsTrue(item));
	else
		*(bool *)at = cJSON_IsTrue(item);
	return 0;
}

static bool is_integer(const cJSON *item)
{
	double v = item->valuedouble;

	return cJSON_IsNumber(item) && v >= -CODEC_INTEGER_MAX && v <= CODEC_INTEGER_MAX &&
	       v == floor(v);
}

static int decode_i64(struct decoder *d, const struct field_def *f, const cJSON *item, void *at)
{
	if (!is_integer(item))
		return fail(d, f->name, "is not an integer");
	if (f->optional)
		*(struct opt_i64 *)at = some_i64((int64_t)item->valuedouble);
	else
		*(int64_t *)at = (int64_t)item->valuedouble;
	return 0;
}

static int decode_f64(struct decoder *d, const struct field_def *f, const cJSON *item, void *at)
{
	if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
		return fail(d, f->name, "is not a number");
	if (f->optional)
		*(struct opt_f64 *)at = some_f64(item->valuedouble);
	else
		*(double *)at = item->valuedouble;
	return 0;
}

static int decode_object(struct decoder *d, const struct field_def *f, const cJSON *item, void *at)
{
	void *value = arena_alloc(d->arena, f->message->size);

	*(const void **)at = value;
	return decode_fields(d, f->message, item, value);
}

/* Checks a list's or map's shape and reserves N elements of SIZE. */
static int begin_list(struct decoder *d, const struct field_def *f, const cJSON *item, size_t size,
		      void *at, char **elements)
{
	bool object = f->kind == FIELD_MAP || f->kind == FIELD_NUMS;
	size_t n;

	if (object ? !cJSON_IsObject(item) : !cJSON_IsArray(item))
		return fail(d, f->name, object ? "is not an object" : "is not a list");
	n = (size_t)cJSON_GetArraySize(item);
	if (n > f->max)
		return fail(d, f->name, "has too many elements");
	*elements = arena_alloc(d->arena, n * size);
	*(void **)at = *elements;
	codec_set_count(at, n);
	return 0;
}

static int decode_list(struct decoder *d, const struct field_def *f, const cJSON *item, void *at)
{
	const cJSON *child;
	char *element;
	int r = begin_list(d, f, item, f->message->size, at, &element);

	if (r < 0)
		return r;
	cJSON_ArrayForEach(child, item) {
		r = decode_fields(d, f->message, child, element);
		if (r < 0)
			return r;
		element += f->message->size;
	}
	return 0;
}

static int decode_key(struct decoder *d, const struct field_def *f, const cJSON *child,
		      char *element)
{
	if (strlen(child->string) > KEY_MAX_BYTES)
		return fail(d, f->name, "has a key that is too long");
	*(const char **)element = arena_strdup(d->arena, child->string);
	return 0;
}

static int decode_map(struct decoder *d, const struct field_def *f, const cJSON *item, void *at)
{
	const cJSON *child;
	char *element;
	int r = begin_list(d, f, item, f->message->map_size, at, &element);

	if (r < 0)
		return r;
	cJSON_ArrayForEach(child, item) {
		r = decode_key(d, f, child, element);
		if (r == 0)
			r = decode_fields(d, f->message, child, element + f->message->map_offset);
		if (r < 0)
			return r;
		element += f->message->map_size;
	}
	return 0;
}

static int decode_nums(struct decoder *d, const struct field_def *f, const cJSON *item, void *at)
{
	const cJSON *child;
	char *element;
	int r = begin_list(d, f, item, sizeof(struct num_entry), at, &element);

	if (r < 0)
		return r;
	cJSON_ArrayForEach(child, item) {
		if (!is_integer(child))
			return fail(d, f->name, "has a value that is not an integer");
		r = decode_key(d, f, child, element);
		if (r < 0)
			return r;
		((struct num_entry *)element)->value = (int64_t)child->valuedouble;
		element += sizeof(struct num_entry);
	}
	return 0;
}

static int decode_strs(struct decoder *d, const struct field_def *f, const cJSON *item, void *at)
{
	const cJSON *child;
	char *element;
	int r = begin_list(d, f, item, sizeof(char *), at, &element);

	if (r < 0)
		return r;
	cJSON_ArrayForEach(child, item) {
		if (!cJSON_IsString(child) || strlen(child->valuestring) > CODEC_STRS_MAX_BYTES)
			return fail(d, f->name, "has an element that is not a short text");
		*(const char **)element = arena_strdup(d->arena, child->valuestring);
		element += sizeof(char *);
	}
	return 0;
}

static void write_tree(struct json_writer *w, const char *key, const cJSON *item)
{
	const cJSON *child;

	if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
		bool object = cJSON_IsObject(item);

		(object ? json_object_begin : json_list_begin)(w, key);
		cJSON_ArrayForEach(child, item)
			write_tree(w, object ? child->string : NULL, child);
		(object ? json_object_end : json_list_end)(w);
	} else if (cJSON_IsString(item)) {
		json_add_str(w, key, item->valuestring);
	} else if (cJSON_IsNumber(item)) {
		json_add_f64(w, key, item->valuedouble);
	} else if (cJSON_IsBool(item)) {
		json_add_bool(w, key, cJSON_IsTrue(item));
	} else {
		json_add_null(w, key);
	}
}

static int decode_raw(struct decoder *d, const struct field_def *f, const cJSON *item, void *at)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };

	write_tree(&w, NULL, item);
	if (text.len > f->max)
		return fail(d, f->name, "is too large");
	*(const char **)at = arena_strdup(d->arena, str_get(&text));
	return 0;
}

static int (*const decoders[])(struct decoder *, const struct field_def *, const cJSON *,
			       void *) = {
	[FIELD_STR] = decode_text,  [FIELD_ENUM] = decode_enum, [FIELD_BOOL] = decode_bool,
	[FIELD_I64] = decode_i64,   [FIELD_F64] = decode_f64,	[FIELD_OBJ] = decode_object,
	[FIELD_LIST] = decode_list, [FIELD_STRS] = decode_strs, [FIELD_MAP] = decode_map,
	[FIELD_NUMS] = decode_nums, [FIELD_RAW] = decode_raw,
};

/* Lists may be left out: no elements. */
static bool may_be_missing(const struct field_def *f)
{
	return f->optional || f->kind == FIELD_LIST || f->kind == FIELD_STRS ||
	       f->kind == FIELD_MAP || f->kind == FIELD_NUMS;
}

static int refuse_unknown(struct decoder *d, const struct field_def *fields, size_t n,
			  const cJSON *tree)
{
	const cJSON *child;

	cJSON_ArrayForEach(child, tree) {
		bool known = false;

		for (size_t i = 0; i < n && !known; i++)
			known = str_eq(fields[i].name, child->string);
		if (!known)
			return fail(d, child->string, "is not a field of this message");
	}
	return 0;
}

static int decode_fields(struct decoder *d, const struct message_def *message, const cJSON *tree,
			 void *out)
{
	size_t n;
	const struct field_def *fields = message->fields(&n);
	int r = 0;

	if (!cJSON_IsObject(tree))
		return fail(d, "", "is not an object");
	if (++d->depth > NESTING_MAX)
		return fail(d, "", "is nested too deeply");
	if (d->mode == CODEC_STRICT)
		r = refuse_unknown(d, fields, n, tree);
	for (size_t i = 0; i < n && r == 0; i++) {
		const cJSON *item = json_get(tree, fields[i].name);

		if (item && !cJSON_IsNull(item))
			r = decoders[fields[i].kind](d, &fields[i], item,
						     (char *)out + fields[i].offset);
		else if (!may_be_missing(&fields[i]))
			r = fail(d, fields[i].name, item ? "is null" : "is missing");
	}
	d->depth--;
	return r;
}

int codec_decode_tree(const struct message_def *message, const cJSON *tree, enum codec_mode mode,
		      struct arena *arena, void **ret, struct codec_error *error)
{
	struct codec_error ignored;
	struct decoder d = { message, mode, arena, error ? error : &ignored, 0 };
	void *value = arena_alloc(arena, message->size);
	int r = decode_fields(&d, message, tree, value);

	if (r == 0)
		*ret = value;
	return r;
}

int codec_decode(const struct message_def *message, const char *text, size_t length,
		 enum json_class class, enum codec_mode mode, struct arena *arena, void **ret,
		 struct codec_error *error)
{
	_cleanup_(json_treep) cJSON *tree = NULL;
	struct json_error scan;
	int r = json_parse(text, length, class, &tree, &scan);

	if (r < 0) {
		if (error)
			(void)snprintf(error->text, sizeof(error->text), "byte %zu: %s",
				       scan.offset, scan.text);
		return r;
	}
	return codec_decode_tree(message, tree, mode, arena, ret, error);
}
