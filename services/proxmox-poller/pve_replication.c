/* SPDX-License-Identifier: MIT */
/*
 * The two lists joined. What a node said longer than three periods ago is not the present any more.
 */
#include "services/proxmox-poller/pve_replication.h"

#include <errno.h>
#include <stdio.h>

#define JOBS_MAX 16
#define PERIODS 3
#define TIME_MAX_S 100000000000 /* the year 5138 */

static const struct pve_field fields[] = {
	PVE_FIELD(pve_replication_row, "disable", disable, PVE_BOOL),
	PVE_FIELD(pve_replication_row, "duration", duration, PVE_F64),
	PVE_FIELD(pve_replication_row, "error", error, PVE_STR),
	PVE_FIELD(pve_replication_row, "fail_count", fail_count, PVE_I64),
	PVE_FIELD(pve_replication_row, "guest", guest, PVE_I64),
	PVE_FIELD(pve_replication_row, "id", id, PVE_STR),
	PVE_FIELD(pve_replication_row, "last_sync", last_sync, PVE_I64),
	PVE_FIELD(pve_replication_row, "next_sync", next_sync, PVE_I64),
	PVE_FIELD(pve_replication_row, "schedule", schedule, PVE_STR),
	PVE_FIELD(pve_replication_row, "target", target, PVE_STR),
};

static int compare_rows(const void *a, const void *b)
{
	const struct pve_replication_row *x = a, *y = b;

	if (x->guest.v != y->guest.v)
		return x->guest.v < y->guest.v ? -1 : 1;
	return strcmp(x->id, y->id);
}

static bool keep_row(void *row, _unused_ const cJSON *item, _unused_ struct arena *arena)
{
	const struct pve_replication_row *r = row;

	return pve_is_name(r->id) && pve_is_name(r->target) && r->guest.has && r->guest.v > 0;
}

int pve_parse_replication(const cJSON *answer, struct arena *arena,
			  struct pve_replication_list *ret)
{
	static const struct pve_rows rows = { fields, countof(fields),
					      sizeof(struct pve_replication_row), keep_row,
					      compare_rows };

	ret->rows = pve_read_rows(answer, &rows, arena, &ret->n, &ret->bad);
	return ret->rows ? 0 : -EINVAL;
}

/* ── taking in ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void node_done(struct pve_replication_node *node)
{
	arena_free(node->answer.arena);
	free(node->node);
}

void pve_replication_done(struct pve_replication *replication)
{
	for (size_t i = 0; i < replication->nodes_n; i++)
		node_done(&replication->nodes[i]);
	free(replication->nodes);
	arena_free(replication->answer.arena);
	*replication = (struct pve_replication){ .period_ms = replication->period_ms };
}

int pve_replication_take(struct pve_replication *replication, const cJSON *answer,
			 struct pve_now now, size_t *bad)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_replication_list list;
	int r;

	r = pve_parse_replication(answer, arena, &list);
	if (r < 0)
		return r;
	*bad = list.bad;
	replication->jobs = list;
	arena_free(replication->answer.arena);
	replication->answer = (struct pve_answer){ true, take(arena), now };
	return 0;
}

static struct pve_replication_node *find_node(const struct pve_replication *replication,
					      const char *node)
{
	for (size_t i = 0; i < replication->nodes_n; i++) {
		if (str_eq(replication->nodes[i].node, node))
			return &replication->nodes[i];
	}
	return NULL;
}

static struct pve_replication_node *get_node(struct pve_replication *replication, const char *node)
{
	struct pve_replication_node *found = find_node(replication, node);

	if (found)
		return found;
	replication->nodes = xreallocarray(replication->nodes, replication->nodes_n + 1,
					   sizeof(*replication->nodes));
	found = &replication->nodes[replication->nodes_n++];
	*found = (struct pve_replication_node){ .node = xstrdup(node) };
	return found;
}

int pve_replication_take_node(struct pve_replication *replication, const char *node,
			      const cJSON *answer, struct pve_now now, size_t *bad)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_replication_list list;
	struct pve_replication_node *n;
	int r;

	r = pve_parse_replication(answer, arena, &list);
	if (r < 0)
		return r;
	*bad = list.bad;
	n = get_node(replication, node);
	n->list = list;
	n->error[0] = '\0';
	arena_free(n->answer.arena);
	n->answer = (struct pve_answer){ true, take(arena), now };
	return 0;
}

void pve_replication_fail_node(struct pve_replication *replication, const char *node,
			       const char *text)
{
	struct pve_replication_node *n = get_node(replication, node);

	(void)snprintf(n->error, sizeof(n->error), "%s", text);
}

void pve_replication_forget_gone(struct pve_replication *replication,
				 const struct pve_cluster *cluster)
{
	size_t kept = 0;

	for (size_t i = 0; i < replication->nodes_n; i++) {
		struct pve_replication_node *node = &replication->nodes[i];

		if (pve_cluster_find_node(cluster, node->node))
			replication->nodes[kept++] = *node;
		else
			node_done(node);
	}
	replication->nodes_n = kept;
}

bool pve_replication_concerns(const struct pve_replication *replication,
			      const struct pve_cluster *cluster, const char *node)
{
	for (size_t i = 0; i < replication->jobs.n; i++) {
		const struct pve_guest *guest =
			pve_cluster_find_guest(cluster, replication->jobs.rows[i].guest.v);

		if (guest && str_eq(guest->row->node, node))
			return true;
	}
	return false;
}

/* ── the document ──────────────────────────────────────────────────────────────────────────────────────────── */

static struct opt_i64 ms_of(struct opt_i64 seconds)
{
	/* 0 is never. */
	if (!seconds.has || seconds.v <= 0 || seconds.v > TIME_MAX_S)
		return (struct opt_i64){ 0 };
	return some_i64(seconds.v * 1000);
}

static const struct pve_replication_row *find_row(const struct pve_replication_list *list,
						  const struct pve_replication_row *key)
{
	if (!list->n)
		return NULL;
	return bsearch(key, list->rows, list->n, sizeof(*key), compare_rows);
}

/* What NODE says, or NULL with the reason why it does not. */
static const struct pve_replication_node *said_by(const struct pve_replication *replication,
						  const struct pve_cluster *cluster,
						  const char *name, struct pve_now now,
						  struct arena *arena, const char **reason)
{
	const struct pve_replication_node *node = find_node(replication, name);
	bool has = node && node->answer.has &&
		   now.boot_ms - node->answer.at.boot_ms <= replication->period_ms * PERIODS;

	if (pve_cluster_is_offline(cluster, name))
		*reason = arena_printf(arena, "node %.64s is offline", name);
	else if (has)
		return node;
	else if (node && node->error[0])
		*reason = pve_text(arena, node->error, 256);
	else
		*reason = arena_printf(arena, "node %.64s was not asked yet", name);
	return NULL;
}

static struct msg_replication_job job_of(const struct pve_replication_row *row,
					 const struct pve_replication_row *state,
					 struct arena *arena)
{
	struct msg_replication_job job = {
		.id = row->id,
		.target = row->target,
		.enabled = !row->disable.has || !row->disable.v,
		.schedule = pve_text(arena, row->schedule ? row->schedule : "*/15", 128),
	};

	if (!state)
		return job;
	job.last_ok_ms = ms_of(state->last_sync);
	job.next_run_ms = ms_of(state->next_sync);
	job.duration_s = state->duration;
	job.failures = state->fail_count.has ? state->fail_count : some_i64(0);
	job.error = pve_text(arena, state->error, 256);
	return job;
}

size_t pve_build_replication(const struct pve_replication *replication,
			     const struct pve_cluster *cluster, size_t at, struct pve_now now,
			     struct arena *arena, bool *exists, struct msg_guest_replication *ret)
{
	const struct pve_replication_row *rows = replication->jobs.rows;
	int64_t vmid = rows[at].guest.v;
	const struct pve_guest *guest = pve_cluster_find_guest(cluster, vmid);
	struct msg_replication_job *jobs = arena_alloc(arena, JOBS_MAX * sizeof(*jobs));
	const struct pve_replication_node *node = NULL;

	*exists = guest;
	*ret = (struct msg_guest_replication){
		.ts = replication->answer.at.wall_ms,
		.cluster = cluster->name,
		.vmid = vmid,
		.jobs = jobs,
	};
	if (guest)
		node = said_by(replication, cluster, guest->row->node, now, arena, &ret->reason);
	if (node)
		ret->ts = node->answer.at.wall_ms;
	for (; at < replication->jobs.n && rows[at].guest.v == vmid; at++) {
		const struct pve_replication_row *state =
			node ? find_row(&node->list, &rows[at]) : NULL;

		if (node && !state && !ret->reason)
			ret->reason = arena_printf(arena, "node %.64s does not list job %.64s yet",
						   node->node, rows[at].id);
		if (ret->jobs_n < JOBS_MAX)
			jobs[ret->jobs_n++] = job_of(&rows[at], state, arena);
	}
	return at;
}
