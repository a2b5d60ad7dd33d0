/* SPDX-License-Identifier: MIT */
/*
 * Backups: which storages are asked, and when the posture is published. What several answers change within a second
 * is published once, for the documents of thousands of guests are built anew each time.
 */
#include "services/proxmox-poller/protection_parts.h"

#include <errno.h>
#include <stdio.h>

#define SOON_MS 1000
/* The first posture waits so long for every storage. */
#define FIRST_MS 20000
/* A storage is not listed again sooner because a backup ended. */
#define CALM_MS 60000

void backups_changed(struct cluster_poller *c)
{
	int64_t now = cluster_poller_now(c).boot_ms;

	c->protection.publish_ms = min_of(c->protection.publish_ms, c->parts ? now : now + SOON_MS);
	if (c->parts && c->model.resources_answer.has)
		backups_run(c, now);
}

/* ── sources ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void sync_listing(struct cluster_poller *c, const struct pve_listing *listing)
{
	bool offline = pve_cluster_is_offline(&c->model, listing->node);
	struct source *source =
		cluster_poller_find_item(c, SOURCE_BACKUP_LIST, listing->node, listing->storage);
	int64_t now = cluster_poller_now(c).boot_ms;

	if (!source) {
		source = cluster_poller_get_item(c, SOURCE_BACKUP_LIST, listing->node,
						 listing->storage);
		/* Of a shared storage, another node may have just been asked. */
		if (listing->answer.has && !listing->failures)
			source->slot.due_ms =
				max_of(now, listing->answer.at.boot_ms + source->slot.period_ms);
	}
	source->gone = false;
	if (source->slot.off && !offline) {
		source->slot.failures = 0;
		slot_call(&source->slot, now);
	}
	source->slot.off = offline;
}

static void sync_sources(struct cluster_poller *c)
{
	const struct pve_listings *listings = &c->protection.posture.listings;

	for (size_t i = 0; i < c->sources_n; i++)
		c->sources[i]->gone = c->sources[i]->kind == SOURCE_BACKUP_LIST;
	for (size_t i = 0; i < listings->n; i++) {
		if (listings->list[i].node)
			sync_listing(c, &listings->list[i]);
	}
	cluster_poller_drop_gone(c);
}

static uint64_t add_text(uint64_t hash, const char *text)
{
	for (; text && *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	return (hash ^ 0xFF) * 1099511628211u;
}

/* What the posture takes from the guests and from the membership. */
static uint64_t hash_guests(const struct cluster_poller *c)
{
	uint64_t hash = c->membership;

	for (size_t i = 0; i < c->model.guests_n; i++) {
		const struct pve_guest *guest = &c->model.guests[i];

		hash = (hash ^ (uint64_t)guest->vmid) * 1099511628211u;
		hash = (hash ^ guest->template) * 1099511628211u;
		hash = add_text(hash, guest->row->node);
		hash = add_text(hash, guest->row->pool);
	}
	return hash;
}

void backups_follow(struct cluster_poller *c, bool keep)
{
	uint64_t hash = hash_guests(c);

	pve_listings_sync(&c->protection.posture.listings, &c->model, cluster_poller_now(c));
	sync_sources(c);
	if (keep || hash == c->protection.guests)
		return;
	c->protection.guests = hash;
	pve_posture_forget_gone(&c->protection.posture, &c->model);
	backups_changed(c);
}

void backups_on_task_end(struct cluster_poller *c, const struct msg_task *task)
{
	int64_t now = cluster_poller_now(c).boot_ms;

	if (!str_eq(task->type, "vzdump"))
		return;
	for (size_t i = 0; i < c->sources_n; i++) {
		struct source *source = c->sources[i];
		const struct pve_listing *listing;

		if (source->kind != SOURCE_BACKUP_LIST || source->slot.failures)
			continue;
		listing = pve_listings_find(&c->protection.posture.listings, source->node,
					    source->item);
		if (!listing || (!listing->shared && !str_eq(source->node, task->node)))
			continue;
		if (source->last_ok_ms.has && now < source->last_ok_ms.v + CALM_MS)
			source->slot.due_ms =
				min_of(source->slot.due_ms, source->last_ok_ms.v + CALM_MS);
		else
			slot_call(&source->slot, now);
	}
}

/* ── publishing ────────────────────────────────────────────────────────────────────────────────────────────── */

/* Every guest that exists is known, so that the backups of others are left over. */
static bool sees_everything(const struct cluster_poller *c)
{
	const struct pve_status *status = &c->model.status;

	return c->rights_known && c->sees_all_guests && !c->rights_error[0] && !c->is_doubting &&
	       c->model.status_answer.has &&
	       (!status->clustered || (status->quorate.has && status->quorate.v));
}

static void publish(struct cluster_poller *c)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(arena_freep) struct arena *scratch = arena_new();
	const char *const args[] = { c->config->name, NULL };
	uint64_t mark = state_mark(c->env->state);
	struct pve_posture_round *round =
		pve_posture_round_new(&c->protection.posture, &c->model, sees_everything(c),
				      cluster_poller_now(c), arena);
	struct msg_backup_posture posture;

	for (size_t i = 0; i < c->model.guests_n; i++) {
		const struct pve_guest *guest = &c->model.guests[i];
		char vmid[24];
		const char *const words[] = { c->config->name, vmid, NULL };
		struct msg_guest_backup doc;

		if (guest->template)
			continue;
		(void)snprintf(vmid, sizeof(vmid), "%lld", (long long)guest->vmid);
		arena_reset(scratch);
		pve_build_guest_backup(round, guest, scratch, &doc);
		(void)state_set(c->env->state, TOPIC_GUEST_BACKUP, words, &doc);
	}
	pve_build_posture(round, &posture);
	(void)state_set(c->env->state, TOPIC_BACKUPS_STATE, args, &posture);
	state_sweep(c->env->state, TOPIC_GUEST_BACKUP, args, mark);
}

/* Before everything was asked once, a document would say little and be replaced at once. */
static bool is_ready(const struct cluster_poller *c, int64_t now)
{
	const struct pve_posture *posture = &c->protection.posture;

	if (c->protection.published || now - c->protection.began_ms >= FIRST_MS)
		return true;
	if ((!posture->jobs_answer.has && !posture->jobs_error[0]) || !c->rights_known)
		return false;
	for (size_t i = 0; i < posture->listings.n; i++) {
		const struct pve_listing *listing = &posture->listings.list[i];
		bool asked = listing->node && !pve_cluster_is_offline(&c->model, listing->node);

		if (asked && !listing->answer.has && !listing->error[0])
			return false;
	}
	return true;
}

void backups_run(struct cluster_poller *c, int64_t now)
{
	struct protection *p = &c->protection;

	/* When all guests went at once, that is doubted first. */
	if (now < p->publish_ms || c->is_doubting)
		return;
	if (!is_ready(c, now)) {
		p->publish_ms = now + SOON_MS;
		return;
	}
	/* What does not come any more gets too old to be believed, also when nothing else happens. */
	p->publish_ms = now + p->posture.period_ms;
	p->published = true;
	publish(c);
}

int64_t backups_wake(const struct cluster_poller *c, int64_t now)
{
	return c->protection.publish_ms == INT64_MAX || c->is_doubting ?
		       INT64_MAX :
		       max_of(c->protection.publish_ms, now);
}

/* ── answers ───────────────────────────────────────────────────────────────────────────────────────────────── */

int protection_take_backup_jobs(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	size_t bad = 0;
	int r = pve_posture_take_jobs(&c->protection.posture, *answer, cluster_poller_now(c), &bad);

	(void)source;
	if (r < 0)
		return r;
	protection_count_bad(c, bad);
	backups_changed(c);
	return 0;
}

int protection_take_backup_list(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	struct pve_listing *listing =
		pve_listings_find(&c->protection.posture.listings, source->node, source->item);
	size_t bad = 0;
	int r;

	if (!listing)
		return 0;
	r = pve_listing_take(listing, *answer, cluster_poller_now(c), &bad);
	if (r < 0)
		return r;
	protection_count_bad(c, bad);
	backups_changed(c);
	return 0;
}

void backups_on_failure(struct cluster_poller *c, struct source *source,
			const struct pve_fault *fault)
{
	struct pve_posture *posture = &c->protection.posture;
	struct pve_listing *listing;

	if (source->kind == SOURCE_BACKUP_JOBS) {
		(void)snprintf(posture->jobs_error, sizeof(posture->jobs_error), "%s", fault->text);
		backups_changed(c);
		return;
	}
	listing = pve_listings_find(&posture->listings, source->node, source->item);
	if (!listing)
		return;
	pve_listing_fail(listing, fault->text);
	backups_changed(c);
}
