/* SPDX-License-Identifier: MIT */
/*
 * Documents are built into an arena, handed to state.c, which keeps copies, and forgotten.
 */
#include "services/proxmox-poller/publish.h"

#include "services/proxmox-poller/ulid.h"

#include <stdio.h>

#define SOURCES_MAX 1280
#define NODES_SHOWN 256
/* So long a source may fail before it counts as the reason why the cluster cannot be read. */
#define FAILURES_SHOWN 2

/* ── documents ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void set_node(struct cluster_poller *c, const struct pve_node *node, struct pve_now now,
		     struct arena *arena)
{
	const char *const args[] = { c->config->name, node->name, NULL };
	struct msg_node_state doc;

	pve_build_node(&c->model, node, now, arena, &doc);
	(void)state_set(c->env->state, TOPIC_NODE_STATE, args, &doc);
}

static void set_guest(struct cluster_poller *c, const struct pve_guest *guest, struct pve_now now,
		      struct arena *arena)
{
	char vmid[24];
	const char *const args[] = { c->config->name, vmid, NULL };
	struct msg_guest_state doc;

	(void)snprintf(vmid, sizeof(vmid), "%lld", (long long)guest->vmid);
	pve_build_guest(&c->model, guest, now, arena, &doc);
	(void)state_set(c->env->state, TOPIC_GUEST_STATE, args, &doc);
}

static void set_storages(struct cluster_poller *c, struct pve_now now, struct arena *arena)
{
	struct msg_storage_state *list;
	size_t n;

	pve_build_storages(&c->model, now, arena, &list, &n);
	for (size_t i = 0; i < n; i++) {
		const char *const args[] = { c->config->name, list[i].node ? list[i].node : "-",
					     list[i].storage, NULL };

		(void)state_set(c->env->state, TOPIC_STORAGE_STATE, args, &list[i]);
	}
}

static void sweep(struct cluster_poller *c, uint64_t mark)
{
	static const enum topic_id ids[] = { TOPIC_NODE_STATE, TOPIC_GUEST_STATE,
					     TOPIC_STORAGE_STATE };
	const char *const args[] = { c->config->name, NULL };

	for (size_t i = 0; i < countof(ids); i++)
		state_sweep(c->env->state, ids[i], args, mark);
}

void publish_all(struct cluster_poller *c, bool keep)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_now now = cluster_poller_now(c);
	uint64_t mark = state_mark(c->env->state);

	for (size_t i = 0; i < c->model.nodes_n; i++)
		set_node(c, &c->model.nodes[i], now, arena);
	for (size_t i = 0; i < c->model.guests_n; i++) {
		arena_reset(arena);
		set_guest(c, &c->model.guests[i], now, arena);
	}
	set_storages(c, now, arena);
	if (!keep)
		sweep(c, mark);
}

void publish_node(struct cluster_poller *c, const char *node)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const struct pve_node *found = pve_cluster_find_node(&c->model, node);

	if (found)
		set_node(c, found, cluster_poller_now(c), arena);
}

void publish_guest(struct cluster_poller *c, int64_t vmid)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const struct pve_guest *found = pve_cluster_find_guest(&c->model, vmid);

	if (found)
		set_guest(c, found, cluster_poller_now(c), arena);
}

void publish_storages(struct cluster_poller *c)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	if (c->model.resources_answer.has)
		set_storages(c, cluster_poller_now(c), arena);
}

void publish_tasks(struct cluster_poller *c)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const char *const args[] = { c->config->name, NULL };
	struct msg_tasks_state doc;

	pve_tasks_build(&c->tasks, c->config->name, arena, &doc);
	(void)state_set(c->env->state, TOPIC_TASKS_STATE, args, &doc);
}

void publish_forget(struct cluster_poller *c, enum source_kind kind, const char *node)
{
	static const struct {
		enum source_kind kind;
		enum topic_id id;
	} rows[] = {
		{ SOURCE_DISKS, TOPIC_DISK_STATE },
		{ SOURCE_DISKS, TOPIC_POOL_STATE },
		{ SOURCE_UPDATES, TOPIC_NODE_UPDATES },
	};
	const char *const args[] = { c->config->name, node, NULL };

	for (size_t i = 0; i < countof(rows); i++) {
		if (rows[i].kind == kind)
			state_sweep(c->env->state, rows[i].id, args, state_mark(c->env->state));
	}
}

void publish_task_event(void *ctx, enum event_type type, const struct msg_task *before,
			const struct msg_task *after)
{
	struct cluster_poller *c = ctx;
	struct pve_now now = cluster_poller_now(c);
	char id[ULID_LENGTH + 1];
	struct msg_event_task event = {
		.id = id,
		.ts = now.wall_ms,
		.event_type = type,
		.cluster = c->config->name,
		.before = before,
		.after = after,
	};

	ulid_make(now.wall_ms, id);
	(void)bus_publish(c->env->bus, TOPIC_EVENT_TASK, NULL, &event);
	counter_add(c->env->counters, "pve_task_events", 1);
}

/* ── the source document ───────────────────────────────────────────────────────────────────────────────────── */

/* Shared storages live as long as one node's list does: the newest of them. */
static void add_shared(struct msg_source_state *shared, const struct msg_source_state *one,
		       bool *any)
{
	bool newer = one->last_ok_ms.has &&
		     (!shared->last_ok_ms.has || one->last_ok_ms.v > shared->last_ok_ms.v);

	if (!*any || newer)
		*shared = *one;
	*any = true;
}

static void build_sources(const struct cluster_poller *c, struct pve_now now, struct arena *arena,
			  struct msg_cluster_state *doc)
{
	struct map_source_state *map = arena_alloc(arena, (c->sources_n + 2) * sizeof(*map));
	struct msg_source_state shared = { 0 };
	bool any_shared = false;
	size_t n = 0;

	for (size_t i = 0; i < c->sources_n && n < SOURCES_MAX - 2; i++) {
		const struct source *source = c->sources[i];
		const char *name = source_table[source->kind].name;

		if (!name)
			continue;
		map[n].key =
			source->node[0] ? arena_printf(arena, "%s.%s", name, source->node) : name;
		source_build(source, c->config, now.boot_ms, now.wall_ms, &map[n].value);
		if (source->kind == SOURCE_STORAGE)
			add_shared(&shared, &map[n].value, &any_shared);
		n++;
	}
	if (any_shared) {
		map[n].key = "storage.-";
		map[n++].value = shared;
	}
	map[n].key = "guests";
	protection_build_walk(c, now, &map[n++].value);
	doc->sources = map;
	doc->sources_n = n;
}

static const char *resources_error(const struct cluster_poller *c)
{
	const struct source *source = cluster_poller_find(c, SOURCE_RESOURCES, "", 0);

	if (!source || !source->error[0])
		return NULL;
	return !source->last_ok_ms.has || source->slot.failures >= FAILURES_SHOWN ? source->error :
										    NULL;
}

/* The first endpoint whose certificate is not the right one. */
static const char *trust_error(const struct cluster_poller *c)
{
	for (size_t i = 0; i < c->endpoints.n; i++) {
		if (c->trust_errors[i][0])
			return c->trust_errors[i];
	}
	return NULL;
}

const char *publish_error(const struct cluster_poller *c)
{
	const struct source *status = cluster_poller_find(c, SOURCE_STATUS, "", 0);
	const char *untrusted = trust_error(c);
	const char *unread;

	if (c->setup_error[0])
		return c->setup_error;
	if (c->auth_failed)
		return c->auth_error;
	unread = resources_error(c);
	/* A certificate that is not the right one explains better than an endpoint that cannot be used. */
	if (unread)
		return untrusted ? untrusted : unread;
	if (c->rights_error[0])
		return c->rights_error;
	if (untrusted)
		return untrusted;
	return status && status->error[0] && status->slot.failures >= FAILURES_SHOWN ?
		       status->error :
		       NULL;
}

void publish_cluster(struct cluster_poller *c)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const char *const args[] = { c->config->name, NULL };
	const struct source *resources = cluster_poller_find(c, SOURCE_RESOURCES, "", 0);
	struct pve_now now = cluster_poller_now(c);
	struct msg_cluster_state doc;

	pve_build_cluster(&c->model, now, arena, &doc);
	build_sources(c, now, arena, &doc);
	doc.findings = c->findings.list;
	doc.findings_n = c->findings.n;
	pve_load_build(&c->load_by_node, now.boot_ms, NODES_SHOWN, arena, &doc.calls_by_node,
		       &doc.calls_by_node_n);
	pve_load_build(&c->load_by_path, now.boot_ms, SOURCE_KIND_COUNT, arena, &doc.calls_by_path,
		       &doc.calls_by_path_n);
	doc.error = pve_text(arena, publish_error(c), 256);
	if (resources && resources->ok)
		doc.endpoint = c->endpoint_nodes[resources->endpoint]->name;
	state_set_always(c->env->state, TOPIC_CLUSTER_STATE, args, &doc);
	c->published_ms = now.boot_ms;
	c->is_dirty = false;
}
