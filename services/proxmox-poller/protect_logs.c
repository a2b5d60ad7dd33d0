/* SPDX-License-Identifier: MIT */
/*
 * Backup tasks that failed. Which guests failed, and why, stands in the log of the task alone; it is read once for
 * each task, one at a time.
 */
#include "services/proxmox-poller/protection_parts.h"

#include <stdio.h>

#define WAITING_MAX 64
#define TRIES_MAX 3
#define RETRY_MS 60000
#define TIME_MAX_S 100000000000 /* the year 5138 */
/* The exit status of a job whose guests have reasons of their own. */
#define JOB_ERRORS "job errors"

struct task_row {
	const char *upid, *node, *type, *id, *status;
	struct opt_i64 starttime, endtime;
};

static const struct pve_field fields[] = {
	PVE_FIELD(task_row, "endtime", endtime, PVE_I64),
	PVE_FIELD(task_row, "id", id, PVE_STR),
	PVE_FIELD(task_row, "node", node, PVE_STR),
	PVE_FIELD(task_row, "starttime", starttime, PVE_I64),
	PVE_FIELD(task_row, "status", status, PVE_STR),
	PVE_FIELD(task_row, "type", type, PVE_STR),
	PVE_FIELD(task_row, "upid", upid, PVE_STR),
};

static uint64_t hash_of(const char *text)
{
	uint64_t hash = 14695981039346656037u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	return hash;
}

static int compare_hashes(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static bool was_seen(const struct protection *p, uint64_t hash)
{
	return p->seen_n && bsearch(&hash, p->seen, p->seen_n, sizeof(hash), compare_hashes);
}

static void wait_free(struct backup_log_wait *wait)
{
	free(wait->upid);
	free(wait->node);
}

void backup_logs_done(struct protection *protection)
{
	for (size_t i = 0; i < protection->logs_n; i++)
		wait_free(&protection->logs[i]);
	free(protection->logs);
	free(protection->seen);
	protection->logs = NULL;
	protection->seen = NULL;
	protection->logs_n = protection->seen_n = 0;
}

static void drop(struct protection *p, struct backup_log_wait *wait)
{
	wait_free(wait);
	*wait = p->logs[--p->logs_n];
}

/* ── tasks ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_failed_backup(const cJSON *item)
{
	const cJSON *type = json_get(item, "type"), *status = json_get(item, "status");

	return cJSON_IsString(type) && str_eq(type->valuestring, "vzdump") &&
	       cJSON_IsString(status) && pve_task_status_of(status->valuestring) == TASK_FAILED;
}

static bool is_usable(const struct task_row *row)
{
	return row->upid && strlen(row->upid) < sizeof(((struct source *)0)->item) &&
	       pve_is_name(row->node) && row->starttime.has && row->starttime.v <= TIME_MAX_S;
}

static void note_task(struct cluster_poller *c, const struct task_row *row)
{
	struct protection *p = &c->protection;
	int64_t end_s = row->endtime.has && row->endtime.v <= TIME_MAX_S ? row->endtime.v :
									   row->starttime.v;
	struct backup_log_wait wait = {
		.start_ms = row->starttime.v * 1000,
		.end_ms = end_s * 1000,
		.due_ms = cluster_poller_now(c).boot_ms,
	};

	if (row->id && str_to_i64(row->id, 1, INT32_MAX, &wait.vmid) == 0)
		pve_posture_note_failure(&p->posture, wait.vmid, wait.start_ms, wait.end_ms,
					 row->status);
	wait.upid = xstrdup(row->upid);
	wait.node = xstrdup(row->node);
	p->logs = xreallocarray(p->logs, p->logs_n + 1, sizeof(*p->logs));
	p->logs[p->logs_n++] = wait;
	backups_changed(c);
}

/* The tasks of ITEM's answer that were looked at are remembered as long as they are listed: SEEN has room for all. */
static void look_at(struct cluster_poller *c, const cJSON *item, struct arena *arena,
		    uint64_t *seen, size_t *seen_n)
{
	struct task_row row = { 0 };
	uint64_t hash;

	pve_read(item, fields, countof(fields), arena, &row);
	if (!is_usable(&row))
		return;
	hash = hash_of(row.upid);
	if (!was_seen(&c->protection, hash)) {
		/* The rest has its turn with a later answer. */
		if (c->protection.logs_n >= WAITING_MAX)
			return;
		note_task(c, &row);
	}
	seen[(*seen_n)++] = hash;
}

void protection_take_tasks(struct cluster_poller *c, const cJSON *answer)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const cJSON *data = pve_data_list(answer), *item;
	uint64_t *seen = xcalloc((size_t)cJSON_GetArraySize(data), sizeof(*seen));
	size_t n = 0;

	cJSON_ArrayForEach(item, data) {
		if (is_failed_backup(item))
			look_at(c, item, arena, seen, &n);
	}
	qsort(seen, n, sizeof(*seen), compare_hashes);
	free(c->protection.seen);
	c->protection.seen = seen;
	c->protection.seen_n = n;
}

/* ── logs ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static struct backup_log_wait *find_wait(struct protection *p, const char *upid)
{
	for (size_t i = 0; i < p->logs_n; i++) {
		if (str_eq(p->logs[i].upid, upid))
			return &p->logs[i];
	}
	return NULL;
}

static bool is_one_asked(const struct protection *p)
{
	for (size_t i = 0; i < p->logs_n; i++) {
		if (p->logs[i].asked)
			return true;
	}
	return false;
}

void backup_logs_run(struct cluster_poller *c, int64_t now)
{
	struct protection *p = &c->protection;

	if (is_one_asked(p))
		return;
	for (size_t i = 0; i < p->logs_n; i++) {
		struct backup_log_wait *wait = &p->logs[i];
		struct source *source;

		if (wait->due_ms > now || pve_cluster_is_offline(&c->model, wait->node))
			continue;
		wait->asked = true;
		source = cluster_poller_get_item(c, SOURCE_TASK_LOG, wait->node, wait->upid);
		slot_call(&source->slot, now);
		return;
	}
}

int64_t backup_logs_wake(const struct cluster_poller *c)
{
	int64_t wake = INT64_MAX;

	if (is_one_asked(&c->protection))
		return wake;
	for (size_t i = 0; i < c->protection.logs_n; i++) {
		const struct backup_log_wait *wait = &c->protection.logs[i];

		if (!pve_cluster_is_offline(&c->model, wait->node))
			wake = min_of(wake, wait->due_ms);
	}
	return wake;
}

/* A job that fell over before its guests, or between them: those that it did not reach were not backed up. */
static void note_all(struct cluster_poller *c, const struct backup_log_wait *wait,
		     const struct pve_backup_log *log, const char *text)
{
	for (size_t i = 0; i < c->model.guests_n; i++) {
		const struct pve_guest *guest = &c->model.guests[i];

		if (str_eq(guest->row->node, wait->node) && pve_backup_log_meant(log, guest->vmid))
			pve_posture_note_failure(&c->protection.posture, guest->vmid,
						 wait->start_ms, wait->end_ms, text);
	}
}

static const char *exit_text(const cJSON *answer)
{
	const cJSON *data = pve_data_list(answer);
	const cJSON *last = cJSON_GetArrayItem(data, cJSON_GetArraySize(data) - 1);
	const cJSON *text = json_get(last, "t");

	const char *prefix = "TASK ERROR: ";

	if (cJSON_IsString(text) && str_starts(text->valuestring, prefix) &&
	    text->valuestring[strlen(prefix)])
		return text->valuestring + strlen(prefix);
	return "the backup task failed";
}

int protection_take_task_log(struct cluster_poller *c, struct source *source, cJSON **answer)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct protection *p = &c->protection;
	struct backup_log_wait *wait = find_wait(p, source->item);
	const char *exit = pve_text(arena, exit_text(*answer), 256);
	struct pve_backup_log log;
	int r;

	r = pve_parse_backup_log(*answer, arena, &log);
	if (r < 0 || !wait)
		return r;
	if (!log.failures_n || !str_eq(exit, JOB_ERRORS))
		note_all(c, wait, &log, exit);
	for (size_t i = 0; i < log.failures_n; i++) {
		const struct pve_backup_failure *failure = &log.failures[i];

		if (pve_cluster_find_guest(&c->model, failure->vmid))
			pve_posture_note_failure(&p->posture, failure->vmid, wait->start_ms,
						 wait->end_ms,
						 failure->text[0] ? failure->text : exit);
	}
	drop(p, wait);
	backups_changed(c);
	return 0;
}

void backup_logs_on_failure(struct cluster_poller *c, const struct source *source)
{
	struct protection *p = &c->protection;
	struct backup_log_wait *wait = find_wait(p, source->item);

	if (!wait)
		return;
	wait->asked = false;
	wait->due_ms = cluster_poller_now(c).boot_ms + RETRY_MS;
	if (++wait->tries >= TRIES_MAX)
		drop(p, wait);
}
