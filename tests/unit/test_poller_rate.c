/* SPDX-License-Identifier: MIT */
/*
 * Rates from counters, with the guest's uptime as the only clock.
 */
#include "services/proxmox-poller/pve_rate.h"

#include "tests/unit/check.h"

static void sample(struct pve_rates *rates, int64_t uptime, int64_t counter, int64_t boot_ms)
{
	const struct opt_i64 counters[COUNTER_COUNT] = { some_i64(counter), some_i64(2 * counter) };

	pve_rates_take(rates, some_i64(uptime), counters, boot_ms);
}

static void test_difference(void **unused)
{
	struct pve_rates rates = { 0 };

	(void)unused;
	sample(&rates, 100, 1000, 0);
	assert_false(rates.rates[COUNTER_NET_IN].has);
	sample(&rates, 110, 6000, 10000);
	assert_float_equal(rates.rates[COUNTER_NET_IN].v, 500, 1e-9);
	assert_float_equal(rates.rates[COUNTER_NET_OUT].v, 1000, 1e-9);
	/* What is not counted has no rate. */
	assert_false(rates.rates[COUNTER_DISK_READ].has);
	/* Nothing happened in 10 s: that is 0, and known. */
	sample(&rates, 120, 6000, 20000);
	assert_true(rates.rates[COUNTER_NET_IN].has && rates.rates[COUNTER_NET_IN].v == 0);
}

static void test_same_sample_again(void **unused)
{
	struct pve_rates rates = { 0 };

	(void)unused;
	sample(&rates, 100, 1000, 0);
	sample(&rates, 110, 6000, 10000);
	sample(&rates, 110, 6000, 15000);
	assert_float_equal(rates.rates[COUNTER_NET_IN].v, 500, 1e-9);
	/* Frozen: nobody knows any more. */
	sample(&rates, 110, 6000, 80000);
	assert_false(rates.rates[COUNTER_NET_IN].has);
	sample(&rates, 210, 16000, 110000);
	assert_float_equal(rates.rates[COUNTER_NET_IN].v, 100, 1e-9);
}

static void test_restart(void **unused)
{
	struct pve_rates rates = { 0 };

	(void)unused;
	sample(&rates, 100, 1000, 0);
	sample(&rates, 110, 6000, 10000);
	sample(&rates, 5, 50, 20000);
	assert_false(rates.rates[COUNTER_NET_IN].has);
	sample(&rates, 15, 150, 30000);
	assert_float_equal(rates.rates[COUNTER_NET_IN].v, 10, 1e-9);
	/* A counter that fell, though the uptime grew. */
	sample(&rates, 25, 100, 40000);
	assert_false(rates.rates[COUNTER_NET_IN].has || rates.rates[COUNTER_NET_OUT].has);
}

static void test_no_uptime(void **unused)
{
	struct pve_rates rates = { 0 };
	const struct opt_i64 counters[COUNTER_COUNT] = { { 0 } };

	(void)unused;
	sample(&rates, 100, 1000, 0);
	sample(&rates, 110, 6000, 10000);
	pve_rates_take(&rates, (struct opt_i64){ 0 }, counters, 20000);
	assert_false(rates.has || rates.rates[COUNTER_NET_IN].has);
	sample(&rates, 130, 9000, 30000);
	assert_false(rates.rates[COUNTER_NET_IN].has);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_difference),
		cmocka_unit_test(test_same_sample_again),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_no_uptime),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
