/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * UTF-8, as strictly as Unicode defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#include "common/str.h"

/* Bytes of the well-formed sequence at P, of which LEFT (at least 1) may be read; 0 when it is not one. */
size_t utf8_length(const unsigned char *p, size_t left);
/* The code point of a well-formed sequence of LENGTH bytes at P. */
uint32_t utf8_code_point(const unsigned char *p, size_t length);
/* Controls, and what cannot be seen or changes the direction of writing: text with it may look like another. */
bool utf8_is_hidden(uint32_t c);
/* Appends the code point C, which is no surrogate and at most 0x10ffff. */
void utf8_add(struct str *out, uint32_t c);
