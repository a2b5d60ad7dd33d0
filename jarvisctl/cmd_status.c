/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl status, watch: everything at a glance, once or for as long as somebody looks.
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/overview.h"
#include "jarvisctl/screen.h"
#include "jarvisctl/show.h"

#define INTERVAL_S 2
#define INTERVAL_MAX_S 3600
#define LINES_MAX 10000

/* Appends what is to be seen; *RET: how many things want a look. EXIT_OK, or why there is nothing. */
static int see(struct client *client, const struct overview_page *page, bool json, struct str *out,
	       size_t *ret)
{
	_cleanup_(world_done) struct world world = { 0 };
	_cleanup_(attentions_done) struct attentions attentions = { 0 };
	int code = world_load(client, &world);

	if (code != EXIT_OK)
		return code;
	attentions_find(&world, &attentions);
	if (json)
		overview_json(&world, &attentions, out);
	else
		overview_text(&world, &attentions, page, out);
	*ret = attentions.n;
	return EXIT_OK;
}

int command_status(int argc, char **argv)
{
	static const struct option options[] = { CLIENT_OPTIONS, { 0 } };
	_cleanup_(client_freep) struct client *client = NULL;
	_cleanup_(str_done) struct str out = { 0 };
	struct overview_page page = { .colour = show_has_colour(STDOUT_FILENO),
				      .lines = LINES_MAX };
	struct client_options where = { 0 };
	size_t wants_look = 0;
	int option, code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (!client_take_option(&where, option))
			return EXIT_USAGE;
	}
	if (optind != argc)
		return EXIT_USAGE;
	code = client_open(&where, &client);
	if (code != EXIT_OK)
		return code;
	page.url = client_url(client);
	code = see(client, &page, where.json, &out, &wants_look);
	if (code == EXIT_OK)
		code = show_print(&out);
	return code == EXIT_OK && wants_look ? EXIT_FAILED : code;
}

/* ── watch ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void measure(struct overview_page *page)
{
	struct winsize size;

	page->lines = 24;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row)
		page->lines = size.ws_row;
}

/* Draws over what stands there: no flicker. What is wrong is at the top: the end is what there is no room for. */
static int draw(struct client *client, struct overview_page *page)
{
	_cleanup_(str_done) struct str text = { 0 }, out = { 0 };
	size_t wants_look, lines = 0;
	int code;

	measure(page);
	code = see(client, page, false, &text, &wants_look);
	if (code != EXIT_OK)
		return code;
	str_add(&out, "\033[H");
	for (const char *line = str_get(&text); *line && lines < page->lines; lines++) {
		size_t length = strcspn(line, "\n");

		str_add_n(&out, line, length);
		str_add(&out, lines + 1 < page->lines ? "\033[K\n" : "\033[K");
		line += length + (line[length] ? 1 : 0);
	}
	str_add(&out, "\033[J");
	return show_print(&out);
}

int command_watch(int argc, char **argv)
{
	enum { OPTION_INTERVAL = 'i' };
	static const struct option options[] = {
		CLIENT_OPTIONS,
		{ "interval", required_argument, NULL, OPTION_INTERVAL },
		{ 0 },
	};
	_cleanup_(client_freep) struct client *client = NULL;
	struct overview_page page = { .colour = show_has_colour(STDOUT_FILENO),
				      .is_watched = true };
	struct client_options where = { 0 };
	struct screen screen;
	int64_t interval_s = INTERVAL_S;
	int option, code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (!client_take_option(&where, option) &&
		    (option != OPTION_INTERVAL ||
		     str_to_i64(optarg, 1, INTERVAL_MAX_S, &interval_s) < 0))
			return EXIT_USAGE;
	}
	if (optind != argc || where.json)
		return EXIT_USAGE;
	if (!isatty(STDOUT_FILENO)) {
		fputs("jarvisctl: watch needs a terminal; jarvisctl status prints once\n", stderr);
		return EXIT_USAGE_TOLD;
	}
	code = client_open(&where, &client);
	if (code != EXIT_OK)
		return code;
	page.url = client_url(client);
	if (screen_begin(&screen) < 0) {
		fputs("jarvisctl: the terminal cannot be used\n", stderr);
		return EXIT_FAILED;
	}
	/* A gateway that is away comes again; why it does not answer stands below what was seen last. */
	do {
		code = draw(client, &page);
	} while (code != EXIT_NOT_LOGGED_IN && !screen_wait(&screen, (int)interval_s * 1000));
	screen_end(&screen);
	if (code != EXIT_OK)
		fprintf(stderr, "jarvisctl: %s\n",
			code == EXIT_NOT_LOGGED_IN ? "the session has ended: jarvisctl login" :
						     "the gateway did not answer");
	return code;
}
