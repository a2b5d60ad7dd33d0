/* SPDX-License-Identifier: MIT */
/*
 * Pools, packages, certificates and Ceph, in the shapes that they come in.
 */
#include "services/proxmox-poller/pve_ceph.h"
#include "services/proxmox-poller/pve_updates.h"
#include "services/proxmox-poller/pve_zfs.h"

#include "tests/unit/check.h"
#include "tests/unit/pve_fixture.h"

#include <errno.h>

static cJSON *tree(const char *text)
{
	struct json_error error = { 0, "" };
	cJSON *ret = NULL;

	if (json_parse(text, strlen(text), JSON_FOREIGN, &ret, &error) < 0)
		fail_msg("%s at %zu of %s", error.text, error.offset, text);
	return ret;
}

static void check_i64(struct opt_i64 value, int64_t want)
{
	assert_true(value.has);
	assert_int_equal(value.v, want);
}

/* ── ZFS ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_pools(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(json_treep) cJSON *answer = tree(
		"{\"data\":[{\"name\":\"tank\",\"size\":1980000000000,\"alloc\":\"990000000000\",\"free\":1,"
		"\"frag\":9,\"dedup\":1,\"health\":\"ONLINE\"},{\"name\":\"old\",\"size\":0,\"alloc\":0,"
		"\"frag\":0,\"health\":\"UNAVAIL\"},{\"size\":3},null]}");
	struct pve_pools pools;
	struct msg_zfs_pool doc;

	(void)unused;
	assert_int_equal(pve_parse_pools(answer, arena, &pools), 0);
	assert_int_equal(pools.n, 2);
	assert_int_equal(pools.bad, 2);
	pve_build_pool(&pools.rows[0], arena, &doc);
	assert_string_equal(doc.health, "UNAVAIL");
	assert_false(doc.size.has || doc.used.has || doc.fragmentation.has);
	pve_build_pool(&pools.rows[1], arena, &doc);
	assert_string_equal(doc.pool, "tank");
	check_i64(doc.used, 990000000000);
	check_i64(doc.fragmentation, 9);
	assert_int_equal(doc.bad_devices_n, 0);
}

static void test_degraded_pool(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(json_treep) cJSON *answer = pve_fixture("zfs-degraded");
	struct pve_pool pool = { .name = "tank", .health = "ONLINE" };
	struct msg_zfs_pool doc;

	(void)unused;
	assert_int_equal(pve_parse_pool_details(answer, arena, &pool), 0);
	pve_build_pool(&pool, arena, &doc);
	assert_string_equal(doc.health, "DEGRADED");
	assert_true(str_starts(doc.scan, "resilvered 1.2G"));
	assert_string_equal(doc.errors, "No known data errors");
	assert_int_equal(doc.bad_devices_n, 2);
	assert_string_equal(
		doc.bad_devices[0],
		"/dev/sdb1: FAULTED, 3 read errors, many write errors (too many errors)");
	assert_string_equal(doc.bad_devices[1], "/dev/sdc1: ONLINE, 2 checksum errors");
}

/* ── packages ──────────────────────────────────────────────────────────────────────────────────────────────── */

static struct pve_updates updates_of(const char *text, bool versions, struct arena *arena)
{
	_cleanup_(json_treep) cJSON *answer = tree(text);
	struct pve_updates u;

	assert_int_equal(versions ? pve_parse_versions(answer, arena, &u) :
				    pve_parse_updates(answer, arena, &u),
			 0);
	return u;
}

static void test_updates(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_updates u = updates_of(
		"{\"data\":[{\"Package\":\"qemu-server\",\"OldVersion\":\"9.1.4\",\"Version\":\"9.1.5\","
		"\"Origin\":\"Proxmox\",\"Section\":\"admin\"},{\"Package\":\"libssl3t64\","
		"\"OldVersion\":\"3.5.1-1\",\"Version\":\"3.5.1-1+deb13u1\",\"Origin\":\"Debian-Security\"},"
		"{\"Package\":\"curl\",\"Version\":8,\"OldVersion\":null,\"Origin\":\"Debian\"},{\"Title\":\"x\"}]}",
		false, arena);

	(void)unused;
	assert_int_equal(u.pending, 3);
	assert_int_equal(u.security, 1);
	assert_int_equal(u.bad, 1);
	assert_true(u.undecided);
	assert_string_equal(u.packages[0].name, "curl");
	assert_null(u.packages[0].old_version);
	assert_string_equal(u.packages[0].version, "8");
	assert_true(u.packages[1].security);
	assert_false(u.packages[2].security);
	u = updates_of("{\"data\":[]}", false, arena);
	assert_int_equal(u.pending, 0);
	assert_false(u.undecided);
}

static void test_versions(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct pve_updates u = updates_of(
		"{\"data\":[{\"Package\":\"proxmox-ve\",\"OldVersion\":\"9.1.0\",\"Version\":\"9.1.0\","
		"\"CurrentState\":\"Installed\",\"RunningKernel\":\"6.17.2-1-pve\",\"Origin\":\"Proxmox\"},"
		"{\"Package\":\"pve-manager\",\"OldVersion\":\"9.1.1\",\"Version\":\"9.1.2\","
		"\"CurrentState\":\"Installed\",\"ManagerVersion\":\"9.1.1/42db4a6cf33dac83\"},"
		"{\"Package\":\"ceph\",\"Version\":\"19.2.3-pve1\",\"CurrentState\":\"NotInstalled\"}]}",
		true, arena);

	(void)unused;
	assert_int_equal(u.pending, 1);
	assert_string_equal(u.packages[0].name, "pve-manager");
	assert_string_equal(u.packages[0].old_version, "9.1.1");
}

static void test_many_updates(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(str_done) struct str text = { 0 };
	struct pve_updates u;

	(void)unused;
	str_add(&text, "{\"data\":[");
	for (int i = 0; i < 400; i++)
		str_printf(&text, "%s{\"Package\":\"p%03d\",\"Version\":\"2\"}", i ? "," : "",
			   399 - i);
	str_add(&text, "]}");
	u = updates_of(str_get(&text), false, arena);
	assert_int_equal(u.pending, 400);
	assert_int_equal(u.packages_n, PVE_PACKAGES_MAX);
	assert_string_equal(u.packages[0].name, "p000");
}

static void test_certificates(void **unused)
{
	static const struct {
		const char *text, *file;
		int64_t ends_s;
	} cases[] = {
		{ "{\"data\":[{\"filename\":\"pve-root-ca.pem\",\"notafter\":9},"
		  "{\"filename\":\"pve-ssl.pem\",\"notafter\":1860000000}]}",
		  "pve-ssl.pem", 1860000000 },
		{ "{\"data\":[{\"filename\":\"pveproxy-ssl.pem\",\"notafter\":\"1800000000\"},"
		  "{\"filename\":\"pve-ssl.pem\",\"notafter\":1860000000}]}",
		  "pveproxy-ssl.pem", 1800000000 },
		{ "{\"data\":[{\"filename\":\"pve-ssl.pem\",\"notafter\":null}]}", "pve-ssl.pem",
		  -1 },
		{ "{\"data\":[{\"filename\":7},null]}", NULL, -1 },
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		_cleanup_(json_treep) cJSON *answer = tree(cases[i].text);
		struct pve_certificate c;

		assert_int_equal(pve_parse_certificates(answer, arena, &c), 0);
		assert_true(str_eq_null(c.file, cases[i].file));
		assert_int_equal(c.ends_s.has ? c.ends_s.v : -1, cases[i].ends_s);
	}
}

/* ── Ceph ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_ceph_quincy(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(json_treep) cJSON *answer = tree(
		"{\"data\":{\"fsid\":\"6f\",\"health\":{\"status\":\"HEALTH_WARN\",\"checks\":{\"OSD_DOWN\":{"
		"\"severity\":\"HEALTH_WARN\",\"summary\":{\"message\":\"1 osds down\",\"count\":1},\"muted\":false},"
		"\"OSD_FULL\":{\"severity\":\"HEALTH_ERR\"},\"ODD\":7}},\"quorum\":[0,1],"
		"\"quorum_names\":[\"a\",\"b\"],\"monmap\":{\"epoch\":3,\"mons\":[{},{},{}]},"
		"\"osdmap\":{\"num_osds\":6,\"num_up_osds\":5,\"num_in_osds\":\"6\"},"
		"\"pgmap\":{\"pgs_by_state\":[{\"state_name\":\"active+clean\",\"count\":95},"
		"{\"state_name\":\"active+clean+scrubbing+deep\",\"count\":1},"
		"{\"state_name\":\"active+undersized+degraded\",\"count\":33}],\"num_pgs\":129,"
		"\"bytes_used\":144000000000,\"bytes_total\":12000000000000,\"degraded_ratio\":0.0333},"
		"\"mgrmap\":{\"available\":true,\"active_name\":\"a\"}}}");
	struct msg_ceph_state doc;

	(void)unused;
	assert_int_equal(pve_parse_ceph(answer, arena, &doc), 0);
	assert_string_equal(doc.health, "HEALTH_WARN");
	assert_int_equal(doc.checks_n, 2);
	assert_string_equal(doc.checks[1].name, "OSD_DOWN");
	assert_string_equal(doc.checks[1].text, "1 osds down");
	assert_int_equal(doc.checks[1].severity, SEVERITY_WARNING);
	assert_int_equal(doc.checks[0].severity, SEVERITY_CRITICAL);
	check_i64(doc.mons, 3);
	check_i64(doc.mons_in_quorum, 2);
	check_i64(doc.osds, 6);
	check_i64(doc.osds_up, 5);
	check_i64(doc.osds_in, 6);
	check_i64(doc.pgs, 129);
	check_i64(doc.pgs_clean, 96);
	check_i64(doc.used, 144000000000);
	assert_true(doc.degraded.has);
	assert_float_equal(doc.degraded.v, 3.33, 1e-9);
}

static void test_ceph_squid_and_old(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(json_treep) cJSON *squid = tree(
		"{\"data\":{\"health\":{\"status\":\"HEALTH_OK\",\"checks\":{}},\"quorum_names\":[\"a\"],"
		"\"monmap\":{\"num_mons\":3},\"osdmap\":{\"num_osds\":6},"
		"\"pgmap\":{\"num_pgs\":129},\"mgrmap\":{\"available\":true}}}");
	_cleanup_(json_treep) cJSON *old =
		tree("{\"data\":{\"health\":{},\"osdmap\":{\"osdmap\":{\"num_osds\":3}}}}");
	struct msg_ceph_state doc;

	(void)unused;
	assert_int_equal(pve_parse_ceph(squid, arena, &doc), 0);
	check_i64(doc.mons, 3);
	check_i64(doc.mons_in_quorum, 1);
	assert_false(doc.pgs_clean.has || doc.osds_up.has);
	assert_true(doc.degraded.has && doc.degraded.v == 0);
	assert_int_equal(pve_parse_ceph(old, arena, &doc), 0);
	check_i64(doc.osds, 3);
	assert_null(doc.health);
	assert_false(doc.degraded.has || doc.mons.has || doc.mons_in_quorum.has);
}

static void test_ceph_absence(void **unused)
{
	(void)unused;
	assert_true(pve_ceph_is_absent("binary not installed: /usr/bin/ceph-mon"));
	assert_true(pve_ceph_is_absent(
		"pveceph configuration not initialized - missing '/etc/pve/ceph.conf'"));
	assert_false(pve_ceph_is_absent("got timeout"));
	assert_false(pve_ceph_is_absent(""));
}

static void test_what_is_no_answer(void **unused)
{
	static const char *const texts[] = { "null", "{}", "{\"data\":null}", "{\"data\":7}",
					     "{\"data\":\"x\"}" };
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(texts); i++) {
		_cleanup_(json_treep) cJSON *answer = tree(texts[i]);
		struct pve_certificate certificate;
		struct pve_pool pool = { .state = "ONLINE" };
		struct msg_ceph_state ceph;
		struct pve_updates updates;
		struct pve_pools pools;

		assert_int_equal(pve_parse_pools(answer, arena, &pools), -EINVAL);
		assert_int_equal(pve_parse_pool_details(answer, arena, &pool), -EINVAL);
		assert_string_equal(pool.state, "ONLINE");
		assert_int_equal(pve_parse_updates(answer, arena, &updates), -EINVAL);
		assert_int_equal(pve_parse_versions(answer, arena, &updates), -EINVAL);
		assert_int_equal(pve_parse_certificates(answer, arena, &certificate), -EINVAL);
		assert_int_equal(pve_parse_ceph(answer, arena, &ceph), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pools),	     cmocka_unit_test(test_degraded_pool),
		cmocka_unit_test(test_updates),	     cmocka_unit_test(test_versions),
		cmocka_unit_test(test_many_updates), cmocka_unit_test(test_certificates),
		cmocka_unit_test(test_ceph_quincy),  cmocka_unit_test(test_ceph_squid_and_old),
		cmocka_unit_test(test_ceph_absence), cmocka_unit_test(test_what_is_no_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
