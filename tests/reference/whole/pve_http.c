/* SPDX-License-Identifier: MIT */
/*
 * What Proxmox answers.
 */
#include "common/alloc.h"
#include "tests/reference/whole/check.h"
#include "tests/reference/whole/pve.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RIGHTS                                                                                     \
	"{\"data\":{\"/\":{\"VM.Audit\":1,\"VM.PowerMgmt\":1,\"VM.Snapshot\":1,\"Sys.Audit\":1,"   \
	"\"VM.Backup\":1}}}"

/* ── what is answered ──────────────────────────────────────────────────────────────────────────────────────── */

static bool is_shown_running(struct whole *w, const struct pve_guest *guest)
{
	for (size_t i = w->pve->tasks_n; w->breakage == BREAK_LIE && i-- > 0;) {
		const struct pve_task *task = &w->pve->tasks[i];

		if (task->guest == guest && task->gid[0])
			return task->op == OP_START || task->op == OP_REBOOT;
	}
	return guest->is_running;
}

static void show_guest(struct whole *w, const struct pve_guest *guest, struct str *body)
{
	bool is_running = is_shown_running(w, guest);

	str_printf(body, "{\"data\":{\"status\":\"%s\",\"name\":\"%s\",\"uptime\":%" PRId64,
		   is_running ? "running" : "stopped", guest->name,
		   is_running ? (w->now_ms - guest->started_ms) / 1000 : 0);
	if (guest->lock)
		str_printf(body, ",\"lock\":\"%s\"", guest->lock);
	str_add(body, "}}");
}

static void show_snapshots(const struct pve_guest *guest, struct str *body)
{
	str_add(body, "{\"data\":[{\"name\":\"current\"}");
	for (size_t i = 0; i < guest->snapshots_n; i++) {
		if (guest->snapshots[i].gone_ms == PVE_NEVER)
			str_printf(body, ",{\"name\":\"%s\"}", guest->snapshots[i].name);
	}
	str_add(body, "]}");
}

static int answer_guest(struct whole *w, const char *path, struct str *body, const char **reason)
{
	char node[16], type[8], rest[64];
	const struct pve_guest *guest;
	int64_t vmid;

	if (sscanf(path, "/nodes/%15[^/]/%7[^/]/%" SCNd64 "/%63s", node, type, &vmid, rest) != 4)
		return 501;
	guest = pve_guest(w, vmid);
	if (!guest || !str_eq(guest->node, node)) {
		*reason = "Configuration file 'nodes/x/qemu-server/x.conf' does not exist";
		return 500;
	}
	if (str_eq(rest, "status/current"))
		show_guest(w, guest, body);
	else if (str_eq(rest, "config"))
		str_printf(body, "{\"data\":{\"digest\":\"%040u\"}}", guest->digest);
	else if (str_eq(rest, "snapshot"))
		show_snapshots(guest, body);
	else
		return 501;
	return 200;
}

static void list_tasks(struct whole *w, const char *path, struct str *body)
{
	const char *asked = strstr(path, "vmid=");
	int64_t vmid = asked ? strtoll(asked + 5, NULL, 10) : 0;
	const char *comma = "";
	char node[16] = "";

	(void)sscanf(path, "/nodes/%15[^/]", node);
	str_add(body, "{\"data\":[");
	for (size_t i = w->pve->tasks_n; i-- > 0;) {
		const struct pve_task *task = &w->pve->tasks[i];

		if (task->is_forgotten || !str_eq(task->node, node) ||
		    (vmid && task->guest->vmid != vmid))
			continue;
		str_printf(body, "%s{\"upid\":\"%s\"}", comma, task->upid);
		comma = ",";
	}
	str_add(body, "]}");
}

/* The task that a path names, with what comes behind it. */
static struct pve_task *task_of(struct whole *w, const char *path, const char **rest)
{
	const char *at = strstr(path, "/tasks/");
	char upid[128] = "";
	size_t n = 0;

	for (at = at ? at + 7 : ""; *at && *at != '/' && n + 1 < sizeof(upid); at++) {
		unsigned byte;

		if (*at == '%' && sscanf(at + 1, "%2x", &byte) == 1) {
			upid[n++] = (char)byte;
			at += 2;
		} else {
			upid[n++] = *at;
		}
	}
	*rest = at;
	return pve_task(w, upid);
}

static int answer_task(struct whole *w, const char *path, struct str *body, const char **reason)
{
	static const char *const exits[] = { [PVE_DONE] = "OK",
					     [PVE_FAILED] = "it did not work",
					     [PVE_STOPPED] = "interrupted by signal" };
	const char *rest;
	const struct pve_task *task = task_of(w, path, &rest);

	if (!task || task->is_forgotten) {
		*reason = "Parameter verification failed.";
		return 400;
	}
	if (str_starts(rest, "/log"))
		str_add(body, "{\"total\":1,\"data\":[{\"n\":1,\"t\":\"at work\"}]}");
	else if (task->state == PVE_RUNS)
		str_add(body, "{\"data\":{\"status\":\"running\"}}");
	else
		str_printf(body, "{\"data\":{\"status\":\"stopped\",\"exitstatus\":\"%s\"}}",
			   exits[task->state]);
	return 200;
}

static int stop_task(struct whole *w, const char *path, struct str *body, const char **reason)
{
	const char *rest;
	struct pve_task *task = task_of(w, path, &rest);

	if (!task || task->is_forgotten) {
		*reason = "Parameter verification failed.";
		return 400;
	}
	pve_task_end(task, PVE_STOPPED);
	str_add(body, "{\"data\":null}");
	return 200;
}

static int change(struct whole *w, const char *request, const char *form, const char *gid,
		  struct str *body, const char **reason)
{
	const char *node = strstr(request, "/nodes/");
	struct pve_change wanted;
	struct pve_task *task;

	if (!node || !pve_read_change(w, request, form, &wanted))
		return 501;
	if (!str_starts(node + 7, wanted.guest->node)) {
		*reason = "Configuration file 'nodes/x/qemu-server/x.conf' does not exist";
		return 500;
	}
	check_effect(w, gid);
	task = pve_begin(w, &wanted, WHOLE_TOKEN, gid);
	if (w->breakage == BREAK_TWICE) {
		check_effect(w, gid);
		task = pve_begin(w, &wanted, WHOLE_TOKEN, gid);
	}
	str_printf(body, "{\"data\":\"%s\"}", task ? task->upid : "");
	return 200;
}

int pve_answer(struct whole *w, const char *request, const char *form, const char *gid,
	       struct str *body, const char **reason)
{
	const char *path = strchr(request, ' ') + 1;

	*reason = "OK";
	if (str_starts(request, "DELETE ") && strstr(path, "/tasks/"))
		return stop_task(w, path, body, reason);
	if (!str_starts(request, "GET "))
		return change(w, request, form, gid, body, reason);
	if (str_eq(path, "/access/permissions"))
		str_add(body, RIGHTS);
	else if (strstr(path, "/tasks?"))
		list_tasks(w, path, body);
	else if (strstr(path, "/tasks/"))
		return answer_task(w, path, body, reason);
	else
		return answer_guest(w, path, body, reason);
	return 200;
}
