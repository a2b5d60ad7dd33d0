/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The gateway: what its parts share. All of it belongs to the loop's thread.
 */
#include "common/password.h"
#include "common/service.h"
#include "services/gateway/mirror.h"
#include "services/gateway/roster.h"
#include "services/gateway/routes.h"
#include "services/gateway/server.h"
#include "services/gateway/ws.h"

/* Status classes that are counted: 1xx … 5xx. */
#define STATUS_CLASSES 6

struct gateway {
	struct service_env *env;
	const struct clock *clock;
	size_t base_len; /* of "{base}/" */

	struct mirror *mirror;
	struct roster roster;
	bool changed;	     /* the mirror did, since the clients were told */
	bool linked;	     /* to the broker */
	int64_t linked_ms;   /* wall: since when it is so */
	struct timer *sweep; /* after a reconnect: when all owners had their chance */
	struct timer *expire;

	struct accounts *accounts;
	struct password_jobs *passwords;
	struct ws_hub *hub;
	struct asks *asks; /* questions to the safety gate */
	struct bridge *bridge;
	struct watch *watch;
	struct static_files files;
	struct server *server;
	int64_t requests[ROUTE_COUNT + 1][STATUS_CLASSES]; /* the last row: no route */
	size_t renders; /* of /metrics that are under way in the thread pool */
	char sid[17];	/* of this start, for `hello` */

	bool stopping;	     /* asked to end */
	bool server_stopped; /* civetweb has no thread any more */
	bool freed;	     /* nobody but what is still under way uses us */
};

/* Fills ROUTES (TOPIC_COUNT of them) with all that the gateway may read and show; returns how many. */
size_t gateway_routes(struct bus_route *routes);
/* For struct service_def. */
int gateway_start(struct service_env *env, void **ret);
void gateway_stop(void *self);
void gateway_free(void *self);
void gateway_on_online(void *self);
void gateway_on_offline(void *self);
void gateway_on_batch_end(void *self);
void gateway_reload(void *self, const struct config *config);

/* Something that was under way is over: frees the gateway when it was the last. */
void gateway_release(struct gateway *gateway);
/* Is the service one that /readyz waits for? */
bool gateway_requires(const struct gateway *gateway, const char *service);

/* mirror_feed.c: from the bus into the mirror. */
void feed_message(void *self, const struct msg *msg);
void feed_link(struct gateway *gateway, bool up);
