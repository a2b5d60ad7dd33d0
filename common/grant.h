/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Signed envelopes (DSSE 1.0.2, Ed25519): the signature is over the exact bytes of the payload, and only bytes whose
 * signature was verified are parsed. What the bytes mean is message grant_payload; whether they are fresh, meant
 * for this executor and not used before is for the executor to say. Pure.
 */
#include "common/base.h"
#include "common/str.h"

#define GRANT_TYPE "application/vnd.jarvis.grant.v1+json"
#define GRANT_PAYLOAD_MAX ((size_t)24 << 10)
#define GRANT_SECRET_BYTES 64 /* an Ed25519 key of libsodium: seed and public key */
#define GRANT_PUBLIC_BYTES 32
#define EXECUTOR_HOLDS_MAX 256 /* gids in executor_hello; so many may be not all */
#define GRANT_PUBLIC_MAX 2     /* keys that count at the same time, while one is exchanged */

struct grant_keys {
	unsigned char key[GRANT_PUBLIC_MAX][GRANT_PUBLIC_BYTES];
	size_t n;
};

/* Makes the secret key of SEED, 64 hexadecimal digits: 0 or -EINVAL. */
int grant_secret_from_hex(const char *seed, unsigned char ret[GRANT_SECRET_BYTES]) _nodiscard_;
/* The public half as 64 hexadecimal digits and a NUL. */
void grant_public_hex(const unsigned char secret[GRANT_SECRET_BYTES], char ret[65]);
/* Reads one or two public keys, each 64 hexadecimal digits, separated by blanks or lines: 0 or -EINVAL. */
int grant_keys_from_hex(const char *text, struct grant_keys *ret) _nodiscard_;

/* Appends the envelope of PAYLOAD, one line of JSON. */
void grant_seal(const unsigned char secret[GRANT_SECRET_BYTES], const char *payload, size_t length,
		struct str *out);
/*
 * Verifies ENVELOPE. 0 with the payload's exact bytes appended to *ret; -EINVAL when it is no such envelope, -EPERM
 * when no key has signed it. *why says what was wrong; static.
 */
int grant_open(const struct grant_keys *keys, const char *envelope, size_t length, struct str *ret,
	       const char **why) _nodiscard_;
