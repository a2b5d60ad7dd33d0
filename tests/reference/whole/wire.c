/* SPDX-License-Identifier: MIT */
/*
 * The way to Proxmox and back, in place of the HTTP client: a request arrives or not, in time or too late; its answer
 * comes, is another one, or is lost. One that whoever sent it has given up may still arrive.
 */
#include "common/alloc.h"
#include "tests/reference/whole/check.h"
#include "tests/reference/whole/pve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 15000
#define CONNECT_MS 3000
#define LATE_MS 30000

enum fate {
	FATE_WELL,
	FATE_UNREACHABLE, /* not a byte of it has left */
	FATE_LOST,	  /* left, and never came */
	FATE_CUT,	  /* came, and the answer was lost */
	FATE_LATE,	  /* came when nobody waited for it any more */
	FATE_NO_PATH,	  /* 595 */
	FATE_CUT_BEHIND,  /* 596, of the node that was asked to hand it on */
	FATE_AUTH,	  /* 401 */
	FATE_BUSY,	  /* 500, before anything is done */
	FATE_GARBLED,	  /* came, and the answer makes no sense */
	FATE_WITHHELD,	  /* nobody wanted it any more when the connection was there */
};

struct http_call {
	struct whole *w;
	struct side *side;
	char *request, *form;
	char gid[40]; /* whose change it is; "": a read, or a stop */
	enum fate fate;
	bool (*may_send)(void *ctx);
	http_done_fn done;
	void *ctx;
	struct event *answer; /* or of its connection; NULL: nobody waits for it any more */
	bool is_on_its_way;
	struct str body;
	const char *reason;
	int status;
};

/* ── fates ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static enum fate fate_of(struct whole *w)
{
	static const enum fate refusals[] = { FATE_NO_PATH, FATE_AUTH, FATE_BUSY };
	const struct weather *weather = &w->weather;

	if (whole_happens(w, weather->lost))
		return dice_once_in(&w->dice, 2) ? FATE_UNREACHABLE : FATE_LOST;
	if (whole_happens(w, weather->cut))
		return dice_once_in(&w->dice, 2) ? FATE_CUT : FATE_CUT_BEHIND;
	if (whole_happens(w, weather->late))
		return FATE_LATE;
	if (whole_happens(w, weather->refused))
		return dice_pick(&w->dice, refusals);
	return whole_happens(w, weather->garbled) ? FATE_GARBLED : FATE_WELL;
}

static bool arrives(enum fate fate)
{
	return fate == FATE_WELL || fate == FATE_CUT || fate == FATE_LATE ||
	       fate == FATE_CUT_BEHIND || fate == FATE_GARBLED;
}

/* ── there ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void call_free(struct http_call *call)
{
	free(call->request);
	free(call->form);
	str_done(&call->body);
	free(call);
}

static void drop_arrival(void *ctx)
{
	struct http_call *call = ctx;

	call->is_on_its_way = false;
	if (!call->answer)
		call_free(call);
}

static void arrive(struct whole *w, void *ctx)
{
	struct http_call *call = ctx;

	trace(w, "Proxmox is asked %s %s", call->request, call->form);
	call->status =
		pve_answer(w, call->request, call->form, call->gid, &call->body, &call->reason);
	drop_arrival(call);
}

/* ── and back ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void fill(const struct http_call *call, struct http_response *r)
{
	static const struct {
		enum http_outcome outcome;
		int status;
		const char *reason;
	} rows[] = {
		[FATE_UNREACHABLE] = { HTTP_UNREACHABLE, 0, "" },
		[FATE_LOST] = { HTTP_TIMEOUT, 0, "" },
		[FATE_CUT] = { HTTP_BROKEN, 0, "" },
		[FATE_LATE] = { HTTP_TIMEOUT, 0, "" },
		[FATE_NO_PATH] = { HTTP_ANSWERED, 595, "No route to host" },
		[FATE_CUT_BEHIND] = { HTTP_ANSWERED, 596, "Broken pipe" },
		[FATE_AUTH] = { HTTP_ANSWERED, 401, "No ticket" },
		[FATE_BUSY] = { HTTP_ANSWERED, 500, "cluster not ready - no quorum?" },
		[FATE_GARBLED] = { HTTP_ANSWERED, 200, "OK" },
		[FATE_WITHHELD] = { HTTP_REFUSED, 0, "" },
	};

	*r = (struct http_response){
		.outcome = rows[call->fate].outcome,
		.status = rows[call->fate].status,
		.reason = rows[call->fate].reason,
		.body = call->fate == FATE_GARBLED ? "{\"data\":{\"x\":" : "",
		.error = rows[call->fate].outcome == HTTP_ANSWERED ? "" : "it is gone",
		.cookie = "",
		.fingerprint = "",
		.sent = call->fate != FATE_UNREACHABLE && call->fate != FATE_WITHHELD,
	};
	if (call->fate == FATE_WELL) {
		r->outcome = HTTP_ANSWERED;
		r->status = call->status;
		r->reason = call->reason;
		r->body = str_get(&call->body);
	}
	r->body_len = strlen(r->body);
}

static void answer(struct whole *w, void *ctx)
{
	struct http_call *call = ctx;
	struct side *side = call->side;
	struct http_response response;

	call->answer = NULL;
	fill(call, &response);
	trace(w, "answer to %s: %d %d %.60s", call->request, (int)response.outcome, response.status,
	      response.body);
	call->done(call->ctx, &response);
	if (!call->is_on_its_way)
		call_free(call);
	side_settle(side);
}

static void drop_answer(void *ctx)
{
	struct http_call *call = ctx;

	call->answer = NULL;
	if (!call->is_on_its_way)
		call_free(call);
}

static void set_off(struct whole *w, struct http_call *call)
{
	int64_t there_ms = whole_between(w, 2, whole_happens(w, w->weather.slow) ? 4000 : 60);
	int64_t back_ms = there_ms + whole_between(w, 1, 60);

	if (call->fate == FATE_LOST || call->fate == FATE_LATE)
		back_ms = TIMEOUT_MS;
	if (call->fate == FATE_LATE)
		there_ms = TIMEOUT_MS + whole_between(w, 1, LATE_MS);
	if (arrives(call->fate)) {
		call->is_on_its_way = true;
		event_add(w, there_ms, NULL, arrive, drop_arrival, call);
	}
	call->answer = event_add(w, back_ms, call->side, answer, drop_answer, call);
}

/* It has its connection: it leaves, unless nobody wants that any more. */
static void connected(struct whole *w, void *ctx)
{
	struct http_call *call = ctx;
	struct side *side = call->side;

	call->answer = NULL;
	if (call->may_send && !call->may_send(call->ctx)) {
		trace(w, "executor does not ask %s", call->request);
		call->fate = FATE_WITHHELD;
		answer(w, call);
		return;
	}
	if (side_effect(side, call->request)) {
		call->fate = FATE_UNREACHABLE;
		call->answer = event_add(w, TIMEOUT_MS, side, answer, drop_answer, call);
		return;
	}
	check_left(w, call->request, call->form, call->gid);
	call->fate = fate_of(w);
	if (!str_starts(call->request, "GET "))
		trace(w, "executor asks %s %s (%d)", call->request, call->form, (int)call->fate);
	set_off(w, call);
	(void)side_effect(side, call->request);
	side_settle(side);
}

/* ── what the executor calls ───────────────────────────────────────────────────────────────────────────────── */

int __wrap_http_new(const struct http_options *options, struct http **ret);
void __wrap_http_free(struct http *http);
struct http_call *__wrap_http_start(struct http *http, const struct http_request *request,
				    http_done_fn done, void *ctx);
void __wrap_http_cancel(struct http_call *call);

int __wrap_http_new(const struct http_options *options, struct http **ret)
{
	(void)options;
	*ret = (struct http *)&whole_current->executor;
	return 0;
}

void __wrap_http_free(struct http *http)
{
	(void)http;
}

struct http_call *__wrap_http_start(struct http *http, const struct http_request *request,
				    http_done_fn done, void *ctx)
{
	struct side *side = (struct side *)http;
	struct whole *w = side->w;
	struct http_call *call = xnew(struct http_call);
	const char *path = strstr(request->url, "/api2/json") + strlen("/api2/json");

	*call = (struct http_call){
		.w = w,
		.side = side,
		.request = xasprintf("%s %s", request->method, path),
		.form = xstrndup(request->body ? request->body : "", request->body_len),
		.may_send = request->may_send,
		.done = done,
		.ctx = ctx,
	};
	check_asked(w, call->request, call->gid, sizeof(call->gid));
	call->answer = event_add(w, whole_between(w, 1, whole_happens(w, 4) ? CONNECT_MS : 10),
				 side, connected, drop_answer, call);
	return call;
}

void __wrap_http_cancel(struct http_call *call)
{
	struct event *event = call ? call->answer : NULL;

	if (event)
		event_cancel(whole_current, event);
}
