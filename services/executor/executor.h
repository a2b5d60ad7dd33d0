/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The service: what the gate has approved is claimed, checked, done once, and reported.
 */
#include "common/service.h"

/* The hooks of service_def, and the handlers of its routes. */
int executor_start(struct service_env *env, void **ret);
void executor_stop(void *self);
void executor_free(void *self);
void executor_reload(void *self, const struct config *config);
void executor_on_online(void *self);
void executor_on_offline(void *self);

void executor_on_presence(void *self, const struct msg *msg);
void executor_on_document(void *self, const struct msg *msg);
void executor_on_autonomy(void *self, const struct msg *msg);
void executor_on_action(void *self, const struct msg *msg);
void executor_on_epoch(void *self, const struct msg *msg);
void executor_on_grant(void *self, const struct msg *msg);
void executor_on_cancel(void *self, const struct msg *msg);
void executor_on_reply(void *self, const struct msg *msg);
