/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A systemd unit as `service_status` shows it, and whether it became what it should: compared with how it was before.
 * Pure.
 */
#include "common/json.h"
#include "common/tools.h"
#include "services/executor/verify.h"

#define UNIT_WORD 64

struct unit_now {
	char load[UNIT_WORD], active[UNIT_WORD], sub[UNIT_WORD]; /* "" when they are not said */
	int64_t main_pid;					 /* 0: none, or not said */
	int64_t entered_s; /* since when it is active, by the node's clock; -1: it is not, or not said */
};

/* Reads lines of Name=value, in any order. 0, or -EINVAL when they do not say what state it is in. */
int ssh_unit_read(const char *text, size_t length, struct unit_now *ret);
/* Appends what ssh_unit_read() needs to read the same again. */
void ssh_unit_write(const struct unit_now *unit, struct str *out);
/* Appends the lines as members of one JSON object. */
void ssh_unit_add_json(const char *text, size_t length, struct str *out);
/* Whether it is what CONDITION wants; TEXT (VERIFY_TEXT bytes) says what was seen. */
enum verify_verdict ssh_unit_judge(enum tool_verify condition, const struct unit_now *before,
				   const struct unit_now *now, char *text);
/* Whether this is who judges CONDITION. */
bool ssh_unit_knows(enum tool_verify condition);
