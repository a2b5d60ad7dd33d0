/* SPDX-License-Identifier: MIT */
/*
 * Disks and pools of a node, one question after the other: the list, SMART of each disk that does not sleep, the
 * pools, and each pool. No disk is woken to be asked how it is, unless poll.smart_rotating wants that.
 */
#include "services/proxmox-poller/cluster_taker.h"
#include "services/proxmox-poller/pve_disks.h"
#include "services/proxmox-poller/pve_zfs.h"

#include <errno.h>
#include <stdio.h>

struct disks_round {
	struct pve_disks disks;
	struct pve_smart *smart; /* of the disk of the same index */
	const char **reasons;	 /* why there is none; NULL when there is */
	struct pve_pools pools;
	const char *forbidden; /* why the token may not read SMART; NULL when it may */
	size_t next;	       /* disk, then pool, that is being asked about */
};

/*
 * One disk or one pool that cannot be read says nothing of the others. When the list of pools does not come they are
 * unknown: that is a failure, and it is told after the disks were.
 */
bool cluster_bears_disks(struct cluster_poller *c, const struct source *source, const char *reason,
			 const struct pve_fault *fault)
{
	(void)c;
	if (source->step == DISKS_SMART || source->step == DISKS_POOL)
		return fault->class == PVE_TIMEOUT || cluster_is_refusal(fault->class);
	return source->step == DISKS_POOLS && strstr(reason, "zfsutils-linux not installed");
}

/* ── what is published ─────────────────────────────────────────────────────────────────────────────────────── */

static void set_disk(struct cluster_poller *c, const struct source *source,
		     const struct disks_round *round, size_t i)
{
	const struct pve_disk *disk = &round->disks.rows[i];
	const char *const args[] = { c->config->name, source->node, disk->word, NULL };
	struct msg_disk_state doc;

	pve_build_disk(disk, round->reasons[i] ? NULL : &round->smart[i], round->reasons[i],
		       source->round_arena, &doc);
	doc.ts = cluster_poller_now(c).wall_ms;
	doc.cluster = c->config->name;
	doc.node = source->node;
	(void)state_set(c->env->state, TOPIC_DISK_STATE, args, &doc);
}

static void set_pool(struct cluster_poller *c, const struct source *source,
		     const struct pve_pool *pool)
{
	const char *const args[] = { c->config->name, source->node, pool->name, NULL };
	struct msg_zfs_pool doc;

	pve_build_pool(pool, source->round_arena, &doc);
	doc.ts = cluster_poller_now(c).wall_ms;
	doc.cluster = c->config->name;
	doc.node = source->node;
	(void)state_set(c->env->state, TOPIC_POOL_STATE, args, &doc);
}

static void publish_disks(struct cluster_poller *c, const struct source *source,
			  const struct disks_round *round)
{
	const char *const args[] = { c->config->name, source->node, NULL };
	uint64_t mark = state_mark(c->env->state);

	for (size_t i = 0; i < round->disks.n; i++)
		set_disk(c, source, round, i);
	state_sweep(c->env->state, TOPIC_DISK_STATE, args, mark);
	c->is_dirty = true;
}

static void publish_pools(struct cluster_poller *c, const struct source *source,
			  const struct disks_round *round)
{
	const char *const args[] = { c->config->name, source->node, NULL };
	uint64_t mark = state_mark(c->env->state);

	for (size_t i = 0; i < round->pools.n; i++)
		set_pool(c, source, &round->pools.rows[i]);
	state_sweep(c->env->state, TOPIC_POOL_STATE, args, mark);
	cluster_adopt(c, SOURCE_DISKS, TOPIC_DISK_STATE);
	cluster_adopt(c, SOURCE_DISKS, TOPIC_POOL_STATE);
	c->is_dirty = true;
}

/* ── the steps ─────────────────────────────────────────────────────────────────────────────────────────────── */

static void set_object(struct source *source, enum disks_step step, const char *object)
{
	source->step = step;
	(void)snprintf(source->object, sizeof(source->object), "%s", object);
}

static const char *why_asleep(const struct cluster_poller *c, const struct pve_disk *disk,
			      struct arena *arena)
{
	bool rotates = disk->type && str_eq(disk->type, "hdd");

	return arena_printf(
		arena,
		"%s, and reading SMART would wake it: "
		"clusters.%.64s.poll.smart_rotating: true reads it anyway",
		rotates ? "a rotating disk may be asleep" :
			  "Proxmox does not say that it does not rotate: it may be asleep",
		c->config->name);
}

/* The next disk to be asked, or the pools. */
static int ask_smart(struct cluster_poller *c, struct source *source, struct disks_round *round)
{
	for (; round->next < round->disks.n; round->next++) {
		const struct pve_disk *disk = &round->disks.rows[round->next];

		/* A right that is missing for one disk is missing for all. */
		if (round->forbidden && !pve_disk_may_sleep(disk)) {
			round->reasons[round->next] = round->forbidden;
			continue;
		}
		if (c->config->poll.smart_rotating || !pve_disk_may_sleep(disk)) {
			set_object(source, DISKS_SMART, disk->devpath);
			return CLUSTER_MORE;
		}
		round->reasons[round->next] = why_asleep(c, disk, source->round_arena);
	}
	publish_disks(c, source, round);
	round->next = 0;
	set_object(source, DISKS_POOLS, "");
	return CLUSTER_MORE;
}

static int ask_pool(struct cluster_poller *c, struct source *source, struct disks_round *round)
{
	if (round->next >= round->pools.n) {
		publish_pools(c, source, round);
		return 0;
	}
	set_object(source, DISKS_POOL, round->pools.rows[round->next].name);
	return CLUSTER_MORE;
}

static void count_bad(struct cluster_poller *c, size_t bad)
{
	if (bad)
		counter_add(c->env->counters, "pve_bad_rows", (int64_t)bad);
}

static int take_list(struct cluster_poller *c, struct source *source, struct disks_round *round,
		     const cJSON *answer)
{
	int r = pve_parse_disks(answer, source->round_arena, &round->disks);
	size_t n = round->disks.n;

	if (r < 0)
		return r;
	count_bad(c, round->disks.bad);
	round->smart = pve_list_alloc(source->round_arena, n, sizeof(*round->smart));
	round->reasons = pve_list_alloc(source->round_arena, n, sizeof(*round->reasons));
	return ask_smart(c, source, round);
}

static int take_smart(struct cluster_poller *c, struct source *source, struct disks_round *round,
		      const cJSON *answer)
{
	const char **reason = &round->reasons[round->next];

	if (source->refusal)
		*reason = arena_strdup(source->round_arena, source->refusal->text);
	else if (pve_parse_smart(answer, source->round_arena, &round->smart[round->next]) < 0)
		*reason = "what Proxmox tells of its SMART makes no sense";
	if (*reason)
		cluster_count_borne(c, source);
	if (source->refusal && source->refusal->class == PVE_PERMISSION)
		round->forbidden = *reason;
	round->next++;
	return ask_smart(c, source, round);
}

static int take_pools(struct cluster_poller *c, struct source *source, struct disks_round *round,
		      const cJSON *answer)
{
	int r = source->refusal ? 0 : pve_parse_pools(answer, source->round_arena, &round->pools);

	if (r < 0)
		return r;
	count_bad(c, round->pools.bad);
	return ask_pool(c, source, round);
}

static int take_pool(struct cluster_poller *c, struct source *source, struct disks_round *round,
		     const cJSON *answer)
{
	struct pve_pool *pool = &round->pools.rows[round->next];

	if (source->refusal || pve_parse_pool_details(answer, source->round_arena, pool) < 0)
		cluster_count_borne(c, source);
	round->next++;
	return ask_pool(c, source, round);
}

typedef int (*disks_step_fn)(struct cluster_poller *c, struct source *source,
			     struct disks_round *round, const cJSON *answer);

int cluster_take_disks(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	static const disks_step_fn steps[] = {
		[DISKS_LIST] = take_list,
		[DISKS_SMART] = take_smart,
		[DISKS_POOLS] = take_pools,
		[DISKS_POOL] = take_pool,
	};

	if (!source->round) {
		source->round_arena = arena_new();
		source->round = arena_alloc(source->round_arena, sizeof(struct disks_round));
	}
	return steps[source->step](c, source, source->round, *answer);
}
