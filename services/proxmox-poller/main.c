/* SPDX-License-Identifier: MIT */
/*
 * proxmox-poller reads the REST API of the configured Proxmox VE clusters, with a token that may only read, and
 * publishes what it sees as retained state.
 */
#include "services/proxmox-poller/poller.h"

static const struct bus_route routes[] = {
	{ .topic = TOPIC_REQUEST, .fn = poller_on_request },
};

static const struct service_def definition = {
	.id = SERVICE_PROXMOX_POLLER,
	.routes = routes,
	.routes_n = countof(routes),
	.start = poller_start,
	.stop = poller_stop,
	.free = poller_free,
	.reload = poller_reload,
};

int main(int argc, char **argv)
{
	return service_main(&definition, argc, argv);
}
