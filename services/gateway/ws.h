/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The WebSocket clients. Each is a socket of the loop's own (server.c takes it away from civetweb after the
 * handshake), so a client costs a few hundred bytes and no thread. What a client has not read yet is at most one
 * frame of data and what the kernel holds; everything else waits in the mirror, where newer values replace older ones.
 */
#include "common/time.h"
#include "services/gateway/mirror.h"

#include <uv.h>

#define WS_TICK_MS                                                                                 \
	45 /* between two batches, but for the first; so the newest value is there within 50 */
#define WS_PING_AFTER_MS 5000 /* of silence */
#define WS_SILENT_MS 14000    /* then it is gone */
#define WS_STALLED_MS 1900    /* unsent bytes that do not move; it is looked at every half second */
#define WS_RESERVED                                                                                \
	8 /* places that one session or token cannot take, so that others can still come */

struct ws_hub;

struct ws_options {
	uv_loop_t *loop;
	const struct clock *clock;
	const struct mirror *mirror;
	const char *sid;     /* of this start of the gateway; copied */
	const char *version; /* copied */
	size_t max_clients;
	/* Is the session or token still good? Asked every second. */
	bool (*is_alive)(void *ctx, uint64_t owner);
	/* A person did something: the session is in use. */
	void (*on_use)(void *ctx, uint64_t owner);
	void *ctx;
};

struct ws_stats {
	size_t clients;
	int64_t opened, evicted, violations, frames, bytes, resets;
};

enum ws_admission {
	WS_ADMITTED,
	WS_FULL,       /* of all: 503 */
	WS_OWNER_FULL, /* of what one session or token may have: 429 */
};

struct ws_hub *ws_hub_new(const struct ws_options *options) _nodiscard_;
/*
 * Before the handshake: keeps a place for OWNER (a session's or token's number), who may see the topics in ALLOWED.
 * *TICKET is what ws_hub_open() needs; unused it lapses after ten seconds.
 */
enum ws_admission ws_hub_admit(struct ws_hub *hub, uint64_t owner, uint64_t allowed,
			       uint64_t *ticket);
/* After the handshake: FD is the hub's from now on. A ticket that lapsed closes it. */
void ws_hub_open(struct ws_hub *hub, uint64_t ticket, int fd);
/* The mirror changed: tells the clients, at once or with the next tick. */
void ws_hub_changed(struct ws_hub *hub);
/* Closes the sockets of OWNER with CODE. */
void ws_hub_close_owner(struct ws_hub *hub, uint64_t owner, int code, const char *why);
/* Admits nobody any more and says good-bye to all (1001); what does not leave within a second is cut off. */
void ws_hub_stop(struct ws_hub *hub);
/* Cuts off whoever is left. The loop must run once more for the memory to go. */
void ws_hub_free(struct ws_hub *hub);
const struct ws_stats *ws_hub_stats(const struct ws_hub *hub);
