/* SPDX-License-Identifier: MIT */
/*
 * What was stored comes back: actions with what is left of their time, and the requests that were answered.
 */
#include "services/safety-gate/core_parts.h"

#include "common/codec.h"

#include <string.h>

/* The boot clock may be another one: what is left is told by the wall, and is never more than was given. */
static int64_t ms_left(const struct action *action, struct core_now now)
{
	const struct msg_action_state *state = &action->state;
	const struct tool *tool = tool_find(state->tool);
	int64_t since = state->ts, wait;

	if (action_is_over(action)) {
		since = state->ended_ms.v;
		wait = action_kept_ms(action);
	} else if (state->status == ACTION_RUNNING) {
		since = action->rec.granted_ms.v;
		wait = tool ? tool->deadline_s * 1000LL + CORE_RUN_MARGIN_MS : 0;
	} else {
		wait = state->until_ms.v - since;
		/* Nobody knows what the clock did meanwhile: what can be cancelled still can, for as long. */
		if (state->status == ACTION_WINDOW)
			return max_of((int64_t)0, wait);
	}
	return max_of((int64_t)0, min_of(since + wait - now.wall_ms, wait));
}

/* For the rates: what began counts from there on. */
static int64_t since_wall_ms(const struct action *action)
{
	const struct msg_action_state *state = &action->state;

	if (action->rec.granted_ms.has)
		return action->rec.granted_ms.v;
	return state->status == ACTION_WAITING ? state->created_ms : state->ts;
}

void core_load_action(struct core *core, const struct msg_action_record *record,
		      struct core_now now)
{
	struct action *action = action_new(core);
	const struct msg_action_record *copy =
		codec_copy(&message_action_record, record, action->arena);
	const struct msg_action_state *state = copy->state;
	size_t n = min_of(state->steps_n, (size_t)JUDGE_TARGETS_MAX);

	action->rec = *copy;
	action->state = *state;
	action->rec.state = &action->state;
	memcpy(action->steps, state->steps, n * sizeof(*action->steps));
	action->state.steps = action->steps;
	action->state.steps_n = n;
	if (state->actor) {
		action->actor = *state->actor;
		action->state.actor = &action->actor;
	}
	action->deadline_ms = now.boot_ms + ms_left(action, now);
	action->since_ms = now.boot_ms - max_of((int64_t)0, now.wall_ms - since_wall_ms(action));
	action_add(core, action);
}

void core_load_request(struct core *core, const struct effect_request *request, struct core_now now)
{
	struct seen_request *seen;

	/* Room up to the next power of two: there may be very many. */
	if (!(core->requests_n & (core->requests_n - 1)))
		core->requests =
			xreallocarray(core->requests, max_of(2 * core->requests_n, (size_t)1),
				      sizeof(*core->requests));
	seen = &core->requests[core->requests_n++];
	*seen = (struct seen_request){
		.principal = xstrdup(request->principal),
		.request_id = xstrdup(request->request_id),
		.action = xstrdup_null(request->action),
		.reply = xstrdup_null(request->reply),
		.boot_ms = now.boot_ms - max_of((int64_t)0, now.wall_ms - request->wall_ms),
	};
	memcpy(seen->digest, request->digest, sizeof(seen->digest));
}
