/* SPDX-License-Identifier: MIT */
/*
 * Copies and compares a cluster's section of jarvis.yaml.
 */
#include "services/proxmox-poller/settings.h"

#include "common/alloc.h"

static const char *copy_text(struct arena *arena, const char *text)
{
	return text ? arena_strdup(arena, text) : NULL;
}

static const struct config_node *copy_nodes(struct arena *arena, const struct config_cluster *from)
{
	struct config_node *nodes =
		arena_alloc(arena, max_of(from->nodes_n, (size_t)1) * sizeof(*nodes));

	for (size_t i = 0; i < from->nodes_n; i++) {
		nodes[i] = from->nodes[i];
		nodes[i].name = copy_text(arena, nodes[i].name);
		nodes[i].address = copy_text(arena, nodes[i].address);
		nodes[i].fingerprint = copy_text(arena, nodes[i].fingerprint);
		nodes[i].server_name = copy_text(arena, nodes[i].server_name);
		nodes[i].mac = NULL; /* not ours to use */
	}
	return nodes;
}

struct settings *settings_copy(const struct config_cluster *cluster)
{
	struct settings *settings = xnew(struct settings);
	struct arena *arena = arena_new();

	settings->arena = arena;
	settings->cluster = *cluster;
	settings->cluster.name = copy_text(arena, cluster->name);
	settings->cluster.token = copy_text(arena, cluster->token);
	settings->cluster.ca = copy_text(arena, cluster->ca);
	settings->cluster.nodes = copy_nodes(arena, cluster);
	return settings;
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	arena_free(settings->arena);
	free(settings);
}

static bool nodes_equal(const struct config_cluster *a, const struct config_cluster *b)
{
	if (a->nodes_n != b->nodes_n)
		return false;
	for (size_t i = 0; i < a->nodes_n; i++) {
		const struct config_node *x = &a->nodes[i], *y = &b->nodes[i];

		if (!str_eq(x->name, y->name) || !str_eq_null(x->address, y->address) ||
		    x->port != y->port || !str_eq_null(x->fingerprint, y->fingerprint) ||
		    !str_eq_null(x->server_name, y->server_name))
			return false;
	}
	return true;
}

static bool polls_equal(const struct config_poll *a, const struct config_poll *b)
{
	return a->nodes_ms == b->nodes_ms && a->storage_ms == b->storage_ms &&
	       a->tasks_ms == b->tasks_ms && a->node_ms == b->node_ms &&
	       a->permissions_ms == b->permissions_ms && a->backups_ms == b->backups_ms &&
	       a->guests_ms == b->guests_ms && a->replication_ms == b->replication_ms &&
	       a->ha_ms == b->ha_ms && a->ceph_ms == b->ceph_ms && a->disks_ms == b->disks_ms &&
	       a->updates_ms == b->updates_ms && a->smart_rotating == b->smart_rotating;
}

bool settings_equal(const struct settings *settings, const struct config_cluster *cluster)
{
	const struct config_cluster *a = &settings->cluster, *b = cluster;

	return str_eq(a->name, b->name) && str_eq(a->token, b->token) &&
	       str_eq_null(a->ca, b->ca) && polls_equal(&a->poll, &b->poll) &&
	       a->request_timeout_ms == b->request_timeout_ms &&
	       a->connect_timeout_ms == b->connect_timeout_ms && nodes_equal(a, b);
}
