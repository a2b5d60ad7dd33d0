/* SPDX-License-Identifier: MIT */
/*
 * Two things are not done to one target at once: whoever asks for the second hears at once what is in the way.
 */
#include "common/alloc.h"
#include "tests/unit/check.h"
#include "tests/unit/gate_stage.h"

#include <string.h>

static char *begin(struct stage *s, const char *id, const char *tool, const char *args)
{
	stage_ask(s, id, tool, args);
	assert_int_equal(stage_state(s)->status, ACTION_APPROVED);
	return stage_id_of(s);
}

static void check_busy(const struct stage *s, const char *what)
{
	assert_null(stage_last(s, EFFECT_STORE));
	assert_string_equal(stage_reply(s)->code, "state");
	if (!strstr(stage_reply(s)->result, "\"rule\":\"busy\"") ||
	    !strstr(stage_reply(s)->text, what))
		fail_msg("%s: %s", stage_reply(s)->text, stage_reply(s)->result);
}

static void check_taken(struct stage *s, const char *id, const char *tool, const char *args,
			enum action_status status)
{
	_cleanup_(freep) char *action = NULL;

	stage_ask(s, id, tool, args);
	assert_int_equal(stage_state(s)->status, status);
	action = stage_id_of(s);
	stage_decide(s, action, "cancel", "", PROOF_NONE);
	assert_int_equal(stage_state(s)->status, ACTION_CANCELLED);
}

static void test_requests(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;
	struct msg_grant_payload payload;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	id = begin(&s, "r1", "guest_snapshot", "{\"guest\":101,\"snapshot\":\"s\"}");
	stage_ask(&s, "r2", "guest_snapshot", "{\"guest\":101,\"snapshot\":\"t\"}");
	check_busy(&s, "guest_snapshot of web is about to be done");
	payload = (struct msg_grant_payload){ .id = id,
					      .gid = xstrdup(stage_claim(&s, id)->grant->gid) };
	stage_ask(&s, "r3", "guest_shutdown", "{\"guest\":101}");
	check_busy(&s, "guest_snapshot of web is being done");
	/* It looks, is somewhere else, or has no target. */
	check_taken(&s, "r4", "guest_status", "{\"guest\":101}", ACTION_APPROVED);
	check_taken(&s, "r5", "guest_start", "{\"guest\":103}", ACTION_APPROVED);
	check_taken(&s, "r6", "guest_list", "{}", ACTION_APPROVED);
	stage_report(&s, &payload, STEP_VERIFIED);
	check_taken(&s, "r7", "guest_snapshot", "{\"guest\":101,\"snapshot\":\"t\"}",
		    ACTION_APPROVED);
	free((char *)payload.gid);
	stage_done(&s);
}

/* A node is not taken away from under what happens on it, nor is anything begun on one that goes. */
static void test_nodes(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *guest = NULL, *node = NULL, *digest = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	guest = begin(&s, "r1", "guest_start", "{\"guest\":103}");
	stage_ask(&s, "r2", "node_reboot", "{\"node\":\"b\"}");
	check_busy(&s, "guest_start of ct");
	stage_decide(&s, guest, "cancel", "", PROOF_NONE);
	stage_ask(&s, "r3", "node_reboot", "{\"node\":\"b\"}");
	node = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	/* While it only waits nothing is in anybody's way, and what begins then is in its own. */
	free(take(guest));
	guest = begin(&s, "r4", "guest_start", "{\"guest\":103}");
	stage_decide(&s, node, "approve", digest, PROOF_CODE);
	check_busy(&s, "It waits on, and can be approved later.");
	stage_decide(&s, guest, "cancel", "", PROOF_NONE);
	stage_decide(&s, node, "approve", digest, PROOF_CODE);
	assert_int_equal(stage_state(&s)->status, ACTION_WINDOW);
	stage_ask(&s, "r5", "guest_start", "{\"guest\":103}");
	check_busy(&s, "node_reboot of b is about to be done");
	check_taken(&s, "r6", "guest_snapshot", "{\"guest\":101,\"snapshot\":\"s\"}",
		    ACTION_APPROVED);
	stage_done(&s);
}

/* What is being done goes on when its target is not seen any more; its name is still its own. */
static void test_unseen(void **unused)
{
	const struct topic_args args = { .n = 2, .value = { "home", "103" } };
	struct stage s;
	_cleanup_(freep) char *id = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	id = begin(&s, "r1", "guest_start", "{\"guest\":103}");
	view_take(s.w.view, TOPIC_GUEST_STATE, &args, NULL, false, s.w.now.boot_ms);
	stage_ask(&s, "r2", "node_reboot", "{\"node\":\"b\"}");
	assert_int_equal(stage_state(&s)->status, ACTION_WAITING);
	stage_done(&s);
}

/* What has no target is in nobody's way. */
static void test_no_target(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL, *digest = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "task_stop",
		  "{\"upid\":\"UPID:b:00000001:00000002:65000000:vzdump:102:root@pam:\"}");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	stage_decide(&s, id, "approve", digest, PROOF_KEYWORD);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	check_taken(&s, "r2", "guest_start", "{\"guest\":103}", ACTION_APPROVED);
	stage_done(&s);
}

/* Of several targets one that is done is free again, and one whose turn is still to come is not. */
static void test_several(void **unused)
{
	static const char *targets[] = { "101", "102" };
	struct msg_action_request request =
		stage_request_of("r1", "guest_snapshot", "{\"snapshot\":\"s\"}");
	struct msg_grant_payload payload;
	struct stage s;
	_cleanup_(freep) char *id = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	request.targets = targets;
	request.targets_n = countof(targets);
	stage_ask_as(&s, "gateway", &stage_operator, &request);
	id = stage_id_of(&s);
	payload = (struct msg_grant_payload){ .id = id,
					      .gid = xstrdup(stage_claim(&s, id)->grant->gid) };
	stage_report(&s, &payload, STEP_VERIFIED);
	stage_ask(&s, "r2", "guest_snapshot", "{\"guest\":102,\"snapshot\":\"t\"}");
	check_busy(&s, "guest_snapshot of");
	check_taken(&s, "r3", "guest_snapshot", "{\"guest\":101,\"snapshot\":\"t\"}",
		    ACTION_APPROVED);
	free((char *)payload.gid);
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests), cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_unseen),	 cmocka_unit_test(test_no_target),
		cmocka_unit_test(test_several),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
