/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The load generator of the benchmarks. Every payload carries `"t":N`, the publisher's CLOCK_MONOTONIC in
 * nanoseconds; whoever receives it on this machine knows how long it took.
 */
#include "common/base.h"

#define RESULT_SAMPLES_MAX 8000000

struct options {
	const char *host;
	int port;
	const char *socket; /* the broker's */
	const char *user;
	const char *password_file;
	const char *cookie; /* of a logged-in session */
	const char *filter; /* what to subscribe to */
	const char *topic;  /* what to publish on; %d is the key's number */
	int clients;
	int stalled; /* of these, how many never read */
	int rate;    /* messages a second, all keys together */
	int keys;
	int size; /* bytes of a payload, about */
	int seconds;
	bool socketio;
};

/* Latencies in microseconds, of what was sent since `since_ns`: a snapshot also brings what is older. */
struct samples {
	int64_t since_ns;
	uint32_t *us;
	size_t n;
	size_t messages; /* frames or packets that carried them */
	size_t bytes;
};

int64_t now_ns(void);
void samples_init(struct samples *s);
void samples_done(struct samples *s);
/* Finds every `"t":N` in TEXT and records how old it is. */
void samples_scan(struct samples *s, const char *text, size_t length);
/* Prints one line of JSON: n, messages, p50, p90, p99, max (ms), and what EXTRA adds. */
void samples_print(struct samples *s, const char *extra);

int run_ws(const struct options *o);
int run_mqtt(const struct options *o);
int run_publish(const struct options *o);
