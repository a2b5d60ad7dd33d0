/* SPDX-License-Identifier: MIT */
/*
 * thermal-collector reads temperatures and fans of the Proxmox nodes over one kept SSH connection each, with a key
 * that may do nothing else, and publishes them as retained state.
 */
#include "services/thermal-collector/collector.h"

static const struct service_def definition = {
	.id = SERVICE_THERMAL_COLLECTOR,
	.start = collector_start,
	.stop = collector_stop,
	.free = collector_free,
	.reload = collector_reload,
};

int main(int argc, char **argv)
{
	return service_main(&definition, argc, argv);
}
