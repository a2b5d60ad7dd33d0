/* SPDX-License-Identifier: MIT */
/*
 * The engine: which source is due and may start, and at which endpoint. It is woken by its timer and by every answer,
 * and is the only place where a request begins.
 */
#include "services/proxmox-poller/cluster_poller.h"

#include "services/proxmox-poller/cluster_request.h"
#include "services/proxmox-poller/publish.h"
#include "services/proxmox-poller/refresh.h"

#include <sodium.h>

/* While the token is refused. */
#define PROBE_MS 1000
/* Details that trickle in are told together. */
#define DIRTY_MS 1000

struct pve_now cluster_poller_now(const struct cluster_poller *c)
{
	return (struct pve_now){ clock_boot_ms(c->env->clock), clock_wall_ms(c->env->clock) };
}

/* ── what may start ────────────────────────────────────────────────────────────────────────────────────────── */

static struct load load_around(const struct cluster_poller *c, const struct source *source,
			       size_t endpoint)
{
	const char *worker = source->node[0] ? source->node : c->endpoint_nodes[endpoint]->name;
	struct load load = { 0 };

	for (size_t i = 0; i < c->sources_n; i++) {
		const struct source *s = c->sources[i];
		const char *name;

		if (!s->slot.busy)
			continue;
		name = s->node[0] ? s->node : c->endpoint_nodes[s->endpoint]->name;
		if (str_eq(name, worker)) {
			load.on_node++;
			load.slow_on_node = load.slow_on_node || source_table[s->kind].slow;
		}
		if (s->endpoint == endpoint && !cluster_is_direct(c, s))
			load.handed_on++;
	}
	return load;
}

static int choose_endpoint(struct cluster_poller *c, const struct source *source, int64_t now)
{
	if (source->kind == SOURCE_OPINION)
		return (int)c->opinion_from;
	if (source->kind == SOURCE_CEPH)
		return endpoint_for_node(&c->endpoints, c->endpoint_nodes[c->ceph_from]->name, now);
	if (source->node[0])
		return endpoint_for_node(&c->endpoints, source->node, now);
	return endpoint_entry(&c->endpoints, now);
}

static void start_if_possible(struct cluster_poller *c, struct source *source, int64_t now)
{
	int endpoint = choose_endpoint(c, source, now);
	struct load load;
	bool foreign;

	if (endpoint < 0)
		return;
	foreign = source->node[0] && !str_eq(source->node, c->endpoint_nodes[endpoint]->name);
	load = load_around(c, source, (size_t)endpoint);
	if (schedule_may_start(&load, source_table[source->kind].slow, foreign))
		cluster_start_request(c, source, (size_t)endpoint, now);
}

static bool is_probe_under_way(const struct cluster_poller *c)
{
	for (size_t i = 0; i < c->sources_n; i++) {
		if (c->sources[i]->slot.busy)
			return true;
	}
	return false;
}

/*
 * A failed endpoint is tried again after a rest that grows with every failure. What can wait must not use these tries
 * up, or the questions that tell whether the cluster is there would come late.
 */
static bool has_to_wait(const struct cluster_poller *c, const struct source *source)
{
	const struct source_def *def = &source_table[source->kind];
	bool may_ask = def->vital || (def->single && !def->quiet);

	return !may_ask && endpoint_all_failed(&c->endpoints);
}

static void start_due(struct cluster_poller *c, int64_t now)
{
	if (c->auth_failed) {
		if (now < c->auth_retry_ms || is_probe_under_way(c))
			return;
		/* It may have been replaced meanwhile. */
		if (cluster_read_token(c) < 0)
			c->setup_error[0] = '\0';
	}
	for (size_t i = 0; i < c->sources_n; i++) {
		/* After a refusal of the token one request tries, and the others wait for what it says. */
		if (c->auth_failed && is_probe_under_way(c))
			return;
		if (slot_is_due(&c->sources[i]->slot, now) && !has_to_wait(c, c->sources[i]))
			start_if_possible(c, c->sources[i], now);
	}
}

/* ── time ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static int64_t publish_due(const struct cluster_poller *c)
{
	int64_t period = c->config->poll.nodes_ms;

	return c->published_ms + (c->is_dirty ? min_of((int64_t)DIRTY_MS, period) : period);
}

/* When there is something to do again. What waits for an answer is woken by the answer. */
static int64_t next_wake(const struct cluster_poller *c, int64_t now)
{
	int64_t next = min_of(publish_due(c), refresh_deadline(c));

	next = min_of(next, protection_wake(c, now));

	if (!c->http)
		return min_of(next, c->setup_retry_ms);
	if (c->auth_failed)
		return min_of(next, max_of(c->auth_retry_ms, now + PROBE_MS));
	for (size_t i = 0; i < c->sources_n; i++) {
		int64_t due = slot_next(&c->sources[i]->slot);

		if (due > now)
			next = min_of(next, due);
	}
	return min_of(next, endpoint_next_retry(&c->endpoints, now));
}

void cluster_poller_pump(struct cluster_poller *c)
{
	int64_t now = cluster_poller_now(c).boot_ms;

	if (c->stopped)
		return;
	if (cluster_set_up(c, now)) {
		protection_run(c, now);
		start_due(c, now);
	}
	refresh_expire(c, now);
	cluster_sources_drop_idle(c);
	if (publish_due(c) <= now)
		publish_cluster(c);
	timer_once(c->timer, (uint64_t)max_of(next_wake(c, now) - now, (int64_t)1));
}

static void wake_cb(void *ctx)
{
	cluster_poller_pump(ctx);
}

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static double roll(void *ctx)
{
	(void)ctx;
	return (double)randombytes_random() / 4294967296.0;
}

static void make_endpoints(struct cluster_poller *c)
{
	_cleanup_(freep) const char **names = xcalloc(c->config->nodes_n, sizeof(*names));
	size_t n = 0;

	c->endpoint_nodes = xcalloc(c->config->nodes_n, sizeof(const struct config_node *));
	for (size_t i = 0; i < c->config->nodes_n; i++) {
		const struct config_node *node = &c->config->nodes[i];

		if (!node->address)
			continue;
		c->endpoint_nodes[n] = node;
		names[n++] = node->name;
	}
	endpoint_init(&c->endpoints, names, n, (struct dice){ roll, NULL });
	c->trust_errors = xcalloc(n, sizeof(*c->trust_errors));
}

struct cluster_poller *cluster_poller_new(struct service_env *env,
					  const struct config_cluster *cluster)
{
	struct cluster_poller *c = xnew(struct cluster_poller);

	c->env = env;
	c->settings = pve_settings_copy(cluster);
	c->config = &c->settings->cluster;
	pve_cluster_init(&c->model, c->config->name, c->config->poll.node_ms,
			 c->config->poll.storage_ms);
	protection_init(c);
	make_endpoints(c);
	c->timer = timer_new(env->loop, wake_cb, c);
	return c;
}

void cluster_poller_start(struct cluster_poller *c)
{
	static const enum source_kind kinds[] = { SOURCE_STATUS,      SOURCE_RESOURCES,
						  SOURCE_TASKS,	      SOURCE_PERMISSIONS,
						  SOURCE_VOTES,	      SOURCE_VERSION,
						  SOURCE_HA,	      SOURCE_BACKUP_JOBS,
						  SOURCE_REPLICATION, SOURCE_CEPH };

	for (size_t i = 0; i < countof(kinds); i++)
		(void)cluster_poller_get(c, kinds[i], "", 0);
	c->published_ms = cluster_poller_now(c).boot_ms;
	cluster_poller_pump(c);
}

void cluster_poller_stop(struct cluster_poller *c)
{
	if (c->stopped)
		return;
	c->stopped = true;
	refresh_abandon(c);
	timer_free(c->timer);
	c->timer = NULL;
	http_free(take(c->http));
	for (size_t i = 0; i < c->sources_n; i++)
		c->sources[i]->call = NULL;
}

void cluster_poller_free(struct cluster_poller *c)
{
	if (!c)
		return;
	cluster_poller_stop(c);
	cluster_sources_done(c);
	cJSON_Delete(c->held_status);
	cJSON_Delete(c->permissions);
	pve_findings_done(&c->findings);
	pve_load_done(&c->load_by_node);
	pve_load_done(&c->load_by_path);
	cluster_forget_token(c);
	endpoint_done(&c->endpoints);
	free(c->endpoint_nodes);
	free(c->trust_errors);
	pve_tasks_done(&c->tasks);
	protection_done(c);
	pve_cluster_done(&c->model);
	pve_settings_free(c->settings);
	free(c);
}

void cluster_poller_reread(struct cluster_poller *c)
{
	/* A file that cannot be read now is no reason to give up the token that works. */
	if (c->http && cluster_read_token(c) < 0) {
		log_warn("%s: going on with the old token: %s", c->config->name, c->setup_error);
		c->setup_error[0] = '\0';
	}
	c->setup_retry_ms = 0;
	c->auth_retry_ms = 0;
	endpoint_forgive(&c->endpoints);
	slot_call(&cluster_poller_get(c, SOURCE_PERMISSIONS, "", 0)->slot,
		  cluster_poller_now(c).boot_ms);
	cluster_poller_pump(c);
}

void cluster_poller_forget(struct cluster_poller *c)
{
	static const enum topic_id ids[] = {
		TOPIC_CLUSTER_STATE, TOPIC_TASKS_STATE,	    TOPIC_NODE_STATE,
		TOPIC_GUEST_STATE,   TOPIC_STORAGE_STATE,   TOPIC_HA_STATE,
		TOPIC_BACKUPS_STATE, TOPIC_GUEST_BACKUP,    TOPIC_GUEST_REPLICATION,
		TOPIC_GUEST_CONFIG,  TOPIC_GUEST_SNAPSHOTS, TOPIC_CEPH_STATE,
		TOPIC_DISK_STATE,    TOPIC_POOL_STATE,	    TOPIC_NODE_UPDATES
	};
	const char *const args[] = { c->config->name, NULL };
	uint64_t mark = state_mark(c->env->state);

	for (size_t i = 0; i < countof(ids); i++)
		state_sweep(c->env->state, ids[i], args, mark);
}
