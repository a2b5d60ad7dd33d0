/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The kill switch as the executor sees it: a file, or no live word from the gate that it is not frozen. What is not
 * known counts as frozen. Reads pass.
 */
#include "common/topics.h"

#define FREEZE_HEARD_MS 15000

struct freeze {
	char *path; /* $runtime/frozen */
	bool heard;
	bool is_frozen; /* as last heard */
	int64_t heard_ms;
};

void freeze_init(struct freeze *freeze, const char *runtime_dir);
void freeze_done(struct freeze *freeze);
/* Takes a heartbeat in; a retained one proves nothing. */
void freeze_take(struct freeze *freeze, const struct msg_autonomy_state *state, bool retained,
		 int64_t boot_ms);
/* Why nothing of TIER may be done now; NULL when it may. Static text. */
const char *freeze_stops(const struct freeze *freeze, enum tier tier, int64_t boot_ms);
