/* SPDX-License-Identifier: MIT */
/*
 * gateway: the dashboard, REST, one WebSocket that mirrors the bus, login and metrics.
 */
#include "services/gateway/gateway.h"

int main(int argc, char **argv)
{
	struct bus_route routes[TOPIC_COUNT];
	const struct service_def def = {
		.id = SERVICE_GATEWAY,
		.routes = routes,
		.routes_n = gateway_routes(routes),
		.start = gateway_start,
		.stop = gateway_stop,
		.free = gateway_free,
		.on_online = gateway_on_online,
		.on_offline = gateway_on_offline,
		.on_batch_end = gateway_on_batch_end,
		.reload = gateway_reload,
	};

	return service_main(&def, argc, argv);
}
