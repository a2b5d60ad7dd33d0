/* SPDX-License-Identifier: MIT */
/*
 * The documents of a node and of the whole cluster. CPU, memory and disk come from /cluster/resources, whose steady
 * samples are right; a node's own status adds what is not there, and is left out once it is old.
 */
#include "services/proxmox-poller/pve_cluster.h"

#define PERIODS 3
/* The largest integer that every reader of JSON keeps. */
#define INTEGER_MAX ((int64_t)9007199254740991)

static struct opt_f64 percent(struct opt_f64 fraction)
{
	return fraction.has ? some_f64(max_of(fraction.v, 0.0) * 100) : fraction;
}

static bool is_fresh(const struct pve_answer *answer, int64_t period_ms, struct pve_now now)
{
	return answer->has && now.boot_ms - answer->at.boot_ms <= period_ms * PERIODS;
}

static void build_detail(const struct pve_node *node, struct arena *arena,
			 struct msg_node_state *ret)
{
	const struct pve_node_status *detail = &node->detail;
	/* Both exactly 0: a worker process that was never asked before has nothing to compare with. */
	bool first =
		detail->cpu.has && detail->cpu.v == 0 && detail->wait.has && detail->wait.v == 0;

	if (!first)
		ret->iowait = percent(detail->wait);
	ret->swap = detail->swap;
	ret->maxswap = detail->maxswap;
	ret->load1 = detail->load1;
	ret->load5 = detail->load5;
	ret->load15 = detail->load15;
	ret->cpu_model = pve_text(arena, detail->cpu_model, 128);
	ret->kernel = pve_text(arena, detail->kernel, 64);
	ret->version = pve_text(arena, detail->version, 64);
}

static void build_online(const struct pve_cluster *cluster, const struct pve_node *node,
			 struct pve_now now, struct arena *arena, struct msg_node_state *ret)
{
	const struct pve_resource *row = node->row;

	ret->boot_ms = node->boot_ms;
	ret->cpu = percent(row->cpu);
	ret->mem = row->mem;
	ret->disk = row->disk;
	if (row->maxcpu.has)
		ret->maxcpu = some_i64((int64_t)row->maxcpu.v);
	ret->maxmem = row->maxmem;
	ret->maxdisk = row->maxdisk;
	if (is_fresh(&node->detail_answer, cluster->node_period_ms, now))
		build_detail(node, arena, ret);
	else if (node->detail_error[0] && !ret->reason)
		ret->reason = pve_text(arena, node->detail_error, 256);
}

void pve_build_node(const struct pve_cluster *cluster, const struct pve_node *node,
		    struct pve_now now, struct arena *arena, struct msg_node_state *ret)
{
	const struct pve_member *member =
		cluster->status_answer.has ? pve_status_find(&cluster->status, node->name) : NULL;
	const char *reason;

	*ret = (struct msg_node_state){
		.ts = cluster->resources_answer.at.wall_ms,
		.cluster = cluster->name,
		.node = node->name,
		.status = pve_cluster_node_status(cluster, node, &reason),
		.ip = member ? pve_text(arena, member->ip, 64) : NULL,
		.ha_state = pve_text(arena, node->row->hastate, 32),
	};
	ret->reason = reason;
	if (ret->status != NODE_OFFLINE)
		build_online(cluster, node, now, arena, ret);
}

/* ── the cluster ───────────────────────────────────────────────────────────────────────────────────────────── */

static void add_i64(struct opt_i64 *sum, struct opt_i64 value)
{
	if (value.has)
		*sum = some_i64(min_of((sum->has ? sum->v : 0) + value.v, INTEGER_MAX));
}

static void total_nodes(const struct pve_cluster *cluster, struct msg_cluster_state *ret)
{
	double busy = 0, cores = 0;
	int64_t online = 0;

	for (size_t i = 0; i < cluster->nodes_n; i++) {
		const struct pve_node *node = &cluster->nodes[i];
		const struct pve_resource *row = node->row;
		enum node_status status = pve_cluster_node_status(cluster, node, NULL);

		online += status != NODE_OFFLINE;
		if (status != NODE_ONLINE)
			continue;
		if (row->maxcpu.has)
			add_i64(&ret->maxcpu, some_i64((int64_t)row->maxcpu.v));
		if (row->maxcpu.has && row->cpu.has) {
			busy += max_of(row->cpu.v, 0.0) * row->maxcpu.v;
			cores += row->maxcpu.v;
		}
		add_i64(&ret->mem, row->mem);
		add_i64(&ret->maxmem, row->maxmem);
	}
	ret->nodes = some_i64((int64_t)cluster->nodes_n);
	ret->nodes_online = some_i64(online);
	if (cores > 0)
		ret->cpu = some_f64(busy / cores * 100);
}

static void total_guests(const struct pve_cluster *cluster, struct pve_now now,
			 struct msg_cluster_state *ret)
{
	int64_t guests = 0, running = 0;

	for (size_t i = 0; i < cluster->guests_n; i++) {
		const struct pve_guest *guest = &cluster->guests[i];

		if (guest->template)
			continue;
		guests++;
		running += pve_cluster_guest_status(cluster, guest, now) == GUEST_RUNNING;
	}
	ret->guests = some_i64(guests);
	ret->guests_running = some_i64(running);
}

static void total_storages(const struct pve_cluster *cluster, struct pve_now now,
			   struct arena *arena, struct msg_cluster_state *ret)
{
	struct msg_storage_state *list;
	size_t n;

	pve_build_storages(cluster, now, arena, &list, &n);
	for (size_t i = 0; i < n; i++) {
		if (list[i].status != STORAGE_AVAILABLE)
			continue;
		add_i64(&ret->disk, list[i].used);
		add_i64(&ret->maxdisk, list[i].total);
	}
}

/* Votes are only said when they agree with the quorum that Proxmox reports: a QDevice votes too, unlisted. */
static void build_votes(const struct pve_cluster *cluster, struct msg_cluster_state *ret)
{
	const struct pve_status *status = &cluster->status;
	int64_t present = 0, needed = cluster->votes.total / 2 + 1;

	if (!cluster->votes_answer.has || !cluster->votes.total || !ret->quorate.has)
		return;
	for (size_t i = 0; i < status->members_n; i++) {
		if (status->members[i].online.has && status->members[i].online.v)
			present += pve_votes_of(&cluster->votes, status->members[i].name);
	}
	if (ret->quorate.v != (present >= needed))
		return;
	ret->votes = some_i64(present);
	ret->votes_expected = some_i64(cluster->votes.total);
	ret->votes_needed = some_i64(needed);
}

static void build_quorum(const struct pve_cluster *cluster, struct arena *arena,
			 struct msg_cluster_state *ret)
{
	const struct pve_status *status = &cluster->status;

	if (!cluster->status_answer.has)
		return;
	ret->standalone = some_bool(!status->clustered);
	ret->name = pve_text(arena, status->name, 64);
	if (status->clustered) {
		ret->quorate = status->quorate;
		build_votes(cluster, ret);
		return;
	}
	ret->quorate = some_bool(true);
	ret->votes = some_i64(1);
	ret->votes_expected = some_i64(1);
	ret->votes_needed = some_i64(1);
}

void pve_build_cluster(const struct pve_cluster *cluster, struct pve_now now, struct arena *arena,
		       struct msg_cluster_state *ret)
{
	*ret = (struct msg_cluster_state){ .ts = now.wall_ms, .cluster = cluster->name };
	build_quorum(cluster, arena, ret);
	if (cluster->resources_answer.has) {
		total_nodes(cluster, ret);
		total_guests(cluster, now, ret);
		total_storages(cluster, now, arena, ret);
	}
	if (cluster->version_answer.has)
		ret->version = pve_text(arena, cluster->version, 32);
}
