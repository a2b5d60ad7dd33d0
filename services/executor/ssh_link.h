/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The ways to the nodes by SSH: one kept connection each, made when it is first needed, over which a few commands run
 * side by side and the others wait. It is checked by its keepalives and by whether it opens a channel, replaced when it
 * was lost, hangs, or where it leads has changed, and closed when nobody needs it. What changes something is sent
 * once; what was not sent when the connection was lost, and a read, goes once more over a new one.
 */
#include "common/service.h"
#include "common/ssh.h"

struct ssh_links;
struct ssh_ask;

/* Where to; copied. */
struct ssh_target {
	const char *cluster, *node; /* for people */
	const char *host;
	unsigned port;
	const char *user, *known_hosts;
	unsigned connect_timeout_ms;
};

struct ssh_reply {
	/* False is certain: it never left, or the node refused to run it. RESULT is NULL then. */
	bool is_sent;
	const struct ssh_result *result;
	const char *error; /* for people; "" when the command ended */
};

typedef void (*ssh_link_fn)(void *ctx, const struct ssh_reply *reply);

struct ssh_links *ssh_links_new(struct service_env *env) _nodiscard_;
/* Nobody is told any more. NULL is nothing. */
void ssh_links_free(struct ssh_links *links);
/* The key or the addresses may have changed: what has left comes back the old way, all else goes a new one. */
void ssh_links_reread(struct ssh_links *links);
/*
 * Runs COMMAND, which is copied, at TARGET. FN is called once, later, never from within, and COMMAND's may_send with
 * the same context before. The ask is borrowed, valid until then. IS_READ: it may be sent twice.
 */
struct ssh_ask *ssh_links_ask(struct ssh_links *links, const struct ssh_target *target,
			      const struct ssh_command *command, bool is_read, ssh_link_fn fn,
			      void *ctx);
/* FN will not be called; what runs is not waited for. NULL is nothing. */
void ssh_links_cancel(struct ssh_ask *ask);
