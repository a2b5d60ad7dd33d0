/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * QR codes for a terminal: two rows of modules a line, black on white whatever the terminal's colours are.
 */
#include "common/str.h"

/* Appends the code of TEXT: 0, or -errno when it cannot be made. */
int qr_draw(const char *text, struct str *out);
