/* SPDX-License-Identifier: MIT */
/*
 * The list of what a cluster is asked for. It follows the nodes that Proxmox tells of.
 */
#include "services/proxmox-poller/cluster_poller.h"
#include "services/proxmox-poller/publish.h"

#include <stdio.h>

/* Where the source stands, or would: the first that does not come before it. */
static size_t source_place(const struct cluster_poller *c, const struct source *key)
{
	size_t low = 0, high = c->sources_n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (source_compare(c->sources[middle], key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct source source_key(enum source_kind kind, const char *node, int64_t vmid,
				const char *item)
{
	struct source key = { .kind = kind, .vmid = vmid };

	(void)snprintf(key.node, sizeof(key.node), "%s", node);
	(void)snprintf(key.item, sizeof(key.item), "%s", item);
	return key;
}

static struct source *find(const struct cluster_poller *c, const struct source *key)
{
	size_t place = source_place(c, key);

	if (place < c->sources_n && source_compare(c->sources[place], key) == 0)
		return c->sources[place];
	return NULL;
}

struct source *cluster_poller_find(const struct cluster_poller *c, enum source_kind kind,
				   const char *node, int64_t vmid)
{
	struct source key = source_key(kind, node, vmid, "");

	return find(c, &key);
}

struct source *cluster_poller_find_item(const struct cluster_poller *c, enum source_kind kind,
					const char *node, const char *item)
{
	struct source key = source_key(kind, node, 0, item);

	return find(c, &key);
}

static struct source *add(struct cluster_poller *c, const struct source *key)
{
	size_t place = source_place(c, key);
	struct source *source = xmemdup(key, sizeof(*key));

	source->owner = c;
	slot_init(&source->slot, source_period_ms(key->kind, c->config),
		  source_table[key->kind].of_node, cluster_poller_now(c).boot_ms);
	if (source_table[key->kind].single)
		source->slot.due_ms = INT64_MAX;
	c->sources = xreallocarray(c->sources, c->sources_n + 1, sizeof(struct source *));
	memmove(&c->sources[place + 1], &c->sources[place],
		(c->sources_n - place) * sizeof(struct source *));
	c->sources[place] = source;
	c->sources_n++;
	return source;
}

struct source *cluster_poller_get(struct cluster_poller *c, enum source_kind kind, const char *node,
				  int64_t vmid)
{
	struct source key = source_key(kind, node, vmid, "");
	struct source *found = find(c, &key);

	return found ? found : add(c, &key);
}

struct source *cluster_poller_get_item(struct cluster_poller *c, enum source_kind kind,
				       const char *node, const char *item)
{
	struct source key = source_key(kind, node, 0, item);
	struct source *found = find(c, &key);

	return found ? found : add(c, &key);
}

static void source_free(struct source *source)
{
	if (source->call)
		http_cancel(source->call);
	source_end_round(source);
	free(source);
}

/* What each node is asked for, as long as it is there. */
static const enum source_kind node_kinds[] = { SOURCE_NODE, SOURCE_STORAGE, SOURCE_UPDATES,
					       SOURCE_DISKS };

static void sync_node(struct cluster_poller *c, const struct pve_node *node)
{
	bool offline = pve_cluster_node_status(&c->model, node, NULL) == NODE_OFFLINE;

	for (size_t i = 0; i < countof(node_kinds); i++) {
		struct source *source = cluster_poller_get(c, node_kinds[i], node->name, 0);

		source->gone = false;
		if (source->slot.off && !offline) {
			source->slot.failures = 0;
			source->slot.midway = false;
			slot_call(&source->slot, cluster_poller_now(c).boot_ms);
		}
		source->slot.off = offline;
		if (offline)
			(void)snprintf(source->error, sizeof(source->error),
				       "the node is offline and is not asked");
	}
}

static bool is_of_a_node(const struct source *source)
{
	for (size_t i = 0; i < countof(node_kinds); i++) {
		if (source->kind == node_kinds[i])
			return true;
	}
	return false;
}

/* The node has gone: what only this source told of it goes too. */
static void source_forget(struct cluster_poller *c, struct source *source)
{
	publish_forget(c, source->kind, source->node);
	source_free(source);
}

void cluster_poller_drop_gone(struct cluster_poller *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->sources_n; i++) {
		if (c->sources[i]->gone)
			source_forget(c, c->sources[i]);
		else
			c->sources[kept++] = c->sources[i];
	}
	c->sources_n = kept;
}

void cluster_poller_sync_nodes(struct cluster_poller *c)
{
	for (size_t i = 0; i < c->sources_n; i++)
		c->sources[i]->gone = is_of_a_node(c->sources[i]);
	for (size_t i = 0; i < c->model.nodes_n; i++)
		sync_node(c, &c->model.nodes[i]);
	cluster_poller_drop_gone(c);
}

void cluster_sources_drop_idle(struct cluster_poller *c)
{
	size_t kept = 0;

	for (size_t i = 0; i < c->sources_n; i++) {
		struct source *s = c->sources[i];

		bool once = source_table[s->kind].single && s->kind != SOURCE_OPINION;

		if (once && !s->slot.busy && s->slot.due_ms == INT64_MAX)
			source_free(s);
		else
			c->sources[kept++] = s;
	}
	c->sources_n = kept;
}

void cluster_sources_done(struct cluster_poller *c)
{
	for (size_t i = 0; i < c->sources_n; i++)
		source_free(c->sources[i]);
	free(c->sources);
}
