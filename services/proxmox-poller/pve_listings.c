/* SPDX-License-Identifier: MIT */
/*
 * The list follows the rows of /cluster/resources; what was read stays as long as its storage is there.
 */
#include "services/proxmox-poller/pve_listings.h"

#include <stdio.h>

#define PERIODS 3
#define NODES_IN_A_ROW 3

static void listing_done(struct pve_listing *listing)
{
	arena_free(listing->answer.arena);
	free(listing->storage);
	free(listing->node);
}

void pve_listings_done(struct pve_listings *listings)
{
	for (size_t i = 0; i < listings->n; i++)
		listing_done(&listings->list[i]);
	free(listings->list);
	*listings = (struct pve_listings){ .period_ms = listings->period_ms };
}

struct pve_listing *pve_listings_find(const struct pve_listings *listings, const char *node,
				      const char *storage)
{
	for (size_t i = 0; i < listings->n; i++) {
		struct pve_listing *listing = &listings->list[i];

		if (listing->node && str_eq(listing->node, node) &&
		    str_eq(listing->storage, storage))
			return listing;
	}
	return NULL;
}

/* ── following the cluster ─────────────────────────────────────────────────────────────────────────────────── */

static bool keeps_backups(const struct pve_resource *row)
{
	for (const char *at = row->content; at && *at;) {
		size_t length = strcspn(at, ", ");

		if (length == strlen("backup") && strncmp(at, "backup", length) == 0)
			return true;
		at += length;
		at += strspn(at, ", ");
	}
	return false;
}

/* A storage that its node calls inactive would be activated by a question, which is what hangs. */
static bool is_usable(const struct pve_cluster *cluster, const struct pve_resource *row,
		      struct pve_now now)
{
	const struct pve_node *node = pve_cluster_find_node(cluster, row->node);
	int64_t age;

	if (!node || pve_cluster_node_status(cluster, node, NULL) == NODE_OFFLINE)
		return false;
	age = now.boot_ms - node->storages_answer.at.boot_ms;
	if (node->storages_answer.has && age <= PERIODS * cluster->storage_period_ms) {
		const struct pve_storage *listed = pve_storages_find(&node->storages, row->storage);

		return listed && (!listed->active.has || listed->active.v);
	}
	return row->status && str_eq(row->status, "available");
}

static struct pve_listing *find_shared(const struct pve_listings *listings, const char *storage)
{
	for (size_t i = 0; i < listings->n; i++) {
		if (listings->list[i].shared && str_eq(listings->list[i].storage, storage))
			return &listings->list[i];
	}
	return NULL;
}

static struct pve_listing *add(struct pve_listings *listings, const struct pve_resource *row,
			       bool shared, struct pve_now now)
{
	struct pve_listing *listing;

	listings->list = xreallocarray(listings->list, listings->n + 1, sizeof(*listings->list));
	listing = &listings->list[listings->n++];
	*listing = (struct pve_listing){
		.storage = xstrdup(row->storage),
		.node = shared ? NULL : xstrdup(row->node),
		.shared = shared,
		.since = now,
	};
	return listing;
}

static void sync_own(struct pve_listings *listings, const struct pve_resource *row,
		     struct pve_now now)
{
	struct pve_listing *listing = pve_listings_find(listings, row->node, row->storage);

	if (!listing || listing->shared)
		listing = add(listings, row, false, now);
	listing->gone = false;
}

/* The usable row after the node that is asked now, round the N rows; NULL when none is usable. */
static const struct pve_resource *next_row(const struct pve_listing *listing,
					   const struct pve_cluster *cluster,
					   const struct pve_resource *rows, size_t n,
					   struct pve_now now)
{
	size_t at = n - 1;

	for (size_t i = 0; i < n; i++) {
		if (listing->node && str_eq(rows[i].node, listing->node))
			at = i;
	}
	for (size_t i = 1; i <= n; i++) {
		const struct pve_resource *row = &rows[(at + i) % n];

		if (is_usable(cluster, row, now))
			return row;
	}
	return NULL;
}

static bool is_settled(const struct pve_listing *listing, const struct pve_cluster *cluster,
		       const struct pve_resource *rows, size_t n, struct pve_now now)
{
	if (!listing->node || listing->moves)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (str_eq(rows[i].node, listing->node))
			return is_usable(cluster, &rows[i], now);
	}
	return false;
}

static void sync_shared(struct pve_listings *listings, const struct pve_cluster *cluster,
			const struct pve_resource *rows, size_t n, struct pve_now now)
{
	struct pve_listing *listing = find_shared(listings, rows[0].storage);
	const struct pve_resource *row;

	if (!listing)
		listing = add(listings, rows, true, now);
	listing->gone = false;
	if (is_settled(listing, cluster, rows, n, now))
		return;
	row = next_row(listing, cluster, rows, n, now);
	listing->moves = false;
	if (row && listing->node && str_eq(row->node, listing->node))
		return;
	free(listing->node);
	listing->node = row ? xstrdup(row->node) : NULL;
}

static int compare_listings(const void *a, const void *b)
{
	const struct pve_listing *x = a, *y = b;
	int order = strcmp(x->storage, y->storage);

	return order ? order : strcmp(x->node ? x->node : "", y->node ? y->node : "");
}

static void drop_gone(struct pve_listings *listings)
{
	size_t kept = 0;

	for (size_t i = 0; i < listings->n; i++) {
		if (listings->list[i].gone)
			listing_done(&listings->list[i]);
		else
			listings->list[kept++] = listings->list[i];
	}
	listings->n = kept;
	if (kept)
		qsort(listings->list, kept, sizeof(*listings->list), compare_listings);
}

void pve_listings_sync(struct pve_listings *listings, const struct pve_cluster *cluster,
		       struct pve_now now)
{
	const struct pve_resources *resources = &cluster->resources;

	for (size_t i = 0; i < listings->n; i++)
		listings->list[i].gone = true;
	for (size_t i = 0, count; i < resources->storages_n; i += count) {
		const struct pve_resource *rows = &resources->storages[i];
		bool shared = rows->shared.has && rows->shared.v;

		for (count = 1; shared && i + count < resources->storages_n; count++) {
			if (!str_eq(rows[count].storage, rows->storage))
				break;
		}
		if (!keeps_backups(rows))
			continue;
		if (shared)
			sync_shared(listings, cluster, rows, count, now);
		else
			sync_own(listings, rows, now);
	}
	drop_gone(listings);
}

/* ── answers ───────────────────────────────────────────────────────────────────────────────────────────────── */

int pve_listing_take(struct pve_listing *listing, const cJSON *answer, struct pve_now now,
		     size_t *bad)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_kept_list kept;
	int r;

	r = pve_parse_kept(answer, arena, &kept);
	if (r < 0)
		return r;
	*bad = kept.bad;
	listing->kept = kept;
	arena_free(listing->answer.arena);
	listing->answer = (struct pve_answer){ true, take(arena), now };
	listing->failures = 0;
	listing->moves = false;
	listing->error[0] = '\0';
	return 0;
}

void pve_listing_fail(struct pve_listing *listing, const char *text)
{
	listing->failures++;
	listing->moves = listing->shared && listing->failures % NODES_IN_A_ROW != 0;
	(void)snprintf(listing->error, sizeof(listing->error), "%s", text);
}

bool pve_listing_is_known(const struct pve_listings *listings, const struct pve_listing *listing,
			  struct pve_now now)
{
	return listing->answer.has &&
	       now.boot_ms - listing->answer.at.boot_ms <= PERIODS * listings->period_ms;
}

const char *pve_listing_reason(const struct pve_listing *listing, const struct pve_cluster *cluster,
			       struct arena *arena)
{
	const char *storage = listing->storage, *why = listing->error;

	if (!listing->node)
		return arena_printf(arena, "storage %.64s: no node reaches it", storage);
	if (!listing->shared && pve_cluster_is_offline(cluster, listing->node))
		return arena_printf(arena, "storage %.64s: node %.64s is offline", storage,
				    listing->node);
	if (why[0])
		return arena_printf(arena, "storage %.64s: %.170s", storage, why);
	if (!listing->answer.has)
		return arena_printf(arena, "storage %.64s: not read yet", storage);
	return arena_printf(arena, "storage %.64s: its list does not come", storage);
}
