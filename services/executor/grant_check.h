/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Whether a grant is one that may be acted on: signed, meant for this very claim, in time, and about what it says it
 * is about. Nothing of it is read before the signature over its bytes has held. Pure.
 */
#include "common/grant.h"
#include "common/tools.h"
#include "services/executor/pve_action.h"

#define NONCE_BYTES 32
#define NONCE_TEXT (2 * NONCE_BYTES + 1)

/* What was asked for. */
struct claim {
	const char *id;	   /* the action */
	const char *nonce; /* our own, used once */
	int64_t epoch;	   /* present one */
	int64_t age_ms;	   /* since the claim was sent, on the boot clock */
};

/* What may be done. All of it lives in the arena that it was read into. */
struct order {
	const struct msg_grant_payload *payload;
	const char *text; /* the payload's exact bytes, for the journal */
	const char *
		envelope; /* as it came, for a node that may look at it itself; NULL after a restart */
	const struct tool *tool;
	struct tool_args args;
	struct action_target target;
	const char *object; /* what is locked while it is acted on; "" for nothing */
};

enum grant_fault {
	GRANT_GOOD,
	GRANT_UNSIGNED,	 /* no envelope, or nobody's signature: it says nothing */
	GRANT_OUTDATED,	 /* signed, but not for this claim, or too late */
	GRANT_SENSELESS, /* signed, but not an order that can be understood */
	GRANT_FAULT_COUNT
};

struct grant_error {
	char text[300];
};

/*
 * Opens ENVELOPE and checks it against CLAIM. With every result but GRANT_UNSIGNED ret->payload may be there (or be
 * NULL), so that it can be said which grant was refused.
 */
enum grant_fault grant_check(const struct grant_keys *keys, const char *envelope,
			     const struct claim *claim, struct arena *arena, struct order *ret,
			     struct grant_error *error);
/* Reads a payload that was checked before: from the journal. 0 or -EINVAL with *error filled. */
int order_read(const char *text, struct arena *arena, struct order *ret, struct grant_error *error);
