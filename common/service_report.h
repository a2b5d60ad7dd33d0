/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What every service says about itself: info, health every 10 s, warnings on its log topic. Used by service.c.
 */
#include "common/service.h"

struct report;

/* ENV and its bus outlive it. SID changes with every start. */
struct report *report_new(struct service_env *env, enum service_id service,
			  const char *sid) _nodiscard_;
void report_free(struct report *report);
/* Sets the info document; again when the configuration changed. */
void report_info(struct report *report);
