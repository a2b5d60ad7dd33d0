/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl is a program that ends: it runs the loop until the one answer is there.
 */
#include "jarvisctl/client.h"

#include <errno.h>
#include <stdio.h>

#include <sodium.h>

#include "common/http.h"
#include "common/timer.h"
#include "jarvisctl/client_settings.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/show.h"

#define ANSWER_MAX_BYTES ((size_t)4 << 20)
#define TIMEOUT_MS 15000

struct client {
	uv_loop_t loop;
	struct http *http;
	struct client_settings settings;
};

bool client_take_option(struct client_options *o, int option)
{
	switch (option) {
	case OPTION_URL:
		o->url = optarg;
		return true;
	case OPTION_CA:
		o->ca = optarg;
		return true;
	case OPTION_FINGERPRINT:
		o->fingerprint = optarg;
		return true;
	case OPTION_TOKEN_FILE:
		o->token_file = optarg;
		return true;
	case OPTION_JSON:
		o->json = true;
		return true;
	default:
		return false;
	}
}

/* ── life ──────────────────────────────────────────────────────────────────────────────────────────────────── */

static void say(const char *text)
{
	_cleanup_(str_done) struct str safe = { 0 };

	show_text(&safe, text);
	fprintf(stderr, "jarvisctl: %s\n", str_get(&safe));
}

void client_free(struct client *client)
{
	if (!client)
		return;
	http_free(client->http);
	/* What closes by itself gets the turn to do so. */
	(void)uv_run(&client->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&client->loop);
	client_settings_done(&client->settings);
	free(client);
}

static int open_client(const struct client_options *o, bool with_credential, struct client **ret)
{
	_cleanup_(client_freep) struct client *client = xnew(struct client);
	_cleanup_(str_done) struct str error = { 0 };
	struct http_options http = { .loop = &client->loop, .max_bytes = ANSWER_MAX_BYTES };
	int code, r;

	if (uv_loop_init(&client->loop) < 0 || sodium_init() < 0) {
		say("no event loop can be made here");
		return EXIT_FAILED;
	}
	code = client_settings_load(o, with_credential, &client->settings, &error);
	if (code != EXIT_OK) {
		say(str_get(&error));
		return code;
	}
	if (str_starts(client->settings.url, "https:"))
		http.ca_file = client->settings.ca;
	r = http_new(&http, &client->http);
	if (r < 0) {
		str_printf(&error,
			   "%s: %s; name the file with the authority's certificate with --ca",
			   http.ca_file ? http.ca_file : "curl",
			   r == -EINVAL ? "holds no certificate" : strerror(-r));
		say(str_get(&error));
		return EXIT_UNREADABLE;
	}
	*ret = take(client);
	return EXIT_OK;
}

int client_open(const struct client_options *options, struct client **ret)
{
	return open_client(options, true, ret);
}

int client_open_anonymous(const struct client_options *options, struct client **ret)
{
	return open_client(options, false, ret);
}

const char *client_url(const struct client *client)
{
	return client->settings.url;
}

bool client_is_person(const struct client *client)
{
	return client->settings.cookie;
}

void client_answer_done(struct client_answer *answer)
{
	cJSON_Delete(answer->body);
	str_done(&answer->text);
	*answer = (struct client_answer){ 0 };
}

/* ── asking ────────────────────────────────────────────────────────────────────────────────────────────────── */

struct asking {
	struct client *client;
	struct client_answer *answer;
	char *cookie;
	enum http_outcome outcome;
	char *error;
	char *shown; /* fingerprint */
	bool is_over;
};

static void on_answer(void *ctx, const struct http_response *response)
{
	struct asking *a = ctx;

	a->is_over = true;
	a->outcome = response->outcome;
	a->error = xstrdup(response->error);
	a->shown = xstrdup(response->fingerprint);
	a->cookie = xstrdup(response->cookie);
	a->answer->status = response->status;
	if (response->outcome != HTTP_ANSWERED)
		return;
	str_add_n(&a->answer->text, response->body, response->body_len);
	if (json_parse(response->body, response->body_len, JSON_FOREIGN, &a->answer->body, NULL) <
	    0)
		a->answer->body = NULL;
}

static int explain(const struct asking *a)
{
	_cleanup_(str_done) struct str text = { 0 };
	const char *url = a->client->settings.url;

	/* Its advice is for services; ours follows. */
	str_add_n(&text, a->error, strcspn(a->error, ";"));
	if (a->outcome == HTTP_NOT_TRUSTED)
		str_printf(
			&text,
			"; nothing was sent. If this is your Jarvis: --ca FILE (deploy/setup makes ca/ca.crt), or "
			"--fingerprint %s after comparing it there (openssl x509 -noout -fingerprint -sha256 -in "
			"server.crt)",
			a->shown[0] ? a->shown : "HEX");
	else if (a->outcome == HTTP_UNREACHABLE)
		str_printf(
			&text,
			": the gateway is not reachable at %s. Does it run? Is it elsewhere? --url URL",
			url);
	else if (a->outcome == HTTP_REFUSED)
		str_add(&text, "; --url https://HOST:PORT");
	else
		str_printf(&text, "; what was asked of %s may have been done: jarvisctl actions",
			   url);
	say(str_get(&text));
	return a->outcome == HTTP_REFUSED ? EXIT_USAGE_TOLD : EXIT_UNREACHABLE;
}

static void wipe(char *text)
{
	if (text)
		sodium_memzero(text, strlen(text));
	free(text);
}

static int take_answer(struct asking *a)
{
	if (a->outcome != HTTP_ANSWERED)
		return explain(a);
	if (a->cookie && a->cookie[0] && strchr(a->cookie, '=')) {
		wipe(a->client->settings.cookie);
		a->client->settings.cookie = take(a->cookie);
	}
	return EXIT_OK;
}

static int not_logged_in(const struct client *client)
{
	_cleanup_(freep) char *text = NULL;

	if (client->settings.token)
		text = xasprintf(
			"%s does not know this token, or it has ended: make a new one in the dashboard",
			client->settings.url);
	else
		text = xasprintf(
			"not logged in at %s, or the session has ended: jarvisctl login --url %s",
			client->settings.url, client->settings.url);
	say(text);
	return EXIT_NOT_LOGGED_IN;
}

int client_ask(struct client *client, const char *method, const char *path, const char *body,
	       int wait_s, struct client_answer *ret)
{
	const struct client_settings *s = &client->settings;
	_cleanup_(freep) char *url = xasprintf("%s%s", s->url, path);
	_cleanup_(freep) char *origin = xasprintf("Origin: %s", s->url);
	char *who = s->token  ? xasprintf("Authorization: Bearer %s", s->token) :
		    s->cookie ? xasprintf("Cookie: %s", s->cookie) :
				NULL;
	const char *headers[] = { "Content-Type: application/json", "X-Jarvis: 1", origin, who,
				  NULL };
	const struct http_request request = { .method = method,
					      .url = url,
					      .fingerprint = s->fingerprint,
					      .fingerprint_key = "--fingerprint",
					      .headers = headers,
					      .body = body,
					      .body_len = body ? strlen(body) : 0,
					      .timeout_ms = TIMEOUT_MS + (unsigned)wait_s * 1000 };
	struct asking a = { .client = client, .answer = ret };
	bool is_login = str_eq(path, "/api/login");
	int code;

	client_answer_done(ret);
	(void)http_start(client->http, &request, on_answer, &a);
	while (!a.is_over)
		(void)uv_run(&client->loop, UV_RUN_ONCE);
	wipe(who);
	code = take_answer(&a);
	wipe(a.cookie);
	free(a.error);
	free(a.shown);
	return code == EXIT_OK && ret->status == 401 && !is_login ? not_logged_in(client) : code;
}

int client_get(struct client *client, const char *path, struct client_answer *ret)
{
	int code = client_ask(client, "GET", path, NULL, 0, ret);

	if (code != EXIT_OK)
		return code;
	if (ret->status == 200 && ret->body)
		return EXIT_OK;
	return client_tell(ret);
}

int client_tell(const struct client_answer *answer)
{
	static const struct {
		int status, code;
	} codes[] = {
		{ 401, EXIT_NOT_LOGGED_IN }, { 403, EXIT_REFUSED },	{ 409, EXIT_REFUSED },
		{ 429, EXIT_REFUSED },	     { 502, EXIT_UNREACHABLE }, { 503, EXIT_UNREACHABLE },
		{ 504, EXIT_UNREACHABLE },
	};
	_cleanup_(str_done) struct str text = { 0 };
	const char *reason = cJSON_GetStringValue(json_get(answer->body, "reason"));
	const char *detail = cJSON_GetStringValue(json_get(answer->body, "detail"));
	const char *title = cJSON_GetStringValue(json_get(answer->body, "title"));
	const char *tier = cJSON_GetStringValue(json_get(answer->body, "tier"));
	const char *rule = cJSON_GetStringValue(json_get(answer->body, "rule"));

	if (reason && tier && rule)
		str_printf(&text, "refused (%s, rule %s): %s", tier, rule, reason);
	else if (reason || detail || title)
		str_add(&text, reason ? reason : detail ? detail : title);
	else
		str_printf(
			&text,
			"an answer that is none of Jarvis's gateway (status %d); is --url right?",
			answer->status);
	say(str_get(&text));
	for (size_t i = 0; i < countof(codes); i++) {
		if (codes[i].status == answer->status)
			return codes[i].code;
	}
	return EXIT_FAILED;
}

static void time_over(void *ctx)
{
	*(bool *)ctx = true;
}

void client_pause(struct client *client, unsigned ms)
{
	bool is_over = false;
	_cleanup_(timer_freep) struct timer *timer = timer_new(&client->loop, time_over, &is_over);

	timer_once(timer, ms);
	while (!is_over)
		(void)uv_run(&client->loop, UV_RUN_ONCE);
}

/* ── the session ───────────────────────────────────────────────────────────────────────────────────────────── */

int client_keep_session(struct client *client, const char *user)
{
	_cleanup_(str_done) struct str error = { 0 };

	if (!client->settings.cookie) {
		say("the gateway set no session; is it behind a proxy that drops cookies?");
		return EXIT_FAILED;
	}
	free(client->settings.user);
	client->settings.user = xstrdup(user);
	if (client_session_write(&client->settings, &error) == 0)
		return EXIT_OK;
	say(str_get(&error));
	return EXIT_FAILED;
}

int client_forget_session(void)
{
	_cleanup_(str_done) struct str error = { 0 };

	if (client_session_remove(&error) == 0)
		return EXIT_OK;
	say(str_get(&error));
	return EXIT_FAILED;
}
