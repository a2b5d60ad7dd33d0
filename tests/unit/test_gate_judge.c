/* SPDX-License-Identifier: MIT */
/*
 * Judgements, a row each: who asks for what, in which surroundings, and what comes of it.
 */
#include "tests/unit/check.h"
#include "tests/unit/gate_world.h"

#include <errno.h>
#include <string.h>

struct row {
	const char *config; /* beside the world's own */
	enum who who;
	const char *principal, *tool, *args;
	int level;
	bool confirmed, frozen;
	const char *unfit;
	enum tier tier;
	enum decision decision;
	enum need need;
	const char *rule;
};

#define PERSON WHO_PERSON, "gateway"
#define AGENT WHO_AGENT, "monitor"
#define REMOTE WHO_REMOTE, "ha"
/* clang-format off */
#define HA "principals: {ha: {class: remote, tools: [guest_start, guest_status, guest_stop], " \
	   "targets: [home/guest/103, home/guest/101]}}\n"
/* clang-format on */
#define SELF "self: {cluster: home, node: a, vmid: 101}\n"

static const struct row rows[] = {
	/* green */
	{ "", AGENT, "guest_status", "{\"guest\":101}", 0, false, true, "full", TIER_GREEN,
	  DECISION_ALLOW, NEED_NOTHING, "tier.green" },
	{ HA, REMOTE, "guest_status", "{\"guest\":\"web\"}", 0, .tier = TIER_GREEN,
	  .rule = "tier.green" },
	{ HA, REMOTE, "guest_status", "{\"guest\":102}", 0, .tier = TIER_GREEN,
	  .decision = DECISION_REFUSE, .rule = "principal.targets" },
	{ HA, REMOTE, "node_list", "{}", 0, .decision = DECISION_REFUSE,
	  .rule = "principal.tools" },
	{ "", REMOTE, "node_list", "{}", 0, .decision = DECISION_REFUSE,
	  .rule = "principal.unknown" },
	/* yellow */
	{ "", PERSON, "guest_start", "{\"guest\":103}", 0, .tier = TIER_YELLOW,
	  .rule = "tier.person" },
	{ "", AGENT, "guest_start", "{\"guest\":103}", 3, .tier = TIER_YELLOW, .rule = "level" },
	{ "", AGENT, "guest_start", "{\"guest\":103}", 2, .tier = TIER_YELLOW,
	  .decision = DECISION_ASK, .rule = "level" },
	{ "", AGENT, "guest_start", "{\"guest\":103}", 1, .tier = TIER_YELLOW,
	  .decision = DECISION_REFUSE, .rule = "level" },
	{ HA, REMOTE, "guest_start", "{\"guest\":103}", 4, .tier = TIER_YELLOW,
	  .decision = DECISION_ASK, .rule = "principal.asks" },
	{ "", PERSON, "guest_start", "{\"guest\":101}", 0, .tier = TIER_YELLOW,
	  .decision = DECISION_STATE, .rule = "state.status" },
	{ "", PERSON, "guest_start", "{\"guest\":104}", 0, .tier = TIER_YELLOW,
	  .decision = DECISION_STATE, .rule = "state.template" },
	/* orange, red */
	{ "", PERSON, "guest_shutdown", "{\"guest\":101}", 0, .tier = TIER_ORANGE,
	  .decision = DECISION_ASK, .need = NEED_KEYWORD, .rule = "tier.proof" },
	{ "", AGENT, "guest_shutdown", "{\"guest\":101}", 4, .tier = TIER_ORANGE,
	  .decision = DECISION_ASK, .need = NEED_KEYWORD, .rule = "level" },
	{ "", PERSON, "guest_stop", "{\"guest\":101}", 0, .tier = TIER_RED,
	  .decision = DECISION_REFUSE, .need = NEED_CODE, .rule = "unconfirmed" },
	{ "", PERSON, "guest_stop", "{\"guest\":101}", 0, true, .tier = TIER_RED,
	  .decision = DECISION_ASK, .need = NEED_CODE, .rule = "tier.proof" },
	{ HA, REMOTE, "guest_stop", "{\"guest\":101}", 4, .tier = TIER_RED,
	  .decision = DECISION_ASK, .need = NEED_CODE, .rule = "principal.asks" },
	{ "", PERSON, "guest_reset", "{\"guest\":105}", 0, true, .tier = TIER_RED,
	  .decision = DECISION_STATE, .need = NEED_CODE, .rule = "state.container" },
	{ "", PERSON, "guest_migrate", "{\"guest\":101,\"target_node\":\"a\"}", 0,
	  .tier = TIER_ORANGE, .decision = DECISION_STATE, .need = NEED_KEYWORD,
	  .rule = "state.node" },
	{ "", PERSON, "guest_migrate", "{\"guest\":101,\"target_node\":\"B\"}", 0,
	  .tier = TIER_ORANGE, .decision = DECISION_ASK, .need = NEED_KEYWORD,
	  .rule = "tier.proof" },
	/* frozen, unfit */
	{ "", PERSON, "guest_start", "{\"guest\":103}", 0, false, true, .tier = TIER_YELLOW,
	  .decision = DECISION_REFUSE, .rule = "frozen" },
	{ "", PERSON, "guest_start", "{\"guest\":103}", 0, .unfit = "the disk is full",
	  .tier = TIER_YELLOW, .decision = DECISION_REFUSE, .rule = "gate.unfit" },
	/* Jarvis itself */
	{ SELF, PERSON, "guest_shutdown", "{\"guest\":101}", 0, .tier = TIER_BLACK,
	  .decision = DECISION_REFUSE, .rule = "self" },
	{ SELF, PERSON, "guest_snapshot", "{\"guest\":101,\"snapshot\":\"s\"}", 0,
	  .tier = TIER_YELLOW, .rule = "tier.person" },
	{ SELF, PERSON, "snapshot_delete", "{\"guest\":101,\"snapshot\":\"s\"}", 0, true,
	  .tier = TIER_BLACK, .decision = DECISION_REFUSE, .rule = "self" },
	{ SELF, PERSON, "node_reboot", "{\"node\":\"A\"}", 0, true, .tier = TIER_BLACK,
	  .decision = DECISION_REFUSE, .rule = "self" },
	{ SELF, PERSON, "node_reboot", "{\"node\":\"b\"}", 0, true, .tier = TIER_RED,
	  .decision = DECISION_ASK, .need = NEED_CODE, .rule = "tier.proof" },
	/* protected */
	{ "protected: {guests: [home/103]}\n", PERSON, "guest_start", "{\"guest\":103}", 0,
	  .tier = TIER_ORANGE, .decision = DECISION_ASK, .need = NEED_KEYWORD,
	  .rule = "tier.proof" },
	{ "protected: {guests: [home/101]}\n", PERSON, "guest_stop", "{\"guest\":101}", 0, true,
	  .tier = TIER_BLACK, .decision = DECISION_REFUSE, .rule = "protected" },
	{ "protected: {nodes: [home/b]}\n", PERSON, "node_shutdown", "{\"node\":\"b\"}", 0, true,
	  .tier = TIER_BLACK, .decision = DECISION_REFUSE, .rule = "protected" },
	/* what needs it */
	{ "depends_on: {home/guest/101: [home/guest/102]}\n", PERSON, "guest_shutdown",
	  "{\"guest\":102}", 0, .tier = TIER_ORANGE, .decision = DECISION_REFUSE,
	  .rule = "dependents" },
	{ "depends_on: {home/guest/103: [home/guest/102]}\n", PERSON, "guest_shutdown",
	  "{\"guest\":102}", 0, .tier = TIER_ORANGE, .decision = DECISION_ASK, .need = NEED_KEYWORD,
	  .rule = "tier.proof" },
	{ "depends_on: {home/guest/105: [home/storage/nas], home/storage/nas: [home/guest/102]}\n",
	  PERSON, "node_shutdown", "{\"node\":\"a\"}", 0, true, .tier = TIER_RED,
	  .decision = DECISION_REFUSE, .rule = "dependents" },
	/* downloads */
	{ "", PERSON, "download_url",
	  "{\"storage\":\"nas\",\"node\":\"a\",\"content\":\"iso\",\"filename\":\"x.iso\",\"url\":"
	  "\"https://evil.org/x\",\"checksum_algorithm\":\"sha256\",\"checksum\":\"00\"}",
	  0, .tier = TIER_BLACK, .decision = DECISION_REFUSE, .rule = "download" },
	{ "", PERSON, "download_url",
	  "{\"storage\":\"nas\",\"node\":\"a\",\"content\":\"iso\",\"filename\":\"x.iso\",\"url\":"
	  "\"https://cloud.debian.org/x\",\"checksum_algorithm\":\"sha256\",\"checksum\":\"00\"}",
	  0, .tier = TIER_ORANGE, .decision = DECISION_ASK, .need = NEED_KEYWORD,
	  .rule = "tier.proof" },
};

static void check_row(const struct row *row)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct gate_world w;
	struct judge_target target;
	struct tool_args args;
	struct tool_error error = { "" };
	struct verdict v;
	struct ask ask = {
		.who = row->who,
		.principal = row->principal,
		.person = "op",
		.has_keyword = true,
		.has_code = true,
		.confirmed = row->confirmed,
		.tool = tool_find(row->tool),
		.targets = &target,
		.targets_n = 1,
		.level = row->level,
		.frozen = row->frozen,
		.unfit = row->unfit,
	};

	gate_world_init(&w, row->config);
	if (tool_args_read(ask.tool, row->args, strlen(row->args), false, arena, &args, &error) <
		    0 ||
	    judge_resolve(w.view, &args, arena, &target, &error) < 0)
		fail_msg("%s %s: %s", row->tool, row->args, error.text);
	judge(w.config, w.view, &ask, w.now.boot_ms, arena, &v);
	if (v.tier != row->tier || v.decision != row->decision || v.need != row->need ||
	    !str_eq(v.rule, row->rule))
		fail_msg("%s %s %s: tier %d decision %d need %d rule %s: %s", row->principal,
			 row->tool, row->args, v.tier, v.decision, v.need, v.rule, v.reason);
	assert_true(v.reason[0]);
	gate_world_done(&w);
}

static void test_rows(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < countof(rows); i++)
		check_row(&rows[i]);
}

/* What the judge says when the poller is silent, or the votes are few. */
static void test_view(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct gate_world w;
	struct judge_target target;
	struct tool_args args;
	struct tool_error error;
	struct verdict v;
	struct ask ask = { .who = WHO_PERSON,
			   .principal = "gateway",
			   .person = "op",
			   .has_code = true,
			   .has_keyword = true,
			   .confirmed = true,
			   .tool = tool_find("node_reboot"),
			   .targets = &target,
			   .targets_n = 1 };

	(void)unused;
	gate_world_init(&w, "");
	assert_int_equal(
		tool_args_read(ask.tool, "{\"node\":\"b\"}", 12, false, arena, &args, &error), 0);
	assert_int_equal(judge_resolve(w.view, &args, arena, &target, &error), 0);
	judge(w.config, w.view, &ask, w.now.boot_ms + 31000, arena, &v);
	assert_int_equal(v.decision, DECISION_STATE);
	assert_string_equal(v.rule, "view.stale");
	gate_world_poll(&w, 2);
	judge(w.config, w.view, &ask, w.now.boot_ms, arena, &v);
	assert_int_equal(v.tier, TIER_RED);
	assert_int_equal(v.decision, DECISION_ASK);
	assert_true(str_starts(v.facts[0], "WARNING: without it 1 votes remain"));
	ask.who = WHO_AGENT;
	judge(w.config, w.view, &ask, w.now.boot_ms, arena, &v);
	assert_int_equal(v.tier, TIER_BLACK);
	assert_string_equal(v.rule, "quorum");
	view_offline(w.view);
	ask.level = 2;
	ask.tool = tool_find("guest_start");
	assert_int_equal(
		tool_args_read(ask.tool, "{\"guest\":\"ct\"}", 14, false, arena, &args, &error), 0);
	assert_int_equal(judge_resolve(w.view, &args, arena, &target, &error), 0);
	judge(w.config, w.view, &ask, w.now.boot_ms, arena, &v);
	assert_string_equal(v.rule, "view.stale");
	gate_world_done(&w);
}

static void test_resolve(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct gate_world w;
	struct judge_target target;
	struct tool_args args;
	struct tool_error error;
	const struct tool *tool = tool_find("guest_start");
	struct msg_guest_state twin = {
		.cluster = "home", .vmid = 120, .name = "web", .node = "b"
	};

	(void)unused;
	gate_world_init(&w, "");
	assert_int_equal(
		tool_args_read(tool, "{\"guest\":\"nix\"}", 15, false, arena, &args, &error), 0);
	assert_int_equal(judge_resolve(w.view, &args, arena, &target, &error), -ENOENT);
	assert_string_equal(error.text, "there is no guest nix in home");
	gate_world_guest(&w, &twin);
	assert_int_equal(
		tool_args_read(tool, "{\"guest\":\"web\"}", 15, false, arena, &args, &error), 0);
	assert_int_equal(judge_resolve(w.view, &args, arena, &target, &error), -EEXIST);
	assert_int_equal(tool_args_read(tool, "{\"guest\":101,\"cluster\":\"x\"}", 27, false, arena,
					&args, &error),
			 0);
	assert_int_equal(judge_resolve(w.view, &args, arena, &target, &error), -ENOENT);
	gate_world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_resolve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
