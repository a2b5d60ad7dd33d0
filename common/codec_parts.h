/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What the four files of the codec share.
 */
#include "common/base.h"

/* A number whose resolution is ANY is written to this, so less than this is no change. */
#define CODEC_F64_STEP 1e-6

/* The largest integer that every JSON reader keeps exactly. */
#define CODEC_INTEGER_MAX 9007199254740991

/* A text in a list of texts. */
#define CODEC_STRS_MAX_BYTES 1024

/* A list is `const T *field; size_t field_n;`: the count stands behind the pointer. */
static inline size_t codec_get_count(const void *at)
{
	return *(const size_t *)((const char *)at + sizeof(void *));
}
static inline void codec_set_count(void *at, size_t n)
{
	*(size_t *)((char *)at + sizeof(void *)) = n;
}
