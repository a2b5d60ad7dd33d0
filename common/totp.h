/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * One-time codes by RFC 6238, as every authenticator app makes them: HMAC-SHA-1, six digits, 30 seconds. Pure.
 */
#include "common/base.h"

#define TOTP_STEP_MS 30000
#define TOTP_DIGITS 6
#define TOTP_SECRET_MIN ((size_t)10)
#define TOTP_SECRET_MAX ((size_t)64)
#define TOTP_SECRET_NEW                                                                            \
	((size_t)20) /* bytes of those that we make; a key as long as its hash, RFC 4226 */
#define TOTP_BASE32_SIZE ((TOTP_SECRET_MAX * 8 + 4) / 5 + 1)

struct totp_secret {
	unsigned char bytes[TOTP_SECRET_MAX];
	size_t n; /* 0: none */
};

enum totp_result {
	TOTP_WRONG,
	TOTP_RIGHT,
	TOTP_USED, /* right, but this code or a later one was used before */
};

/* A new one, from the system's random numbers. */
void totp_secret_make(struct totp_secret *ret);
void totp_secret_wipe(struct totp_secret *secret);
/*
 * Base32 by RFC 4648: 10 to 64 bytes; in either case, blanks and hyphens between groups and padding at the end are
 * allowed. 0 or -EINVAL.
 */
int totp_secret_from_base32(const char *text, struct totp_secret *ret) _nodiscard_;
/* In upper case and without padding. */
void totp_secret_base32(const struct totp_secret *secret, char ret[TOTP_BASE32_SIZE]);

/* The step that a wall time lies in. */
int64_t totp_step(int64_t wall_ms);
/* The code of STEP: 0, or -ENOTSUP when libcrypto has no HMAC-SHA-1 here. */
int totp_code(const struct totp_secret *secret, int64_t step,
	      char ret[TOTP_DIGITS + 1]) _nodiscard_;
/*
 * Is CODE, as typed, that of the present step or of one beside it? Only a code of a step after LAST_STEP is right
 * (-1: none was used yet): keep *ret_step durably before anything is done because of it. Blanks in CODE do not count.
 */
enum totp_result totp_verify(const struct totp_secret *secret, const char *code, int64_t wall_ms,
			     int64_t last_step, int64_t *ret_step) _nodiscard_;
