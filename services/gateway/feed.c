/* SPDX-License-Identifier: MIT */
/*
 * From the bus into the mirror. Our own presence comes back to us after everything that the broker has retained, so it
 * tells that the replay is through; from then on other services get a few seconds to publish theirs again before what
 * did not come is swept away.
 */
#include <inttypes.h>
#include <stdio.h>

#include "common/codec.h"
#include "common/timer.h"
#include "services/gateway/gateway.h"

#define SWEEP_AFTER_MS 5000

static const char *below_base(const struct gateway *g, const char *topic)
{
	return topic + g->base_len;
}

static struct roster_entry *entry_of(struct gateway *g, const struct msg *msg)
{
	if (msg->id != TOPIC_SERVICE_STATE && msg->id != TOPIC_SERVICE_INFO &&
	    msg->id != TOPIC_SERVICE_HEALTH && msg->id != TOPIC_SERVICE_LOG)
		return NULL;
	return roster_get(&g->roster, msg->args->value[0], msg->args->value[1]);
}

static void note_version(struct roster_entry *entry, const struct msg *msg)
{
	_cleanup_(json_treep) cJSON *tree = NULL;
	const cJSON *version;

	if (json_parse(msg->payload, msg->payload_len, JSON_STATE, &tree, NULL) < 0)
		return;
	version = json_get(tree, "version");
	if (cJSON_IsString(version))
		(void)snprintf(entry->version, sizeof(entry->version), "%s", version->valuestring);
}

/* What the roster wants to know of a message of a service. */
static void note_service(struct gateway *g, const struct msg *msg)
{
	struct roster_entry *entry = entry_of(g, msg);

	if (!entry)
		return;
	if (!msg->retained && msg->payload_len)
		entry->heard_ms = clock_boot_ms(g->clock);
	if (msg->id == TOPIC_SERVICE_STATE) {
		(void)snprintf(entry->state, sizeof(entry->state), "%s",
			       msg->payload_len ? msg->bare->word : "unknown");
		entry->confirmed = true;
	} else if (msg->id == TOPIC_SERVICE_INFO && msg->payload_len)
		note_version(entry, msg);
	else if (msg->id == TOPIC_SERVICE_HEALTH && msg->payload_len) {
		free(entry->health);
		entry->health = xstrndup(msg->payload, msg->payload_len);
	}
}

static bool is_own_presence(const struct gateway *g, const struct msg *msg)
{
	return msg->id == TOPIC_SERVICE_STATE && !msg->retained &&
	       str_eq(msg->args->value[0], service_table[SERVICE_GATEWAY].name) &&
	       str_eq(msg->args->value[1], g->env->instance);
}

static void set_presence(struct gateway *g, const struct msg *msg)
{
	_cleanup_(str_done) struct str json = { 0 };
	struct json_writer w = { .out = &json };

	json_add_str(&w, NULL, msg->bare->word);
	g->changed |= mirror_set(g->mirror, msg->id, below_base(g, msg->topic), json.data, json.len,
				 !msg->retained, clock_boot_ms(g->clock));
	if (is_own_presence(g, msg))
		timer_once(g->sweep, SWEEP_AFTER_MS);
}

void feed_message(void *self, const struct msg *msg)
{
	struct gateway *g = self;
	const char *topic = below_base(g, msg->topic);
	enum topic_class class = topic_table[msg->id].class;

	note_service(g, msg);
	if (class == CLASS_EVENT || class == CLASS_STREAM) {
		if (msg->payload_len) {
			mirror_event(g->mirror, msg->id, topic, msg->payload, msg->payload_len);
			g->changed = true;
		}
	} else if (msg->payload_len == 0) {
		g->changed |= mirror_clear(g->mirror, topic);
	} else if (class == CLASS_PRESENCE) {
		set_presence(g, msg);
	} else {
		g->changed |= mirror_set(g->mirror, msg->id, topic, msg->payload, msg->payload_len,
					 !msg->retained, clock_boot_ms(g->clock));
	}
}

/* The link is told of in a document of our own, which is not on the bus. */
void feed_link(struct gateway *g, bool up)
{
	_cleanup_(str_done) struct str json = { 0 };

	g->linked = up;
	g->linked_ms = clock_wall_ms(g->clock);
	str_printf(&json, "{\"broker\":%s,\"since_ms\":%" PRId64 "}", up ? "true" : "false",
		   g->linked_ms);
	(void)mirror_set(g->mirror, TOPIC_COUNT, "link", json.data, json.len, true,
			 clock_boot_ms(g->clock));
	ws_hub_changed(g->hub);
}
