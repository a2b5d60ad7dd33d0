/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The last look before the effect: what Proxmox itself says of the target now, against what was judged. Any
 * difference is a refusal: whoever approved had something else before their eyes. Pure.
 */
#include "common/alloc.h"
#include "common/json.h"
#include "common/topics.h"

#define PRECHECK_TEXT 300

/* A guest, from …/status/current. */
struct guest_now {
	const char *name;
	const char *lock;
	enum guest_status status;
	struct opt_i64 uptime_s;
	bool is_managed; /* by high availability: requests are only noted, and carried out later */
};

/* 0, or -EINVAL when ANSWER is no such answer. Text is from ARENA. */
int precheck_read_guest(const cJSON *answer, struct arena *arena, struct guest_now *ret);
/* 0, or -EBUSY with the difference in WHY (PRECHECK_TEXT bytes). */
int precheck_guest(const struct msg_grant_target *target, const struct guest_now *now, char *why);

/*
 * A guest's configuration, from …/config, against the digest that was approved; without one it is not asked for. 0,
 * -EINVAL when ANSWER is no such answer, or -EBUSY with the difference in WHY (PRECHECK_TEXT bytes).
 */
int precheck_config(const struct msg_grant_target *target, const cJSON *answer, char *why);

/* A node, from /cluster/status. */
struct node_now {
	bool is_there, is_online;
	bool is_quorate; /* the cluster; a node on its own always is */
};

int precheck_read_node(const cJSON *answer, const char *node, struct node_now *ret);
/* MUST_BE_OFF: it is to be woken. */
int precheck_node(const struct msg_grant_target *target, const struct node_now *now,
		  bool must_be_off, char *why);
/* Whether the guest runs, in any of the ways of a guest that is not stopped. */
bool precheck_is_running(enum guest_status status);
