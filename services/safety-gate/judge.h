/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The judgement of one request: a tier, and whether it is done at once, asked about, or refused; by which rule, and in
 * which words. Pure: policy, view, level and counts are handed in, and nothing is remembered. What cannot be told is
 * never allowed: any doubt refuses.
 */
#include "common/config.h"
#include "common/tools.h"
#include "services/safety-gate/view.h"

#define JUDGE_TARGETS_MAX 20
#define JUDGE_FACTS_MAX 32
#define JUDGE_BATCH_FREE 3 /* more targets than that: a tier higher */

enum who {
	WHO_PERSON, /* the gateway, for somebody who is logged in */
	WHO_AGENT, /* a service of ours that proposes: llm-router, monitor, the gateway for a token or MCP */
	WHO_REMOTE, /* another MQTT user: Home Assistant, Node-RED */
};

enum need {
	NEED_NOTHING, /* a click */
	NEED_KEYWORD,
	NEED_CODE,
};

enum decision {
	DECISION_ALLOW,
	DECISION_ASK,	 /* waits for a person who gives `need` */
	DECISION_REFUSE, /* by policy, whatever the state of the target */
	DECISION_STATE,	 /* the target is not in the state for it, or cannot be seen */
};

/* One target with its arguments, after the names were resolved. */
struct judge_target {
	struct tool_args args;
	const char *cluster;
	const struct msg_guest_state *guest; /* what it acts on; else NULL */
	const struct msg_node_state *node;   /* what it acts on, or where the guest is */
	const struct msg_storage_state *storage;
};

struct ask {
	enum who who;
	const char *principal;
	const char *person;	    /* WHO_PERSON */
	bool has_keyword, has_code; /* what PERSON has enrolled; for others: whether anybody has */
	bool confirmed;
	const struct tool *tool;
	const struct judge_target *targets;
	size_t targets_n; /* 0 only for tools without a target */
	int level;	  /* autonomy, of the runbook if it has one of its own */
	bool proposes;	  /* may only propose: a person decides, whatever the level */
	bool frozen;
	const char *
		unfit; /* why the gate itself may not act above GREEN: full disk, lost audit …; NULL */
	unsigned yellow_10min,
		orange_10min; /* what the same asker started in the last ten minutes */
	bool red_under_way;
};

struct verdict {
	enum tier floor, tier;
	enum decision decision;
	enum need need;
	const char *rule; /* "tier.black", "self.host" …; static */
	char reason[400]; /* for people: what was decided, why, and what would help */
	const char *facts[JUDGE_FACTS_MAX]; /* in the arena */
	size_t facts_n;
};

/* CONFIG is the policy. BOOT_MS is now. Texts of the verdict live in ARENA. */
void judge(const struct config *config, const struct view *view, const struct ask *ask,
	   int64_t boot_ms, struct arena *arena, struct verdict *ret);

/*
 * Whether so much was started already that ASK, of TIER, must wait: by who asks, its number of targets, and what it
 * counts. True with decision, rule and reason of *ret filled. judge() asks this too.
 */
bool judge_rates(const struct config *config, const struct ask *ask, enum tier tier,
		 struct verdict *ret);

/*
 * Turns names into what they stand for: the cluster where it was left out, nodes without regard to case, guests by
 * name. 0, or -ENOENT (nothing is called so) or -EEXIST (several are) with *error filled. ARGS become canonical.
 */
int judge_resolve(const struct view *view, struct tool_args *args, struct arena *arena,
		  struct judge_target *ret, struct tool_error *error) _nodiscard_;

/* "home/guest/101", the name of what TARGET acts on in policies and facts; "" for tools without a target. */
const char *judge_object(const struct judge_target *target, struct arena *arena);
