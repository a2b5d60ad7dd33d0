/* SPDX-License-Identifier: MIT */
/*
 * What a request names, in whichever argument: guests, nodes and storages by the kind of the argument, and what is
 * written in the UPID of a task. So a tool that is added tomorrow is covered by its row in tools.def.
 */
#include "services/safety-gate/context.h"

/* UPID:node:pid:pstart:starttime:type:id:user: */
#define UPID_NODE 1
#define UPID_ID 6

/* Part N of a UPID, which has been looked at when the arguments were read. */
static const char *upid_part(const char *upid, int n, struct arena *arena)
{
	while (n-- > 0)
		upid += strcspn(upid, ":") + 1;
	return arena_strndup(arena, upid, strcspn(upid, ":"));
}

bool context_task(const struct judge_target *target, struct arena *arena, struct context_task *ret)
{
	const struct tool *tool = target->args.tool;

	for (size_t i = 0; i < tool->args_n; i++) {
		const struct tool_value *value = &target->args.v[i];

		if (tool->args[i].kind != ARG_TEXT || tool->args[i].pattern != PATTERN_UPID ||
		    !value->has)
			continue;
		ret->node = upid_part(value->s, UPID_NODE, arena);
		ret->id = upid_part(value->s, UPID_ID, arena);
		if (str_to_i64(ret->id, 1, INT64_MAX, &ret->vmid) < 0)
			ret->vmid = 0;
		return true;
	}
	return false;
}

static void add(struct context_named *list, size_t *n, enum tool_arg_kind kind, const char *name)
{
	list[(*n)++] = (struct context_named){ kind, name };
}

size_t context_named(const struct judge_target *target, struct arena *arena,
		     struct context_named ret[CONTEXT_NAMED_MAX])
{
	const struct tool *tool = target->args.tool;
	const char *cluster = target->cluster;
	struct context_task task;
	size_t n = 0;

	for (size_t i = 0; cluster && i < tool->args_n; i++) {
		const struct tool_value *value = &target->args.v[i];
		enum tool_arg_kind kind = tool->args[i].kind;

		if (!value->has)
			continue;
		if (kind == ARG_GUEST)
			add(ret, &n, kind,
			    arena_printf(arena, "%s/%lld", cluster, (long long)value->i));
		else if (kind == ARG_NODE || kind == ARG_STORAGE)
			add(ret, &n, kind, arena_printf(arena, "%s/%s", cluster, value->s));
	}
	if (!cluster || !context_task(target, arena, &task))
		return n;
	/* A guest's task happens to be on that node, as the guest; any other is the node's. */
	if (task.vmid) {
		add(ret, &n, ARG_GUEST,
		    arena_printf(arena, "%s/%lld", cluster, (long long)task.vmid));
		return n;
	}
	add(ret, &n, ARG_NODE, arena_printf(arena, "%s/%s", cluster, task.node));
	if (task.id[0])
		add(ret, &n, ARG_STORAGE, arena_printf(arena, "%s/%s", cluster, task.id));
	return n;
}
