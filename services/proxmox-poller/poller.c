/* SPDX-License-Identifier: MIT */
/*
 * Starts, stops and reloads clusters. Clusters share nothing: one that hangs is no other's business. What an earlier
 * run left of a cluster that is not configured any more is left to expire (15 min): it may as well belong to another
 * installation on the same broker.
 */
#include "services/proxmox-poller/poller.h"

#include "services/proxmox-poller/cluster_poller.h"
#include "services/proxmox-poller/refresh.h"

struct poller {
	struct service_env *env;
	struct cluster_poller **clusters;
	size_t n;
};

static void add_cluster(struct poller *poller, struct cluster_poller *cluster)
{
	poller->clusters =
		xreallocarray(poller->clusters, poller->n + 1, sizeof(struct cluster_poller *));
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
	*ret = poller;
	return 0;
}

void poller_stop(void *self)
{
	struct poller *poller = self;

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

	if (old && pve_settings_equal(old->settings, config)) {
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
