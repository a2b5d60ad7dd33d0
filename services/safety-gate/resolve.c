/* SPDX-License-Identifier: MIT */
/*
 * From names to objects. Two objects that one name may mean are none.
 */
#include "services/safety-gate/judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

struct lookup {
	const struct view *view;
	const char *cluster; /* NULL: any */
	struct tool_error *error;
};

static int not_found(const struct lookup *l, const char *what, const char *name)
{
	(void)snprintf(l->error->text, sizeof(l->error->text), "there is no %s %.100s%s%.64s", what,
		       name, l->cluster ? " in " : "", l->cluster ? l->cluster : "");
	return -ENOENT;
}

static int ambiguous(const struct lookup *l, const char *what, const char *name)
{
	(void)snprintf(l->error->text, sizeof(l->error->text),
		       "several %ss are called %.100s: name the %s", what, name,
		       strcmp(what, "guest") == 0 ? "vmid, and the cluster" : "cluster");
	return -EEXIST;
}

static int find_guest(const struct lookup *l, const struct tool_value *value,
		      const struct msg_guest_state **ret)
{
	const struct msg_guest_state *guest, *found = NULL;
	char number[24];
	size_t at = 0;

	(void)snprintf(number, sizeof(number), "%lld", (long long)value->i);
	while ((guest = view_next_guest(l->view, l->cluster, &at))) {
		bool is_it =
			value->s ? str_eq_null(guest->name, value->s) : guest->vmid == value->i;

		if (is_it && found)
			return ambiguous(l, "guest", value->s ? value->s : number);
		if (is_it)
			found = guest;
	}
	if (!found)
		return not_found(l, "guest", value->s ? value->s : number);
	*ret = found;
	return 0;
}

static int find_node(const struct lookup *l, const char *name, const struct msg_node_state **ret)
{
	const struct msg_node_state *node, *found = NULL;
	size_t at = 0;

	while ((node = view_next_node(l->view, l->cluster, &at))) {
		if (strcasecmp(node->node, name) != 0)
			continue;
		if (found)
			return ambiguous(l, "node", name);
		found = node;
	}
	if (!found)
		return not_found(l, "node", name);
	*ret = found;
	return 0;
}

/* In one cluster it is not the cluster that has to be named. */
static int ambiguous_storage(const struct lookup *l, const struct msg_storage_state *one,
			     const struct msg_storage_state *other)
{
	if (!str_eq(one->cluster, other->cluster))
		return ambiguous(l, "storage", one->storage);
	(void)snprintf(l->error->text, sizeof(l->error->text),
		       "several nodes of %.64s have a storage %.64s: name the node, with node",
		       one->cluster, one->storage);
	return -EEXIST;
}

/* NODE NULL: any; a storage that is not shared exists once a node under one name. */
static int find_storage(const struct lookup *l, const char *name, const char *node,
			const struct msg_storage_state **ret)
{
	const struct msg_storage_state *storage, *found = NULL;
	size_t at = 0;

	while ((storage = view_next_storage(l->view, l->cluster, &at))) {
		if (!str_eq(storage->storage, name))
			continue;
		if (node && storage->node && !str_eq(storage->node, node))
			continue;
		if (found)
			return ambiguous_storage(l, found, storage);
		found = storage;
	}
	if (!found)
		return not_found(l, "storage", name);
	*ret = found;
	return 0;
}

static void set_text(struct tool_args *args, const char *name, const char *text)
{
	tool_args_set(args, name, (struct tool_value){ .has = true, .s = text });
}

/* The cluster by itself, where there is only one. */
static int settle_cluster(struct lookup *l, struct tool_args *args)
{
	struct tool_value given = tool_args_get(args, "cluster");
	const struct msg_cluster_state *state;
	size_t at = 0;

	if (given.has) {
		l->cluster = given.s;
		return view_cluster(l->view, given.s) ? 0 : not_found(l, "cluster", given.s);
	}
	state = view_next_cluster(l->view, &at);
	if (state && !view_next_cluster(l->view, &at))
		l->cluster = state->cluster;
	return 0;
}

static int resolve_guest(struct lookup *l, struct tool_args *args, struct judge_target *target)
{
	struct tool_value value = tool_args_get(args, "guest");
	int r;

	if (!value.has)
		return 0;
	r = find_guest(l, &value, &target->guest);
	if (r < 0)
		return r;
	l->cluster = target->guest->cluster;
	tool_args_set(args, "guest", (struct tool_value){ .has = true, .i = target->guest->vmid });
	target->node = view_node(l->view, l->cluster, target->guest->node);
	return 0;
}

static int resolve_nodes(struct lookup *l, struct tool_args *args, struct judge_target *target)
{
	for (size_t i = 0; i < args->tool->args_n; i++) {
		const struct msg_node_state *node;
		int r;

		if (args->tool->args[i].kind != ARG_NODE || !args->v[i].has)
			continue;
		r = find_node(l, args->v[i].s, &node);
		if (r < 0)
			return r;
		args->v[i].s = node->node;
		l->cluster = node->cluster;
		if (&args->tool->args[i] == tool_target(args->tool))
			target->node = node;
	}
	return 0;
}

static int resolve_storage(struct lookup *l, struct tool_args *args, struct judge_target *target)
{
	struct tool_value value = tool_args_get(args, "storage");
	struct tool_value node = tool_args_get(args, "node");
	const char *where = node.has ? node.s : target->guest ? target->guest->node : NULL;
	int r;

	if (!value.has)
		return 0;
	r = find_storage(l, value.s, where, &target->storage);
	if (r < 0)
		return r;
	l->cluster = target->storage->cluster;
	return 0;
}

/* Every text of the arguments that the view has lent is taken over: the view may change. */
static void own_texts(struct tool_args *args, struct arena *arena)
{
	for (size_t i = 0; i < args->tool->args_n; i++) {
		if (args->v[i].has && args->v[i].s)
			args->v[i].s = arena_strdup(arena, args->v[i].s);
	}
}

int judge_resolve(const struct view *view, struct tool_args *args, struct arena *arena,
		  struct judge_target *ret, struct tool_error *error)
{
	struct lookup l = { .view = view, .error = error };
	int r;

	*ret = (struct judge_target){ 0 };
	r = settle_cluster(&l, args);
	if (r == 0)
		r = resolve_guest(&l, args, ret);
	if (r == 0)
		r = resolve_nodes(&l, args, ret);
	if (r == 0)
		r = resolve_storage(&l, args, ret);
	if (r < 0)
		return r;
	if (l.cluster)
		set_text(args, "cluster", l.cluster);
	own_texts(args, arena);
	ret->cluster = l.cluster ? arena_strdup(arena, l.cluster) : NULL;
	ret->args = *args;
	return 0;
}

const char *judge_object(const struct judge_target *target, struct arena *arena)
{
	const struct tool_arg *arg = tool_target(target->args.tool);

	if (!arg)
		return "";
	if (arg->kind == ARG_GUEST)
		return arena_printf(arena, "%s/guest/%lld", target->cluster,
				    (long long)target->guest->vmid);
	if (arg->kind == ARG_NODE)
		return arena_printf(arena, "%s/node/%s", target->cluster, target->node->node);
	return arena_printf(arena, "%s/storage/%s", target->cluster, target->storage->storage);
}
