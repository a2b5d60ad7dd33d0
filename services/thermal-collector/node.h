/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * One node: its connection, when it is read, and what it said. A connection that was good and is lost is made anew
 * once before the node counts as unreachable; after that it rests, longer each time (rest.h).
 */
#include "common/service.h"

struct node;

struct node_settings {
	const char *cluster, *name, *host, *user, *known_hosts;
	unsigned port;
	int64_t interval_ms, connect_timeout_ms, command_timeout_ms;
};

typedef void (*node_result_fn)(void *ctx);

/* Begins at once; SETTINGS are copied. ON_RESULT is called after every attempt, good or bad. */
struct node *node_new(struct service_env *env, const struct node_settings *settings,
		      node_result_fn on_result, void *ctx) _nodiscard_;
/* NULL is nothing. */
void node_free(struct node *node);
/* No more attempts; the one under way is given up. */
void node_stop(struct node *node);
bool node_has_settings(const struct node *node, const struct node_settings *settings);
/* After a reload: reports to CTX from now on; a node that failed is tried at once. */
void node_retry(struct node *node, node_result_fn on_result, void *ctx);
/* Clears its document. */
void node_forget(struct node *node);

const char *node_name(const struct node *node);
/* True when there was an attempt, good or bad. */
bool node_has_result(const struct node *node);
/* Borrowed from NODE. */
void node_build_source(const struct node *node, struct msg_source_state *ret);
