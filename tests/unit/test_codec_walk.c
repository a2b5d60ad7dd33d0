/* SPDX-License-Identifier: MIT */
/*
 * What holds for every message, shown by walking the tables: what is encoded decodes to the same, a copy stands
 * on its own, and a change is seen when its field moved by its resolution. A new message is tested by being declared.
 */
#include "common/codec.h"

#include "tests/unit/check.h"

#include <math.h>

#define ELEMENTS 3

/* How structs are filled: each value differs from the one before, and every third optional one is null. */
struct filler {
	struct arena *arena;
	unsigned n;
	bool nulls;
};

static const char *fill_text(struct filler *f, size_t max)
{
	char *text = arena_printf(f->arena, "%u \"\\/\n\x7f\xc3\xa4\xf0\x9f\x98\x80", f->n);

	/* Too long: plain figures, cut to fit. */
	if (strlen(text) > max)
		text = arena_printf(f->arena, "%.*s", (int)max, "0123456789");
	return text;
}

static void fill_number(struct filler *f, const struct field_def *field, void *at)
{
	static const int64_t integers[] = {
		INT64_C(9007199254740991), INT64_C(-9007199254740991), 0, 1, -1,
		INT64_C(1700000000000)
	};
	static const double numbers[] = { 0.5, -1234.25, 0, 1e6, 99.75 };
	int64_t i = integers[f->n % countof(integers)];
	double d = numbers[f->n % countof(numbers)];

	if (field->kind == FIELD_I64 && field->optional)
		*(struct opt_i64 *)at = some_i64(i);
	else if (field->kind == FIELD_I64)
		*(int64_t *)at = i;
	else if (field->optional)
		*(struct opt_f64 *)at = some_f64(d);
	else
		*(double *)at = d;
}

static void fill_word(struct filler *f, const struct field_def *field, void *at)
{
	int value = field->kind == FIELD_ENUM ? (int)(f->n % field->enumeration->words_n) : 0;

	if (field->kind == FIELD_ENUM && field->optional)
		*(struct opt_int *)at = (struct opt_int){ true, value };
	else if (field->kind == FIELD_ENUM)
		*(int *)at = value;
	else if (field->optional)
		*(struct opt_bool *)at = some_bool(f->n % 2);
	else
		*(bool *)at = f->n % 2;
}

static void *fill_message(struct filler *f, const struct message_def *m, void *value);

static size_t element_size(const struct field_def *field)
{
	return field->kind == FIELD_LIST ? field->message->size :
	       field->kind == FIELD_MAP	 ? field->message->map_size :
	       field->kind == FIELD_NUMS ? sizeof(struct num_entry) :
					   sizeof(char *);
}

static void fill_list(struct filler *f, const struct field_def *field, void *at)
{
	size_t n = min_of(field->max, (size_t)ELEMENTS);
	char *element = arena_alloc(f->arena, n * element_size(field));

	*(void **)at = element;
	((size_t *)at)[1] = n;
	for (; n > 0; n--, element += element_size(field), f->n++) {
		if (field->kind != FIELD_LIST)
			*(const char **)element = fill_text(f, 64);
		if (field->kind == FIELD_LIST)
			fill_message(f, field->message, element);
		else if (field->kind == FIELD_MAP)
			fill_message(f, field->message, element + field->message->map_offset);
		else if (field->kind == FIELD_NUMS)
			((struct num_entry *)element)->value = f->n;
	}
}

static void fill_field(struct filler *f, const struct field_def *field, void *at)
{
	f->n++;
	if (f->nulls && field->optional && f->n % 3 == 0)
		return;
	switch (field->kind) {
	case FIELD_STR:
		*(const char **)at = fill_text(f, field->max);
		return;
	case FIELD_RAW:
		*(const char **)at =
			arena_printf(f->arena, "{\"k\":[%u,null,{}],\"l\":\"x\"}", f->n);
		return;
	case FIELD_I64:
	case FIELD_F64:
		fill_number(f, field, at);
		return;
	case FIELD_ENUM:
	case FIELD_BOOL:
		fill_word(f, field, at);
		return;
	case FIELD_OBJ:
		*(void **)at = fill_message(f, field->message,
					    arena_alloc(f->arena, field->message->size));
		return;
	default:
		fill_list(f, field, at);
	}
}

static void *fill_message(struct filler *f, const struct message_def *m, void *value)
{
	size_t n;
	const struct field_def *fields = m->fields(&n);

	for (size_t i = 0; i < n; i++)
		fill_field(f, &fields[i], (char *)value + fields[i].offset);
	return value;
}

static void *filled(struct filler *f, const struct message_def *m)
{
	return fill_message(f, m, arena_alloc(f->arena, m->size));
}

/* ── being the same: exactly, unlike codec_changed() ───────────────────────────────────────────────────────── */

static bool same_message(const struct message_def *m, const char *a, const char *b);

static bool same_elements(const struct field_def *f, const void *a, const void *b)
{
	const char *x = *(const char *const *)a;
	const char *y = *(const char *const *)b;
	size_t n = ((const size_t *)a)[1];

	if (n != ((const size_t *)b)[1])
		return false;
	for (; n > 0; n--, x += element_size(f), y += element_size(f)) {
		if (f->kind != FIELD_LIST &&
		    !str_eq(*(const char *const *)x, *(const char *const *)y))
			return false;
		if (f->kind == FIELD_LIST && !same_message(f->message, x, y))
			return false;
		if (f->kind == FIELD_MAP && !same_message(f->message, x + f->message->map_offset,
							  y + f->message->map_offset))
			return false;
		if (f->kind == FIELD_NUMS &&
		    ((const struct num_entry *)x)->value != ((const struct num_entry *)y)->value)
			return false;
	}
	return true;
}

/* Bytes of a field in its struct. */
static size_t size_of(const struct field_def *f)
{
	switch (f->kind) {
	case FIELD_STR:
	case FIELD_RAW:
	case FIELD_OBJ:
		return sizeof(void *);
	case FIELD_LIST:
	case FIELD_MAP:
	case FIELD_STRS:
	case FIELD_NUMS:
		return sizeof(void *) + sizeof(size_t);
	case FIELD_I64:
		return f->optional ? sizeof(struct opt_i64) : sizeof(int64_t);
	case FIELD_F64:
		return f->optional ? sizeof(struct opt_f64) : sizeof(double);
	case FIELD_ENUM:
		return f->optional ? sizeof(struct opt_int) : sizeof(int);
	default:
		return f->optional ? sizeof(struct opt_bool) : sizeof(bool);
	}
}

/* Where the value of a number, word or boolean lies; behind `has` when it may be null. */
static size_t plain_at(const struct field_def *f)
{
	return !f->optional	     ? 0 :
	       f->kind == FIELD_I64  ? offsetof(struct opt_i64, v) :
	       f->kind == FIELD_F64  ? offsetof(struct opt_f64, v) :
	       f->kind == FIELD_ENUM ? offsetof(struct opt_int, v) :
				       offsetof(struct opt_bool, v);
}

/* Padding may differ. */
static bool same_plain(const struct field_def *f, const char *a, const char *b)
{
	size_t at = plain_at(f);

	if (f->optional && *(const bool *)a != *(const bool *)b)
		return false;
	return (f->optional && !*(const bool *)a) || memcmp(a + at, b + at, size_of(f) - at) == 0;
}

static bool same_object(const struct field_def *f, const char *x, const char *y)
{
	return x && y ? same_message(f->message, x, y) : x == y;
}

static bool same_field(const struct field_def *f, const void *a, const void *b)
{
	switch (f->kind) {
	case FIELD_STR:
	case FIELD_RAW:
		return str_eq_null(*(const char *const *)a, *(const char *const *)b);
	case FIELD_OBJ:
		return same_object(f, *(const char *const *)a, *(const char *const *)b);
	case FIELD_LIST:
	case FIELD_MAP:
	case FIELD_STRS:
	case FIELD_NUMS:
		return same_elements(f, a, b);
	default:
		return same_plain(f, a, b);
	}
}

static bool same_message(const struct message_def *m, const char *a, const char *b)
{
	size_t n;
	const struct field_def *fields = m->fields(&n);

	for (size_t i = 0; i < n; i++) {
		if (!same_field(&fields[i], a + fields[i].offset, b + fields[i].offset)) {
			print_message("%s.%s differs\n", m->name, fields[i].name);
			return false;
		}
	}
	return true;
}

/* ── round trips and copies ────────────────────────────────────────────────────────────────────────────────── */

static void check_round_trip(struct filler *f, const struct message_def *m)
{
	_cleanup_(str_done) struct str first = { 0 };
	_cleanup_(str_done) struct str second = { 0 };
	struct codec_error error = { "" };
	void *before = filled(f, m);
	void *after;

	codec_encode(m, before, &first);
	if (codec_decode(m, first.data, first.len, JSON_COMMAND, CODEC_STRICT, f->arena, &after,
			 &error) < 0)
		fail_msg("%s\n%s", error.text, first.data);
	assert_true(same_message(m, before, after));
	assert_false(codec_changed(m, before, after));
	codec_encode(m, after, &second);
	assert_string_equal(first.data, second.data);
}

static void test_round_trip(void **unused)
{
	(void)unused;
	for (const struct message_def *const *m = message_table; *m; m++) {
		for (unsigned seed = 0; seed < 6; seed++) {
			_cleanup_(arena_freep) struct arena *arena = arena_new();
			struct filler f = { arena, seed, seed % 2 };

			check_round_trip(&f, *m);
		}
	}
}

/* Without the optional members, which is how a terse or older peer writes. */
static void test_nulls_may_be_left_out(void **unused)
{
	(void)unused;
	for (const struct message_def *const *m = message_table; *m; m++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		_cleanup_(str_done) struct str text = { 0 };
		struct filler f = { arena, 0, false };
		_cleanup_(json_treep) cJSON *tree = NULL;
		char *value = filled(&f, *m);
		void *after;
		size_t n;
		const struct field_def *fields = (*m)->fields(&n);

		codec_encode(*m, value, &text);
		assert_int_equal(json_parse(text.data, text.len, JSON_STATE, &tree, NULL), 0);
		for (size_t i = 0; i < n; i++) {
			bool list = fields[i].kind == FIELD_LIST || fields[i].kind == FIELD_MAP ||
				    fields[i].kind == FIELD_STRS || fields[i].kind == FIELD_NUMS;

			if (!list && !fields[i].optional)
				continue;
			cJSON_DeleteItemFromObjectCaseSensitive(tree, fields[i].name);
			memset(value + fields[i].offset, 0, size_of(&fields[i]));
		}
		assert_int_equal(codec_decode_tree(*m, tree, CODEC_STRICT, arena, &after, NULL), 0);
		assert_true(same_message(*m, value, after));
	}
}

/* Each mandatory member is missed. */
static void test_mandatory(void **unused)
{
	(void)unused;
	for (const struct message_def *const *m = message_table; *m; m++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		struct filler f = { arena, 0, false };
		const void *value = filled(&f, *m);
		size_t n;
		const struct field_def *fields = (*m)->fields(&n);

		for (size_t i = 0; i < n; i++) {
			_cleanup_(str_done) struct str text = { 0 };
			_cleanup_(json_treep) cJSON *tree = NULL;
			struct codec_error error = { "" };
			void *after;

			if (fields[i].optional ||
			    (fields[i].kind >= FIELD_LIST && fields[i].kind != FIELD_RAW))
				continue;
			codec_encode(*m, value, &text);
			assert_int_equal(json_parse(text.data, text.len, JSON_STATE, &tree, NULL),
					 0);
			cJSON_DeleteItemFromObjectCaseSensitive(tree, fields[i].name);
			assert_true(codec_decode_tree(*m, tree, CODEC_LENIENT, arena, &after,
						      &error) < 0);
			assert_true(str_starts(error.text, (*m)->name));
			assert_true(
				str_starts(error.text + strlen((*m)->name) + 1, fields[i].name));
			assert_true(str_ends(error.text, ": is missing"));
		}
	}
}

/* The memory that the source lay in is overwritten before the copy is read. */
static void test_copy(void **unused)
{
	const size_t room = 65536;

	(void)unused;
	for (const struct message_def *const *m = message_table; *m; m++) {
		_cleanup_(arena_freep) struct arena *source = arena_new();
		_cleanup_(arena_freep) struct arena *arena = arena_new();
		_cleanup_(str_done) struct str before = { 0 };
		_cleanup_(str_done) struct str after = { 0 };
		struct filler f = { source, 0, false };
		char *whole = arena_alloc(source, room);
		const void *value, *copy;

		arena_reset(source);
		value = filled(&f, *m);
		assert_in_range((uintptr_t)value, (uintptr_t)whole, (uintptr_t)whole + room);
		codec_encode(*m, value, &before);
		copy = codec_copy(*m, value, arena);
		assert_true(same_message(*m, value, copy));
		memset(whole, 'X', room);
		codec_encode(*m, copy, &after);
		assert_string_equal(str_get(&before), str_get(&after));
	}
}

/* ── comparing ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void move_number(const struct field_def *f, char *at, double by)
{
	if (f->kind == FIELD_I64)
		*(int64_t *)(at + plain_at(f)) += (int64_t)by;
	else
		*(double *)(at + plain_at(f)) += by;
}

static void check_number(const struct message_def *m, const struct field_def *f, char *old,
			 char *now)
{
	double step = f->resolution > 0 ? f->resolution : f->kind == FIELD_I64 ? 1 : 1e-6;
	bool counts = f->resolution >= 0;

	/* From nought, so that the sums are exact. */
	memset(old + f->offset, 0, size_of(f));
	if (f->optional)
		*(bool *)(old + f->offset) = true;
	for (int sign = -1; sign <= 1; sign += 2) {
		memcpy(now + f->offset, old + f->offset, size_of(f));
		move_number(f, now + f->offset, sign * step);
		assert_int_equal(codec_changed(m, old, now), counts);
		memcpy(now + f->offset, old + f->offset, size_of(f));
		move_number(f, now + f->offset,
			    sign * (f->kind == FIELD_I64 ? ceil(step) - 1 : step * 0.99));
		assert_false(codec_changed(m, old, now));
	}
}

/* Makes the field another one, whatever it was. */
static void change_field(const struct field_def *f, char *at)
{
	switch (f->kind) {
	case FIELD_STR:
	case FIELD_RAW:
		*(const char **)at = "\"another\"";
		return;
	case FIELD_ENUM:
		*(int *)(at + plain_at(f)) ^= 1;
		return;
	case FIELD_BOOL:
		*(bool *)(at + plain_at(f)) ^= true;
		return;
	case FIELD_OBJ:
		*(void **)at = NULL;
		return;
	default:
		((size_t *)at)[1]--;
	}
}

static void check_changes(const struct message_def *m, struct arena *arena)
{
	struct filler f = { arena, 0, false };
	char *old = filled(&f, m);
	size_t n;
	const struct field_def *fields = m->fields(&n);

	for (size_t i = 0; i < n; i++) {
		bool number = fields[i].kind == FIELD_I64 || fields[i].kind == FIELD_F64;
		char *now = codec_copy(m, old, arena);

		assert_false(codec_changed(m, old, now));
		if (number)
			check_number(m, &fields[i], old, now);
		else
			change_field(&fields[i], now + fields[i].offset);
		if (!number && (!codec_changed(m, old, now) || !codec_changed(m, now, old)))
			fail_msg("%s.%s: a change is not seen", m->name, fields[i].name);
		if (!fields[i].optional)
			continue;
		/* Known to unknown, and back. */
		now = codec_copy(m, old, arena);
		memset(now + fields[i].offset, 0, size_of(&fields[i]));
		assert_int_equal(codec_changed(m, old, now), fields[i].resolution >= 0);
		assert_int_equal(codec_changed(m, now, old), fields[i].resolution >= 0);
		assert_false(codec_changed(m, now, now));
	}
}

static void test_changed(void **unused)
{
	(void)unused;
	for (const struct message_def *const *m = message_table; *m; m++) {
		_cleanup_(arena_freep) struct arena *arena = arena_new();

		check_changes(*m, arena);
	}
}

/* Inside lists, maps and nested objects the same resolutions hold. */
static void test_changed_inside(void **unused)
{
	struct map_source_state sources[] = {
		{ "a", { .period_s = 10, .latency_ms = some_f64(1) } }, { "b", { .period_s = 10 } }
	};
	struct map_source_state others[2];
	struct msg_thermal_sources old = { .cluster = "c", .sources = sources, .sources_n = 2 };
	struct msg_thermal_sources now = old;
	const char *const tags[] = { "x", "y" }, *const swapped[] = { "y", "x" };
	struct msg_request first = { .op = "o", .objects = tags, .objects_n = 2 };
	struct msg_request second = { .op = "o", .objects = swapped, .objects_n = 2 };

	(void)unused;
	now.sources = others;
	memcpy(others, sources, sizeof(sources));
	assert_false(codec_changed(&message_thermal_sources, &old, &now));
	others[0].value.latency_ms = some_f64(500); /* marked NEVER */
	assert_false(codec_changed(&message_thermal_sources, &old, &now));
	others[1].value.failures = 1;
	assert_true(codec_changed(&message_thermal_sources, &old, &now));
	memcpy(others, sources, sizeof(sources));
	others[1].key = "c";
	assert_true(codec_changed(&message_thermal_sources, &old, &now));
	memcpy(others, sources, sizeof(sources));
	now.sources_n = 1;
	assert_true(codec_changed(&message_thermal_sources, &old, &now));
	assert_true(codec_changed(&message_request, &first, &second));
	second.objects = tags;
	assert_false(codec_changed(&message_request, &first, &second));
}

/* At a value where a sum of decimals is not exact, its resolution still counts as reached. */
static void test_changed_rounding(void **unused)
{
	struct msg_node_state old = { .load1 = some_f64(0.5) }, now = { .load1 = some_f64(0.6) };

	(void)unused;
	assert_true(old.load1.v < now.load1.v && now.load1.v - old.load1.v < 0.1);
	assert_true(codec_changed(&message_node_state, &old, &now));
	now.load1 = some_f64(0.59);
	assert_false(codec_changed(&message_node_state, &old, &now));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_nulls_may_be_left_out),
		cmocka_unit_test(test_mandatory),
		cmocka_unit_test(test_copy),
		cmocka_unit_test(test_changed),
		cmocka_unit_test(test_changed_inside),
		cmocka_unit_test(test_changed_rounding),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
