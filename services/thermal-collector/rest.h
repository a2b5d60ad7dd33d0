/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * How long a node that failed is left alone. Pure; the dice are an argument.
 */
#include "common/base.h"

#define REST_MIN_MS 5000
#define REST_REFUSED_MIN_MS 60000
#define REST_MAX_MS 300000

/*
 * The rest after the Nth failure in a row: REST_MIN_MS (or PERIOD_MS, when that is shorter), doubling to
 * REST_MAX_MS, less up to a quarter by ROLL in [0, 1). A node that refused the login, or is not who it was, is not
 * knocked at so soon: each try is a line in its journal. Never less than a second.
 */
int64_t rest_ms(unsigned failures, int64_t period_ms, bool is_refused, double roll);
