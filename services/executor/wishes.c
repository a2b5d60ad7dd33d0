/* SPDX-License-Identifier: MIT */
/*
 * The list of approved steps. Order does not matter: the gate decides what may be done first.
 */
#include "services/executor/wishes.h"

#include <stdio.h>

static void wish_free(struct wish *wish)
{
	free(wish->object);
	free(wish->cluster);
	free(wish);
}

static struct wish **place_of(struct wishes *wishes, const char *id)
{
	struct wish **at = &wishes->first;

	while (*at && !str_eq((*at)->id, id))
		at = &(*at)->next;
	return at;
}

void wishes_drop(struct wishes *wishes, const char *id)
{
	struct wish **place = place_of(wishes, id);
	struct wish *wish = *place;

	if (!wish)
		return;
	*place = wish->next;
	wishes->n--;
	wish_free(wish);
}

void wishes_done(struct wishes *wishes)
{
	while (wishes->first)
		wishes_drop(wishes, wishes->first->id);
}

/* The step that waits for its grant, or NULL: one runs, or none is left. */
static const struct msg_action_step *next_step(const struct msg_action_state *state, int64_t *index)
{
	const struct msg_action_step *found = NULL;

	if (state->status != ACTION_APPROVED && state->status != ACTION_RUNNING)
		return NULL;
	for (size_t i = 0; i < state->steps_n; i++) {
		if (state->steps[i].status == STEP_RUNNING)
			return NULL;
		if (state->steps[i].status == STEP_PENDING && !found) {
			found = &state->steps[i];
			*index = (int64_t)i;
		}
	}
	return found;
}

static bool is_running(const struct msg_action_state *state, int64_t step)
{
	return state && state->status == ACTION_RUNNING && (size_t)step < state->steps_n &&
	       state->steps[step].status == STEP_RUNNING;
}

static char *cluster_of(const struct tool *tool, const struct msg_action_step *step)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct tool_error error;
	struct tool_args args;

	if (step->object && strchr(step->object, '/'))
		return xstrndup(step->object, strcspn(step->object, "/"));
	if (tool_args_read(tool, step->args, strlen(step->args), false, arena, &args, &error) < 0)
		return xstrdup("");
	return xstrdup(tool_args_get(&args, "cluster").has ? tool_args_get(&args, "cluster").s :
							     "");
}

void wishes_take(struct wishes *wishes, const char *id, const struct msg_action_state *state)
{
	const struct msg_action_step *step = NULL;
	const struct tool *tool = state ? tool_find(state->tool) : NULL;
	struct wish *wish = *place_of(wishes, id);
	int64_t index = 0;

	if (tool && strlen(id) < WISH_ID_BYTES && str_eq(state->id, id))
		step = next_step(state, &index);
	if (step && wish && wish->step == index)
		return;
	/* The gate says that it runs before, or while, the grant is on its way. */
	if (wish && wish->is_claimed && is_running(state, wish->step)) {
		wish->is_granted = true;
		return;
	}
	wishes_drop(wishes, id);
	if (!step || wishes->n >= WISHES_MAX)
		return;
	wish = xnew(struct wish);
	(void)snprintf(wish->id, sizeof(wish->id), "%s", id);
	wish->step = index;
	wish->tool = tool;
	wish->object = xstrdup(step->object ? step->object : "");
	wish->cluster = cluster_of(tool, step);
	wish->next = wishes->first;
	wishes->first = wish;
	wishes->n++;
}

struct wish *wishes_find(struct wishes *wishes, const char *nonce)
{
	for (struct wish *wish = wishes->first; wish; wish = wish->next) {
		if (wish->is_claimed && str_eq(wish->nonce, nonce))
			return wish;
	}
	return NULL;
}

void wishes_unclaim(struct wishes *wishes)
{
	for (struct wish *wish = wishes->first; wish; wish = wish->next) {
		wish->is_claimed = false;
		wish->tries = 0;
		wish->retry_ms = 0;
	}
}

void wishes_sweep(struct wishes *wishes, int64_t boot_ms)
{
	for (struct wish **at = &wishes->first; *at;) {
		struct wish *wish = *at;

		if (!wish->is_granted || boot_ms - wish->claimed_ms < CLAIM_WAIT_MS) {
			at = &wish->next;
			continue;
		}
		*at = wish->next;
		wishes->n--;
		wish_free(wish);
	}
}

bool wish_is_due(struct wish *wish, int64_t boot_ms)
{
	if (wish->is_claimed && boot_ms - wish->claimed_ms >= CLAIM_WAIT_MS)
		wish->is_claimed = false;
	return !wish->is_claimed && !wish->is_granted && wish->tries < CLAIM_TRIES &&
	       boot_ms >= wish->retry_ms;
}

void wish_claim(struct wish *wish, const char *nonce, int64_t boot_ms)
{
	(void)snprintf(wish->nonce, sizeof(wish->nonce), "%s", nonce);
	wish->is_claimed = true;
	wish->claimed_ms = boot_ms;
	wish->tries++;
}

void wish_refuse(struct wish *wish, int64_t boot_ms)
{
	wish->is_claimed = false;
	wish->retry_ms = boot_ms + CLAIM_WAIT_MS;
}
