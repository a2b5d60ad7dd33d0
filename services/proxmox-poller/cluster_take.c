/* SPDX-License-Identifier: MIT */
/*
 * What each answer leads to: into the model, then onto the bus. The one decision here: a view without quorum is
 * kept back until another node was asked for its own, so that an entry that was cut off does not declare the rest
 * of the cluster dead.
 */
#include "services/proxmox-poller/cluster_taker.h"
#include "services/proxmox-poller/publish.h"

#include <errno.h>
#include <stdio.h>

#define OPINIONS_MAX 2

/* Resources follow the membership: asked of the same node, over the same connection. */
static void call_resources(struct cluster_poller *c)
{
	struct source *resources = cluster_poller_get(c, SOURCE_RESOURCES, "", 0);

	if (!resources->slot.busy)
		slot_call(&resources->slot, cluster_poller_now(c).boot_ms);
}

/* ── membership ────────────────────────────────────────────────────────────────────────────────────────────── */

static uint64_t membership_of(const struct pve_cluster *model)
{
	uint64_t hash = 1469598103934665603u;

	for (size_t i = 0; i < model->nodes_n; i++)
		hash = (hash ^ (uint64_t)pve_cluster_node_status(model, &model->nodes[i], NULL)) *
		       1099511628211u;
	return hash;
}

/* Says at once what a changed membership means for guests and storages. */
static void follow_membership(struct cluster_poller *c)
{
	uint64_t membership = membership_of(&c->model);

	if (membership == c->membership)
		return;
	c->membership = membership;
	cluster_poller_sync_nodes(c);
	if (!c->model.resources_answer.has)
		return;
	publish_all(c, true);
	protection_follow(c, true);
}

static void drop_held(struct cluster_poller *c)
{
	cJSON_Delete(c->held_status);
	c->held_status = NULL;
	c->opinions = 0;
}

static int accept_status(struct cluster_poller *c, const cJSON *answer)
{
	bool had = c->model.status_answer.has;
	int r = pve_cluster_take_status(&c->model, answer, cluster_poller_now(c));

	if (r < 0)
		return r;
	/* A node on its own has no configuration of votes. */
	cluster_poller_get(c, SOURCE_VOTES, "", 0)->slot.off = !c->model.status.clustered;
	follow_membership(c);
	/* Addresses and quorum were not known before. */
	if (!had && c->model.resources_answer.has)
		publish_all(c, true);
	publish_cluster(c);
	call_resources(c);
	return 0;
}

/* The quorum that an answer reports; a standalone node always has it. 0, or -EINVAL when it is no answer. */
static int read_quorum(const cJSON *answer, bool *ret)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_status status;
	int r = pve_parse_status(answer, arena, &status);

	if (r < 0)
		return r;
	*ret = !status.clustered || !status.quorate.has || status.quorate.v;
	return 0;
}

/* The resources of an entry that was cut off would say what its membership does. */
static void delay_resources(struct cluster_poller *c, int64_t now)
{
	struct source *resources = cluster_poller_get(c, SOURCE_RESOURCES, "", 0);

	resources->slot.due_ms =
		max_of(resources->slot.due_ms, now + source_timeout_ms(SOURCE_OPINION, c->config));
}

/* True when another node is going to be asked. */
static bool ask_another(struct cluster_poller *c)
{
	int64_t now = cluster_poller_now(c).boot_ms;
	int other = endpoint_other(&c->endpoints, c->opinion_from, now);
	struct source *opinion;

	if (other >= 0 && (size_t)other == c->endpoints.entry)
		other = endpoint_other(&c->endpoints, c->endpoints.entry, now);
	if (other < 0 || (size_t)other == c->endpoints.entry || c->opinions >= OPINIONS_MAX)
		return false;
	c->opinions++;
	c->opinion_from = (size_t)other;
	opinion = cluster_poller_get(c, SOURCE_OPINION, "", 0);
	slot_call(&opinion->slot, now);
	delay_resources(c, now);
	return true;
}

static int take_status(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	bool quorate;
	int r = read_quorum(*answer, &quorate);

	if (r < 0)
		return r;
	drop_held(c);
	if (!quorate) {
		c->opinion_from = source->endpoint;
		if (ask_another(c)) {
			c->held_status = take(*answer);
			return 0;
		}
	}
	return accept_status(c, *answer);
}

/* Nobody has quorum, or nobody answers: then what the entry said is the truth. */
static void settle_without_quorum(struct cluster_poller *c)
{
	if (!c->held_status || ask_another(c))
		return;
	(void)accept_status(c, c->held_status);
	drop_held(c);
}

static int take_opinion(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	bool quorate;
	int r;

	if (!c->held_status)
		return 0;
	r = read_quorum(*answer, &quorate);
	if (r < 0)
		return r;
	if (!quorate) {
		settle_without_quorum(c);
		return 0;
	}
	log_warn("%s: %s has lost quorum, asking %s instead", c->config->name,
		 c->endpoint_nodes[c->endpoints.entry]->name,
		 c->endpoint_nodes[source->endpoint]->name);
	endpoint_prefer(&c->endpoints, source->endpoint);
	drop_held(c);
	return accept_status(c, *answer);
}

/* ── the others ────────────────────────────────────────────────────────────────────────────────────────────── */

/*
 * Proxmox leaves out what the token may not see, with status 200. When all guests go at once the token's rights
 * are read once more before the guests are believed to be gone.
 */
static bool is_doubtful(struct cluster_poller *c)
{
	struct source *permissions;

	if (c->model.guests_n || !c->guests_before) {
		c->is_doubting = false;
		return false;
	}
	if (!c->is_doubting) {
		c->is_doubting = true;
		c->rights_known = false;
		permissions = cluster_poller_get(c, SOURCE_PERMISSIONS, "", 0);
		slot_call(&permissions->slot, cluster_poller_now(c).boot_ms);
	}
	return !c->rights_known || c->rights_error[0];
}

static void first_round(struct cluster_poller *c, const struct source *source)
{
	c->had_round = true;
	log_info("%s: %zu nodes, %zu guests, asked of %s", c->config->name, c->model.nodes_n,
		 c->model.guests_n, c->endpoint_nodes[source->endpoint]->name);
}

static int take_resources(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	struct pve_now now = cluster_poller_now(c);
	size_t bad = 0;
	bool keep;
	int r;

	r = pve_cluster_take_resources(&c->model, *answer, now, &bad);
	if (r < 0)
		return r;
	if (bad)
		counter_add(c->env->counters, "pve_bad_rows", (int64_t)bad);
	/* The tree is several times as large as what was taken from it. */
	cJSON_Delete(take(*answer));
	keep = is_doubtful(c);
	if (!keep)
		c->guests_before = c->model.guests_n;
	c->membership = membership_of(&c->model);
	cluster_poller_sync_nodes(c);
	publish_all(c, keep);
	protection_follow(c, keep);
	publish_cluster(c);
	if (!c->had_round)
		first_round(c, source);
	return 0;
}

static void on_task_event(void *ctx, enum event_type type, const struct msg_task *before,
			  const struct msg_task *after)
{
	publish_task_event(ctx, type, before, after);
	if (type == EVENT_END)
		protection_on_task_end(ctx, after);
}

static int take_tasks(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	size_t bad = 0;
	int r;

	(void)source;
	r = pve_tasks_take(&c->tasks, *answer, cluster_poller_now(c), on_task_event, c, &bad);
	if (r < 0)
		return r;
	protection_take_tasks(c, *answer);
	if (bad)
		counter_add(c->env->counters, "pve_bad_rows", (int64_t)bad);
	publish_tasks(c);
	publish_cluster(c);
	return 0;
}

static int take_node(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	int r = pve_cluster_take_node(&c->model, source->node, *answer, cluster_poller_now(c));

	if (r < 0)
		return r;
	publish_node(c, source->node);
	c->is_dirty = true;
	return 0;
}

static int take_storage(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	int r = pve_cluster_take_storages(&c->model, source->node, *answer, cluster_poller_now(c));

	if (r < 0)
		return r;
	publish_storages(c);
	c->is_dirty = true;
	return 0;
}

static int take_guest(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	int r = pve_cluster_take_guest(&c->model, source->vmid, *answer, cluster_poller_now(c));

	if (r < 0)
		return r;
	publish_guest(c, source->vmid);
	return 0;
}

static int take_votes(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	(void)source;
	c->is_dirty = true;
	return pve_cluster_take_votes(&c->model, *answer, cluster_poller_now(c));
}

static int take_version(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	(void)source;
	c->is_dirty = true;
	return pve_cluster_take_version(&c->model, *answer, cluster_poller_now(c));
}

/* ── the table ─────────────────────────────────────────────────────────────────────────────────────────────── */

typedef int (*take_fn)(struct cluster_poller *c, struct source *source, cJSON **answer);
typedef bool (*bear_fn)(struct cluster_poller *c, const struct source *source, const char *reason,
			const struct pve_fault *fault);

int cluster_take(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	static const take_fn takers[SOURCE_KIND_COUNT] = {
		[SOURCE_STATUS] = take_status,
		[SOURCE_RESOURCES] = take_resources,
		[SOURCE_TASKS] = take_tasks,
		[SOURCE_OPINION] = take_opinion,
		[SOURCE_GUEST] = take_guest,
		[SOURCE_NODE] = take_node,
		[SOURCE_PERMISSIONS] = cluster_take_permissions,
		[SOURCE_VOTES] = take_votes,
		[SOURCE_VERSION] = take_version,
		[SOURCE_STORAGE] = take_storage,
		[SOURCE_HA] = protection_take_ha,
		[SOURCE_BACKUP_JOBS] = protection_take_backup_jobs,
		[SOURCE_REPLICATION] = protection_take_replication,
		[SOURCE_NODE_REPLICATION] = protection_take_node_replication,
		[SOURCE_GUEST_CONFIG] = protection_take_guest_config,
		[SOURCE_GUEST_SNAPSHOTS] = protection_take_guest_snapshots,
		[SOURCE_TASK_LOG] = protection_take_task_log,
		[SOURCE_BACKUP_LIST] = protection_take_backup_list,
		[SOURCE_CEPH] = cluster_take_ceph,
		[SOURCE_UPDATES] = cluster_take_updates,
		[SOURCE_DISKS] = cluster_take_disks,
	};

	return takers[source->kind](c, source, answer);
}

bool cluster_is_refusal(enum pve_class class)
{
	return class == PVE_PERMISSION || class == PVE_REFUSED || class == PVE_SERVER ||
	       class == PVE_NOT_THERE || class == PVE_BAD_ANSWER;
}

void cluster_count_borne(struct cluster_poller *c, const struct source *source)
{
	enum pve_class class = source->refusal ? source->refusal->class : PVE_BAD_ANSWER;

	counter_add(c->env->counters, pve_class_counter(class), 1);
}

void cluster_adopt(struct cluster_poller *c, enum source_kind kind, enum topic_id id)
{
	const char *const args[] = { c->config->name, NULL };

	for (size_t i = 0; i < c->sources_n; i++) {
		const struct source *s = c->sources[i];

		if (s->kind == kind && !s->slot.off && !s->last_ok_ms.has)
			return;
	}
	state_adopt(c->env->state, id, args);
}

void cluster_begin(struct cluster_poller *c, struct source *source)
{
	if (source->kind == SOURCE_UPDATES)
		cluster_begin_updates(c, source);
	else if (source->kind == SOURCE_CEPH)
		cluster_begin_ceph(c);
}

bool cluster_bears(struct cluster_poller *c, const struct source *source, const char *reason,
		   const struct pve_fault *fault)
{
	static const bear_fn bearers[SOURCE_KIND_COUNT] = {
		[SOURCE_PERMISSIONS] = cluster_bears_permissions,
		[SOURCE_CEPH] = cluster_bears_ceph,
		[SOURCE_UPDATES] = cluster_bears_updates,
		[SOURCE_DISKS] = cluster_bears_disks,
	};
	bear_fn bears = bearers[source->kind];

	return bears && bears(c, source, reason, fault);
}

void cluster_take_failure(struct cluster_poller *c, struct source *source,
			  const struct pve_fault *fault)
{
	struct pve_node *node =
		source->node[0] ? pve_cluster_find_node(&c->model, source->node) : NULL;

	if (node && source->kind == SOURCE_NODE)
		(void)snprintf(node->detail_error, sizeof(node->detail_error), "%s", fault->text);
	if (node && source->kind == SOURCE_STORAGE)
		(void)snprintf(node->storages_error, sizeof(node->storages_error), "%s",
			       fault->text);
	if (source->kind == SOURCE_OPINION)
		settle_without_quorum(c);
	/* Without the right to see the membership, or without pvedaemon, the rest is still to be had. */
	if (source->kind == SOURCE_STATUS && source->slot.failures <= 1 &&
	    fault->class != PVE_UNREACHABLE && fault->class != PVE_NOT_TRUSTED &&
	    fault->class != PVE_AUTH)
		call_resources(c);
	protection_on_failure(c, source, fault);
	c->is_dirty = true;
}
