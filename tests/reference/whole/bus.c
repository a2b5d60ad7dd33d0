/* SPDX-License-Identifier: MIT */
/*
 * The broker. What is published waits for a moment in the list of what is due, and is lost with the connection that it
 * was meant for. Of one topic nothing overtakes anything, but that a copy of what was delivered may come once more.
 */
#include "common/alloc.h"
#include "tests/reference/whole/check.h"
#include "tests/reference/whole/pve.h"
#include "tests/reference/whole/whole.h"

#include <stdio.h>

#define DEAF_MS 22000 /* one and a half keepalives */
#define COPY_MS 20000

struct kept {
	struct kept *next;
	enum topic_id id;
	char *topic, *text;
};

struct broker {
	struct kept *kept;
};

struct delivery {
	struct side *side;
	unsigned connection;
	char *topic, *text;
	size_t length;
	bool is_kept;
};

/* ── delivering ────────────────────────────────────────────────────────────────────────────────────────────── */

static void delivery_free(void *ctx)
{
	struct delivery *d = ctx;

	free(d->topic);
	free(d->text);
	free(d);
}

/* With --break thaw the executor does not hear that all is frozen. */
static void thaw(struct whole *w, struct delivery *d)
{
	static const char word[] = "\"frozen\":true";
	_cleanup_(freep) char *text = d->text;
	const char *at = strstr(text, word);

	if (w->breakage != BREAK_THAW || d->side != &w->executor || !at) {
		(void)take(text);
		return;
	}
	d->text = xasprintf("%.*s\"frozen\":false%s", (int)(at - text), text, at + strlen(word));
	d->length = strlen(d->text);
}

static void deliver(struct whole *w, void *ctx)
{
	struct delivery *d = ctx;
	struct side *side = d->side;

	if (side->self && side->is_online && !side->is_deaf && side->connections == d->connection) {
		trace(w, "%s hears %s%s", side->name, d->topic, d->is_kept ? " (retained)" : "");
		check_heard(w, side, d->topic, d->text, d->is_kept);
		thaw(w, d);
		dispatch_message(side->dispatch, d->topic, d->text, d->length, d->is_kept);
		if (side->options.on_batch_end && !side->is_dying)
			side->options.on_batch_end(side->self);
		side_settle(side);
	}
	delivery_free(d);
}

static void deliver_copy(struct whole *w, void *ctx)
{
	deliver(w, ctx);
}

static bool is_same_topic(void *ctx, void *of)
{
	const struct delivery *a = ctx, *b = of;

	return a->side == b->side && a->connection == b->connection && str_eq(a->topic, b->topic);
}

static void send_to(struct whole *w, struct side *side, const char *topic, const char *text,
		    size_t length, bool is_kept)
{
	struct delivery *d = xnew(struct delivery);
	int64_t delay_ms = whole_between(w, 1, 4), last_ms;

	*d = (struct delivery){ .side = side,
				.connection = side->connections,
				.topic = xstrdup(topic),
				.text = xstrndup(text ? text : "", length),
				.length = length,
				.is_kept = is_kept };
	if (whole_happens(w, w->weather.slow))
		delay_ms = whole_between(w, 20, 6000);
	last_ms = event_last(w, deliver, is_same_topic, d);
	/* What is sent again comes before what was sent later: of these the order counts. */
	if (str_ends(topic, "/state") || str_ends(topic, "/hello") || str_ends(topic, "/epoch"))
		event_cancel_all(w, deliver_copy, is_same_topic, d);
	event_add(w, max_of(delay_ms, last_ms - w->now_ms), side, deliver, delivery_free, d);
}

static bool hears(const struct side *side, enum topic_id id, const char *const *args)
{
	bool has_route = false;

	for (size_t i = 0; i < side->options.routes_n; i++)
		has_route |= side->options.routes[i].topic == id;
	/* What is addressed, to us. */
	return has_route &&
	       ((id != TOPIC_REQUEST && id != TOPIC_REPLY) || str_eq(args[0], side->name));
}

static bool owns(const struct side *side, enum topic_id id)
{
	return topic_table[id].class == CLASS_STATE &&
	       topic_table[id].writers == SERVICE_BIT(side->service);
}

static void spread(struct whole *w, struct side *side, enum topic_id id, const char *topic,
		   const char *text, size_t length)
{
	if (!side->self || !side->is_online)
		return;
	/* A presence is lost with its connection alone, and then told again. */
	if (id != TOPIC_SERVICE_STATE && whole_happens(w, w->weather.drop)) {
		trace(w, "lost on its way to %s: %s", side->name, topic);
		return;
	}
	send_to(w, side, topic, text, length, false);
	if (whole_happens(w, w->weather.duplicate)) {
		struct delivery *copy = xnew(struct delivery);

		*copy = (struct delivery){ .side = side,
					   .connection = side->connections,
					   .topic = xstrdup(topic),
					   .text = xstrndup(text ? text : "", length),
					   .length = length };
		event_add(w, whole_between(w, 1, COPY_MS), side, deliver_copy, delivery_free, copy);
	}
}

/* ── what is kept ──────────────────────────────────────────────────────────────────────────────────────────── */

static void kept_free(struct kept **at)
{
	struct kept *kept = *at;

	*at = kept->next;
	free(kept->topic);
	free(kept->text);
	free(kept);
}

static void keep(struct broker *broker, enum topic_id id, const char *topic, const char *text,
		 size_t length)
{
	struct kept **at = &broker->kept;
	struct kept *kept;

	while (*at && !str_eq((*at)->topic, topic))
		at = &(*at)->next;
	if (*at)
		kept_free(at);
	if (!length)
		return;
	kept = xnew(struct kept);
	*kept = (struct kept){ *at, id, xstrdup(topic), xstrndup(text, length) };
	*at = kept;
}

static void send_kept(struct side *side)
{
	struct topic_args parsed;
	enum topic_id id;

	for (const struct kept *at = side->w->broker->kept; at; at = at->next) {
		const char *args[TOPIC_ARGS_MAX + 1] = { NULL };

		if (topic_parse(side->w->config->base, at->topic, &id, &parsed) < 0)
			continue;
		for (size_t i = 0; i < parsed.n; i++)
			args[i] = parsed.value[i];
		if (hears(side, id, args) || owns(side, id))
			send_to(side->w, side, at->topic, at->text, strlen(at->text), true);
	}
}

/* ── publishing ────────────────────────────────────────────────────────────────────────────────────────────── */

void broker_publish(struct whole *w, struct side *publisher, enum topic_id id,
		    const char *const *args, const char *text, size_t length)
{
	char topic[TOPIC_MAX_BYTES];
	struct side *sides[] = { &w->gate, &w->executor };
	const char *const none[] = { NULL };

	args = args ? args : none;
	if (topic_build(w->config->base, id, args, topic) < 0)
		return;
	if (class_table[topic_table[id].class].retained)
		keep(w->broker, id, topic, text, length);
	for (size_t i = 0; i < countof(sides); i++) {
		if (hears(sides[i], id, args) && !(sides[i] == publisher && owns(publisher, id)))
			spread(w, sides[i], id, topic, text, length);
	}
	if (id == TOPIC_REQUEST && str_eq(args[0], "proxmox-poller"))
		poller_ask(w, args[1], text);
}

void broker_say(struct whole *w, enum topic_id id, const char *const *args, const void *value)
{
	_cleanup_(str_done) struct str text = { 0 };

	codec_encode(topic_table[id].message, value, &text);
	broker_publish(w, NULL, id, args, str_get(&text), text.len);
}

/* ── connections ───────────────────────────────────────────────────────────────────────────────────────────── */

static void say_presence(struct side *side, const char *word)
{
	broker_publish(side->w, NULL, TOPIC_SERVICE_STATE,
		       (const char *const[]){ side->name, "main", NULL }, word, strlen(word));
}

static void last_will(struct whole *w, void *ctx)
{
	struct side *side = ctx;

	(void)w;
	if (!side->is_online)
		say_presence(side, "offline");
}

static void connect_cb(struct whole *w, void *ctx)
{
	struct side *side = ctx;

	if (!side->self || side->is_online)
		return;
	trace(w, "%s is connected", side->name);
	side->is_online = true;
	side->is_deaf = false;
	side->connections++;
	send_kept(side);
	state_republish(side->env.state);
	side->options.on_online(side->self);
	if (!side->is_dying)
		say_presence(side, "online");
	side_settle(side);
}

void side_connect(struct side *side)
{
	event_add(side->w, whole_between(side->w, 5, dice_once_in(&side->w->dice, 4) ? 4000 : 400),
		  side, connect_cb, NULL, side);
}

static void lose(struct whole *w, struct side *side)
{
	side->is_online = side->is_deaf = false;
	side->connections++;
	event_add(w, whole_between(w, 1, 20), NULL, last_will, NULL, side);
	if (!side->self)
		return;
	trace(w, "%s has lost the broker", side->name);
	side->options.on_offline(side->self);
	side_settle(side);
	side_connect(side);
}

static void deaf_over(struct whole *w, void *ctx)
{
	struct side *side = ctx;

	if (side->is_deaf)
		lose(w, side);
}

/* Silently: nobody knows of it before the keepalive is missed. */
void side_disconnect(struct side *side, bool is_silent)
{
	if (!side->is_online || (side->is_deaf && side->self))
		return;
	if (!is_silent || !side->self) {
		lose(side->w, side);
		return;
	}
	trace(side->w, "the connection of %s is dead", side->name);
	side->is_deaf = true;
	event_add(side->w, whole_between(side->w, 500, DEAF_MS), NULL, deaf_over, NULL, side);
}

void broker_restart(struct whole *w)
{
	trace(w, "the broker is started again");
	if (whole_happens(w, 2)) {
		while (w->broker->kept)
			kept_free(&w->broker->kept);
	}
	for (size_t i = 0; i < 2; i++) {
		struct side *side = i ? &w->executor : &w->gate;

		if (side->is_online)
			lose(w, side);
	}
}

void broker_init(struct whole *w)
{
	w->broker = xnew(struct broker);
}

void broker_done(struct whole *w)
{
	while (w->broker->kept)
		kept_free(&w->broker->kept);
	free(take(w->broker));
}

/* ── what the services call ────────────────────────────────────────────────────────────────────────────────── */

bool __wrap_bus_is_online(const struct bus *bus);
int __wrap_bus_publish(struct bus *bus, enum topic_id id, const char *const *args,
		       const void *value);
int __wrap_bus_publish_text(struct bus *bus, enum topic_id id, const char *const *args,
			    const char *payload, size_t length);
void __wrap_bus_reply(struct bus *bus, const struct msg *command, const char *request_id,
		      const struct msg_reply *reply);

bool __wrap_bus_is_online(const struct bus *bus)
{
	return ((const struct side *)bus)->is_online;
}

int __wrap_bus_publish_text(struct bus *bus, enum topic_id id, const char *const *args,
			    const char *payload, size_t length)
{
	struct side *side = (struct side *)bus;

	if (!side->is_online)
		return BUS_E_OFFLINE;
	if (side_effect(side, topic_table[id].id))
		return 0;
	trace(side->w, "%s says %s %.130s", side->name, topic_table[id].id, payload ? payload : "");
	if (!side->is_deaf)
		broker_publish(side->w, side, id, args, payload, length);
	check_told(side->w, side, id, payload, length);
	(void)side_effect(side, topic_table[id].id);
	return 0;
}

int __wrap_bus_publish(struct bus *bus, enum topic_id id, const char *const *args,
		       const void *value)
{
	_cleanup_(str_done) struct str text = { 0 };

	codec_encode(topic_table[id].message, value, &text);
	return __wrap_bus_publish_text(bus, id, args, str_get(&text), text.len);
}

void __wrap_bus_reply(struct bus *bus, const struct msg *command, const char *request_id,
		      const struct msg_reply *reply)
{
	int word = topic_word_find(command->id, "principal");

	if (request_id && word >= 0)
		(void)__wrap_bus_publish(
			bus, TOPIC_REPLY,
			(const char *const[]){ command->args->value[word], request_id, NULL },
			reply);
}
