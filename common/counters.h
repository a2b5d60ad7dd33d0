/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What a service counts since its start; shown in service_health and /metrics. Names are static text,
 * [a-z0-9_]+, and a few dozen at most.
 */
#include "common/base.h"
#include "common/topics.h"

struct counters;

struct counters *counters_new(void) _nodiscard_;
void counters_free(struct counters *counters);
/* A counter that was never added to does not exist. Past 64 names further ones are counted as "other". */
void counter_add(struct counters *counters, const char *name, int64_t n);
/* For values that somebody else counts. */
void counter_set(struct counters *counters, const char *name, int64_t value);
/* Borrowed; for service_health. */
const struct num_entry *counters_get(const struct counters *counters, size_t *n);
