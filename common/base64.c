/* SPDX-License-Identifier: MIT */
/*
 * libsodium's base64, in constant time, behind a look at the letters.
 */
#include "common/base64.h"

#include <errno.h>
#include <string.h>

#include <sodium.h>

void base64_build(const void *bytes, size_t n, char *ret)
{
	(void)sodium_bin2base64(ret, BASE64_SIZE(n), bytes, n, sodium_base64_VARIANT_ORIGINAL);
}

int base64_parse(const char *text, void *ret, size_t size, size_t *ret_n)
{
	size_t length = strlen(text), n;

	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] > 0x7f)
			return -EINVAL;
	}
	if (sodium_base642bin(ret, size, text, length, NULL, &n, NULL,
			      sodium_base64_VARIANT_ORIGINAL) != 0)
		return -EINVAL;
	*ret_n = n;
	return 0;
}
