/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Tools that are answered from what is on the bus: no question to Proxmox, and so no wait. Each document is handed on
 * as it is, with how fresh it is: whoever reads a stale value shall know that it is one. Pure.
 */
#include "common/tools.h"
#include "services/executor/docs.h"

/* What is asked. */
struct state_question {
	const struct docs *docs;
	const struct tool *tool;
	const struct tool_args *args;
	int64_t boot_ms;
	int64_t wall_ms;
};

/*
 * Appends the answer, JSON of at most ANSWER_MAX_BYTES, to OUT. 0, or -ENOENT with *error filled when what was asked
 * for is not there.
 */
int state_tool_answer(const struct state_question *q, struct str *out, struct tool_error *error);
