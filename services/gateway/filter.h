/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * MQTT's topic filters, for what a browser subscribes to. Pure.
 */
#include "common/base.h"

/* A filter that may be subscribed to: levels of [A-Za-z0-9_.=-], `+`, and `#` at the end. */
bool filter_is_valid(const char *filter);
/* MQTT's rules. */
bool filter_matches(const char *filter, const char *topic);
