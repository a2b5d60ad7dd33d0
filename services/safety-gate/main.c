/* SPDX-License-Identifier: MIT */
/*
 * safety-gate judges every action: who may ask for what, what a person must give, and when nothing is done at all. It
 * holds the key that signs, and no credential of anything that is acted on.
 */
#include "services/safety-gate/gate.h"

static const struct bus_route routes[] = {
	{ .topic = TOPIC_SERVICE_STATE, .fn = gate_on_document },
	{ .topic = TOPIC_CLUSTER_STATE, .fn = gate_on_document },
	{ .topic = TOPIC_NODE_STATE, .fn = gate_on_document },
	{ .topic = TOPIC_GUEST_STATE, .fn = gate_on_document },
	{ .topic = TOPIC_GUEST_CONFIG, .fn = gate_on_document },
	{ .topic = TOPIC_STORAGE_STATE, .fn = gate_on_document },
	{ .topic = TOPIC_ACTION_REQUEST, .fn = gate_on_action_request },
	{ .topic = TOPIC_ACTION_APPROVAL, .fn = gate_on_approval },
	{ .topic = TOPIC_AUTONOMY_SET, .fn = gate_on_autonomy },
	{ .topic = TOPIC_X_HELLO, .fn = gate_on_hello },
	{ .topic = TOPIC_X_CLAIM, .fn = gate_on_claim },
	{ .topic = TOPIC_X_PROGRESS, .fn = gate_on_progress },
	{ .topic = TOPIC_X_RESULT, .fn = gate_on_result },
	{ .topic = TOPIC_REQUEST, .fn = gate_on_request },
};

static const struct service_def definition = {
	.id = SERVICE_SAFETY_GATE,
	.routes = routes,
	.routes_n = countof(routes),
	.start = gate_start,
	.stop = gate_stop,
	.free = gate_free,
	.on_online = gate_online,
	.on_offline = gate_offline,
	.on_batch_end = gate_batch_end,
	.reload = gate_reload,
	.reload_failed = gate_reload_failed,
};

int main(int argc, char **argv)
{
	return service_main(&definition, argc, argv);
}
