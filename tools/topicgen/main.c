/* SPDX-License-Identifier: MIT */
/*
 * topicgen prints the vocabulary in other languages: `topicgen acl | markdown | typescript | asyncapi | openapi |
 * dictionary | tools`. `make generate` writes what it prints into the tree.
 */
#include "tools/topicgen/topicgen.h"

#include <stdio.h>
#include <sysexits.h>

struct printer {
	const char *name;
	void (*fn)(struct str *out);
};

static const struct printer printers[] = {
	{ "markdown", print_markdown },	    { "typescript", print_typescript },
	{ "asyncapi", print_asyncapi },	    { "openapi", print_openapi },
	{ "dictionary", print_dictionary }, { "tools", print_tools },
};

static int usage(FILE *to)
{
	fprintf(to, "Usage: topicgen acl [--config FILE]\n");
	for (size_t i = 0; i < countof(printers); i++)
		fprintf(to, "       topicgen %s\n", printers[i].name);
	return to == stdout ? EX_OK : EX_USAGE;
}

static int load(const char *path, struct config **ret)
{
	_cleanup_(str_done) struct str errors = { 0 };
	int r = config_load(path, ret, &errors);

	if (r < 0)
		fprintf(stderr, "%s", str_get(&errors));
	return r;
}

static int acl(int argc, char **argv, struct str *out)
{
	_cleanup_(config_freep) struct config *config = NULL;

	if (argc == 4 && str_eq(argv[2], "--config") && load(argv[3], &config) < 0)
		return EX_CONFIG;
	if (argc != 2 && argc != 4)
		return usage(stderr);
	print_acl(config, out);
	return EX_OK;
}

static int print(int argc, char **argv, struct str *out)
{
	if (argc < 2)
		return usage(stderr);
	if (str_eq(argv[1], "--help"))
		return usage(stdout);
	if (str_eq(argv[1], "acl"))
		return acl(argc, argv, out);
	for (size_t i = 0; i < countof(printers); i++) {
		if (str_eq(argv[1], printers[i].name)) {
			printers[i].fn(out);
			return EX_OK;
		}
	}
	return usage(stderr);
}

int main(int argc, char **argv)
{
	_cleanup_(str_done) struct str out = { 0 };
	int status = print(argc, argv, &out);

	fputs(str_get(&out), stdout);
	return status;
}
