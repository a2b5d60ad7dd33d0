/* SPDX-License-Identifier: MIT */
/*
 * Lists of tasks: what is merged, what becomes an event, and what does not.
 */
#include "tests/unit/pve_fixture.h"

#include "services/proxmox-poller/pve_tasks.h"
#include "tests/unit/check.h"

#include <stdio.h>

#define EVENTS_MAX 16

/* The events as text: "end qmstart running>ok". */
struct events {
	char line[EVENTS_MAX][120];
	size_t n;
};

static const char *status_word(const struct msg_task *task)
{
	return task ? enumeration_word(&enumeration_task_status, task->status) : "-";
}

static void note(void *ctx, enum event_type type, const struct msg_task *before,
		 const struct msg_task *after)
{
	struct events *events = ctx;

	assert_true(events->n < EVENTS_MAX);
	(void)snprintf(events->line[events->n++], sizeof(events->line[0]), "%s %s %s>%s",
		       enumeration_word(&enumeration_event_type, type), after->type,
		       status_word(before), status_word(after));
}

static size_t take_text(struct pve_task_list *list, const char *text, int64_t boot_ms,
			struct events *events)
{
	_cleanup_(json_treep) cJSON *answer = NULL;
	size_t bad = 0;

	events->n = 0;
	assert_int_equal(json_parse(text, strlen(text), JSON_FOREIGN, &answer, NULL), 0);
	assert_int_equal(pve_tasks_take(list, answer, fixture_now(boot_ms), note, events, &bad), 0);
	return bad;
}

static void take_fixture(struct pve_task_list *list, const char *name, int64_t boot_ms,
			 struct events *events)
{
	_cleanup_(json_treep) cJSON *answer = pve_fixture(name);
	size_t bad;

	events->n = 0;
	assert_int_equal(pve_tasks_take(list, answer, fixture_now(boot_ms), note, events, &bad), 0);
	assert_int_equal(bad, 0);
}

static struct msg_tasks_state build(const struct pve_task_list *list, struct arena *arena)
{
	struct msg_tasks_state doc;

	pve_tasks_build(list, "lab", arena, &doc);
	return doc;
}

static void test_first_answer_makes_no_event(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_task_list list = { 0 };
	struct events events;
	struct msg_tasks_state doc;

	(void)unused;
	take_fixture(&list, "tasks-1", 0, &events);
	assert_int_equal(events.n, 0);
	doc = build(&list, arena);
	assert_int_equal(doc.tasks_n, 3);
	assert_string_equal(doc.tasks[0].type, "vzdump");
	assert_int_equal(doc.tasks[0].status, TASK_RUNNING);
	assert_int_equal(doc.tasks[0].start_ms, 1787095636000);
	assert_false(doc.tasks[0].end_ms.has);
	assert_string_equal(doc.tasks[1].user, "jarvis@pve!control");
	assert_int_equal(doc.tasks[1].end_ms.v, 1787095555000);
	assert_int_equal(doc.tasks[2].status, TASK_FAILED);
	assert_non_null(strstr(doc.tasks[2].exitstatus, "exit code 100"));
	assert_null(doc.tasks[2].id);
	pve_tasks_done(&list);
}

static void test_events(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_task_list list = { 0 };
	struct events events;

	(void)unused;
	take_fixture(&list, "tasks-1", 0, &events);
	take_fixture(&list, "tasks-2", 5000, &events);
	assert_int_equal(events.n, 4);
	assert_string_equal(events.line[0], "end vzdump running>warning");
	assert_string_equal(events.line[1], "new qmreboot ->running");
	/* Came and went between two answers. */
	assert_string_equal(events.line[2], "new qmstop ->unknown");
	assert_string_equal(events.line[3], "end qmstop ->unknown");
	/* The apt update is not listed any more, but it was. */
	assert_int_equal(build(&list, arena).tasks_n, 5);
	take_fixture(&list, "tasks-2", 10000, &events);
	assert_int_equal(events.n, 0);
	/* An answer of a node that has not heard of the end. */
	take_fixture(&list, "tasks-1", 15000, &events);
	assert_int_equal(events.n, 0);
	pve_tasks_done(&list);
}

/* A node that comes back after a night brings tasks of last week: they are history, not news. */
static void test_old_tasks_of_a_node_that_returns(void **unused)
{
	static const char text[] =
		"{\"data\":[{\"upid\":\"UPID:b:1\",\"node\":\"b\",\"type\":\"vzdump\",\"id\":\"1\","
		"\"user\":\"root@pam\",\"starttime\":%lld,\"endtime\":%lld,\"status\":\"OK\"}]}";
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_task_list list = { 0 };
	struct events events;
	long long now_s = fixture_now(0).wall_ms / 1000;
	char answer[sizeof(text) + 64];

	(void)unused;
	take_text(&list, "{\"data\":[]}", 0, &events);
	(void)snprintf(answer, sizeof(answer), text, now_s - 90000, now_s - 86400);
	take_text(&list, answer, 5000, &events);
	assert_int_equal(events.n, 0);
	assert_int_equal(build(&list, arena).tasks_n, 1);
	pve_tasks_done(&list);
	take_text(&list, "{\"data\":[]}", 0, &events);
	(void)snprintf(answer, sizeof(answer), text, now_s - 1200, now_s - 600);
	take_text(&list, answer, 5000, &events);
	assert_int_equal(events.n, 2);
	pve_tasks_done(&list);
}

static void test_running_task_that_vanishes(void **unused)
{
	struct pve_task_list list = { 0 };
	struct events events;

	(void)unused;
	take_fixture(&list, "tasks-1", 0, &events);
	take_text(&list, "{\"data\":[]}", 5000, &events);
	assert_int_equal(events.n, 0);
	take_text(&list, "{\"data\":[]}", 10000, &events);
	assert_int_equal(events.n, 1);
	assert_string_equal(events.line[0], "end vzdump running>unknown");
	take_text(&list, "{\"data\":[]}", 15000, &events);
	assert_int_equal(events.n, 0);
	pve_tasks_done(&list);
}

static char *many(int from, int to)
{
	struct str text = { 0 };

	str_add(&text, "{\"data\":[");
	for (int i = from; i < to; i++)
		str_printf(
			&text,
			"%s{\"upid\":\"UPID:n:%08X:%08X:%08X:t:%d:u@pve:\",\"node\":\"n\",\"type\":\"t\","
			"\"id\":\"%d\",\"user\":\"u@pve\",\"starttime\":%lld,\"endtime\":%lld,\"status\":\"OK\"}",
			i > from ? "," : "", i, i, i, i, i, FIXTURE_WALL_MS / 1000LL + i,
			FIXTURE_WALL_MS / 1000LL + i + 1);
	str_add(&text, "]}");
	return str_take(&text);
}

static void test_memory_is_bounded(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(freep) char *all = many(1, 501);
	_cleanup_(freep) char *newest = many(300, 502);
	struct pve_task_list list = { 0 };
	struct events events;
	struct msg_tasks_state doc;

	(void)unused;
	take_text(&list, all, 0, &events);
	assert_int_equal(list.n, PVE_TASKS_SHOWN);
	doc = build(&list, arena);
	assert_int_equal(doc.tasks_n, PVE_TASKS_SHOWN);
	assert_string_equal(doc.tasks[0].id, "500");
	assert_string_equal(doc.tasks[99].id, "401");
	/* The older ones fell off the list, but they are not new. */
	take_text(&list, newest, 5000, &events);
	assert_int_equal(events.n, 2);
	take_text(&list, all, 10000, &events);
	assert_int_equal(events.n, 0);
	assert_int_equal(list.n, PVE_TASKS_SHOWN);
	pve_tasks_done(&list);
}

static void test_bad_rows(void **unused)
{
	struct pve_task_list list = { 0 };
	struct events events;

	(void)unused;
	take_text(&list, "{\"data\":[]}", 0, &events);
	assert_int_equal(
		take_text(
			&list,
			"{\"data\":[{\"upid\":\"x\"},{\"upid\":\"a\",\"node\":\"n\",\"type\":\"t\"},7,"
			"{\"upid\":\"b\",\"node\":\"n\",\"type\":\"t\",\"starttime\":1787095001,"
			"\"endtime\":1787095002},"
			"{\"upid\":\"b\",\"node\":\"n\",\"type\":\"t\",\"starttime\":1787095001}]}",
			5000, &events),
		3);
	/* Twice the same: one task, whose end nobody knows. */
	assert_int_equal(list.n, 1);
	assert_int_equal(events.n, 2);
	pve_tasks_done(&list);
}

static void test_exit_statuses(void **unused)
{
	static const struct {
		const char *text;
		enum task_status status;
	} cases[] = {
		{ NULL, TASK_RUNNING },
		{ "OK", TASK_OK },
		{ "WARNINGS: 1", TASK_WARNING },
		{ "WARNINGS: 12", TASK_WARNING },
		{ "WARNINGS: ", TASK_FAILED },
		{ "WARNINGS: many", TASK_FAILED },
		{ "ok", TASK_FAILED },
		{ "unexpected status", TASK_UNKNOWN },
		{ "unable to get last line from task log - No such file", TASK_UNKNOWN },
		{ "interrupted by signal", TASK_FAILED },
		{ "VM 100 already running", TASK_FAILED },
	};

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		if (pve_task_status_of(cases[i].text) != cases[i].status)
			fail_msg("%s", cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_answer_makes_no_event),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_old_tasks_of_a_node_that_returns),
		cmocka_unit_test(test_running_task_that_vanishes),
		cmocka_unit_test(test_memory_is_bounded),
		cmocka_unit_test(test_bad_rows),
		cmocka_unit_test(test_exit_statuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
