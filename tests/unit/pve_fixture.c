/* SPDX-License-Identifier: MIT */
/*
 * Reads recorded answers through the same scanner as the poller.
 */
#include "tests/unit/pve_fixture.h"

#include "tests/unit/check.h"

#include <stdio.h>

cJSON *pve_fixture(const char *name)
{
	_cleanup_(freep) char *path = xasprintf("tests/data/pve/%s.json", name);
	_cleanup_(freep) char *text = xcalloc(1, 65536);
	struct json_error error = { 0, "" };
	FILE *file = fopen(path, "re");
	cJSON *tree = NULL;
	size_t length;

	if (!file)
		fail_msg("%s is missing; run tests from the root of the repository", path);
	length = fread(text, 1, 65535, file);
	(void)fclose(file);
	if (json_parse(text, length, JSON_FOREIGN, &tree, &error) < 0)
		fail_msg("%s: %s at %zu", path, error.text, error.offset);
	return tree;
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
