/* SPDX-License-Identifier: MIT */
/*
 * The one place where a SHA-256 becomes text.
 */
#include "common/sha256.h"

#include <sodium.h>

void sha256_hex(const void *bytes, size_t n, char ret[SHA256_HEX_SIZE])
{
	unsigned char hash[crypto_hash_sha256_BYTES];

	_Static_assert(SHA256_HEX_SIZE == 2 * crypto_hash_sha256_BYTES + 1, "two digits a byte");
	(void)crypto_hash_sha256(hash, bytes, n);
	(void)sodium_bin2hex(ret, SHA256_HEX_SIZE, hash, sizeof(hash));
}
