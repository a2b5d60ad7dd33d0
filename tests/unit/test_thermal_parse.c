/* SPDX-License-Identifier: MIT */
/*
 * What jarvis-thermal prints, as it should be, as it can be, and as it must not be believed.
 */
#include "services/thermal-collector/thermal_parse.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/check.h"

#define HEAD "jarvis-thermal 1\n"
#define TAIL "end\n"

struct world {
	struct arena *arena;
	struct msg_node_thermal doc;
	struct thermal_counts counts;
	struct str error;
};

static int parse(struct world *w, const char *text)
{
	/* Exactly as long as the text, so that a sanitizer sees a byte read too many. */
	size_t n = strlen(text);
	char *copy = n ? xmemdup(text, n) : NULL;
	int r;

	w->doc = (struct msg_node_thermal){ 0 };
	w->counts = (struct thermal_counts){ 0 };
	str_clear(&w->error);
	arena_reset(w->arena);
	r = thermal_parse(copy, n, w->arena, &w->doc, &w->counts, &w->error);
	free(copy);
	assert_true((r < 0) == (w->error.len > 0));
	return r;
}

static const struct msg_temperature *find(const struct world *w, const char *sensor)
{
	for (size_t i = 0; i < w->doc.temperatures_n; i++) {
		if (str_eq(w->doc.temperatures[i].sensor, sensor))
			return &w->doc.temperatures[i];
	}
	fail_msg("no sensor %s", sensor);
	return NULL;
}

static int setup(void **state)
{
	struct world *w = xnew(struct world);

	w->arena = arena_new();
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	arena_free(w->arena);
	str_done(&w->error);
	free(w);
	return 0;
}

static void test_whole(void **state)
{
	struct world *w = *state;
	const struct msg_temperature *t;

	assert_int_equal(parse(w, HEAD "zone 0 45000 105000 x86_pkg_temp\n"
				       "chip 3 coretemp.0 coretemp\n"
				       "temp 3 1 47500 80000 100000 Package id 0\n"
				       "temp 3 2 51000 80000 100000 Core 0\n"
				       "chip 4 nct6775.656 nct6798\n"
				       "temp 4 1 31000 - - -\n"
				       "fan 4 1 1200 CPU fan\n"
				       "fan 4 2 0 -\n"
				       "fan 4 3 - -\n" TAIL),
			 0);
	assert_int_equal(w->counts.bad_lines + w->counts.nonsense, 0);
	assert_int_equal(w->doc.temperatures_n, 4);
	assert_true(w->doc.cpu.has && w->doc.cpu.v == 47.5);
	t = find(w, "coretemp Package id 0");
	assert_true(t->celsius.v == 47.5 && t->max.v == 80 && t->critical.v == 100);
	t = find(w, "zone x86_pkg_temp 0");
	assert_true(!t->max.has && t->critical.v == 105);
	t = find(w, "nct6798 temp1");
	assert_true(t->celsius.v == 31 && !t->max.has && !t->critical.has);
	assert_int_equal(w->doc.fans_n, 3);
	assert_string_equal(w->doc.fans[0].fan, "nct6798 CPU fan");
	assert_int_equal(w->doc.fans[0].rpm.v, 1200);
	assert_string_equal(w->doc.fans[1].fan, "nct6798 fan2");
	assert_true(w->doc.fans[1].rpm.has && w->doc.fans[1].rpm.v == 0);
	assert_false(w->doc.fans[2].rpm.has);
}

/* A node without sensors is a node without sensors, and no failure. */
static void test_nothing(void **state)
{
	struct world *w = *state;

	assert_int_equal(parse(w, HEAD TAIL), 0);
	assert_false(w->doc.cpu.has);
	assert_int_equal(w->doc.temperatures_n, 0);
}

static void test_processors(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *lines;
		double cpu; /* 0: unknown */
	} rows[] = {
		{ "chip 0 a coretemp\ntemp 0 1 40000 - - Package id 0\n"
		  "chip 1 b coretemp\ntemp 1 1 60000 - - Package id 1\ntemp 1 2 70000 - - Core 0\n",
		  60 },
		{ "chip 0 - k10temp\ntemp 0 1 75000 - - Tctl\ntemp 0 2 48000 - - Tdie\n", 48 },
		{ "chip 0 - k10temp\ntemp 0 1 75000 - - Tctl\ntemp 0 3 80000 - - Tccd1\n", 75 },
		{ "chip 0 - k10temp\ntemp 0 1 50000 - - -\n", 50 },
		{ "chip 0 a coretemp\ntemp 0 1 0 - - Package id 0\ntemp 0 2 41000 - - Core 0\n",
		  41 },
		{ "zone 0 40000 - x86_pkg_temp\nzone 1 90000 - pch_cannonlake\n", 40 },
		{ "zone 0 48000 - cpu-thermal\n", 48 },
		{ "zone 0 90000 - acpitz\nchip 0 nvme0 nvme\ntemp 0 1 50000 - - Composite\n", 0 },
		{ "chip 0 a coretemp\ntemp 0 1 - - - Package id 0\n", 0 },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		_cleanup_(freep) char *text = xasprintf(HEAD "%s" TAIL, rows[i].lines);

		assert_int_equal(parse(w, text), 0);
		assert_int_equal(w->doc.cpu.has, rows[i].cpu != 0);
		if (rows[i].cpu != 0 && w->doc.cpu.v != rows[i].cpu)
			fail_msg("row %zu: %f", i, w->doc.cpu.v);
	}
}

static void test_nonsense(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *line;
		bool is_nonsense;
	} rows[] = {
		{ "temp 0 1 -62000 - - AUXTIN0", true },    { "temp 0 1 127000 - - AUXTIN1", true },
		{ "temp 0 1 128000 - - x", true },	    { "temp 0 1 255000 - - x", true },
		{ "temp 0 1 -273150 - - x", true },	    { "temp 0 1 150001 - - x", true },
		{ "temp 0 1 150000 - - x", false },	    { "temp 0 1 -40000 - - x", false },
		{ "temp 0 1 0 - - SYSTIN", false },	    { "temp 1 1 0 - - Package id 0", true },
		{ "zone 0 0 - x86_pkg_temp", true },	    { "zone 0 27800 - acpitz", true },
		{ "zone 0 16800 - acpitz", true },	    { "zone 0 31000 - acpitz", false },
		{ "zone 0 20000 - INT3400 Thermal", true }, { "zone 0 20000 - pch", false },
	};

	for (size_t i = 0; i < countof(rows); i++) {
		_cleanup_(freep) char *text = xasprintf(
			HEAD "chip 0 a nct6775\nchip 1 b coretemp\n%s\n" TAIL, rows[i].line);

		assert_int_equal(parse(w, text), 0);
		assert_int_equal(w->doc.temperatures_n, 1);
		if (w->doc.temperatures[0].celsius.has == rows[i].is_nonsense ||
		    w->counts.nonsense != rows[i].is_nonsense)
			fail_msg("%s", rows[i].line);
		assert_false(rows[i].is_nonsense && w->doc.cpu.has);
	}
}

/* Limits that nobody set are none. */
static void test_limits(void **state)
{
	struct world *w = *state;

	assert_int_equal(parse(w, HEAD "chip 0 nvme0 nvme\n"
				       "temp 0 1 40000 89850 94850 Composite\n"
				       "temp 0 2 40000 65261850 -273150 Sensor 1\n"
				       "temp 0 3 40000 0 0 Sensor 2\n" TAIL),
			 0);
	assert_true(find(w, "nvme Composite")->max.v == 89.85);
	assert_false(find(w, "nvme Sensor 1")->max.has || find(w, "nvme Sensor 1")->critical.has);
	assert_false(find(w, "nvme Sensor 2")->max.has || find(w, "nvme Sensor 2")->critical.has);
	assert_true(find(w, "nvme Sensor 1")->celsius.v == 40);
}

/* Two chips of one kind are told apart by their devices, which stay, not by their numbers, which change. */
static void test_names(void **state)
{
	struct world *w = *state;

	assert_int_equal(parse(w, HEAD "chip 7 nvme1 nvme\ntemp 7 1 41000 - - Composite\n"
				       "chip 2 nvme0 nvme\ntemp 2 1 42000 - - Composite\n"
				       "chip 3 thermal_zone0 acpitz\ntemp 3 1 43000 - - -\n" TAIL),
			 0);
	assert_int_equal(w->doc.temperatures_n, 2);
	assert_true(find(w, "nvme nvme1 Composite")->celsius.v == 41);
	assert_true(find(w, "nvme nvme0 Composite")->celsius.v == 42);
	assert_int_equal(w->counts.bad_lines, 0);
}

static void test_bad_lines(void **state)
{
	struct world *w = *state;
	static const char *const lines[] = {
		"",
		" ",
		"temp",
		"temp 9 1 40000 - - no such chip",
		"temp 0 1 40000 - -x label",
		"temp 0 1 4e4 - - label",
		"temp 0 1  40000 - - label",
		"temp 0 -1 40000 - - label",
		"temp 0 1 99999999999999999999 - - label",
		"zone 0 40000 -",
		"zone 0 40000 - ",
		"chip 0 again twice",
		"chip 1 x",
		"fan 0 1",
		"fan 0 1 x y",
		"sensors 1 2 3",
		"temp 0 1 40000 - - a\tb",
		"temp 0 1 40000 - - a\x1b[31m",
		"temp 0 1 40000 - - \xff\xfe",
		"temp 0 1 40000 - - \xc2\x9b",
		"end of it",
	};

	for (size_t i = 0; i < countof(lines); i++) {
		_cleanup_(freep) char *text =
			xasprintf(HEAD "chip 0 a b\n%s\ntemp 0 1 41000 - - good\n" TAIL, lines[i]);

		assert_int_equal(parse(w, text), 0);
		if (w->counts.bad_lines != 1 || w->doc.temperatures_n != 1)
			fail_msg("%s: %u bad lines", lines[i], w->counts.bad_lines);
		(void)find(w, "b good");
	}
}

static void test_no_answer(void **state)
{
	struct world *w = *state;
	static const char *const texts[] = {
		"",
		"\n",
		"jarvis-thermal 1",
		"jarvis-thermal 1\n",
		"jarvis-thermal 1\nzone 0 40000 - x\n",
		"jarvis-thermal 1\nzone 0 40000 - x\nend",
		"jarvis-thermal 1\nzone 0 40000 - x\nen",
		"jarvis-thermal 2\nend\n",
		"Last login: Mon\njarvis-thermal 1\nend\n",
		"This account is currently not available.\n",
		"end\n",
	};

	for (size_t i = 0; i < countof(texts); i++)
		assert_int_equal(parse(w, texts[i]), -EINVAL);
	assert_int_equal(parse(w, "jarvis-thermal 1\nend\nend\nx\n"), 0);
}

/* More than fits is dropped and counted; names are never longer than the vocabulary allows. */
static void test_too_much(void **state)
{
	struct world *w = *state;
	_cleanup_(str_done) struct str text = { 0 };
	char label[200];

	memset(label, 'x', sizeof(label) - 1);
	label[sizeof(label) - 1] = '\0';
	/* Two bytes each, so that the cut falls into a character when it is made anywhere. */
	for (size_t i = 1; i + 2 < sizeof(label); i += 2)
		memcpy(label + i, "\xc3\xa4", 2);
	str_printf(&text, HEAD "chip 0 %s %s\nchip 1 y %s\n", label, label, label);
	for (int i = 0; i < 200; i++)
		str_printf(&text, "temp 0 %d 40000 - - %s\nfan 0 %d 100 %s\n", i, label, i, label);
	str_add(&text, TAIL);
	assert_int_equal(parse(w, str_get(&text)), 0);
	assert_int_equal(w->doc.temperatures_n, THERMAL_TEMPERATURES_MAX);
	assert_int_equal(w->doc.fans_n, THERMAL_FANS_MAX);
	assert_int_equal(w->counts.bad_lines, 400 - 128 - 64);
	assert_true(strlen(w->doc.temperatures[0].sensor) <= 128);
	assert_true(strlen(w->doc.fans[0].fan) <= 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	   cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_processors), cmocka_unit_test(test_nonsense),
		cmocka_unit_test(test_limits),	   cmocka_unit_test(test_names),
		cmocka_unit_test(test_bad_lines),  cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_too_much),
	};

	return cmocka_run_group_tests_name("thermal_parse", tests, setup, teardown);
}
