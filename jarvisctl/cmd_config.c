/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl config: prints the sample, reports every error of a file, or prints what the file means.
 */
#include <errno.h>
#include <stdio.h>

#include "common/config.h"
#include "jarvisctl/jarvisctl.h"

static int print_text(const struct str *text)
{
	if (fputs(str_get(text), stdout) < 0 || fflush(stdout) < 0) {
		fprintf(stderr, "jarvisctl: cannot write: %s\n", strerror(errno));
		return EXIT_FAILED;
	}
	return EXIT_OK;
}

static int print_sample(void)
{
	_cleanup_(str_done) struct str text = { 0 };

	config_print_sample(&text);
	return print_text(&text);
}

/* EXIT_OK with the configuration; else all errors are on stderr. */
static int load_file(const char *path, struct config **ret)
{
	_cleanup_(str_done) struct str errors = { 0 };
	int r = config_load(path, ret, &errors);

	fputs(str_get(&errors), stderr);
	if (r < 0)
		return r == -EINVAL ? EXIT_BAD_CONFIG : EXIT_UNREADABLE;
	return EXIT_OK;
}

static int print_json(const char *path)
{
	_cleanup_(config_freep) struct config *config = NULL;
	_cleanup_(str_done) struct str text = { 0 };
	int code = load_file(path, &config);

	if (code != EXIT_OK)
		return code;
	config_print_json(config, &text);
	return print_text(&text);
}

static int check_file(const char *path)
{
	_cleanup_(config_freep) struct config *config = NULL;
	int code = load_file(path, &config);

	if (code != EXIT_OK)
		return code;
	printf("%s: no errors (digest %s)\n", path, config_digest(config));
	return EXIT_OK;
}

int command_config(int argc, char **argv)
{
	if (argc == 2 && str_eq(argv[1], "--print"))
		return print_sample();
	if ((argc == 2 || argc == 3) && str_eq(argv[1], "--check"))
		return check_file(argc == 3 ? argv[2] : CONFIG_FILE);
	if ((argc == 2 || argc == 3) && str_eq(argv[1], "--json"))
		return print_json(argc == 3 ? argv[2] : CONFIG_FILE);
	return EXIT_USAGE;
}
