/* SPDX-License-Identifier: MIT */
/*
 * What was asked before: the same request of the same principal is answered the same for a day, and never done twice.
 * What harms nobody when it is done twice is forgotten sooner, so that no memory is filled by asking.
 */
#include "services/safety-gate/core_asking.h"

#include "common/codec.h"

#include <stdio.h>
#include <string.h>

#define REQUESTS_MAX 100000
/* Of one asker: others are still heard after it has asked for all that it may. */
#define REQUESTS_OF_ONE_MAX (REQUESTS_MAX / 4)
/* Of all but persons, who are heard whatever the others ask. */
#define REQUESTS_OF_OTHERS_MAX (REQUESTS_MAX - REQUESTS_OF_ONE_MAX)

static const char *actor_of(const struct asking *a, struct arena *arena)
{
	const struct msg_actor *actor = a->request->actor;

	/* Nobody else names one, and would have a share for each name. */
	if (!actor || !str_eq(a->principal, service_table[SERVICE_GATEWAY].name))
		return "";
	return arena_printf(arena, "%s %s", actor->kind, actor->name);
}

struct seen_request *asking_find_seen(const struct asking *a)
{
	const char *id = a->request->request_id ? a->request->request_id : "";

	for (size_t i = a->core->requests_n; i-- > 0;) {
		struct seen_request *seen = &a->core->requests[i];

		if (!str_eq(seen->principal, a->principal) || !str_eq(seen->request_id, id))
			continue;
		/* A press has no id: it is the same when its bytes are, for a moment. */
		if (!id[0] && (!str_eq(seen->digest, a->digest) ||
			       a->now.boot_ms - seen->boot_ms > CORE_PRESS_MS))
			continue;
		return seen;
	}
	return NULL;
}

void asking_repeat_reply(struct asking *a, const struct seen_request *seen)
{
	struct action *action = seen->action ? core_action(a->core, seen->action) : NULL;
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	void *reply;
	struct codec_error error;

	if (!str_eq(seen->digest, a->digest)) {
		effect_reply(a->out, a->principal, a->request->request_id, REPLY_ERROR, "conflict",
			     "This request_id was used for another request: make a new one.", NULL);
	} else if (action) {
		effect_reply_action(a->out, action);
	} else if (seen->reply &&
		   codec_decode(&message_reply, seen->reply, strlen(seen->reply), JSON_STATE,
				CODEC_LENIENT, arena, &reply, &error) == 0) {
		const struct msg_reply *r = reply;

		effect_reply(a->out, a->principal, r->request_id, r->status,
			     r->code ? arena_strdup(a->out->arena, r->code) : NULL, r->text,
			     r->result);
	} else {
		effect_reply(a->out, a->principal, a->request->request_id, REPLY_ERROR, "gone",
			     "This was asked before, and is over.", NULL);
	}
}

/* A read is asked anew once its answer is gone: as long as its action can be there. */
static int64_t kept_ms(const struct asking *a, const char *action)
{
	if (!a->request->request_id || !a->request->request_id[0])
		return CORE_PRESS_MS;
	if (!action)
		return CORE_REFUSED_KEPT_MS;
	if (a->verdict.tier == TIER_GREEN)
		return CORE_CLAIM_MS + a->tool->deadline_s * 1000LL + CORE_RUN_MARGIN_MS +
		       CORE_KEPT_GREEN_MS;
	return CORE_REQUEST_KEPT_MS;
}

void asking_remember(struct asking *a, const char *action, const char *reply)
{
	struct arena *arena = a->out->arena;
	struct effect_request *request = arena_alloc(arena, sizeof(*request));

	*request = (struct effect_request){
		.principal = arena_strdup(arena, a->principal),
		.actor = actor_of(a, arena),
		.request_id =
			arena_strdup(arena, a->request->request_id ? a->request->request_id : ""),
		.action = action ? arena_strdup(arena, action) : NULL,
		.reply = reply ? arena_strdup(arena, reply) : NULL,
		.wall_ms = a->now.wall_ms,
		.kept_ms = kept_ms(a, action),
	};
	(void)snprintf(request->digest, sizeof(request->digest), "%s", a->digest);
	core_load_request(a->core, request, a->now);
	effect_add(a->out, EFFECT_REQUEST)->request = request;
}

bool asking_is_too_many(const struct asking *a)
{
	const struct core *core = a->core;
	const char *actor = actor_of(a, a->out->arena);
	size_t limit = str_starts(actor, "user ") ? REQUESTS_MAX : REQUESTS_OF_OTHERS_MAX;
	size_t n = 0;

	if (core->requests_n < REQUESTS_OF_ONE_MAX)
		return false;
	for (size_t i = 0; i < core->requests_n; i++)
		n += str_eq(core->requests[i].principal, a->principal) &&
		     str_eq(core->requests[i].actor, actor);
	return n >= REQUESTS_OF_ONE_MAX || core->requests_n >= limit;
}
