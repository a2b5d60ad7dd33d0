/* SPDX-License-Identifier: MIT */
/*
 * A table of checks, each for all documents of one topic. A node that is not there explains its guests and storages:
 * they are told as a number.
 */
#include "jarvisctl/attention.h"

#include "common/alloc.h"
#include "jarvisctl/findable.h"

#define FULL_WARN 85
#define FULL_BAD 95

void attentions_done(struct attentions *list)
{
	for (size_t i = 0; i < list->n; i++) {
		free(list->items[i].text);
		free(list->items[i].detail);
	}
	free(list->items);
	*list = (struct attentions){ 0 };
}

/* Takes over TEXT. */
static void add(struct attentions *list, bool is_critical, char *text, const char *detail)
{
	list->items = xreallocarray(list->items, list->n + 1, sizeof(*list->items));
	list->items[list->n++] = (struct attention){
		.is_critical = is_critical,
		.text = text,
		.detail = detail && *detail ? xstrdup(detail) : NULL,
	};
}

/* ── by topic ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void check_service(const struct world *world, const struct world_doc *doc,
			  struct attentions *ret)
{
	(void)world;
	if (!str_eq(doc->word, "online"))
		add(ret, true, xasprintf("Service %s is offline", doc->args.value[0]), NULL);
}

static void check_info(const struct world *world, const struct world_doc *doc,
		       struct attentions *ret)
{
	const struct msg_service_info *info = doc->body;

	(void)world;
	if (info->trouble && !doc->stale)
		add(ret, false, xasprintf("Service %s cannot do all of its work", info->service),
		    info->trouble);
}

static void check_autonomy(const struct world *world, const struct world_doc *doc,
			   struct attentions *ret)
{
	const struct msg_autonomy_state *a = doc->body;

	(void)world;
	if (doc->stale)
		add(ret, true, xstrdup("The safety gate is not heard: nothing above reads is done"),
		    doc->stale);
	else if (a->frozen)
		add(ret, false, xstrdup("Jarvis is frozen: nothing but reads"), a->by);
	else if (a->unfit)
		add(ret, false, xstrdup("The safety gate does nothing but reads"), a->unfit);
}

static const struct map_source_state *find_source(const struct msg_cluster_state *c,
						  const char *key)
{
	for (size_t i = 0; i < c->sources_n; i++) {
		if (str_eq(c->sources[i].key, key))
			return &c->sources[i];
	}
	return NULL;
}

static void check_cluster(const struct world *world, const struct world_doc *doc,
			  struct attentions *ret)
{
	const struct msg_cluster_state *c = doc->body;
	const struct map_source_state *source = find_source(c, "resources");
	const char *error = c->error ? c->error : source ? source->value.error : NULL;

	(void)world;
	if (doc->stale)
		add(ret, true, xasprintf("Cluster %s is not watched", c->cluster), doc->stale);
	else if (source && !source->value.last_ok_ms.has)
		add(ret, true, xasprintf("Cluster %s cannot be read", c->cluster), error);
	else if (error)
		add(ret, false, xasprintf("Cluster %s is read, with a warning", c->cluster), error);
	if (!doc->stale && c->quorate.has && !c->quorate.v)
		add(ret, true, xasprintf("Cluster %s has lost its quorum", c->cluster), NULL);
	for (size_t i = 0; !doc->stale && i < c->findings_n; i++) {
		if (c->findings[i].severity != SEVERITY_INFO)
			add(ret, c->findings[i].severity == SEVERITY_CRITICAL,
			    xstrdup(c->findings[i].title), c->findings[i].cure);
	}
}

static bool is_online(const struct world *world, const char *cluster, const char *node)
{
	const char *words[] = { cluster, node, NULL };
	const struct world_doc *doc = world_find(world, TOPIC_NODE_STATE, words);

	return doc && ((const struct msg_node_state *)doc->body)->status == NODE_ONLINE;
}

static size_t guests_of(const struct world *world, const char *cluster, const char *node)
{
	size_t n = 0;

	for (const struct world_doc *doc = NULL;
	     (doc = world_next(world, TOPIC_GUEST_STATE, doc));) {
		const struct msg_guest_state *g = doc->body;

		n += !g->template && str_eq(g->cluster, cluster) && str_eq(g->node, node);
	}
	return n;
}

static void check_node(const struct world *world, const struct world_doc *doc,
		       struct attentions *ret)
{
	const struct msg_node_state *n = doc->body;
	size_t guests = guests_of(world, n->cluster, n->node);
	_cleanup_(str_done) struct str detail = { 0 };

	if (n->status == NODE_ONLINE)
		return;
	if (guests)
		str_printf(&detail, "%zu guest%s unknown", guests, guests == 1 ? "" : "s");
	if (n->reason)
		str_printf(&detail, "%s%s", detail.len ? "; " : "", n->reason);
	add(ret, n->status == NODE_OFFLINE,
	    xasprintf("Node %s is %s", n->node,
		      enumeration_word(&enumeration_node_status, (int)n->status)),
	    str_get(&detail));
}

static void check_guest(const struct world *world, const struct world_doc *doc,
			struct attentions *ret)
{
	const struct msg_guest_state *g = doc->body;
	bool is_broken = g->status == GUEST_IO_ERROR || g->status == GUEST_INTERNAL_ERROR;

	if (g->template || !is_online(world, g->cluster, g->node) ||
	    (!is_broken && g->status != GUEST_UNKNOWN))
		return;
	add(ret, is_broken,
	    xasprintf("%s (%s) is %s", g->name ? g->name : "guest", doc->args.value[1],
		      enumeration_word(&enumeration_guest_status, (int)g->status)),
	    g->reason);
}

static void check_backup(const struct world *world, const struct world_doc *doc,
			 struct attentions *ret)
{
	const char *words[] = { doc->args.value[0], doc->args.value[1], NULL };
	const struct msg_guest_backup *b = doc->body;
	const struct world_doc *state = world_find(world, TOPIC_GUEST_STATE, words);
	const char *name = state ? ((const struct msg_guest_state *)state->body)->name : NULL;

	if (findable_backup(world, doc) != BACKUP_FAILED)
		return;
	add(ret, false,
	    xasprintf("The last backup of %s (%s) has failed", name ? name : "guest", words[1]),
	    b->last_error);
}

static void check_storage(const struct world *world, const struct world_doc *doc,
			  struct attentions *ret)
{
	const struct msg_storage_state *s = doc->body;
	struct opt_f64 full = findable_share(s->used, s->total);
	const char *where = s->node ? s->node : "-";
	_cleanup_(freep) char *of = s->node ? xasprintf(" of node %s", s->node) : xstrdup("");

	if (s->status == STORAGE_DISABLED || (s->node && !is_online(world, s->cluster, where)))
		return;
	if (doc->stale || s->status != STORAGE_AVAILABLE)
		add(ret, false,
		    xasprintf("Storage %s%s is %s", s->storage, of,
			      doc->stale ? "unknown" :
					   enumeration_word(&enumeration_storage_status,
							    (int)s->status)),
		    doc->stale ? doc->stale : s->reason);
	else if (full.has && full.v >= FULL_WARN)
		add(ret, full.v >= FULL_BAD,
		    xasprintf("Storage %s%s is %.0f %% full", s->storage, of, full.v), NULL);
}

static void check_disk(const struct world *world, const struct world_doc *doc,
		       struct attentions *ret)
{
	const struct msg_disk_state *d = doc->body;
	bool is_good = !d->health || str_eq(d->health, "PASSED") || str_eq(d->health, "OK") ||
		       strcasestr(d->health, "unknown");

	(void)world;
	if (!is_good && !doc->stale)
		add(ret, true,
		    xasprintf("Disk %s of node %s is failing", d->device ? d->device : d->serial,
			      d->node),
		    d->health);
}

static void check_pool(const struct world *world, const struct world_doc *doc,
		       struct attentions *ret)
{
	const struct msg_zfs_pool *p = doc->body;

	(void)world;
	if (p->health && !str_eq(p->health, "ONLINE") && !doc->stale)
		add(ret, true, xasprintf("Pool %s of node %s is %s", p->pool, p->node, p->health),
		    p->errors);
}

/* ── all of it ─────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct {
	enum topic_id id;
	void (*check)(const struct world *world, const struct world_doc *doc,
		      struct attentions *ret);
} checks[] = {
	{ TOPIC_CLUSTER_STATE, check_cluster }, { TOPIC_NODE_STATE, check_node },
	{ TOPIC_GUEST_STATE, check_guest },	{ TOPIC_STORAGE_STATE, check_storage },
	{ TOPIC_DISK_STATE, check_disk },	{ TOPIC_POOL_STATE, check_pool },
	{ TOPIC_GUEST_BACKUP, check_backup },	{ TOPIC_SERVICE_STATE, check_service },
	{ TOPIC_SERVICE_INFO, check_info },	{ TOPIC_AUTONOMY_STATE, check_autonomy },
};

/* The critical ones first; else as they were found. */
static void sort(struct attentions *list)
{
	struct attention *sorted = xcalloc(list->n + 1, sizeof(*sorted));
	size_t n = 0;

	for (int critical = 1; critical >= 0; critical--) {
		for (size_t i = 0; i < list->n; i++) {
			if (list->items[i].is_critical == critical)
				sorted[n++] = list->items[i];
		}
	}
	free(list->items);
	list->items = sorted;
}

void attentions_find(const struct world *world, struct attentions *ret)
{
	*ret = (struct attentions){ 0 };
	for (size_t i = 0; i < countof(checks); i++) {
		for (const struct world_doc *doc = NULL;
		     (doc = world_next(world, checks[i].id, doc));)
			checks[i].check(world, doc, ret);
	}
	if (!world_next(world, TOPIC_CLUSTER_STATE, NULL))
		add(ret, false, xstrdup("No cluster has been reported yet"),
		    "is proxmox-poller running?");
	sort(ret);
}
