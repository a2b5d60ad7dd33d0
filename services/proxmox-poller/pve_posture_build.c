/* SPDX-License-Identifier: MIT */
/*
 * The posture of each guest and of all. Two questions decide what is unknown. May a storage that cannot be read hold
 * something of this guest (then how many backups there are is unknown)? Does the guest depend on it, because a job
 * puts its backups there, it held some when it could be read, or nobody else has any (then the last good one is)?
 */
#include "services/proxmox-poller/pve_posture.h"

#define PERIODS 3
#define JOBS_MAX 128
#define JOBS_OF_GUEST_MAX 32
#define ORPHANS_MAX 256

/* What one storage keeps of one guest. */
struct entry {
	const struct pve_kept *kept;
	const struct pve_listing *listing;
};

struct pve_posture_round {
	const struct pve_posture *posture;
	const struct pve_cluster *cluster;
	struct arena *arena;
	bool complete;
	int64_t ts;

	struct entry *entries; /* of the storages that are known, by vmid */
	size_t entries_n;
	const struct pve_listing **unknown;
	size_t unknown_n;
	const char *jobs_reason; /* NULL while the jobs are known */

	int64_t guests, not_covered, never;
	bool never_unknown;
	int64_t *job_guests;
};

/* ── a round ───────────────────────────────────────────────────────────────────────────────────────────────── */

static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->kept->vmid != y->kept->vmid)
		return x->kept->vmid < y->kept->vmid ? -1 : 1;
	/* Of one array, in the order of storages. */
	return x->listing < y->listing ? -1 : x->listing > y->listing;
}

static void collect(struct pve_posture_round *round, struct pve_now now)
{
	const struct pve_listings *listings = &round->posture->listings;
	size_t max = 0;

	for (size_t i = 0; i < listings->n; i++)
		max += listings->list[i].kept.n;
	round->entries = pve_list_alloc(round->arena, max, sizeof(*round->entries));
	round->unknown =
		pve_list_alloc(round->arena, listings->n, sizeof(const struct pve_listing *));
	for (size_t i = 0; i < listings->n; i++) {
		const struct pve_listing *listing = &listings->list[i];

		if (!pve_listing_is_known(listings, listing, now)) {
			round->unknown[round->unknown_n++] = listing;
			continue;
		}
		round->ts = min_of(round->ts, listing->answer.at.wall_ms);
		for (size_t k = 0; k < listing->kept.n; k++)
			round->entries[round->entries_n++] =
				(struct entry){ &listing->kept.rows[k], listing };
	}
	qsort(round->entries, round->entries_n, sizeof(*round->entries), compare_entries);
}

static const char *judge_jobs(const struct pve_posture *posture, struct pve_now now,
			      struct arena *arena)
{
	int64_t age = now.boot_ms - posture->jobs_answer.at.boot_ms;

	if (posture->jobs_answer.has && age <= PERIODS * posture->period_ms)
		return NULL;
	return posture->jobs_error[0] ? pve_text(arena, posture->jobs_error, 256) :
					"the backup jobs were not read yet";
}

struct pve_posture_round *pve_posture_round_new(const struct pve_posture *posture,
						const struct pve_cluster *cluster, bool complete,
						struct pve_now now, struct arena *arena)
{
	struct pve_posture_round *round = arena_alloc(arena, sizeof(*round));

	round->posture = posture;
	round->cluster = cluster;
	round->arena = arena;
	round->complete = complete;
	round->ts = now.wall_ms;
	round->jobs_reason = judge_jobs(posture, now, arena);
	if (!round->jobs_reason)
		round->ts = min_of(round->ts, posture->jobs_answer.at.wall_ms);
	round->job_guests = pve_list_alloc(arena, posture->jobs.n, sizeof(*round->job_guests));
	collect(round, now);
	return round;
}

/* ── one guest ─────────────────────────────────────────────────────────────────────────────────────────────── */

static bool covers(const struct pve_backup_job *job, const struct pve_guest *guest)
{
	return pve_backup_job_covers(job, guest->vmid, guest->row->node, guest->row->pool);
}

static void build_cover(struct pve_posture_round *round, const struct pve_guest *guest,
			struct arena *arena, struct msg_guest_backup *ret)
{
	const struct pve_backup_jobs *jobs = &round->posture->jobs;
	const char **names = arena_alloc(arena, JOBS_OF_GUEST_MAX * sizeof(*names));

	ret->jobs = names;
	if (round->jobs_reason)
		return;
	ret->covered = some_bool(false);
	for (size_t i = 0; i < jobs->n; i++) {
		const struct pve_backup_job *job = &jobs->rows[i];

		if (!covers(job, guest))
			continue;
		round->job_guests[i]++;
		if (!pve_backup_job_enabled(job))
			continue;
		ret->covered.v = true;
		if (ret->jobs_n < JOBS_OF_GUEST_MAX)
			names[ret->jobs_n++] = job->id;
		if (job->next_run.has &&
		    (!ret->next_run_ms.has || job->next_run.v * 1000 < ret->next_run_ms.v))
			ret->next_run_ms = some_i64(job->next_run.v * 1000);
	}
	round->not_covered += !ret->covered.v;
}

/* The first entry of VMID. */
static size_t entry_place(const struct pve_posture_round *round, int64_t vmid)
{
	size_t low = 0, high = round->entries_n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (round->entries[middle].kept->vmid < vmid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_target(const struct pve_posture_round *round, const struct pve_listing *listing,
		      const struct pve_guest *guest)
{
	const struct pve_backup_jobs *jobs = &round->posture->jobs;

	for (size_t i = 0; i < jobs->n; i++) {
		const struct pve_backup_job *job = &jobs->rows[i];

		if (job->storage && str_eq(job->storage, listing->storage) &&
		    pve_backup_job_enabled(job) && covers(job, guest))
			return true;
	}
	return false;
}

struct doubt {
	const struct pve_listing *first; /* that makes something unknown; NULL: all is known */
	bool last;			 /* the last good one is unknown */
};

static struct doubt doubt_about(const struct pve_posture_round *round,
				const struct pve_guest *guest, bool has_any)
{
	struct doubt doubt = { 0 };

	for (size_t i = 0; i < round->unknown_n; i++) {
		const struct pve_listing *listing = round->unknown[i];
		bool near = listing->shared || str_eq(listing->node, guest->row->node);
		bool held = pve_kept_find(&listing->kept, guest->vmid);
		bool depends = !has_any || held || (near && is_target(round, listing, guest));

		if ((depends && !doubt.last) || (near && !doubt.first))
			doubt.first = listing;
		doubt.last = doubt.last || depends;
	}
	return doubt;
}

/* What the storages that are known keep of it; the newest good one is the last. */
static const struct entry *add_entries(const struct pve_posture_round *round, int64_t vmid,
				       int64_t *backups, const struct entry **rotten)
{
	const struct entry *best = NULL;

	for (size_t i = entry_place(round, vmid);
	     i < round->entries_n && round->entries[i].kept->vmid == vmid; i++) {
		const struct entry *entry = &round->entries[i];

		*backups += entry->kept->backups;
		if (entry->kept->good_s && (!best || entry->kept->good_s > best->kept->good_s))
			best = entry;
		if (entry->kept->bad_s && (!*rotten || entry->kept->bad_s > (*rotten)->kept->bad_s))
			*rotten = entry;
	}
	return best;
}

static void build_last(const struct entry *best, const struct entry *rotten,
		       struct msg_guest_backup *ret)
{
	if (best) {
		ret->last_ok_ms = some_i64(best->kept->good_s * 1000);
		ret->storage = best->listing->storage;
		ret->size = best->kept->good_size;
		if (best->kept->good_verified)
			ret->verified = some_bool(true);
	} else if (rotten) {
		ret->verified = some_bool(false);
	}
}

static void build_error(const struct pve_posture *posture, const struct entry *rotten,
			struct arena *arena, struct msg_guest_backup *ret)
{
	const struct pve_failed_backup *failure = pve_posture_find_failure(posture, ret->vmid);
	int64_t good_ms = ret->last_ok_ms.has ? ret->last_ok_ms.v : 0;

	/* A good one that was begun later puts it right. */
	if (failure && failure->start_ms > good_ms) {
		ret->last_error_ms = some_i64(failure->end_ms);
		ret->last_error = pve_text(arena, failure->text, 256);
	}
	if (!rotten || rotten->kept->bad_s * 1000 <= good_ms)
		return;
	if (ret->last_error_ms.has && ret->last_error_ms.v >= rotten->kept->bad_s * 1000)
		return;
	ret->last_error_ms = some_i64(rotten->kept->bad_s * 1000);
	ret->last_error =
		arena_printf(arena, "the newest backup on %.64s did not pass verification",
			     rotten->listing->storage);
}

void pve_build_guest_backup(struct pve_posture_round *round, const struct pve_guest *guest,
			    struct arena *arena, struct msg_guest_backup *ret)
{
	const struct entry *best, *rotten = NULL;
	struct doubt doubt;
	int64_t backups = 0;

	*ret = (struct msg_guest_backup){
		.ts = round->ts,
		.cluster = round->cluster->name,
		.vmid = guest->vmid,
		.reason = round->jobs_reason,
	};
	round->guests++;
	build_cover(round, guest, arena, ret);
	best = add_entries(round, guest->vmid, &backups, &rotten);
	doubt = doubt_about(round, guest, best);
	if (doubt.first)
		ret->reason = pve_listing_reason(doubt.first, round->cluster, arena);
	else
		ret->backups = some_i64(backups);
	if (!doubt.last)
		build_last(best, rotten, ret);
	build_error(round->posture, doubt.last ? NULL : rotten, arena, ret);
	round->never += !best && !doubt.last;
	round->never_unknown = round->never_unknown || doubt.last;
}

/* ── all guests ────────────────────────────────────────────────────────────────────────────────────────────── */

static void build_jobs(const struct pve_posture_round *round, struct msg_backup_posture *ret)
{
	const struct pve_backup_jobs *jobs = &round->posture->jobs;
	size_t n = min_of(jobs->n, (size_t)JOBS_MAX);
	struct msg_backup_job *list = pve_list_alloc(round->arena, n, sizeof(*list));

	for (size_t i = 0; i < n; i++) {
		const struct pve_backup_job *job = &jobs->rows[i];

		list[i] = (struct msg_backup_job){
			.id = job->id,
			.enabled = pve_backup_job_enabled(job),
			.schedule = pve_text(round->arena, job->schedule, 128),
			.storage = pve_text(round->arena, job->storage, 64),
			.node = pve_text(round->arena, job->node, 64),
			.comment = pve_text(round->arena, job->comment, 256),
		};
		if (!round->jobs_reason)
			list[i].guests = some_i64(round->job_guests[i]);
		if (job->next_run.has && list[i].enabled)
			list[i].next_run_ms = some_i64(job->next_run.v * 1000);
	}
	ret->jobs = list;
	ret->jobs_n = n;
}

static void build_orphans(const struct pve_posture_round *round, struct msg_backup_posture *ret)
{
	struct msg_orphaned_backup *list = pve_list_alloc(round->arena, ORPHANS_MAX, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; round->complete && i < round->entries_n && n < ORPHANS_MAX; i++) {
		const struct pve_kept *kept = round->entries[i].kept;
		const struct pve_listing *listing = round->entries[i].listing;

		if (pve_cluster_find_guest(round->cluster, kept->vmid))
			continue;
		list[n] = (struct msg_orphaned_backup){
			.vmid = kept->vmid,
			.storage = listing->storage,
			.node = listing->shared ? NULL : listing->node,
			.backups = kept->backups,
			.size = some_i64(kept->size),
		};
		if (kept->newest_s)
			list[n].newest_ms = some_i64(kept->newest_s * 1000);
		n++;
	}
	ret->orphans = list;
	ret->orphans_n = n;
}

static const char *posture_reason(const struct pve_posture_round *round)
{
	const char *first;

	if (round->jobs_reason)
		return round->jobs_reason;
	if (!round->unknown_n)
		return round->complete ?
			       NULL :
			       "backups of guests that are gone are not told: not all guests can be "
			       "seen at present";
	first = pve_listing_reason(round->unknown[0], round->cluster, round->arena);
	if (round->unknown_n == 1)
		return pve_text(round->arena, first, 256);
	return arena_printf(round->arena, "%.230s; and %zu more", first, round->unknown_n - 1);
}

void pve_build_posture(struct pve_posture_round *round, struct msg_backup_posture *ret)
{
	*ret = (struct msg_backup_posture){
		.ts = round->ts,
		.cluster = round->cluster->name,
		.guests = some_i64(round->guests),
		.reason = posture_reason(round),
	};
	if (!round->jobs_reason)
		ret->not_covered = some_i64(round->not_covered);
	if (!round->never_unknown)
		ret->never = some_i64(round->never);
	build_jobs(round, ret);
	build_orphans(round, ret);
}
