/* SPDX-License-Identifier: MIT */
/*
 * Ceph. Only a node that has it can tell of it, so each endpoint is asked until one does; where none does there is
 * no document, no failure, and the question is put again once an hour.
 */
#include "services/proxmox-poller/cluster_taker.h"
#include "services/proxmox-poller/pve_ceph.h"

#define ABSENT_PERIOD_MS 3600000

static bool has_document(const struct cluster_poller *c)
{
	const char *const args[] = { c->config->name, NULL };

	return state_get(c->env->state, TOPIC_CEPH_STATE, args);
}

/* While the node that has Ceph rests, that another one has none means nothing. */
bool cluster_bears_ceph(struct cluster_poller *c, const struct source *source, const char *reason,
			const struct pve_fault *fault)
{
	if (fault->class != PVE_REFUSED || !pve_ceph_is_absent(reason))
		return false;
	return source->endpoint == c->ceph_from || !has_document(c);
}

void cluster_begin_ceph(struct cluster_poller *c)
{
	c->ceph_absent = 0;
	c->ceph_unsure = false;
}

static int take_absence(struct cluster_poller *c, struct source *source)
{
	const char *const args[] = { c->config->name, NULL };

	c->ceph_unsure = c->ceph_unsure || source->endpoint != c->ceph_from;
	c->ceph_from = (c->ceph_from + 1) % c->endpoints.n;
	if (++c->ceph_absent < c->endpoints.n)
		return CLUSTER_MORE;
	/* The node that could not be asked may be the one that has it. */
	if (c->ceph_unsure)
		return 0;
	state_clear(c->env->state, TOPIC_CEPH_STATE, args);
	source->slot.period_ms = ABSENT_PERIOD_MS;
	source->slot.due_ms = cluster_poller_now(c).boot_ms + ABSENT_PERIOD_MS;
	return 0;
}

int cluster_take_ceph(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const char *const args[] = { c->config->name, NULL };
	struct pve_now now = cluster_poller_now(c);
	int64_t period = source_period_ms(SOURCE_CEPH, c->config);
	struct msg_ceph_state doc;
	int r;

	c->is_dirty = true;
	if (source->refusal)
		return take_absence(c, source);
	r = pve_parse_ceph(*answer, arena, &doc);
	if (r < 0)
		return r;
	doc.ts = now.wall_ms;
	doc.cluster = c->config->name;
	(void)state_set(c->env->state, TOPIC_CEPH_STATE, args, &doc);
	c->ceph_from = source->endpoint;
	source->slot.period_ms = period;
	source->slot.due_ms = min_of(source->slot.due_ms, now.boot_ms + period);
	return 0;
}
