/* SPDX-License-Identifier: MIT */
/*
 * Backup jobs and what is kept. A backup that a backup server did not finish is listed too, with a size of one byte:
 * it is none.
 */
#include "services/proxmox-poller/pve_backups.h"

#include <errno.h>

#define TIME_MAX_S 100000000000 /* the year 5138 */
#define SEPARATORS ",; \t"

/* ── jobs ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct pve_field job_fields[] = {
	PVE_FIELD(pve_backup_job, "all", all, PVE_BOOL),
	PVE_FIELD(pve_backup_job, "comment", comment, PVE_STR),
	PVE_FIELD(pve_backup_job, "enabled", enabled, PVE_BOOL),
	PVE_FIELD(pve_backup_job, "exclude", exclude, PVE_STR),
	PVE_FIELD(pve_backup_job, "id", id, PVE_STR),
	PVE_FIELD(pve_backup_job, "next-run", next_run, PVE_I64),
	PVE_FIELD(pve_backup_job, "node", node, PVE_STR),
	PVE_FIELD(pve_backup_job, "pool", pool, PVE_STR),
	PVE_FIELD(pve_backup_job, "schedule", schedule, PVE_STR),
	PVE_FIELD(pve_backup_job, "storage", storage, PVE_STR),
	PVE_FIELD(pve_backup_job, "vmid", vmids, PVE_STR),
};

static int compare_jobs(const void *a, const void *b)
{
	return strcmp(((const struct pve_backup_job *)a)->id,
		      ((const struct pve_backup_job *)b)->id);
}

static bool keep_job(void *row, _unused_ const cJSON *item, _unused_ struct arena *arena)
{
	struct pve_backup_job *job = row;

	if (!job->next_run.has || job->next_run.v > TIME_MAX_S)
		job->next_run.has = false;
	return pve_is_name(job->id);
}

int pve_parse_backup_jobs(const cJSON *answer, struct arena *arena, struct pve_backup_jobs *ret)
{
	static const struct pve_rows rows = { job_fields, countof(job_fields),
					      sizeof(struct pve_backup_job), keep_job,
					      compare_jobs };

	ret->rows = pve_read_rows(answer, &rows, arena, &ret->n, &ret->bad);
	return ret->rows ? 0 : -EINVAL;
}

bool pve_list_has_vmid(const char *list, int64_t vmid)
{
	char word[24];
	int64_t number;

	for (size_t length; list && *list; list += length) {
		list += strspn(list, SEPARATORS);
		length = strcspn(list, SEPARATORS);
		if (!length || length >= sizeof(word))
			continue;
		memcpy(word, list, length);
		word[length] = '\0';
		if (str_to_i64(word, 1, INT32_MAX, &number) == 0 && number == vmid)
			return true;
	}
	return false;
}

bool pve_backup_job_covers(const struct pve_backup_job *job, int64_t vmid, const char *node,
			   const char *pool)
{
	if (job->node && !str_eq(job->node, node))
		return false;
	if (job->pool)
		return pool && str_eq(job->pool, pool);
	if (job->vmids)
		return pve_list_has_vmid(job->vmids, vmid);
	/* To exclude some is to mean all others. */
	if ((job->all.has && job->all.v) || job->exclude)
		return !pve_list_has_vmid(job->exclude, vmid);
	return false;
}

bool pve_backup_job_enabled(const struct pve_backup_job *job)
{
	return !job->enabled.has || job->enabled.v;
}

/* ── what is kept ──────────────────────────────────────────────────────────────────────────────────────────── */

struct content_row {
	const char *content, *format, *volid, *verification;
	struct opt_i64 vmid, ctime, size;
};

static const struct pve_field content_fields[] = {
	PVE_FIELD(content_row, "content", content, PVE_STR),
	PVE_FIELD(content_row, "ctime", ctime, PVE_I64),
	PVE_FIELD(content_row, "format", format, PVE_STR),
	PVE_FIELD(content_row, "size", size, PVE_I64),
	PVE_FIELD(content_row, "vmid", vmid, PVE_I64),
	PVE_FIELD(content_row, "volid", volid, PVE_STR),
};

static int compare_kept(const void *a, const void *b)
{
	const struct pve_kept *x = a, *y = b;

	return x->vmid < y->vmid ? -1 : x->vmid > y->vmid;
}

static bool is_unfinished(const struct content_row *row)
{
	return row->format && str_starts(row->format, "pbs-") && row->size.has && row->size.v <= 1;
}

/* One backup as a row of its own; they are added up afterwards. */
static struct pve_kept kept_of(const struct content_row *row, const char *verification)
{
	struct pve_kept kept = {
		.vmid = row->vmid.v,
		.backups = 1,
		.size = row->size.has ? row->size.v : 0,
		.newest_s = row->ctime.has && row->ctime.v <= TIME_MAX_S ? row->ctime.v : 0,
	};

	if (verification && str_eq(verification, "failed")) {
		kept.bad_s = kept.newest_s;
		return kept;
	}
	kept.good_s = kept.newest_s;
	kept.good_size = row->size;
	kept.good_verified = verification && str_eq(verification, "ok");
	return kept;
}

static int64_t add_sizes(int64_t a, int64_t b)
{
	const int64_t max = 9007199254740991;

	return a > max - b ? max : a + b;
}

static void add_kept(struct pve_kept *sum, const struct pve_kept *one)
{
	sum->backups += one->backups;
	sum->size = add_sizes(sum->size, one->size);
	sum->newest_s = max_of(sum->newest_s, one->newest_s);
	sum->bad_s = max_of(sum->bad_s, one->bad_s);
	if (one->good_s > sum->good_s) {
		sum->good_s = one->good_s;
		sum->good_size = one->good_size;
		sum->good_verified = one->good_verified;
	}
}

static void add_up(struct pve_kept_list *list)
{
	size_t n = 0;

	qsort(list->rows, list->n, sizeof(*list->rows), compare_kept);
	for (size_t i = 0; i < list->n; i++) {
		if (n && list->rows[n - 1].vmid == list->rows[i].vmid)
			add_kept(&list->rows[n - 1], &list->rows[i]);
		else
			list->rows[n++] = list->rows[i];
	}
	list->n = n;
}

static void read_content(const cJSON *item, struct arena *arena, struct pve_kept_list *list)
{
	const cJSON *state = json_get(json_get(item, "verification"), "state");
	struct content_row row = { 0 };

	pve_read(item, content_fields, countof(content_fields), arena, &row);
	if (row.content && !str_eq(row.content, "backup"))
		return;
	if (!row.volid || !row.vmid.has || row.vmid.v <= 0 || row.vmid.v > INT32_MAX) {
		list->bad++;
		return;
	}
	if (!is_unfinished(&row))
		list->rows[list->n++] =
			kept_of(&row, cJSON_IsString(state) ? state->valuestring : NULL);
}

int pve_parse_kept(const cJSON *answer, struct arena *arena, struct pve_kept_list *ret)
{
	_cleanup_(arena_freep) struct arena *scratch = arena_new();
	const cJSON *data = pve_data_list(answer);
	struct pve_kept_list list = { 0 };
	struct pve_kept *rows;
	const cJSON *item;

	if (!data)
		return -EINVAL;
	list.rows = pve_list_alloc(scratch, (size_t)cJSON_GetArraySize(data), sizeof(*list.rows));
	cJSON_ArrayForEach(item, data)
		read_content(item, scratch, &list);
	add_up(&list);
	rows = pve_list_alloc(arena, list.n, sizeof(*rows));
	if (list.n)
		memcpy(rows, list.rows, list.n * sizeof(*rows));
	list.rows = rows;
	*ret = list;
	return 0;
}

const struct pve_kept *pve_kept_find(const struct pve_kept_list *list, int64_t vmid)
{
	struct pve_kept key = { .vmid = vmid };

	if (!list->n)
		return NULL;
	return bsearch(&key, list->rows, list->n, sizeof(key), compare_kept);
}
