/* SPDX-License-Identifier: MIT */
/*
 * What may be done on the nodes themselves: only what `services` and `commands` of jarvis.yaml list for the very node,
 * with exactly the parameters that they declare. What a path leads to and where a name points only the node knows: its
 * own catalogue looks at all of it once more.
 */
#include "services/safety-gate/context.h"

#include <stdio.h>
#include <string.h>

#include "common/path.h"
#include "common/url.h"

#define NAME_MAX_BYTES 64

static bool is_in(const char *const *list, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(list[i], word))
			return true;
	}
	return false;
}

static const char *node_of(const struct context *c, const struct judge_target *t)
{
	return arena_printf(c->arena, "%s/%s", t->cluster, t->node->node);
}

/* ── units ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_unit_listed(const struct config *config, const char *node, const char *unit)
{
	for (size_t i = 0; i < config->services_n; i++) {
		const struct config_list *list = &config->services[i];

		if (str_eq(list->name, node))
			return is_in(list->items, list->items_n, unit);
	}
	return false;
}

void context_rule_unit(const struct context *c, const struct judge_target *t, struct raise *ret)
{
	const char *unit = tool_args_get(&t->args, "unit").s;

	if (!unit || is_unit_listed(c->config, node_of(c, t), unit))
		return;
	ret->tier = TIER_BLACK;
	(void)snprintf(ret->fact, sizeof(ret->fact),
		       "%.100s is not listed below services of jarvis.yaml for %.100s.", unit,
		       node_of(c, t));
}

/* ── commands ──────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct config_command *find_command(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->commands_n; i++) {
		if (str_eq(config->commands[i].name, name))
			return &config->commands[i];
	}
	return NULL;
}

static bool is_number(const char *text, int64_t min, int64_t max)
{
	int64_t number;

	return strspn(text, "0123456789") == strlen(text) && (text[0] != '0' || !text[1]) &&
	       str_to_i64(text, min, max, &number) == 0;
}

/* As jarvis-act takes a name. */
static bool is_name(const char *text)
{
	return strlen(text) <= NAME_MAX_BYTES && text[0] != '.' && text[0] != '-' &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") ==
		       strlen(text);
}

static const char *path_wrong(const struct config_parameter *parameter, const char *path,
			      struct arena *arena)
{
	const char *why = path_objection(path), *forbidden = why ? NULL : path_forbidden(path);

	if (why)
		return why;
	if (forbidden)
		return arena_printf(arena, "reaches %s, which no parameter may", forbidden);
	for (size_t i = 0; i < parameter->below_n; i++) {
		if (path_is_below(path, parameter->below[i]))
			return NULL;
	}
	return "is not one of the folders of below, and lies in none";
}

static bool is_port_listed(const struct config_parameter *parameter, const struct url_parts *url)
{
	char port[16];

	(void)snprintf(port, sizeof(port), "%u", url->port);
	return url->port == (url->is_https ? 443 : 80) ||
	       is_in(parameter->ports, parameter->ports_n, port);
}

/* An address of an inner network is one of hosts, or it is none of them as any other; what is worse was refused. */
static const char *url_wrong(const struct config_parameter *parameter, const char *text)
{
	struct url_parts url;
	const char *why = url_objection(text, &url);

	if (why)
		return why;
	if (!is_in(parameter->schemes, parameter->schemes_n, url.is_https ? "https" : "http"))
		return "has a scheme that schemes does not list";
	if (!is_in(parameter->hosts, parameter->hosts_n, url.host))
		return "names a host that hosts does not list";
	return is_port_listed(parameter, &url) ? NULL : "has a port that ports does not list";
}

/* What is wrong with VALUE; NULL when it is as PARAMETER wants it. */
static const char *value_wrong(const struct config_parameter *parameter, const char *value,
			       struct arena *arena)
{
	static const char other[] = "is not what it may be";

	if (!value)
		return "is missing";
	switch (parameter->type) {
	case PARAMETER_INT:
		return is_number(value, parameter->min, parameter->max) ? NULL : other;
	case PARAMETER_WORD:
		return is_in(parameter->words, parameter->words_n, value) ? NULL : other;
	case PARAMETER_PATH:
		return path_wrong(parameter, value, arena);
	case PARAMETER_URL:
		return url_wrong(parameter, value);
	default:
		return is_name(value) ? NULL : other;
	}
}

static const char *value_of(const struct tool_pair *pairs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(pairs[i].name, name))
			return pairs[i].value;
	}
	return NULL;
}

/* The first parameter that is missing or wrong, with why; NULL when there is none. */
static const char *parameter_objection(const struct config_command *command,
				       const struct tool_pair *pairs, size_t n, struct arena *arena)
{
	for (size_t i = 0; i < command->params_n; i++) {
		const struct config_parameter *parameter = &command->params[i];
		const char *why =
			value_wrong(parameter, value_of(pairs, n, parameter->name), arena);

		if (why)
			return arena_printf(arena,
					    "Its parameter %s %s: commands.%s.params of "
					    "jarvis.yaml says what it may be.",
					    parameter->name, why, command->name);
	}
	return NULL;
}

/* Why the command may not be run so; NULL when it may. */
static const char *objection(const struct context *c, const struct judge_target *t,
			     const char *name)
{
	const struct config_command *command = find_command(c->config, name);
	struct tool_pair pairs[TOOL_PAIRS_MAX];
	size_t n = tool_pairs_split(tool_args_get(&t->args, "params").s, c->arena, pairs);
	const char *bad;

	if (!command)
		return arena_printf(c->arena, "commands of jarvis.yaml lists no %s.", name);
	if (!is_in(command->nodes, command->nodes_n, node_of(c, t)))
		return arena_printf(c->arena,
				    "commands.%s.nodes of jarvis.yaml does not list %.100s.", name,
				    node_of(c, t));
	bad = parameter_objection(command, pairs, n, c->arena);
	if (bad)
		return bad;
	if (n != command->params_n)
		return arena_printf(c->arena,
				    "It takes no other parameters than those of commands.%s.params "
				    "of jarvis.yaml.",
				    name);
	return NULL;
}

static const char *find_protected(const struct config_protected *protected, const char *path)
{
	for (size_t i = 0; i < protected->paths_n; i++) {
		if (path_touches(path, protected->paths[i]))
			return protected->paths[i];
	}
	return NULL;
}

const char *context_protected_path(const struct context *c, const struct judge_target *t)
{
	const char *name = tool_args_get(&t->args, "command_id").s, *found = NULL;
	const struct config_command *command = name ? find_command(c->config, name) : NULL;
	struct tool_pair pairs[TOOL_PAIRS_MAX];
	size_t n = tool_pairs_split(tool_args_get(&t->args, "params").s, c->arena, pairs);

	for (size_t i = 0; command && !found && i < command->params_n; i++) {
		const char *value = value_of(pairs, n, command->params[i].name);

		if (value && command->params[i].type == PARAMETER_PATH)
			found = find_protected(&c->config->protected, value);
	}
	return found;
}

void context_rule_command(const struct context *c, const struct judge_target *t, struct raise *ret)
{
	const char *name = tool_args_get(&t->args, "command_id").s, *why;

	if (!name)
		return;
	why = objection(c, t, name);
	if (!why)
		return;
	ret->tier = TIER_BLACK;
	(void)snprintf(ret->fact, sizeof(ret->fact), "%.290s", why);
}
