/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What a node wrote, as the JSON that a tool returns. It is somebody else's text: anything that does not look as it
 * must is left out. Pure.
 */
#include "services/executor/ssh_wire.h"

/* Appends JSON; false when the answer, though it ended well, is none. OUT must be empty. */
bool ssh_answer_fields(const struct ssh_answer *answer, struct str *out); /* lines of name=value */
bool ssh_answer_journal(const struct ssh_answer *answer,
			struct str *out);				 /* a JSON object a line */
bool ssh_answer_disks(const struct ssh_answer *answer, struct str *out); /* the table of df */
bool ssh_answer_lines(const struct ssh_answer *answer, struct str *out); /* any text */
