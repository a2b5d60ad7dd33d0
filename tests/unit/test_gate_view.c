/* SPDX-License-Identifier: MIT */
/*
 * What the gate takes in of the clusters, and what it does not.
 */
#include "tests/unit/check.h"
#include "tests/unit/gate_world.h"

#include <stdio.h>
#include <string.h>

static bool say(struct view *view, enum topic_id id, const char *a, const char *b, const void *body)
{
	struct topic_args args = { .n = 2 };

	(void)snprintf(args.value[0], sizeof(args.value[0]), "%s", a);
	(void)snprintf(args.value[1], sizeof(args.value[1]), "%s", b);
	return view_take(view, id, &args, body, false, 1000);
}

static void presence(struct view *view, const char *service, const char *instance, const char *word)
{
	const struct msg_bare body = { word };

	say(view, TOPIC_SERVICE_STATE, service, instance, word ? &body : NULL);
}

static bool is_live(struct gate_world *w, const char *cluster)
{
	const char *why;

	return view_is_live(w->view, cluster, w->now.boot_ms, &why);
}

/* As long as one instance of the poller is there. */
static void test_presence(void **unused)
{
	struct gate_world w;
	char name[16];

	(void)unused;
	gate_world_init(&w, "");
	assert_true(is_live(&w, "home"));
	assert_false(is_live(&w, "lab"));
	presence(w.view, "gateway", "main", "offline");
	presence(w.view, "proxmox-poller", "main", "online");
	presence(w.view, "proxmox-poller", "second", "offline");
	presence(w.view, "proxmox-poller", "second", "online");
	presence(w.view, "proxmox-poller", "main", "offline");
	assert_true(is_live(&w, "home"));
	presence(w.view, "proxmox-poller", "second", NULL);
	assert_false(is_live(&w, "home"));
	/* More than anybody has are not noted. */
	for (int i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		presence(w.view, "proxmox-poller", name, "online");
	}
	for (int i = 0; i < 8; i++) {
		(void)snprintf(name, sizeof(name), "p%d", i);
		presence(w.view, "proxmox-poller", name, "offline");
	}
	assert_false(is_live(&w, "home"));
	gate_world_done(&w);
}

static void test_documents(void **unused)
{
	const struct msg_guest_state guest = { .cluster = "home", .vmid = 300, .node = "a" };
	const struct map_source_state sources[] = {
		{ "other", { .last_ok_ms = some_i64(1), .period_s = 10 } },
		{ "status", { .last_ok_ms = some_i64(1), .period_s = 10 } },
	};
	const struct msg_cluster_state state = { .cluster = "home",
						 .sources = sources,
						 .sources_n = 2 };
	struct gate_world w;
	size_t at = 0, n = 0;

	(void)unused;
	gate_world_init(&w, "");
	assert_non_null(view_guest(w.view, "home", 101));
	assert_null(view_guest(w.view, "home", 300));
	assert_non_null(view_node(w.view, "home", "a"));
	assert_null(view_node(w.view, "home", "z"));
	assert_non_null(view_storage(w.view, "home", "-", "nas"));
	assert_null(view_storage(w.view, "home", "a", "nas"));
	assert_true(view_cluster(w.view, "home")->quorate.v);
	say(w.view, TOPIC_GUEST_STATE, "home", "300", &guest);
	assert_non_null(view_guest(w.view, "home", 300));
	say(w.view, TOPIC_GUEST_STATE, "home", "300", NULL);
	assert_null(view_guest(w.view, "home", 300));
	say(w.view, TOPIC_GUEST_STATE, "home", "300", NULL);
	/* None of our business. */
	say(w.view, TOPIC_ACTION_STATE, "home", "300", &guest);
	say(w.view, TOPIC_CLUSTER_STATE, "home", "", &state);
	while (view_next_guest(w.view, "home", &at))
		n++;
	assert_int_equal(n, 5);
	at = 0;
	assert_null(view_next_node(w.view, "lab", &at));
	at = 0;
	assert_non_null(view_next_storage(w.view, NULL, &at));
	assert_null(view_next_storage(w.view, NULL, &at));
	gate_world_done(&w);
	view_free(NULL);
}

/* What is under a topic is about what the topic names, or nothing is known of that any more. */
static void test_identity(void **unused)
{
	const struct msg_cluster_state cluster = { .cluster = "lab" };
	const struct msg_node_state nodes[] = { { .cluster = "home", .node = "b" },
						{ .cluster = "lab", .node = "a" } };
	const struct msg_guest_state guests[] = { { .cluster = "home", .vmid = 102, .node = "a" },
						  { .cluster = "lab", .vmid = 101, .node = "a" } };
	const struct msg_guest_config configs[] = { { .cluster = "home", .vmid = 102 },
						    { .cluster = "lab", .vmid = 101 } };
	const struct msg_storage_state storages[] = {
		{ .cluster = "home", .storage = "other" },
		{ .cluster = "lab", .storage = "nas" },
		{ .cluster = "home", .storage = "nas", .node = "a" },
	};
	struct topic_args nas = { .n = 3, .value = { "home", "-", "nas" } };
	struct gate_world w;

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		gate_world_init(&w, "");
		gate_world_config(&w, 101, "aa");
		assert_false(say(w.view, TOPIC_NODE_STATE, "home", "a", &nodes[i]));
		assert_null(view_node(w.view, "home", "a"));
		assert_false(say(w.view, TOPIC_GUEST_STATE, "home", "101", &guests[i]));
		assert_null(view_guest(w.view, "home", 101));
		assert_false(say(w.view, TOPIC_GUEST_CONFIG, "home", "101", &configs[i]));
		assert_null(view_config_digest(w.view, "home", 101));
		gate_world_done(&w);
	}
	for (size_t i = 0; i < countof(storages); i++) {
		gate_world_init(&w, "");
		assert_false(view_take(w.view, TOPIC_STORAGE_STATE, &nas, &storages[i], false, 1));
		assert_null(view_storage(w.view, "home", "-", "nas"));
		gate_world_done(&w);
	}
	gate_world_init(&w, "");
	assert_false(say(w.view, TOPIC_CLUSTER_STATE, "home", "", &cluster));
	assert_false(is_live(&w, "home"));
	/* Nothing was known, and nothing is. */
	assert_false(say(w.view, TOPIC_GUEST_STATE, "home", "0105", &guests[0]));
	gate_world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_presence),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_identity),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
