/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A private broker with the real ACL, and peers on it, for integration tests in C. Everything lives in a scratch
 * folder and on a Unix socket; nothing outlives harness_free(). Waiting is for messages, with a deadline; never for
 * time to pass.
 */
#include "common/bus.h"

struct harness;

/* Starts mosquitto and waits until it accepts connections. Fails the test when it does not. */
struct harness *harness_new(void);
/* Runs the loop until everything that was started on it is closed, and ends the broker. */
void harness_free(struct harness *h);
uv_loop_t *harness_loop(struct harness *h);
const char *harness_dir(const struct harness *h);
const char *harness_socket(const struct harness *h);
/* The password of every user. */
const char *harness_password(void);

void harness_broker_kill(struct harness *h, int number);
void harness_broker_start(struct harness *h);

/* Runs the loop until CONDITION holds; fails the test, naming WHAT, when it does not within DEADLINE_MS. */
void harness_wait(struct harness *h, bool (*condition)(void *ctx), void *ctx, int deadline_ms,
		  const char *what);

/* Runs ARGV (ended by NULL) with its output in $dir/NAME.log; returns its pid. */
int harness_spawn(struct harness *h, const char *name, const char *const *argv);
/* Waits for PID to end: its status as of waitpid(), or fails the test after DEADLINE_MS. */
int harness_reap(int pid, int deadline_ms);
