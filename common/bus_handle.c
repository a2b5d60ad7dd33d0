/* SPDX-License-Identifier: MIT */
/*
 * libmosquitto. threaded_set(true), though there is no thread: only then does it queue an acknowledgement instead of
 * sending it before our handler has run.
 */
#include "common/bus_handle.h"

#include "common/alloc.h"
#include "common/log.h"
#include "common/str.h"

#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>

#define RECEIVE_MAXIMUM 256
/* Documents have 256 KiB at most; what is larger the broker keeps to itself. */
#define PACKET_MAX_BYTES (1024 * 1024)

struct handle {
	struct mosquitto *mosquitto;
	mosquitto_property *connect_properties;
	const struct link_options *options;
	const struct handle_callbacks *callbacks;
	void *ctx;
};

/* ── libmosquitto's callbacks ──────────────────────────────────────────────────────────────────────────────── */

static void connect_cb(_unused_ struct mosquitto *m, void *ctx, int reason, _unused_ int flags,
		       _unused_ const mosquitto_property *properties)
{
	struct handle *handle = ctx;

	handle->callbacks->on_connack(handle->ctx, reason, mosquitto_reason_string(reason));
}

static void disconnect_cb(_unused_ struct mosquitto *m, void *ctx, int reason,
			  _unused_ const mosquitto_property *properties)
{
	struct handle *handle = ctx;

	if (reason == MQTT_RC_SESSION_TAKEN_OVER)
		handle->callbacks->on_taken_over(handle->ctx);
}

static void message_cb(_unused_ struct mosquitto *m, void *ctx,
		       const struct mosquitto_message *message,
		       _unused_ const mosquitto_property *properties)
{
	struct handle *handle = ctx;
	/* The payload is NULL when it is empty. */
	const char *payload = message->payload ? message->payload : "";

	handle->callbacks->on_message(handle->ctx, message->topic, payload,
				      (size_t)message->payloadlen, message->retain);
}

static void publish_cb(_unused_ struct mosquitto *m, void *ctx, int mid, int reason,
		       _unused_ const mosquitto_property *properties)
{
	struct handle *handle = ctx;

	handle->callbacks->on_ack(handle->ctx, mid, reason);
}

/* ── making one ────────────────────────────────────────────────────────────────────────────────────────────── */

static int set_will(struct handle *handle)
{
	const struct link_options *o = handle->options;
	mosquitto_property *properties = NULL;
	int r;

	r = mosquitto_property_add_string_pair(&properties, MQTT_PROP_USER_PROPERTY, "sid",
					       o->will_sid);
	if (r == MOSQ_ERR_SUCCESS)
		r = mosquitto_will_set_v5(handle->mosquitto, o->will_topic,
					  (int)strlen(o->will_payload), o->will_payload, 1, true,
					  properties);
	/* On success the will owns them. */
	if (r != MOSQ_ERR_SUCCESS)
		mosquitto_property_free_all(&properties);
	return r;
}

static int set_connect_properties(struct handle *handle)
{
	unsigned expiry_s = handle->options->session_expiry_s;
	int r = mosquitto_property_add_int32(&handle->connect_properties,
					     MQTT_PROP_MAXIMUM_PACKET_SIZE, PACKET_MAX_BYTES);

	if (r == MOSQ_ERR_SUCCESS && expiry_s)
		r = mosquitto_property_add_int32(&handle->connect_properties,
						 MQTT_PROP_SESSION_EXPIRY_INTERVAL, expiry_s);
	return r;
}

static int configure(struct handle *handle)
{
	const struct link_options *o = handle->options;
	struct mosquitto *m = handle->mosquitto;

	if (mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5) ||
	    mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1) ||
	    mosquitto_int_option(m, MOSQ_OPT_RECEIVE_MAXIMUM, RECEIVE_MAXIMUM) ||
	    mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, RECEIVE_MAXIMUM) ||
	    mosquitto_threaded_set(m, true) || mosquitto_username_pw_set(m, o->user, o->password) ||
	    set_connect_properties(handle) || set_will(handle))
		return -EINVAL;
	mosquitto_connect_v5_callback_set(m, connect_cb);
	mosquitto_disconnect_v5_callback_set(m, disconnect_cb);
	mosquitto_message_v5_callback_set(m, message_cb);
	mosquitto_publish_v5_callback_set(m, publish_cb);
	return 0;
}

int handle_new(const struct link_options *options, const struct handle_callbacks *callbacks,
	       void *ctx, struct handle **ret)
{
	struct handle *handle = xnew(struct handle);
	int r;

	(void)mosquitto_lib_init();
	handle->options = options;
	handle->callbacks = callbacks;
	handle->ctx = ctx;
	handle->mosquitto =
		mosquitto_new(options->client_id, options->session_expiry_s == 0, handle);
	r = handle->mosquitto ? configure(handle) : -EINVAL;
	if (r < 0)
		handle_free(handle);
	else
		*ret = handle;
	return r;
}

void handle_free(struct handle *handle)
{
	if (!handle)
		return;
	if (handle->mosquitto)
		mosquitto_destroy(handle->mosquitto);
	mosquitto_property_free_all(&handle->connect_properties);
	free(handle);
}

/* ── the connection ────────────────────────────────────────────────────────────────────────────────────────── */

int handle_connect(struct handle *handle, const char **why)
{
	const struct link_options *o = handle->options;
	int r = mosquitto_connect_bind_v5(handle->mosquitto, o->host, o->port, (int)o->keepalive_s,
					  NULL, handle->connect_properties);
	int error = errno; /* this thread's */

	if (r == MOSQ_ERR_SUCCESS)
		return 0;
	*why = r == MOSQ_ERR_ERRNO ? strerrordesc_np(error) : mosquitto_strerror(r);
	return -ENOTCONN;
}

void handle_disconnect(struct handle *handle)
{
	(void)mosquitto_disconnect_v5(handle->mosquitto, MQTT_RC_NORMAL_DISCONNECTION, NULL);
}

int handle_socket(const struct handle *handle)
{
	return mosquitto_socket(handle->mosquitto);
}

bool handle_wants_write(const struct handle *handle)
{
	return handle_socket(handle) >= 0 && mosquitto_want_write(handle->mosquitto);
}

bool handle_read(struct handle *handle)
{
	return mosquitto_loop_read(handle->mosquitto, 1) == MOSQ_ERR_SUCCESS &&
	       handle_socket(handle) >= 0;
}

void handle_write(struct handle *handle)
{
	(void)mosquitto_loop_write(handle->mosquitto, 1);
}

void handle_misc(struct handle *handle)
{
	(void)mosquitto_loop_misc(handle->mosquitto);
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

int handle_publish(struct handle *handle, const struct link_publication *p, int *mid)
{
	mosquitto_property *properties = NULL;
	int r = add_properties(p, &properties);

	if (r == 0)
		r = result(mosquitto_publish_v5(handle->mosquitto, mid, p->topic, (int)p->length,
						p->payload, p->qos, p->retain, properties));
	mosquitto_property_free_all(&properties);
	return r;
}

int handle_subscribe(struct handle *handle, char *const *filters, size_t n, int qos, int flags)
{
	return result(mosquitto_subscribe_multiple(handle->mosquitto, NULL, (int)n, filters, qos,
						   flags, NULL));
}
