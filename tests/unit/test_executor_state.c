/* SPDX-License-Identifier: MIT */
/*
 * Reads from the bus: which documents answer which tool, how fresh they are, and what does not fit.
 */
#include "common/alloc.h"
#include "services/executor/answer.h"
#include "services/executor/state_tools.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define SOURCES                                                                                    \
	"{\"ts\":100000,\"cluster\":\"home\",\"sources\":{\"resources\":{\"last_ok_ms\":99000,"    \
	"\"period_s\":10,\"failures\":0},\"tasks\":{\"last_ok_ms\":99000,\"period_s\":10,\"failures\":0}}}"

static void hear(struct docs *docs, enum topic_id id, const char *a, const char *b,
		 const char *json, bool retained)
{
	struct topic_args args = { .n = b ? 2 : 1 };
	const struct msg_bare bare = { .word = json };
	struct msg msg = { .id = id,
			   .args = &args,
			   .payload = json,
			   .payload_len = strlen(json),
			   .retained = retained };

	if (id == TOPIC_SERVICE_STATE)
		msg.bare = &bare;
	(void)snprintf(args.value[0], sizeof(args.value[0]), "%s", a);
	(void)snprintf(args.value[1], sizeof(args.value[1]), "%s", b ? b : "");
	docs_take(docs, &msg, 1000);
}

static void guest(struct docs *docs, const char *cluster, int vmid, const char *node,
		  const char *status)
{
	_cleanup_(freep) char *number = xasprintf("%d", vmid);
	_cleanup_(freep) char *json = xasprintf(
		"{\"ts\":95000,\"vmid\":%d,\"node\":\"%s\",\"status\":\"%s\"}", vmid, node, status);

	hear(docs, TOPIC_GUEST_STATE, cluster, number, json, false);
}

static struct docs *world(void)
{
	struct docs *docs = docs_new();

	hear(docs, TOPIC_SERVICE_STATE, "proxmox-poller", "main", "online", false);
	hear(docs, TOPIC_CLUSTER_STATE, "home", NULL, SOURCES, false);
	guest(docs, "home", 101, "pve", "running");
	guest(docs, "home", 99, "pve", "stopped");
	guest(docs, "home", 102, "agent", "running");
	return docs;
}

static int ask(const struct docs *docs, enum tool_id id, const char *json, struct str *out,
	       struct tool_error *error)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct tool_args args;
	const struct state_question q = { .docs = docs,
					  .tool = &tool_table[id],
					  .args = &args,
					  .boot_ms = 2000,
					  .wall_ms = 100000 };

	str_clear(out);
	assert_int_equal(
		tool_args_read(&tool_table[id], json, strlen(json), false, arena, &args, error), 0);
	return state_tool_answer(&q, out, error);
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)); text++)
		n++;
	return n;
}

static void test_lists(void **unused)
{
	struct docs *docs = world();
	_cleanup_(str_done) struct str out = { 0 };
	struct tool_error error;

	(void)unused;
	assert_int_equal(ask(docs, TOOL_guest_list, "{}", &out, &error), 0);
	assert_int_equal(count(str_get(&out), "\"fresh\":\"live\""), 3);
	assert_int_equal(count(str_get(&out), "\"age_s\":5"), 3);
	assert_true(strstr(str_get(&out), "guest/99/") < strstr(str_get(&out), "guest/101/"));
	assert_int_equal(ask(docs, TOOL_guest_list, "{\"node\":\"PVE\"}", &out, &error), 0);
	assert_int_equal(count(str_get(&out), "\"topic\""), 2);
	assert_int_equal(ask(docs, TOOL_guest_list, "{\"node\":\"pve\",\"status\":\"running\"}",
			     &out, &error),
			 0);
	assert_int_equal(count(str_get(&out), "\"topic\""), 1);
	assert_int_equal(ask(docs, TOOL_node_list, "{\"cluster\":\"home\"}", &out, &error), 0);
	assert_string_equal(str_get(&out), "{\"items\":[]}");
	assert_int_equal(ask(docs, TOOL_node_list, "{\"cluster\":\"lab\"}", &out, &error), -ENOENT);
	assert_int_equal(ask(docs, TOOL_guest_status, "{\"guest\":7000}", &out, &error), -ENOENT);
	assert_non_null(strstr(error.text, "7000"));
	assert_int_equal(ask(docs, TOOL_guest_status, "{\"guest\":101}", &out, &error), 0);
	assert_int_equal(count(str_get(&out), "\"topic\""), 1);
	/* The same number in two clusters: which is meant? */
	guest(docs, "lab", 101, "x", "running");
	assert_int_equal(ask(docs, TOOL_guest_status, "{\"guest\":101}", &out, &error), -ENOENT);
	assert_int_equal(
		ask(docs, TOOL_guest_status, "{\"guest\":101,\"cluster\":\"home\"}", &out, &error),
		0);
	hear(docs, TOPIC_GUEST_STATE, "home", "101", "", false);
	assert_int_equal(
		ask(docs, TOOL_guest_status, "{\"guest\":101,\"cluster\":\"home\"}", &out, &error),
		-ENOENT);
	assert_int_equal(ask(docs, TOOL_guest_start, "{\"guest\":101}", &out, &error), -ENOENT);
	docs_free(docs);
}

static void test_tasks(void **unused)
{
	struct docs *docs = world();
	_cleanup_(str_done) struct str out = { 0 };
	struct tool_error error;

	(void)unused;
	hear(docs, TOPIC_TASKS_STATE, "home", NULL,
	     "{\"ts\":99000,\"tasks\":[{\"upid\":\"a\",\"node\":\"pve\",\"id\":\"101\",\"status\":\"failed\"},"
	     "{\"upid\":\"b\",\"node\":\"pve\",\"id\":\"102\",\"status\":\"ok\"},{\"upid\":\"c\",\"node\":"
	     "\"agent\",\"id\":null,\"status\":\"failed\"}]}",
	     false);
	assert_int_equal(ask(docs, TOOL_task_list, "{}", &out, &error), 0);
	assert_int_equal(count(str_get(&out), "\"upid\""), 3);
	assert_int_equal(ask(docs, TOOL_task_list, "{\"failed\":true}", &out, &error), 0);
	assert_int_equal(count(str_get(&out), "\"upid\""), 2);
	assert_int_equal(ask(docs, TOOL_task_list, "{\"guest\":101}", &out, &error), 0);
	assert_int_equal(count(str_get(&out), "\"upid\":\"a\""), 1);
	assert_int_equal(count(str_get(&out), "\"upid\""), 1);
	docs_free(docs);
}

static void test_fresh(void **unused)
{
	struct docs *docs = world();
	const char *const words[] = { "home", "101", NULL };
	const struct doc *doc = docs_find(docs, TOPIC_GUEST_STATE, words);

	(void)unused;
	assert_int_equal(docs_judge(docs, doc, 2000), FRESH_LIVE);
	assert_int_equal(docs_judge(docs, doc, 1000 + 40000), FRESH_SOURCE_OLD);
	docs_offline(docs);
	assert_false(docs_is_online(docs, SERVICE_PROXMOX_POLLER));
	hear(docs, TOPIC_SERVICE_STATE, "executor", "main", "online", false);
	assert_false(docs_is_other_online(docs, SERVICE_EXECUTOR, "main"));
	assert_true(docs_is_other_online(docs, SERVICE_EXECUTOR, "second"));
	hear(docs, TOPIC_SERVICE_STATE, "executor", "second", "online", false);
	assert_true(docs_is_other_online(docs, SERVICE_EXECUTOR, "main"));
	hear(docs, TOPIC_SERVICE_STATE, "executor", "second", "offline", false);
	assert_false(docs_is_other_online(docs, SERVICE_EXECUTOR, "main"));
	assert_int_equal(docs_judge(docs, doc, 2000), FRESH_OWNER_OFFLINE);
	docs_free(docs);

	/* Retained copies are no evidence of life. */
	docs = docs_new();
	hear(docs, TOPIC_SERVICE_STATE, "proxmox-poller", "main", "online", false);
	hear(docs, TOPIC_SERVICE_STATE, "nobody", "main", "online", false);
	hear(docs, TOPIC_CLUSTER_STATE, "home", NULL, SOURCES, true);
	guest(docs, "home", 101, "pve", "running");
	doc = docs_find(docs, TOPIC_GUEST_STATE, words);
	assert_int_equal(docs_judge(docs, doc, 2000), FRESH_NO_EVIDENCE);
	docs_free(docs);
	docs_free(NULL);
}

static void test_large(void **unused)
{
	struct docs *docs = world();
	_cleanup_(str_done) struct str out = { 0 };
	struct tool_error error;
	_cleanup_(json_treep) cJSON *tree = NULL;

	(void)unused;
	for (int vmid = 1000; vmid < 6000; vmid++)
		guest(docs, "home", vmid, "pve", "running");
	assert_int_equal(ask(docs, TOOL_guest_list, "{}", &out, &error), 0);
	assert_true(out.len <= ANSWER_MAX_BYTES);
	assert_int_equal(json_parse(str_get(&out), out.len, JSON_STATE, &tree, NULL), 0);
	assert_int_equal(cJSON_GetArraySize(json_get(tree, "items")) +
				 (int)json_get(tree, "left_off")->valuedouble,
			 5003);
	docs_free(docs);
}

/* What Proxmox may send and our own messages may not hold. */
static void test_foreign(void **unused)
{
	_cleanup_(str_done) struct str out = { 0 }, deep = { 0 };
	_cleanup_(json_treep) cJSON *tree = NULL, *back = NULL;
	struct answer a;

	(void)unused;
	str_add(&deep,
		"{\"size\":9223372036854775807,\"n\":1.5,\"t\":true,\"z\":null,\"s\":\"\xc3\xa4\",\"d\":");
	for (int i = 0; i < 20; i++)
		str_add_char(&deep, '[');
	for (int i = 0; i < 20; i++)
		str_add_char(&deep, ']');
	str_add_char(&deep, '}');
	assert_int_equal(json_parse(str_get(&deep), deep.len, JSON_FOREIGN, &tree, NULL), 0);
	answer_begin(&a, &out, "items");
	answer_add_tree(&a, tree);
	answer_add_tree(&a, NULL);
	answer_end(&a);
	assert_int_equal(json_parse(str_get(&out), out.len, JSON_COMMAND, &back, NULL), 0);
	assert_true(cJSON_IsNull(json_get(cJSON_GetArrayItem(json_get(back, "items"), 0), "size")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lists),	cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_fresh),	cmocka_unit_test(test_large),
		cmocka_unit_test(test_foreign),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
