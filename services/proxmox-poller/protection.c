/* SPDX-License-Identifier: MIT */
/*
 * The door between the engine and the slow parts, and high availability, which is too small for a file of its own.
 */
#include "services/proxmox-poller/protection.h"

#include "services/proxmox-poller/protection_parts.h"
#include "services/proxmox-poller/pve_ha.h"

#include <stdio.h>

void protection_init(struct cluster_poller *c)
{
	struct protection *p = &c->protection;
	int64_t now = cluster_poller_now(c).boot_ms;

	*p = (struct protection){ .publish_ms = INT64_MAX, .began_ms = now };
	pve_posture_init(&p->posture, c->config->poll.backups_ms);
	p->replication.period_ms = c->config->poll.replication_ms;
	guest_walk_init(&p->walk, c->config->poll.guests_ms, now);
}

void protection_done(struct cluster_poller *c)
{
	pve_posture_done(&c->protection.posture);
	pve_replication_done(&c->protection.replication);
	guest_walk_done(&c->protection.walk);
	backup_logs_done(&c->protection);
}

void protection_follow(struct cluster_poller *c, bool keep)
{
	backups_follow(c, keep);
	replication_follow(c, keep);
	guests_follow(c, keep);
}

void protection_run(struct cluster_poller *c, int64_t now)
{
	if (!c->model.resources_answer.has || c->auth_failed)
		return;
	backups_run(c, now);
	backup_logs_run(c, now);
	guests_run(c, now);
}

int64_t protection_wake(const struct cluster_poller *c, int64_t now)
{
	int64_t wake;

	if (!c->model.resources_answer.has || c->auth_failed)
		return INT64_MAX;
	wake = min_of(backups_wake(c, now), backup_logs_wake(c));
	return min_of(wake, guests_wake(c, now));
}

void protection_on_task_end(struct cluster_poller *c, const struct msg_task *task)
{
	backups_on_task_end(c, task);
	guests_on_task_end(c, task);
}

void protection_on_failure(struct cluster_poller *c, struct source *source,
			   const struct pve_fault *fault)
{
	switch (source->kind) {
	case SOURCE_BACKUP_JOBS:
	case SOURCE_BACKUP_LIST:
		backups_on_failure(c, source, fault);
		break;
	case SOURCE_TASK_LOG:
		backup_logs_on_failure(c, source);
		break;
	case SOURCE_NODE_REPLICATION:
		replication_on_failure(c, source, fault);
		break;
	case SOURCE_GUEST_CONFIG:
	case SOURCE_GUEST_SNAPSHOTS:
		guests_on_failure(c, source, fault);
		break;
	default:
		break;
	}
}

void protection_build_walk(const struct cluster_poller *c, struct pve_now now,
			   struct msg_source_state *ret)
{
	const struct guest_walk *walk = &c->protection.walk;

	*ret = (struct msg_source_state){
		.period_s = (double)guest_walk_period_ms(walk) / 1000,
		.latency_ms = walk->latency_ms,
		.failures = walk->failures,
		.error = walk->error[0] ? walk->error : NULL,
	};
	if (walk->last_ok_ms.has)
		ret->last_ok_ms = some_i64(now.wall_ms - (now.boot_ms - walk->last_ok_ms.v));
}

void protection_count_bad(struct cluster_poller *c, size_t bad)
{
	if (bad)
		counter_add(c->env->counters, "pve_bad_rows", (int64_t)bad);
}

int protection_take_ha(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const char *const args[] = { c->config->name, NULL };
	struct msg_ha_state doc;
	size_t bad;
	int r;

	(void)source;
	r = pve_parse_ha(*answer, arena, &bad, &doc);
	if (r < 0)
		return r;
	protection_count_bad(c, bad);
	doc.ts = cluster_poller_now(c).wall_ms;
	doc.cluster = c->config->name;
	(void)state_set(c->env->state, TOPIC_HA_STATE, args, &doc);
	return 0;
}
