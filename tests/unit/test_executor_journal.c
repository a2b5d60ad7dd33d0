/* SPDX-License-Identifier: MIT */
/*
 * The journal: a grant is used once, its way is only forward, and what was written is there after a restart.
 */
#include "common/alloc.h"
#include "services/executor/journal.h"
#include "services/executor/outbox.h"
#include "services/executor/wishes.h"
#include "tests/unit/check.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static struct journal *open_journal(void)
{
	_cleanup_(str_done) struct str error = { 0 };
	struct journal *journal;

	assert_int_equal(journal_open(folder, &journal, &error), 0);
	return journal;
}

static int make_folder(void **unused)
{
	(void)unused;
	(void)snprintf(folder, sizeof(folder), "/tmp/journal-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

/* A damaged file was set aside under a name of its own. */
static int remove_folder(void **unused)
{
	DIR *dir = opendir(folder);

	(void)unused;
	for (struct dirent *at; dir && (at = readdir(dir));) {
		if (at->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), at->d_name, 0);
	}
	closedir(dir);
	return rmdir(folder);
}

struct found {
	size_t n;
	struct journal_entry last;
	char upid[64], known[64], result[64];
};

static void keep(void *ctx, const struct journal_entry *entry)
{
	struct found *found = ctx;

	found->n++;
	found->last = *entry;
	(void)snprintf(found->upid, sizeof(found->upid), "%s", entry->upid ? entry->upid : "");
	(void)snprintf(found->known, sizeof(found->known), "%s", entry->known ? entry->known : "");
	(void)snprintf(found->result, sizeof(found->result), "%s",
		       entry->result ? entry->result : "");
}

static struct found look(struct journal *journal)
{
	struct found found = { 0 };

	assert_int_equal(journal_each(journal, keep, &found), 0);
	return found;
}

static void test_journal(void **unused)
{
	const struct journal_entry entry = {
		.gid = "g1", .id = "a1", .step = 2, .payload = "{}", .granted_ms = 1000
	};
	struct journal *journal = open_journal();
	struct found found;

	(void)unused;
	assert_int_equal(journal_send(journal, "g1", "", -1, 1), -ENOENT);
	assert_int_equal(journal_grant(journal, &entry), 0);
	assert_int_equal(journal_grant(journal, &entry), -EEXIST);
	found = look(journal);
	assert_int_equal(found.n, 1);
	assert_int_equal(found.last.state, JOURNAL_GRANTED);
	assert_int_equal(found.last.step, 2);
	assert_int_equal(journal_send(journal, "g1", "U1\n", 77, 2000), 0);
	/* Never a second time. */
	assert_int_equal(journal_send(journal, "g1", "", -1, 3000), -ENOENT);
	journal_free(journal);

	journal = open_journal();
	found = look(journal);
	assert_int_equal(found.last.state, JOURNAL_SENT);
	assert_string_equal(found.known, "U1\n");
	assert_int_equal(found.last.uptime_s, 77);
	assert_int_equal(found.last.sent_ms, 2000);
	assert_string_equal(found.upid, "");
	assert_int_equal(journal_task(journal, "g1", "U2"), 0);
	assert_int_equal(journal_finish(journal, "g1", "{\"r\":1}"), 0);
	found = look(journal);
	assert_int_equal(found.last.state, JOURNAL_DONE);
	assert_string_equal(found.upid, "U2");
	assert_string_equal(found.result, "{\"r\":1}");
	assert_int_equal(journal_close(journal, "g1"), 0);
	assert_int_equal(look(journal).n, 0);
	/* Over, and still used. */
	assert_int_equal(journal_grant(journal, &entry), -EEXIST);
	assert_int_equal(journal_prune(journal, 1000), 0);
	assert_int_equal(journal_grant(journal, &entry), -EEXIST);
	assert_int_equal(journal_prune(journal, 1001), 0);
	assert_int_equal(journal_grant(journal, &entry), 0);
	journal_free(journal);
}

static void test_alone(void **unused)
{
	_cleanup_(freep) char *lock = xasprintf("%s/executor.lock", folder);
	_cleanup_(str_done) struct str error = { 0 };
	struct journal *journal = open_journal(), *second;

	(void)unused;
	assert_int_equal(journal_open(folder, &second, &error), -EWOULDBLOCK);
	assert_non_null(strstr(str_get(&error), "another executor works in"));
	journal_free(journal);
	journal_free(open_journal());
	/* A folder stands where the lock would be. */
	assert_int_equal(unlink(lock), 0);
	assert_int_equal(mkdir(lock, 0700), 0);
	str_clear(&error);
	assert_int_equal(journal_open(folder, &second, &error), -EISDIR);
	assert_non_null(strstr(str_get(&error), lock));
	assert_int_equal(rmdir(lock), 0);
	journal_free(NULL);
}

static void test_damaged(void **unused)
{
	_cleanup_(freep) char *path = xasprintf("%s/executor.db", folder);
	_cleanup_(str_done) struct str error = { 0 };
	struct journal *journal;
	FILE *file = fopen(path, "w");

	(void)unused;
	assert_non_null(file);
	for (int i = 0; i < 5000; i++)
		fputs("this is no database ", file);
	fclose(file);
	assert_int_equal(journal_open(folder, &journal, &error), 0);
	assert_string_not_equal(str_get(&error), "");
	assert_int_equal(look(journal).n, 0);
	journal_free(journal);
}

/* ── results ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_outbox(void **unused)
{
	const struct msg_action_result result = { .id = "a1", .step = 0, .gid = "g1" };
	struct msg_action_step step = { .status = STEP_RUNNING };
	struct msg_action_state action = { .status = ACTION_RUNNING, .steps = &step, .steps_n = 1 };
	struct outbox outbox = { 0 };
	struct outcome *outcome;

	(void)unused;
	outbox_add(&outbox, &result, "{}", true, 1000);
	assert_non_null(outbox_next(&outbox, 1000));
	assert_null(outbox_next(&outbox, 1000));
	assert_null(outbox_next(&outbox, 5999));
	assert_non_null(outbox_next(&outbox, 6000));
	assert_null(outbox_next(&outbox, 15999));
	assert_non_null(outbox_next(&outbox, 16000));
	outbox_hurry(&outbox);
	assert_non_null(outbox_next(&outbox, 16000));
	assert_null(outbox_settle(&outbox, "a1", &action));
	assert_null(outbox_settle(&outbox, "a2", NULL));
	assert_null(outbox_expire(&outbox, 86400000));
	step.status = STEP_VERIFIED;
	outcome = outbox_settle(&outbox, "a1", &action);
	assert_string_equal(outcome->gid, "g1");
	outcome_free(outcome);
	/* What only read is soon of no interest. */
	outbox_add(&outbox, &result, "{}", false, 1000);
	assert_null(outbox_expire(&outbox, 61000));
	outcome_free(outbox_expire(&outbox, 61001));
	assert_null(outbox.first);
	outbox_add(&outbox, &result, "{}", true, 0);
	outcome_free(outbox_settle(&outbox, "a1", NULL));
	outbox_add(&outbox, &result, "{}", true, 0);
	outbox_done(&outbox);
}

/* ── wishes ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_wishes(void **unused)
{
	struct msg_action_step steps[] = {
		{ .object = "home/guest/101", .args = "{}", .status = STEP_VERIFIED },
		{ .object = "home/guest/102", .args = "{}", .status = STEP_PENDING },
	};
	struct msg_action_state action = { .id = "a1",
					   .tool = "guest_start",
					   .status = ACTION_APPROVED,
					   .steps = steps,
					   .steps_n = 2 };
	struct wishes wishes = { 0 };
	struct wish *wish;

	(void)unused;
	wishes_take(&wishes, "a1", &action);
	wish = wishes.first;
	assert_int_equal(wish->step, 1);
	assert_string_equal(wish->cluster, "home");
	assert_true(wish_is_due(wish, 0));
	wish_claim(wish, "n1", 100);
	assert_false(wish_is_due(wish, 101));
	assert_ptr_equal(wishes_find(&wishes, "n1"), wish);
	wishes_take(&wishes, "a1", &action);
	assert_ptr_equal(wishes.first, wish);
	/* The gate says that it runs: the grant may still be on its way, and then is forgotten. */
	action.status = ACTION_RUNNING;
	steps[1].status = STEP_RUNNING;
	wishes_take(&wishes, "a1", &action);
	assert_ptr_equal(wishes_find(&wishes, "n1"), wish);
	wishes_sweep(&wishes, 100 + CLAIM_WAIT_MS - 1);
	assert_non_null(wishes.first);
	wishes_sweep(&wishes, 100 + CLAIM_WAIT_MS);
	assert_null(wishes.first);
	/* A claim that nobody answers is made again, but not for ever. */
	action.status = ACTION_APPROVED;
	steps[1].status = STEP_PENDING;
	wishes_take(&wishes, "a1", &action);
	wish = wishes.first;
	for (unsigned i = 0; i < CLAIM_TRIES; i++) {
		assert_true(wish_is_due(wish, (int64_t)i * CLAIM_WAIT_MS));
		wish_claim(wish, "n2", (int64_t)i * CLAIM_WAIT_MS);
	}
	assert_false(wish_is_due(wish, 1000000));
	wishes_unclaim(&wishes);
	assert_true(wish_is_due(wish, 1000000));
	assert_null(wishes_find(&wishes, "n2"));
	wish_refuse(wish, 1000000);
	assert_false(wish_is_due(wish, 1000001));
	/* Denied, unknown, or not its own id. */
	action.status = ACTION_DENIED;
	wishes_take(&wishes, "a1", &action);
	assert_null(wishes.first);
	action.status = ACTION_APPROVED;
	wishes_take(&wishes, "a2", &action);
	action.tool = "guest_destroy";
	wishes_take(&wishes, "a1", &action);
	wishes_take(&wishes, "a1", NULL);
	assert_int_equal(wishes.n, 0);
	wishes_done(&wishes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_journal, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_alone, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(test_damaged, make_folder, remove_folder),
		cmocka_unit_test(test_outbox),
		cmocka_unit_test(test_wishes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
