/* SPDX-License-Identifier: MIT */
/*
 * Replication: the nodes that have replicated guests are asked, and all documents are built after each answer, for
 * they are few.
 */
#include "services/proxmox-poller/protection_parts.h"

#include <stdio.h>

static void publish(struct cluster_poller *c, bool keep)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const struct pve_replication *replication = &c->protection.replication;
	const char *const args[] = { c->config->name, NULL };
	uint64_t mark = state_mark(c->env->state);

	if (!replication->answer.has || !c->model.resources_answer.has)
		return;
	for (size_t at = 0; at < replication->jobs.n;) {
		struct msg_guest_replication doc;
		char vmid[24];
		const char *const words[] = { c->config->name, vmid, NULL };
		bool exists;

		at = pve_build_replication(replication, &c->model, at, cluster_poller_now(c), arena,
					   &exists, &doc);
		(void)snprintf(vmid, sizeof(vmid), "%lld", (long long)doc.vmid);
		if (exists)
			(void)state_set(c->env->state, TOPIC_GUEST_REPLICATION, words, &doc);
	}
	if (!keep)
		state_sweep(c->env->state, TOPIC_GUEST_REPLICATION, args, mark);
}

static void sync_node(struct cluster_poller *c, const struct pve_node *node)
{
	bool offline = pve_cluster_node_status(&c->model, node, NULL) == NODE_OFFLINE;
	struct source *source;

	if (!pve_replication_concerns(&c->protection.replication, &c->model, node->name))
		return;
	source = cluster_poller_get(c, SOURCE_NODE_REPLICATION, node->name, 0);
	source->gone = false;
	if (source->slot.off && !offline) {
		source->slot.failures = 0;
		slot_call(&source->slot, cluster_poller_now(c).boot_ms);
	}
	source->slot.off = offline;
}

static void sync_sources(struct cluster_poller *c)
{
	for (size_t i = 0; i < c->sources_n; i++)
		c->sources[i]->gone = c->sources[i]->kind == SOURCE_NODE_REPLICATION;
	for (size_t i = 0; c->protection.replication.jobs.n && i < c->model.nodes_n; i++)
		sync_node(c, &c->model.nodes[i]);
	cluster_poller_drop_gone(c);
}

void replication_follow(struct cluster_poller *c, bool keep)
{
	sync_sources(c);
	pve_replication_forget_gone(&c->protection.replication, &c->model);
	publish(c, keep);
}

int protection_take_replication(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	size_t bad = 0;
	int r = pve_replication_take(&c->protection.replication, *answer, cluster_poller_now(c),
				     &bad);

	(void)source;
	if (r < 0)
		return r;
	protection_count_bad(c, bad);
	if (c->model.resources_answer.has)
		sync_sources(c);
	publish(c, c->is_doubting);
	return 0;
}

int protection_take_node_replication(struct cluster_poller *c, struct source *source,
				     cJSON **answer)
{
	size_t bad = 0;
	int r = pve_replication_take_node(&c->protection.replication, source->node, *answer,
					  cluster_poller_now(c), &bad);

	if (r < 0)
		return r;
	protection_count_bad(c, bad);
	publish(c, true);
	return 0;
}

void replication_on_failure(struct cluster_poller *c, struct source *source,
			    const struct pve_fault *fault)
{
	pve_replication_fail_node(&c->protection.replication, source->node, fault->text);
	publish(c, true);
}
