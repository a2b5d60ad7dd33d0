/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl: what an operator does, on the host or as a client of the gateway. A file for each sub-command, or for
 * those that belong together.
 */
#include "jarvisctl/jarvisctl.h"

#include <stdio.h>

#include "common/str.h"
#include "jarvisctl/client.h"
#include "jarvisctl/commands.h"

static void print_usage(FILE *out)
{
	fputs("usage: jarvisctl COMMAND …\n\n", out);
	for (const struct command *c = command_table; c->name; c++)
		fprintf(out, "  %-12s %s\n", c->name, c->doc);
	fprintf(out,
		"\n"
		"  jarvisctl COMMAND --help   says more\n"
		"  jarvisctl --version\n\n"
		"%s",
		command_codes);
}

static void print_help(const struct command *command, FILE *out)
{
	fprintf(out, "%s%s", command->usage, command->is_client ? CLIENT_USAGE : "");
}

static int run_command(const struct command *command, int argc, char **argv)
{
	int code;

	for (int i = 1; i < argc; i++) {
		if (!str_eq(argv[i], "--help") && !str_eq(argv[i], "-h"))
			continue;
		print_help(command, stdout);
		return EXIT_OK;
	}
	code = command->run(argc, argv);
	if (code == EXIT_USAGE) {
		fputs("usage:\n", stderr);
		print_help(command, stderr);
	}
	return code == EXIT_USAGE_TOLD ? EXIT_USAGE : code;
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		print_usage(stderr);
		return EXIT_USAGE;
	}
	if (str_eq(argv[1], "--help") || str_eq(argv[1], "-h") || str_eq(argv[1], "help")) {
		print_usage(stdout);
		return EXIT_OK;
	}
	if (str_eq(argv[1], "--version")) {
		puts("jarvisctl " JARVIS_VERSION);
		return EXIT_OK;
	}
	if (command_find(argv[1]))
		return run_command(command_find(argv[1]), argc - 1, argv + 1);
	fprintf(stderr, "jarvisctl: there is no command %s\n\n", argv[1]);
	print_usage(stderr);
	return EXIT_USAGE;
}
