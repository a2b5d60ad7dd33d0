/* SPDX-License-Identifier: MIT */
/*
 * The strict JSON scanner. It keeps its own stack of open containers (never the C
 * stack), so that depth is a number to compare and not a crash; whatever it accepts, cJSON parses. Keys are
 * compared after unescaping: all keys of the open objects lie decoded in one buffer, and each object's are
 * sorted when it closes, which stays fast for tens of thousands of members.
 */
#include "common/json.h"

#include <errno.h>
#include <math.h>

#include "common/utf8.h"

#define DEPTH_MAX 32
/* cJSON cuts a number after 63 characters. */
#define NUMBER_MAX 63

struct limits {
	size_t bytes;
	size_t depth;
	size_t members; /* of one object; 0: no limit */
	size_t values;	/* in all: each costs cJSON a node, however short its text is */
	bool unique;	/* keys */
	bool fold;	/* keys that differ by case alone are the same */
	bool exact;	/* integers must fit in a double */
};

static const struct limits limits_table[] = {
	[JSON_COMMAND] = { 64 * 1024, 16, 512, 16384, true, true, true },
	[JSON_STATE] = { 256 * 1024, 16, 0, 65536, true, false, true },
	[JSON_FOREIGN] = { 8 * 1024 * 1024, DEPTH_MAX, 0, 400000, false, false, false },
};

/* A key of an open object: where it lies decoded, and where it stood. */
struct key {
	size_t start, length;
	size_t offset;
};

struct level {
	bool is_object;
	size_t members;
	size_t first_key;
	size_t keys_start; /* in scanner.decoded */
};

struct scanner {
	const unsigned char *text;
	size_t length;
	size_t at;
	const struct limits *limits;
	const char *error;
	struct level levels[DEPTH_MAX];
	size_t depth;
	struct str decoded;
	struct key *keys;
	size_t keys_n, keys_cap;
	size_t values;
};

static int fail(struct scanner *s, const char *error)
{
	s->error = error;
	return -EINVAL;
}

/* The byte at hand; -1 at the end. */
static int peek(const struct scanner *s)
{
	return s->at < s->length ? s->text[s->at] : -1;
}

static void skip_blanks(struct scanner *s)
{
	for (; s->at < s->length; s->at++) {
		unsigned char c = s->text[s->at];

		if (c != ' ' && c != '\t' && c != '\n' && c != '\r')
			return;
	}
}

/* ── text ──────────────────────────────────────────────────────────────────────────────────────────────────── */

/* The four digits after \u; `at` stands on the first. */
static int scan_hex4(struct scanner *s, uint32_t *ret)
{
	uint32_t value = 0;

	for (size_t i = 0; i < 4; i++, s->at++) {
		int digit = hex_digit(peek(s));

		if (digit < 0)
			return fail(s, "\\u needs four hexadecimal digits");
		value = value << 4 | (uint32_t)digit;
	}
	*ret = value;
	return 0;
}

/* What follows \u, with the second half of a surrogate pair. */
static int scan_unicode_escape(struct scanner *s, uint32_t *ret)
{
	uint32_t high, low;
	int r = scan_hex4(s, &high);

	if (r < 0)
		return r;
	if (high == 0)
		return fail(s, "\\u0000 is not allowed");
	if (high >= 0xdc00 && high <= 0xdfff)
		return fail(s, "lone surrogate");
	if (high < 0xd800 || high > 0xdbff) {
		*ret = high;
		return 0;
	}
	if (s->length - s->at < 2 || s->text[s->at] != '\\' || s->text[s->at + 1] != 'u')
		return fail(s, "lone surrogate");
	s->at += 2;
	r = scan_hex4(s, &low);
	if (r < 0)
		return r;
	if (low < 0xdc00 || low > 0xdfff)
		return fail(s, "lone surrogate");
	*ret = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
	return 0;
}

/* `at` stands behind the backslash. */
static int scan_escape(struct scanner *s, uint32_t *ret)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	int c = peek(s);
	const char *name = c > 0 ? strchr(names, c) : NULL;

	if (c == 'u') {
		s->at++;
		return scan_unicode_escape(s, ret);
	}
	if (!name)
		return fail(s, "unknown escape");
	s->at++;
	*ret = (unsigned char)values[name - names];
	return 0;
}

/* A string; `at` stands on its quote. DECODED, unless NULL, gets what it means. */
static int scan_string(struct scanner *s, struct str *decoded)
{
	for (s->at++;;) {
		int c = peek(s);
		uint32_t value;
		size_t n;
		int r;

		if (c < 0)
			return fail(s, "text without an end");
		if (c == '"') {
			s->at++;
			return 0;
		}
		if (c < 0x20)
			return fail(s, "control character in text");
		if (c == '\\') {
			s->at++;
			r = scan_escape(s, &value);
			if (r < 0)
				return r;
			if (decoded)
				utf8_add(decoded, value);
			continue;
		}
		n = utf8_length(s->text + s->at, s->length - s->at);
		if (!n)
			return fail(s, "not UTF-8");
		if (decoded)
			str_add_n(decoded, (const char *)s->text + s->at, n);
		s->at += n;
	}
}

/* ── numbers and words ─────────────────────────────────────────────────────────────────────────────────────── */

static size_t skip_digits(struct scanner *s)
{
	size_t start = s->at;

	while (peek(s) >= '0' && peek(s) <= '9')
		s->at++;
	return s->at - start;
}

static bool is_safe_integer(const unsigned char *digits, size_t n)
{
	static const char largest[] = "9007199254740991";

	return n < sizeof(largest) - 1 ||
	       (n == sizeof(largest) - 1 && memcmp(digits, largest, n) <= 0);
}

static bool is_finite(const unsigned char *text, size_t n)
{
	char copy[NUMBER_MAX + 1];

	memcpy(copy, text, n);
	copy[n] = '\0';
	return isfinite(strtod(copy, NULL));
}

static int scan_exponent(struct scanner *s)
{
	s->at++;
	if (peek(s) == '+' || peek(s) == '-')
		s->at++;
	return skip_digits(s) ? 0 : fail(s, "a number needs digits in its exponent");
}

static int scan_number(struct scanner *s)
{
	size_t start = s->at, digits, n;
	bool is_integer = true, has_exponent = false;

	if (peek(s) == '-')
		s->at++;
	digits = s->at;
	n = skip_digits(s);
	if (!n)
		return fail(s, "not a value");
	if (n > 1 && s->text[digits] == '0')
		return fail(s, "a number must not begin with 0");
	if (peek(s) == '.') {
		s->at++;
		if (!skip_digits(s))
			return fail(s, "a number needs digits after its point");
		is_integer = false;
	}
	if (peek(s) == 'e' || peek(s) == 'E') {
		int r = scan_exponent(s);

		if (r < 0)
			return r;
		has_exponent = true;
	}
	if (s->at - start > NUMBER_MAX)
		return fail(s, "number of more than 63 characters");
	if (s->limits->exact && is_integer && !has_exponent &&
	    !is_safe_integer(s->text + digits, n))
		return fail(s, "integer beyond 2^53-1");
	if (has_exponent && !is_finite(s->text + start, s->at - start))
		return fail(s, "number too large");
	return 0;
}

static int scan_word(struct scanner *s, const char *word)
{
	size_t n = strlen(word);

	if (s->length - s->at < n || memcmp(s->text + s->at, word, n) != 0)
		return fail(s, "not a value");
	s->at += n;
	return 0;
}

/* ── objects and lists ─────────────────────────────────────────────────────────────────────────────────────── */

static int compare_keys(const void *a, const void *b, void *decoded)
{
	const struct key *x = a, *y = b;
	int r = memcmp((const char *)decoded + x->start, (const char *)decoded + y->start,
		       min_of(x->length, y->length));

	if (r)
		return r;
	if (x->length != y->length)
		return x->length < y->length ? -1 : 1;
	return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* The object that closes: -EINVAL when two of its keys are the same. */
static int check_keys(struct scanner *s, const struct level *level)
{
	size_t n = s->keys_n - level->first_key;
	const char *decoded = str_get(&s->decoded);
	struct key *keys;

	if (n < 2)
		return 0;
	keys = s->keys + level->first_key;
	qsort_r(keys, n, sizeof(*keys), compare_keys, (void *)decoded);
	for (size_t i = 1; i < n; i++) {
		const struct key *a = &keys[i - 1], *b = &keys[i];

		if (a->length == b->length &&
		    memcmp(decoded + a->start, decoded + b->start, a->length) == 0) {
			s->at = b->offset;
			return fail(s, "duplicate key");
		}
	}
	return 0;
}

static void note_key(struct scanner *s, size_t start, size_t offset)
{
	if (s->limits->fold) {
		for (size_t i = start; i < s->decoded.len; i++) {
			char c = s->decoded.data[i];

			if (c >= 'A' && c <= 'Z')
				s->decoded.data[i] = (char)(c - 'A' + 'a');
		}
	}
	if (s->keys_n == s->keys_cap) {
		s->keys_cap = s->keys_cap ? s->keys_cap * 2 : 32;
		s->keys = xreallocarray(s->keys, s->keys_cap, sizeof(*s->keys));
	}
	s->keys[s->keys_n++] = (struct key){ start, s->decoded.len - start, offset };
}

/* `"key":` of the object at hand. */
static int scan_key(struct scanner *s)
{
	struct level *level = &s->levels[s->depth - 1];
	size_t start = s->decoded.len, offset;
	int r;

	skip_blanks(s);
	if (peek(s) != '"')
		return fail(s, "a key in quotes is missing");
	if (s->limits->members && level->members == s->limits->members)
		return fail(s, "too many members in an object");
	level->members++;
	offset = s->at;
	r = scan_string(s, s->limits->unique ? &s->decoded : NULL);
	if (r < 0)
		return r;
	if (s->limits->unique)
		note_key(s, start, offset);
	skip_blanks(s);
	if (peek(s) != ':')
		return fail(s, "':' is missing");
	s->at++;
	return 0;
}

static int close_container(struct scanner *s)
{
	struct level *level = &s->levels[s->depth - 1];
	size_t behind = s->at + 1;
	int r = level->is_object ? check_keys(s, level) : 0;

	if (r < 0)
		return r;
	s->keys_n = level->first_key;
	s->decoded.len = level->keys_start;
	s->depth--;
	s->at = behind;
	return 0;
}

/* `{` or `[`; *whole says that it closed again at once. */
static int open_container(struct scanner *s, bool *whole)
{
	bool is_object = peek(s) == '{';

	if (s->depth == s->limits->depth)
		return fail(s, "nested too deeply");
	s->levels[s->depth++] = (struct level){
		.is_object = is_object,
		.first_key = s->keys_n,
		.keys_start = s->decoded.len,
	};
	s->at++;
	skip_blanks(s);
	*whole = peek(s) == (is_object ? '}' : ']');
	if (*whole)
		return close_container(s);
	return is_object ? scan_key(s) : 0;
}

/* The start of a value; *whole is false when it opened a container whose first value is next. */
static int scan_begin(struct scanner *s, bool *whole)
{
	*whole = true;
	skip_blanks(s);
	if (++s->values > s->limits->values)
		return fail(s, "too many values");
	switch (peek(s)) {
	case '{':
	case '[':
		return open_container(s, whole);
	case '"':
		return scan_string(s, NULL);
	case 't':
		return scan_word(s, "true");
	case 'f':
		return scan_word(s, "false");
	case 'n':
		return scan_word(s, "null");
	case -1:
		return fail(s, "a value is missing");
	default:
		return scan_number(s);
	}
}

/* What follows a value; *more says that another value is next. */
static int scan_next(struct scanner *s, bool *more)
{
	*more = false;
	while (s->depth) {
		bool is_object = s->levels[s->depth - 1].is_object;
		int r;

		skip_blanks(s);
		if (peek(s) == ',') {
			s->at++;
			*more = true;
			return is_object ? scan_key(s) : 0;
		}
		if (peek(s) != (is_object ? '}' : ']'))
			return fail(s,
				    is_object ? "',' or '}' is missing" : "',' or ']' is missing");
		r = close_container(s);
		if (r < 0)
			return r;
	}
	return 0;
}

static int scan_text(struct scanner *s)
{
	bool more = true;

	if (s->length > s->limits->bytes)
		return fail(s, "too large");
	if (s->length >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0)
		return fail(s, "byte order mark");
	while (more) {
		bool whole;
		int r = scan_begin(s, &whole);

		if (r < 0)
			return r;
		if (!whole)
			continue;
		r = scan_next(s, &more);
		if (r < 0)
			return r;
	}
	skip_blanks(s);
	return s->at == s->length ? 0 : fail(s, "text after the end");
}

int json_scan(const char *text, size_t length, enum json_class class, struct json_error *error)
{
	struct scanner s = {
		.text = (const unsigned char *)text,
		.length = length,
		.limits = &limits_table[class],
	};
	int r = scan_text(&s);

	if (r < 0 && error)
		*error = (struct json_error){ s.at, s.error };
	str_done(&s.decoded);
	free(s.keys);
	return r;
}

int json_parse(const char *text, size_t length, enum json_class class, cJSON **ret,
	       struct json_error *error)
{
	cJSON *tree;
	int r = json_scan(text, length, class, error);

	if (r < 0)
		return r;
	/* The scan has seen to it that nothing but blanks follows. */
	tree = cJSON_ParseWithLengthOpts(text, length, NULL, false);
	if (!tree) {
		if (error)
			*error = (struct json_error){ 0, "cannot be parsed" };
		return -EINVAL;
	}
	*ret = tree;
	return 0;
}

const cJSON *json_get(const cJSON *object, const char *key)
{
	return cJSON_IsObject(object) ? cJSON_GetObjectItemCaseSensitive(object, key) : NULL;
}

static void wipe_text(cJSON *item)
{
	for (; item; item = item->next) {
		if (item->valuestring)
			explicit_bzero(item->valuestring, strlen(item->valuestring));
		wipe_text(item->child);
	}
}

void json_wipe(cJSON *tree)
{
	wipe_text(tree);
	cJSON_Delete(tree);
}
