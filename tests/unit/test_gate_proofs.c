/* SPDX-License-Identifier: MIT */
/*
 * Proofs: which are looked at, which count as wrong, and what is said of them.
 */
#include "services/safety-gate/core_parts.h"
#include "tests/unit/check.h"
#include "tests/unit/gate_stage.h"

#include <string.h>

static const struct msg_actor guest = { "user", "guest" };
static const struct msg_actor token = { "token", "ci" };

/* Wrong proofs of one are nobody else's. */
static void test_wrong_proofs_of_others(void **unused)
{
	const char *why;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	for (int i = 0; i < 10; i++)
		assert_false(core_proof_counts(s.core, "gateway", "op", PROOF_WRONG, s.w.now, s.out,
					       &why));
	assert_false(core_proof_counts(s.core, "gateway", "op", PROOF_CODE, s.w.now, s.out, &why));
	assert_true(
		core_proof_counts(s.core, "gateway", "guest", PROOF_CODE, s.w.now, s.out, &why));
	assert_true(core_proof_counts(s.core, "other", "op", PROOF_CODE, s.w.now, s.out, &why));
	stage_done(&s);
}

/* What could not be looked at is no attempt, however often; and it is said what it was. */
static void test_no_attempt(void **unused)
{
	static const enum proof_result results[] = { PROOF_FAILED, PROOF_UNREADABLE, PROOF_BUSY };
	_cleanup_(freep) char *id = NULL, *digest = NULL;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	for (size_t i = 0; i < 12 * countof(results); i++) {
		enum proof_result result = results[i % countof(results)];

		stage_decide(&s, id, "approve", digest, result);
		assert_string_equal(stage_reply(&s)->code, result == PROOF_BUSY ? "busy" : "proof");
		assert_string_equal(stage_reply(&s)->text, proof_reason(result));
		assert_null(stage_last(&s, EFFECT_AUDIT));
	}
	stage_decide(&s, id, "approve", digest, PROOF_USED);
	assert_string_equal(stage_reply(&s)->text, proof_reason(PROOF_USED));
	assert_string_equal(stage_last(&s, EFFECT_AUDIT)->name, "wrong_proof");
	stage_decide(&s, id, "approve", digest, PROOF_KEYWORD);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	stage_done(&s);
}

static bool wants(struct stage *s, const char *principal, const struct msg_actor *actor,
		  const char *id, const char *decision, const char *digest)
{
	const struct msg_action_approval approval = {
		.decision = decision, .digest = digest, .person = "op", .actor = actor
	};

	return core_approval_wants_proof(s->core, principal, id, &approval, s->w.now);
}

/* A keyword costs much to look at: first it must be what is missing. */
static void test_wanted_proofs(void **unused)
{
	_cleanup_(freep) char *id = NULL, *digest = NULL;
	const struct msg_autonomy_set freeze = { .op = "freeze" };
	const char *why;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	assert_true(wants(&s, "gateway", &stage_operator, id, "approve", digest));
	assert_false(wants(&s, "gateway", &stage_operator, id, "deny", digest));
	assert_false(wants(&s, "gateway", &stage_operator, id, "cancel", digest));
	assert_false(wants(&s, "gateway", &stage_operator, "none", "approve", digest));
	assert_false(wants(&s, "gateway", &stage_operator, id, "approve", "00"));
	assert_false(wants(&s, "gateway", &token, id, "approve", digest));
	assert_false(wants(&s, "gateway", &guest, id, "approve", digest));
	assert_false(wants(&s, "ha", &stage_operator, id, "approve", digest));
	assert_false(wants(&s, "ha", NULL, id, "approve", digest));
	for (int i = 0; i < 10; i++)
		(void)core_proof_counts(s.core, "gateway", "op", PROOF_WRONG, s.w.now, s.out, &why);
	assert_false(wants(&s, "gateway", &stage_operator, id, "approve", digest));
	s.w.now.boot_ms += 600001;
	/* It has expired, although nobody has looked yet. */
	assert_false(wants(&s, "gateway", &stage_operator, id, "approve", digest));
	free(id);
	free(digest);
	gate_world_poll(&s.w, 3);
	stage_ask(&s, "r2", "guest_shutdown", "{\"guest\":101}");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	assert_true(wants(&s, "gateway", &stage_operator, id, "approve", digest));
	core_autonomy(s.core, "ha", &freeze, PROOF_NONE, s.w.now, s.out);
	assert_false(wants(&s, "gateway", &stage_operator, id, "approve", digest));
	stage_decide(&s, id, "deny", digest, PROOF_FAILED);
	assert_int_equal(stage_state(&s)->status, ACTION_DENIED);
	assert_false(wants(&s, "gateway", &stage_operator, id, "approve", digest));
	stage_done(&s);
}

static bool set_wants(struct stage *s, const char *principal, const struct msg_actor *actor,
		      const char *op, struct opt_i64 level)
{
	const struct msg_autonomy_set set = { .op = op, .level = level, .actor = actor };

	return core_autonomy_wants_proof(s->core, principal, &set, s->w.now);
}

/* A freeze does not wait for a keyword that came with it, nor does less of anything. */
static void test_wanted_codes(void **unused)
{
	const struct opt_i64 none = { 0 };
	const char *why;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	assert_false(set_wants(&s, "gateway", &stage_operator, "freeze", none));
	assert_true(set_wants(&s, "gateway", &stage_operator, "unfreeze", none));
	assert_false(set_wants(&s, "gateway", &token, "unfreeze", none));
	assert_false(set_wants(&s, "gateway", NULL, "unfreeze", none));
	assert_false(set_wants(&s, "ha", NULL, "unfreeze", none));
	assert_true(set_wants(&s, "gateway", &stage_operator, "level", some_i64(3)));
	assert_false(set_wants(&s, "gateway", &stage_operator, "level", some_i64(2)));
	assert_false(set_wants(&s, "gateway", &stage_operator, "level", some_i64(5)));
	assert_false(set_wants(&s, "gateway", &stage_operator, "level", none));
	for (int i = 0; i < 10; i++)
		(void)core_proof_counts(s.core, "gateway", "op", PROOF_WRONG, s.w.now, s.out, &why);
	assert_false(set_wants(&s, "gateway", &stage_operator, "unfreeze", none));
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wrong_proofs_of_others),
		cmocka_unit_test(test_no_attempt),
		cmocka_unit_test(test_wanted_proofs),
		cmocka_unit_test(test_wanted_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
