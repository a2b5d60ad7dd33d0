/* SPDX-License-Identifier: MIT */
/*
 * What has to be read for an object: a row a topic. Where several sources make one document, all of them are waited
 * for, so that the answer leaves after the last.
 */
#include "services/proxmox-poller/refresh_parts.h"

#include <stdio.h>

void refresh_call(struct cluster_poller *c, struct refresh_part *part, struct source *source)
{
	struct wait wait = { .kind = source->kind, .vmid = source->vmid };

	if (source->slot.off || strlen(source->item) >= sizeof(wait.item))
		return;
	for (size_t i = 0; i < part->waits_n; i++) {
		if (part->waits[i].kind == source->kind && part->waits[i].vmid == source->vmid &&
		    str_eq(part->waits[i].node, source->node) &&
		    str_eq(part->waits[i].item, source->item))
			return;
	}
	(void)snprintf(wait.node, sizeof(wait.node), "%s", source->node);
	(void)snprintf(wait.item, sizeof(wait.item), "%.*s", (int)sizeof(wait.item) - 1,
		       source->item);
	wait.want = source->starts + 1;
	part->waits = xreallocarray(part->waits, part->waits_n + 1, sizeof(wait));
	part->waits[part->waits_n++] = wait;
	slot_call(&source->slot, cluster_poller_now(c).boot_ms);
}

static void call_kind(struct cluster_poller *c, struct refresh_part *part, enum source_kind kind,
		      const char *node)
{
	struct source *source = cluster_poller_find(c, kind, node, 0);

	if (source)
		refresh_call(c, part, source);
}

/* All sources of KIND, of any node. */
static void call_every(struct cluster_poller *c, struct refresh_part *part, enum source_kind kind)
{
	for (size_t i = 0; i < c->sources_n; i++) {
		if (c->sources[i]->kind == kind)
			refresh_call(c, part, c->sources[i]);
	}
}

/* The guest's number, or 0: then the command fails. */
static int64_t read_vmid(struct refresh_part *part, const char *word)
{
	int64_t number;

	if (str_to_i64(word, 1, INT32_MAX, &number) == 0)
		return number;
	refresh_fail(part->refresh, "unknown_object", "a guest is named by its number");
	return 0;
}

/* The resources say where the guest is, then it is asked itself. */
static void call_guest_kind(struct cluster_poller *c, struct refresh_part *part,
			    enum source_kind kind, const char *word)
{
	struct guest_wait guest = { read_vmid(part, word), kind };

	if (!guest.vmid)
		return;
	call_kind(c, part, SOURCE_RESOURCES, "");
	part->guests = xreallocarray(part->guests, part->guests_n + 1, sizeof(guest));
	part->guests[part->guests_n++] = guest;
}

/* ── the objects ───────────────────────────────────────────────────────────────────────────────────────────── */

/* What a cluster is read for all the time, and the rights that its findings follow from. */
static bool is_of_cluster(enum source_kind kind)
{
	const struct source_def *def = &source_table[kind];

	return (def->name && !def->rare) || kind == SOURCE_PERMISSIONS;
}

static void call_cluster(struct cluster_poller *c, struct refresh_part *part,
			 const struct topic_args *args)
{
	(void)args;
	for (size_t i = 0; i < c->sources_n; i++) {
		if (is_of_cluster(c->sources[i]->kind))
			refresh_call(c, part, c->sources[i]);
	}
}

static void call_tasks(struct cluster_poller *c, struct refresh_part *part,
		       const struct topic_args *args)
{
	(void)args;
	call_kind(c, part, SOURCE_TASKS, "");
}

static void call_node(struct cluster_poller *c, struct refresh_part *part,
		      const struct topic_args *args)
{
	if (!pve_cluster_find_node(&c->model, args->value[1]))
		refresh_fail(part->refresh, "unknown_object", "there is no such node");
	call_kind(c, part, SOURCE_STATUS, "");
	call_kind(c, part, SOURCE_RESOURCES, "");
	call_kind(c, part, SOURCE_NODE, args->value[1]);
}

static void call_guest(struct cluster_poller *c, struct refresh_part *part,
		       const struct topic_args *args)
{
	call_guest_kind(c, part, SOURCE_GUEST, args->value[1]);
}

static void call_config(struct cluster_poller *c, struct refresh_part *part,
			const struct topic_args *args)
{
	call_guest_kind(c, part, SOURCE_GUEST_CONFIG, args->value[1]);
}

static void call_snapshots(struct cluster_poller *c, struct refresh_part *part,
			   const struct topic_args *args)
{
	call_guest_kind(c, part, SOURCE_GUEST_SNAPSHOTS, args->value[1]);
}

/* A shared storage (the node is "-") is read on every node that has it. */
static void call_storage(struct cluster_poller *c, struct refresh_part *part,
			 const struct topic_args *args)
{
	const char *node = args->value[1], *storage = args->value[2];

	call_kind(c, part, SOURCE_RESOURCES, "");
	if (!str_eq(node, "-")) {
		call_kind(c, part, SOURCE_STORAGE, node);
		return;
	}
	for (size_t i = 0; i < c->model.resources.storages_n; i++) {
		const struct pve_resource *row = &c->model.resources.storages[i];

		if (str_eq(row->storage, storage))
			call_kind(c, part, SOURCE_STORAGE, row->node);
	}
}

static void call_backups(struct cluster_poller *c, struct refresh_part *part,
			 const struct topic_args *args)
{
	(void)args;
	call_kind(c, part, SOURCE_RESOURCES, "");
	call_kind(c, part, SOURCE_BACKUP_JOBS, "");
	call_every(c, part, SOURCE_BACKUP_LIST);
}

static void call_guest_backup(struct cluster_poller *c, struct refresh_part *part,
			      const struct topic_args *args)
{
	if (read_vmid(part, args->value[1]))
		call_backups(c, part, args);
}

static void call_replication(struct cluster_poller *c, struct refresh_part *part,
			     const struct topic_args *args)
{
	if (!read_vmid(part, args->value[1]))
		return;
	call_kind(c, part, SOURCE_REPLICATION, "");
	call_every(c, part, SOURCE_NODE_REPLICATION);
}

static void call_ha(struct cluster_poller *c, struct refresh_part *part,
		    const struct topic_args *args)
{
	(void)args;
	call_kind(c, part, SOURCE_HA, "");
}

static void call_ceph(struct cluster_poller *c, struct refresh_part *part,
		      const struct topic_args *args)
{
	(void)args;
	call_kind(c, part, SOURCE_CEPH, "");
}

static void call_of_node(struct cluster_poller *c, struct refresh_part *part, enum source_kind kind,
			 const char *node)
{
	if (!pve_cluster_find_node(&c->model, node))
		refresh_fail(part->refresh, "unknown_object", "there is no such node");
	call_kind(c, part, kind, node);
}

static void call_updates(struct cluster_poller *c, struct refresh_part *part,
			 const struct topic_args *args)
{
	call_of_node(c, part, SOURCE_UPDATES, args->value[1]);
}

/* Pools are read with the disks. */
static void call_disks(struct cluster_poller *c, struct refresh_part *part,
		       const struct topic_args *args)
{
	call_of_node(c, part, SOURCE_DISKS, args->value[1]);
}

static const struct {
	enum topic_id id;
	void (*call)(struct cluster_poller *c, struct refresh_part *part,
		     const struct topic_args *args);
} objects[] = {
	{ TOPIC_CLUSTER_STATE, call_cluster },
	{ TOPIC_TASKS_STATE, call_tasks },
	{ TOPIC_NODE_STATE, call_node },
	{ TOPIC_GUEST_STATE, call_guest },
	{ TOPIC_STORAGE_STATE, call_storage },
	{ TOPIC_BACKUPS_STATE, call_backups },
	{ TOPIC_GUEST_BACKUP, call_guest_backup },
	{ TOPIC_GUEST_REPLICATION, call_replication },
	{ TOPIC_HA_STATE, call_ha },
	{ TOPIC_GUEST_CONFIG, call_config },
	{ TOPIC_GUEST_SNAPSHOTS, call_snapshots },
	{ TOPIC_CEPH_STATE, call_ceph },
	{ TOPIC_NODE_UPDATES, call_updates },
	{ TOPIC_DISK_STATE, call_disks },
	{ TOPIC_POOL_STATE, call_disks },
};

bool refresh_call_object(struct cluster_poller *c, struct refresh_part *part, enum topic_id id,
			 const struct topic_args *args)
{
	for (size_t i = 0; i < countof(objects); i++) {
		if (objects[i].id != id)
			continue;
		objects[i].call(c, part, args);
		return true;
	}
	return false;
}
