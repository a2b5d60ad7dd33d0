/* SPDX-License-Identifier: MIT */
/*
 * Storages: the resources and the nodes' own lists together; shared ones once; a list that hangs.
 */
#include "tests/unit/pve_fixture.h"

#include "services/proxmox-poller/pve_cluster.h"
#include "tests/unit/check.h"

#include <stdio.h>

#define PERIOD_MS 30000
#define LATE_MS (3 * PERIOD_MS + 1)

struct fixture {
	struct pve_cluster cluster;
	struct arena *arena;
};

static int setup(void **state)
{
	struct fixture *f = xnew(struct fixture);

	pve_cluster_init(&f->cluster, "lab", PERIOD_MS, PERIOD_MS);
	f->arena = arena_new();
	take_resources(&f->cluster, "resources-v9", 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pve_cluster_done(&f->cluster);
	arena_free(f->arena);
	free(f);
	return 0;
}

/* NULL when there is none. NODE is NULL for a shared one. */
static const struct msg_storage_state *storage_at(struct fixture *f, const char *node,
						  const char *storage, int64_t boot_ms)
{
	const struct msg_storage_state *found = NULL;
	struct msg_storage_state *list;
	size_t n;

	pve_build_storages(&f->cluster, fixture_now(boot_ms), f->arena, &list, &n);
	for (size_t i = 0; i < n; i++) {
		if (!str_eq(list[i].storage, storage) || !str_eq_null(list[i].node, node))
			continue;
		assert_null(found);
		found = &list[i];
	}
	return found;
}

static void test_from_resources_at_first(void **state)
{
	struct fixture *f = *state;
	const struct msg_storage_state *local = storage_at(f, "pve1", "local", 0);
	const struct msg_storage_state *nas = storage_at(f, NULL, "nas", 0);

	assert_int_equal(local->status, STORAGE_AVAILABLE);
	assert_int_equal(local->used.v, 9663676416);
	assert_string_equal(local->type, "dir");
	assert_int_equal(local->content_n, 3);
	assert_string_equal(local->content[1], "vztmpl");
	assert_false(local->shared);
	assert_int_equal(local->nodes_n, 0);
	assert_true(nas->shared);
	assert_int_equal(nas->nodes_n, 3);
	assert_string_equal(nas->nodes[2].node, "pve3");
	assert_int_equal(nas->total.v, 4000000000000);
	/* Without data, and so without numbers. */
	local = storage_at(f, "pve3", "local", 0);
	assert_int_equal(local->status, STORAGE_UNKNOWN);
	assert_non_null(local->reason);
	assert_false(local->used.has || local->total.has);
}

static void test_list_is_newer(void **state)
{
	struct fixture *f = *state;
	const struct msg_storage_state *s;

	take_storages(&f->cluster, "pve1", "storage-pve1", 500);
	s = storage_at(f, "pve1", "local", 500);
	assert_int_equal(s->used.v, 9700000000);
	assert_int_equal(s->ts, FIXTURE_WALL_MS + 500);
	assert_int_equal(storage_at(f, NULL, "nas", 500)->used.v, 1100000000000);
	/* Disabled storages stand in the list alone. */
	s = storage_at(f, NULL, "old", 500);
	assert_int_equal(s->status, STORAGE_DISABLED);
	assert_false(s->total.has);
}

static void test_shared_is_available_while_one_node_reaches_it(void **state)
{
	struct fixture *f = *state;
	const struct msg_storage_state *s;

	take_storages(&f->cluster, "pve1", "storage-pve1", 500);
	take_storages(&f->cluster, "pve2", "storage-pve2", 500);
	s = storage_at(f, NULL, "nas", 500);
	assert_int_equal(s->status, STORAGE_AVAILABLE);
	assert_int_equal(s->nodes[0].status, STORAGE_AVAILABLE);
	assert_int_equal(s->nodes[1].status, STORAGE_INACTIVE);
	/* Only pve1's list goes on; pve2's and pve3's are too old to be believed. */
	take_storages(&f->cluster, "pve1", "storage-pve1", LATE_MS);
	s = storage_at(f, NULL, "nas", LATE_MS + 500);
	assert_int_equal(s->status, STORAGE_AVAILABLE);
	assert_int_equal(s->nodes[1].status, STORAGE_UNKNOWN);
	assert_int_equal(s->nodes[2].status, STORAGE_UNKNOWN);
	assert_non_null(s->nodes[2].reason);
}

static void test_list_that_hangs(void **state)
{
	struct fixture *f = *state;
	struct pve_node *node = pve_cluster_find_node(&f->cluster, "pve1");
	const struct msg_storage_state *s;

	take_storages(&f->cluster, "pve1", "storage-pve1", 0);
	(void)snprintf(node->storages_error, sizeof(node->storages_error), "pve1 did not answer");
	assert_int_equal(storage_at(f, "pve1", "local", LATE_MS - 1)->status, STORAGE_AVAILABLE);
	s = storage_at(f, "pve1", "local", LATE_MS);
	assert_int_equal(s->status, STORAGE_UNKNOWN);
	assert_string_equal(s->reason, "pve1 did not answer");
	assert_false(s->used.has || s->total.has);
	/* It comes back, and is well again at once. */
	take_storages(&f->cluster, "pve1", "storage-pve1", LATE_MS + 10);
	assert_int_equal(storage_at(f, "pve1", "local", LATE_MS + 10)->status, STORAGE_AVAILABLE);
}

static void test_list_that_never_came(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(storage_at(f, "pve2", "local", LATE_MS - 1)->status, STORAGE_AVAILABLE);
	assert_int_equal(storage_at(f, "pve2", "local", LATE_MS)->status, STORAGE_UNKNOWN);
}

static void test_dead_node(void **state)
{
	struct fixture *f = *state;
	const struct msg_storage_state *s;

	/* Proxmox still says `available`. */
	take_resources(&f->cluster, "resources-dead", 10000);
	s = storage_at(f, "pve3", "local", 10000);
	assert_int_equal(s->status, STORAGE_UNKNOWN);
	assert_string_equal(s->reason, "node pve3 is offline");
	s = storage_at(f, NULL, "nas", 10000);
	assert_int_equal(s->status, STORAGE_AVAILABLE);
	assert_int_equal(s->nodes_n, 2);
	assert_string_equal(s->nodes[1].reason, "node pve3 is offline");
	assert_null(storage_at(f, "pve1", "local", 10000));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_from_resources_at_first),
		TEST(test_list_is_newer),
		TEST(test_shared_is_available_while_one_node_reaches_it),
		TEST(test_list_that_hangs),
		TEST(test_list_that_never_came),
		TEST(test_dead_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
