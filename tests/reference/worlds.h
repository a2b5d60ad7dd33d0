/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A policy and clusters from a seed, as the judge gets them and as JSON for whoever judges by itself.
 */
#include "common/json.h"
#include "services/safety-gate/judge.h"
#include "tests/reference/dice.h"

#define WORLD_CLUSTERS_MAX 2
#define WORLD_OBJECTS_MAX 64

struct world {
	struct arena *arena;
	struct dice dice;
	struct config *config;
	struct view *view;
	int64_t boot_ms;
	const char *clusters[WORLD_CLUSTERS_MAX];
	size_t clusters_n;
	const char *objects[WORLD_OBJECTS_MAX]; /* home/guest/101 … of all clusters */
	size_t objects_n;
};

/* Ends the program when the policy that it made is none. Appends a line of JSON to OUT. */
void world_make(struct world *world, uint64_t seed, struct str *out);
void world_done(struct world *world);
