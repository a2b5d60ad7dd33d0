/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The routes of common/routes.def: one handler each, and before it the checks that are the same for all.
 */
#include "services/gateway/accounts.h"
#include "services/gateway/bridge.h"

enum route_id {
#define ROUTE(id, method, path, access, handler, body, answer, doc) ROUTE_##id,
#include "common/routes.def"
	ROUTE_COUNT
};

enum route_access {
	ACCESS_PUBLIC,
	ACCESS_READ,
	ACCESS_METRICS,
	ACCESS_ACT,
	ACCESS_PERSON,
	ACCESS_OPERATOR,
};

struct route {
	const char *id;
	enum http_method method;
	const char *path; /* ends in "/": the rest is the argument */
	enum route_access access;
	const struct message_def *body; /* without fields: none is read */
};
extern const struct route route_table[ROUTE_COUNT];

struct gateway;
struct mirror_doc;

/* One request on its way; gone when the handler returns, but for the exchange while it is not answered. */
struct call {
	struct exchange *exchange;
	struct caller caller;
	const void *body; /* decoded; lives as long as the exchange */
	const char *rest; /* of a path that ends in "/" */
};

typedef void (*route_fn)(struct gateway *gateway, struct call *call);

/* The bridge's on_request. */
void routes_handle(void *gateway, struct exchange *exchange);

/* Answers, and count. The exchange is gone afterwards. */
void answer(struct gateway *gateway, struct exchange *exchange, int status);
void answer_message(struct gateway *gateway, struct exchange *exchange, int status,
		    const struct message_def *message, const void *value);
void answer_done(struct gateway *gateway, struct exchange *exchange);
void answer_problem(struct gateway *gateway, struct exchange *exchange, int status,
		    const char *detail);
/* 429 with Retry-After. */
void answer_too_many(struct gateway *gateway, struct exchange *exchange, int64_t wait_ms,
		     const char *detail);

/* The address of the client, behind trusted proxies too. */
void request_address(const struct gateway *gateway, const struct request *request, char ret[64]);
/* The cookie's name: __Host-jarvis, or jarvis over plain HTTP from another machine. */
const char *session_cookie_name(bool insecure);
/* True when the browser came over plain HTTP from another machine. */
bool request_is_insecure(const struct gateway *gateway, const struct request *request);

/* auth.c */
void auth_login(struct gateway *gateway, struct call *call);
void auth_logout(struct gateway *gateway, struct call *call);
void auth_session(struct gateway *gateway, struct call *call);
void auth_password(struct gateway *gateway, struct call *call);
/* auth_tokens.c */
void auth_token_list(struct gateway *gateway, struct call *call);
void auth_token_create(struct gateway *gateway, struct call *call);
void auth_token_delete(struct gateway *gateway, struct call *call);
/* show.c */
/* The topics that the caller may see, a bit each. */
uint64_t show_allowed(const struct caller *caller);
bool show_may_see(uint64_t allowed, const struct mirror_doc *doc);
void show_state(struct gateway *gateway, struct call *call);
void show_state_topic(struct gateway *gateway, struct call *call);
void show_health(struct gateway *gateway, struct call *call);
void show_healthz(struct gateway *gateway, struct call *call);
void show_readyz(struct gateway *gateway, struct call *call);
void show_ws(struct gateway *gateway, struct call *call);
/* stale.c */
void stale_list(struct gateway *gateway, struct call *call);
/* actions.c */
/* The number NAME of a query: 0, also when it is not there, or -EINVAL or -ERANGE. */
int query_number(const char *query, const char *name, struct opt_i64 *ret);
/* The text NAME of a query, as it stands there; NULL when it is not there. */
const char *query_text(const char *query, const char *name, struct arena *arena);
void tools_list(struct gateway *gateway, struct call *call);
void actions_list(struct gateway *gateway, struct call *call);
void actions_get(struct gateway *gateway, struct call *call);
void actions_autonomy(struct gateway *gateway, struct call *call);
/* actions_ask.c */
void actions_execute(struct gateway *gateway, struct call *call);
void actions_decide(struct gateway *gateway, struct call *call);
void actions_audit(struct gateway *gateway, struct call *call);
void actions_set_level(struct gateway *gateway, struct call *call);
void actions_freeze(struct gateway *gateway, struct call *call);
void actions_unfreeze(struct gateway *gateway, struct call *call);
/* metrics.c */
void metrics_get(struct gateway *gateway, struct call *call);
