/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A real sshd on loopback with keys of its own, a connection to it, and a relay between the two that can be slow or
 * break. Each program has its own: ports, folder, keys.
 */
#include <uv.h>

#include "common/alloc.h"
#include "common/ssh.h"
#include "common/str.h"
#include "common/time.h"
#include "common/timer.h"
#include "tests/unit/check.h"

#define PATIENCE_MS 20000
#define BIG 1000000

struct world {
	uv_loop_t loop;
	char dir[128];
	unsigned port;
	pid_t sshd;
	char *user, *known_hosts, *key;
	char *host_key; /* sshd's public one */

	/* What the hooks and the last command said. */
	struct ssh *ssh;
	bool is_up, is_down, is_done;
	enum ssh_end end;
	char error[SSH_ERROR_BYTES];
	enum ssh_outcome outcome;
	int status;
	struct str output, errors;
	bool free_in_up, free_in_done;
	bool is_sending; /* of a command that says so */
};

/* For cmocka. */
int world_setup(void **state);
int world_teardown(void **state);

/* Files of the world. */
void world_make_key(const char *path);
char *world_read(const char *path) _nodiscard_;
void world_write(const char *path, const char *format, ...) _printf_(2, 3);
/* A listening socket on a free port of 127.0.0.1. */
int world_listen(unsigned *port);

struct ssh_options world_options(struct world *w);
void world_open(struct world *w, const struct ssh_options *options);
/* sshd anew, with further LINES in its configuration. */
void world_restart_sshd(struct world *w, const char *lines);
/* A connection, of which nothing is unusual. */
void world_come_up(struct world *w);
/* Fails the test when *FLAG does not become true. */
void world_wait(struct world *w, const bool *flag);
/* Notes what came of a command in W, the owner's CTX. */
void world_on_done(void *ctx, const struct ssh_result *result);
void world_run(struct world *w, const struct ssh_command *command);
/* A command that should work. */
void world_check_works(struct world *w);
/* Connecting ends with END and a sentence that contains TEXT. */
void world_check_no(struct world *w, const struct ssh_options *options, enum ssh_end end,
		    const char *text);
/* Ends the connection, and waits until nothing of it is left. */
void world_drain(struct world *w);

struct relay {
	int listener;
	unsigned port;
	char *known_hosts; /* in which the relay's address has sshd's key */
	pid_t pid;
};

enum relay_mode {
	RELAY_CUT,  /* breaks off after BYTES of sshd's */
	RELAY_HANG, /* says nothing more after BYTES of sshd's */
	RELAY_TALK, /* is no sshd, and writes lines without end */
	RELAY_SLOW, /* passes on a few bytes at a time, BYTES at most */
};

void relay_init(struct relay *relay, struct world *w);
void relay_done(struct relay *relay);
/* Serves the next connection in a process of its own, until it ends. */
void relay_start(struct relay *relay, struct world *w, enum relay_mode mode, size_t bytes);
/* Our own sockets to the relay hold little from now on: what is written goes out by halves. */
void relay_squeeze(const struct relay *relay);
/* Ends that process. */
void relay_stop(struct relay *relay);
