/* SPDX-License-Identifier: MIT */
/*
 * Starts, stops and reloads nodes, and writes each cluster's source document. Nodes share nothing but that document:
 * one that hangs is no other's business.
 */
#include "services/thermal-collector/collector.h"

#include "common/alloc.h"
#include "common/log.h"
#include "common/timer.h"
#include "common/work.h"
#include "services/thermal-collector/node.h"

#define SOURCES_SOON_MS 200
#define SOURCES_MAX 512

struct cluster {
	struct service_env *env;
	char *name;
	struct node **nodes;
	size_t n;
	struct timer *soon; /* answers that come together make one document */
	bool is_adopted;
};

struct collector {
	struct service_env *env;
	struct cluster **clusters;
	size_t n;
};

static void publish_sources(void *ctx)
{
	struct cluster *cluster = ctx;
	const char *const args[] = { cluster->name, NULL };
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct map_source_state *map = arena_alloc(arena, (cluster->n + 1) * sizeof(*map));
	struct msg_thermal_sources doc = {
		.ts = clock_wall_ms(cluster->env->clock),
		.cluster = cluster->name,
		.sources = map,
		.sources_n = min_of(cluster->n, (size_t)SOURCES_MAX),
	};
	bool have_all = true;

	for (size_t i = 0; i < doc.sources_n; i++) {
		map[i].key = arena_printf(arena, "node.%s", node_name(cluster->nodes[i]));
		node_build_source(cluster->nodes[i], &map[i].value);
		have_all = have_all && node_has_result(cluster->nodes[i]);
	}
	state_set_always(cluster->env->state, TOPIC_THERMAL_SOURCES, args, &doc);
	if (have_all && !cluster->is_adopted) {
		cluster->is_adopted = true;
		state_adopt(cluster->env->state, TOPIC_NODE_THERMAL, args);
	}
}

static void on_result(void *ctx)
{
	struct cluster *cluster = ctx;

	if (!timer_is_active(cluster->soon))
		timer_once(cluster->soon, SOURCES_SOON_MS);
}

/* The node with these settings, taken out of OLD; NULL when there is none. */
static struct node *take_node(struct cluster *old, const struct node_settings *settings)
{
	for (size_t i = 0; old && i < old->n; i++) {
		if (old->nodes[i] && node_has_settings(old->nodes[i], settings))
			return take(old->nodes[i]);
	}
	return NULL;
}

static void add_node(struct cluster *cluster, const struct config_cluster *section,
		     const struct config_node *node, struct cluster *old)
{
	const struct node_settings settings = {
		.cluster = section->name,
		.name = node->name,
		.host = node->address,
		.port = (unsigned)node->ssh_port,
		.user = section->thermal->user,
		.known_hosts = section->thermal->known_hosts,
		.interval_ms = section->thermal->interval_ms,
		.connect_timeout_ms = section->thermal->connect_timeout_ms,
		.command_timeout_ms = section->thermal->command_timeout_ms,
	};
	struct node *kept = take_node(old, &settings);

	if (kept)
		node_retry(kept, on_result, cluster);
	else
		kept = node_new(cluster->env, &settings, on_result, cluster);
	cluster->nodes = xreallocarray(cluster->nodes, cluster->n + 1, sizeof(struct node *));
	cluster->nodes[cluster->n++] = kept;
}

/* OLD: the same cluster of the configuration before, whose nodes go on when nothing changed for them; or NULL. */
static struct cluster *cluster_new(struct service_env *env, const struct config_cluster *section,
				   struct cluster *old)
{
	struct cluster *cluster = xnew(struct cluster);

	cluster->env = env;
	cluster->name = xstrdup(section->name);
	cluster->soon = timer_new(env->loop, publish_sources, cluster);
	for (size_t i = 0; section->thermal && i < section->nodes_n; i++) {
		if (section->nodes[i].address)
			add_node(cluster, section, &section->nodes[i], old);
	}
	/* Also without nodes: then what an earlier run left is cleared. */
	on_result(cluster);
	return cluster;
}

static void cluster_free(struct cluster *cluster)
{
	for (size_t i = 0; i < cluster->n; i++)
		node_free(cluster->nodes[i]);
	free(cluster->nodes);
	timer_free(cluster->soon);
	free(cluster->name);
	free(cluster);
}

static void add_cluster(struct collector *collector, struct cluster *cluster)
{
	collector->clusters =
		xreallocarray(collector->clusters, collector->n + 1, sizeof(struct cluster *));
	collector->clusters[collector->n++] = cluster;
}

int collector_start(struct service_env *env, void **ret)
{
	struct collector *collector = xnew(struct collector);
	size_t nodes = 0;

	collector->env = env;
	for (size_t i = 0; i < env->config->clusters_n; i++) {
		add_cluster(collector, cluster_new(env, &env->config->clusters[i], NULL));
		nodes += collector->clusters[i]->n;
	}
	/* Connecting blocks a dead node's job for its whole deadline; one more is the link to the broker. */
	work_reserve(nodes + 1);
	if (!nodes)
		log_warn(
			"no cluster has a section `thermal` and a node with an address: nothing to do");
	*ret = collector;
	return 0;
}

void collector_stop(void *self)
{
	struct collector *collector = self;

	for (size_t i = 0; i < collector->n; i++) {
		timer_stop(collector->clusters[i]->soon);
		for (size_t k = 0; k < collector->clusters[i]->n; k++)
			node_stop(collector->clusters[i]->nodes[k]);
	}
}

static void free_all(struct cluster **clusters, size_t n)
{
	for (size_t i = 0; i < n; i++)
		cluster_free(clusters[i]);
	free(clusters);
}

void collector_free(void *self)
{
	struct collector *collector = self;

	if (!collector)
		return;
	free_all(collector->clusters, collector->n);
	free(collector);
}

static struct cluster *find_cluster(struct cluster **clusters, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(clusters[i]->name, name))
			return clusters[i];
	}
	return NULL;
}

static bool has_node(const struct cluster *cluster, const char *name)
{
	for (size_t i = 0; cluster && i < cluster->n; i++) {
		if (str_eq(node_name(cluster->nodes[i]), name))
			return true;
	}
	return false;
}

/* Clears the documents of what is not configured any more. */
static void forget(struct collector *collector, const struct cluster *old)
{
	struct cluster *now = find_cluster(collector->clusters, collector->n, old->name);
	const char *const args[] = { old->name, NULL };

	for (size_t i = 0; i < old->n; i++) {
		if (old->nodes[i] && !has_node(now, node_name(old->nodes[i])))
			node_forget(old->nodes[i]);
	}
	if (!now)
		state_clear(collector->env->state, TOPIC_THERMAL_SOURCES, args);
}

void collector_reload(void *self, const struct config *config)
{
	struct collector *collector = self;
	struct cluster **old = take(collector->clusters);
	size_t old_n = collector->n;

	collector->n = 0;
	for (size_t i = 0; i < config->clusters_n; i++) {
		const struct config_cluster *section = &config->clusters[i];

		add_cluster(collector, cluster_new(collector->env, section,
						   find_cluster(old, old_n, section->name)));
	}
	for (size_t i = 0; i < old_n; i++)
		forget(collector, old[i]);
	free_all(old, old_n);
}
