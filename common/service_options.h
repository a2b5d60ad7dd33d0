/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The command line that all services share. Used by service.c.
 */
#include "common/base.h"

struct service_options {
	const char *config;
	const char *data;
	const char *runtime;
	const char *secrets;
	bool check; /* load the configuration, say what is wrong, leave */
};

enum {
	OPTIONS_E_LEAVE = 1, /* --help or --version was answered */
};

/* 0, OPTIONS_E_LEAVE, or -EINVAL with a line on stderr. Texts are ARGV's. */
int service_options_parse(const char *name, const char *doc, int argc, char **argv,
			  struct service_options *ret);
