/* SPDX-License-Identifier: MIT */
/*
 * What may be done on the nodes themselves: only what `services` and `commands` of jarvis.yaml list for the very node,
 * with exactly the parameters that they declare. The node's own catalogue looks at it once more.
 */
#include "services/safety-gate/context.h"

#include <stdio.h>

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

static bool fits(const struct config_parameter *parameter, const char *value)
{
	if (parameter->type == PARAMETER_INT)
		return is_number(value, parameter->min, parameter->max);
	if (parameter->type == PARAMETER_WORD)
		return is_in(parameter->words, parameter->words_n, value);
	return true; /* a name is what all of them are */
}

static const char *value_of(const struct tool_pair *pairs, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++) {
		if (str_eq(pairs[i].name, name))
			return pairs[i].value;
	}
	return NULL;
}

/* The first parameter that is missing or does not fit; NULL when all do. */
static const char *bad_parameter(const struct config_command *command,
				 const struct tool_pair *pairs, size_t n)
{
	for (size_t i = 0; i < command->params_n; i++) {
		const char *value = value_of(pairs, n, command->params[i].name);

		if (!value || !fits(&command->params[i], value))
			return command->params[i].name;
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
	bad = bad_parameter(command, pairs, n);
	if (bad)
		return arena_printf(c->arena,
				    "Its parameter %s is missing or not what commands.%s.params of "
				    "jarvis.yaml allows.",
				    bad, name);
	if (n != command->params_n)
		return arena_printf(c->arena,
				    "It takes no other parameters than those of commands.%s.params "
				    "of jarvis.yaml.",
				    name);
	return NULL;
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
