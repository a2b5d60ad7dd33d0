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

/* Whether the tool takes service away from what it acts on. */
bool context_interrupts(const struct tool *tool);
/* BLACK stays what it is. */
enum tier context_one_higher(enum tier tier);
