/* SPDX-License-Identifier: MIT */
/*
 * Asked right before every side effect; the file costs one system call.
 */
#include "services/executor/freeze.h"

#include "common/str.h"

#include <errno.h>
#include <unistd.h>

void freeze_init(struct freeze *freeze, const char *runtime_dir)
{
	*freeze = (struct freeze){ .path = xasprintf("%s/frozen", runtime_dir) };
}

void freeze_done(struct freeze *freeze)
{
	free(freeze->path);
	freeze->path = NULL;
}

void freeze_take(struct freeze *freeze, const struct msg_autonomy_state *state, bool retained,
		 int64_t boot_ms)
{
	/* That it is frozen is believed in any case. */
	if (retained && !(state && state->frozen))
		return;
	freeze->heard = !retained && state;
	freeze->is_frozen = !state || state->frozen;
	freeze->heard_ms = boot_ms;
}

static bool has_file(const char *path)
{
	/* A folder that cannot be looked into may hold it. */
	return access(path, F_OK) == 0 || errno != ENOENT;
}

const char *freeze_stops(const struct freeze *freeze, enum tier tier, int64_t boot_ms)
{
	if (tier == TIER_GREEN)
		return NULL;
	if (has_file(freeze->path))
		return "frozen by the file in the runtime folder";
	if (freeze->is_frozen)
		return "frozen";
	if (!freeze->heard || boot_ms - freeze->heard_ms > FREEZE_HEARD_MS)
		return "the safety gate was not heard for 15 s, which counts as frozen";
	return NULL;
}
