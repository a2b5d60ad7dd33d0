/* SPDX-License-Identifier: MIT */
/*
 * The client on the loop: curl tells which sockets to watch and when to wake it, and we tell curl
 * what happened. Every call passes from `active` to `settled` (it has an outcome) and leaves
 * through deliver(), the one place that runs foreign code; after each callback everything here may
 * be gone, which `is_dead` says. The deadline is ours, since curl's does not run while a request
 * waits for a free connection.
 */
#include "common/http.h"

#include "common/alloc.h"
#include "common/http_call.h"

#include <errno.h>

#define CONNECT_TIMEOUT_MS 3000
#define TIMEOUT_MS 15000
#define MAX_BYTES (8u << 20)

TAILQ_HEAD(call_list, http_call);

struct watch {
	uv_poll_t poll;
	struct http *http; /* NULL once it is being closed */
	curl_socket_t fd;
	int events;
	LIST_ENTRY(watch) link;
};

struct http {
	struct http_options options;
	char *ca_file;
	X509_STORE *store;
	CURLM *multi;
	struct timer *wake;  /* curl's */
	struct timer *ready; /* delivers what was refused at once */
	struct call_list active;
	struct call_list settled;
	LIST_HEAD(, watch) watches;
	bool is_global; /* curl_global_init() was called */
	bool is_delivering;
	bool is_dead;
};

/* ── delivery ────────────────────────────────────────────────────────────────────────────────── */

static void settle(struct http_call *call)
{
	struct http *http = call->http;

	if (call->easy)
		(void)curl_multi_remove_handle(http->multi, call->easy);
	timer_free(take(call->deadline));
	TAILQ_REMOVE(&http->active, call, link);
	TAILQ_INSERT_TAIL(&http->settled, call, link);
	call->is_settled = true;
}

static void deliver_one(struct http_call *call)
{
	char shown[HTTP_PIN_TEXT] = "";
	struct http_response response = {
		.outcome = call->outcome,
		.status = call->status,
		.reason = str_get(&call->reason),
		.body = str_get(&call->answer),
		.body_len = call->answer.len,
		.error = str_get(&call->error),
		.cookie = str_get(&call->cookie),
		.fingerprint = shown,
		.duration_ms = (unsigned)((uv_hrtime() - call->started_ns) / 1000000),
		.sent = call->is_sent,
	};

	if (call->trust.is_shown)
		http_pin_build(call->trust.shown, shown);
	call->done(call->ctx, &response);
	http_call_free(call);
}

/* HTTP may be gone afterwards. */
static void deliver(struct http *http)
{
	struct http_call *call;

	if (http->is_delivering)
		return;
	http->is_delivering = true;
	while (!http->is_dead && (call = TAILQ_FIRST(&http->settled))) {
		TAILQ_REMOVE(&http->settled, call, link);
		call->http = NULL;
		deliver_one(call);
	}
	http->is_delivering = false;
	if (http->is_dead)
		free(http);
}

static void finish_call(struct http *http, struct http_call *call, CURLcode code)
{
	if (call->wants_fresh) {
		(void)curl_multi_remove_handle(http->multi, call->easy);
		http_call_restart(call);
		if (curl_multi_add_handle(http->multi, call->easy) == CURLM_OK)
			return;
	}
	http_call_judge(call, code);
	settle(call);
}

/* Takes over what curl has finished, then delivers it. */
static void collect(struct http *http)
{
	CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(http->multi, &left))) {
		if (message->msg == CURLMSG_DONE)
			finish_call(http, http_call_of(message->easy_handle), message->data.result);
	}
	deliver(http);
}

/* ── curl and the loop ───────────────────────────────────────────────────────────────────────── */

static void watch_closed_cb(uv_handle_t *handle)
{
	free(handle->data);
}

static void watch_free(struct watch *watch)
{
	if (!watch->http)
		return;
	LIST_REMOVE(watch, link);
	watch->http = NULL;
	(void)uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *)&watch->poll, watch_closed_cb);
}

static void poll_cb(uv_poll_t *poll, int status, int events);

static void watch_start(struct watch *watch)
{
	(void)uv_poll_start(&watch->poll, watch->events, poll_cb);
}

static void poll_cb(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct http *http = watch->http;
	int action = 0;
	int running;

	/*
	 * Reading or writing finds out what is wrong. CURL_CSELECT_ERR would end the transfer at once, also where
	 * curl repeats a request whose kept connection turns out dead.
	 */
	if (status < 0)
		action = CURL_CSELECT_IN | CURL_CSELECT_OUT;
	if (events & UV_READABLE)
		action |= CURL_CSELECT_IN;
	if (events & UV_WRITABLE)
		action |= CURL_CSELECT_OUT;
	(void)curl_multi_socket_action(http->multi, watch->fd, action, &running);
	/* libuv stops a handle that has an error; curl may want to go on with it. */
	if (status < 0 && watch->http)
		watch_start(watch);
	collect(http);
}

/* NULL when the loop cannot watch FD; the request then ends by its deadline. */
static struct watch *watch_new(struct http *http, curl_socket_t fd)
{
	struct watch *watch = xnew(struct watch);

	if (uv_poll_init(http->options.loop, &watch->poll, fd) < 0) {
		free(watch);
		return NULL;
	}
	watch->poll.data = watch;
	watch->http = http;
	watch->fd = fd;
	LIST_INSERT_HEAD(&http->watches, watch, link);
	(void)curl_multi_assign(http->multi, fd, watch);
	return watch;
}

static int socket_cb(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx)
{
	struct http *http = ctx;
	struct watch *watch = socket_ctx;

	(void)easy;
	if (what == CURL_POLL_REMOVE) {
		(void)curl_multi_assign(http->multi, fd, NULL);
		if (watch)
			watch_free(watch);
		return 0;
	}
	if (!watch)
		watch = watch_new(http, fd);
	if (!watch)
		return 0;
	watch->events =
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	watch_start(watch);
	return 0;
}

static int wake_me_cb(CURLM *multi, long timeout_ms, void *ctx)
{
	struct http *http = ctx;

	(void)multi;
	if (timeout_ms < 0)
		timer_stop(http->wake);
	else
		timer_once(http->wake, (uint64_t)timeout_ms);
	return 0;
}

static void on_wake(void *ctx)
{
	struct http *http = ctx;
	int running;

	(void)curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	collect(http);
}

static void on_ready(void *ctx)
{
	deliver(ctx);
}

static void on_deadline(void *ctx)
{
	struct http_call *call = ctx;
	struct http *http = call->http;

	http_call_expire(call);
	settle(call);
	collect(http);
}

/* ── the interface ───────────────────────────────────────────────────────────────────────────── */

static void options_init(struct http *http, const struct http_options *options)
{
	struct http_options *own = &http->options;

	*own = *options;
	own->ca_file = http->ca_file = xstrdup_null(options->ca_file);
	own->connect_timeout_ms =
		own->connect_timeout_ms ? own->connect_timeout_ms : CONNECT_TIMEOUT_MS;
	own->timeout_ms = own->timeout_ms ? own->timeout_ms : TIMEOUT_MS;
	own->max_bytes = own->max_bytes ? own->max_bytes : MAX_BYTES;
}

int http_new(const struct http_options *options, struct http **ret)
{
	_cleanup_(http_freep) struct http *http = xnew(struct http);
	int r;

	TAILQ_INIT(&http->active);
	TAILQ_INIT(&http->settled);
	LIST_INIT(&http->watches);
	options_init(http, options);
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return -ENOMEM;
	http->is_global = true;
	if (options->ca_file) {
		r = http_store_load(options->ca_file, &http->store);
		if (r < 0)
			return r;
	}
	http->wake = timer_new(options->loop, on_wake, http);
	http->ready = timer_new(options->loop, on_ready, http);
	http->multi = curl_multi_init();
	if (!http->multi)
		return -ENOMEM;
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, socket_cb);
	curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, wake_me_cb);
	curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
	curl_multi_setopt(http->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
	curl_multi_setopt(http->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)options->max_per_host);
	*ret = take(http);
	return 0;
}

static void drop_calls(struct http *http, struct call_list *list)
{
	struct http_call *call;

	while ((call = TAILQ_FIRST(list))) {
		TAILQ_REMOVE(list, call, link);
		if (call->easy && !call->is_settled)
			(void)curl_multi_remove_handle(http->multi, call->easy);
		http_call_free(call);
	}
}

void http_free(struct http *http)
{
	struct watch *watch;

	if (!http || http->is_dead)
		return;
	drop_calls(http, &http->active);
	drop_calls(http, &http->settled);
	if (http->multi)
		(void)curl_multi_cleanup(http->multi);
	while ((watch = LIST_FIRST(&http->watches)))
		watch_free(watch);
	timer_free(http->wake);
	timer_free(http->ready);
	X509_STORE_free(http->store);
	free(http->ca_file);
	if (http->is_global)
		curl_global_cleanup();
	http->is_dead = true;
	if (!http->is_delivering)
		free(http);
}

struct http_call *http_start(struct http *http, const struct http_request *request,
			     http_done_fn done, void *ctx)
{
	struct http_call *call = http_call_new(&http->options, http->store, request);

	call->http = http;
	call->done = done;
	call->ctx = ctx;
	TAILQ_INSERT_TAIL(&http->active, call, link);
	if (call->easy && curl_multi_add_handle(http->multi, call->easy) != CURLM_OK) {
		http_call_refuse(call, HTTP_REFUSED, "%s: the request could not be started",
				 call->where);
		curl_easy_cleanup(take(call->easy));
	}
	if (!call->easy) {
		settle(call);
		timer_once(http->ready, 0);
		return call;
	}
	/* The loop's idea of now may be old, and the deadline must not come early. */
	uv_update_time(http->options.loop);
	call->deadline = timer_new(http->options.loop, on_deadline, call);
	timer_once(call->deadline, call->timeout_ms);
	return call;
}

void http_cancel(struct http_call *call)
{
	struct http *http = call->http;

	if (!http) /* it is being delivered */
		return;
	if (call->is_settled) {
		TAILQ_REMOVE(&http->settled, call, link);
	} else {
		(void)curl_multi_remove_handle(http->multi, call->easy);
		TAILQ_REMOVE(&http->active, call, link);
	}
	http_call_free(call);
}
