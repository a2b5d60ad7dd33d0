/* SPDX-License-Identifier: MIT */
/*
 * The parser: a table of line kinds; then the names, for which all chips must be known; then the processor's
 * temperature, by a table of who knows it best.
 */
#include "services/thermal-collector/thermal_parse.h"

#include <errno.h>
#include <stdio.h>

#include "common/utf8.h"

#define HEADER "jarvis-thermal 1"
#define TRAILER "end"
#define CHIPS_MAX 128
#define LINE_MAX_BYTES 512
#define LABEL_BYTES 40 /* three of them in a name of 128 */
#define MILLI_MAX 100000000
#define PLAUSIBLE_MIN (-40000)
#define PLAUSIBLE_MAX 150000

struct chip {
	int64_t number;
	const char *device; /* "-": none */
	const char *name;
	bool is_skipped;
};

/* A temperature, in thousandths. */
struct sensor {
	const struct chip *chip; /* NULL: a thermal zone */
	const char *label;	 /* or the type of the zone */
	int64_t index;
	struct opt_i64 input, max, critical;
};

struct parser {
	struct arena *arena;
	struct thermal_counts *counts;
	struct chip chips[CHIPS_MAX];
	size_t chips_n;
	struct sensor sensors[THERMAL_TEMPERATURES_MAX];
	size_t sensors_n;
	struct msg_fan fans[THERMAL_FANS_MAX];
	const struct chip *fan_chips[THERMAL_FANS_MAX];
	size_t fans_n;
};

/* ── lines ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* The word at *AT, which is moved behind it. NULL when there is none. */
static char *next_word(char **at)
{
	char *word = *at, *space;

	if (!word || !*word || *word == ' ')
		return NULL;
	space = strchr(word, ' ');
	*at = space ? space + 1 : word + strlen(word);
	if (space)
		*space = '\0';
	return word;
}

static bool next_number(char **at, int64_t min, int64_t max, int64_t *ret)
{
	const char *word = next_word(at);

	return word && str_to_i64(word, min, max, ret) == 0;
}

/* A number, or "-": unknown. */
static bool next_opt(char **at, struct opt_i64 *ret)
{
	const char *word = next_word(at);
	int64_t v;

	*ret = (struct opt_i64){ 0 };
	if (!word)
		return false;
	if (str_eq(word, "-"))
		return true;
	if (str_to_i64(word, -MILLI_MAX, MILLI_MAX, &v) < 0)
		return false;
	*ret = some_i64(v);
	return true;
}

/* What is left of the line, without blanks at the end; "-" is "". */
static const char *rest_of(struct parser *p, const char *at)
{
	size_t n = strlen(at);

	while (n && at[n - 1] == ' ')
		n--;
	if (n == 1 && at[0] == '-')
		n = 0;
	/* Cut between characters. */
	if (n > LABEL_BYTES) {
		for (n = LABEL_BYTES; n && ((unsigned char)at[n] & 0xc0) == 0x80; n--)
			;
	}
	return arena_strndup(p->arena, at, n);
}

static const struct chip *find_chip(const struct parser *p, int64_t number)
{
	for (size_t i = 0; i < p->chips_n; i++) {
		if (p->chips[i].number == number)
			return &p->chips[i];
	}
	return NULL;
}

static bool add_sensor(struct parser *p, const struct sensor *sensor)
{
	if (sensor->chip && sensor->chip->is_skipped)
		return true;
	if (p->sensors_n == countof(p->sensors))
		return false;
	p->sensors[p->sensors_n++] = *sensor;
	return true;
}

static bool take_zone(struct parser *p, char *at)
{
	struct sensor s = { 0 };

	if (!next_number(&at, 0, 9999, &s.index) || !next_opt(&at, &s.input) ||
	    !next_opt(&at, &s.critical))
		return false;
	s.label = rest_of(p, at);
	return *s.label && add_sensor(p, &s);
}

static bool take_chip(struct parser *p, char *at)
{
	struct chip chip = { 0 };
	const char *device;

	if (!next_number(&at, 0, 9999, &chip.number) || find_chip(p, chip.number) ||
	    p->chips_n == countof(p->chips))
		return false;
	device = next_word(&at);
	if (!device)
		return false;
	chip.device = rest_of(p, device);
	chip.name = rest_of(p, at);
	/* The kernel shows thermal zones a second time, as chips. */
	chip.is_skipped = str_starts(chip.device, "thermal_zone");
	if (!*chip.name)
		return false;
	p->chips[p->chips_n++] = chip;
	return true;
}

static bool take_temp(struct parser *p, char *at)
{
	struct sensor s = { 0 };
	int64_t number;

	if (!next_number(&at, 0, 9999, &number) || !next_number(&at, 0, 9999, &s.index) ||
	    !next_opt(&at, &s.input) || !next_opt(&at, &s.max) || !next_opt(&at, &s.critical))
		return false;
	s.chip = find_chip(p, number);
	s.label = rest_of(p, at);
	return s.chip && add_sensor(p, &s);
}

static bool take_fan(struct parser *p, char *at)
{
	int64_t number, index;
	struct opt_i64 rpm;
	const char *label;

	if (!next_number(&at, 0, 9999, &number) || !next_number(&at, 0, 9999, &index) ||
	    !next_opt(&at, &rpm) || !find_chip(p, number) || p->fans_n == countof(p->fans))
		return false;
	label = rest_of(p, at);
	if (rpm.has && (rpm.v < 0 || rpm.v > 100000)) {
		rpm.has = false;
		p->counts->nonsense++;
	}
	p->fan_chips[p->fans_n] = find_chip(p, number);
	p->fans[p->fans_n++] = (struct msg_fan){
		.fan = *label ? label : arena_printf(p->arena, "fan%lld", (long long)index),
		.rpm = rpm,
	};
	return true;
}

static const struct {
	const char *word;
	bool (*read)(struct parser *p, char *at);
} line_kinds[] = {
	{ "zone", take_zone },
	{ "chip", take_chip },
	{ "temp", take_temp },
	{ "fan", take_fan },
};

/* Text of well-formed UTF-8, without control characters. */
static bool is_clean(const char *line, size_t length)
{
	for (size_t i = 0; i < length;) {
		size_t n = utf8_length((const unsigned char *)line + i, length - i);

		if (!n || (unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			return false;
		/* C1 controls, in two bytes. */
		if (n == 2 && (unsigned char)line[i] == 0xc2 && (unsigned char)line[i + 1] < 0xa0)
			return false;
		i += n;
	}
	return true;
}

static bool take_line(struct parser *p, const char *text, size_t length)
{
	char line[LINE_MAX_BYTES], *at = line;
	const char *word;

	if (length >= sizeof(line) || !is_clean(text, length))
		return false;
	memcpy(line, text, length);
	line[length] = '\0';
	word = next_word(&at);
	for (size_t i = 0; word && i < countof(line_kinds); i++) {
		if (str_eq(word, line_kinds[i].word))
			return line_kinds[i].read(p, at);
	}
	return false;
}

static bool line_is(const char *line, size_t length, const char *text)
{
	return length == strlen(text) && memcmp(line, text, length) == 0;
}

/* All lines between the first and the last. */
static int take_all(struct parser *p, const char *text, size_t length, struct str *error)
{
	const char *at = length ? text : "", *end = at + length;
	bool has_begun = false;

	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t n = (size_t)((newline ? newline : end) - at);

		if (!has_begun && !line_is(at, n, HEADER)) {
			str_add(error, "what answered is no jarvis-thermal of this version: see "
				       "deploy/nodes/README.md");
			return -EINVAL;
		}
		if (has_begun && newline && line_is(at, n, TRAILER))
			return 0;
		if (has_begun && !take_line(p, at, n))
			p->counts->bad_lines++;
		has_begun = true;
		at = newline ? newline + 1 : end;
	}
	str_add(error, has_begun ? "the answer was cut off" : "the answer was empty");
	return -EINVAL;
}

/* ── judging ───────────────────────────────────────────────────────────────────────────────────────────────── */

/* What firmware says when it has no sensor to ask. */
static const struct {
	const char *type;
	int64_t milli;
} placeholders[] = {
	{ "acpitz", 16800 },	      { "acpitz", 27800 },	     { "acpitz", 29800 },
	{ "INT3400 Thermal", 20000 }, { "INT3400 Thermal", 127000 },
};

/* Who knows the temperature of the processor, best first; of the best all that there are, and the hottest. */
static const struct {
	const char *chip;  /* NULL: a zone */
	const char *label; /* or how it begins; NULL: any */
} processors[] = {
	{ "coretemp", "Package id" }, { "k10temp", "Tdie" },	{ "zenpower", "Tdie" },
	{ "k10temp", "Tctl" },	      { "zenpower", "Tctl" },	{ "k10temp", NULL },
	{ "coretemp", NULL },	      { NULL, "x86_pkg_temp" }, { "cpu_thermal", NULL },
	{ NULL, "cpu-thermal" },      { NULL, "cpu_thermal" },	{ NULL, "soc-thermal" },
};

static bool is_processor(const struct sensor *s, size_t row)
{
	if (!processors[row].chip)
		return !s->chip && str_starts(s->label, processors[row].label);
	return s->chip && str_eq(s->chip->name, processors[row].chip) &&
	       (!processors[row].label || str_starts(s->label, processors[row].label));
}

static bool is_any_processor(const struct sensor *s)
{
	for (size_t i = 0; i < countof(processors); i++) {
		if (is_processor(s, i))
			return true;
	}
	return false;
}

static bool is_plausible(const struct sensor *s)
{
	int64_t v = s->input.v;

	/* 127 and 128: an input that is connected to nothing. */
	if (v < PLAUSIBLE_MIN || v > PLAUSIBLE_MAX || v == 127000 || v == 128000)
		return false;
	if (v == 0 && is_any_processor(s))
		return false;
	for (size_t i = 0; i < countof(placeholders); i++) {
		if (!s->chip && str_eq(s->label, placeholders[i].type) &&
		    v == placeholders[i].milli)
			return false;
	}
	return true;
}

static struct opt_f64 limit_of(struct parser *p, struct opt_i64 limit)
{
	/* 0, -273.15, 65261.85 and their like: nobody set one. */
	if (!limit.has || limit.v <= 0 || limit.v > PLAUSIBLE_MAX) {
		if (limit.has && limit.v != 0)
			p->counts->nonsense++;
		return (struct opt_f64){ 0 };
	}
	return some_f64((double)limit.v / 1000);
}

static struct opt_f64 hottest(const struct parser *p)
{
	struct opt_f64 cpu = { 0 };

	for (size_t row = 0; row < countof(processors) && !cpu.has; row++) {
		for (size_t i = 0; i < p->sensors_n; i++) {
			const struct sensor *s = &p->sensors[i];
			double celsius = (double)s->input.v / 1000;

			if (s->input.has && is_processor(s, row) && (!cpu.has || celsius > cpu.v))
				cpu = some_f64(celsius);
		}
	}
	return cpu;
}

/* ── names ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Numbers of chips change between boots; names and devices do not. */
static bool is_only_one(const struct parser *p, const struct chip *chip)
{
	size_t n = 0;

	for (size_t i = 0; i < p->chips_n; i++)
		n += str_eq(p->chips[i].name, chip->name);
	return n < 2;
}

static const char *full_name(struct parser *p, const struct chip *chip, const char *label)
{
	if (is_only_one(p, chip) || !*chip->device)
		return arena_printf(p->arena, "%s %s", chip->name, label);
	return arena_printf(p->arena, "%s %s %s", chip->name, chip->device, label);
}

static const char *sensor_name(struct parser *p, const struct sensor *s)
{
	const char *label = s->label;

	if (!s->chip)
		return arena_printf(p->arena, "zone %s %lld", label, (long long)s->index);
	if (!*label)
		label = arena_printf(p->arena, "temp%lld", (long long)s->index);
	return full_name(p, s->chip, label);
}

static void build(struct parser *p, struct msg_node_thermal *ret)
{
	struct msg_temperature *list = arena_alloc(p->arena, (p->sensors_n + 1) * sizeof(*list));
	struct msg_fan *fans = arena_alloc(p->arena, (p->fans_n + 1) * sizeof(*fans));

	for (size_t i = 0; i < p->sensors_n; i++) {
		struct sensor *s = &p->sensors[i];

		if (s->input.has && !is_plausible(s)) {
			s->input.has = false;
			p->counts->nonsense++;
		}
		list[i].sensor = sensor_name(p, s);
		list[i].max = limit_of(p, s->max);
		list[i].critical = limit_of(p, s->critical);
		if (s->input.has)
			list[i].celsius = some_f64((double)s->input.v / 1000);
	}
	for (size_t i = 0; i < p->fans_n; i++) {
		fans[i] = p->fans[i];
		fans[i].fan = full_name(p, p->fan_chips[i], fans[i].fan);
	}
	ret->temperatures = list;
	ret->temperatures_n = p->sensors_n;
	ret->fans = fans;
	ret->fans_n = p->fans_n;
	ret->cpu = hottest(p);
}

int thermal_parse(const char *text, size_t length, struct arena *arena,
		  struct msg_node_thermal *ret, struct thermal_counts *counts, struct str *error)
{
	struct parser *p = arena_alloc(arena, sizeof(*p));
	int r;

	p->arena = arena;
	p->counts = counts;
	r = take_all(p, text, length, error);
	if (r < 0)
		return r;
	build(p, ret);
	return 0;
}
