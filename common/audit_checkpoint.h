/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Signed heads of the audit chain, in the form of C2SP tlog-checkpoint (a signed note; its root hash is the chain's
 * last hash), so that a copy of one outside of this machine proves what the chain was. Pure.
 */
#include "common/alloc.h"
#include "common/grant.h"
#include "common/topics.h"

#define AUDIT_HASH_BYTES 32
#define AUDIT_ORIGIN_MAX 64
#define AUDIT_KEYS_MAX 16

struct audit_checkpoint {
	char origin[AUDIT_ORIGIN_MAX + 1];
	int64_t size; /* records */
	unsigned char head[AUDIT_HASH_BYTES];
	unsigned char key_id[4];
	unsigned char signature[64];
};

/* All keys that the gate ever signed with; unlike those of grants, old ones still count. */
struct audit_keys {
	unsigned char key[AUDIT_KEYS_MAX][GRANT_PUBLIC_BYTES];
	size_t n;
};

/* Up to 16 public keys, each 64 hexadecimal digits, separated by blanks or lines: 0 or -EINVAL. */
int audit_keys_from_hex(const char *text, struct audit_keys *ret) _nodiscard_;

/* 1 to 64 visible ASCII characters without '+'. */
bool audit_is_origin(const char *origin);

/* Signs: fills key_id and signature from the rest. */
void audit_checkpoint_sign(struct audit_checkpoint *checkpoint,
			   const unsigned char secret[GRANT_SECRET_BYTES]);
bool audit_checkpoint_is_signed(const struct audit_checkpoint *checkpoint,
				const struct audit_keys *keys);

/* Appends the signed note. */
void audit_checkpoint_build(const struct audit_checkpoint *checkpoint, struct str *out);
/* As the message of topic audit/checkpoint; its text lives in ARENA. */
void audit_checkpoint_message(const struct audit_checkpoint *checkpoint, int64_t ts,
			      struct arena *arena, struct msg_audit_checkpoint *ret);
/*
 * Reads the next checkpoint at *TEXT, a note or a line with the message's JSON, and moves *TEXT past it: 1, 0 when
 * nothing but blanks is left, or -EINVAL.
 */
int audit_checkpoint_parse(const char **text, struct audit_checkpoint *ret) _nodiscard_;
