/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What the tests of the SSH tools play in the lab: a cluster that is reached over SSH, orders, and how a unit looks.
 */
#include "tests/unit/executor_lab_ssh.h"
#include "tests/unit/executor_plays.h"

#define SSH_CONFIG(settings)                                                                       \
	"clusters: {home: {token: \"a@pve!b\", executor: {token: \"jarvis@pve!control\", "         \
	"ssh: {user: act, known_hosts: /k" settings "}}, nodes: {" LAB_NODES "}}}\nself: external" \
	"\ncommands: {scrub: {about: Scrub., nodes: [home/pve], params: {pool: {type: name}}, "    \
	"timeout: 90s}}\n"
#define SSH_WHERE "act@10.0.0.1:22 /k KEY 10000"

#define UNIT_OLD "LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=1\n"
#define UNIT_NEW "LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=2\n"
#define UNIT_DEAD "LoadState=loaded\nActiveState=inactive\nSubState=dead\nMainPID=0\n"

extern const struct lab_order ssh_status, ssh_ping, ssh_disks, ssh_journal; /* reads of pve */
extern const struct lab_order ssh_restart, ssh_stop, ssh_scrub;		    /* changes of pve */
extern const struct lab_order ssh_restart_b;				    /* a change of b */

/* A fixture for cmocka: the executor runs, and has a key for the nodes. */
int ssh_setup(void **state);
/* ORDER is granted, and the connection to its node comes up if it has to be made. */
void ssh_begin(struct lab *l, const struct lab_order *order);
/* The same, and the unit was looked at: the change waits for its channel. */
void ssh_begin_change(struct lab *l, const struct lab_order *order);
/* lab_ssh_answer(), and what follows from it at once. */
void ssh_answer(struct lab *l, const char *tool, const char *end, const char *out, const char *err);
/* The unit says the same, for as long as one is willing to look. */
void ssh_keep_saying(struct lab *l, const char *end, const char *out);
/* Lets jarvis.yaml be TEXT, and tells the executor so. */
void ssh_reload(struct lab *l, const char *text);
