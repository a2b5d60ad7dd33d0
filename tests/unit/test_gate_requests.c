/* SPDX-License-Identifier: MIT */
/*
 * Requests at their edges: who asks, how much is taken in, what was said before.
 */
#include "tests/unit/check.h"
#include "tests/unit/gate_stage.h"

#include <stdio.h>
#include <string.h>

#define UPID "{\"upid\":\"UPID:a:00000001:00000002:65000000:vzdump:101:root@pam:\"}"

static const struct msg_actor guest = { "user", "guest" };
static const struct msg_actor token = { "token", "ci" };

/* ── who asks ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_nobody_enrolled(void **unused)
{
	const struct core_person nobody[] = { { "op", false, false }, { "other", true, true } };
	const struct msg_action_request request =
		stage_request_of("r", "guest_shutdown", "{\"guest\":101}");
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	core_set_persons(s.core, nobody, 2);
	stage_ask(&s, "a", "guest_stop", "{\"guest\":101}");
	assert_string_equal(stage_reply(&s)->code, "policy");
	stage_ask_as(&s, "gateway", &guest, &request);
	assert_non_null(strstr(stage_reply(&s)->text, "none is enrolled for guest"));
	/* For others somebody counts who is enrolled. */
	stage_ask_as(&s, "monitor", NULL, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_WAITING);
	core_set_persons(s.core, nobody, 1);
	stage_ask_as(&s, "llm-router", NULL, &request);
	assert_non_null(strstr(stage_reply(&s)->text, "none is enrolled for a person"));
	stage_done(&s);
}

static void test_runbook(void **unused)
{
	struct msg_action_request request = stage_request_of("r", "guest_start", "{\"guest\":103}");
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	request.runbook = "start";
	stage_ask_as(&s, "llm-router", NULL, &request);
	assert_string_equal(stage_reply(&s)->code, "black");
	/* A proposal is one, whatever the level. */
	request.proposes = some_bool(true);
	stage_ask_as(&s, "monitor", NULL, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_WAITING);
	request.proposes = some_bool(false);
	request.request_id = "r2";
	core_set_policy_bad(s.core, true);
	stage_ask_as(&s, "monitor", NULL, &request);
	assert_string_equal(stage_reply(&s)->code, "policy");
	request.runbook = NULL;
	request.request_id = "r3";
	stage_ask_as(&s, "gateway", &stage_operator, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	stage_done(&s);
}

/* Each asker has its own rates. */
static void test_rates(void **unused)
{
	const char *const ids[] = { "1", "2", "3", "4" };
	struct msg_action_request request = stage_request_of("", "node_wake", "{\"node\":\"b\"}");
	struct stage s;

	(void)unused;
	stage_init(&s, "safety_gate: {yellow_rate: 1}\n");
	gate_world_node(&s.w, "b", NODE_OFFLINE);
	core_load_settings(s.core, &(const struct msg_autonomy_state){ .level = 3 }, 0);
	request.request_id = ids[0];
	stage_ask_as(&s, "gateway", &token, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	request.request_id = ids[1];
	stage_ask_as(&s, "gateway", &token, &request);
	assert_string_equal(stage_reply(&s)->code, "rate");
	stage_ask_as(&s, "gateway", &(const struct msg_actor){ "token", "cd" }, &request);
	assert_string_equal(stage_reply(&s)->code, "rate");
	request.args = "{\"node\":\"B\"}";
	request.request_id = ids[2];
	stage_ask_as(&s, "gateway", &(const struct msg_actor){ "token", "cd" }, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	stage_ask_as(&s, "gateway", &(const struct msg_actor){ "mcp", "ci" }, &request);
	request.request_id = ids[3];
	stage_ask_as(&s, "gateway", &(const struct msg_actor){ "mcp", "ci" }, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	stage_ask_as(&s, "monitor", NULL, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	stage_ask_as(&s, "llm-router", NULL, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	request.request_id = ids[0];
	stage_ask_as(&s, "llm-router", NULL, &request);
	assert_string_equal(stage_reply(&s)->code, "rate");
	stage_done(&s);
}

/* ── how much is taken in ──────────────────────────────────────────────────────────────────────────────────── */

static void test_waiting(void **unused)
{
	struct stage s;
	char id[16];

	(void)unused;
	stage_init(&s, "");
	for (int i = 0; i < CORE_WAITING_TARGET_MAX; i++) {
		(void)snprintf(id, sizeof(id), "g%d", i);
		stage_ask(&s, id, "guest_shutdown", "{\"guest\":101}");
		assert_int_equal(stage_reply(&s)->status, REPLY_WAITING);
	}
	stage_ask(&s, "g", "guest_suspend", "{\"guest\":101}");
	assert_string_equal(stage_reply(&s)->code, "rate");
	stage_ask(&s, "h", "guest_suspend", "{\"guest\":102}");
	for (int i = CORE_WAITING_TARGET_MAX + 1; i < CORE_WAITING_MAX; i++) {
		(void)snprintf(id, sizeof(id), "t%d", i);
		stage_ask(&s, id, "task_stop", UPID);
		assert_int_equal(stage_reply(&s)->status, REPLY_WAITING);
	}
	stage_ask(&s, "t", "task_stop", UPID);
	assert_non_null(strstr(stage_reply(&s)->text, "decide those first"));
	stage_done(&s);
}

static void remember(struct stage *s, const char *principal, size_t n)
{
	const struct effect_request request = { .principal = principal,
						.request_id = "x",
						.wall_ms = s->w.now.wall_ms };

	while (n--)
		core_load_request(s->core, &request, s->w.now);
}

static void test_too_many_requests(void **unused)
{
	const struct msg_action_request request = stage_request_of("r", "node_list", "{}");
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	remember(&s, "monitor", 24999);
	stage_ask_as(&s, "monitor", NULL, &request);
	assert_int_equal(stage_reply(&s)->status, REPLY_WAITING);
	stage_ask_as(&s, "monitor", NULL,
		     &(const struct msg_action_request){
			     .request_id = "s", .tool = "node_list", .args = "{}" });
	assert_string_equal(stage_reply(&s)->code, "rate");
	stage_ask_as(&s, "llm-router", NULL, &request);
	assert_int_equal(stage_reply(&s)->status, REPLY_WAITING);
	stage_ask(&s, "r", "node_list", "{}");
	assert_int_equal(stage_reply(&s)->status, REPLY_WAITING);
	remember(&s, "gateway", 75000);
	stage_ask(&s, "q", "node_list", "{}");
	assert_string_equal(stage_reply(&s)->code, "rate");
	stage_ask_as(&s, "ha", NULL, &request);
	assert_string_equal(stage_reply(&s)->code, "rate");
	stage_done(&s);
}

static void test_targets(void **unused)
{
	const char *targets[JUDGE_TARGETS_MAX + 1] = { "101", "web" };
	struct msg_action_request request = stage_request_of("r1", "guest_shutdown", "{}");
	const struct msg_guest_state twin = {
		.cluster = "home", .vmid = 120, .name = "db", .node = "b"
	};
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	request.targets = targets;
	request.targets_n = 2;
	stage_ask_as(&s, "gateway", &stage_operator, &request);
	assert_string_equal(stage_reply(&s)->code, "black");
	assert_non_null(strstr(stage_reply(&s)->text, "twice"));
	for (size_t i = 0; i < countof(targets); i++)
		targets[i] = "101";
	request.targets_n = countof(targets);
	request.request_id = "r2";
	stage_ask_as(&s, "gateway", &stage_operator, &request);
	assert_non_null(strstr(stage_reply(&s)->text, "more than 20"));
	gate_world_guest(&s.w, &twin);
	stage_ask(&s, "r3", "guest_shutdown", "{\"guest\":\"db\"}");
	assert_non_null(strstr(stage_reply(&s)->result, "target.ambiguous"));
	stage_ask(&s, "r4", "guest_shutdown", "{\"guest\":\"none\"}");
	assert_non_null(strstr(stage_reply(&s)->result, "target.unknown"));
	stage_done(&s);
}

static void test_no_policy(void **unused)
{
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	core_set_view(s.core, NULL);
	stage_ask(&s, "r1", "node_list", "{}");
	assert_non_null(strstr(stage_reply(&s)->text, "no policy yet"));
	assert_non_null(
		strstr(stage_reply(&s)->result, "\"tier\":\"green\",\"rule\":\"policy.none\""));
	stage_ask(&s, "r1", "no_such_tool", "{}");
	assert_non_null(strstr(stage_reply(&s)->result, "\"tier\":\"black\""));
	core_set_view(s.core, s.w.view);
	core_set_policy(s.core, NULL, "");
	stage_ask(&s, "r1", "node_list", "{}");
	assert_non_null(strstr(stage_reply(&s)->text, "no policy yet"));
	stage_done(&s);
}

/* ── said before ───────────────────────────────────────────────────────────────────────────────────────────── */

static void seen(struct stage *s, const char *id, const char *action, const char *reply)
{
	struct effect_request request = { .principal = "gateway",
					  .request_id = id,
					  .digest = "node_list {}",
					  .action = action,
					  .reply = reply,
					  .wall_ms = s->w.now.wall_ms };

	core_load_request(s->core, &request, s->w.now);
	stage_ask(s, id, "node_list", "{}");
	assert_null(stage_last(s, EFFECT_STORE));
}

static void test_repeated(void **unused)
{
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	seen(&s, "gone", "01HF", NULL);
	assert_string_equal(stage_reply(&s)->code, "gone");
	seen(&s, "rubbish", NULL, "{");
	assert_string_equal(stage_reply(&s)->code, "gone");
	seen(&s, "plain", NULL, "{\"request_id\":\"plain\",\"status\":\"error\"}");
	assert_null(stage_reply(&s)->code);
	/* A refusal is repeated word for word. */
	stage_ask(&s, "no", "guest_destroy", "{}");
	stage_ask(&s, "no", "guest_destroy", "{}");
	assert_string_equal(stage_reply(&s)->code, "black");
	assert_null(stage_last(&s, EFFECT_AUDIT));
	stage_done(&s);
}

/* Without a request id the bytes say what is the same, for five seconds. */
static void test_press(void **unused)
{
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_ask(&s, NULL, "guest_start", "{\"guest\":103}");
	assert_non_null(stage_last(&s, EFFECT_STORE));
	stage_ask(&s, NULL, "guest_start", "{\"guest\":103}");
	assert_null(stage_last(&s, EFFECT_STORE));
	stage_ask(&s, NULL, "guest_snapshot", "{\"guest\":101,\"snapshot\":\"s\"}");
	assert_non_null(stage_last(&s, EFFECT_STORE));
	s.w.now.boot_ms += CORE_PRESS_MS + 1;
	stage_ask(&s, NULL, "guest_start", "{\"guest\":103}");
	assert_non_null(stage_last(&s, EFFECT_STORE));
	stage_ask(&s, NULL, "guest_destroy", "{}");
	assert_null(stage_last(&s, EFFECT_REPLY));
	stage_done(&s);
}

static void storage(struct stage *s, const char *cluster, const char *node)
{
	const struct msg_storage_state doc = { .cluster = cluster,
					       .node = node,
					       .storage = "local" };
	struct topic_args args = { .n = 3 };

	(void)snprintf(args.value[0], sizeof(args.value[0]), "%s", cluster);
	(void)snprintf(args.value[1], sizeof(args.value[1]), "%s", node);
	(void)snprintf(args.value[2], sizeof(args.value[2]), "local");
	view_take(s->w.view, TOPIC_STORAGE_STATE, &args, &doc, false, s->w.now.boot_ms);
}

/* Nodes of one cluster may each have one of that name, and so may clusters: what has to be named is not the same. */
static void test_local_storages(void **unused)
{
	const struct msg_cluster_state lab = { .cluster = "lab" };
	struct topic_args args = { .value = { "lab" }, .n = 1 };
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	storage(&s, "home", "a");
	storage(&s, "home", "b");
	stage_ask(&s, "r1", "storage_content", "{\"storage\":\"local\"}");
	assert_non_null(strstr(stage_reply(&s)->result, "target.ambiguous"));
	assert_non_null(
		strstr(stage_reply(&s)->text, "several nodes of home have a storage local"));
	assert_non_null(strstr(stage_reply(&s)->text, "name the node"));
	stage_ask(&s, "r2", "storage_content", "{\"storage\":\"local\",\"node\":\"b\"}");
	assert_string_equal(stage_state(&s)->steps[0].object, "home/storage/local");
	stage_done(&s);

	stage_init(&s, "");
	storage(&s, "home", "a");
	storage(&s, "lab", "x");
	view_take(s.w.view, TOPIC_CLUSTER_STATE, &args, &lab, false, s.w.now.boot_ms);
	stage_ask(&s, "r1", "storage_content", "{\"storage\":\"local\"}");
	assert_non_null(strstr(stage_reply(&s)->text, "name the cluster"));
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_local_storages), cmocka_unit_test(test_nobody_enrolled),
		cmocka_unit_test(test_runbook),	       cmocka_unit_test(test_rates),
		cmocka_unit_test(test_waiting),	       cmocka_unit_test(test_too_many_requests),
		cmocka_unit_test(test_targets),	       cmocka_unit_test(test_no_policy),
		cmocka_unit_test(test_repeated),       cmocka_unit_test(test_press),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
