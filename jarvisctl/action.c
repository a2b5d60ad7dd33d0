/* SPDX-License-Identifier: MIT */
/*
 * Followed by asking again: what it costs is a small document every 300 ms for as long as a person looks at it.
 */
#include "jarvisctl/action.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <sodium.h>

#include "common/time.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/show.h"

#define POLL_MS 300
/* The mirror of the gateway may be a moment behind the gate's reply, or begin anew. */
#define NEW_MS 5000
#define NEW_POLL_MS 50

bool action_is_id(const char *text)
{
	return strlen(text) == 26 && strspn(text, "0123456789ABCDEFGHJKMNPQRSTVWXYZ") == 26;
}

void action_request_id(char ret[33])
{
	unsigned char bytes[16];

	randombytes_buf(bytes, sizeof(bytes));
	hex_build(bytes, sizeof(bytes), ret);
}

bool action_is_over(const cJSON *action)
{
	return cJSON_IsNumber(json_get(action, "ended_ms"));
}

int action_code(const char *status)
{
	static const struct {
		const char *status;
		int code;
	} codes[] = {
		{ "verified", EXIT_OK },	  { "failed", EXIT_FAILED },
		{ "still_failing", EXIT_FAILED }, { "unknown", EXIT_FAILED },
		{ "denied", EXIT_REFUSED },	  { "refused", EXIT_REFUSED },
		{ "cancelled", EXIT_REFUSED },	  { "expired", EXIT_REFUSED },
	};

	for (size_t i = 0; i < countof(codes); i++) {
		if (str_eq(codes[i].status, status))
			return codes[i].code;
	}
	return EXIT_WAITS;
}

int action_get(struct client *client, const char *id, struct client_answer *answer)
{
	_cleanup_(freep) char *path = xasprintf("/api/actions/%s", id);
	int64_t until = clock_boot_ms(&clock_system) + NEW_MS;
	int code;

	while ((code = client_ask(client, "GET", path, NULL, 0, answer)) == EXIT_OK &&
	       answer->status == 404 && clock_boot_ms(&clock_system) < until)
		client_pause(client, NEW_POLL_MS);
	if (code != EXIT_OK)
		return code;
	return answer->status == 200 && answer->body ? EXIT_OK : client_tell(answer);
}

/* ── following ─────────────────────────────────────────────────────────────────────────────────────────────── */

struct follower {
	bool quiet, colour;
	struct str status, line;
};

static void say(const struct follower *f, const char *text, enum shade shade)
{
	_cleanup_(str_done) struct str out = { 0 };

	if (f->quiet)
		return;
	show_shaded(&out, text, shade, f->colour);
	fprintf(stderr, "%s\n", str_get(&out));
}

static void say_status(const struct follower *f, const cJSON *action)
{
	static const struct {
		const char *status, *text;
	} texts[] = {
		{ "window", "approved; it begins in a moment, unless it is cancelled" },
		{ "approved", "approved" },
		{ "running", "running" },
	};
	const char *status = action_text(action, "status");
	_cleanup_(freep) char *text = NULL;

	for (size_t i = 0; i < countof(texts); i++) {
		if (str_eq(texts[i].status, status))
			text = xasprintf("%s: %s", action_text(action, "id"), texts[i].text);
	}
	if (text)
		say(f, text, SHADE_DIM);
}

static bool has_changed(struct str *was, const char *is)
{
	if (str_eq(str_get(was), is))
		return false;
	str_clear(was);
	str_add(was, is);
	return true;
}

static void tell(struct follower *f, const cJSON *action)
{
	const char *line = action_text(action, "line");

	if (has_changed(&f->status, action_text(action, "status")))
		say_status(f, action);
	if (has_changed(&f->line, line) && *line) {
		_cleanup_(freep) char *text = xasprintf("  %s", line);

		say(f, text, SHADE_PLAIN);
	}
}

int action_follow(struct client *client, const char *id, int64_t wait_ms, bool quiet,
		  struct client_answer *answer)
{
	int64_t until = clock_boot_ms(&clock_system) + wait_ms;
	struct follower f = { .quiet = quiet, .colour = show_has_colour(STDERR_FILENO) };
	int code;

	for (;;) {
		code = action_get(client, id, answer);
		if (code != EXIT_OK)
			fprintf(stderr, "jarvisctl: it may go on without us: jarvisctl action %s\n",
				id);
		if (code != EXIT_OK)
			break;
		tell(&f, answer->body);
		if (action_is_over(answer->body) ||
		    str_eq(action_text(answer->body, "status"), "waiting") ||
		    clock_boot_ms(&clock_system) >= until)
			break;
		client_pause(client, POLL_MS);
	}
	str_done(&f.status);
	str_done(&f.line);
	return code;
}
