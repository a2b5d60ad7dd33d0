/* SPDX-License-Identifier: MIT */
/*
 * How the two live and die. Killed is whoever is between two of its effects: what it still does on its way back from
 * there is held back, and what it had not committed is undone.
 */
#include "common/alloc.h"
#include "services/executor/executor.h"
#include "services/executor/journal.h"
#include "services/safety-gate/gate.h"
#include "tests/reference/whole/check.h"
#include "tests/reference/whole/whole.h"
#include "tests/unit/folder.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define RESTART_MS 4000

/* As in the services' own main.c. */
static const struct bus_route gate_routes[] = {
	{ .topic = TOPIC_SERVICE_STATE, .fn = gate_on_document },
	{ .topic = TOPIC_CLUSTER_STATE, .fn = gate_on_document },
	{ .topic = TOPIC_NODE_STATE, .fn = gate_on_document },
	{ .topic = TOPIC_GUEST_STATE, .fn = gate_on_document },
	{ .topic = TOPIC_GUEST_CONFIG, .fn = gate_on_document },
	{ .topic = TOPIC_ACTION_REQUEST, .fn = gate_on_action_request },
	{ .topic = TOPIC_ACTION_APPROVAL, .fn = gate_on_approval },
	{ .topic = TOPIC_AUTONOMY_SET, .fn = gate_on_autonomy },
	{ .topic = TOPIC_X_HELLO, .fn = gate_on_hello },
	{ .topic = TOPIC_X_CLAIM, .fn = gate_on_claim },
	{ .topic = TOPIC_X_PROGRESS, .fn = gate_on_progress },
	{ .topic = TOPIC_X_RESULT, .fn = gate_on_result },
	{ .topic = TOPIC_REQUEST, .fn = gate_on_request },
};

/* Of what it reads for reads alone, two are enough. */
static const struct bus_route executor_routes[] = {
	{ .topic = TOPIC_SERVICE_STATE, .fn = executor_on_presence },
	{ .topic = TOPIC_AUTONOMY_STATE, .fn = executor_on_autonomy },
	{ .topic = TOPIC_ACTION_STATE, .fn = executor_on_action },
	{ .topic = TOPIC_X_EPOCH, .fn = executor_on_epoch },
	{ .topic = TOPIC_X_GRANT, .fn = executor_on_grant },
	{ .topic = TOPIC_X_CANCEL, .fn = executor_on_cancel },
	{ .topic = TOPIC_REPLY, .fn = executor_on_reply },
	{ .topic = TOPIC_CLUSTER_STATE, .fn = executor_on_document, .raw = true },
	{ .topic = TOPIC_GUEST_STATE, .fn = executor_on_document, .raw = true },
};

/* ── making and unmaking ───────────────────────────────────────────────────────────────────────────────────── */

static int64_t boot(void *ctx)
{
	return side_boot_ms(ctx);
}

static int64_t wall(void *ctx)
{
	return side_wall_ms(ctx);
}

static void deliver(void *ctx, const struct bus_route *route, const struct msg *msg)
{
	route->fn(((struct side *)ctx)->self, msg);
}

static void on_own_retained(void *ctx, const struct msg *msg)
{
	state_on_own_retained(((struct side *)ctx)->env.state, msg);
}

void side_init(struct whole *w, struct side *side, enum service_id service)
{
	bool is_gate = service == SERVICE_SAFETY_GATE, has_own;

	*side = (struct side){ .w = w, .service = service, .name = service_table[service].name };
	side->clock = (struct clock){ boot, wall, side };
	side->boot_ms = whole_between(w, 60000, 90000000);
	side->wall_ms = WHOLE_WALL_MS;
	side->data = xasprintf("%s", is_gate ? "gate" : "executor");
	/* On one host they share it. */
	has_own = !is_gate && (dice_once_in(&w->dice, 2) || w->breakage == BREAK_THAW);
	side->runtime = xasprintf("run%s", has_own ? "2" : "");
	side->options = (struct bus_options){
		.clock = &side->clock,
		.service = service,
		.routes = is_gate ? gate_routes : executor_routes,
		.routes_n = is_gate ? countof(gate_routes) : countof(executor_routes),
		.ctx = side,
		.deliver = deliver,
		.on_own_retained = on_own_retained,
		.on_online = is_gate ? gate_online : executor_on_online,
		.on_batch_end = is_gate ? gate_batch_end : NULL,
		.on_offline = is_gate ? gate_offline : executor_on_offline,
	};
}

static void remove_file(const char *folder, const char *name)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", folder, name);

	(void)unlink(path);
}

void side_done(struct side *side)
{
	static const char *const files[] = { "safety-gate.db",	   "safety-gate.db-wal",
					     "safety-gate.db-shm", "executor.db",
					     "executor.db-wal",	   "executor.db-shm",
					     "executor.lock" };

	for (size_t i = 0; i < countof(files); i++)
		remove_file(side->data, files[i]);
	remove_file(side->runtime, "frozen");
	free(side->data);
	free(side->runtime);
}

/* ── starting ──────────────────────────────────────────────────────────────────────────────────────────────── */

void side_start(struct side *side)
{
	struct whole *w = side->w;
	int (*start)(struct service_env *, void **) =
		side->service == SERVICE_SAFETY_GATE ? gate_start : executor_start;
	int r;

	trace(w, "%s starts", side->name);
	side->lives++;
	side->env = (struct service_env){ .loop = &side->loop,
					  .clock = &side->clock,
					  .config = w->config,
					  .bus = (struct bus *)side,
					  .state = state_new(&side->clock),
					  .instance = "main",
					  .data_dir = side->data,
					  .runtime_dir = side->runtime,
					  .secrets_dir = "secrets",
					  .version = "0",
					  .counters = counters_new() };
	state_set_bus(side->env.state, side->env.bus);
	side->dispatch =
		dispatch_new(side->env.bus, &side->options, w->config->base, "-", &side->stats);
	r = start(&side->env, &side->self);
	if (r < 0)
		check_fail(w, "%s does not start: %s", side->name, strerror(-r));
	else
		side_connect(side);
	side_settle(side);
}

static void start_cb(_unused_ struct whole *w, void *ctx)
{
	struct side *side = ctx;

	if (!side->self)
		side_start(side);
}

/* ── dying ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void bury(struct side *side)
{
	struct gate *gate = side->self;

	if (side->service == SERVICE_SAFETY_GATE) {
		gate->is_stopping = true;
		proofs_forget(side->w);
		gate_free(side->self);
	} else {
		executor_free(side->self);
	}
	side->self = NULL;
	side->is_dying = false;
	side->until_crash = 0;
	dispatch_free(take(side->dispatch));
	state_free(take(side->env.state));
	counters_free(side->env.counters);
	free(take(side->env.trouble));
}

static void revive(struct side *side)
{
	struct whole *w = side->w;

	side_disconnect(side, false);
	event_add(w, whole_between(w, 50, w->is_calm ? 500 : RESTART_MS), NULL, start_cb, NULL,
		  side);
}

void side_settle(struct side *side)
{
	if (!side->self || !side->is_dying)
		return;
	trace(side->w, "%s is killed", side->name);
	bury(side);
	revive(side);
}

void side_kill(struct side *side)
{
	if (!side->self)
		return;
	side->is_dying = true;
	side_settle(side);
}

void side_stop(struct side *side)
{
	if (!side->self)
		return;
	trace(side->w, "%s is stopped", side->name);
	if (side->service == SERVICE_SAFETY_GATE)
		gate_stop(side->self);
	else
		executor_stop(side->self);
	bury(side);
	side_disconnect(side, false);
}

bool side_effect(struct side *side, const char *what)
{
	if (side->is_dying)
		return true;
	if (!side->until_crash || --side->until_crash)
		return false;
	trace(side->w, "%s is about to be killed at %s", side->name, what);
	side->is_dying = true;
	return true;
}

/* ── what is written ───────────────────────────────────────────────────────────────────────────────────────── */

int __wrap_db_commit(struct db *db);
int __real_db_commit(struct db *db);
int __wrap_journal_grant(struct journal *journal, const struct journal_entry *entry);
int __real_journal_grant(struct journal *journal, const struct journal_entry *entry);
int __wrap_journal_send(struct journal *journal, const char *gid, const char *known,
			int64_t uptime_s, int64_t sent_ms);
int __real_journal_send(struct journal *journal, const char *gid, const char *known,
			int64_t uptime_s, int64_t sent_ms);
int __wrap_journal_task(struct journal *journal, const char *gid, const char *upid);
int __real_journal_task(struct journal *journal, const char *gid, const char *upid);
int __wrap_journal_finish(struct journal *journal, const char *gid, const char *result);
int __real_journal_finish(struct journal *journal, const char *gid, const char *result);
int __wrap_journal_close(struct journal *journal, const char *gid);
int __real_journal_close(struct journal *journal, const char *gid);

int __wrap_db_commit(struct db *db)
{
	struct side *gate = &whole_current->gate;
	int r = -EIO;

	if (!side_effect(gate, "a commit"))
		r = __real_db_commit(db);
	if (r == 0 && side_effect(gate, "a commit that was made"))
		r = -EIO;
	return r;
}

/* The executor is dead before it is written, or right after. */
static bool dies_before(void)
{
	return side_effect(&whole_current->executor, "its journal");
}

static int or_after(int r)
{
	return r == 0 && side_effect(&whole_current->executor, "its journal, written") ? -EIO : r;
}

int __wrap_journal_grant(struct journal *journal, const struct journal_entry *entry)
{
	if (whole_current->breakage == BREAK_JOURNAL)
		return 0;
	return dies_before() ? -EIO : or_after(__real_journal_grant(journal, entry));
}

int __wrap_journal_send(struct journal *journal, const char *gid, const char *known,
			int64_t uptime_s, int64_t sent_ms)
{
	int r = 0;

	if (dies_before())
		return -EIO;
	if (whole_current->breakage != BREAK_JOURNAL)
		r = __real_journal_send(journal, gid, known, uptime_s, sent_ms);
	if (r == 0)
		check_journaled(whole_current, gid);
	return or_after(r);
}

int __wrap_journal_task(struct journal *journal, const char *gid, const char *upid)
{
	return dies_before() ? -EIO : or_after(__real_journal_task(journal, gid, upid));
}

int __wrap_journal_finish(struct journal *journal, const char *gid, const char *result)
{
	return dies_before() ? -EIO : or_after(__real_journal_finish(journal, gid, result));
}

int __wrap_journal_close(struct journal *journal, const char *gid)
{
	return dies_before() ? -EIO : or_after(__real_journal_close(journal, gid));
}
