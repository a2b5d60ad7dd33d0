/* SPDX-License-Identifier: MIT */
/*
 * Starts, stops and reloads clusters. Clusters share nothing: one that hangs is no other's business.
 */
#include "services/proxmox-poller/poller.h"

#include "common/timer.h"
#include "services/proxmox-poller/cluster_poller.h"
#include "services/proxmox-poller/refresh.h"

#define ADOPT_MS 10000

struct poller {
	struct service_env *env;
	struct cluster_poller **clusters;
	size_t n;
	struct timer *adopt; /* clears what an earlier configuration left behind */
};

/*
 * Documents of clusters that are not configured any more belong to nobody. They are cleared once every cluster has
 * told all that it has, so that nothing is cleared only because its cluster is slow.
 */
static void adopt_cb(void *ctx)
{
	static const enum topic_id ids[] = { TOPIC_CLUSTER_STATE, TOPIC_TASKS_STATE,
					     TOPIC_NODE_STATE, TOPIC_GUEST_STATE,
					     TOPIC_STORAGE_STATE };
	struct poller *poller = ctx;

	for (size_t i = 0; i < poller->n; i++) {
		if (!poller->clusters[i]->had_round)
			return;
	}
	for (size_t i = 0; i < countof(ids); i++)
		state_adopt(poller->env->state, ids[i], NULL);
}

static void add_cluster(struct poller *poller, struct cluster_poller *cluster)
{
	poller->clusters = xreallocarray(poller->clusters, poller->n + 1, sizeof(cluster));
	poller->clusters[poller->n++] = cluster;
}

int poller_start(struct service_env *env, void **ret)
{
	struct poller *poller = xnew(struct poller);

	poller->env = env;
	for (size_t i = 0; i < env->config->clusters_n; i++)
		add_cluster(poller, cluster_poller_new(env, &env->config->clusters[i]));
	if (!poller->n)
		log_warn("no cluster is configured: nothing to do");
	for (size_t i = 0; i < poller->n; i++)
		cluster_poller_start(poller->clusters[i]);
	poller->adopt = timer_new(env->loop, adopt_cb, poller);
	timer_every(poller->adopt, ADOPT_MS, ADOPT_MS);
	*ret = poller;
	return 0;
}

void poller_stop(void *self)
{
	struct poller *poller = self;

	timer_free(poller->adopt);
	poller->adopt = NULL;
	for (size_t i = 0; i < poller->n; i++)
		cluster_poller_stop(poller->clusters[i]);
}

void poller_free(void *self)
{
	struct poller *poller = self;

	if (!poller)
		return;
	poller_stop(poller);
	for (size_t i = 0; i < poller->n; i++)
		cluster_poller_free(poller->clusters[i]);
	free(poller->clusters);
	free(poller);
}

/* The one of CLUSTER's name, taken out of the list; NULL when there is none. */
static struct cluster_poller *take_cluster(struct cluster_poller **list, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i] && str_eq(list[i]->config->name, name))
			return take(list[i]);
	}
	return NULL;
}

/* The cluster for CONFIG: OLD when it is still the same, else a new one in its place. */
static struct cluster_poller *renew(struct poller *poller, struct cluster_poller *old,
				    const struct config_cluster *config)
{
	struct cluster_poller *cluster;

	if (old && settings_equal(old->settings, config)) {
		cluster_poller_reread(old);
		return old;
	}
	cluster = cluster_poller_new(poller->env, config);
	cluster_poller_free(old);
	cluster_poller_start(cluster);
	return cluster;
}

void poller_reload(void *self, const struct config *config)
{
	struct poller *poller = self;
	struct cluster_poller **old = take(poller->clusters);
	size_t old_n = poller->n;

	poller->n = 0;
	for (size_t i = 0; i < config->clusters_n; i++) {
		const struct config_cluster *section = &config->clusters[i];

		add_cluster(poller,
			    renew(poller, take_cluster(old, old_n, section->name), section));
	}
	for (size_t i = 0; i < old_n; i++) {
		if (old[i])
			cluster_poller_forget(old[i]);
		cluster_poller_free(old[i]);
	}
	free(old);
}

void poller_on_request(void *self, const struct msg *msg)
{
	struct poller *poller = self;

	refresh_start(poller->env, poller->clusters, poller->n, msg);
}
