/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What a browser may say on its WebSocket: {op:"sub",id,filters[]}, {op:"unsub",id}, {op:"ping"[,id]}. Strict: an
 * unknown member or operation is an error. Pure.
 */
#include "common/json.h"

#define WS_ID_MAX 64
#define WS_FILTERS_MAX 64
#define WS_FILTER_MAX 256

enum ws_op {
	WS_OP_SUB,
	WS_OP_UNSUB,
	WS_OP_PING,
};

struct ws_command {
	enum ws_op op;
	char *id; /* as JSON: a string or a whole number; NULL for a ping without one */
	char **filters;
	size_t filters_n;
};

/* 0 with a command to be freed by ws_command_done(), or -EINVAL with *WHY (static text). */
int ws_command_parse(const char *text, size_t length, struct ws_command *ret,
		     const char **why) _nodiscard_;
void ws_command_done(struct ws_command *command);
