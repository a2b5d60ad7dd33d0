/* SPDX-License-Identifier: MIT */
/*
 * A growing string and strict number parsing.
 */
#include "common/str.h"

#include "common/alloc.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

void str_reserve(struct str *s, size_t extra)
{
	size_t need = s->len + extra + 1;
	size_t cap = s->cap ? s->cap : 64;

	if (need <= s->cap)
		return;
	while (cap < need)
		cap *= 2;
	s->data = xreallocarray(s->data, cap, 1);
	s->cap = cap;
}

void str_done(struct str *s)
{
	free(s->data);
	*s = (struct str){ 0 };
}

void str_wipe(struct str *s)
{
	if (s->data)
		explicit_bzero(s->data, s->cap);
	str_done(s);
}

void str_add_n(struct str *s, const char *text, size_t length)
{
	str_reserve(s, length);
	memcpy(s->data + s->len, text, length);
	s->len += length;
	s->data[s->len] = '\0';
}

void str_add(struct str *s, const char *text)
{
	str_add_n(s, text, strlen(text));
}

void str_add_char(struct str *s, char c)
{
	str_add_n(s, &c, 1);
}

void str_printf(struct str *s, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length <= 0)
		return;
	str_reserve(s, (size_t)length);
	va_start(args, format);
	(void)vsnprintf(s->data + s->len, (size_t)length + 1, format, args);
	va_end(args);
	s->len += (size_t)length;
}

void str_clear(struct str *s)
{
	s->len = 0;
	if (s->data)
		s->data[0] = '\0';
}

const char *str_get(const struct str *s)
{
	return s->data ? s->data : "";
}

char *str_take(struct str *s)
{
	char *text = s->data ? s->data : xstrdup("");

	*s = (struct str){ 0 };
	return text;
}

bool str_ends(const char *text, const char *suffix)
{
	size_t length = strlen(text);
	size_t tail = strlen(suffix);

	return length >= tail && str_eq(text + length - tail, suffix);
}

bool str_take_line(const char **at, const char *end, const char **line, size_t *ret)
{
	const char *feed;

	if (*at >= end)
		return false;
	feed = memchr(*at, '\n', (size_t)(end - *at));
	*line = *at;
	*ret = (size_t)((feed ? feed : end) - *at);
	*at = feed ? feed + 1 : end;
	return true;
}

int str_to_i64(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	char *end;
	long long value;

	/* strtoll would skip blanks and take a plus sign. */
	if (!(text[0] == '-' || (text[0] >= '0' && text[0] <= '9')))
		return -EINVAL;
	errno = 0;
	value = strtoll(text, &end, 10);
	if (*end || end == text)
		return -EINVAL;
	if (errno == ERANGE || value < min || value > max)
		return -ERANGE;
	*ret = value;
	return 0;
}

int str_to_f64(const char *text, double *ret)
{
	char *end;
	double value;

	/* Keeps out blanks, "inf", "nan" and hexadecimal, which strtod would take. */
	if (!*text || strspn(text, "0123456789+-.eE") != strlen(text) || text[0] == '+')
		return -EINVAL;
	value = strtod(text, &end);
	if (*end || end == text || !isfinite(value))
		return -EINVAL;
	*ret = value;
	return 0;
}

char *xasprintf(const char *format, ...)
{
	va_list args;
	char *text = NULL;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return xstrdup("");
	text = xmalloc((size_t)length + 1);
	va_start(args, format);
	(void)vsnprintf(text, (size_t)length + 1, format, args);
	va_end(args);
	return text;
}

int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void hex_build(const unsigned char *data, size_t size, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < size; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	text[2 * size] = '\0';
}
