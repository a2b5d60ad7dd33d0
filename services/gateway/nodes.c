/* SPDX-License-Identifier: MIT */
/*
 * What may be asked for on a node itself, from the configuration as it stands now. Of that nothing else is told: no
 * address, no user, no path.
 */
#include "common/codec.h"
#include "common/tools.h"
#include "services/gateway/gateway.h"

#define LAST "/catalogue"

struct place {
	const struct config *config;
	struct arena *arena;
	const char *cluster, *node;
	const char *member; /* CLUSTER/NODE, as the lists name it */
};

static bool is_in(const char *const *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(list[i], word))
			return true;
	}
	return false;
}

/* What the table says, and what the gate adds for a protected node. */
static enum tier tier_at(const struct place *p, enum tool_id tool)
{
	const struct config_protected *protected = &p->config->protected;
	bool is_protected = is_in(protected->nodes, protected->nodes_n, p->member);
	enum tier tier = tool_table[tool].tier;

	return is_protected && tier < TIER_BLACK ? tier + 1 : tier;
}

/* ── the node ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* "home/pve/catalogue"; false when it is not of that form. */
static bool split(const char *rest, struct place *ret)
{
	size_t cluster = strcspn(rest, "/"), node;

	if (!cluster || !rest[cluster] || !str_ends(rest, LAST))
		return false;
	node = strlen(rest) - cluster - 1;
	if (node <= strlen(LAST) || strcspn(rest + cluster + 1, "/") != node - strlen(LAST))
		return false;
	ret->cluster = arena_strndup(ret->arena, rest, cluster);
	ret->node = arena_strndup(ret->arena, rest + cluster + 1, node - strlen(LAST));
	ret->member = arena_printf(ret->arena, "%s/%s", ret->cluster, ret->node);
	return true;
}

static const struct config_cluster *find_cluster(const struct place *p)
{
	for (size_t i = 0; i < p->config->clusters_n; i++) {
		if (str_eq(p->config->clusters[i].name, p->cluster))
			return &p->config->clusters[i];
	}
	return NULL;
}

static const struct config_node *find_node(const struct place *p,
					   const struct config_cluster *cluster)
{
	for (size_t i = 0; i < cluster->nodes_n; i++) {
		if (str_eq(cluster->nodes[i].name, p->node))
			return &cluster->nodes[i];
	}
	return NULL;
}

/* Those that Proxmox knows need not stand in the configuration. */
static bool is_seen(const struct gateway *g, const struct place *p)
{
	const char *topic = arena_printf(p->arena, "pve/%s/node/%s/state", p->cluster, p->node);
	const struct mirror_doc *doc = mirror_get(g->mirror, topic);

	return doc && !doc->gone;
}

/* The executor asks the same of the configuration. NULL: nothing is missing in it. */
static const char *missing(const struct place *p, const struct config_cluster *cluster,
			   const struct config_node *node)
{
	if (!cluster->executor)
		return arena_printf(p->arena,
				    "Jarvis only watches this cluster: clusters.%s.executor is not "
				    "set in jarvis.yaml.",
				    p->cluster);
	if (!cluster->executor->ssh)
		return arena_printf(p->arena,
				    "Jarvis does not reach the nodes themselves: set "
				    "clusters.%s.executor.ssh in jarvis.yaml, and install "
				    "deploy/nodes on them (its README.md says how).",
				    p->cluster);
	if (!node || !node->address)
		return arena_printf(p->arena,
				    "The node has no address in jarvis.yaml: set "
				    "clusters.%s.nodes.%s.address.",
				    p->cluster, p->node);
	return NULL;
}

/* ── units ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_units(const struct place *p, const struct config_list *list,
		      struct msg_node_catalogue *ret)
{
	static const enum tool_id tools[] = { TOOL_service_restart, TOOL_service_stop };
	struct msg_unit_verb *verbs = arena_alloc(p->arena, countof(tools) * sizeof(*verbs));
	struct msg_unit_listed *units =
		arena_alloc(p->arena, max_of(list->items_n, (size_t)1) * sizeof(*units));

	for (size_t i = 0; i < countof(tools); i++)
		verbs[i] =
			(struct msg_unit_verb){ tool_table[tools[i]].name, tier_at(p, tools[i]) };
	for (size_t i = 0; i < list->items_n; i++)
		units[i] = (struct msg_unit_listed){ .unit = list->items[i],
						     .verbs = verbs,
						     .verbs_n = countof(tools) };
	ret->units = units;
	ret->units_n = list->items_n;
}

/* ── commands ──────────────────────────────────────────────────────────────────────────────────────────────── */

static struct msg_parameter_listed describe(const struct config_parameter *parameter)
{
	struct msg_parameter_listed ret = {
		.name = parameter->name,
		.type = config_parameter_word(parameter->type),
		.about = parameter->about,
	};

	if (parameter->type == PARAMETER_WORD) {
		ret.words = parameter->words;
		ret.words_n = parameter->words_n;
	}
	if (parameter->type == PARAMETER_PATH) {
		ret.words = parameter->below;
		ret.words_n = parameter->below_n;
	}
	if (parameter->type == PARAMETER_URL) {
		ret.words = parameter->hosts;
		ret.words_n = parameter->hosts_n;
	}
	if (parameter->type == PARAMETER_INT) {
		ret.min = some_i64(parameter->min);
		ret.max = some_i64(parameter->max);
	}
	return ret;
}

static struct msg_command_listed list_command(const struct place *p,
					      const struct config_command *command)
{
	struct msg_parameter_listed *params =
		arena_alloc(p->arena, max_of(command->params_n, (size_t)1) * sizeof(*params));

	for (size_t i = 0; i < command->params_n; i++)
		params[i] = describe(&command->params[i]);
	return (struct msg_command_listed){
		.id = command->name,
		.about = command->about,
		.tier = tier_at(p, TOOL_run_command),
		.timeout_s = (command->timeout_ms + 999) / 1000,
		.params = params,
		.params_n = command->params_n,
	};
}

static void add_commands(const struct place *p, struct msg_node_catalogue *ret)
{
	const struct config *config = p->config;
	struct msg_command_listed *commands =
		arena_alloc(p->arena, max_of(config->commands_n, (size_t)1) * sizeof(*commands));

	for (size_t i = 0; i < config->commands_n; i++) {
		const struct config_command *command = &config->commands[i];

		if (is_in(command->nodes, command->nodes_n, p->member))
			commands[ret->commands_n++] = list_command(p, command);
	}
	ret->commands = commands;
}

void nodes_catalogue(struct gateway *g, struct call *call)
{
	struct exchange *x = call->exchange;
	struct place p = { .config = g->env->config, .arena = x->arena };
	struct msg_node_catalogue catalogue = { 0 };
	const struct config_cluster *cluster;
	const struct config_node *node;

	if (!split(call->rest, &p)) {
		answer_problem(g, x, 404, NULL);
		return;
	}
	cluster = find_cluster(&p);
	node = cluster ? find_node(&p, cluster) : NULL;
	if (!cluster || (!node && !is_seen(g, &p))) {
		answer_problem(g, x, 404, "there is no such node");
		return;
	}
	catalogue.cluster = p.cluster;
	catalogue.node = p.node;
	catalogue.blocked = missing(&p, cluster, node);
	for (size_t i = 0; i < p.config->services_n; i++) {
		if (str_eq(p.config->services[i].name, p.member))
			add_units(&p, &p.config->services[i], &catalogue);
	}
	add_commands(&p, &catalogue);
	answer_message(g, x, 200, &message_node_catalogue, &catalogue);
}
