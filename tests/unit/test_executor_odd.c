/* SPDX-License-Identifier: MIT */
/*
 * What makes no sense: answers of Proxmox, messages and names that are not as they should be. None of it may be taken
 * for a yes.
 */
#include "common/alloc.h"
#include "services/executor/docs.h"
#include "services/executor/follow.h"
#include "services/executor/freeze.h"
#include "services/executor/outbox.h"
#include "services/executor/precheck.h"
#include "services/executor/upid.h"
#include "services/executor/verify.h"
#include "services/executor/wishes.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SELF "UPID:pve:0008380E:0131F1BF:6A84EA54:vzdump:101:jarvis@pve!control:"

static cJSON *parse(const char *text)
{
	cJSON *tree = NULL;

	if (json_parse(text, strlen(text), JSON_FOREIGN, &tree, NULL) < 0)
		fail_msg("%s", text);
	return tree;
}

/* ── what is verified ──────────────────────────────────────────────────────────────────────────────────────── */

static const struct action_target vm = { "home", "pve", "qemu", 101 };
static const struct action_target ct = { "home", "pve", "lxc", 101 };
static const struct action_target pve = { "home", "pve", NULL, 0 };

#define GUEST "{\"guest\":101}"
#define SNAP "{\"guest\":101,\"snapshot\":\"s\"}"
#define DOWNLOAD                                                                                   \
	"{\"storage\":\"nas\",\"node\":\"pve\",\"content\":\"iso\",\"filename\":\"x.iso\","        \
	"\"url\":\"https://cloud.debian.org/x\",\"checksum_algorithm\":\"sha256\","                \
	"\"checksum\":\"00\"}"
#define TASK "{\"upid\":\"" SELF "\"}"

static const struct {
	enum tool_id tool;
	const char *args;
	const struct action_target *target;
	const char *upid;
	int64_t uptime_s, elapsed_ms;
	const char *answer;
	enum verify_verdict verdict;
} verdicts[] = {
	{ TOOL_guest_start, GUEST, &vm, NULL, -1, 0, "{\"data\":{}}", VERDICT_BLIND },
	{ TOOL_guest_stop, GUEST, &vm, NULL, -1, 0, "{\"data\":[]}", VERDICT_BLIND },
	{ TOOL_guest_stop, GUEST, &vm, NULL, -1, 0, "{\"data\":{\"status\":\"running\"}}",
	  VERDICT_NOT_YET },
	{ TOOL_guest_stop, GUEST, &vm, NULL, -1, 0, "{\"data\":{\"status\":\"new word\"}}",
	  VERDICT_NOT_YET },
	{ TOOL_guest_suspend, GUEST, &vm, NULL, -1, 0, "{\"data\":null}", VERDICT_BLIND },
	{ TOOL_guest_suspend, GUEST, &vm, NULL, -1, 0,
	  "{\"data\":{\"status\":\"running\",\"qmpstatus\":\"suspended\"}}", VERDICT_YES },
	{ TOOL_guest_suspend, GUEST, &vm, NULL, -1, 0, "{\"data\":{\"status\":\"running\"}}",
	  VERDICT_NOT_YET },
	{ TOOL_guest_suspend, GUEST, &ct, NULL, -1, 0, "{\"data\":{\"status\":\"running\"}}",
	  VERDICT_BLIND },
	{ TOOL_guest_suspend, GUEST, &ct, NULL, -1, 0, "{\"data\":{\"status\":\"stopped\"}}",
	  VERDICT_NOT_YET },
	{ TOOL_guest_reboot, GUEST, &vm, NULL, 50, 1000, "{\"data\":{\"status\":\"stopped\"}}",
	  VERDICT_NOT_YET },
	{ TOOL_guest_reboot, GUEST, &vm, NULL, 50, 1000, "{\"data\":{}}", VERDICT_BLIND },
	{ TOOL_guest_reboot, GUEST, &vm, NULL, 50, 1000, "{\"data\":{\"status\":\"running\"}}",
	  VERDICT_BLIND },
	{ TOOL_guest_reboot, GUEST, &vm, NULL, 50, 1000,
	  "{\"data\":{\"status\":\"running\",\"uptime\":51}}", VERDICT_NOT_YET },
	{ TOOL_guest_reboot, GUEST, &vm, NULL, 50, 100000,
	  "{\"data\":{\"status\":\"running\",\"uptime\":60}}", VERDICT_YES },
	{ TOOL_guest_reboot, GUEST, &vm, NULL, 0, 60000,
	  "{\"data\":{\"status\":\"running\",\"uptime\":60}}", VERDICT_NOT_YET },
	{ TOOL_guest_reboot, GUEST, &vm, NULL, -1, 60000,
	  "{\"data\":{\"status\":\"running\",\"uptime\":60}}", VERDICT_YES },
	{ TOOL_guest_migrate, "{\"guest\":101,\"target_node\":\"b\"}", &vm, NULL, -1, 0,
	  "{\"data\":[]}", VERDICT_BLIND },
	{ TOOL_guest_snapshot, SNAP, &vm, NULL, -1, 0, "{\"data\":{}}", VERDICT_BLIND },
	{ TOOL_guest_snapshot, SNAP, &vm, NULL, -1, 0,
	  "{\"data\":[{\"name\":7},{\"name\":\"t\"},{\"name\":\"s\",\"snapstate\":\"prepare\"}]}",
	  VERDICT_NOT_YET },
	{ TOOL_backup_now, "{\"guest\":101,\"storage\":\"nas\"}", &vm, SELF, -1, 0, "{\"data\":{}}",
	  VERDICT_BLIND },
	{ TOOL_backup_now, "{\"guest\":101,\"storage\":\"nas\"}", &vm, NULL, -1, 0, "{\"data\":[]}",
	  VERDICT_BLIND },
	{ TOOL_backup_now, "{\"guest\":101,\"storage\":\"nas\"}", &vm, "no upid", -1, 0,
	  "{\"data\":[]}", VERDICT_BLIND },
	{ TOOL_backup_now, "{\"guest\":101,\"storage\":\"nas\"}", &vm, SELF, -1, 0,
	  "{\"data\":[{},{\"vmid\":102},{\"vmid\":101},{\"vmid\":101,\"ctime\":1}]}",
	  VERDICT_NOT_YET },
	{ TOOL_download_url, DOWNLOAD, &pve, NULL, -1, 0, "{\"data\":{}}", VERDICT_BLIND },
	{ TOOL_download_url, DOWNLOAD, &pve, NULL, -1, 0, "{\"data\":[{\"volid\":\"nas:iso/y\"}]}",
	  VERDICT_NOT_YET },
	{ TOOL_task_stop, TASK, &pve, NULL, -1, 0, "{\"data\":{\"status\":1}}", VERDICT_BLIND },
	{ TOOL_task_stop, TASK, &pve, NULL, -1, 0, "{\"data\":{\"status\":\"running\"}}",
	  VERDICT_NOT_YET },
	{ TOOL_node_wake, "{\"node\":\"pve\"}", &pve, NULL, -1, 0, "{\"data\":[]}", VERDICT_BLIND },
	{ TOOL_node_wake, "{\"node\":\"pve\"}", &pve, NULL, -1, 0,
	  "{\"data\":[{\"type\":\"node\",\"name\":\"b\",\"online\":1}]}", VERDICT_BLIND },
	{ TOOL_node_reboot, "{\"node\":\"pve\"}", &pve, NULL, 50, 1000, "{\"data\":{}}",
	  VERDICT_BLIND },
	{ TOOL_node_reboot, "{\"node\":\"pve\"}", &pve, NULL, 50, 1000,
	  "{\"data\":{\"uptime\":52}}", VERDICT_NOT_YET },
};

static void test_verdicts(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(verdicts); i++) {
		_cleanup_(json_treep) cJSON *tree = parse(verdicts[i].answer);
		const struct tool *tool = &tool_table[verdicts[i].tool];
		const char *json = verdicts[i].args;
		char text[VERIFY_TEXT] = "";
		struct tool_error error;
		struct tool_args args;
		const struct verify_case c = { .tool = tool,
					       .args = &args,
					       .target = verdicts[i].target,
					       .upid = verdicts[i].upid,
					       .uptime_s = verdicts[i].uptime_s,
					       .elapsed_ms = verdicts[i].elapsed_ms };
		enum verify_verdict verdict;

		if (tool_args_read(tool, json, strlen(json), false, arena, &args, &error) < 0)
			fail_msg("row %zu: %s", i, error.text);
		verdict = verify_judge(&c, tree, false, text);
		if (verdict != verdicts[i].verdict)
			fail_msg("row %zu, %s: %d", i, tool->name, (int)verdict);
		assert_true(verify_judge(&c, NULL, true, text) != VERDICT_YES);
	}
}

/* ── tasks ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_tasks(void **unused)
{
	static const char *const ids[] = {
		"UPID:pve:0008380E:0131F1BF:6A84EA54:%s:101:root@pam:",
		"UPID:%s:0008380E:0131F1BF:6A84EA54:qmstart:101:root@pam:",
		"UPID:pve:0008380E:0131F1BF:6A84EA54:qmstart:%s:root@pam:",
		"UPID:pve:0008380E:0131F1BF:6A84EA54:qmstart:101:%s@pam:",
		"UPID:pve:0008380E:0131F1BF:6A84EA54%s:qmstart:101:root@pam:",
	};
	char longer[180], text[FOLLOW_TEXT];
	struct upid upid;
	enum task_end end;
	_cleanup_(json_treep) cJSON *odd = parse("{\"data\":[{\"t\":7},{},{\"t\":\"a\\u007fb\"}]}");
	_cleanup_(json_treep) cJSON *stuck = parse(
		"{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"unable to get last line from task log x\"}}");

	(void)unused;
	memset(longer, 'a', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < countof(ids); i++) {
		_cleanup_(str_done) struct str id = { 0 };
		const char *place = strstr(ids[i], "%s");

		str_add_n(&id, ids[i], (size_t)(place - ids[i]));
		str_add(&id, longer);
		str_add(&id, place + 2);
		assert_false(upid_parse(str_get(&id), &upid));
	}
	assert_int_equal(follow_read_log(odd, text), 1);
	assert_string_equal(text, "a b");
	assert_int_equal(follow_read_status(stuck, &end, text), 0);
	assert_int_equal(end, TASK_END_LOST);
}

/* ── the last look ─────────────────────────────────────────────────────────────────────────────────────────── */

static void test_looks(void **unused)
{
	_cleanup_(json_treep) cJSON *object = parse("{\"data\":{}}"),
				    *empty = parse("{\"data\":[]}"),
				    *untyped =
					    parse("{\"data\":[{\"name\":\"pve\",\"online\":1}]}");
	struct msg_grant_target target = { .type = "qemu", .status = "running" };
	struct guest_now now = { .status = GUEST_RUNNING };
	struct node_now node;
	char why[PRECHECK_TEXT];

	(void)unused;
	assert_int_equal(precheck_guest(&target, &now, why), 0);
	target.name = "web";
	assert_int_equal(precheck_guest(&target, &now, why), -EBUSY);
	assert_non_null(strstr(why, "called nothing now, and was web"));
	target.name = NULL;
	now.name = "web";
	assert_int_equal(precheck_guest(&target, &now, why), -EBUSY);
	assert_non_null(strstr(why, "and was nothing"));
	now.name = NULL;
	target.status = NULL;
	assert_int_equal(precheck_guest(&target, &now, why), -EBUSY);
	assert_non_null(strstr(why, "and was unknown"));
	target.type = NULL;
	assert_int_equal(precheck_guest(&target, &now, why), -EBUSY);
	target.status = "a new word";
	assert_int_equal(precheck_guest(&target, &now, why), -EBUSY);
	assert_int_equal(precheck_read_node(object, "pve", &node), -EINVAL);
	assert_int_equal(precheck_read_node(empty, "pve", &node), -EINVAL);
	assert_int_equal(precheck_read_node(untyped, "pve", &node), 0);
	assert_true(node.is_there && node.is_online);
}

/* ── what is heard ─────────────────────────────────────────────────────────────────────────────────────────── */

static void hear(struct docs *docs, enum topic_id id, size_t n, const char *const *words,
		 const char *json)
{
	const struct msg_bare bare = { .word = json };
	struct topic_args args = { .n = n };
	struct msg msg = { .id = id, .args = &args, .payload = json, .payload_len = strlen(json) };

	for (size_t i = 0; i < n; i++)
		(void)snprintf(args.value[i], sizeof(args.value[i]), "%s", words[i]);
	if (id == TOPIC_SERVICE_STATE && json[0])
		msg.bare = &bare;
	docs_take(docs, &msg, 1000);
}

static void test_documents(void **unused)
{
	static const char *const poller[] = { "proxmox-poller", "main", NULL };
	static const char *const thermal[] = { "home", NULL };
	static const char *const node[] = { "home", "pve", NULL };
	static const char *const nothing[] = { "home", "", NULL };
	struct docs *docs = docs_new();

	(void)unused;
	/* A presence that was cleared. */
	hear(docs, TOPIC_SERVICE_STATE, 2, poller, "online");
	assert_true(docs_is_online(docs, SERVICE_PROXMOX_POLLER));
	hear(docs, TOPIC_SERVICE_STATE, 2, poller, "");
	assert_false(docs_is_online(docs, SERVICE_PROXMOX_POLLER));
	/* Sources that cannot be read, and those of the other collector. */
	hear(docs, TOPIC_CLUSTER_STATE, 1, thermal, "{\"ts\":");
	hear(docs, TOPIC_THERMAL_SOURCES, 1, thermal,
	     "{\"ts\":1,\"cluster\":\"home\",\"sources\":{\"pve\":{\"last_ok_ms\":1,\"period_s\":10,"
	     "\"failures\":0}}}");
	hear(docs, TOPIC_NODE_THERMAL, 2, node, "{}");
	assert_int_equal(docs_judge(docs, docs_find(docs, TOPIC_NODE_THERMAL, node), 2000),
			 FRESH_OWNER_OFFLINE);
	assert_int_equal(docs_judge(docs, docs_find(docs, TOPIC_THERMAL_SOURCES, thermal), 2000),
			 FRESH_OWNER_OFFLINE);
	/* Cleared, twice; and a name that no topic has. */
	hear(docs, TOPIC_NODE_THERMAL, 2, node, "");
	hear(docs, TOPIC_NODE_THERMAL, 2, node, "");
	assert_null(docs_find(docs, TOPIC_NODE_THERMAL, node));
	assert_null(docs_find(docs, TOPIC_NODE_THERMAL, nothing));
	hear(docs, TOPIC_NODE_THERMAL, 2, nothing, "{}");
	docs_free(docs);
}

static void test_wishes(void **unused)
{
	struct msg_action_step step = { .args = "{\"cluster\":\"lab\"}", .status = STEP_PENDING };
	struct msg_action_state action = { .id = "a1",
					   .tool = "guest_list",
					   .status = ACTION_APPROVED,
					   .steps = &step,
					   .steps_n = 1 };
	struct wishes wishes = { 0 };
	char id[WISH_ID_BYTES + 1], many[16];

	(void)unused;
	/* A cluster by its argument; without one, and with arguments that cannot be read, by none. */
	wishes_take(&wishes, "a1", &action);
	assert_string_equal(wishes.first->cluster, "lab");
	wishes_done(&wishes);
	step.object = "nowhere";
	step.args = "{}";
	wishes_take(&wishes, "a1", &action);
	assert_string_equal(wishes.first->cluster, "");
	wishes_done(&wishes);
	step.args = "{\"no\":1}";
	wishes_take(&wishes, "a1", &action);
	assert_string_equal(wishes.first->cluster, "");
	/* A claimed one whose action is over, or whose steps are gone. */
	wish_claim(wishes.first, "n", 1);
	action.status = ACTION_RUNNING;
	action.steps_n = 0;
	wishes_take(&wishes, "a1", &action);
	assert_null(wishes.first);
	action.status = ACTION_APPROVED;
	action.steps_n = 1;
	wishes_take(&wishes, "a1", &action);
	wish_claim(wishes.first, "n", 1);
	wishes_take(&wishes, "a1", NULL);
	assert_null(wishes.first);
	/* An id that is none, and more of them than can be kept. */
	memset(id, 'a', sizeof(id));
	id[WISH_ID_BYTES] = '\0';
	action.id = id;
	wishes_take(&wishes, id, &action);
	assert_null(wishes.first);
	action.id = many;
	for (int i = 0; i < WISHES_MAX + 5; i++) {
		(void)snprintf(many, sizeof(many), "id%d", i);
		wishes_take(&wishes, many, &action);
	}
	assert_int_equal(wishes.n, WISHES_MAX);
	wishes_done(&wishes);
}

static void test_results(void **unused)
{
	struct msg_action_result result = { .id = "a1", .step = -1, .gid = "g1" };
	const struct msg_action_state action = { .status = ACTION_RUNNING };
	struct outbox outbox = { 0 };
	struct outcome *outcome;

	(void)unused;
	outcome_free(NULL);
	for (result.step = -1; result.step < 2; result.step += 2) {
		(void)outbox_add(&outbox, &result, "{}", true, 0);
		outcome = outbox_settle(&outbox, "a1", &action);
		assert_non_null(outcome);
		outcome_free(outcome);
	}
}

static void test_switch(void **unused)
{
	const struct msg_autonomy_state frozen = { .frozen = true }, free = { .frozen = false };
	struct freeze freeze;

	(void)unused;
	freeze_init(&freeze, "/proc/version/no/folder");
	/* What cannot be looked for may be there. */
	freeze_take(&freeze, &free, false, 1000);
	assert_non_null(freeze_stops(&freeze, TIER_YELLOW, 1000));
	freeze_done(&freeze);
	freeze_init(&freeze, "/tmp/there/is/no/such/folder");
	freeze_take(&freeze, &free, false, 1000);
	assert_null(freeze_stops(&freeze, TIER_YELLOW, 1000));
	/* Kept by the broker: believed when it says frozen, and only then. */
	freeze_take(&freeze, NULL, true, 1000);
	freeze_take(&freeze, &free, true, 1000);
	assert_null(freeze_stops(&freeze, TIER_YELLOW, 1000));
	freeze_take(&freeze, &frozen, true, 1000);
	assert_non_null(freeze_stops(&freeze, TIER_YELLOW, 1000));
	assert_null(freeze_stops(&freeze, TIER_GREEN, 1000));
	freeze_take(&freeze, NULL, false, 1000);
	assert_non_null(freeze_stops(&freeze, TIER_YELLOW, 1000));
	freeze_done(&freeze);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts), cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_looks),	 cmocka_unit_test(test_documents),
		cmocka_unit_test(test_wishes),	 cmocka_unit_test(test_results),
		cmocka_unit_test(test_switch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
