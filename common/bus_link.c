/* SPDX-License-Identifier: MIT */
/*
 * MQTT on libuv. What was learned by measurement and is not to be undone:
 *  - connecting blocks (DNS, TCP), so it runs in the thread pool, and nothing else touches the handle meanwhile;
 *  - libmosquitto closes its socket before it tells, so we poll a dup of it;
 *  - a publication while offline returns an error and is queued all the same: we never publish then;
 *  - what was not acknowledged is sent again after the next CONNACK, behind what we publish then, and would put old
 *    state over new: every attempt gets a handle of its own.
 */
#include "common/bus_link.h"

#include "common/alloc.h"
#include "common/bus_handle.h"
#include "common/log.h"
#include "common/str.h"
#include "common/timer.h"
#include "common/work.h"

#include <errno.h>
#include <sodium.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define BATCH_PACKETS 256
#define MISC_PERIOD_MS 2000
#define CONNACK_DEADLINE_MS 10000
#define BACKOFF_FIRST_MS 100
/* The broker is near: asking often costs nothing, and its return should be noticed within two seconds. */
#define BACKOFF_MAX_MS 1500
/* How long the broker may take to end the connection after our DISCONNECT. */
#define GOODBYE_MS 1000

enum link_state {
	LINK_IDLE,
	LINK_CONNECTING, /* in the thread pool */
	LINK_GREETING,	 /* CONNECT is out */
	LINK_UP,
	LINK_WAITING, /* for the next attempt */
	LINK_CLOSING, /* DISCONNECT is out */
	LINK_CLOSED,
};

/* A dup of libmosquitto's socket, and its poll handle; it may outlive a link that is being freed by a tick. */
struct wire {
	uv_poll_t poll;
	struct link *link;
	int fd;
	int events; /* that are being polled for; libuv sets a poll up anew each time it is told */
};

struct link {
	struct link_options options; /* texts are ours */
	char *broker;		     /* for people */
	struct handle *handle;
	enum link_state state;
	struct wire *wire;
	struct timer *misc;
	struct timer *retry;
	struct timer *deadline; /* for CONNACK, and for the last goodbye */
	uint64_t backoff_ms;
	int connect_result;	 /* written in the pool, read on the loop afterwards */
	const char *connect_why; /* so too; static text */
	struct log_fold down_fold;
	void (*stop_done)(void *ctx);
	void *stop_ctx;
};

static void close_finish(struct link *link);

/* ── the socket ────────────────────────────────────────────────────────────────────────────────────────────── */

static void wire_close_cb(uv_handle_t *handle)
{
	struct wire *wire = handle->data;

	(void)close(wire->fd);
	free(wire);
}

static void wire_close(struct link *link)
{
	struct wire *wire = take(link->wire);

	if (wire)
		uv_close((uv_handle_t *)&wire->poll, wire_close_cb);
}

static void wire_cb(uv_poll_t *poll, int status, int events);

static int wire_open(struct link *link)
{
	struct wire *wire = xnew(struct wire);
	int r;

	wire->fd = dup(handle_socket(link->handle));
	if (wire->fd < 0) {
		r = -errno;
		free(wire);
		return r;
	}
	r = uv_poll_init(link->options.loop, &wire->poll, wire->fd);
	if (r < 0) {
		(void)close(wire->fd);
		free(wire);
		return r;
	}
	wire->poll.data = wire;
	wire->link = link;
	link->wire = wire;
	return 0;
}

static void schedule_retry(struct link *link)
{
	uint64_t jitter = randombytes_uniform((uint32_t)(link->backoff_ms / 2 + 1));

	link->state = LINK_WAITING;
	timer_once(link->retry, link->backoff_ms + jitter);
	link->backoff_ms = min_of(link->backoff_ms * 2, (uint64_t)BACKOFF_MAX_MS);
}

static void go_down(struct link *link)
{
	bool was_up = link->state == LINK_UP;

	if (link->state == LINK_GREETING)
		log_folded(&link->down_fold, (int64_t)uv_now(link->options.loop), LOG_LEVEL_WARN,
			   "broker %s did not accept the connection; trying again", link->broker);
	wire_close(link);
	timer_stop(link->misc);
	timer_stop(link->deadline);
	if (link->state == LINK_CLOSING) {
		close_finish(link);
		return;
	}
	schedule_retry(link);
	if (was_up)
		link->options.callbacks->on_down(link->options.ctx);
}

/* After any call into libmosquitto: its socket may be gone, or there may be something to write. */
static void settle(struct link *link)
{
	int events = UV_READABLE;

	if (link->state == LINK_CONNECTING || link->state == LINK_CLOSED || !link->wire)
		return;
	if (handle_socket(link->handle) < 0) {
		go_down(link);
		return;
	}
	if (handle_wants_write(link->handle))
		events |= UV_WRITABLE;
	if (link->wire->events == events)
		return;
	link->wire->events = events;
	(void)uv_poll_start(&link->wire->poll, events, wire_cb);
}

static bool more_to_read(const struct link *link)
{
	int waiting = 0;

	return ioctl(link->wire->fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

static void read_batch(struct link *link)
{
	for (int i = 0; i < BATCH_PACKETS; i++) {
		if (!handle_read(link->handle) || !link->wire || !more_to_read(link))
			break;
	}
	link->options.callbacks->on_batch_end(link->options.ctx);
}

static void wire_cb(uv_poll_t *poll, int status, int events)
{
	struct wire *wire = poll->data;
	struct link *link = wire->link;

	/* An error condition arrives as a negative status with the handle stopped: reading finds out. */
	if (status < 0)
		wire->events = 0;
	if (status < 0 || events & UV_READABLE)
		read_batch(link);
	if (handle_wants_write(link->handle))
		handle_write(link->handle);
	settle(link);
}

/* ── connecting ────────────────────────────────────────────────────────────────────────────────────────────── */

static void connect_job(void *ctx)
{
	struct link *link = ctx;

	link->connect_result = handle_connect(link->handle, &link->connect_why);
}

static void connect_done(void *ctx, bool cancelled)
{
	struct link *link = ctx;

	if (link->state == LINK_CLOSING) {
		close_finish(link);
		return;
	}
	if (cancelled || link->connect_result < 0) {
		log_folded(&link->down_fold, (int64_t)uv_now(link->options.loop), LOG_LEVEL_WARN,
			   "broker %s cannot be reached: %s; trying again", link->broker,
			   link->connect_why);
		schedule_retry(link);
		return;
	}
	link->state = LINK_GREETING;
	if (wire_open(link) < 0) {
		schedule_retry(link);
		return;
	}
	timer_every(link->misc, MISC_PERIOD_MS, MISC_PERIOD_MS);
	timer_once(link->deadline, CONNACK_DEADLINE_MS);
	settle(link);
}

static int renew_handle(struct link *link);

/*
 * A new handle for every attempt: the old one would send again, after what we publish on connect, all that was
 * not acknowledged, and so put old state over new and old commands into a new life.
 */
static void connect_begin(struct link *link)
{
	int r = renew_handle(link);

	if (r < 0) {
		schedule_retry(link);
		return;
	}
	link->state = LINK_CONNECTING;
	r = work_run(link->options.loop, connect_job, connect_done, link);
	if (r < 0)
		schedule_retry(link);
}

static void retry_fire(void *ctx)
{
	struct link *link = ctx;

	if (link->state == LINK_CLOSED)
		link->stop_done(link->stop_ctx);
	else
		connect_begin(link);
}

static void misc_fire(void *ctx)
{
	struct link *link = ctx;

	handle_misc(link->handle);
	settle(link);
}

/* Reading will notice. */
void link_cut(struct link *link)
{
	if (link->wire)
		(void)shutdown(link->wire->fd, SHUT_RDWR);
}

/* The broker did not answer CONNECT, or not our DISCONNECT. */
static void deadline_fire(void *ctx)
{
	link_cut(ctx);
}

/* ── the handle's callbacks ────────────────────────────────────────────────────────────────────────────────── */

static void on_connack(void *ctx, int reason, const char *why)
{
	struct link *link = ctx;

	if (reason != 0) {
		log_folded(&link->down_fold, (int64_t)uv_now(link->options.loop), LOG_LEVEL_ERROR,
			   "broker %s refuses us: %s; check this service's MQTT user and secret",
			   link->broker, why);
		return;
	}
	if (link->state != LINK_GREETING)
		return;
	link->state = LINK_UP;
	link->backoff_ms = BACKOFF_FIRST_MS;
	link->down_fold = (struct log_fold){ 0 };
	timer_stop(link->deadline);
	link->options.callbacks->on_up(link->options.ctx);
}

static void on_taken_over(void *ctx)
{
	struct link *link = ctx;

	log_warn(
		"broker %s gave our session to another client with our id: is this service started twice?",
		link->broker);
}

static void on_message(void *ctx, const char *topic, const char *payload, size_t length,
		       bool retained)
{
	struct link *link = ctx;

	link->options.callbacks->on_message(link->options.ctx, topic, payload, length, retained);
}

static void on_ack(void *ctx, int mid, int reason)
{
	struct link *link = ctx;

	link->options.callbacks->on_ack(link->options.ctx, mid, reason);
}

static int renew_handle(struct link *link)
{
	static const struct handle_callbacks callbacks = {
		.on_connack = on_connack,
		.on_taken_over = on_taken_over,
		.on_message = on_message,
		.on_ack = on_ack,
	};

	handle_free(take(link->handle));
	return handle_new(&link->options, &callbacks, link, &link->handle);
}

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static void options_copy(struct link_options *own, const struct link_options *options)
{
	*own = *options;
	own->host = xstrdup(options->host);
	own->client_id = xstrdup(options->client_id);
	own->user = xstrdup(options->user);
	own->password = xstrdup_null(options->password);
	own->will_topic = xstrdup(options->will_topic);
	own->will_payload = xstrdup(options->will_payload);
	own->will_sid = xstrdup(options->will_sid);
}

static void options_done(struct link_options *own)
{
	if (own->password)
		sodium_memzero((char *)own->password, strlen(own->password));
	free((char *)own->host);
	free((char *)own->client_id);
	free((char *)own->user);
	free((char *)own->password);
	free((char *)own->will_topic);
	free((char *)own->will_payload);
	free((char *)own->will_sid);
}

int link_new(const struct link_options *options, struct link **ret)
{
	struct link *link = xnew(struct link);
	int r;

	options_copy(&link->options, options);
	link->broker = options->port ? xasprintf("%s:%d", options->host, options->port) :
				       xstrdup(options->host);
	link->backoff_ms = BACKOFF_FIRST_MS;
	r = renew_handle(link);
	if (r < 0) {
		link_free(link);
		return r;
	}
	link->misc = timer_new(options->loop, misc_fire, link);
	link->retry = timer_new(options->loop, retry_fire, link);
	link->deadline = timer_new(options->loop, deadline_fire, link);
	*ret = link;
	return 0;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	timer_free(link->misc);
	timer_free(link->retry);
	timer_free(link->deadline);
	wire_close(link);
	handle_free(link->handle);
	options_done(&link->options);
	free(link->broker);
	free(link);
}

void link_start(struct link *link)
{
	if (link->state == LINK_IDLE)
		connect_begin(link);
}

/* DONE may free the link, and we may be deep inside libmosquitto: it is called from the loop. */
static void close_finish(struct link *link)
{
	link->state = LINK_CLOSED;
	timer_stop(link->misc);
	timer_stop(link->deadline);
	wire_close(link);
	timer_once(link->retry, 0);
}

void link_stop(struct link *link, void (*done)(void *ctx), void *ctx)
{
	enum link_state before = link->state;

	if (before == LINK_CLOSING || before == LINK_CLOSED)
		return;
	link->stop_done = done;
	link->stop_ctx = ctx;
	link->state = LINK_CLOSING;
	if (before == LINK_CONNECTING)
		return; /* connect_done() goes on */
	if (!link->wire) {
		close_finish(link);
		return;
	}
	handle_disconnect(link->handle);
	timer_once(link->deadline, GOODBYE_MS);
	settle(link);
}

bool link_is_up(const struct link *link)
{
	return link->state == LINK_UP;
}

/* ── publishing ────────────────────────────────────────────────────────────────────────────────────────────── */

int link_publish(struct link *link, const struct link_publication *p, int *mid)
{
	int r = handle_publish(link->handle, p, mid);

	settle(link);
	return r;
}

int link_subscribe(struct link *link, char *const *filters, size_t n, int qos, int flags)
{
	int r = handle_subscribe(link->handle, filters, n, qos, flags);

	settle(link);
	return r;
}
