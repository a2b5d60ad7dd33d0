/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The service: all clusters of the configuration.
 */
#include "common/service.h"

struct poller;

/* The hooks of service_def, and the handler of request/proxmox-poller/{principal}. */
int poller_start(struct service_env *env, void **ret);
void poller_stop(void *self);
void poller_free(void *self);
void poller_reload(void *self, const struct config *config);
void poller_on_request(void *self, const struct msg *msg);
