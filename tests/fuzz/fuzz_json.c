/* SPDX-License-Identifier: MIT */
/*
 * The JSON scanner and writer with any bytes. What must hold: a stricter class accepts nothing that a laxer one
 * refuses; cJSON parses whatever is accepted; what the writer makes of any text is accepted.
 */
#include "common/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = xmemdup(data, size);
	_cleanup_(freep) char *line = xstrndup(size ? text : "", size);
	_cleanup_(str_done) struct str out = { 0 };
	struct json_writer w = { .out = &out };
	bool is_command = json_scan(text, size, JSON_COMMAND, NULL) == 0;
	bool is_state = json_scan(text, size, JSON_STATE, NULL) == 0;
	struct json_error error = { 0, NULL };
	cJSON *tree = NULL;
	int r = json_parse(text, size, JSON_FOREIGN, &tree, &error);

	require(r == 0 || (error.text && error.offset <= size));
	require((r == 0) == (json_scan(text, size, JSON_FOREIGN, NULL) == 0));
	require(!is_state || r == 0);
	require(!is_command || is_state);
	cJSON_Delete(tree);
	json_object_begin(&w, NULL);
	json_add_str(&w, line, line);
	json_object_end(&w);
	require(json_scan(str_get(&out), out.len, JSON_FOREIGN, NULL) == 0);
	return 0;
}
