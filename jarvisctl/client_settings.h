/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Internal to client*.c: where the gateway is and who we are, put together from its three sources.
 */
#include "jarvisctl/client.h"

struct client_settings {
	char *url; /* scheme://host[:port] */
	char *ca, *fingerprint;
	char *token;  /* "Bearer …" is made of it */
	char *cookie; /* "name=value" of a session for this URL */
	char *user;   /* whose session */
};

/* EXIT_OK or the exit code with a sentence appended to ERROR. Without WITH_CREDENTIAL no token or cookie is read. */
int client_settings_load(const struct client_options *options, bool with_credential,
			 struct client_settings *ret, struct str *error);
void client_settings_done(struct client_settings *settings);
/* Writes URL, certificate, user and cookie of SETTINGS as the session: 0 or -errno with a sentence. */
int client_session_write(const struct client_settings *settings, struct str *error);
int client_session_remove(struct str *error);
