/* SPDX-License-Identifier: MIT */
/*
 * The table, and requests made from it. Every value is encoded, though its pattern has been checked twice before.
 */
#include "services/executor/pve_action.h"

#include "common/pve_settings.h"

#include <errno.h>
#include <stdio.h>

/* When a parameter is given: all of these must hold. */
enum {
	WHEN_ALWAYS = 0,
	WHEN_QEMU = 1,
	WHEN_LXC = 2,
	WHEN_RUNNING = 4,
};

/* Either the value of an argument (left out when that was), or a fixed one. */
struct action_param {
	const char *name;
	const char *arg;
	const char *fixed;
	unsigned when;
};

static const struct action_param timeout_params[] = { { "timeout", "timeout", NULL, WHEN_ALWAYS } };
static const struct action_param reboot_params[] = { { "command", NULL, "reboot", WHEN_ALWAYS } };
static const struct action_param halt_params[] = { { "command", NULL, "shutdown", WHEN_ALWAYS } };

static const struct action_param snapshot_params[] = {
	{ "snapname", "snapshot", NULL, WHEN_ALWAYS },
	{ "description", "description", NULL, WHEN_ALWAYS },
	{ "vmstate", "memory", NULL, WHEN_QEMU | WHEN_RUNNING },
};

/* Older backups are not touched: pruning is the backup jobs' business. */
static const struct action_param backup_params[] = {
	{ "vmid", "guest", NULL, WHEN_ALWAYS },	   { "storage", "storage", NULL, WHEN_ALWAYS },
	{ "mode", NULL, "snapshot", WHEN_ALWAYS }, { "compress", NULL, "zstd", WHEN_ALWAYS },
	{ "remove", NULL, "0", WHEN_ALWAYS },
};

static const struct action_param migrate_params[] = {
	{ "target", "target_node", NULL, WHEN_ALWAYS },
	{ "online", NULL, "1", WHEN_QEMU | WHEN_RUNNING },
	{ "restart", NULL, "1", WHEN_LXC | WHEN_RUNNING },
	{ "with-local-disks", "local_disks", NULL, WHEN_QEMU },
};

static const struct action_param download_params[] = {
	{ "content", "content", NULL, WHEN_ALWAYS },
	{ "filename", "filename", NULL, WHEN_ALWAYS },
	{ "url", "url", NULL, WHEN_ALWAYS },
	{ "checksum-algorithm", "checksum_algorithm", NULL, WHEN_ALWAYS },
	{ "checksum", "checksum", NULL, WHEN_ALWAYS },
};

#define GUEST_PATH "/nodes/{node}/{type}/{vmid}"
#define STATUS(verb) "POST", GUEST_PATH "/status/" verb
#define PARAMS(list) .params = list, .params_n = countof(list)

static const struct pve_action actions[] = {
	{ TOOL_guest_start,
	  STATUS("start"),
	  { "qmstart hastart", "vzstart hastart" },
	  .not_lxc = false },
	{ TOOL_guest_resume, STATUS("resume"), { "qmresume", "vzresume" }, .not_lxc = false },
	{ TOOL_guest_suspend, STATUS("suspend"), { "qmpause", "vzsuspend" }, .not_lxc = false },
	{ TOOL_guest_shutdown,
	  STATUS("shutdown"),
	  { "qmshutdown hastop", "vzshutdown hastop" },
	  PARAMS(timeout_params) },
	{ TOOL_guest_reboot, STATUS("reboot"), { "qmreboot", "vzreboot" }, PARAMS(timeout_params) },
	{ TOOL_guest_stop, STATUS("stop"), { "qmstop hastop", "vzstop hastop" }, .not_lxc = false },
	{ TOOL_guest_reset, STATUS("reset"), { "qmreset", NULL }, .not_lxc = true },
	{ TOOL_guest_snapshot,
	  "POST",
	  GUEST_PATH "/snapshot",
	  { "qmsnapshot", "vzsnapshot" },
	  PARAMS(snapshot_params) },
	{ TOOL_snapshot_rollback,
	  "POST",
	  GUEST_PATH "/snapshot/{snapshot}/rollback",
	  { "qmrollback", "vzrollback" },
	  .not_lxc = false },
	{ TOOL_snapshot_delete,
	  "DELETE",
	  GUEST_PATH "/snapshot/{snapshot}",
	  { "qmdelsnapshot", "vzdelsnapshot" },
	  .not_lxc = false },
	{ TOOL_guest_migrate,
	  "POST",
	  GUEST_PATH "/migrate",
	  { "qmigrate hamigrate", "vzmigrate hamigrate" },
	  PARAMS(migrate_params) },
	{ TOOL_backup_now,
	  "POST",
	  "/nodes/{node}/vzdump",
	  { "vzdump", "vzdump" },
	  PARAMS(backup_params) },
	{ TOOL_download_url,
	  "POST",
	  "/nodes/{node}/storage/{storage}/download-url",
	  { "download", "download" },
	  "filename",
	  PARAMS(download_params) },
	{ TOOL_task_stop,
	  "DELETE",
	  "/nodes/{node}/tasks/{upid}",
	  { NULL, NULL },
	  .not_lxc = false },
	{ TOOL_node_reboot, "POST", "/nodes/{node}/status", { NULL, NULL }, PARAMS(reboot_params) },
	{ TOOL_node_shutdown, "POST", "/nodes/{node}/status", { NULL, NULL }, PARAMS(halt_params) },
	{ TOOL_node_wake, "POST", "/nodes/{node}/wakeonlan", { NULL, NULL }, .not_lxc = false },
};

const struct pve_action *pve_action_find(const struct tool *tool)
{
	for (size_t i = 0; i < countof(actions); i++) {
		if (tool == &tool_table[actions[i].tool])
			return &actions[i];
	}
	return NULL;
}

static bool is_container(const struct action_target *target)
{
	return target->type && str_eq(target->type, "lxc");
}

/* Appends an argument's value; false when it was left out. */
static bool add_arg(const struct tool_args *args, const char *name, struct str *out)
{
	struct tool_value value = tool_args_get(args, name);

	if (value.has && value.s)
		pve_add_level(out, value.s);
	else if (value.has)
		str_printf(out, "%lld", (long long)value.i);
	return value.has;
}

static bool add_word(const struct action_target *target, const struct tool_args *args,
		     const char *word, struct str *out)
{
	if (str_eq(word, "node") && target->node)
		pve_add_level(out, target->node);
	else if (str_eq(word, "type") && target->type)
		str_add(out, is_container(target) ? "lxc" : "qemu");
	else if (str_eq(word, "vmid") && target->vmid)
		str_printf(out, "%lld", (long long)target->vmid);
	else
		return !str_eq(word, "node") && add_arg(args, word, out);
	return true;
}

static int build_path(const struct pve_action *action, const struct action_target *target,
		      const struct tool_args *args, struct str *out, struct tool_error *error)
{
	const char *path = action->path;
	char word[32];

	for (const char *brace; (brace = strchr(path, '{')); path = strchr(brace, '}') + 1) {
		str_add_n(out, path, (size_t)(brace - path));
		(void)snprintf(word, sizeof(word), "%.*s", (int)strcspn(brace + 1, "}"), brace + 1);
		if (!add_word(target, args, word, out)) {
			(void)snprintf(error->text, sizeof(error->text),
				       "it is not known which %s is meant", word);
			return -EINVAL;
		}
	}
	str_add(out, path);
	return 0;
}

static bool is_given(const struct action_param *param, const struct action_target *target,
		     bool is_running)
{
	if ((param->when & WHEN_QEMU) && is_container(target))
		return false;
	if ((param->when & WHEN_LXC) && !is_container(target))
		return false;
	return !(param->when & WHEN_RUNNING) || is_running;
}

static void build_form(const struct pve_action *action, const struct action_target *target,
		       const struct tool_args *args, bool is_running, struct str *out)
{
	for (size_t i = 0; i < action->params_n; i++) {
		const struct action_param *param = &action->params[i];

		if (!is_given(param, target, is_running) ||
		    (param->arg && !tool_args_get(args, param->arg).has))
			continue;
		str_printf(out, "%s%s=", out->len ? "&" : "", param->name);
		if (param->fixed)
			str_add(out, param->fixed);
		else
			(void)add_arg(args, param->arg, out);
	}
}

int pve_action_build(const struct pve_action *action, const struct action_target *target,
		     const struct tool_args *args, bool is_running, struct str *path,
		     struct str *form, struct tool_error *error)
{
	if (action->not_lxc && is_container(target)) {
		(void)snprintf(error->text, sizeof(error->text), "a container cannot do that");
		return -EINVAL;
	}
	build_form(action, target, args, is_running, form);
	return build_path(action, target, args, path, error);
}

static const char *types_of(const struct pve_action *action, const struct action_target *target)
{
	return action->tasks[is_container(target)];
}

bool pve_action_has_task(const struct pve_action *action, const struct action_target *target)
{
	return types_of(action, target);
}

static bool is_one_of(const char *words, const char *text)
{
	size_t length = strlen(text);

	for (const char *at = words; *at; at += strcspn(at, " "), at += *at == ' ') {
		if (strcspn(at, " ") == length && memcmp(at, text, length) == 0)
			return true;
	}
	return false;
}

void pve_action_narrow(const struct pve_action *action, const struct action_target *target,
		       struct str *query)
{
	const char *types = types_of(action, target);

	if (target->vmid)
		str_printf(query, "&vmid=%lld", (long long)target->vmid);
	else if (types && !strchr(types, ' '))
		str_printf(query, "&typefilter=%s", types);
}

bool pve_action_is_task(const struct pve_action *action, const struct action_target *target,
			const struct tool_args *args, const struct upid *upid, const char *user)
{
	const char *types = types_of(action, target);
	char vmid[24] = "";
	const char *id = vmid;

	if (target->vmid)
		(void)snprintf(vmid, sizeof(vmid), "%lld", (long long)target->vmid);
	if (action->task_id)
		id = tool_args_get(args, action->task_id).s;
	return types && id && is_one_of(types, upid->type) && str_eq(upid->user, user) &&
	       str_eq(upid->id, id);
}
