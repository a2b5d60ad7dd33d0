/* SPDX-License-Identifier: MIT */
/*
 * From an approved step to its result: claims, grants, what stands in the way, reads, and what is looked at again
 * before the result is said.
 */
#include "common/alloc.h"
#include "tests/unit/check.h"
#include "tests/unit/executor_plays.h"
#include "tests/unit/faulty_vfs.h"

#include <errno.h>
#include <stdio.h>

#define TASK "UPID:pve:0008380E:0131F1BF:6A84EA54:vzdump:101:root@pam:"
#define TASK_PATH "/nodes/pve/tasks/UPID%3Apve%3A0008380E%3A0131F1BF%3A6A84EA54%3Avzdump"

static const struct lab_order reboot_b = { "node_reboot", "red",
					   "{\"cluster\":\"home\",\"node\":\"b\"}", "home/node/b",
					   "{\"object\":\"home/node/b\",\"node\":\"b\","
					   "\"status\":\"online\"}" };
static const struct lab_order content = { "storage_content", "green",
					  "{\"cluster\":\"home\",\"storage\":\"nas\"}",
					  "home/storage/nas",
					  "{\"object\":\"home/storage/nas\",\"node\":null}" };
static const struct lab_order task_log = { "task_log", "green",
					   "{\"cluster\":\"home\",\"upid\":\"" TASK "\"}", NULL,
					   NULL };
static const struct lab_order task_stop = { "task_stop", "orange",
					    "{\"cluster\":\"home\",\"upid\":\"" TASK "\"}", NULL,
					    NULL };
static const struct lab_order list = { "guest_list", "green", "{}", NULL, NULL };

/* ── what stands in the way ────────────────────────────────────────────────────────────────────────────────── */

static void keep(const struct lab *l, char id[27], char gid[33])
{
	memcpy(id, l->id, 27);
	memcpy(gid, l->gid, 33);
}

/* Both were claimed before either was granted: one is done, the other is told so. */
static void test_two_grants_for_one_guest(void **state)
{
	struct lab *l = *state;
	_cleanup_(freep) char *nonce = NULL;
	char id[27], gid[33];

	assert_true(lab_approve(l, &lab_start_101));
	keep(l, id, gid);
	nonce = lab_value(l, TOPIC_X_CLAIM, "nonce");
	assert_true(lab_approve(l, &lab_start_101));
	lab_grant(l, &lab_start_101);
	assert_true(lab_is_asked(l, LAB_TASKS));
	memcpy(l->id, id, sizeof(id));
	memcpy(l->gid, gid, sizeof(gid));
	lab_grant_for(l, &lab_start_101, nonce);
	lab_expect(l, "failed",
		   "the grant was refused: something is being done to the same target");
	assert_int_equal(lab_counter(l, "grants_refused"), 1);
	assert_int_equal(lab_counter(l, "effects"), 0);
}

/* A node is not taken away from under what happens on it, nor the other way round. */
static void test_guest_and_its_node(void **state)
{
	struct lab *l = *state;

	lab_follow_101(l);
	assert_true(lab_approve(l, &play_reboot_pve));
	lab_grant(l, &play_reboot_pve);
	lab_expect(l, "failed", "something is being done to the same target");
	play_task_well(l);
	lab_order(l, &play_reboot_pve);
	assert_true(lab_approve(l, &lab_start_101));
	lab_grant(l, &lab_start_101);
	lab_expect(l, "failed", "something is being done to the same target");
	/* A read is in nobody's way. */
	lab_order(l, &content);
	lab_answer(l, "GET /nodes/pve/storage/nas/content", LAB_NONE);
	lab_pass(l, 0);
	lab_expect(l, "verified", "\"items\":[]");
	lab_order(l, &list);
	lab_pass(l, 0);
	lab_expect(l, "verified", "\"items\":[]");
}

static void test_too_much_at_once(void **state)
{
	struct lab *l = *state;

	for (int i = 0; i < 64; i++)
		lab_order(l, &content);
	assert_false(lab_approve(l, &lab_start_101));
	assert_int_equal(lab_counter(l, "claims_held"), 1);
	lab_answer(l, "GET /nodes/pve/storage/nas/content", LAB_NONE);
	lab_pass(l, 1000);
	assert_int_equal(lab_count(l, TOPIC_X_CLAIM), 65);
}

static void test_a_word_on_no_grant(void **state)
{
	static const char *const words[] = { "", ",\"refused\":\"not now\"" };
	struct lab *l = *state;

	for (size_t i = 0; i < countof(words); i++) {
		_cleanup_(freep) char *nonce = NULL, *json = NULL, *other = NULL;

		assert_true(lab_approve(l, &lab_start_101));
		nonce = lab_value(l, TOPIC_X_CLAIM, "nonce");
		other = xasprintf("{\"id\":\"01TESTother\",\"nonce\":\"%s\"}", nonce);
		json = xasprintf("{\"id\":\"%s\",\"nonce\":\"%s\"%s}", l->id, nonce, words[i]);
		lab_hand(l, executor_on_grant, TOPIC_X_GRANT, (const char *const[]){ NULL }, other);
		assert_int_equal(lab_counter(l, "grants_unasked"), (int64_t)i + 1);
		lab_hand(l, executor_on_grant, TOPIC_X_GRANT, (const char *const[]){ NULL }, json);
		assert_int_equal(lab_counter(l, "claims_refused"), (int64_t)i + 1);
		lab_expect_none(l);
	}
}

/* What ends does not begin anything, and hears no answer any more. */
static void test_stopping(void **state)
{
	struct lab *l = *state;

	lab_presence(l, "proxmox-poller", "main", "online");
	assert_true(lab_approve(l, &lab_start_101));
	executor_stop(l->x);
	lab_grant(l, &lab_start_101);
	lab_beat(l);
	lab_hand(l, executor_on_reply, TOPIC_REPLY, (const char *const[]){ "executor", "r", NULL },
		 "{\"request_id\":\"r\",\"status\":\"ok\"}");
	assert_null(l->calls);
	assert_null(l->timers);
	lab_expect_none(l);
	executor_free(NULL);
}

static void test_cancel_of_another(void **state)
{
	struct lab *l = *state;
	_cleanup_(freep) char *json = NULL;

	lab_follow_101(l);
	json = xasprintf("{\"id\":\"01TESTother\",\"gid\":\"%s\"}", l->gid);
	lab_hand(l, executor_on_cancel, TOPIC_X_CANCEL, (const char *const[]){ NULL }, json);
	assert_false(lab_is_asked(l, "DELETE"));
	play_task_well(l);
	lab_expect(l, "verified", "\"Done, and verified.\"");
}

/* ── reads ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void expect_read(struct lab *l, const char *outcome, const char *words)
{
	lab_pass(l, 0);
	lab_expect(l, outcome, words);
}

static void test_reads(void **state)
{
	struct lab *l = *state;

	lab_order(l, &content);
	lab_answer(l, "GET /nodes/pve/storage/nas/content",
		   "{\"data\":[{\"volid\":\"nas:iso/a\"},7,null]}");
	expect_read(l, "verified", "\"items\":[{\"volid\":\"nas:iso/a\"},7,null]");
	lab_order(l, &content);
	lab_answer(l, "GET /nodes/pve/storage/nas/content", "{\"data\":{}}");
	expect_read(l, "failed", "The answer makes no sense.");
	lab_order(l, &content);
	lab_refuse(l, "GET /nodes/pve/storage/nas/content", 500, "storage 'nas' is not online");
	expect_read(l, "failed", "storage 'nas' is not online");
	assert_int_equal(lab_counter(l, "effects"), 0);
}

static void test_logs(void **state)
{
	static const char *const senseless[] = { "{\"data\":[]}", "{\"total\":-1}",
						 "{\"total\":1e9}", "{\"total\":\"many\"}" };
	struct lab *l = *state;

	for (size_t i = 0; i < countof(senseless); i++) {
		lab_order(l, &task_log);
		lab_answer(l, "GET " TASK_PATH, senseless[i]);
		expect_read(l, "failed", "The answer makes no sense.");
	}
	lab_order(l, &task_log);
	lab_refuse(l, "GET " TASK_PATH, 500, "no such task");
	expect_read(l, "failed", "no such task");
	for (int i = 0; i < 2; i++) {
		lab_order(l, &task_log);
		lab_answer(l, "GET " TASK_PATH, "{\"total\":120,\"data\":[]}");
		if (i) {
			lab_answer(l, "GET " TASK_PATH, "{\"data\":7}");
			expect_read(l, "failed", "The answer makes no sense.");
		} else {
			lab_answer(l, "GET " TASK_PATH, "{\"data\":[{\"t\":\"a\"},{},{\"t\":7}]}");
			expect_read(l, "verified", "\"lines\":[\"a\",null,7]");
		}
	}
}

/* ── the last look ─────────────────────────────────────────────────────────────────────────────────────────── */

static void test_looks(void **state)
{
	static const struct {
		const char *answer, *words;
	} stops[] = {
		{ "{\"data\":{}}", "the answer makes no sense" },
		{ PLAY_TASK_OK, "the task had ended already: OK" },
	};
	static const char *const members[] = { "{\"data\":[]}", "{\"data\":7}" };
	static const char *const uptimes[] = { "{\"data\":{}}",
					       "{\"data\":{\"uptime\":\"long\"}}" };
	struct lab *l = *state;

	for (size_t i = 0; i < countof(stops); i++) {
		lab_order(l, &task_stop);
		lab_answer(l, "GET " TASK_PATH, stops[i].answer);
		expect_read(l, "failed", stops[i].words);
	}
	for (size_t i = 0; i < countof(uptimes); i++) {
		lab_order(l, &play_reboot_pve);
		lab_answer(l, "GET /nodes/pve/status", uptimes[i]);
		expect_read(l, "failed", "the answer makes no sense");
		lab_order(l, &play_reboot_pve);
		lab_answer(l, "GET /nodes/pve/status", "{\"data\":{\"uptime\":5}}");
		lab_answer(l, "GET /cluster/status", members[i]);
		expect_read(l, "failed", "the answer makes no sense");
	}
	lab_order(l, &lab_start_101);
	lab_answer(l, LAB_TASKS, "{\"data\":7}");
	expect_read(l, "failed", "the answer makes no sense");
	assert_int_equal(lab_counter(l, "effects"), 0);
}

static void test_download(void **state)
{
	static const struct lab_order order = {
		"download_url", "orange",
		"{\"checksum\":\"00\",\"checksum_algorithm\":\"sha256\",\"cluster\":\"home\","
		"\"content\":\"iso\",\"filename\":\"x.iso\",\"node\":\"pve\",\"storage\":\"nas\","
		"\"url\":\"https://cloud.debian.org/x\"}",
		"home/storage/nas", "{\"object\":\"home/storage/nas\",\"node\":null}"
	};
	static const struct {
		const char *answer, *words;
	} stops[] = {
		{ "{\"data\":[]}", "the answer makes no sense" },
		{ "{\"data\":{}}", "the storage is not active on pve" },
		{ "{\"data\":{\"active\":0}}", "the storage is not active on pve" },
	};
	struct lab *l = *state;

	for (size_t i = 0; i < countof(stops); i++) {
		lab_order(l, &order);
		lab_answer(l, "GET /nodes/pve/tasks?source=all&limit=200&typefilter=download",
			   LAB_NONE);
		lab_answer(l, "GET /nodes/pve/storage/nas/status", stops[i].answer);
		expect_read(l, "failed", stops[i].words);
	}
	assert_int_equal(lab_counter(l, "effects"), 0);
}

/* ── looked at again ───────────────────────────────────────────────────────────────────────────────────────── */

static void reply(struct lab *l, const char *id)
{
	_cleanup_(freep) char *json = xasprintf("{\"request_id\":\"%s\",\"status\":\"ok\"}", id);

	lab_hand(l, executor_on_reply, TOPIC_REPLY, (const char *const[]){ "executor", id, NULL },
		 json);
}

/* A result waits for the poller: for its own answer, or twenty seconds. */
static void test_refresh(void **state)
{
	struct lab *l = *state;
	_cleanup_(freep) char *id = NULL;

	lab_presence(l, "proxmox-poller", "main", "online");
	lab_follow_101(l);
	play_task_well(l);
	id = lab_value(l, TOPIC_REQUEST, "request_id");
	assert_non_null(strstr(lab_last(l, TOPIC_REQUEST), "pve/home/guest/101/state"));
	reply(l, "another");
	lab_expect_none(l);
	reply(l, id);
	lab_expect(l, "verified", "Done");
	reply(l, id);
	assert_int_equal(lab_counter(l, "refreshes_late"), 0);

	lab_follow_101(l);
	play_task_well(l);
	lab_expect_none(l);
	lab_pass(l, 60000);
	lab_expect(l, "verified", "Done");
	assert_int_equal(lab_counter(l, "refreshes_late"), 1);

	/* Nobody to ask: nobody is waited for. */
	lab_follow_101(l);
	lab_pass(l, 5000);
	lab_answer(l, LAB_STATUS, PLAY_TASK_OK);
	lab_answer(l, LAB_STATUS, LAB_NONE);
	l->publish = -ENOMEM;
	lab_answer(l, LAB_CURRENT, LAB_RUNNING);
	l->publish = 0;
	lab_pass(l, 0);
	lab_expect(l, "verified", "Done");
	assert_int_equal(lab_counter(l, "refreshes_late"), 1);
}

/* Two wait at once, each for its own; ending cancels what is left. */
static void test_two_refreshes(void **state)
{
	struct lab *l = *state;
	_cleanup_(freep) char *first = NULL;
	char id[27], gid[33];

	lab_presence(l, "proxmox-poller", "main", "online");
	assert_true(lab_approve(l, &lab_start_101));
	keep(l, id, gid);
	lab_grant(l, &lab_start_101);
	lab_answer(l, LAB_TASKS, LAB_NONE);
	lab_answer(l, LAB_CURRENT, "{\"data\":{\"status\":\"stopped\",\"name\":\"other\"}}");
	first = lab_value(l, TOPIC_REQUEST, "request_id");
	assert_non_null(first);
	lab_order(l, &reboot_b);
	lab_answer(l, "GET /nodes/b/status", "{\"data\":{\"uptime\":5}}");
	lab_answer(l, "GET /cluster/status",
		   "{\"data\":[{\"type\":\"node\",\"name\":\"b\",\"online\":0}]}");
	assert_int_equal(lab_count(l, TOPIC_REQUEST), 2);
	reply(l, first);
	lab_expect_none(l);
	memcpy(l->gid, gid, sizeof(gid));
	lab_expect(l, "failed", "called other now, and was web");
	lab_stop(l);
	assert_null(l->timers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, play_setup_started, play_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_grants_for_one_guest),
		TEST(guest_and_its_node),
		TEST(too_much_at_once),
		TEST(a_word_on_no_grant),
		TEST(stopping),
		TEST(cancel_of_another),
		TEST(reads),
		TEST(logs),
		TEST(looks),
		TEST(download),
		TEST(refresh),
		TEST(two_refreshes),
	};

	faulty_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
