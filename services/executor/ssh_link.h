/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The ways to the nodes by SSH: one kept connection each, made when it is first needed, over which commands run side by
 * side. It is checked by its keepalives, replaced when it was lost or where it leads has changed, and closed when
 * nobody needs it. What changes something is sent once; a read is asked again once, when a kept connection turns out
 * to be dead.
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
};

struct ssh_reply {
	/* False is certain: it never left, or the node refused to run it. RESULT is NULL then. */
	bool is_sent;
	const struct ssh_result *result;
	const char *error; /* for people; "" when the command ended */
};

typedef void (*ssh_link_fn)(void *ctx, const struct ssh_reply *reply);
/* Why a change must not leave now; NULL when it may. */
typedef const char *(*ssh_objection_fn)(void *ctx);

struct ssh_links *ssh_links_new(struct service_env *env) _nodiscard_;
/* Nobody is told any more. NULL is nothing. */
void ssh_links_free(struct ssh_links *links);
/* The key or the addresses may have changed: what is not in use is closed, and made anew when it is needed. */
void ssh_links_reread(struct ssh_links *links);
/*
 * Runs COMMAND, which is copied, at TARGET. FN is called once, later, never from within. The ask is borrowed, valid
 * until then. OBJECTION is asked right before it leaves, for which a connection may have to be made first; NULL: it is
 * a read, which may be sent twice.
 */
struct ssh_ask *ssh_links_ask(struct ssh_links *links, const struct ssh_target *target,
			      const struct ssh_command *command, ssh_objection_fn objection,
			      ssh_link_fn fn, void *ctx);
/* FN will not be called; what runs is not waited for. NULL is nothing. */
void ssh_links_cancel(struct ssh_ask *ask);
