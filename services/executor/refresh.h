/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Has the poller look again at what was touched, so that whoever reads the result reads the present state beside it.
 * Bounded: a poller that does not answer holds no result back for long.
 */
#include "common/service.h"

#define REFRESH_OBJECTS_MAX 6
#define REFRESH_WAIT_MS 10000

struct refresh;
struct refresh_wait;

struct refresh *refresh_new(struct service_env *env) _nodiscard_;
/* Nobody is called. NULL is nothing. */
void refresh_free(struct refresh *refresh);

/*
 * Asks for N objects, topics below the base. FN is called once, later: answered, or too late. NULL when nobody would
 * answer (no link to the broker); FN is then not called.
 */
struct refresh_wait *refresh_ask(struct refresh *refresh, const char *const *objects, size_t n,
				 void (*fn)(void *ctx), void *ctx);
/* FN will not be called. NULL is nothing. */
void refresh_cancel(struct refresh_wait *wait);
/* A reply to us has come; those of others are ignored. */
void refresh_on_reply(struct refresh *refresh, const struct msg_reply *reply);
