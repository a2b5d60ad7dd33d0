/* SPDX-License-Identifier: MIT */
/*
 * Disks, their names and their SMART, in the shapes that Proxmox VE 8 and 9 send them.
 */
#include "services/proxmox-poller/pve_disks.h"

#include "tests/unit/check.h"
#include "tests/unit/pve_fixture.h"

#include <errno.h>

static cJSON *tree(const char *text)
{
	struct json_error error = { 0, "" };
	cJSON *ret = NULL;

	if (json_parse(text, strlen(text), JSON_FOREIGN, &ret, &error) < 0)
		fail_msg("%s at %zu of %s", error.text, error.offset, text);
	return ret;
}

static struct pve_smart smart_of(const char *text, struct arena *arena)
{
	_cleanup_(json_treep) cJSON *answer = tree(text);
	struct pve_smart smart;

	assert_int_equal(pve_parse_smart(answer, arena, &smart), 0);
	return smart;
}

static struct pve_disks disks_of(const char *text, struct arena *arena)
{
	_cleanup_(json_treep) cJSON *answer = tree(text);
	struct pve_disks disks;

	assert_int_equal(pve_parse_disks(answer, arena, &disks), 0);
	return disks;
}

static void check_i64(struct opt_i64 value, int64_t want)
{
	assert_true(value.has);
	assert_int_equal(value.v, want);
}

/* ── SMART ─────────────────────────────────────────────────────────────────────────────────────────────────── */

#define ATTRIBUTE(id, name, value, raw)                                                            \
	"{\"id\":\"" id "\",\"name\":\"" name "\",\"flags\":\"-O--CK\",\"value\":" value           \
	",\"normalized\":" value ",\"worst\":99,\"threshold\":0,\"fail\":\"-\",\"raw\":\"" raw     \
	"\"}"

static void test_ata(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(json_treep) cJSON *answer = pve_fixture("smart-ata");
	struct pve_smart s;

	(void)unused;
	assert_int_equal(pve_parse_smart(answer, arena, &s), 0);
	assert_string_equal(s.health, "PASSED");
	check_i64(s.reallocated, 8);
	check_i64(s.power_on_hours, 11204);
	check_i64(s.pending, 0);
	assert_true(s.celsius.has && s.celsius.v == 36);
	assert_false(s.life_left.has); /* a hard disk has none */
	assert_false(s.media_errors.has);
}

static void test_ata_temperatures(void **unused)
{
	static const struct {
		const char *t190, *t194;
		double want; /* -1000: unknown */
	} cases[] = {
		{ "31", "34 (Min/Max 20/45)", 34 },
		{ "31", "206158430242", 31 }, /* packed, as an old smartctl shows it */
		{ "31", "0", 31 },
		{ "206158430242", "-", -1000 },
		{ "-5", "", -5 },
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		_cleanup_(freep) char *text = xasprintf(
			"{\"data\":{\"attributes\":[{\"id\":190,\"name\":\"A\",\"raw\":\"%s\"},"
			"{\"id\":\"194\",\"name\":\"T\",\"raw\":\"%s\"},{\"raw\":1},7,null]}}",
			cases[i].t190, cases[i].t194);
		struct pve_smart s = smart_of(text, arena);

		assert_int_equal(s.celsius.has, cases[i].want > -1000);
		if (s.celsius.has)
			assert_float_equal(s.celsius.v, cases[i].want, 0);
	}
}

static void test_ata_life(void **unused)
{
	static const struct {
		const char *attributes;
		int64_t want; /* -1: unknown */
	} cases[] = {
		{ ATTRIBUTE("177", "Wear_Leveling_Count", "93", "151"), 93 },
		{ ATTRIBUTE("231", "SSD_Life_Left", "7", "7"), 7 },
		{ ATTRIBUTE("233", "Media_Wearout_Indicator", "88", "0"), 88 },
		{ ATTRIBUTE("202", "Percent_Lifetime_Remain", "74", "26"), 74 },
		/* Of two registers the one that Proxmox prefers, in any order. */
		{ ATTRIBUTE("177", "Wear_Leveling_Count", "93",
			    "1") "," ATTRIBUTE("233", "Media_Wearout_Indicator", "88", "0"),
		  88 },
		/* The same numbers with other meanings: NAND writes, errors, a hard disk's heat. */
		{ ATTRIBUTE("233", "Flash_Writes_GiB", "100", "9") "," ATTRIBUTE(
			  "202", "Data_Address_Mark_Errs", "100",
			  "0") "," ATTRIBUTE("231", "Temperature_Celsius", "100", "33"),
		  -1 },
		{ ATTRIBUTE("231", "SSD_Life_Left", "253", "0"), -1 },
		{ ATTRIBUTE("231", "SSD_Life_Left", "\"042\"", "0"), 42 },
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		_cleanup_(freep) char *text = xasprintf(
			"{\"data\":{\"type\":\"ata\",\"attributes\":[%s]}}", cases[i].attributes);
		struct pve_smart s = smart_of(text, arena);

		assert_int_equal(s.life_left.has ? s.life_left.v : -1, cases[i].want);
	}
	/* The API's own number wins. */
	check_i64(smart_of("{\"data\":{\"wearout\":\"55\",\"attributes\":[" ATTRIBUTE(
				   "231", "SSD_Life_Left", "7", "7") "]}}",
			   arena)
			  .life_left,
		  55);
}

static void test_nvme(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_smart s =
		smart_of("{\"data\":{\"type\":\"text\",\"health\":\"PASSED\",\"text\":\"\\n"
			 "SMART/Health Information (NVMe Log 0x02)\\n"
			 "Critical Warning:                   0x00\\n"
			 "Temperature:                        38 Celsius\\n"
			 "Available Spare:                    100%\\n"
			 "Percentage Used:                    12%\\n"
			 "Data Units Written:                 5,584,952 [2.85 TB]\\n"
			 "Power On Hours:                     1,011,204\\n"
			 "Media and Data Integrity Errors:    1,203\\n"
			 "Warning  Comp. Temperature Time:    0\\n"
			 "Temperature Sensor 1:               71 Celsius\\n\"}}",
			 arena);

	(void)unused;
	assert_true(s.celsius.has && s.celsius.v == 38);
	check_i64(s.life_left, 88);
	check_i64(s.power_on_hours, 1011204);
	check_i64(s.media_errors, 1203);
	assert_false(s.reallocated.has);
	/* Used beyond what it was made for; Proxmox then says -4. */
	s = smart_of("{\"data\":{\"wearout\":-4,\"text\":\"Percentage Used: 104%\\n\"}}", arena);
	check_i64(s.life_left, 0);
	s = smart_of("{\"data\":{\"text\":\"Percentage Used: 104%\"}}", arena);
	check_i64(s.life_left, 0);
	/* Other places' separators of thousands. */
	s = smart_of("{\"data\":{\"text\":\"Power On Hours: 11.204\\nPercentage Used: 2.5%\\n\"}}",
		     arena);
	check_i64(s.power_on_hours, 11204);
	check_i64(s.life_left, 98);
	s = smart_of("{\"data\":{\"text\":\"Power On Hours: 11\\u202f204\\n\"}}", arena);
	check_i64(s.power_on_hours, 11204);
}

static void test_sas(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_smart s =
		smart_of("{\"data\":{\"type\":\"text\",\"health\":\"OK\",\"text\":\"\\n"
			 "Percentage used endurance indicator: 3%\\n"
			 "Current Drive Temperature:     29 C\\n"
			 "Drive Trip Temperature:        65 C\\n"
			 "Accumulated power on time, hours:minutes 22617:45\\n"
			 "Elements in grown defect list: 2\\n\"}}",
			 arena);

	(void)unused;
	assert_string_equal(s.health, "OK");
	check_i64(s.life_left, 97);
	assert_true(s.celsius.has && s.celsius.v == 29);
	check_i64(s.power_on_hours, 22617);
	check_i64(s.reallocated, 2);
}

static void test_smart_nonsense(void **unused)
{
	static const char *const texts[] = {
		"{\"data\":{}}",
		"{\"data\":{\"health\":7,\"wearout\":\"N/A\",\"attributes\":{},\"text\":[]}}",
		"{\"data\":{\"attributes\":[[],{},{\"id\":\"x\",\"raw\":\"9\"}],\"wearout\":null}}",
		"{\"data\":{\"wearout\":101,\"text\":\"Temperature\\nPower On Hours:\\nTemperature: hot\"}}",
		"{\"data\":{\"wearout\":true,\"attributes\":[{\"id\":9,\"raw\":\"99999999999999999999999\"}]}}",
	};
	static const char *const none[] = { "null", "[]", "{\"data\":null}", "{\"data\":[]}" };
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(texts); i++) {
		struct pve_smart s = smart_of(texts[i], arena);

		assert_false(s.celsius.has || s.life_left.has || s.power_on_hours.has ||
			     s.reallocated.has || s.pending.has || s.media_errors.has);
	}
	for (size_t i = 0; i < countof(none); i++) {
		_cleanup_(json_treep) cJSON *answer = tree(none[i]);
		struct pve_smart s;
		struct pve_disks d;

		assert_int_equal(pve_parse_smart(answer, arena, &s), -EINVAL);
		assert_int_equal(i < 3 ? pve_parse_disks(answer, arena, &d) : -EINVAL, -EINVAL);
	}
}

/* ── the list ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_list(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_disks d = disks_of(
		"{\"data\":[{\"devpath\":\"/dev/sda\",\"model\":\"ST12000VN0008\",\"type\":\"hdd\","
		"\"rpm\":\"7200\",\"size\":\"12000138625024\",\"serial\":\"ZJV1\",\"health\":\"UNKNOWN\","
		"\"wearout\":\"N/A\",\"used\":\"ext4\",\"gpt\":1,\"osdid-list\":null},"
		"{\"devpath\":\"/dev/nvme0n1\",\"model\":\"Samsung SSD 990 PRO   \",\"type\":\"nvme\","
		"\"rpm\":0,\"size\":1000204886016,\"serial\":\"S6Z2 \",\"health\":\"UNKNOWN\","
		"\"wearout\":\"N/A\",\"mounted\":1},"
		"{\"devpath\":\"sdx\"},{\"model\":\"no device\"},null,"
		"{\"devpath\":\"/dev/sda\",\"serial\":\"twin\"}]}",
		arena);
	struct msg_disk_state doc;

	(void)unused;
	assert_int_equal(d.n, 2);
	assert_int_equal(d.bad, 4);
	assert_string_equal(d.rows[0].devpath, "/dev/nvme0n1");
	assert_string_equal(d.rows[0].word, "S6Z2");
	assert_false(pve_disk_may_sleep(&d.rows[0]));
	assert_true(pve_disk_may_sleep(&d.rows[1]));
	pve_build_disk(&d.rows[1], NULL, "asleep", arena, &doc);
	assert_null(doc.health);
	assert_false(doc.life_left.has || doc.celsius.has);
	assert_string_equal(doc.reason, "asleep");
	check_i64(doc.size, 12000138625024);
	pve_build_disk(&d.rows[0], NULL, NULL, arena, &doc);
	assert_string_equal(doc.model, "Samsung SSD 990 PRO");
	assert_string_equal(doc.used_by, "mounted");
}

static void test_who_may_sleep(void **unused)
{
	static const struct {
		const char *type, *rpm;
		bool sleeps;
	} cases[] = {
		{ "\"hdd\"", "7200", true },   { "\"ssd\"", "0", false },
		{ "\"nvme\"", "-1", false },   { "\"usb\"", "0", true },
		{ "\"unknown\"", "-1", true }, { "null", "0", true },
		{ "\"ssd\"", "5400", true },   { "\"ssd\"", "\"5400\"", true },
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		_cleanup_(freep) char *text =
			xasprintf("{\"data\":[{\"devpath\":\"/dev/sda\",\"type\":%s,\"rpm\":%s}]}",
				  cases[i].type, cases[i].rpm);
		struct pve_disks d = disks_of(text, arena);

		assert_int_equal(pve_disk_may_sleep(&d.rows[0]), cases[i].sleeps);
	}
}

/* The same names, whatever order the disks come in and however the kernel numbers them. */
static void test_names(void **unused)
{
	static const struct {
		const char *serial, *link, *wwn, *want;
	} disks[] = {
		{ "WD-1", "/dev/disk/by-id/ata-WD_WD-1", "0x50014ee1", "WD-1" },
		/* Two bridges of one make, with the same serial. */
		{ "DD5641988", "/dev/disk/by-id/ata-A_1", "unknown", "ata-A_1" },
		{ "DD5641988", "/dev/disk/by-id/ata-B_2", "unknown", "ata-B_2" },
		{ "unknown", "", "0x50014ee2", "0x50014ee2" },
		{ "000000000000", "", "unknown", "sde" },
		/* Two paths to one disk. */
		{ "SAS-9", "/dev/disk/by-id/scsi-9", "0x50014ee9", "sdf" },
		{ "SAS-9", "/dev/disk/by-id/scsi-9", "0x50014ee9", "sdg" },
		{ "sdi", "", "unknown", "sdh" }, /* that is what the next one may be called */
		{ "a/serial+with#odd=signs", "", "unknown", "a/serial+with#odd=signs" },
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (int backwards = 0; backwards < 2; backwards++) {
		_cleanup_(str_done) struct str text = { 0 };
		struct pve_disks d;

		str_add(&text, "{\"data\":[");
		for (size_t k = 0; k < countof(disks); k++) {
			size_t i = backwards ? countof(disks) - 1 - k : k;

			str_printf(&text,
				   "%s{\"devpath\":\"/dev/sd%c\",\"serial\":\"%s\","
				   "\"by_id_link\":\"%s\",\"wwn\":\"%s\"}",
				   k ? "," : "", (char)('a' + i), disks[i].serial, disks[i].link,
				   disks[i].wwn);
		}
		str_add(&text, "]}");
		d = disks_of(str_get(&text), arena);
		assert_int_equal(d.n, countof(disks));
		for (size_t i = 0; i < d.n; i++)
			assert_string_equal(d.rows[i].word, disks[i].want);
	}
}

static void test_names_that_are_too_long(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_disks d = disks_of(
		"{\"data\":[{\"devpath\":\"/dev/sda\",\"serial\":"
		"\"0123456789012345678901234567890123456789012345678901234567890123456789\","
		"\"wwn\":\"0x5\"},{\"devpath\":\"/dev/cciss/c0d0\"}]}",
		arena);

	(void)unused;
	assert_string_equal(d.rows[0].word, "cciss/c0d0");
	assert_string_equal(d.rows[1].word, "0x5");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ata),	 cmocka_unit_test(test_ata_temperatures),
		cmocka_unit_test(test_ata_life), cmocka_unit_test(test_nvme),
		cmocka_unit_test(test_sas),	 cmocka_unit_test(test_smart_nonsense),
		cmocka_unit_test(test_list),	 cmocka_unit_test(test_who_may_sleep),
		cmocka_unit_test(test_names),	 cmocka_unit_test(test_names_that_are_too_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
