/* SPDX-License-Identifier: MIT */
/*
 * Reads recorded answers through the same scanner as the poller.
 */
#include "tests/unit/pve_fixture.h"

#include "tests/unit/check.h"
#include "tests/unit/data.h"

cJSON *pve_fixture(const char *name)
{
	_cleanup_(freep) char *file = xasprintf("pve/%s.json", name);

	return data_json(file);
}

struct pve_now fixture_now(int64_t boot_ms)
{
	return (struct pve_now){ boot_ms, FIXTURE_WALL_MS + boot_ms };
}

void take_resources(struct pve_cluster *cluster, const char *name, int64_t boot_ms)
{
	_cleanup_(json_treep) cJSON *answer = pve_fixture(name);
	size_t bad;

	assert_int_equal(pve_cluster_take_resources(cluster, answer, fixture_now(boot_ms), &bad),
			 0);
}

void take_status(struct pve_cluster *cluster, const char *name, int64_t boot_ms)
{
	_cleanup_(json_treep) cJSON *answer = pve_fixture(name);

	assert_int_equal(pve_cluster_take_status(cluster, answer, fixture_now(boot_ms)), 0);
}

void take_storages(struct pve_cluster *cluster, const char *node, const char *name, int64_t boot_ms)
{
	_cleanup_(json_treep) cJSON *answer = pve_fixture(name);

	assert_int_equal(pve_cluster_take_storages(cluster, node, answer, fixture_now(boot_ms)), 0);
}
