/* SPDX-License-Identifier: MIT */
/*
 * jarvis.yaml with any bytes: either a configuration and no errors, or none and at least one whole line of
 * printable text.
 */
#include "common/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(str_done) struct str errors = { 0 };
	int r = config_parse("fuzz", (const char *)data, size, &config, &errors);

	if (r == 0) {
		require(config && !errors.len);
		require(strlen(config_digest(config)) == CONFIG_DIGEST_LENGTH);
		return 0;
	}
	require(!config && str_starts(str_get(&errors), "fuzz:") &&
		str_ends(str_get(&errors), "\n"));
	for (size_t i = 0; i < errors.len; i++)
		require(errors.data[i] == '\n' || (errors.data[i] >= ' ' && errors.data[i] <= '~'));
	return 0;
}
