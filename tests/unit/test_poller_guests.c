/* SPDX-License-Identifier: MIT */
/*
 * Configurations, snapshots and high availability, in the shapes of Proxmox VE 8 and 9; and rubbish.
 */
#include "services/proxmox-poller/pve_guest_config.h"
#include "services/proxmox-poller/pve_ha.h"
#include "services/proxmox-poller/pve_properties.h"
#include "services/proxmox-poller/pve_snapshots.h"
#include "tests/unit/check.h"

#include <errno.h>

#define GIB 1073741824
#define MIB 1048576

static int setup(void **state)
{
	*state = arena_new();
	return 0;
}

static int teardown(void **state)
{
	arena_free(*state);
	return 0;
}

static cJSON *tree_of(const char *text)
{
	struct json_error error = { 0, "" };
	cJSON *tree = NULL;

	if (json_parse(text, strlen(text), JSON_FOREIGN, &tree, &error) < 0)
		fail_msg("%s at %zu of %s", error.text, error.offset, text);
	return tree;
}

static int read_config(const char *text, bool is_container, struct arena *arena, size_t *bad,
		       struct msg_guest_config *ret)
{
	_cleanup_(json_treep) cJSON *tree = tree_of(text);

	return pve_parse_guest_config(tree, is_container, arena, bad, ret);
}

/* ── configurations ────────────────────────────────────────────────────────────────────────────────────────── */

static void test_machine(void **state)
{
	static const char text[] =
		"{\"data\":{\"digest\":\"ab12\",\"name\":\"web\",\"ostype\":\"l26\",\"cores\":4,\"sockets\":2,"
		"\"memory\":\"2048\",\"agent\":\"enabled=1,fstrim_cloned_disks=1\",\"onboot\":1,"
		"\"startup\":\"order=3\","
		"\"scsihw\":\"virtio-scsi-single\",\"boot\":\"order=scsi0;net0\",\"protection\":\"1\","
		"\"scsi10\":\"/dev/disk/by-id/ata-X,size=4000787030016\","
		"\"description\":\"first line\\nsecond\","
		"\"scsi2\":\"nas:100/vm-100-disk-1.qcow2,backup=0,discard=on,size=1T\","
		"\"scsi0\":\"local-lvm:vm-100-disk-0,discard=on,iothread=1,size=32G\","
		"\"ide2\":\"local:iso/debian.iso,media=cdrom,size=600M\",\"ide0\":\"none,media=cdrom\","
		"\"efidisk0\":\"local-lvm:vm-100-disk-2,efitype=4m,pre-enrolled-keys=1,size=4M\","
		"\"tpmstate0\":\"local-lvm:vm-100-disk-3,size=4M,version=v2.0\",\"virtiofs0\":\"share\","
		"\"unused0\":\"tank:vm-100-disk-9\","
		"\"net0\":\"virtio=BC:24:11:C2:56:32,bridge=vmbr0,firewall=1,tag=20\","
		"\"net1\":\"model=e1000,macaddr=BC:24:11:00:00:01,bridge=vmbr1\","
		"\"ipconfig0\":\"ip=10.0.0.5/24,gw=10.0.0.1,ip6=auto\",\"ipconfig1\":\"ip=dhcp\","
		"\"cipassword\":\"$5$secret\",\"sshkeys\":\"ssh-ed25519%20AAAA\",\"args\":\"-device evil\","
		"\"vmgenid\":\"x\",\"smbios1\":\"uuid=1\"}}";
	struct arena *arena = *state;
	struct msg_guest_config c;
	size_t bad;

	assert_int_equal(read_config(text, false, arena, &bad, &c), 0);
	assert_int_equal(bad, 0);
	assert_string_equal(c.digest, "ab12");
	assert_string_equal(c.os, "l26");
	assert_int_equal(c.cores.v, 4);
	assert_int_equal(c.sockets.v, 2);
	assert_int_equal(c.memory.v, 2048LL * MIB);
	assert_true(c.agent.v && c.onboot.v && c.protection.v);
	assert_string_equal(c.startup, "order=3");
	assert_string_equal(c.description, "first line\nsecond");
	assert_null(c.hostname);
	assert_false(c.swap.has || c.unprivileged.has);
	/* CD drives are no disks of the guest. */
	assert_int_equal(c.volumes_n, 6);
	assert_string_equal(c.volumes[0].key, "efidisk0");
	assert_int_equal(c.volumes[0].size.v, 4LL * MIB);
	assert_string_equal(c.volumes[1].key, "scsi0");
	assert_string_equal(c.volumes[1].storage, "local-lvm");
	assert_string_equal(c.volumes[1].volume, "vm-100-disk-0");
	assert_int_equal(c.volumes[1].size.v, 32LL * GIB);
	assert_true(c.volumes[1].backed_up);
	assert_string_equal(c.volumes[2].key, "scsi2");
	assert_string_equal(c.volumes[2].volume, "100/vm-100-disk-1.qcow2");
	assert_false(c.volumes[2].backed_up);
	assert_string_equal(c.volumes[3].key, "scsi10");
	assert_null(c.volumes[3].storage);
	assert_string_equal(c.volumes[3].volume, "/dev/disk/by-id/ata-X");
	assert_int_equal(c.volumes[3].size.v, 4000787030016);
	assert_string_equal(c.volumes[5].key, "unused0");
	assert_false(c.volumes[5].backed_up || c.volumes[5].size.has);
	assert_int_equal(c.nics_n, 2);
	assert_string_equal(c.nics[0].model, "virtio");
	assert_string_equal(c.nics[0].mac, "BC:24:11:C2:56:32");
	assert_int_equal(c.nics[0].vlan.v, 20);
	assert_true(c.nics[0].firewall);
	assert_string_equal(c.nics[0].address, "10.0.0.5/24");
	assert_string_equal(c.nics[1].model, "e1000");
	assert_string_equal(c.nics[1].mac, "BC:24:11:00:00:01");
	assert_null(c.nics[1].address);
}

static void test_container(void **state)
{
	static const char text[] =
		"{\"data\":{\"digest\":\"cd\",\"hostname\":\"nas\",\"arch\":\"amd64\","
		"\"memory\":1024,\"swap\":\"256\","
		"\"unprivileged\":1,\"ostype\":\"debian\",\"features\":\"nesting=1\",\"onboot\":0,"
		"\"rootfs\":\"tank:subvol-103-disk-0,size=16G\",\"lxc\":[[\"lxc.apparmor.profile\","
		"\"generated\"]],"
		"\"mp0\":\"/mnt/media,mp=/srv/media\",\"mp1\":\"tank:subvol-103-disk-1,mp=/data,"
		"backup=1,size=64G\","
		"\"mp10\":\"volume=tank:subvol-103-disk-2,mp=/tmp,size=1.5G\",\"mp2\":\"/dev/sdb1,"
		"mp=/x,backup=1\","
		"\"net0\":\"name=eth0,bridge=vmbr0,firewall=1,hwaddr=BC:24:11:16:5A:88,"
		"ip=192.168.1.5/24,ip6=fd00::5/64,"
		"gw=192.168.1.1,tag=30,type=veth\",\"net1\":\"name=eth1,bridge=vmbr1,ip=dhcp,ip6=manual\"}}";
	struct arena *arena = *state;
	struct msg_guest_config c;
	size_t bad;

	assert_int_equal(read_config(text, true, arena, &bad, &c), 0);
	assert_int_equal(bad, 0);
	assert_int_equal(c.memory.v, 1024LL * MIB);
	assert_int_equal(c.swap.v, 256LL * MIB);
	assert_true(c.unprivileged.v);
	assert_true(c.onboot.has && !c.onboot.v);
	assert_string_equal(c.hostname, "nas");
	/* All cores of the node. */
	assert_false(c.cores.has || c.sockets.has || c.agent.has);
	assert_int_equal(c.volumes_n, 5);
	assert_string_equal(c.volumes[0].key, "mp0");
	assert_null(c.volumes[0].storage);
	assert_string_equal(c.volumes[0].mount, "/srv/media");
	assert_false(c.volumes[0].backed_up);
	assert_true(c.volumes[1].backed_up);
	assert_false(c.volumes[2].backed_up);
	assert_string_equal(c.volumes[3].key, "mp10");
	assert_int_equal(c.volumes[3].size.v, 3LL * GIB / 2);
	assert_false(c.volumes[3].backed_up);
	assert_string_equal(c.volumes[4].mount, "/");
	assert_true(c.volumes[4].backed_up);
	assert_string_equal(c.nics[0].address, "192.168.1.5/24 fd00::5/64");
	assert_string_equal(c.nics[0].model, "veth");
	assert_int_equal(c.nics[0].vlan.v, 30);
	assert_null(c.nics[1].address);
	assert_null(c.nics[1].mac);
}

static void test_memory(void **state)
{
	static const struct {
		const char *member;
		bool has;
		int64_t mib;
	} cases[] = {
		{ "\"memory\":2048", true, 2048 },
		{ "\"memory\":\"2048\"", true, 2048 },
		{ "\"memory\":\"current=4096\"", true, 4096 },
		{ "\"x\":1", true, 512 },
		{ "\"memory\":\"much\"", false, 0 },
		{ "\"memory\":1e15", false, 0 },
		{ "\"memory\":null", true, 512 },
	};

	for (size_t i = 0; i < countof(cases); i++) {
		_cleanup_(freep) char *text =
			xasprintf("{\"data\":{\"digest\":\"d\",%s}}", cases[i].member);
		struct msg_guest_config c;
		size_t bad;

		assert_int_equal(read_config(text, false, *state, &bad, &c), 0);
		if (c.memory.has != cases[i].has || c.memory.v != cases[i].mib * MIB)
			fail_msg("%s", text);
		assert_true(c.agent.has && !c.agent.v);
		assert_int_equal(c.cores.v * c.sockets.v, 1);
	}
}

static void test_config_rubbish(void **state)
{
	static const char *const none[] = { "{\"data\":null}",
					    "{\"data\":[]}",
					    "{\"data\":{}}",
					    "{\"data\":{\"memory\":1}}",
					    "[]",
					    "{}" };
	struct msg_guest_config c;
	size_t bad = 77;

	for (size_t i = 0; i < countof(none); i++)
		assert_int_equal(read_config(none[i], false, *state, &bad, &c), -EINVAL);
	assert_int_equal(bad, 77);
	assert_int_equal(
		read_config(
			"{\"data\":{\"digest\":\"d\",\"scsi0\":7,\"scsi1\":\"\",\"scsi2\":\",,\","
			"\"net0\":[],\"net1\":\"\",\"cores\":\"many\",\"scsi4\":\"a:b\"}}",
			false, *state, &bad, &c),
		0);
	assert_int_equal(bad, 5);
	assert_int_equal(c.volumes_n, 1);
	assert_int_equal(c.nics_n, 0);
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		bool has;
		int64_t bytes;
	} cases[] = {
		{ "32G", true, 32LL * GIB }, { "512M", true, 512LL * MIB },
		{ "4K", true, 4096 },	     { "1.5T", true, 1536LL * GIB },
		{ "1024", true, 1024 },	     { "", false, 0 },
		{ "G", false, 0 },	     { "-1G", false, 0 },
		{ "1e99T", false, 0 },	     { "1X", false, 0 },
		{ NULL, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		struct opt_i64 size = pve_parse_size(cases[i].text);

		if (size.has != cases[i].has || size.v != cases[i].bytes)
			fail_msg("%s", cases[i].text);
	}
}

/* ── snapshots ─────────────────────────────────────────────────────────────────────────────────────────────── */

static int read_snapshots(const char *text, struct arena *arena, size_t *bad, const char **digest,
			  struct msg_guest_snapshots *ret)
{
	_cleanup_(json_treep) cJSON *tree = tree_of(text);

	return pve_parse_snapshots(tree, arena, bad, digest, ret);
}

static void test_snapshots(void **state)
{
	struct msg_guest_snapshots s;
	const char *digest;
	size_t bad;

	assert_int_equal(
		read_snapshots(
			"{\"data\":[{\"name\":\"current\",\"description\":\"You are here!\",\"digest\":\"d1\","
			"\"running\":1,\"parent\":\"b\"},{\"name\":\"b\",\"snaptime\":1700000100,"
			"\"vmstate\":1,\"parent\":\"a\",\"description\":\"\"},{\"name\":\"a\","
			"\"snaptime\":\"1700000000\",\"vmstate\":\"0\",\"description\":\"first\\n\"},"
			"{\"snaptime\":5},7,null,{\"name\":\"odd\",\"snaptime\":-4,\"snapstate\":\"delete\"}]}",
			*state, &bad, &digest, &s),
		0);
	assert_int_equal(bad, 3);
	assert_string_equal(digest, "d1");
	assert_int_equal(s.snapshots_n, 3);
	assert_string_equal(s.snapshots[0].name, "odd");
	assert_false(s.snapshots[0].time_ms.has);
	assert_string_equal(s.snapshots[1].name, "a");
	assert_int_equal(s.snapshots[1].time_ms.v, 1700000000000);
	assert_string_equal(s.snapshots[1].description, "first\n");
	assert_false(s.snapshots[1].memory);
	assert_true(s.snapshots[2].memory);
	assert_null(s.snapshots[2].description);
	assert_string_equal(s.snapshots[2].parent, "a");
	/* None at all, and no answer at all. */
	assert_int_equal(
		read_snapshots("{\"data\":[{\"name\":\"current\"}]}", *state, &bad, &digest, &s),
		0);
	assert_int_equal(s.snapshots_n, 0);
	assert_null(digest);
	assert_int_equal(read_snapshots("{\"data\":[]}", *state, &bad, &digest, &s), -EINVAL);
	assert_int_equal(read_snapshots("{\"data\":null}", *state, &bad, &digest, &s), -EINVAL);
}

static void test_very_many_snapshots(void **state)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct msg_guest_snapshots s;
	const char *digest;
	size_t bad;

	str_add(&text, "{\"data\":[{\"name\":\"current\"}");
	for (int i = 0; i < 200; i++)
		str_printf(&text, ",{\"name\":\"s%d\",\"snaptime\":%d}", i, 1700000000 + i);
	str_add(&text, "]}");
	assert_int_equal(read_snapshots(str_get(&text), *state, &bad, &digest, &s), 0);
	assert_int_equal(s.snapshots_n, 128);
	assert_string_equal(s.snapshots[127].name, "s199");
}

/* ── high availability ─────────────────────────────────────────────────────────────────────────────────────── */

static int read_ha(const char *text, struct arena *arena, size_t *bad, struct msg_ha_state *ret)
{
	_cleanup_(json_treep) cJSON *tree = tree_of(text);

	return pve_parse_ha(tree, arena, bad, ret);
}

#define QUORUM                                                                                     \
	"{\"id\":\"quorum\",\"type\":\"quorum\",\"node\":\"pve1\",\"quorate\":1,\"status\":\"OK\"}"

static void test_ha_9(void **state)
{
	struct msg_ha_state ha;
	size_t bad;

	assert_int_equal(
		read_ha("{\"data\":[" QUORUM
			",{\"type\":\"master\",\"node\":\"pve1\",\"timestamp\":1760091604,"
			"\"status\":\"pve1 (active, Fri Oct 10 10:20:04 2025)\"},{\"type\":\"fencing\","
			"\"armed-state\":\"armed\",\"status\":\"armed\",\"node\":\"pve1\"},"
			"{\"type\":\"service\",\"sid\":\"vm:101\",\"node\":\"pve2\",\"state\":\"started\","
			"\"crm_state\":\"started\",\"request_state\":\"started\",\"max_restart\":1,"
			"\"failback\":1},"
			"{\"type\":\"lrm\",\"node\":\"pve2\",\"timestamp\":\"1760091600\","
			"\"status\":\"pve2 (active, watchdog active, Fri Oct 10 10:20:00 2025)\"},"
			"{\"type\":\"lrm\",\"node\":\"pve1\",\"timestamp\":1760091601,"
			"\"status\":\"pve1 (idle, watchdog standby, Fri Oct 10 10:20:01 2025)\"},"
			"{\"type\":\"service\",\"sid\":\"ct:100\",\"node\":\"pve1\",\"state\":\"error\"},"
			"{\"type\":\"of-the-future\"}]}",
			*state, &bad, &ha),
		0);
	assert_int_equal(bad, 0);
	assert_true(ha.quorate.v);
	assert_string_equal(ha.master, "pve1");
	assert_string_equal(ha.master_state, "active");
	assert_string_equal(ha.fencing, "armed");
	assert_int_equal(ha.nodes_n, 2);
	assert_string_equal(ha.nodes[0].state, "idle");
	assert_int_equal(ha.nodes[1].seen_ms.v, 1760091600000);
	assert_int_equal(ha.services_n, 2);
	assert_string_equal(ha.services[0].sid, "ct:100");
	assert_null(ha.services[0].wanted);
	assert_int_equal(ha.services[1].vmid.v, 101);
	assert_string_equal(ha.services[1].wanted, "started");
}

static void test_ha_8(void **state)
{
	struct msg_ha_state ha;
	size_t bad;

	assert_int_equal(
		read_ha("{\"data\":[{\"type\":\"quorum\",\"quorate\":\"0\","
			"\"status\":\"No quorum on node 'pve1'!\"},"
			"{\"type\":\"master\",\"node\":\"pve3\",\"timestamp\":1,"
			"\"status\":\"pve3 (old timestamp - dead?, x)\"},"
			"{\"type\":\"lrm\",\"node\":\"pve1\","
			"\"status\":\"pve1 (maintenance mode, Fri Oct 10 10:20:01 2025)\"},"
			"{\"type\":\"lrm\",\"status\":\"?\"},{\"type\":\"service\"},{},7,"
			"{\"type\":\"lrm\",\"node\":\"pve2\",\"status\":\"unable to read\",\"timestamp\":0}]}",
			*state, &bad, &ha),
		0);
	assert_int_equal(bad, 4);
	assert_true(ha.quorate.has && !ha.quorate.v);
	assert_string_equal(ha.master_state, "old timestamp - dead?");
	assert_null(ha.fencing);
	assert_string_equal(ha.nodes[0].state, "maintenance mode");
	assert_null(ha.nodes[1].state);
	assert_false(ha.nodes[1].seen_ms.has);
	/* Where nothing is managed there is the quorum alone. */
	assert_int_equal(read_ha("{\"data\":[" QUORUM "]}", *state, &bad, &ha), 0);
	assert_int_equal(ha.nodes_n + ha.services_n, 0);
	assert_int_equal(read_ha("{\"data\":[]}", *state, &bad, &ha), -EINVAL);
	assert_int_equal(read_ha("{\"data\":{}}", *state, &bad, &ha), -EINVAL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_machine),
		TEST(test_container),
		TEST(test_memory),
		TEST(test_config_rubbish),
		TEST(test_sizes),
		TEST(test_snapshots),
		TEST(test_very_many_snapshots),
		TEST(test_ha_9),
		TEST(test_ha_8),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
