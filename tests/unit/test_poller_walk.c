/* SPDX-License-Identifier: MIT */
/*
 * The walk over the guests: whose turn it is, how fast, and who is not asked. And replication, which is joined from
 * two lists.
 */
#include "services/proxmox-poller/guest_walk.h"
#include "services/proxmox-poller/pve_replication.h"
#include "tests/unit/check.h"
#include "tests/unit/pve_fixture.h"

#include <errno.h>

#define PERIOD_MS 300000
#define LONG_MS 2000000

struct fixture {
	struct pve_cluster cluster;
	struct guest_walk walk;
	struct walk_events events;
	struct pve_replication replication;
	struct arena *arena;
	const char *busy; /* node */
	size_t gone, unreachable;
};

static void on_gone(void *ctx, int64_t vmid)
{
	struct fixture *f = ctx;

	assert_true(vmid > 0);
	f->gone++;
}

static void on_unreachable(void *ctx, const struct pve_guest *guest)
{
	struct fixture *f = ctx;

	assert_string_equal(guest->row->node, "b");
	f->unreachable++;
}

static bool is_busy(void *ctx, const char *node)
{
	const struct fixture *f = ctx;

	return f->busy && str_eq(f->busy, node);
}

static int setup(void **state)
{
	struct fixture *f = xnew(struct fixture);

	pve_cluster_init(&f->cluster, "lab", 30000, 30000);
	guest_walk_init(&f->walk, PERIOD_MS, 0);
	f->replication.period_ms = PERIOD_MS;
	f->events = (struct walk_events){ on_gone, on_unreachable, is_busy, f };
	f->arena = arena_new();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	guest_walk_done(&f->walk);
	pve_replication_done(&f->replication);
	pve_cluster_done(&f->cluster);
	arena_free(f->arena);
	free(f);
	return 0;
}

/* N guests from vmid 100 on, in turn on the nodes a and b; B is b's status, LOCK what holds 101. */
static void take_world(struct fixture *f, int n, const char *b, const char *lock, int64_t now)
{
	_cleanup_(str_done) struct str text = { 0 };
	_cleanup_(json_treep) cJSON *tree = NULL;
	size_t bad;

	str_printf(&text,
		   "{\"data\":[{\"type\":\"node\",\"node\":\"a\",\"status\":\"online\"},"
		   "{\"type\":\"node\",\"node\":\"b\",\"status\":\"%s\"}",
		   b);
	for (int i = 0; i < n; i++)
		str_printf(&text,
			   ",{\"type\":\"lxc\",\"vmid\":%d,\"node\":\"%s\",\"status\":\"running\","
			   "\"lock\":\"%s\"}",
			   100 + i, i % 2 ? "b" : "a", i == 1 ? lock : "");
	str_add(&text, "]}");
	assert_int_equal(json_parse(str_get(&text), text.len, JSON_FOREIGN, &tree, NULL), 0);
	assert_int_equal(pve_cluster_take_resources(&f->cluster, tree, fixture_now(now), &bad), 0);
	guest_walk_sync(&f->walk, &f->cluster, &f->events, fixture_now(now));
}

struct calls {
	size_t n, first_10_s, of_101;
	int64_t last_ms;
};

/* Everybody who is asked answers at once. */
static struct calls walk(struct fixture *f, int64_t from, int64_t until)
{
	struct calls calls = { .last_ms = -1 };

	for (int64_t now = from; now < until;) {
		enum walk_step step;
		const struct pve_guest *guest =
			guest_walk_next(&f->walk, &f->cluster, &f->events, now, &step);

		if (guest) {
			assert_true(calls.last_ms < 0 || now - calls.last_ms >= 500);
			guest_walk_succeeded(&f->walk, guest->vmid, step, now);
			calls.n++;
			calls.first_10_s += now - from < 10000;
			calls.of_101 += guest->vmid == 101;
			calls.last_ms = now;
		}
		now = max_of(guest_walk_wake(&f->walk, now), now + 1);
	}
	return calls;
}

static void test_few_guests(void **state)
{
	struct fixture *f = *state;
	struct calls calls;

	take_world(f, 31, "online", "", 0);
	assert_int_equal(guest_walk_period_ms(&f->walk), PERIOD_MS);
	/* At the start all of them, two a second. */
	calls = walk(f, 0, 31500);
	assert_int_equal(calls.n, 62);
	assert_true(f->walk.had_round);
	/* Then once a period, spread over it. */
	assert_int_equal(walk(f, 31500, PERIOD_MS).n, 0);
	for (int64_t period = 1; period < 5; period++) {
		calls = walk(f, period * PERIOD_MS, (period + 1) * PERIOD_MS);
		assert_in_range(calls.n, 56, 66);
		assert_in_range(calls.first_10_s, 1, 5);
	}
}

static void test_very_many_guests(void **state)
{
	struct fixture *f = *state;
	struct calls calls;

	take_world(f, 1000, "online", "", 0);
	assert_int_equal(guest_walk_period_ms(&f->walk), 1000 * 1000);
	calls = walk(f, 0, LONG_MS);
	assert_in_range(calls.n, 3900, 4000);
	/* Nobody is left out for the others. */
	assert_int_equal(calls.of_101, 4);
}

static void test_what_changed_comes_first(void **state)
{
	struct fixture *f = *state;
	const struct pve_guest *guest;
	enum walk_step step;

	take_world(f, 40, "online", "", 0);
	(void)walk(f, 0, 40000);
	assert_null(guest_walk_next(&f->walk, &f->cluster, &f->events, 41000, &step));
	take_world(f, 40, "online", "snapshot", 41000);
	guest = guest_walk_next(&f->walk, &f->cluster, &f->events, 41000, &step);
	assert_int_equal(guest->vmid, 101);
	/* It changes again before the answer comes: once more. */
	guest_walk_call(&f->walk, 101, step, 41100);
	guest_walk_succeeded(&f->walk, 101, step, 41200);
	assert_int_equal(walk(f, 41600, 50000).of_101, 2);
	/* A new one is read at once too. */
	take_world(f, 41, "online", "snapshot", 50000);
	guest = guest_walk_next(&f->walk, &f->cluster, &f->events, 50000, &step);
	assert_int_equal(guest->vmid, 140);
	guest_walk_call(&f->walk, 4711, WALK_CONFIG, 50000);
}

static void test_nodes_that_are_not_asked(void **state)
{
	struct fixture *f = *state;
	struct calls calls;

	take_world(f, 10, "offline", "", 0);
	assert_int_equal(f->unreachable, 5);
	calls = walk(f, 0, 20000);
	assert_int_equal(calls.n, 10);
	assert_int_equal(calls.of_101, 0);
	assert_true(f->walk.had_round);
	take_world(f, 10, "unknown", "", 20000);
	assert_int_equal(f->unreachable, 5); /* it is told once */
	assert_int_equal(walk(f, 20000, 30000).n, 0);
	take_world(f, 10, "online", "", 30000);
	assert_int_equal(walk(f, 30000, 40000).n, 10);
	/* One call at a time on a node. */
	f->busy = "b";
	guest_walk_call(&f->walk, 101, WALK_CONFIG, 40000);
	assert_int_equal(walk(f, 40000, 45000).n, 0);
	f->busy = NULL;
	assert_int_equal(walk(f, 45000, 47000).of_101, 1);
	take_world(f, 3, "online", "", 50000);
	assert_int_equal(f->gone, 7);
}

static void test_failures(void **state)
{
	struct fixture *f = *state;
	enum walk_step step;

	take_world(f, 1, "online", "", 0);
	assert_non_null(guest_walk_next(&f->walk, &f->cluster, &f->events, 0, &step));
	assert_int_equal(guest_walk_failed(&f->walk, 100, step, true, 100), 1);
	assert_non_null(guest_walk_next(&f->walk, &f->cluster, &f->events, 600, &step));
	guest_walk_succeeded(&f->walk, 100, step, 700);
	assert_true(f->walk.had_round); /* it was tried */
	assert_int_equal(guest_walk_wake(&f->walk, 700), 135600);
	for (unsigned i = 2; i < 40; i++)
		assert_int_equal(guest_walk_failed(&f->walk, 100, 1 - step, false, 1000), i);
	assert_int_equal(f->walk.guests[0].turns[1 - step].due_ms, 1000 + PERIOD_MS);
	assert_int_equal(guest_walk_failed(&f->walk, 4711, step, false, 1000), 0);
}

/* ── replication ───────────────────────────────────────────────────────────────────────────────────────────── */

static int take_jobs(struct fixture *f, const char *text, int64_t now, size_t *bad)
{
	_cleanup_(json_treep) cJSON *tree = NULL;

	assert_int_equal(json_parse(text, strlen(text), JSON_FOREIGN, &tree, NULL), 0);
	return pve_replication_take(&f->replication, tree, fixture_now(now), bad);
}

static int take_node(struct fixture *f, const char *node, const char *text, int64_t now)
{
	_cleanup_(json_treep) cJSON *tree = NULL;
	size_t bad;

	assert_int_equal(json_parse(text, strlen(text), JSON_FOREIGN, &tree, NULL), 0);
	return pve_replication_take_node(&f->replication, node, tree, fixture_now(now), &bad);
}

static struct msg_guest_replication replication_of(struct fixture *f, int64_t vmid, int64_t now)
{
	struct msg_guest_replication doc;
	bool exists;

	for (size_t at = 0; at < f->replication.jobs.n;) {
		at = pve_build_replication(&f->replication, &f->cluster, at, fixture_now(now),
					   f->arena, &exists, &doc);
		if (doc.vmid == vmid && exists)
			return doc;
	}
	return (struct msg_guest_replication){ 0 };
}

#define ROW(id, guest, more)                                                                       \
	"{\"id\":\"" id "\",\"guest\":" guest ",\"target\":\"b\",\"type\":\"local\"" more "}"

static void test_replication(void **state)
{
	struct fixture *f = *state;
	struct msg_guest_replication doc;
	size_t bad = 0;

	take_world(f, 3, "online", "", 0);
	assert_int_equal(
		take_jobs(
			f,
			"{\"data\":[" ROW("100-1", "100", ",\"disable\":1") "," ROW(
				"100-0", "\"100\"",
				",\"schedule\":\"*/5\"") "," ROW("777-0", "777",
								 "") "," ROW("101-0", "101",
									     "") ",{\"id\":\"x\"},null]}",
			10, &bad),
		0);
	assert_int_equal(bad, 2);
	assert_true(pve_replication_concerns(&f->replication, &f->cluster, "a"));
	doc = replication_of(f, 100, 20);
	assert_int_equal(doc.jobs_n, 2);
	assert_string_equal(doc.reason, "node a was not asked yet");
	assert_false(doc.jobs[0].last_ok_ms.has || doc.jobs[0].failures.has);
	assert_int_equal(replication_of(f, 777, 20).vmid, 0);
	assert_int_equal(
		take_node(
			f, "a",
			"{\"data\":[" ROW(
				"100-0", "100",
				",\"last_sync\":1787090003,\"next_sync\":\"1787090900\","
				"\"fail_count\":2,\"error\":\"exit code 255\","
				"\"duration\":\"4.3\"") "," ROW("100-1", "100",
								",\"last_sync\":0,"
								"\"fail_count\":0,\"duration\":null") "]}",
			30),
		0);
	doc = replication_of(f, 100, 40);
	assert_null(doc.reason);
	assert_int_equal(doc.ts, FIXTURE_WALL_MS + 30);
	assert_string_equal(doc.jobs[0].id, "100-0");
	assert_string_equal(doc.jobs[0].schedule, "*/5");
	assert_int_equal(doc.jobs[0].last_ok_ms.v, 1787090003000);
	assert_int_equal(doc.jobs[0].next_run_ms.v, 1787090900000);
	assert_int_equal(doc.jobs[0].failures.v, 2);
	assert_string_equal(doc.jobs[0].error, "exit code 255");
	assert_true(doc.jobs[0].enabled && !doc.jobs[1].enabled);
	assert_false(doc.jobs[1].last_ok_ms.has || doc.jobs[1].duration_s.has);
	/* Old, failed, offline. */
	pve_replication_fail_node(&f->replication, "a", "a did not answer");
	assert_null(replication_of(f, 100, 50).reason);
	doc = replication_of(f, 100, 31 + 3 * PERIOD_MS);
	assert_string_equal(doc.reason, "a did not answer");
	assert_false(doc.jobs[0].last_ok_ms.has);
	assert_int_equal(take_node(f, "b", "{\"data\":[]}", 60), 0);
	assert_string_equal(replication_of(f, 101, 70).reason,
			    "node b does not list job 101-0 yet");
	take_world(f, 3, "offline", "", 80);
	assert_string_equal(replication_of(f, 101, 90).reason, "node b is offline");
	assert_int_equal(take_node(f, "b", "{\"data\":null}", 60), -EINVAL);
	assert_int_equal(take_jobs(f, "{\"data\":{}}", 90, &bad), -EINVAL);
	assert_int_equal(f->replication.jobs.n, 4);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_few_guests),
		TEST(test_very_many_guests),
		TEST(test_what_changed_comes_first),
		TEST(test_nodes_that_are_not_asked),
		TEST(test_failures),
		TEST(test_replication),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
