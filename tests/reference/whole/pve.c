/* SPDX-License-Identifier: MIT */
/*
 * Guests, and the tasks that change them. A guest changes when its task ends well, and never before.
 */
#include "tests/reference/whole/pve.h"

#include "common/alloc.h"
#include "tests/reference/whole/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HANG_MS 86400000

static const char *const node_names[] = { "a", "b", "c" };

static const struct {
	const char *method, *rest; /* of a guest's path */
	const char *type;	   /* of its task, behind qm or vz */
} ops[OP_COUNT] = {
	[OP_START] = { "POST", "status/start", "start" },
	[OP_SHUTDOWN] = { "POST", "status/shutdown", "shutdown" },
	[OP_STOP] = { "POST", "status/stop", "stop" },
	[OP_REBOOT] = { "POST", "status/reboot", "reboot" },
	[OP_SNAPSHOT] = { "POST", "snapshot", "snapshot" },
	[OP_DELETE_SNAPSHOT] = { "DELETE", "snapshot/", "delsnapshot" },
};

/* ── guests ────────────────────────────────────────────────────────────────────────────────────────────────── */

void pve_init(struct whole *w)
{
	static const struct pve_guest guests[PVE_GUESTS] = {
		{ .vmid = 101, .name = "web", .type = "qemu", .node = "a", .is_running = true },
		{ .vmid = 102, .name = "db", .type = "qemu", .node = "a" },
		{ .vmid = 103, .name = "ct", .type = "lxc", .node = "b" },
		{ .vmid = 105, .name = "box", .type = "lxc", .node = "c", .is_running = true },
	};

	w->pve = xnew(struct pve);
	memcpy(w->pve->guests, guests, sizeof(guests));
	for (size_t i = 0; i < PVE_NODES; i++)
		w->pve->units[i] = (struct pve_unit){ node_names[i], i < 2, 100 + (int64_t)i,
						      -900000, PVE_NEVER };
	for (size_t i = 0; i < PVE_GUESTS; i++) {
		struct pve_guest *guest = &w->pve->guests[i];

		guest->is_changed = true;
		guest->ran_ms = guest->rested_ms = PVE_NEVER;
		guest->started_ms = -whole_between(w, 1000, 900000);
		snprintf(guest->snapshots[0].name, sizeof(guest->snapshots[0].name), "old");
		guest->snapshots[0].gone_ms = PVE_NEVER;
		guest->snapshots_n = 1;
	}
}

void pve_done(struct whole *w)
{
	free(take(w->pve));
}

struct pve_guest *pve_guest(struct whole *w, int64_t vmid)
{
	for (size_t i = 0; i < PVE_GUESTS; i++) {
		if (w->pve->guests[i].vmid == vmid)
			return &w->pve->guests[i];
	}
	return NULL;
}

struct pve_unit *pve_unit(struct whole *w, const char *node)
{
	for (size_t i = 0; i < PVE_NODES; i++) {
		if (str_eq(w->pve->units[i].node, node))
			return &w->pve->units[i];
	}
	return NULL;
}

void pve_unit_set(struct whole *w, struct pve_unit *unit, bool is_active)
{
	if (!unit->is_active)
		unit->rested_ms = w->now_ms;
	unit->is_active = is_active;
	unit->pid = is_active ? 2000 + ++w->pve->serial : 0;
	unit->entered_ms = w->now_ms;
	trace(w, "unit of node %s: %s", unit->node, is_active ? "started anew" : "stopped");
}

static void set_running(struct whole *w, struct pve_guest *guest, bool is_running)
{
	guest->is_changed = true;
	if (guest->is_running)
		guest->ran_ms = w->now_ms;
	else
		guest->rested_ms = w->now_ms;
	if (is_running)
		guest->started_ms = w->now_ms;
	guest->is_running = is_running;
}

static struct pve_snapshot *find_snapshot(struct pve_guest *guest, const char *name)
{
	for (size_t i = 0; i < guest->snapshots_n; i++) {
		struct pve_snapshot *snapshot = &guest->snapshots[i];

		if (snapshot->gone_ms == PVE_NEVER && str_eq(snapshot->name, name))
			return snapshot;
	}
	return NULL;
}

static bool make_snapshot(struct whole *w, struct pve_guest *guest, const char *name)
{
	struct pve_snapshot *snapshot;

	if (find_snapshot(guest, name) || guest->snapshots_n == PVE_SNAPSHOTS)
		return false;
	snapshot = &guest->snapshots[guest->snapshots_n++];
	*snapshot = (struct pve_snapshot){ .made_ms = w->now_ms, .gone_ms = PVE_NEVER };
	snprintf(snapshot->name, sizeof(snapshot->name), "%s", name);
	guest->digest++;
	guest->is_changed = true;
	return true;
}

static bool delete_snapshot(struct whole *w, struct pve_guest *guest, const char *name)
{
	struct pve_snapshot *snapshot = find_snapshot(guest, name);

	if (snapshot)
		snapshot->gone_ms = w->now_ms;
	guest->digest++;
	guest->is_changed = true;
	return snapshot;
}

static bool make_so(struct whole *w, const struct pve_task *task)
{
	struct pve_guest *guest = task->guest;
	bool wants_running = task->op != OP_START;

	switch (task->op) {
	case OP_SNAPSHOT:
		return make_snapshot(w, guest, task->snapshot);
	case OP_DELETE_SNAPSHOT:
		return delete_snapshot(w, guest, task->snapshot);
	default:
		if (guest->lock || guest->is_running != wants_running)
			return false;
		set_running(w, guest, task->op == OP_START || task->op == OP_REBOOT);
		return true;
	}
}

bool pve_was_so(const struct pve_change *change, int64_t since_ms)
{
	const struct pve_guest *guest = change->guest;

	switch (change->op) {
	case OP_RESTART:
		/* Times are in whole seconds. */
		return change->unit->entered_ms >= since_ms - 1000;
	case OP_HALT:
		return !change->unit->is_active || change->unit->rested_ms >= since_ms;
	case OP_START:
		return guest->is_running || guest->ran_ms >= since_ms;
	case OP_SHUTDOWN:
	case OP_STOP:
		return !guest->is_running || guest->rested_ms >= since_ms;
	case OP_REBOOT:
		/* It tells by how long it runs, in whole seconds, and allows for two. */
		return guest->started_ms >= since_ms - 3000;
	default:
		break;
	}
	for (size_t i = 0; i < guest->snapshots_n; i++) {
		const struct pve_snapshot *s = &guest->snapshots[i];

		if (!str_eq(s->name, change->snapshot))
			continue;
		if (change->op == OP_SNAPSHOT &&
		    (s->gone_ms == PVE_NEVER || s->gone_ms >= since_ms))
			return true;
		if (change->op == OP_DELETE_SNAPSHOT && s->gone_ms == PVE_NEVER &&
		    s->made_ms <= since_ms)
			return false;
	}
	return change->op == OP_DELETE_SNAPSHOT;
}

/* ── tasks ─────────────────────────────────────────────────────────────────────────────────────────────────── */

bool pve_read_change(struct whole *w, const char *request, const char *form, struct pve_change *ret)
{
	char method[8], node[16], type[8], rest[64];
	int64_t vmid;

	if (sscanf(request, "%7s /nodes/%15[^/]/%7[^/]/%" SCNd64 "/%63s", method, node, type, &vmid,
		   rest) != 5)
		return false;
	*ret = (struct pve_change){ .guest = pve_guest(w, vmid) };
	for (size_t i = 0; ret->guest && i < OP_RESTART; i++) {
		bool has_name = str_ends(ops[i].rest, "/");

		if (!str_eq(ops[i].method, method) ||
		    !(has_name ? str_starts(rest, ops[i].rest) : str_eq(rest, ops[i].rest)))
			continue;
		ret->op = (enum pve_op)i;
		if (has_name)
			snprintf(ret->snapshot, sizeof(ret->snapshot), "%.20s",
				 rest + strlen(ops[i].rest));
		else if (ret->op == OP_SNAPSHOT && str_starts(form, "snapname="))
			snprintf(ret->snapshot, sizeof(ret->snapshot), "%.*s",
				 (int)min_of(strcspn(form + 9, "&"), (size_t)20), form + 9);
		return true;
	}
	return false;
}

void pve_task_end(struct pve_task *task, enum pve_task_state state)
{
	if (task->state != PVE_RUNS)
		return;
	if (state == PVE_DONE && !(task->w->breakage == BREAK_LIE && task->gid[0]) &&
	    !make_so(task->w, task))
		state = PVE_FAILED;
	task->state = state;
	trace(task->w, "Proxmox: %.60s has ended (%d)", task->upid, (int)state);
}

static void end_cb(_unused_ struct whole *w, void *ctx)
{
	pve_task_end(ctx, PVE_DONE);
}

static void fail_cb(_unused_ struct whole *w, void *ctx)
{
	pve_task_end(ctx, PVE_FAILED);
}

static void forget_cb(struct whole *w, void *ctx)
{
	struct pve_task *task = ctx;

	task->is_forgotten = true;
	trace(w, "Proxmox forgets %.60s", task->upid);
}

struct pve_task *pve_begin(struct whole *w, const struct pve_change *change, const char *user,
			   const char *gid)
{
	struct pve *pve = w->pve;
	struct pve_task *task;
	int64_t takes_ms =
		whole_happens(w, 3) ? whole_between(w, 3000, 40000) : whole_between(w, 100, 3000);

	if (pve->tasks_n == PVE_TASKS)
		return NULL;
	task = &pve->tasks[pve->tasks_n++];
	*task = (struct pve_task){
		.w = w, .guest = change->guest, .node = change->guest->node, .op = change->op
	};
	snprintf(task->snapshot, sizeof(task->snapshot), "%s", change->snapshot);
	snprintf(task->gid, sizeof(task->gid), "%s", gid);
	snprintf(task->upid, sizeof(task->upid),
		 "UPID:%s:%08X:%08X:%08X:%s%s:%" PRId64 ":%s:", task->node, 0x1000 + ++pve->serial,
		 (unsigned)(w->now_ms / 10), (unsigned)((WHOLE_WALL_MS + w->now_ms) / 1000),
		 str_eq(change->guest->type, "lxc") ? "vz" : "qm", ops[change->op].type,
		 change->guest->vmid, user);
	if (whole_happens(w, w->weather.hangs))
		takes_ms = HANG_MS;
	if (whole_happens(w, w->weather.vanishes))
		event_add(w, whole_between(w, 0, takes_ms + 500), NULL, forget_cb, NULL, task);
	event_add(w, takes_ms, NULL, whole_happens(w, w->weather.fails) ? fail_cb : end_cb, NULL,
		  task);
	trace(w, "Proxmox: %s begins", task->upid);
	return task;
}

struct pve_task *pve_task(struct whole *w, const char *upid)
{
	for (size_t i = 0; i < w->pve->tasks_n; i++) {
		if (str_eq(w->pve->tasks[i].upid, upid))
			return &w->pve->tasks[i];
	}
	return NULL;
}

/* ── somebody else ─────────────────────────────────────────────────────────────────────────────────────────── */

static void change_it(struct whole *w, struct pve_guest *guest)
{
	switch (dice_roll(&w->dice, 4)) {
	case 0:
		guest->lock = guest->lock ? NULL : "backup";
		break;
	case 1:
		guest->digest++;
		break;
	case 2:
		guest->node = dice_pick(&w->dice, node_names);
		break;
	default:
		set_running(w, guest, !guest->is_running);
		break;
	}
	guest->is_changed = true;
	trace(w, "somebody changes %" PRId64 " at Proxmox: on %s, %s, lock %s", guest->vmid,
	      guest->node, guest->is_running ? "runs" : "stopped",
	      guest->lock ? guest->lock : "none");
}

void pve_stranger(struct whole *w)
{
	struct pve_change change = {
		.guest = &w->pve->guests[dice_roll(&w->dice, PVE_GUESTS)],
		.op = (enum pve_op)dice_roll(&w->dice, OP_SNAPSHOT),
	};

	if (dice_once_in(&w->dice, 6))
		pve_unit_set(w, &w->pve->units[dice_roll(&w->dice, PVE_NODES)],
			     dice_once_in(&w->dice, 2));
	else if (dice_once_in(&w->dice, 2))
		change_it(w, change.guest);
	else
		(void)pve_begin(w, &change, "root@pam", "");
}
