/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The shell round the core: bus, database, keys, clock. What the core wants to happen is made durable first, all of a
 * batch of messages in one transaction, and only then told to the world; acknowledgements to the broker come last.
 */
#include "common/persons.h"
#include "common/service.h"
#include "common/timer.h"
#include "services/safety-gate/audit.h"
#include "services/safety-gate/core.h"
#include "services/safety-gate/proof.h"
#include "services/safety-gate/store.h"

#define GATE_FROZEN_FILE                                                                           \
	"frozen" /* in the runtime folder: as long as it is there, executors do nothing but read */

struct gate {
	struct service_env *env;
	struct core *core;
	struct view *view;
	struct db *db;
	struct audit *audit;
	unsigned char secret[GRANT_SECRET_BYTES];
	struct seal_keys seal;
	struct persons *persons;
	struct core_person *enrolled; /* for the core, as many as persons */
	struct password_jobs *passwords;
	struct timer *tick;
	char *frozen_path, *db_path;

	/* What is stored and waits to be told, in order. */
	struct effects **pending;
	size_t pending_n;

	char unfit[300];	/* why nothing but reads is done; "" */
	int64_t wall_offset_ms; /* wall − boot, as it was at the last tick */
	int64_t beat_ms;	/* when autonomy was last published, boot clock */
	int64_t tick_ms; /* of the last tick, boot clock; and until when what comes in is late */
	int64_t late_until_ms;
	int64_t pruned_ms;
	struct log_fold id_fold;
	bool keeps_file;    /* the file that says frozen is ours to remove */
	bool is_policy_bad; /* jarvis.yaml could not be read again */
	bool is_lost;	    /* the files of the database are gone; */
	bool is_put_back;   /* what was in them was written again */
	bool cannot_write;  /* until a record of the chain can be written again */
	bool needs_restart; /* the database is damaged, new or gone: only a person ends that */
	bool is_stopping;
};

int gate_start(struct service_env *env, void **ret);
void gate_stop(void *self);
void gate_free(void *self);
void gate_online(void *self);
void gate_offline(void *self);
void gate_batch_end(void *self);
void gate_reload(void *self, const struct config *config);
void gate_reload_failed(void *self);

/* gate_commands.c: what comes over the bus. */
void gate_on_document(void *self, const struct msg *msg);
void gate_on_action_request(void *self, const struct msg *msg);
void gate_on_approval(void *self, const struct msg *msg);
void gate_on_autonomy(void *self, const struct msg *msg);
void gate_on_hello(void *self, const struct msg *msg);
void gate_on_claim(void *self, const struct msg *msg);
void gate_on_progress(void *self, const struct msg *msg);
void gate_on_result(void *self, const struct msg *msg);
void gate_on_request(void *self, const struct msg *msg);

/* gate_effects.c: stores EFFECTS, which it takes over; they are told at gate_flush(). */
void gate_apply(struct gate *gate, struct effects *effects);
/* What is stored and not told yet is forgotten. */
void gate_drop_pending(struct gate *gate);
/* Commits, and tells what was stored. */
void gate_flush(struct gate *gate);
/* Signs a checkpoint of the chain when one is due, or, at the end, in any case; and the last one again. */
void gate_sign(struct gate *gate, bool is_last);
void gate_tell_checkpoint(struct gate *gate);
/* Reads all that is kept into a new core. 0 or -errno. */
int gate_load(struct gate *gate);
/* Nothing but reads from now on, because of WHY; NULL: all is well again. */
void gate_set_unfit(struct gate *gate, const char *why);
/* Publishes level and freeze, and keeps the file that says the same. */
void gate_beat(struct gate *gate);
struct core_now gate_now(const struct gate *gate);
/* We were not there for a while: what comes in now was said to somebody who has been told that nobody answers. */
bool gate_is_late(const struct gate *gate);

/* gate_fault.c: when the database fails. */
/* What is not committed has not happened: forgets it, and says why. */
void gate_give_up(struct gate *gate, int error);
/* What could not be written may be possible again. */
void gate_try_again(struct gate *gate);
/* Are the files of the database still there? 0, or -ESTALE. */
int gate_check_place(struct gate *gate);
