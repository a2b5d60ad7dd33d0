/* SPDX-License-Identifier: MIT */
/*
 * jarvis.yaml: what is right becomes structs, and each kind of mistake its own line of its own place. The sample
 * and the reference cluster of deploy/ must load.
 */
#include "common/config.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/config_parts.h"
#include "tests/unit/check.h"

static int parse(const char *text, struct config **ret, struct str *errors)
{
	/* Exactly as long as the text, so that a sanitizer sees a byte read too many. */
	size_t n = strlen(text);
	char *copy = xmemdup(text, n);
	int r = config_parse("f", copy, n, ret, errors);

	free(copy);
	return r;
}

static struct config *parse_good(const char *text)
{
	_cleanup_(str_done) struct str errors = { 0 };
	struct config *config = NULL;

	if (parse(text, &config, &errors) < 0)
		fail_msg("%s", str_get(&errors));
	assert_string_equal(str_get(&errors), "");
	return config;
}

/* ── what is right ─────────────────────────────────────────────────────────────────────────────────────────── */

static void check_defaults(const struct config *config)
{
	assert_string_equal(config->base, "jarvis");
	assert_string_equal(config->instance, "main");
	assert_int_equal(config->log_level, LOG_LEVEL_INFO);
	assert_string_equal(config->mqtt.host, "127.0.0.1");
	assert_int_equal(config->mqtt.port, 1883);
	assert_null(config->mqtt.socket);
	assert_int_equal(config->mqtt.keepalive_ms, 15000);
	assert_int_equal(config->clusters_n, 0);
	assert_string_equal(config->gateway.listen, "127.0.0.1");
	assert_int_equal(config->gateway.port, 3004);
	assert_int_equal(config->gateway.origins_n, 0);
	assert_int_equal(config->gateway.max_websockets, 256);
	assert_int_equal(config->gateway.required_n, 1);
	assert_string_equal(config->gateway.required[0], "proxmox-poller");
	assert_int_equal(config->gateway.session_idle_ms, 30 * 60000);
	assert_int_equal(config->gateway.session_lifetime_ms, 12 * 3600000);
	assert_false(config->gateway.allow_plain_http_lan);
	assert_string_equal(config->gateway.web_dir, "/usr/local/share/jarvis/web");
	assert_int_equal(config->principals_n, 0);
	assert_null(config->self);
	assert_int_equal(config->protected.guests_n, 0);
	assert_int_equal(config->depends_on_n, 0);
}

static void test_defaults(void **state)
{
	static const char *const texts[] = {
		"",
		"# nothing\n",
		"---\n",
		"{}",
		"~",
		"mqtt:\ngateway: {}\nclusters:\nself: ~\nprotected: null\n",
		"base:\nmqtt: {port: , host: ~}\n",
		"gateway: {required: }\n",
	};

	(void)state;
	for (size_t i = 0; i < countof(texts); i++) {
		_cleanup_(config_freep) struct config *config = parse_good(texts[i]);

		check_defaults(config);
	}
}

static const char full_text[] =
	"base: lab_2\n"
	"instance: \"b\"\n"
	"log_level: debug\n"
	"mqtt: {socket: /run/b.sock, keepalive: 1m}\n"
	"clusters:\n"
	"  home:\n"
	"    token: jarvis@pve!poller\n"
	"    ca: /etc/ca.pem\n"
	"    nodes:\n"
	"      Home: {address: 192.168.1.50, mac: 02:00:C0:A8:01:32, server_name: home.lan}\n"
	"      pve: {address: 'fe80::1', port: 443}\n"
	"      spare: {mac: 02:00:c0:a8:01:4a}\n"
	"    poll: {nodes: 2s, tasks: 9m}\n"
	"    request_timeout: 20s\n"
	"    connect_timeout: 1500ms\n"
	"  alone:\n"
	"    token: a.b@pam!x\n"
	"    nodes: {n: {address: n.lan, fingerprint: "
	"00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff}}\n"
	"gateway:\n"
	"  listen: '::'\n"
	"  port: 80\n"
	"  origins: ['https://J.example', 'http://[::1]:3004', \"http://10.0.0.1:8080\"]\n"
	"  trusted_proxies: [10.0.0.0/8, '::1', fd00::/8, 127.0.0.1]\n"
	"  allow_plain_http_lan: true\n"
	"  required: []\n"
	"principals:\n"
	"  ha: {class: remote, tools: [guest_start], targets: ['home/guest/*', home/node/pve, "
	"alone/storage/nas]}\n"
	"  panel: {class: viewer}\n"
	"self: {cluster: home, node: pve, vmid: 140}\n"
	"protected:\n"
	"  guests: [home/100]\n"
	"  nodes: [home/pve]\n"
	"  storages: [alone/nas]\n"
	"  paths: [/srv/share/keep]\n"
	"services: {home/Home: [smbd.service, nfs-server.service], home/pve: }\n"
	"commands:\n"
	"  scrub:\n"
	"    about: Scrub it.\n"
	"    nodes: [home/Home, alone/n]\n"
	"    params:\n"
	"      pool: {type: word, words: [rpool, tank], about: The pool.}\n"
	"      count: {type: int, max: 10}\n"
	"      host: {type: name}\n"
	"      dir: {type: path, below: [/srv/share, /var/log]}\n"
	"      from: {type: url, hosts: [Deb.Debian.org, '2A04:4E42:0::1'], ports: [8443]}\n"
	"  trim: {about: Trim., nodes: [home/pve], timeout: 5m}\n"
	"depends_on:\n"
	"  home/guest/101: [home/guest/100, home/storage/nas]\n"
	"  home/storage/nas: [home/node/pve]\n"
	"  home/guest/102:\n";

static void check_full_clusters(const struct config *config)
{
	const struct config_cluster *home = config_find_cluster(config, "home");
	const struct config_cluster *alone = config_find_cluster(config, "alone");

	assert_int_equal(config->clusters_n, 2);
	assert_null(config_find_cluster(config, "Home"));
	assert_ptr_equal(home, &config->clusters[0]);
	assert_string_equal(home->token, "jarvis@pve!poller");
	assert_string_equal(home->ca, "/etc/ca.pem");
	assert_int_equal(home->nodes_n, 3);
	assert_string_equal(home->nodes[0].name, "Home");
	assert_string_equal(home->nodes[0].address, "192.168.1.50");
	assert_int_equal(home->nodes[0].port, 8006);
	assert_string_equal(home->nodes[0].mac, "02:00:c0:a8:01:32");
	assert_string_equal(home->nodes[0].server_name, "home.lan");
	assert_null(home->nodes[0].fingerprint);
	assert_string_equal(home->nodes[1].address, "fe80::1");
	assert_int_equal(home->nodes[1].port, 443);
	assert_null(home->nodes[2].address);
	assert_int_equal(home->poll.nodes_ms, 2000);
	assert_int_equal(home->poll.storage_ms, 30000);
	assert_int_equal(home->poll.tasks_ms, 540000);
	assert_int_equal(home->poll.permissions_ms, 3600000);
	assert_int_equal(home->request_timeout_ms, 20000);
	assert_int_equal(home->connect_timeout_ms, 1500);
	assert_null(alone->ca);
	assert_int_equal(alone->connect_timeout_ms, 3000);
	assert_string_equal(alone->nodes[0].fingerprint,
			    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff");
}

static void check_full_gateway(const struct config_gateway *gateway)
{
	assert_string_equal(gateway->listen, "::");
	assert_int_equal(gateway->port, 80);
	assert_int_equal(gateway->origins_n, 3);
	assert_string_equal(gateway->origins[0], "https://j.example");
	assert_string_equal(gateway->origins[1], "http://[::1]:3004");
	assert_int_equal(gateway->trusted_proxies_n, 4);
	assert_true(gateway->allow_plain_http_lan);
	assert_int_equal(gateway->required_n, 0);
}

static void check_full_commands(const struct config *config)
{
	const struct config_command *scrub = &config->commands[0];

	assert_int_equal(config->services_n, 2);
	assert_string_equal(config->services[0].name, "home/Home");
	assert_int_equal(config->services[0].items_n, 2);
	assert_string_equal(config->services[0].items[1], "nfs-server.service");
	assert_int_equal(config->services[1].items_n, 0);
	assert_int_equal(config->commands_n, 2);
	assert_string_equal(scrub->name, "scrub");
	assert_string_equal(scrub->about, "Scrub it.");
	assert_string_equal(scrub->nodes[1], "alone/n");
	assert_int_equal(scrub->timeout_ms, 30000);
	assert_int_equal(scrub->params_n, 5);
	assert_int_equal(scrub->params[0].type, PARAMETER_WORD);
	assert_string_equal(scrub->params[0].words[1], "tank");
	assert_string_equal(scrub->params[0].about, "The pool.");
	assert_int_equal(scrub->params[1].type, PARAMETER_INT);
	assert_int_equal(scrub->params[1].min, 0);
	assert_int_equal(scrub->params[1].max, 10);
	assert_int_equal(scrub->params[2].type, PARAMETER_NAME);
	assert_null(scrub->params[2].about);
	assert_int_equal(scrub->params[3].type, PARAMETER_PATH);
	assert_string_equal(scrub->params[3].below[1], "/var/log");
	assert_int_equal(scrub->params[4].type, PARAMETER_URL);
	assert_string_equal(scrub->params[4].hosts[0], "deb.debian.org");
	assert_string_equal(scrub->params[4].hosts[1], "2a04:4e42::1");
	assert_int_equal(scrub->params[4].schemes_n, 1);
	assert_string_equal(scrub->params[4].schemes[0], "https");
	assert_string_equal(scrub->params[4].ports[0], "8443");
	assert_string_equal(config->protected.paths[0], "/srv/share/keep");
	assert_int_equal(config->commands[1].timeout_ms, 300000);
}

static void test_full(void **state)
{
	_cleanup_(config_freep) struct config *config = parse_good(full_text);

	(void)state;
	assert_string_equal(config->base, "lab_2");
	assert_string_equal(config->instance, "b");
	assert_int_equal(config->log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(config->mqtt.socket, "/run/b.sock");
	assert_int_equal(config->mqtt.keepalive_ms, 60000);
	check_full_clusters(config);
	check_full_commands(config);
	check_full_gateway(&config->gateway);
	assert_int_equal(config->principals_n, 2);
	assert_string_equal(config->principals[0].name, "ha");
	assert_int_equal(config->principals[0].class, PRINCIPAL_REMOTE);
	assert_string_equal(config->principals[0].tools[0], "guest_start");
	assert_int_equal(config->principals[0].targets_n, 3);
	assert_int_equal(config->principals[1].class, PRINCIPAL_VIEWER);
	assert_false(config->self->external);
	assert_string_equal(config->self->node, "pve");
	assert_int_equal(config->self->vmid, 140);
	assert_string_equal(config->protected.guests[0], "home/100");
	assert_string_equal(config->protected.storages[0], "alone/nas");
	assert_int_equal(config->depends_on_n, 3);
	assert_string_equal(config->depends_on[0].name, "home/guest/101");
	assert_string_equal(config->depends_on[0].items[1], "home/storage/nas");
	assert_int_equal(config->depends_on[2].items_n, 0);
}

static void test_self_external(void **state)
{
	_cleanup_(config_freep) struct config *config = parse_good("self: external\n");

	(void)state;
	assert_non_null(config->self);
	assert_true(config->self->external);
	assert_null(config->self->cluster);
}

static void test_json_is_yaml(void **state)
{
	_cleanup_(config_freep) struct config *config = parse_good(
		"{\"base\": \"j\", \"mqtt\": {\"port\": 1884}, \"gateway\": {\"origins\": []}}");

	(void)state;
	assert_string_equal(config->base, "j");
	assert_int_equal(config->mqtt.port, 1884);
}

static void test_digest(void **state)
{
	_cleanup_(config_freep) struct config *a = parse_good(""),
					      *b = parse_good("base: jarvis\n");

	(void)state;
	/* SHA-256 of nothing. */
	assert_string_equal(config_digest(a), "e3b0c44298fc1c14");
	assert_int_equal(strlen(config_digest(b)), CONFIG_DIGEST_LENGTH);
	assert_string_not_equal(config_digest(a), config_digest(b));
}

/* ── what is wrong ─────────────────────────────────────────────────────────────────────────────────────────── */

#define COMMAND_BEGIN "commands: {c: {about: A., nodes: [], params: {"

#define FOLDER "must be an absolute path but /, without . and .., // and a / at its end\n"
#define HOST                                                                                       \
	"must be a host name or an IP address, without port; none of this machine, this link or "  \
	"of metadata\n"

struct bad_case {
	const char *text;
	const char *errors;
};

#define CLUSTER_BEGIN "clusters:\n  c:\n    token: a@b!c\n"
#define PIN "0011223344556677889900112233445566778899001122334455667788990011"

static const struct bad_case bad_cases[] = {
	/* YAML itself */
	{ "- a\n", "f:1:1: is a list; must be a section (key: value)\n" },
	{ "hello\n", "f:1:1: is a single value; must be a section (key: value)\n" },
	{ "base: &a x\n", "f:1:7: anchors (&name) are not allowed; write the value out\n" },
	{ "base: *a\n",
	  "f:1:7: aliases (*name) are not allowed; write the value out, or put quotes round it\n" },
	{ "base: !!str x\n", "f:1:7: tags (!name) are not allowed; write the plain value\n" },
	{ "mqtt: !x {}\n", "f:1:7: tags (!name) are not allowed; write the plain value\n" },
	{ "base: a\n---\nbase: b\n", "f:2:1: a second document (---) is not allowed\n" },
	{ "bse: a\n---\nbase: b\n", "f:1:1: bse: unknown key; did you mean base?\n"
				    "f:2:1: a second document (---) is not allowed\n" },
	{ "base: [a\n",
	  "f:2:1: not YAML: did not find expected ',' or ']' (while parsing a flow sequence)\n" },
	{ "base: a\n\tport: 1\n", "f:2:1: not YAML: found a tab character that violates "
				  "indentation (while scanning a plain scalar)\n" },
	{ "base: \"a\\0b\"\n",
	  "f:1:7: line break or control character in a text; write it in one line\n" },
	{ "base: |\n  a\n  b\n",
	  "f:1:7: line break or control character in a text; write it in one line\n" },
	{ "[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", "f:1:17: nested too deeply; at most 16 levels\n" },
	{ "[a]: b\n", "f:1:1: a list or map cannot be a key; write a word\n" },
	{ "? {a: b}\n: c\n", "f:1:3: a list or map cannot be a key; write a word\n" },
	{ "<<: {base: x}\n",
	  "f:1:1: <<: unknown key; allowed are base, instance, log_level, mqtt, clusters, gateway, "
	  "principals, safety_gate, executor, self, protected, services, commands, depends_on\n" },
	/* keys */
	{ "gatway: {}\n", "f:1:1: gatway: unknown key; did you mean gateway?\n" },
	{ "mqtt: {Port: 1}\n", "f:1:8: mqtt.Port: unknown key; did you mean port?\n" },
	{ "mqtt: {hots: x}\n", "f:1:8: mqtt.hots: unknown key; did you mean host?\n" },
	{ "mqtt: {tls: true}\n",
	  "f:1:8: mqtt.tls: unknown key; allowed are host, port, socket, keepalive\n" },
	{ "mqtt: {k\xc3\xb6ln\x1f: 1}\n", "f:1:1: not YAML: control characters are not allowed\n" },
	{ "mqtt: {k\xc3\xb6ln: 1}\n",
	  "f:1:8: mqtt.k??ln: unknown key; allowed are host, port, socket, keepalive\n" },
	{ "self: {external: true, cluster: c, node: n, vmid: 100}\n",
	  "f:1:8: self.external: unknown key; allowed are cluster, node, vmid\n"
	  "f:1:33: self.cluster: is not among clusters\n" },
	{ "base: a\nbase: b\n", "f:2:1: base: given twice, first in line 1; keep one of them\n" },
	{ "mqtt: {port: 1, port: 1}\n",
	  "f:1:17: mqtt.port: given twice, first in line 1; keep one of them\n" },
	/* kinds */
	{ "mqtt: 5\n", "f:1:7: mqtt: is a single value; must be a section (key: value)\n" },
	{ "mqtt: {port: {}}\n", "f:1:14: mqtt.port: is a section; must be a whole number\n" },
	{ "mqtt: {port: [1]}\n", "f:1:14: mqtt.port: is a list; must be a whole number\n" },
	{ "mqtt: {port: 10s}\n",
	  "f:1:14: mqtt.port: is not a number; must be a whole number from 1 to 65535\n" },
	{ "mqtt: {port: 010}\n",
	  "f:1:14: mqtt.port: is not a number; must be a whole number from 1 to 65535\n" },
	{ "mqtt: {port: 0x1F}\n",
	  "f:1:14: mqtt.port: is not a number; must be a whole number from 1 to 65535\n" },
	{ "mqtt: {port: 1.0}\n",
	  "f:1:14: mqtt.port: is not a number; must be a whole number from 1 to 65535\n" },
	{ "mqtt: {port: 0}\n",
	  "f:1:14: mqtt.port: is out of range; must be a whole number from 1 to 65535\n" },
	{ "mqtt: {port: 65536}\n",
	  "f:1:14: mqtt.port: is out of range; must be a whole number from 1 to 65535\n" },
	{ "mqtt: {port: 99999999999999999999}\n",
	  "f:1:14: mqtt.port: is out of range; must be a whole number from 1 to 65535\n" },
	{ "mqtt: {keepalive: 15}\n",
	  "f:1:19: mqtt.keepalive: is not a time; must be a number with ms, s, m, h or d, "
	  "from 5s to 10m\n" },
	{ "mqtt: {keepalive: 1.5m}\n",
	  "f:1:19: mqtt.keepalive: is not a time; must be a number with ms, s, m, h or "
	  "d, from 5s to 10m\n" },
	{ "mqtt: {keepalive: -5s}\n",
	  "f:1:19: mqtt.keepalive: is not a time; must be a number with ms, s, m, h or d, "
	  "from 5s to 10m\n" },
	{ "mqtt: {keepalive: 4999ms}\n",
	  "f:1:19: mqtt.keepalive: is out of range; must be from 5s to 10m\n" },
	{ "mqtt: {keepalive: 11m}\n",
	  "f:1:19: mqtt.keepalive: is out of range; must be from 5s to 10m\n" },
	{ "mqtt: {keepalive: 999999999d}\n",
	  "f:1:19: mqtt.keepalive: is out of range; must be from 5s to 10m\n" },
	{ "gateway: {allow_plain_http_lan: yes}\n",
	  "f:1:33: gateway.allow_plain_http_lan: is not right; must be true or false\n" },
	{ "log_level: loud\n",
	  "f:1:12: log_level: is unknown; must be one of error, warn, info, debug\n" },
	{ "gateway: {origins: https://x}\n",
	  "f:1:20: gateway.origins: must be a list: [one, two], or lines that begin with '- '\n" },
	{ "gateway: {origins: [[a]]}\n",
	  "f:1:21: gateway.origins[0]: is a list; must be https://HOST or http://HOST, with :PORT "
	  "where it is not the "
	  "usual, and no path\n" },
	{ "gateway: {required: [proxmox-poller, poller]}\n",
	  "f:1:38: gateway.required[1]: is not right; must be the name of a service, such as "
	  "proxmox-poller\n" },
	{ "gateway: {required: [a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a]}\n",
	  "f:1:21: gateway.required: has 17 elements; at most 16\n" },
	{ "depends_on: [a]\n",
	  "f:1:13: depends_on: is a list; must be a map of NAME: [one, two]\n" },
	{ "clusters: []\n", "f:1:11: clusters: is a list; must be a map of NAME: section\n" },
	{ "self: somewhere\n",
	  "f:1:7: self: must be a section (key: value), or the word external\n" },
	{ "self: []\n", "f:1:7: self: is a list; must be a section (key: value)\n" },
	{ "self: {}\n", "f:1:1: self.cluster: is missing; for example cluster: home\n"
			"f:1:1: self.node: is missing; for example node: agent1\n"
			"f:1:1: self.vmid: is missing; for example vmid: 165\n" },
	/* names */
	{ "principals: {\"a b\": {class: viewer}}\n",
	  "f:1:14: principals.a b: is a bad name; must be 1 to 64 of A-Z a-z 0-9 _ . -\n" },
	{ "principals: {a/b: {class: viewer}}\n",
	  "f:1:14: principals.a/b: is a bad name; must be 1 to 64 of A-Z a-z 0-9 _ . -\n" },
	{ "principals: {gateway: {class: viewer}}\n",
	  "f:1:14: principals.gateway: is the name of one of Jarvis's services; choose another\n" },
	{ "principals: {state: {class: viewer}}\n",
	  "f:1:14: principals.state: is a word of the topics; choose another\n" },
	{ "clusters: {home: {token: u@pve!t, nodes: [{pve: {address: a}}]}}\n",
	  "f:1:42: clusters.home.nodes: is a list; must be a map of NAME: section\n" },
	{ "principals: {a: {class: agent}}\n",
	  "f:1:25: principals.a.class: is unknown; must be one of remote, viewer\n" },
	{ "principals: {a: }\n",
	  "f:1:14: principals.a.class: is missing; for example class: remote\n" },
	{ "principals: {a: {class: viewer, tools: [x]}}\n",
	  "f:1:17: principals.a: a viewer has no tools and targets; class remote has\n" },
	/* clusters */
	{ "clusters: {c: }\n",
	  "f:1:12: clusters.c.token: is missing; for example token: jarvis@pve!poller\n" },
	{ "clusters: {c: {token: a@b!c}}\n",
	  "f:1:12: clusters.c.nodes: at least one node needs an address\n" },
	{ CLUSTER_BEGIN "    nodes: {n: {mac: 00:11:22:33:44:55}}\n",
	  "f:4:5: clusters.c.nodes: at least one node needs an address\n" },
	{ CLUSTER_BEGIN "    nodes: {n: {address: h}}\n",
	  "f:4:13: clusters.c.nodes.n: no way to know its certificate; give its fingerprint, or "
	  "the cluster's ca\n" },
	{ CLUSTER_BEGIN "    nodes: {n: {address: h, server_name: x, fingerprint: " PIN "}}\n",
	  "f:4:42: clusters.c.nodes.n: server_name does nothing without the cluster's ca\n" },
	{ CLUSTER_BEGIN "    nodes: {n: {address: h, fingerprint: " PIN
			"}}\n    connect_timeout: 20s\n",
	  "f:3:5: clusters.c.connect_timeout: is longer than request_timeout\n" },
	{ "clusters: {c: {token: a@b!c=s3cret, ca: /x, nodes: {n: {address: h}}}}\n",
	  "f:1:23: clusters.c.token: is not right; must be USER@REALM!NAME, without the token's "
	  "secret, which belongs "
	  "in a file\n" },
	/* across keys */
	{ "mqtt: {host: a, socket: /s}\n",
	  "f:1:25: mqtt.socket: given beside host or port; either a socket, or host and port\n" },
	{ "mqtt: {port: 1, socket: /s}\n",
	  "f:1:25: mqtt.socket: given beside host or port; either a socket, or host and port\n" },
	{ "gateway: {session_idle: 2h, session_lifetime: 1h}\n",
	  "f:1:10: gateway.session_idle: is longer than session_lifetime\n" },
	{ "self: {cluster: x, node: n, vmid: 100}\n",
	  "f:1:17: self.cluster: is not among clusters\n" },
	{ "protected: {guests: [x/100]}\n",
	  "f:1:22: protected.guests[0]: names a cluster that is not among clusters\n" },
	{ "principals: {a: {class: remote, targets: [x/guest/100]}}\n",
	  "f:1:43: principals.targets[0]: names a cluster that is not among clusters\n" },
	{ "depends_on: {x/guest/100: [y/guest/100]}\n",
	  "f:1:14: depends_on.x/guest/100: names a cluster that is not among clusters\n"
	  "f:1:28: depends_on.x/guest/100[0]: names a cluster that is not among clusters\n" },
	/* on the nodes */
	{ "services: {x/n: [a.service]}\n",
	  "f:1:12: services.x/n: names a cluster that is not among clusters\n" },
	{ "services: {n: [smbd]}\n",
	  "f:1:12: services.n: is a bad name; must be CLUSTER/NAME\n"
	  "f:1:16: services.n[0]: is not right; must be the full name of a systemd unit, such as "
	  "smbd.service\n" },
	{ "commands: {Scrub: {about: A., nodes: [x/n]}}\n",
	  "f:1:12: commands.Scrub: is a bad name; must be 1 to 32 of a-z 0-9 _, the first a "
	  "letter\n"
	  "f:1:39: commands.Scrub.nodes[0]: names a cluster that is not among clusters\n" },
	{ "commands: {c: {}}\n",
	  "f:1:12: commands.c.about: is missing; for example about: Begin to scrub a pool.\n"
	  "f:1:12: commands.c: is on no node; for example nodes: [home/Home]\n" },
	{ "commands: {c: {about: A., run: /bin/x, nodes: []}}\n",
	  "f:1:27: commands.c.run: unknown key; allowed are about, nodes, params, timeout\n" },
	{ COMMAND_BEGIN "p: }}}\n",
	  "f:1:47: commands.c.params.p.type: is missing; for example type: name\n" },
	{ COMMAND_BEGIN "p: {type: file}}}}\n",
	  "f:1:57: commands.c.params.p.type: is unknown; must be one of name, word, int, path, "
	  "url\n" },
	{ COMMAND_BEGIN "p: {type: path}}}}\n",
	  "f:1:47: commands.c.params.p: of type path has no folders; for example below: [/var/log, "
	  "/srv/share]\n" },
	{ COMMAND_BEGIN "p: {type: path, below: [srv, /, /srv/../etc, /srv/, /srv/a]}}}}\n",
	  "f:1:71: commands.c.params.p.below[0]: is not right; " FOLDER "f:1:76: "
	  "commands.c.params.p.below[1]: is not right; " FOLDER "f:1:79: "
	  "commands.c.params.p.below[2]: is not right; " FOLDER "f:1:92: "
	  "commands.c.params.p.below[3]: is not right; " FOLDER },
	{ COMMAND_BEGIN "p: {type: path,\n below: [/srv,\n  /etc/pve, /root, /var/lib/vz]}}}}\n",
	  "f:3:3: commands.c.params.p.below[1]: lies in /etc, which no parameter may name\n"
	  "f:3:13: commands.c.params.p.below[2]: lies in /root, which no parameter may name\n" },
	{ COMMAND_BEGIN
	  "p: {type: name, below: [/srv]}, q: {type: path, hosts: [a], below: [/a]}}}}\n",
	  "f:1:47: commands.c.params.p: below is for the type path\n"
	  "f:1:79: commands.c.params.q: hosts are for the type url\n" },
	{ COMMAND_BEGIN "p: {type: url}}}}\n",
	  "f:1:47: commands.c.params.p: of type url has no hosts; for example hosts: "
	  "[cloud.debian.org]\n" },
	{ COMMAND_BEGIN "p: {type: url, hosts: [a], schemes: []}}}}\n",
	  "f:1:47: commands.c.params.p: of type url has no schemes; leave them out for https\n" },
	{ COMMAND_BEGIN
	  "p: {type: url, hosts: [localhost, 127.0.0.1, 0x7f.1, 10.0.0.1, '[fd12::1]',\n"
	  " 'fd12::1', '::ffff:127.0.0.1', 169.254.169.254], schemes: [ftp], ports: [0, 8443]}}}}\n",
	  "f:1:70: commands.c.params.p.hosts[0]: is not right; " HOST "f:1:81: "
	  "commands.c.params.p.hosts[1]: is not right; " HOST "f:1:92: "
	  "commands.c.params.p.hosts[2]: is not right; " HOST "f:1:110: "
	  "commands.c.params.p.hosts[4]: is not right; " HOST "f:2:13: "
	  "commands.c.params.p.hosts[6]: is not right; " HOST "f:2:33: "
	  "commands.c.params.p.hosts[7]: is not right; " HOST "f:2:61: "
	  "commands.c.params.p.schemes[0]: is not right; must be https or http\n"
	  "f:2:75: commands.c.params.p.ports[0]: is not right; must be a port from 1 to 65535\n" },
	{ COMMAND_BEGIN "p: {type: int, schemes: [http], ports: [1]}}}}\n",
	  "f:1:47: commands.c.params.p: schemes are for the type url\n"
	  "f:1:47: commands.c.params.p: ports are for the type url\n" },
	{ "protected: {paths: [/srv/keep, srv]}\n",
	  "f:1:32: protected.paths[1]: is not right; " FOLDER },
	{ "safety_gate: {download_hosts: [127.0.0.1]}\n",
	  "f:1:32: safety_gate.download_hosts[0]: is not right; " HOST },
	{ COMMAND_BEGIN "_: {type: name}}}}\n",
	  "f:1:47: commands.c.params._: is a bad name; must be 1 to 32 of a-z 0-9 _, the first a "
	  "letter\n" },
	{ COMMAND_BEGIN "p: {type: word}}}}\n",
	  "f:1:47: commands.c.params.p: of type word has no words; for example words: [rpool, "
	  "tank]\n" },
	{ COMMAND_BEGIN "p: {type: word, words: [-a]}}}}\n",
	  "f:1:71: commands.c.params.p.words[0]: is not right; must be 1 to 64 of A-Z a-z 0-9 _ . "
	  "-, the first no . or -\n" },
	{ COMMAND_BEGIN "p: {type: int, words: [a]}}}}\n",
	  "f:1:47: commands.c.params.p: words are for the type word\n" },
	{ COMMAND_BEGIN "p: {type: name, max: 5}}}}\n",
	  "f:1:47: commands.c.params.p: min and max are for the type int\n" },
	{ COMMAND_BEGIN "p: {type: int, min: 6, max: 5}}}}\n",
	  "f:1:47: commands.c.params.p: min is more than max\n" },
	{ COMMAND_BEGIN "p: {type: int, max: -1}}}}\n",
	  "f:1:67: commands.c.params.p.max: is out of range; must be a whole number from 0 to "
	  "999999999999999\n" },
};

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < countof(bad_cases); i++) {
		_cleanup_(str_done) struct str errors = { 0 };
		struct config *config = NULL;

		assert_int_equal(parse(bad_cases[i].text, &config, &errors), -EINVAL);
		assert_null(config);
		assert_string_equal(str_get(&errors), bad_cases[i].errors);
	}
}

static void test_circles(void **state)
{
	static const char cluster[] = CLUSTER_BEGIN "    ca: /x\n    nodes: {n: {address: h}}\n";
	static const struct bad_case cases[] = {
		{ "depends_on: {c/guest/100: [c/guest/100]}\n",
		  "f:6:28: depends_on.c/guest/100[0]: closes a circle: it needs itself in the "
		  "end\n" },
		{ "depends_on: {c/guest/100: [c/guest/101], c/guest/101: [c/guest/102], "
		  "c/guest/102: [c/guest/100]}\n",
		  "f:6:84: depends_on.c/guest/102[0]: closes a circle: it needs itself in the "
		  "end\n" },
		{ "depends_on: {c/guest/100: [c/guest/101, c/guest/102], c/guest/101: "
		  "[c/guest/102]}\n",
		  "" },
	};

	(void)state;
	for (size_t i = 0; i < countof(cases); i++) {
		_cleanup_(freep) char *text = xasprintf("%s%s", cluster, cases[i].text);
		_cleanup_(str_done) struct str errors = { 0 };
		_cleanup_(config_freep) struct config *config = NULL;

		assert_int_equal(parse(text, &config, &errors), *cases[i].errors ? -EINVAL : 0);
		assert_string_equal(str_get(&errors), cases[i].errors);
	}
}

static void test_all_errors_in_one_pass(void **state)
{
	_cleanup_(str_done) struct str errors = { 0 };
	struct config *config = NULL;
	int r = parse("bse: x\n"
		      "mqtt: {port: 0, tls: no}\n"
		      "clusters:\n"
		      "  c: {nodes: {n: {address: 'a b', mac: 1}}}\n"
		      "gateway: {session_idle: 2h, session_lifetime: 1h}\n",
		      &config, &errors);

	(void)state;
	assert_int_equal(r, -EINVAL);
	assert_string_equal(
		str_get(&errors),
		"f:1:1: bse: unknown key; did you mean base?\n"
		"f:2:14: mqtt.port: is out of range; must be a whole number from 1 to 65535\n"
		"f:2:17: mqtt.tls: unknown key; allowed are host, port, socket, keepalive\n"
		"f:4:3: clusters.c.token: is missing; for example token: jarvis@pve!poller\n"
		"f:4:15: clusters.c.nodes.n: no way to know its certificate; give its fingerprint, "
		"or the cluster's ca\n"
		"f:4:28: clusters.c.nodes.n.address: is not right; must be a host name or an IP "
		"address, without port\n"
		"f:4:40: clusters.c.nodes.n.mac: is not right; must be six bytes in hex with "
		"colons, such as "
		"bc:24:11:00:00:01\n"
		"f:5:10: gateway.session_idle: is longer than session_lifetime\n");
}

/* A value may be a secret that somebody put into the wrong place. */
static void test_errors_quote_no_value(void **state)
{
	static const char *const texts[] = {
		"base: S3CRET-value\n",
		"mqtt: {port: S3CRET}\n",
		"mqtt: S3CRET\n",
		"log_level: S3CRET\n",
		"gateway: {origins: [S3CRET], session_idle: S3CRET, allow_plain_http_lan: "
		"S3CRET}\n",
		"clusters: {c: {token: 'a@b!c=S3CRET', password: S3CRET}}\n",
		"self: S3CRET\n",
		"S3CRET\n",
	};

	(void)state;
	for (size_t i = 0; i < countof(texts); i++) {
		_cleanup_(str_done) struct str errors = { 0 };
		struct config *config = NULL;

		assert_int_equal(parse(texts[i], &config, &errors), -EINVAL);
		assert_null(strstr(str_get(&errors), "S3CRET"));
	}
}

static void test_limits(void **state)
{
	_cleanup_(str_done) struct str text = { 0 }, errors = { 0 };
	struct config *config = NULL;

	(void)state;
	for (size_t i = 0; i < 300; i++)
		str_printf(&text, "nonsense%zu: 1\n", i);
	assert_int_equal(parse(str_get(&text), &config, &errors), -EINVAL);
	assert_non_null(strstr(str_get(&errors), "f:100:1: nonsense99: unknown key"));
	assert_true(str_ends(str_get(&errors), "\nf: 200 more errors are not shown\n"));

	str_clear(&text);
	str_clear(&errors);
	for (size_t i = 0; i < 1025; i++)
		str_printf(&text, "k%zu: 1\n", i);
	assert_int_equal(parse(str_get(&text), &config, &errors), -EINVAL);
	assert_string_equal(str_get(&errors), "f:1:1: has 1025 keys; at most 1024\n");

	str_clear(&text);
	str_clear(&errors);
	for (size_t i = 0; i < 120000; i++)
		str_add(&text, "- a\n");
	assert_int_equal(parse(str_get(&text), &config, &errors), -EINVAL);
	assert_string_equal(str_get(&errors), "f:100000:3: the file has too many elements\n");

	str_clear(&errors);
	while (text.len <= 1024 * 1024)
		str_add(&text, "# more\n");
	assert_int_equal(parse(str_get(&text), &config, &errors), -EINVAL);
	assert_string_equal(str_get(&errors), "f: larger than 1 MiB\n");
}

/* ── files ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static const char example[] = "deploy/jarvis.example.yaml";

static void test_example_loads(void **state)
{
	_cleanup_(str_done) struct str errors = { 0 };
	_cleanup_(config_freep) struct config *config = NULL;
	int r = config_load(example, &config, &errors);

	(void)state;
	assert_string_equal(str_get(&errors), "");
	assert_int_equal(r, 0);
	assert_string_equal(config->clusters[0].name, "home");
	assert_int_equal(config->clusters[0].nodes_n, 4);
	assert_string_equal(config->clusters[0].nodes[0].address, "192.168.1.50");
	for (size_t i = 0; i < config->clusters[0].nodes_n; i++)
		assert_non_null(config->clusters[0].nodes[i].mac);
	assert_string_equal(config->self->node, "agent1");
	assert_string_equal(config->principals[0].name, "homeassistant");
	assert_true(config->depends_on_n > 0 && config->protected.guests_n > 0);
}

static void test_unreadable(void **state)
{
	_cleanup_(str_done) struct str errors = { 0 };
	struct config *config = NULL;

	(void)state;
	assert_int_equal(config_load("/nonexistent/jarvis.yaml", &config, &errors), -ENOENT);
	assert_string_equal(str_get(&errors),
			    "/nonexistent/jarvis.yaml: cannot be read: No such file or directory; "
			    "`jarvisctl config --print` prints a sample\n");
	str_clear(&errors);
	assert_int_equal(config_load("/", &config, &errors), -EISDIR);
	assert_null(config);
}

static void check_sections_mention(const struct section_def *section, const char *text,
				   const char *what)
{
	size_t n;
	const struct key_def *keys = section->keys(&n);

	for (size_t i = 0; i < n; i++) {
		_cleanup_(freep) char *key = xasprintf("%s:", keys[i].name);

		if (keys[i].kind == KEY_WORD)
			continue;
		if (!strstr(text, key))
			fail_msg("%s lacks the key %s", what, keys[i].name);
		if (keys[i].section)
			check_sections_mention(keys[i].section, text, what);
	}
}

static void test_example_has_every_key(void **state)
{
	_cleanup_(str_done) struct str text = { 0 };
	FILE *file = fopen(example, "re");
	char line[256];

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		str_add(&text, line);
	(void)fclose(file);
	check_sections_mention(&config_root_section, str_get(&text), example);
}

static void test_sample_means_the_defaults(void **state)
{
	_cleanup_(str_done) struct str sample = { 0 };
	_cleanup_(config_freep) struct config *config = NULL;

	(void)state;
	config_print_sample(&sample);
	config = parse_good(str_get(&sample));
	check_defaults(config);
	check_sections_mention(&config_root_section, str_get(&sample), "the sample");
}

/* Every key of the sample in use: `#key:` becomes `key:`, but for the socket, which excludes host and port. */
static void test_sample_uncommented(void **state)
{
	_cleanup_(str_done) struct str sample = { 0 }, used = { 0 };
	_cleanup_(config_freep) struct config *config = NULL;
	char *line, *rest;

	(void)state;
	config_print_sample(&sample);
	rest = sample.data;
	while ((line = strsep(&rest, "\n"))) {
		size_t indent = strspn(line, " ");
		bool is_off = line[indent] == '#' && line[indent + 1] != ' ' && line[indent + 1];

		if (strstr(line, "#socket:"))
			continue;
		str_add_n(&used, line, indent);
		str_add(&used, line + indent + is_off);
		str_add_char(&used, '\n');
	}
	config = parse_good(str_get(&used));
	assert_string_equal(config->clusters[0].nodes[0].name, "Home");
	assert_string_equal(config->clusters[0].nodes[0].mac, "bc:24:11:00:00:50");
	assert_int_equal(config->clusters[0].poll.nodes_ms, 10000);
	assert_int_equal(config->principals[0].class, PRINCIPAL_REMOTE);
	assert_int_equal(config->self->vmid, 165);
	assert_string_equal(config->depends_on[0].items[0], "home/guest/100");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_self_external),
		cmocka_unit_test(test_json_is_yaml),
		cmocka_unit_test(test_digest),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_circles),
		cmocka_unit_test(test_all_errors_in_one_pass),
		cmocka_unit_test(test_errors_quote_no_value),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_example_loads),
		cmocka_unit_test(test_example_has_every_key),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_sample_means_the_defaults),
		cmocka_unit_test(test_sample_uncommented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
