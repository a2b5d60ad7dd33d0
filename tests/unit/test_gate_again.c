/* SPDX-License-Identifier: MIT */
/*
 * What is looked at once more, when it is approved and when it is taken up: rates, and whether it is what was shown.
 */
#include "tests/unit/check.h"
#include "tests/unit/gate_stage.h"

#include <stdio.h>
#include <string.h>

/* Something that waits, and what approves it. */
struct waiting {
	char *id, *digest;
};

static void waiting_done(struct waiting *w)
{
	free(w->id);
	free(w->digest);
}

static struct waiting keep_waiting(struct stage *s)
{
	assert_int_equal(stage_state(s)->status, ACTION_WAITING);
	return (struct waiting){ stage_id_of(s), xstrdup(stage_state(s)->digest) };
}

static void approve(struct stage *s, const struct waiting *w)
{
	stage_decide(s, w->id, "approve", w->digest, GRADE_CODE);
}

/* It was refused by this rule. */
static void check_rule(struct stage *s, const char *code, const char *rule)
{
	char word[100];

	(void)snprintf(word, sizeof(word), "\"rule\":\"%s\"", rule);
	if (!str_eq_null(stage_reply(s)->code, code) || !strstr(stage_reply(s)->result, word))
		fail_msg("%s %s: %s", stage_reply(s)->code, stage_reply(s)->text,
			 stage_reply(s)->result);
}

/* And can still be approved: nothing was stored. */
static void check_waits(struct stage *s, const struct waiting *w, const char *code,
			const char *rule)
{
	check_rule(s, code, rule);
	assert_null(stage_last(s, EFFECT_STORE));
	assert_null(stage_last(s, EFFECT_AUDIT));
	assert_int_equal(core_find(s->core, w->id)->state->status, ACTION_WAITING);
	assert_non_null(strstr(stage_reply(s)->text, "waits on"));
}

static void pass(struct stage *s, int64_t ms)
{
	s->w.now.boot_ms += ms;
	s->w.now.wall_ms += ms;
	gate_world_poll(&s->w, 3);
	stage_again(s);
	core_tick(s->core, s->w.now, s->out);
}

/* ── rates ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* Seven that wait, of a person who may six. */
static void queue(struct stage *s, struct waiting list[7])
{
	static const char *const guests[] = { "{\"guest\":101}", "{\"guest\":102}",
					      "{\"guest\":105}" };

	for (int i = 0; i < 7; i++) {
		char id[16];

		(void)snprintf(id, sizeof(id), "q%d", i);
		stage_ask(s, id, "guest_shutdown", guests[i % 3]);
		list[i] = keep_waiting(s);
	}
}

static void test_queued(void **unused)
{
	struct waiting list[7];
	struct stage s;

	(void)unused;
	stage_init(&s, "safety_gate: {orange_rate: 1}\n");
	stage_hello(&s);
	queue(&s, list);
	for (int i = 0; i < 6; i++) {
		approve(&s, &list[i]);
		assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	}
	approve(&s, &list[6]);
	check_waits(&s, &list[6], "rate", "rate.orange");
	assert_non_null(strstr(stage_reply(&s)->result, "\"tier\":\"orange\""));
	/* What was never taken up has not started. */
	assert_non_null(stage_claim(&s, list[0].id)->grant);
	pass(&s, CORE_CLAIM_MS);
	approve(&s, &list[6]);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	for (int i = 0; i < 7; i++)
		waiting_done(&list[i]);
	stage_done(&s);
}

/* What was begun counts, however it ended; what was not does not. */
static void test_what_counts(void **unused)
{
	static const struct {
		enum step_status outcome;
		const char *before; /* decided instead of being taken up */
		bool counts;
	} table[] = {
		{ STEP_VERIFIED, NULL, true },	 { STEP_FAILED, NULL, true },
		{ STEP_UNKNOWN, NULL, true },	 { STEP_RUNNING, "cancel", false },
		{ STEP_RUNNING, "deny", false },
	};

	(void)unused;
	for (size_t i = 0; i < countof(table); i++) {
		const struct msg_action_request first =
			stage_request_of("a", "guest_shutdown", "{\"guest\":101}");
		const struct msg_action_request second =
			stage_request_of("b", "guest_shutdown", "{\"guest\":102}");
		struct waiting a, b;
		struct stage s;

		stage_init(&s, "safety_gate: {orange_rate: 1}\n");
		stage_hello(&s);
		stage_ask_as(&s, "llm-router", NULL, &first);
		a = keep_waiting(&s);
		stage_ask_as(&s, "llm-router", NULL, &second);
		b = keep_waiting(&s);
		if (!table[i].before || str_eq(table[i].before, "cancel"))
			approve(&s, &a);
		if (table[i].before) {
			stage_decide(&s, a.id, table[i].before, a.digest, GRADE_NONE);
		} else {
			const struct effect *grant = stage_claim(&s, a.id);
			const struct msg_grant_payload payload = {
				.id = a.id, .gid = xstrdup(grant->grant->gid)
			};

			stage_report(&s, &payload, table[i].outcome);
			free((char *)payload.gid);
		}
		approve(&s, &b);
		if (table[i].counts)
			check_waits(&s, &b, "rate", "rate.orange");
		else
			assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
		waiting_done(&a);
		waiting_done(&b);
		stage_done(&s);
	}
}

/* Ten minutes after it began nothing is counted any more, at the latest. */
static void test_rates_pass(void **unused)
{
	const struct msg_action_request request =
		stage_request_of("a", "guest_snapshot", "{\"guest\":101,\"snapshot\":\"s\"}");
	const struct msg_action_request other =
		stage_request_of("b", "guest_snapshot", "{\"guest\":102,\"snapshot\":\"s\"}");
	struct waiting a, b;
	struct stage s;

	(void)unused;
	stage_init(&s, "safety_gate: {yellow_rate: 1, approval: 1h}\n");
	stage_hello(&s);
	stage_ask_as(&s, "llm-router", NULL, &request);
	a = keep_waiting(&s);
	stage_ask_as(&s, "llm-router", NULL, &other);
	b = keep_waiting(&s);
	approve(&s, &a);
	assert_non_null(stage_claim(&s, a.id)->grant);
	approve(&s, &b);
	check_waits(&s, &b, "rate", "rate.yellow");
	pass(&s, 600000);
	approve(&s, &b);
	check_waits(&s, &b, "rate", "rate.yellow");
	pass(&s, 1);
	approve(&s, &b);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	waiting_done(&a);
	waiting_done(&b);
	stage_done(&s);
}

/* One cannot ask in the name of many: whoever approves has rates too. */
static void test_many_names(void **unused)
{
	static const char *const guests[] = { "{\"guest\":101}", "{\"guest\":102}",
					      "{\"guest\":105}" };
	struct waiting list[7];
	struct stage s;

	(void)unused;
	stage_init(&s, "safety_gate: {orange_rate: 1}\n");
	for (int i = 0; i < 7; i++) {
		const struct msg_action_request request =
			stage_request_of("x", "guest_shutdown", guests[i % 3]);
		char name[16], id[16];
		const struct msg_actor actor = { "token", name };
		struct msg_action_request asked = request;

		(void)snprintf(name, sizeof(name), "t%d", i);
		(void)snprintf(id, sizeof(id), "x%d", i);
		asked.request_id = id;
		stage_ask_as(&s, "gateway", &actor, &asked);
		list[i] = keep_waiting(&s);
	}
	for (int i = 0; i < 6; i++) {
		approve(&s, &list[i]);
		assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	}
	approve(&s, &list[6]);
	check_waits(&s, &list[6], "rate", "rate.orange");
	/* And so has what they ask for themselves. */
	stage_ask(&s, "own", "guest_reboot", "{\"guest\":101}");
	check_rule(&s, "rate", "rate.orange");
	for (int i = 0; i < 7; i++)
		waiting_done(&list[i]);
	stage_done(&s);
}

static void test_one_red(void **unused)
{
	struct waiting a, b;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_ask(&s, "r1", "guest_stop", "{\"guest\":101}");
	a = keep_waiting(&s);
	stage_ask(&s, "r2", "guest_stop", "{\"guest\":102}");
	b = keep_waiting(&s);
	approve(&s, &a);
	assert_int_equal(stage_state(&s)->status, ACTION_WINDOW);
	approve(&s, &b);
	check_waits(&s, &b, "rate", "rate.red");
	waiting_done(&a);
	waiting_done(&b);
	stage_done(&s);
}

/* A gate that starts again counts from when it began, not from when it was asked for. */
static void test_rates_after_restart(void **unused)
{
	static const struct {
		enum action_status status;
		int64_t created_ago_ms, ts_ago_ms, granted_ago_ms; /* 0: was not */
		bool counts;
	} table[] = {
		{ ACTION_RUNNING, 700000, 1000, 1000, true },
		{ ACTION_VERIFIED, 700000, 1000, 650000, false },
		{ ACTION_VERIFIED, 700000, 1000, 500000, true },
		{ ACTION_APPROVED, 700000, 1000, 0, true },
		{ ACTION_WAITING, 1000, 1000, 0, false },
		{ ACTION_FAILED, 1000, 1000, 0, false },
	};
	const struct msg_action_request request =
		stage_request_of("b", "guest_shutdown", "{\"guest\":102}");

	(void)unused;
	for (size_t i = 0; i < countof(table); i++) {
		const struct msg_action_step step = {
			.args = "{\"cluster\":\"home\",\"guest\":101}"
		};
		struct stage s;
		struct msg_action_state state = { .id = "A",
						  .status = table[i].status,
						  .tier = TIER_ORANGE,
						  .tool = "guest_shutdown",
						  .principal = "llm-router",
						  .steps = &step,
						  .steps_n = 1 };
		struct msg_action_record record = { .state = &state };

		stage_init(&s, "safety_gate: {orange_rate: 1}\n");
		state.ts = s.w.now.wall_ms - table[i].ts_ago_ms;
		state.created_ms = s.w.now.wall_ms - table[i].created_ago_ms;
		state.until_ms = some_i64(s.w.now.wall_ms + 60000);
		state.ended_ms = some_i64(s.w.now.wall_ms);
		if (table[i].granted_ago_ms)
			record.granted_ms = some_i64(s.w.now.wall_ms - table[i].granted_ago_ms);
		core_load_action(s.core, &record, s.w.now);
		stage_ask_as(&s, "llm-router", NULL, &request);
		if (table[i].counts)
			check_rule(&s, "rate", "rate.orange");
		else
			assert_int_equal(stage_state(&s)->status, ACTION_WAITING);
		stage_done(&s);
	}
}

/* ── is it what was shown ──────────────────────────────────────────────────────────────────────────────────── */

static const struct msg_guest_state web = {
	.cluster = "home", .vmid = 101, .name = "web", .node = "a", .status = GUEST_RUNNING
};

static void rename_it(struct gate_world *w)
{
	struct msg_guest_state guest = web;

	guest.name = "www";
	gate_world_guest(w, &guest);
}

static void move_it(struct gate_world *w)
{
	struct msg_guest_state guest = web;

	guest.node = "b";
	gate_world_guest(w, &guest);
}

static void pause_it(struct gate_world *w)
{
	struct msg_guest_state guest = web;

	guest.status = GUEST_PAUSED;
	gate_world_guest(w, &guest);
}

static void hide_it(struct gate_world *w)
{
	struct msg_guest_state guest = web;

	guest.status = GUEST_UNKNOWN;
	gate_world_guest(w, &guest);
}

static void lock_it(struct gate_world *w)
{
	struct msg_guest_state guest = web;

	guest.lock = "backup";
	gate_world_guest(w, &guest);
}

static void configure_it(struct gate_world *w)
{
	gate_world_config(w, 101, "bb");
}

static void forget_config(struct gate_world *w)
{
	gate_world_config(w, 101, NULL);
}

static void keep_config(struct gate_world *w)
{
	gate_world_config(w, 101, "aa");
}

static void remove_it(struct gate_world *w)
{
	struct topic_args args = { .n = 2 };

	(void)snprintf(args.value[0], sizeof(args.value[0]), "home");
	(void)snprintf(args.value[1], sizeof(args.value[1]), "101");
	view_take(w->view, TOPIC_GUEST_STATE, &args, NULL, false, w->now.boot_ms);
}

/* Each at the approval, and between approval and claim. */
static void test_changed(void **unused)
{
	static const struct {
		void (*change)(struct gate_world *);
		const char *rule; /* NULL: nothing is in the way */
		bool is_over;	  /* what was shown is no more, so it cannot be approved */
		const char *words;
	} table[] = {
		{ rename_it, "renamed", true,
		  "called web when it was asked for, and is called www" },
		{ move_it, "changed", true, "web was on a when this was shown, and is on b now" },
		{ pause_it, "changed", true,
		  "web was running when this was shown, and is paused now" },
		{ configure_it, "changed", true, "The configuration of web was changed" },
		{ remove_it, "again", true, "there is no guest 101" },
		{ hide_it, "state.status", false, "is unknown" },
		{ lock_it, "risen", false, "It has become red" },
		{ forget_config, NULL, false, NULL },
		{ keep_config, NULL, false, NULL },
	};

	(void)unused;
	for (size_t i = 0; i < 2 * countof(table); i++) {
		size_t k = i / 2;
		bool late = i % 2;
		const struct effect *grant;
		struct waiting w;
		struct stage s;

		stage_init(&s, "");
		stage_hello(&s);
		gate_world_config(&s.w, 101, "aa");
		stage_ask(&s, "r", "guest_shutdown", "{\"guest\":101}");
		assert_non_null(strstr(stage_state(&s)->shown, "\"config_digest\":\"aa\""));
		w = keep_waiting(&s);
		if (!late)
			table[k].change(&s.w);
		approve(&s, &w);
		if (!late && table[k].rule && table[k].is_over) {
			check_rule(&s, "state", table[k].rule);
			assert_int_equal(stage_state(&s)->status, ACTION_REFUSED);
			assert_string_equal(stage_state(&s)->rule, table[k].rule);
			assert_non_null(strstr(stage_state(&s)->summary, table[k].words));
		} else if (!late && table[k].rule) {
			check_waits(&s, &w, table[k].change == hide_it ? "state" : "policy",
				    table[k].rule);
			assert_non_null(strstr(stage_reply(&s)->text, table[k].words));
			/* And when it is as it was, it can be approved. */
			gate_world_guest(&s.w, &web);
			approve(&s, &w);
		}
		if (late)
			table[k].change(&s.w);
		if (!late && table[k].is_over) {
			assert_null(stage_claim(&s, w.id)->grant);
		} else if (late && table[k].rule) {
			grant = stage_claim(&s, w.id);
			assert_null(grant->grant);
			assert_non_null(strstr(grant->text, table[k].words));
			assert_int_equal(stage_state(&s)->status, ACTION_FAILED);
			assert_string_equal(stage_state(&s)->rule, table[k].rule);
		} else {
			grant = stage_claim(&s, w.id);
			assert_non_null(grant->grant);
			assert_string_equal(grant->grant->target->config_digest, "aa");
		}
		waiting_done(&w);
		stage_done(&s);
	}
}

/* Of what is not known, or is reversible, nothing is said; what becomes known later was not shown. */
static void test_no_digest(void **unused)
{
	const struct msg_action_request start =
		stage_request_of("r2", "guest_snapshot", "{\"guest\":101,\"snapshot\":\"s\"}");
	const struct effect *grant;
	struct waiting w;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	w = keep_waiting(&s);
	assert_null(stage_state(&s)->steps[0].seen->config_digest);
	gate_world_config(&s.w, 101, "aa");
	approve(&s, &w);
	grant = stage_claim(&s, w.id);
	assert_non_null(grant->grant);
	assert_null(grant->grant->target->config_digest);
	waiting_done(&w);
	stage_ask_as(&s, "llm-router", NULL, &start);
	w = keep_waiting(&s);
	assert_string_equal(stage_state(&s)->steps[0].seen->node, "a");
	assert_null(stage_state(&s)->steps[0].seen->config_digest);
	approve(&s, &w);
	grant = stage_claim(&s, w.id);
	assert_null(grant->grant->target->config_digest);
	waiting_done(&w);
	/* What is done at once is shown to nobody. */
	stage_ask(&s, "r3", "guest_start", "{\"guest\":103}");
	assert_null(stage_state(&s)->steps[0].seen);
	stage_done(&s);
}

/* A guest without a name is told by its object. */
static void test_unnamed(void **unused)
{
	struct msg_guest_state guest = web;
	struct waiting w;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	guest.name = NULL;
	gate_world_guest(&s.w, &guest);
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	w = keep_waiting(&s);
	guest.node = "b";
	gate_world_guest(&s.w, &guest);
	approve(&s, &w);
	assert_non_null(strstr(stage_reply(&s)->text, "home/guest/101 was on a"));
	waiting_done(&w);
	stage_done(&s);
}

static void test_nodes(void **unused)
{
	struct waiting w;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_ask(&s, "r1", "node_reboot", "{\"node\":\"c\"}");
	w = keep_waiting(&s);
	gate_world_node(&s.w, "c", NODE_OFFLINE);
	approve(&s, &w);
	check_rule(&s, "state", "changed");
	assert_non_null(strstr(stage_reply(&s)->text, "c was online when this was shown"));
	waiting_done(&w);
	stage_done(&s);
}

/* All targets of a request are looked at, and together: who needs another of them is no obstacle. */
static void test_all_targets(void **unused)
{
	const char *const targets[] = { "102", "101" };
	struct msg_action_request request = stage_request_of("b", "guest_shutdown", "{}");
	struct waiting w;
	struct stage s;

	(void)unused;
	stage_init(&s, "depends_on: {home/guest/101: [home/guest/102]}\n");
	stage_hello(&s);
	request.targets = targets;
	request.targets_n = 2;
	stage_ask_as(&s, "gateway", &stage_operator, &request);
	w = keep_waiting(&s);
	approve(&s, &w);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	waiting_done(&w);
	request.request_id = "c";
	stage_ask_as(&s, "gateway", &stage_operator, &request);
	w = keep_waiting(&s);
	move_it(&s.w);
	approve(&s, &w);
	check_rule(&s, "state", "changed");
	waiting_done(&w);
	stage_done(&s);
}

/* ── what passes ───────────────────────────────────────────────────────────────────────────────────────────── */

static void test_not_now(void **unused)
{
	const struct msg_action_request request =
		stage_request_of("m", "guest_shutdown", "{\"guest\":101}");
	struct msg_autonomy_set set = {
		.request_id = "l", .op = "level", .level = some_i64(1), .actor = &stage_operator
	};
	struct waiting w;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask_as(&s, "llm-router", NULL, &request);
	w = keep_waiting(&s);
	s.w.now.boot_ms += 31000;
	approve(&s, &w);
	check_waits(&s, &w, "state", "view.stale");
	gate_world_poll(&s.w, 3);
	core_set_unfit(s.core, "the disk is full");
	approve(&s, &w);
	check_waits(&s, &w, "policy", "gate.unfit");
	core_set_unfit(s.core, NULL);
	core_set_policy_bad(s.core, true);
	approve(&s, &w);
	check_waits(&s, &w, "policy", "gate.unfit");
	core_set_policy_bad(s.core, false);
	core_autonomy(s.core, "gateway", &set, GRADE_NONE, s.w.now, s.out);
	approve(&s, &w);
	check_waits(&s, &w, "policy", "level");
	set.level.v = 2;
	core_autonomy(s.core, "gateway", &set, GRADE_CODE, s.w.now, s.out);
	approve(&s, &w);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	assert_non_null(stage_claim(&s, w.id)->grant);
	waiting_done(&w);
	stage_done(&s);
}

/* What is in the way is said before the proof is looked at, so that a wrong one is not told from a right one by it. */
static void test_before_proof(void **unused)
{
	struct waiting w;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_ask(&s, "r", "guest_shutdown", "{\"guest\":101}");
	w = keep_waiting(&s);
	hide_it(&s.w);
	stage_decide(&s, w.id, "approve", w.digest, GRADE_BAD);
	check_waits(&s, &w, "state", "state.status");
	waiting_done(&w);
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queued),	     cmocka_unit_test(test_what_counts),
		cmocka_unit_test(test_rates_pass),   cmocka_unit_test(test_many_names),
		cmocka_unit_test(test_one_red),	     cmocka_unit_test(test_rates_after_restart),
		cmocka_unit_test(test_changed),	     cmocka_unit_test(test_no_digest),
		cmocka_unit_test(test_unnamed),	     cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_all_targets),  cmocka_unit_test(test_not_now),
		cmocka_unit_test(test_before_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
