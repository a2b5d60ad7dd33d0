/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What must be true afterwards, by a fresh look at Proxmox: which call shows it, for how long it may take to become
 * so, and what the answer says. Pure.
 */
#include "services/executor/precheck.h"
#include "services/executor/pve_action.h"

#define VERIFY_TEXT 300

enum verify_verdict {
	VERDICT_YES,	 /* it is so */
	VERDICT_NOT_YET, /* it is not so now; it may become so */
	VERDICT_BLIND,	 /* the answer does not say */
};

/* What has to be known to judge. */
struct verify_case {
	const struct tool *tool;
	const struct tool_args *args;
	const struct action_target *target;
	const char *upid;   /* NULL: it was no task */
	int64_t uptime_s;   /* of the target before, or -1 */
	int64_t elapsed_ms; /* since the request left */
	bool is_managed;    /* by high availability */
};

/* False when the task's own word is all there is, or there is nothing to verify. */
bool verify_is_needed(const struct tool *tool);
/* Appends the path to ask, and which node must answer it: NULL for any; *avoid a node that must not. */
void verify_build(const struct verify_case *c, struct str *path, const char **node,
		  const char **avoid);
/* How long it may take to become so. */
int64_t verify_patience_ms(const struct verify_case *c);
/*
 * Judges an answer; TEXT (VERIFY_TEXT bytes) says what was seen. IS_GONE: Proxmox says that there is no such guest at
 * that place; ANSWER is NULL then.
 */
enum verify_verdict verify_judge(const struct verify_case *c, const cJSON *answer, bool is_gone,
				 char *text);
