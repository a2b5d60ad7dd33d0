/* SPDX-License-Identifier: MIT */
/*
 * From a received packet to a handler. A bad payload ends here: counted, logged once a topic and minute, and a bad
 * command is answered.
 */
#include "common/bus_dispatch.h"

#include "common/alloc.h"
#include "common/codec.h"
#include "common/json.h"
#include "common/log.h"

#include <errno.h>
#include <stdio.h>

#define BARE_MAX_BYTES 64
#define REQUEST_ID_MAX 64

struct dispatch {
	struct bus *bus;
	const struct bus_options *options;
	const char *base;
	const char *presence_topic;
	struct bus_stats *stats;
	const struct bus_route *routes[TOPIC_COUNT]; /* by topic */
	bool own[TOPIC_COUNT];			     /* state documents that are ours to clear */
	struct log_fold folds[TOPIC_COUNT];
	struct log_fold unknown_fold;
	struct arena *arena;
};

struct dispatch *dispatch_new(struct bus *bus, const struct bus_options *options, const char *base,
			      const char *presence_topic, struct bus_stats *stats)
{
	struct dispatch *d = xnew(struct dispatch);

	d->bus = bus;
	d->options = options;
	d->base = base;
	d->presence_topic = presence_topic;
	d->stats = stats;
	d->arena = arena_new();
	for (size_t i = 0; i < options->routes_n; i++)
		d->routes[options->routes[i].topic] = &options->routes[i];
	for (int id = 0; id < TOPIC_COUNT; id++)
		d->own[id] = options->on_own_retained && topic_table[id].class == CLASS_STATE &&
			     topic_table[id].writers == SERVICE_BIT(options->service);
	return d;
}

void dispatch_free(struct dispatch *dispatch)
{
	if (!dispatch)
		return;
	arena_free(dispatch->arena);
	free(dispatch);
}

/* ── subscribing ───────────────────────────────────────────────────────────────────────────────────────────── */

/* Commands and replies are addressed: our own name stands in their topic. */
static void build_filter(const struct dispatch *d, enum topic_id id, char *out)
{
	const char *self = service_table[d->options->service].name;
	enum topic_class class = topic_table[id].class;
	const char *args[TOPIC_ARGS_MAX + 1] = { NULL };
	char word[32];

	for (size_t i = 0; topic_word(id, i, word) == 0; i++) {
		bool ours = (class == CLASS_COMMAND && str_eq(word, "service")) ||
			    (class == CLASS_REPLY && str_eq(word, "principal"));

		args[i] = ours ? self : topic_wild;
	}
	(void)topic_build(d->base, id, args, out);
}

static int flags_of(const struct dispatch *d, enum topic_id id)
{
	enum topic_class class = topic_table[id].class;

	/* Shows a retained command for what it is. */
	if (class == CLASS_COMMAND || class == CLASS_INTERNAL)
		return LINK_RETAIN_AS_PUBLISHED;
	/* What we say ourselves need not come back; but presence, health and the like of all services do, ours too. */
	return d->own[id] ? LINK_NO_LOCAL : 0;
}

static int subscribe_group(struct dispatch *d, struct link *link, int flags, int qos)
{
	char *filters[TOPIC_COUNT];
	size_t n = 0;
	int r = 0;

	for (int id = 0; id < TOPIC_COUNT; id++) {
		int topic_qos = class_table[topic_table[id].class].qos;

		if (!(d->routes[id] || d->own[id]) || topic_qos != qos ||
		    flags_of(d, (enum topic_id)id) != flags)
			continue;
		filters[n] = xmalloc(TOPIC_MAX_BYTES);
		build_filter(d, (enum topic_id)id, filters[n++]);
	}
	if (n)
		r = link_subscribe(link, filters, n, qos, flags);
	while (n)
		free(filters[--n]);
	return r;
}

int dispatch_subscribe(struct dispatch *d, struct link *link)
{
	static const int groups[][2] = {
		{ LINK_RETAIN_AS_PUBLISHED, 1 },
		{ LINK_NO_LOCAL, 1 },
		{ 0, 1 },
		{ 0, 0 },
	};
	char *own = (char *)d->presence_topic;
	int r = 0;

	if (!d->routes[TOPIC_SERVICE_STATE])
		r = link_subscribe(link, &own, 1, 1, 0);
	for (size_t i = 0; i < countof(groups) && r == 0; i++)
		r = subscribe_group(d, link, groups[i][0], groups[i][1]);
	return r;
}

/* ── receiving ─────────────────────────────────────────────────────────────────────────────────────────────── */

bool dispatch_is_request_id(const char *text)
{
	size_t length = strlen(text);

	return length >= 1 && length <= REQUEST_ID_MAX &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") ==
		       length;
}

static bool is_bare(const char *payload, size_t length)
{
	if (length > BARE_MAX_BYTES || strlen(payload) != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		if (payload[i] < 0x21 || payload[i] > 0x7e)
			return false;
	}
	return true;
}

static bool is_command(enum topic_id id)
{
	return topic_table[id].class == CLASS_COMMAND || topic_table[id].class == CLASS_INTERNAL;
}

static void refuse(struct dispatch *d, const struct msg *msg, const char *why)
{
	d->stats->bad_payloads++;
	log_folded(&d->folds[msg->id], clock_boot_ms(d->options->clock), LOG_LEVEL_WARN,
		   "refused a message on %s: %s", msg->topic, why);
}

/* Tells the sender of a bad command, when at least its request_id can be read. */
static void answer_error(struct dispatch *d, const struct msg *msg, const char *why)
{
	_cleanup_(json_treep) cJSON *tree = NULL;
	struct msg_reply reply = { .status = REPLY_ERROR, .code = "bad_request", .text = why };
	const cJSON *request_id;

	if (topic_table[msg->id].class != CLASS_COMMAND ||
	    json_parse(msg->payload, msg->payload_len, JSON_COMMAND, &tree, NULL) < 0)
		return;
	request_id = json_get(tree, "request_id");
	if (!cJSON_IsString(request_id))
		return;
	reply.request_id = request_id->valuestring;
	bus_reply(d->bus, msg, request_id->valuestring, &reply);
}

static int check_raw(const struct msg *msg, struct codec_error *error)
{
	struct json_error scan;
	int r = json_scan(msg->payload, msg->payload_len, JSON_STATE, &scan);

	if (r < 0)
		(void)snprintf(error->text, sizeof(error->text), "byte %zu: %s", scan.offset,
			       scan.text);
	return r;
}

static int decode(struct dispatch *d, const struct bus_route *route, struct msg *msg,
		  struct codec_error *error)
{
	const struct message_def *message = topic_table[msg->id].message;
	bool command = is_command(msg->id);
	struct msg_bare *bare;
	void *body = NULL;
	int r;

	if (message == &message_bare) {
		if (!is_bare(msg->payload, msg->payload_len)) {
			(void)snprintf(error->text, sizeof(error->text), "is not a bare word");
			return -EINVAL;
		}
		bare = arena_alloc(d->arena, sizeof(*bare));
		bare->word = msg->payload;
		msg->body = bare;
		return 0;
	}
	if (route->raw)
		return check_raw(msg, error);
	r = codec_decode(message, msg->payload, msg->payload_len,
			 topic_table[msg->id].class == CLASS_COMMAND ? JSON_COMMAND : JSON_STATE,
			 command ? CODEC_STRICT : CODEC_LENIENT, d->arena, &body, error);
	msg->body = body;
	return r;
}

/* A command that the broker kept would run again with every restart. */
static bool is_refused_retained(struct dispatch *d, const struct msg *msg)
{
	if (!msg->retained || !is_command(msg->id))
		return false;
	refuse(d, msg, "a command must not be retained");
	return true;
}

void dispatch_message(struct dispatch *d, const char *topic, const char *payload, size_t length,
		      bool retained)
{
	struct topic_args args;
	struct msg msg = { .args = &args,
			   .topic = topic,
			   .retained = retained,
			   .payload = payload,
			   .payload_len = length };
	struct codec_error error = { "" };
	const struct bus_route *route;

	if (topic_parse(d->base, topic, &msg.id, &args) < 0) {
		d->stats->bad_topics++;
		log_folded(&d->unknown_fold, clock_boot_ms(d->options->clock), LOG_LEVEL_WARN,
			   "ignored a message on a topic that is not ours: %s", topic);
		return;
	}
	if (d->own[msg.id])
		d->options->on_own_retained(d->options->ctx, &msg);
	route = d->routes[msg.id];
	if (!route || is_refused_retained(d, &msg))
		return;
	arena_reset(d->arena);
	if (length && decode(d, route, &msg, &error) < 0) {
		refuse(d, &msg, error.text);
		answer_error(d, &msg, error.text);
		return;
	}
	if (!length && is_command(msg.id))
		return;
	d->options->deliver(d->options->ctx, route, &msg);
}
