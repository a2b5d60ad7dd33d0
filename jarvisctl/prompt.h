/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Asking the person at the terminal, even when standard input and output are something else.
 */
#include "common/str.h"

/*
 * Asks for a line; SECRET: nothing of it is shown. 0 with the line in *ret (wipe it with str_wipe()); -ENXIO when there
 * is no terminal, -ECANCELED when the person gave up (Ctrl-C, Ctrl-D), -E2BIG for more than 1 KiB, or another -errno.
 */
int prompt_read(const char *question, bool secret, struct str *ret) _nodiscard_;
/* Shows TEXT to the person; nothing when there is no terminal. */
void prompt_say(const char *text);
/* Is there somebody to ask? */
bool prompt_has_terminal(void);
