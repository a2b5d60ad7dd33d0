/* SPDX-License-Identifier: MIT */
/*
 * The tolerant reader. One pass over an object's members with a search in the sorted table: a row of
 * /cluster/resources has some 25 members, and there may be thousands of rows.
 */
#include "common/pve_value.h"

#include "common/topics.h"

#include <math.h>

#define INTEGER_MAX 9007199254740991.0
/* Beyond it a number is nonsense, and arithmetic with it would be too. */
#define NUMBER_MAX 1e16

bool pve_number(const cJSON *value, double *ret)
{
	double number;

	if (cJSON_IsBool(value)) {
		*ret = cJSON_IsTrue(value) ? 1 : 0;
		return true;
	}
	if (cJSON_IsNumber(value))
		number = value->valuedouble;
	else if (!cJSON_IsString(value) || str_to_f64(value->valuestring, &number) < 0)
		return false;
	if (!isfinite(number) || fabs(number) > NUMBER_MAX)
		return false;
	*ret = number;
	return true;
}

static const char *read_text(const cJSON *value, struct arena *arena)
{
	double number;

	if (cJSON_IsString(value))
		return value->valuestring[0] ? arena_strdup(arena, value->valuestring) : NULL;
	if (pve_number(value, &number))
		return arena_printf(arena, "%.15g", number);
	return NULL;
}

static void read_i64(const cJSON *value, struct opt_i64 *ret)
{
	double number;

	if (pve_number(value, &number) && number >= 0 && number <= INTEGER_MAX)
		*ret = some_i64((int64_t)number);
}

static void read_bool(const cJSON *value, struct opt_bool *ret)
{
	double number;

	if (pve_number(value, &number))
		*ret = some_bool(number != 0);
	else if (cJSON_IsString(value) && str_eq(value->valuestring, "true"))
		*ret = some_bool(true);
	else if (cJSON_IsString(value) && str_eq(value->valuestring, "false"))
		*ret = some_bool(false);
}

static void read_one(const cJSON *value, enum pve_kind kind, struct arena *arena, void *at)
{
	double number;

	switch (kind) {
	case PVE_STR:
		if (!*(const char **)at)
			*(const char **)at = read_text(value, arena);
		break;
	case PVE_I64:
		if (!((struct opt_i64 *)at)->has)
			read_i64(value, at);
		break;
	case PVE_F64:
		if (!((struct opt_f64 *)at)->has && pve_number(value, &number))
			*(struct opt_f64 *)at = some_f64(number);
		break;
	case PVE_BOOL:
		if (!((struct opt_bool *)at)->has)
			read_bool(value, at);
		break;
	}
}

static int compare_key(const void *key, const void *field)
{
	return strcmp(key, ((const struct pve_field *)field)->key);
}

void pve_read(const cJSON *object, const struct pve_field *fields, size_t n, struct arena *arena,
	      void *ret)
{
	const cJSON *member;

	if (!cJSON_IsObject(object))
		return;
	cJSON_ArrayForEach(member, object) {
		const struct pve_field *field =
			bsearch(member->string, fields, n, sizeof(*fields), compare_key);

		if (field)
			read_one(member, field->kind, arena, (char *)ret + field->offset);
	}
}

const char *pve_text(struct arena *arena, const char *text, size_t max)
{
	size_t length;

	if (!text || !text[0])
		return NULL;
	length = strnlen(text, max + 1);
	if (length <= max)
		return arena_strdup(arena, text);
	length = max;
	/* Not in the midst of a character: its later bytes begin with the bits 10. */
	while (length > 0 && ((unsigned char)text[length] & 0xC0) == 0x80)
		length--;
	return arena_strndup(arena, text, length);
}

bool pve_is_name(const char *text)
{
	return text && strlen(text) <= TOPIC_LEVEL_MAX;
}

const cJSON *pve_data_list(const cJSON *answer)
{
	const cJSON *data = json_get(answer, "data");

	return cJSON_IsArray(data) ? data : NULL;
}

const cJSON *pve_data_object(const cJSON *answer)
{
	const cJSON *data = json_get(answer, "data");

	return cJSON_IsObject(data) ? data : NULL;
}

void *pve_list_alloc(struct arena *arena, size_t count, size_t size)
{
	return arena_alloc(arena, max_of(count, (size_t)1) * size);
}

void *pve_read_rows(const cJSON *answer, const struct pve_rows *rows, struct arena *arena,
		    size_t *n, size_t *bad)
{
	const cJSON *data = pve_data_list(answer), *item;
	char *list;

	*n = *bad = 0;
	if (!data)
		return NULL;
	list = pve_list_alloc(arena, (size_t)cJSON_GetArraySize(data), rows->size);
	cJSON_ArrayForEach(item, data) {
		char *row = list + *n * rows->size;

		memset(row, 0, rows->size);
		pve_read(item, rows->fields, rows->fields_n, arena, row);
		if (rows->keep(row, item, arena))
			++*n;
		else
			++*bad;
	}
	if (rows->compare)
		qsort(list, *n, rows->size, rows->compare);
	return *n || !*bad ? list : NULL;
}
