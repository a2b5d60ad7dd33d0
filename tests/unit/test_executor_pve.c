/* SPDX-License-Identifier: MIT */
/*
 * What the executor asks Proxmox, and what it makes of the answers: requests, the last look, tasks, conditions, rights.
 */
#include "common/alloc.h"
#include "services/executor/follow.h"
#include "services/executor/freeze.h"
#include "services/executor/precheck.h"
#include "services/executor/rights.h"
#include "services/executor/verify.h"
#include "services/executor/wake.h"
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define USER "jarvis@pve!executor"
#define UPID(type, id) "UPID:pve:0008380E:0131F1BF:6A84EA54:" type ":" id ":" USER ":"

static const struct action_target vm = { "home", "pve", "qemu", 101 };
static const struct action_target ct = { "home", "pve", "lxc", 101 };
static const struct action_target node = { "home", "pve", NULL, 0 };

static cJSON *parse(const char *text)
{
	cJSON *tree;

	if (json_parse(text, strlen(text), JSON_FOREIGN, &tree, NULL) < 0)
		fail_msg("not JSON: %s", text);
	return tree;
}

static struct tool_args args_of(enum tool_id id, const char *json, struct arena *arena)
{
	struct tool_error error;
	struct tool_args args;

	if (tool_args_read(&tool_table[id], json, strlen(json), false, arena, &args, &error) < 0)
		fail_msg("%s: %s", json, error.text);
	return args;
}

/* ── requests ──────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct {
	enum tool_id tool;
	const struct action_target *target;
	const char *args;
	bool is_running;
	const char *method, *path, *form;
} requests[] = {
	{ TOOL_guest_start, &vm, "{\"guest\":101}", false, "POST",
	  "/nodes/pve/qemu/101/status/start", "" },
	{ TOOL_guest_start, &ct, "{\"guest\":101}", false, "POST",
	  "/nodes/pve/lxc/101/status/start", "" },
	{ TOOL_guest_shutdown, &vm, "{\"guest\":101,\"timeout\":30}", true, "POST",
	  "/nodes/pve/qemu/101/status/shutdown", "timeout=30" },
	{ TOOL_guest_shutdown, &vm, "{\"guest\":101}", true, "POST",
	  "/nodes/pve/qemu/101/status/shutdown", "" },
	{ TOOL_guest_snapshot, &vm,
	  "{\"guest\":101,\"snapshot\":\"a1\",\"description\":\"x & y=z/\xc3\xa4\",\"memory\":true}",
	  true, "POST", "/nodes/pve/qemu/101/snapshot",
	  "snapname=a1&description=x%20%26%20y%3Dz%2F%C3%A4&vmstate=1" },
	{ TOOL_guest_snapshot, &vm, "{\"guest\":101,\"snapshot\":\"a1\",\"memory\":true}", false,
	  "POST", "/nodes/pve/qemu/101/snapshot", "snapname=a1" },
	{ TOOL_guest_snapshot, &ct, "{\"guest\":101,\"snapshot\":\"a1\",\"memory\":true}", true,
	  "POST", "/nodes/pve/lxc/101/snapshot", "snapname=a1" },
	{ TOOL_snapshot_delete, &ct, "{\"guest\":101,\"snapshot\":\"a.1\"}", true, "DELETE",
	  "/nodes/pve/lxc/101/snapshot/a%2E1", "" },
	{ TOOL_snapshot_rollback, &vm, "{\"guest\":101,\"snapshot\":\"a1\"}", true, "POST",
	  "/nodes/pve/qemu/101/snapshot/a1/rollback", "" },
	{ TOOL_guest_migrate, &vm, "{\"guest\":101,\"target_node\":\"agent\",\"local_disks\":true}",
	  true, "POST", "/nodes/pve/qemu/101/migrate", "target=agent&online=1&with-local-disks=1" },
	{ TOOL_guest_migrate, &vm, "{\"guest\":101,\"target_node\":\"agent\"}", false, "POST",
	  "/nodes/pve/qemu/101/migrate", "target=agent" },
	{ TOOL_guest_migrate, &ct, "{\"guest\":101,\"target_node\":\"agent\",\"local_disks\":true}",
	  true, "POST", "/nodes/pve/lxc/101/migrate", "target=agent&restart=1" },
	{ TOOL_backup_now, &ct, "{\"guest\":101,\"storage\":\"pbs\"}", true, "POST",
	  "/nodes/pve/vzdump", "vmid=101&storage=pbs&mode=snapshot&compress=zstd&remove=0" },
	{ TOOL_node_reboot, &node, "{\"node\":\"pve\"}", false, "POST", "/nodes/pve/status",
	  "command=reboot" },
	{ TOOL_node_shutdown, &node, "{\"node\":\"pve\"}", false, "POST", "/nodes/pve/status",
	  "command=shutdown" },
	{ TOOL_node_wake, &node, "{\"node\":\"pve\"}", false, "POST", "/nodes/pve/wakeonlan", "" },
	{ TOOL_task_stop, &node,
	  "{\"upid\":\"UPID:pve:0008380E:0131F1BF:6A84EA54:vzdump::root@pam:\"}", false, "DELETE",
	  "/nodes/pve/tasks/UPID%3Apve%3A0008380E%3A0131F1BF%3A6A84EA54%3Avzdump%3A%3Aroot%40pam%3A",
	  "" },
};

static void test_requests(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(requests); i++) {
		struct tool_args args = args_of(requests[i].tool, requests[i].args, arena);
		const struct pve_action *action = pve_action_find(args.tool);
		_cleanup_(str_done) struct str path = { 0 }, form = { 0 };
		struct tool_error error;

		assert_int_equal(pve_action_build(action, requests[i].target, &args,
						  requests[i].is_running, &path, &form, &error),
				 0);
		assert_string_equal(action->method, requests[i].method);
		assert_string_equal(str_get(&path), requests[i].path);
		assert_string_equal(str_get(&form), requests[i].form);
	}
}

/* There is no way to say it: no tool has a call that destroys, and none is made that has no row. */
static void test_nothing_destroys(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const struct pve_action *reset = pve_action_find(&tool_table[TOOL_guest_reset]);
	struct tool_args args = args_of(TOOL_guest_reset, "{\"guest\":101}", arena);
	_cleanup_(str_done) struct str path = { 0 }, form = { 0 };
	struct tool_error error;

	(void)unused;
	for (size_t i = 0; i < TOOL_COUNT; i++) {
		const struct pve_action *action = pve_action_find(&tool_table[i]);

		assert_int_equal(action != NULL, tool_table[i].tier > TIER_GREEN &&
							 tool_table[i].runner != RUNNER_SSH);
		if (!action || !str_eq(action->method, "DELETE"))
			continue;
		assert_true(strstr(action->path, "/snapshot/{snapshot}") ||
			    strstr(action->path, "/tasks/{upid}"));
	}
	assert_int_equal(pve_action_build(reset, &ct, &args, true, &path, &form, &error), -EINVAL);
	/* Nor without knowing where. */
	assert_int_equal(pve_action_build(reset,
					  &(struct action_target){ "home", NULL, "qemu", 101 },
					  &args, true, &path, &form, &error),
			 -EINVAL);
}

/* ── the last look ─────────────────────────────────────────────────────────────────────────────────────────── */

static int look(const char *answer, const struct msg_grant_target *target, char *why)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(json_treep) cJSON *tree = parse(answer);
	struct guest_now now;
	int r = precheck_read_guest(tree, arena, &now);

	return r < 0 ? r : precheck_guest(target, &now, why);
}

static void test_guest(void **unused)
{
	static const char stopped[] =
		"{\"data\":{\"status\":\"stopped\",\"qmpstatus\":\"stopped\",\"name\":\"web\"}}";
	struct msg_grant_target target = {
		.name = "web", .type = "qemu", .node = "pve", .status = "stopped"
	};
	char why[PRECHECK_TEXT];

	(void)unused;
	assert_int_equal(look(stopped, &target, why), 0);
	assert_int_equal(look("{\"data\":null}", &target, why), -EINVAL);
	assert_int_equal(look("{\"data\":{\"name\":\"web\"}}", &target, why), -EINVAL);
	assert_int_equal(
		look("{\"data\":{\"status\":\"stopped\",\"name\":\"mail\"}}", &target, why),
		-EBUSY);
	assert_int_equal(look("{\"data\":{\"status\":\"stopped\"}}", &target, why), -EBUSY);
	assert_int_equal(look("{\"data\":{\"status\":\"running\",\"name\":\"web\"}}", &target, why),
			 -EBUSY);
	assert_int_equal(
		look("{\"data\":{\"status\":\"stopped\",\"name\":\"web\",\"lock\":\"backup\"}}",
		     &target, why),
		-EBUSY);
	/* QEMU's own word counts, as it does for the poller. */
	target.status = "paused";
	assert_int_equal(
		look("{\"data\":{\"status\":\"running\",\"qmpstatus\":\"paused\",\"name\":\"web\"}}",
		     &target, why),
		0);
	target.lock = "backup";
	assert_int_equal(
		look("{\"data\":{\"status\":\"running\",\"qmpstatus\":\"paused\",\"name\":\"web\"}}",
		     &target, why),
		-EBUSY);
	/* What the gate did not know is no ground to act on. */
	target = (struct msg_grant_target){ .name = "web", .type = "lxc", .status = "unknown" };
	assert_int_equal(look("{\"data\":{\"status\":\"stopped\",\"name\":\"web\"}}", &target, why),
			 -EBUSY);
	target.status = "paused";
	assert_int_equal(look("{\"data\":{\"status\":\"running\",\"name\":\"web\"}}", &target, why),
			 0);
}

static int look_at_config(const char *answer, const char *approved, char *why)
{
	const struct msg_grant_target target = { .config_digest = approved };
	_cleanup_(json_treep) cJSON *tree = parse(answer);

	return precheck_config(&target, tree, why);
}

static void test_config(void **unused)
{
	char why[PRECHECK_TEXT];

	(void)unused;
	assert_int_equal(look_at_config("{\"data\":{\"digest\":\"d1\"}}", "d1", why), 0);
	assert_int_equal(look_at_config("{\"data\":{\"digest\":\"d2\"}}", "d1", why), -EBUSY);
	assert_non_null(strstr(why, "look at it again"));
	assert_int_equal(look_at_config("{\"data\":{\"digest\":7}}", "d1", why), -EINVAL);
	assert_int_equal(look_at_config("{\"data\":{\"name\":\"web\"}}", "d1", why), -EINVAL);
	assert_int_equal(look_at_config("{\"data\":null}", "d1", why), -EINVAL);
}

static void test_node(void **unused)
{
	_cleanup_(json_treep) cJSON *cluster = parse(
		"{\"data\":[{\"type\":\"cluster\",\"name\":\"c\",\"quorate\":1},{\"type\":\"node\","
		"\"name\":\"pve\",\"online\":1},"
		"{\"type\":\"node\",\"name\":\"agent\",\"online\":0}]}");
	_cleanup_(json_treep) cJSON *alone =
		parse("{\"data\":[{\"type\":\"node\",\"name\":\"pve\",\"online\":1}]}");
	_cleanup_(json_treep) cJSON *split = parse(
		"{\"data\":[{\"type\":\"cluster\",\"quorate\":0},{\"type\":\"node\",\"name\":\"pve\",\"online\":1}]}");
	_cleanup_(json_treep) cJSON *nothing = parse("{\"data\":[]}");
	const struct msg_grant_target target = { .node = "pve" };
	char why[PRECHECK_TEXT];
	struct node_now now;

	(void)unused;
	assert_int_equal(precheck_read_node(cluster, "pve", &now), 0);
	assert_int_equal(precheck_node(&target, &now, false, why), 0);
	assert_int_equal(precheck_node(&target, &now, true, why), -EBUSY);
	assert_int_equal(precheck_read_node(cluster, "agent", &now), 0);
	assert_int_equal(precheck_node(&target, &now, false, why), -EBUSY);
	assert_int_equal(precheck_node(&target, &now, true, why), 0);
	assert_int_equal(precheck_read_node(cluster, "gone", &now), 0);
	assert_int_equal(precheck_node(&target, &now, true, why), -EBUSY);
	assert_int_equal(precheck_read_node(alone, "pve", &now), 0);
	assert_int_equal(precheck_node(&target, &now, false, why), 0);
	assert_int_equal(precheck_read_node(split, "pve", &now), 0);
	assert_int_equal(precheck_node(&target, &now, false, why), -EBUSY);
	assert_int_equal(precheck_read_node(nothing, "pve", &now), -EINVAL);
}

/* ── tasks ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_upid(void **unused)
{
	struct upid upid;

	(void)unused;
	assert_true(upid_parse(UPID("qmstart", "101"), &upid));
	assert_string_equal(upid.node, "pve");
	assert_string_equal(upid.type, "qmstart");
	assert_string_equal(upid.id, "101");
	assert_string_equal(upid.user, USER);
	assert_int_equal(upid.start_s, 0x6A84EA54);
	assert_true(upid_parse(UPID("vzdump", ""), &upid));
	assert_string_equal(upid.id, "");
	assert_false(upid_parse("UPID:pve:1:2:3:qmstart:101:root@pam:", &upid));
	assert_false(upid_parse("OK", &upid));
	assert_false(upid_parse("", &upid));
}

static void test_follow(void **unused)
{
	static const struct {
		const char *answer;
		enum task_end end;
	} rows[] = {
		{ "{\"data\":{\"status\":\"running\"}}", TASK_END_NONE },
		{ "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"OK\"}}", TASK_END_OK },
		{ "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"WARNINGS: 2\"}}",
		  TASK_END_WARNINGS },
		{ "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"VM is locked\"}}",
		  TASK_END_ERROR },
		{ "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"OKAY\"}}", TASK_END_ERROR },
		{ "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"unexpected status\"}}",
		  TASK_END_LOST },
		{ "{\"data\":{\"status\":\"stopped\"}}", TASK_END_LOST },
	};
	_cleanup_(json_treep) cJSON *nothing = parse("{\"data\":null}");
	char text[FOLLOW_TEXT];
	enum task_end end;

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		_cleanup_(json_treep) cJSON *tree = parse(rows[i].answer);

		assert_int_equal(follow_read_status(tree, &end, text), 0);
		assert_int_equal(end, rows[i].end);
	}
	assert_int_equal(follow_read_status(nothing, &end, text), -EINVAL);
}

/* An end is seen soon after it, and what takes long is not asked about again and again. */
static void test_follow_pace(void **unused)
{
	int64_t at = follow_delay_ms(0);

	(void)unused;
	assert_int_equal(at, 300);
	for (unsigned i = 1; i < 1000; i++) {
		int64_t delay = follow_delay_ms(i);

		assert_in_range(delay, 150, 5000);
		/* A third of what it has taken so far, from half a second on. */
		assert_true(at < 500 || 3 * delay <= at);
		/* No more often than once a second after the first ones. */
		assert_true(at < 3500 || delay >= 1000);
		assert_true(i < 2 || delay >= follow_delay_ms(i - 1));
		at += delay;
	}
	assert_int_equal(follow_delay_ms(1000), 5000);
}

static void test_log(void **unused)
{
	_cleanup_(json_treep) cJSON *empty =
		parse("{\"total\":1,\"data\":[{\"n\":1,\"t\":\"no content\"}]}");
	_cleanup_(json_treep) cJSON *lines = parse(
		"{\"data\":[{\"n\":1,\"t\":\"a\"},{\"n\":2,\"t\":\"b\\tc\"},{\"n\":3,\"t\":\"\"}]}");
	_cleanup_(json_treep) cJSON *none = parse("{\"data\":1}");
	char line[FOLLOW_TEXT] = "";

	(void)unused;
	assert_int_equal(follow_read_log(empty, line), 0);
	assert_string_equal(line, "");
	assert_int_equal(follow_read_log(lines, line), 3);
	assert_string_equal(line, "b c");
	assert_int_equal(follow_read_log(none, line), -EINVAL);
}

#define ROW(upid) "{\"upid\":\"" upid "\"}"

#define OTHER_USERS "UPID:pve:0008380F:0131F1BF:6A84EA54:qmstart:101:root@pam:"
#define OTHER_NODES "UPID:agent:0008380F:0131F1BF:6A84EA54:qmstart:101:" USER ":"

static const char others_json[] =
	"{\"data\":[" ROW(UPID("qmstop", "101")) "," ROW(UPID("qmstart", "102")) "," ROW(
		UPID("vzstart",
		     "101")) "," ROW(OTHER_USERS) "," ROW(OTHER_NODES) ",{},{\"upid\":7},null]}";

static void test_find(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct tool_args args = args_of(TOOL_guest_start, "{\"guest\":101}", arena);
	const struct wanted_task w = { pve_action_find(args.tool), &vm, &args, USER };
	static const char old[] = UPID("qmstart", "101");
	_cleanup_(json_treep) cJSON *before = parse("{\"data\":[" ROW(UPID("qmstart", "101")) "]}");
	_cleanup_(json_treep) cJSON *after =
		parse("{\"data\":[" ROW(UPID("qmstart", "101")) "," ROW(
			"UPID:pve:0008380F:0131F1BF:6A84EA54:qmstart:101:" USER ":") "]}");
	_cleanup_(json_treep) cJSON *managed = parse("{\"data\":[" ROW(
		"UPID:pve:0008380F:0131F1BF:6A84EA54:hastart:101:" USER ":") "]}");
	_cleanup_(json_treep) cJSON *others = parse(others_json);
	_cleanup_(json_treep) cJSON *several = parse("{\"data\":[" ROW(
		"UPID:pve:00083810:0131F1BF:6A84EA54:qmstart:101:" USER
		":") "," ROW("UPID:pve:0008380F:0131F1BF:6A84EA54:qmstart:101:" USER ":") "]}");
	_cleanup_(json_treep) cJSON *none = parse("{\"data\":null}");
	_cleanup_(str_done) struct str known = { 0 };
	char upid[UPID_BYTES];

	(void)unused;
	assert_int_equal(follow_list(before, &w, &known), 0);
	assert_true(str_starts(str_get(&known), old));
	assert_int_equal(follow_list(none, &w, &known), -EINVAL);
	assert_int_equal(follow_find(before, &w, str_get(&known), upid), 0);
	assert_int_equal(follow_find(after, &w, str_get(&known), upid), 1);
	assert_non_null(strstr(upid, "0008380F"));
	assert_int_equal(follow_find(managed, &w, "", upid), 1);
	assert_int_equal(follow_find(others, &w, "", upid), 0);
	assert_int_equal(follow_find(several, &w, "", upid), -EEXIST);
	assert_int_equal(follow_find(none, &w, "", upid), -EINVAL);
}

/* What a tool may be that is neither a guest's nor a download: a task is known by its row. */
static void test_whose_task(void **unused)
{
	static const struct pve_action service = { .tasks = { "srvrestart", "srvrestart" },
						   .task_id = "filename" };
	static const struct pve_action updates = { .tasks = { "aptupdate other",
							      "aptupdate other" } };
	static const struct {
		const struct pve_action *action;
		const struct action_target *target;
		const char *upid, *query;
		bool is_it;
	} rows[] = {
		{ &service, &node, UPID("srvrestart", "x.iso"), "&typefilter=srvrestart", true },
		{ &service, &node, UPID("srvrestart", "0"), "&typefilter=srvrestart", false },
		{ &service, &node, UPID("srvrestart", ""), "&typefilter=srvrestart", false },
		{ &updates, &node, UPID("aptupdate", ""), "", true },
		{ &updates, &node, UPID("other", ""), "", true },
		{ &updates, &node, UPID("aptupdate", "0"), "", false },
		{ &updates, &node, UPID("aptupdate", "x.iso"), "", false },
		{ &updates, &vm, UPID("aptupdate", "101"), "&vmid=101", true },
		{ &updates, &vm, UPID("aptupdate", "x.iso"), "&vmid=101", false },
	};
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct tool_args args =
		args_of(TOOL_download_url,
			"{\"storage\":\"nas\",\"node\":\"pve\",\"content\":\"iso\",\"filename\":"
			"\"x.iso\",\"url\":\"https://cloud.debian.org/x\",\"checksum_algorithm\":"
			"\"sha256\",\"checksum\":\"00\"}",
			arena);
	struct upid upid;

	(void)unused;
	for (size_t i = 0; i < countof(rows); i++) {
		_cleanup_(str_done) struct str query = { 0 };

		assert_true(upid_parse(rows[i].upid, &upid));
		if (pve_action_is_task(rows[i].action, rows[i].target, &args, &upid, USER) !=
		    rows[i].is_it)
			fail_msg("row %zu: %s", i, rows[i].upid);
		pve_action_narrow(rows[i].action, rows[i].target, &query);
		assert_string_equal(str_get(&query), rows[i].query);
	}
	/* The argument was left out. */
	args = args_of(TOOL_guest_start, "{\"guest\":101}", arena);
	assert_true(upid_parse(UPID("srvrestart", ""), &upid));
	assert_false(pve_action_is_task(&service, &node, &args, &upid, USER));
}

/* ── conditions ────────────────────────────────────────────────────────────────────────────────────────────── */

#define SELF "UPID:pve:0008380E:0131F1BF:00000064:vzdump:101:" USER ":"

static const struct {
	enum tool_id tool;
	const char *args;
	const struct action_target *target;
	int64_t uptime_s, elapsed_ms;
	const char *answer; /* NULL: Proxmox says that it is not there */
	enum verify_verdict verdict;
} conditions[] = {
	{ TOOL_guest_start, "{\"guest\":101}", &vm, -1, 1000,
	  "{\"data\":{\"status\":\"running\",\"qmpstatus\":\"running\"}}", VERDICT_YES },
	{ TOOL_guest_start, "{\"guest\":101}", &vm, -1, 1000,
	  "{\"data\":{\"status\":\"running\",\"qmpstatus\":\"prelaunch\"}}", VERDICT_NOT_YET },
	{ TOOL_guest_start, "{\"guest\":101}", &vm, -1, 1000, "{\"data\":{}}", VERDICT_BLIND },
	{ TOOL_guest_start, "{\"guest\":101}", &vm, -1, 1000, NULL, VERDICT_BLIND },
	{ TOOL_guest_stop, "{\"guest\":101}", &ct, -1, 1000, "{\"data\":{\"status\":\"stopped\"}}",
	  VERDICT_YES },
	{ TOOL_guest_stop, "{\"guest\":101}", &ct, -1, 1000, "{\"data\":{\"status\":\"running\"}}",
	  VERDICT_NOT_YET },
	{ TOOL_guest_suspend, "{\"guest\":101}", &vm, -1, 1000,
	  "{\"data\":{\"status\":\"running\",\"qmpstatus\":\"paused\"}}", VERDICT_YES },
	{ TOOL_guest_suspend, "{\"guest\":101}", &vm, -1, 1000,
	  "{\"data\":{\"status\":\"running\",\"qmpstatus\":\"running\"}}", VERDICT_NOT_YET },
	{ TOOL_guest_suspend, "{\"guest\":101}", &ct, -1, 1000,
	  "{\"data\":{\"status\":\"running\"}}", VERDICT_BLIND },
	{ TOOL_guest_reboot, "{\"guest\":101}", &vm, 5000, 9000,
	  "{\"data\":{\"status\":\"running\",\"uptime\":3}}", VERDICT_YES },
	{ TOOL_guest_reboot, "{\"guest\":101}", &vm, 5000, 9000,
	  "{\"data\":{\"status\":\"running\",\"uptime\":5009}}", VERDICT_NOT_YET },
	{ TOOL_guest_reboot, "{\"guest\":101}", &vm, 2, 30000,
	  "{\"data\":{\"status\":\"running\",\"uptime\":20}}", VERDICT_YES },
	{ TOOL_guest_reboot, "{\"guest\":101}", &vm, 2, 30000,
	  "{\"data\":{\"status\":\"running\",\"uptime\":32}}", VERDICT_NOT_YET },
	{ TOOL_guest_reboot, "{\"guest\":101}", &vm, -1, 30000,
	  "{\"data\":{\"status\":\"running\",\"uptime\":100}}", VERDICT_NOT_YET },
	{ TOOL_guest_reboot, "{\"guest\":101}", &vm, 5000, 9000,
	  "{\"data\":{\"status\":\"running\"}}", VERDICT_BLIND },
	{ TOOL_guest_reboot, "{\"guest\":101}", &vm, 5000, 9000,
	  "{\"data\":{\"status\":\"stopped\",\"uptime\":0}}", VERDICT_NOT_YET },
	{ TOOL_guest_migrate, "{\"guest\":101,\"target_node\":\"agent\"}", &vm, -1, 1000,
	  "{\"data\":{\"status\":\"running\"}}", VERDICT_YES },
	{ TOOL_guest_migrate, "{\"guest\":101,\"target_node\":\"agent\"}", &vm, -1, 1000, NULL,
	  VERDICT_NOT_YET },
	{ TOOL_guest_snapshot, "{\"guest\":101,\"snapshot\":\"a1\"}", &vm, -1, 1000,
	  "{\"data\":[{\"name\":\"a1\"},{\"name\":\"current\"}]}", VERDICT_YES },
	{ TOOL_guest_snapshot, "{\"guest\":101,\"snapshot\":\"a1\"}", &vm, -1, 1000,
	  "{\"data\":[{\"name\":\"a1\",\"snapstate\":\"prepare\"}]}", VERDICT_NOT_YET },
	{ TOOL_guest_snapshot, "{\"guest\":101,\"snapshot\":\"a1\"}", &vm, -1, 1000,
	  "{\"data\":[{\"name\":\"a2\"}]}", VERDICT_NOT_YET },
	{ TOOL_guest_snapshot, "{\"guest\":101,\"snapshot\":\"a1\"}", &vm, -1, 1000,
	  "{\"data\":null}", VERDICT_BLIND },
	{ TOOL_snapshot_delete, "{\"guest\":101,\"snapshot\":\"a1\"}", &vm, -1, 1000,
	  "{\"data\":[{\"name\":\"a2\"}]}", VERDICT_YES },
	{ TOOL_snapshot_delete, "{\"guest\":101,\"snapshot\":\"a1\"}", &vm, -1, 1000,
	  "{\"data\":[{\"name\":\"a1\"}]}", VERDICT_NOT_YET },
	{ TOOL_backup_now, "{\"guest\":101,\"storage\":\"pbs\"}", &vm, -1, 1000,
	  "{\"data\":[{\"vmid\":101,\"ctime\":100}]}", VERDICT_YES },
	{ TOOL_backup_now, "{\"guest\":101,\"storage\":\"pbs\"}", &vm, -1, 1000,
	  "{\"data\":[{\"vmid\":101,\"ctime\":99},{\"vmid\":102,\"ctime\":200},{}]}",
	  VERDICT_NOT_YET },
	{ TOOL_download_url,
	  "{\"storage\":\"local\",\"node\":\"pve\",\"content\":\"iso\",\"filename\":\"a.iso\","
	  "\"url\":\"https://a.b/c\",\"checksum_algorithm\":\"sha256\",\"checksum\":\"ab\"}",
	  &node, -1, 1000, "{\"data\":[{\"volid\":\"local:iso/a.iso\"}]}", VERDICT_YES },
	{ TOOL_download_url,
	  "{\"storage\":\"local\",\"node\":\"pve\",\"content\":\"iso\",\"filename\":\"a.iso\","
	  "\"url\":\"https://a.b/c\",\"checksum_algorithm\":\"sha256\",\"checksum\":\"ab\"}",
	  &node, -1, 1000, "{\"data\":[{\"volid\":\"local:iso/b.iso\"}]}", VERDICT_NOT_YET },
	{ TOOL_task_stop, "{\"upid\":\"" SELF "\"}", &node, -1, 1000,
	  "{\"data\":{\"status\":\"stopped\"}}", VERDICT_YES },
	{ TOOL_task_stop, "{\"upid\":\"" SELF "\"}", &node, -1, 1000,
	  "{\"data\":{\"status\":\"running\"}}", VERDICT_NOT_YET },
	{ TOOL_node_wake, "{\"node\":\"pve\"}", &node, -1, 1000,
	  "{\"data\":[{\"type\":\"node\",\"name\":\"pve\",\"online\":1}]}", VERDICT_YES },
	{ TOOL_node_wake, "{\"node\":\"pve\"}", &node, -1, 1000,
	  "{\"data\":[{\"type\":\"node\",\"name\":\"pve\",\"online\":0}]}", VERDICT_NOT_YET },
	{ TOOL_node_shutdown, "{\"node\":\"pve\"}", &node, -1, 1000,
	  "{\"data\":[{\"type\":\"node\",\"name\":\"pve\",\"online\":0}]}", VERDICT_YES },
	{ TOOL_node_shutdown, "{\"node\":\"pve\"}", &node, -1, 1000,
	  "{\"data\":[{\"type\":\"node\",\"name\":\"agent\",\"online\":0}]}", VERDICT_BLIND },
	{ TOOL_node_reboot, "{\"node\":\"pve\"}", &node, 90000, 60000, "{\"data\":{\"uptime\":12}}",
	  VERDICT_YES },
	{ TOOL_node_reboot, "{\"node\":\"pve\"}", &node, 90000, 60000,
	  "{\"data\":{\"uptime\":90060}}", VERDICT_NOT_YET },
	{ TOOL_node_reboot, "{\"node\":\"pve\"}", &node, 90000, 60000, "{\"data\":{}}",
	  VERDICT_BLIND },
};

static void test_conditions(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	(void)unused;
	for (size_t i = 0; i < countof(conditions); i++) {
		struct tool_args args = args_of(conditions[i].tool, conditions[i].args, arena);
		_cleanup_(json_treep) cJSON *tree =
			conditions[i].answer ? parse(conditions[i].answer) : NULL;
		const struct verify_case c = { .tool = args.tool,
					       .args = &args,
					       .target = conditions[i].target,
					       .upid = SELF,
					       .uptime_s = conditions[i].uptime_s,
					       .elapsed_ms = conditions[i].elapsed_ms };
		_cleanup_(str_done) struct str path = { 0 };
		const char *asks, *avoid;
		char text[VERIFY_TEXT] = "";
		enum verify_verdict verdict = verify_judge(&c, tree, !tree, text);

		if (verdict != conditions[i].verdict)
			fail_msg("row %zu, %s: %d", i, args.tool->name, (int)verdict);
		assert_true(verify_is_needed(args.tool));
		verify_build(&c, &path, &asks, &avoid);
		assert_null(strchr(str_get(&path), '{'));
		assert_true(verify_patience_ms(&c) > 0);
	}
	assert_false(verify_is_needed(&tool_table[TOOL_snapshot_rollback]));
	assert_false(verify_is_needed(&tool_table[TOOL_guest_list]));
}

/* ── rights, freezing, waking ──────────────────────────────────────────────────────────────────────────────── */

static void test_rights(void **unused)
{
	static const char *const accepted[] = { "VM.Allocate" };
	_cleanup_(json_treep) cJSON *good = parse(
		"{\"data\":{\"/\":{\"VM.Audit\":1,\"Sys.Audit\":1,\"SDN.Audit\":1,\"VM.PowerMgmt\":0}}}");
	_cleanup_(json_treep) cJSON *much = parse(
		"{\"data\":{\"/vms\":{\"VM.Allocate\":1,\"VM.Audit\":1},\"/vms/7\":{\"VM.Allocate\":1},"
		"\"/\":{\"Permissions.Modify\":1}}}");
	_cleanup_(json_treep) cJSON *none = parse("{\"data\":[]}");
	_cleanup_(str_done) struct str text = { 0 };
	struct rights rights;

	(void)unused;
	assert_int_equal(rights_read(good, NULL, 0, &rights), 0);
	assert_string_equal(rights.excess, "");
	assert_string_equal(rights.missing, "");
	assert_int_equal(rights_read(much, NULL, 0, &rights), 0);
	assert_string_equal(rights.excess, "VM.Allocate on /vms, Permissions.Modify on /");
	assert_string_equal(rights.missing, "VM.PowerMgmt, Sys.Audit");
	assert_int_equal(rights_read(much, accepted, 1, &rights), 0);
	assert_string_equal(rights.excess, "Permissions.Modify on /");
	assert_int_equal(rights_read(none, NULL, 0, &rights), -EINVAL);
	str_add(&text, "{\"data\":{\"/\":{");
	for (int i = 0; i < 40; i++)
		str_printf(&text, "%s\"Other.Right%d\":1", i ? "," : "", i);
	str_add(&text, "}}}");
	{
		_cleanup_(json_treep) cJSON *many = parse(str_get(&text));

		assert_int_equal(rights_read(many, NULL, 0, &rights), 0);
		assert_true(str_ends(rights.excess, "…"));
	}
}

static void test_freeze(void **unused)
{
	char folder[] = "/tmp/freeze-XXXXXX";
	_cleanup_(freep) char *file = NULL;
	struct msg_autonomy_state state = { .frozen = false };
	struct freeze freeze;
	int fd;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	file = xasprintf("%s/frozen", folder);
	freeze_init(&freeze, folder);
	/* Nothing heard, or only what was kept: frozen. Reads pass. */
	assert_non_null(freeze_stops(&freeze, TIER_YELLOW, 1000));
	freeze_take(&freeze, &state, true, 1000);
	assert_non_null(freeze_stops(&freeze, TIER_YELLOW, 1000));
	freeze_take(&freeze, &state, false, 1000);
	assert_null(freeze_stops(&freeze, TIER_RED, 1000));
	assert_null(freeze_stops(&freeze, TIER_RED, 16000));
	assert_non_null(freeze_stops(&freeze, TIER_RED, 16001));
	assert_null(freeze_stops(&freeze, TIER_GREEN, 16001));
	state.frozen = true;
	freeze_take(&freeze, &state, true, 2000);
	assert_non_null(freeze_stops(&freeze, TIER_YELLOW, 2000));
	state.frozen = false;
	freeze_take(&freeze, &state, false, 3000);
	assert_null(freeze_stops(&freeze, TIER_YELLOW, 3000));
	freeze_take(&freeze, NULL, false, 3000);
	assert_non_null(freeze_stops(&freeze, TIER_YELLOW, 3000));
	freeze_take(&freeze, &state, false, 3000);
	fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_non_null(freeze_stops(&freeze, TIER_YELLOW, 3000));
	assert_null(freeze_stops(&freeze, TIER_GREEN, 3000));
	assert_int_equal(unlink(file), 0);
	assert_null(freeze_stops(&freeze, TIER_YELLOW, 3000));
	freeze_done(&freeze);
	assert_int_equal(rmdir(folder), 0);
}

static void test_wake(void **unused)
{
	static const char *const bad[] = { "", "02:00:c0:a8:01", "02:00:c0:a8:01:32:44",
					   "02:00:c0:a8:01:3g", "0200c0a80132" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	unsigned char packet[WAKE_PACKET_BYTES], got[200];
	socklen_t length = sizeof(address);

	(void)unused;
	for (size_t i = 0; i < countof(bad); i++)
		assert_int_equal(wake_build(bad[i], packet), -EINVAL);
	assert_int_equal(wake_build("02:00:c0:A8:01:32", packet), 0);
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(packet[i], 0xff);
	assert_memory_equal(packet + 96, "\x02\x00\xc0\xa8\x01\x32", 6);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
	assert_int_equal(wake_send_to(packet, "127.0.0.1", ntohs(address.sin_port)), 0);
	assert_int_equal(recv(fd, got, sizeof(got), 0), WAKE_PACKET_BYTES);
	assert_memory_equal(got, packet, WAKE_PACKET_BYTES);
	assert_int_equal(wake_send_to(packet, "nowhere", 9), -EINVAL);
	assert_int_equal(close(fd), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_nothing_destroys),
		cmocka_unit_test(test_guest),
		cmocka_unit_test(test_node),
		cmocka_unit_test(test_upid),
		cmocka_unit_test(test_follow),
		cmocka_unit_test(test_follow_pace),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_whose_task),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_rights),
		cmocka_unit_test(test_freeze),
		cmocka_unit_test(test_wake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
