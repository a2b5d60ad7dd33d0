/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * civetweb under our rules. It accepts connections, parses requests and shakes hands for WebSockets; that is all.
 * Files come from a table, everything else is asked of the loop through the bridge, and the socket of an accepted
 * WebSocket is taken away from it and given to the loop. No TLS, no CGI, no document root, no directory listing.
 */
#include "services/gateway/bridge.h"
#include "services/gateway/static.h"
#include "services/gateway/watch.h"

/* Workers: a request is short, and WebSockets need none. */
#define SERVER_THREADS 64
#define SERVER_DEADLINE_MS 5000
#define SERVER_ACTION_MS                                                                           \
	65000 /* an action that is waited for; only so many are, see actions_ask.h */

struct server;

/* What the workers count. */
struct server_stats {
	int64_t files, refused, timeouts, sockets_lost;
};

struct server_options {
	const char *listen;
	int port;
	struct bridge *bridge; /* all of these outlive the server */
	const struct static_files *files;
	struct watch *watch;
};

/* 0; -errno with *ERROR filled: the port is taken, … */
int server_start(const struct server_options *options, struct server **ret,
		 struct str *error) _nodiscard_;
/* Blocks until all workers are gone: at most a few seconds, since the watch cuts off who dawdles. NULL is nothing. */
void server_stop(struct server *server);
struct server_stats server_stats(const struct server *server);
