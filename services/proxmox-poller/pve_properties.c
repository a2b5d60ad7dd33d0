/* SPDX-License-Identifier: MIT */
/*
 * Lists of properties, and sizes as disks have them.
 */
#include "services/proxmox-poller/pve_properties.h"

#include <math.h>

#define PROPERTIES_MAX 32
#define SIZE_MAX_BYTES 9007199254740991.0

static struct pve_property property_of(const char *text, size_t length, struct arena *arena)
{
	char *copy = arena_strndup(arena, text, length);
	char *equals = strchr(copy, '=');

	if (!equals)
		return (struct pve_property){ "", copy };
	*equals = '\0';
	return (struct pve_property){ copy, equals + 1 };
}

struct pve_properties pve_properties_parse(const char *text, struct arena *arena)
{
	struct pve_properties ret = {
		.list = arena_alloc(arena, PROPERTIES_MAX * sizeof(*ret.list)),
	};

	for (size_t length; *text && ret.n < PROPERTIES_MAX; text += length) {
		text += strspn(text, ", ");
		length = strcspn(text, ",");
		if (length)
			ret.list[ret.n++] = property_of(text, length, arena);
	}
	return ret;
}

const char *pve_properties_get(const struct pve_properties *properties, const char *key)
{
	for (size_t i = 0; i < properties->n; i++) {
		if (str_eq(properties->list[i].key, key))
			return properties->list[i].value;
	}
	return NULL;
}

bool pve_properties_bool(const struct pve_properties *properties, const char *key, bool without)
{
	static const char *const yes[] = { "1", "on", "yes", "true" };
	static const char *const no[] = { "0", "off", "no", "false" };
	const char *value = pve_properties_get(properties, key);

	for (size_t i = 0; value && i < countof(yes); i++) {
		if (str_eq(value, yes[i]))
			return true;
		if (str_eq(value, no[i]))
			return false;
	}
	return without;
}

struct opt_i64 pve_parse_size(const char *text)
{
	static const char units[] = "KMGT";
	size_t length = text ? strlen(text) : 0;
	char digits[32];
	double number;
	const char *unit;

	if (!length || length >= sizeof(digits))
		return (struct opt_i64){ 0 };
	unit = strchr(units, text[length - 1]);
	memcpy(digits, text, length);
	digits[unit ? length - 1 : length] = '\0';
	if (str_to_f64(digits, &number) < 0)
		return (struct opt_i64){ 0 };
	if (unit)
		number = ldexp(number, (int)(10 * (unit - units + 1)));
	if (!(number >= 0 && number <= SIZE_MAX_BYTES))
		return (struct opt_i64){ 0 };
	return some_i64((int64_t)number);
}
