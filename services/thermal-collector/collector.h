/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The service: all nodes of all clusters that have a section `thermal`.
 */
#include "common/service.h"

/* The hooks of service_def. */
int collector_start(struct service_env *env, void **ret);
void collector_stop(void *self);
void collector_free(void *self);
void collector_reload(void *self, const struct config *config);
