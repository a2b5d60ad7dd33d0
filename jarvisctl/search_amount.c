/* SPDX-License-Identifier: MIT */
/*
 * Numbers with their units: what "2G", "80%" and "1.5d" are in the unit in which a thing has them.
 */
#include <ctype.h>

#include "jarvisctl/search_parts.h"

static const struct unit {
	char letter;
	double factor;
} sizes[] = { { 'k', 1024.0 },
	      { 'm', 1048576.0 },
	      { 'g', 1073741824.0 },
	      { 't', 1099511627776.0 } },
  times[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 }, { 'w', 604800 } };

static bool may_be_size(enum search_number number)
{
	return number == NUMBER_MEM || number == NUMBER_DISK ||
	       (number >= NUMBER_NETIN && number <= NUMBER_WRITE);
}

/* What a bare number of an age means, in seconds; 0: it is no age. */
static double age_unit(enum search_number number)
{
	if (number == NUMBER_UPTIME)
		return 1;
	return number == NUMBER_BACKUP || number == NUMBER_SNAPSHOT ? 86400 : 0;
}

static const struct unit *find_unit(const struct unit *units, size_t n, char letter)
{
	for (size_t i = 0; i < n; i++) {
		if (units[i].letter == letter)
			return &units[i];
	}
	return NULL;
}

/* What stands behind the digits: "", "%", "g", "gib/s" … as one letter; '\0' for none, '?' for what is no unit. */
static char unit_letter(const char *unit)
{
	char first = (char)tolower((unsigned char)*unit);
	const char *rest = unit + (first ? 1 : 0);

	if (first == 'b') /* bytes: no factor */
		return str_eq(rest, "") || str_eq(rest, "/s") ? '\0' : '?';
	if (strncasecmp(rest, "ib", 2) == 0)
		rest += 2;
	else if (tolower((unsigned char)*rest) == 'b')
		rest++;
	return str_eq(rest, "") || str_eq(rest, "/s") ? first : '?';
}

bool search_parse_amount(enum search_number number, const char *text, struct search_amount *ret)
{
	size_t whole = strspn(text, "0123456789"), length = whole;
	double age = age_unit(number);
	const struct unit *unit = NULL;
	char letter;

	*ret = (struct search_amount){ 0 };
	if (whole && text[whole] == '.' && isdigit((unsigned char)text[whole + 1]))
		length += 1 + strspn(text + whole + 1, "0123456789");
	if (!whole || length > 300)
		return false;
	ret->value = strtod(text, NULL);
	if (number == NUMBER_TEMP &&
	    (strcasecmp(text + length, "c") == 0 || str_eq(text + length, "°") ||
	     strcasecmp(text + length, "°c") == 0))
		return true;
	letter = unit_letter(text + length);
	if (age > 0) {
		unit = find_unit(times, countof(times), letter);
		ret->value *= letter ? (unit ? unit->factor : 0) : age;
		return !letter || unit;
	}
	if (!letter || letter == '%')
		return true;
	unit = find_unit(sizes, countof(sizes), letter);
	if (!unit || !may_be_size(number))
		return false;
	ret->value *= unit->factor;
	ret->is_size = true;
	return true;
}
