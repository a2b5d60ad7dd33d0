/* SPDX-License-Identifier: MIT */
/*
 * Reads UPIDs; what they may look like is tool_pattern_match()'s to say.
 */
#include "services/executor/upid.h"

#include "common/tools.h"

#include <string.h>

enum { PART_UPID, PART_NODE, PART_PID, PART_PSTART, PART_START, PART_TYPE, PART_ID, PART_USER };

static bool copy_part(const char *from, size_t length, char *to, size_t room)
{
	if (length >= room)
		return false;
	memcpy(to, from, length);
	to[length] = '\0';
	return true;
}

static bool take_part(struct upid *ret, int part, const char *from, size_t length)
{
	char start[16];

	switch (part) {
	case PART_NODE:
		return copy_part(from, length, ret->node, sizeof(ret->node));
	case PART_START:
		if (!copy_part(from, length, start, sizeof(start)))
			return false;
		ret->start_s = (int64_t)strtoull(start, NULL, 16);
		return true;
	case PART_TYPE:
		return copy_part(from, length, ret->type, sizeof(ret->type));
	case PART_ID:
		return copy_part(from, length, ret->id, sizeof(ret->id));
	case PART_USER:
		return copy_part(from, length, ret->user, sizeof(ret->user));
	default:
		return true;
	}
}

bool upid_parse(const char *text, struct upid *ret)
{
	int part = PART_UPID;

	*ret = (struct upid){ 0 };
	if (!tool_pattern_match(PATTERN_UPID, text) || strlen(text) >= UPID_BYTES)
		return false;
	for (; part <= PART_USER; part++) {
		size_t length = strcspn(text, ":");

		if (!take_part(ret, part, text, length))
			return false;
		text += length + 1;
	}
	return true;
}
