/* SPDX-License-Identifier: MIT */
/*
 * The gateway put together, and taken apart again: civetweb ends on the thread pool while the loop still runs, and the
 * memory goes with the last of what is under way.
 */
#include "services/gateway/gateway.h"

#include <errno.h>
#include <malloc.h>

#include "common/log.h"
#include "common/timer.h"
#include "common/work.h"
#include "services/gateway/actions_ask.h"
#include "services/gateway/sockets.h"

#define EXPIRE_PERIOD_MS 60000
/* What is kept is published again after a third of 15 min; three chances and a little. */
#define EXPIRE_AFTER_MS (16 * 60 * 1000)
/* Descriptors beside those of the WebSockets: workers, files, the database, the bus. */
#define OTHER_FDS 512

size_t gateway_routes(struct bus_route *routes)
{
	size_t n = 0;

	for (int id = 0; id < TOPIC_COUNT; id++) {
		enum topic_class class = topic_table[id].class;

		if (!(topic_table[id].readers & SERVICE_BIT(SERVICE_GATEWAY)))
			continue;
		if (class == CLASS_STATE || class == CLASS_PRESENCE || class == CLASS_EVENT ||
		    class == CLASS_STREAM)
			routes[n++] = (struct bus_route){ .topic = (enum topic_id)id,
							  .fn = feed_message,
							  .raw = true };
	}
	routes[n++] = (struct bus_route){ .topic = TOPIC_REPLY, .fn = asks_on_reply };
	return n;
}

bool gateway_requires(const struct gateway *g, const char *service)
{
	const struct config_gateway *config = &g->env->config->gateway;

	for (size_t i = 0; i < config->required_n; i++) {
		if (str_eq(config->required[i], service))
			return true;
	}
	return false;
}

/* ── what the parts ask of each other ──────────────────────────────────────────────────────────────────────── */

static bool is_alive(void *ctx, uint64_t owner)
{
	struct gateway *g = ctx;

	return accounts_is_alive(g->accounts, owner);
}

static void on_use(void *ctx, uint64_t owner)
{
	struct gateway *g = ctx;

	accounts_use(g->accounts, owner);
}

static void on_ended(void *ctx, uint64_t owner)
{
	struct gateway *g = ctx;

	if (g->hub)
		ws_hub_close_owner(g->hub, owner, 4401, "the session has ended");
}

static void on_socket(void *ctx, uint64_t ticket, int fd)
{
	struct gateway *g = ctx;

	ws_hub_open(g->hub, ticket, fd);
}

/* ── the bus ───────────────────────────────────────────────────────────────────────────────────────────────── */

void gateway_on_online(void *self)
{
	struct gateway *g = self;

	feed_link(g, true);
}

void gateway_on_offline(void *self)
{
	struct gateway *g = self;

	timer_stop(g->sweep);
	/* From here on: what comes again is new, the rest is swept some seconds after the link is back. */
	if (g->linked) {
		mirror_begin_round(g->mirror);
		roster_begin_round(&g->roster);
	}
	feed_link(g, false);
}

void gateway_on_batch_end(void *self)
{
	struct gateway *g = self;

	if (!g->changed)
		return;
	g->changed = false;
	ws_hub_changed(g->hub);
}

static void sweep_cb(void *ctx)
{
	struct gateway *g = ctx;
	size_t n = mirror_sweep(g->mirror);

	roster_sweep(&g->roster);
	if (n == 0)
		return;
	log_info("removed %zu documents that the broker no longer has", n);
	ws_hub_changed(g->hub);
}

static void expire_cb(void *ctx)
{
	struct gateway *g = ctx;

	/* While the link is down everything ages alike, and is shown as stale. */
	if (g->linked && mirror_expire(g->mirror, clock_boot_ms(g->clock), EXPIRE_AFTER_MS) > 0)
		ws_hub_changed(g->hub);
}

/* ── start ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static int open_accounts(struct gateway *g)
{
	_cleanup_(str_done) struct str error = { 0 };
	const struct config_gateway *config = &g->env->config->gateway;
	struct accounts_options options = {
		.clock = g->clock,
		.dir = g->env->data_dir,
		.idle_ms = config->session_idle_ms,
		.lifetime_ms = config->session_lifetime_ms,
		.on_ended = on_ended,
		.ctx = g,
	};
	int r = accounts_open(&options, &g->accounts, &error);

	if (r < 0)
		log_error("%s", str_get(&error));
	return r;
}

static void load_files(struct gateway *g)
{
	_cleanup_(str_done) struct str error = { 0 };

	/* Without the page the API still works. */
	if (static_load(g->env->config->gateway.web_dir, &g->files, &error) < 0)
		log_error("the dashboard's files cannot be read; see gateway.web_dir: %s",
			  str_get(&error));
	else if (!static_find(&g->files, "/"))
		log_error("%s has no index.html; see gateway.web_dir",
			  g->env->config->gateway.web_dir);
}

static void make_hub(struct gateway *g)
{
	struct ws_options options = {
		.loop = g->env->loop,
		.clock = g->clock,
		.mirror = g->mirror,
		.sid = g->sid,
		.version = g->env->version,
		.max_clients = (size_t)g->env->config->gateway.max_websockets,
		.is_alive = is_alive,
		.on_use = on_use,
		.ctx = g,
	};
	unsigned char random[8];

	randombytes_buf(random, sizeof(random));
	hex_build(random, sizeof(random), g->sid);
	g->hub = ws_hub_new(&options);
	if (socket_raise_limit(options.max_clients + OTHER_FDS) < 0)
		log_warn(
			"the limit of open files is too low for gateway.max_websockets %zu; raise LimitNOFILE",
			options.max_clients);
}

static int start_server(struct gateway *g)
{
	_cleanup_(str_done) struct str error = { 0 };
	const struct config_gateway *config = &g->env->config->gateway;
	struct bridge_options bridge = {
		.loop = g->env->loop, .on_request = routes_handle, .on_socket = on_socket, .ctx = g
	};
	struct server_options options = { .listen = config->listen,
					  .port = (int)config->port,
					  .files = &g->files };
	int r;

	g->bridge = bridge_new(&bridge);
	g->watch = watch_new(g->env->loop, g->clock, SERVER_THREADS, (uint16_t)config->port);
	options.bridge = g->bridge;
	options.watch = g->watch;
	r = server_start(&options, &g->server, &error);
	if (r < 0)
		log_error("listen on %s:%d: %s; is the port taken? See gateway.port",
			  config->listen, options.port, str_get(&error));
	else
		log_info("listening on http://%s:%d", config->listen, options.port);
	return r;
}

int gateway_start(struct service_env *env, void **ret)
{
	struct gateway *g = xnew(struct gateway);
	int r;

	/* Many threads that allocate little: one arena each would cost more than the locks. */
	(void)mallopt(M_ARENA_MAX, 2);
	g->env = env;
	g->clock = env->clock;
	g->base_len = strlen(env->config->base) + 1;
	g->mirror = mirror_new();
	g->passwords = password_jobs_new(env->loop);
	g->sweep = timer_new(env->loop, sweep_cb, g);
	g->expire = timer_new(env->loop, expire_cb, g);
	make_hub(g);
	g->asks = asks_new(g);
	feed_link(g, false);
	load_files(g);
	r = open_accounts(g);
	if (r == 0)
		r = start_server(g);
	if (r < 0) {
		g->server_stopped = true;
		gateway_free(g);
		return r;
	}
	timer_every(g->expire, EXPIRE_PERIOD_MS, EXPIRE_PERIOD_MS);
	*ret = g;
	return 0;
}

void gateway_reload(void *self, const struct config *config)
{
	struct gateway *g = self;

	accounts_set_times(g->accounts, config->gateway.session_idle_ms,
			   config->gateway.session_lifetime_ms);
}

/* ── end ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static void stop_server(void *ctx)
{
	struct gateway *g = ctx;

	server_stop(g->server);
}

static void server_stopped(void *ctx, bool cancelled)
{
	struct gateway *g = ctx;

	(void)cancelled;
	g->server_stopped = true;
	gateway_release(g);
}

void gateway_stop(void *self)
{
	struct gateway *g = self;

	g->stopping = true;
	ws_hub_stop(g->hub);
	asks_free(take(g->asks));
	bridge_close(g->bridge);
	if (work_run(g->env->loop, stop_server, server_stopped, g) < 0) {
		server_stop(g->server);
		g->server_stopped = true;
	}
}

void gateway_release(struct gateway *g)
{
	if (!g->freed || !g->server_stopped || g->renders || password_jobs_n(g->passwords))
		return;
	asks_free(g->asks);
	ws_hub_free(g->hub);
	bridge_free(g->bridge);
	watch_free(g->watch);
	accounts_free(g->accounts);
	password_jobs_free(g->passwords);
	timer_free(g->sweep);
	timer_free(g->expire);
	static_done(&g->files);
	roster_done(&g->roster);
	mirror_free(g->mirror);
	free(g);
}

void gateway_free(void *self)
{
	struct gateway *g = self;

	g->freed = true;
	gateway_release(g);
}
