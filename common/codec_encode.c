/* SPDX-License-Identifier: MIT */
/*
 * Structs -> JSON: one walk over the fields of a message. Numbers are written no finer than their resolution
 * can mean.
 */
#include "common/codec.h"

#include "common/codec_parts.h"

#include <math.h>

static void encode_fields(const struct message_def *message, const void *value,
			  struct json_writer *w, const char *key);

/* Receivers refuse what a double cannot hold exactly: unknown where that can be said, else the nearest that it can. */
static void encode_i64(const struct field_def *f, const void *at, struct json_writer *w)
{
	const struct opt_i64 *opt = at;
	int64_t v = f->optional ? opt->v : *(const int64_t *)at;
	bool fits = v >= -CODEC_INTEGER_MAX && v <= CODEC_INTEGER_MAX;

	if (f->optional && (!opt->has || !fits))
		json_add_null(w, f->name);
	else if (fits)
		json_add_i64(w, f->name, v);
	else
		json_add_i64(w, f->name, v < 0 ? -CODEC_INTEGER_MAX : CODEC_INTEGER_MAX);
}

/*
 * A number is written with the digits that its resolution can mean, two more than needed and never fewer than two
 * decimals: 17 digits of noise in every payload help nobody. What is too large to have such digits stays as it is.
 */
static double rounded(const struct field_def *f, double v)
{
	double step = f->resolution > 0 ? pow(10, floor(log10(f->resolution)) - 2) : CODEC_F64_STEP;

	step = min_of(step, 0.01);
	return fabs(v) / step < 1e15 ? round(v / step) / round(1 / step) : v;
}

static void encode_f64(const struct field_def *f, const void *at, struct json_writer *w)
{
	const struct opt_f64 *opt = at;
	double v = f->optional ? opt->v : *(const double *)at;

	if (f->optional && !opt->has)
		json_add_null(w, f->name);
	else
		json_add_f64(w, f->name, rounded(f, v));
}

static void encode_bool(const struct field_def *f, const void *at, struct json_writer *w)
{
	const struct opt_bool *opt = at;

	if (!f->optional)
		json_add_bool(w, f->name, *(const bool *)at);
	else if (opt->has)
		json_add_bool(w, f->name, opt->v);
	else
		json_add_null(w, f->name);
}

static void encode_enum(const struct field_def *f, const void *at, struct json_writer *w)
{
	const struct opt_int *opt = at;

	if (f->optional && !opt->has)
		json_add_null(w, f->name);
	else
		json_add_str(
			w, f->name,
			enumeration_word(f->enumeration, f->optional ? opt->v : *(const int *)at));
}

/* Cuts what is longer than MAX bytes, between two characters: one long text must not cost the whole document. */
static void add_cut(struct json_writer *w, const char *key, const char *text, size_t max)
{
	_cleanup_(freep) char *cut = NULL;
	size_t n = max;

	if (!text || strlen(text) <= max) {
		json_add_str(w, key, text);
		return;
	}
	while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
		n--;
	cut = xstrndup(text, n);
	json_add_str(w, key, cut);
}

static void encode_text(const struct field_def *f, const void *at, struct json_writer *w)
{
	const char *text = *(const char *const *)at;

	add_cut(w, f->name, text || f->optional ? text : "", f->max);
}

static void encode_raw(const struct field_def *f, const void *at, struct json_writer *w)
{
	json_add_raw(w, f->name, *(const char *const *)at);
}

static void encode_object(const struct field_def *f, const void *at, struct json_writer *w)
{
	const void *value = *(const void *const *)at;

	if (value)
		encode_fields(f->message, value, w, f->name);
	else
		json_add_null(w, f->name);
}

/* What a receiver takes; more is left out. */
static size_t count(const struct field_def *f, const void *at)
{
	return min_of(codec_get_count(at), f->max);
}

static void encode_list(const struct field_def *f, const void *at, struct json_writer *w)
{
	const char *element = *(const char *const *)at;

	json_list_begin(w, f->name);
	for (size_t n = count(f, at); n > 0; n--, element += f->message->size)
		encode_fields(f->message, element, w, NULL);
	json_list_end(w);
}

static void encode_map(const struct field_def *f, const void *at, struct json_writer *w)
{
	const char *element = *(const char *const *)at;

	json_object_begin(w, f->name);
	for (size_t n = count(f, at); n > 0; n--, element += f->message->map_size)
		encode_fields(f->message, element + f->message->map_offset, w,
			      *(const char *const *)element);
	json_object_end(w);
}

static void encode_strs(const struct field_def *f, const void *at, struct json_writer *w)
{
	const char *const *texts = *(const char *const *const *)at;

	json_list_begin(w, f->name);
	for (size_t i = 0; i < count(f, at); i++)
		add_cut(w, NULL, texts[i], CODEC_STRS_MAX_BYTES);
	json_list_end(w);
}

static void encode_nums(const struct field_def *f, const void *at, struct json_writer *w)
{
	const struct num_entry *entries = *(const struct num_entry *const *)at;

	json_object_begin(w, f->name);
	for (size_t i = 0; i < count(f, at); i++)
		json_add_i64(w, entries[i].key, entries[i].value);
	json_object_end(w);
}

static void (*const encoders[])(const struct field_def *, const void *, struct json_writer *) = {
	[FIELD_STR] = encode_text,  [FIELD_ENUM] = encode_enum, [FIELD_BOOL] = encode_bool,
	[FIELD_I64] = encode_i64,   [FIELD_F64] = encode_f64,	[FIELD_OBJ] = encode_object,
	[FIELD_LIST] = encode_list, [FIELD_STRS] = encode_strs, [FIELD_MAP] = encode_map,
	[FIELD_NUMS] = encode_nums, [FIELD_RAW] = encode_raw,
};

static void encode_fields(const struct message_def *message, const void *value,
			  struct json_writer *w, const char *key)
{
	size_t n;
	const struct field_def *fields = message->fields(&n);

	json_object_begin(w, key);
	for (size_t i = 0; i < n; i++)
		encoders[fields[i].kind](&fields[i], (const char *)value + fields[i].offset, w);
	json_object_end(w);
}

void codec_encode_into(const struct message_def *message, const void *value, struct json_writer *w,
		       const char *key)
{
	encode_fields(message, value, w, key);
}

void codec_encode(const struct message_def *message, const void *value, struct str *out)
{
	struct json_writer w = { .out = out };

	encode_fields(message, value, &w, NULL);
}
