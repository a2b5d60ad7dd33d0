/* SPDX-License-Identifier: MIT */
/*
 * Attributes and text to numbers. A raw value is whatever the vendor made of 48 bits and smartctl of that: "34
 * (Min/Max 20/45)", "11204h+23m", "11,204"; its first number is what counts. Life comes from the registers that
 * Proxmox itself reads, by their names, because the same number means different things to different vendors.
 */
#include "services/proxmox-poller/pve_smart.h"

#include <ctype.h>
#include <errno.h>

#define CELSIUS_MIN (-40)
#define CELSIUS_MAX 150
/* A disk that claims to have run for a thousand years does not know. */
#define HOURS_MAX 8760000
#define COUNT_MAX 1000000000000

/* ── numbers within text ───────────────────────────────────────────────────────────────────────────────────── */

/* Bytes of a separator of thousands at TEXT (',', '.', ''', a narrow or a hard space), or 0. */
static size_t separator_length(const char *text)
{
	static const char *const separators[] = { ",", ".", "'", "\u202f", "\u00a0", "\u2019" };

	for (size_t i = 0; i < countof(separators); i++) {
		size_t length = strlen(separators[i]);

		if (str_starts(text, separators[i]) && isdigit((unsigned char)text[length]) &&
		    isdigit((unsigned char)text[length + 1]) &&
		    isdigit((unsigned char)text[length + 2]) &&
		    !isdigit((unsigned char)text[length + 3]))
			return length;
	}
	return 0;
}

/* The whole number that TEXT begins with. */
static bool leading_number(const char *text, int64_t min, int64_t max, int64_t *ret)
{
	bool negative;
	int64_t value = 0;

	text += strspn(text, " \t");
	negative = *text == '-';
	text += negative;
	if (!isdigit((unsigned char)*text))
		return false;
	while (*text) {
		if (!isdigit((unsigned char)*text)) {
			size_t skip = separator_length(text);

			if (!skip)
				break;
			text += skip;
		}
		if (value > INT64_MAX / 100)
			return false;
		value = value * 10 + (*text++ - '0');
	}
	value = negative ? -value : value;
	if (value < min || value > max)
		return false;
	*ret = value;
	return true;
}

static void set_number(struct opt_i64 *field, const char *text, int64_t max)
{
	int64_t value;

	if (!field->has && leading_number(text, 0, max, &value))
		*field = some_i64(value);
}

static void set_celsius(struct opt_f64 *field, const char *text)
{
	int64_t value;

	/* 0 is what a disk without a sensor says. */
	if (!field->has && leading_number(text, CELSIUS_MIN, CELSIUS_MAX, &value) && value)
		*field = some_f64((double)value);
}

struct opt_i64 pve_wearout(const cJSON *value)
{
	double number;

	if (!value || cJSON_IsBool(value) || !pve_number(value, &number))
		return (struct opt_i64){ 0 };
	/* A disk may have outlived what it was made for: then nothing is left. */
	if (number > 100)
		return (struct opt_i64){ 0 };
	return some_i64(number < 0 ? 0 : (int64_t)number);
}

/* ── ATA ───────────────────────────────────────────────────────────────────────────────────────────────────── */

struct attribute {
	const char *id, *name, *raw;
	struct opt_i64 normalized, value;
};

static const struct pve_field attribute_fields[] = {
	PVE_FIELD(attribute, "id", id, PVE_STR),
	PVE_FIELD(attribute, "name", name, PVE_STR),
	PVE_FIELD(attribute, "normalized", normalized, PVE_I64),
	PVE_FIELD(attribute, "raw", raw, PVE_STR),
	PVE_FIELD(attribute, "value", value, PVE_I64),
};

/* The first of these that a disk has tells its life; the order is Proxmox's. */
static const char *const life_registers[] = {
	"Media_Wearout_Indicator", "SSD_Life_Left",	     "Wear_Leveling_Count",
	"Perc_Write/Erase_Ct_BC",  "Perc_Rated_Life_Remain", "Remaining_Lifetime_Perc",
	"Percent_Lifetime_Remain", "Lifetime_Left",	     "PCT_Life_Remaining",
	"Lifetime_Remaining",	   "Percent_Life_Remaining", "Percent_Lifetime_Used",
	"Perc_Rated_Life_Used",
};

struct life {
	size_t rank; /* in the table above */
	struct opt_i64 left;
};

static void note_life(const struct attribute *a, struct life *life)
{
	struct opt_i64 value = a->normalized.has ? a->normalized : a->value;

	if (!a->name || !value.has || value.v > 100)
		return;
	for (size_t i = 0; i < life->rank; i++) {
		if (!strstr(a->name, life_registers[i]))
			continue;
		*life = (struct life){ i, value };
		return;
	}
}

static void note_attribute(const struct attribute *a, struct opt_f64 *airflow,
			   struct pve_smart *ret)
{
	int64_t id;

	if (!a->id || !a->raw || !leading_number(a->id, 1, 255, &id))
		return;
	if (id == 5)
		set_number(&ret->reallocated, a->raw, COUNT_MAX);
	else if (id == 9)
		set_number(&ret->power_on_hours, a->raw, HOURS_MAX);
	else if (id == 190)
		set_celsius(airflow, a->raw);
	else if (id == 194)
		set_celsius(&ret->celsius, a->raw);
	else if (id == 197)
		set_number(&ret->pending, a->raw, COUNT_MAX);
}

static void read_attributes(const cJSON *list, struct arena *arena, struct pve_smart *ret)
{
	struct life life = { .rank = countof(life_registers) };
	struct opt_f64 airflow = { 0 };
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		struct attribute a = { 0 };

		pve_read(item, attribute_fields, countof(attribute_fields), arena, &a);
		note_attribute(&a, &airflow, ret);
		note_life(&a, &life);
	}
	if (!ret->celsius.has)
		ret->celsius = airflow;
	if (!ret->life_left.has)
		ret->life_left = life.left;
}

/* ── NVMe and SAS ──────────────────────────────────────────────────────────────────────────────────────────── */

static void note_used(const char *value, struct pve_smart *ret)
{
	int64_t used;

	/* Beyond 100 % it is used up, and still counts. */
	if (!ret->life_left.has && leading_number(value, 0, 1000, &used))
		ret->life_left = some_i64(max_of(100 - used, (int64_t)0));
}

/* The value behind KEY at the begin of LINE, or NULL. */
static const char *value_of(const char *line, const char *key)
{
	const char *at;

	if (!str_starts(line, key))
		return NULL;
	at = line + strlen(key);
	at += strspn(at, " \t");
	if (*at != ':')
		return NULL;
	at++;
	return at + strspn(at, " \t");
}

static void note_line(const char *line, struct pve_smart *ret)
{
	const char *value;

	if ((value = value_of(line, "Temperature")) ||
	    (value = value_of(line, "Current Drive Temperature")))
		set_celsius(&ret->celsius, value);
	else if ((value = value_of(line, "Percentage Used")) ||
		 (value = value_of(line, "Percentage used endurance indicator")))
		note_used(value, ret);
	else if ((value = value_of(line, "Power On Hours")))
		set_number(&ret->power_on_hours, value, HOURS_MAX);
	else if ((value = value_of(line, "Media and Data Integrity Errors")))
		set_number(&ret->media_errors, value, COUNT_MAX);
	else if ((value = value_of(line, "Elements in grown defect list")))
		set_number(&ret->reallocated, value, COUNT_MAX);
	else if (str_starts(line, "Accumulated power on time, hours:minutes "))
		set_number(&ret->power_on_hours, strchr(line, ':') + strlen(":minutes "),
			   HOURS_MAX);
}

static void read_text(const char *text, struct pve_smart *ret)
{
	while (*text) {
		size_t length = strcspn(text, "\n");
		_cleanup_(freep) char *line = xstrndup(text, length);

		note_line(line + strspn(line, " \t"), ret);
		text += length;
		text += *text == '\n';
	}
}

/* ── the answer ────────────────────────────────────────────────────────────────────────────────────────────── */

int pve_parse_smart(const cJSON *answer, struct arena *arena, struct pve_smart *ret)
{
	const cJSON *data = pve_data_object(answer);
	const cJSON *text = json_get(data, "text");
	const cJSON *health = json_get(data, "health");

	if (!data)
		return -EINVAL;
	*ret = (struct pve_smart){ 0 };
	if (cJSON_IsString(health))
		ret->health = pve_text(arena, health->valuestring, 32);
	ret->life_left = pve_wearout(json_get(data, "wearout"));
	if (cJSON_IsArray(json_get(data, "attributes")))
		read_attributes(json_get(data, "attributes"), arena, ret);
	if (cJSON_IsString(text))
		read_text(text->valuestring, ret);
	return 0;
}
