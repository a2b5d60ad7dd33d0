/* SPDX-License-Identifier: MIT */
/*
 * Plays of the lab: a fixture, and what a start that goes well is made of.
 */
#include "tests/unit/executor_plays.h"

#include "common/alloc.h"
#include "tests/unit/check.h"

const struct lab_order play_reboot_pve = { "node_reboot", "red",
					   "{\"cluster\":\"home\",\"node\":\"pve\"}",
					   "home/node/pve",
					   "{\"object\":\"home/node/pve\",\"node\":\"pve\","
					   "\"status\":\"online\"}" };

int play_setup(void **state)
{
	struct lab *l = xnew(struct lab);

	lab_init(l, "");
	*state = l;
	return 0;
}

int play_setup_started(void **state)
{
	(void)play_setup(state);
	lab_start(*state);
	return 0;
}

int play_teardown(void **state)
{
	struct lab *l = *state;

	lab_done(l);
	free(l);
	return 0;
}

void play_task_well(struct lab *l)
{
	lab_pass(l, 5000);
	lab_answer(l, LAB_STATUS, PLAY_TASK_OK);
	lab_answer(l, LAB_STATUS, LAB_NONE);
	lab_answer(l, LAB_CURRENT, LAB_RUNNING);
	lab_pass(l, 0);
}

void play_start_101(struct lab *l)
{
	lab_follow_101(l);
	play_task_well(l);
	lab_expect(l, "verified", "Done");
}

void play_expect_trouble(const struct lab *l, const char *words)
{
	if (!words && l->env.trouble)
		fail_msg("%s", l->env.trouble);
	if (words && (!l->env.trouble || !strstr(l->env.trouble, words)))
		fail_msg("not %s: %s", words, l->env.trouble ? l->env.trouble : "none");
}
