/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The sub-commands of jarvisctl. Each gets its own argv (argv[0] is its name) and answers with an exit code.
 */

enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,       /* it was tried and did not work; stderr says why */
	EXIT_REFUSED = 2,      /* the safety gate or the gateway said no, or a person did */
	EXIT_WAITS = 3,	       /* it waits for somebody else, or goes on without us */
	EXIT_USAGE = 64,       /* the arguments are wrong */
	EXIT_UNREADABLE = 66,  /* a file cannot be read */
	EXIT_UNREACHABLE = 69, /* no answer of the gateway, or of the safety gate behind it */
	EXIT_NOT_LOGGED_IN = 77,
	EXIT_USAGE_TOLD = 256 + EXIT_USAGE, /* the same, and what is wrong was said already */
	EXIT_BAD_CONFIG = 78, /* the configuration has errors; stderr lists them all */
};

int command_action(int argc, char **argv);
int command_actions(int argc, char **argv);
int command_approve(int argc, char **argv);
int command_audit(int argc, char **argv);
int command_audit_list(int argc, char **argv);
int command_backup(int argc, char **argv);
int command_cancel(int argc, char **argv);
int command_completion(int argc, char **argv);
int command_config(int argc, char **argv);
int command_deny(int argc, char **argv);
int command_freeze(int argc, char **argv);
int command_guests(int argc, char **argv);
int command_keys(int argc, char **argv);
int command_level(int argc, char **argv);
int command_login(int argc, char **argv);
int command_logout(int argc, char **argv);
int command_man(int argc, char **argv);
int command_mqtt_user(int argc, char **argv);
int command_nodes(int argc, char **argv);
int command_person(int argc, char **argv);
int command_probe(int argc, char **argv);
int command_restore(int argc, char **argv);
int command_run(int argc, char **argv);
int command_status(int argc, char **argv);
int command_storage(int argc, char **argv);
int command_tools(int argc, char **argv);
int command_totp(int argc, char **argv);
int command_unfreeze(int argc, char **argv);
int command_watch(int argc, char **argv);
