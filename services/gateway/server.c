/* SPDX-License-Identifier: MIT */
/*
 * civetweb's callbacks. After the handshake of a WebSocket the worker duplicates the connection's descriptor for the
 * loop and puts a socket that has ended in the place of civetweb's own, which so takes leave at once: no thread stays
 * with a WebSocket, and none of civetweb's frame reading (no limit, no masks required) is ever used.
 */
#include "services/gateway/server.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/log.h"
#include "services/gateway/http_io.h"
#include "services/gateway/sockets.h"

#define WS_PATH "/ws"
/* The kernel keeps connections that have not sent anything to itself for so long. */
#define DEFER_ACCEPT_S 30

struct server {
	struct server_options options;
	struct mg_context *civetweb;
	uint16_t port;
	int ended;		   /* a socket that has ended, to put in the place of others */
	_Atomic ptrdiff_t info_at; /* see learn_offset() */
	_Atomic int64_t files, refused, timeouts, sockets_lost;
};

static struct server *server_of(const struct mg_connection *conn)
{
	return mg_get_user_data(mg_get_context(conn));
}

/* ── requests ──────────────────────────────────────────────────────────────────────────────────────────────── */

static int refuse(struct mg_connection *conn, int status, const char *why)
{
	atomic_fetch_add(&server_of(conn)->refused, 1);
	http_write_problem(conn, status, why);
	return status;
}

/*
 * Where a connection keeps its request info, which is the same for all. civetweb does not show it before the request
 * is parsed, but who has not sent one is just whom we want to know.
 */
static void learn_offset(struct server *server, const struct mg_connection *conn)
{
	const struct mg_request_info *info = mg_get_request_info(conn);

	atomic_store(&server->info_at, (const char *)info - (const char *)conn);
}

static bool is_for_the_loop(const struct request *request)
{
	return str_starts(request->path, "/api/") || str_eq(request->path, "/metrics") ||
	       str_eq(request->path, "/healthz") || str_eq(request->path, "/readyz");
}

/* Asks the loop: 0 with an answer, or the status that was answered instead. */
static int ask(struct mg_connection *conn, struct exchange *exchange)
{
	struct server *server = server_of(conn);
	bool waits = str_eq(exchange->request.path, "/api/tools/execute");
	struct watch_slot *slot = mg_get_thread_pointer(conn);
	int r;

	if (waits)
		watch_wait(slot, SERVER_ACTION_MS);
	r = bridge_ask(exchange, waits ? SERVER_ACTION_MS : SERVER_DEADLINE_MS);
	if (waits)
		watch_wait(slot, 0);
	if (r == 0)
		return 0;
	if (r == -ETIMEDOUT)
		atomic_fetch_add(&server->timeouts, 1);
	return refuse(conn, 503, r == -ETIMEDOUT ? "no answer in time" : "the gateway is ending");
}

static int serve_file(struct mg_connection *conn, const struct request *request)
{
	struct server *server = server_of(conn);
	const struct static_file *file = static_find(server->options.files, request->path);

	if (!file)
		return refuse(conn, 404, NULL);
	if (request->method != METHOD_GET)
		return refuse(conn, 405, "files can be read");
	atomic_fetch_add(&server->files, 1);
	http_write_file(conn, request, file);
	return 200;
}

/* civetweb calls this for every request; 0 means that it shall go on by itself. */
static int begin_request(struct mg_connection *conn)
{
	struct server *server = server_of(conn);
	_cleanup_(exchange_unrefp) struct exchange *exchange = exchange_new(server->options.bridge);
	struct request *request = &exchange->request;
	const char *why = NULL;
	int status = http_read_head(conn, exchange->arena, request, &why);

	learn_offset(server, conn);
	if (status != 0)
		return refuse(conn, status, why);
	if (str_eq(request->path, WS_PATH)) {
		if (http_is_upgrade(conn))
			return 0; /* civetweb goes on, to connect_handler() */
		return refuse(conn, 426, "this is a WebSocket");
	}
	if (!is_for_the_loop(request))
		return serve_file(conn, request);
	status = http_read_body(conn, exchange->arena, request, &why);
	if (status != 0)
		return refuse(conn, status, why);
	watch_serve(mg_get_thread_pointer(conn));
	status = ask(conn, exchange);
	if (status != 0)
		return status;
	http_write(conn, &exchange->response);
	return exchange->response.status;
}

/* What civetweb itself has to complain about. */
static int http_error(struct mg_connection *conn, int status, const char *message)
{
	(void)message;
	(void)refuse(conn, status, NULL);
	return 0;
}

/* ── WebSockets ────────────────────────────────────────────────────────────────────────────────────────────── */

static int connect_handler(const struct mg_connection *const_conn, void *ctx)
{
	struct mg_connection *conn = (struct mg_connection *)const_conn;
	struct server *server = ctx;
	_cleanup_(exchange_unrefp) struct exchange *exchange = exchange_new(server->options.bridge);
	const char *why = NULL;
	int status = http_read_head(conn, exchange->arena, &exchange->request, &why);

	/* civetweb also sends what lies below the path here. */
	if (status == 0 && !str_eq(exchange->request.path, WS_PATH))
		status = 404;
	if (status != 0)
		return refuse(conn, status, why);
	exchange->request.websocket = true;
	watch_serve(mg_get_thread_pointer(conn));
	status = ask(conn, exchange);
	if (status != 0)
		return status;
	if (exchange->response.status != 101) {
		http_write(conn, &exchange->response);
		return exchange->response.status;
	}
	mg_set_user_connection_data(conn, (void *)(uintptr_t)exchange->response.ticket);
	return 0;
}

static void ready_handler(struct mg_connection *conn, void *ctx)
{
	struct server *server = ctx;
	const struct mg_request_info *info = mg_get_request_info(conn);
	uint64_t ticket = (uint64_t)(uintptr_t)mg_get_user_connection_data(conn);
	struct socket_end peer;
	int copy, original;

	if (socket_end_parse(info->remote_addr, info->remote_port, &peer) < 0 ||
	    socket_find(&peer, server->port, &copy, &original) < 0) {
		atomic_fetch_add(&server->sockets_lost, 1);
		return;
	}
	if (dup3(server->ended, original, O_CLOEXEC) < 0) {
		atomic_fetch_add(&server->sockets_lost, 1);
		(void)close(copy);
		return;
	}
	bridge_hand_over(server->options.bridge, ticket, copy);
}

/* Never called with data: the connection has ended for civetweb. */
static int data_handler(struct mg_connection *conn, int bits, char *data, size_t length, void *ctx)
{
	(void)conn;
	(void)bits;
	(void)data;
	(void)length;
	(void)ctx;
	return 0;
}

/* ── connections and workers ───────────────────────────────────────────────────────────────────────────────── */

static void *init_thread(const struct mg_context *context, int type)
{
	struct server *server = mg_get_user_data(context);

	/* 1: a worker */
	return type == 1 ? watch_slot_take(server->options.watch) : NULL;
}

static int init_connection(const struct mg_connection *conn, void **data)
{
	ptrdiff_t at = atomic_load(&server_of(conn)->info_at);
	const struct mg_request_info *info = (const void *)((const char *)conn + at);

	(void)data;
	if (at)
		watch_begin(mg_get_thread_pointer(conn), info->remote_addr, info->remote_port);
	return 0;
}

static void connection_close(const struct mg_connection *conn)
{
	watch_end(mg_get_thread_pointer(conn));
}

static int log_message(const struct mg_connection *conn, const char *message)
{
	(void)conn;
	log_debug("civetweb: %s", message);
	return 1;
}

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static struct mg_context *start_civetweb(struct server *server, const char *ports,
					 const char *threads, struct str *error)
{
	const char *options[] = {
		"listening_ports",
		ports,
		"num_threads",
		threads,
		"connection_queue",
		"64",
		"listen_backlog",
		"1024",
		"request_timeout_ms",
		"5000",
		"max_request_size",
		"16384",
		"tcp_nodelay",
		"1",
		/* A kept connection would keep its worker. */
		"enable_keep_alive",
		"no",
		"enable_directory_listing",
		"no",
		"enable_websocket_ping_pong",
		"no",
		/* The default allows every origin. */
		"access_control_allow_origin",
		"",
		"access_control_allow_methods",
		"",
		"access_control_allow_headers",
		"",
		"decode_url",
		"no",
		"decode_query_string",
		"no",
		"cgi_pattern",
		"",
		"ssi_pattern",
		"",
		NULL,
	};
	const struct mg_callbacks callbacks = {
		.begin_request = begin_request,
		.log_message = log_message,
		.http_error = http_error,
		.connection_close = connection_close,
		.init_thread = init_thread,
		.init_connection = init_connection,
	};
	char text[256] = "";
	struct mg_error_data data = { .text = text, .text_buffer_size = sizeof(text) };
	struct mg_init_data init = { .callbacks = &callbacks,
				     .user_data = server,
				     .configuration_options = options };
	struct mg_context *context = mg_start2(&init, &data);

	if (!context)
		str_add(error, text);
	return context;
}

/* Silent connections wait in the kernel, where they cost no worker; best effort. */
static void defer_accept(const struct server *server)
{
	int fd = socket_find_listener(server->port);
	int seconds = DEFER_ACCEPT_S;

	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds));
}

int server_start(const struct server_options *options, struct server **ret, struct str *error)
{
	struct server *server = xnew(struct server);
	char threads[16];
	_cleanup_(freep) char *ports = xasprintf(strchr(options->listen, ':') ? "[%s]:%d" : "%s:%d",
						 options->listen, options->port);

	server->options = *options;
	server->port = (uint16_t)options->port;
	server->ended = socket_new_ended();
	(void)snprintf(threads, sizeof(threads), "%d", SERVER_THREADS);
	(void)mg_init_library(MG_FEATURES_DEFAULT);
	if (server->ended >= 0)
		server->civetweb = start_civetweb(server, ports, threads, error);
	if (!server->civetweb) {
		(void)close(server->ended);
		free(server);
		return -EADDRINUSE;
	}
	mg_set_websocket_handler(server->civetweb, WS_PATH, connect_handler, ready_handler,
				 data_handler, NULL, server);
	defer_accept(server);
	*ret = server;
	return 0;
}

void server_stop(struct server *server)
{
	if (!server)
		return;
	mg_stop(server->civetweb);
	(void)mg_exit_library();
	(void)close(server->ended);
	free(server);
}

struct server_stats server_stats(const struct server *server)
{
	return (struct server_stats){
		.files = atomic_load(&server->files),
		.refused = atomic_load(&server->refused),
		.timeouts = atomic_load(&server->timeouts),
		.sockets_lost = atomic_load(&server->sockets_lost),
	};
}
