/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Where civetweb's threads meet the loop: the only file with a mutex. A worker fills an exchange, asks, and waits; the
 * loop answers when it can. Whoever waited too long takes nothing from the exchange any more, so the loop may answer
 * late into it without harm.
 */
#include "services/gateway/request.h"

#include <uv.h>

struct bridge;

struct exchange {
	struct request request;	  /* filled by the worker before bridge_ask(); constant then */
	struct response response; /* filled by the loop before bridge_answer() */
	struct arena *arena;	  /* for the request, and for what the loop makes of it */
	int route;		  /* the loop's */
	/* bridge.c's */
	struct bridge *bridge;
	unsigned refs;
	bool answered;
	pthread_cond_t cond;
};

struct bridge_options {
	uv_loop_t *loop;
	/* On the loop: a request came. bridge_answer() must be called once, now or later. */
	void (*on_request)(void *ctx, struct exchange *exchange);
	/* On the loop: the socket of an accepted WebSocket; it is the callee's. */
	void (*on_socket)(void *ctx, uint64_t ticket, int fd);
	void *ctx;
};

struct bridge *bridge_new(const struct bridge_options *options) _nodiscard_;

/* ── for workers ───────────────────────────────────────────────────────────────────────────────────────────── */

struct exchange *exchange_new(struct bridge *bridge) _nodiscard_;
/* 0 with an answer in exchange->response; -ETIMEDOUT after DEADLINE_MS; -ESHUTDOWN when the gateway is ending. */
int bridge_ask(struct exchange *exchange, unsigned deadline_ms) _nodiscard_;
void exchange_unref(struct exchange *exchange);
DEFINE_FREEP(struct exchange, exchange_unref)
/* Gives FD to the loop; closes it when the gateway is ending. */
void bridge_hand_over(struct bridge *bridge, uint64_t ticket, int fd);

/* ── for the loop ──────────────────────────────────────────────────────────────────────────────────────────── */

/* The response is complete. The exchange must not be touched afterwards. */
void bridge_answer(struct exchange *exchange);
/* Nobody may ask any more; what is in the queue is refused. What on_request() was given may still be answered. */
void bridge_close(struct bridge *bridge);
/* When no worker is left and all is answered; the loop must run once more for the memory to go. */
void bridge_free(struct bridge *bridge);
