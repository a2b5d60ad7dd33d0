/* SPDX-License-Identifier: MIT */
/*
 * Held against what is left when all is over: every action has an end, and the gate's chain of records tells of it.
 */
#include "common/alloc.h"
#include "services/safety-gate/gate.h"
#include "tests/reference/whole/check.h"

#include <stdio.h>
#include <string.h>

static bool is_reported(const struct check_grant *grant)
{
	return grant->sent_ms < 0 || grant->has_result;
}

/* NULL: it is not known to the gate. */
static const struct check_action *probe_of(const struct check *c)
{
	for (size_t i = 0; c->probe && i < c->actions_n; i++) {
		if (c->actions[i].asked == c->probe)
			return &c->actions[i];
	}
	return NULL;
}

bool check_is_quiet(struct whole *w)
{
	const struct check *c = w->check;

	if (!probe_of(c))
		return false;
	if (!w->gate.self || !w->executor.self || !w->gate.is_online || !w->executor.is_online)
		return false;
	for (size_t i = 0; i < c->actions_n; i++) {
		if (!check_is_over(c->actions[i].status))
			return false;
	}
	for (size_t i = 0; i < c->grants_n; i++) {
		if (!is_reported(&c->grants[i]))
			return false;
	}
	return true;
}

static void check_ends(struct whole *w)
{
	const struct check *c = w->check;
	const struct check_action *probe = probe_of(c);

	if (!probe || probe->status != ACTION_VERIFIED)
		check_fail(w, "all is well again, and a read is not answered");
	for (size_t i = 0; i < c->actions_n; i++) {
		if (!check_is_over(c->actions[i].status))
			check_fail(w, "%s never ends: its status is %d", c->actions[i].id,
				   (int)c->actions[i].status);
	}
	for (size_t i = 0; i < c->grants_n; i++) {
		if (!is_reported(&c->grants[i]))
			check_fail(w, "what %s grants was begun, and nobody ever says how it ended",
				   c->grants[i].gid);
	}
}

/* ── the chain ─────────────────────────────────────────────────────────────────────────────────────────────── */

struct tally {
	unsigned granted[CHECK_GRANTS], begun[CHECK_ACTIONS], ended[CHECK_ACTIONS];
};

static void count_grant(struct whole *w, const char *body, const struct check_action *action,
			struct tally *tally)
{
	for (size_t i = 0; i < w->check->grants_n; i++) {
		const struct check_grant *grant = &w->check->grants[i];

		if (grant->action == action && strstr(body, grant->gid))
			tally->granted[i]++;
	}
}

static void count(struct whole *w, const char *kind, const char *body, struct tally *tally)
{
	for (size_t i = 0; i < w->check->actions_n; i++) {
		const struct check_action *action = &w->check->actions[i];

		if (!strstr(body, action->id))
			continue;
		if (str_eq(kind, "granted"))
			count_grant(w, body, action, tally);
		else if (str_eq(kind,
				enumeration_word(&enumeration_action_status, (int)action->status)))
			tally->ended[i]++;
		else
			tally->begun[i]++;
		return;
	}
}

static void read_chain(struct whole *w, struct db *db, struct tally *tally)
{
	_cleanup_(db_rows_freep) struct db_rows *rows = db_query(
		db, "SELECT kind, CAST(body AS TEXT) FROM record WHERE seq > ?", DB_I64(0));
	int r;

	while ((r = db_next(rows)) > 0)
		count(w, db_text(rows, 0), db_text(rows, 1), tally);
	if (r < 0)
		check_fail(w, "the chain cannot be read");
}

static void check_chain(struct whole *w, struct db *db)
{
	struct audit_report report = { 0 };
	struct audit_keys keys = { 0 };
	const struct audit_check how = { .keys = &keys };

	if (audit_keys_from_hex(w->key_hex, &keys) < 0 || audit_verify(db, &how, &report) < 0)
		check_fail(w, "the chain is not sound: %s", str_get(&report.text));
	str_done(&report.text);
}

/* As somebody who wants to hide it would. */
static void forget(struct db *db)
{
	(void)db_exec_values(db, "DROP TRIGGER record_stays", NULL, 0);
	(void)db_exec(db, "DELETE FROM record WHERE kind = ?", DB_TEXT("granted"));
}

void check_end(struct whole *w)
{
	struct gate *gate = w->gate.self;
	struct tally tally = { 0 };

	check_ends(w);
	if (!gate || w->failure[0])
		return;
	if (w->breakage == BREAK_FORGET)
		forget(gate->db);
	check_chain(w, gate->db);
	read_chain(w, gate->db, &tally);
	for (size_t i = 0; i < w->check->grants_n; i++) {
		if (tally.granted[i] != 1)
			check_fail(w, "the chain has %u records of the grant %s", tally.granted[i],
				   w->check->grants[i].gid);
	}
	for (size_t i = 0; i < w->check->actions_n; i++) {
		if (tally.ended[i] != 1 || !tally.begun[i])
			check_fail(w, "the chain has %u records of how %s began and %u of its end",
				   tally.begun[i], w->check->actions[i].id, tally.ended[i]);
	}
}
