/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * One WebSocket client: its socket, what is on its way to it, what it subscribed to. Used by ws.c alone.
 */
#include "services/gateway/limits.h"
#include "services/gateway/view.h"
#include "services/gateway/ws.h"
#include "services/gateway/ws_message.h"

#define WS_SUBS_MAX 16
#define WS_OUT_MAX 64
#define WS_MESSAGES_PER_S 20.0
#define WS_MESSAGES_BURST 40.0

/* What all clients share. */
struct ws_shared {
	uv_loop_t *loop;
	const struct clock *clock;
	const struct mirror *mirror;
	struct view_hub *views;
	struct ws_stats stats;
	unsigned char buffer[WS_MESSAGE_MAX]; /* for receiving */
	void (*on_use)(void *ctx, uint64_t owner);
	void *use_ctx;
	struct ws_client *clients;
};

struct ws_sub {
	char *id; /* JSON */
	char **filters;
	size_t filters_n;
	bool live; /* its snapshot is through */
};

struct ws_client {
	struct ws_shared *shared;
	struct ws_client *prev, *next; /* in shared->clients */
	uv_poll_t poll;
	int fd;
	uint64_t owner;
	uint64_t allowed;

	struct ws_parser parser;
	struct bucket rate;
	int64_t heard_ms, pinged_ms;

	struct ws_frame *out[WS_OUT_MAX]; /* the first one may be sent in part */
	size_t out_n;
	size_t out_at;	     /* bytes of out[0] that are sent */
	int64_t progress_ms; /* when bytes last moved, or the queue began */
	int64_t shut_ms;     /* since when its window is seen to be closed; 0: it is open */
	int64_t batch_ms;    /* when it was last told of changes */

	struct ws_sub subs[WS_SUBS_MAX];
	size_t subs_n;
	struct view *view;	/* of all live subs; NULL: none */
	uint64_t pos;		/* the client has everything up to here */
	struct view *snap_view; /* of the sub whose snapshot is being sent; NULL: none */
	size_t snap_sub;
	uint64_t snap_pos, snap_target;

	bool closing; /* a close frame is queued; nothing else follows */
	int64_t closing_ms;
	bool gone;
};

/* Takes FD over and says hello. NULL (and FD closed) when it cannot be watched. */
struct ws_client *ws_client_new(struct ws_shared *shared, int fd, uint64_t owner, uint64_t allowed,
				const char *hello) _nodiscard_;
/* Sends what is due; a new batch only when none is under way and DUE. */
void ws_client_pump(struct ws_client *client, bool due);
/* Says why and closes once that is sent. */
void ws_client_close(struct ws_client *client, int code, const char *why);
/* Cuts it off; ABRUPT throws away what the kernel still holds. It leaves the list and frees itself. */
void ws_client_kill(struct ws_client *client, bool abrupt);
/* Pings, and evicts whoever is silent or stalled. */
void ws_client_check(struct ws_client *client, int64_t now_ms);
/* True when the mirror has something newer than the client. */
bool ws_client_is_behind(const struct ws_client *client);

/* ws_subs.c: what the client subscribed to, and the frames that come of it. */
void ws_subs_handle(struct ws_client *client, const struct ws_command *command);
/* The next frame of data, or NULL. DUE: a new batch may begin. */
struct ws_frame *ws_subs_next(struct ws_client *client, bool due) _nodiscard_;
void ws_subs_done(struct ws_client *client);
/* Queues a small frame of text; the client is evicted when it does not read. */
void ws_client_say(struct ws_client *client, const char *json);
