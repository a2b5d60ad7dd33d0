/* SPDX-License-Identifier: MIT */
/*
 * From an exchange to its handler: path, method, the rules against foreign pages, who asks, what they may, the body.
 * In this order, so that nobody learns more than they may.
 */
#include "services/gateway/routes.h"

#include <inttypes.h>
#include <strings.h>

#include "common/codec.h"
#include "services/gateway/gateway.h"
#include "services/gateway/origin.h"

/* What routes.def writes where there is no message. */
_unused_ static const struct message_def message_NONE, message_ANY, message_TEXT;

const struct route route_table[ROUTE_COUNT] = {
#define ROUTE(rid, rmethod, rpath, raccess, rhandler, rbody, ranswer, rdoc)                        \
	{ .id = #rid,                                                                              \
	  .method = METHOD_##rmethod,                                                              \
	  .path = rpath,                                                                           \
	  .access = ACCESS_##raccess,                                                              \
	  .body = &message_##rbody },
#include "common/routes.def"
};

static const route_fn handlers[ROUTE_COUNT] = {
#define ROUTE(rid, rmethod, rpath, raccess, rhandler, rbody, ranswer, rdoc) rhandler,
#include "common/routes.def"
};

/* ── answers ───────────────────────────────────────────────────────────────────────────────────────────────── */

void answer(struct gateway *g, struct exchange *x, int status)
{
	size_t class = (size_t)status / 100;

	x->response.status = status;
	g->requests[x->route][class < STATUS_CLASSES ? class : 0]++;
	bridge_answer(x);
}

void answer_message(struct gateway *g, struct exchange *x, int status,
		    const struct message_def *message, const void *value)
{
	codec_encode(message, value, &x->response.body);
	answer(g, x, status);
}

void answer_done(struct gateway *g, struct exchange *x)
{
	struct msg_done done = { .ok = true };

	answer_message(g, x, 200, &message_done, &done);
}

void answer_problem(struct gateway *g, struct exchange *x, int status, const char *detail)
{
	response_problem(&x->response, status, detail);
	if (status == 401)
		str_add(&x->response.headers, "WWW-Authenticate: Bearer\r\n");
	answer(g, x, status);
}

void answer_too_many(struct gateway *g, struct exchange *x, int64_t wait_ms, const char *detail)
{
	int64_t wait_s = (wait_ms + 999) / 1000;
	_cleanup_(freep) char *text = xasprintf("%s; again in %" PRId64 " s", detail, wait_s);

	str_printf(&x->response.headers, "Retry-After: %" PRId64 "\r\n", wait_s);
	answer_problem(g, x, 429, text);
}

/* ── who asks, and from where ──────────────────────────────────────────────────────────────────────────────── */

void request_address(const struct gateway *g, const struct request *request, char ret[64])
{
	const struct config_gateway *config = &g->env->config->gateway;

	client_address(request->peer, request->forwarded_for, config->trusted_proxies,
		       config->trusted_proxies_n, ret);
}

bool request_is_insecure(const struct gateway *g, const struct request *request)
{
	const struct config_gateway *config = &g->env->config->gateway;

	if (request->host && host_is_loopback(request->host))
		return false;
	/* A browser says its origin itself, and we know those that we allow. */
	if (request->origin && str_starts(request->origin, "https://") &&
	    origin_is_allowed(request->origin, request->host, config->origins, config->origins_n))
		return false;
	return !(request->forwarded_proto && str_eq(request->forwarded_proto, "https") &&
		 address_in(request->peer, config->trusted_proxies, config->trusted_proxies_n));
}

const char *session_cookie_name(bool insecure)
{
	return insecure ? "jarvis" : "__Host-jarvis";
}

static bool check_cookie(struct gateway *g, const struct request *request, struct caller *ret)
{
	char secret[SESSION_SECRET_SIZE];
	bool plain = g->env->config->gateway.allow_plain_http_lan;

	if (cookie_find(request->cookie, session_cookie_name(false), secret, sizeof(secret)) &&
	    accounts_check_session(g->accounts, secret, ret))
		return true;
	return plain &&
	       cookie_find(request->cookie, session_cookie_name(true), secret, sizeof(secret)) &&
	       accounts_check_session(g->accounts, secret, ret);
}

static void find_caller(struct gateway *g, const struct request *request, struct caller *ret)
{
	static const char bearer[] = "Bearer ";

	*ret = (struct caller){ 0 };
	if (request->authorization &&
	    strncasecmp(request->authorization, bearer, strlen(bearer)) == 0)
		(void)accounts_check_token(g->accounts, request->authorization + strlen(bearer),
					   ret);
	else
		(void)check_cookie(g, request, ret);
}

static bool may(const struct caller *caller, enum route_access access)
{
	bool person = caller->kind == CALLER_SESSION;

	switch (access) {
	case ACCESS_PUBLIC:
		return true;
	case ACCESS_READ:
		return caller->scopes & SCOPE_READ;
	case ACCESS_METRICS:
		return caller->scopes & (SCOPE_METRICS | SCOPE_READ);
	case ACCESS_ACT:
		return caller->scopes & (SCOPE_READ | SCOPE_PROPOSE | SCOPE_OPERATE);
	case ACCESS_PERSON:
		return person;
	case ACCESS_OPERATOR:
		return person && caller->role == ROLE_OPERATOR;
	}
	return false;
}

/* ── dispatching ───────────────────────────────────────────────────────────────────────────────────────────── */

static bool path_fits(const struct route *route, const char *path)
{
	if (str_ends(route->path, "/"))
		return str_starts(path, route->path) && path[strlen(route->path)];
	return str_eq(route->path, path);
}

static const char *const method_names[] = {
	[METHOD_GET] = "GET",	    [METHOD_POST] = "POST", [METHOD_PUT] = "PUT",
	[METHOD_DELETE] = "DELETE", [METHOD_OTHER] = "",
};

/* The route, or NULL when that was answered. */
static const struct route *find_route(struct gateway *g, struct exchange *x)
{
	_cleanup_(str_done) struct str allowed = { 0 };

	for (int i = 0; i < ROUTE_COUNT; i++) {
		const struct route *route = &route_table[i];

		if (!path_fits(route, x->request.path))
			continue;
		if (route->method == x->request.method) {
			x->route = i;
			return route;
		}
		str_printf(&allowed, "%s%s", allowed.len ? ", " : "", method_names[route->method]);
	}
	if (!allowed.len) {
		answer_problem(g, x, 404, NULL);
		return NULL;
	}
	str_printf(&x->response.headers, "Allow: %s\r\n", allowed.data);
	answer_problem(g, x, 405, NULL);
	return NULL;
}

static bool is_json(const char *type)
{
	size_t length = type ? strcspn(type, "; ") : 0;

	return length == strlen("application/json") &&
	       strncasecmp(type, "application/json", length) == 0;
}

/* Against pages of others that use the browser of one of ours: true when all is well, else answered. */
static bool check_foreign(struct gateway *g, struct exchange *x)
{
	const struct config_gateway *config = &g->env->config->gateway;
	const struct request *request = &x->request;
	bool changes = request->method != METHOD_GET;
	bool foreign = request->origin && !origin_is_allowed(request->origin, request->host,
							     config->origins, config->origins_n);

	if (foreign && (changes || request->websocket))
		answer_problem(
			g, x, 403,
			"this origin is not allowed; add it to gateway.origins if it is yours");
	else if (changes && !is_json(request->content_type))
		answer_problem(g, x, 415, "send Content-Type: application/json");
	else if (changes && !request->x_jarvis)
		answer_problem(g, x, 403, "send the header X-Jarvis: 1");
	else
		return true;
	return false;
}

static bool check_access(struct gateway *g, struct exchange *x, const struct route *route,
			 const struct caller *caller)
{
	if (may(caller, route->access))
		return true;
	if (caller->kind == CALLER_NOBODY)
		answer_problem(g, x, 401, "log in, or send a token");
	else
		answer_problem(g, x, 403, "your role or the token's scopes do not allow this");
	return false;
}

static bool read_body(struct gateway *g, struct call *call, const struct route *route)
{
	struct exchange *x = call->exchange;
	struct codec_error error = { "" };
	void *body = NULL;

	if (!route->body->fields)
		return true;
	if (codec_decode(route->body, x->request.body, x->request.body_len, JSON_COMMAND,
			 CODEC_STRICT, x->arena, &body, &error) < 0) {
		answer_problem(g, x, 400, error.text);
		return false;
	}
	call->body = body;
	return true;
}

void routes_handle(void *ctx, struct exchange *x)
{
	struct gateway *g = ctx;
	struct call call = { .exchange = x };
	const struct route *route;

	x->route = ROUTE_COUNT;
	route = find_route(g, x);
	if (!route || !check_foreign(g, x))
		return;
	if (route->access != ACCESS_PUBLIC || route == &route_table[ROUTE_LOGIN])
		find_caller(g, &x->request, &call.caller);
	if (!check_access(g, x, route, &call.caller) || !read_body(g, &call, route))
		return;
	call.rest = x->request.path + strlen(route->path);
	handlers[x->route](g, &call);
}
