/* SPDX-License-Identifier: MIT */
/*
 * The JSON writer. What it writes passes json_scan(), as long as integers stay within ±(2^53-1).
 */
#include "common/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "common/utf8.h"

static void add_escaped(struct str *out, unsigned char c)
{
	static const char values[] = "\"\\\b\f\n\r\t";
	static const char names[] = "\"\\bfnrt";
	const char *value = strchr(values, c);

	if (value) {
		str_add_char(out, '\\');
		str_add_char(out, names[value - values]);
	} else {
		str_printf(out, "\\u%04x", c);
	}
}

static void add_quoted(struct str *out, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;
	size_t left = strlen(text), plain = 0;

	str_add_char(out, '"');
	while (plain < left) {
		unsigned char c = p[plain];
		size_t n = utf8_length(p + plain, left - plain);

		if (n && c >= 0x20 && c != '"' && c != '\\') {
			plain += n;
			continue;
		}
		str_add_n(out, (const char *)p, plain);
		if (n)
			add_escaped(out, c);
		else
			str_add(out, "\xef\xbf\xbd");
		p += plain + 1;
		left -= plain + 1;
		plain = 0;
	}
	str_add_n(out, (const char *)p, plain);
	str_add_char(out, '"');
}

/* Comma and key of what comes next. */
static void begin_value(struct json_writer *w, const char *key)
{
	if (w->comma)
		str_add_char(w->out, ',');
	w->comma = true;
	if (!key)
		return;
	add_quoted(w->out, key);
	str_add_char(w->out, ':');
}

static void begin_container(struct json_writer *w, const char *key, char c)
{
	begin_value(w, key);
	str_add_char(w->out, c);
	w->comma = false;
}

static void end_container(struct json_writer *w, char c)
{
	str_add_char(w->out, c);
	w->comma = true;
}

void json_object_begin(struct json_writer *w, const char *key)
{
	begin_container(w, key, '{');
}

void json_object_end(struct json_writer *w)
{
	end_container(w, '}');
}

void json_list_begin(struct json_writer *w, const char *key)
{
	begin_container(w, key, '[');
}

void json_list_end(struct json_writer *w)
{
	end_container(w, ']');
}

void json_add_str(struct json_writer *w, const char *key, const char *value)
{
	if (!value) {
		json_add_null(w, key);
		return;
	}
	begin_value(w, key);
	add_quoted(w->out, value);
}

void json_add_i64(struct json_writer *w, const char *key, int64_t value)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%" PRId64, value);

	begin_value(w, key);
	str_add_n(w->out, text, (size_t)n);
}

void json_add_f64(struct json_writer *w, const char *key, double value)
{
	char text[40];

	if (!isfinite(value)) {
		json_add_null(w, key);
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, value);
		if (strtod(text, NULL) == value)
			break;
	}
	begin_value(w, key);
	str_add(w->out, text);
	/* Without a point it would be an integer, and beyond 2^53-1 those are refused. */
	if (fabs(value) >= 9007199254740992.0 && !strpbrk(text, ".e"))
		str_add(w->out, ".0");
}

void json_add_bool(struct json_writer *w, const char *key, bool value)
{
	begin_value(w, key);
	str_add(w->out, value ? "true" : "false");
}

void json_add_null(struct json_writer *w, const char *key)
{
	begin_value(w, key);
	str_add(w->out, "null");
}

void json_add_raw(struct json_writer *w, const char *key, const char *json)
{
	begin_value(w, key);
	str_add(w->out, json ? json : "null");
}
