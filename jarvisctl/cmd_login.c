/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl login, logout: a session of a person, as a browser has one, in a file that only they can read.
 */
#include <errno.h>
#include <stdio.h>

#include <sodium.h>

#include "jarvisctl/action.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/prompt.h"
#include "jarvisctl/secret_file.h"
#include "jarvisctl/show.h"

#define BODY_BYTES ((size_t)2048)

struct command_line {
	struct client_options client;
	const char *user, *password_file;
};

static int cannot_ask(int r, const char *option)
{
	if (r == -ENXIO)
		fprintf(stderr, "jarvisctl: there is no terminal to ask at; %s\n", option);
	else
		fputs("jarvisctl: not logged in\n", stderr);
	return r == -ENXIO ? EXIT_USAGE_TOLD : EXIT_FAILED;
}

static int read_password(const struct command_line *c, const char *user, struct client *client,
			 struct str *ret)
{
	_cleanup_(str_done) struct str error = { 0 }, question = { 0 };
	int r;

	if (c->password_file) {
		if (secret_line_read(c->password_file, ret, &error) == 0)
			return EXIT_OK;
		fprintf(stderr, "jarvisctl: %s\n", str_get(&error));
		return EXIT_UNREADABLE;
	}
	str_add(&question, "Password of ");
	show_text(&question, user);
	str_printf(&question, " at %s: ", client_url(client));
	r = prompt_read(str_get(&question), true, ret);
	return r < 0 ? cannot_ask(r, "--password-file FILE (- is standard input)") : EXIT_OK;
}

static int post(struct client *client, const char *user, const struct str *password,
		struct client_answer *answer)
{
	_cleanup_(str_wipe) struct str body = { 0 };
	struct json_writer w = { .out = &body };

	/* A character takes at most six. */
	str_reserve(&body, BODY_BYTES + 6 * (password->len + strlen(user)));
	json_object_begin(&w, NULL);
	json_add_str(&w, "user", user);
	json_add_str(&w, "password", str_get(password));
	json_object_end(&w);
	return client_ask(client, "POST", "/api/login", str_get(&body), 0, answer);
}

static int log_in(const struct command_line *c, struct client *client, const char *user)
{
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	_cleanup_(str_wipe) struct str password = { 0 };
	int code = read_password(c, user, client, &password);

	if (code == EXIT_OK)
		code = post(client, user, &password, &answer);
	if (code == EXIT_OK && answer.status != 200)
		code = client_tell(&answer);
	if (code == EXIT_OK)
		code = client_keep_session(client, user);
	if (code != EXIT_OK)
		return code;
	{
		_cleanup_(str_done) struct str out = { 0 };

		show_text(&out, user);
		str_printf(&out, " is logged in at %s as %s\n", client_url(client),
			   action_text(answer.body, "role"));
		if (cJSON_IsTrue(json_get(answer.body, "must_change_password")))
			str_add(&out,
				"The password is the initial one: change it in the dashboard.\n");
		return show_print(&out);
	}
}

static int ask_user(struct str *ret)
{
	int r = prompt_read("User: ", false, ret);

	return r < 0 ? cannot_ask(r, "--user USER") : EXIT_OK;
}

static bool read_options(int argc, char **argv, struct command_line *c)
{
	static const struct option options[] = {
		CLIENT_WHERE,
		{ "user", required_argument, NULL, 'u' },
		{ "password-file", required_argument, NULL, 'p' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'u')
			c->user = optarg;
		else if (option == 'p')
			c->password_file = optarg;
		else if (!client_take_option(&c->client, option))
			return false;
	}
	return optind == argc;
}

int command_login(int argc, char **argv)
{
	struct command_line c = { 0 };
	_cleanup_(client_freep) struct client *client = NULL;
	_cleanup_(str_done) struct str user = { 0 };
	int code;

	if (!read_options(argc, argv, &c))
		return EXIT_USAGE;
	code = client_open_anonymous(&c.client, &client);
	if (code == EXIT_OK && !c.user)
		code = ask_user(&user);
	return code == EXIT_OK ? log_in(&c, client, c.user ? c.user : str_get(&user)) : code;
}

/* The file goes in any case: a session that the gateway does not know is none. */
int command_logout(int argc, char **argv)
{
	struct command_line c = { 0 };
	_cleanup_(client_freep) struct client *client = NULL;
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	int code, forgotten;

	if (!read_options(argc, argv, &c) || c.user || c.password_file)
		return EXIT_USAGE;
	code = client_open(&c.client, &client);
	if (code == EXIT_OK && client_is_person(client))
		code = client_ask(client, "POST", "/api/logout", "{}", 0, &answer);
	if (code == EXIT_OK && answer.status && answer.status != 200)
		code = client_tell(&answer);
	forgotten = client_forget_session();
	if (code == EXIT_UNREACHABLE)
		fputs("jarvisctl: the session is forgotten here, and lives there until it expires\n",
		      stderr);
	if (code == EXIT_OK && forgotten == EXIT_OK)
		puts("logged out");
	return forgotten == EXIT_OK ? code : forgotten;
}
