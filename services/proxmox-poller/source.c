/* SPDX-License-Identifier: MIT */
/*
 * The table of what is asked, and the small things that follow from a row.
 */
#include "services/proxmox-poller/source.h"

#include "common/alloc.h"
#include "common/pve_settings.h"
#include "common/str.h"

/* What every node answers by itself is there at once or not at all. */
#define LOCAL_TIMEOUT_MS 10000
/* A second opinion holds up the first, so it has to be quick. */
#define OPINION_TIMEOUT_MS 3000
#define VOTES_PERIOD_MS 300000
#define VERSION_PERIOD_MS 3600000
/* A storage may keep thousands of backups. */
#define LIST_TIMEOUTS 2

/* {node}, {type}, {vmid}; {storage} and {upid} are the source's item, {disk} and {pool} the object of its step. */
const struct source_def source_table[SOURCE_KIND_COUNT] = {
	[SOURCE_STATUS] = { .name = "status",
			    .path = "/cluster/status",
			    .counter = "pve_calls_status",
			    .vital = true },
	[SOURCE_RESOURCES] = { .name = "resources",
			       .path = "/cluster/resources",
			       .counter = "pve_calls_resources",
			       .vital = true },
	[SOURCE_TASKS] = { .name = "tasks",
			   .path = "/cluster/tasks",
			   .counter = "pve_calls_tasks",
			   .vital = true },
	[SOURCE_OPINION] = { .path = "/cluster/status",
			     .counter = "pve_calls_opinion",
			     .single = true },
	[SOURCE_GUEST] = { .path = "/nodes/{node}/{type}/{vmid}/status/current",
			   .counter = "pve_calls_guest",
			   .of_node = true,
			   .single = true },
	[SOURCE_NODE] = { .name = "node",
			  .path = "/nodes/{node}/status",
			  .counter = "pve_calls_node",
			  .of_node = true },
	[SOURCE_PERMISSIONS] = { .path = "/access/permissions",
				 .more = { "/access/acl" },
				 .counter = "pve_calls_permissions" },
	[SOURCE_VOTES] = { .path = "/cluster/config/nodes", .counter = "pve_calls_votes" },
	[SOURCE_VERSION] = { .path = "/version", .counter = "pve_calls_version" },
	[SOURCE_STORAGE] = { .name = "storage",
			     .path = "/nodes/{node}/storage",
			     .counter = "pve_calls_storage",
			     .of_node = true,
			     .slow = true },
	[SOURCE_HA] = { .name = "ha",
			.path = "/cluster/ha/status/current",
			.counter = "pve_calls_ha" },
	[SOURCE_BACKUP_JOBS] = { .name = "backups",
				 .path = "/cluster/backup",
				 .counter = "pve_calls_backup_jobs" },
	[SOURCE_REPLICATION] = { .name = "replication",
				 .path = "/cluster/replication",
				 .counter = "pve_calls_replication" },
	[SOURCE_NODE_REPLICATION] = { .path = "/nodes/{node}/replication",
				      .counter = "pve_calls_node_replication",
				      .of_node = true },
	[SOURCE_GUEST_CONFIG] = { .path = "/nodes/{node}/{type}/{vmid}/config",
				  .counter = "pve_calls_guest_config",
				  .of_node = true,
				  .single = true,
				  .quiet = true },
	[SOURCE_GUEST_SNAPSHOTS] = { .path = "/nodes/{node}/{type}/{vmid}/snapshot",
				     .counter = "pve_calls_guest_snapshots",
				     .of_node = true,
				     .single = true,
				     .quiet = true },
	[SOURCE_TASK_LOG] = { .path = "/nodes/{node}/tasks/{upid}/log?start=0&limit=5000",
			      .counter = "pve_calls_task_log",
			      .of_node = true,
			      .single = true,
			      .quiet = true },
	[SOURCE_BACKUP_LIST] = { .path = "/nodes/{node}/storage/{storage}/content?content=backup",
				 .counter = "pve_calls_backup_list",
				 .of_node = true,
				 .slow = true },
	[SOURCE_CEPH] = { .name = "ceph",
			  .path = "/cluster/ceph/status",
			  .counter = "pve_calls_ceph",
			  .rare = true },
	[SOURCE_UPDATES] = { .name = "updates",
			     .path = "/nodes/{node}/apt/update",
			     .more = { "/nodes/{node}/apt/versions",
				       "/nodes/{node}/certificates/info" },
			     .counter = "pve_calls_updates",
			     .of_node = true,
			     .slow = true,
			     .rare = true },
	/* Without skipsmart the list would wake every disk. */
	[SOURCE_DISKS] = { .name = "disks",
			   .path = "/nodes/{node}/disks/list?skipsmart=1",
			   .more = { "/nodes/{node}/disks/smart?disk={disk}",
				     "/nodes/{node}/disks/zfs", "/nodes/{node}/disks/zfs/{pool}" },
			   .counter = "pve_calls_disks",
			   .of_node = true,
			   .slow = true,
			   .rare = true },
};

void source_end_round(struct source *source)
{
	arena_free(source->round_arena);
	source->round_arena = NULL;
	source->round = NULL;
	source->step = 0;
}

int source_compare(const struct source *a, const struct source *b)
{
	int order;

	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	order = strcmp(a->node, b->node);
	if (order)
		return order;
	if (a->vmid != b->vmid)
		return a->vmid < b->vmid ? -1 : 1;
	return strcmp(a->item, b->item);
}

int64_t source_period_ms(enum source_kind kind, const struct config_cluster *cluster)
{
	const int64_t periods[SOURCE_KIND_COUNT] = {
		[SOURCE_STATUS] = cluster->poll.nodes_ms,
		[SOURCE_RESOURCES] = cluster->poll.nodes_ms,
		[SOURCE_TASKS] = cluster->poll.tasks_ms,
		[SOURCE_NODE] = cluster->poll.node_ms,
		[SOURCE_PERMISSIONS] = cluster->poll.permissions_ms,
		[SOURCE_VOTES] = VOTES_PERIOD_MS,
		[SOURCE_VERSION] = VERSION_PERIOD_MS,
		[SOURCE_STORAGE] = cluster->poll.storage_ms,
		[SOURCE_HA] = cluster->poll.ha_ms,
		[SOURCE_BACKUP_JOBS] = cluster->poll.backups_ms,
		[SOURCE_BACKUP_LIST] = cluster->poll.backups_ms,
		[SOURCE_REPLICATION] = cluster->poll.replication_ms,
		[SOURCE_NODE_REPLICATION] = cluster->poll.replication_ms,
		[SOURCE_CEPH] = cluster->poll.ceph_ms,
		[SOURCE_UPDATES] = cluster->poll.updates_ms,
		[SOURCE_DISKS] = cluster->poll.disks_ms,
	};

	return periods[kind];
}

int64_t source_timeout_ms(enum source_kind kind, const struct config_cluster *cluster)
{
	int64_t timeout = cluster->request_timeout_ms;

	if (kind == SOURCE_OPINION)
		return min_of(timeout, (int64_t)OPINION_TIMEOUT_MS);
	if (kind == SOURCE_BACKUP_LIST)
		return timeout * LIST_TIMEOUTS;
	return source_table[kind].of_node ? timeout : min_of(timeout, (int64_t)LOCAL_TIMEOUT_MS);
}

static void add_word(struct str *out, const struct source *source, const char *word)
{
	if (str_starts(word, "{node}"))
		pve_add_level(out, source->node);
	else if (str_starts(word, "{disk}") || str_starts(word, "{pool}"))
		pve_add_level(out, source->object);
	else if (str_starts(word, "{type}"))
		str_add(out, source->is_container ? "lxc" : "qemu");
	else if (str_starts(word, "{storage}") || str_starts(word, "{upid}"))
		pve_add_level(out, source->item);
	else
		str_printf(out, "%lld", (long long)source->vmid);
}

static void add_path(struct str *out, const struct source *source)
{
	const char *path = source_table[source->kind].path;

	if (source->step)
		path = source_table[source->kind].more[source->step - 1];
	for (const char *brace; (brace = strchr(path, '{')); path = strchr(brace, '}') + 1) {
		str_add_n(out, path, (size_t)(brace - path));
		add_word(out, source, brace);
	}
	str_add(out, path);
}

char *source_path(const struct source *source)
{
	struct str path = { 0 };

	add_path(&path, source);
	return str_take(&path);
}

char *source_url(const struct source *source, const struct config_node *endpoint)
{
	struct str url = { 0 };

	pve_add_url(&url, endpoint);
	add_path(&url, source);
	return str_take(&url);
}

void source_build(const struct source *source, const struct config_cluster *cluster,
		  int64_t boot_ms, int64_t wall_ms, struct msg_source_state *ret)
{
	*ret = (struct msg_source_state){
		/* Its own, where it has one: what is not there is asked for less often. */
		.period_s =
			(double)(source->slot.period_ms ? source->slot.period_ms :
							  source_period_ms(source->kind, cluster)) /
			1000,
		.latency_ms = source->latency_ms,
		.failures = source->slot.failures,
		.error = source->error[0] ? source->error : NULL,
	};
	if (source->last_ok_ms.has)
		ret->last_ok_ms = some_i64(wall_ms - (boot_ms - source->last_ok_ms.v));
}
