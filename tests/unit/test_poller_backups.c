/* SPDX-License-Identifier: MIT */
/*
 * Backups: jobs, what storages keep, logs, and the posture that follows. The cluster is the one of the fixtures, with
 * storages of our own: pbs is shared, local belongs to each node.
 */
#include "services/proxmox-poller/pve_posture.h"
#include "tests/unit/check.h"
#include "tests/unit/pve_fixture.h"

#include <errno.h>

#define PERIOD_MS 300000
#define LATE_MS (3 * PERIOD_MS + 1)

struct fixture {
	struct pve_cluster cluster;
	struct pve_posture posture;
	struct arena *arena;
};

static const char world[] =
	"{\"data\":[{\"type\":\"node\",\"node\":\"a\",\"status\":\"online\"},"
	"{\"type\":\"node\",\"node\":\"b\",\"status\":\"online\"},"
	"{\"type\":\"qemu\",\"vmid\":100,\"node\":\"a\",\"status\":\"running\",\"pool\":\"home\"},"
	"{\"type\":\"lxc\",\"vmid\":101,\"node\":\"b\",\"status\":\"running\"},"
	"{\"type\":\"lxc\",\"vmid\":102,\"node\":\"b\",\"status\":\"stopped\"},"
	"{\"type\":\"qemu\",\"vmid\":900,\"node\":\"a\",\"status\":\"stopped\",\"template\":1},"
	"{\"type\":\"storage\",\"storage\":\"pbs\",\"node\":\"a\",\"shared\":1,"
	"\"content\":\"backup\",\"status\":\"available\"},"
	"{\"type\":\"storage\",\"storage\":\"pbs\",\"node\":\"b\",\"shared\":1,"
	"\"content\":\"backup\",\"status\":\"available\"},"
	"{\"type\":\"storage\",\"storage\":\"local\",\"node\":\"a\",\"shared\":0,\"content\":\"iso,"
	"backup\",\"status\":\"available\"},"
	"{\"type\":\"storage\",\"storage\":\"local\",\"node\":\"b\",\"shared\":0,\"content\":\"iso,"
	"backup\",\"status\":\"available\"},"
	"{\"type\":\"storage\",\"storage\":\"tank\",\"node\":\"b\",\"shared\":0,"
	"\"content\":\"images\",\"status\":\"available\"}]}";

static cJSON *tree_of(const char *text)
{
	struct json_error error = { 0, "" };
	cJSON *tree = NULL;

	if (json_parse(text, strlen(text), JSON_FOREIGN, &tree, &error) < 0)
		fail_msg("%s at %zu of %s", error.text, error.offset, text);
	return tree;
}

static void take_world(struct fixture *f, const char *text, int64_t boot_ms)
{
	_cleanup_(json_treep) cJSON *tree = tree_of(text);
	size_t bad;

	assert_int_equal(pve_cluster_take_resources(&f->cluster, tree, fixture_now(boot_ms), &bad),
			 0);
	pve_listings_sync(&f->posture.listings, &f->cluster, fixture_now(boot_ms));
}

static int setup(void **state)
{
	struct fixture *f = xnew(struct fixture);

	pve_cluster_init(&f->cluster, "lab", 30000, 30000);
	pve_posture_init(&f->posture, PERIOD_MS);
	f->arena = arena_new();
	take_world(f, world, 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pve_posture_done(&f->posture);
	pve_cluster_done(&f->cluster);
	arena_free(f->arena);
	free(f);
	return 0;
}

static void take_jobs(struct fixture *f, const char *text, int64_t boot_ms)
{
	_cleanup_(json_treep) cJSON *tree = tree_of(text);
	size_t bad;

	assert_int_equal(pve_posture_take_jobs(&f->posture, tree, fixture_now(boot_ms), &bad), 0);
	assert_int_equal(bad, 0);
}

static void take_list(struct fixture *f, const char *node, const char *storage, const char *rows,
		      int64_t boot_ms)
{
	_cleanup_(freep) char *text = xasprintf("{\"data\":[%s]}", rows);
	_cleanup_(json_treep) cJSON *tree = tree_of(text);
	struct pve_listing *listing = pve_listings_find(&f->posture.listings, node, storage);
	size_t bad;

	assert_non_null(listing);
	assert_int_equal(pve_listing_take(listing, tree, fixture_now(boot_ms), &bad), 0);
	assert_int_equal(bad, 0);
}

struct result {
	struct msg_guest_backup guests[3]; /* 100, 101, 102 */
	struct msg_backup_posture all;
};

static struct result build(struct fixture *f, bool complete, int64_t boot_ms)
{
	struct pve_posture_round *round = pve_posture_round_new(&f->posture, &f->cluster, complete,
								fixture_now(boot_ms), f->arena);
	struct result result;
	size_t n = 0;

	for (size_t i = 0; i < f->cluster.guests_n; i++) {
		if (!f->cluster.guests[i].template)
			pve_build_guest_backup(round, &f->cluster.guests[i], f->arena,
					       &result.guests[n++]);
	}
	assert_int_equal(n, 3);
	pve_build_posture(round, &result.all);
	return result;
}

#define JOBS                                                                                       \
	"{\"data\":[{\"id\":\"nightly\",\"all\":1,\"exclude\":\"102\",\"storage\":\"pbs\","        \
	"\"schedule\":\"02:30\",\"next-run\":1787100000,\"enabled\":1,\"type\":\"vzdump\"},"       \
	"{\"id\":\"off\",\"vmid\":\"102,100\",\"storage\":\"local\",\"enabled\":\"0\"}]}"
#define PBS(vmid, ctime, more)                                                                     \
	"{\"volid\":\"pbs:backup/vm/" #vmid "/x\",\"format\":\"pbs-vm\",\"content\":\"backup\","   \
	"\"size\":1000,\"vmid\":" #vmid ",\"ctime\":" #ctime more "}"
#define OK ",\"verification\":{\"state\":\"ok\",\"upid\":\"U\"}"
#define FAILED ",\"verification\":{\"state\":\"failed\",\"upid\":\"U\"}"

static void take_all(struct fixture *f, const char *pbs, int64_t boot_ms)
{
	take_jobs(f, JOBS, boot_ms);
	take_list(f, "a", "pbs", pbs, boot_ms);
	take_list(f, "a", "local", "", boot_ms);
	take_list(f, "b", "local", "", boot_ms);
}

/* ── answers ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_jobs(void **state)
{
	static const char text[] =
		"{\"data\":[{\"id\":\"b\",\"vmid\":100,\"enabled\":0},{\"id\":\"a\","
		"\"pool\":\"home\",\"exclude\":\"100\"},"
		"{\"id\":\"c\",\"exclude\":\"5;100, 7\",\"node\":\"a\",\"next-run\":\"1787100000\"},"
		"{\"storage\":\"pbs\"},"
		"null,\"x\",{\"id\":\"d\",\"all\":\"1\",\"next-run\":1e15,"
		"\"prune-backups\":{\"keep-last\":\"3\"}},{\"id\":\"e\"}]}";
	struct fixture *f = *state;
	_cleanup_(json_treep) cJSON *tree = tree_of(text);
	struct pve_backup_jobs jobs;

	assert_int_equal(pve_parse_backup_jobs(tree, f->arena, &jobs), 0);
	assert_int_equal(jobs.bad, 3);
	assert_int_equal(jobs.n, 5);
	/* A pool beats everything, and what is excluded counts for "all" alone. */
	assert_true(pve_backup_job_covers(&jobs.rows[0], 100, "a", "home"));
	assert_false(pve_backup_job_covers(&jobs.rows[0], 100, "a", NULL));
	assert_true(pve_backup_job_enabled(&jobs.rows[0]));
	assert_true(pve_backup_job_covers(&jobs.rows[1], 100, "b", NULL));
	assert_false(pve_backup_job_covers(&jobs.rows[1], 1000, "b", NULL));
	assert_false(pve_backup_job_enabled(&jobs.rows[1]));
	assert_false(pve_backup_job_covers(&jobs.rows[2], 100, "a", NULL));
	assert_true(pve_backup_job_covers(&jobs.rows[2], 10, "a", NULL));
	assert_false(pve_backup_job_covers(&jobs.rows[2], 10, "b", NULL));
	assert_int_equal(jobs.rows[2].next_run.v, 1787100000);
	assert_true(pve_backup_job_covers(&jobs.rows[3], 1, "b", NULL));
	assert_false(jobs.rows[3].next_run.has);
	assert_false(pve_backup_job_covers(&jobs.rows[4], 1, "b", NULL));
}

static int kept_of(const char *text, struct arena *arena, struct pve_kept_list *ret)
{
	_cleanup_(json_treep) cJSON *tree = tree_of(text);

	return pve_parse_kept(tree, arena, ret);
}

static void test_kept(void **state)
{
	struct fixture *f = *state;
	struct pve_kept_list list;
	const struct pve_kept *kept;

	assert_int_equal(
		kept_of("{\"data\":[" PBS(101, 300, FAILED) "," PBS(101, 100, OK) "," PBS(
				101, 200,
				"") ","
				    "{\"volid\":\"nas:backup/vzdump-lxc-100-2026_01_01-02_30_00.tar.zst\","
				    "\"format\":\"tar.zst\","
				    "\"content\":\"backup\",\"size\":\"77\",\"vmid\":\"100\","
				    "\"ctime\":\"50\",\"notes\":\"x\",\"protected\":1},"
				    /* An unfinished one of a backup server, an image, and rubbish. */
				    "{\"volid\":\"pbs:backup/vm/100/y\",\"format\":\"pbs-vm\","
				    "\"content\":\"backup\",\"size\":1,"
				    "\"vmid\":100,\"ctime\":400},{\"volid\":\"x\",\"content\":\"iso\"},"
				    "{\"volid\":\"nas:backup/own.tar\",\"content\":\"backup\","
				    "\"size\":5},{\"vmid\":7},null,3,"
				    "{\"volid\":\"v\",\"vmid\":-1},{\"volid\":\"v\",\"vmid\":1e300},"
				    "{\"volid\":\"v\",\"vmid\":102,\"verification\":\"yes\"}]}",
			f->arena, &list),
		0);
	assert_int_equal(list.bad, 6);
	assert_int_equal(list.n, 3);
	kept = pve_kept_find(&list, 101);
	assert_int_equal(kept->backups, 3);
	assert_int_equal(kept->size, 3000);
	assert_int_equal(kept->newest_s, 300);
	assert_int_equal(kept->good_s, 200);
	assert_false(kept->good_verified);
	assert_int_equal(kept->bad_s, 300);
	kept = pve_kept_find(&list, 100);
	assert_int_equal(kept->backups, 1);
	assert_int_equal(kept->good_s, 50);
	assert_int_equal(kept->good_size.v, 77);
	assert_int_equal(pve_kept_find(&list, 102)->good_s, 0);
	assert_null(pve_kept_find(&list, 103));
	assert_int_equal(kept_of("{\"data\":null}", f->arena, &list), -EINVAL);
	assert_int_equal(kept_of("{\"data\":{}}", f->arena, &list), -EINVAL);
}

static void test_log(void **state)
{
	static const char text[] =
		"{\"total\":9,\"data\":[{\"n\":1,"
		"\"t\":\"INFO: starting new backup job: vzdump --all 1 --exclude 5,101 "
		"--storage pbs --mode snapshot\"},{\"n\":2,"
		"\"t\":\"INFO: Finished Backup of VM 100 (00:01:10)\"},"
		"{\"n\":3,\"t\":\"ERROR: Backup of VM 102 failed - VM is locked (snapshot)\"},{\"n\":4},"
		"{\"n\":5,\"t\":\"ERROR: Backup of VM 103 failed\"},{\"n\":6,"
		"\"t\":\"ERROR: Backup of VM x failed - y\"},"
		"{\"n\":7,\"t\":7},null,{\"n\":9,\"t\":\"TASK ERROR: job errors\"}]}";
	struct fixture *f = *state;
	_cleanup_(json_treep) cJSON *tree = tree_of(text);
	struct pve_backup_log log;

	assert_int_equal(pve_parse_backup_log(tree, f->arena, &log), 0);
	assert_int_equal(log.failures_n, 2);
	assert_int_equal(log.failures[0].vmid, 102);
	assert_string_equal(log.failures[0].text, "VM is locked (snapshot)");
	assert_string_equal(log.failures[1].text, "");
	assert_true(pve_backup_log_meant(&log, 104));
	assert_false(pve_backup_log_meant(&log, 100)); /* went well */
	assert_false(pve_backup_log_meant(&log, 101)); /* excluded */
}

static void test_log_of_some(void **state)
{
	static const char text[] =
		"{\"data\":[{\"t\":\"INFO: starting new backup job: vzdump 100 102 --storage pbs\"}]}";
	static const char empty[] = "{\"data\":[{\"n\":1,\"t\":\"no content\"}]}";
	struct fixture *f = *state;
	_cleanup_(json_treep) cJSON *tree = tree_of(text), *none = tree_of(empty);
	struct pve_backup_log log;

	assert_int_equal(pve_parse_backup_log(tree, f->arena, &log), 0);
	assert_true(pve_backup_log_meant(&log, 102));
	assert_false(pve_backup_log_meant(&log, 10));
	assert_int_equal(pve_parse_backup_log(none, f->arena, &log), 0);
	assert_false(pve_backup_log_meant(&log, 102));
}

/* ── posture ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_well(void **state)
{
	struct fixture *f = *state;
	struct result r;

	take_all(f, PBS(100, 1787090000, OK) "," PBS(101, 1787080000, ""), 10);
	take_list(f, "b", "local", PBS(101, 1787085000, ""), 10);
	r = build(f, true, 20);
	assert_int_equal(r.guests[0].last_ok_ms.v, 1787090000000);
	assert_string_equal(r.guests[0].storage, "pbs");
	assert_true(r.guests[0].verified.v);
	assert_int_equal(r.guests[0].backups.v, 1);
	assert_true(r.guests[0].covered.v);
	assert_int_equal(r.guests[0].jobs_n, 1);
	assert_int_equal(r.guests[0].next_run_ms.v, 1787100000000);
	assert_null(r.guests[0].reason);
	assert_int_equal(r.guests[0].ts, FIXTURE_WALL_MS + 10);
	/* The newest of all storages. */
	assert_string_equal(r.guests[1].storage, "local");
	assert_int_equal(r.guests[1].backups.v, 2);
	assert_false(r.guests[1].verified.has);
	/* Only a job that is switched off knows it. */
	assert_true(r.guests[2].covered.has && !r.guests[2].covered.v);
	assert_false(r.guests[2].last_ok_ms.has);
	assert_int_equal(r.guests[2].backups.v, 0);
	assert_int_equal(r.all.guests.v, 3);
	assert_int_equal(r.all.not_covered.v, 1);
	assert_int_equal(r.all.never.v, 1);
	assert_int_equal(r.all.jobs_n, 2);
	assert_int_equal(r.all.jobs[0].guests.v, 2);
	assert_int_equal(r.all.jobs[1].guests.v, 2);
	assert_false(r.all.jobs[1].enabled);
	assert_int_equal(r.all.orphans_n, 0);
	assert_null(r.all.reason);
}

static void test_not_read_yet(void **state)
{
	struct fixture *f = *state;
	struct result r = build(f, true, 20);

	assert_false(r.guests[0].covered.has || r.guests[0].backups.has ||
		     r.guests[0].last_ok_ms.has);
	assert_non_null(r.guests[0].reason);
	assert_false(r.all.never.has || r.all.not_covered.has);
	assert_non_null(r.all.reason);
	take_jobs(f, JOBS, 30);
	r = build(f, true, 40);
	assert_true(r.guests[0].covered.v);
	assert_string_equal(r.guests[0].reason, "storage local: not read yet");
	/* The jobs get old too. */
	r = build(f, true, 30 + LATE_MS);
	assert_false(r.guests[0].covered.has);
}

static void test_storage_that_hangs(void **state)
{
	struct fixture *f = *state;
	struct result r;

	take_all(f, PBS(100, 1787090000, OK), 10);
	/* All of pbs is late; the others answered. */
	take_jobs(f, JOBS, LATE_MS);
	take_list(f, "a", "local", "", LATE_MS);
	take_list(f, "b", "local", PBS(101, 1787085000, "") "," PBS(102, 1787085000, ""), LATE_MS);
	pve_listing_fail(pve_listings_find(&f->posture.listings, "a", "pbs"), "a did not answer");
	r = build(f, true, LATE_MS + 10);
	/* It held 100's, and its job puts 101's there: unknown is not none, and not old either. */
	assert_false(r.guests[0].last_ok_ms.has || r.guests[0].backups.has);
	assert_string_equal(r.guests[0].reason, "storage pbs: a did not answer");
	assert_false(r.guests[1].last_ok_ms.has || r.guests[1].storage);
	assert_true(r.guests[1].covered.v);
	/* No job of 102 has to do with it, and another storage has one: only the number is unknown. */
	assert_int_equal(r.guests[2].last_ok_ms.v, 1787085000000);
	assert_false(r.guests[2].backups.has);
	assert_string_equal(r.guests[2].reason, "storage pbs: a did not answer");
	assert_false(r.all.never.has);
	assert_string_equal(r.all.reason, "storage pbs: a did not answer");
	/* It is well again. */
	take_list(f, "a", "pbs", PBS(100, 1787090000, OK), LATE_MS + 20);
	r = build(f, true, LATE_MS + 30);
	assert_int_equal(r.guests[0].backups.v, 1);
	assert_null(r.all.reason);
}

static void test_node_that_is_dead(void **state)
{
	_cleanup_(freep) char *dead = NULL;
	const char *b = strstr(world, "\"b\",\"status\":\"online\"");
	const char *rest = b + strlen("\"b\",\"status\":\"online\"");
	struct fixture *f = *state;
	struct result r;

	take_all(f, PBS(100, 1787090000, OK) "," PBS(101, 1787090000, ""), 10);
	dead = xasprintf("%.*s\"b\",\"status\":\"offline\"%s", (int)(b - world), world, rest);
	take_world(f, dead, LATE_MS);
	take_jobs(f, JOBS, LATE_MS);
	take_list(f, "a", "pbs", PBS(100, 1787090000, OK) "," PBS(101, 1787090000, ""), LATE_MS);
	take_list(f, "a", "local", "", LATE_MS);
	r = build(f, true, LATE_MS + 10);
	/* b's own storage is out of reach: nothing to 100, which was never there; the number for b's guests. */
	assert_int_equal(r.guests[0].backups.v, 1);
	assert_null(r.guests[0].reason);
	assert_int_equal(r.guests[1].last_ok_ms.v, 1787090000000);
	assert_false(r.guests[1].backups.has);
	assert_string_equal(r.guests[1].reason, "storage local: node b is offline");
	/* Where else should 102's be? */
	assert_false(r.guests[2].last_ok_ms.has || r.guests[2].backups.has);
	assert_false(r.all.never.has);
}

static void test_failures(void **state)
{
	struct fixture *f = *state;
	struct result r;

	take_all(f,
		 PBS(100, 1787090000, OK) "," PBS(101, 1787080000, OK) "," PBS(101, 1787085000,
									       FAILED),
		 10);
	pve_posture_note_failure(&f->posture, 100, 1787091000000, 1787091100000, "job errors");
	pve_posture_note_failure(&f->posture, 100, 1787091000000, 1787091100000, "got timeout");
	pve_posture_note_failure(&f->posture, 100, 1787000000000, 1787000100000, "an older one");
	pve_posture_note_failure(&f->posture, 102, 1787000000000, 1787000100000, "never worked");
	pve_posture_note_failure(&f->posture, 4711, 1787000000000, 1787000100000,
				 "of a guest that is gone");
	r = build(f, true, 20);
	assert_int_equal(r.guests[0].last_error_ms.v, 1787091100000);
	assert_string_equal(r.guests[0].last_error, "got timeout");
	assert_int_equal(r.guests[0].last_ok_ms.v, 1787090000000);
	assert_int_equal(r.guests[1].last_ok_ms.v, 1787080000000);
	assert_true(r.guests[1].verified.v);
	assert_int_equal(r.guests[1].last_error_ms.v, 1787085000000);
	assert_string_equal(r.guests[1].last_error,
			    "the newest backup on pbs did not pass verification");
	assert_string_equal(r.guests[2].last_error, "never worked");
	/* A good one that was begun later. */
	take_list(f, "a", "pbs", PBS(100, 1787092000, ""), 30);
	r = build(f, true, 40);
	assert_false(r.guests[0].last_error_ms.has || r.guests[0].last_error);
	assert_int_equal(f->posture.failed_n, 3);
	pve_posture_forget_gone(&f->posture, &f->cluster);
	assert_int_equal(f->posture.failed_n, 2);
	/* All of them are broken. */
	take_list(f, "a", "pbs", PBS(100, 1787092000, FAILED), 50);
	r = build(f, true, 60);
	assert_false(r.guests[0].last_ok_ms.has);
	assert_true(r.guests[0].verified.has && !r.guests[0].verified.v);
	assert_int_equal(r.guests[0].backups.v, 1);
}

static void test_orphans(void **state)
{
	struct fixture *f = *state;
	struct result r;

	take_all(f, PBS(900, 1, "") "," PBS(55, 1787000000, "") "," PBS(55, 1787000001, ""), 10);
	take_list(f, "b", "local", PBS(54, 1787000000, ""), 10);
	r = build(f, true, 20);
	/* A template's are none. */
	assert_int_equal(r.all.orphans_n, 2);
	assert_int_equal(r.all.orphans[0].vmid, 54);
	assert_string_equal(r.all.orphans[0].node, "b");
	assert_int_equal(r.all.orphans[1].vmid, 55);
	assert_int_equal(r.all.orphans[1].backups, 2);
	assert_int_equal(r.all.orphans[1].size.v, 2000);
	assert_null(r.all.orphans[1].node);
	assert_int_equal(r.all.orphans[1].newest_ms.v, 1787000001000);
	r = build(f, false, 20);
	assert_int_equal(r.all.orphans_n, 0);
	assert_non_null(r.all.reason);
}

/* ── whom to ask ───────────────────────────────────────────────────────────────────────────────────────────── */

static struct pve_listing *shared(struct fixture *f)
{
	for (size_t i = 0; i < f->posture.listings.n; i++) {
		if (f->posture.listings.list[i].shared)
			return &f->posture.listings.list[i];
	}
	return NULL;
}

static void test_shared_storages_are_asked_once(void **state)
{
	struct fixture *f = *state;

	/* local twice, pbs once; tank keeps no backups. */
	assert_int_equal(f->posture.listings.n, 3);
	assert_string_equal(shared(f)->node, "a");
	take_world(f, world, 10);
	assert_string_equal(shared(f)->node, "a");
	/* A failure moves it on, but not for ever. */
	pve_listing_fail(shared(f), "late");
	take_world(f, world, 20);
	assert_string_equal(shared(f)->node, "b");
	pve_listing_fail(shared(f), "late");
	take_world(f, world, 30);
	assert_string_equal(shared(f)->node, "a");
	pve_listing_fail(shared(f), "late");
	take_world(f, world, 40);
	assert_string_equal(shared(f)->node, "a");
}

static void test_only_where_it_is_active(void **state)
{
	static const char inactive[] =
		"{\"data\":[{\"storage\":\"pbs\",\"type\":\"pbs\",\"content\":\"backup\","
		"\"enabled\":1,\"active\":0,\"shared\":1}]}";
	struct fixture *f = *state;
	_cleanup_(json_treep) cJSON *tree = tree_of(inactive);

	assert_int_equal(pve_cluster_take_storages(&f->cluster, "a", tree, fixture_now(5)), 0);
	take_world(f, world, 10);
	assert_string_equal(shared(f)->node, "b");
	assert_int_equal(pve_cluster_take_storages(&f->cluster, "b", tree, fixture_now(15)), 0);
	take_world(f, world, 20);
	assert_null(shared(f)->node);
	assert_string_equal(pve_listing_reason(shared(f), &f->cluster, f->arena),
			    "storage pbs: no node reaches it");
	/* The lists got old: the resources' word counts again. */
	take_world(f, world, 15 + 90001);
	assert_non_null(shared(f)->node);
}

static void test_storages_come_and_go(void **state)
{
	static const char few[] =
		"{\"data\":[{\"type\":\"node\",\"node\":\"a\",\"status\":\"online\"},"
		"{\"type\":\"storage\",\"storage\":\"local\",\"node\":\"a\",\"content\":\"backup\","
		"\"status\":\"available\"}]}";
	struct fixture *f = *state;

	take_list(f, "a", "local", PBS(100, 5, ""), 5);
	take_world(f, few, 10);
	assert_int_equal(f->posture.listings.n, 1);
	assert_int_equal(f->posture.listings.list[0].kept.n, 1);
	take_world(f, world, 20);
	assert_int_equal(f->posture.listings.n, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_jobs),
		TEST(test_kept),
		TEST(test_log),
		TEST(test_log_of_some),
		TEST(test_well),
		TEST(test_not_read_yet),
		TEST(test_storage_that_hangs),
		TEST(test_node_that_is_dead),
		TEST(test_failures),
		TEST(test_orphans),
		TEST(test_shared_storages_are_asked_once),
		TEST(test_only_where_it_is_active),
		TEST(test_storages_come_and_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
