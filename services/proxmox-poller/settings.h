/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The settings of one cluster, copied out of the configuration: a cluster that did not change goes on over a
 * reload, when the configuration that it came from is freed.
 */
#include "common/config.h"

struct settings {
	struct arena *arena;
	struct config_cluster cluster; /* all it points to is in ARENA */
};

struct settings *settings_copy(const struct config_cluster *cluster) _nodiscard_;
void settings_free(struct settings *settings);
/* True when nothing that matters to polling differs. */
bool settings_equal(const struct settings *settings, const struct config_cluster *cluster);
