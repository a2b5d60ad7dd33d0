/* SPDX-License-Identifier: MIT */
/*
 * What one key of jarvis.yaml alone cannot tell: keys that exclude or need each other, and names that must exist.
 * Whether a key was given is asked of the tree, so that a value that is wrong is not reported as missing as well.
 */
#include "common/config_parts.h"

#include "common/path.h"

#define PARAMETER_MAX INT64_C(999999999999999) /* what config.def says when no max is given */

struct checker {
	const struct config *config;
	const struct ynode *root;
	struct config_errors *errors;
};

static void complain_at(struct checker *c, const struct ynode *node, const char *key,
			const char *text)
{
	config_error_add(c->errors, node ? node->line : 1, node ? node->column : 1, key, "%s",
			 text);
}

static void check_mqtt(struct checker *c)
{
	const struct ynode *mqtt = ynode_get(c->root, "mqtt");
	const struct ynode *other =
		ynode_get(mqtt, "host") ? ynode_get(mqtt, "host") : ynode_get(mqtt, "port");

	if (other && ynode_get(mqtt, "socket"))
		complain_at(c, ynode_get(mqtt, "socket"), "mqtt.socket",
			    "given beside host or port; either a socket, or host and port");
}

/* ── clusters ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void check_node(struct checker *c, const struct ynode *cluster, const struct ynode *node,
		       const char *key)
{
	bool has_ca = ynode_get(cluster, "ca") != NULL;

	if (ynode_get(node, "address") && !has_ca && !ynode_get(node, "fingerprint"))
		complain_at(c, node->key, key,
			    "no way to know its certificate; give its fingerprint, or the "
			    "cluster's ca");
	if (ynode_get(node, "server_name") && !has_ca)
		complain_at(c, ynode_get(node, "server_name"), key,
			    "server_name does nothing without the cluster's ca");
}

/* The first member of a map; what is none has been complained of, and its elements have no keys. */
static const struct ynode *ynode_first(const struct ynode *map)
{
	return map && map->kind == YNODE_MAP ? map->first : NULL;
}

static void check_cluster(struct checker *c, const struct ynode *cluster)
{
	_cleanup_(str_done) struct str key = { 0 };
	const struct ynode *nodes = ynode_get(cluster, "nodes");
	bool has_address = false;
	size_t length;

	str_printf(&key, "clusters.%s", cluster->key->text);
	length = key.len;
	for (const struct ynode *node = ynode_first(nodes); node; node = node->next) {
		if (node->kind == YNODE_BAD)
			has_address = true;
		if (node->kind != YNODE_MAP || node->key->kind != YNODE_TEXT)
			continue;
		has_address = has_address || ynode_get(node, "address");
		str_printf(&key, ".nodes.%s", node->key->text);
		check_node(c, cluster, node, str_get(&key));
		key.len = length;
	}
	str_add(&key, ".nodes");
	if (!has_address && (!nodes || nodes->kind == YNODE_MAP))
		complain_at(c, nodes ? nodes->key : cluster->key, str_get(&key),
			    "at least one node needs an address");
}

static void check_clusters(struct checker *c)
{
	const struct ynode *clusters = ynode_get(c->root, "clusters");

	if (!clusters || clusters->kind != YNODE_MAP)
		return;
	for (const struct ynode *cluster = clusters->first; cluster; cluster = cluster->next) {
		if (cluster->kind == YNODE_MAP && cluster->key->kind == YNODE_TEXT)
			check_cluster(c, cluster);
	}
	for (size_t i = 0; i < c->config->clusters_n; i++) {
		const struct config_cluster *cluster = &c->config->clusters[i];
		const struct ynode *node = ynode_get(clusters, cluster->name);

		_cleanup_(str_done) struct str key = { 0 };

		str_printf(&key, "clusters.%s.connect_timeout", cluster->name);
		if (cluster->connect_timeout_ms > cluster->request_timeout_ms)
			complain_at(c, node, str_get(&key), "is longer than request_timeout");
	}
}

/* ── who, and where ────────────────────────────────────────────────────────────────────────────────────────── */

static void check_gateway(struct checker *c)
{
	const struct config_gateway *gateway = &c->config->gateway;
	const struct ynode *node = ynode_get(c->root, "gateway");

	if (gateway->session_idle_ms > gateway->session_lifetime_ms)
		complain_at(c, node, "gateway.session_idle", "is longer than session_lifetime");
}

static void check_principals(struct checker *c)
{
	const struct ynode *principals = ynode_get(c->root, "principals");

	for (size_t i = 0; i < c->config->principals_n; i++) {
		const struct config_principal *principal = &c->config->principals[i];
		const struct ynode *node = ynode_get(principals, principal->name);
		_cleanup_(str_done) struct str key = { 0 };

		str_printf(&key, "principals.%s", principal->name);
		if (service_find(principal->name) >= 0)
			complain_at(c, node ? node->key : principals, str_get(&key),
				    "is the name of one of Jarvis's services; choose another");
		/* action/request/{principal} must never look like action/{id}/state. */
		if (str_eq(principal->name, "state"))
			complain_at(c, node ? node->key : principals, str_get(&key),
				    "is a word of the topics; choose another");
		if (principal->class == PRINCIPAL_VIEWER &&
		    (principal->tools_n || principal->targets_n))
			complain_at(c, node, str_get(&key),
				    "a viewer has no tools and targets; class remote has");
	}
}

/* TEXT is CLUSTER or begins with CLUSTER/. */
static bool is_cluster_known(const struct checker *c, const char *text)
{
	size_t n = strcspn(text, "/");

	for (size_t i = 0; i < c->config->clusters_n; i++) {
		const char *name = c->config->clusters[i].name;

		if (strlen(name) == n && memcmp(name, text, n) == 0)
			return true;
	}
	return false;
}

static void check_items(struct checker *c, const struct ynode *list, const char *key,
			const char *const *items, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(str_done) struct str place = { 0 };

		/* What is empty was reported already. */
		if (!*items[i] || is_cluster_known(c, items[i]))
			continue;
		str_printf(&place, "%s[%zu]", key, i);
		complain_at(c, ynode_at(list, i), str_get(&place),
			    "names a cluster that is not among clusters");
	}
}

static void check_references(struct checker *c)
{
	const struct config *config = c->config;
	const struct config_protected *protected = &config->protected;
	const struct ynode *node = ynode_get(c->root, "protected");
	const struct ynode *self = ynode_get(ynode_get(c->root, "self"), "cluster");

	check_items(c, ynode_get(node, "guests"), "protected.guests", protected->guests,
		    protected->guests_n);
	check_items(c, ynode_get(node, "nodes"), "protected.nodes", protected->nodes,
		    protected->nodes_n);
	check_items(c, ynode_get(node, "storages"), "protected.storages", protected->storages,
		    protected->storages_n);
	if (config->self && config->self->cluster && !is_cluster_known(c, config->self->cluster))
		complain_at(c, self, "self.cluster", "is not among clusters");
	node = ynode_get(c->root, "principals");
	for (size_t i = 0; i < config->principals_n; i++) {
		const struct config_principal *principal = &config->principals[i];
		const struct ynode *targets =
			ynode_get(ynode_get(node, principal->name), "targets");

		check_items(c, targets, "principals.targets", principal->targets,
			    principal->targets_n);
	}
}

/* ── on the nodes ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* As jarvis-act and its catalogue spell it. */
static void check_node_word(struct checker *c, const struct ynode *node, const char *key,
			    const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");

	if (name[n] || n > 32 || name[0] < 'a')
		complain_at(c, node, key,
			    "is a bad name; must be 1 to 32 of a-z 0-9 _, the first a letter");
}

/* What belongs to one type alone; where it is needed, an example of it. */
static const struct {
	const char *key;
	enum parameter_type type;
	const char *others, *missing;
} parameter_keys[] = {
	{ "words", PARAMETER_WORD, "words are for the type word",
	  "of type word has no words; for example words: [rpool, tank]" },
	{ "below", PARAMETER_PATH, "below is for the type path",
	  "of type path has no folders; for example below: [/var/log, /srv/share]" },
	{ "hosts", PARAMETER_URL, "hosts are for the type url",
	  "of type url has no hosts; for example hosts: [cloud.debian.org]" },
	{ "schemes", PARAMETER_URL, "schemes are for the type url",
	  "of type url has no schemes; leave them out for https" },
	{ "ports", PARAMETER_URL, "ports are for the type url", NULL },
};

static size_t length_of(const struct config_parameter *parameter, const char *key)
{
	return str_eq(key, "words") ? parameter->words_n :
	       str_eq(key, "below") ? parameter->below_n :
	       str_eq(key, "hosts") ? parameter->hosts_n :
	       str_eq(key, "ports") ? parameter->ports_n :
				      parameter->schemes_n;
}

/* What says nothing may stand anywhere: the sample has it. */
static bool says_something(const struct config_parameter *parameter, const char *key)
{
	size_t n = length_of(parameter, key);

	return n > 1 ||
	       (n && (!str_eq(key, "schemes") || !str_eq_null(parameter->schemes[0], "https")));
}

static void check_parameter_keys(struct checker *c, const struct ynode *node, const char *key,
				 const struct config_parameter *parameter)
{
	for (size_t i = 0; i < countof(parameter_keys); i++) {
		bool is_its = parameter->type == parameter_keys[i].type;

		if (is_its && parameter_keys[i].missing &&
		    !length_of(parameter, parameter_keys[i].key))
			complain_at(c, node->key, key, parameter_keys[i].missing);
		if (!is_its && says_something(parameter, parameter_keys[i].key))
			complain_at(c, node->key, key, parameter_keys[i].others);
	}
}

/* What lies in such a place could never be asked for. */
static void check_below(struct checker *c, const struct ynode *node, const char *key,
			const struct config_parameter *parameter)
{
	for (size_t i = 0; i < parameter->below_n; i++) {
		const char *folder = parameter->below[i];
		const char *forbidden = folder ? path_forbidden(folder) : NULL;
		_cleanup_(str_done) struct str place = { 0 };
		_cleanup_(freep) char *text = NULL;

		if (!forbidden || !path_is_below(folder, forbidden))
			continue;
		str_printf(&place, "%s.below[%zu]", key, i);
		text = xasprintf("lies in %s, which no parameter may name", forbidden);
		complain_at(c, ynode_at(ynode_get(node, "below"), i), str_get(&place), text);
	}
}

static void check_parameter(struct checker *c, const struct ynode *node, const char *key,
			    const struct config_parameter *parameter)
{
	bool is_limited = parameter->min > 0 || parameter->max < PARAMETER_MAX;

	check_node_word(c, node->key, key, parameter->name);
	/* Whose type is wrong or missing was complained of. */
	if (!ynode_get(node, "type"))
		return;
	check_parameter_keys(c, node, key, parameter);
	check_below(c, node, key, parameter);
	if (parameter->type != PARAMETER_INT && is_limited)
		complain_at(c, node->key, key, "min and max are for the type int");
	if (parameter->min > parameter->max)
		complain_at(c, node->key, key, "min is more than max");
}

static void check_command(struct checker *c, const struct ynode *node,
			  const struct config_command *command)
{
	_cleanup_(str_done) struct str key = { 0 };
	const struct ynode *params = ynode_get(node, "params");
	size_t length;

	str_printf(&key, "commands.%s", command->name);
	length = key.len;
	check_node_word(c, node->key, str_get(&key), command->name);
	if (!command->nodes_n && !ynode_get(node, "nodes"))
		complain_at(c, node->key, str_get(&key),
			    "is on no node; for example nodes: [home/Home]");
	str_add(&key, ".nodes");
	check_items(c, ynode_get(node, "nodes"), str_get(&key), command->nodes, command->nodes_n);
	for (size_t i = 0; i < command->params_n; i++) {
		const struct config_parameter *parameter = &command->params[i];

		key.len = length;
		str_printf(&key, ".params.%s", parameter->name);
		if (ynode_get(params, parameter->name))
			check_parameter(c, ynode_get(params, parameter->name), str_get(&key),
					parameter);
	}
}

static void check_commands(struct checker *c)
{
	const struct ynode *commands = ynode_get(c->root, "commands");

	for (size_t i = 0; i < c->config->commands_n; i++) {
		const struct ynode *node = ynode_get(commands, c->config->commands[i].name);

		if (node)
			check_command(c, node, &c->config->commands[i]);
	}
}

static void check_services(struct checker *c)
{
	const struct ynode *map = ynode_get(c->root, "services");

	for (size_t i = 0; i < c->config->services_n; i++) {
		const struct config_list *list = &c->config->services[i];
		const struct ynode *node = ynode_get(map, list->name);
		_cleanup_(str_done) struct str key = { 0 };

		str_printf(&key, "services.%s", list->name);
		if (strchr(list->name, '/') && !is_cluster_known(c, list->name))
			complain_at(c, node ? node->key : map, str_get(&key),
				    "names a cluster that is not among clusters");
	}
}

/* ── depends_on ────────────────────────────────────────────────────────────────────────────────────────────── */

static size_t find_list(const struct config *config, const char *name)
{
	size_t i = 0;

	while (i < config->depends_on_n && !str_eq(config->depends_on[i].name, name))
		i++;
	return i;
}

enum visit {
	VISIT_NONE,
	VISIT_OPEN, /* on the way from where the search began */
	VISIT_DONE,
};

/* Follows what list I needs; to come back to where one is means a circle. */
static void follow(struct checker *c, enum visit *visits, size_t i)
{
	const struct config_list *list = &c->config->depends_on[i];
	const struct ynode *map = ynode_get(c->root, "depends_on");

	visits[i] = VISIT_OPEN;
	for (size_t j = 0; j < list->items_n; j++) {
		size_t other = find_list(c->config, list->items[j]);
		_cleanup_(str_done) struct str key = { 0 };

		if (other == c->config->depends_on_n || visits[other] == VISIT_DONE)
			continue;
		if (visits[other] == VISIT_NONE) {
			follow(c, visits, other);
			continue;
		}
		str_printf(&key, "depends_on.%s[%zu]", list->name, j);
		complain_at(c, ynode_at(ynode_get(map, list->name), j), str_get(&key),
			    "closes a circle: it needs itself in the end");
	}
	visits[i] = VISIT_DONE;
}

static void check_circles(struct checker *c)
{
	_cleanup_(freep) enum visit *visits = xcalloc(c->config->depends_on_n, sizeof(*visits));

	for (size_t i = 0; i < c->config->depends_on_n; i++) {
		if (visits[i] == VISIT_NONE)
			follow(c, visits, i);
	}
}

static void check_depends_on(struct checker *c)
{
	const struct ynode *map = ynode_get(c->root, "depends_on");

	for (size_t i = 0; i < c->config->depends_on_n; i++) {
		const struct config_list *list = &c->config->depends_on[i];
		const struct ynode *node = ynode_get(map, list->name);
		_cleanup_(str_done) struct str key = { 0 };

		str_printf(&key, "depends_on.%s", list->name);
		if (strchr(list->name, '/') && !is_cluster_known(c, list->name))
			complain_at(c, node ? node->key : map, str_get(&key),
				    "names a cluster that is not among clusters");
		check_items(c, node, str_get(&key), list->items, list->items_n);
	}
	check_circles(c);
}

void config_check_whole(const struct config *config, const struct ynode *root,
			struct config_errors *errors)
{
	struct checker c = { config, root, errors };

	check_mqtt(&c);
	check_clusters(&c);
	check_gateway(&c);
	check_principals(&c);
	check_references(&c);
	check_services(&c);
	check_commands(&c);
	check_depends_on(&c);
}
