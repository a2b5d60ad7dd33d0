/* SPDX-License-Identifier: MIT */
/*
 * Merging lists of tasks. Memory is bounded: the newest 100 and what still runs are kept whole, of the others a hash
 * of the UPID for an hour, so that a task that fell off the list is not new again when a node comes back.
 */
#include "services/proxmox-poller/pve_tasks.h"

#include "common/codec.h"

#include <ctype.h>

#define MISSED_MAX 2	 /* answers without a running task, before its end is unknown */
#define RUNNING_MAX 1000 /* kept beyond the newest */
#define SEEN_MS 3600000
#define UPID_MAX_BYTES 256
#define TIME_MAX_S 100000000000 /* the year 5138 */

struct pve_task_entry {
	struct arena *arena;
	const struct msg_task *task;
	unsigned missed;
};

static void entry_free(struct pve_task_entry *entry)
{
	if (!entry)
		return;
	arena_free(entry->arena);
	free(entry);
}

static void entry_set(struct pve_task_entry *entry, const struct msg_task *task)
{
	struct arena *arena = arena_new();

	entry->task = codec_copy(&message_task, task, arena);
	arena_free(entry->arena);
	entry->arena = arena;
	entry->missed = 0;
}

void pve_tasks_done(struct pve_task_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		entry_free(list->entries[i]);
	free(list->entries);
	free(list->seen);
	*list = (struct pve_task_list){ 0 };
}

/* "WARNINGS: 3" */
static bool is_warnings(const char *text)
{
	if (!str_starts(text, "WARNINGS: "))
		return false;
	text += strlen("WARNINGS: ");
	for (const char *c = text; *c; c++) {
		if (!isdigit((unsigned char)*c))
			return false;
	}
	return text[0];
}

enum task_status pve_task_status_of(const char *exitstatus)
{
	if (!exitstatus || str_eq(exitstatus, "RUNNING"))
		return TASK_RUNNING;
	if (str_eq(exitstatus, "OK"))
		return TASK_OK;
	if (is_warnings(exitstatus))
		return TASK_WARNING;
	/* Proxmox does not know either: the task's log has no last line. */
	if (str_eq(exitstatus, "unexpected status") ||
	    str_starts(exitstatus, "unable to get last line"))
		return TASK_UNKNOWN;
	return TASK_FAILED;
}

static const char *user_of(const struct pve_task *row, struct arena *arena)
{
	if (!row->user)
		return "";
	if (!row->tokenid || strchr(row->user, '!'))
		return pve_text(arena, row->user, 128);
	return pve_text(arena, arena_printf(arena, "%s!%s", row->user, row->tokenid), 128);
}

static struct msg_task task_of(const struct pve_task *row, struct arena *arena)
{
	struct msg_task task = {
		.upid = row->upid,
		.node = row->node,
		.type = pve_text(arena, row->type, 32),
		.id = pve_text(arena, row->id, 64),
		.user = user_of(row, arena),
		.start_ms = row->starttime.v * 1000,
		.status = pve_task_status_of(row->status),
		.exitstatus = pve_text(arena, row->status, 512),
	};

	if (row->endtime.has && row->endtime.v <= TIME_MAX_S) {
		task.end_ms = some_i64(row->endtime.v * 1000);
		/* Ended, but nobody knows how. */
		if (task.status == TASK_RUNNING)
			task.status = TASK_UNKNOWN;
	}
	return task;
}

/* ── what was seen before ──────────────────────────────────────────────────────────────────────────────────── */

static uint64_t hash_of(const char *text)
{
	uint64_t hash = 14695981039346656037u;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	return hash;
}

static int compare_seen(const void *a, const void *b)
{
	const struct pve_seen *x = a, *y = b;

	if (x->hash != y->hash)
		return x->hash < y->hash ? -1 : 1;
	/* The newest first, so that it is the one that stays. */
	return x->last_ms > y->last_ms ? -1 : x->last_ms < y->last_ms;
}

static bool was_seen(const struct pve_task_list *list, const char *upid)
{
	uint64_t hash = hash_of(upid);
	size_t low = 0, high = list->seen_n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (list->seen[middle].hash == hash)
			return true;
		if (list->seen[middle].hash < hash)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static void seen_update(struct pve_task_list *list, const struct pve_tasks *answer, int64_t boot_ms)
{
	struct pve_seen *seen = xcalloc(list->seen_n + answer->n, sizeof(*seen));
	size_t n = 0, kept = 0;

	for (size_t i = 0; i < answer->n; i++)
		seen[n++] = (struct pve_seen){ hash_of(answer->rows[i].upid), boot_ms };
	for (size_t i = 0; i < list->seen_n; i++) {
		if (boot_ms - list->seen[i].last_ms < SEEN_MS)
			seen[n++] = list->seen[i];
	}
	qsort(seen, n, sizeof(*seen), compare_seen);
	for (size_t i = 0; i < n; i++) {
		if (!kept || seen[i].hash != seen[kept - 1].hash)
			seen[kept++] = seen[i];
	}
	free(list->seen);
	list->seen = seen;
	list->seen_n = kept;
}

/* ── merging ───────────────────────────────────────────────────────────────────────────────────────────────── */

struct merge {
	struct pve_task_list *list;
	struct pve_task_entry **index; /* of the old entries, by UPID */
	size_t index_n;
	struct arena *arena;
	pve_task_event_fn fn;
	void *ctx;
};

static int compare_index(const void *a, const void *b)
{
	const struct pve_task_entry *const *x = a, *const *y = b;

	return strcmp((*x)->task->upid, (*y)->task->upid);
}

static int compare_newest(const void *a, const void *b)
{
	const struct pve_task_entry *const *x = a, *const *y = b;

	if ((*x)->task->start_ms != (*y)->task->start_ms)
		return (*x)->task->start_ms > (*y)->task->start_ms ? -1 : 1;
	return strcmp((*y)->task->upid, (*x)->task->upid);
}

static int compare_oldest_row(const void *a, const void *b)
{
	const struct pve_task *x = a, *y = b;

	if (x->starttime.v != y->starttime.v)
		return x->starttime.v < y->starttime.v ? -1 : 1;
	return strcmp(x->upid, y->upid);
}

static struct pve_task_entry *find_entry(const struct merge *m, const char *upid)
{
	struct msg_task task = { .upid = upid };
	struct pve_task_entry key = { .task = &task }, *at = &key;
	struct pve_task_entry **found;

	if (!m->index_n)
		return NULL;
	found = bsearch(&at, m->index, m->index_n, sizeof(struct pve_task_entry *), compare_index);
	return found ? *found : NULL;
}

static void tell(const struct merge *m, enum event_type type, const struct msg_task *before,
		 const struct msg_task *after)
{
	if (m->list->started)
		m->fn(m->ctx, type, before, after);
}

static void merge_known(const struct merge *m, struct pve_task_entry *entry,
			const struct msg_task *task)
{
	if (entry->task->status == TASK_RUNNING && task->status != TASK_RUNNING)
		tell(m, EVENT_END, entry->task, task);
	/* The end of a task is the end, whatever a node says that has not heard of it. */
	if (entry->task->status == TASK_RUNNING || task->status != TASK_RUNNING)
		entry_set(entry, task);
	entry->missed = 0;
}

/*
 * A node that was away brings back tasks that ended before our memory of hashes begins. The margin of an hour is
 * more than clocks differ by.
 */
static bool is_history(const struct pve_task_list *list, const struct msg_task *task)
{
	int64_t last_ms = task->end_ms.has ? task->end_ms.v : task->start_ms;

	return task->status != TASK_RUNNING && last_ms < list->ts - SEEN_MS;
}

static void merge_new(const struct merge *m, const struct msg_task *task)
{
	struct pve_task_list *list = m->list;
	struct pve_task_entry *entry;

	if (was_seen(list, task->upid) && task->status != TASK_RUNNING)
		return;
	if (!is_history(list, task)) {
		tell(m, EVENT_NEW, NULL, task);
		if (task->status != TASK_RUNNING)
			tell(m, EVENT_END, NULL, task);
	}
	entry = xnew(struct pve_task_entry);
	entry_set(entry, task);
	list->entries = xreallocarray(list->entries, list->n + 1, sizeof(struct pve_task_entry *));
	list->entries[list->n++] = entry;
}

/* Running ones that the answer does not list: after a while nobody will tell how they ended. */
static void merge_missing(const struct merge *m)
{
	for (size_t i = 0; i < m->index_n; i++) {
		struct pve_task_entry *entry = m->index[i];
		struct msg_task task = *entry->task;

		if (task.status != TASK_RUNNING || entry->missed < MISSED_MAX)
			continue;
		task.status = TASK_UNKNOWN;
		tell(m, EVENT_END, entry->task, &task);
		entry_set(entry, &task);
	}
}

/* Sorts, and drops what is neither among the newest nor running. */
static void trim(struct pve_task_list *list)
{
	size_t kept = 0;

	if (list->n)
		qsort(list->entries, list->n, sizeof(struct pve_task_entry *), compare_newest);
	for (size_t i = 0; i < list->n; i++) {
		struct pve_task_entry *entry = list->entries[i];
		bool runs =
			entry->task->status == TASK_RUNNING && kept < PVE_TASKS_SHOWN + RUNNING_MAX;

		if (kept < PVE_TASKS_SHOWN || runs)
			list->entries[kept++] = entry;
		else
			entry_free(entry);
	}
	list->n = kept;
}

static void merge_rows(struct merge *m, const struct pve_tasks *answer, size_t *bad)
{
	for (size_t i = 0; i < answer->n; i++) {
		const struct pve_task *row = &answer->rows[i];
		struct pve_task_entry *entry;
		struct msg_task task;

		if (i && str_eq(row->upid, row[-1].upid))
			continue;
		if (strlen(row->upid) > UPID_MAX_BYTES || !pve_is_name(row->node) ||
		    row->starttime.v > TIME_MAX_S) {
			(*bad)++;
			continue;
		}
		task = task_of(row, m->arena);
		entry = find_entry(m, row->upid);
		if (entry)
			merge_known(m, entry, &task);
		else
			merge_new(m, &task);
	}
}

int pve_tasks_take(struct pve_task_list *list, const cJSON *answer, struct pve_now now,
		   pve_task_event_fn fn, void *ctx, size_t *bad)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(freep) struct pve_task_entry **index = NULL;
	struct merge m = { .list = list, .arena = arena, .fn = fn, .ctx = ctx };
	struct pve_tasks tasks;
	int r;

	r = pve_parse_tasks(answer, arena, &tasks);
	if (r < 0)
		return r;
	*bad = tasks.bad;
	qsort(tasks.rows, tasks.n, sizeof(*tasks.rows), compare_oldest_row);
	for (size_t i = 0; i < list->n; i++)
		list->entries[i]->missed += list->entries[i]->task->status == TASK_RUNNING;
	index = xcalloc(list->n, sizeof(struct pve_task_entry *));
	if (list->n)
		memcpy(index, list->entries, list->n * sizeof(struct pve_task_entry *));
	qsort(index, list->n, sizeof(struct pve_task_entry *), compare_index);
	m.index = index;
	m.index_n = list->n;
	merge_rows(&m, &tasks, bad);
	merge_missing(&m);
	trim(list);
	seen_update(list, &tasks, now.boot_ms);
	list->started = true;
	list->ts = now.wall_ms;
	return 0;
}

void pve_tasks_build(const struct pve_task_list *list, const char *cluster, struct arena *arena,
		     struct msg_tasks_state *ret)
{
	size_t n = min_of(list->n, (size_t)PVE_TASKS_SHOWN);
	struct msg_task *tasks = arena_alloc(arena, max_of(n, (size_t)1) * sizeof(*tasks));

	for (size_t i = 0; i < n; i++)
		tasks[i] = *list->entries[i]->task;
	*ret = (struct msg_tasks_state){
		.ts = list->ts, .cluster = cluster, .tasks = tasks, .tasks_n = n
	};
}
