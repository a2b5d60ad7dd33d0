/* SPDX-License-Identifier: MIT */
/*
 * The cluster of gate_world.h.
 */
#include "tests/unit/gate_world.h"

#include "tests/unit/check.h"

#include <stdio.h>
#include <string.h>

static void hand_in(struct gate_world *w, enum topic_id id, const char *a, const char *b,
		    const char *c, const void *body)
{
	struct topic_args args = { .n = b ? c ? 3 : 2 : 1 };

	(void)snprintf(args.value[0], sizeof(args.value[0]), "%s", a);
	(void)snprintf(args.value[1], sizeof(args.value[1]), "%s", b ? b : "");
	(void)snprintf(args.value[2], sizeof(args.value[2]), "%s", c ? c : "");
	view_take(w->view, id, &args, body, false, w->now.boot_ms);
}

void gate_world_guest(struct gate_world *w, const struct msg_guest_state *guest)
{
	char vmid[24];

	(void)snprintf(vmid, sizeof(vmid), "%lld", (long long)guest->vmid);
	hand_in(w, TOPIC_GUEST_STATE, "home", vmid, NULL, guest);
}

void gate_world_config(struct gate_world *w, int64_t vmid, const char *digest)
{
	const struct msg_guest_config config = {
		.ts = w->now.wall_ms, .cluster = "home", .vmid = vmid, .digest = digest
	};
	char name[24];

	(void)snprintf(name, sizeof(name), "%lld", (long long)vmid);
	hand_in(w, TOPIC_GUEST_CONFIG, "home", name, NULL, digest ? &config : NULL);
}

void gate_world_node(struct gate_world *w, const char *name, enum node_status status)
{
	const struct msg_node_state node = {
		.ts = w->now.wall_ms, .cluster = "home", .node = name, .status = status
	};

	hand_in(w, TOPIC_NODE_STATE, "home", name, NULL, &node);
}

void gate_world_poll(struct gate_world *w, int64_t votes)
{
	const struct map_source_state sources[] = {
		{ "resources", { .last_ok_ms = some_i64(w->now.wall_ms), .period_s = 10 } },
		{ "status", { .last_ok_ms = some_i64(w->now.wall_ms), .period_s = 10 } },
	};
	const struct msg_cluster_state state = {
		.ts = w->now.wall_ms,
		.cluster = "home",
		.quorate = some_bool(true),
		.votes = some_i64(votes),
		.votes_needed = some_i64(2),
		.votes_expected = some_i64(3),
		.sources = sources,
		.sources_n = countof(sources),
	};

	hand_in(w, TOPIC_CLUSTER_STATE, "home", NULL, NULL, &state);
}

static void fill(struct gate_world *w)
{
	static const char *const nodes[] = { "a", "b", "c" };
	const struct msg_guest_state guests[] = {
		{ .vmid = 101,
		  .name = "web",
		  .type = GUEST_QEMU,
		  .node = "a",
		  .status = GUEST_RUNNING },
		{ .vmid = 102,
		  .name = "db",
		  .type = GUEST_QEMU,
		  .node = "a",
		  .status = GUEST_RUNNING },
		{ .vmid = 103,
		  .name = "ct",
		  .type = GUEST_LXC,
		  .node = "b",
		  .status = GUEST_STOPPED },
		{ .vmid = 104,
		  .name = "tpl",
		  .type = GUEST_QEMU,
		  .node = "b",
		  .status = GUEST_STOPPED,
		  .template = true },
		{ .vmid = 105,
		  .name = "box",
		  .type = GUEST_LXC,
		  .node = "c",
		  .status = GUEST_RUNNING },
	};
	const struct msg_storage_state nas = { .cluster = "home",
					       .storage = "nas",
					       .shared = true };
	const struct msg_bare online = { "online" };

	hand_in(w, TOPIC_SERVICE_STATE, "proxmox-poller", "main", NULL, &online);
	for (size_t i = 0; i < countof(nodes); i++)
		gate_world_node(w, nodes[i], NODE_ONLINE);
	for (size_t i = 0; i < countof(guests); i++) {
		struct msg_guest_state guest = guests[i];

		guest.cluster = "home";
		guest.ts = w->now.wall_ms;
		gate_world_guest(w, &guest);
	}
	hand_in(w, TOPIC_STORAGE_STATE, "home", "-", "nas", &nas);
	gate_world_poll(w, 3);
}

void gate_world_init(struct gate_world *w, const char *config)
{
	_cleanup_(str_done) struct str text = { 0 }, errors = { 0 };

	*w = (struct gate_world){ .view = view_new(), .now = { 1000000, 1700000000000 } };
	str_add(&text,
		"clusters: {home: {token: \"a@pve!b\", nodes: {a: {address: 10.0.0.1, fingerprint: \"");
	for (int i = 0; i < 32; i++)
		str_add(&text, i ? ":00" : "00");
	str_add(&text, "\"}}}}\n");
	if (!strstr(config, "self:"))
		str_add(&text, "self: external\n");
	str_add(&text, config);
	if (config_parse("test", text.data, text.len, &w->config, &errors) < 0)
		fail_msg("%s", str_get(&errors));
	fill(w);
}

void gate_world_done(struct gate_world *w)
{
	view_free(w->view);
	config_free(w->config);
}
