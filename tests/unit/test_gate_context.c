/* SPDX-License-Identifier: MIT */
/*
 * What the surroundings make of a request: several targets, Jarvis's own host, votes, what needs what, what is seen.
 */
#include "services/safety-gate/context.h"
#include "tests/unit/check.h"
#include "tests/unit/gate_world.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define TARGETS_MAX 20

struct scene {
	struct gate_world w;
	struct arena *arena;
	struct judge_target targets[TARGETS_MAX];
	struct ask ask;
	struct verdict v;
};

static void scene_init(struct scene *s, const char *config)
{
	*s = (struct scene){ .arena = arena_new() };
	gate_world_init(&s->w, config);
	s->ask = (struct ask){ .who = WHO_PERSON,
			       .principal = "gateway",
			       .person = "op",
			       .has_keyword = true,
			       .has_code = true,
			       .confirmed = true,
			       .level = 2 };
}

static void scene_done(struct scene *s)
{
	gate_world_done(&s->w);
	arena_free(s->arena);
}

/* Judges TOOL with ARGS on TARGETS, words separated by blanks; NULL: on what ARGS names. */
static const struct verdict *judge_all(struct scene *s, const char *tool, const char *args,
				       const char *targets)
{
	struct tool_error error;

	s->ask.tool = tool_find(tool);
	s->ask.targets = s->targets;
	s->ask.targets_n = 0;
	do {
		size_t length = targets ? strcspn(targets, " ") : 0;
		struct tool_args read;

		assert_true(s->ask.targets_n < TARGETS_MAX);
		assert_int_equal(tool_args_read(s->ask.tool, args, strlen(args), targets, s->arena,
						&read, &error),
				 0);
		if (targets) {
			const char *word = arena_strndup(s->arena, targets, length);

			assert_int_equal(tool_args_set_target(&read, word, s->arena, &error), 0);
			targets += length + strspn(targets + length, " ");
		}
		assert_int_equal(judge_resolve(s->w.view, &read, s->arena,
					       &s->targets[s->ask.targets_n++], &error),
				 0);
	} while (targets && *targets);
	judge(s->w.config, s->w.view, &s->ask, s->w.now.boot_ms, s->arena, &s->v);
	return &s->v;
}

static void check(struct scene *s, enum tier tier, enum decision decision, const char *rule)
{
	if (s->v.tier != tier || s->v.decision != decision || !str_eq(s->v.rule, rule))
		fail_msg("tier %d decision %d rule %s: %s", s->v.tier, s->v.decision, s->v.rule,
			 s->v.reason);
}

static void set_guest(struct scene *s, int64_t vmid, const char *node, enum guest_status status,
		      const char *lock)
{
	const struct msg_guest_state guest = { .cluster = "home",
					       .vmid = vmid,
					       .type = GUEST_QEMU,
					       .node = node,
					       .status = status,
					       .lock = lock };

	gate_world_guest(&s->w, &guest);
}

/* ── several targets ───────────────────────────────────────────────────────────────────────────────────────── */

static void test_worst_of_all(void **unused)
{
	struct scene s;

	(void)unused;
	scene_init(&s, "protected: {guests: [home/101, home/102]}\n");
	(void)judge_all(&s, "guest_shutdown", "{}", "101 102 105");
	check(&s, TIER_RED, DECISION_ASK, "tier.proof");
	set_guest(&s, 106, "a", GUEST_RUNNING, NULL);
	(void)judge_all(&s, "guest_shutdown", "{}", "101 102 105 106");
	check(&s, TIER_BLACK, DECISION_REFUSE, "blast");
	scene_done(&s);
}

/* There is room for so many facts, and the tier is right without the others. */
static void test_many_facts(void **unused)
{
	_cleanup_(str_done) struct str targets = { 0 }, config = { 0 };
	struct scene s;

	(void)unused;
	str_add(&config, "protected: {guests: [home/200");
	for (int i = 201; i < 220; i++)
		str_printf(&config, ", home/%d", i);
	str_add(&config, "]}\n");
	scene_init(&s, str_get(&config));
	for (int i = 200; i < 220; i++) {
		set_guest(&s, i, "a", GUEST_STOPPED, "backup");
		str_printf(&targets, "%s%d", i > 200 ? " " : "", i);
	}
	(void)judge_all(&s, "guest_start", "{}", str_get(&targets));
	check(&s, TIER_BLACK, DECISION_REFUSE, "blast");
	assert_int_equal(s.v.facts_n, JUDGE_FACTS_MAX);
	scene_done(&s);
}

/* ── what is protected, in whichever argument ──────────────────────────────────────────────────────────────────── */

#define UPID_OF(node, at)                                                                          \
	"{\"upid\":\"UPID:" node ":00000001:00000002:65000000:vzdump:" at ":root@pam:\"}"

static void test_protected(void **unused)
{
	static const char all[] =
		"protected: {guests: [home/101, home/103], nodes: [home/b], storages: [home/nas]}\n";
	static const char download[] =
		"{\"storage\":\"nas\",\"node\":\"b\",\"content\":\"iso\",\"filename\":\"x.iso\",\"url\":"
		"\"https://cloud.debian.org/x\",\"checksum_algorithm\":\"sha256\",\"checksum\":\"00\"}";
	static const struct {
		const char *tool, *args;
		enum tier tier;
		const char *names; /* in the fact; NULL: there is none */
	} table[] = {
		{ "guest_start", "{\"guest\":103}", TIER_ORANGE, ": the guest home/103." },
		{ "guest_shutdown", "{\"guest\":102}", TIER_ORANGE, NULL },
		{ "backup_now", "{\"guest\":102,\"storage\":\"nas\"}", TIER_ORANGE,
		  ": the storage home/nas." },
		/* Both together are one tier. */
		{ "backup_now", "{\"guest\":101,\"storage\":\"nas\"}", TIER_ORANGE,
		  ": the guest home/101 and the storage home/nas." },
		{ "guest_migrate", "{\"guest\":102,\"target_node\":\"B\"}", TIER_RED,
		  ": the node home/b." },
		{ "guest_migrate", "{\"guest\":102,\"target_node\":\"c\"}", TIER_ORANGE, NULL },
		{ "download_url", download, TIER_RED,
		  ": the storage home/nas and the node home/b." },
		{ "task_stop", UPID_OF("a", "101"), TIER_RED, ": the guest home/101." },
		{ "task_stop", UPID_OF("a", "102"), TIER_ORANGE, NULL },
		{ "task_stop", UPID_OF("b", "102"), TIER_ORANGE, NULL },
		{ "task_stop", UPID_OF("b", ""), TIER_RED, ": the node home/b." },
		{ "task_stop", UPID_OF("b", "nas"), TIER_RED,
		  ": the node home/b and the storage home/nas." },
		{ "task_stop", UPID_OF("a", "nas"), TIER_RED, ": the storage home/nas." },
		{ "task_stop", UPID_OF("a", ""), TIER_ORANGE, NULL },
		/* Reading is reading. */
		{ "guest_status", "{\"guest\":101}", TIER_GREEN, NULL },
	};

	(void)unused;
	for (size_t i = 0; i < countof(table); i++) {
		struct scene s;

		scene_init(&s, all);
		(void)judge_all(&s, table[i].tool, table[i].args, NULL);
		if (s.v.tier != table[i].tier)
			fail_msg("%s %s: %d", table[i].tool, table[i].args, s.v.tier);
		assert_int_equal(s.v.facts_n, table[i].names ? 1 : 0);
		if (table[i].names)
			assert_non_null(strstr(s.v.facts[0], table[i].names));
		scene_done(&s);
	}
}

/* ── Jarvis itself ─────────────────────────────────────────────────────────────────────────────────────────── */

/* Nothing is read out of what was left out. */
static void test_no_task(void **unused)
{
	const struct judge_target none = { .args = { .tool = &tool_table[TOOL_task_stop] },
					   .cluster = "home" };
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct context_named named[CONTEXT_NAMED_MAX];
	struct context_task task;

	(void)unused;
	assert_false(context_task(&none, arena, &task));
	assert_int_equal(context_named(&none, arena, named), 0);
}

/* A task of its own guest is not cut short, one of its host that names no guest only with a code. */
static void test_own_tasks(void **unused)
{
	static const char self[] = "self: {cluster: home, node: c, vmid: 101}\n";
	static const struct {
		const char *config, *args;
		enum tier tier;
	} table[] = {
		{ self, UPID_OF("a", "101"), TIER_BLACK },
		{ self, UPID_OF("b", "101"), TIER_BLACK }, /* wherever it was then */
		{ self, UPID_OF("a", "102"), TIER_ORANGE },
		{ self, UPID_OF("a", ""), TIER_RED }, /* where it is seen */
		{ self, UPID_OF("c", ""), TIER_RED }, /* where it is by the configuration */
		{ self, UPID_OF("c", "nas"), TIER_RED },
		{ self, UPID_OF("b", ""), TIER_ORANGE },
		{ "self: external\n", UPID_OF("a", "101"), TIER_ORANGE },
	};
	struct config_self elsewhere;
	struct scene s;

	(void)unused;
	for (size_t i = 0; i < countof(table); i++) {
		scene_init(&s, table[i].config);
		(void)judge_all(&s, "task_stop", table[i].args, NULL);
		if (s.v.tier != table[i].tier)
			fail_msg("%s %s: %d %s", table[i].config, table[i].args, s.v.tier,
				 s.v.reason);
		if (table[i].tier == TIER_BLACK)
			check(&s, TIER_BLACK, DECISION_REFUSE, "self");
		scene_done(&s);
	}
	/* The same number in another cluster is another guest. */
	scene_init(&s, self);
	elsewhere = *s.w.config->self;
	elsewhere.cluster = "lab";
	s.w.config->self = &elsewhere;
	(void)judge_all(&s, "task_stop", UPID_OF("a", "101"), NULL);
	check(&s, TIER_ORANGE, DECISION_ASK, "tier.proof");
	scene_done(&s);
}

static void test_self_unknown(void **unused)
{
	static const char config[] = "protected: {guests: [home/103]}\n";
	struct scene s;

	(void)unused;
	scene_init(&s, config);
	s.w.config->self = NULL;
	(void)judge_all(&s, "guest_start", "{\"guest\":103}", NULL);
	check(&s, TIER_ORANGE, DECISION_REFUSE, "self");
	(void)judge_all(&s, "guest_snapshot", "{\"guest\":101,\"snapshot\":\"s\"}", NULL);
	check(&s, TIER_YELLOW, DECISION_ALLOW, "tier.person");
	scene_done(&s);
}

static void test_self_moved(void **unused)
{
	struct scene s;

	(void)unused;
	scene_init(&s, "self: {cluster: home, node: a, vmid: 101}\n");
	(void)judge_all(&s, "node_reboot", "{\"node\":\"b\"}", NULL);
	check(&s, TIER_RED, DECISION_ASK, "tier.proof");
	set_guest(&s, 101, "b", GUEST_RUNNING, NULL);
	(void)judge_all(&s, "node_reboot", "{\"node\":\"b\"}", NULL);
	check(&s, TIER_BLACK, DECISION_REFUSE, "self");
	(void)judge_all(&s, "node_reboot", "{\"node\":\"a\"}", NULL);
	check(&s, TIER_BLACK, DECISION_REFUSE, "self");
	scene_done(&s);
}

/* ── votes ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_quorum(void **unused)
{
	struct scene s;

	(void)unused;
	scene_init(&s, "");
	(void)judge_all(&s, "node_shutdown", "{}", "b c");
	check(&s, TIER_RED, DECISION_ASK, "tier.proof");
	assert_true(str_starts(s.v.facts[0], "WARNING: without it 1 votes remain"));
	/* One after the other comes back. */
	(void)judge_all(&s, "node_reboot", "{}", "b c");
	assert_true(str_starts(s.v.facts[0], "Of 3 votes 2 remain"));
	s.ask.who = WHO_AGENT;
	(void)judge_all(&s, "node_shutdown", "{}", "b c");
	check(&s, TIER_BLACK, DECISION_REFUSE, "quorum");
	/* Who is off takes no vote along. */
	gate_world_node(&s.w, "b", NODE_OFFLINE);
	(void)judge_all(&s, "node_shutdown", "{}", "b c");
	check(&s, TIER_RED, DECISION_STATE, "state.node");
	scene_done(&s);
}

static void hand_in(struct scene *s, enum topic_id id, const char *name, const void *body)
{
	struct topic_args args = { .n = name ? 2 : 1 };

	(void)snprintf(args.value[0], sizeof(args.value[0]), "lab");
	(void)snprintf(args.value[1], sizeof(args.value[1]), "%s", name ? name : "");
	view_take(s->w.view, id, &args, body, false, s->w.now.boot_ms);
}

/* A second cluster, of which little is known. */
static void test_votes_unknown(void **unused)
{
	const struct msg_node_state x = { .cluster = "lab", .node = "x", .status = NODE_ONLINE };
	struct msg_cluster_state lab = { .cluster = "lab" };
	struct topic_args home = { .n = 1, .value = { "home" } };
	struct scene s;

	(void)unused;
	scene_init(&s, "");
	hand_in(&s, TOPIC_NODE_STATE, "x", &x);
	view_take(s.w.view, TOPIC_CLUSTER_STATE, &home, NULL, false, s.w.now.boot_ms);
	(void)judge_all(&s, "node_shutdown", "{}", "x");
	assert_true(str_starts(s.v.facts[0], "WARNING: the votes of the cluster are not known"));
	check(&s, TIER_RED, DECISION_STATE, "view.stale");
	gate_world_poll(&s.w, 3);
	lab.votes = some_i64(2);
	hand_in(&s, TOPIC_CLUSTER_STATE, NULL, &lab);
	(void)judge_all(&s, "node_shutdown", "{}", "x");
	assert_true(str_starts(s.v.facts[0], "WARNING: the votes of the cluster are not known"));
	/* Each cluster has its own votes. */
	lab.votes_needed = some_i64(1);
	lab.standalone = some_bool(false);
	hand_in(&s, TOPIC_CLUSTER_STATE, NULL, &lab);
	(void)judge_all(&s, "node_shutdown", "{}", "x b");
	assert_true(str_starts(s.v.facts[0], "Of 2 votes 1 remain"));
	assert_true(str_starts(s.v.facts[1], "Of 3 votes 2 remain"));
	lab.standalone = some_bool(true);
	hand_in(&s, TOPIC_CLUSTER_STATE, NULL, &lab);
	(void)judge_all(&s, "node_shutdown", "{}", "x");
	assert_true(str_starts(s.v.facts[0], "0 guests run"));
	/* Which of the two is meant, nobody can tell. */
	(void)judge_all(&s, "task_stop",
			"{\"upid\":\"UPID:a:00000001:00000002:65000000:vzdump:101:root@pam:\"}",
			NULL);
	check(&s, TIER_ORANGE, DECISION_STATE, "view.cluster");
	scene_done(&s);
}

/* ── what needs it, what holds it ──────────────────────────────────────────────────────────────────────────── */

/* Through things that are far away or off; and only so many are named. */
static void test_dependents(void **unused)
{
	_cleanup_(str_done) struct str config = { 0 };
	struct scene s;

	(void)unused;
	str_add(&config, "depends_on: {home/guest/200: [home/guest/102]");
	for (int i = 201; i < 260; i++)
		str_printf(&config, ", home/guest/%d: [home/guest/%d]", i, i - 1);
	str_add(&config, "}\n");
	scene_init(&s, str_get(&config));
	for (int i = 200; i < 259; i++)
		set_guest(&s, i, "a", GUEST_STOPPED, NULL);
	set_guest(&s, 259, "c", GUEST_RUNNING, NULL);
	(void)judge_all(&s, "guest_shutdown", "{\"guest\":102}", NULL);
	check(&s, TIER_ORANGE, DECISION_REFUSE, "dependents");
	assert_non_null(strstr(s.v.reason, "unnamed (259)"));
	for (int i = 200; i < 259; i++)
		set_guest(&s, i, "a", GUEST_UNKNOWN, NULL);
	(void)judge_all(&s, "guest_shutdown", "{\"guest\":102}", NULL);
	check(&s, TIER_ORANGE, DECISION_REFUSE, "dependents");
	assert_non_null(strstr(s.v.reason, "unnamed (200), unnamed (201)"));
	scene_done(&s);
}

static void test_locks(void **unused)
{
	struct scene s;

	(void)unused;
	scene_init(&s, "");
	set_guest(&s, 101, "a", GUEST_SUSPENDED, "suspended");
	(void)judge_all(&s, "guest_resume", "{\"guest\":101}", NULL);
	check(&s, TIER_YELLOW, DECISION_ALLOW, "tier.person");
	(void)judge_all(&s, "guest_reset", "{\"guest\":101}", NULL);
	check(&s, TIER_BLACK, DECISION_REFUSE, "locked");
	scene_done(&s);
}

static void test_reset(void **unused)
{
	static const struct {
		enum guest_status status;
		enum decision decision;
	} rows[] = {
		{ GUEST_RUNNING, DECISION_ASK },   { GUEST_PAUSED, DECISION_ASK },
		{ GUEST_IO_ERROR, DECISION_ASK },  { GUEST_INTERNAL_ERROR, DECISION_ASK },
		{ GUEST_STOPPED, DECISION_STATE }, { GUEST_SUSPENDED, DECISION_STATE },
	};
	struct scene s;

	(void)unused;
	scene_init(&s, "");
	for (size_t i = 0; i < countof(rows); i++) {
		set_guest(&s, 101, "a", rows[i].status, NULL);
		(void)judge_all(&s, "guest_reset", "{\"guest\":101}", NULL);
		assert_int_equal(s.v.decision, rows[i].decision);
	}
	scene_done(&s);
}

/* ── what policy says, what is seen ────────────────────────────────────────────────────────────────────────── */

static void test_policy_first(void **unused)
{
	struct scene s;

	(void)unused;
	scene_init(&s, "");
	s.ask.who = WHO_AGENT;
	s.ask.level = 1;
	view_offline(s.w.view);
	(void)judge_all(&s, "guest_start", "{\"guest\":103}", NULL);
	check(&s, TIER_YELLOW, DECISION_REFUSE, "level");
	s.ask.level = 2;
	(void)judge_all(&s, "guest_start", "{\"guest\":103}", NULL);
	check(&s, TIER_YELLOW, DECISION_STATE, "view.stale");
	scene_done(&s);
}

static void test_code_for_keyword(void **unused)
{
	struct scene s;

	(void)unused;
	scene_init(&s, "");
	s.ask.has_keyword = false;
	(void)judge_all(&s, "guest_shutdown", "{\"guest\":101}", NULL);
	check(&s, TIER_ORANGE, DECISION_ASK, "tier.proof");
	s.ask.has_code = false;
	(void)judge_all(&s, "guest_shutdown", "{\"guest\":101}", NULL);
	check(&s, TIER_ORANGE, DECISION_REFUSE, "keyword.none");
	s.ask.who = WHO_AGENT;
	(void)judge_all(&s, "guest_stop", "{\"guest\":101}", NULL);
	check(&s, TIER_RED, DECISION_REFUSE, "code.none");
	scene_done(&s);
}

static void test_nodes_off(void **unused)
{
	static const char download[] =
		"{\"storage\":\"nas\",\"node\":\"c\",\"content\":\"iso\",\"filename\":\"x.iso\",\"url\":"
		"\"https://cloud.debian.org/x\",\"checksum_algorithm\":\"sha256\",\"checksum\":\"00\"}";
	struct topic_args args = { .n = 2, .value = { "home", "a" } };
	struct scene s;

	(void)unused;
	scene_init(&s, "");
	(void)judge_all(&s, "backup_now", "{\"guest\":104,\"storage\":\"nas\"}", NULL);
	check(&s, TIER_YELLOW, DECISION_ALLOW, "tier.person");
	gate_world_node(&s.w, "b", NODE_OFFLINE);
	(void)judge_all(&s, "backup_now", "{\"guest\":104,\"storage\":\"nas\"}", NULL);
	check(&s, TIER_YELLOW, DECISION_STATE, "state.node");
	set_guest(&s, 101, "e", GUEST_STOPPED, NULL);
	(void)judge_all(&s, "guest_start", "{\"guest\":101}", NULL);
	check(&s, TIER_YELLOW, DECISION_STATE, "state.node");
	(void)judge_all(&s, "download_url", download, NULL);
	check(&s, TIER_ORANGE, DECISION_ASK, "tier.proof");
	gate_world_node(&s.w, "c", NODE_UNKNOWN);
	(void)judge_all(&s, "download_url", download, NULL);
	check(&s, TIER_ORANGE, DECISION_STATE, "state.node");
	(void)judge_all(&s, "guest_migrate", "{\"guest\":102,\"target_node\":\"b\"}", NULL);
	check(&s, TIER_ORANGE, DECISION_STATE, "state.node");
	/* It went away after its name was found. */
	gate_world_node(&s.w, "c", NODE_ONLINE);
	(void)judge_all(&s, "guest_migrate", "{\"guest\":105,\"target_node\":\"a\"}", NULL);
	view_take(s.w.view, TOPIC_NODE_STATE, &args, NULL, false, s.w.now.boot_ms);
	judge(s.w.config, s.w.view, &s.ask, s.w.now.boot_ms, s.arena, &s.v);
	check(&s, TIER_ORANGE, DECISION_STATE, "state.node");
	scene_done(&s);
}

/* ── on the nodes themselves ───────────────────────────────────────────────────────────────────────────────────── */

#define PARAMS                                                                                     \
	"{count: {type: int, min: 1, max: 10}, pool: {type: word, words: [tank]}, "                \
	"host: {type: name}}"
#define ON_NODES                                                                                   \
	"services: {home/a: [smbd.service], home/b: []}\n"                                         \
	"commands: {plain: {about: it, nodes: [home/a]}, "                                         \
	"full: {about: it, nodes: [home/a], params: " PARAMS "}}\n"
#define FULL(params) "{\"node\":\"a\",\"command_id\":\"full\",\"params\":" params "}"

static void test_on_nodes(void **unused)
{
	static const char unit[] = "services of jarvis.yaml", none[] = "commands of jarvis.yaml";
	static const char nodes[] = "commands.plain.nodes of jarvis.yaml";
	static const char params[] = "commands.full.params";
	static const struct {
		const char *tool, *args, *names; /* NULL: it is asked about, or allowed */
	} table[] = {
		{ "service_restart", "{\"node\":\"A\",\"unit\":\"smbd.service\"}", NULL },
		{ "service_stop", "{\"node\":\"a\",\"unit\":\"smbd.service\"}", NULL },
		{ "service_restart", "{\"node\":\"a\",\"unit\":\"ssh.service\"}", unit },
		{ "service_restart", "{\"node\":\"a\",\"unit\":\"smbd.service.service\"}", unit },
		{ "service_restart", "{\"node\":\"b\",\"unit\":\"smbd.service\"}", unit },
		{ "service_stop", "{\"node\":\"c\",\"unit\":\"smbd.service\"}", unit },
		{ "run_command", "{\"node\":\"a\",\"command_id\":\"plain\"}", NULL },
		{ "run_command", "{\"node\":\"a\",\"command_id\":\"plain\",\"params\":{\"x\":1}}",
		  "commands.plain.params" },
		{ "run_command", "{\"node\":\"b\",\"command_id\":\"plain\"}", nodes },
		{ "run_command", "{\"node\":\"a\",\"command_id\":\"sh\"}", none },
		{ "run_command", FULL("{\"count\":10,\"pool\":\"tank\",\"host\":\"b\"}"), NULL },
		{ "run_command", FULL("{\"count\":\"1\",\"pool\":\"tank\",\"host\":\"_b\"}"),
		  NULL },
		{ "run_command", FULL("{\"count\":0,\"pool\":\"tank\",\"host\":\"b\"}"), params },
		{ "run_command", FULL("{\"count\":11,\"pool\":\"tank\",\"host\":\"b\"}"), params },
		{ "run_command", FULL("{\"count\":\"01\",\"pool\":\"tank\",\"host\":\"b\"}"),
		  params },
		{ "run_command", FULL("{\"count\":\"1x\",\"pool\":\"tank\",\"host\":\"b\"}"),
		  params },
		{ "run_command", FULL("{\"count\":1,\"pool\":\"lake\",\"host\":\"b\"}"), params },
		{ "run_command", FULL("{\"count\":1,\"pool\":\"tank\"}"), params },
		{ "run_command", FULL("{\"count\":1,\"pool\":\"tank\",\"host\":\"b\",\"x\":1}"),
		  params },
		{ "run_command", "{\"node\":\"a\",\"command_id\":\"full\"}", params },
		/* Reading needs no list. */
		{ "service_status", "{\"node\":\"b\",\"unit\":\"ssh.service\"}", NULL },
	};

	(void)unused;
	for (size_t i = 0; i < countof(table); i++) {
		struct scene s;

		scene_init(&s, ON_NODES);
		(void)judge_all(&s, table[i].tool, table[i].args, NULL);
		if ((s.v.tier == TIER_BLACK) != (table[i].names != NULL) ||
		    (table[i].names && !strstr(s.v.reason, table[i].names)))
			fail_msg("%s %s: %s", table[i].tool, table[i].args, s.v.reason);
		scene_done(&s);
	}
}

/* Nothing is listed at all; and on Jarvis's own host nothing is stopped, while what is listed is restarted. */
static void test_on_own_node(void **unused)
{
	static const char unit[] = "{\"node\":\"a\",\"unit\":\"smbd.service\"}";
	struct scene s;

	(void)unused;
	scene_init(&s, "");
	(void)judge_all(&s, "service_restart", unit, NULL);
	check(&s, TIER_BLACK, DECISION_REFUSE, "service");
	scene_done(&s);
	scene_init(&s, "self: {cluster: home, node: a, vmid: 101}\n" ON_NODES);
	(void)judge_all(&s, "service_restart", unit, NULL);
	check(&s, TIER_YELLOW, DECISION_ALLOW, "tier.person");
	(void)judge_all(&s, "service_stop", unit, NULL);
	check(&s, TIER_BLACK, DECISION_REFUSE, "self");
	assert_non_null(strstr(s.v.reason, "it does not stop anything there"));
	scene_done(&s);
}

/* At the topic of node a, a document says that it is about node b. */
static void test_other_identity(void **unused)
{
	static const char move[] = "{\"guest\":105,\"target_node\":\"b\"}";
	const struct msg_node_state liar = { .cluster = "home",
					     .node = "b",
					     .status = NODE_ONLINE };
	struct topic_args at_a = { .n = 2, .value = { "home", "a" } };
	struct topic_args at_b = { .n = 2, .value = { "home", "b" } };
	struct tool_error error;
	struct tool_args read;
	struct scene s;

	(void)unused;
	scene_init(&s, "");
	view_take(s.w.view, TOPIC_NODE_STATE, &at_b, NULL, false, s.w.now.boot_ms);
	assert_false(view_take(s.w.view, TOPIC_NODE_STATE, &at_a, &liar, false, s.w.now.boot_ms));
	assert_int_equal(tool_args_read(tool_find("guest_migrate"), move, strlen(move), false,
					s.arena, &read, &error),
			 0);
	assert_int_equal(judge_resolve(s.w.view, &read, s.arena, &s.targets[0], &error), -ENOENT);
	scene_done(&s);
}

/* Nothing was heard of any cluster. */
static void test_nothing_known(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct view *view = view_new();
	struct judge_target target;
	struct tool_error error;
	struct tool_args args;

	(void)unused;
	assert_int_equal(
		tool_args_read(tool_find("node_list"), "{}", 2, false, arena, &args, &error), 0);
	assert_int_equal(judge_resolve(view, &args, arena, &target, &error), 0);
	assert_null(target.cluster);
	assert_string_equal(judge_object(&target, arena), "");
	view_free(view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_worst_of_all),  cmocka_unit_test(test_many_facts),
		cmocka_unit_test(test_protected),     cmocka_unit_test(test_no_task),
		cmocka_unit_test(test_own_tasks),     cmocka_unit_test(test_self_unknown),
		cmocka_unit_test(test_self_moved),    cmocka_unit_test(test_quorum),
		cmocka_unit_test(test_votes_unknown), cmocka_unit_test(test_dependents),
		cmocka_unit_test(test_locks),	      cmocka_unit_test(test_reset),
		cmocka_unit_test(test_policy_first),  cmocka_unit_test(test_code_for_keyword),
		cmocka_unit_test(test_nodes_off),     cmocka_unit_test(test_other_identity),
		cmocka_unit_test(test_nothing_known), cmocka_unit_test(test_on_nodes),
		cmocka_unit_test(test_on_own_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
