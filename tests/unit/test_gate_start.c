/* SPDX-License-Identifier: MIT */
/*
 * What the gate finds when it starts: keys, persons, and a database that may be new, old, torn, or not ours.
 */
#include "tests/unit/check.h"
#include "tests/unit/gate_shell.h"

#include <errno.h>
#include <glob.h>
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
	return 0;
}

static int teardown(void **state)
{
	struct shell *s = *state;

	shell_done(s);
	free(s);
	return 0;
}

static void test_keys(void **state)
{
	static const char *const files[] = { "secrets/safety-gate/signing-key",
					     "secrets/safety-gate/box-key" };
	struct shell *s = *state;

	for (size_t i = 0; i < countof(files); i++) {
		_cleanup_(freep) char *path = shell_path(s, files[i]);
		_cleanup_(freep) char *aside = xasprintf("%s.aside", path);

		assert_int_equal(rename(path, aside), 0);
		assert_true(shell_start(s) < 0);
		shell_write(s, files[i], "no key\n");
		assert_true(shell_start(s) < 0);
		assert_int_equal(rename(aside, path), 0);
	}
	assert_int_equal(shell_start(s), 0);
}

/* What a key signed that is not used any more still counts; rubbish there is said, and changes nothing. */
static void test_old_keys(void **state)
{
	struct shell *s = *state;
	char hex[65];

	assert_int_equal(shell_start(s), 0);
	grant_public_hex(s->gate->secret, hex);
	shell_ask(s, "r1", "guest_snapshot", SNAPSHOT);
	shell_stop(s);
	shell_write(s, "secrets/safety-gate/signing-key",
		    "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb\n");
	assert_true(shell_start(s) < 0);
	shell_write(s, "secrets/safety-gate/signing-key.pub", "rubbish\n");
	assert_true(shell_start(s) < 0);
	shell_write(s, "secrets/safety-gate/signing-key.pub", hex);
	assert_int_equal(shell_start(s), 0);
	assert_int_equal(shell_records(s, "allowed", ""), 1);
}

/* Nobody with a proof: nothing that needs one, but all the rest. */
static void test_persons(void **state)
{
	struct shell *s = *state;

	shell_write(s, "secrets/safety-gate/persons.json", "{\"persons\":1}");
	assert_int_equal(shell_start(s), 0);
	assert_int_equal(shell_autonomy(s)->keywords_n, 0);
	shell_ask(s, "r1", "guest_shutdown", "{\"guest\":101}");
	assert_true(shell_says(s, TOPIC_REPLY, "\"denied\""));
	shell_ask(s, "r2", "guest_snapshot", SNAPSHOT);
	assert_true(shell_says(s, TOPIC_REPLY, "approved"));
}

static void test_unreadable(void **state)
{
	struct shell *s = *state;

	/* Of a newer program, or rubbish in a table: it does not begin, and nothing is lost. */
	assert_int_equal(shell_start(s), 0);
	assert_int_equal(db_exec(s->gate->db, "INSERT INTO settings VALUES (1, '{', 0)"), -EEXIST);
	assert_int_equal(db_exec(s->gate->db, "UPDATE settings SET autonomy = '{'"), 0);
	shell_drop(s);
	assert_int_equal(shell_start(s), -EBADMSG);
	assert_int_equal(unlink(s->db), 0);
	assert_int_equal(mkdir(s->db, 0700), 0);
	assert_true(shell_start(s) < 0);
	assert_int_equal(rmdir(s->db), 0);
}

static void test_changed_chain(void **state)
{
	struct shell *s = *state;

	assert_int_equal(shell_start(s), 0);
	shell_ask(s, "r1", "guest_snapshot", SNAPSHOT);
	assert_int_equal(db_exec(s->gate->db, "DROP TRIGGER record_is_final"), 0);
	assert_int_equal(db_exec(s->gate->db, "UPDATE record SET ts = ts + 1 WHERE seq = 1"), 0);
	shell_drop(s);
	assert_int_equal(shell_start(s), -EILSEQ);
}

/* How many files there are beside the database that were damaged. */
static size_t count_aside(struct shell *s)
{
	_cleanup_(freep) char *pattern = xasprintf("%s.corrupt-*", s->db);
	glob_t found = { 0 };
	size_t n;

	(void)glob(pattern, 0, NULL, &found);
	n = found.gl_pathc;
	globfree(&found);
	return n;
}

/* The last page is half there: kept aside, said, and nothing but reads before somebody has looked and restarted. */
static void test_torn(void **state)
{
	struct shell *s = *state;
	struct stat st;

	assert_int_equal(shell_start(s), 0);
	/* So many that the last page is one of theirs. */
	for (int i = 0; i < 60; i++) {
		_cleanup_(freep) char *request = xasprintf("r1-%d", i);

		shell_ask(s, request, "guest_snapshot", SNAPSHOT);
	}
	shell_stop(s);
	assert_int_equal(stat(s->db, &st), 0);
	assert_int_equal(truncate(s->db, st.st_size - 2000), 0);
	assert_int_equal(shell_start(s), 0);
	assert_non_null(shell_autonomy(s)->unfit);
	assert_non_null(strstr(shell_autonomy(s)->unfit, "damaged"));
	assert_int_equal(count_aside(s), 1);
	shell_ask(s, "r2", "guest_snapshot", SNAPSHOT);
	assert_true(shell_says(s, TOPIC_REPLY, "\"denied\""));
	assert_true(shell_says(s, TOPIC_REPLY, "restart"));
	shell_ask(s, "r3", "guest_status", "{\"guest\":102}");
	assert_non_null(shell_last(s, TOPIC_REPLY));
	assert_false(shell_says(s, TOPIC_REPLY, "\"denied\""));
	for (int i = 0; i < 5; i++)
		shell_tick(s, 5000);
	assert_non_null(shell_autonomy(s)->unfit);
	assert_int_equal(shell_records(s, "fit_again", ""), 0);
	shell_stop(s);
	assert_int_equal(shell_start(s), 0);
	assert_null(shell_autonomy(s)->unfit);
	shell_ask(s, "r4", "guest_snapshot", SNAPSHOT);
	assert_true(shell_says(s, TOPIC_REPLY, "approved"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_old_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_persons, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unreadable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changed_chain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
