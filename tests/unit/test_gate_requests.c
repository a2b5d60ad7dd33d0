/* SPDX-License-Identifier: MIT */
/*
 * Requests at their edges: who asks, how much is taken in, what was said before.
 */
#include "tests/unit/check.h"
#include "tests/unit/gate_stage.h"

#include "common/codec.h"

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
	assert_null(core_settings(s.core, s.w.now)->unfit_agents);
	core_set_policy_bad(s.core, true);
	stage_ask_as(&s, "monitor", NULL, &request);
	assert_string_equal(stage_reply(&s)->code, "policy");
	/* It is said, to whoever wonders why agents do nothing. */
	assert_non_null(
		strstr(stage_reply(&s)->text, core_settings(s.core, s.w.now)->unfit_agents));
	assert_null(core_settings(s.core, s.w.now)->unfit);
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
	static const char *const nodes[] = { "b", "d", "e", "f", "g" };
	struct msg_action_request request = stage_request_of("", "node_wake", "{\"node\":\"b\"}");
	struct stage s;

	(void)unused;
	stage_init(&s, "safety_gate: {yellow_rate: 1}\n");
	for (size_t i = 0; i < countof(nodes); i++)
		gate_world_node(&s.w, nodes[i], NODE_OFFLINE);
	core_load_settings(s.core, &(const struct msg_autonomy_state){ .level = 3 }, 0);
	request.request_id = ids[0];
	stage_ask_as(&s, "gateway", &token, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	request.request_id = ids[1];
	stage_ask_as(&s, "gateway", &token, &request);
	assert_string_equal(stage_reply(&s)->code, "rate");
	stage_ask_as(&s, "gateway", &(const struct msg_actor){ "token", "cd" }, &request);
	assert_string_equal(stage_reply(&s)->code, "rate");
	request.args = "{\"node\":\"D\"}";
	request.request_id = ids[2];
	stage_ask_as(&s, "gateway", &(const struct msg_actor){ "token", "cd" }, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	stage_ask_as(&s, "gateway", &(const struct msg_actor){ "mcp", "ci" }, &request);
	request.request_id = ids[3];
	request.args = "{\"node\":\"e\"}";
	stage_ask_as(&s, "gateway", &(const struct msg_actor){ "mcp", "ci" }, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	request.args = "{\"node\":\"f\"}";
	stage_ask_as(&s, "monitor", NULL, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	request.args = "{\"node\":\"g\"}";
	stage_ask_as(&s, "llm-router", NULL, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	request.request_id = ids[0];
	stage_ask_as(&s, "llm-router", NULL, &request);
	assert_string_equal(stage_reply(&s)->code, "rate");
	stage_done(&s);
}

/* By ACTOR, on a guest of its own. */
static const char *snapshot_as(struct stage *s, const char *principal,
			       const struct msg_actor *actor, int number)
{
	char id[16] = "", args[64] = "";
	struct msg_action_request request = stage_request_of(id, "guest_snapshot", args);
	const struct msg_guest_state target = { .cluster = "home",
						.ts = s->w.now.wall_ms,
						.vmid = 500 + number,
						.name = id,
						.type = GUEST_QEMU,
						.node = "a",
						.status = GUEST_RUNNING };

	(void)snprintf(id, sizeof(id), "n%d", number);
	(void)snprintf(args, sizeof(args), "{\"guest\":%d,\"snapshot\":\"x\"}", 500 + number);
	gate_world_guest(&s->w, &target);
	stage_ask_as(s, principal, actor, &request);
	return stage_reply(s)->status == REPLY_DENIED ? stage_reply(s)->code : "begun";
}

/* Whoever can make up names has the rate of one person for all of them; who is enrolled is not held up by that. */
static void test_made_up_names(void **unused)
{
	static const char *const kinds[][2] = { { "user", "user" }, { "token", "mcp" } };
	int number = 0;

	(void)unused;
	for (size_t k = 0; k < countof(kinds); k++) {
		const struct msg_actor other = { kinds[!k][0], "other" };
		struct stage s;

		stage_init(&s, "safety_gate: {yellow_rate: 1}\n");
		core_load_settings(s.core, &(const struct msg_autonomy_state){ .level = 3 }, 0);
		for (int i = 0; i < 8; i++) {
			char name[24];
			const struct msg_actor actor = { kinds[k][i & 1], name };

			(void)snprintf(name, sizeof(name), "nobody-%d", i);
			assert_string_equal(snapshot_as(&s, "gateway", &actor, number++),
					    i < 6 ? "begun" : "rate");
		}
		assert_string_equal(snapshot_as(&s, "gateway", &stage_operator, number++), "begun");
		/* Persons are not held up by tokens, nor tokens by persons. */
		assert_string_equal(snapshot_as(&s, "gateway", &other, number++), "begun");
		stage_done(&s);
	}
}

/* Nor is anything gained by approving in made-up names what was asked for before. */
static void test_made_up_approvers(void **unused)
{
	static const char *const askers[] = { "gateway", "gateway", "gateway",	 "gateway",
					      "gateway", "monitor", "llm-router" };
	char ids[7][32], digests[7][65], name[24];
	const struct msg_actor asker = { "token", name }, approver = { "user", name };
	struct stage s;

	(void)unused;
	stage_init(&s, "safety_gate: {yellow_rate: 1}\n");
	for (int i = 0; i < 7; i++) {
		/* Each asks for as much as it may. */
		(void)snprintf(name, sizeof(name), "t%d", i);
		assert_string_equal(snapshot_as(&s, askers[i], i < 5 ? &asker : NULL, i), "begun");
		assert_int_equal(stage_state(&s)->status, ACTION_WAITING);
		(void)snprintf(ids[i], sizeof(ids[i]), "%s", stage_state(&s)->id);
		(void)snprintf(digests[i], sizeof(digests[i]), "%s", stage_state(&s)->digest);
	}
	for (int i = 0; i < 7; i++) {
		const struct msg_action_approval approval = { .request_id = "d",
							      .decision = "approve",
							      .digest = digests[i],
							      .actor = &approver };

		(void)snprintf(name, sizeof(name), "nobody-%d", i);
		stage_again(&s);
		core_approval(s.core, "gateway", ids[i], &approval, PROOF_NONE, s.w.now, s.out);
		if (i < 6)
			assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
		else
			assert_string_equal(stage_reply(&s)->code, "rate");
	}
	stage_done(&s);
}

/* What an enrolled person approves is theirs, and not that of those who are not. */
static void test_enrolled_approver(void **unused)
{
	struct stage s;

	(void)unused;
	stage_init(&s, "safety_gate: {yellow_rate: 1}\n");
	for (int i = 0; i < 7; i++) {
		_cleanup_(freep) char *id = NULL, *digest = NULL;

		if (i)
			assert_string_equal(snapshot_as(&s, "gateway", &guest, i), "begun");
		else
			assert_string_equal(snapshot_as(&s, "monitor", NULL, i), "begun");
		if (stage_state(&s)->status != ACTION_WAITING)
			continue;
		id = stage_id_of(&s);
		digest = xstrdup(stage_state(&s)->digest);
		stage_decide(&s, id, "approve", digest, PROOF_NONE);
		assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	}
	assert_string_equal(snapshot_as(&s, "gateway", &guest, 7), "rate");
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

/* What others ask for keeps others from asking, and no person. */
static void test_waiting_of_others(void **unused)
{
	struct msg_action_request request =
		stage_request_of("", "guest_shutdown", "{\"guest\":101}");
	struct stage s;
	char id[16];

	(void)unused;
	stage_init(&s, "");
	request.request_id = id;
	for (int i = 0; i < CORE_WAITING_TARGET_MAX; i++) {
		(void)snprintf(id, sizeof(id), "o%d", i);
		stage_ask_as(&s, i ? "llm-router" : "gateway", i ? NULL : &token, &request);
		assert_int_equal(stage_reply(&s)->status, REPLY_WAITING);
	}
	(void)snprintf(id, sizeof(id), "other");
	stage_ask_as(&s, "monitor", NULL, &request);
	assert_string_equal(stage_reply(&s)->code, "rate");
	stage_ask_as(&s, "gateway", &stage_operator, &request);
	assert_int_equal(stage_reply(&s)->status, REPLY_WAITING);
	stage_done(&s);
}

static void remember(struct stage *s, const char *principal, const char *actor, size_t n)
{
	const struct effect_request request = { .principal = principal,
						.actor = actor,
						.request_id = "x",
						.wall_ms = s->w.now.wall_ms,
						.kept_ms = CORE_REQUEST_KEPT_MS };

	while (n--)
		core_load_request(s->core, &request, s->w.now);
}

static enum reply_status read_as(struct stage *s, const char *principal,
				 const struct msg_actor *actor, const char *id)
{
	const struct msg_action_request request = stage_request_of(id, "node_list", "{}");

	stage_ask_as(s, principal, actor, &request);
	if (stage_reply(s)->status == REPLY_DENIED)
		assert_string_equal(stage_reply(s)->code, "rate");
	return stage_reply(s)->status;
}

/* Each asker has a share, and what all the others have used up is not taken from persons. */
static void test_too_many_requests(void **unused)
{
	static const struct msg_actor other = { "token", "cd" }, person = { "user", "ci" };
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	remember(&s, "monitor", "", 24999);
	assert_int_equal(read_as(&s, "monitor", NULL, "a"), REPLY_WAITING);
	assert_int_equal(read_as(&s, "monitor", NULL, "b"), REPLY_DENIED);
	assert_int_equal(read_as(&s, "monitor", &person, "b"), REPLY_DENIED);
	assert_int_equal(read_as(&s, "llm-router", NULL, "c"), REPLY_WAITING);
	remember(&s, "gateway", "token ci", 25000);
	assert_int_equal(read_as(&s, "gateway", &token, "d"), REPLY_DENIED);
	assert_int_equal(read_as(&s, "gateway", &other, "e"), REPLY_WAITING);
	assert_int_equal(read_as(&s, "gateway", &person, "f"), REPLY_WAITING);
	remember(&s, "ha", "", 24997);
	assert_int_equal(read_as(&s, "ha", NULL, "g"), REPLY_DENIED);
	assert_int_equal(read_as(&s, "gateway", &other, "h"), REPLY_DENIED);
	assert_int_equal(read_as(&s, "gateway", &person, "i"), REPLY_WAITING);
	remember(&s, "gateway", "user op", 24999);
	assert_int_equal(read_as(&s, "gateway", &person, "j"), REPLY_DENIED);
	stage_done(&s);
}

/* A token that reads without end is told to wait, nobody else is, and it is not for long. */
static void test_polling(void **unused)
{
	struct stage s;
	char id[16];

	(void)unused;
	stage_init(&s, "");
	for (int i = 0; i < 25000; i++) {
		(void)snprintf(id, sizeof(id), "r%d", i);
		core_load_request(s.core,
				  &(const struct effect_request){ .principal = "gateway",
								  .actor = "token ci",
								  .request_id = id,
								  .wall_ms = s.w.now.wall_ms,
								  .kept_ms = 190000 },
				  s.w.now);
	}
	assert_int_equal(read_as(&s, "gateway", &token, "a"), REPLY_DENIED);
	assert_int_equal(read_as(&s, "gateway", &stage_operator, "b"), REPLY_WAITING);
	s.w.now.boot_ms += 190001;
	core_tick(s.core, s.w.now, s.out);
	assert_int_equal(read_as(&s, "gateway", &token, "c"), REPLY_WAITING);
	stage_done(&s);
}

static int64_t kept_ms(const struct stage *s)
{
	return stage_last(s, EFFECT_REQUEST)->request->kept_ms;
}

/* Kept as long as it matters that it is not done twice. */
static void test_kept(void **unused)
{
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_ask(&s, "a", "node_list", "{}");
	assert_in_range(kept_ms(&s), CORE_CLAIM_MS, 5 * 60000);
	assert_string_equal(stage_last(&s, EFFECT_REQUEST)->request->actor, "user op");
	stage_ask(&s, "b", "guest_destroy", "{}");
	assert_int_equal(kept_ms(&s), CORE_REFUSED_KEPT_MS);
	stage_ask(&s, "c", "guest_start", "{\"guest\":103}");
	assert_int_equal(kept_ms(&s), CORE_REQUEST_KEPT_MS);
	stage_ask(&s, "", "guest_suspend", "{\"guest\":101}");
	assert_int_equal(kept_ms(&s), CORE_PRESS_MS);
	s.w.now.boot_ms += CORE_REFUSED_KEPT_MS + 1;
	core_tick(s.core, s.w.now, s.out);
	stage_ask(&s, "b", "guest_destroy", "{}");
	assert_non_null(stage_last(&s, EFFECT_AUDIT));
	stage_ask(&s, "a", "node_list", "{}");
	assert_non_null(stage_last(&s, EFFECT_AUDIT));
	stage_ask(&s, "c", "guest_start", "{\"guest\":103}");
	assert_null(stage_last(&s, EFFECT_AUDIT));
	s.w.now.boot_ms += CORE_REQUEST_KEPT_MS;
	core_tick(s.core, s.w.now, s.out);
	stage_ask(&s, "c", "guest_start", "{\"guest\":103}");
	assert_non_null(stage_last(&s, EFFECT_AUDIT));
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
					  .actor = "user op",
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
	stage_ask(&s, NULL, "guest_status", "{\"guest\":103}");
	assert_non_null(stage_last(&s, EFFECT_STORE));
	stage_ask(&s, NULL, "guest_status", "{\"guest\":103}");
	assert_null(stage_last(&s, EFFECT_STORE));
	stage_ask(&s, NULL, "guest_snapshot", "{\"guest\":101,\"snapshot\":\"s\"}");
	assert_non_null(stage_last(&s, EFFECT_STORE));
	s.w.now.boot_ms += CORE_PRESS_MS + 1;
	stage_ask(&s, NULL, "guest_status", "{\"guest\":103}");
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

/* ── only judged ───────────────────────────────────────────────────────────────────────────────────────────── */

static const struct msg_action_verdict *dry_as(struct stage *s, const char *principal,
					       const struct msg_actor *actor,
					       struct msg_action_request request)
{
	const struct msg_reply *reply;
	struct codec_error error;
	void *verdict;

	request.dry_run = some_bool(true);
	stage_ask_as(s, principal, actor, &request);
	/* Whatever is said, it is all that happens. */
	assert_int_equal(s->out->n, 1);
	reply = stage_reply(s);
	assert_int_equal(reply->status, REPLY_OK);
	assert_int_equal(codec_decode(&message_action_verdict, reply->result, strlen(reply->result),
				      JSON_STATE, CODEC_STRICT, s->out->arena, &verdict, &error),
			 0);
	assert_true(((const struct msg_action_verdict *)verdict)->dry_run);
	return verdict;
}

static const struct msg_action_verdict *dry(struct stage *s, const char *tool, const char *args)
{
	return dry_as(s, "gateway", &stage_operator, stage_request_of("dry", tool, args));
}

static void test_dry_decisions(void **unused)
{
	static const struct {
		const char *tool, *args, *rule, *verify;
		enum action_decision decision;
		enum tier tier;
		enum action_need need;
	} cases[] = {
		{ "guest_status", "{\"guest\":101}", "tier.green", "nothing: it only reads",
		  ACTION_ALLOW, TIER_GREEN, ACTION_NEEDS_NOTHING },
		{ "guest_start", "{\"guest\":103}", NULL, "that it runs", ACTION_ALLOW, TIER_YELLOW,
		  ACTION_NEEDS_NOTHING },
		{ "guest_shutdown", "{\"guest\":101}", NULL, "that it is stopped", ACTION_ASK,
		  TIER_ORANGE, ACTION_NEEDS_KEYWORD },
		{ "guest_stop", "{\"guest\":101}", NULL, "that it is stopped", ACTION_ASK, TIER_RED,
		  ACTION_NEEDS_CODE },
		{ "guest_start", "{\"guest\":101}", "state.status", "that it runs", ACTION_STATE,
		  TIER_YELLOW, ACTION_NEEDS_NOTHING },
		{ "guest_destroy", "{}", "tool.unknown", NULL, ACTION_REFUSE, TIER_BLACK,
		  ACTION_NEEDS_NOTHING },
		{ "guest_start", "{\"guest\":103,\"force\":true}", "arguments", "that it runs",
		  ACTION_REFUSE, TIER_BLACK, ACTION_NEEDS_NOTHING },
		{ "guest_start", "{\"guest\":4711}", "target.unknown", "that it runs",
		  ACTION_REFUSE, TIER_BLACK, ACTION_NEEDS_NOTHING },
	};
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	for (size_t i = 0; i < countof(cases); i++) {
		const struct msg_action_verdict *v = dry(&s, cases[i].tool, cases[i].args);

		assert_int_equal(v->decision, cases[i].decision);
		assert_int_equal(v->tier, cases[i].tier);
		assert_int_equal(v->need, cases[i].need);
		assert_true(str_eq_null(v->verify, cases[i].verify));
		if (cases[i].rule)
			assert_string_equal(v->rule, cases[i].rule);
		assert_non_null(v->reason);
		assert_int_equal(v->steps_n, v->tier == TIER_BLACK ? 0 : 1);
	}
	stage_done(&s);
}

/* What is only judged counts for nothing, and is judged by all that counts. */
static void test_dry_leaves_nothing(void **unused)
{
	struct msg_action_request request = stage_request_of("r", "guest_start", "{\"guest\":103}");
	const struct msg_action_verdict *v;
	struct stage s;
	char id[16];

	(void)unused;
	stage_init(&s, "safety_gate: {yellow_rate: 1}\n");
	core_load_settings(s.core, &(const struct msg_autonomy_state){ .level = 3 }, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(dry_as(&s, "gateway", &token, request)->decision, ACTION_ALLOW);
	/* The id is still to be had. */
	stage_ask_as(&s, "gateway", &token, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	v = dry_as(&s, "gateway", &token, request);
	assert_int_equal(v->decision, ACTION_REFUSE);
	assert_true(str_starts(v->rule, "rate."));
	for (int i = 0; i < CORE_WAITING_TARGET_MAX; i++) {
		(void)snprintf(id, sizeof(id), "g%d", i);
		stage_ask(&s, id, "guest_shutdown", "{\"guest\":101}");
	}
	v = dry(&s, "guest_shutdown", "{\"guest\":101}");
	assert_int_equal(v->decision, ACTION_REFUSE);
	assert_string_equal(v->rule, "waiting");
	request = stage_request_of("dry", "guest_stop", "{\"guest\":102}");
	request.confirmed = some_bool(false);
	assert_string_equal(dry_as(&s, "gateway", &stage_operator, request)->rule, "unconfirmed");
	/* What is being done already is in the way. */
	v = dry(&s, "guest_start", "{\"guest\":103}");
	assert_int_equal(v->decision, ACTION_STATE);
	assert_string_equal(v->rule, "busy");
	/* For an agent by the level. */
	request = stage_request_of("dry", "guest_snapshot", "{\"guest\":102,\"snapshot\":\"s\"}");
	core_load_settings(s.core, &(const struct msg_autonomy_state){ .level = 2 }, 0);
	assert_int_equal(dry_as(&s, "monitor", NULL, request)->decision, ACTION_ASK);
	core_load_settings(s.core, &(const struct msg_autonomy_state){ .level = 2, .frozen = true },
			   0);
	assert_string_equal(dry(&s, "guest_shutdown", "{\"guest\":102}")->rule, "frozen");
	assert_int_equal(dry(&s, "guest_status", "{\"guest\":101}")->decision, ACTION_ALLOW);
	stage_done(&s);
}

/* Several targets are judged as one, in their order; nobody who did not say an id is answered. */
static void test_dry_targets(void **unused)
{
	static const char *targets[] = { "102", "101" };
	struct msg_action_request request = stage_request_of("dry", "guest_shutdown", "{}");
	const struct msg_action_verdict *v;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	request.targets = targets;
	request.targets_n = countof(targets);
	v = dry_as(&s, "gateway", &stage_operator, request);
	assert_int_equal(v->decision, ACTION_ASK);
	assert_int_equal(v->steps_n, 2);
	assert_string_equal(v->steps[0].object, "home/guest/102");
	assert_non_null(v->steps[1].name);
	request.request_id = NULL;
	request.dry_run = some_bool(true);
	stage_ask_as(&s, "nodered", NULL, &request);
	assert_int_equal(s.out->n, 0);
	/* To say that it is meant is to ask. */
	request.request_id = "meant";
	request.dry_run = some_bool(false);
	stage_ask_as(&s, "gateway", &stage_operator, &request);
	assert_int_equal(stage_reply(&s)->status, REPLY_WAITING);
	/* What could not be judged is told as ever. */
	request.dry_run = some_bool(true);
	core_set_policy(s.core, NULL, "policy");
	request.request_id = "dry";
	stage_ask_as(&s, "gateway", &stage_operator, &request);
	assert_int_equal(stage_reply(&s)->status, REPLY_DENIED);
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_local_storages),	  cmocka_unit_test(test_nobody_enrolled),
		cmocka_unit_test(test_runbook),		  cmocka_unit_test(test_rates),
		cmocka_unit_test(test_waiting),		  cmocka_unit_test(test_too_many_requests),
		cmocka_unit_test(test_waiting_of_others), cmocka_unit_test(test_made_up_names),
		cmocka_unit_test(test_made_up_approvers), cmocka_unit_test(test_enrolled_approver),
		cmocka_unit_test(test_polling),		  cmocka_unit_test(test_kept),
		cmocka_unit_test(test_targets),		  cmocka_unit_test(test_no_policy),
		cmocka_unit_test(test_repeated),	  cmocka_unit_test(test_press),
		cmocka_unit_test(test_dry_decisions),	  cmocka_unit_test(test_dry_leaves_nothing),
		cmocka_unit_test(test_dry_targets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
