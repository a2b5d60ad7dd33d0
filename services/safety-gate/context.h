/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What the surroundings of an action make of its tier. Each rule is a row; a rule may only raise.
 */
#include "services/safety-gate/judge.h"

/* What one rule says of one target. */
struct raise {
	enum tier tier; /* at least this one */
	char fact[300]; /* for people; "" says nothing */
	bool refuses;	/* in any case, whatever the tier: the fact is the reason */
};

struct context {
	const struct config *config;
	const struct view *view;
	const struct ask *ask;
	struct arena *arena;
};

struct context_rule {
	const char *name;
	/* RET comes in with the tier so far; left alone when the rule has nothing to say. */
	void (*apply)(const struct context *c, const struct judge_target *target,
		      struct raise *ret);
};

extern const struct context_rule context_rules[];
extern const size_t context_rules_n;

/* An object that an argument of a request names, be it the target or not, or the task that it names. */
struct context_named {
	enum tool_arg_kind kind; /* ARG_GUEST, ARG_NODE, ARG_STORAGE */
	const char *name;	 /* "home/101", "home/pve", "home/nas", as in the policy */
};

#define CONTEXT_NAMED_MAX (2 * TOOL_ARGS_MAX)

/* How many; they are in RET, and their texts in ARENA. None while the cluster is not known. */
size_t context_named(const struct judge_target *target, struct arena *arena,
		     struct context_named ret[CONTEXT_NAMED_MAX]);

/* The Proxmox task that an argument names. */
struct context_task {
	const char *node;
	int64_t vmid;	/* of the guest that it is at; 0: of none, of several, or it is not said */
	const char *id; /* what it is at, in Proxmox's words; "" when that is not said */
};

/* False when TARGET names none. Texts are in ARENA. */
bool context_task(const struct judge_target *target, struct arena *arena, struct context_task *ret);

/* What is not listed for the node is BLACK (context_node.c). */
void context_rule_unit(const struct context *c, const struct judge_target *target,
		       struct raise *ret);
void context_rule_command(const struct context *c, const struct judge_target *target,
			  struct raise *ret);

/* The member of protected.paths that a path among the command's parameters touches; NULL when there is none. */
const char *context_protected_path(const struct context *c, const struct judge_target *target);

/* BLACK stays what it is. */
enum tier context_one_higher(enum tier tier);
