/* SPDX-License-Identifier: MIT */
/*
 * Small pools of names, so that what is asked for meets what is there, and one name often means two things.
 */
#include "tests/reference/worlds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define WALL_MS 1700000000000

static const char *const node_names[] = { "a", "B", "pve" };
static const char *const guest_names[] = { "web", "db", "nas", NULL };

static void hand_in(struct world *w, enum topic_id id, const char *a, const char *b, const char *c,
		    const void *body, bool retained, int64_t ago_ms)
{
	struct topic_args args = { .n = b ? c ? 3 : 2 : 1 };

	(void)snprintf(args.value[0], sizeof(args.value[0]), "%s", a);
	(void)snprintf(args.value[1], sizeof(args.value[1]), "%s", b ? b : "");
	(void)snprintf(args.value[2], sizeof(args.value[2]), "%s", c ? c : "");
	view_take(w->view, id, &args, body, retained, w->boot_ms - ago_ms);
}

static void add_object(struct world *w, const char *cluster, const char *kind, const char *name)
{
	const char *object = arena_printf(w->arena, "%s/%s/%s", cluster, kind, name);

	for (size_t i = 0; i < w->objects_n; i++) {
		if (str_eq(w->objects[i], object))
			return;
	}
	if (w->objects_n < WORLD_OBJECTS_MAX)
		w->objects[w->objects_n++] = object;
}

/* ── clusters ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void make_nodes(struct world *w, const char *cluster, struct json_writer *out)
{
	static const enum node_status statuses[] = { NODE_ONLINE, NODE_ONLINE, NODE_ONLINE,
						     NODE_ONLINE, NODE_ONLINE, NODE_OFFLINE,
						     NODE_UNKNOWN };

	json_list_begin(out, "nodes");
	for (size_t i = 0; i < countof(node_names); i++) {
		const struct msg_node_state node = { .ts = WALL_MS,
						     .cluster = cluster,
						     .node = node_names[i],
						     .status = dice_pick(&w->dice, statuses) };

		add_object(w, cluster, "node", node.node);
		if (dice_once_in(&w->dice, 12))
			continue;
		hand_in(w, TOPIC_NODE_STATE, cluster, node.node, NULL, &node, false, 0);
		json_object_begin(out, NULL);
		json_add_str(out, "node", node.node);
		json_add_str(out, "status",
			     enumeration_word(&enumeration_node_status, (int)node.status));
		json_object_end(out);
	}
	json_list_end(out);
}

static void make_guest(struct world *w, const char *cluster, int64_t vmid, struct json_writer *out)
{
	static const enum guest_status often[] = { GUEST_RUNNING, GUEST_STOPPED, GUEST_PAUSED };
	static const char *const locks[] = { "backup", "suspended", "migrate" };
	const char *number = arena_printf(w->arena, "%" PRId64, vmid);
	const struct msg_guest_state guest = {
		.ts = WALL_MS,
		.cluster = cluster,
		.vmid = vmid,
		.name = dice_pick(&w->dice, guest_names),
		.type = dice_once_in(&w->dice, 3) ? GUEST_LXC : GUEST_QEMU,
		.node = dice_pick(&w->dice, node_names),
		.status = dice_once_in(&w->dice, 4) ?
				  (enum guest_status)dice_roll(&w->dice, GUEST_UNKNOWN + 1) :
				  dice_pick(&w->dice, often),
		.template = dice_once_in(&w->dice, 12),
		.lock = dice_once_in(&w->dice, 6) ? dice_pick(&w->dice, locks) : NULL,
		.ha_state = dice_once_in(&w->dice, 8) ? "started" : NULL,
	};

	hand_in(w, TOPIC_GUEST_STATE, cluster, number, NULL, &guest, false, 0);
	json_object_begin(out, NULL);
	json_add_i64(out, "vmid", vmid);
	json_add_str(out, "name", guest.name ? guest.name : "");
	json_add_str(out, "type", enumeration_word(&enumeration_guest_type, (int)guest.type));
	json_add_str(out, "node", guest.node);
	json_add_str(out, "status", enumeration_word(&enumeration_guest_status, (int)guest.status));
	json_add_bool(out, "template", guest.template);
	json_add_str(out, "lock", guest.lock ? guest.lock : "");
	json_add_str(out, "ha_state", guest.ha_state ? guest.ha_state : "");
	json_object_end(out);
}

static void make_guests(struct world *w, const char *cluster, struct json_writer *out)
{
	json_list_begin(out, "guests");
	for (int64_t vmid = 100; vmid < 107; vmid++) {
		add_object(w, cluster, "guest", arena_printf(w->arena, "%" PRId64, vmid));
		if (!dice_once_in(&w->dice, 6))
			make_guest(w, cluster, vmid, out);
	}
	json_list_end(out);
}

static void make_storage(struct world *w, const char *cluster, const char *name, const char *node,
			 struct json_writer *out)
{
	const struct msg_storage_state storage = {
		.cluster = cluster, .storage = name, .node = node, .shared = !node
	};

	add_object(w, cluster, "storage", name);
	hand_in(w, TOPIC_STORAGE_STATE, cluster, node ? node : "-", name, &storage, false, 0);
	json_object_begin(out, NULL);
	json_add_str(out, "storage", name);
	if (node)
		json_add_str(out, "node", node);
	else
		json_add_null(out, "node");
	json_object_end(out);
}

static void make_storages(struct world *w, const char *cluster, struct json_writer *out)
{
	json_list_begin(out, "storages");
	for (size_t i = 0; i < countof(node_names); i++) {
		if (!dice_once_in(&w->dice, 5))
			make_storage(w, cluster, "local", node_names[i], out);
	}
	if (!dice_once_in(&w->dice, 5))
		make_storage(w, cluster, "nas", NULL, out);
	if (dice_once_in(&w->dice, 5))
		make_storage(w, cluster, "nas", "a", out);
	json_list_end(out);
}

/* How old a source is, near the border of what is believed. */
static void make_source(struct world *w, struct map_source_state *source, int64_t ago_ms,
			bool retained, struct json_writer *out)
{
	static const int64_t ages[] = { 0, 0, 0, 5000, 9999, 15000, 29999, 30000, 60000 };
	static const double periods[] = { 10, 10, 5, 30 };
	int64_t age_ms = dice_once_in(&w->dice, 8) ? dice_pick(&w->dice, ages) :
						     (int64_t)dice_roll(&w->dice, 9000);
	bool never = dice_once_in(&w->dice, 40);

	source->value.period_s = dice_pick(&w->dice, periods);
	if (!never)
		source->value.last_ok_ms = some_i64(WALL_MS - age_ms);
	json_object_begin(out, NULL);
	json_add_bool(out, "seen", !retained);
	if (never)
		json_add_null(out, "age_ms");
	else
		json_add_i64(out, "age_ms", age_ms + ago_ms);
	json_add_i64(out, "period_s", (int64_t)source->value.period_s);
	json_object_end(out);
}

static void add_opt(struct json_writer *out, const char *key, struct opt_i64 value)
{
	if (value.has)
		json_add_i64(out, key, value.v);
	else
		json_add_null(out, key);
}

static void make_cluster(struct world *w, const char *name, struct json_writer *out)
{
	struct map_source_state sources[] = { { .key = "resources" }, { .key = "status" } };
	int64_t ago_ms = dice_once_in(&w->dice, 6) ? (int64_t)dice_roll(&w->dice, 31000) : 0;
	bool retained = dice_once_in(&w->dice, 30);
	struct msg_cluster_state state = {
		.ts = WALL_MS, .cluster = name, .sources = sources, .sources_n = countof(sources)
	};

	if (!dice_once_in(&w->dice, 10))
		state.votes = some_i64((int64_t)dice_roll(&w->dice, 5));
	if (!dice_once_in(&w->dice, 10))
		state.votes_needed = some_i64(1 + (int64_t)dice_roll(&w->dice, 2));
	if (dice_once_in(&w->dice, 3))
		state.standalone = some_bool(dice_once_in(&w->dice, 3));
	json_object_begin(out, name);
	json_add_bool(out, "standalone", state.standalone.has && state.standalone.v);
	add_opt(out, "votes", state.votes);
	add_opt(out, "votes_needed", state.votes_needed);
	json_list_begin(out, "sources");
	for (size_t i = 0; i < countof(sources); i++)
		make_source(w, &sources[i], ago_ms, retained, out);
	json_list_end(out);
	hand_in(w, TOPIC_CLUSTER_STATE, name, NULL, NULL, &state, retained, ago_ms);
	make_nodes(w, name, out);
	make_guests(w, name, out);
	make_storages(w, name, out);
	json_object_end(out);
}

/* ── policy: as jarvis.yaml and as JSON ────────────────────────────────────────────────────────────────────── */

/* KEY: [some of LIST], in both; each once in ONE_IN times. */
static void make_list(struct world *w, const char *key, const char *const *list, size_t n,
		      size_t one_in, struct str *yaml, struct json_writer *out)
{
	const char *comma = "";

	str_printf(yaml, "%s: [", key);
	json_list_begin(out, key);
	for (size_t i = 0; i < n; i++) {
		if (!dice_once_in(&w->dice, one_in))
			continue;
		str_printf(yaml, "%s\"%s\"", comma, list[i]);
		comma = ", ";
		json_add_str(out, NULL, list[i]);
	}
	str_add(yaml, "]");
	json_list_end(out);
}

static void make_self(struct world *w, struct str *yaml, struct json_writer *out)
{
	const char *node = dice_pick(&w->dice, node_names);
	int64_t vmid = 100 + (int64_t)dice_roll(&w->dice, 7);

	if (dice_once_in(&w->dice, 8)) {
		json_add_null(out, "self");
		return;
	}
	json_object_begin(out, "self");
	if (dice_once_in(&w->dice, 3)) {
		str_add(yaml, "self: external\n");
		json_add_bool(out, "external", true);
	} else {
		str_printf(yaml, "self: {cluster: home, node: %s, vmid: %" PRId64 "}\n", node,
			   vmid);
		json_add_str(out, "cluster", "home");
		json_add_str(out, "node", node);
		json_add_i64(out, "vmid", vmid);
	}
	json_object_end(out);
}

static void make_protected(struct world *w, struct str *yaml, struct json_writer *out)
{
	static const char *const kinds[] = { "guest", "node", "storage" };
	static const char *const paths[] = { "/srv/share/keep", "/var/lib/x/deep", "/home/a" };

	str_add(yaml, "protected: {");
	json_object_begin(out, "protected");
	for (size_t k = 0; k < countof(kinds); k++) {
		const char *names[WORLD_OBJECTS_MAX],
			*middle = arena_printf(w->arena, "/%s/", kinds[k]);
		size_t n = 0;

		for (size_t i = 0; i < w->objects_n; i++) {
			const char *at = strstr(w->objects[i], middle);

			if (at)
				names[n++] =
					arena_printf(w->arena, "%.*s/%s", (int)(at - w->objects[i]),
						     w->objects[i], at + strlen(middle));
		}
		str_add(yaml, k ? ", " : "");
		make_list(w, arena_printf(w->arena, "%ss", kinds[k]), names, n, 8, yaml, out);
	}
	str_add(yaml, ", ");
	make_list(w, "paths", paths, countof(paths), 3, yaml, out);
	str_add(yaml, "}\n");
	json_object_end(out);
}

/* Each needs only what stands before it in the list: no circles. */
static void make_depends_on(struct world *w, struct str *yaml, struct json_writer *out)
{
	json_object_begin(out, "depends_on");
	if (dice_once_in(&w->dice, 2)) {
		const char *comma = "";

		str_add(yaml, "depends_on: {");
		for (size_t i = 1; i < w->objects_n; i++) {
			if (!dice_once_in(&w->dice, 6))
				continue;
			str_printf(yaml, "%s", comma);
			make_list(w, w->objects[i], w->objects, i, 8, yaml, out);
			comma = ", ";
		}
		str_add(yaml, "}\n");
	}
	json_object_end(out);
}

/* What may be restarted where, by node. */
static void make_services(struct world *w, struct str *yaml, struct json_writer *out)
{
	static const char *const units[] = { "a.service", "b.timer" };
	const char *comma = "";

	json_object_begin(out, "services");
	str_add(yaml, "services: {");
	for (size_t i = 0; i < w->objects_n; i++) {
		const char *middle = strstr(w->objects[i], "/node/");

		if (!middle || dice_once_in(&w->dice, 4))
			continue;
		str_add(yaml, comma);
		make_list(w,
			  arena_printf(w->arena, "%.*s/%s", (int)(middle - w->objects[i]),
				       w->objects[i], middle + strlen("/node/")),
			  units, countof(units), 2, yaml, out);
		comma = ", ";
	}
	str_add(yaml, "}\n");
	json_object_end(out);
}

/* One that takes none, and two that take parameters of each type; each on some nodes. */
static void make_commands(struct world *w, struct str *yaml, struct json_writer *out)
{
	static const struct {
		const char *name, *yaml, *json;
	} commands[] = {
		{ "plain", "", "{}" },
		{ "full",
		  ", params: {count: {type: int, min: 1, max: 10}, pool: {type: word, words: [tank]}}",
		  "{\"count\":{\"type\":\"int\",\"min\":1,\"max\":10},"
		  "\"pool\":{\"type\":\"word\",\"words\":[\"tank\"]}}" },
		{ "places",
		  ", params: {at: {type: path, below: [/srv/share, /var/lib]}, from: {type: url, "
		  "hosts: [deb.debian.org, 192.168.1.50, 'fd12::1'], ports: [8443]}, "
		  "host: {type: name}}",
		  "{\"at\":{\"type\":\"path\",\"below\":[\"/srv/share\",\"/var/lib\"]},"
		  "\"from\":{\"type\":\"url\",\"hosts\":[\"deb.debian.org\",\"192.168.1.50\","
		  "\"fd12::1\"],\"schemes\":[\"https\"],\"ports\":[8443]},"
		  "\"host\":{\"type\":\"name\"}}" },
	};
	const char *nodes[WORLD_OBJECTS_MAX];
	size_t n = 0;

	for (size_t i = 0; i < w->objects_n; i++) {
		const char *middle = strstr(w->objects[i], "/node/");

		if (middle)
			nodes[n++] =
				arena_printf(w->arena, "%.*s/%s", (int)(middle - w->objects[i]),
					     w->objects[i], middle + strlen("/node/"));
	}
	json_object_begin(out, "commands");
	str_add(yaml, "commands: {");
	for (size_t i = 0; i < countof(commands); i++) {
		str_printf(yaml, "%s%s: {about: it, ", i ? ", " : "", commands[i].name);
		json_object_begin(out, commands[i].name);
		make_list(w, "nodes", nodes, n, 2, yaml, out);
		json_add_raw(out, "params", commands[i].json);
		json_object_end(out);
		str_printf(yaml, "%s}", commands[i].yaml);
	}
	str_add(yaml, "}\n");
	json_object_end(out);
}

static void make_principals(struct world *w, struct str *yaml, struct json_writer *out)
{
	const char *tools[TOOL_COUNT], *targets[WORLD_OBJECTS_MAX + 2];
	size_t n = w->objects_n;

	for (size_t i = 0; i < TOOL_COUNT; i++)
		tools[i] = tool_table[i].name;
	memcpy(targets, w->objects, n * sizeof(*targets));
	targets[n++] = "home/guest/*";
	targets[n++] = arena_printf(w->arena, "%s/node/*", w->clusters[w->clusters_n - 1]);
	str_add(yaml, "principals: {ha: {class: remote, ");
	json_object_begin(out, "principals");
	json_object_begin(out, "ha");
	json_add_str(out, "class", "remote");
	make_list(w, "tools", tools, countof(tools), 2, yaml, out);
	str_add(yaml, ", ");
	make_list(w, "targets", targets, n, 2, yaml, out);
	json_object_end(out);
	str_add(yaml, "}, screen: {class: viewer}}\n");
	json_object_begin(out, "screen");
	json_add_str(out, "class", "viewer");
	json_object_end(out);
	json_object_end(out);
}

static void make_gate(struct world *w, struct str *yaml, struct json_writer *out)
{
	static const char *const hosts[] = { "cloud.debian.org", "example.org" };
	int64_t yellow = 1 + (int64_t)dice_roll(&w->dice, 10);
	int64_t orange = 1 + (int64_t)dice_roll(&w->dice, 4);

	str_printf(yaml, "safety_gate: {yellow_rate: %" PRId64 ", orange_rate: %" PRId64 ", ",
		   yellow, orange);
	json_add_i64(out, "yellow_rate", yellow);
	json_add_i64(out, "orange_rate", orange);
	make_list(w, "download_hosts", hosts, countof(hosts), 2, yaml, out);
	str_add(yaml, "}\n");
}

static void make_config(struct world *w, struct json_writer *out)
{
	_cleanup_(str_done) struct str yaml = { 0 }, errors = { 0 };

	str_add(&yaml, "clusters: {");
	for (size_t i = 0; i < w->clusters_n; i++) {
		str_printf(
			&yaml,
			"%s%s: {token: \"a@pve!b\", nodes: {a: {address: 10.0.0.1, fingerprint: \"",
			i ? ", " : "", w->clusters[i]);
		for (int k = 0; k < 32; k++)
			str_add(&yaml, k ? ":00" : "00");
		str_add(&yaml, "\"}}}");
	}
	str_add(&yaml, "}\n");
	json_object_begin(out, "config");
	make_self(w, &yaml, out);
	make_protected(w, &yaml, out);
	make_depends_on(w, &yaml, out);
	make_services(w, &yaml, out);
	make_commands(w, &yaml, out);
	make_principals(w, &yaml, out);
	make_gate(w, &yaml, out);
	json_object_end(out);
	if (config_parse("policy", yaml.data, yaml.len, &w->config, &errors) < 0) {
		(void)fprintf(stderr, "%s%s", str_get(&errors), str_get(&yaml));
		abort();
	}
}

void world_make(struct world *w, uint64_t seed, struct str *out)
{
	const struct msg_bare online = { "online" };
	struct json_writer json = { .out = out };
	bool is_online;

	*w = (struct world){ .arena = arena_new(),
			     .dice = dice_of(seed),
			     .view = view_new(),
			     .boot_ms = 100000000,
			     .clusters = { "home", "lab" } };
	w->clusters_n = dice_once_in(&w->dice, 3) ? 2 : 1;
	is_online = !dice_once_in(&w->dice, 25);
	if (is_online)
		hand_in(w, TOPIC_SERVICE_STATE, "proxmox-poller", "main", NULL, &online, true, 0);
	json_object_begin(&json, NULL);
	json_add_i64(&json, "seed", (int64_t)seed);
	json_add_bool(&json, "poller_online", is_online);
	json_object_begin(&json, "clusters");
	for (size_t i = 0; i < w->clusters_n; i++)
		make_cluster(w, w->clusters[i], &json);
	json_object_end(&json);
	make_config(w, &json);
	json_object_end(&json);
	str_add(out, "\n");
}

void world_done(struct world *world)
{
	config_free(world->config);
	view_free(world->view);
	arena_free(world->arena);
}
