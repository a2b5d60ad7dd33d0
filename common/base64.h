/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Base64 with padding (RFC 4648, section 4), strictly: a text that decodes is the only one for its bytes. libsodium's
 * own decoder takes every byte above 0x7f for a slash.
 */
#include "common/base.h"

/* Characters for N bytes, with the NUL. */
#define BASE64_SIZE(n) (((n) + 2) / 3 * 4 + 1)

/* RET has room for BASE64_SIZE(N). */
void base64_build(const void *bytes, size_t n, char *ret);
/* All of TEXT into at most SIZE bytes: 0 or -EINVAL. */
int base64_parse(const char *text, void *ret, size_t size, size_t *ret_n) _nodiscard_;
