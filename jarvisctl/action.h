/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * One action as a person meets it: shown, approved, followed to its end. What is shown before an approval is made of
 * the very bytes whose digest is approved, never of anything beside them.
 */
#include "jarvisctl/client.h"

/* What was given on the command line to approve with. */
struct action_proof {
	const char *keyword_file, *code_file;
	struct str keyword, code; /* what was read, or typed */
};
void action_proof_done(struct action_proof *proof);
/* Reads the files that are named: EXIT_OK, or the exit code. */
int action_proof_read(struct action_proof *proof) _nodiscard_;
/* Adds keyword and code as members, when there are. */
void action_proof_add(const struct action_proof *proof, struct json_writer *w);

/* The action's document, into ANSWER: EXIT_OK or the exit code; waits a moment for one that is new. */
int action_get(struct client *client, const char *id, struct client_answer *answer) _nodiscard_;
/* Everything about it, for people. */
void action_show(const cJSON *action, bool colour, struct str *out);

/*
 * Shows what waits and asks at the terminal for what it needs, unless PROOF has it; approves. EXIT_OK: approved;
 * EXIT_WAITS: it needs somebody else, or a terminal; else another exit code. Says why.
 */
int action_approve(struct client *client, const cJSON *action, struct action_proof *proof,
		   bool is_sure) _nodiscard_;
/* `approve`, `deny` or `cancel` without a question: *ret is the answer. */
int action_decide(struct client *client, const char *id, const char *decision, const char *digest,
		  const struct action_proof *proof, struct client_answer *ret) _nodiscard_;

/*
 * Until it is over, or needs a person, or WAIT_MS are over; says what happens meanwhile on stderr, unless QUIET.
 * EXIT_OK with its last document in ANSWER, or the exit code when the gateway was lost.
 */
int action_follow(struct client *client, const char *id, int64_t wait_ms, bool quiet,
		  struct client_answer *answer) _nodiscard_;
/* The exit code for an action in STATUS. */
int action_code(const char *status);
bool action_is_over(const cJSON *action);
/* "01J…" alone: what may stand in a path. */
bool action_is_id(const char *text);
/* A random request_id. */
void action_request_id(char ret[33]);

/* Text member KEY of OBJECT; "" when there is none. */
const char *action_text(const cJSON *object, const char *key);
/* "web (home/guest/101)" of one step, as it came. */
void action_target(const cJSON *step, struct str *out);
