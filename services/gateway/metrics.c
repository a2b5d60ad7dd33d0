/* SPDX-License-Identifier: MIT */
/*
 * /metrics. What the loop counts is written here and now; documents are copied and turned into text on the thread
 * pool, since thousands of guests take longer than a browser should wait.
 */
#include <inttypes.h>

#include "common/codec.h"
#include "common/work.h"
#include "services/gateway/gateway.h"
#include "services/gateway/metrics_text.h"

struct render {
	struct gateway *gateway;
	struct exchange *exchange;
	struct metrics_doc *docs;
	size_t docs_n;
	struct str text;
};

static void add_one(struct str *out, const char *name, const char *type, const char *help,
		    double value)
{
	metrics_family(out, name, type, help);
	metrics_sample(out, name, NULL, value);
}

/* ── the gateway itself ────────────────────────────────────────────────────────────────────────────────────── */

static void add_requests(struct str *out, const struct gateway *g)
{
	static const char name[] = "jarvis_gateway_http_requests_total";
	static const char *const classes[STATUS_CLASSES] = { "other", "1xx", "2xx",
							     "3xx",   "4xx", "5xx" };

	metrics_family(out, name, "counter", "requests that the loop answered");
	for (size_t r = 0; r <= ROUTE_COUNT; r++) {
		for (size_t c = 0; c < STATUS_CLASSES; c++) {
			const char *labels[] = { "route",
						 r < ROUTE_COUNT ? route_table[r].id : "none",
						 "status", classes[c], NULL };

			if (g->requests[r][c])
				metrics_sample(out, name, labels, (double)g->requests[r][c]);
		}
	}
}

static void add_gateway(struct str *out, const struct gateway *g)
{
	const struct ws_stats *ws = ws_hub_stats(g->hub);
	const struct mirror_stats *mirror = mirror_stats(g->mirror);
	struct server_stats server = server_stats(g->server);
	const struct {
		const char *name, *type, *help;
		double value;
	} rows[] = {
		{ "jarvis_broker_up", "gauge", "the gateway is connected to the broker",
		  g->linked },
		{ "jarvis_gateway_files_total", "counter", "files served", (double)server.files },
		{ "jarvis_gateway_refused_total", "counter", "requests refused before the loop",
		  (double)server.refused },
		{ "jarvis_gateway_timeouts_total", "counter",
		  "requests that the loop did not answer in time", (double)server.timeouts },
		{ "jarvis_gateway_connections_cut_total", "counter",
		  "connections that held a worker for too long", (double)watch_cut(g->watch) },
		{ "jarvis_gateway_websockets", "gauge", "WebSocket clients", (double)ws->clients },
		{ "jarvis_gateway_websockets_opened_total", "counter", "WebSockets opened",
		  (double)ws->opened },
		{ "jarvis_gateway_websockets_lost_total", "counter",
		  "sockets not found after the handshake", (double)server.sockets_lost },
		{ "jarvis_gateway_websockets_evicted_total", "counter",
		  "clients that did not read or answer", (double)ws->evicted },
		{ "jarvis_gateway_websocket_violations_total", "counter",
		  "clients that broke the protocol", (double)ws->violations },
		{ "jarvis_gateway_websocket_resets_total", "counter",
		  "clients that had to begin again", (double)ws->resets },
		{ "jarvis_gateway_websocket_frames_total", "counter", "frames sent",
		  (double)ws->frames },
		{ "jarvis_gateway_websocket_bytes_total", "counter", "bytes sent",
		  (double)ws->bytes },
		{ "jarvis_gateway_documents", "gauge", "documents mirrored",
		  (double)mirror->documents },
		{ "jarvis_gateway_document_bytes", "gauge", "their size", (double)mirror->bytes },
		{ "jarvis_gateway_changes_total", "counter", "changes of documents",
		  (double)mirror->changes },
		{ "jarvis_gateway_events_total", "counter", "events and pieces of streams",
		  (double)mirror->events },
	};

	for (size_t i = 0; i < countof(rows); i++)
		add_one(out, rows[i].name, rows[i].type, rows[i].help, rows[i].value);
	add_requests(out, g);
}

/* ── the services ──────────────────────────────────────────────────────────────────────────────────────────── */

static void add_up(struct str *out, const struct gateway *g)
{
	static const char name[] = "jarvis_service_up";

	metrics_family(out, name, "gauge", "the service is online");
	for (size_t i = 0; i < g->roster.n; i++) {
		const struct roster_entry *e = &g->roster.items[i];
		const char *labels[] = { "service", e->service, "instance", e->instance, NULL };

		metrics_sample(out, name, labels, str_eq(e->state, "online"));
	}
}

static void add_counters(struct str *out, const char *name, const struct roster_entry *e,
			 const struct num_entry *counters, size_t n)
{
	for (size_t c = 0; c < n; c++) {
		const char *labels[] = { "service", e->service,	     "instance", e->instance,
					 "counter", counters[c].key, NULL };

		metrics_sample(out, name, labels, (double)counters[c].value);
	}
}

static const struct msg_service_health *decode_health(const struct roster_entry *e,
						      struct arena *arena)
{
	struct codec_error error;
	void *health;

	if (!e->health || codec_decode(&message_service_health, e->health, strlen(e->health),
				       JSON_STATE, CODEC_LENIENT, arena, &health, &error) < 0)
		return NULL;
	return health;
}

static double lag_of(const struct msg_service_health *h)
{
	return h->loop_lag_ms;
}
static double rss_of(const struct msg_service_health *h)
{
	return (double)h->rss_bytes;
}
static double cpu_of(const struct msg_service_health *h)
{
	return h->cpu;
}
static double uptime_of(const struct msg_service_health *h)
{
	return (double)h->uptime_s;
}

static const struct {
	const char *name, *help;
	double (*get)(const struct msg_service_health *health);
} gauges[] = {
	{ "jarvis_service_loop_lag_ms", "longest time that the loop was late", lag_of },
	{ "jarvis_service_rss_bytes", "resident memory", rss_of },
	{ "jarvis_service_cpu_percent", "share of one core", cpu_of },
	{ "jarvis_service_uptime_s", "since the process started", uptime_of },
};

static void add_services(struct str *out, const struct gateway *g)
{
	static const char name[] = "jarvis_service_counter_total";
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(freep) const struct msg_service_health **health =
		xcalloc(g->roster.n + 1, sizeof(const struct msg_service_health *));

	for (size_t i = 0; i < g->roster.n; i++)
		health[i] = decode_health(&g->roster.items[i], arena);
	add_up(out, g);
	for (size_t m = 0; m < countof(gauges); m++) {
		metrics_family(out, gauges[m].name, "gauge", gauges[m].help);
		for (size_t i = 0; i < g->roster.n; i++) {
			const struct roster_entry *e = &g->roster.items[i];
			const char *labels[] = { "service", e->service, "instance", e->instance,
						 NULL };

			if (health[i])
				metrics_sample(out, gauges[m].name, labels,
					       gauges[m].get(health[i]));
		}
	}
	metrics_family(out, name, "counter", "what the services count since their start");
	for (size_t i = 0; i < g->roster.n; i++) {
		if (health[i])
			add_counters(out, name, &g->roster.items[i], health[i]->counters,
				     health[i]->counters_n);
	}
}

/* ── the documents ─────────────────────────────────────────────────────────────────────────────────────────── */

static void copy_docs(struct render *render, const struct mirror *mirror)
{
	render->docs = xcalloc(mirror_stats(mirror)->documents + 1, sizeof(*render->docs));
	for (const struct mirror_doc *doc = mirror_after(mirror, 0); doc; doc = mirror_next(doc)) {
		struct metrics_doc *copy = &render->docs[render->docs_n];

		if (doc->gone || doc->id >= TOPIC_COUNT || !metrics_has(doc->id))
			continue;
		copy->id = doc->id;
		copy->topic = xstrdup(doc->topic);
		copy->json = xstrndup(doc->text + doc->json_at, doc->json_len);
		copy->json_len = doc->json_len;
		render->docs_n++;
	}
}

static void free_render(struct render *render)
{
	for (size_t i = 0; i < render->docs_n; i++) {
		free(render->docs[i].topic);
		free(render->docs[i].json);
	}
	free(render->docs);
	str_done(&render->text);
	free(render);
}

/* On the thread pool. */
static void run(void *ctx)
{
	struct render *render = ctx;

	metrics_add_docs(&render->text, render->docs, render->docs_n);
}

static void done(void *ctx, bool cancelled)
{
	struct render *render = ctx;
	struct gateway *g = render->gateway;
	struct exchange *x = render->exchange;

	x->response.body = render->text;
	render->text = (struct str){ 0 };
	x->response.type = "text/plain; version=0.0.4; charset=utf-8";
	free_render(render);
	answer(g, x, cancelled ? 503 : 200);
	g->renders--;
	gateway_release(g);
}

void metrics_get(struct gateway *g, struct call *call)
{
	struct render *render = xnew(struct render);

	render->gateway = g;
	render->exchange = call->exchange;
	add_gateway(&render->text, g);
	add_services(&render->text, g);
	copy_docs(render, g->mirror);
	g->renders++;
	if (work_run(g->env->loop, run, done, render) < 0)
		done(render, true);
}
