/* SPDX-License-Identifier: MIT */
/*
 * The cluster of cluster.h. Every fourth guest is stopped, so that there is something to start.
 */
#include "tests/bench/gate/cluster.h"

#include <stdio.h>

static const char *const nodes[] = { "Home", "pve", "agent1", "agent" };

static void hand_in(struct cluster *c, enum topic_id id, const char *a, const char *b,
		    const char *third, const void *body)
{
	struct topic_args args = { .n = third ? 3 : b ? 2 : 1 };

	(void)snprintf(args.value[0], sizeof(args.value[0]), "%s", a);
	(void)snprintf(args.value[1], sizeof(args.value[1]), "%s", b ? b : "");
	(void)snprintf(args.value[2], sizeof(args.value[2]), "%s", third ? third : "");
	view_take(c->view, id, &args, body, false, c->now.boot_ms);
}

static void add_guest(struct cluster *c, int i)
{
	char vmid[24], name[24];
	const struct msg_guest_state guest = {
		.ts = c->now.wall_ms,
		.cluster = "home",
		.vmid = CLUSTER_GUEST_FIRST + i,
		.name = name,
		.type = i % 3 ? GUEST_LXC : GUEST_QEMU,
		.node = nodes[(size_t)i % countof(nodes)],
		.status = i % 4 ? GUEST_RUNNING : GUEST_STOPPED,
	};

	(void)snprintf(name, sizeof(name), "guest-%d", i);
	(void)snprintf(vmid, sizeof(vmid), "%d", CLUSTER_GUEST_FIRST + i);
	hand_in(c, TOPIC_GUEST_STATE, "home", vmid, NULL, &guest);
}

static void add_rest(struct cluster *c)
{
	const struct map_source_state sources[] = {
		{ "resources", { .last_ok_ms = some_i64(c->now.wall_ms), .period_s = 10 } },
		{ "status", { .last_ok_ms = some_i64(c->now.wall_ms), .period_s = 10 } },
	};
	const struct msg_cluster_state state = {
		.ts = c->now.wall_ms,
		.cluster = "home",
		.quorate = some_bool(true),
		.votes = some_i64(4),
		.votes_needed = some_i64(3),
		.votes_expected = some_i64(4),
		.sources = sources,
		.sources_n = countof(sources),
	};
	const struct msg_storage_state nas = { .cluster = "home",
					       .storage = "nas",
					       .shared = true };

	hand_in(c, TOPIC_STORAGE_STATE, "home", "-", "nas", &nas);
	hand_in(c, TOPIC_CLUSTER_STATE, "home", NULL, NULL, &state);
}

int cluster_init(struct cluster *c, const char *config)
{
	_cleanup_(str_done) struct str errors = { 0 };
	const struct msg_bare online = { "online" };

	*c = (struct cluster){ .now = { 1000000, 1700000000000 } };
	if (config_load(config, &c->config, &errors) < 0) {
		(void)fprintf(stderr, "%s\n", str_get(&errors));
		return -1;
	}
	c->view = view_new();
	hand_in(c, TOPIC_SERVICE_STATE, "proxmox-poller", "main", NULL, &online);
	for (size_t i = 0; i < countof(nodes); i++) {
		const struct msg_node_state node = { .ts = c->now.wall_ms,
						     .cluster = "home",
						     .node = nodes[i],
						     .status = NODE_ONLINE };

		hand_in(c, TOPIC_NODE_STATE, "home", nodes[i], NULL, &node);
	}
	for (int i = 0; i < CLUSTER_GUESTS; i++)
		add_guest(c, i);
	add_rest(c);
	return 0;
}

void cluster_done(struct cluster *c)
{
	view_free(c->view);
	config_free(c->config);
}
