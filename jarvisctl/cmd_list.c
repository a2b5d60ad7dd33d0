/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl guests, nodes, storage: the dashboard's tables, found by the dashboard's search.
 */
#include <stdio.h>
#include <unistd.h>

#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/lists.h"
#include "jarvisctl/show.h"

static int list(const struct client_options *options, enum list_kind kind,
		const struct search *search)
{
	_cleanup_(client_freep) struct client *client = NULL;
	_cleanup_(world_done) struct world world = { 0 };
	_cleanup_(str_done) struct str out = { 0 };
	int code = client_open(options, &client);
	size_t found;

	if (code == EXIT_OK)
		code = world_load(client, &world);
	if (code != EXIT_OK)
		return code;
	found = list_add(kind, &world, search, show_has_colour(STDOUT_FILENO), options->json, &out);
	code = show_print(&out);
	return code == EXIT_OK && !found ? EXIT_FAILED : code;
}

static int command(int argc, char **argv, enum list_kind kind)
{
	static const struct option options[] = { CLIENT_OPTIONS, { 0 } };
	_cleanup_(search_freep) struct search *search = NULL;
	_cleanup_(str_done) struct str input = { 0 }, errors = { 0 };
	struct client_options client = { 0 };
	int option;

	/* A term may begin with a minus: only what begins with two is an option, wherever it stands. */
	for (int i = 1; i < argc;) {
		if (strncmp(argv[i], "--", 2) != 0) {
			str_printf(&input, "%s%s", input.len ? " " : "", argv[i++]);
			continue;
		}
		optind = i;
		option = getopt_long(argc, argv, "+", options, NULL);
		if (option == -1 || !client_take_option(&client, option))
			return EXIT_USAGE;
		i = optind;
	}
	if (search_parse(str_get(&input), &search, &errors) < 0) {
		fprintf(stderr, "%s", str_get(&errors));
		return EXIT_USAGE_TOLD;
	}
	return list(&client, kind, search);
}

int command_guests(int argc, char **argv)
{
	return command(argc, argv, LIST_GUESTS);
}

int command_nodes(int argc, char **argv)
{
	return command(argc, argv, LIST_NODES);
}

int command_storage(int argc, char **argv)
{
	return command(argc, argv, LIST_STORAGES);
}
