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
	bool pools_known;
	size_t next; /* disk, then pool, that is being asked about */
};

static bool is_without_zfs(const char *reason)
{
	return strstr(reason, "zfsutils-linux not installed");
}

bool cluster_bears_disks(struct cluster_poller *c, const struct source *source, const char *reason,
			 const struct pve_fault *fault)
{
	(void)c;
	(void)reason;
	/* smartctl may take long over one disk: that says nothing of the others. */
	if (source->step == DISKS_SMART && fault->class == PVE_TIMEOUT)
		return true;
	return source->step != DISKS_LIST && cluster_is_refusal(fault->class);
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

static int publish(struct cluster_poller *c, struct source *source, struct disks_round *round)
{
	const char *const args[] = { c->config->name, source->node, NULL };
	uint64_t mark = state_mark(c->env->state);

	for (size_t i = 0; i < round->disks.n; i++)
		set_disk(c, source, round, i);
	state_sweep(c->env->state, TOPIC_DISK_STATE, args, mark);
	for (size_t i = 0; i < round->pools.n; i++)
		set_pool(c, source, &round->pools.rows[i]);
	/* That the list of pools did not come is no sign that they are gone. */
	if (round->pools_known)
		state_sweep(c->env->state, TOPIC_POOL_STATE, args, mark);
	cluster_adopt(c, SOURCE_DISKS, TOPIC_DISK_STATE);
	cluster_adopt(c, SOURCE_DISKS, TOPIC_POOL_STATE);
	c->is_dirty = true;
	return 0;
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

	return arena_printf(arena,
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

		if (c->config->poll.smart_rotating || !pve_disk_may_sleep(disk)) {
			set_object(source, DISKS_SMART, disk->devpath);
			return CLUSTER_MORE;
		}
		round->reasons[round->next] = why_asleep(c, disk, source->round_arena);
	}
	round->next = 0;
	set_object(source, DISKS_POOLS, "");
	return CLUSTER_MORE;
}

static int ask_pool(struct cluster_poller *c, struct source *source, struct disks_round *round)
{
	if (round->next >= round->pools.n)
		return publish(c, source, round);
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
	round->next++;
	return ask_smart(c, source, round);
}

static int take_pools(struct cluster_poller *c, struct source *source, struct disks_round *round,
		      const cJSON *answer)
{
	if (source->refusal && is_without_zfs(source->refusal->text)) {
		round->pools_known = true;
	} else if (source->refusal ||
		   pve_parse_pools(answer, source->round_arena, &round->pools) < 0) {
		cluster_count_borne(c, source);
	} else {
		round->pools_known = true;
		count_bad(c, round->pools.bad);
	}
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

int cluster_take_disks(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	static int (*const steps[])(struct cluster_poller *c, struct source *source,
				    struct disks_round *round, const cJSON *answer) = {
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
