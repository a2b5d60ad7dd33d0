/* SPDX-License-Identifier: MIT */
/*
 * Paths and URLs among the parameters of a command, as the gate judges them: what the lists of jarvis.yaml let
 * through, what they never do, and what is a tier higher.
 */
#include "services/safety-gate/context.h"
#include "tests/unit/check.h"
#include "tests/unit/gate_world.h"

#include <stdio.h>
#include <string.h>

#define CONFIG                                                                                     \
	"protected: {nodes: [home/b], paths: [/srv/share/keep, /srv/share/deep/in]}\n"             \
	"commands:\n"                                                                              \
	"  usage: {about: it, nodes: [home/a, home/b], params: {dir: {type: path, "                \
	"below: [/srv/share, /var/lib]}}}\n"                                                       \
	"  two: {about: it, nodes: [home/a], params: {from: {type: path, below: [/srv/share]}, "   \
	"to: {type: path, below: [/srv/share]}}}\n"                                                \
	"  fetch: {about: it, nodes: [home/a], params: {url: {type: url, hosts: [deb.debian.org, " \
	"192.168.1.50, 'fd12::1'], ports: [8443]}}}\n"                                             \
	"  plain: {about: it, nodes: [home/a], params: {url: {type: url, hosts: [nas], "           \
	"schemes: [http]}}}\n"                                                                     \
	"  named: {about: it, nodes: [home/a], params: {host: {type: name}}}\n"

/* The tier of COMMAND with PARAMS on NODE for a person; FACT gets the first one. */
static enum tier tier_on(const char *node, const char *command, const char *params,
			 struct verdict *ret, char fact[200])
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(freep) char *json = xasprintf(
		"{\"node\":\"%s\",\"command_id\":\"%s\",\"params\":%s}", node, command, params);
	struct judge_target target;
	struct tool_error error;
	struct tool_args args;
	struct gate_world w;
	struct ask ask = { .who = WHO_PERSON,
			   .principal = "gateway",
			   .person = "op",
			   .has_keyword = true,
			   .has_code = true,
			   .confirmed = true,
			   .tool = tool_find("run_command"),
			   .targets = &target,
			   .targets_n = 1 };

	gate_world_init(&w, CONFIG);
	if (tool_args_read(ask.tool, json, strlen(json), false, arena, &args, &error) < 0)
		fail_msg("%s: %s", json, error.text);
	assert_int_equal(judge_resolve(w.view, &args, arena, &target, &error), 0);
	judge(w.config, w.view, &ask, w.now.boot_ms, arena, ret);
	(void)snprintf(fact, 200, "%s", ret->facts_n ? ret->facts[0] : "");
	gate_world_done(&w);
	return ret->tier;
}

static enum tier tier_of(const char *command, const char *params, struct verdict *ret)
{
	char fact[200];

	return tier_on("a", command, params, ret, fact);
}

struct row {
	const char *params;
	enum tier tier;
	const char *says; /* in the reason */
};

static void check_rows(const char *command, const struct row *rows, size_t n)
{
	struct verdict v;

	for (size_t i = 0; i < n; i++) {
		enum tier tier = tier_of(command, rows[i].params, &v);

		if (tier != rows[i].tier || (rows[i].says && !strstr(v.reason, rows[i].says)))
			fail_msg("%s %s: tier %d: %s", command, rows[i].params, tier, v.reason);
		if (tier == TIER_BLACK)
			assert_string_equal(v.rule, "command");
		if (tier == TIER_RED)
			assert_string_equal(v.rule, "tier.proof");
	}
}

#define DIR(path) "{\"dir\":\"" path "\"}"
#define NO_FOLDER                                                                                  \
	"Its parameter dir is not one of the folders of below, and lies in none: commands.usage.params"
#define DOTS "has a component . or .."
#define EMPTY "has an empty component"
#define UNSEEN "blanks that cannot be seen"

static void test_paths(void **unused)
{
	static const struct row rows[] = {
		{ DIR("/srv/share"), TIER_RED, NULL }, /* above what is protected */
		{ DIR("/srv/share/movies"), TIER_ORANGE, NULL },
		{ DIR("/srv/share/my files/\xc3\xbc"), TIER_ORANGE, NULL },
		{ DIR("/srv/share/keep"), TIER_RED, NULL },
		{ DIR("/srv/share/keep/a/b"), TIER_RED, NULL },
		{ DIR("/srv/share/keep2"), TIER_ORANGE, NULL },
		{ DIR("/srv/share/kee"), TIER_ORANGE, NULL },
		{ DIR("/srv/share/deep"), TIER_RED, NULL },
		{ DIR("/srv/share/deep/other"), TIER_ORANGE, NULL },
		{ DIR("/var/lib/samba"), TIER_ORANGE, NULL },
		/* In or above what no parameter may name, though it is below a folder that is listed. */
		{ DIR("/var/lib"), TIER_BLACK, "reaches /var/lib/jarvis, which no parameter may" },
		{ DIR("/var/lib/pve-cluster/config.db"), TIER_BLACK,
		  "reaches /var/lib/pve-cluster" },
		{ DIR("/var/lib/vz"), TIER_BLACK, "reaches /var/lib/vz/images" },
		{ DIR("/var/lib/vz/template"), TIER_ORANGE, NULL },
		{ DIR("/etc/shadow"), TIER_BLACK, "reaches /etc" },
		{ DIR("/srv/share2"), TIER_BLACK, NO_FOLDER },
		{ DIR("/srv/share-old/x"), TIER_BLACK, NO_FOLDER },
		{ DIR("/srv/shar"), TIER_BLACK, NO_FOLDER },
		{ DIR("/SRV/share/x"), TIER_BLACK, NO_FOLDER },
		{ DIR("/srv2"), TIER_BLACK, NO_FOLDER },
		{ DIR("/srv"), TIER_BLACK, "reaches /srv/jarvis" },
		{ DIR("/home/a"), TIER_BLACK, NO_FOLDER },
		{ DIR("/"), TIER_BLACK, "is the root of everything" },
		{ DIR("/srv/share/"), TIER_BLACK, EMPTY },
		{ DIR("/srv//share"), TIER_BLACK, EMPTY },
		{ DIR("/srv/share/../../etc/shadow"), TIER_BLACK, DOTS },
		{ DIR("/srv/share/.."), TIER_BLACK, DOTS },
		{ DIR("/srv/share/./x"), TIER_BLACK, DOTS },
		{ DIR("/srv/share/x "), TIER_BLACK, UNSEEN },
		{ DIR("/srv/share/ x"), TIER_BLACK, UNSEEN },
		{ DIR("/srv/share/\xc2\xa0"), TIER_BLACK, "cannot be seen" },
		{ DIR("srv/share"), TIER_BLACK, "is not an absolute path" },
		{ DIR("file:///srv/share"), TIER_BLACK, "is not an absolute path" },
		{ DIR("-rf"), TIER_BLACK, "is not an absolute path" },
		{ DIR("5"), TIER_BLACK, "is not an absolute path" },
		{ "{\"dir\":5}", TIER_BLACK, "is not an absolute path" },
		{ "{}", TIER_BLACK, "dir is missing" },
		{ "{\"dir\":\"/srv/share/x\",\"more\":\"/srv/share/x\"}", TIER_BLACK,
		  "no other parameters" },
	};

	(void)unused;
	check_rows("usage", rows, countof(rows));
}

/* One that is protected is enough, and two are no worse. */
static void test_two_paths(void **unused)
{
	static const struct row rows[] = {
		{ "{\"from\":\"/srv/share/a\",\"to\":\"/srv/share/b\"}", TIER_ORANGE, NULL },
		{ "{\"from\":\"/srv/share/a\",\"to\":\"/srv/share/keep\"}", TIER_RED, NULL },
		{ "{\"from\":\"/srv/share/deep\",\"to\":\"/srv/share/keep\"}", TIER_RED, NULL },
		{ "{\"from\":\"/srv/share/keep\",\"to\":\"/etc\"}", TIER_BLACK, NULL },
	};
	struct verdict v;
	char fact[200];

	(void)unused;
	check_rows("two", rows, countof(rows));
	(void)tier_of("two", rows[1].params, &v);
	assert_int_equal(v.need, NEED_CODE);
	assert_int_equal(v.facts_n, 1);
	/* The node is protected as well. */
	assert_int_equal(tier_on("b", "usage", "{\"dir\":\"/srv/share/keep/x\"}", &v, fact),
			 TIER_RED);
	assert_string_equal(fact,
			    "Protected, so this is a tier higher: the node home/b and the path "
			    "/srv/share/keep.");
	assert_int_equal(tier_on("b", "usage", "{\"dir\":\"/srv/share/x\"}", &v, fact), TIER_RED);
	assert_string_equal(fact, "Protected, so this is a tier higher: the node home/b.");
}

#define URL(url) "{\"url\":\"" url "\"}"
#define HOST "names a host that hosts does not list: commands."
#define NO_HOST "has a host that is none, or that nobody may be sent to"

static void test_urls(void **unused)
{
	static const struct row https[] = {
		{ URL("https://deb.debian.org/debian/x.iso?a=b"), TIER_ORANGE, NULL },
		{ URL("https://deb.debian.org:443/"), TIER_ORANGE, NULL },
		{ URL("https://deb.debian.org:8443/"), TIER_ORANGE, NULL },
		{ URL("https://192.168.1.50/"), TIER_ORANGE, NULL },
		{ URL("https://[fd12::1]/"), TIER_ORANGE, NULL },
		{ URL("https://deb.debian.org:22/"), TIER_BLACK, "has a port" },
		{ URL("https://deb.debian.org:80/"), TIER_BLACK, "has a port" },
		{ URL("http://deb.debian.org/"), TIER_BLACK, "has a scheme" },
		{ URL("http://deb.debian.org:443/"), TIER_BLACK, "has a scheme" },
		{ URL("ftp://deb.debian.org/"), TIER_BLACK, "does not begin with" },
		{ URL("HTTPS://deb.debian.org/"), TIER_BLACK, "does not begin with" },
		{ URL("https://DEB.debian.org/"), TIER_BLACK, NO_HOST },
		{ URL("https://deb.debian.org./"), TIER_BLACK, NO_HOST },
		{ URL("https://evil.deb.debian.org/"), TIER_BLACK, HOST },
		{ URL("https://deb.debian.org.evil.example/"), TIER_BLACK, HOST },
		{ URL("https://deb.debian.or/"), TIER_BLACK, HOST },
		{ URL("https://evil.example/deb.debian.org/"), TIER_BLACK, HOST },
		{ URL("https://192.168.1.51/"), TIER_BLACK, HOST },
		{ URL("https://[fd12::2]/"), TIER_BLACK, HOST },
		{ URL("https://[::ffff:192.168.1.50]/"), TIER_BLACK, HOST },
		{ URL("https://deb.debian.org@evil.example/"), TIER_BLACK, NULL },
		{ URL("https://evil.example@deb.debian.org/"), TIER_BLACK, NULL },
		{ URL("https://deb.debian.org"), TIER_BLACK, "has no path" },
		{ URL("https://deb.debian.org#@evil.example/"), TIER_BLACK, "has no path" },
		{ URL("https://deb.debian.org/%2e%2e/x"), TIER_BLACK, "behind a % sign" },
		{ URL("https://127.0.0.1/"), TIER_BLACK, NO_HOST },
		{ URL("https://169.254.169.254/latest/"), TIER_BLACK, NO_HOST },
		{ URL("https://3232235826/"), TIER_BLACK, NO_HOST }, /* 192.168.1.50 */
		{ URL("https://0xc0a80132/"), TIER_BLACK, NO_HOST },
		{ URL("https://192.168.306/"), TIER_BLACK, NO_HOST },
		{ URL("/srv/share"), TIER_BLACK, "does not begin with" },
		{ URL("deb.debian.org"), TIER_BLACK, "does not begin with" },
	};
	static const struct row http[] = {
		{ URL("http://nas/"), TIER_ORANGE, NULL },
		{ URL("http://nas:80/"), TIER_ORANGE, NULL },
		{ URL("https://nas/"), TIER_BLACK, "has a scheme" },
		{ URL("http://nas:8443/"), TIER_BLACK, "has a port" },
	};
	static const struct row named[] = {
		{ "{\"host\":\"nas\"}", TIER_ORANGE, NULL },
		{ "{\"host\":\"_x.y-z\"}", TIER_ORANGE, NULL },
		{ "{\"host\":7}", TIER_ORANGE, NULL },
		{ "{\"host\":\"/etc/passwd\"}", TIER_BLACK, "host is not what it may be" },
		{ "{\"host\":\"a b\"}", TIER_BLACK, NULL },
		{ "{\"host\":\"a=b\"}", TIER_BLACK, NULL },
		{ "{\"host\":\"-a\"}", TIER_BLACK, NULL },
		{ "{\"host\":\".a\"}", TIER_BLACK, NULL },
		{ "{\"host\":\"\xc3\xbc\"}", TIER_BLACK, NULL },
		{ "{\"host\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
		  TIER_BLACK, NULL },
	};

	(void)unused;
	check_rows("fetch", https, countof(https));
	check_rows("plain", http, countof(http));
	check_rows("named", named, countof(named));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_two_paths),
		cmocka_unit_test(test_urls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
