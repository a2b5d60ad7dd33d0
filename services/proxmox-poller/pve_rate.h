/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Rates from counters that only grow while a guest runs. The guest's own uptime is the time base: Proxmox hands out
 * the same sample several times, and without a timestamp the uptime is the only sign of a new one.
 */
#include "common/base.h"

enum pve_counter {
	COUNTER_NET_IN,
	COUNTER_NET_OUT,
	COUNTER_DISK_READ,
	COUNTER_DISK_WRITE,
	COUNTER_COUNT
};

struct pve_rates {
	bool has; /* there is a sample to compare with */
	int64_t uptime_s;
	int64_t at_ms; /* when that sample was first seen, boot clock */
	struct opt_i64 counters[COUNTER_COUNT];
	struct opt_f64 rates[COUNTER_COUNT]; /* bytes a second; unknown until the second sample */
};

/* Forgets all: the guest does not run, or moved. */
void pve_rates_reset(struct pve_rates *rates);
/* Takes a sample in. An equal uptime is the same sample again; a smaller one, or a counter that fell, a restart. */
void pve_rates_take(struct pve_rates *rates, struct opt_i64 uptime_s,
		    const struct opt_i64 counters[COUNTER_COUNT], int64_t boot_ms);
