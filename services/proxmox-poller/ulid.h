/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * ULIDs: 26 characters that sort by time, of Crockford's base 32.
 */
#include "common/base.h"

#define ULID_LENGTH 26

/* Writes one for WALL_MS, with 80 random bits. */
void ulid_make(int64_t wall_ms, char out[ULID_LENGTH + 1]);
