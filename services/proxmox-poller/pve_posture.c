/* SPDX-License-Identifier: MIT */
/*
 * What the posture is made of: jobs, lists, and attempts that failed, of which the last of each guest is kept.
 */
#include "services/proxmox-poller/pve_posture.h"

#include <errno.h>
#include <stdio.h>

void pve_posture_init(struct pve_posture *posture, int64_t period_ms)
{
	*posture = (struct pve_posture){ .period_ms = period_ms };
	posture->listings.period_ms = period_ms;
}

void pve_posture_done(struct pve_posture *posture)
{
	arena_free(posture->jobs_answer.arena);
	pve_listings_done(&posture->listings);
	free(posture->failed);
	pve_posture_init(posture, posture->period_ms);
}

int pve_posture_take_jobs(struct pve_posture *posture, const cJSON *answer, struct pve_now now,
			  size_t *bad)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_backup_jobs jobs;
	int r;

	r = pve_parse_backup_jobs(answer, arena, &jobs);
	if (r < 0)
		return r;
	*bad = jobs.bad;
	posture->jobs = jobs;
	posture->jobs_error[0] = '\0';
	arena_free(posture->jobs_answer.arena);
	posture->jobs_answer = (struct pve_answer){ true, take(arena), now };
	return 0;
}

/* The first failure that is not before VMID's. */
static size_t failure_place(const struct pve_posture *posture, int64_t vmid)
{
	size_t low = 0, high = posture->failed_n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (posture->failed[middle].vmid < vmid)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct pve_failed_backup *pve_posture_find_failure(const struct pve_posture *posture, int64_t vmid)
{
	size_t place = failure_place(posture, vmid);

	if (place < posture->failed_n && posture->failed[place].vmid == vmid)
		return &posture->failed[place];
	return NULL;
}

void pve_posture_note_failure(struct pve_posture *posture, int64_t vmid, int64_t start_ms,
			      int64_t end_ms, const char *text)
{
	struct pve_failed_backup *failure = pve_posture_find_failure(posture, vmid);
	size_t place = failure_place(posture, vmid);

	if (failure && failure->start_ms > start_ms)
		return;
	if (!failure) {
		posture->failed = xreallocarray(posture->failed, posture->failed_n + 1,
						sizeof(*posture->failed));
		failure = &posture->failed[place];
		memmove(failure + 1, failure, (posture->failed_n++ - place) * sizeof(*failure));
	}
	*failure =
		(struct pve_failed_backup){ .vmid = vmid, .start_ms = start_ms, .end_ms = end_ms };
	(void)snprintf(failure->text, sizeof(failure->text), "%s", text);
}

void pve_posture_forget_gone(struct pve_posture *posture, const struct pve_cluster *cluster)
{
	size_t kept = 0;

	for (size_t i = 0; i < posture->failed_n; i++) {
		if (pve_cluster_find_guest(cluster, posture->failed[i].vmid))
			posture->failed[kept++] = posture->failed[i];
	}
	posture->failed_n = kept;
}
