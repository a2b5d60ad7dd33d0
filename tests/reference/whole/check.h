/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What must hold, told from outside: what people asked for and approved, what the services said on the bus, and what
 * happened at Proxmox. It knows nothing of how the services decide.
 */
#include "tests/reference/whole/pve.h"

#define CHECK_ASKED 40
#define CHECK_ACTIONS 40
#define CHECK_GRANTS 80
#define CHECK_STEPS 5

/* What somebody has asked for. */
struct asked {
	enum pve_op op;
	int64_t vmid[CHECK_STEPS]; /* or */
	const char *node;	   /* whose unit */
	size_t n;
	char snapshot[24];
	const char *principal;
	const struct msg_actor *actor; /* NULL: none */
	bool proposes, confirmed;
};

/* An action, as the gate has told of it. */
struct check_action {
	char id[32], digest[65];
	const struct asked *asked;
	enum action_status status;
	enum tier tier;
	enum action_need need;
	size_t steps_n;
	int64_t approved_ms; /* when somebody first approved it as it must be; -1: nobody */
	bool is_cancelled;   /* somebody asked for it */
	int64_t ended_ms;    /* -1: not yet */
	bool says_nothing;   /* it has ended, and says that nothing was done */
};

struct check_grant {
	char gid[40];
	struct check_action *action;
	int64_t step;
	struct pve_change change;
	char node[16];
	int64_t journaled_ms, sent_ms; /* -1: its request is not in the journal, has not left */
	unsigned applied;
	bool has_result, says_nothing;
	enum step_status outcome;
};

struct check {
	struct asked asked[CHECK_ASKED];
	size_t asked_n;
	const struct asked *probe; /* a read in the end; NULL: not yet */
	struct check_action actions[CHECK_ACTIONS];
	size_t actions_n;
	struct check_grant grants[CHECK_GRANTS];
	size_t grants_n;
	int level;	      /* the highest that a person may have set */
	bool is_gate_frozen;  /* as it says */
	bool is_known_frozen; /* as the executor has heard */
	int64_t heard_ms; /* when it last heard a live word of the gate; -1: never in this life */
	unsigned heard_life;
	char sending[40]; /* in its journal as sent, and not sent yet */
	unsigned effects, verified, unknown, failed;
};

void check_init(struct whole *w);
void check_done(struct whole *w);
/* Notes what does not hold; the first time counts. */
_printf_(2, 3) void check_fail(struct whole *w, const char *format, ...);

/* ── what happens; check.c, and check_deeds.c ── */
/* SIDE has said TEXT, and everybody may know. */
void check_told(struct whole *w, struct side *side, enum topic_id id, const char *text,
		size_t length);
void check_heard(struct whole *w, struct side *side, const char *topic, const char *text,
		 bool is_kept);
/* The executor has noted that it sends what GID grants. */
void check_journaled(struct whole *w, const char *gid);
/* The executor wants a request to be made: GID of the grant that it is for. */
void check_asked(struct whole *w, const char *request, char *gid, size_t room);
/* It has a connection, and leaves. */
void check_left(struct whole *w, const char *request, const char *form, const char *gid);
/* The same over SSH, to the node of UNIT; PARAMETER: "unit=NAME". */
void check_ssh_asked(struct whole *w, const char *gid, const char *tool,
		     const struct pve_unit *unit, const char *parameter);
/* It changes something at Proxmox, or at a node. */
void check_effect(struct whole *w, const char *gid);
/* A person, rightly or wrongly, has set LEVEL with a right code. */
void check_level(struct whole *w, int level);
void check_approved(struct whole *w, struct check_action *action);

struct check_action *check_find(struct whole *w, const char *id);
struct check_grant *check_grant(struct whole *w, const char *gid);
bool check_is_over(enum action_status status);
extern const char *const check_tools[OP_COUNT];
/* Why ACTION may not be done; NULL when it may. */
const char *check_objection(const struct whole *w, const struct check_action *action);

/* ── check_end.c ── */
/* All that was begun is over. */
bool check_is_quiet(struct whole *w);
/* When it should be: every action has ended, and the gate's chain tells of all of it. */
void check_end(struct whole *w);

/* proofs.c: whoever waits for the gate to look at a keyword does not any more. */
void proofs_forget(struct whole *w);
