/* SPDX-License-Identifier: MIT */
/*
 * Read through the same scanner as what comes from outside.
 */
#include "tests/unit/data.h"

#include "tests/unit/check.h"

#include <stdio.h>

cJSON *data_json(const char *name)
{
	_cleanup_(freep) char *path = xasprintf("tests/data/%s", name);
	_cleanup_(freep) char *text = xcalloc(1, 65536);
	struct json_error error = { 0, "" };
	FILE *file = fopen(path, "re");
	cJSON *tree = NULL;
	size_t length;

	if (!file)
		fail_msg("%s is missing; run tests from the root of the repository", path);
	length = fread(text, 1, 65535, file);
	(void)fclose(file);
	if (json_parse(text, length, JSON_FOREIGN, &tree, &error) < 0)
		fail_msg("%s: %s at %zu", path, error.text, error.offset);
	return tree;
}
