/* SPDX-License-Identifier: MIT */
/*
 * Held against what the executor does to Proxmox, when it sends it and when it comes.
 */
#include "common/alloc.h"
#include "tests/reference/whole/check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEARD_MS 15000

void check_journaled(struct whole *w, const char *gid)
{
	struct check_grant *grant = check_grant(w, gid);

	if (!grant)
		check_fail(w, "the executor is about to do %s, which nobody granted", gid);
	else
		grant->journaled_ms = w->now_ms;
	snprintf(w->check->sending, sizeof(w->check->sending), "%s", gid);
}

static const char *freeze_of(const struct whole *w)
{
	const struct check *c = w->check;
	_cleanup_(freep) char *file = xasprintf("%s/frozen", w->executor.runtime);

	if (access(file, F_OK) == 0 && w->breakage != BREAK_THAW)
		return "the file says frozen";
	if (c->heard_life != w->executor.lives || c->heard_ms < 0)
		return "it has not heard the gate";
	if (c->is_known_frozen)
		return "it has heard that all is frozen";
	return w->now_ms - c->heard_ms > HEARD_MS ? "it has not heard the gate for long" : NULL;
}

static void check_stop(struct whole *w, const char *request)
{
	for (size_t i = 0; i < w->check->actions_n; i++) {
		if (w->check->actions[i].is_cancelled)
			return;
	}
	check_fail(w, "%s, and nobody has cancelled anything", request);
}

/* What GRANT allows leaves the executor now. */
static void check_begun(struct whole *w, struct check_grant *grant, const char *request)
{
	const char *frozen = freeze_of(w), *objects = check_objection(w, grant->action);

	if (grant->sent_ms >= 0)
		check_fail(w, "%s is sent a second time", grant->gid);
	grant->sent_ms = w->now_ms;
	if (frozen)
		check_fail(w, "%s is begun, though %s", request, frozen);
	if (objects)
		check_fail(w, "%s is begun, though %s", request, objects);
	if (grant->action->ended_ms >= 0 && grant->action->status != ACTION_UNKNOWN)
		check_fail(w, "%s is begun, though its action had ended", request);
}

static void check_sent(struct whole *w, struct check_grant *grant, const char *request,
		       const char *form)
{
	_cleanup_(freep) char *node = xasprintf("/nodes/%s/", grant->node);
	_cleanup_(freep) char *wanted =
		xasprintf("%s%s", grant->change.op == OP_SNAPSHOT ? "snapname=" : "",
			  grant->change.op == OP_SNAPSHOT ? grant->change.snapshot : "");
	struct pve_change change;

	if (!pve_read_change(w, request, form, &change) || change.op != grant->change.op ||
	    change.guest != grant->change.guest ||
	    !str_eq(change.snapshot, grant->change.snapshot) || !strstr(request, node) ||
	    !str_eq(form, wanted))
		check_fail(w, "%s %s is not what %s grants", request, form, grant->gid);
	check_begun(w, grant, request);
}

void check_ssh_asked(struct whole *w, const char *gid, const char *tool,
		     const struct pve_unit *unit, const char *parameter)
{
	struct check_grant *grant = check_grant(w, gid);

	if (!grant || grant->journaled_ms < 0) {
		check_fail(w, "%s on %s is not in the executor's journal", tool, unit->node);
		return;
	}
	if (!str_eq(tool, check_tools[grant->change.op]) || grant->change.unit != unit ||
	    !str_eq(parameter, "unit=" PVE_UNIT))
		check_fail(w, "%s of %s on %s is not what %s grants", tool, parameter, unit->node,
			   gid);
	check_begun(w, grant, tool);
}

static bool is_stop(const char *request)
{
	return str_starts(request, "DELETE ") && strstr(request, "/tasks/");
}

void check_asked(struct whole *w, const char *request, char *gid, size_t room)
{
	if (!str_starts(request, "GET ") && !is_stop(request)) {
		if (!check_grant(w, w->check->sending))
			check_fail(w, "%s is not in the executor's journal", request);
		snprintf(gid, room, "%s", w->check->sending);
	}
	if (!is_stop(request))
		w->check->sending[0] = '\0';
}

void check_left(struct whole *w, const char *request, const char *form, const char *gid)
{
	struct check_grant *grant = check_grant(w, gid);

	if (is_stop(request))
		check_stop(w, request);
	else if (!str_starts(request, "GET ") && grant)
		check_sent(w, grant, request, form);
}

void check_effect(struct whole *w, const char *gid)
{
	struct check_grant *grant = check_grant(w, gid);

	w->check->effects++;
	if (!grant)
		return;
	if (grant->applied++)
		check_fail(w, "what %s grants is done a second time", gid);
	if (grant->says_nothing || grant->action->says_nothing)
		check_fail(w, "%s was said not to have been done, and is done", gid);
}
