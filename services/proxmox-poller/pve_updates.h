/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What waits to be updated on a node, and when its certificate ends: /apt/update, or /apt/versions where the token
 * may not read that, and /certificates/info. Pure.
 */
#include "common/pve_value.h"
#include "common/topics.h"

#define PVE_PACKAGES_MAX 256

struct pve_updates {
	struct msg_package *packages; /* by name, the first PVE_PACKAGES_MAX */
	size_t packages_n;
	size_t pending, security;
	bool undecided; /* some come from Debian, and Proxmox does not say from which part of it */
	size_t bad;
};

/* /apt/update: every package that waits. */
int pve_parse_updates(const cJSON *answer, struct arena *arena, struct pve_updates *ret);
/* /apt/versions: Proxmox's own packages, of which those wait that have another candidate than what is installed. */
int pve_parse_versions(const cJSON *answer, struct arena *arena, struct pve_updates *ret);

/* The certificate that the API shows: the uploaded one when there is one, else the node's own. */
struct pve_certificate {
	const char *file;
	struct opt_i64 ends_s;
};
int pve_parse_certificates(const cJSON *answer, struct arena *arena, struct pve_certificate *ret);
