/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Internal to action*.c.
 */
#include "jarvisctl/action.h"

/* What is approved, for people; SHOWN are the bytes of the digest, parsed. */
void action_show_approved(const cJSON *shown, bool colour, struct str *out);
