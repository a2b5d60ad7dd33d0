/* SPDX-License-Identifier: MIT */
#pragma once
/* The sub-commands as a table. */
#include "common/str.h"

struct command {
	const char *name;
	const char
		*usage; /* a line for each way to call it, indented by two; what it means by six */
	const char *doc;
	int (*run)(int argc, char **argv);
	bool is_client; /* takes what every client of the gateway takes */
};

/* By name; ended by one without. */
extern const struct command command_table[];
/* What exit codes mean, for people. */
extern const char command_codes[];

const struct command *command_find(const char *name);
