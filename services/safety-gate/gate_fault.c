/* SPDX-License-Identifier: MIT */
/*
 * When the database fails. No record, no action: what could not be committed has not happened, the core is made anew
 * from what is stored, and nothing but reads is done until a record can be written again. What does not end by itself
 * (a damaged or vanished file) ends with a restart, which a person does after a look at it.
 */
#include "services/safety-gate/gate.h"

#include "common/log.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static const struct {
	int error;
	bool needs_restart;
	const char *what;
} faults[] = {
	{ ENOSPC, false, "cannot be written: the disk is full" },
	{ EIO, false, "cannot be written: the disk fails (Input/output error)" },
	{ EBUSY, false, "is locked by another process: let it end, or end it" },
	{ EROFS, false, "is on a file system, or a file, that cannot be written" },
	{ EUCLEAN, true, "is damaged; look at it, then restart safety-gate" },
	{ ESTALE, true, "was deleted, moved or replaced; look at it, then restart safety-gate" },
};

static void explain(int error, char ret[300], bool *ret_needs_restart)
{
	*ret_needs_restart = false;
	(void)snprintf(ret, 300, "the safety gate's database cannot be written (%s)",
		       strerror(-error));
	for (size_t i = 0; i < countof(faults); i++) {
		if (faults[i].error != -error)
			continue;
		(void)snprintf(ret, 300, "the safety gate's database %s", faults[i].what);
		*ret_needs_restart = faults[i].needs_restart;
	}
}

/* ── files that are gone ───────────────────────────────────────────────────────────────────────────────────── */

static void remove_log(const struct gate *gate, const char *suffix)
{
	_cleanup_(freep) char *path = xasprintf("%s%s", gate->db_path, suffix);

	if (unlink(path) < 0 && errno != ENOENT)
		log_errno(-errno, "remove %s", path);
}

/*
 * The open connection still has all that was ever acknowledged, and it alone: written where it was when nothing else
 * stands there, else beside it.
 */
static bool put_back(struct gate *gate)
{
	bool is_free = access(gate->db_path, F_OK) < 0 && errno == ENOENT;
	_cleanup_(freep) char *path = xasprintf("%s%s", gate->db_path, is_free ? "" : ".kept");
	int r;

	/* Of the old file: a new one must not be read together with them. */
	if (is_free) {
		remove_log(gate, "-wal");
		remove_log(gate, "-shm");
	}
	r = db_backup_to(gate->db, path);
	if (r < 0)
		log_errno(r, "write what was in %s to %s", gate->db_path, path);
	else
		log_error("what was in %s is now in %s", gate->db_path, path);
	return r == 0;
}

int gate_check_place(struct gate *gate)
{
	int r = db_check_place(gate->db);

	if (r == 0 || gate->is_put_back)
		return r;
	if (!gate->is_lost)
		log_error("%s", db_error(gate->db));
	gate->is_lost = true;
	db_rollback(gate->db);
	gate->is_put_back = put_back(gate);
	return r;
}

/* ── giving up, and going on ───────────────────────────────────────────────────────────────────────────────── */

static bool has_effect(const struct effects *effects, enum effect_kind kind, const char *name)
{
	for (size_t i = 0; i < effects->n; i++) {
		if (effects->list[i].kind == kind &&
		    (!name || str_eq_null(effects->list[i].name, name)))
			return true;
	}
	return false;
}

/*
 * Who asked hears why, and need not wait in vain; how an action ended is told when it could be stored. A freeze holds
 * also when it could not.
 */
static void tell_lost(struct gate *gate, const struct effects *effects, const char *why)
{
	bool is_freeze = has_effect(effects, EFFECT_AUDIT, "freeze");
	bool is_new = has_effect(effects, EFFECT_REQUEST, NULL);

	for (size_t i = 0; i < effects->n; i++) {
		const struct effect *effect = &effects->list[i];
		struct msg_reply reply = { .status = REPLY_ERROR, .code = "database", .text = why };

		if (effect->kind != EFFECT_REPLY || (effect->reply->result && !is_new))
			continue;
		if (is_freeze)
			reply = *effect->reply;
		reply.request_id = effect->reply->request_id;
		(void)bus_publish(gate->env->bus, TOPIC_REPLY,
				  (const char *const[]){ effect->name, reply.request_id, NULL },
				  &reply);
	}
}

/* What waited to be stored has not happened. */
static void tell_all_lost(struct gate *gate, const char *why)
{
	_cleanup_(freep) char *text = xasprintf("Nothing was done: %s.", why);

	for (size_t i = 0; i < gate->pending_n; i++)
		tell_lost(gate, gate->pending[i], text);
	gate_drop_pending(gate);
}

void gate_give_up(struct gate *gate, int error)
{
	bool needs_restart;
	char why[300];

	explain(error, why, &needs_restart);
	log_error("%s: what was asked just now has not happened", db_error(gate->db));
	db_rollback(gate->db);
	tell_all_lost(gate, why);
	counter_add(gate->env->counters, "lost_batches", 1);
	gate->cannot_write = true;
	/* Why it is not fit any more was said by what came first. */
	if (gate_load(gate) < 0)
		log_error("%s: what is stored cannot be read", db_error(gate->db));
	if (gate->needs_restart)
		return;
	gate->needs_restart = needs_restart;
	gate_set_unfit(gate, why);
}

static int write_proof(struct gate *gate)
{
	static const char body[] = "{}";
	int r = gate_check_place(gate);

	if (r == 0)
		r = db_begin(gate->db);
	if (r == 0)
		r = audit_append(gate->audit, "fit_again", body, sizeof(body) - 1, NULL);
	/* Before it is called fit: what cannot be read is not. */
	if (r == 0)
		r = gate_load(gate);
	return r < 0 ? r : db_commit(gate->db);
}

void gate_try_again(struct gate *gate)
{
	bool needs_restart;
	char why[300];
	int r;

	if (gate->needs_restart) {
		if (gate->is_lost)
			(void)gate_check_place(gate);
		return;
	}
	if (!gate->unfit[0]) {
		/* Also when nobody asks for anything. */
		r = gate_check_place(gate);
		if (r < 0)
			gate_give_up(gate, r);
		return;
	}
	r = write_proof(gate);
	if (r < 0) {
		explain(r, why, &needs_restart);
		db_rollback(gate->db);
		gate->needs_restart = needs_restart;
		gate_set_unfit(gate, why);
		return;
	}
	gate->cannot_write = false;
	gate_set_unfit(gate, NULL);
}
