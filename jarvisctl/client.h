/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The gateway as a client sees it: one question at a time, answered or explained. Where it is and who we are comes
 * from the command line, the session of `jarvisctl login`, and client.yaml, in this order; secrets from files alone.
 */
#include <getopt.h>

#include "common/json.h"

#define CLIENT_URL "http://127.0.0.1:3004"

/* What every command that asks the gateway takes. */
struct client_options {
	const char *url, *token_file, *ca, *fingerprint;
	bool json;
};

enum { OPTION_URL = 1000, OPTION_TOKEN_FILE, OPTION_CA, OPTION_FINGERPRINT, OPTION_JSON };

/* Rows for getopt_long(). */
#define CLIENT_WHERE                                                                               \
	{ "url", required_argument, NULL, OPTION_URL },                                            \
		{ "ca", required_argument, NULL, OPTION_CA },                                      \
	{                                                                                          \
		"fingerprint", required_argument, NULL, OPTION_FINGERPRINT                         \
	}
#define CLIENT_OPTIONS                                                                             \
	CLIENT_WHERE, { "token-file", required_argument, NULL, OPTION_TOKEN_FILE },                \
	{                                                                                          \
		"json", no_argument, NULL, OPTION_JSON                                             \
	}

/* For the usage of these commands. */
#define CLIENT_USAGE                                                                               \
	"  Of every command that asks the gateway:\n"                                              \
	"      --url URL           (" CLIENT_URL ", or of the login, or of client.yaml)\n"         \
	"      --ca FILE           who vouches for its certificate (the machine's authorities)\n"  \
	"      --fingerprint HEX   or the SHA-256 of the certificate itself\n"                     \
	"      --token-file FILE   an API token in place of a login; 0600\n"                       \
	"      ~/.config/jarvis/client.yaml (0600) may say url, ca, fingerprint, token_file.\n"

/* Takes OPTION with optarg: false when it is none of these. */
bool client_take_option(struct client_options *options, int option);

struct client;

/* Where is it and who are we? EXIT_OK, or the exit code, with the reason on stderr. */
int client_open(const struct client_options *options, struct client **ret) _nodiscard_;
/* The same for who is about to log in: without a credential. */
int client_open_anonymous(const struct client_options *options, struct client **ret) _nodiscard_;
void client_free(struct client *client);
DEFINE_FREEP(struct client, client_free)

struct client_answer {
	int status;
	cJSON *body;	 /* NULL when it is no JSON */
	struct str text; /* as it came */
};
void client_answer_done(struct client_answer *answer);

/*
 * METHOD PATH with BODY (JSON, or NULL); WAIT_S: how long the gateway may take beyond what is usual. EXIT_OK with any
 * answer but 401; else the exit code, with the reason on stderr. *ret is overwritten, and ended in any case with
 * client_answer_done().
 */
int client_ask(struct client *client, const char *method, const char *path, const char *body,
	       int wait_s, struct client_answer *ret) _nodiscard_;
/* The same, where everything but 200 is an error that is told. */
int client_get(struct client *client, const char *path, struct client_answer *ret) _nodiscard_;
/* Tells what is wrong by an answer that is not 2xx: the exit code. */
int client_tell(const struct client_answer *answer);
/* Lets time pass. */
void client_pause(struct client *client, unsigned ms);

const char *client_url(const struct client *client);
/* A person, who may approve; else a program with a token. */
bool client_is_person(const struct client *client);
/* Logged in: remembers the session that the last answer began. EXIT_OK or EXIT_FAILED. */
int client_keep_session(struct client *client, const char *user) _nodiscard_;
/* Forgets the session in the file: EXIT_OK or EXIT_FAILED. */
int client_forget_session(void) _nodiscard_;
