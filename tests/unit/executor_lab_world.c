/* SPDX-License-Identifier: MIT */
/*
 * What the executor of executor_lab.h meets instead of the broker, the network and time.
 */
#include "common/alloc.h"
#include "common/codec.h"
#include "common/timer.h"
#include "tests/unit/check.h"
#include "tests/unit/executor_lab.h"
#include "tests/unit/executor_lab_ssh.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

struct timer {
	struct timer *next;
	timer_fn fn;
	void *ctx;
	bool is_set;
	int64_t due;
	uint64_t
		order; /* of those that are due at once the first that was set comes first, as in libuv */
};

struct http_call {
	struct http_call *next;
	char *request; /* "METHOD /path" below /api2/json */
	char *host;
	bool (*may_send)(void *ctx);
	http_done_fn fn;
	void *ctx;
};

/* Whose executor it is: there is one at a time. */
static struct lab *current;

void lab_world_enter(struct lab *l)
{
	current = l;
	lab_ssh_begin();
}

void lab_world_leave(struct lab *l)
{
	/* What it asked for was cancelled, what it waited for is off: nothing of it is left behind. */
	assert_null(l->calls);
	assert_null(l->timers);
	assert_int_equal(lab_ssh_connections(), 0);
	while (l->told_n)
		free(l->told[--l->told_n].text);
}

/* ── the broker ────────────────────────────────────────────────────────────────────────────────────────────── */

bool __wrap_bus_is_online(const struct bus *bus);
int __wrap_bus_publish(struct bus *bus, enum topic_id id, const char *const *args,
		       const void *value);
int __wrap_bus_publish_text(struct bus *bus, enum topic_id id, const char *const *args,
			    const char *payload, size_t length);

bool __wrap_bus_is_online(const struct bus *bus)
{
	(void)bus;
	return current->is_online;
}

static int note(enum topic_id id, char *text)
{
	if (current->publish) {
		free(text);
		return current->publish;
	}
	assert_true(current->told_n < LAB_TOLD_MAX);
	current->told[current->told_n++] = (struct lab_told){ id, text };
	return 0;
}

int __wrap_bus_publish(struct bus *bus, enum topic_id id, const char *const *args,
		       const void *value)
{
	struct str text = { 0 };

	(void)bus;
	(void)args;
	codec_encode(topic_table[id].message, value, &text);
	return note(id, str_take(&text));
}

int __wrap_bus_publish_text(struct bus *bus, enum topic_id id, const char *const *args,
			    const char *payload, size_t length)
{
	(void)bus;
	(void)args;
	return note(id, xstrndup(payload, length));
}

/* ── time ──────────────────────────────────────────────────────────────────────────────────────────────────── */

struct timer *__wrap_timer_new(uv_loop_t *loop, timer_fn fn, void *ctx);
void __wrap_timer_free(struct timer *timer);
void __wrap_timer_once(struct timer *timer, uint64_t delay_ms);
void __wrap_timer_stop(struct timer *timer);

struct timer *__wrap_timer_new(uv_loop_t *loop, timer_fn fn, void *ctx)
{
	struct timer *timer = xnew(struct timer);

	assert_ptr_equal(loop, &current->loop);
	*timer = (struct timer){ .next = current->timers, .fn = fn, .ctx = ctx };
	current->timers = timer;
	return timer;
}

void __wrap_timer_free(struct timer *timer)
{
	for (struct timer **at = &current->timers; *at; at = &(*at)->next) {
		if (*at == timer) {
			*at = timer->next;
			break;
		}
	}
	free(timer);
}

void __wrap_timer_once(struct timer *timer, uint64_t delay_ms)
{
	timer->is_set = true;
	timer->order = ++current->order;
	timer->due = current->boot + (int64_t)delay_ms;
}

void __wrap_timer_stop(struct timer *timer)
{
	timer->is_set = false;
}

static bool is_before(const struct timer *a, const struct timer *b)
{
	return a->due < b->due || (a->due == b->due && a->order < b->order);
}

static struct timer *next_due(int64_t until)
{
	struct timer *first = NULL;

	for (struct timer *at = current->timers; at; at = at->next) {
		if (at->is_set && at->due <= until && (!first || is_before(at, first)))
			first = at;
	}
	return first;
}

void lab_pass(struct lab *l, int64_t ms)
{
	int64_t until = l->boot + ms;
	struct timer *timer;

	while ((timer = next_due(until))) {
		l->wall += max_of(timer->due - l->boot, (int64_t)0);
		l->boot = max_of(timer->due, l->boot);
		timer->is_set = false;
		timer->fn(timer->ctx);
	}
	l->wall += until - l->boot;
	l->boot = until;
}

/* ── Proxmox ───────────────────────────────────────────────────────────────────────────────────────────────── */

int __wrap_http_new(const struct http_options *options, struct http **ret);
void __wrap_http_free(struct http *http);
struct http_call *__wrap_http_start(struct http *http, const struct http_request *request,
				    http_done_fn done, void *ctx);
void __wrap_http_cancel(struct http_call *call);

int __wrap_http_new(const struct http_options *options, struct http **ret)
{
	assert_true(options->timeout_ms > 0);
	*ret = current->http < 0 ? NULL : (struct http *)current;
	return current->http;
}

void __wrap_http_free(struct http *http)
{
	(void)http;
}

struct http_call *__wrap_http_start(struct http *http, const struct http_request *request,
				    http_done_fn done, void *ctx)
{
	struct http_call *call = xnew(struct http_call), **at = &current->calls;
	const char *host = request->url + strlen("https://");
	const char *path = strstr(request->url, "/api2/json");

	assert_non_null(http);
	assert_non_null(path);
	assert_non_null(strstr(request->headers[0], "PVEAPIToken=jarvis@pve!control="));
	*call = (struct http_call){
		.request = xasprintf("%s %s", request->method, path + strlen("/api2/json")),
		.host = xstrndup(host, strcspn(host, ":/")),
		.may_send = request->may_send,
		.fn = done,
		.ctx = ctx,
	};
	if (!current->connects_late)
		assert_true(!call->may_send || call->may_send(ctx));
	while (*at)
		at = &(*at)->next;
	*at = call;
	return call;
}

static void remove_call(struct http_call *call)
{
	struct http_call **at = &current->calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	free(call->request);
	free(call->host);
	free(call);
}

void __wrap_http_cancel(struct http_call *call)
{
	if (call)
		remove_call(call);
}

static struct http_call *find_call(const struct lab *l, const char *request)
{
	struct http_call *at = l->calls;

	while (at && strncmp(at->request, request, strlen(request)) != 0)
		at = at->next;
	return at;
}

static void respond(struct lab *l, const char *request, const struct http_response *response)
{
	struct http_call *call = find_call(l, request);
	http_done_fn fn;
	void *ctx;

	if (!call)
		fail_msg("%s is not asked, but %s", request,
			 l->calls ? l->calls->request : "nothing");
	fn = call->fn;
	ctx = call->ctx;
	remove_call(call);
	fn(ctx, response);
}

void lab_answer(struct lab *l, const char *request, const char *json)
{
	respond(l, request,
		&(struct http_response){ .outcome = HTTP_ANSWERED,
					 .status = 200,
					 .reason = "OK",
					 .body = json,
					 .body_len = strlen(json),
					 .error = "",
					 .sent = true });
}

void lab_refuse(struct lab *l, const char *request, int status, const char *reason)
{
	respond(l, request,
		&(struct http_response){ .outcome = HTTP_ANSWERED,
					 .status = status,
					 .reason = reason,
					 .body = "",
					 .error = "",
					 .sent = true });
}

void lab_lose(struct lab *l, const char *request, enum http_outcome outcome, bool sent)
{
	respond(l, request,
		&(struct http_response){ .outcome = outcome,
					 .reason = "",
					 .body = "",
					 .error = "it is gone",
					 .sent = sent });
}

bool lab_may_leave(struct lab *l, const char *request)
{
	const struct http_call *call = find_call(l, request);

	assert_non_null(call);
	return !call->may_send || call->may_send(call->ctx);
}

bool lab_leave(struct lab *l, const char *request)
{
	if (lab_may_leave(l, request))
		return true;
	lab_lose(l, request, HTTP_REFUSED, false);
	return false;
}

bool lab_is_asked(const struct lab *l, const char *request)
{
	return find_call(l, request);
}

const char *lab_host(const struct lab *l, const char *request)
{
	const struct http_call *call = find_call(l, request);

	return call ? call->host : "nobody";
}

/* ── the network of a magic packet ─────────────────────────────────────────────────────────────────────────── */

int __wrap_getifaddrs(struct ifaddrs **ret);
void __wrap_freeifaddrs(struct ifaddrs *list);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length);
ssize_t __wrap_sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
		      socklen_t to_length);
int __real_socket(int domain, int type, int protocol);

static int fail_with(int error)
{
	errno = error;
	return error ? -1 : 0;
}

int __wrap_getifaddrs(struct ifaddrs **ret)
{
	for (size_t i = 0; i < current->interfaces_n; i++)
		current->interface[i].ifa_next =
			i + 1 < current->interfaces_n ? &current->interface[i + 1] : NULL;
	*ret = current->interfaces_n ? current->interface : NULL;
	return fail_with(current->getifaddrs);
}

void __wrap_freeifaddrs(struct ifaddrs *list)
{
	(void)list;
}

int __wrap_socket(int domain, int type, int protocol)
{
	return current->socket ? fail_with(current->socket) : __real_socket(domain, type, protocol);
}

int __wrap_setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	(void)fd;
	(void)level;
	(void)value;
	(void)length;
	assert_int_equal(name, SO_BROADCAST);
	return fail_with(current->setsockopt);
}

/* Nothing leaves this machine. */
ssize_t __wrap_sendto(int fd, const void *data, size_t length, int flags, const struct sockaddr *to,
		      socklen_t to_length)
{
	(void)fd;
	(void)data;
	(void)flags;
	assert_int_equal(to_length, sizeof(struct sockaddr_in));
	assert_true(current->sent_n < LAB_INTERFACES);
	if (current->sendto > 0)
		return fail_with(current->sendto);
	if (current->fails_once) {
		current->fails_once = false;
		return fail_with(EPERM);
	}
	errno = 0;
	memcpy(&current->sent[current->sent_n++], to, sizeof(struct sockaddr_in));
	return current->sendto < 0 ? 1 : (ssize_t)length;
}
