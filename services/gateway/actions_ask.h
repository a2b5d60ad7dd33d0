/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Questions to the safety gate on their way: each is a command on the bus, and waits for its reply. An exchange is
 * answered exactly once: by the reply, or when its time is over.
 */
#include "services/gateway/gateway.h"

#define ASK_WAITING_MAX 16 /* that may wait for the end of an action; more get 202 at once */
#define ASK_REPLY_MS 3000  /* in which the gate must have said something */

struct asks;

struct asks *asks_new(struct gateway *gateway) _nodiscard_;
/* Answers all that wait: the gateway is ending. NULL is nothing. */
void asks_free(struct asks *asks);
/* A reply came for one of ours. */
void asks_on_reply(void *gateway, const struct msg *msg);
