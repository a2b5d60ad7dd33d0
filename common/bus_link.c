/* SPDX-License-Identifier: MIT */
/*
 * libmosquitto on libuv. What was learned by measurement and is not to be undone:
 *  - connecting blocks (DNS, TCP), so it runs in the thread pool, and nothing else touches the handle meanwhile;
 *  - threaded_set(true), though there is no thread: only then does libmosquitto queue an acknowledgement instead
 *    of sending it before our handler has run;
 *  - libmosquitto closes its socket before it tells, so we poll a dup of it;
 *  - a publication while offline returns an error and is queued all the same: we never publish then;
 *  - what was not acknowledged is sent again after the next CONNACK, behind what we publish then, and would put old
 *    state over new: every attempt gets a handle of its own.
 */
#include "common/bus_link.h"

#include "common/alloc.h"
#include "common/log.h"
#include "common/str.h"
#include "common/timer.h"
#include "common/work.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
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
#define RECEIVE_MAXIMUM 256
/* Documents have 256 KiB at most; what is larger the broker keeps to itself. */
#define PACKET_MAX_BYTES (1024 * 1024)

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
	uv_loop_t *loop;
	struct mosquitto *mosquitto;
	const struct link_callbacks *callbacks;
	void *ctx;
	enum link_state state;
	struct wire *wire;
	struct timer *misc;
	struct timer *retry;
	struct timer *deadline; /* for CONNACK, and for the last goodbye */
	uint64_t backoff_ms;
	struct link_options options; /* texts are ours */
	char *host;
	int port;
	int keepalive_s;
	mosquitto_property *connect_properties;
	int connect_result; /* written in the pool, read on the loop afterwards */
	int connect_errno;
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

	wire->fd = dup(mosquitto_socket(link->mosquitto));
	if (wire->fd < 0) {
		r = -errno;
		free(wire);
		return r;
	}
	r = uv_poll_init(link->loop, &wire->poll, wire->fd);
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
		log_folded(&link->down_fold, (int64_t)uv_now(link->loop), LOG_LEVEL_WARN,
			   "broker %s:%d did not accept the connection; trying again", link->host,
			   link->port);

	wire_close(link);
	timer_stop(link->misc);
	timer_stop(link->deadline);
	if (link->state == LINK_CLOSING) {
		close_finish(link);
		return;
	}
	schedule_retry(link);
	if (was_up)
		link->callbacks->on_down(link->ctx);
}

/* After any call into libmosquitto: its socket may be gone, or there may be something to write. */
static void settle(struct link *link)
{
	int events = UV_READABLE;

	if (link->state == LINK_CONNECTING || link->state == LINK_CLOSED || !link->wire)
		return;
	if (mosquitto_socket(link->mosquitto) < 0) {
		go_down(link);
		return;
	}
	if (mosquitto_want_write(link->mosquitto))
		events |= UV_WRITABLE;
	if (link->wire->events == events)
		return;
	link->wire->events = events;
	(void)uv_poll_start(&link->wire->poll, events, wire_cb);
}

static bool more_to_read(const struct link *link)
{
	int waiting = 0;

	return mosquitto_socket(link->mosquitto) >= 0 &&
	       ioctl(link->wire->fd, FIONREAD, &waiting) == 0 && waiting > 0;
}

static void read_batch(struct link *link)
{
	for (int i = 0; i < BATCH_PACKETS; i++) {
		if (mosquitto_loop_read(link->mosquitto, 1) != MOSQ_ERR_SUCCESS)
			break;
		if (!link->wire || !more_to_read(link))
			break;
	}
	link->callbacks->on_batch_end(link->ctx);
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
	if (mosquitto_socket(link->mosquitto) >= 0 && mosquitto_want_write(link->mosquitto))
		(void)mosquitto_loop_write(link->mosquitto, 1);
	settle(link);
}

/* ── connecting ────────────────────────────────────────────────────────────────────────────────────────────── */

static void connect_job(void *ctx)
{
	struct link *link = ctx;

	link->connect_result =
		mosquitto_connect_bind_v5(link->mosquitto, link->host, link->port,
					  link->keepalive_s, NULL, link->connect_properties);
	link->connect_errno = errno; /* errno is this thread's */
}

static void say_unreachable(struct link *link)
{
	const char *why = link->connect_result == MOSQ_ERR_ERRNO ?
				  strerror(link->connect_errno) :
				  mosquitto_strerror(link->connect_result);

	log_folded(&link->down_fold, (int64_t)uv_now(link->loop), LOG_LEVEL_WARN,
		   "broker %s:%d cannot be reached: %s; trying again", link->host, link->port, why);
}

static void connect_done(void *ctx, bool cancelled)
{
	struct link *link = ctx;

	if (link->state == LINK_CLOSING) {
		close_finish(link);
		return;
	}
	if (cancelled || link->connect_result != MOSQ_ERR_SUCCESS) {
		say_unreachable(link);
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

static int handle_renew(struct link *link);

/*
 * A new handle for every attempt: the old one would send again, after what we publish on connect, all that was
 * not acknowledged, and so put old state over new and old commands into a new life.
 */
static void connect_begin(struct link *link)
{
	int r = handle_renew(link);

	if (r < 0) {
		schedule_retry(link);
		return;
	}
	link->state = LINK_CONNECTING;
	r = work_run(link->loop, connect_job, connect_done, link);
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

	(void)mosquitto_loop_misc(link->mosquitto);
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

/* ── libmosquitto's callbacks ──────────────────────────────────────────────────────────────────────────────── */

static void connect_cb(struct mosquitto *m, void *ctx, int reason, int flags,
		       const mosquitto_property *properties)
{
	struct link *link = ctx;

	(void)m;
	(void)flags;
	(void)properties;
	if (reason != 0) {
		log_folded(&link->down_fold, (int64_t)uv_now(link->loop), LOG_LEVEL_ERROR,
			   "broker %s:%d refuses us: %s; check this service's MQTT user and secret",
			   link->host, link->port, mosquitto_reason_string(reason));
		return;
	}
	if (link->state != LINK_GREETING)
		return;
	link->state = LINK_UP;
	link->backoff_ms = BACKOFF_FIRST_MS;
	link->down_fold = (struct log_fold){ 0 };
	timer_stop(link->deadline);
	link->callbacks->on_up(link->ctx);
}

static void disconnect_cb(struct mosquitto *m, void *ctx, int reason,
			  const mosquitto_property *properties)
{
	struct link *link = ctx;

	(void)m;
	(void)properties;
	if (reason == MQTT_RC_SESSION_TAKEN_OVER)
		log_warn(
			"broker %s:%d gave our session to another client with our id: is this service "
			"started twice?",
			link->host, link->port);
}

static void message_cb(struct mosquitto *m, void *ctx, const struct mosquitto_message *message,
		       const mosquitto_property *properties)
{
	struct link *link = ctx;
	/* The payload is NULL when it is empty. */
	const char *payload = message->payload ? message->payload : "";

	(void)m;
	(void)properties;
	link->callbacks->on_message(link->ctx, message->topic, payload, (size_t)message->payloadlen,
				    message->retain);
}

static void publish_cb(struct mosquitto *m, void *ctx, int mid, int reason,
		       const mosquitto_property *properties)
{
	struct link *link = ctx;

	(void)m;
	(void)properties;
	link->callbacks->on_ack(link->ctx, mid, reason);
}

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static int set_will(struct link *link, const struct link_options *o)
{
	mosquitto_property *properties = NULL;
	int r;

	r = mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, "sid",
					       o->will_sid);
	if (r == MOSQ_ERR_SUCCESS)
		r = mosquitto_will_set_v5(link->mosquitto, o->will_topic,
					  (int)strlen(o->will_payload), o->will_payload, 1, true,
					  properties);
	if (r != MOSQ_ERR_SUCCESS)
		mosquitto_property_free_all(&properties);
	return r == MOSQ_ERR_SUCCESS ? 0 : -EINVAL;
}

static int configure(struct link *link, const struct link_options *o)
{
	struct mosquitto *m = link->mosquitto;

	if (mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5) ||
	    mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1) ||
	    mosquitto_int_option(m, MOSQ_OPT_RECEIVE_MAXIMUM, RECEIVE_MAXIMUM) ||
	    mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, RECEIVE_MAXIMUM) ||
	    mosquitto_threaded_set(m, true) || mosquitto_username_pw_set(m, o->user, o->password))
		return -EINVAL;
	if (o->session_expiry_s &&
	    mosquitto_property_add_int32(&link->connect_properties,
					 MQTT_PROP_SESSION_EXPIRY_INTERVAL, o->session_expiry_s))
		return -EINVAL;
	if (mosquitto_property_add_int32(&link->connect_properties, MQTT_PROP_MAXIMUM_PACKET_SIZE,
					 PACKET_MAX_BYTES))
		return -EINVAL;
	mosquitto_connect_v5_callback_set(m, connect_cb);
	mosquitto_disconnect_v5_callback_set(m, disconnect_cb);
	mosquitto_message_v5_callback_set(m, message_cb);
	mosquitto_publish_v5_callback_set(m, publish_cb);
	return set_will(link, o);
}

static int handle_renew(struct link *link)
{
	if (link->mosquitto)
		mosquitto_destroy(link->mosquitto);
	mosquitto_property_free_all(&link->connect_properties);
	link->mosquitto =
		mosquitto_new(link->options.client_id, link->options.session_expiry_s == 0, link);
	return link->mosquitto ? configure(link, &link->options) : -EINVAL;
}

static void copy_options(struct link_options *own, const struct link_options *options)
{
	*own = *options;
	own->client_id = xstrdup(options->client_id);
	own->user = xstrdup(options->user);
	own->password = xstrdup_null(options->password);
	own->will_topic = xstrdup(options->will_topic);
	own->will_payload = xstrdup(options->will_payload);
	own->will_sid = xstrdup(options->will_sid);
}

int link_new(const struct link_options *options, struct link **ret)
{
	struct link *link = xnew(struct link);
	int r;

	(void)mosquitto_lib_init();
	link->loop = options->loop;
	link->callbacks = options->callbacks;
	link->ctx = options->ctx;
	link->host = xstrdup(options->host);
	link->port = options->port;
	link->keepalive_s = (int)options->keepalive_s;
	link->backoff_ms = BACKOFF_FIRST_MS;
	copy_options(&link->options, options);
	r = handle_renew(link);
	if (r < 0) {
		link_free(link);
		return r;
	}
	link->misc = timer_new(link->loop, misc_fire, link);
	link->retry = timer_new(link->loop, retry_fire, link);
	link->deadline = timer_new(link->loop, deadline_fire, link);
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
	if (link->mosquitto)
		mosquitto_destroy(link->mosquitto);
	mosquitto_property_free_all(&link->connect_properties);
	free((char *)link->options.client_id);
	free((char *)link->options.user);
	if (link->options.password)
		sodium_memzero((char *)link->options.password, strlen(link->options.password));
	free((char *)link->options.password);
	free((char *)link->options.will_topic);
	free((char *)link->options.will_payload);
	free((char *)link->options.will_sid);
	free(link->host);
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
	(void)mosquitto_disconnect_v5(link->mosquitto, MQTT_RC_NORMAL_DISCONNECTION, NULL);
	timer_once(link->deadline, 1000);
	settle(link);
}

bool link_is_up(const struct link *link)
{
	return link->state == LINK_UP;
}

/* ── publishing ────────────────────────────────────────────────────────────────────────────────────────────── */

static int result(int r)
{
	switch (r) {
	case MOSQ_ERR_SUCCESS:
		return 0;
	case MOSQ_ERR_PAYLOAD_SIZE:
	case MOSQ_ERR_OVERSIZE_PACKET:
		return -EMSGSIZE;
	case MOSQ_ERR_NO_CONN:
	case MOSQ_ERR_CONN_LOST:
		return -ENOTCONN;
	default:
		log_debug("libmosquitto: %s", mosquitto_strerror(r));
		return -EINVAL;
	}
}

static int add_properties(const struct link_publication *p, mosquitto_property **ret)
{
	int r = 0;

	if (p->expiry_s)
		r |= mosquitto_property_add_int32(ret, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL,
						  p->expiry_s);
	if (p->json) {
		r |= mosquitto_property_add_byte(ret, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
		r |= mosquitto_property_add_string(ret, MQTT_PROP_CONTENT_TYPE, "application/json");
	}
	return r ? -EINVAL : 0;
}

int link_publish(struct link *link, const struct link_publication *p, int *mid)
{
	mosquitto_property *properties = NULL;
	int r = add_properties(p, &properties);

	if (r == 0)
		r = result(mosquitto_publish_v5(link->mosquitto, mid, p->topic, (int)p->length,
						p->payload, p->qos, p->retain, properties));
	mosquitto_property_free_all(&properties);
	settle(link);
	return r;
}

int link_subscribe(struct link *link, char *const *filters, size_t n, int qos, int flags)
{
	int r = result(mosquitto_subscribe_multiple(link->mosquitto, NULL, (int)n, filters, qos,
						    flags, NULL));

	settle(link);
	return r;
}
