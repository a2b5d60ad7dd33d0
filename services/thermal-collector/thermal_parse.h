/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Reads what deploy/nodes/jarvis-thermal prints, and judges it. A line that is not as it must be is dropped and
 * counted; an answer without its first or its last line is none. A reading that makes no sense (a floating input, a
 * sensor that is not there) is unknown, and counted: unknown is never 0. Pure.
 */
#include "common/alloc.h"
#include "common/str.h"
#include "common/topics.h"

#define THERMAL_TEMPERATURES_MAX 128
#define THERMAL_FANS_MAX 64

struct thermal_counts {
	unsigned bad_lines; /* not understood, or more than there is room for */
	unsigned nonsense;  /* readings and limits that cannot be true */
};

/*
 * LENGTH bytes at TEXT into RET (cpu, temperatures, fans; the rest is left alone); all it points to is in ARENA.
 * 0, or -EINVAL with a sentence in ERROR, when it is no answer of ours.
 */
int thermal_parse(const char *text, size_t length, struct arena *arena,
		  struct msg_node_thermal *ret, struct thermal_counts *counts,
		  struct str *error) _nodiscard_;
