/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A small cluster for the tests of the safety gate: nodes a, b, c (3 votes, 2 needed), guests 101 web and 102 db (VMs
 * on a, running), 103 ct (container on b, stopped), 104 tpl (template), storage nas (shared). All of it is live.
 */
#include "services/safety-gate/core.h"

struct gate_world {
	struct view *view;
	struct config *config;
	struct core_now now;
};

/* CONFIG is text of jarvis.yaml that is added to the clusters and `self: external`, unless it has a self of its own. */
void gate_world_init(struct gate_world *w, const char *config);
void gate_world_done(struct gate_world *w);
/* Sets one guest's document. */
void gate_world_guest(struct gate_world *w, const struct msg_guest_state *guest);
/* Sets the digest of a guest's configuration; NULL clears its document. */
void gate_world_config(struct gate_world *w, int64_t vmid, const char *digest);
void gate_world_node(struct gate_world *w, const char *name, enum node_status status);
/* The poller says now that all is well. */
void gate_world_poll(struct gate_world *w, int64_t votes);
