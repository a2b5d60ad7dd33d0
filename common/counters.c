/* SPDX-License-Identifier: MIT */
/*
 * A short list of counters: a few dozen, so a walk finds one fast enough.
 */
#include "common/counters.h"

#include "common/alloc.h"
#include "common/str.h"

#define COUNTERS_MAX 64

struct counters {
	struct num_entry entries[COUNTERS_MAX];
	size_t n;
};

struct counters *counters_new(void)
{
	return xnew(struct counters);
}

void counters_free(struct counters *counters)
{
	free(counters);
}

static int64_t *find(struct counters *counters, const char *name)
{
	for (size_t i = 0; i < counters->n; i++) {
		if (counters->entries[i].key == name || str_eq(counters->entries[i].key, name))
			return &counters->entries[i].value;
	}
	if (counters->n == COUNTERS_MAX)
		return &counters->entries[COUNTERS_MAX - 1].value;
	counters->entries[counters->n].key = counters->n == COUNTERS_MAX - 1 ? "other" : name;
	return &counters->entries[counters->n++].value;
}

void counter_add(struct counters *counters, const char *name, int64_t n)
{
	*find(counters, name) += n;
}

void counter_set(struct counters *counters, const char *name, int64_t value)
{
	*find(counters, name) = value;
}

const struct num_entry *counters_get(const struct counters *counters, size_t *n)
{
	*n = counters->n;
	return counters->entries;
}
