/* SPDX-License-Identifier: MIT */
/*
 * Differences of counters over differences of uptime.
 */
#include "services/proxmox-poller/pve_rate.h"

#include <string.h>

/* A rate is not shown longer than this while no new sample comes. */
#define FROZEN_MS 60000

void pve_rates_reset(struct pve_rates *rates)
{
	*rates = (struct pve_rates){ 0 };
}

static void keep_sample(struct pve_rates *rates, int64_t uptime_s,
			const struct opt_i64 counters[COUNTER_COUNT], int64_t boot_ms)
{
	rates->has = true;
	rates->uptime_s = uptime_s;
	rates->at_ms = boot_ms;
	memcpy(rates->counters, counters, sizeof(rates->counters));
}

static bool is_restart(const struct pve_rates *rates, int64_t uptime_s,
		       const struct opt_i64 counters[COUNTER_COUNT])
{
	if (uptime_s < rates->uptime_s)
		return true;
	for (size_t i = 0; i < COUNTER_COUNT; i++) {
		if (counters[i].has && rates->counters[i].has &&
		    counters[i].v < rates->counters[i].v)
			return true;
	}
	return false;
}

void pve_rates_take(struct pve_rates *rates, struct opt_i64 uptime_s,
		    const struct opt_i64 counters[COUNTER_COUNT], int64_t boot_ms)
{
	double seconds;

	if (!uptime_s.has) {
		pve_rates_reset(rates);
		return;
	}
	if (!rates->has || is_restart(rates, uptime_s.v, counters)) {
		pve_rates_reset(rates);
		keep_sample(rates, uptime_s.v, counters, boot_ms);
		return;
	}
	if (uptime_s.v == rates->uptime_s) {
		if (boot_ms - rates->at_ms > FROZEN_MS)
			memset(rates->rates, 0, sizeof(rates->rates));
		return;
	}
	seconds = (double)(uptime_s.v - rates->uptime_s);
	for (size_t i = 0; i < COUNTER_COUNT; i++) {
		rates->rates[i] = (struct opt_f64){ 0 };
		if (counters[i].has && rates->counters[i].has)
			rates->rates[i] =
				some_f64((double)(counters[i].v - rates->counters[i].v) / seconds);
	}
	keep_sample(rates, uptime_s.v, counters, boot_ms);
}
