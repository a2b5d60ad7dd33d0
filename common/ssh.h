/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * An SSH client on the loop (libssh2): one connection, kept, over which commands run side by side. What blocks
 * (name, connect, host key, login) is one job of the pool; all else never waits. Rules that hold always: the host
 * key must be the one in a known_hosts file, nothing is ever accepted by itself; login by an ed25519 key alone; a
 * deadline and a cap on output for every command; success is never assumed from a status that may not have come.
 */
#include "common/base.h"

#include <uv.h>

#define SSH_ERROR_BYTES 256

struct ssh;
struct ssh_call;

struct ssh_options {
	uv_loop_t *loop;
	const char *host; /* name or address; an IPv6 address may stand in brackets */
	unsigned port;
	const char *user;
	const char *known_hosts; /* file in OpenSSH's format */
	const char *key; /* the private key, as text; a copy is kept until the login is over */
	size_t key_len;
	unsigned connect_timeout_ms; /* connect, host key and login together; 0: 10 s */
	unsigned keepalive_ms;	     /* 0: 15 s */
	unsigned dead_ms;	     /* lost when nothing came for this long; 0: 45 s */
};

enum ssh_end {
	SSH_END_UNREACHABLE, /* no connection, or it was lost */
	SSH_END_NOT_TRUSTED, /* the host key is unknown or another: no login was tried */
	SSH_END_REFUSED,     /* the login was refused, or our own key or file is no good */
};

struct ssh_hooks {
	void (*up)(void *ctx);
	/*
	 * Could not connect, or is lost; called once at most, after the calls under way were told. ERROR names
	 * the host, what happened and what to do. The owner still frees the connection.
	 */
	void (*down)(void *ctx, enum ssh_end end, const char *error);
};

/*
 * Begins to connect; everything is copied. Hooks are called later from the loop, never from within. The key is
 * wiped after the login.
 */
struct ssh *ssh_open(const struct ssh_options *options, const struct ssh_hooks *hooks,
		     void *ctx) _nodiscard_;
/* At any time, also from a callback; no callback comes afterwards. NULL is nothing. */
void ssh_free(struct ssh *ssh);
bool ssh_is_up(const struct ssh *ssh);
/* "SHA256:…" of the host key that was checked; "" before. */
const char *ssh_fingerprint(const struct ssh *ssh);

struct ssh_command {
	const char *command; /* for the remote shell; never built from data */
	const char *input;   /* NULL: none */
	size_t input_len;
	unsigned timeout_ms; /* 0: 15 s */
	size_t max_bytes;    /* of output, and of errors; 0: 64 KiB */
	/*
	 * Asked with DONE's context right before the request leaves, which may be long after ssh_exec(): false, and
	 * it does not. It touches nothing of ours. NULL: it always may.
	 */
	bool (*may_send)(void *ctx);
};

enum ssh_outcome {
	SSH_ENDED, /* the channel was closed in order, and no status but 0 came; maybe none at all */
	SSH_FAILED,    /* ended by itself, another status */
	SSH_KILLED,    /* ended by a signal */
	SSH_TIMEOUT,   /* did not end in time; it may still run */
	SSH_TOO_LARGE, /* said more than max_bytes */
	SSH_NOT_RUN,   /* the server refused to run it */
	SSH_NOT_SENT,  /* it was not asked for: before, the connection was lost, or time was over */
	SSH_CUT,       /* the connection was lost; it may still run */
};

struct ssh_result {
	enum ssh_outcome outcome;
	int status;	    /* with SSH_FAILED */
	const char *output; /* NUL-terminated, at most max_bytes */
	size_t output_len;
	const char *errors; /* what it wrote to stderr */
	size_t errors_len;
	const char *error; /* for people; "" with SSH_ENDED */
	unsigned duration_ms;
};

/* Called once per command, on the loop. RESULT and all it points to are gone afterwards. */
typedef void (*ssh_done_fn)(void *ctx, const struct ssh_result *result);

/*
 * Runs COMMAND (copied) on a connection that is up; DONE comes later from the loop, never from within. libssh2 cannot
 * tell a status 0 from one that never came (sshd's ChannelTimeout): a command whose success matters ends its output
 * with a mark of its own, and only that is believed. The call is borrowed, valid until DONE. NULL when the connection
 * is not up.
 */
struct ssh_call *ssh_exec(struct ssh *ssh, const struct ssh_command *command, ssh_done_fn done,
			  void *ctx);
/* DONE will not be called; the channel is closed, the command is not waited for. */
void ssh_cancel(struct ssh_call *call);
DEFINE_FREEP(struct ssh, ssh_free)
