/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Text: a growing string, and the parsers of numbers that refuse what they do not understand.
 */
#include "common/base.h"

#include <string.h>

/* A growing, always NUL-terminated string. Start with `struct str s = { 0 };`, end with str_done(). */
struct str {
	char *data; /* NULL while empty */
	size_t len;
	size_t cap;
};

void str_done(struct str *s);
void str_add(struct str *s, const char *text);
void str_add_n(struct str *s, const char *text, size_t length);
void str_add_char(struct str *s, char c);
void str_printf(struct str *s, const char *format, ...) _printf_(2, 3);
/* Forgets the text, keeps the memory. */
void str_clear(struct str *s);
/* Makes room for EXTRA bytes more: until they are used up the text does not move. */
void str_reserve(struct str *s, size_t extra);
/* As str_done(), and overwrites the text first; that of a secret must not have moved, see str_reserve(). */
void str_wipe(struct str *s);
/* The text; "" while empty. */
const char *str_get(const struct str *s);
/* Hands the text over (the caller frees it) and leaves S empty. Never NULL. */
char *str_take(struct str *s);

static inline bool str_eq(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}
/* Equal, or both NULL. */
static inline bool str_eq_null(const char *a, const char *b)
{
	return a == b || (a && b && str_eq(a, b));
}
static inline bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}
bool str_ends(const char *text, const char *suffix);

/* The next line of what stands from *AT to END, without its line feed, and how long it is. False: there is none. */
bool str_take_line(const char **at, const char *end, const char **line, size_t *ret);

/* The whole of TEXT as a decimal number: 0, or -EINVAL (not a number), -ERANGE (outside MIN..MAX). */
int str_to_i64(const char *text, int64_t min, int64_t max, int64_t *ret);
/* The whole of TEXT as a finite decimal number: 0 or -EINVAL. */
int str_to_f64(const char *text, double *ret);

/* printf into new memory. */
char *xasprintf(const char *format, ...) _printf_(1, 2) _nodiscard_;

/* The value of a hexadecimal digit, or -1. */
int hex_digit(int c);
/* Lower-case hex of SIZE bytes; TEXT has room for 2 * SIZE + 1. */
void hex_build(const unsigned char *data, size_t size, char *text);
