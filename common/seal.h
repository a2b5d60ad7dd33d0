/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Proofs on their way to the safety gate: what a person typed and the digest of what they saw, sealed to the gate's
 * key (libsodium's sealed boxes), so that neither broker nor log nor another service can read or reuse it. A sealed
 * proof has the same length whatever is in it. The gateway seals, the gate opens. Pure.
 */
#include "common/base.h"
#include "common/str.h"

#define SEAL_KEY_BYTES 32
#define SEAL_KEYS_MAX 2 /* that open at the same time, while one is exchanged */
#define SEAL_TEXT_SIZE                                                                             \
	513 /* of a sealed proof, with its NUL: base64 of SEAL_PLAIN_BYTES and the box's own 48 */
#define SEAL_PLAIN_BYTES ((size_t)336)
#define SEAL_DIGEST_LENGTH ((size_t)64)
#define SEAL_KEYWORD_MAX ((size_t)128)
#define SEAL_CODE_MAX ((size_t)16)

struct msg_autonomy_set;

/* The gate's, public and secret halves. */
struct seal_keys {
	unsigned char pk[SEAL_KEYS_MAX][SEAL_KEY_BYTES], sk[SEAL_KEYS_MAX][SEAL_KEY_BYTES];
	size_t n;
};

/* Message `proof` in memory that can be wiped. */
struct sealed {
	char digest[SEAL_DIGEST_LENGTH + 1];
	char keyword[SEAL_KEYWORD_MAX + 1]; /* "" when it is a code */
	char code[SEAL_CODE_MAX + 1];	    /* "" when it is a keyword */
};

/* The keys of one or two seeds, each 64 hexadecimal digits, separated by blanks or lines: 0 or -EINVAL. */
int seal_keys_from_hex(const char *text, struct seal_keys *ret) _nodiscard_;
void seal_keys_wipe(struct seal_keys *keys);
/* The public half of the first, as 64 hexadecimal digits and a NUL. */
void seal_public_hex(const struct seal_keys *keys, char ret[2 * SEAL_KEY_BYTES + 1]);
/* 0 or -EINVAL. */
int seal_public_from_hex(const char *text, unsigned char ret[SEAL_KEY_BYTES]) _nodiscard_;

/*
 * Seals KEYWORD or CODE (the other one is NULL) and DIGEST, 64 characters, to PUBLIC. 0 or -EINVAL: a length is
 * wrong, or the text is not UTF-8 or has too many characters that JSON must escape.
 */
int seal_proof(const unsigned char public[SEAL_KEY_BYTES], const char *digest, const char *keyword,
	       const char *code, char ret[SEAL_TEXT_SIZE]) _nodiscard_;
/* What a proof for SET is bound to, in place of the bytes that were shown. */
void seal_autonomy_digest(const struct msg_autonomy_set *set, char ret[SEAL_DIGEST_LENGTH + 1]);
/* 0 with what the caller wipes, or -EINVAL: not sealed to one of KEYS, or not a proof. */
int seal_open(const struct seal_keys *keys, const char *text, struct sealed *ret) _nodiscard_;
void seal_wipe(struct sealed *sealed);
