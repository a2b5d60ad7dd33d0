/* SPDX-License-Identifier: MIT */
/*
 * A list of results, each with the time at which it is said again.
 */
#include "services/executor/outbox.h"

#include "common/alloc.h"
#include "common/str.h"

#define AGAIN_MS 5000
#define AGAIN_MAX_MS 300000
#define DOUBLINGS_MAX 6
/* Somebody waits for a read for seconds; what was changed is worth saying for a day. */
#define READ_MAX_MS 60000
#define CHANGE_MAX_MS 86400000

void outcome_free(struct outcome *outcome)
{
	if (!outcome)
		return;
	free(outcome->gid);
	free(outcome->id);
	free(outcome->json);
	free(outcome);
}

void outbox_done(struct outbox *outbox)
{
	while (outbox->first) {
		struct outcome *outcome = outbox->first;

		outbox->first = outcome->next;
		outcome_free(outcome);
	}
}

struct outcome *outbox_add(struct outbox *outbox, const struct msg_action_result *result,
			   const char *json, bool is_journaled, int64_t boot_ms)
{
	struct outcome *outcome = xnew(struct outcome);

	outcome->gid = xstrdup(result->gid);
	outcome->id = xstrdup(result->id);
	outcome->step = result->step;
	outcome->json = xstrdup(json);
	outcome->is_journaled = is_journaled;
	outcome->made_ms = outcome->next_ms = boot_ms;
	outcome->next = outbox->first;
	outbox->first = outcome;
	return outcome;
}

static bool is_over(const struct outcome *outcome, const struct msg_action_state *action)
{
	size_t step = (size_t)outcome->step;

	if (!action || action->status >= ACTION_VERIFIED)
		return true;
	if (outcome->step < 0 || step >= action->steps_n)
		return true;
	return action->steps[step].status > STEP_RUNNING;
}

static struct outcome *unlink_at(struct outcome **place)
{
	struct outcome *outcome = *place;

	*place = outcome->next;
	outcome->next = NULL;
	return outcome;
}

struct outcome *outbox_settle(struct outbox *outbox, const char *id,
			      const struct msg_action_state *action)
{
	for (struct outcome **at = &outbox->first; *at; at = &(*at)->next) {
		if (str_eq((*at)->id, id) && is_over(*at, action))
			return unlink_at(at);
	}
	return NULL;
}

struct outcome *outbox_expire(struct outbox *outbox, int64_t boot_ms)
{
	for (struct outcome **at = &outbox->first; *at; at = &(*at)->next) {
		int64_t age = boot_ms - (*at)->made_ms;

		if (age > ((*at)->is_journaled ? CHANGE_MAX_MS : READ_MAX_MS))
			return unlink_at(at);
	}
	return NULL;
}

struct outcome *outbox_next(struct outbox *outbox, int64_t boot_ms)
{
	for (struct outcome *at = outbox->first; at; at = at->next) {
		unsigned doublings = min_of(at->sent, (unsigned)DOUBLINGS_MAX);

		if (at->next_ms > boot_ms)
			continue;
		at->next_ms =
			boot_ms + min_of((int64_t)AGAIN_MS << doublings, (int64_t)AGAIN_MAX_MS);
		at->sent++;
		return at;
	}
	return NULL;
}

void outbox_hurry(struct outbox *outbox)
{
	for (struct outcome *at = outbox->first; at; at = at->next) {
		at->next_ms = 0;
		at->sent = 0;
	}
}
