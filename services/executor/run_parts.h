/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Internal to run*.c: the phases of a run, each in a file, and what they hand to the next.
 */
#include "common/timer.h"
#include "services/executor/follow.h"
#include "services/executor/precheck.h"
#include "services/executor/pve_action.h"
#include "services/executor/run.h"
#include "services/executor/ssh_wire.h"
#include "services/executor/verify.h"

#define DETAIL_BYTES 512
#define LOOKS_MAX 4 /* at most: tasks, uptime, configuration, the target */

typedef void (*run_ssh_fn)(struct run *run, bool is_sent, const struct ssh_answer *answer);

enum phase {
	PHASE_NEW,
	PHASE_LOOKING,	  /* nothing has been asked for yet */
	PHASE_SENDING,	  /* the request is on its way */
	PHASE_ADOPTING,	  /* it may be: its task is looked for */
	PHASE_FOLLOWING,  /* the task runs */
	PHASE_VERIFYING,  /* is it so? */
	PHASE_REFRESHING, /* the result is certain, and waits for the poller */
	PHASE_ENDED,
};

enum look { LOOK_TASKS, LOOK_UPTIME, LOOK_CONFIG, LOOK_STORAGE, LOOK_TASK, LOOK_NODE, LOOK_GUEST };

struct run {
	const struct run_host *host;
	struct pve_link *link;
	struct arena *arena;
	struct order order;
	const struct pve_action *action; /* NULL: it only reads */
	enum phase phase;
	struct pve_call *call;
	struct pve_call *cancel_call;
	struct timer *timer;
	struct refresh_wait *wait;
	int64_t started_ms, phase_ms; /* boot clock: the run, and the present phase */
	int64_t sent_ms;	      /* 0: not yet */

	enum look looks[LOOKS_MAX];
	size_t looks_n, look;
	bool is_running, is_managed;
	bool is_outdated; /* it is not any more what was approved: the poller has not seen it yet */
	int64_t uptime_s; /* -1: not known */
	struct str known; /* UPIDs of before */

	bool is_ambiguous; /* the request may not have arrived, and there is no task that tells */
	unsigned polls;
	unsigned lost;	  /* so often in a row the task was over, and nobody said how */
	unsigned unheard; /* so often in a row Proxmox knew no such task */
	bool is_forgotten, is_interrupted; /* how it ceased to be followed */
	char upid[UPID_BYTES];
	int64_t log_lines;
	char line[FOLLOW_TEXT];
	enum task_end end;
	char exit[FOLLOW_TEXT];
	bool wants_cancel, has_cancelled;
	char seen[VERIFY_TEXT];

	struct ssh_ask *ssh_ask; /* RUNNER_SSH: it goes to the node itself */
	char boundary[SSH_WIRE_BOUNDARY];
	run_ssh_fn ssh_then;
	const char *held; /* why the change was not sent at the last moment; NULL */

	enum step_status outcome;
	char detail[DETAIL_BYTES];
	char *content;
};

static inline int64_t run_now(const struct run *run)
{
	return clock_boot_ms(run->host->env->clock);
}

/* run.c */
void run_enter(struct run *run, enum phase phase);
/* Calls FN in DELAY_MS. */
void run_later(struct run *run, int64_t delay_ms, timer_fn fn);
/* Asks with GET. */
void run_get(struct run *run, const char *path, const char *node, const char *avoid,
	     pve_link_fn fn);
/* It has ended, as far as Proxmox is concerned. */
void run_end(struct run *run, enum step_status outcome, const char *format, ...) _printf_(3, 4);
struct verify_case run_case(const struct run *run);
struct wanted_task run_wanted(const struct run *run);
/* A task is where its UPID says. False when it is not known on which node to act. */
bool run_settle_node(struct run *run);
/* Appends the path of the node's task list, narrowed to what may be ours. */
void run_add_task_list(const struct run *run, struct str *path);

/* Why it must not be begun now; NULL when it may. What the rights of a token say is not looked at. */
const char *run_objection(const struct run *run); /* run_send.c */
/* Notes durably that the request leaves now; false: it has ended. */
bool run_journal(struct run *run); /* run_send.c */

void run_look(struct run *run);	  /* run_look.c */
void run_send(struct run *run);	  /* run_send.c */
void run_adopt(struct run *run);  /* run_send.c */
void run_wake(struct run *run);	  /* run_send.c: by our own packet */
void run_follow(struct run *run); /* run_follow.c */
void run_stop_task(struct run *run);
void run_verify(struct run *run); /* run_verify.c */
void run_read(struct run *run);	  /* run_read.c: what only reads */
void run_ssh(struct run *run);	  /* ssh_run.c: at the node itself */
/* The tool itself with its own arguments, or its unit's status; THEN comes later. Why it cannot be asked, or NULL. */
const char *run_ssh_ask_tool(struct run *run, bool is_read, run_ssh_fn then);
const char *run_ssh_ask_unit(struct run *run, run_ssh_fn then);
/* How long a unit that was looked at may take to become what it should. */
int64_t run_ssh_patience_ms(const struct run *run);
bool run_ssh_is_ok(const struct ssh_answer *answer);
/* What became of it, in the node's own words as plain text (FOLLOW_TEXT bytes). */
void run_ssh_describe(const struct ssh_answer *answer, char *ret);
/* What changes something (ssh_change.c). Why it cannot be begun, or NULL. */
const char *run_ssh_change(struct run *run);
void run_ssh_resume(struct run *run);
