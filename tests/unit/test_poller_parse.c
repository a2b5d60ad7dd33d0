/* SPDX-License-Identifier: MIT */
/*
 * Answers of Proxmox VE 8 and 9 as structs: numbers as text, booleans in all their forms, rows that cannot be used.
 */
#include "tests/unit/pve_fixture.h"

#include "services/proxmox-poller/pve_parse.h"
#include "tests/unit/check.h"

#include <errno.h>

struct sample {
	struct opt_bool flag;
	struct opt_i64 integer;
	struct opt_f64 number;
	const char *text;
};

static const struct pve_field sample_fields[] = {
	{ "flag", PVE_BOOL, offsetof(struct sample, flag) },
	{ "integer", PVE_I64, offsetof(struct sample, integer) },
	{ "number", PVE_F64, offsetof(struct sample, number) },
	{ "text", PVE_STR, offsetof(struct sample, text) },
};

static struct sample read_sample(struct arena *arena, const char *text)
{
	_cleanup_(json_treep) cJSON *tree = NULL;
	struct sample sample = { 0 };

	assert_int_equal(json_parse(text, strlen(text), JSON_FOREIGN, &tree, NULL), 0);
	pve_read(tree, sample_fields, countof(sample_fields), arena, &sample);
	return sample;
}

static void test_booleans(void **unused)
{
	static const struct {
		const char *json;
		bool has, v;
	} cases[] = {
		{ "{\"flag\":1}", true, true },	       { "{\"flag\":0}", true, false },
		{ "{\"flag\":\"1\"}", true, true },    { "{\"flag\":\"0\"}", true, false },
		{ "{\"flag\":true}", true, true },     { "{\"flag\":false}", true, false },
		{ "{\"flag\":\"true\"}", true, true }, { "{\"flag\":\"false\"}", true, false },
		{ "{\"flag\":null}", false, false },   { "{}", false, false },
		{ "{\"flag\":\"\"}", false, false },   { "{\"flag\":[1]}", false, false },
		{ "{\"Flag\":1}", false, false },
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		struct sample sample = read_sample(arena, cases[i].json);

		if (sample.flag.has != cases[i].has || sample.flag.v != cases[i].v)
			fail_msg("%s", cases[i].json);
	}
}

static void test_numbers(void **unused)
{
	static const struct {
		const char *json;
		bool has;
		int64_t integer;
		double number;
	} cases[] = {
		{ "{\"integer\":12,\"number\":1.5}", true, 12, 1.5 },
		{ "{\"integer\":\"12\",\"number\":\"1.5\"}", true, 12, 1.5 },
		{ "{\"integer\":12.9,\"number\":\"4400.000\"}", true, 12, 4400 },
		{ "{\"integer\":0,\"number\":-5.75e-05}", true, 0, -5.75e-05 },
		{ "{\"integer\":-1,\"number\":1e17}", false, 0, 0 },
		{ "{\"integer\":true,\"number\":false}", true, 1, 0 },
		{ "{\"integer\":9007199254740991,\"number\":0}", true, 9007199254740991, 0 },
		{ "{\"integer\":null,\"number\":null}", false, 0, 0 },
		{ "{\"integer\":\"\",\"number\":\"N/A\"}", false, 0, 0 },
		{ "{\"integer\":{},\"number\":[]}", false, 0, 0 },
		{ "{\"integer\":\"1e300\",\"number\":\"inf\"}", false, 0, 0 },
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		struct sample sample = read_sample(arena, cases[i].json);

		if (sample.integer.has != cases[i].has || sample.integer.v != cases[i].integer ||
		    sample.number.has != cases[i].has || sample.number.v != cases[i].number)
			fail_msg("%s", cases[i].json);
	}
}

static void test_texts(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	assert_string_equal(read_sample(arena, "{\"text\":\"a\"}").text, "a");
	assert_string_equal(read_sample(arena, "{\"text\":101}").text, "101");
	assert_null(read_sample(arena, "{\"text\":\"\"}").text);
	assert_null(read_sample(arena, "{\"text\":null}").text);
	assert_null(read_sample(arena, "{\"text\":{\"a\":1}}").text);
	/* Of duplicate members the first counts. */
	assert_string_equal(read_sample(arena, "{\"text\":\"a\",\"text\":\"b\"}").text, "a");
	assert_null(read_sample(arena, "[1,2]").text);
}

static void test_text_is_cut_at_characters(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	assert_string_equal(pve_text(arena, "abcdef", 6), "abcdef");
	assert_string_equal(pve_text(arena, "abcdefg", 6), "abcdef");
	assert_string_equal(pve_text(arena, "aäöü", 5), "aäö");
	assert_string_equal(pve_text(arena, "aäöü", 4), "aä");
	assert_string_equal(pve_text(arena, "€€", 5), "€");
	assert_null(pve_text(arena, "", 5));
	assert_null(pve_text(arena, NULL, 5));
}

static void test_resources(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(json_treep) cJSON *answer = pve_fixture("resources-v9");
	struct pve_resources r;

	(void)unused;
	assert_int_equal(pve_parse_resources(answer, arena, &r), 0);
	assert_int_equal(r.nodes_n, 3);
	assert_int_equal(r.guests_n, 6);
	assert_int_equal(r.storages_n, 6);
	/* A guest without number; pools and networks are none of ours. */
	assert_int_equal(r.bad, 1);
	assert_string_equal(r.nodes[0].node, "pve1");
	/* Proxmox sorts vmids as text. */
	for (size_t i = 1; i < r.guests_n; i++)
		assert_true(r.guests[i - 1].vmid.v < r.guests[i].vmid.v);
	assert_int_equal(r.guests[1].vmid.v, 101);
	assert_string_equal(r.guests[1].lock, "backup");
	assert_int_equal(r.nodes[2].mem.v, 4294967296);
	assert_string_equal(r.storages[0].node, "pve1");
	assert_string_equal(r.storages[3].storage, "nas");
	assert_true(r.storages[3].shared.v);
}

static void test_names_that_fit_no_topic_are_left_out(void **unused)
{
	static const char text[] =
		"{\"data\":[{\"type\":\"node\",\"node\":"
		"\"0123456789012345678901234567890123456789012345678901234567890123456789\"},"
		"{\"type\":\"node\",\"node\":\"\"},{\"type\":\"qemu\",\"node\":\"a\",\"vmid\":-4},"
		"{\"type\":\"storage\",\"node\":\"a\"},{\"node\":\"a\"},7,{\"type\":\"node\",\"node\":\"ok\"}]}";
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(json_treep) cJSON *answer = NULL;
	struct pve_resources r;

	(void)unused;
	assert_int_equal(json_parse(text, strlen(text), JSON_FOREIGN, &answer, NULL), 0);
	assert_int_equal(pve_parse_resources(answer, arena, &r), 0);
	assert_int_equal(r.nodes_n, 1);
	assert_int_equal(r.guests_n + r.storages_n, 0);
	assert_int_equal(r.bad, 4);
}

static void test_status(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(json_treep) cJSON *cluster = pve_fixture("status-dead");
	_cleanup_(json_treep) cJSON *standalone = pve_fixture("status-standalone");
	struct pve_status s;

	(void)unused;
	assert_int_equal(pve_parse_status(cluster, arena, &s), 0);
	assert_true(s.clustered && s.quorate.has && s.quorate.v);
	assert_string_equal(s.name, "lab");
	assert_true(pve_status_find(&s, "pve2")->online.v);
	assert_false(pve_status_find(&s, "pve3")->online.v);
	assert_true(pve_status_find(&s, "pve1")->local.v);
	assert_null(pve_status_find(&s, "pve4"));
	assert_int_equal(pve_parse_status(standalone, arena, &s), 0);
	assert_false(s.clustered);
	assert_string_equal(pve_status_find(&s, "solo")->ip, "192.168.1.10");
}

static void test_node_status(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(json_treep) cJSON *nine = pve_fixture("node-status-v9");
	_cleanup_(json_treep) cJSON *eight = pve_fixture("node-status-v8");
	struct pve_node_status s;

	(void)unused;
	assert_int_equal(pve_parse_node_status(nine, arena, &s), 0);
	assert_string_equal(s.version, "9.2.11");
	assert_string_equal(s.kernel, "6.17.2-1-pve");
	assert_float_equal(s.load5.v, 0.51, 1e-9);
	assert_int_equal(s.swap.v, 524288);
	assert_int_equal(pve_parse_node_status(eight, arena, &s), 0);
	/* Before PVE 8.2 only in the long line. */
	assert_string_equal(s.kernel, "6.8.12-4-pve");
	assert_string_equal(s.version, "8.4.2");
}

static void test_small_answers(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(json_treep) cJSON *version = pve_fixture("version");
	_cleanup_(json_treep) cJSON *votes = pve_fixture("config-nodes");
	_cleanup_(json_treep) cJSON *storages = pve_fixture("storage-pve1");
	_cleanup_(json_treep) cJSON *guest = pve_fixture("guest-current");
	struct pve_guest_status g;
	struct pve_storages s;
	struct pve_votes v;
	const char *text;

	(void)unused;
	assert_int_equal(pve_parse_version(version, arena, &text), 0);
	assert_string_equal(text, "9.2.11");
	assert_int_equal(pve_parse_votes(votes, arena, &v), 0);
	assert_int_equal(v.total, 3);
	assert_int_equal(pve_votes_of(&v, "pve3"), 1);
	assert_int_equal(pve_votes_of(&v, "pve9"), 0);
	assert_int_equal(pve_parse_storages(storages, arena, &s), 0);
	assert_int_equal(pve_storages_find(&s, "local")->used.v, 9700000000);
	assert_false(pve_storages_find(&s, "old")->enabled.v);
	assert_int_equal(pve_parse_guest_status(guest, arena, &g), 0);
	assert_string_equal(g.qmpstatus, "prelaunch");
}

static void test_permissions(void **unused)
{
	static const struct {
		const char *fixture;
		bool none, sys, vm, datastore;
	} cases[] = {
		{ "permissions-auditor", false, true, true, true },
		{ "permissions-none", true, false, false, false },
		{ "permissions-admin", false, true, true, true },
		{ "permissions-partial", false, false, true, true },
	};

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		_cleanup_(json_treep) cJSON *answer = pve_fixture(cases[i].fixture);
		struct pve_permissions p;

		assert_int_equal(pve_parse_permissions(answer, &p), 0);
		assert_int_equal(p.none, cases[i].none);
		assert_int_equal(p.sys, cases[i].sys);
		assert_int_equal(p.vm, cases[i].vm);
		assert_int_equal(p.datastore, cases[i].datastore);
	}
}

/* Only who may see every guest can say that one is gone. */
static void test_sees_all_guests(void **unused)
{
	static const struct {
		const char *paths;
		bool all;
	} cases[] = {
		{ "\"/\":{\"VM.Audit\":1},\"/vms\":{\"VM.Audit\":1}", true },
		{ "\"/\":{\"VM.Audit\":1}", true },
		{ "\"/vms\":{\"VM.Audit\":1}", true },
		{ "\"/\":{\"VM.Audit\":0}", false },
		{ "\"/\":{\"VM.Audit\":1},\"/vms\":{\"Pool.Audit\":1}", false },
		{ "\"/\":{\"VM.Audit\":1},\"/vms/100\":{}", false },
		{ "\"/\":{\"VM.Audit\":1},\"/vms/100\":{\"VM.Audit\":1}", true },
		{ "\"/vms/100\":{\"VM.Audit\":1}", false },
		{ "\"/\":[],\"/vms\":7", false },
	};

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		_cleanup_(freep) char *text = xasprintf("{\"data\":{%s}}", cases[i].paths);
		_cleanup_(json_treep) cJSON *tree = NULL;
		struct pve_permissions p;

		assert_int_equal(json_parse(text, strlen(text), JSON_FOREIGN, &tree, NULL), 0);
		assert_int_equal(pve_parse_permissions(tree, &p), 0);
		if (p.all_guests != cases[i].all)
			fail_msg("%s", text);
	}
}

static void test_what_is_no_answer(void **unused)
{
	static const char *const texts[] = { "null",	     "[]",   "{}", "{\"data\":null}",
					     "{\"data\":7}", "\"x\"" };
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(texts); i++) {
		_cleanup_(json_treep) cJSON *tree = NULL;
		struct pve_resources resources;
		struct pve_permissions permissions;
		struct pve_node_status node;
		struct pve_guest_status guest;
		struct pve_storages storages;
		struct pve_status status;
		struct pve_tasks tasks;
		struct pve_votes votes;
		const char *version;

		assert_int_equal(json_parse(texts[i], strlen(texts[i]), JSON_FOREIGN, &tree, NULL),
				 0);
		assert_int_equal(pve_parse_resources(tree, arena, &resources), -EINVAL);
		assert_int_equal(pve_parse_permissions(tree, &permissions), -EINVAL);
		assert_int_equal(pve_parse_node_status(tree, arena, &node), -EINVAL);
		assert_int_equal(pve_parse_guest_status(tree, arena, &guest), -EINVAL);
		assert_int_equal(pve_parse_storages(tree, arena, &storages), -EINVAL);
		assert_int_equal(pve_parse_status(tree, arena, &status), -EINVAL);
		assert_int_equal(pve_parse_tasks(tree, arena, &tasks), -EINVAL);
		assert_int_equal(pve_parse_votes(tree, arena, &votes), -EINVAL);
		assert_int_equal(pve_parse_version(tree, arena, &version), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_booleans),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_text_is_cut_at_characters),
		cmocka_unit_test(test_resources),
		cmocka_unit_test(test_names_that_fit_no_topic_are_left_out),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_node_status),
		cmocka_unit_test(test_small_answers),
		cmocka_unit_test(test_permissions),
		cmocka_unit_test(test_sees_all_guests),
		cmocka_unit_test(test_what_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
