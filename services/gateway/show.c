/* SPDX-License-Identifier: MIT */
/*
 * What can be read over HTTP: documents, health, and the way to the WebSocket.
 */
#include <stdio.h>

#include "common/codec.h"
#include "services/gateway/gateway.h"
#include "services/gateway/origin.h"

_Static_assert(TOPIC_COUNT <= 64, "a bit for each topic");

/* What viewers may see on the bus. Logs and talk are more than state, and need a right of their own. */
uint64_t show_allowed(const struct caller *caller)
{
	uint64_t allowed = 0;

	for (int id = 0; id < TOPIC_COUNT; id++) {
		bool is_plain = (topic_table[id].readers & MASK_VIEWERS) && id != TOPIC_SERVICE_LOG;

		if (is_plain || (caller->scopes & SCOPE_READ_LOGS))
			allowed |= (uint64_t)1 << id;
	}
	return allowed;
}

bool show_may_see(uint64_t allowed, const struct mirror_doc *doc)
{
	/* What the gateway itself made is not on the bus. */
	return !doc->gone && doc->id < TOPIC_COUNT && (allowed & (uint64_t)1 << doc->id);
}

/* ── documents ─────────────────────────────────────────────────────────────────────────────────────────────── */

void show_state(struct gateway *g, struct call *call)
{
	struct str *out = &call->exchange->response.body;
	uint64_t allowed = show_allowed(&call->caller);

	str_add_char(out, '{');
	for (const struct mirror_doc *doc = mirror_after(g->mirror, 0); doc;
	     doc = mirror_next(doc)) {
		if (!show_may_see(allowed, doc))
			continue;
		if (out->len > 1)
			str_add_char(out, ',');
		str_add_n(out, doc->text, doc->text_len);
	}
	str_add_char(out, '}');
	answer(g, call->exchange, 200);
}

void show_state_topic(struct gateway *g, struct call *call)
{
	const struct mirror_doc *doc = mirror_get(g->mirror, call->rest);

	if (!doc || !show_may_see(show_allowed(&call->caller), doc)) {
		answer_problem(g, call->exchange, 404, "there is no document at this topic");
		return;
	}
	str_add_n(&call->exchange->response.body, doc->text + doc->json_at, doc->json_len);
	answer(g, call->exchange, 200);
}

/* ── health ────────────────────────────────────────────────────────────────────────────────────────────────── */

static struct msg_service_view describe(const struct gateway *g, const struct roster_entry *entry,
					int64_t now_ms)
{
	bool ours = str_eq(entry->service, service_table[SERVICE_GATEWAY].name) &&
		    str_eq(entry->instance, g->env->instance);
	struct msg_service_view row = {
		.service = entry->service,
		.instance = entry->instance,
		.state = ours ? "online" : entry->state,
		.version = entry->version[0] ? entry->version : NULL,
		.required = gateway_requires(g, entry->service),
	};

	if (ours)
		row.age_ms = some_i64(0);
	else if (entry->heard_ms != ROSTER_NEVER)
		row.age_ms = some_i64(max_of(now_ms - entry->heard_ms, (int64_t)0));
	return row;
}

/* Required services that nobody ever heard of. */
static size_t add_unheard(const struct gateway *g, struct msg_service_view *rows, size_t n)
{
	const struct config_gateway *config = &g->env->config->gateway;

	for (size_t i = 0; i < config->required_n; i++) {
		bool heard = false;

		for (size_t e = 0; e < g->roster.n && !heard; e++)
			heard = str_eq(g->roster.items[e].service, config->required[i]);
		if (!heard)
			rows[n++] = (struct msg_service_view){ .service = config->required[i],
							       .instance = g->env->instance,
							       .state = "unknown",
							       .required = true };
	}
	return n;
}

static bool is_ready(const struct gateway *g)
{
	const struct config_gateway *config = &g->env->config->gateway;
	bool ready = g->linked;

	for (size_t i = 0; i < config->required_n; i++)
		ready = ready && (roster_is_online(&g->roster, config->required[i]) ||
				  str_eq(config->required[i], service_table[SERVICE_GATEWAY].name));
	return ready;
}

static void answer_health(struct gateway *g, struct exchange *x, int status)
{
	size_t room = g->roster.n + g->env->config->gateway.required_n + 1;
	_cleanup_(freep) struct msg_service_view *rows = xcalloc(room, sizeof(*rows));
	int64_t now_ms = clock_boot_ms(g->clock);
	struct msg_health_view view = {
		.status = is_ready(g) ? "ok" : "degraded",
		.broker = g->linked,
		.services = rows,
	};

	for (; view.services_n < g->roster.n; view.services_n++)
		rows[view.services_n] = describe(g, &g->roster.items[view.services_n], now_ms);
	view.services_n = min_of(add_unheard(g, rows, view.services_n), (size_t)ROSTER_MAX);
	answer_message(g, x, status, &message_health_view, &view);
}

void show_health(struct gateway *g, struct call *call)
{
	answer_health(g, call->exchange, 200);
}

void show_healthz(struct gateway *g, struct call *call)
{
	answer_done(g, call->exchange);
}

/*
 * Presence counts whether it came live or retained: the broker's last will keeps it true, and after a restart of the
 * gateway alone everything is ready at once. While the link to the broker is down nothing is.
 */
void show_readyz(struct gateway *g, struct call *call)
{
	answer_health(g, call->exchange, is_ready(g) ? 200 : 503);
}

/* ── the WebSocket ─────────────────────────────────────────────────────────────────────────────────────────── */

void show_ws(struct gateway *g, struct call *call)
{
	struct exchange *x = call->exchange;
	uint64_t ticket;

	if (!x->request.websocket) {
		answer_problem(g, x, 426, "this is a WebSocket");
		return;
	}
	/* A cookie comes along by itself, so a page that uses it must say where it is from. */
	if (call->caller.kind == CALLER_SESSION && !x->request.origin) {
		answer_problem(g, x, 403, "the Origin header is missing");
		return;
	}
	switch (ws_hub_admit(g->hub, call->caller.owner, show_allowed(&call->caller), &ticket)) {
	case WS_ADMITTED:
		x->response.ticket = ticket;
		answer(g, x, 101);
		break;
	case WS_FULL:
		answer_problem(g, x, 503, "all places are taken; see gateway.max_websockets");
		break;
	case WS_OWNER_FULL:
		answer_too_many(
			g, x, 1000,
			"this session or token has taken all places that one may; see gateway.max_websockets");
		break;
	}
}
