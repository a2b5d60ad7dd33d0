/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * Internal to executor*.c.
 */
#include "common/alloc.h"
#include "common/log.h"
#include "common/timer.h"
#include "services/executor/docs.h"
#include "services/executor/executor.h"
#include "services/executor/outbox.h"
#include "services/executor/run.h"
#include "services/executor/wishes.h"

#define RUNS_MAX 64

struct job {
	struct job *next;
	struct run *run;
};

struct executor {
	struct service_env *env;
	bool is_stopping;
	struct grant_keys keys; /* of the gate; n 0 while they cannot be read */
	int64_t keys_retry_ms;
	struct str keys_error; /* why they cannot be */
	struct journal *journal;
	struct freeze freeze;
	struct docs *docs;
	struct refresh *refresh;
	struct ssh_links *ssh;
	struct pve_link **links;
	size_t links_n;
	struct run_host host;
	struct job *jobs;
	size_t jobs_n;
	struct wishes wishes;
	struct outbox outbox;
	struct timer *timer;
	int64_t pruned_ms; /* when; 0: not yet */

	int64_t epoch; /* 0: none yet */
	char hello[NONCE_TEXT];
	int64_t hello_ms; /* when it was said; 0: not since we are online */
	bool is_fenced;	  /* another executor has taken over */
	int64_t alone_ms; /* when that one counts as gone; 0: it is there */

	struct log_fold grant_fold, claim_fold;
};

static inline int64_t executor_now(const struct executor *x)
{
	return clock_boot_ms(x->env->clock);
}

/* The cluster's link, or NULL. */
struct pve_link *executor_link(const struct executor *x, const char *cluster);
/* Once a day: what nobody needs any more leaves the journal. Who does nothing writes nothing, and need not be woken. */
void executor_prune(struct executor *x);
/* Reads the gate's key when that has not been possible yet. */
bool executor_has_keys(struct executor *x);
/* executor_claim.c: claims what may be, says again what must be, and sets the timer. */
void executor_pump(struct executor *x);
void executor_say_hello(struct executor *x);
/* An executor, be it this one or another, has come or gone. */
void executor_watch(struct executor *x, const struct msg *msg);
/* Why nothing may be begun that was granted before; NULL when it may. */
const char *executor_objection(void *ctx);
/* What stands beside this service on the dashboard. */
void executor_tell_trouble(struct executor *x);
/* executor_grant.c: takes what was begun before the last start up again. */
int executor_take_up(struct executor *x);
void executor_finished(void *ctx, struct run *run, const struct msg_action_result *result);
/* Whether one of the runs is in the way of ORDER; of a wish when ORDER is NULL. */
bool executor_is_busy(const struct executor *x, const struct order *order, const char *object);
void executor_end_jobs(struct executor *x);
