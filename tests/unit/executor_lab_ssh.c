/* SPDX-License-Identifier: MIT */
/*
 * What the executor of executor_lab.h meets instead of common/ssh: connections that come up when a test says so, and
 * requests that leave, and are answered, likewise. The pool above them is the executor's own.
 */
#include "tests/unit/executor_lab_ssh.h"

#include <stdio.h>
#include <string.h>

#include "common/alloc.h"
#include "common/str.h"
#include "tests/unit/check.h"

#define FIELDS 5 /* version, id, boundary, timeout, tool */
#define BOUNDARY_AT 2
#define TOOL_AT 4

struct ssh_call {
	struct ssh_call *next;
	struct ssh *ssh;
	char *input;
	size_t input_len;
	const char *fields[FIELDS]; /* in the input */
	unsigned timeout_ms;
	bool (*may_send)(void *ctx);
	bool is_sent;
	ssh_done_fn done;
	void *ctx;
};

struct ssh {
	struct ssh *next;
	struct ssh_hooks hooks;
	void *ctx;
	char *where; /* user@host:port known_hosts key timeout */
	bool is_up;
	struct ssh_call *calls; /* in order */
};

/* Whose they are: there is one lab at a time. */
static struct ssh *connections;
static size_t sent, cancelled;

struct ssh *__wrap_ssh_open(const struct ssh_options *options, const struct ssh_hooks *hooks,
			    void *ctx);
void __wrap_ssh_free(struct ssh *ssh);
bool __wrap_ssh_is_up(const struct ssh *ssh);
struct ssh_call *__wrap_ssh_exec(struct ssh *ssh, const struct ssh_command *command,
				 ssh_done_fn done, void *ctx);
void __wrap_ssh_cancel(struct ssh_call *call);

/* ── what common/ssh does ──────────────────────────────────────────────────────────────────────────────────── */

static void call_free(struct ssh_call *call)
{
	struct ssh_call **at = &call->ssh->calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	free(call->input);
	free(call);
}

struct ssh *__wrap_ssh_open(const struct ssh_options *options, const struct ssh_hooks *hooks,
			    void *ctx)
{
	struct ssh *ssh = xnew(struct ssh), **at = &connections;

	ssh->hooks = *hooks;
	ssh->ctx = ctx;
	ssh->where = xasprintf("%s@%s:%u %s %.*s %u", options->user, options->host, options->port,
			       options->known_hosts, (int)options->key_len, options->key,
			       options->connect_timeout_ms);
	while (*at)
		at = &(*at)->next;
	*at = ssh;
	return ssh;
}

void __wrap_ssh_free(struct ssh *ssh)
{
	struct ssh **at = &connections;

	if (!ssh)
		return;
	while (*at != ssh)
		at = &(*at)->next;
	*at = ssh->next;
	while (ssh->calls)
		call_free(ssh->calls);
	free(ssh->where);
	free(ssh);
}

bool __wrap_ssh_is_up(const struct ssh *ssh)
{
	return ssh->is_up;
}

static void read_fields(struct ssh_call *call)
{
	const char *at = memchr(call->input, '\n', call->input_len);

	assert_non_null(at);
	assert_int_equal(call->input[0], '{');
	at++;
	for (size_t i = 0; i < FIELDS; i++) {
		call->fields[i] = at;
		at += strlen(at) + 1;
	}
}

struct ssh_call *__wrap_ssh_exec(struct ssh *ssh, const struct ssh_command *command,
				 ssh_done_fn done, void *ctx)
{
	struct ssh_call *call = xnew(struct ssh_call), **at = &ssh->calls;

	assert_true(ssh->is_up);
	assert_string_equal(command->command, "jarvis-act");
	*call = (struct ssh_call){
		.ssh = ssh,
		.input = xmemdup(command->input, command->input_len),
		.input_len = command->input_len,
		.timeout_ms = command->timeout_ms,
		.may_send = command->may_send,
		.done = done,
		.ctx = ctx,
	};
	read_fields(call);
	while (*at)
		at = &(*at)->next;
	*at = call;
	return call;
}

void __wrap_ssh_cancel(struct ssh_call *call)
{
	cancelled++;
	call_free(call);
}

static void tell(struct ssh_call *call, enum ssh_outcome outcome, const char *bytes, size_t n)
{
	struct ssh_result result = {
		.outcome = call->is_sent || outcome == SSH_NOT_RUN ? outcome : SSH_NOT_SENT,
		.status = 1,
		.output = bytes,
		.output_len = n,
		.errors = outcome == SSH_FAILED ? "perl: not\x1b found\n" : "",
		.error = outcome == SSH_ENDED ? "" : "10.0.0.1:22 has its reasons",
	};
	ssh_done_fn done = call->done;
	void *ctx = call->ctx;

	call_free(call);
	done(ctx, &result);
}

/* ── what a test says ──────────────────────────────────────────────────────────────────────────────────────── */

static struct ssh *connecting(void)
{
	struct ssh *ssh = connections;

	while (ssh && ssh->is_up)
		ssh = ssh->next;
	return ssh;
}

const char *lab_ssh_connecting(void)
{
	const struct ssh *ssh = connecting();

	return ssh ? ssh->where : NULL;
}

void lab_ssh_up(void)
{
	struct ssh *ssh = connecting();

	if (!ssh)
		fail_msg("nobody connects");
	ssh->is_up = true;
	ssh->hooks.up(ssh->ctx);
}

void lab_ssh_refuse(enum ssh_end end, const char *error)
{
	struct ssh *ssh = connecting();

	if (!ssh)
		fail_msg("nobody connects");
	ssh->hooks.down(ssh->ctx, end, error);
}

void lab_ssh_cut(void)
{
	struct ssh *ssh = connections;

	while (ssh && !ssh->is_up)
		ssh = ssh->next;
	if (!ssh)
		fail_msg("no connection is up");
	ssh->is_up = false;
	while (ssh->calls)
		tell(ssh->calls, SSH_CUT, "", 0);
	ssh->hooks.down(ssh->ctx, SSH_END_UNREACHABLE, "10.0.0.1:22 closed the connection");
}

size_t lab_ssh_connections(void)
{
	size_t n = 0;

	for (const struct ssh *ssh = connections; ssh; ssh = ssh->next)
		n++;
	return n;
}

static struct ssh_call *find_call(const char *tool, bool is_unsent)
{
	for (const struct ssh *ssh = connections; ssh; ssh = ssh->next) {
		for (struct ssh_call *call = ssh->calls; call; call = call->next) {
			if (strcmp(call->fields[TOOL_AT], tool) == 0 &&
			    !(is_unsent && call->is_sent))
				return call;
		}
	}
	return NULL;
}

bool lab_ssh_is_asked(const char *tool)
{
	return find_call(tool, false);
}

static struct ssh_call *asked(const char *tool, bool is_unsent)
{
	struct ssh_call *call = find_call(tool, is_unsent);

	if (!call)
		fail_msg("%s is not asked for", tool);
	return call;
}

unsigned lab_ssh_timeout_ms(const char *tool)
{
	return asked(tool, false)->timeout_ms;
}

bool lab_ssh_says(const char *tool, const char *text)
{
	const struct ssh_call *call = asked(tool, false);

	return memmem(call->input, call->input_len, text, strlen(text) + 1);
}

bool lab_ssh_send(const char *tool)
{
	struct ssh_call *call = asked(tool, true);

	call->is_sent = !call->may_send || call->may_send(call->ctx);
	sent += call->is_sent;
	if (!call->is_sent)
		tell(call, SSH_NOT_SENT, "", 0);
	else
		return true;
	return false;
}

void lab_ssh_late(const char *tool)
{
	tell(asked(tool, true), SSH_TIMEOUT, "", 0);
}

size_t lab_ssh_sent(void)
{
	return sent;
}

size_t lab_ssh_cancelled(void)
{
	return cancelled;
}

void lab_ssh_end(const char *tool, enum ssh_outcome outcome, const char *bytes)
{
	struct ssh_call *call = asked(tool, false);
	_cleanup_(str_done) struct str text = { 0 };

	if (!call->is_sent && outcome != SSH_NOT_RUN && !lab_ssh_send(tool))
		return;
	/* "@" stands for the boundary. */
	for (const char *at = bytes; *at; at++) {
		if (*at == '@')
			str_add(&text, call->fields[BOUNDARY_AT]);
		else
			str_add_char(&text, *at);
	}
	tell(call, outcome, str_get(&text), text.len);
}

void lab_ssh_answer(const char *tool, const char *end, const char *out, const char *err)
{
	_cleanup_(freep) char *bytes =
		xasprintf("JARVIS-BEGIN @ 1\n%s%s\nJARVIS-END @ %s %zu 0 %zu 0 5\n", out, err, end,
			  strlen(out), strlen(err));

	lab_ssh_end(tool, SSH_ENDED, bytes);
}

void lab_ssh_begin(void)
{
	assert_null(connections);
	sent = cancelled = 0;
}
