/* SPDX-License-Identifier: MIT */
/*
 * The command line that all services share: one table for parsing and for --help.
 */
#include "common/service_options.h"

#include "common/config.h"
#include "common/secret.h"

#include <errno.h>
#include <stdio.h>

struct option_row {
	const char *name;
	const char *value; /* what --help calls it; NULL: takes none */
	size_t offset;	   /* in struct service_options; of a text, or of a bool */
	const char *doc;
};

static const struct option_row rows[] = {
	{ "--config", "FILE", offsetof(struct service_options, config),
	  "configuration (default " CONFIG_FILE ")" },
	{ "--data", "DIR", offsetof(struct service_options, data),
	  "what must survive (default /var/lib/jarvis)" },
	{ "--runtime", "DIR", offsetof(struct service_options, runtime),
	  "sockets and switches (default /run/jarvis)" },
	{ "--secrets", "DIR", offsetof(struct service_options, secrets),
	  "secret files (default " SECRETS_DIR ")" },
	{ "--check", NULL, offsetof(struct service_options, check),
	  "check the configuration and leave" },
};

static void print_help(const char *name, const char *doc)
{
	printf("%s: %s\n\nUsage: %s [options]\n\n", name, doc, name);
	for (size_t i = 0; i < countof(rows); i++)
		printf("  %-10s %-5s %s\n", rows[i].name, rows[i].value ? rows[i].value : "",
		       rows[i].doc);
	printf("  %-16s %s\n  %-16s %s\n\n", "--help", "this text", "--version", "the version");
	printf("SIGHUP reads the configuration again; SIGTERM ends in good order.\n"
	       "`jarvisctl config --print` prints a commented configuration.\n");
}

static const struct option_row *find(const char *name, size_t length)
{
	for (size_t i = 0; i < countof(rows); i++) {
		if (strlen(rows[i].name) == length && strncmp(rows[i].name, name, length) == 0)
			return &rows[i];
	}
	return NULL;
}

/* Takes the option at ARGV[*I], with its value: 0 or -EINVAL. */
static int take_option(const char *program, int argc, char **argv, int *i,
		       struct service_options *o)
{
	const char *text = argv[*i];
	const char *equals = strchr(text, '=');
	const struct option_row *row = find(text, equals ? (size_t)(equals - text) : strlen(text));

	if (!row || (equals && !row->value)) {
		fprintf(stderr, "%s: unknown option %s; try --help\n", program, text);
		return -EINVAL;
	}
	if (!row->value) {
		*(bool *)((char *)o + row->offset) = true;
		return 0;
	}
	if (!equals && ++*i >= argc) {
		fprintf(stderr, "%s: %s needs a value: %s %s\n", program, row->name, row->name,
			row->value);
		return -EINVAL;
	}
	*(const char **)((char *)o + row->offset) = equals ? equals + 1 : argv[*i];
	return 0;
}

int service_options_parse(const char *name, const char *doc, int argc, char **argv,
			  struct service_options *ret)
{
	int r = 0;

	*ret = (struct service_options){
		.config = CONFIG_FILE,
		.data = "/var/lib/jarvis",
		.runtime = "/run/jarvis",
		.secrets = SECRETS_DIR,
	};
	for (int i = 1; i < argc && r == 0; i++) {
		if (str_eq(argv[i], "--help") || str_eq(argv[i], "-h")) {
			print_help(name, doc);
			return OPTIONS_E_LEAVE;
		}
		if (str_eq(argv[i], "--version")) {
			printf("%s %s\n", name, JARVIS_VERSION);
			return OPTIONS_E_LEAVE;
		}
		r = take_option(name, argc, argv, &i, ret);
	}
	return r;
}
