/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * What the gate keeps beside the audit chain, in the same database and so in the same transactions: actions, the
 * requests that were answered, level and freeze. Documents are kept as the JSON of their messages.
 */
#include "common/db.h"
#include "services/safety-gate/core.h"

/* The statement that makes the tables. */
extern const char store_schema[];

/* All but the last: inside the caller's transaction; 0 or -errno. */
int store_action(struct db *db, const struct msg_action_record *record);
int store_forget(struct db *db, const char *id);
int store_request(struct db *db, const struct effect_request *request);
int store_settings(struct db *db, const struct msg_autonomy_state *settings, int64_t epoch);
/* A code's step of 30 s that PERSON has used; nothing up to it counts again. */
int store_code_used(struct db *db, const char *person, int64_t step);
/* The last one used; -1 when there is none. 0 or -errno. */
int store_code_last(struct db *db, const char *person, int64_t *ret);
/* Requests that were kept as long as they are to be. */
int store_drop_old(struct db *db, int64_t wall_ms);

/* Fills CORE with all that is kept: 0, or -errno; -EBADMSG when something cannot be read. */
int store_load(struct db *db, struct core *core, struct core_now now);
