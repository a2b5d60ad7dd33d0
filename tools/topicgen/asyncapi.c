/* SPDX-License-Identifier: MIT */
/*
 * AsyncAPI 3.0 of the bus, seen by a client of it: it receives what our services send, and may send commands.
 */
#include "tools/topicgen/topicgen.h"

#define SCHEMAS "#/components/schemas/"

static void print_parameters(enum topic_id id, struct str *out)
{
	char word[32];

	if (topic_words(id) == 0)
		return;
	str_add(out, "    parameters:\n");
	for (size_t i = 0; topic_word(id, i, word) == 0; i++)
		str_printf(
			out,
			"      %s:\n        description: one topic level; bytes outside [A-Za-z0-9_.-] as =XX\n",
			word);
}

static void print_channel(enum topic_id id, struct str *out)
{
	const struct topic_def *t = &topic_table[id];

	str_printf(out, "  %s:\n    address: \"jarvis/%s\"\n    description: ", t->id, t->pattern);
	print_quoted(out, t->doc);
	str_printf(out, "\n    messages:\n      %s:\n        $ref: \"#/components/messages/%s\"\n",
		   t->message->name, t->message->name);
	print_parameters(id, out);
}

static void print_operation(enum topic_id id, struct str *out)
{
	const struct topic_def *t = &topic_table[id];
	const struct class_def *c = &class_table[t->class];
	bool sent = t->class == CLASS_COMMAND;

	str_printf(out, "  %s_%s:\n    action: %s\n    channel:\n      $ref: \"#/channels/%s\"\n",
		   sent ? "send" : "receive", t->id, sent ? "send" : "receive", t->id);
	str_printf(out, "    bindings:\n      mqtt:\n        qos: %d\n        retain: %s\n", c->qos,
		   c->retained ? "true" : "false");
	if (c->expiry_s)
		str_printf(out, "        messageExpiryInterval: %u\n", c->expiry_s);
	str_add(out, "        bindingVersion: 0.2.0\n");
}

static void print_message(const struct message_def *m, struct str *out)
{
	bool bare = m == &message_bare;

	str_printf(out, "    %s:\n      name: %s\n      contentType: %s\n", m->name, m->name,
		   bare ? "text/plain" : "application/json");
	str_printf(out, "      payload:\n        $ref: \"%s%s\"\n", SCHEMAS, m->name);
}

void print_asyncapi(struct str *out)
{
	str_add(out,
		"# Printed by topicgen from common/*.def; do not edit.\n"
		"asyncapi: 3.0.0\n"
		"info:\n  title: Jarvis bus\n  version: " JARVIS_VERSION "\n"
		"  description: What Jarvis says on MQTT, and what it may be told. Rules are in topics.md.\n"
		"defaultContentType: application/json\n"
		"channels:\n");
	for (int i = 0; i < TOPIC_COUNT; i++)
		print_channel((enum topic_id)i, out);
	str_add(out, "operations:\n");
	for (int i = 0; i < TOPIC_COUNT; i++)
		print_operation((enum topic_id)i, out);
	str_add(out, "components:\n  messages:\n");
	for (const struct message_def *const *m = message_table; *m; m++)
		print_message(*m, out);
	str_add(out, "  schemas:\n");
	for (const struct message_def *const *m = message_table; *m; m++) {
		str_printf(out, "    %s:\n", (*m)->name);
		print_schema(out, *m, 6, SCHEMAS);
	}
}
