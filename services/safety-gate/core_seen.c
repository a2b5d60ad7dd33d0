/* SPDX-License-Identifier: MIT */
/*
 * What was asked before: the same request of the same principal is answered the same for a day, and never done twice.
 */
#include "services/safety-gate/core_asking.h"

#include "common/codec.h"

#include <stdio.h>
#include <string.h>

#define REQUESTS_MAX 100000
/* Of one principal: others are still heard after it has asked for all that it may. */
#define REQUESTS_OF_ONE_MAX (REQUESTS_MAX / 4)

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

void asking_remember(struct asking *a, const char *action, const char *reply)
{
	struct arena *arena = a->out->arena;
	struct effect_request *request = arena_alloc(arena, sizeof(*request));

	*request = (struct effect_request){
		.principal = arena_strdup(arena, a->principal),
		.request_id =
			arena_strdup(arena, a->request->request_id ? a->request->request_id : ""),
		.action = action ? arena_strdup(arena, action) : NULL,
		.reply = reply ? arena_strdup(arena, reply) : NULL,
		.wall_ms = a->now.wall_ms,
	};
	(void)snprintf(request->digest, sizeof(request->digest), "%s", a->digest);
	core_load_request(a->core, request, a->now);
	effect_add(a->out, EFFECT_REQUEST)->request = request;
}

bool asking_is_too_many(const struct asking *a)
{
	const struct core *core = a->core;
	bool is_gateway = str_eq(a->principal, service_table[SERVICE_GATEWAY].name);
	size_t n = 0;

	if (core->requests_n < REQUESTS_OF_ONE_MAX || is_gateway)
		return core->requests_n >= REQUESTS_MAX;
	for (size_t i = 0; i < core->requests_n; i++)
		n += str_eq(core->requests[i].principal, a->principal);
	return n >= REQUESTS_OF_ONE_MAX || core->requests_n >= REQUESTS_MAX;
}
