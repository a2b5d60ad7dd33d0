/* SPDX-License-Identifier: MIT */
/*
 * The nodes over SSH, in place of the client: one unit each, which is restarted and stopped. A connection takes its
 * time to be made, and so does a channel; it is lost with what runs over it; what was asked for over it may still be
 * done.
 */
#include "common/ssh.h"

#include "common/alloc.h"
#include "tests/reference/whole/check.h"
#include "tests/reference/whole/pve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIELDS 8

enum fate {
	FATE_WELL,
	FATE_REFUSED, /* sshd runs nothing */
	FATE_LOST,    /* the connection is gone before it comes */
	FATE_CUT,     /* … after */
	FATE_LATE,    /* it is done when nobody waits for it any more */
	FATE_GARBLED, /* the end of the answer is missing */
};

struct ssh {
	struct side *side;
	const struct ssh_hooks *hooks;
	void *ctx;
	struct pve_unit *unit; /* of the node that it leads to */
	bool is_up;
	struct event *event;	/* of the connection; NULL: none is due */
	struct ssh_call *calls; /* that are waited for */
};

struct ssh_call {
	struct ssh_call *next;
	struct ssh *ssh; /* NULL: nobody waits for it */
	struct side *side;
	struct pve_unit *unit;
	char *input;
	const char *field[FIELDS]; /* in INPUT: version, gid, boundary, seconds, tool, parameters */
	char gid[40];
	enum fate fate;
	unsigned status;
	struct str body;
	unsigned timeout_ms;
	bool (*may_send)(void *ctx);
	ssh_done_fn done;
	void *ctx;
	bool is_on_its_way;
	struct event *answer; /* or of its channel, before it leaves */
};

/* ── connections ───────────────────────────────────────────────────────────────────────────────────────────── */

struct ssh *__wrap_ssh_open(const struct ssh_options *options, const struct ssh_hooks *hooks,
			    void *ctx);
void __wrap_ssh_free(struct ssh *ssh);
bool __wrap_ssh_is_up(const struct ssh *ssh);
struct ssh_call *__wrap_ssh_exec(struct ssh *ssh, const struct ssh_command *command,
				 ssh_done_fn done, void *ctx);
void __wrap_ssh_cancel(struct ssh_call *call);

static void up_cb(_unused_ struct whole *w, void *ctx)
{
	struct ssh *ssh = ctx;
	struct side *side = ssh->side;

	ssh->event = NULL;
	ssh->is_up = true;
	ssh->hooks->up(ssh->ctx);
	side_settle(side);
}

static void down_cb(struct whole *w, void *ctx)
{
	struct ssh *ssh = ctx;
	struct side *side = ssh->side;

	trace(w, "the connection to node %s is lost", ssh->unit->node);
	ssh->event = NULL;
	ssh->is_up = false;
	ssh->hooks->down(ssh->ctx, SSH_END_UNREACHABLE, "it cannot be reached");
	side_settle(side);
}

struct ssh *__wrap_ssh_open(const struct ssh_options *options, const struct ssh_hooks *hooks,
			    void *ctx)
{
	struct whole *w = whole_current;
	struct ssh *ssh = xnew(struct ssh);
	bool fails = whole_happens(w, w->weather.lost);
	size_t node = (size_t)(options->host[strlen(options->host) - 1] - '1');

	*ssh = (struct ssh){ .side = &w->executor,
			     .hooks = hooks,
			     .ctx = ctx,
			     .unit = &w->pve->units[node % PVE_NODES] };
	ssh->event = event_add(w, whole_between(w, 20, whole_happens(w, 4) ? 9000 : 300),
			       &w->executor, fails ? down_cb : up_cb, NULL, ssh);
	return ssh;
}

bool __wrap_ssh_is_up(const struct ssh *ssh)
{
	return ssh->is_up;
}

void __wrap_ssh_free(struct ssh *ssh)
{
	if (!ssh)
		return;
	while (ssh->calls)
		__wrap_ssh_cancel(ssh->calls);
	if (ssh->event)
		event_cancel(ssh->side->w, ssh->event);
	free(ssh);
}

/* ── the far side ──────────────────────────────────────────────────────────────────────────────────────────── */

static void show_unit(const struct pve_unit *unit, struct str *out)
{
	str_printf(out,
		   "LoadState=loaded\nActiveState=%s\nSubState=%s\nMainPID=%" PRId64
		   "\nActiveEnterTimestamp=@%" PRId64 "\n",
		   unit->is_active ? "active" : "inactive", unit->is_active ? "running" : "dead",
		   unit->pid, (WHOLE_WALL_MS + unit->entered_ms) / 1000);
}

static void change_unit(struct whole *w, struct ssh_call *call)
{
	struct pve_unit *unit = call->unit;
	bool is_restart = str_eq(call->field[4], "service_restart");

	check_effect(w, call->gid);
	if (w->breakage == BREAK_TWICE)
		check_effect(w, call->gid);
	if (whole_happens(w, w->weather.fails)) {
		call->status = 1;
		return;
	}
	pve_unit_set(w, unit, is_restart);
}

static void call_free(struct ssh_call *call)
{
	free(call->input);
	str_done(&call->body);
	free(call);
}

static void drop_arrival(void *ctx)
{
	struct ssh_call *call = ctx;

	call->is_on_its_way = false;
	if (!call->answer)
		call_free(call);
}

static void arrive(struct whole *w, void *ctx)
{
	struct ssh_call *call = ctx;

	trace(w, "node %s is asked for %s", call->unit->node, call->field[4]);
	if (str_eq(call->field[4], "service_status"))
		show_unit(call->unit, &call->body);
	else
		change_unit(w, call);
	drop_arrival(call);
}

/* ── the answer ────────────────────────────────────────────────────────────────────────────────────────────── */

static void detach(struct ssh_call *call)
{
	struct ssh_call **at = &call->ssh->calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	call->ssh = NULL;
}

static void add_frame(const struct ssh_call *call, struct str *out)
{
	str_printf(out, "JARVIS-BEGIN %s 1\n%s\n", call->field[2], str_get(&call->body));
	if (call->fate != FATE_GARBLED)
		str_printf(out, "JARVIS-END %s exit %u %zu 0 0 0 5\n", call->field[2], call->status,
			   call->body.len);
}

static void answer(struct whole *w, void *ctx)
{
	static const enum ssh_outcome outcomes[] = {
		[FATE_WELL] = SSH_ENDED, [FATE_REFUSED] = SSH_NOT_RUN, [FATE_LOST] = SSH_CUT,
		[FATE_CUT] = SSH_CUT,	 [FATE_LATE] = SSH_TIMEOUT,    [FATE_GARBLED] = SSH_ENDED,
	};
	struct ssh_call *call = ctx;
	struct ssh *ssh = call->ssh;
	struct side *side = call->side;
	_cleanup_(str_done) struct str output = { 0 };
	struct ssh_result result = { .outcome = outcomes[call->fate], .errors = "" };

	call->answer = NULL;
	detach(call);
	if (result.outcome == SSH_ENDED)
		add_frame(call, &output);
	result.output = str_get(&output);
	result.output_len = output.len;
	result.error = result.outcome == SSH_ENDED ? "" : "it is gone";
	trace(w, "answer of node %s to %s: %d", call->unit->node, call->field[4],
	      (int)result.outcome);
	/* The end of the connection is told after that of what ran over it; or it comes right then. */
	if (!ssh->event && (result.outcome == SSH_CUT || whole_happens(w, w->weather.cut)))
		ssh->event = event_add(w, 0, side, down_cb, NULL, ssh);
	call->done(call->ctx, &result);
	if (!call->is_on_its_way)
		call_free(call);
	side_settle(side);
}

void __wrap_ssh_cancel(struct ssh_call *call)
{
	struct whole *w = whole_current;

	detach(call);
	event_cancel(w, take(call->answer));
	if (!call->is_on_its_way)
		call_free(call);
}

/* ── asking ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void split(struct ssh_call *call, const struct ssh_command *command)
{
	const char *at, *end;

	call->input = xmalloc(command->input_len + 1);
	memcpy(call->input, command->input, command->input_len);
	call->input[command->input_len] = '\0';
	end = call->input + command->input_len;
	at = memchr(call->input, '\n', command->input_len);
	for (size_t i = 0; i < FIELDS; i++) {
		call->field[i] = at && at + 1 < end ? at + 1 : "";
		at = at && at + 1 < end ? at + 1 + strlen(at + 1) : NULL;
	}
}

static enum fate fate_of(struct whole *w)
{
	if (whole_happens(w, w->weather.lost))
		return FATE_LOST;
	if (whole_happens(w, w->weather.cut))
		return FATE_CUT;
	if (whole_happens(w, w->weather.late))
		return FATE_LATE;
	if (whole_happens(w, w->weather.refused))
		return FATE_REFUSED;
	return whole_happens(w, w->weather.garbled) ? FATE_GARBLED : FATE_WELL;
}

static void set_off(struct whole *w, struct ssh_call *call, unsigned timeout_ms)
{
	int64_t there_ms = whole_between(w, 2, 40);
	int64_t back_ms = there_ms + whole_between(w, 1, 2000);

	if (call->fate == FATE_LATE) {
		back_ms = timeout_ms;
		there_ms = back_ms + whole_between(w, 1, 20000);
	}
	if (call->fate != FATE_LOST && call->fate != FATE_REFUSED) {
		call->is_on_its_way = true;
		event_add(w, there_ms, NULL, arrive, drop_arrival, call);
	}
	call->answer = event_add(w, back_ms, call->side, answer, NULL, call);
}

/* It has its channel: it leaves, unless nobody wants that any more. */
static void leave(struct whole *w, struct ssh_call *call)
{
	struct side *side = call->side;

	if (side_effect(side, call->field[4])) {
		call->fate = FATE_LOST;
		call->answer = event_add(w, 1, side, answer, NULL, call);
		return;
	}
	if (!str_eq(call->field[4], "service_status")) {
		snprintf(call->gid, sizeof(call->gid), "%s", call->field[1]);
		trace(w, "executor asks node %s for %s", call->unit->node, call->field[4]);
		check_ssh_asked(w, call->gid, call->field[4], call->unit, call->field[5]);
	}
	call->fate = fate_of(w);
	set_off(w, call, call->timeout_ms);
	(void)side_effect(side, call->field[4]);
}

static void open_channel(struct whole *w, void *ctx)
{
	static const struct ssh_result unsent = {
		.outcome = SSH_NOT_SENT, .output = "", .errors = "", .error = "it did not leave"
	};
	struct ssh_call *call = ctx;
	struct side *side = call->side;

	call->answer = NULL;
	if (!call->ssh->event && (!call->may_send || call->may_send(call->ctx))) {
		leave(w, call);
	} else {
		trace(w, "node %s is not asked for %s", call->unit->node, call->field[4]);
		detach(call);
		call->done(call->ctx, &unsent);
		call_free(call);
	}
	side_settle(side);
}

struct ssh_call *__wrap_ssh_exec(struct ssh *ssh, const struct ssh_command *command,
				 ssh_done_fn done, void *ctx)
{
	struct whole *w = ssh->side->w;
	struct ssh_call *call;

	/* Its end is known, and is told next. */
	if (!ssh->is_up || ssh->event)
		return NULL;
	call = xnew(struct ssh_call);
	*call = (struct ssh_call){ .next = ssh->calls,
				   .ssh = ssh,
				   .side = ssh->side,
				   .unit = ssh->unit,
				   .timeout_ms = command->timeout_ms,
				   .may_send = command->may_send,
				   .done = done,
				   .ctx = ctx };
	ssh->calls = call;
	split(call, command);
	call->answer = event_add(w, whole_between(w, 1, whole_happens(w, 4) ? 4000 : 20), ssh->side,
				 open_channel, NULL, call);
	return call;
}
