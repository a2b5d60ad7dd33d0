/* SPDX-License-Identifier: MIT */
/*
 * Configurations and snapshots: the walk over the guests, and their documents. What is known of a guest stands in its
 * documents alone; when it cannot be asked any more they keep it, with the reason.
 */
#include "services/proxmox-poller/protection_parts.h"
#include "services/proxmox-poller/pve_guest_config.h"
#include "services/proxmox-poller/pve_snapshots.h"

#include <stdio.h>

/* So many failures in a row are worth a reason. */
#define FAILURES_SHOWN 2

static const enum source_kind kinds[WALK_STEPS] = {
	[WALK_CONFIG] = SOURCE_GUEST_CONFIG,
	[WALK_SNAPSHOTS] = SOURCE_GUEST_SNAPSHOTS,
};

static enum walk_step step_of(const struct source *source)
{
	return source->kind == SOURCE_GUEST_CONFIG ? WALK_CONFIG : WALK_SNAPSHOTS;
}

/* ── documents ─────────────────────────────────────────────────────────────────────────────────────────────── */

struct guest_words {
	char vmid[24];
	const char *list[3];
};

static void make_words(const struct cluster_poller *c, int64_t vmid, struct guest_words *ret)
{
	(void)snprintf(ret->vmid, sizeof(ret->vmid), "%lld", (long long)vmid);
	ret->list[0] = c->config->name;
	ret->list[1] = ret->vmid;
	ret->list[2] = NULL;
}

/* Why the configuration is not known at present; what was known before stays. */
static void doubt_config(struct cluster_poller *c, int64_t vmid, const char *reason)
{
	struct msg_guest_config doc = { .cluster = c->config->name, .vmid = vmid };
	const struct msg_guest_config *old;
	struct guest_words words;

	make_words(c, vmid, &words);
	old = state_get(c->env->state, TOPIC_GUEST_CONFIG, words.list);
	if (old)
		doc = *old;
	else
		doc.ts = cluster_poller_now(c).wall_ms;
	doc.reason = reason;
	(void)state_set(c->env->state, TOPIC_GUEST_CONFIG, words.list, &doc);
}

static void doubt_snapshots(struct cluster_poller *c, int64_t vmid, const char *reason)
{
	struct msg_guest_snapshots doc = { .cluster = c->config->name, .vmid = vmid };
	const struct msg_guest_snapshots *old;
	struct guest_words words;

	make_words(c, vmid, &words);
	old = state_get(c->env->state, TOPIC_GUEST_SNAPSHOTS, words.list);
	if (old)
		doc = *old;
	else
		doc.ts = cluster_poller_now(c).wall_ms;
	doc.reason = reason;
	(void)state_set(c->env->state, TOPIC_GUEST_SNAPSHOTS, words.list, &doc);
}

static void on_unreachable(void *ctx, const struct pve_guest *guest)
{
	struct cluster_poller *c = ctx;
	char reason[128];

	(void)snprintf(reason, sizeof(reason), "node %.64s is %s and is not asked",
		       guest->row->node,
		       pve_cluster_is_offline(&c->model, guest->row->node) ? "offline" :
									     "in an unknown state");
	doubt_config(c, guest->vmid, reason);
	doubt_snapshots(c, guest->vmid, reason);
}

static void on_gone(void *ctx, int64_t vmid)
{
	struct cluster_poller *c = ctx;
	struct guest_words words;

	make_words(c, vmid, &words);
	state_clear(c->env->state, TOPIC_GUEST_CONFIG, words.list);
	state_clear(c->env->state, TOPIC_GUEST_SNAPSHOTS, words.list);
}

/* ── the walk ──────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_busy(void *ctx, const char *node)
{
	const struct cluster_poller *c = ctx;

	for (size_t i = 0; i < c->sources_n; i++) {
		const struct source *source = c->sources[i];

		if ((source->kind == SOURCE_GUEST_CONFIG ||
		     source->kind == SOURCE_GUEST_SNAPSHOTS) &&
		    str_eq(source->node, node) && source->slot.due_ms != INT64_MAX)
			return true;
	}
	return false;
}

static struct walk_events events_of(struct cluster_poller *c)
{
	return (struct walk_events){
		.gone = on_gone,
		.unreachable = on_unreachable,
		.is_busy = is_busy,
		.ctx = c,
	};
}

void guests_follow(struct cluster_poller *c, bool keep)
{
	struct walk_events events = events_of(c);

	/* When all guests are gone at once that is doubted first; they are still there then. */
	if (keep && !c->model.guests_n)
		return;
	guest_walk_sync(&c->protection.walk, &c->model, &events, cluster_poller_now(c));
}

void guests_run(struct cluster_poller *c, int64_t now)
{
	struct walk_events events = events_of(c);
	const struct pve_guest *guest;
	struct source *source;
	enum walk_step step;

	guest = guest_walk_next(&c->protection.walk, &c->model, &events, now, &step);
	if (!guest)
		return;
	source = cluster_poller_get(c, kinds[step], guest->row->node, guest->vmid);
	source->is_container = str_eq(guest->row->type, "lxc");
	slot_call(&source->slot, now);
}

int64_t guests_wake(const struct cluster_poller *c, int64_t now)
{
	return guest_walk_wake(&c->protection.walk, now);
}

void guests_on_task_end(struct cluster_poller *c, const struct msg_task *task)
{
	/* What changes a guest without changing its configuration or its snapshots. */
	static const char *const harmless[] = {
		"qmstart",    "qmstop",	   "qmshutdown", "qmreset",  "qmreboot",
		"qmpause",    "qmresume",  "vzstart",	 "vzstop",   "vzshutdown",
		"vzreboot",   "hastart",   "hastop",	 "vncproxy", "vncshell",
		"spiceproxy", "vzsuspend", "vzresume",	 "vzdump"
	};
	int64_t now = cluster_poller_now(c).boot_ms, vmid;

	if (!task->id || str_to_i64(task->id, 1, INT32_MAX, &vmid) < 0)
		return;
	for (size_t i = 0; i < countof(harmless); i++) {
		if (str_eq(task->type, harmless[i]))
			return;
	}
	for (int step = 0; step < WALK_STEPS; step++)
		guest_walk_call(&c->protection.walk, vmid, (enum walk_step)step, now);
}

/* After the first round, what an earlier run left of guests that are gone is cleared. */
static void on_success(struct cluster_poller *c, const struct source *source)
{
	struct protection *p = &c->protection;
	const char *const args[] = { c->config->name, NULL };

	p->walk.latency_ms = source->latency_ms;
	guest_walk_succeeded(&p->walk, source->vmid, step_of(source),
			     cluster_poller_now(c).boot_ms);
	if (p->adopted || !p->walk.had_round)
		return;
	p->adopted = true;
	state_adopt(c->env->state, TOPIC_GUEST_CONFIG, args);
	state_adopt(c->env->state, TOPIC_GUEST_SNAPSHOTS, args);
}

int protection_take_guest_config(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct msg_guest_config doc;
	struct guest_words words;
	size_t bad;
	int r;

	r = pve_parse_guest_config(*answer, source->is_container, arena, &bad, &doc);
	if (r < 0)
		return r;
	protection_count_bad(c, bad);
	if (pve_cluster_find_guest(&c->model, source->vmid)) {
		doc.ts = cluster_poller_now(c).wall_ms;
		doc.cluster = c->config->name;
		doc.vmid = source->vmid;
		make_words(c, source->vmid, &words);
		(void)state_set(c->env->state, TOPIC_GUEST_CONFIG, words.list, &doc);
	}
	on_success(c, source);
	return 0;
}

/* The list tells the digest of the configuration too. */
static void compare_digest(struct cluster_poller *c, int64_t vmid, const char *digest)
{
	const struct msg_guest_config *config;
	struct guest_words words;

	make_words(c, vmid, &words);
	config = state_get(c->env->state, TOPIC_GUEST_CONFIG, words.list);
	if (digest && config && config->digest && !str_eq(config->digest, digest))
		guest_walk_call(&c->protection.walk, vmid, WALK_CONFIG,
				cluster_poller_now(c).boot_ms);
}

int protection_take_guest_snapshots(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct msg_guest_snapshots doc = {
		.ts = cluster_poller_now(c).wall_ms,
		.cluster = c->config->name,
		.vmid = source->vmid,
	};
	struct guest_words words;
	const char *digest;
	size_t bad;
	int r;

	r = pve_parse_snapshots(*answer, arena, &bad, &digest, &doc);
	if (r < 0)
		return r;
	protection_count_bad(c, bad);
	if (pve_cluster_find_guest(&c->model, source->vmid)) {
		make_words(c, source->vmid, &words);
		(void)state_set(c->env->state, TOPIC_GUEST_SNAPSHOTS, words.list, &doc);
		compare_digest(c, source->vmid, digest);
	}
	on_success(c, source);
	return 0;
}

void guests_on_failure(struct cluster_poller *c, struct source *source,
		       const struct pve_fault *fault)
{
	struct guest_walk *walk = &c->protection.walk;
	unsigned failures =
		guest_walk_failed(walk, source->vmid, step_of(source),
				  fault->class == PVE_NOT_THERE, cluster_poller_now(c).boot_ms);

	(void)snprintf(walk->error, sizeof(walk->error), "%s", fault->text);
	if (failures < FAILURES_SHOWN || !pve_cluster_find_guest(&c->model, source->vmid))
		return;
	if (source->kind == SOURCE_GUEST_CONFIG)
		doubt_config(c, source->vmid, fault->text);
	else
		doubt_snapshots(c, source->vmid, fault->text);
}
