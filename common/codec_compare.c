/* SPDX-License-Identifier: MIT */
/*
 * Whether a document moved enough to be published again. Numbers are held against their resolution, all else
 * against equality; a field marked NEVER is not looked at.
 */
#include "common/codec.h"

#include "common/codec_parts.h"

#include <math.h>

/* 0.105 − 0.1 is a little less than 0.005, and yet it moved by it. */
#define ROUNDING_ERROR 1e-9

static bool number_moved(const struct field_def *f, bool a_has, double a, bool b_has, double b)
{
	double step = f->resolution > 0 ? f->resolution : f->kind == FIELD_F64 ? CODEC_F64_STEP : 1;

	if (a_has != b_has)
		return true;
	if (!a_has)
		return false;
	return fabs(a - b) >= step * (1 - ROUNDING_ERROR);
}

static bool text_differs(const void *a, const void *b)
{
	return !str_eq_null(*(const char *const *)a, *(const char *const *)b);
}

static bool i64_differs(const struct field_def *f, const void *a, const void *b)
{
	const struct opt_i64 *x = a, *y = b;

	if (f->optional)
		return number_moved(f, x->has, (double)x->v, y->has, (double)y->v);
	return number_moved(f, true, (double)*(const int64_t *)a, true,
			    (double)*(const int64_t *)b);
}

static bool f64_differs(const struct field_def *f, const void *a, const void *b)
{
	const struct opt_f64 *x = a, *y = b;

	if (f->optional)
		return number_moved(f, x->has, x->v, y->has, y->v);
	return number_moved(f, true, *(const double *)a, true, *(const double *)b);
}

static bool word_differs(const struct field_def *f, const void *a, const void *b)
{
	const struct opt_int *x = a, *y = b;

	if (f->kind == FIELD_BOOL && !f->optional)
		return *(const bool *)a != *(const bool *)b;
	if (f->kind == FIELD_BOOL) {
		const struct opt_bool *p = a, *q = b;

		return p->has != q->has || (p->has && p->v != q->v);
	}
	if (!f->optional)
		return *(const int *)a != *(const int *)b;
	return x->has != y->has || (x->has && x->v != y->v);
}

static bool object_differs(const struct field_def *f, const void *a, const void *b)
{
	const void *x = *(const void *const *)a;
	const void *y = *(const void *const *)b;

	if (!x || !y)
		return x != y;
	return codec_changed(f->message, x, y);
}

/* Element I of two lists of the same kind and length. */
static bool element_differs(const struct field_def *f, const char *x, const char *y, size_t i)
{
	const struct message_def *m = f->message;

	if (f->kind == FIELD_STRS)
		return text_differs(x + i * sizeof(char *), y + i * sizeof(char *));
	if (f->kind == FIELD_NUMS) {
		const struct num_entry *p = (const struct num_entry *)x + i;
		const struct num_entry *q = (const struct num_entry *)y + i;

		return p->value != q->value || !str_eq_null(p->key, q->key);
	}
	if (f->kind == FIELD_LIST)
		return codec_changed(m, x + i * m->size, y + i * m->size);
	x += i * m->map_size;
	y += i * m->map_size;
	return text_differs(x, y) || codec_changed(m, x + m->map_offset, y + m->map_offset);
}

static bool list_differs(const struct field_def *f, const void *a, const void *b)
{
	size_t n = codec_get_count(a);

	if (n != codec_get_count(b))
		return true;
	for (size_t i = 0; i < n; i++) {
		if (element_differs(f, *(const char *const *)a, *(const char *const *)b, i))
			return true;
	}
	return false;
}

static bool field_differs(const struct field_def *f, const void *a, const void *b)
{
	switch (f->kind) {
	case FIELD_STR:
	case FIELD_RAW:
		return text_differs(a, b);
	case FIELD_ENUM:
	case FIELD_BOOL:
		return word_differs(f, a, b);
	case FIELD_I64:
		return i64_differs(f, a, b);
	case FIELD_F64:
		return f64_differs(f, a, b);
	case FIELD_OBJ:
		return object_differs(f, a, b);
	default:
		return list_differs(f, a, b);
	}
}

bool codec_changed(const struct message_def *message, const void *old, const void *now)
{
	size_t n;
	const struct field_def *fields = message->fields(&n);

	for (size_t i = 0; i < n; i++) {
		const struct field_def *f = &fields[i];

		if (f->resolution >= 0 &&
		    field_differs(f, (const char *)old + f->offset, (const char *)now + f->offset))
			return true;
	}
	return false;
}
