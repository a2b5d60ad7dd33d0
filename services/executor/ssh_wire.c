/* SPDX-License-Identifier: MIT */
/*
 * Bytes of a request, and what an answer is worth. The trailer is looked for at the very end alone, so that nothing
 * that a program writes can stand for it.
 */
#include "services/executor/ssh_wire.h"

#include <errno.h>
#include <string.h>

#define ENVELOPE_MAX ((size_t)40 << 10)
#define REQUEST_MAX ((size_t)48 << 10)
#define ID_MAX 64
#define HEX_DIGITS 32
/* Longer is no trailer of ours; nine digits of a number are plenty. */
#define TRAILER_MAX 200
#define NUMBERS 6
#define DIGITS_MAX 15
#define VALUE_MAX 255

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/* ── the request ───────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_boundary(const char *text)
{
	return strlen(text) == HEX_DIGITS && strspn(text, "0123456789abcdef") == HEX_DIGITS;
}

static bool is_envelope(const char *text)
{
	size_t length = strlen(text);

	if (length < 3 || length > ENVELOPE_MAX || text[0] != '{' || text[length - 1] != '}')
		return false;
	for (const char *c = text; *c; c++) {
		if (*c < 0x20 || *c > 0x7e)
			return false;
	}
	return true;
}

static bool is_good(const struct ssh_request *request)
{
	size_t id = strlen(request->id);

	return is_envelope(request->envelope) && id && id <= ID_MAX &&
	       strspn(request->id, alphabet) == id && is_boundary(request->boundary) &&
	       request->timeout_s && request->timeout_s <= SSH_WIRE_SECONDS_MAX &&
	       request->params_n <= SSH_WIRE_PARAMS_MAX;
}

/* With its NUL. */
static void add_field(struct str *out, const char *text)
{
	str_add_n(out, text, strlen(text) + 1);
}

int ssh_wire_build(const struct ssh_request *request, struct str *out)
{
	_cleanup_(str_done) struct str made = { 0 };

	if (!is_good(request))
		return -EINVAL;
	str_add(&made, request->envelope);
	str_add(&made, "\n");
	add_field(&made, "1");
	add_field(&made, request->id);
	add_field(&made, request->boundary);
	str_printf(&made, "%u", request->timeout_s);
	str_add_n(&made, "", 1);
	add_field(&made, request->tool);
	for (size_t i = 0; i < request->params_n; i++) {
		str_add(&made, request->params[i].name);
		str_add(&made, "=");
		add_field(&made, request->params[i].value);
	}
	add_field(&made, "end");
	if (made.len > REQUEST_MAX)
		return -EINVAL;
	str_add_n(out, made.data, made.len);
	return 0;
}

/* ── the answer ────────────────────────────────────────────────────────────────────────────────────────────── */

/* What is left to be read of a line. */
struct cursor {
	const char *at, *end;
};

static bool take_text(struct cursor *c, const char *text)
{
	size_t length = strlen(text);

	if ((size_t)(c->end - c->at) < length || memcmp(c->at, text, length) != 0)
		return false;
	c->at += length;
	return true;
}

static bool take_number(struct cursor *c, uint64_t *ret)
{
	const char *from = c->at;
	uint64_t value = 0;

	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
		if (c->at - from >= DIGITS_MAX)
			return false;
		value = value * 10 + (uint64_t)(*c->at - '0');
	}
	if (c->at == from)
		return false;
	*ret = value;
	return true;
}

static bool take_outcome(struct cursor *c, enum ssh_answer_outcome *ret)
{
	static const struct {
		const char *word;
		enum ssh_answer_outcome outcome;
	} words[] = {
		{ "exit ", SSH_ANSWER_EXIT },	    { "signal ", SSH_ANSWER_SIGNAL },
		{ "timeout ", SSH_ANSWER_TIMEOUT }, { "flood ", SSH_ANSWER_FLOOD },
		{ "refused ", SSH_ANSWER_REFUSED },
	};

	for (size_t i = 0; i < countof(words); i++) {
		if (!take_text(c, words[i].word))
			continue;
		*ret = words[i].outcome;
		return true;
	}
	return false;
}

/* value out out_lost err err_lost ms */
static bool take_numbers(struct cursor *c, uint64_t ret[NUMBERS])
{
	for (size_t i = 0; i < NUMBERS; i++) {
		if ((i && !take_text(c, " ")) || !take_number(c, &ret[i]))
			return false;
	}
	return c->at == c->end;
}

static bool read_trailer(struct cursor line, const char *boundary, struct ssh_answer *answer)
{
	uint64_t n[NUMBERS];

	if (!take_text(&line, "JARVIS-END ") || !take_text(&line, boundary) ||
	    !take_text(&line, " ") || !take_outcome(&line, &answer->outcome) ||
	    !take_numbers(&line, n) || n[0] > VALUE_MAX || n[1] > SSH_WIRE_ANSWER_MAX ||
	    n[3] > SSH_WIRE_ANSWER_MAX)
		return false;
	answer->value = (unsigned)n[0];
	answer->out_len = n[1];
	answer->out_lost = n[2];
	answer->err_len = n[3];
	answer->err_lost = n[4];
	answer->ms = n[5];
	return true;
}

/* Where the body begins: after the first line that says so. A shell's chatter may stand before it. */
static const char *find_body(const char *bytes, const char *end, const char *boundary)
{
	for (const char *line = bytes; line < end;) {
		struct cursor c = { line, end };
		const char *next = memchr(line, '\n', (size_t)(end - line));

		if (take_text(&c, "JARVIS-BEGIN ") && take_text(&c, boundary) &&
		    take_text(&c, " 1\n"))
			return c.at;
		if (!next)
			break;
		line = next + 1;
	}
	return NULL;
}

static const char *find_trailer(const char *bytes, const char *end)
{
	const char *from = end - bytes > TRAILER_MAX ? end - TRAILER_MAX : bytes;

	for (const char *at = end - 1; at > from; at--) {
		if (at[-1] == '\n')
			return at;
	}
	return NULL;
}

static const char *parse(const char *bytes, size_t length, const char *boundary,
			 struct ssh_answer *answer)
{
	const char *end = bytes + length;
	const char *body = find_body(bytes, end, boundary), *trailer;

	if (!body)
		return "it has no beginning";
	trailer = end[-1] == '\n' ? find_trailer(body - 1, end - 1) : NULL;
	if (!trailer || !read_trailer((struct cursor){ trailer, end - 1 }, boundary, answer))
		return "it was cut off, or is not an answer to this request";
	/* The line feed before the trailer is the trailer's own. */
	if (trailer - 1 < body || (size_t)(trailer - 1 - body) != answer->out_len + answer->err_len)
		return "its length is not what it says";
	answer->out = body;
	answer->err = body + answer->out_len;
	return NULL;
}

void ssh_wire_parse(const char *bytes, size_t length, const char *boundary, struct ssh_answer *ret)
{
	const char *why;

	*ret = (struct ssh_answer){ .out = "", .err = "" };
	why = is_boundary(boundary) ? parse(bytes, length, boundary, ret) :
				      "it was asked for without a boundary";
	if (why)
		*ret = (struct ssh_answer){ .out = "", .err = "", .why = why };
}
