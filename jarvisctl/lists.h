/* SPDX-License-Identifier: MIT */
#pragma once
/* Tables of nodes, guests and storages. */
#include "jarvisctl/search.h"
#include "jarvisctl/world.h"

enum list_kind { LIST_GUESTS, LIST_NODES, LIST_STORAGES };

/* Appends the table of all of a kind, with its head. */
void list_add_table(enum list_kind kind, const struct world *world, bool colour, struct str *out);
/* Appends what SEARCH finds, for people or as JSON; returns how many. */
size_t list_add(enum list_kind kind, const struct world *world, const struct search *search,
		bool colour, bool json, struct str *out);
/* A document as it is on the bus, as `state`, beside what a program cannot know from it. */
void list_add_json(struct json_writer *w, const struct world *world, const struct world_doc *doc);
