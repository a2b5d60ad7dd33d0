/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What people keep in mind.
 */
#include "tests/reference/whole/check.h"

struct people {
	int64_t pause_ms; /* at most, between two things that they do */
	unsigned serial;
	unsigned well_n; /* for so many seconds both have been there */
	unsigned eager;	 /* decisions that somebody is about to make */
};
