/* SPDX-License-Identifier: MIT */
/*
 * The list of effects, and how an action looks in each of them.
 */
#include "services/safety-gate/core_parts.h"

#include "common/codec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define REPLY_TEXT_MAX 512 /* message reply */

struct effects *effects_new(void)
{
	struct effects *effects = xnew(struct effects);

	effects->arena = arena_new();
	return effects;
}

void effects_free(struct effects *effects)
{
	if (!effects)
		return;
	arena_free(effects->arena);
	free(effects->list);
	free(effects);
}

struct effect *effect_add(struct effects *out, enum effect_kind kind)
{
	if (out->n == out->cap) {
		out->cap = max_of(out->cap * 2, (size_t)8);
		out->list = xreallocarray(out->list, out->cap, sizeof(*out->list));
	}
	out->list[out->n] = (struct effect){ .kind = kind };
	return &out->list[out->n++];
}

void effect_audit(struct effects *out, const char *what, ...)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };
	struct effect *effect;
	const char *name;
	va_list args;

	va_start(args, what);
	json_object_begin(&w, NULL);
	while ((name = va_arg(args, const char *)))
		json_add_str(&w, name, va_arg(args, const char *));
	json_object_end(&w);
	va_end(args);
	effect = effect_add(out, EFFECT_AUDIT);
	effect->name = what;
	effect->text = arena_strdup(out->arena, str_get(&text));
}

void effect_audit_action(struct effects *out, const char *what, const struct action *action,
			 const char *by, const char *more)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };
	struct effect *effect;

	json_object_begin(&w, NULL);
	json_add_str(&w, "by", by);
	json_add_str(&w, "text", more);
	codec_encode_into(&message_action_state, &action->state, &w, "action");
	json_object_end(&w);
	effect = effect_add(out, EFFECT_AUDIT);
	effect->name = what;
	effect->text = arena_strdup(out->arena, str_get(&text));
}

void effect_store(struct effects *out, const struct action *action)
{
	const struct msg_action_record *copy =
		codec_copy(&message_action_record, &action->rec, out->arena);

	effect_add(out, EFFECT_STORE)->record = copy;
}

static const char *sentence_of(const struct action *action, struct arena *arena)
{
	const struct msg_action_state *s = &action->state;
	const char *name = s->steps_n && s->steps[0].name   ? s->steps[0].name :
			   s->steps_n && s->steps[0].object ? s->steps[0].object :
							      "";

	return arena_printf(arena, "%s%s%s: %s", s->tool, name[0] ? " " : "", name,
			    enumeration_word(&enumeration_action_status, (int)s->status));
}

void effect_event(struct core *core, struct effects *out, enum event_type type,
		  const struct action *action, struct core_now now)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct msg_event *event;
	struct msg_action_state brief = action->state;
	char id[CORE_ID_BYTES];

	if (action->state.tier == TIER_GREEN)
		return;
	/* Its bytes are in the state; an event need not carry them again. */
	brief.shown = NULL;
	codec_encode(&message_action_state, &brief, &text);
	core_ulid(core, now.wall_ms, id);
	event = arena_alloc(out->arena, sizeof(*event));
	*event = (struct msg_event){
		.id = arena_strdup(out->arena, id),
		.ts = now.wall_ms,
		.event_type = type,
		.object = arena_printf(out->arena, "action/%s/state", action->state.id),
		.text = sentence_of(action, out->arena),
		.after = text.len <= 16384 ? arena_strdup(out->arena, str_get(&text)) : NULL,
	};
	effect_add(out, EFFECT_EVENT)->event = event;
}

/* As long as a reply may be, and cut between letters. */
static const char *short_text(struct arena *arena, const char *text)
{
	size_t length = strlen(text);

	if (length > REPLY_TEXT_MAX) {
		length = REPLY_TEXT_MAX;
		while (length && ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	return arena_strndup(arena, text, length);
}

const char *effect_refusal(struct effects *out, enum tier tier, const char *rule,
			   const char *reason)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };

	json_object_begin(&w, NULL);
	json_add_bool(&w, "blocked", true);
	json_add_str(&w, "tier", enumeration_word(&enumeration_tier, (int)tier));
	json_add_str(&w, "rule", rule);
	json_add_str(&w, "reason", reason);
	json_object_end(&w);
	return arena_strdup(out->arena, str_get(&text));
}

void effect_reply(struct effects *out, const char *principal, const char *request_id,
		  enum reply_status status, const char *code, const char *text, const char *result)
{
	struct arena *arena = out->arena;
	struct msg_reply *reply;
	struct effect *effect;

	if (!request_id || !request_id[0])
		return;
	reply = arena_alloc(arena, sizeof(*reply));
	*reply = (struct msg_reply){
		.request_id = arena_strdup(arena, request_id),
		.status = status,
		.code = code,
		.text = text ? short_text(arena, text) : NULL,
		.result = result ? arena_strdup(arena, result) : NULL,
	};
	effect = effect_add(out, EFFECT_REPLY);
	effect->name = arena_strdup(arena, principal);
	effect->reply = reply;
}

/* What became of it, as a reply says it. */
static enum reply_status reply_status_of(const struct action *action)
{
	switch (action->state.status) {
	case ACTION_VERIFIED:
		return REPLY_OK;
	case ACTION_DENIED:
	case ACTION_REFUSED:
		return REPLY_DENIED;
	case ACTION_WAITING:
	case ACTION_WINDOW:
	case ACTION_APPROVED:
	case ACTION_RUNNING:
		return REPLY_WAITING;
	default:
		return REPLY_ERROR;
	}
}

void effect_reply_action(struct effects *out, const struct action *action)
{
	const struct msg_action_state *s = &action->state;
	const char *status = enumeration_word(&enumeration_action_status, (int)s->status);
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };

	json_object_begin(&w, NULL);
	json_add_str(&w, "id", s->id);
	json_add_str(&w, "status", status);
	json_add_str(&w, "tier", enumeration_word(&enumeration_tier, (int)s->tier));
	json_add_str(&w, "rule", s->rule);
	json_add_str(&w, "need", enumeration_word(&enumeration_action_need, (int)s->need));
	json_add_str(&w, "digest", s->digest);
	if (s->until_ms.has)
		json_add_i64(&w, "until_ms", s->until_ms.v);
	json_add_bool(&w, "is_error", action->rec.is_error);
	json_add_raw(&w, "content", action->rec.result);
	json_object_end(&w);
	effect_reply(out, s->principal, action->rec.request_id, reply_status_of(action), status,
		     action_is_over(action) ? s->summary : s->verdict, str_get(&text));
}
