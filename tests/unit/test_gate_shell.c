/* SPDX-License-Identifier: MIT */
/*
 * What comes over the bus to the gate, and what it tells the bus: proofs, late commands, freezing, signing.
 */
#include "tests/unit/check.h"
#include "tests/unit/gate_shell.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNAPSHOT "{\"guest\":102,\"snapshot\":\"s\"}"

static int setup(void **state)
{
	struct shell *s = xnew(struct shell);

	shell_init(s);
	*state = s;
	return shell_start(s);
}

static int teardown(void **state)
{
	struct shell *s = *state;

	shell_done(s);
	free(s);
	return 0;
}

/* The newest action's state. */
static const struct msg_action_state *newest(struct shell *s)
{
	const struct msg_action_state *state, *last = NULL;
	size_t at = 0;

	while ((state = core_next_action(s->gate->core, &at))) {
		if (!last || strcmp(state->id, last->id) > 0)
			last = state;
	}
	assert_non_null(last);
	return last;
}

static void test_yellow(void **state)
{
	struct shell *s = *state;
	_cleanup_(freep) char *id = NULL, *gid = NULL, *grant = NULL;

	shell_ask(s, "r1", "guest_snapshot", SNAPSHOT);
	id = xstrdup(newest(s)->id);
	assert_int_equal(newest(s)->status, ACTION_APPROVED);
	assert_true(shell_says(s, TOPIC_EVENT_ACTION, id));
	/* Told is what is stored. */
	assert_int_equal(
		((const struct msg_action_state *)state_get(s->env.state, TOPIC_ACTION_STATE,
							    (const char *const[]){ id, NULL }))
			->status,
		ACTION_APPROVED);
	shell_claim(s, id);
	grant = shell_grant(s);
	assert_non_null(grant);
	assert_non_null(strstr(grant, "\"tool\":\"guest_snapshot\""));
	assert_int_equal(shell_records(s, "granted", id), 1);
	/* Once. */
	shell_claim(s, id);
	assert_null(shell_grant(s));
	gid = xstrdup(strstr(grant, "\"gid\":\"") + 7);
	gid[strcspn(gid, "\"")] = '\0';
	shell_hand(s, gate_on_progress, TOPIC_X_PROGRESS, (const char *const[]){ NULL },
		   &(const struct msg_action_progress){ .id = id, .gid = gid, .upid = "UPID:x" });
	assert_int_equal(newest(s)->status, ACTION_RUNNING);
	shell_decide(s, id, "cancel", NULL, NULL);
	assert_true(shell_says(s, TOPIC_X_CANCEL, gid));
	shell_result(s, id, gid);
	assert_int_equal(newest(s)->status, ACTION_VERIFIED);
	assert_true(shell_says(s, TOPIC_REPLY, "\"status\":\"ok\""));
	/* After a restart it is still there, and after its time it is not. */
	shell_stop(s);
	assert_int_equal(shell_start(s), 0);
	assert_int_equal(newest(s)->status, ACTION_VERIFIED);
	for (int day = 0; day < 40 && core_find(s->gate->core, id); day++)
		shell_tick(s, 24 * 3600000LL);
	assert_null(core_find(s->gate->core, id));
	assert_null(state_get(s->env.state, TOPIC_ACTION_STATE, (const char *const[]){ id, NULL }));
	shell_verify(s);
}

static void test_keyword(void **state)
{
	struct shell *s = *state;
	_cleanup_(freep) char *id = NULL;

	shell_ask(s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = xstrdup(newest(s)->id);
	shell_decide(s, id, "approve", NULL, NULL);
	assert_int_equal(newest(s)->status, ACTION_WAITING);
	shell_decide(s, id, "approve", "open sesam", NULL);
	assert_int_equal(newest(s)->status, ACTION_WAITING);
	assert_true(shell_says(s, TOPIC_REPLY, "\"denied\""));
	shell_decide(s, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "approve", NULL, NULL);
	shell_decide(s, id, "approve", SHELL_KEYWORD, NULL);
	assert_int_equal(newest(s)->status, ACTION_APPROVED);
	assert_int_equal(shell_records(s, "approved", id), 1);
}

/* A keyword where a code is asked for: it is looked at, and not enough. */
static void test_autonomy_keyword(void **state)
{
	struct shell *s = *state;
	char proof[SEAL_TEXT_SIZE], digest[65];
	struct msg_autonomy_set set = { .request_id = "l",
					.op = "level",
					.level = some_i64(4),
					.person = "op",
					.proof = proof,
					.actor = &shell_operator };
	unsigned busy = 0;

	core_autonomy_digest(&set, digest);
	assert_int_equal(seal_proof(s->gate->seal.pk[0], digest, SHELL_KEYWORD, NULL, proof), 0);
	for (int i = 0; i < 30 && !busy; i++) {
		shell_again(s);
		shell_hand(s, gate_on_autonomy, TOPIC_AUTONOMY_SET,
			   (const char *const[]){ "gateway", NULL }, &set);
		busy += shell_says(s, TOPIC_REPLY, "\"busy\"");
	}
	assert_int_equal(busy, 1);
	shell_settle(s);
	assert_int_equal(shell_autonomy(s)->level, CORE_LEVEL);
	assert_true(shell_says(s, TOPIC_REPLY, "\"denied\""));
}

/* More keywords at once than are looked at: the rest hear it, and nothing is lost of those that came first. */
static void test_busy(void **state)
{
	struct shell *s = *state;
	_cleanup_(freep) char *id = NULL, *digest = NULL;
	char proof[SEAL_TEXT_SIZE];
	struct msg_action_approval approval = {
		.decision = "approve", .person = "op", .proof = proof, .actor = &shell_operator
	};
	unsigned busy = 0;

	shell_ask(s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = xstrdup(newest(s)->id);
	digest = xstrdup(newest(s)->digest);
	approval.digest = digest;
	assert_int_equal(seal_proof(s->gate->seal.pk[0], digest, "wrong", NULL, proof), 0);
	for (int i = 0; i < 30 && !busy; i++) {
		shell_again(s);
		approval.request_id = i % 2 ? "d" : NULL;
		shell_hand(s, gate_on_approval, TOPIC_ACTION_APPROVAL,
			   (const char *const[]){ id, "gateway", NULL }, &approval);
		busy += shell_says(s, TOPIC_REPLY, "\"busy\"");
	}
	assert_int_equal(busy, 1);
	/* Ends while some are being looked at: nothing comes of them. */
	shell_stop(s);
	assert_int_equal(shell_start(s), 0);
	assert_int_equal(newest(s)->status, ACTION_WAITING);
}

static void test_code(void **state)
{
	struct shell *s = *state;
	_cleanup_(freep) char *id = NULL, *other = NULL;
	char code[TOTP_DIGITS + 1];

	shell_ask(s, "r1", "guest_stop", "{\"guest\":101}");
	id = xstrdup(newest(s)->id);
	shell_ask(s, "r2", "guest_stop", "{\"guest\":102}");
	other = xstrdup(newest(s)->id);
	assert_string_not_equal(id, other);
	shell_decide(s, id, "approve", NULL, "000000");
	assert_int_equal(core_find(s->gate->core, id)->state->status, ACTION_WAITING);
	shell_code(s, code);
	shell_decide(s, id, "approve", NULL, code);
	assert_int_equal(core_find(s->gate->core, id)->state->status, ACTION_WINDOW);
	/* It counts once, for whatever. */
	shell_decide(s, other, "approve", NULL, code);
	assert_int_equal(newest(s)->status, ACTION_WAITING);
	/* Not after a restart either. */
	shell_drop(s);
	assert_int_equal(shell_start(s), 0);
	shell_decide(s, other, "approve", NULL, code);
	assert_int_equal(newest(s)->status, ACTION_WAITING);
	shell_tick(s, 11000);
	assert_int_equal(core_find(s->gate->core, id)->state->status, ACTION_APPROVED);
	/* Of one who is not enrolled, without an actor, for nothing that waits: no proof. */
	shell_hand(s, gate_on_approval, TOPIC_ACTION_APPROVAL,
		   (const char *const[]){ other, "gateway", NULL },
		   &(const struct msg_action_approval){
			   .decision = "approve", .digest = newest(s)->digest, .proof = "x" });
	shell_decide(s, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "deny", NULL, NULL);
	assert_int_equal(newest(s)->status, ACTION_WAITING);
}

static void test_strangers_code(void **state)
{
	struct shell *s = *state;
	const struct msg_actor eve = { "user", "eve" };
	_cleanup_(freep) char *digest = NULL;
	char proof[SEAL_TEXT_SIZE], code[TOTP_DIGITS + 1];

	shell_ask(s, "r1", "guest_stop", "{\"guest\":101}");
	digest = xstrdup(newest(s)->digest);
	shell_code(s, code);
	assert_int_equal(seal_proof(s->gate->seal.pk[0], digest, NULL, code, proof), 0);
	shell_hand(s, gate_on_approval, TOPIC_ACTION_APPROVAL,
		   (const char *const[]){ newest(s)->id, "gateway", NULL },
		   &(const struct msg_action_approval){ .decision = "approve",
							.digest = digest,
							.person = "eve",
							.proof = proof,
							.actor = &eve });
	assert_int_equal(newest(s)->status, ACTION_WAITING);
	/* A proof for nothing that waits. */
	shell_hand(s, gate_on_approval, TOPIC_ACTION_APPROVAL,
		   (const char *const[]){ "01ARZ3NDEKTSV4RRFFQ69G5FAV", "gateway", NULL },
		   &(const struct msg_action_approval){ .decision = "approve",
							.digest = digest,
							.proof = proof,
							.actor = &shell_operator });
	/* What cannot be used up does not count, nor what cannot be looked up. */
	assert_int_equal(db_exec(s->gate->db, "CREATE TRIGGER full BEFORE INSERT ON code"
					      " BEGIN SELECT RAISE(ABORT, 'no'); END"),
			 0);
	shell_decide(s, newest(s)->id, "approve", NULL, code);
	assert_int_equal(newest(s)->status, ACTION_WAITING);
	assert_int_equal(db_exec(s->gate->db, "DROP TABLE code"), 0);
	shell_decide(s, newest(s)->id, "approve", NULL, code);
	assert_int_equal(newest(s)->status, ACTION_WAITING);
}

static void test_bad_ids(void **state)
{
	static const char *const bad[] = {
		"", "a/b", "a b", "\u00e4",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	};
	struct shell *s = *state;
	size_t at = 0;

	for (size_t i = 0; i < countof(bad); i++) {
		shell_ask(s, bad[i], "guest_snapshot", SNAPSHOT);
		shell_set(s, bad[i], "unfreeze", NULL);
		shell_hand(s, gate_on_approval, TOPIC_ACTION_APPROVAL,
			   (const char *const[]){ "x", "gateway", NULL },
			   &(const struct msg_action_approval){
				   .request_id = bad[i], .decision = "deny", .digest = "" });
	}
	assert_null(core_next_action(s->gate->core, &at));
	assert_null(shell_last(s, TOPIC_REPLY));
	/* Freezing is not refused for it. */
	shell_set(s, "a/b", "freeze", NULL);
	assert_true(shell_autonomy(s)->frozen);
}

/* Stopped for a while: what lies there was said to nobody. A no and a freeze count nevertheless. */
static void test_late(void **state)
{
	struct shell *s = *state;
	_cleanup_(freep) char *id = NULL;

	shell_ask(s, "r1", "guest_shutdown", "{\"guest\":101}");
	id = xstrdup(newest(s)->id);
	s->w.now.boot_ms += 2501;
	shell_poll(s);
	shell_again(s);
	shell_ask(s, "r2", "guest_snapshot", SNAPSHOT);
	assert_true(shell_says(s, TOPIC_REPLY, "\"late\""));
	assert_string_equal(newest(s)->id, id);
	shell_again(s);
	shell_ask(s, NULL, "guest_snapshot", SNAPSHOT);
	assert_null(shell_last(s, TOPIC_REPLY));
	assert_string_equal(newest(s)->id, id);
	shell_decide(s, id, "approve", NULL, NULL);
	assert_true(shell_says(s, TOPIC_REPLY, "\"late\""));
	shell_again(s);
	shell_set(s, "u", "unfreeze", NULL);
	assert_true(shell_says(s, TOPIC_REPLY, "\"late\""));
	/* Also right after it has looked at the clock. */
	s->w.now.wall_ms += 2501;
	shell_tick(s, 0);
	s->w.now.boot_ms += 999;
	shell_ask(s, "r3", "guest_snapshot", SNAPSHOT);
	assert_string_equal(newest(s)->id, id);
	shell_decide(s, id, "deny", NULL, NULL);
	assert_int_equal(newest(s)->status, ACTION_DENIED);
	shell_set(s, "f", "freeze", NULL);
	assert_true(shell_autonomy(s)->frozen);
	s->w.now.boot_ms += 1;
	shell_again(s);
	shell_ask(s, "r4", "guest_snapshot", SNAPSHOT);
	assert_true(shell_says(s, TOPIC_REPLY, "\"frozen\""));
}

static void test_clock_step(void **state)
{
	static const int64_t steps_ms[] = { 2001, -2001 };
	struct shell *s = *state;

	for (size_t i = 0; i < countof(steps_ms); i++) {
		_cleanup_(freep) char *request = xasprintf("r%zu", i);

		shell_ask(s, request, "guest_shutdown", "{\"guest\":101}");
		s->w.now.wall_ms += steps_ms[i] > 0 ? 2000 : -2000;
		shell_tick(s, 250);
		assert_int_equal(newest(s)->status, ACTION_WAITING);
		s->w.now.wall_ms += steps_ms[i];
		shell_tick(s, 250);
		assert_int_equal(newest(s)->status, ACTION_EXPIRED);
		s->w.now.wall_ms += 10000;
		shell_tick(s, 250);
	}
}

static void test_freeze_file(void **state)
{
	struct shell *s = *state;
	_cleanup_(freep) char *path = shell_path(s, "run/frozen");
	char code[TOTP_DIGITS + 1];

	assert_false(shell_autonomy(s)->frozen);
	shell_write(s, "run/frozen", "");
	shell_tick(s, 250);
	assert_true(shell_autonomy(s)->frozen);
	assert_int_equal(shell_records(s, "freeze", ""), 1);
	/* Taken away by hand: it is put back, for only a code unfreezes. */
	assert_int_equal(unlink(path), 0);
	shell_tick(s, 5000);
	assert_int_equal(access(path, F_OK), 0);
	shell_drop(s);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(shell_start(s), 0);
	assert_true(shell_autonomy(s)->frozen);
	assert_int_equal(access(path, F_OK), 0);
	shell_set(s, "u1", "unfreeze", "123456");
	assert_true(shell_autonomy(s)->frozen);
	shell_tick(s, 250);
	shell_code(s, code);
	shell_set(s, "u2", "unfreeze", code);
	assert_false(shell_autonomy(s)->frozen);
	assert_int_not_equal(access(path, F_OK), 0);
	/* It lay there before the start. */
	shell_stop(s);
	shell_write(s, "run/frozen", "");
	assert_int_equal(shell_start(s), 0);
	assert_true(shell_autonomy(s)->frozen);
}

/* The file cannot be written or removed: what is stored holds. */
static void test_freeze_without_file(void **state)
{
	struct shell *s = *state;
	_cleanup_(freep) char *path = shell_path(s, "run/frozen");
	char code[TOTP_DIGITS + 1];

	assert_int_equal(mkdir(path, 0700), 0);
	shell_tick(s, 250);
	assert_true(shell_autonomy(s)->frozen);
	shell_code(s, code);
	shell_set(s, "u", "unfreeze", code);
	assert_false(shell_autonomy(s)->frozen);
	/* What lies there still says no. */
	shell_tick(s, 250);
	assert_true(shell_autonomy(s)->frozen);
	assert_int_equal(rmdir(path), 0);
	s->w.now.boot_ms += 60000;
	s->w.now.wall_ms += 60000;
	shell_tick(s, 0);
	shell_tick(s, 2000);
	shell_code(s, code);
	shell_set(s, "u2", "unfreeze", code);
	assert_false(shell_autonomy(s)->frozen);
	/* Nor does a folder that cannot be looked into say yes. */
	assert_int_equal(rmdir(s->runtime), 0);
	shell_write(s, "run", "");
	shell_tick(s, 250);
	assert_true(shell_autonomy(s)->frozen);
}

static void test_checkpoints(void **state)
{
	struct shell *s = *state;
	const struct msg_audit_checkpoint *signed_one;

	shell_ask(s, "r1", "guest_snapshot", SNAPSHOT);
	shell_tick(s, 250);
	assert_null(state_get(s->env.state, TOPIC_AUDIT_CHECKPOINT, (const char *const[]){ NULL }));
	shell_tick(s, 2000);
	for (int i = 0; i < 13; i++)
		shell_tick(s, 5000);
	signed_one = state_get(s->env.state, TOPIC_AUDIT_CHECKPOINT, (const char *const[]){ NULL });
	assert_non_null(signed_one);
	assert_true(signed_one->size >= 1);
	shell_stop(s);
	assert_int_equal(shell_start(s), 0);
	/* The last one is told again. */
	assert_non_null(
		state_get(s->env.state, TOPIC_AUDIT_CHECKPOINT, (const char *const[]){ NULL }));
	assert_int_equal(db_exec(s->gate->db, "DROP TABLE checkpoint"), 0);
	gate_tell_checkpoint(s->gate);
	/* What cannot be signed, told or tidied away stops nothing. */
	assert_int_equal(db_exec(s->gate->db, "CREATE TRIGGER stay BEFORE DELETE ON request"
					      " BEGIN SELECT RAISE(ABORT, 'no'); END"),
			 0);
	s->w.now.wall_ms += CORE_REQUEST_KEPT_MS;
	shell_tick(s, CORE_REQUEST_KEPT_MS);
	shell_tick(s, 2000);
	shell_ask(s, "r2", "guest_snapshot", SNAPSHOT);
	assert_true(shell_says(s, TOPIC_REPLY, "\"r2\""));
}

static void request(struct shell *s, const char *principal, const char *op, struct opt_i64 before,
		    struct opt_i64 limit)
{
	const struct msg_request asked = {
		.request_id = "q", .op = op, .before = before, .limit = limit
	};

	shell_again(s);
	shell_hand(s, gate_on_request, TOPIC_REQUEST,
		   (const char *const[]){ "safety-gate", principal, NULL }, &asked);
}

static void test_audit(void **state)
{
	struct shell *s = *state;
	const struct opt_i64 none = { .has = false };

	shell_ask(s, "r1", "guest_snapshot", SNAPSHOT);
	shell_ask(s, "r2", "guest_destroy", "{}");
	request(s, "nodered", "audit", none, none);
	assert_true(shell_says(s, TOPIC_REPLY, "\"denied\""));
	request(s, "gateway", "history", none, none);
	assert_true(shell_says(s, TOPIC_REPLY, "\"invalid\""));
	request(s, "gateway", "audit", none, none);
	assert_true(shell_says(s, TOPIC_REPLY, "\"seq\":1,"));
	request(s, "gateway", "audit", some_i64(2), some_i64(-1));
	assert_true(shell_says(s, TOPIC_REPLY, "\"seq\":1,"));
	assert_false(shell_says(s, TOPIC_REPLY, "\"seq\":2,"));
	assert_int_equal(db_exec(s->gate->db, "ALTER TABLE record RENAME TO elsewhere"), 0);
	request(s, "gateway", "audit", none, none);
	assert_true(shell_says(s, TOPIC_REPLY, "\"database\""));
}

static void test_documents(void **state)
{
	struct shell *s = *state;
	const struct msg_bare offline = { "offline" };

	/* The poller is gone: what it said counts no more. */
	shell_hand(s, gate_on_document, TOPIC_SERVICE_STATE,
		   (const char *const[]){ "proxmox-poller", "main", NULL }, &offline);
	shell_ask(s, "r1", "guest_snapshot", SNAPSHOT);
	assert_false(shell_says(s, TOPIC_REPLY, "\"approved\""));
	shell_stop(s);
	assert_int_equal(shell_start(s), 0);
	gate_offline(s->gate);
	shell_ask(s, "r2", "guest_snapshot", SNAPSHOT);
	assert_true(shell_says(s, TOPIC_REPLY, "\"r2\""));
	assert_false(shell_says(s, TOPIC_REPLY, "\"approved\""));
}

static void test_reload(void **state)
{
	struct shell *s = *state;
	_cleanup_(freep) char *policy = xstrdup(shell_autonomy(s)->policy);
	struct gate_world other;

	gate_reload_failed(s->gate);
	shell_hand(s, gate_on_action_request, TOPIC_ACTION_REQUEST,
		   (const char *const[]){ "llm-router", NULL },
		   &(const struct msg_action_request){
			   .request_id = "a1", .tool = "guest_snapshot", .args = SNAPSHOT });
	assert_true(shell_says(s, TOPIC_REPLY, "\"denied\""));
	gate_world_init(&other, "protected: {guests: [home/102]}\n");
	shell_write(s, "secrets/safety-gate/persons.json", "{");
	gate_reload(s->gate, other.config);
	assert_string_not_equal(shell_autonomy(s)->policy, policy);
	/* Nobody is enrolled any more, for the file cannot be read. */
	assert_int_equal(shell_autonomy(s)->keywords_n, 0);
	shell_ask(s, "r1", "guest_shutdown", "{\"guest\":101}");
	assert_true(shell_says(s, TOPIC_REPLY, "\"denied\""));
	gate_reload(s->gate, s->w.config);
	gate_world_done(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_yellow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keyword, setup, teardown),
		cmocka_unit_test_setup_teardown(test_autonomy_keyword, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_code, setup, teardown),
		cmocka_unit_test_setup_teardown(test_strangers_code, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock_step, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freeze_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_freeze_without_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_checkpoints, setup, teardown),
		cmocka_unit_test_setup_teardown(test_audit, setup, teardown),
		cmocka_unit_test_setup_teardown(test_documents, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
