/* SPDX-License-Identifier: MIT */
/*
 * What a node prints, with any bytes. What must hold: whatever is published is read by everybody who reads it by the
 * vocabulary; and there are readings only of a whole answer.
 */
#include "common/codec.h"
#include "services/thermal-collector/thermal_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = size ? xmemdup(data, size) : NULL;
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(str_done) struct str error = { 0 }, out = { 0 };
	struct msg_node_thermal doc = { .ts = 1, .cluster = "lab", .node = "pve1" };
	struct thermal_counts counts = { 0 };
	struct codec_error bad;
	void *back;
	int r = thermal_parse(text, size, arena, &doc, &counts, &error);

	require((r < 0) == (error.len > 0));
	if (r < 0) {
		require(!doc.temperatures_n && !doc.fans_n && !doc.cpu.has);
		return 0;
	}
	require(!doc.cpu.has || (doc.cpu.v >= -40 && doc.cpu.v <= 150));
	codec_encode(&message_node_thermal, &doc, &out);
	require(codec_decode(&message_node_thermal, str_get(&out), out.len, JSON_STATE,
			     CODEC_STRICT, arena, &back, &bad) == 0);
	require(!codec_changed(&message_node_thermal, &doc, back));
	return 0;
}
