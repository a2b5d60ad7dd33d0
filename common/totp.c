/* SPDX-License-Identifier: MIT */
/*
 * All three steps are always compared, in constant time, so that nothing tells how near a guess was.
 */
#include "common/totp.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/hmac.h>
#include <sodium.h>

#define SHA1_BYTES 20
#define CODES 1000000u

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

void totp_secret_make(struct totp_secret *ret)
{
	ret->n = TOTP_SECRET_NEW;
	randombytes_buf(ret->bytes, ret->n);
}

void totp_secret_wipe(struct totp_secret *secret)
{
	sodium_memzero(secret, sizeof(*secret));
}

/* ── base32 ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static int digit_of(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	at = c ? strchr(alphabet, c) : NULL;
	return at ? (int)(at - alphabet) : -1;
}

/* What is left of the last digit must be zeros, and no whole digit too many. */
static bool ends_well(unsigned left, unsigned bits)
{
	return bits < 5 && (left & ((1u << bits) - 1)) == 0;
}

static int decode(const char *text, struct totp_secret *secret)
{
	unsigned value = 0, bits = 0;
	bool padded = false;

	for (; *text; text++) {
		int digit = digit_of(*text);

		if (strchr(" \t-", *text))
			continue;
		padded = padded || *text == '=';
		if (padded ? *text != '=' : digit < 0)
			return -EINVAL;
		if (padded)
			continue;
		value = (value << 5 | (unsigned)digit) & 0xfff;
		bits += 5;
		if (bits < 8)
			continue;
		if (secret->n == TOTP_SECRET_MAX)
			return -EINVAL;
		bits -= 8;
		secret->bytes[secret->n++] = (unsigned char)(value >> bits);
	}
	return ends_well(value, bits) && secret->n >= TOTP_SECRET_MIN ? 0 : -EINVAL;
}

int totp_secret_from_base32(const char *text, struct totp_secret *ret)
{
	struct totp_secret secret = { .n = 0 };
	int r = decode(text, &secret);

	if (r == 0)
		*ret = secret;
	totp_secret_wipe(&secret);
	return r;
}

void totp_secret_base32(const struct totp_secret *secret, char ret[TOTP_BASE32_SIZE])
{
	unsigned value = 0, bits = 0;

	for (size_t i = 0; i < secret->n; i++) {
		value = (value << 8 | secret->bytes[i]) & 0xfff;
		for (bits += 8; bits >= 5; bits -= 5)
			*ret++ = alphabet[value >> (bits - 5) & 31];
	}
	if (bits)
		*ret++ = alphabet[value << (5 - bits) & 31];
	*ret = '\0';
}

/* ── codes ───────────────────────────────────────────────────────────────────────────────────────────────────── */

int64_t totp_step(int64_t wall_ms)
{
	return wall_ms / TOTP_STEP_MS;
}

int totp_code(const struct totp_secret *secret, int64_t step, char ret[TOTP_DIGITS + 1])
{
	unsigned char counter[8], mac[EVP_MAX_MD_SIZE];
	unsigned length = 0, at, number;

	for (int i = 0; i < 8; i++)
		counter[i] = (unsigned char)((uint64_t)step >> (56 - 8 * i));
	if (!HMAC(EVP_sha1(), secret->bytes, (int)secret->n, counter, sizeof(counter), mac,
		  &length) ||
	    length != SHA1_BYTES)
		return -ENOTSUP;
	at = mac[SHA1_BYTES - 1] & 15;
	number = (mac[at] & 0x7fu) << 24 | (unsigned)mac[at + 1] << 16 |
		 (unsigned)mac[at + 2] << 8 | mac[at + 3];
	(void)snprintf(ret, TOTP_DIGITS + 1, "%06u", number % CODES);
	sodium_memzero(mac, sizeof(mac));
	return 0;
}

/* Takes the digits out of "123 456"; false when there is anything else in it. */
static bool read_digits(const char *typed, char ret[TOTP_DIGITS + 1])
{
	size_t n = 0;

	for (; *typed; typed++) {
		if (*typed == ' ')
			continue;
		if (*typed < '0' || *typed > '9' || n == TOTP_DIGITS)
			return false;
		ret[n++] = *typed;
	}
	ret[n] = '\0';
	return n == TOTP_DIGITS;
}

enum totp_result totp_verify(const struct totp_secret *secret, const char *code, int64_t wall_ms,
			     int64_t last_step, int64_t *ret_step)
{
	char typed[TOTP_DIGITS + 1], expected[TOTP_DIGITS + 1];
	int64_t found = -1, now = totp_step(wall_ms);

	if (secret->n < TOTP_SECRET_MIN || !read_digits(code, typed))
		return TOTP_WRONG;
	for (int64_t step = now - 1; step <= now + 1; step++) {
		if (totp_code(secret, step, expected) == 0 &&
		    sodium_memcmp(typed, expected, TOTP_DIGITS) == 0)
			found = max_of(found, step);
	}
	sodium_memzero(typed, sizeof(typed));
	sodium_memzero(expected, sizeof(expected));
	if (found < 0)
		return TOTP_WRONG;
	if (found <= last_step)
		return TOTP_USED;
	*ret_step = found;
	return TOTP_RIGHT;
}
