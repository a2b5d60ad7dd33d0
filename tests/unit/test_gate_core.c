/* SPDX-License-Identifier: MIT */
/*
 * Actions from request to outcome, with a clock of our own and no disk, bus or key.
 */
#include "tests/unit/check.h"
#include "tests/unit/gate_stage.h"

#include "common/grant.h"

#include <stdio.h>
#include <string.h>

/* ── scenes ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_yellow(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;
	const struct effect *grant;
	struct msg_grant_payload payload;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	assert_int_equal(stage_last(&s, EFFECT_EPOCH)->epoch->epoch, 1);
	stage_ask(&s, "r1", "guest_start", "{\"guest\":\"ct\"}");
	id = stage_id_of(&s);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	assert_int_equal(stage_reply(&s)->status, REPLY_WAITING);
	assert_string_equal(stage_state(&s)->steps[0].object, "home/guest/103");
	assert_string_equal(stage_state(&s)->steps[0].args, "{\"cluster\":\"home\",\"guest\":103}");
	grant = stage_claim(&s, id);
	assert_non_null(grant->grant);
	assert_string_equal(grant->grant->target->type, "lxc");
	assert_string_equal(grant->grant->target->status, "stopped");
	assert_string_equal(grant->grant->args, "{\"cluster\":\"home\",\"guest\":103}");
	assert_string_equal(grant->grant->nonce, STAGE_NONCE);
	payload = (struct msg_grant_payload){ .id = id, .gid = xstrdup(grant->grant->gid) };
	/* A second claim of the same has nothing. */
	assert_null(stage_claim(&s, id)->grant);
	assert_null(stage_last(&s, EFFECT_STORE));
	/* A stranger's report is none. */
	stage_report(&s, &(struct msg_grant_payload){ .id = id, .gid = "ff" }, STEP_VERIFIED);
	assert_int_equal(s.out->n, 0);
	stage_report(&s, &payload, STEP_VERIFIED);
	assert_int_equal(stage_state(&s)->status, ACTION_VERIFIED);
	assert_int_equal(stage_reply(&s)->status, REPLY_OK);
	assert_non_null(strstr(stage_reply(&s)->result, "\"content\":{\"x\":1}"));
	/* The same request again: the same answer, no second action. */
	stage_ask(&s, "r1", "guest_start", "{\"guest\":\"ct\"}");
	assert_null(stage_last(&s, EFFECT_STORE));
	assert_int_equal(stage_reply(&s)->status, REPLY_OK);
	stage_ask(&s, "r1", "guest_start", "{\"guest\":102}");
	assert_string_equal(stage_reply(&s)->code, "conflict");
	/* A second report of the same is none. */
	stage_report(&s, &payload, STEP_FAILED);
	assert_int_equal(s.out->n, 0);
	free((char *)payload.gid);
	stage_done(&s);
}

/* What a person ended has not failed; it was not done either. */
static void test_cancelled(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;
	struct msg_grant_payload payload = { 0 };

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_start", "{\"guest\":\"ct\"}");
	id = stage_id_of(&s);
	payload = *stage_claim(&s, id)->grant;
	payload.gid = xstrdup(payload.gid);
	payload.id = id;
	stage_decide(&s, id, "cancel", "", PROOF_NONE);
	assert_int_equal(stage_state(&s)->status, ACTION_RUNNING);
	stage_report(&s, &payload, STEP_CANCELLED);
	assert_int_equal(stage_state(&s)->status, ACTION_CANCELLED);
	assert_int_equal(stage_state(&s)->steps[0].status, STEP_CANCELLED);
	assert_non_null(strstr(stage_reply(&s)->result, "\"is_error\":true"));
	free((char *)payload.gid);
	stage_done(&s);
}

static void test_orange(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;
	_cleanup_(freep) char *digest = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	assert_int_equal(stage_state(&s)->status, ACTION_WAITING);
	assert_int_equal(strlen(digest), 64);
	assert_null(stage_claim(&s, id)->grant);
	stage_decide(&s, id, "approve", STAGE_NONCE, PROOF_KEYWORD);
	assert_string_equal(stage_reply(&s)->code, "digest");
	stage_decide(&s, id, "approve", digest, PROOF_WRONG);
	assert_string_equal(stage_reply(&s)->code, "proof");
	assert_string_equal(stage_last(&s, EFFECT_AUDIT)->name, "wrong_proof");
	stage_decide(&s, id, "approve", digest, PROOF_NONE);
	assert_string_equal(stage_reply(&s)->code, "proof");
	stage_decide(&s, id, "approve", digest, PROOF_KEYWORD);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	assert_string_equal(stage_state(&s)->approved_by, "op");
	stage_decide(&s, id, "approve", digest, PROOF_KEYWORD);
	assert_string_equal(stage_reply(&s)->code, "state");
	assert_non_null(stage_claim(&s, id)->grant);
	stage_done(&s);
}

static void test_red_window(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;
	_cleanup_(freep) char *digest = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_stop", "{\"guest\":101}");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	stage_decide(&s, id, "approve", digest, PROOF_KEYWORD);
	assert_string_equal(stage_reply(&s)->code, "proof");
	stage_decide(&s, id, "approve", digest, PROOF_CODE);
	assert_int_equal(stage_state(&s)->status, ACTION_WINDOW);
	assert_null(stage_claim(&s, id)->grant);
	stage_again(&s);
	s.w.now.boot_ms += CORE_WINDOW_MS - 1;
	core_tick(s.core, s.w.now, s.out);
	assert_int_equal(s.out->n, 0);
	assert_int_equal(core_next(s.core), s.w.now.boot_ms + 1);
	s.w.now.boot_ms++;
	core_tick(s.core, s.w.now, s.out);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	stage_decide(&s, id, "cancel", digest, PROOF_NONE);
	assert_int_equal(stage_state(&s)->status, ACTION_CANCELLED);
	assert_null(stage_claim(&s, id)->grant);
	stage_done(&s);
}

static void test_expiry(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = stage_id_of(&s);
	stage_again(&s);
	s.w.now.boot_ms += 300000;
	core_tick(s.core, s.w.now, s.out);
	assert_int_equal(stage_state(&s)->status, ACTION_EXPIRED);
	assert_int_equal(stage_reply(&s)->status, REPLY_ERROR);
	stage_ask(&s, "r2", "guest_start", "{\"guest\":103}");
	assert_string_equal(stage_reply(&s)->code, "state"); /* nobody polled since */
	gate_world_poll(&s.w, 3);
	stage_ask(&s, "r3", "guest_start", "{\"guest\":103}");
	stage_again(&s);
	s.w.now.boot_ms += CORE_CLAIM_MS;
	core_tick(s.core, s.w.now, s.out);
	assert_int_equal(stage_state(&s)->status, ACTION_EXPIRED);
	stage_done(&s);
}

/* What was approved is judged once more when it is taken up. */
static void test_changed_before_claim(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;
	struct msg_guest_state guest = { .cluster = "home",
					 .vmid = 103,
					 .name = "ct",
					 .type = GUEST_LXC,
					 .node = "b",
					 .status = GUEST_STOPPED,
					 .lock = "backup" };

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_start", "{\"guest\":103}");
	id = stage_id_of(&s);
	gate_world_guest(&s.w, &guest);
	assert_null(stage_claim(&s, id)->grant);
	assert_int_equal(stage_state(&s)->status, ACTION_FAILED);
	assert_int_equal(stage_reply(&s)->status, REPLY_ERROR);
	stage_done(&s);
}

static void test_freeze(void **unused)
{
	const struct msg_autonomy_set freeze = { .op = "freeze" };
	struct msg_autonomy_set unfreeze = { .request_id = "u",
					     .op = "unfreeze",
					     .actor = &stage_operator };
	struct stage s;
	_cleanup_(freep) char *id = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_start", "{\"guest\":103}");
	id = stage_id_of(&s);
	stage_again(&s);
	core_autonomy(s.core, "homeassistant", &freeze, PROOF_NONE, s.w.now, s.out);
	assert_true(core_is_frozen(s.core));
	assert_non_null(stage_last(&s, EFFECT_SETTINGS));
	assert_int_equal(stage_state(&s)->status, ACTION_CANCELLED);
	assert_null(stage_claim(&s, id)->grant);
	stage_ask(&s, "r2", "guest_start", "{\"guest\":103}");
	assert_string_equal(stage_reply(&s)->code, "policy");
	stage_ask(&s, "r3", "guest_status", "{\"guest\":103}");
	assert_int_equal(stage_reply(&s)->status, REPLY_WAITING);
	stage_again(&s);
	core_autonomy(s.core, "gateway", &unfreeze, PROOF_KEYWORD, s.w.now, s.out);
	assert_string_equal(stage_reply(&s)->code, "proof");
	assert_true(core_is_frozen(s.core));
	unfreeze.actor = NULL;
	core_autonomy(s.core, "homeassistant", &unfreeze, PROOF_CODE, s.w.now, s.out);
	assert_true(core_is_frozen(s.core));
	unfreeze.actor = &stage_operator;
	core_autonomy(s.core, "gateway", &unfreeze, PROOF_CODE, s.w.now, s.out);
	assert_false(core_is_frozen(s.core));
	stage_done(&s);
}

static void test_level(void **unused)
{
	struct msg_autonomy_set set = {
		.request_id = "l", .op = "level", .level = some_i64(1), .actor = &stage_operator
	};
	struct msg_action_request request = { .request_id = "m",
					      .tool = "guest_start",
					      .args = "{\"guest\":103}",
					      .runbook = "start" };
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	core_autonomy(s.core, "gateway", &set, PROOF_NONE, s.w.now, s.out);
	assert_int_equal(core_settings(s.core, s.w.now)->level, 1);
	set.level.v = 3;
	stage_again(&s);
	core_autonomy(s.core, "gateway", &set, PROOF_NONE, s.w.now, s.out);
	assert_string_equal(stage_reply(&s)->code, "proof");
	/* Observing and advising binds runbooks too. */
	stage_hello(&s);
	stage_again(&s);
	core_request(s.core, "monitor", &request, "x", s.w.now, s.out);
	assert_non_null(strstr(stage_reply(&s)->result, "\"rule\":\"level\""));
	/* A shipped runbook has its own level, and loses it when it fails. */
	set.level.v = 2;
	core_autonomy(s.core, "gateway", &set, PROOF_CODE, s.w.now, s.out);
	stage_again(&s);
	request.request_id = "m2";
	core_request(s.core, "monitor", &request, "x", s.w.now, s.out);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	{
		_cleanup_(freep) char *id = stage_id_of(&s);
		const struct effect *grant = stage_claim(&s, id);
		struct msg_grant_payload payload = { .id = id, .gid = xstrdup(grant->grant->gid) };

		stage_report(&s, &payload, STEP_STILL_FAILING);
		free((char *)payload.gid);
	}
	assert_int_equal(stage_state(&s)->status, ACTION_STILL_FAILING);
	assert_int_equal(core_settings(s.core, s.w.now)->runbooks[0].value, 2);
	stage_done(&s);
}

/* What binds a runbook: all levels there may be, of all and of its own (-1: none was set). */
static void test_runbook_levels(void **unused)
{
	const struct msg_action_request request = { .request_id = "m",
						    .tool = "guest_start",
						    .args = "{\"guest\":103}",
						    .runbook = "start" };

	(void)unused;
	for (int level = 0; level <= 4; level++) {
		for (int own = -1; own <= 4; own++) {
			const struct num_entry entry = { "start", own };
			const struct msg_autonomy_state settings = { .level = level,
								     .runbooks = &entry,
								     .runbooks_n = own >= 0 };
			int effective = level <= 1 ? level : own < 0 ? 3 : own;
			struct stage s;

			stage_init(&s, "");
			core_load_settings(s.core, &settings, 0);
			core_request(s.core, "monitor", &request, "x", s.w.now, s.out);
			if (effective <= 1)
				assert_string_equal(stage_reply(&s)->code, "policy");
			else
				assert_int_equal(stage_state(&s)->status,
						 effective == 2 ? ACTION_WAITING : ACTION_APPROVED);
			stage_done(&s);
		}
	}
}

/* Of a runbook's own level less needs nothing and more a code, also while another level binds it. */
static void test_own_level(void **unused)
{
	struct msg_autonomy_set set = { .request_id = "l",
					.op = "level",
					.level = some_i64(2),
					.runbook = "start",
					.actor = &stage_operator };
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	core_load_settings(s.core, &(const struct msg_autonomy_state){ .level = 0 }, 0);
	core_autonomy(s.core, "gateway", &set, PROOF_NONE, s.w.now, s.out);
	assert_int_equal(stage_reply(&s)->status, REPLY_OK);
	assert_int_equal(core_settings(s.core, s.w.now)->runbooks[0].value, 2);
	set.level.v = 3;
	core_autonomy(s.core, "gateway", &set, PROOF_NONE, s.w.now, s.out);
	assert_string_equal(stage_reply(&s)->code, "proof");
	stage_done(&s);
}

static void test_batch(void **unused)
{
	const char *const targets[] = { "101", "db" };
	struct msg_action_request request = stage_request_of("b", "guest_shutdown", "{}");
	struct stage s;
	_cleanup_(freep) char *id = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	request.targets = targets;
	request.targets_n = 2;
	core_request(s.core, "gateway", &request, "x", s.w.now, s.out);
	id = stage_id_of(&s);
	assert_int_equal(stage_state(&s)->steps_n, 2);
	{
		_cleanup_(freep) char *digest = xstrdup(stage_state(&s)->digest);

		stage_decide(&s, id, "approve", digest, PROOF_KEYWORD);
	}
	for (int i = 0; i < 2; i++) {
		const struct effect *grant = stage_claim(&s, id);
		struct msg_grant_payload payload = { .id = id,
						     .gid = xstrdup(grant->grant->gid),
						     .step = i };

		assert_int_equal(grant->grant->step, i);
		stage_report(&s, &payload, i ? STEP_FAILED : STEP_VERIFIED);
		free((char *)payload.gid);
		assert_int_equal(stage_state(&s)->status, i ? ACTION_FAILED : ACTION_APPROVED);
	}
	assert_string_equal(stage_state(&s)->summary, "1 of 2 done; after that: detail");
	stage_done(&s);
}

static void test_strangers(void **unused)
{
	struct msg_action_request request = stage_request_of("b", "guest_start", "{\"guest\":103}");
	const struct msg_actor liar = { "root", "op" };
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	core_request(s.core, "llm-router", &request, "x", s.w.now, s.out);
	assert_string_equal(stage_reply(&s)->code, "black");
	request.actor = NULL;
	request.request_id = "c";
	core_request(s.core, "gateway", &request, "x", s.w.now, s.out);
	assert_string_equal(stage_reply(&s)->code, "black");
	request.actor = &liar;
	request.request_id = "d";
	core_request(s.core, "gateway", &request, "x", s.w.now, s.out);
	assert_string_equal(stage_reply(&s)->code, "black");
	request.actor = NULL;
	request.request_id = "e";
	core_request(s.core, "executor", &request, "x", s.w.now, s.out);
	assert_string_equal(stage_reply(&s)->code, "black");
	stage_ask(&s, "f", "guest_destroy", "{\"guest\":103}");
	assert_string_equal(stage_reply(&s)->code, "black");
	assert_null(stage_last(&s, EFFECT_STORE));
	stage_done(&s);
}

/* A gate that starts again knows what it was told. */
static void test_restart(void **unused)
{
	struct stage s, t;
	_cleanup_(freep) char *id = NULL;
	_cleanup_(freep) char *digest = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_init(&t, "");
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	core_load_settings(t.core, core_settings(s.core, s.w.now), 7);
	core_load_action(t.core, stage_last(&s, EFFECT_STORE)->record, t.w.now);
	core_load_request(t.core, stage_last(&s, EFFECT_REQUEST)->request, t.w.now);
	stage_ask(&t, "r1", "guest_shutdown", "{\"guest\":101}");
	assert_null(stage_last(&t, EFFECT_STORE));
	assert_int_equal(stage_reply(&t)->status, REPLY_WAITING);
	stage_decide(&t, id, "approve", digest, PROOF_KEYWORD);
	assert_int_equal(stage_state(&t)->status, ACTION_APPROVED);
	stage_hello(&t);
	assert_int_equal(stage_last(&t, EFFECT_EPOCH)->epoch->epoch, 8);
	/* An executor from before is not heard. */
	t.epoch = 7;
	assert_null(stage_claim(&t, id)->grant);
	stage_done(&s);
	stage_done(&t);
}

static void test_clock_step(void **unused)
{
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	stage_again(&s);
	s.w.now.wall_ms += 3600000;
	core_clock_step(s.core, s.w.now, s.out);
	assert_int_equal(stage_state(&s)->status, ACTION_EXPIRED);
	stage_done(&s);
}

static void test_wrong_proofs(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;
	_cleanup_(freep) char *digest = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	for (int i = 0; i < 10; i++)
		stage_decide(&s, id, "approve", digest, PROOF_WRONG);
	stage_decide(&s, id, "approve", digest, PROOF_KEYWORD);
	assert_string_equal(stage_reply(&s)->code, "proof");
	s.w.now.boot_ms += 600001;
	s.w.now.wall_ms += 600001;
	gate_world_poll(&s.w, 3);
	stage_ask(&s, "r2", "guest_shutdown", "{\"guest\":101}");
	free(id);
	free(digest);
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	stage_decide(&s, id, "approve", digest, PROOF_KEYWORD);
	assert_int_equal(stage_reply(&s)->status, REPLY_OK);
	stage_done(&s);
}

/* An executor that says hello and does not hold a grant that is out will never report it. */
static void test_forgotten(void **unused)
{
	struct stage s;
	const struct effect *grant;
	_cleanup_(freep) char *id = NULL, *gid = NULL;
	const char *holds[EXECUTOR_HOLDS_MAX];
	struct msg_executor_hello said = { .nonce = STAGE_NONCE, .holds = holds, .holds_n = 1 };

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_start", "{\"guest\":\"ct\"}");
	id = stage_id_of(&s);
	grant = stage_claim(&s, id);
	gid = xstrdup(grant->grant->gid);
	holds[0] = gid;
	stage_again(&s);
	core_hello(s.core, &said, s.w.now, s.out);
	assert_null(stage_last(&s, EFFECT_STORE));
	/* A full list may not be all. */
	for (size_t i = 0; i < EXECUTOR_HOLDS_MAX; i++)
		holds[i] = "ff";
	said.nonce = "01";
	said.holds_n = EXECUTOR_HOLDS_MAX;
	stage_again(&s);
	core_hello(s.core, &said, s.w.now, s.out);
	assert_null(stage_last(&s, EFFECT_STORE));
	stage_hello(&s);
	assert_int_equal(stage_state(&s)->status, ACTION_UNKNOWN);
	assert_int_equal(stage_last(&s, EFFECT_EPOCH)->epoch->epoch, 4);
	stage_report(&s, &(struct msg_grant_payload){ .id = id, .gid = gid }, STEP_VERIFIED);
	assert_int_equal(s.out->n, 0);
	stage_done(&s);
}

/* Loaded while it ran, after something was heard of it: its deadline is that of its tool, not a day. */
static void test_running_restart(void **unused)
{
	struct stage s, t;
	const struct effect *grant;
	_cleanup_(freep) char *id = NULL;
	struct msg_action_progress progress = { .line = "on its way", .upid = "UPID:x" };

	(void)unused;
	stage_init(&s, "");
	stage_init(&t, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_start", "{\"guest\":\"ct\"}");
	id = stage_id_of(&s);
	grant = stage_claim(&s, id);
	progress.id = id;
	progress.gid = grant->grant->gid;
	{
		_cleanup_(freep) char *gid = xstrdup(progress.gid);

		progress.gid = gid;
		stage_again(&s);
		core_progress(s.core, &progress, s.w.now, s.out);
	}
	assert_false(stage_state(&s)->until_ms.has);
	core_load_action(t.core, stage_last(&s, EFFECT_STORE)->record, t.w.now);
	assert_int_equal(core_next(t.core) - t.w.now.boot_ms, (120 + 60) * 1000);
	stage_done(&s);
	stage_done(&t);
}

/* Two names of one guest are one target. */
static void test_two_names(void **unused)
{
	static const char *const targets[] = { "103", "ct" };
	struct stage s;
	struct msg_action_request request = stage_request_of("r1", "guest_start", "{}");

	(void)unused;
	stage_init(&s, "");
	request.targets = targets;
	request.targets_n = countof(targets);
	stage_again(&s);
	core_request(s.core, "gateway", &request, "digest", s.w.now, s.out);
	assert_int_equal(stage_reply(&s)->status, REPLY_DENIED);
	assert_non_null(strstr(stage_reply(&s)->result, "\"rule\":\"targets\""));
	assert_non_null(strstr(stage_reply(&s)->result, "\"blocked\":true"));
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yellow),
		cmocka_unit_test(test_orange),
		cmocka_unit_test(test_cancelled),
		cmocka_unit_test(test_red_window),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_freeze),
		cmocka_unit_test(test_changed_before_claim),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_runbook_levels),
		cmocka_unit_test(test_own_level),
		cmocka_unit_test(test_batch),
		cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_clock_step),
		cmocka_unit_test(test_wrong_proofs),
		cmocka_unit_test(test_forgotten),
		cmocka_unit_test(test_running_restart),
		cmocka_unit_test(test_two_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
