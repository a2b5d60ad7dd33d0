/* SPDX-License-Identifier: MIT */
/*
 * The search of jarvisctl finds what that of the dashboard finds: both are held against tests/data/search.json.
 */
#include "jarvisctl/search.h"

#include <errno.h>

#include "tests/unit/check.h"
#include "tests/unit/data.h"

#define ITEMS_MAX 8

static const char *const field_names[SEARCH_FIELDS] = {
	[SEARCH_NAME] = "name",
	[SEARCH_NODE] = "node",
	[SEARCH_TYPE] = "type",
	[SEARCH_TAG] = "tag",
	[SEARCH_STATUS] = "status",
	[SEARCH_POOL] = "pool",
	[SEARCH_LOCK] = "lock",
	[SEARCH_HA] = "ha",
	[SEARCH_VMID] = "vmid",
	[SEARCH_BACKUP] = "backup",
	[SEARCH_SNAPSHOT] = "snapshot",
	[SEARCH_STORAGE] = "storage",
	[SEARCH_JOB] = "job",
	[SEARCH_ONBOOT] = "onboot",
	[SEARCH_KIND] = "kind",
	[SEARCH_HEALTH] = "health",
	[SEARCH_OS] = "os",
};

static const char *const number_names[SEARCH_NUMBERS] = {
	[NUMBER_CPU] = "cpu",		[NUMBER_MEM] = "mem",
	[NUMBER_DISK] = "disk",		[NUMBER_CORES] = "cores",
	[NUMBER_UPTIME] = "uptime",	[NUMBER_NETIN] = "netin",
	[NUMBER_NETOUT] = "netout",	[NUMBER_NET] = "net",
	[NUMBER_READ] = "read",		[NUMBER_WRITE] = "write",
	[NUMBER_VMID] = "vmid",		[NUMBER_BACKUP] = "backup",
	[NUMBER_SNAPSHOT] = "snapshot", [NUMBER_SNAPSHOTS] = "snapshots",
	[NUMBER_TEMP] = "temp",		[NUMBER_LIFE] = "life",
	[NUMBER_UPDATES] = "updates",
};

static int index_of(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(names[i], name))
			return (int)i;
	}
	fail_msg("tests/data/search.json says %s", name);
	return -1;
}

static void take_numbers(const cJSON *tree, struct opt_f64 *out)
{
	for (const cJSON *n = tree->child; n; n = n->next) {
		if (cJSON_IsNumber(n))
			out[index_of(number_names, SEARCH_NUMBERS, n->string)] =
				some_f64(n->valuedouble);
	}
}

static void take_item(const cJSON *tree, struct search_item *item)
{
	const cJSON *field, *word;

	cJSON_ArrayForEach(word, json_get(tree, "text"))
		search_item_text(item, word->valuestring);
	cJSON_ArrayForEach(field, json_get(tree, "fields")) {
		enum search_field id =
			(enum search_field)index_of(field_names, SEARCH_FIELDS, field->string);

		search_item_word(item, id, cJSON_IsString(field) ? field->valuestring : NULL);
		for (word = cJSON_IsArray(field) ? field->child : NULL; word; word = word->next)
			search_item_word(item, id, word->valuestring);
	}
	take_numbers(json_get(tree, "numbers"), item->numbers);
	take_numbers(json_get(tree, "sizes"), item->sizes);
}

static bool is_named(const cJSON *names, const char *name)
{
	const cJSON *n;

	cJSON_ArrayForEach(n, names) {
		if (str_eq(n->valuestring, name))
			return true;
	}
	return false;
}

static void test_finds(void **unused)
{
	_cleanup_(json_treep) cJSON *data = data_json("search.json");
	struct search_item items[ITEMS_MAX] = { 0 };
	const cJSON *one, *item;
	size_t n = 0, searches = 0;

	(void)unused;
	cJSON_ArrayForEach(item, json_get(data, "items")) {
		assert_true(n < ITEMS_MAX);
		take_item(item, &items[n++]);
	}
	cJSON_ArrayForEach(one, json_get(data, "finds")) {
		const char *text = json_get(one, "search")->valuestring;
		_cleanup_(search_freep) struct search *search = NULL;
		_cleanup_(str_done) struct str errors = { 0 };

		if (search_parse(text, &search, &errors) < 0)
			fail_msg("%s: %s", text, str_get(&errors));
		n = 0;
		cJSON_ArrayForEach(item, json_get(data, "items")) {
			bool found = search_test(search, &items[n++]);

			if (found != is_named(json_get(one, "finds"), item->string))
				fail_msg("“%s” finds %s: %d", text, item->string, found);
		}
		searches++;
	}
	assert_true(searches > 50);
}

static void test_cannot_be_read(void **unused)
{
	_cleanup_(json_treep) cJSON *data = data_json("search.json");
	const cJSON *one;
	size_t n = 0;

	(void)unused;
	cJSON_ArrayForEach(one, json_get(data, "errors")) {
		_cleanup_(search_freep) struct search *search = NULL;
		_cleanup_(str_done) struct str errors = { 0 };

		if (search_parse(one->valuestring, &search, &errors) == 0)
			fail_msg("%s is read", one->valuestring);
		assert_null(search);
		/* One line each, with the term. */
		assert_ptr_equal(strchr(str_get(&errors), '\n'), str_get(&errors) + errors.len - 1);
		assert_non_null(strstr(str_get(&errors), one->valuestring));
		n++;
	}
	assert_true(n > 5);
}

static void test_what_there_is(void **unused)
{
	_cleanup_(search_freep) struct search *search = NULL;
	_cleanup_(str_done) struct str errors = { 0 };

	(void)unused;
	assert_int_equal(search_parse("a speed>3 colour:red", &search, &errors), -EINVAL);
	assert_string_equal(
		str_get(&errors),
		"speed>3: no such number; there are cpu, mem, disk, cores, uptime, netin, netout, net, "
		"read, write, vmid, backup, snapshot, snapshots, temp, life, updates\n"
		"colour:red: no such field; there are name, node, type, tag, status, pool, lock, ha, id, "
		"backup, snapshot, storage, job, onboot, kind, health, os\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_finds),
		cmocka_unit_test(test_cannot_be_read),
		cmocka_unit_test(test_what_there_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
