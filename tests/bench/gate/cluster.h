/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The cluster of deploy/jarvis.example.yaml as the gate sees it, for measuring: four nodes, forty guests, all live.
 */
#include "common/config.h"
#include "services/safety-gate/core.h"

#define CLUSTER_GUEST_FIRST 100
#define CLUSTER_GUESTS 40

struct cluster {
	struct config *config;
	struct view *view;
	struct core_now now;
};

/* CONFIG is the path of the example. 0, or -1 when it cannot be read; what is wrong was printed. */
int cluster_init(struct cluster *cluster, const char *config);
void cluster_done(struct cluster *cluster);
