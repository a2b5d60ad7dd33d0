/* SPDX-License-Identifier: MIT */
/*
 * Taking answers in. Each answer owns an arena, which replaces the one of the answer before it; what must outlive
 * an answer (a guest's last status, a node's details) is kept beside it, found by name or vmid.
 */
#include "services/proxmox-poller/pve_cluster.h"

#include <errno.h>

void pve_cluster_init(struct pve_cluster *cluster, const char *name, int64_t node_period_ms,
		      int64_t storage_period_ms)
{
	*cluster = (struct pve_cluster){
		.name = name,
		.node_period_ms = node_period_ms,
		.storage_period_ms = storage_period_ms,
	};
}

static void answer_done(struct pve_answer *answer)
{
	arena_free(answer->arena);
	*answer = (struct pve_answer){ 0 };
}

/* ARENA, with what was parsed into it, becomes the answer's. */
static void answer_set(struct pve_answer *answer, struct arena *arena, struct pve_now now)
{
	arena_free(answer->arena);
	*answer = (struct pve_answer){ true, arena, now };
}

static void node_done(struct pve_node *node)
{
	answer_done(&node->detail_answer);
	answer_done(&node->storages_answer);
	free(node->name);
}

void pve_cluster_done(struct pve_cluster *cluster)
{
	for (size_t i = 0; i < cluster->nodes_n; i++)
		node_done(&cluster->nodes[i]);
	free(cluster->nodes);
	pve_guests_done(cluster);
	answer_done(&cluster->resources_answer);
	answer_done(&cluster->status_answer);
	answer_done(&cluster->votes_answer);
	answer_done(&cluster->version_answer);
	*cluster = (struct pve_cluster){ 0 };
}

/* ── nodes ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static int compare_nodes(const void *a, const void *b)
{
	return strcmp(((const struct pve_node *)a)->name, ((const struct pve_node *)b)->name);
}

struct pve_node *pve_cluster_find_node(const struct pve_cluster *cluster, const char *name)
{
	struct pve_node key = { .name = (char *)name };

	if (!cluster->nodes_n)
		return NULL;
	return bsearch(&key, cluster->nodes, cluster->nodes_n, sizeof(key), compare_nodes);
}

static struct opt_i64 boot_from_uptime(struct opt_i64 old, struct opt_i64 uptime,
				       struct pve_now now)
{
	int64_t boot;

	if (!uptime.has || uptime.v <= 0 || uptime.v > PVE_UPTIME_MAX_S)
		return (struct opt_i64){ 0 };
	boot = now.wall_ms - uptime.v * 1000;
	/* The sample is up to 14 s old: the time of start wobbles, but it does not move. */
	if (old.has && llabs(old.v - boot) < 30000)
		return old;
	return some_i64(boot);
}

/* The old node of that name, moved out of the old list; or a new one. */
static struct pve_node node_carry(struct pve_cluster *cluster, const struct pve_resource *row,
				  struct pve_now now)
{
	struct pve_node *old = pve_cluster_find_node(cluster, row->node);
	struct pve_node node = { .since = now };

	if (old) {
		node = *old;
		old->detail_answer = (struct pve_answer){ 0 };
		old->storages_answer = (struct pve_answer){ 0 };
	}
	/* The old one keeps its name, by which the others are still found. */
	node.name = xstrdup(row->node);
	node.row = row;
	node.boot_ms = boot_from_uptime(node.boot_ms, row->uptime, now);
	return node;
}

static void nodes_update(struct pve_cluster *cluster, struct pve_now now)
{
	const struct pve_resources *resources = &cluster->resources;
	struct pve_node *list = xcalloc(resources->nodes_n, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < resources->nodes_n; i++) {
		const struct pve_resource *row = &resources->nodes[i];

		if (i && str_eq(row->node, resources->nodes[i - 1].node))
			continue;
		list[n++] = node_carry(cluster, row, now);
	}
	for (size_t i = 0; i < cluster->nodes_n; i++)
		node_done(&cluster->nodes[i]);
	free(cluster->nodes);
	cluster->nodes = list;
	cluster->nodes_n = n;
}

int pve_cluster_take_resources(struct pve_cluster *cluster, const cJSON *answer, struct pve_now now,
			       size_t *bad)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_resources resources;
	int r;

	r = pve_parse_resources(answer, arena, &resources);
	if (r < 0)
		return r;
	*bad = resources.bad;
	cluster->resources = resources;
	answer_set(&cluster->resources_answer, take(arena), now);
	nodes_update(cluster, now);
	pve_guests_update(cluster, now);
	return 0;
}

/* ── the other answers ─────────────────────────────────────────────────────────────────────────────────────── */

int pve_cluster_take_status(struct pve_cluster *cluster, const cJSON *answer, struct pve_now now)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_status status;
	int r;

	r = pve_parse_status(answer, arena, &status);
	if (r < 0)
		return r;
	cluster->status = status;
	answer_set(&cluster->status_answer, take(arena), now);
	return 0;
}

int pve_cluster_take_votes(struct pve_cluster *cluster, const cJSON *answer, struct pve_now now)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_votes votes;
	int r;

	r = pve_parse_votes(answer, arena, &votes);
	if (r < 0)
		return r;
	cluster->votes = votes;
	answer_set(&cluster->votes_answer, take(arena), now);
	return 0;
}

int pve_cluster_take_version(struct pve_cluster *cluster, const cJSON *answer, struct pve_now now)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	int r;

	r = pve_parse_version(answer, arena, &cluster->version);
	if (r < 0)
		return r;
	answer_set(&cluster->version_answer, take(arena), now);
	return 0;
}

int pve_cluster_take_node(struct pve_cluster *cluster, const char *node, const cJSON *answer,
			  struct pve_now now)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_node *n = pve_cluster_find_node(cluster, node);
	struct pve_node_status status;
	int r;

	r = pve_parse_node_status(answer, arena, &status);
	if (r < 0 || !n)
		return r;
	n->detail = status;
	n->detail_error[0] = '\0';
	n->boot_ms = boot_from_uptime(n->boot_ms, status.uptime, now);
	answer_set(&n->detail_answer, take(arena), now);
	return 0;
}

int pve_cluster_take_storages(struct pve_cluster *cluster, const char *node, const cJSON *answer,
			      struct pve_now now)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_node *n = pve_cluster_find_node(cluster, node);
	struct pve_storages storages;
	int r;

	r = pve_parse_storages(answer, arena, &storages);
	if (r < 0 || !n)
		return r;
	n->storages = storages;
	n->storages_error[0] = '\0';
	answer_set(&n->storages_answer, take(arena), now);
	return 0;
}

int pve_cluster_take_guest(struct pve_cluster *cluster, int64_t vmid, const cJSON *answer,
			   struct pve_now now)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_guest *guest = pve_cluster_find_guest(cluster, vmid);
	struct pve_guest_status status;
	const char *word;
	int r;

	r = pve_parse_guest_status(answer, arena, &status);
	if (r < 0 || !guest)
		return r;
	/* QEMU's own word says more: paused, prelaunch, io-error. */
	word = status.qmpstatus ? status.qmpstatus : status.status;
	guest->direct = (struct pve_direct){
		.has = true,
		.at = now,
		.status = pve_guest_status_of(word),
		.uptime = status.uptime,
		.row_status = pve_guest_status_of(guest->row->status),
		.row_uptime = guest->row->uptime,
	};
	return 0;
}

/* ── membership ────────────────────────────────────────────────────────────────────────────────────────────── */

enum node_status pve_cluster_node_status(const struct pve_cluster *cluster,
					 const struct pve_node *node, const char **reason)
{
	const struct pve_member *member =
		cluster->status_answer.has ? pve_status_find(&cluster->status, node->name) : NULL;
	bool newer = member && member->online.has &&
		     cluster->status_answer.at.boot_ms >= cluster->resources_answer.at.boot_ms;
	const char *status = node->row->status ? node->row->status : "unknown";

	if (reason)
		*reason = NULL;
	/* Of the two that know the membership the newer one decides. */
	if (newer ? !member->online.v : str_eq(status, "offline"))
		return NODE_OFFLINE;
	if (str_eq(status, "online") || str_eq(status, "offline"))
		return NODE_ONLINE;
	if (reason)
		*reason =
			"Proxmox has had no data of it for 5 minutes: pvestatd hangs or is stopped "
			"there (systemctl status pvestatd)";
	return NODE_UNKNOWN;
}

bool pve_cluster_is_offline(const struct pve_cluster *cluster, const char *node)
{
	const struct pve_node *n = pve_cluster_find_node(cluster, node);

	return n && pve_cluster_node_status(cluster, n, NULL) == NODE_OFFLINE;
}
