/* SPDX-License-Identifier: MIT */
/*
 * One command: a walk through the steps of its channel, each of which may have to wait. A call that was cancelled,
 * told, or is too late walks on by itself until its channel is closed; one that cannot be closed ends the connection.
 */
#include "common/ssh_parts.h"

#include <stdio.h>

#include "common/alloc.h"
#include "common/time.h"

#define TIMEOUT_MS 15000
#define CLOSE_TIMEOUT_MS 5000
#define MAX_BYTES 65536
/* Small: a command that was given up has little in flight. */
#define WINDOW_BYTES 262144
#define WRITE_BYTES 32000
#define READ_BYTES 16384

/* What a step says to the walk, beside libssh2's errors. */
#define STEP_NEXT 1
#define STEP_STAY 0 /* nothing to do now, and no one waits for us */

static void close_late(void *ctx)
{
	struct ssh_call *call = ctx;

	ssh_lose(call->ssh, "does not close a channel");
}

/* Nothing more is wanted of the command: its channel is closed, however long that takes. */
static void abandon(struct ssh_call *call)
{
	if (call->is_abandoned)
		return;
	call->is_abandoned = true;
	timer_free(call->timer);
	call->timer = timer_new(call->ssh->poll.loop, close_late, call);
	timer_once(call->timer, CLOSE_TIMEOUT_MS);
	ssh_kick(call->ssh);
}

void ssh_call_tell(struct ssh_call *call, enum ssh_outcome outcome, int status, const char *error)
{
	ssh_done_fn done = take(call->done);
	char text[SSH_ERROR_BYTES] = "";
	struct ssh_result result = {
		.outcome = call->is_sent || outcome == SSH_NOT_RUN ? outcome : SSH_NOT_SENT,
		.status = status,
		.output = str_get(&call->output),
		.output_len = call->output.len,
		.errors = str_get(&call->errors),
		.errors_len = call->errors.len,
		.error = text,
		.duration_ms = (unsigned)(clock_boot_ms(&clock_system) - call->started_ms),
	};

	if (!done)
		return;
	if (error)
		(void)snprintf(text, sizeof(text), "%s %s", call->ssh->name, error);
	done(call->ctx, &result);
}

static void call_late(void *ctx)
{
	struct ssh_call *call = ctx;
	char text[96];

	(void)snprintf(text, sizeof(text), "did not finish the command within %u ms",
		       call->timeout_ms);
	abandon(call);
	ssh_call_tell(call, SSH_TIMEOUT, 0, text);
}

/* ── the steps ─────────────────────────────────────────────────────────────────────────────────────────────── */

static int step_open(struct ssh_call *call)
{
	struct ssh *ssh = call->ssh;
	int r;

	if (ssh->opening && ssh->opening != call)
		return STEP_STAY;
	if (call->is_abandoned && !ssh->opening) {
		call->step = SSH_STEP_GONE;
		return STEP_STAY;
	}
	ssh->opening = call;
	call->channel = libssh2_channel_open_ex(ssh->session, "session", 7, WINDOW_BYTES,
						LIBSSH2_CHANNEL_PACKET_DEFAULT, NULL, 0);
	if (call->channel) {
		ssh->opening = NULL;
		return STEP_NEXT;
	}
	r = libssh2_session_last_errno(ssh->session);
	if (r == LIBSSH2_ERROR_EAGAIN)
		return r;
	ssh->opening = NULL;
	if (r != LIBSSH2_ERROR_CHANNEL_FAILURE)
		return r;
	call->step = SSH_STEP_GONE;
	ssh_call_tell(call, SSH_NOT_RUN, 0,
		      "opens no further channel: see MaxSessions of its sshd");
	return STEP_STAY;
}

static int step_start(struct ssh_call *call)
{
	int r;

	if (!call->is_sent && call->may_send && !call->may_send(call->ctx)) {
		abandon(call);
		ssh_call_tell(call, SSH_NOT_SENT, 0, "was not asked any more");
		return STEP_NEXT;
	}
	call->is_sent = true;
	r = libssh2_channel_process_startup(call->channel, "exec", 4, call->command,
					    (unsigned)strlen(call->command));
	if (r == LIBSSH2_ERROR_CHANNEL_REQUEST_DENIED) {
		abandon(call);
		ssh_call_tell(call, SSH_NOT_RUN, 0, "refuses to run the command");
		return STEP_NEXT;
	}
	return r < 0 ? r : STEP_NEXT;
}

/* EAGAIN only waits for the peer, unless half a packet is in flight. */
static bool is_waiting(const struct ssh_call *call, int r)
{
	return r == LIBSSH2_ERROR_EAGAIN && !(libssh2_session_block_directions(call->ssh->session) &
					      LIBSSH2_SESSION_BLOCK_OUTBOUND);
}

/* The same bytes again after EAGAIN: neither place nor length depends on anything else. */
static int write_input(struct ssh_call *call)
{
	while (call->input_at < call->input_len) {
		size_t n = min_of(call->input_len - call->input_at, (size_t)WRITE_BYTES);
		ssize_t r = libssh2_channel_write(call->channel, call->input + call->input_at, n);

		if (r < 0)
			return (int)r;
		call->input_at += (size_t)r;
	}
	return libssh2_channel_send_eof(call->channel);
}

/* Between two writes the answer is read: a command that writes as it reads would wait for us else. */
static int step_write(struct ssh_call *call)
{
	int r;

	if (call->is_input_sent)
		return STEP_NEXT;
	r = write_input(call);
	if (is_waiting(call, r))
		return STEP_NEXT;
	/* The command may end without reading all: its status tells what that means. */
	if (r < 0 && r != LIBSSH2_ERROR_CHANNEL_CLOSED && r != LIBSSH2_ERROR_CHANNEL_EOF_SENT)
		return r;
	call->is_input_sent = true;
	return STEP_NEXT;
}

static int read_stream(struct ssh_call *call, int stream, struct str *into)
{
	char buffer[READ_BYTES];
	ssize_t r;

	while ((r = libssh2_channel_read_ex(call->channel, stream, buffer, sizeof(buffer))) > 0) {
		size_t room = call->max_bytes - into->len;

		if (call->is_abandoned)
			return STEP_STAY;
		str_add_n(into, buffer, min_of((size_t)r, room));
		if ((size_t)r > room) {
			abandon(call);
			ssh_call_tell(call, SSH_TOO_LARGE, 0,
				      "said more than the command may say: it was cut off");
			return STEP_STAY;
		}
	}
	return r < 0 ? (int)r : STEP_NEXT;
}

/* An empty stream is no reason not to look at the other. */
static int step_read(struct ssh_call *call)
{
	int r = read_stream(call, 0, &call->output);

	return is_waiting(call, r) ? STEP_NEXT : r;
}

static int step_read_errors(struct ssh_call *call)
{
	int r = read_stream(call, SSH_EXTENDED_DATA_STDERR, &call->errors);

	if (r <= STEP_STAY && !is_waiting(call, r))
		return r;
	if (!libssh2_channel_eof(call->channel)) {
		call->step = SSH_STEP_WRITE;
		return r < 0 ? r : STEP_STAY;
	}
	call->has_ended = true;
	return STEP_NEXT;
}

static int step_close(struct ssh_call *call)
{
	int r = libssh2_channel_close(call->channel);

	return r < 0 ? r : STEP_NEXT;
}

static void tell_end(struct ssh_call *call)
{
	LIBSSH2_SESSION *session = call->ssh->session;
	char *signal_name = NULL, text[96];
	int status = libssh2_channel_get_exit_status(call->channel);

	(void)libssh2_channel_get_exit_signal(call->channel, &signal_name, NULL, NULL, NULL, NULL,
					      NULL);
	if (signal_name) {
		(void)snprintf(text, sizeof(text), "ended the command by SIG%.32s", signal_name);
		libssh2_free(session, signal_name);
		ssh_call_tell(call, SSH_KILLED, 0, text);
	} else if (status) {
		(void)snprintf(text, sizeof(text), "says that the command failed with status %d",
			       status);
		ssh_call_tell(call, SSH_FAILED, status, text);
	} else {
		ssh_call_tell(call, SSH_ENDED, 0, NULL);
	}
}

static int step_wait(struct ssh_call *call)
{
	int r = libssh2_channel_wait_closed(call->channel);

	/* INVAL: a channel that was given up need not have come to its end. */
	if (r < 0 && r != LIBSSH2_ERROR_INVAL)
		return r;
	if (call->has_ended && !r)
		tell_end(call);
	else
		ssh_call_tell(call, SSH_CUT, 0, "closed the channel before the command had ended");
	return STEP_NEXT;
}

static int step_free(struct ssh_call *call)
{
	int r = libssh2_channel_free(call->channel);

	if (r < 0)
		return r;
	call->channel = NULL;
	return STEP_NEXT;
}

int ssh_call_run(struct ssh_call *call)
{
	static int (*const steps[])(struct ssh_call *) = {
		[SSH_STEP_OPEN] = step_open,
		[SSH_STEP_START] = step_start,
		[SSH_STEP_WRITE] = step_write,
		[SSH_STEP_READ] = step_read,
		[SSH_STEP_READ_ERRORS] = step_read_errors,
		[SSH_STEP_CLOSE] = step_close,
		[SSH_STEP_WAIT] = step_wait,
		[SSH_STEP_FREE] = step_free,
	};

	struct ssh *ssh = call->ssh;
	int r = STEP_NEXT;

	while (r == STEP_NEXT && call->step != SSH_STEP_GONE) {
		enum ssh_step step;

		/* What was given up is closed; but half a packet must be sent first. */
		if (call->is_abandoned && ssh->stuck != call && call->channel &&
		    call->step < SSH_STEP_CLOSE)
			call->step = SSH_STEP_CLOSE;
		step = call->step;
		r = steps[step](call);
		if (ssh->is_freed || !ssh->is_up)
			return 0;
		if (r != LIBSSH2_ERROR_EAGAIN && ssh->stuck == call)
			ssh->stuck = NULL;
		if (r == STEP_NEXT && call->step == step)
			call->step++;
		/* Given up on the way: on to closing at once. */
		if (r == STEP_STAY && call->is_abandoned && call->channel)
			r = STEP_NEXT;
	}
	return r < 0 ? r : 0;
}

/* ── the life of a call ────────────────────────────────────────────────────────────────────────────────────── */

struct ssh_call *ssh_exec(struct ssh *ssh, const struct ssh_command *command, ssh_done_fn done,
			  void *ctx)
{
	struct ssh_call *call, **last = &ssh->calls;

	if (!ssh->is_up)
		return NULL;
	call = xnew(struct ssh_call);
	call->ssh = ssh;
	call->done = done;
	call->ctx = ctx;
	call->may_send = command->may_send;
	call->command = xstrdup(command->command);
	call->input = command->input_len ? xmemdup(command->input, command->input_len) : NULL;
	call->input_len = command->input_len;
	call->max_bytes = command->max_bytes ? command->max_bytes : MAX_BYTES;
	call->timeout_ms = command->timeout_ms ? command->timeout_ms : TIMEOUT_MS;
	call->started_ms = clock_boot_ms(&clock_system);
	call->timer = timer_new(ssh->poll.loop, call_late, call);
	timer_once(call->timer, call->timeout_ms);
	while (*last)
		last = &(*last)->next;
	*last = call;
	ssh_kick(ssh);
	return call;
}

void ssh_cancel(struct ssh_call *call)
{
	call->done = NULL;
	abandon(call);
}

void ssh_call_free(struct ssh_call *call)
{
	timer_free(call->timer);
	free(call->command);
	if (call->input)
		explicit_bzero(call->input, call->input_len);
	free(call->input);
	str_done(&call->output);
	str_done(&call->errors);
	free(call);
}
