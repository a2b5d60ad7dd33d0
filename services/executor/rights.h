/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What a token may do, from /access/permissions, against what the tools need. A token that may destroy guests or
 * hand out rights turns every other mistake into a catastrophe, so nothing is done with one until its owner has said
 * in the configuration that it is to be so. Pure.
 */
#include "common/json.h"

struct rights {
	char excess
		[256]; /* privileges that no tool needs: "VM.Allocate on /vms, …"; "" when there are none */
	char missing[256]; /* privileges that some tool needs, held nowhere */
};

/* ACCEPTED are N privileges that may be held beyond need. 0, or -EINVAL when ANSWER is no answer. */
int rights_read(const cJSON *answer, const char *const *accepted, size_t n, struct rights *ret);
