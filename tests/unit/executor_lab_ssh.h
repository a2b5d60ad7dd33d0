/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The nodes' sshds in the lab of executor_lab.h. Connections and requests go by in the order in which they were made;
 * a request is known by its tool.
 */
#include "common/ssh.h"

/* A new lab: nothing is left of the old one. */
void lab_ssh_begin(void);
/* "user@host:port known_hosts key timeout" of the oldest connection that is being made, or NULL. */
const char *lab_ssh_connecting(void);
/* It comes up, or does not. */
void lab_ssh_up(void);
void lab_ssh_refuse(enum ssh_end end, const char *error);
/* The oldest that is up is lost with all that goes over it. */
void lab_ssh_cut(void);
size_t lab_ssh_connections(void);

bool lab_ssh_is_asked(const char *tool);
unsigned lab_ssh_timeout_ms(const char *tool);
/* Whether one of its fields is TEXT. */
bool lab_ssh_says(const char *tool, const char *text);
/* The oldest request of TOOL that waits has a channel: whether it left. */
bool lab_ssh_send(const char *tool);
/* It never had one, and its time is over. */
void lab_ssh_late(const char *tool);
/* So many have left, and so many were taken back, since the lab began. */
size_t lab_ssh_sent(void);
size_t lab_ssh_cancelled(void);
/* The oldest of TOOL, which leaves if it has not, ends with these bytes; "@" stands for its boundary. */
void lab_ssh_end(const char *tool, enum ssh_outcome outcome, const char *bytes);
/* It is answered as it should be; END: outcome and value. */
void lab_ssh_answer(const char *tool, const char *end, const char *out, const char *err);
