/* SPDX-License-Identifier: MIT */
/*
 * Actions from request to outcome, with a clock of our own and no disk, bus or key.
 */
#include "tests/unit/check.h"
#include "tests/unit/gate_world.h"

#include <stdio.h>
#include <string.h>

#define NONCE "0000000000000000000000000000000000000000000000000000000000000000"

static const struct msg_actor operator= { "user", "op" };
static const struct core_person persons[] = { { "op", true, true } };

struct stage {
	struct gate_world w;
	struct core *core;
	struct effects *out;
	unsigned next;
};

static void counting_bytes(void *ctx, void *out, size_t n)
{
	struct stage *s = ctx;

	memset(out, 0, n);
	memcpy(out, &s->next, min_of(n, sizeof(s->next)));
	s->next++;
}

static void stage_init(struct stage *s, const char *config)
{
	*s = (struct stage){ .next = 1 };
	gate_world_init(&s->w, config);
	s->core = core_new(&(struct core_random){ counting_bytes, s });
	core_set_policy(s->core, s->w.config, "policy");
	core_set_view(s->core, s->w.view);
	core_set_persons(s->core, persons, countof(persons));
	s->out = effects_new();
}

static void stage_done(struct stage *s)
{
	effects_free(s->out);
	core_free(s->core);
	gate_world_done(&s->w);
}

static void again(struct stage *s)
{
	effects_free(s->out);
	s->out = effects_new();
}

/* The last effect of KIND in this step; NULL when there is none. */
static const struct effect *last(const struct stage *s, enum effect_kind kind)
{
	for (size_t i = s->out->n; i-- > 0;) {
		if (s->out->list[i].kind == kind)
			return &s->out->list[i];
	}
	return NULL;
}

static const struct msg_reply *reply(const struct stage *s)
{
	const struct effect *effect = last(s, EFFECT_REPLY);

	assert_non_null(effect);
	return effect->reply;
}

static const struct msg_action_state *state(const struct stage *s)
{
	const struct effect *effect = last(s, EFFECT_STORE);

	assert_non_null(effect);
	return effect->record->state;
}

/* No effect before its audit: a record of what happens always stands first. */
static void check_audited(const struct stage *s)
{
	bool audited = false;

	for (size_t i = 0; i < s->out->n; i++) {
		if (s->out->list[i].kind == EFFECT_AUDIT)
			audited = true;
		else if (s->out->list[i].kind == EFFECT_GRANT && s->out->list[i].grant)
			assert_true(audited);
	}
}

static struct msg_action_request request_of(const char *id, const char *tool, const char *args)
{
	return (struct msg_action_request){ .request_id = id,
					    .tool = tool,
					    .args = args,
					    .confirmed = some_bool(true),
					    .actor = &operator};
}

static void ask(struct stage *s, const char *id, const char *tool, const char *args)
{
	const struct msg_action_request request = request_of(id, tool, args);
	char digest[65];

	again(s);
	(void)snprintf(digest, sizeof(digest), "%s %s", tool, args);
	core_request(s->core, "gateway", &request, digest, s->w.now, s->out);
}

static void hello(struct stage *s)
{
	const struct msg_executor_hello said = { .nonce = NONCE };

	again(s);
	core_hello(s->core, &said, s->w.now, s->out);
}

static const struct effect *claim(struct stage *s, const char *id)
{
	const struct msg_grant_claim said = { id, NONCE,
					      s->core ? last(s, EFFECT_EPOCH) ? 0 : 1 : 1 };

	again(s);
	core_claim(s->core, &said, s->w.now, s->out);
	check_audited(s);
	return last(s, EFFECT_GRANT);
}

static void report(struct stage *s, const struct msg_grant_payload *grant, enum step_status outcome)
{
	const struct msg_action_result result = { .id = grant->id,
						  .step = grant->step,
						  .gid = grant->gid,
						  .outcome = outcome,
						  .detail = "detail",
						  .content = "{\"x\":1}" };

	again(s);
	core_result(s->core, &result, s->w.now, s->out);
}

static void decide(struct stage *s, const char *id, const char *decision, const char *digest,
		   enum proof_grade proof)
{
	const struct msg_action_approval approval = { .request_id = "d",
						      .decision = decision,
						      .digest = digest,
						      .person = "op",
						      .actor = &operator};

	again(s);
	core_approval(s->core, "gateway", id, &approval, proof, s->w.now, s->out);
}

static char *id_of(const struct stage *s)
{
	return xstrdup(state(s)->id);
}

/* ── scenes ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_yellow(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;
	const struct effect *grant;
	struct msg_grant_payload payload;

	(void)unused;
	stage_init(&s, "");
	hello(&s);
	assert_int_equal(last(&s, EFFECT_EPOCH)->epoch->epoch, 1);
	ask(&s, "r1", "guest_start", "{\"guest\":\"ct\"}");
	id = id_of(&s);
	assert_int_equal(state(&s)->status, ACTION_APPROVED);
	assert_int_equal(reply(&s)->status, REPLY_WAITING);
	assert_string_equal(state(&s)->steps[0].object, "home/guest/103");
	assert_string_equal(state(&s)->steps[0].args, "{\"cluster\":\"home\",\"guest\":103}");
	grant = claim(&s, id);
	assert_non_null(grant->grant);
	assert_string_equal(grant->grant->target->type, "lxc");
	assert_string_equal(grant->grant->target->status, "stopped");
	assert_string_equal(grant->grant->args, "{\"cluster\":\"home\",\"guest\":103}");
	assert_string_equal(grant->grant->nonce, NONCE);
	payload = (struct msg_grant_payload){ .id = id, .gid = xstrdup(grant->grant->gid) };
	/* A second claim of the same has nothing. */
	assert_null(claim(&s, id)->grant);
	assert_null(last(&s, EFFECT_STORE));
	/* A stranger's report is none. */
	report(&s, &(struct msg_grant_payload){ .id = id, .gid = "ff" }, STEP_VERIFIED);
	assert_int_equal(s.out->n, 0);
	report(&s, &payload, STEP_VERIFIED);
	assert_int_equal(state(&s)->status, ACTION_VERIFIED);
	assert_int_equal(reply(&s)->status, REPLY_OK);
	assert_non_null(strstr(reply(&s)->result, "\"content\":{\"x\":1}"));
	/* The same request again: the same answer, no second action. */
	ask(&s, "r1", "guest_start", "{\"guest\":\"ct\"}");
	assert_null(last(&s, EFFECT_STORE));
	assert_int_equal(reply(&s)->status, REPLY_OK);
	ask(&s, "r1", "guest_start", "{\"guest\":102}");
	assert_string_equal(reply(&s)->code, "conflict");
	/* A second report of the same is none. */
	report(&s, &payload, STEP_FAILED);
	assert_int_equal(s.out->n, 0);
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
	hello(&s);
	ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = id_of(&s);
	digest = xstrdup(state(&s)->digest);
	assert_int_equal(state(&s)->status, ACTION_WAITING);
	assert_int_equal(strlen(digest), 64);
	assert_null(claim(&s, id)->grant);
	decide(&s, id, "approve", NONCE, GRADE_KEYWORD);
	assert_string_equal(reply(&s)->code, "digest");
	decide(&s, id, "approve", digest, GRADE_BAD);
	assert_string_equal(reply(&s)->code, "proof");
	assert_string_equal(last(&s, EFFECT_AUDIT)->name, "wrong_proof");
	decide(&s, id, "approve", digest, GRADE_NONE);
	assert_string_equal(reply(&s)->code, "proof");
	decide(&s, id, "approve", digest, GRADE_KEYWORD);
	assert_int_equal(state(&s)->status, ACTION_APPROVED);
	assert_string_equal(state(&s)->approved_by, "op");
	decide(&s, id, "approve", digest, GRADE_KEYWORD);
	assert_string_equal(reply(&s)->code, "state");
	assert_non_null(claim(&s, id)->grant);
	stage_done(&s);
}

static void test_red_window(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;
	_cleanup_(freep) char *digest = NULL;

	(void)unused;
	stage_init(&s, "");
	hello(&s);
	ask(&s, "r1", "guest_stop", "{\"guest\":101}");
	id = id_of(&s);
	digest = xstrdup(state(&s)->digest);
	decide(&s, id, "approve", digest, GRADE_KEYWORD);
	assert_string_equal(reply(&s)->code, "proof");
	decide(&s, id, "approve", digest, GRADE_CODE);
	assert_int_equal(state(&s)->status, ACTION_WINDOW);
	assert_null(claim(&s, id)->grant);
	again(&s);
	s.w.now.boot_ms += CORE_WINDOW_MS - 1;
	core_tick(s.core, s.w.now, s.out);
	assert_int_equal(s.out->n, 0);
	assert_int_equal(core_next(s.core), s.w.now.boot_ms + 1);
	s.w.now.boot_ms++;
	core_tick(s.core, s.w.now, s.out);
	assert_int_equal(state(&s)->status, ACTION_APPROVED);
	decide(&s, id, "cancel", digest, GRADE_NONE);
	assert_int_equal(state(&s)->status, ACTION_CANCELLED);
	assert_null(claim(&s, id)->grant);
	stage_done(&s);
}

static void test_expiry(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;

	(void)unused;
	stage_init(&s, "");
	ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = id_of(&s);
	again(&s);
	s.w.now.boot_ms += 300000;
	core_tick(s.core, s.w.now, s.out);
	assert_int_equal(state(&s)->status, ACTION_EXPIRED);
	assert_int_equal(reply(&s)->status, REPLY_ERROR);
	ask(&s, "r2", "guest_start", "{\"guest\":103}");
	assert_string_equal(reply(&s)->code, "state"); /* nobody polled since */
	gate_world_poll(&s.w, 3);
	ask(&s, "r3", "guest_start", "{\"guest\":103}");
	again(&s);
	s.w.now.boot_ms += CORE_CLAIM_MS;
	core_tick(s.core, s.w.now, s.out);
	assert_int_equal(state(&s)->status, ACTION_EXPIRED);
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
	hello(&s);
	ask(&s, "r1", "guest_start", "{\"guest\":103}");
	id = id_of(&s);
	gate_world_guest(&s.w, &guest);
	assert_null(claim(&s, id)->grant);
	assert_int_equal(state(&s)->status, ACTION_FAILED);
	assert_int_equal(reply(&s)->status, REPLY_ERROR);
	stage_done(&s);
}

static void test_freeze(void **unused)
{
	const struct msg_autonomy_set freeze = { .op = "freeze" };
	struct msg_autonomy_set unfreeze = {
		.request_id = "u", .op = "unfreeze", .actor = &operator};
	struct stage s;
	_cleanup_(freep) char *id = NULL;

	(void)unused;
	stage_init(&s, "");
	hello(&s);
	ask(&s, "r1", "guest_start", "{\"guest\":103}");
	id = id_of(&s);
	again(&s);
	core_autonomy(s.core, "homeassistant", &freeze, GRADE_NONE, s.w.now, s.out);
	assert_true(core_is_frozen(s.core));
	assert_non_null(last(&s, EFFECT_SETTINGS));
	assert_int_equal(state(&s)->status, ACTION_CANCELLED);
	assert_null(claim(&s, id)->grant);
	ask(&s, "r2", "guest_start", "{\"guest\":103}");
	assert_string_equal(reply(&s)->code, "policy");
	ask(&s, "r3", "guest_status", "{\"guest\":103}");
	assert_int_equal(reply(&s)->status, REPLY_WAITING);
	again(&s);
	core_autonomy(s.core, "gateway", &unfreeze, GRADE_KEYWORD, s.w.now, s.out);
	assert_string_equal(reply(&s)->code, "proof");
	assert_true(core_is_frozen(s.core));
	unfreeze.actor = NULL;
	core_autonomy(s.core, "homeassistant", &unfreeze, GRADE_CODE, s.w.now, s.out);
	assert_true(core_is_frozen(s.core));
	unfreeze.actor = &operator;
	core_autonomy(s.core, "gateway", &unfreeze, GRADE_CODE, s.w.now, s.out);
	assert_false(core_is_frozen(s.core));
	stage_done(&s);
}

static void test_level(void **unused)
{
	struct msg_autonomy_set set = {
		.request_id = "l", .op = "level", .level = some_i64(1), .actor = &operator};
	const struct msg_action_request request = { .request_id = "m",
						    .tool = "guest_start",
						    .args = "{\"guest\":103}",
						    .runbook = "start" };
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	core_autonomy(s.core, "gateway", &set, GRADE_NONE, s.w.now, s.out);
	assert_int_equal(core_settings(s.core, s.w.now)->level, 1);
	set.level.v = 3;
	again(&s);
	core_autonomy(s.core, "gateway", &set, GRADE_NONE, s.w.now, s.out);
	assert_string_equal(reply(&s)->code, "proof");
	/* A shipped runbook has its own level, and loses it when it fails. */
	hello(&s);
	again(&s);
	core_request(s.core, "monitor", &request, "x", s.w.now, s.out);
	assert_int_equal(state(&s)->status, ACTION_APPROVED);
	{
		_cleanup_(freep) char *id = id_of(&s);
		const struct effect *grant = claim(&s, id);
		struct msg_grant_payload payload = { .id = id, .gid = xstrdup(grant->grant->gid) };

		report(&s, &payload, STEP_STILL_FAILING);
		free((char *)payload.gid);
	}
	assert_int_equal(state(&s)->status, ACTION_STILL_FAILING);
	assert_int_equal(core_settings(s.core, s.w.now)->runbooks[0].value, 2);
	stage_done(&s);
}

static void test_batch(void **unused)
{
	const char *const targets[] = { "101", "db" };
	struct msg_action_request request = request_of("b", "guest_shutdown", "{}");
	struct stage s;
	_cleanup_(freep) char *id = NULL;

	(void)unused;
	stage_init(&s, "");
	hello(&s);
	request.targets = targets;
	request.targets_n = 2;
	core_request(s.core, "gateway", &request, "x", s.w.now, s.out);
	id = id_of(&s);
	assert_int_equal(state(&s)->steps_n, 2);
	{
		_cleanup_(freep) char *digest = xstrdup(state(&s)->digest);

		decide(&s, id, "approve", digest, GRADE_KEYWORD);
	}
	for (int i = 0; i < 2; i++) {
		const struct effect *grant = claim(&s, id);
		struct msg_grant_payload payload = { .id = id,
						     .gid = xstrdup(grant->grant->gid),
						     .step = i };

		assert_int_equal(grant->grant->step, i);
		report(&s, &payload, i ? STEP_FAILED : STEP_VERIFIED);
		free((char *)payload.gid);
		assert_int_equal(state(&s)->status, i ? ACTION_FAILED : ACTION_APPROVED);
	}
	stage_done(&s);
}

static void test_strangers(void **unused)
{
	struct msg_action_request request = request_of("b", "guest_start", "{\"guest\":103}");
	const struct msg_actor liar = { "root", "op" };
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	core_request(s.core, "llm-router", &request, "x", s.w.now, s.out);
	assert_string_equal(reply(&s)->code, "black");
	request.actor = NULL;
	request.request_id = "c";
	core_request(s.core, "gateway", &request, "x", s.w.now, s.out);
	assert_string_equal(reply(&s)->code, "black");
	request.actor = &liar;
	request.request_id = "d";
	core_request(s.core, "gateway", &request, "x", s.w.now, s.out);
	assert_string_equal(reply(&s)->code, "black");
	request.actor = NULL;
	request.request_id = "e";
	core_request(s.core, "executor", &request, "x", s.w.now, s.out);
	assert_string_equal(reply(&s)->code, "black");
	ask(&s, "f", "guest_destroy", "{\"guest\":103}");
	assert_string_equal(reply(&s)->code, "black");
	assert_null(last(&s, EFFECT_STORE));
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
	ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = id_of(&s);
	digest = xstrdup(state(&s)->digest);
	core_load_settings(t.core, core_settings(s.core, s.w.now), 7);
	core_load_action(t.core, last(&s, EFFECT_STORE)->record, t.w.now);
	core_load_request(t.core, last(&s, EFFECT_REQUEST)->request, t.w.now);
	ask(&t, "r1", "guest_shutdown", "{\"guest\":101}");
	assert_null(last(&t, EFFECT_STORE));
	assert_int_equal(reply(&t)->status, REPLY_WAITING);
	decide(&t, id, "approve", digest, GRADE_KEYWORD);
	assert_int_equal(state(&t)->status, ACTION_APPROVED);
	hello(&t);
	assert_int_equal(last(&t, EFFECT_EPOCH)->epoch->epoch, 8);
	/* An executor from before is not heard. */
	assert_null(claim(&t, id)->grant);
	stage_done(&s);
	stage_done(&t);
}

static void test_clock_step(void **unused)
{
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	again(&s);
	s.w.now.wall_ms += 3600000;
	core_clock_step(s.core, s.w.now, s.out);
	assert_int_equal(state(&s)->status, ACTION_EXPIRED);
	stage_done(&s);
}

static void test_wrong_proofs(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL;
	_cleanup_(freep) char *digest = NULL;

	(void)unused;
	stage_init(&s, "");
	ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = id_of(&s);
	digest = xstrdup(state(&s)->digest);
	for (int i = 0; i < 10; i++)
		decide(&s, id, "approve", digest, GRADE_BAD);
	decide(&s, id, "approve", digest, GRADE_KEYWORD);
	assert_string_equal(reply(&s)->code, "proof");
	s.w.now.boot_ms += 600001;
	s.w.now.wall_ms += 600001;
	gate_world_poll(&s.w, 3);
	ask(&s, "r2", "guest_shutdown", "{\"guest\":101}");
	free(id);
	free(digest);
	id = id_of(&s);
	digest = xstrdup(state(&s)->digest);
	decide(&s, id, "approve", digest, GRADE_KEYWORD);
	assert_int_equal(reply(&s)->status, REPLY_OK);
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_yellow),	   cmocka_unit_test(test_orange),
		cmocka_unit_test(test_red_window), cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_freeze),	   cmocka_unit_test(test_changed_before_claim),
		cmocka_unit_test(test_level),	   cmocka_unit_test(test_batch),
		cmocka_unit_test(test_strangers),  cmocka_unit_test(test_restart),
		cmocka_unit_test(test_clock_step), cmocka_unit_test(test_wrong_proofs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
