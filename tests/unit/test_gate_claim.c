/* SPDX-License-Identifier: MIT */
/*
 * Between approval and claim: what was approved at one tier is not done at a higher one, by as little as one and
 * whoever approved it.
 */
#include "tests/unit/check.h"
#include "tests/unit/gate_stage.h"

#include <string.h>

static void test_one_tier_higher(void **unused)
{
	const struct msg_guest_state locked = { .cluster = "home",
						.vmid = 101,
						.name = "web",
						.type = GUEST_QEMU,
						.node = "a",
						.status = GUEST_RUNNING,
						.lock = "backup" };
	struct stage s;
	_cleanup_(freep) char *id = NULL, *digest = NULL;
	const struct effect *effect;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	stage_decide(&s, id, "approve", digest, GRADE_KEYWORD);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	gate_world_guest(&s.w, &locked);
	effect = stage_claim(&s, id);
	assert_null(effect->grant);
	assert_non_null(strstr(effect->text, "It has become red since"));
	assert_int_equal(stage_state(&s)->status, ACTION_FAILED);
	stage_done(&s);
}

/* The same without a change is granted: it is the change that stops it. */
static void test_unchanged(void **unused)
{
	struct stage s;
	_cleanup_(freep) char *id = NULL, *digest = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	stage_decide(&s, id, "approve", digest, GRADE_KEYWORD);
	assert_non_null(stage_claim(&s, id)->grant);
	stage_done(&s);
}

/* A code or keyword typed while all is frozen approves nothing that would begin when it is not any more. */
static void test_approved_while_frozen(void **unused)
{
	const struct msg_autonomy_set freeze = { .op = "freeze" };
	struct stage s;
	_cleanup_(freep) char *id = NULL, *digest = NULL;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	stage_again(&s);
	core_autonomy(s.core, "gateway", &freeze, GRADE_NONE, s.w.now, s.out);
	stage_decide(&s, id, "approve", digest, GRADE_CODE);
	assert_string_equal(stage_reply(&s)->code, "frozen");
	assert_int_equal(core_find(s.core, id)->state->status, ACTION_WAITING);
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_tier_higher),
		cmocka_unit_test(test_unchanged),
		cmocka_unit_test(test_approved_while_frozen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
