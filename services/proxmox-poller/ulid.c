/* SPDX-License-Identifier: MIT */
/*
 * 48 bits of time and 80 of chance, five at a time.
 */
#include "services/proxmox-poller/ulid.h"

#include <sodium.h>

#define TIME_DIGITS 10
#define RANDOM_DIGITS 16

void ulid_make(int64_t wall_ms, char out[ULID_LENGTH + 1])
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t time = (uint64_t)wall_ms & 0xFFFFFFFFFFFFu;
	unsigned char random[RANDOM_DIGITS];

	randombytes_buf(random, sizeof(random));
	for (size_t i = TIME_DIGITS; i-- > 0; time >>= 5)
		out[i] = digits[time & 31];
	for (size_t i = 0; i < RANDOM_DIGITS; i++)
		out[TIME_DIGITS + i] = digits[random[i] & 31];
	out[ULID_LENGTH] = '\0';
}
