/* SPDX-License-Identifier: MIT */
/*
 * Storages. /cluster/resources says which there are; each node's own list says how they are, and is the only word
 * for it that has an age. A list that does not come for three periods makes the storages of that node unknown; a
 * shared storage is available as long as one node reaches it, and stands once, with its nodes inside.
 */
#include "services/proxmox-poller/pve_cluster.h"

#define PERIODS 3
#define NODES_MAX 512
#define CONTENT_MAX 16
#define CONTENT_MAX_BYTES 32

/* One storage as one node sees it: from the resources, from the node's list, or from both. */
struct view {
	const char *storage;
	const struct pve_node *node;
	const struct pve_resource *row;
	const struct pve_storage *listed;
	bool fresh; /* the node's list is not too old */
	enum storage_status status;
	const char *reason;
};

static int compare_views(const void *a, const void *b)
{
	const struct view *x = a, *y = b;
	int order = strcmp(x->storage, y->storage);

	return order ? order : strcmp(x->node->name, y->node->name);
}

static enum storage_status status_of_row(const struct pve_resource *row)
{
	if (row && row->status && str_eq(row->status, "available"))
		return STORAGE_AVAILABLE;
	return STORAGE_UNKNOWN;
}

static enum storage_status status_of_listed(const struct pve_storage *listed)
{
	if (listed->enabled.has && !listed->enabled.v)
		return STORAGE_DISABLED;
	if (listed->active.has)
		return listed->active.v ? STORAGE_AVAILABLE : STORAGE_INACTIVE;
	return STORAGE_UNKNOWN;
}

/* A node whose list was never read gets as long as one that was. */
static bool is_waiting(const struct pve_cluster *cluster, const struct pve_node *node,
		       struct pve_now now)
{
	return !node->storages_answer.has &&
	       now.boot_ms - node->since.boot_ms <= cluster->storage_period_ms * PERIODS;
}

static void judge_silent(const struct pve_cluster *cluster, struct view *view, struct pve_now now,
			 struct arena *arena)
{
	const struct pve_node *node = view->node;

	if (is_waiting(cluster, node, now)) {
		view->status = status_of_row(view->row);
		return;
	}
	view->status = STORAGE_UNKNOWN;
	if (node->storages_error[0])
		view->reason = pve_text(arena, node->storages_error, 256);
	else
		view->reason = arena_printf(
			arena, "the list of storages of node %.64s does not come", node->name);
}

static void judge(const struct pve_cluster *cluster, struct view *view, struct pve_now now,
		  struct arena *arena)
{
	if (pve_cluster_node_status(cluster, view->node, NULL) == NODE_OFFLINE) {
		view->status = STORAGE_UNKNOWN;
		view->reason = arena_printf(arena, "node %.64s is offline", view->node->name);
	} else if (!view->fresh) {
		judge_silent(cluster, view, now, arena);
	} else {
		view->status =
			view->listed ? status_of_listed(view->listed) : status_of_row(view->row);
	}
	if (view->status == STORAGE_UNKNOWN && !view->reason)
		view->reason = "Proxmox does not say how it is";
}

/* ── collecting ────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_fresh(const struct pve_cluster *cluster, const struct pve_node *node,
		     struct pve_now now)
{
	return node->storages_answer.has && now.boot_ms - node->storages_answer.at.boot_ms <=
						    cluster->storage_period_ms * PERIODS;
}

static const struct pve_resource *find_row(const struct pve_resources *resources,
					   const char *storage, const char *node)
{
	size_t low = 0, high = resources->storages_n;

	while (low < high) {
		size_t middle = (low + high) / 2;
		const struct pve_resource *row = &resources->storages[middle];
		int order = strcmp(storage, row->storage);

		if (!order)
			order = strcmp(node, row->node);
		if (!order)
			return row;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static struct view view_of(const struct pve_cluster *cluster, const struct pve_node *node,
			   const char *storage, struct pve_now now)
{
	return (struct view){
		.storage = storage,
		.node = node,
		.listed = pve_storages_find(&node->storages, storage),
		.fresh = is_fresh(cluster, node, now),
	};
}

static size_t collect_rows(const struct pve_cluster *cluster, struct pve_now now,
			   struct view *views)
{
	size_t n = 0;

	for (size_t i = 0; i < cluster->resources.storages_n; i++) {
		const struct pve_resource *row = &cluster->resources.storages[i];
		const struct pve_node *node = pve_cluster_find_node(cluster, row->node);

		if (!node)
			continue;
		views[n] = view_of(cluster, node, row->storage, now);
		views[n++].row = row;
	}
	return n;
}

/* Disabled storages stand in the lists alone. */
static size_t collect_disabled(const struct pve_cluster *cluster, const struct pve_node *node,
			       struct pve_now now, struct view *views)
{
	size_t n = 0;

	for (size_t i = 0; i < node->storages.n; i++) {
		const struct pve_storage *listed = &node->storages.rows[i];
		bool enabled = listed->enabled.has && listed->enabled.v;

		if (!enabled && !find_row(&cluster->resources, listed->storage, node->name))
			views[n++] = view_of(cluster, node, listed->storage, now);
	}
	return n;
}

static struct view *collect(const struct pve_cluster *cluster, struct pve_now now,
			    struct arena *arena, size_t *ret)
{
	size_t max = cluster->resources.storages_n, n;
	struct view *views;

	for (size_t i = 0; i < cluster->nodes_n; i++)
		max += cluster->nodes[i].storages.n;
	views = arena_alloc(arena, max_of(max, (size_t)1) * sizeof(*views));
	n = collect_rows(cluster, now, views);
	for (size_t i = 0; i < cluster->nodes_n; i++)
		n += collect_disabled(cluster, &cluster->nodes[i], now, views + n);
	qsort(views, n, sizeof(*views), compare_views);
	for (size_t i = 0; i < n; i++)
		judge(cluster, &views[i], now, arena);
	*ret = n;
	return views;
}

/* ── documents ─────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_shared(const struct view *view)
{
	if (view->row && view->row->shared.has)
		return view->row->shared.v;
	return view->listed && view->listed->shared.has && view->listed->shared.v;
}

static int rank(enum storage_status status)
{
	static const int ranks[] = {
		[STORAGE_AVAILABLE] = 3,
		[STORAGE_INACTIVE] = 2,
		[STORAGE_UNKNOWN] = 1,
		[STORAGE_DISABLED] = 0,
	};

	return ranks[status];
}

static int64_t age_key(const struct view *view)
{
	return view->listed && view->fresh ? view->node->storages_answer.at.boot_ms : 0;
}

/* The view that speaks for a shared storage: the best one, and of equals the newest. */
static const struct view *speaker(const struct view *views, size_t n)
{
	const struct view *best = views;

	for (size_t i = 1; i < n; i++) {
		int order = rank(views[i].status) - rank(best->status);

		if (order > 0 || (!order && age_key(&views[i]) > age_key(best)))
			best = &views[i];
	}
	return best;
}

static void build_content(const struct view *view, struct arena *arena,
			  struct msg_storage_state *ret)
{
	const char *text = view->listed ? view->listed->content : NULL;
	const char **content;

	if (!view->listed && view->row)
		text = view->row->content;
	if (!text)
		return;
	content = arena_alloc(arena, CONTENT_MAX * sizeof(*content));
	for (size_t length; *text && ret->content_n < CONTENT_MAX; text += length) {
		text += strspn(text, ", ");
		length = strcspn(text, ", ");
		if (length)
			content[ret->content_n++] = arena_strndup(
				arena, text, min_of(length, (size_t)CONTENT_MAX_BYTES));
	}
	ret->content = content;
}

static void build_numbers(const struct pve_cluster *cluster, const struct view *view,
			  struct msg_storage_state *ret)
{
	ret->ts = cluster->resources_answer.at.wall_ms;
	if (view->status != STORAGE_AVAILABLE)
		return;
	if (view->fresh && view->listed) {
		ret->ts = view->node->storages_answer.at.wall_ms;
		ret->used = view->listed->used;
		ret->total = view->listed->total;
	} else if (view->row) {
		ret->used = view->row->disk;
		ret->total = view->row->maxdisk;
	}
}

static void build_nodes(const struct view *views, size_t n, struct arena *arena,
			struct msg_storage_state *ret)
{
	struct msg_storage_node *nodes;

	n = min_of(n, (size_t)NODES_MAX);
	nodes = arena_alloc(arena, n * sizeof(*nodes));
	for (size_t i = 0; i < n; i++)
		nodes[i] = (struct msg_storage_node){
			.node = views[i].node->name,
			.status = views[i].status,
			.reason = views[i].reason,
		};
	ret->nodes = nodes;
	ret->nodes_n = n;
}

/* The document of the N views of one storage; one view, unless it is shared. */
static void build_one(const struct pve_cluster *cluster, const struct view *views, size_t n,
		      bool shared, struct arena *arena, struct msg_storage_state *ret)
{
	const struct view *view = speaker(views, n);
	const char *type = view->listed ? view->listed->type : NULL;

	if (!type && view->row)
		type = view->row->plugintype;
	*ret = (struct msg_storage_state){
		.cluster = cluster->name,
		.storage = view->storage,
		.node = shared ? NULL : view->node->name,
		.shared = shared,
		.type = pve_text(arena, type, 32),
		.status = view->status,
		.reason = view->reason,
	};
	build_content(view, arena, ret);
	build_numbers(cluster, view, ret);
	if (shared)
		build_nodes(views, n, arena, ret);
}

void pve_build_storages(const struct pve_cluster *cluster, struct pve_now now, struct arena *arena,
			struct msg_storage_state **ret, size_t *n)
{
	size_t views_n, built = 0;
	struct view *views = collect(cluster, now, arena, &views_n);
	struct msg_storage_state *list =
		arena_alloc(arena, max_of(views_n, (size_t)1) * sizeof(*list));

	for (size_t i = 0, count; i < views_n; i += count) {
		bool shared = is_shared(&views[i]);

		for (count = 1; shared && i + count < views_n; count++) {
			if (!str_eq(views[i + count].storage, views[i].storage))
				break;
		}
		build_one(cluster, &views[i], count, shared, arena, &list[built++]);
	}
	*ret = list;
	*n = built;
}
