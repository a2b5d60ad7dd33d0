/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * A cable between a peer and the broker, on the harness's loop: it can be cut, and it can lose what the broker
 * says. One connection at a time.
 */
#include "tests/integration/harness.h"

struct cable;

struct cable *cable_new(struct harness *h);
/* Everything closes when the loop next runs. */
void cable_free(struct cable *cable);
/* What to give a peer in place of the broker's socket. */
const char *cable_socket(const struct cable *cable);
/* From now on nothing that the broker says arrives. */
void cable_lose_answers(struct cable *cable);
/* Breaks the connection, and lets nobody through. */
void cable_cut(struct cable *cable);
/* As new. */
void cable_mend(struct cable *cable);
