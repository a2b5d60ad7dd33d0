/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl: what an operator does on the host. A table of sub-commands; one file for each.
 */
#include "jarvisctl/jarvisctl.h"

#include <stdio.h>

#include "common/str.h"

struct command {
	const char *name;
	const char *usage; /* a line for each way to call it */
	const char *doc;
	int (*run)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "config",
	  "  jarvisctl config --print          print jarvis.yaml with every key, its default and "
	  "what it means\n"
	  "  jarvisctl config --check [FILE]   report every error of FILE "
	  "(/etc/jarvis/jarvis.yaml)\n"
	  "  jarvisctl config --json [FILE]    print what FILE means, with all defaults, for "
	  "programs\n",
	  "the configuration file", command_config },
	{ "mqtt-user",
	  "  jarvisctl mqtt-user [--secrets DIR] NAME…\n"
	  "      make a random password for each MQTT user, in DIR/NAME/mqtt-password "
	  "(/etc/jarvis/secrets);\n"
	  "      one that is there is kept. Then tell the broker: a line NAME:PASSWORD in its "
	  "password file,\n"
	  "      mosquitto_passwd -U FILE once to hash it, and SIGHUP.\n",
	  "passwords of MQTT users", command_mqtt_user },
	{ "probe",
	  "  jarvisctl probe http PORT PATH    127.0.0.1:PORT answers a GET of PATH with 200\n"
	  "  jarvisctl probe listening PORT    somebody listens on the TCP port\n"
	  "  jarvisctl probe connected PORT    there is a connection to somebody's TCP port\n"
	  "      of this network namespace; exit code 0 or 1, for healthchecks of containers\n",
	  "is this container well?", command_probe },
};

static void print_usage(FILE *out)
{
	fputs("usage: jarvisctl COMMAND …\n\n", out);
	for (size_t i = 0; i < countof(commands); i++)
		fprintf(out, "  %-12s %s\n", commands[i].name, commands[i].doc);
	fputs("\n"
	      "  jarvisctl COMMAND --help   says more\n"
	      "  jarvisctl --version\n\n"
	      "exit codes: 0 done, 1 failed, 64 wrong arguments, 66 a file cannot be read,\n"
	      "            78 the configuration has errors\n",
	      out);
}

static int run_command(const struct command *command, int argc, char **argv)
{
	int code;

	if (argc > 1 && (str_eq(argv[1], "--help") || str_eq(argv[1], "-h"))) {
		fputs(command->usage, stdout);
		return EXIT_OK;
	}
	code = command->run(argc, argv);
	if (code == EXIT_USAGE)
		fprintf(stderr, "usage:\n%s", command->usage);
	return code;
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
	for (size_t i = 0; i < countof(commands); i++) {
		if (str_eq(argv[1], commands[i].name))
			return run_command(&commands[i], argc - 1, argv + 1);
	}
	fprintf(stderr, "jarvisctl: there is no command %s\n\n", argv[1]);
	print_usage(stderr);
	return EXIT_USAGE;
}
