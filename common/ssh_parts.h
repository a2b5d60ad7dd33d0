/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What ssh.c (the connection), ssh_login.c (the job) and ssh_call.c (the commands) share; nobody else's.
 *
 * libssh2 keeps one half-sent packet per session: whoever was told EAGAIN while sending must go on with the same
 * bytes before anybody else may send. `stuck` is who that is.
 */
#include "common/ssh.h"
#include "common/ssh_memory.h"
#include "common/str.h"
#include "common/timer.h"

#include <libssh2.h>
#include <stdatomic.h>

#define SSH_FINGERPRINT_BYTES 64

/* The job. It owns all it points to, so that it can outlive the connection that wanted it. */
struct ssh_login {
	struct ssh *ssh;       /* NULL: nobody wants it any more */
	atomic_bool cancelled; /* looked at by the job while it waits */
	char *host, *user, *known_hosts;
	char *key; /* wiped with the job */
	size_t key_len;
	unsigned port, timeout_ms;
	int64_t until_ms;
	size_t heard_bytes;

	/* What came out. */
	bool ok;
	enum ssh_end end;
	char error[SSH_ERROR_BYTES];
	char fingerprint[SSH_FINGERPRINT_BYTES];
	int fd;
	struct ssh_memory *memory; /* of the session */
	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *idle;
};

/* Where a call stands; what is stuck goes on exactly there. */
enum ssh_step {
	SSH_STEP_OPEN,
	SSH_STEP_START,
	SSH_STEP_WRITE,
	SSH_STEP_READ,
	SSH_STEP_READ_ERRORS,
	SSH_STEP_CLOSE,
	SSH_STEP_WAIT,
	SSH_STEP_FREE,
	SSH_STEP_GONE,
};

struct ssh_call {
	struct ssh *ssh;
	struct ssh_call *next;
	LIBSSH2_CHANNEL *channel;
	enum ssh_step step;
	ssh_done_fn done; /* NULL: told, or nobody wants to know */
	void *ctx;
	char *command;
	char *input;
	size_t input_len, input_at, max_bytes;
	unsigned timeout_ms;
	struct str output, errors;
	struct timer *timer; /* the deadline; then that of closing */
	int64_t started_ms;
	bool (*may_send)(void *ctx);
	bool is_sent; /* the request has left, or a part of it */
	bool is_input_sent;
	bool has_ended; /* the far end said so, and all it said was read */
	bool is_abandoned;
};

struct ssh {
	uv_poll_t poll;
	uv_timer_t kick; /* runs the calls soon, but not from within */
	unsigned handles;
	struct ssh_hooks hooks;
	void *ctx;
	char *name; /* host:port, for people */
	unsigned keepalive_ms, dead_ms;
	struct ssh_login *login; /* while it connects */
	bool is_up, is_freed, is_polling;
	bool has_read; /* bytes, since it was last cleared */
	size_t room;   /* bytes that may still be read in this turn */
	char fingerprint[SSH_FINGERPRINT_BYTES];
	int fd;
	struct ssh_memory *memory;
	LIBSSH2_SESSION *session;
	LIBSSH2_CHANNEL *
		idle; /* never runs anything: reading it is how the connection is read while no call is */
	struct ssh_call *calls;
	struct ssh_call *opening; /* libssh2 opens one channel at a time */
	const void *stuck;	  /* a call, or the connection itself */
	struct timer *pulse;
	int64_t heard_ms; /* boot clock, when bytes came last */
};

/* The job's function: connects and logs in. */
void ssh_login_run(void *ctx);
void ssh_login_free(struct ssh_login *login);
/* Ends a session, closes its socket and frees its memory; never waits. Any of them may not be there. */
void ssh_session_end(LIBSSH2_SESSION *session, struct ssh_memory *memory, int fd);

/* Goes on as far as it can. 0; LIBSSH2_ERROR_EAGAIN; another negative number: the connection is lost. */
int ssh_call_run(struct ssh_call *call);
/* Tells the owner, once. STATUS counts with SSH_FAILED. */
void ssh_call_tell(struct ssh_call *call, enum ssh_outcome outcome, int status, const char *error);
void ssh_call_free(struct ssh_call *call);

/* Runs everything soon. */
void ssh_kick(struct ssh *ssh);
/* The connection is lost: tells all, then the owner. */
void ssh_lose(struct ssh *ssh, const char *what);
