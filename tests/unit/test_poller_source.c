/* SPDX-License-Identifier: MIT */
/*
 * Paths and periods of what is asked; settings over a reload; ULIDs.
 */
#include "services/proxmox-poller/settings.h"
#include "services/proxmox-poller/source.h"
#include "services/proxmox-poller/ulid.h"

#include "common/alloc.h"
#include "tests/unit/check.h"

static const struct config_node node = { .name = "pve", .address = "192.168.1.74", .port = 8006 };
static const struct config_node v6 = { .name = "pve", .address = "fd00::4", .port = 443 };

static void check_url(const struct source *source, const struct config_node *endpoint,
		      const char *want)
{
	_cleanup_(freep) char *url = source_url(source, endpoint);

	assert_string_equal(url, want);
}

static void test_urls(void **unused)
{
	const struct source status = { .kind = SOURCE_STATUS };
	const struct source storage = { .kind = SOURCE_STORAGE, .node = "agent1" };
	const struct source odd = { .kind = SOURCE_NODE, .node = "../x?y" };
	struct source guest = { .kind = SOURCE_GUEST, .node = "pve", .vmid = 101 };
	struct source list = { .kind = SOURCE_BACKUP_LIST, .node = "pve", .item = "a/b" };
	struct source log = { .kind = SOURCE_TASK_LOG,
			      .node = "pve",
			      .item = "UPID:pve:1:root@pam:" };

	(void)unused;
	check_url(&status, &node, "https://192.168.1.74:8006/api2/json/cluster/status");
	check_url(&storage, &v6, "https://[fd00::4]:443/api2/json/nodes/agent1/storage");
	/* A name that Proxmox told us leads nowhere else. */
	check_url(&odd, &node, "https://192.168.1.74:8006/api2/json/nodes/%2E%2E%2Fx%3Fy/status");
	check_url(&guest, &node,
		  "https://192.168.1.74:8006/api2/json/nodes/pve/qemu/101/status/current");
	guest.is_container = true;
	check_url(&guest, &node,
		  "https://192.168.1.74:8006/api2/json/nodes/pve/lxc/101/status/current");
	check_url(
		&list, &node,
		"https://192.168.1.74:8006/api2/json/nodes/pve/storage/a%2Fb/content?content=backup");
	check_url(
		&log, &node,
		"https://192.168.1.74:8006/api2/json/nodes/pve/tasks/UPID%3Apve%3A1%3Aroot%40pam%3A/log"
		"?start=0&limit=5000");
}

static void test_table(void **unused)
{
	const struct config_cluster cluster = {
		.poll = { .nodes_ms = 10000,
			  .storage_ms = 30000,
			  .tasks_ms = 5000,
			  .node_ms = 20000,
			  .permissions_ms = 3600000,
			  .backups_ms = 300000,
			  .replication_ms = 300000,
			  .ha_ms = 300000,
			  .ceph_ms = 60000,
			  .disks_ms = 1800000,
			  .updates_ms = 3600000 },
		.request_timeout_ms = 15000,
	};

	(void)unused;
	for (int k = 0; k < SOURCE_KIND_COUNT; k++) {
		const struct source_def *def = &source_table[k];
		int64_t period = source_period_ms((enum source_kind)k, &cluster);

		assert_non_null(def->path);
		assert_non_null(def->counter);
		assert_true(def->single == (period == 0));
		/* Lists of backups are long; Proxmox itself gives up after 30 s. */
		assert_true(source_timeout_ms((enum source_kind)k, &cluster) <=
			    (k == SOURCE_BACKUP_LIST ? 30000 : 15000));
	}
	assert_int_equal(source_period_ms(SOURCE_TASKS, &cluster), 5000);
	assert_int_equal(source_timeout_ms(SOURCE_STORAGE, &cluster), 15000);
	assert_int_equal(source_timeout_ms(SOURCE_RESOURCES, &cluster), 10000);
}

static void test_source_document(void **unused)
{
	const struct config_cluster cluster = { .poll = { .tasks_ms = 2500 } };
	struct source source = { .kind = SOURCE_TASKS, .error = "pve did not answer" };
	struct msg_source_state doc;

	(void)unused;
	source.slot.failures = 3;
	source_build(&source, &cluster, 9000, 500000, &doc);
	assert_false(doc.last_ok_ms.has);
	assert_float_equal(doc.period_s, 2.5, 1e-9);
	assert_int_equal(doc.failures, 3);
	assert_string_equal(doc.error, "pve did not answer");
	source.last_ok_ms = some_i64(2000);
	source.error[0] = '\0';
	source_build(&source, &cluster, 9000, 500000, &doc);
	assert_int_equal(doc.last_ok_ms.v, 493000);
	assert_null(doc.error);
}

static void test_settings(void **unused)
{
	struct config_node nodes[] = { node, { .name = "agent", .port = 8006 } };
	struct config_cluster cluster = {
		.name = "home",
		.token = "a@pve!b",
		.nodes = nodes,
		.nodes_n = 2,
		.request_timeout_ms = 1,
	};
	struct settings *settings = settings_copy(&cluster);

	(void)unused;
	assert_true(settings_equal(settings, &cluster));
	assert_ptr_not_equal(settings->cluster.nodes, nodes);
	cluster.request_timeout_ms = 2;
	assert_false(settings_equal(settings, &cluster));
	cluster.request_timeout_ms = 1;
	cluster.ca = "/etc/ca.pem";
	assert_false(settings_equal(settings, &cluster));
	cluster.ca = NULL;
	nodes[1].fingerprint = "AA";
	assert_false(settings_equal(settings, &cluster));
	nodes[1].fingerprint = NULL;
	nodes[1].mac = "bc:24:11:00:00:50"; /* none of the poller's business */
	assert_true(settings_equal(settings, &cluster));
	cluster.nodes_n = 1;
	assert_false(settings_equal(settings, &cluster));
	settings_free(settings);
	settings_free(NULL);
}

static void test_ulid(void **unused)
{
	char a[ULID_LENGTH + 1], b[ULID_LENGTH + 1], c[ULID_LENGTH + 1];

	(void)unused;
	ulid_make(1469918176385, a);
	ulid_make(1469918176385, b);
	ulid_make(1469918176386, c);
	assert_int_equal(strlen(a), ULID_LENGTH);
	/* The example of the ULID specification. */
	assert_memory_equal(a, "01ARYZ6S41", 10);
	assert_string_not_equal(a, b);
	assert_true(strcmp(a, c) < 0 && strcmp(b, c) < 0);
	assert_int_equal(strspn(a, "0123456789ABCDEFGHJKMNPQRSTVWXYZ"), ULID_LENGTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_source_document),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_ulid),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
