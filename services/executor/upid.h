/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * UPID:{node}:{pid}:{pstart}:{starttime}:{type}:{id}:{user}: taken apart. Pure.
 */
#include "common/base.h"

#define UPID_BYTES 257

struct upid {
	char node[65];
	char type[65];
	char id[129];
	char user[129];
	int64_t start_s; /* by the clock of its node */
};

/* False when TEXT is none, or a part of it is longer than any that Proxmox makes. */
bool upid_parse(const char *text, struct upid *ret);
