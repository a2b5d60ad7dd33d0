/* SPDX-License-Identifier: MIT */
/*
 * A bare MQTT subscriber, which is the yardstick, and the publisher.
 */
#include "tests/bench/load/load.h"

#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/str.h"

static struct mosquitto *dial(const struct options *o, void *ctx)
{
	struct mosquitto *m;
	char password[128] = "";
	FILE *file = fopen(o->password_file, "re");

	(void)mosquitto_lib_init();
	m = mosquitto_new(NULL, true, ctx);
	if (file && fgets(password, sizeof(password), file))
		password[strcspn(password, "\n")] = '\0';
	if (file)
		(void)fclose(file);
	(void)mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
	(void)mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
	(void)mosquitto_username_pw_set(m, o->user, password);
	if (mosquitto_connect(m, o->socket, 0, 60) != MOSQ_ERR_SUCCESS) {
		fprintf(stderr, "cannot reach the broker at %s\n", o->socket);
		mosquitto_destroy(m);
		return NULL;
	}
	return m;
}

static void on_message(struct mosquitto *m, void *ctx, const struct mosquitto_message *message,
		       const mosquitto_property *properties)
{
	(void)m;
	(void)properties;
	if (message->payload && !message->retain)
		samples_scan(ctx, message->payload, (size_t)message->payloadlen);
}

static void on_connect(struct mosquitto *m, void *ctx, int reason)
{
	(void)m;
	*(int *)ctx = reason == 0 ? 1 : -1;
}

int run_mqtt(const struct options *o)
{
	struct samples samples;
	struct mosquitto *m;
	int64_t until;

	samples_init(&samples);
	m = dial(o, &samples);
	if (!m)
		return 1;
	mosquitto_message_v5_callback_set(m, on_message);
	(void)mosquitto_loop(m, 1000, 1);
	(void)mosquitto_subscribe(m, NULL, o->filter, 1);
	(void)mosquitto_loop(m, 1000, 1);
	printf("{\"connected\":1}\n");
	(void)fflush(stdout);
	until = now_ns() + (int64_t)o->seconds * 1000000000;
	while (now_ns() < until)
		(void)mosquitto_loop(m, 100, 1);
	samples_print(&samples, "");
	mosquitto_destroy(m);
	samples_done(&samples);
	return 0;
}

/* Publishes message number I: on the topic of its key, padded to the size that was asked for. */
static void publish_one(struct mosquitto *m, const struct options *o, int i)
{
	_cleanup_(freep) char *padding = xmalloc((size_t)o->size + 1);
	_cleanup_(freep) char *payload = NULL;
	char topic[256];
	const char *mark = strstr(o->topic, "%d");

	(void)snprintf(topic, sizeof(topic), "%.*s%d%s", (int)(mark - o->topic), o->topic,
		       100 + i % o->keys, mark + 2);
	memset(padding, 'x', (size_t)o->size);
	padding[o->size] = '\0';
	payload =
		xasprintf("{\"t\":%lld,\"n\":%d,\"pad\":\"%s\"}", (long long)now_ns(), i, padding);
	(void)mosquitto_publish(m, NULL, topic, (int)strlen(payload), payload, 1, true);
}

int run_publish(const struct options *o)
{
	int connected = 0;
	struct mosquitto *m = dial(o, &connected);
	int64_t began = now_ns();
	int total = o->rate * o->seconds;

	if (!m)
		return 1;
	mosquitto_connect_callback_set(m, on_connect);
	while (!connected)
		(void)mosquitto_loop(m, 100, 1);
	for (int i = 0; i < total; i++) {
		int64_t due = began + (int64_t)i * 1000000000 / o->rate;

		/* What is left in flight is served while we wait for the next one to be due. */
		while (now_ns() < due)
			(void)mosquitto_loop(m, (int)max_of((due - now_ns()) / 1000000, (int64_t)0),
					     1);
		publish_one(m, o, i);
		(void)mosquitto_loop(m, 0, 1);
	}
	for (int i = 0; i < 50; i++)
		(void)mosquitto_loop(m, 10, 1);
	printf("{\"published\":%d,\"seconds\":%.3f}\n", total, (double)(now_ns() - began) / 1e9);
	(void)mosquitto_disconnect(m);
	mosquitto_destroy(m);
	return 0;
}
