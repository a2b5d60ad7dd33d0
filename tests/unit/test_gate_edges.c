/* SPDX-License-Identifier: MIT */
/*
 * The core at its edges: what was stored by somebody else, decisions, late and repeated messages, clocks.
 */
#include "common/codec.h"
#include "common/seal.h"
#include "services/safety-gate/core_parts.h"
#include "tests/unit/check.h"
#include "tests/unit/gate_stage.h"

#include <stdio.h>
#include <string.h>

#define UPID "{\"upid\":\"UPID:a:00000001:00000002:65000000:vzdump:101:root@pam:\"}"

static const struct msg_actor guest = { "user", "guest" };
static const struct msg_actor token = { "token", "ci" };

static void load(struct stage *s, const struct msg_action_record *record)
{
	core_load_action(s->core, record, s->w.now);
}

/* A record as it may stand in the database, with one step. */
static struct msg_action_record record_of(const struct msg_action_state *state)
{
	return (struct msg_action_record){ .state = state };
}

/* ── claims ────────────────────────────────────────────────────────────────────────────────────────────────── */

static const char *refused(struct stage *s, const char *id)
{
	const struct effect *grant = stage_claim(s, id);

	assert_null(grant->grant);
	return grant->text;
}

/* What was stored by another version, or by nobody of ours, is not granted. */
static void test_strange_records(void **unused)
{
	const struct {
		const char *tool, *principal, *args, *why;
	} rows[] = {
		{ "gone_tool", "monitor", "{}", "cannot be asked for" },
		{ "guest_start", "gateway", "{\"guest\":103}", "cannot be asked for" },
		{ "guest_start", "executor", "{\"guest\":103}", "cannot be asked for" },
		{ "guest_start", "monitor", "{\"gast\":103}", "no such argument" },
		{ "guest_start", "monitor", "{\"guest\":999}", "there is no guest 999" },
		{ "node_list", "ha", "{}", "no principal of class remote" },
	};
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	for (size_t i = 0; i < countof(rows); i++) {
		const struct msg_action_step step = { .args = rows[i].args };
		const char id[] = { 'A', (char)('0' + i), '\0' };
		const struct msg_action_state state = { .id = id,
							.status = ACTION_APPROVED,
							.tier = TIER_YELLOW,
							.tool = rows[i].tool,
							.principal = rows[i].principal,
							.ts = s.w.now.wall_ms,
							.created_ms = s.w.now.wall_ms,
							.steps = &step,
							.steps_n = 1,
							.until_ms =
								some_i64(s.w.now.wall_ms + 1000) };
		const struct msg_action_record record = record_of(&state);

		load(&s, &record);
		stage_ask(&s, id, "node_list", "{}");
		if (!strstr(refused(&s, id), rows[i].why))
			fail_msg("%s", stage_last(&s, EFFECT_GRANT)->text);
		assert_int_equal(stage_state(&s)->status, ACTION_FAILED);
	}
	assert_string_equal(refused(&s, "Z"), "there is no such action");
	stage_done(&s);
}

static void test_claims(void **unused)
{
	struct msg_grant_claim claim = { .nonce = "00", .epoch = 1 };
	_cleanup_(freep) char *id = NULL;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_start", "{\"guest\":103}");
	id = stage_id_of(&s);
	claim.id = id;
	stage_again(&s);
	core_claim(s.core, &claim, s.w.now, s.out);
	assert_non_null(strstr(stage_last(&s, EFFECT_GRANT)->text, "nonce"));
	/* Too late, and nobody has looked at the clock since. */
	s.w.now.boot_ms += CORE_CLAIM_MS;
	gate_world_poll(&s.w, 3);
	assert_non_null(refused(&s, id));
	assert_int_equal(stage_state(&s)->status, ACTION_EXPIRED);
	stage_done(&s);
}

/* A number may have been given to another guest: what was approved had a name, or none. */
static void test_renamed(void **unused)
{
	const char *const names[][2] = {
		{ NULL, NULL }, { "x", "x" }, { NULL, "x" }, { "x", NULL }, { "x", "y" }
	};

	(void)unused;
	for (size_t i = 0; i < countof(names); i++) {
		struct msg_guest_state box = { .cluster = "home",
					       .vmid = 300,
					       .name = names[i][0],
					       .node = "a",
					       .status = GUEST_STOPPED };
		_cleanup_(freep) char *id = NULL;
		struct stage s;

		stage_init(&s, "");
		stage_hello(&s);
		gate_world_guest(&s.w, &box);
		stage_ask(&s, "r1", "guest_start", "{\"guest\":300}");
		id = stage_id_of(&s);
		box.name = names[i][1];
		gate_world_guest(&s.w, &box);
		assert_int_equal(!stage_claim(&s, id)->grant, i >= 2);
		stage_done(&s);
	}
}

/* What is granted names what it acts on, be it node or storage. */
static void test_targets_of_grants(void **unused)
{
	static const char download[] =
		"{\"storage\":\"nas\",\"node\":\"a\",\"content\":\"iso\",\"filename\":\"x.iso\",\"url\":"
		"\"https://cloud.debian.org/x\",\"checksum_algorithm\":\"sha256\",\"checksum\":\"00\"}";
	_cleanup_(freep) char *id = NULL, *digest = NULL, *other = NULL;
	const struct effect *grant;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	gate_world_node(&s.w, "c", NODE_OFFLINE);
	stage_hello(&s);
	stage_ask(&s, "r1", "node_wake", "{\"node\":\"C\"}");
	assert_string_equal(stage_state(&s)->steps[0].name, "c");
	other = stage_id_of(&s);
	grant = stage_claim(&s, other);
	assert_string_equal(grant->grant->target->node, "c");
	assert_string_equal(grant->grant->target->status, "offline");
	stage_ask(&s, "r2", "download_url", download);
	assert_string_equal(stage_state(&s)->steps[0].name, "nas");
	id = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	stage_decide(&s, id, "approve", digest, PROOF_CODE);
	grant = stage_claim(&s, id);
	assert_string_equal(grant->grant->target->object, "home/storage/nas");
	assert_null(grant->grant->target->node);
	stage_done(&s);
}

/* An agent's action does not outlive the level that allowed it. */
static void test_level_lowered(void **unused)
{
	const struct msg_action_request request =
		stage_request_of("r", "guest_start", "{\"guest\":103}");
	const struct msg_autonomy_set lower = {
		.request_id = "l", .op = "level", .level = some_i64(2), .actor = &stage_operator
	};
	_cleanup_(freep) char *id = NULL;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	core_load_settings(s.core, &(const struct msg_autonomy_state){ .level = 4 }, 0);
	stage_hello(&s);
	stage_ask_as(&s, "llm-router", NULL, &request);
	assert_int_equal(stage_state(&s)->status, ACTION_APPROVED);
	id = stage_id_of(&s);
	stage_again(&s);
	core_autonomy(s.core, "gateway", &lower, PROOF_NONE, s.w.now, s.out);
	assert_non_null(refused(&s, id));
	assert_int_equal(stage_state(&s)->status, ACTION_FAILED);
	stage_done(&s);
}

/* ── deciding ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* Two of them may wait; only one is begun. */
static void test_one_red(void **unused)
{
	_cleanup_(freep) char *first = NULL, *second = NULL, *digest = NULL, *digest2 = NULL;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_ask(&s, "r1", "guest_stop", "{\"guest\":101}");
	first = stage_id_of(&s);
	digest = xstrdup(stage_state(&s)->digest);
	stage_ask(&s, "r2", "guest_stop", "{\"guest\":102}");
	second = stage_id_of(&s);
	digest2 = xstrdup(stage_state(&s)->digest);
	stage_decide(&s, first, "approve", digest, PROOF_CODE);
	assert_int_equal(stage_state(&s)->status, ACTION_WINDOW);
	stage_decide(&s, second, "approve", digest2, PROOF_CODE);
	assert_string_equal(stage_reply(&s)->code, "rate");
	stage_decide(&s, first, "cancel", digest, PROOF_NONE);
	stage_decide(&s, second, "approve", digest2, PROOF_CODE);
	assert_int_equal(stage_state(&s)->status, ACTION_WINDOW);
	stage_done(&s);
}

static void decide_as(struct stage *s, const char *principal, const struct msg_actor *actor,
		      const char *id, const char *decision)
{
	const struct msg_action_approval approval = { .request_id = "d",
						      .decision = decision,
						      .digest = "x",
						      .person = "op",
						      .actor = actor };

	stage_again(s);
	core_approval(s->core, principal, id, &approval, PROOF_CODE, s->w.now, s->out);
}

static void test_who_decides(void **unused)
{
	_cleanup_(freep) char *id = NULL, *own = NULL;
	const struct msg_action_request request =
		stage_request_of("h", "guest_start", "{\"guest\":103}");
	struct stage s;

	(void)unused;
	stage_init(
		&s,
		"principals: {ha: {class: remote, tools: [guest_start], targets: [home/guest/*]}}\n");
	stage_ask(&s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = stage_id_of(&s);
	decide_as(&s, "executor", NULL, id, "deny");
	assert_string_equal(stage_reply(&s)->code, "actor");
	decide_as(&s, "gateway", &token, id, "deny");
	assert_string_equal(stage_reply(&s)->code, "policy");
	decide_as(&s, "ha", NULL, id, "approve");
	assert_string_equal(stage_reply(&s)->code, "policy");
	decide_as(&s, "ha", NULL, id, "cancel");
	assert_string_equal(stage_reply(&s)->code, "policy");
	decide_as(&s, "gateway", &guest, id, "approve");
	assert_string_equal(stage_reply(&s)->text, "One approves in one's own name.");
	decide_as(&s, "gateway", &stage_operator, id, "perhaps");
	assert_string_equal(stage_reply(&s)->code, "invalid");
	decide_as(&s, "gateway", &stage_operator, "none", "deny");
	assert_string_equal(stage_reply(&s)->code, "gone");
	decide_as(&s, "ha", NULL, id, "deny");
	assert_int_equal(stage_state(&s)->status, ACTION_DENIED);
	decide_as(&s, "ha", NULL, id, "deny");
	assert_string_equal(stage_reply(&s)->code, "state");
	decide_as(&s, "gateway", &stage_operator, id, "cancel");
	assert_string_equal(stage_reply(&s)->text, "It is over.");
	stage_ask_as(&s, "ha", NULL, &request);
	own = stage_id_of(&s);
	decide_as(&s, "ha", NULL, own, "cancel");
	assert_int_equal(stage_state(&s)->status, ACTION_CANCELLED);
	stage_done(&s);
}

/* ── running ───────────────────────────────────────────────────────────────────────────────────────────────── */

static struct msg_grant_payload run(struct stage *s, const char *id)
{
	const struct effect *effect = stage_claim(s, id);

	assert_non_null(effect->grant);
	return (struct msg_grant_payload){ .id = id,
					   .gid = xstrdup(effect->grant->gid),
					   .step = effect->grant->step };
}

/* What a task says is told and not kept, however much it is; which task it is, is kept. */
static void check_lines(struct stage *s, struct msg_action_progress *progress)
{
	char line[24], longest[513];

	progress->line = line;
	for (int i = 0; i < 1000; i++) {
		(void)snprintf(line, sizeof(line), "line %d", i);
		stage_again(s);
		core_progress(s->core, progress, s->w.now, s->out);
		assert_null(stage_last(s, EFFECT_STORE));
		assert_string_equal(stage_last(s, EFFECT_SHOW)->record->state->line, line);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	progress->line = longest;
	core_progress(s->core, progress, s->w.now, s->out);
	assert_string_equal(core_find(s->core, progress->id)->state->line, longest);
	progress->upid = NULL;
	stage_again(s);
	core_progress(s->core, progress, s->w.now, s->out);
	assert_null(stage_last(s, EFFECT_STORE));
	progress->upid = "UPID:z";
	core_progress(s->core, progress, s->w.now, s->out);
	assert_string_equal(stage_state(s)->steps[0].upid, "UPID:z");
}

static void test_reports(void **unused)
{
	_cleanup_(freep) char *id = NULL, *gid = NULL;
	struct msg_action_progress progress = { .gid = "ff" };
	struct msg_action_result result = { .outcome = STEP_SKIPPED, .upid = "UPID:y" };
	struct msg_grant_payload grant;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_start", "{\"guest\":103}");
	id = stage_id_of(&s);
	progress.id = id;
	result.id = id;
	stage_again(&s);
	core_progress(s.core, &progress, s.w.now, s.out);
	grant = run(&s, id);
	gid = (char *)grant.gid;
	stage_again(&s);
	core_progress(s.core, &progress, s.w.now, s.out);
	progress.gid = gid;
	progress.step = 1;
	core_progress(s.core, &progress, s.w.now, s.out);
	assert_int_equal(s.out->n, 0);
	progress.step = 0;
	core_progress(s.core, &progress, s.w.now, s.out);
	assert_null(stage_last(&s, EFFECT_SHOW)->record->state->line);
	progress.line = "half";
	progress.upid = "UPID:x";
	core_progress(s.core, &progress, s.w.now, s.out);
	assert_string_equal(stage_state(&s)->line, "half");
	assert_string_equal(stage_state(&s)->steps[0].upid, "UPID:x");
	check_lines(&s, &progress);
	/* Not a word that an outcome has. */
	result.gid = gid;
	core_result(s.core, &result, s.w.now, s.out);
	assert_int_equal(stage_state(&s)->status, ACTION_UNKNOWN);
	assert_int_equal(stage_state(&s)->steps[0].status, STEP_UNKNOWN);
	assert_string_equal(stage_state(&s)->steps[0].upid, "UPID:y");
	assert_string_equal(stage_state(&s)->summary, "unknown");
	stage_done(&s);
}

/* What an executor holds lives on with it; what it has lost is over. */
static void test_hello_again(void **unused)
{
	const char *holds[256];
	struct msg_executor_hello hello = { .nonce = "00", .holds = holds };
	_cleanup_(freep) char *id = NULL, *gid = NULL;
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	stage_ask(&s, "r1", "guest_start", "{\"guest\":103}");
	id = stage_id_of(&s);
	gid = (char *)run(&s, id).gid;
	stage_again(&s);
	for (size_t i = 0; i < countof(holds); i++)
		holds[i] = "ff";
	hello.holds_n = countof(holds);
	core_hello(s.core, &hello, s.w.now, s.out);
	assert_null(stage_last(&s, EFFECT_STORE));
	/* Brought a second time it is no other executor, and what began since goes on. */
	hello.holds_n = 0;
	stage_again(&s);
	core_hello(s.core, &hello, s.w.now, s.out);
	assert_null(stage_last(&s, EFFECT_STORE));
	assert_int_equal(stage_last(&s, EFFECT_EPOCH)->epoch->epoch, 2);
	holds[1] = gid;
	hello.nonce = "01";
	hello.holds_n = 2;
	core_hello(s.core, &hello, s.w.now, s.out);
	assert_null(stage_last(&s, EFFECT_STORE));
	hello.nonce = "02";
	hello.holds_n = 1;
	core_hello(s.core, &hello, s.w.now, s.out);
	assert_int_equal(core_epoch(s.core), 4);
	assert_int_equal(stage_state(&s)->status, ACTION_UNKNOWN);
	stage_done(&s);
}

/* Between two targets: cancelled, frozen, or on. */
static void between(const char *tool, bool cancels, bool freezes, enum action_status status)
{
	const struct msg_autonomy_set freeze = { .op = "freeze" };
	const char *const targets[] = { "103", "104" };
	struct msg_action_request request = stage_request_of("b", tool, "{\"snapshot\":\"s\"}");
	const struct msg_guest_state second = {
		.cluster = "home", .vmid = 104, .name = "tpl", .node = "b", .status = GUEST_STOPPED
	};
	_cleanup_(freep) char *id = NULL, *gid = NULL;
	struct msg_grant_payload grant;
	struct stage s;

	stage_init(&s, "");
	gate_world_guest(&s.w, &second);
	stage_hello(&s);
	request.targets = targets;
	request.targets_n = 2;
	if (str_eq(tool, "guest_status"))
		request.args = "{}";
	stage_ask_as(&s, "gateway", &stage_operator, &request);
	id = stage_id_of(&s);
	grant = run(&s, id);
	gid = (char *)grant.gid;
	if (cancels)
		stage_decide(&s, id, "cancel", "x", PROOF_NONE);
	assert_int_equal(!stage_last(&s, EFFECT_CANCEL), !cancels);
	if (freezes)
		core_autonomy(s.core, "ha", &freeze, PROOF_NONE, s.w.now, s.out);
	stage_report(&s, &grant, STEP_VERIFIED);
	assert_int_equal(stage_state(&s)->status, status);
	/* Of what comes after the first alone it may be said that nothing was done. */
	if (status == ACTION_CANCELLED)
		assert_true(str_starts(stage_state(&s)->summary, "1 of 2 done; after that: "));
	if (status == ACTION_APPROVED) {
		struct msg_grant_payload next = run(&s, id);

		stage_report(&s, &next, STEP_VERIFIED);
		assert_string_equal(stage_state(&s)->summary, "All 2 are done.");
		free((char *)next.gid);
	}
	stage_done(&s);
}

static void test_between(void **unused)
{
	(void)unused;
	between("guest_snapshot", false, false, ACTION_APPROVED);
	between("guest_snapshot", true, false, ACTION_CANCELLED);
	between("guest_snapshot", false, true, ACTION_CANCELLED);
	between("guest_status", false, true, ACTION_APPROVED);
}

/* Failing costs a runbook its level once, and nothing else. */
static void test_demote(void **unused)
{
	struct msg_action_request request = stage_request_of("1", "guest_start", "{\"guest\":103}");
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	stage_hello(&s);
	core_set_runbook(s.core, "other", 3);
	for (int i = 0; i < 3; i++) {
		_cleanup_(freep) char *id = NULL, *gid = NULL;
		struct msg_grant_payload grant;

		request.request_id = i == 0 ? "1" : i == 1 ? "2" : "3";
		request.runbook = i < 2 ? "start" : NULL;
		if (i < 2)
			stage_ask_as(&s, "monitor", NULL, &request);
		else
			stage_ask_as(&s, "gateway", &stage_operator, &request);
		id = stage_id_of(&s);
		if (i == 1) {
			_cleanup_(freep) char *digest = xstrdup(stage_state(&s)->digest);

			stage_decide(&s, id, "approve", digest, PROOF_NONE);
		}
		grant = run(&s, id);
		gid = (char *)grant.gid;
		stage_report(&s, &grant, STEP_STILL_FAILING);
		assert_int_equal(!stage_last(&s, EFFECT_SETTINGS), i > 0);
		assert_int_equal(core_level_of(s.core, "start"), 2);
	}
	assert_int_equal(core_level_of(s.core, "other"), 3);
	stage_done(&s);
}

/* ── level ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static const char *set_level(struct stage *s, struct msg_autonomy_set set, enum proof_result proof)
{
	set.request_id = "l";
	set.op = set.op ? set.op : "level";
	stage_again(s);
	core_autonomy(s->core, set.actor ? "gateway" : "ha", &set, proof, s->w.now, s->out);
	return stage_reply(s)->status == REPLY_OK ? "ok" : stage_reply(s)->code;
}

static void test_levels(void **unused)
{
	struct msg_autonomy_set set = { .actor = &stage_operator };
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	core_load_settings(s.core, NULL, 3);
	assert_int_equal(core_epoch(s.core), 3);
	assert_string_equal(set_level(&s, set, PROOF_CODE), "invalid");
	set.level = some_i64(-1);
	assert_string_equal(set_level(&s, set, PROOF_CODE), "invalid");
	set.level.v = 5;
	assert_string_equal(set_level(&s, set, PROOF_CODE), "invalid");
	set.level.v = 4;
	assert_string_equal(set_level(&s, set, PROOF_WRONG), "proof");
	assert_string_equal(set_level(&s, set, PROOF_CODE), "ok");
	set.runbook = "start";
	set.level.v = 1;
	assert_string_equal(set_level(&s, set, PROOF_NONE), "ok");
	assert_int_equal(core_level_of(s.core, "start"), 1);
	assert_int_equal(core_level_of(s.core, "other"), 3);
	assert_int_equal(core_level_of(s.core, NULL), 4);
	set.actor = NULL;
	set.level.v = 0;
	assert_string_equal(set_level(&s, set, PROOF_NONE), "policy");
	set.actor = &stage_operator;
	set.op = "thaw";
	assert_string_equal(set_level(&s, set, PROOF_NONE), "invalid");
	set.actor = &(const struct msg_actor){ "root", "op" };
	assert_string_equal(set_level(&s, set, PROOF_NONE), "actor");
	stage_done(&s);
}

/* A proof is bound to all that is asked for. */
static void test_autonomy_digest(void **unused)
{
	const struct msg_autonomy_set sets[] = {
		{ .op = "level" },
		{ .op = "unfreeze" },
		{ .op = "level", .level = some_i64(3) },
		{ .op = "level", .level = some_i64(3), .runbook = "r" },
		{ .op = "level", .level = some_i64(3), .request_id = "r" },
	};
	char digests[countof(sets)][65];

	(void)unused;
	for (size_t i = 0; i < countof(sets); i++) {
		seal_autonomy_digest(&sets[i], digests[i]);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(digests[i], digests[k]);
	}
}

/* ── what is told ──────────────────────────────────────────────────────────────────────────────────────────── */

static const struct msg_event *event(const struct stage *s)
{
	const struct effect *effect = stage_last(s, EFFECT_EVENT);

	assert_non_null(effect);
	return effect->event;
}

/* A reply goes to who waits for one, and is as long as one may be, cut between letters. */
static void test_replies(void **unused)
{
	const struct msg_action_state state = { .id = "A",
						.status = ACTION_WAITING,
						.tier = TIER_ORANGE,
						.tool = "guest_shutdown",
						.principal = "monitor",
						.until_ms = some_i64(1700000060000) };
	const struct msg_action_record record = record_of(&state);
	char text[601];
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text + 511, "ä", strlen("ä"));
	effect_reply(s.out, "gateway", NULL, REPLY_OK, NULL, text, NULL);
	effect_reply(s.out, "gateway", "", REPLY_OK, NULL, text, NULL);
	assert_int_equal(s.out->n, 0);
	effect_reply(s.out, "gateway", "r", REPLY_OK, NULL, text, NULL);
	assert_int_equal(strlen(stage_reply(&s)->text), 511);
	memcpy(text + 511, "xx", 2);
	effect_reply(s.out, "gateway", "r", REPLY_OK, NULL, text, NULL);
	assert_int_equal(strlen(stage_reply(&s)->text), 512);
	/* Of something without any target, by another version, there is still a sentence. */
	load(&s, &record);
	stage_decide(&s, "A", "deny", "x", PROOF_NONE);
	assert_string_equal(event(&s)->text, "guest_shutdown: denied");
	stage_done(&s);
}

static void test_events(void **unused)
{
	struct msg_action_request request = stage_request_of("r1", "guest_start", "{}");
	struct msg_guest_state box = { .cluster = "home", .node = "a", .status = GUEST_STOPPED };
	const char *targets[JUDGE_TARGETS_MAX];
	char words[JUDGE_TARGETS_MAX][24], name[120];
	_cleanup_(str_done) struct str args = { 0 };
	size_t at = 0;
	struct stage s;

	(void)unused;
	stage_init(&s, "safety_gate: {orange_rate: 10}\n");
	stage_ask(&s, "t", "task_stop", UPID);
	assert_string_equal(event(&s)->text, "task_stop: waiting");
	box.vmid = 300;
	gate_world_guest(&s.w, &box);
	stage_ask(&s, "u", "guest_start", "{\"guest\":300}");
	assert_string_equal(event(&s)->text, "guest_start home/guest/300: approved");
	assert_non_null(event(&s)->after);
	/* Too much to be carried along. */
	memset(name, '"', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	box.name = name;
	box.lock = "snapshot-delete";
	for (size_t i = 0; i < countof(targets); i++) {
		box.vmid = 400 + (int64_t)i;
		gate_world_guest(&s.w, &box);
		(void)snprintf(words[i], sizeof(words[i]), "%zu", 400 + i);
		targets[i] = words[i];
	}
	request.tool = "guest_snapshot";
	str_add(&args, "{\"snapshot\":\"s\",\"description\":\"");
	for (int i = 0; i < 250; i++)
		str_add(&args, "\\\"");
	str_add(&args, "\"}");
	request.args = str_get(&args);
	request.targets = targets;
	request.targets_n = countof(targets);
	request.reason = name;
	stage_ask_as(&s, "gateway", &stage_operator, &request);
	assert_null(event(&s)->after);
	while (core_next_action(s.core, &at))
		;
	assert_int_equal(at, 3);
	stage_done(&s);
}

/* ── the end of an action, and of the process ──────────────────────────────────────────────────────────────── */

static int64_t due(const struct msg_action_state *state, int64_t granted_ms, int64_t wall_ms)
{
	struct msg_action_record record = record_of(state);
	struct stage s;
	int64_t left;

	stage_init(&s, "");
	record.granted_ms = some_i64(granted_ms);
	s.w.now.wall_ms = wall_ms;
	load(&s, &record);
	left = core_next(s.core) - s.w.now.boot_ms;
	stage_done(&s);
	return left;
}

/* What is left after a restart is never more than was given, whatever the clock says. */
static void test_time_left(void **unused)
{
	struct msg_action_state state = { .id = "A",
					  .tool = "guest_start",
					  .principal = "monitor",
					  .ts = 1000000,
					  .until_ms = some_i64(1300000) };

	(void)unused;
	assert_int_equal(due(&state, 0, 1100000), 200000);
	assert_int_equal(due(&state, 0, 0), 300000);
	assert_int_equal(due(&state, 0, 9000000), 0);
	state.status = ACTION_WINDOW;
	assert_int_equal(due(&state, 0, 9000000), 300000);
	state.status = ACTION_RUNNING;
	assert_int_equal(due(&state, 1000000, 1000000), 180000);
	assert_int_equal(due(&state, 1000000, 1170000), 10000);
	state.tool = "gone_tool";
	assert_int_equal(due(&state, 1000000, 1000000), 0);
	state.status = ACTION_VERIFIED;
	state.tier = TIER_YELLOW;
	state.ended_ms = some_i64(1000000);
	assert_int_equal(due(&state, 0, 1000000), CORE_KEPT_MS);
	state.tier = TIER_GREEN;
	assert_int_equal(due(&state, 0, 1000000), CORE_KEPT_GREEN_MS);
}

/* What is approved says what will be checked, in the words of tools.def, for whatever waits for a person. */
static void test_shown_verify(void **unused)
{
	static const struct {
		const char *tool, *args;
	} asked[] = {
		{ "guest_shutdown", "{\"guest\":101}" },
		{ "guest_migrate", "{\"guest\":101,\"target_node\":\"b\"}" },
		{ "snapshot_rollback", "{\"guest\":102,\"snapshot\":\"s\"}" },
		{ "node_shutdown", "{\"node\":\"c\"}" },
	};
	struct stage s;

	(void)unused;
	stage_init(&s, "");
	for (size_t i = 0; i < countof(asked); i++) {
		_cleanup_(freep) char *words = xasprintf(
			"\"verify\":\"%s\"", tool_verify_text(tool_find(asked[i].tool)->verify));

		stage_ask(&s, asked[i].tool, asked[i].tool, asked[i].args);
		assert_non_null(strstr(stage_state(&s)->shown, words));
	}
	stage_done(&s);
}

static void remember(struct stage *s, const char *principal, size_t n)
{
	const struct effect_request request = { .principal = principal,
						.actor = "",
						.request_id = "x",
						.wall_ms = s->w.now.wall_ms,
						.kept_ms = CORE_REQUEST_KEPT_MS };

	while (n--)
		core_load_request(s->core, &request, s->w.now);
}

/* Old ones are forgotten, and when there are very many, the oldest. */
static void test_forgetting(void **unused)
{
	struct msg_action_state state = { .status = ACTION_VERIFIED,
					  .tier = TIER_YELLOW,
					  .tool = "guest_start",
					  .principal = "monitor" };
	struct stage s;
	size_t n = 0;

	(void)unused;
	stage_init(&s, "");
	for (int i = 0; i < 502; i++) {
		char id[16];
		struct msg_action_record record = record_of(&state);

		(void)snprintf(id, sizeof(id), "%05d", i);
		state.id = id;
		state.ended_ms = some_i64(s.w.now.wall_ms);
		load(&s, &record);
	}
	remember(&s, "monitor", 1);
	stage_again(&s);
	core_tick(s.core, s.w.now, s.out);
	for (size_t i = 0; i < s.out->n; i++)
		n += s.out->list[i].kind == EFFECT_FORGET;
	assert_int_equal(n, 2);
	assert_null(core_find(s.core, "00001"));
	assert_non_null(core_find(s.core, "00002"));
	s.w.now.boot_ms += CORE_KEPT_MS + 1;
	core_tick(s.core, s.w.now, s.out);
	assert_int_equal(core_next(s.core), INT64_MAX);
	effects_free(NULL);
	core_free(NULL);
	stage_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strange_records), cmocka_unit_test(test_claims),
		cmocka_unit_test(test_renamed),		cmocka_unit_test(test_targets_of_grants),
		cmocka_unit_test(test_level_lowered),	cmocka_unit_test(test_one_red),
		cmocka_unit_test(test_who_decides),	cmocka_unit_test(test_reports),
		cmocka_unit_test(test_hello_again),	cmocka_unit_test(test_between),
		cmocka_unit_test(test_demote),		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_autonomy_digest), cmocka_unit_test(test_events),
		cmocka_unit_test(test_replies),		cmocka_unit_test(test_time_left),
		cmocka_unit_test(test_shown_verify),	cmocka_unit_test(test_forgetting),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
