/* SPDX-License-Identifier: MIT */
/*
 * The gate's work played again and again, and each time another access to its disk goes wrong, once or for good, up to
 * a power cut. Whatever was told before is there after the next start: every grant has its record and what allowed it,
 * the chain is sound, a freeze holds.
 */
#include "tests/unit/check.h"
#include "tests/unit/faulty_vfs.h"
#include "tests/unit/gate_shell.h"

#include <stdio.h>
#include <string.h>

/* More than the scene has; a loop that gets there does not end by itself. */
#define ACCESSES_MAX 3000

/* What was told. */
struct told {
	char gid[4][40], id[4][40];
	size_t grants_n;
	bool is_frozen;
};

static void copy_value(const char *json, const char *key, char ret[40])
{
	_cleanup_(freep) char *before = xasprintf("\"%s\":\"", key);
	const char *at = strstr(json, before);

	assert_non_null(at);
	at += strlen(before);
	(void)snprintf(ret, 40, "%.*s", (int)strcspn(at, "\""), at);
}

/* The action that was asked for last, "" when it was not told of. */
static void last_id(struct shell *s, char ret[40])
{
	ret[0] = '\0';
	if (shell_last(s, TOPIC_EVENT_ACTION))
		copy_value(strstr(shell_last(s, TOPIC_EVENT_ACTION), "\"after\""), "id", ret);
}

static void claim(struct shell *s, const char *id, struct told *told)
{
	_cleanup_(freep) char *grant = NULL;
	size_t n = told->grants_n;

	shell_again(s);
	shell_claim(s, id);
	grant = shell_grant(s);
	if (!grant)
		return;
	copy_value(grant, "gid", told->gid[n]);
	copy_value(grant, "id", told->id[n]);
	told->grants_n++;
	shell_result(s, id, told->gid[n]);
}

static void play(struct shell *s, struct told *told)
{
	char id[40], code[TOTP_DIGITS + 1];

	if (shell_start(s) < 0)
		return;
	shell_again(s);
	shell_ask(s, "r1", "guest_start", "{\"guest\":103}");
	last_id(s, id);
	claim(s, id, told);
	shell_again(s);
	shell_ask(s, "r2", "guest_stop", "{\"guest\":102}");
	last_id(s, id);
	shell_code(s, code);
	/* What was told of may have been forgotten since. */
	if (core_find(s->gate->core, id))
		shell_decide(s, id, "approve", NULL, code);
	shell_tick(s, 2000);
	shell_tick(s, 2000);
	shell_tick(s, 2000);
	shell_tick(s, 2000);
	shell_tick(s, 2400);
	claim(s, id, told);
	shell_set(s, "f", "freeze", NULL);
	told->is_frozen = shell_autonomy(s)->frozen;
	shell_stop(s);
}

/* As much as the scene has when nothing fails. */
static void is_whole(const struct told *told)
{
	assert_int_equal(told->grants_n, 2);
	assert_true(told->is_frozen);
}

static void check(struct shell *s, const struct told *told, const struct faulty_plan *plan)
{
	int r = shell_start(s);
	const struct msg_autonomy_state *autonomy;

	if (r < 0)
		fail_msg("%s %u%s: does not start", faulty_vfs_name(plan->fault), plan->at,
			 plan->is_sticky ? " and all that follow" : "");
	autonomy = shell_autonomy(s);
	if (autonomy->unfit)
		fail_msg("%s %u: %s", faulty_vfs_name(plan->fault), plan->at, autonomy->unfit);
	assert_true(autonomy->frozen >= told->is_frozen);
	shell_verify(s);
	for (size_t i = 0; i < told->grants_n; i++) {
		if (shell_records(s, "granted", told->gid[i]) != 1)
			fail_msg("%s %u: a grant without a record", faulty_vfs_name(plan->fault),
				 plan->at);
		assert_int_equal(shell_records(s, i ? "approved" : "allowed", told->id[i]), 1);
		/* And no second one. */
		shell_again(s);
		shell_claim(s, told->id[i]);
		assert_null(shell_grant(s));
	}
	shell_stop(s);
}

/* True when it struck. */
static bool once(struct faulty_plan plan)
{
	struct told told = { .grants_n = 0 };
	struct shell s;
	bool has_struck;

	shell_init(&s);
	faulty_vfs_arm(plan);
	play(&s, &told);
	has_struck = faulty_vfs_disarm() > 0;
	if (!has_struck)
		is_whole(&told);
	check(&s, &told, &plan);
	shell_done(&s);
	return has_struck;
}

static void sweep(enum fault_kind fault, unsigned stride)
{
	unsigned runs = 0;

	for (int is_sticky = 0; is_sticky < 2; is_sticky++) {
		unsigned at = 1;

		for (; once((struct faulty_plan){ fault, at, is_sticky }); at += stride)
			assert_true(++runs < ACCESSES_MAX);
	}
	assert_true(runs > 0);
	print_message("%s: %u runs\n", faulty_vfs_name(fault), runs);
}

#define SWEEP(name, fault, stride)                                                                 \
	static void test_##name(void **unused)                                                     \
	{                                                                                          \
		(void)unused;                                                                      \
		sweep(fault, stride);                                                              \
	}

SWEEP(write, FAULT_WRITE, 3)
SWEEP(torn, FAULT_TORN, 3)
SWEEP(disk_full, FAULT_DISK_FULL, 3)
SWEEP(sync, FAULT_SYNC, 1)
SWEEP(busy, FAULT_BUSY, 7)
SWEEP(power, FAULT_POWER, 1)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),	  cmocka_unit_test(test_torn),
		cmocka_unit_test(test_disk_full), cmocka_unit_test(test_sync),
		cmocka_unit_test(test_busy),	  cmocka_unit_test(test_power),
	};

	faulty_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
