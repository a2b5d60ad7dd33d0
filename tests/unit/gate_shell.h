/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The whole gate in this process, on a real database, in the world of gate_world.h; without a broker and with a clock
 * of our own. Programs that use it are linked with --wrap (see the Makefile): what the gate publishes and its timer
 * come here. A person op with a keyword and a code is enrolled.
 */
#include "services/safety-gate/gate.h"
#include "tests/unit/gate_world.h"

#define SHELL_KEYWORD "open sesame"
#define SHELL_NONCE "1111111111111111111111111111111111111111111111111111111111111111"
#define SHELL_TOLD_MAX 256

/* What was published, in order. */
struct shell_told {
	enum topic_id id;
	char *word, *text; /* the topic's first word, NULL without one; the document */
};

struct shell {
	struct gate_world w;
	struct clock clock;
	uv_loop_t loop;
	struct service_env env;
	struct gate *gate; /* NULL: it does not run */
	char folder[48];
	char *data, *runtime, *secrets, *db;
	struct shell_told told[SHELL_TOLD_MAX];
	size_t told_n;
	timer_fn tick;
	void *tick_ctx;
	int64_t epoch;
};

extern const struct msg_actor shell_operator;

/* A new, empty folder. The gate is not started. */
void shell_init(struct shell *s);
void shell_done(struct shell *s);
/* What gate_start() says. Then an executor says hello and the cluster is live. */
int shell_start(struct shell *s);
/* In order; or as if it was killed: nothing is flushed or signed. */
void shell_stop(struct shell *s);
void shell_drop(struct shell *s);
/* Forgets what was told. */
void shell_again(struct shell *s);
void shell_poll(struct shell *s);
/* MS later the timer ticks; with the poller alive. */
void shell_tick(struct shell *s, int64_t ms);
/* Until nothing runs away from the loop. */
void shell_settle(struct shell *s);

/* Hands a message in, and ends the batch. WORDS: of the topic, ended by NULL. */
void shell_hand(struct shell *s, bus_handler_fn fn, enum topic_id id, const char *const *words,
		const void *body);
void shell_ask(struct shell *s, const char *request_id, const char *tool, const char *args);
/* Op decides about the action ID, with the keyword or the code, or neither. */
void shell_decide(struct shell *s, const char *id, const char *decision, const char *keyword,
		  const char *code);
/* OP at autonomy/set, by op. */
void shell_set(struct shell *s, const char *request_id, const char *op, const char *code);
/* The code that op's app shows now; another one every 30 s. */
void shell_code(struct shell *s, char ret[TOTP_DIGITS + 1]);
void shell_claim(struct shell *s, const char *id);
void shell_result(struct shell *s, const char *id, const char *gid);

/* The newest document told about ID; NULL when there is none. */
const char *shell_last(const struct shell *s, enum topic_id id);
/* Whether it holds TEXT. */
bool shell_says(const struct shell *s, enum topic_id id, const char *text);
/* The value of the last `"id":"…"` or `"gid":"…"` told there, or NULL; the caller frees it. */
char *shell_value(const struct shell *s, enum topic_id id, const char *key);
/* The payload of the last grant, or NULL when it was refused or none was told; the caller frees it. */
char *shell_grant(const struct shell *s);
const struct msg_autonomy_state *shell_autonomy(struct shell *s);
/* Records of KIND whose body holds TEXT; -1 when they cannot be read. */
int64_t shell_records(struct shell *s, const char *kind, const char *text);
/* The whole chain is sound. */
void shell_verify(struct shell *s);
/* Files below the folder. */
void shell_write(struct shell *s, const char *path, const char *text);
char *shell_path(const struct shell *s, const char *suffix);
