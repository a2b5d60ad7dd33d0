/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Tasks: finding the one that a request has started, reading how it stands, its log. A UPID is a promise; its exit
 * status is Proxmox's word, and no proof either: see verify.h. Pure.
 */
#include "common/alloc.h"
#include "common/json.h"
#include "services/executor/pve_action.h"

#define FOLLOW_TEXT 300

enum task_end {
	TASK_END_NONE, /* it runs */
	TASK_END_OK,
	TASK_END_WARNINGS,
	TASK_END_ERROR,
	TASK_END_LOST, /* it ended without a word: killed, or its node went */
};

/* From …/status. TEXT (FOLLOW_TEXT bytes) becomes Proxmox's own words. 0 or -EINVAL. */
int follow_read_status(const cJSON *answer, enum task_end *ret, char *text);
/* What an exit status means. */
enum task_end follow_end_of(const char *exitstatus);
/* How long until it is asked again for the POLLS-th time. */
int64_t follow_delay_ms(unsigned polls);
/* From …/log: how many lines there are, and the last of them in LINE (FOLLOW_TEXT bytes). -EINVAL when it is none. */
int64_t follow_read_log(const cJSON *answer, char *line);

/* Whose task is looked for. */
struct wanted_task {
	const struct pve_action *action;
	const struct action_target *target;
	const struct tool_args *args;
	const char *user; /* the token's id */
};

/* Appends the UPIDs of ANSWER (a node's task list) that would fit, one a line. 0 or -EINVAL. */
int follow_list(const cJSON *answer, const struct wanted_task *wanted, struct str *out);
/*
 * The one of ANSWER that fits and is not in KNOWN: 1 with *ret (UPID_BYTES), 0 when there is none, -EEXIST when there
 * are several, -EINVAL when it is no answer. The clocks of two machines are never compared for it.
 */
int follow_find(const cJSON *answer, const struct wanted_task *wanted, const char *known,
		char *ret);
