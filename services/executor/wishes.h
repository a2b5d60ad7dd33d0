/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Approved steps that wait for their grant, as action/{id}/state tells of them, and the claims that are out. Pure.
 */
#include "common/tools.h"
#include "services/executor/grant_check.h"

#define WISH_ID_BYTES 27
#define WISHES_MAX 1024
/* A claim that is not answered for so long is made again, with another nonce. */
#define CLAIM_WAIT_MS 5000
#define CLAIM_TRIES 5

struct wish {
	struct wish *next;
	char id[WISH_ID_BYTES];
	int64_t step;
	const struct tool *tool;
	char *object;	 /* "" for none */
	char *cluster;	 /* "" when the arguments do not say */
	bool is_granted; /* the gate says that it runs; the grant itself may still be on its way */
	bool is_claimed;
	char nonce[NONCE_TEXT];
	int64_t claimed_ms;
	int64_t retry_ms; /* not before */
	unsigned tries;
};

struct wishes {
	struct wish *first;
	size_t n;
};

void wishes_done(struct wishes *wishes);
/* Takes in what the gate says of action ID; STATE is NULL when it says nothing any more. */
void wishes_take(struct wishes *wishes, const char *id, const struct msg_action_state *state);
void wishes_drop(struct wishes *wishes, const char *id);
/* The wish whose claim with NONCE is out, or NULL. */
struct wish *wishes_find(struct wishes *wishes, const char *nonce);
/* Forgets what was granted, as the gate says, while the grant never came. */
void wishes_sweep(struct wishes *wishes, int64_t boot_ms);
/* No claim is out any more: they were of another epoch. */
void wishes_unclaim(struct wishes *wishes);
/* Whether WISH may be claimed now, as far as time goes; an old claim is given up by it. */
bool wish_is_due(struct wish *wish, int64_t boot_ms);
void wish_claim(struct wish *wish, const char *nonce, int64_t boot_ms);
/* The claim was answered with no. */
void wish_refuse(struct wish *wish, int64_t boot_ms);
