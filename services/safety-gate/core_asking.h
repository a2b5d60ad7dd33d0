/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A request on its way from what was asked to an action: what core_request.c, core_seen.c, core_judge.c and
 * core_make.c share.
 */
#include "services/safety-gate/core_parts.h"

struct asking {
	struct core *core;
	const char *principal;
	const struct msg_action_request *request;
	const char *digest;
	struct core_now now;
	struct effects *out;

	enum who who;
	const struct tool *tool;
	struct judge_target targets[JUDGE_TARGETS_MAX];
	size_t targets_n;
	struct verdict verdict;
};

/* core_seen.c: the request that this one repeats; NULL when it is new. */
struct seen_request *asking_find_seen(const struct asking *a);
/* Answers as the first time, or says that the id was used for something else. */
void asking_repeat_reply(struct asking *a, const struct seen_request *seen);
/* ACTION is its id, or NULL with the JSON of the REPLY that refused it. */
void asking_remember(struct asking *a, const char *action, const char *reply);
/* Whether as much is remembered as may be, of everybody or of this principal. */
bool asking_is_too_many(const struct asking *a);

/* core_judge.c: fills the verdict. */
void asking_judge(struct asking *a);

/* core_make.c: the action that it becomes, not yet added. */
struct action *asking_make_action(struct asking *a);
/* The bytes that are shown and approved within WAIT_MS, and their digest. */
void asking_fill_shown(struct asking *a, struct action *action, int64_t wait_ms);
