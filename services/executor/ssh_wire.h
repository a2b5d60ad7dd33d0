/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What goes over the wire to deploy/nodes/jarvis-act and back: docs/ssh-tools.md. An answer is believed as a whole or
 * not at all; whatever is not exactly as it must be is unknown. Pure.
 */
#include "common/str.h"

#define SSH_WIRE_COMMAND "jarvis-act"
#define SSH_WIRE_ANSWER_MAX ((size_t)260 << 10)
#define SSH_WIRE_BOUNDARY 33  /* with its NUL */
#define SSH_WIRE_PARAMS_MAX 9 /* command_id, and eight of the command's own */
#define SSH_WIRE_SECONDS_MAX 300
/* Beyond the timeout of a request: ending a program takes a while. */
#define SSH_WIRE_GRACE_MS 10000

struct ssh_param {
	const char *name, *value;
};

struct ssh_request {
	const char *envelope; /* as the gate sealed it */
	const char *id;	      /* 1 to 64 of A-Z a-z 0-9 _ - */
	const char *boundary; /* 32 hexadecimal digits, fresh for every request */
	unsigned timeout_s;   /* 1 to SSH_WIRE_SECONDS_MAX */
	const char *tool;
	const struct ssh_param *params;
	size_t params_n;
};

/* Appends the bytes of a request: 0, or -EINVAL when the far side would refuse its form; OUT is then as before. */
int ssh_wire_build(const struct ssh_request *request, struct str *out) _nodiscard_;

enum ssh_answer_outcome {
	SSH_ANSWER_UNKNOWN, /* whether something was done is not known */
	SSH_ANSWER_EXIT,    /* it ended by itself; VALUE is its status */
	SSH_ANSWER_SIGNAL,  /* it was killed by signal VALUE */
	SSH_ANSWER_TIMEOUT, /* it did not end in time and was ended; what it began may go on */
	SSH_ANSWER_FLOOD,   /* it wrote far too much, and was ended */
	SSH_ANSWER_REFUSED, /* nothing was run; ERR says why, VALUE which kind of why */
};

struct ssh_answer {
	enum ssh_answer_outcome outcome;
	unsigned value;
	const char *out, *err; /* in the bytes that were parsed; not NUL-terminated */
	size_t out_len, err_len;
	uint64_t out_lost, err_lost; /* bytes that were dropped */
	uint64_t ms;		     /* on the node */
	const char *why;	     /* with SSH_ANSWER_UNKNOWN: what is wrong with it */
};

/* Reads LENGTH bytes as the answer to the request that went with BOUNDARY. */
void ssh_wire_parse(const char *bytes, size_t length, const char *boundary, struct ssh_answer *ret);
