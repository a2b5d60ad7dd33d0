/* SPDX-License-Identifier: MIT */
#pragma once
/* Files of tests/data. */
#include "common/json.h"

/* What tests/data/NAME holds; the caller's. Tests run from the root of the repository. */
cJSON *data_json(const char *name) _nodiscard_;
