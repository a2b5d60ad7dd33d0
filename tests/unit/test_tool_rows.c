/* SPDX-License-Identifier: MIT */
/*
 * A tool is a row in several tables, each where it is used. This says which of them a new one still lacks.
 */
#include "common/tools.h"
#include "services/executor/pve_action.h"
#include "services/executor/run.h"
#include "services/executor/ssh_unit.h"
#include "services/executor/state_tools.h"
#include "services/executor/verify.h"
#include "tests/unit/check.h"

/* Whether the executor answers TOOL from the bus: without a row it says so. */
static bool is_answered(const struct tool *tool)
{
	struct docs *docs = docs_new();
	const struct tool_args args = { .tool = tool };
	const struct state_question question = { .docs = docs, .tool = tool, .args = &args };
	_cleanup_(str_done) struct str out = { 0 };
	struct tool_error error = { "" };

	(void)state_tool_answer(&question, &out, &error);
	docs_free(docs);
	return !strstr(error.text, "is not answered from the bus");
}

static void test_reads(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		const struct tool *tool = &tool_table[i];

		if (tool->tier > TIER_GREEN)
			continue;
		if (tool->verify != VERIFY_NOTHING)
			fail_msg("%s reads: VERIFY must be NOTHING", tool->name);
		if (tool->runner == RUNNER_STATE && !is_answered(tool))
			fail_msg("%s: no row in services/executor/state_tools.c", tool->name);
		if (tool->runner == RUNNER_PVE && !run_reads(tool))
			fail_msg("%s: no row in services/executor/run_read.c", tool->name);
		if (tool->runner == RUNNER_SSH && !run_goes_by_ssh(tool))
			fail_msg("%s: no row in services/executor/ssh_run.c", tool->name);
		if (tool->runner == RUNNER_WOL)
			fail_msg("%s reads, and nothing is read by waking", tool->name);
	}
}

static void test_acts(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		const struct tool *tool = &tool_table[i];

		if (tool->tier == TIER_GREEN)
			continue;
		if (tool->runner == RUNNER_STATE)
			fail_msg("%s acts: its RUNNER cannot be STATE", tool->name);
		if (tool->runner == RUNNER_SSH && !run_goes_by_ssh(tool))
			fail_msg("%s: no row in services/executor/ssh_run.c", tool->name);
		if (tool->runner != RUNNER_SSH && !pve_action_find(tool))
			fail_msg("%s: no row in services/executor/pve_action.c", tool->name);
		if (tool->verify == VERIFY_NOTHING)
			fail_msg("%s acts: VERIFY must not be NOTHING", tool->name);
		if (tool->runner == RUNNER_SSH && tool->verify != VERIFY_COMMAND_OK &&
		    !ssh_unit_knows(tool->verify))
			fail_msg("%s: its VERIFY is not in services/executor/ssh_unit.c",
				 tool->name);
		if (tool->runner != RUNNER_SSH && tool->verify != VERIFY_TASK_OK &&
		    !verify_is_needed(tool))
			fail_msg("%s: no row for its VERIFY in services/executor/verify.c",
				 tool->name);
	}
}

/* What goes through all acting tools begins at the first (tests/reference/judgements.c). */
static void test_order(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		if ((tool_table[i].tier == TIER_GREEN) != (i < TOOL_guest_start))
			fail_msg("%s: reads stand before guest_start in tools.def, all else after",
				 tool_table[i].name);
	}
}

/* What takes service away is never done without a person, and what is lost with a node has a node for its target. */
static void test_impact(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		const struct tool *tool = &tool_table[i];
		const struct tool_arg *target = tool_target(tool);
		bool is_node = target && target->kind == ARG_NODE;

		assert_non_null(tool_impact_word(tool->impact));
		if (tool->impact != IMPACT_KEEPS && tool->tier < TIER_ORANGE)
			fail_msg("%s: what does not KEEP service is at least ORANGE", tool->name);
		if (tool->impact != IMPACT_KEEPS && !target)
			fail_msg("%s: IMPACT is of the target, and it has none", tool->name);
		if (is_node && tool->runner != RUNNER_SSH && tool->tier > TIER_YELLOW &&
		    tool->impact != IMPACT_TAKES_NODE)
			fail_msg("%s: IMPACT of what acts on a node is TAKES_NODE", tool->name);
		if (!is_node && tool->impact == IMPACT_TAKES_NODE)
			fail_msg("%s: IMPACT TAKES_NODE, and its target is no node", tool->name);
		if ((tool->impact == IMPACT_MOVES) != (tool->verify == VERIFY_MOVED))
			fail_msg("%s: IMPACT MOVES is verified as MOVED", tool->name);
	}
}

static void test_words(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < VERIFY_COUNT; i++)
		assert_non_null(tool_verify_text((enum tool_verify)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reads), cmocka_unit_test(test_acts),
		cmocka_unit_test(test_order), cmocka_unit_test(test_impact),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
