/* SPDX-License-Identifier: MIT */
/*
 * Terms are cut out first, then each becomes one test. A term is a number with an operator, a field with words, or
 * text; which of them is decided by how it begins, so that a quoted operator is text.
 */
#include "jarvisctl/search.h"

#include <ctype.h>
#include <errno.h>

#include "common/alloc.h"
#include "jarvisctl/search_parts.h"

struct term {
	enum { TERM_NUMBER, TERM_FIELD, TERM_TEXT } kind;
	bool is_negative;
	enum search_number number;
	enum relation relation;
	struct search_amount amount;
	enum search_field field;
	char **words; /* any of them; lower case */
	size_t words_n;
};

struct search {
	struct term *terms;
	size_t terms_n;
};

/* ── cutting ───────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_operator_char(char c)
{
	return c == '<' || c == '>' || c == '=';
}

/* "cpu > 20" is "cpu>20": blanks after a word and before a number belong to the operator between. */
static void close_up(const char *input, struct str *out)
{
	bool is_quoted = false;

	for (const char *p = input; *p; p++) {
		size_t blanks = is_quoted ? 0 : strspn(p, " \t\n");
		char before = out->len ? str_get(out)[out->len - 1] : '\0';

		if (*p == '"')
			is_quoted = !is_quoted;
		if (blanks == 0) {
			str_add_char(out, *p);
			continue;
		}
		p += blanks - 1;
		if (isalpha((unsigned char)before) &&
		    (is_operator_char(p[1]) || (p[1] == '!' && p[2] == '=')))
			continue;
		if (is_operator_char(before) && isdigit((unsigned char)p[1]))
			continue;
		str_add_char(out, ' ');
	}
}

/* Up to one of STOPS that is not quoted. */
static size_t piece_length(const char *text, const char *stops)
{
	bool is_quoted = false;
	size_t n = 0;

	for (; text[n] && (is_quoted || !strchr(stops, text[n])); n++)
		is_quoted ^= text[n] == '"';
	return n;
}

/* In lower case and without quotes. */
static char *plain(const char *text, size_t length)
{
	struct str out = { 0 };

	for (size_t i = 0; i < length; i++) {
		if (text[i] != '"')
			str_add_char(&out, (char)tolower((unsigned char)text[i]));
	}
	return str_take(&out);
}

/* ── terms ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static size_t letters(const char *text)
{
	size_t n = 0;

	while (isalpha((unsigned char)text[n]))
		n++;
	return n;
}

/* 0, -ENOENT: it is no number with an operator, or -EINVAL with the reason in WHY. */
static int parse_number(const char *body, struct term *term, struct str *why)
{
	_cleanup_(freep) char *amount = NULL;
	size_t length = letters(body), operator_n;
	enum relation relation;
	int number;

	operator_n = length ? search_find_relation(body + length, &relation) : 0;
	if (!operator_n)
		return -ENOENT;
	number = search_find_number(body, length);
	if (number < 0) {
		str_add(why, "no such number; there are ");
		search_list_numbers(why);
		return -EINVAL;
	}
	*term = (struct term){ .kind = TERM_NUMBER,
			       .number = (enum search_number)number,
			       .relation = relation };
	body += length + operator_n;
	amount = plain(body, strlen(body));
	if (search_parse_amount(term->number, amount, &term->amount))
		return 0;
	if (*amount)
		str_printf(why, "“%s” is no value of %s", amount,
			   search_number_name((enum search_number)number));
	else
		str_add(why, "a number is missing");
	return -EINVAL;
}

static void parse_words(const char *text, struct term *term)
{
	for (size_t length; *text; text += length + (text[length] ? 1 : 0)) {
		_cleanup_(freep) char *word = NULL;

		length = piece_length(text, ",");
		word = plain(text, length);
		if (!*word)
			continue;
		term->words = xreallocarray(term->words, term->words_n + 1, sizeof(*term->words));
		term->words[term->words_n++] = xstrdup(
			term->kind == TERM_FIELD ? search_meaning(term->field, word) : word);
	}
}

static int parse_field(const char *body, struct term *term, struct str *why)
{
	size_t length = letters(body);
	int field;

	if (!length || body[length] != ':')
		return -ENOENT;
	field = search_find_field(body, length);
	if (field < 0) {
		str_add(why, "no such field; there are ");
		search_list_fields(why);
		return -EINVAL;
	}
	*term = (struct term){ .kind = TERM_FIELD, .field = (enum search_field)field };
	parse_words(body + length + 1, term);
	if (!term->words_n)
		str_add(why, "a value is missing");
	return term->words_n ? 0 : -EINVAL;
}

static int parse_term(const char *body, struct term *term, struct str *why)
{
	int r = parse_number(body, term, why);

	if (r == -ENOENT)
		r = parse_field(body, term, why);
	if (r != -ENOENT)
		return r;
	*term = (struct term){ .kind = TERM_TEXT };
	parse_words(body, term);
	if (!term->words_n)
		str_add(why, "nothing to look for");
	return term->words_n ? 0 : -EINVAL;
}

static int add_term(struct search *search, const char *text, struct str *errors)
{
	bool is_negative = text[0] == '-' && text[1];
	_cleanup_(str_done) struct str why = { 0 };
	struct term term = { 0 };

	if (parse_term(text + (is_negative ? 1 : 0), &term, &why) < 0) {
		str_printf(errors, "%s: %s\n", text, str_get(&why));
		return -EINVAL;
	}
	term.is_negative = is_negative;
	search->terms = xreallocarray(search->terms, search->terms_n + 1, sizeof(*search->terms));
	search->terms[search->terms_n++] = term;
	return 0;
}

int search_parse(const char *input, struct search **ret, struct str *errors)
{
	_cleanup_(search_freep) struct search *search = xnew(struct search);
	_cleanup_(str_done) struct str closed = { 0 };
	int r = 0;

	close_up(input, &closed);
	for (const char *p = str_get(&closed); *p;) {
		size_t length = piece_length(p, " \t\n");
		_cleanup_(freep) char *term = xstrndup(p, length);

		if (length && add_term(search, term, errors) < 0)
			r = -EINVAL;
		p += length + (p[length] ? 1 : 0);
	}
	if (r == 0)
		*ret = take(search);
	return r;
}

void search_free(struct search *search)
{
	if (!search)
		return;
	for (size_t i = 0; i < search->terms_n; i++) {
		for (size_t k = 0; k < search->terms[i].words_n; k++)
			free(search->terms[i].words[k]);
		free(search->terms[i].words);
	}
	free(search->terms);
	free(search);
}

/* ── testing ───────────────────────────────────────────────────────────────────────────────────────────────── */

void search_item_text(struct search_item *item, const char *text)
{
	if (text && item->text_n < countof(item->text))
		item->text[item->text_n++] = text;
}

void search_item_word(struct search_item *item, enum search_field field, const char *text)
{
	if (text && item->words_n < countof(item->words))
		item->words[item->words_n++] = (struct search_word){ field, text };
}

static bool compare(double have, enum relation relation, double wanted)
{
	switch (relation) {
	case ABOVE:
		return have > wanted;
	case AT_LEAST:
		return have >= wanted;
	case BELOW:
		return have < wanted;
	case AT_MOST:
		return have <= wanted;
	case EQUAL:
		return !(have < wanted) && !(have > wanted);
	default:
		return have < wanted || have > wanted;
	}
}

static bool is_hit(const char *have, const char *wanted, enum comparison how)
{
	if (how == WHOLE)
		return strcasecmp(have, wanted) == 0;
	if (how == BEGINNING)
		return strncasecmp(have, wanted, strlen(wanted)) == 0;
	return strcasestr(have, wanted);
}

static bool has_word(const struct term *term, const char *have, enum comparison how)
{
	for (size_t i = 0; i < term->words_n; i++) {
		if (is_hit(have, term->words[i], how))
			return true;
	}
	return false;
}

static bool test_number(const struct term *term, const struct search_item *item)
{
	struct opt_f64 have = item->numbers[term->number];

	if (term->amount.is_size && item->sizes[term->number].has)
		have = item->sizes[term->number];
	return have.has && compare(have.v, term->relation, term->amount.value);
}

static bool test_words(const struct term *term, const struct search_item *item)
{
	for (size_t i = 0; term->kind == TERM_FIELD && i < item->words_n; i++) {
		if (item->words[i].field == term->field &&
		    has_word(term, item->words[i].text, search_comparison(term->field)))
			return true;
	}
	for (size_t i = 0; term->kind == TERM_TEXT && i < item->text_n; i++) {
		if (has_word(term, item->text[i], PART))
			return true;
	}
	return false;
}

bool search_test(const struct search *search, const struct search_item *item)
{
	for (size_t i = 0; i < search->terms_n; i++) {
		const struct term *term = &search->terms[i];
		bool is_found = term->kind == TERM_NUMBER ? test_number(term, item) :
							    test_words(term, item);

		if (is_found == term->is_negative)
			return false;
	}
	return true;
}
