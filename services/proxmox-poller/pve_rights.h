/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What the token may do, judged: too little, and what will be missing because of it, for Proxmox leaves out what a
 * token may not see without a word; too much, for a token that only reads is no prize to a thief. Each finding comes
 * with the command that mends it. Pure.
 */
#include "common/pve_value.h"
#include "common/topics.h"

struct pve_findings {
	struct arena *arena;
	const struct msg_finding *list;
	size_t n;
};

/* True when PERMISSIONS, an answer to /access/permissions, grant PRIVILEGE on PATH. */
bool pve_rights_has(const cJSON *permissions, const char *path, const char *privilege);
/*
 * Replaces *RET by what follows from both answers for TOKEN ("user@realm!name"). ACL, of /access/acl, may be NULL:
 * then the cures are less exact. Without any right at all there is no finding: cluster_state.error says it.
 */
void pve_rights_judge(const cJSON *permissions, const cJSON *acl, const char *token,
		      struct pve_findings *ret);
/* NULL when none has this id. */
const struct msg_finding *pve_findings_find(const struct pve_findings *findings, const char *id);
void pve_findings_done(struct pve_findings *findings);
