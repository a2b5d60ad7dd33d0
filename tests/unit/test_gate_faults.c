/* SPDX-License-Identifier: MIT */
/*
 * The gate on a disk that fails while it runs: it says what is wrong, does nothing above GREEN, can still be frozen,
 * goes on by itself when the fault is over (or says that it must be started again), and has lost no record that it
 * acknowledged.
 */
#include "tests/unit/check.h"
#include "tests/unit/faulty_vfs.h"
#include "tests/unit/gate_shell.h"

#include <errno.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SNAPSHOT "{\"guest\":102,\"snapshot\":\"s\"}"
#define START "{\"guest\":103}"

static int setup(void **state)
{
	struct shell *s = xnew(struct shell);

	faulty_vfs_install();
	shell_init(s);
	*state = s;
	return shell_start(s);
}

static int teardown(void **state)
{
	struct shell *s = *state;

	(void)faulty_vfs_disarm();
	shell_done(s);
	free(s);
	return 0;
}

/* What was acknowledged before, and must be there at the end. */
struct before {
	char *id, *gid; /* of a grant that was told */
	int64_t records;
};

static struct before work(struct shell *s)
{
	struct before b = { .records = 0 };
	_cleanup_(freep) char *grant = NULL;

	shell_ask(s, "before", "guest_start", START);
	b.id = shell_value(s, TOPIC_EVENT_ACTION, "object");
	assert_non_null(b.id);
	/* action/ID/state */
	memmove(b.id, b.id + 7, 26);
	b.id[26] = '\0';
	shell_claim(s, b.id);
	grant = shell_grant(s);
	assert_non_null(grant);
	b.gid = xstrdup(strstr(grant, "\"gid\":\"") + 7);
	b.gid[strcspn(b.gid, "\"")] = '\0';
	b.records = shell_records(s, "granted", b.gid);
	assert_int_equal(b.records, 1);
	return b;
}

static void is_all_there(struct shell *s, struct before *b)
{
	assert_int_equal(shell_records(s, "granted", b->gid), 1);
	assert_non_null(core_find(s->gate->core, b->id));
	shell_verify(s);
	free(b->id);
	free(b->gid);
}

/* Nothing above GREEN, and WHY is said; reads are answered, and it can be frozen. */
static void is_unfit(struct shell *s, const char *why)
{
	_cleanup_(freep) char *read = NULL, *frozen = shell_path(s, "run/frozen");

	/* What meets the fault is not answered, for it cannot be known what became of it; it has not happened. */
	shell_again(s);
	shell_ask(s, "lost", "guest_snapshot", SNAPSHOT);
	assert_false(shell_says(s, TOPIC_REPLY, "approved"));
	assert_null(shell_last(s, TOPIC_EVENT_ACTION));
	assert_non_null(shell_autonomy(s)->unfit);
	if (!strstr(shell_autonomy(s)->unfit, why))
		fail_msg("\"%s\" is not in \"%s\"", why, shell_autonomy(s)->unfit);
	shell_again(s);
	shell_ask(s, "refused", "guest_snapshot", SNAPSHOT);
	assert_true(shell_says(s, TOPIC_REPLY, "\"gate.unfit\""));
	assert_true(shell_says(s, TOPIC_REPLY, why));
	shell_again(s);
	shell_ask(s, "read", "guest_status", "{\"guest\":102}");
	read = shell_value(s, TOPIC_REPLY, "id");
	for (size_t at = 0; !read;) {
		const struct msg_action_state *state = core_next_action(s->gate->core, &at);

		if (state->tier == TIER_GREEN)
			read = xstrdup(state->id);
	}
	shell_claim(s, read);
	free(shell_grant(s));
	assert_true(shell_says(s, TOPIC_X_GRANT, "envelope"));
	shell_set(s, "f", "freeze", NULL);
	assert_true(shell_autonomy(s)->frozen);
	assert_int_equal(access(frozen, F_OK), 0);
}

/* By itself: the next beat. The freeze, which may not have been stored, holds; a code ends it; then it works. */
static void is_fit_again(struct shell *s)
{
	char code[TOTP_DIGITS + 1];

	shell_tick(s, 5000);
	assert_null(shell_autonomy(s)->unfit);
	assert_true(shell_autonomy(s)->frozen);
	assert_int_equal(shell_records(s, "fit_again", ""), 1);
	s->w.now.boot_ms += 30000;
	s->w.now.wall_ms += 30000;
	shell_tick(s, 0);
	shell_tick(s, 2000);
	shell_code(s, code);
	shell_set(s, "u", "unfreeze", code);
	assert_false(shell_autonomy(s)->frozen);
	shell_again(s);
	shell_ask(s, "after", "guest_snapshot", SNAPSHOT);
	assert_true(shell_says(s, TOPIC_REPLY, "approved"));
}

static void is_there_after_restart(struct shell *s, struct before *b)
{
	shell_drop(s);
	assert_int_equal(shell_start(s), 0);
	assert_null(shell_autonomy(s)->unfit);
	is_all_there(s, b);
}

static void test_faults(void **state)
{
	static const struct {
		enum fault_kind fault;
		const char *why;
	} cases[] = {
		{ FAULT_DISK_FULL, "the disk is full" },
		{ FAULT_WRITE, "Input/output error" },
		{ FAULT_TORN, "Input/output error" },
		{ FAULT_SYNC, "Input/output error" },
	};
	struct shell *s = *state;

	for (size_t i = 0; i < countof(cases); i++) {
		struct before b;

		shell_done(s);
		shell_init(s);
		assert_int_equal(shell_start(s), 0);
		b = work(s);
		faulty_vfs_arm((struct faulty_plan){ cases[i].fault, 1, true });
		is_unfit(s, cases[i].why);
		/* As long as it lasts it stays so, and says nothing new. */
		for (int k = 0; k < 3; k++)
			shell_tick(s, 5000);
		assert_non_null(strstr(shell_autonomy(s)->unfit, cases[i].why));
		assert_true(faulty_vfs_disarm() > 0);
		is_fit_again(s);
		is_there_after_restart(s, &b);
	}
}

/* One fault becomes another: it says which it is now. */
static void test_another(void **state)
{
	struct shell *s = *state;
	struct before b = work(s);

	faulty_vfs_arm((struct faulty_plan){ FAULT_DISK_FULL, 1, true });
	is_unfit(s, "the disk is full");
	(void)faulty_vfs_disarm();
	faulty_vfs_arm((struct faulty_plan){ FAULT_SYNC, 1, true });
	shell_tick(s, 5000);
	assert_non_null(strstr(shell_autonomy(s)->unfit, "Input/output error"));
	(void)faulty_vfs_disarm();
	is_fit_again(s);
	is_there_after_restart(s, &b);
}

static void test_read_only(void **state)
{
	struct shell *s = *state;
	struct before b = work(s);

	assert_int_equal(db_exec(s->gate->db, "PRAGMA query_only = 1"), 0);
	is_unfit(s, "cannot be written");
	assert_non_null(strstr(shell_autonomy(s)->unfit, "file system"));
	assert_int_equal(db_exec(s->gate->db, "PRAGMA query_only = 0"), 0);
	is_fit_again(s);
	is_there_after_restart(s, &b);
}

/* Another process that holds the database with LOCK until it is killed. */
static pid_t lock_elsewhere(struct shell *s, const char *lock)
{
	int ready[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		sqlite3 *other;

		if (sqlite3_open(s->db, &other) || sqlite3_exec(other, lock, NULL, NULL, NULL) ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		for (;;)
			(void)pause();
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static void test_locked(void **state)
{
	struct shell *s = *state;
	struct before b = work(s);
	pid_t pid = lock_elsewhere(s, "BEGIN IMMEDIATE");
	char code[TOTP_DIGITS + 1];
	int status;

	is_unfit(s, "locked by another process");
	/* A code that cannot be used up does not count: it can be used afterwards. */
	shell_code(s, code);
	shell_set(s, "u0", "unfreeze", code);
	assert_true(shell_autonomy(s)->frozen);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	is_fit_again(s);
	is_there_after_restart(s, &b);
}

/* A record is damaged under us: what is read back is wrong, which only a restart can look at. */
static void test_damaged(void **state)
{
	struct shell *s = *state;
	struct before b = work(s);

	assert_int_equal(db_exec(s->gate->db, "DROP TRIGGER record_is_final"), 0);
	assert_int_equal(db_exec(s->gate->db, "UPDATE record SET hash = x'00'"), 0);
	shell_again(s);
	shell_ask(s, "lost", "guest_snapshot", SNAPSHOT);
	assert_null(shell_last(s, TOPIC_EVENT_ACTION));
	assert_non_null(shell_autonomy(s)->unfit);
	for (int i = 0; i < 3; i++)
		shell_tick(s, 5000);
	assert_non_null(shell_autonomy(s)->unfit);
	free(b.id);
	free(b.gid);
}

/* SQLite's own word for a damaged file. */
static void test_malformed(void **state)
{
	struct shell *s = *state;
	struct before b = work(s);

	gate_give_up(s->gate, -EUCLEAN);
	assert_non_null(strstr(shell_autonomy(s)->unfit, "restart safety-gate"));
	for (int i = 0; i < 3; i++)
		shell_tick(s, 5000);
	assert_non_null(shell_autonomy(s)->unfit);
	/* What comes after it does not change what is said. */
	gate_give_up(s->gate, -EPERM);
	assert_non_null(strstr(shell_autonomy(s)->unfit, "restart safety-gate"));
	is_there_after_restart(s, &b);
	gate_give_up(s->gate, -EPERM);
	assert_non_null(strstr(shell_autonomy(s)->unfit, strerror(EPERM)));
	shell_tick(s, 5000);
	assert_null(shell_autonomy(s)->unfit);
}

/* What is stored cannot be read back: it is not called fit, however well it can be written. */
static void test_unreadable(void **state)
{
	struct shell *s = *state;
	struct before b = work(s);

	assert_int_equal(db_exec(s->gate->db, "INSERT INTO action VALUES ('A', '{}')"), 0);
	gate_give_up(s->gate, -EIO);
	for (int i = 0; i < 3; i++)
		shell_tick(s, 5000);
	assert_non_null(shell_autonomy(s)->unfit);
	assert_int_equal(shell_records(s, "fit_again", ""), 0);
	assert_int_equal(db_exec(s->gate->db, "DELETE FROM action WHERE id = 'A'"), 0);
	shell_tick(s, 5000);
	assert_null(shell_autonomy(s)->unfit);
	is_there_after_restart(s, &b);
}

/* ── files that go away ────────────────────────────────────────────────────────────────────────────────────── */

static void remove_side(struct shell *s, const char *suffix)
{
	_cleanup_(freep) char *path = xasprintf("%s%s", s->db, suffix);

	assert_int_equal(unlink(path), 0);
}

/* SQLite would go on writing to what nobody finds again. */
static void test_deleted(void **state)
{
	static const char *const deleted[] = { "", "-wal", "-shm" };
	struct shell *s = *state;

	for (size_t i = 0; i < countof(deleted) * 2; i++) {
		struct before b;

		shell_done(s);
		shell_init(s);
		assert_int_equal(shell_start(s), 0);
		b = work(s);
		remove_side(s, deleted[i / 2]);
		/* Somebody asks, or nobody. */
		if (i % 2) {
			shell_tick(s, 5000);
			assert_non_null(shell_autonomy(s)->unfit);
			shell_tick(s, 2000);
		}
		is_unfit(s, "deleted, moved or replaced");
		assert_non_null(strstr(shell_autonomy(s)->unfit, "restart safety-gate"));
		for (int k = 0; k < 3; k++)
			shell_tick(s, 5000);
		assert_non_null(shell_autonomy(s)->unfit);
		if (i / 2) {
			/* The database itself is still there: what it held was written beside it, too. */
			_cleanup_(freep) char *kept = xasprintf("%s.kept", s->db);

			assert_int_equal(access(kept, F_OK), 0);
		}
		is_there_after_restart(s, &b);
	}
}

/* Another one in its place: it is not written over, and what we had is kept beside it. */
static void test_replaced(void **state)
{
	struct shell *s = *state;
	struct before b = work(s);
	_cleanup_(freep) char *kept = xasprintf("%s.kept", s->db);
	_cleanup_(freep) char *aside = xasprintf("%s.aside", s->db);
	struct stat st, same;

	assert_int_equal(db_backup_to(s->gate->db, aside), 0);
	assert_int_equal(stat(aside, &st), 0);
	assert_int_equal(rename(aside, s->db), 0);
	is_unfit(s, "deleted, moved or replaced");
	assert_int_equal(stat(s->db, &same), 0);
	assert_int_equal(st.st_ino, same.st_ino);
	assert_int_equal(access(kept, F_OK), 0);
	shell_stop(s);
	assert_int_equal(rename(kept, s->db), 0);
	assert_int_equal(shell_start(s), 0);
	is_all_there(s, &b);
}

/* The whole folder is gone, and comes back: then it is written again. */
static void test_folder(void **state)
{
	struct shell *s = *state;
	struct before b = work(s);
	_cleanup_(freep) char *aside = xasprintf("%s.aside", s->data);

	assert_int_equal(rename(s->data, aside), 0);
	is_unfit(s, "deleted, moved or replaced");
	shell_tick(s, 5000);
	assert_int_equal(mkdir(s->data, 0700), 0);
	shell_tick(s, 5000);
	assert_int_equal(access(s->db, F_OK), 0);
	is_there_after_restart(s, &b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_another, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_only, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deleted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_replaced, setup, teardown),
		cmocka_unit_test_setup_teardown(test_folder, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
