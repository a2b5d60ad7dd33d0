/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The settings of one cluster, copied out of the configuration: a cluster that did not change goes on over a
 * reload, when the configuration that it came from is freed.
 */
#include "common/config.h"

struct pve_settings {
	struct arena *arena;
	struct config_cluster cluster; /* all it points to is in ARENA */
};

struct pve_settings *pve_settings_copy(const struct config_cluster *cluster) _nodiscard_;
void pve_settings_free(struct pve_settings *settings);
/* True when nothing that matters to polling differs. */
bool pve_settings_equal(const struct pve_settings *settings, const struct config_cluster *cluster);
/* The same for acting: its token, addresses for Wake-on-LAN, and the way by SSH. */
bool pve_settings_equal_to_act(const struct pve_settings *settings,
			       const struct config_cluster *cluster);

/* Appends where ENDPOINT's API begins: "https://192.168.1.74:8006/api2/json". */
void pve_add_url(struct str *out, const struct config_node *endpoint);
/* Appends NAME as one level of a path, or a value of a form: every byte that could mean something else is encoded. */
void pve_add_level(struct str *out, const char *name);
