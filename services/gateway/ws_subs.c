/* SPDX-License-Identifier: MIT */
/*
 * Subscriptions of one client. While a snapshot is under way no changes are sent: it covers all that was there when
 * it began (snap_target), and afterwards the changes begin at that very number. So the client is never told of a
 * change to something it has not got.
 */
#include "services/gateway/ws_client.h"

#include <inttypes.h>

#include "common/alloc.h"

static void sub_done(struct ws_sub *sub)
{
	for (size_t i = 0; i < sub->filters_n; i++)
		free(sub->filters[i]);
	free(sub->filters);
	free(sub->id);
	*sub = (struct ws_sub){ 0 };
}

static size_t find_sub(const struct ws_client *client, const char *id)
{
	size_t i = 0;

	while (i < client->subs_n && !str_eq(client->subs[i].id, id))
		i++;
	return i;
}

/* The view of all live subscriptions. */
static void rebuild_view(struct ws_client *client)
{
	const char *filters[WS_SUBS_MAX * WS_FILTERS_MAX];
	struct view *old = client->view;
	size_t n = 0;

	for (size_t i = 0; i < client->subs_n; i++) {
		const struct ws_sub *sub = &client->subs[i];

		for (size_t f = 0; sub->live && f < sub->filters_n; f++)
			filters[n++] = sub->filters[f];
	}
	client->view = n ? view_get(client->shared->views, filters, n, client->allowed) : NULL;
	view_unref(old);
}

static void stop_snapshot(struct ws_client *client)
{
	view_unref(client->snap_view);
	client->snap_view = NULL;
}

static void drop_sub(struct ws_client *client, size_t i)
{
	/* The others of the same batch begin again: simple, and nobody does it. */
	if (client->snap_view)
		stop_snapshot(client);
	sub_done(&client->subs[i]);
	client->subs_n--;
	memmove(&client->subs[i], &client->subs[i + 1],
		(client->subs_n - i) * sizeof(client->subs[0]));
	client->subs[client->subs_n] = (struct ws_sub){ 0 };
	rebuild_view(client);
}

static void say_error(struct ws_client *client, const char *id, const char *code, const char *text)
{
	_cleanup_(str_done) struct str json = { 0 };
	struct json_writer w = { .out = &json };

	json_object_begin(&w, NULL);
	json_add_str(&w, "op", "err");
	json_add_raw(&w, "id", id);
	json_add_str(&w, "code", code);
	json_add_str(&w, "detail", text);
	json_object_end(&w);
	ws_client_say(client, str_get(&json));
}

static void subscribe(struct ws_client *client, const struct ws_command *command)
{
	size_t i = find_sub(client, command->id);
	struct ws_sub *sub;

	if (i < client->subs_n)
		drop_sub(client, i);
	if (client->subs_n == WS_SUBS_MAX) {
		say_error(client, command->id, "too_many", "at most 16 subscriptions a connection");
		return;
	}
	sub = &client->subs[client->subs_n++];
	sub->id = xstrdup(command->id);
	sub->filters_n = command->filters_n;
	sub->filters = xcalloc(command->filters_n, sizeof(*sub->filters));
	for (i = 0; i < command->filters_n; i++)
		sub->filters[i] = xstrdup(command->filters[i]);
}

static void pong(struct ws_client *client, const char *id)
{
	_cleanup_(str_done) struct str json = { 0 };
	struct json_writer w = { .out = &json };

	json_object_begin(&w, NULL);
	json_add_str(&w, "op", "pong");
	if (id)
		json_add_raw(&w, "id", id);
	json_add_i64(&w, "now", clock_wall_ms(client->shared->clock));
	json_object_end(&w);
	ws_client_say(client, str_get(&json));
}

void ws_subs_handle(struct ws_client *client, const struct ws_command *command)
{
	size_t i;

	switch (command->op) {
	case WS_OP_SUB:
		subscribe(client, command);
		break;
	case WS_OP_UNSUB:
		i = find_sub(client, command->id);
		if (i < client->subs_n)
			drop_sub(client, i);
		else
			say_error(client, command->id, "unknown", "no such subscription");
		break;
	case WS_OP_PING:
		pong(client, command->id);
		break;
	}
}

/* Begins the snapshot of the first subscription that has none; false when all are live. */
static bool begin_snapshot(struct ws_client *client, int64_t now_ms)
{
	size_t i = 0;

	while (i < client->subs_n && client->subs[i].live)
		i++;
	if (i == client->subs_n)
		return false;
	client->snap_sub = i;
	client->snap_view =
		view_get(client->shared->views, (const char *const *)client->subs[i].filters,
			 client->subs[i].filters_n, client->allowed);
	client->snap_pos = 0;
	/* Changes go on from here for all; what the others are behind was sent just before. */
	if (!client->view)
		client->pos = view_snapshot_target(client->snap_view, now_ms);
	client->snap_target = client->pos;
	return true;
}

static struct ws_frame *next_page(struct ws_client *client, int64_t now_ms)
{
	struct ws_frame *frame = view_snapshot(client->snap_view, client->subs[client->snap_sub].id,
					       &client->snap_pos, client->snap_target, now_ms);

	if (client->snap_pos >= client->snap_target) {
		client->subs[client->snap_sub].live = true;
		stop_snapshot(client);
		rebuild_view(client);
	}
	return frame;
}

/* Something was lost for good between the client and now: everything again. */
static struct ws_frame *reset(struct ws_client *client)
{
	static const char text[] = "{\"op\":\"reset\"}";

	for (size_t i = 0; i < client->subs_n; i++)
		client->subs[i].live = false;
	stop_snapshot(client);
	rebuild_view(client);
	client->pos = mirror_seq(client->shared->mirror);
	client->shared->stats.resets++;
	return ws_frame_new(WS_TEXT, text, sizeof(text) - 1);
}

struct ws_frame *ws_subs_next(struct ws_client *client, bool due)
{
	const struct mirror *mirror = client->shared->mirror;
	int64_t now_ms = clock_boot_ms(client->shared->clock);
	struct ws_frame *frame = NULL;
	bool waiting = client->subs_n && !client->subs[client->subs_n - 1].live;

	if (client->snap_view)
		return next_page(client, now_ms);
	if (!client->view)
		client->pos = mirror_seq(mirror);
	if (client->pos < mirror_floor(mirror) && client->view)
		return reset(client);
	if ((due || waiting) && ws_client_is_behind(client)) {
		frame = view_changes(client->view, &client->pos, now_ms);
		if (frame) {
			client->batch_ms = now_ms;
			return frame;
		}
	}
	/* A snapshot begins where all changes so far are sent. */
	if (!ws_client_is_behind(client) && begin_snapshot(client, now_ms))
		return next_page(client, now_ms);
	return NULL;
}

void ws_subs_done(struct ws_client *client)
{
	stop_snapshot(client);
	view_unref(client->view);
	client->view = NULL;
	while (client->subs_n)
		sub_done(&client->subs[--client->subs_n]);
}
