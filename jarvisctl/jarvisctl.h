/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The sub-commands of jarvisctl. Each gets its own argv (argv[0] is its name) and answers with an exit code.
 */

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,      /* it was tried and did not work; stderr says why */
	EXIT_USAGE = 64,      /* the arguments are wrong */
	EXIT_UNREADABLE = 66, /* a file cannot be read */
	EXIT_BAD_CONFIG = 78, /* the configuration has errors; stderr lists them all */
};

int command_audit(int argc, char **argv);
int command_config(int argc, char **argv);
int command_keys(int argc, char **argv);
int command_mqtt_user(int argc, char **argv);
int command_person(int argc, char **argv);
int command_probe(int argc, char **argv);
int command_totp(int argc, char **argv);
