/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What wants a person's eye, from the documents alone: the same as in the dashboard's band. Stale is trouble of its
 * own, never silence.
 */
#include "jarvisctl/world.h"

struct attention {
	bool is_critical;
	char *text;
	char *detail; /* NULL: the text says it all */
};

struct attentions {
	struct attention *items; /* the critical ones first */
	size_t n;
};

void attentions_done(struct attentions *list);
void attentions_find(const struct world *world, struct attentions *ret);
