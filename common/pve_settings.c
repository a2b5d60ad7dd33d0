/* SPDX-License-Identifier: MIT */
/*
 * Copies and compares a cluster's section of jarvis.yaml.
 */
#include "common/pve_settings.h"

#include "common/alloc.h"

#include <ctype.h>

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
		nodes[i].mac = copy_text(arena, nodes[i].mac);
	}
	return nodes;
}

static const struct config_executor_ssh *copy_ssh(struct arena *arena,
						  const struct config_executor_ssh *from)
{
	struct config_executor_ssh *ssh;

	if (!from)
		return NULL;
	ssh = arena_alloc(arena, sizeof(*ssh));
	*ssh = *from;
	ssh->user = copy_text(arena, from->user);
	ssh->known_hosts = copy_text(arena, from->known_hosts);
	return ssh;
}

static const struct config_cluster_executor *
copy_executor(struct arena *arena, const struct config_cluster_executor *from)
{
	struct config_cluster_executor *executor;

	if (!from)
		return NULL;
	executor = arena_alloc(arena, sizeof(*executor));
	executor->token = copy_text(arena, from->token);
	executor->ssh = copy_ssh(arena, from->ssh);
	return executor;
}

struct pve_settings *pve_settings_copy(const struct config_cluster *cluster)
{
	struct pve_settings *settings = xnew(struct pve_settings);
	struct arena *arena = arena_new();

	settings->arena = arena;
	settings->cluster = *cluster;
	settings->cluster.name = copy_text(arena, cluster->name);
	settings->cluster.token = copy_text(arena, cluster->token);
	settings->cluster.ca = copy_text(arena, cluster->ca);
	settings->cluster.executor = copy_executor(arena, cluster->executor);
	settings->cluster.nodes = copy_nodes(arena, cluster);
	return settings;
}

void pve_settings_free(struct pve_settings *settings)
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

bool pve_settings_equal(const struct pve_settings *settings, const struct config_cluster *cluster)
{
	const struct config_cluster *a = &settings->cluster, *b = cluster;

	return str_eq(a->name, b->name) && str_eq(a->token, b->token) &&
	       str_eq_null(a->ca, b->ca) && polls_equal(&a->poll, &b->poll) &&
	       a->request_timeout_ms == b->request_timeout_ms &&
	       a->connect_timeout_ms == b->connect_timeout_ms && nodes_equal(a, b);
}

/* What only matters to acting on them. */
static bool acts_equal(const struct config_cluster *a, const struct config_cluster *b)
{
	for (size_t i = 0; i < a->nodes_n; i++) {
		if (!str_eq_null(a->nodes[i].mac, b->nodes[i].mac) ||
		    a->nodes[i].ssh_port != b->nodes[i].ssh_port)
			return false;
	}
	return true;
}

static bool ssh_equal(const struct config_executor_ssh *a, const struct config_executor_ssh *b)
{
	if (!a || !b)
		return a == b;
	return str_eq(a->user, b->user) && str_eq(a->known_hosts, b->known_hosts) &&
	       a->connect_timeout_ms == b->connect_timeout_ms && a->settle_ms == b->settle_ms;
}

bool pve_settings_equal_to_act(const struct pve_settings *settings,
			       const struct config_cluster *cluster)
{
	const struct config_cluster_executor *a = settings->cluster.executor;
	const struct config_cluster_executor *b = cluster->executor;

	if (!a != !b || (a && (!str_eq(a->token, b->token) || !ssh_equal(a->ssh, b->ssh))))
		return false;
	return pve_settings_equal(settings, cluster) && acts_equal(&settings->cluster, cluster);
}

void pve_add_url(struct str *out, const struct config_node *endpoint)
{
	bool is_ipv6 = strchr(endpoint->address, ':') && endpoint->address[0] != '[';

	str_printf(out, is_ipv6 ? "https://[%s]:%lld/api2/json" : "https://%s:%lld/api2/json",
		   endpoint->address, (long long)endpoint->port);
}

void pve_add_level(struct str *out, const char *name)
{
	for (; *name; name++) {
		if (isalnum((unsigned char)*name) || *name == '-' || *name == '_')
			str_add_char(out, *name);
		else
			str_printf(out, "%%%02X", (unsigned char)*name);
	}
}
