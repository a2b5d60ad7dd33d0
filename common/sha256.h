/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * SHA-256 as it stands in documents and policies: in hexadecimal.
 */
#include "common/base.h"

#define SHA256_HEX_SIZE 65 /* with the NUL */

void sha256_hex(const void *bytes, size_t n, char ret[SHA256_HEX_SIZE]);
