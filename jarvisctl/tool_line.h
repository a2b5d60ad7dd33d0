/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * ARG=VALUE words of a command line as the typed JSON that a tool of tools.def takes. What it would not take is an
 * error here already, so that a slip of the pen is no refused request in the audit.
 */
#include "common/tools.h"

/*
 * Appends the arguments of TOOL as a JSON object: words are ARG=VALUE, and at most one bare word is what the tool acts
 * on. With WITHOUT_TARGET that must be left out. 0, or -EINVAL with a sentence appended to ERROR.
 */
int tool_line_build(const struct tool *tool, char *const *words, size_t words_n,
		    bool without_target, struct str *ret, struct str *error) _nodiscard_;
/* Appends how TOOL is called: "guest=GUEST [timeout=N]". */
void tool_line_usage(const struct tool *tool, struct str *out);
