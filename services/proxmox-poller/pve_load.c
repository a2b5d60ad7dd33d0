/* SPDX-License-Identifier: MIT */
/*
 * The sliding minute. A bucket is named by its number since the clock began; those that the window has left behind
 * are zeroed when the entry is counted in again, and passed over when it is read.
 */
#include "services/proxmox-poller/pve_load.h"

#include "common/str.h"

static int64_t bucket_of(int64_t now_ms)
{
	return now_ms / PVE_LOAD_BUCKET_MS;
}

static void entry_slide(struct pve_load_entry *entry, int64_t bucket)
{
	int64_t gone = min_of(bucket - entry->newest, (int64_t)PVE_LOAD_BUCKETS);

	for (int64_t i = 0; i < gone; i++)
		entry->counts[(bucket - i) % PVE_LOAD_BUCKETS] = 0;
	entry->newest = max_of(entry->newest, bucket);
}

static int64_t entry_sum(const struct pve_load_entry *entry, int64_t bucket)
{
	int64_t oldest = max_of(bucket - PVE_LOAD_BUCKETS + 1, (int64_t)0), sum = 0;

	for (int64_t b = max_of(oldest, entry->newest - PVE_LOAD_BUCKETS + 1); b <= entry->newest;
	     b++) {
		if (b >= 0)
			sum += entry->counts[b % PVE_LOAD_BUCKETS];
	}
	return sum;
}

/* Nodes come and go. */
static void drop_silent(struct pve_load *load, int64_t bucket)
{
	size_t kept = 0;

	for (size_t i = 0; i < load->n; i++) {
		if (entry_sum(&load->entries[i], bucket))
			load->entries[kept++] = load->entries[i];
		else
			free(load->entries[i].name);
	}
	load->n = kept;
}

/* Where NAME stands, or would. */
static size_t place_of(const struct pve_load *load, const char *name)
{
	size_t low = 0, high = load->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (strcmp(load->entries[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct pve_load *load, size_t place, const char *name)
{
	return place < load->n && str_eq(load->entries[place].name, name);
}

static void insert(struct pve_load *load, size_t place, const char *name, int64_t bucket)
{
	load->entries = xreallocarray(load->entries, load->n + 1, sizeof(*load->entries));
	memmove(&load->entries[place + 1], &load->entries[place],
		(load->n - place) * sizeof(*load->entries));
	load->entries[place] = (struct pve_load_entry){ .name = xstrdup(name), .newest = bucket };
	load->n++;
}

void pve_load_note(struct pve_load *load, const char *name, int64_t now_ms)
{
	int64_t bucket = bucket_of(now_ms);
	size_t place = place_of(load, name);

	if (!is_at(load, place, name)) {
		drop_silent(load, bucket);
		place = place_of(load, name);
		insert(load, place, name, bucket);
	}
	entry_slide(&load->entries[place], bucket);
	load->entries[place].counts[bucket % PVE_LOAD_BUCKETS]++;
}

void pve_load_build(const struct pve_load *load, int64_t now_ms, size_t max, struct arena *arena,
		    const struct num_entry **ret, size_t *n)
{
	struct num_entry *list =
		arena_alloc(arena, max_of(min_of(load->n, max), (size_t)1) * sizeof(*list));
	int64_t bucket = bucket_of(now_ms);
	size_t count = 0;

	for (size_t i = 0; i < load->n && count < max; i++) {
		int64_t sum = entry_sum(&load->entries[i], bucket);

		if (sum)
			list[count++] = (struct num_entry){ load->entries[i].name, sum };
	}
	*ret = list;
	*n = count;
}

void pve_load_done(struct pve_load *load)
{
	for (size_t i = 0; i < load->n; i++)
		free(load->entries[i].name);
	free(load->entries);
	*load = (struct pve_load){ 0 };
}
