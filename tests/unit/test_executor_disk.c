/* SPDX-License-Identifier: MIT */
/*
 * The journal on a disk that fails, at every access, once and for good: nothing begins without a durable row, and
 * nothing is done twice.
 */
#include "common/alloc.h"
#include "services/executor/journal.h"
#include "tests/unit/check.h"
#include "tests/unit/faulty_vfs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* More than any scenario has; a loop that gets there does not end by itself. */
#define ACCESSES_MAX 2000

static const struct journal_entry grant = {
	.gid = "g1", .id = "a1", .step = 0, .payload = "{\"p\":1}", .granted_ms = 1000
};

struct life {
	char folder[64];
	/* What was promised. */
	bool is_granted, is_sent, has_task, is_finished, is_closed;
	unsigned effects;
	bool is_set_aside;
};

static void empty(const char *folder)
{
	DIR *dir = opendir(folder);

	for (struct dirent *at; dir && (at = readdir(dir));) {
		if (at->d_name[0] != '.')
			(void)unlinkat(dirfd(dir), at->d_name, 0);
	}
	closedir(dir);
}

static struct journal *open_journal(struct life *life)
{
	_cleanup_(str_done) struct str error = { 0 };
	struct journal *journal = NULL;

	if (journal_open(life->folder, &journal, &error) < 0) {
		assert_true(error.len > 0);
		return NULL;
	}
	life->is_set_aside = life->is_set_aside || error.len > 0;
	return journal;
}

/* As the executor does: each step only when the one before is on the disk. */
static void use(struct life *life, struct journal *journal)
{
	if (journal_grant(journal, &grant) < 0)
		return;
	life->is_granted = true;
	if (journal_send(journal, grant.gid, "U0\n", 7, 2000) < 0)
		return;
	life->is_sent = true;
	life->effects++;
	life->has_task = journal_task(journal, grant.gid, "U1") == 0;
	life->is_finished = journal_finish(journal, grant.gid, "{\"r\":1}") == 0;
	life->is_closed = life->is_finished && journal_close(journal, grant.gid) == 0;
}

struct seen {
	size_t n;
	enum journal_state state;
	bool has_payload, has_known, has_task, has_result;
};

static void see(void *ctx, const struct journal_entry *entry)
{
	struct seen *seen = ctx;

	seen->n++;
	seen->state = entry->state;
	seen->has_payload = entry->payload && strcmp(entry->payload, grant.payload) == 0;
	seen->has_known = entry->known && strcmp(entry->known, "U0\n") == 0;
	seen->has_task = entry->upid && strcmp(entry->upid, "U1") == 0;
	seen->has_result = entry->result != NULL;
}

/* The disk is well again: what was promised is there, and the grant does nothing a second time. */
static void look_back(struct life *life)
{
	struct journal *journal = open_journal(life);
	struct seen seen = { 0 };

	assert_non_null(journal);
	if (life->is_set_aside) {
		/* Then a grant dies with the process whose nonce it answers. */
		journal_free(journal);
		return;
	}
	assert_int_equal(journal_each(journal, see, &seen), 0);
	if (life->is_closed) {
		assert_int_equal(seen.n, 0);
	} else if (life->is_finished && !seen.n) {
		/* Closing it was said to have failed, and did not. */
		assert_true(life->is_sent);
	} else if (life->is_sent) {
		assert_int_equal(seen.n, 1);
		assert_true(seen.state >= JOURNAL_SENT);
		assert_true(seen.has_payload && seen.has_known);
		assert_true(seen.has_task || !life->has_task);
	}
	if (life->is_finished && seen.n)
		assert_true(seen.state == JOURNAL_DONE && seen.has_result);
	if (life->is_granted)
		assert_int_equal(journal_grant(journal, &grant), -EEXIST);
	else
		use(life, journal);
	assert_true(life->effects <= 1);
	journal_free(journal);
}

/* Whether the plan struck. */
static bool live(struct faulty_plan plan, bool is_open_first)
{
	struct life life = { .folder = "/tmp/disk-XXXXXX" };
	struct journal *journal;
	unsigned struck;

	assert_non_null(mkdtemp(life.folder));
	journal = is_open_first ? open_journal(&life) : NULL;
	faulty_vfs_arm(plan);
	if (!journal)
		journal = open_journal(&life);
	if (journal)
		use(&life, journal);
	journal_free(journal);
	struck = faulty_vfs_disarm();
	look_back(&life);
	empty(life.folder);
	assert_int_equal(rmdir(life.folder), 0);
	return struck;
}

static unsigned sweep(enum fault_kind fault, bool is_sticky, bool is_open_first)
{
	unsigned at = 1;

	while (live((struct faulty_plan){ fault, at, is_sticky }, is_open_first)) {
		at++;
		assert_true(at < ACCESSES_MAX);
	}
	return at - 1;
}

static void test_every_access(void **unused)
{
	unsigned all = 0;

	(void)unused;
	for (enum fault_kind fault = FAULT_READ; fault < FAULT_KIND_COUNT; fault++) {
		for (int i = 0; i < 4; i++) {
			bool is_open_first = i & 2;
			unsigned n = sweep(fault, i & 1, is_open_first);

			/* A kind that never strikes tests nothing; once it is open nothing else is opened. */
			if (n == 0 && !is_open_first)
				fail_msg("nothing was a %s", faulty_vfs_name(fault));
			all += n;
		}
	}
	print_message("%u accesses failed\n", all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_access),
	};

	faulty_vfs_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
