/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The tools that change something, as calls of Proxmox: a row says how each is asked for and which tasks it becomes.
 * What has no row cannot be asked for. Pure.
 */
#include "common/tools.h"
#include "services/executor/upid.h"

/* What is acted on: from the grant, and nowhere else. */
struct action_target {
	const char *cluster;
	const char *node; /* where it is; NULL for a shared storage */
	const char *type; /* of a guest: "qemu" or "lxc"; NULL for others */
	int64_t vmid;	  /* of a guest, else 0 */
};

struct action_param;

struct pve_action {
	enum tool_id tool;
	const char *method;
	const char *path; /* with {node} {type} {vmid} and the names of arguments in braces */
	const char *tasks
		[2]; /* types of task that it may become, of a machine and of a container; NULL: it is no task */
	const char *task_id; /* the argument that is the task's id; NULL: the vmid, or none */
	bool not_lxc;	     /* a container cannot */
	const struct action_param *params;
	size_t params_n;
};

/* The row of TOOL, or NULL: it only reads, or is not done by asking Proxmox. */
const struct pve_action *pve_action_find(const struct tool *tool);
/*
 * Appends path and form of the request. IS_RUNNING: what was just read of the guest. 0, or -EINVAL with *error filled
 * when the target is not what such a tool acts on.
 */
int pve_action_build(const struct pve_action *action, const struct action_target *target,
		     const struct tool_args *args, bool is_running, struct str *path,
		     struct str *form, struct tool_error *error);
/* Whether the request becomes a task. */
bool pve_action_has_task(const struct pve_action *action, const struct action_target *target);
/* Appends what narrows a node's list of tasks to those of this request, or little more. */
void pve_action_narrow(const struct pve_action *action, const struct action_target *target,
		       struct str *query);
/* Whether UPID may be the task of this request, made by the token USER. */
bool pve_action_is_task(const struct pve_action *action, const struct action_target *target,
			const struct tool_args *args, const struct upid *upid, const char *user);
