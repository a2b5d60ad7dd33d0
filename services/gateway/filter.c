/* SPDX-License-Identifier: MIT */
/*
 * Topic filters, level by level.
 */
#include "services/gateway/filter.h"

#include "common/str.h"

bool filter_is_valid(const char *filter)
{
	static const char plain[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.=-";

	for (;;) {
		size_t length = strcspn(filter, "/");

		if (length == 1 && filter[0] == '#')
			return filter[1] == '\0';
		if (length == 0 ||
		    !(strspn(filter, plain) == length || (length == 1 && filter[0] == '+')))
			return false;
		if (!filter[length])
			return true;
		filter += length + 1;
	}
}

bool filter_matches(const char *filter, const char *topic)
{
	for (;;) {
		size_t f = strcspn(filter, "/");
		size_t t = strcspn(topic, "/");

		if (f == 1 && filter[0] == '#')
			return true;
		if (!(f == 1 && filter[0] == '+') && !(f == t && strncmp(filter, topic, f) == 0))
			return false;
		/* "a/#" matches "a" as well. */
		if (!topic[t])
			return !filter[f] || str_eq(filter + f, "/#");
		if (!filter[f])
			return false;
		filter += f + 1;
		topic += t + 1;
	}
}
