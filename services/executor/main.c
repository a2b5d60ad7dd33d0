/* SPDX-License-Identifier: MIT */
/*
 * executor carries out what the safety gate has granted: it checks each grant, looks at the target once more, acts on
 * Proxmox with its own token, and says what really came of it.
 */
#include "services/executor/executor.h"

static const struct bus_route routes[] = {
	{ .topic = TOPIC_SERVICE_STATE, .fn = executor_on_presence },
	{ .topic = TOPIC_AUTONOMY_STATE, .fn = executor_on_autonomy },
	{ .topic = TOPIC_ACTION_STATE, .fn = executor_on_action },
	{ .topic = TOPIC_X_EPOCH, .fn = executor_on_epoch },
	{ .topic = TOPIC_X_GRANT, .fn = executor_on_grant },
	{ .topic = TOPIC_X_CANCEL, .fn = executor_on_cancel },
	{ .topic = TOPIC_REPLY, .fn = executor_on_reply },
	{ .topic = TOPIC_CLUSTER_STATE, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_TASKS_STATE, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_BACKUPS_STATE, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_HA_STATE, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_CEPH_STATE, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_THERMAL_SOURCES, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_NODE_STATE, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_NODE_THERMAL, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_DISK_STATE, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_POOL_STATE, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_NODE_UPDATES, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_GUEST_STATE, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_GUEST_BACKUP, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_GUEST_REPLICATION, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_GUEST_SNAPSHOTS, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_GUEST_CONFIG, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_STORAGE_STATE, .fn = executor_on_document, .raw = true },
};

static const struct service_def definition = {
	.id = SERVICE_EXECUTOR,
	.routes = routes,
	.routes_n = countof(routes),
	.start = executor_start,
	.stop = executor_stop,
	.free = executor_free,
	.reload = executor_reload,
	.on_online = executor_on_online,
	.on_offline = executor_on_offline,
};

int main(int argc, char **argv)
{
	return service_main(&definition, argc, argv);
}
