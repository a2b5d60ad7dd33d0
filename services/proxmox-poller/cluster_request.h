/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * How a cluster is asked: token, connection, and one request at a time.
 */
#include "services/proxmox-poller/cluster_poller.h"

/*
 * Reads what is needed to ask at all. False while it cannot be read: setup_error says why, and it is tried again
 * every few seconds, so that nobody needs to restart us.
 */
bool cluster_set_up(struct cluster_poller *c, int64_t now);
/* Reads the token's file. 0, or -errno with setup_error filled; the old token then stays. */
int cluster_read_token(struct cluster_poller *c);
void cluster_forget_token(struct cluster_poller *c);

/* Asks ENDPOINT for SOURCE; what the answer leads to happens by itself. */
void cluster_start_request(struct cluster_poller *c, struct source *source, size_t endpoint,
			   int64_t now);
/* True when the endpoint that is asked for SOURCE does the work itself, and does not hand it on to another node. */
bool cluster_is_direct(const struct cluster_poller *c, const struct source *source);
