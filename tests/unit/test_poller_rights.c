/* SPDX-License-Identifier: MIT */
/*
 * What is found in a token's rights, and the sliding minute of requests.
 */
#include "services/proxmox-poller/pve_load.h"
#include "services/proxmox-poller/pve_rights.h"

#include "tests/unit/check.h"

#define TOKEN "jarvis@pve!poller"
#define AUDITOR                                                                                    \
	"\"Sys.Audit\":1,\"VM.Audit\":1,\"VM.GuestAgent.Audit\":1,\"Datastore.Audit\":1,"          \
	"\"SDN.Audit\":1,\"Pool.Audit\":1,\"Mapping.Audit\":1"
#define TOPS "\"/\":{" AUDITOR "},\"/vms\":{" AUDITOR "},\"/storage\":{" AUDITOR "}"
#define ROW(path, role)                                                                            \
	"{\"path\":\"" path "\",\"type\":\"token\",\"ugid\":\"" TOKEN "\",\"roleid\":\"" role      \
	"\",\"propagate\":1}"

static cJSON *tree(const char *text)
{
	struct json_error error = { 0, "" };
	cJSON *ret = NULL;

	if (json_parse(text, strlen(text), JSON_FOREIGN, &ret, &error) < 0)
		fail_msg("%s at %zu of %s", error.text, error.offset, text);
	return ret;
}

/* ACL is NULL when Proxmox did not tell it. */
static struct pve_findings judge(const char *permissions, const char *acl)
{
	_cleanup_(freep) char *text = xasprintf("{\"data\":{%s}}", permissions);
	_cleanup_(freep) char *rows = xasprintf("{\"data\":[%s]}", acl ? acl : "");
	_cleanup_(json_treep) cJSON *p = tree(text);
	_cleanup_(json_treep) cJSON *a = tree(rows);
	struct pve_findings findings = { 0 };

	pve_rights_judge(p, acl ? a : NULL, TOKEN, &findings);
	return findings;
}

static void test_just_right(void **unused)
{
	static const char *const cases[] = {
		TOPS ",\"/access\":{" AUDITOR "}",
		/* PVE 8 knows no VM.GuestAgent. */
		"\"/\":{\"Sys.Audit\":1},\"/vms\":{\"VM.Audit\":\"1\"},\"/storage\":{\"Datastore.Audit\":true}",
		/* What the list of all updates needs. */
		TOPS ",\"/nodes\":{" AUDITOR ",\"Sys.Modify\":1}",
		TOPS ",\"/nodes/pve1\":{" AUDITOR ",\"Sys.Modify\":1}",
		/* Nothing at all is told elsewhere. */
		"",
		"\"/\":{},\"/odd\":7",
	};

	(void)unused;
	for (size_t i = 0; i < countof(cases); i++) {
		struct pve_findings f = judge(cases[i], ROW("/", "PVEAuditor"));

		assert_int_equal(f.n, 0);
		pve_findings_done(&f);
	}
}

static void test_too_few(void **unused)
{
	struct pve_findings f =
		judge("\"/\":{\"Sys.Audit\":1},\"/vms/100\":{\"VM.Audit\":1}", NULL);
	const struct msg_finding *vm = pve_findings_find(&f, "token-lacks-vm-audit");
	const struct msg_finding *store = pve_findings_find(&f, "token-lacks-datastore-audit");

	(void)unused;
	assert_int_equal(f.n, 2);
	assert_int_equal(vm->severity, SEVERITY_INFO); /* perhaps on purpose */
	assert_non_null(strstr(vm->title, "VM.Audit on /vms"));
	assert_int_equal(store->severity, SEVERITY_WARNING);
	assert_non_null(strstr(store->detail, "storages and the backups on them do not appear"));
	assert_string_equal(store->cure, "pveum acl modify / --users 'jarvis@pve' "
					 "--tokens 'jarvis@pve!poller' --roles PVEAuditor");
	pve_findings_done(&f);
	/* Granted at the top, taken away below: there it must be granted again. */
	f = judge("\"/\":{" AUDITOR "},\"/storage\":{" AUDITOR "},\"/vms\":{\"Pool.Audit\":1}",
		  NULL);
	vm = pve_findings_find(&f, "token-lacks-vm-audit");
	assert_int_equal(f.n, 1);
	assert_non_null(strstr(vm->cure, "pveum acl modify /vms --users"));
	pve_findings_done(&f);
	/* NoAccess: Proxmox leaves the path out. */
	f = judge("\"/\":{" AUDITOR "},\"/vms\":{" AUDITOR "}", NULL);
	assert_int_equal(f.n, 1);
	assert_string_equal(f.list[0].id, "token-lacks-datastore-audit");
	pve_findings_done(&f);
	/* A right that is not passed on ends where it stands. */
	f = judge("\"/\":{\"Sys.Audit\":0,\"VM.Audit\":0,\"Datastore.Audit\":0}", NULL);
	assert_int_equal(f.n, 2);
	assert_null(pve_findings_find(&f, "token-lacks-sys-audit"));
	pve_findings_done(&f);
}

static void test_too_many(void **unused)
{
	struct pve_findings f = judge(
		"\"/\":{" AUDITOR ",\"VM.PowerMgmt\":1,\"Sys.Modify\":1},"
		"\"/vms\":{" AUDITOR ",\"VM.PowerMgmt\":1},"
		"\"/nodes\":{" AUDITOR ",\"Sys.Modify\":1},"
		"\"/storage\":{" AUDITOR "},\"/storage/nas\":{" AUDITOR
		",\"Datastore.Allocate\":1}",
		ROW("/", "PVEAuditor") "," ROW("/", "JarvisPower") "," ROW(
			"/storage/nas",
			"PVEDatastoreAdmin") "," ROW("/nodes",
						     "JarvisUpdates") "," ROW("/pool/x",
									      "bad$(role)") ",7,{}");
	const struct msg_finding *e = pve_findings_find(&f, "token-excess");

	(void)unused;
	assert_int_equal(f.n, 1);
	assert_int_equal(e->severity, SEVERITY_WARNING);
	assert_string_equal(e->detail,
			    "on /: Sys.Modify, VM.PowerMgmt; on /storage/nas: Datastore.Allocate");
	assert_string_equal(
		e->cure,
		"pveum acl delete / --tokens 'jarvis@pve!poller' --roles JarvisPower && "
		"pveum acl delete /storage/nas --tokens 'jarvis@pve!poller' --roles PVEDatastoreAdmin && "
		"pveum acl modify / --tokens 'jarvis@pve!poller' --roles PVEAuditor");
	pve_findings_done(&f);
	/* Reading the log of the system is not needed either. */
	f = judge("\"/\":{" AUDITOR ",\"Sys.Syslog\":1}", NULL);
	assert_non_null(pve_findings_find(&f, "token-excess"));
	pve_findings_done(&f);
}

static void test_no_separation(void **unused)
{
	struct pve_findings f = judge(
		TOPS ",\"/nodes\":{\"VM.Allocate\":1},\"/access\":{\"Sys.Audit\":1}",
		"{\"path\":\"/\",\"type\":\"user\",\"ugid\":\"jarvis@pve\",\"roleid\":\"PVEAdmin\"}");
	const struct msg_finding *s = pve_findings_find(&f, "token-not-separated");

	(void)unused;
	assert_int_equal(f.n, 2);
	assert_int_equal(s->severity, SEVERITY_WARNING);
	assert_true(str_starts(s->cure,
			       "pveum user token modify 'jarvis@pve' 'poller' --privsep 1 && "));
	assert_string_equal(pve_findings_find(&f, "token-excess")->cure, s->cure);
	pve_findings_done(&f);
	f = judge(TOPS ",\"/access\":{\"Sys.Audit\":1}", "");
	assert_int_equal(f.n, 1);
	assert_int_equal(f.list[0].severity, SEVERITY_INFO);
	pve_findings_done(&f);
	/* The access list is not ours to see: then nothing follows from its silence. */
	f = judge(TOPS ",\"/access\":{\"Pool.Audit\":1}", "");
	assert_int_equal(f.n, 0);
	pve_findings_done(&f);
}

static void test_an_administrator(void **unused)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct pve_findings f;

	(void)unused;
	for (int path = 0; path < 60; path++) {
		str_printf(&text, "%s\"/vms/%d\":{" AUDITOR, path ? "," : "", 100 + path);
		for (int i = 0; i < 40; i++)
			str_printf(&text, ",\"VM.Config.Something%d\":1", i);
		str_add(&text, "}");
	}
	f = judge(str_get(&text), NULL);
	/* As much as fits, and no word is cut. */
	assert_true(strlen(pve_findings_find(&f, "token-excess")->detail) <= 1024);
	assert_true(f.n <= 8);
	for (size_t i = 0; i < f.n; i++)
		assert_true(!f.list[i].cure || strlen(f.list[i].cure) <= 1024);
	pve_findings_done(&f);
}

static void test_rights_on_paths(void **unused)
{
	_cleanup_(json_treep) cJSON *p =
		tree("{\"data\":{\"/\":{\"Sys.Audit\":1},\"/nodes\":{\"Sys.Modify\":1},"
		     "\"/nodes/pve2\":{\"Sys.Audit\":1},\"/nodes/only\":{\"Sys.Modify\":0}}}");

	(void)unused;
	assert_true(pve_rights_has(p, "/nodes/pve1", "Sys.Modify"));
	assert_false(pve_rights_has(p, "/nodes/pve2", "Sys.Modify"));
	assert_true(pve_rights_has(p, "/nodes/only", "Sys.Modify"));
	assert_false(pve_rights_has(p, "/nodesque", "Sys.Modify"));
	assert_false(pve_rights_has(p, "/nodes/pve1", "Sys.Audit"));
	assert_false(pve_rights_has(p, "/vms/100", "Sys.Audit")); /* nothing at all on /vms */
	assert_true(pve_rights_has(p, "/mapping/x", "Sys.Audit"));
	assert_false(pve_rights_has(NULL, "/", "Sys.Audit"));
}

/* ── the sliding minute ────────────────────────────────────────────────────────────────────────────────────── */

static int64_t load_of(const struct pve_load *load, const char *name, int64_t now)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const struct num_entry *list;
	size_t n;

	pve_load_build(load, now, 256, arena, &list, &n);
	for (size_t i = 0; i < n; i++) {
		if (str_eq(list[i].key, name))
			return list[i].value;
	}
	return 0;
}

static void test_load_slides(void **unused)
{
	struct pve_load load = { 0 };

	(void)unused;
	for (int64_t t = 0; t < 60000; t += 1000)
		pve_load_note(&load, "pve", 1000000 + t);
	assert_int_equal(load_of(&load, "pve", 1059999), 60);
	assert_int_equal(load_of(&load, "pve", 1060000), 55); /* the first five seconds are out */
	assert_int_equal(load_of(&load, "pve", 1114999), 5);
	assert_int_equal(load_of(&load, "pve", 1115000), 0);
	/* After a long silence nothing old is counted again. */
	pve_load_note(&load, "pve", 9000000);
	assert_int_equal(load_of(&load, "pve", 9000000), 1);
	pve_load_note(&load, "pve", 9061000);
	assert_int_equal(load_of(&load, "pve", 9061000), 1);
	pve_load_done(&load);
}

static void test_load_names(void **unused)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	const struct num_entry *list;
	struct pve_load load = { 0 };
	size_t n;

	(void)unused;
	pve_load_build(&load, 0, 256, arena, &list, &n);
	assert_int_equal(n, 0);
	pve_load_note(&load, "pve", 0);
	pve_load_note(&load, "agent", 10);
	pve_load_note(&load, "Home", 20);
	pve_load_note(&load, "agent", 30);
	pve_load_build(&load, 4999, 256, arena, &list, &n);
	assert_int_equal(n, 3);
	assert_string_equal(list[0].key, "Home");
	assert_string_equal(list[1].key, "agent");
	assert_int_equal(list[1].value, 2);
	pve_load_build(&load, 4999, 2, arena, &list, &n);
	assert_int_equal(n, 2);
	/* Those who are silent are forgotten when somebody new comes. */
	pve_load_note(&load, "new", 600000);
	assert_int_equal(load.n, 1);
	assert_int_equal(load_of(&load, "new", 600000), 1);
	pve_load_done(&load);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_just_right),	 cmocka_unit_test(test_too_few),
		cmocka_unit_test(test_too_many),	 cmocka_unit_test(test_no_separation),
		cmocka_unit_test(test_an_administrator), cmocka_unit_test(test_rights_on_paths),
		cmocka_unit_test(test_load_slides),	 cmocka_unit_test(test_load_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
