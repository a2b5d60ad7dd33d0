/* SPDX-License-Identifier: MIT */
/*
 * One row a condition: the call, and the function that reads its answer.
 */
#include "services/executor/verify.h"

#include "common/pve_settings.h"
#include "common/pve_value.h"

#include <stdio.h>

/* A request to high availability is carried out in its own time. */
#define PATIENCE_MS 20000
/* Clocks tick in seconds, and a start takes some. */
#define UPTIME_SLACK_S 2

typedef enum verify_verdict (*judge_fn)(const struct verify_case *c, const cJSON *answer,
					char *text);

struct condition {
	const char *path; /* {node} {type} {vmid} {target_node} {storage} {upid} */
	const char *
		asks; /* the node that answers: "node", "target_node", "" any, "!" any but the node */
	judge_fn judge;
	bool is_long; /* as long as the tool may take */
};

/* ── guests ────────────────────────────────────────────────────────────────────────────────────────────────── */

static enum verify_verdict judge_status(const cJSON *answer, struct guest_now *now, char *text)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();

	if (precheck_read_guest(answer, arena, now) < 0)
		return VERDICT_BLIND;
	now->name = now->lock = NULL;
	(void)snprintf(text, VERIFY_TEXT, "it is %s",
		       enumeration_word(&enumeration_guest_status, (int)now->status));
	return VERDICT_NOT_YET;
}

static enum verify_verdict judge_running(const struct verify_case *c, const cJSON *answer,
					 char *text)
{
	struct guest_now now;
	enum verify_verdict verdict = judge_status(answer, &now, text);

	(void)c;
	return verdict == VERDICT_NOT_YET && now.status == GUEST_RUNNING ? VERDICT_YES : verdict;
}

static enum verify_verdict judge_stopped(const struct verify_case *c, const cJSON *answer,
					 char *text)
{
	struct guest_now now;
	enum verify_verdict verdict = judge_status(answer, &now, text);

	(void)c;
	return verdict == VERDICT_NOT_YET && now.status == GUEST_STOPPED ? VERDICT_YES : verdict;
}

static enum verify_verdict judge_paused(const struct verify_case *c, const cJSON *answer,
					char *text)
{
	struct guest_now now;
	enum verify_verdict verdict = judge_status(answer, &now, text);

	if (verdict != VERDICT_NOT_YET)
		return verdict;
	if (now.status == GUEST_PAUSED || now.status == GUEST_SUSPENDED)
		return VERDICT_YES;
	if (!str_eq(c->target->type, "lxc") || now.status == GUEST_STOPPED)
		return VERDICT_NOT_YET;
	(void)snprintf(text, VERIFY_TEXT, "Proxmox does not show whether a container is frozen");
	return VERDICT_BLIND;
}

static bool is_younger(const struct verify_case *c, int64_t uptime_s)
{
	if (c->uptime_s >= 0 && uptime_s < c->uptime_s)
		return true;
	return uptime_s <= c->elapsed_ms / 1000 + UPTIME_SLACK_S &&
	       (c->uptime_s < 0 || uptime_s < c->uptime_s + c->elapsed_ms / 1000 - UPTIME_SLACK_S);
}

static enum verify_verdict judge_rebooted(const struct verify_case *c, const cJSON *answer,
					  char *text)
{
	struct guest_now now;
	enum verify_verdict verdict = judge_status(answer, &now, text);

	if (verdict != VERDICT_NOT_YET || now.status != GUEST_RUNNING)
		return verdict;
	if (!now.uptime_s.has)
		return VERDICT_BLIND;
	if (is_younger(c, now.uptime_s.v))
		return VERDICT_YES;
	(void)snprintf(text, VERIFY_TEXT, "it has been running for %lld s: it was not restarted",
		       (long long)now.uptime_s.v);
	return VERDICT_NOT_YET;
}

/* That it answers there is the proof. */
static enum verify_verdict judge_moved(const struct verify_case *c, const cJSON *answer, char *text)
{
	(void)c;
	(void)text;
	return pve_data_object(answer) ? VERDICT_YES : VERDICT_BLIND;
}

/* ── lists ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static const cJSON *find_row(const cJSON *data, const char *key, const char *value)
{
	const cJSON *row;

	cJSON_ArrayForEach(row, data) {
		const cJSON *item = json_get(row, key);

		if (cJSON_IsString(item) && str_eq(item->valuestring, value))
			return row;
	}
	return NULL;
}

static enum verify_verdict judge_snapshot(const struct verify_case *c, const cJSON *answer,
					  char *text)
{
	const cJSON *data = pve_data_list(answer);
	const char *name = tool_args_get(c->args, "snapshot").s;
	bool wants = c->tool->verify == VERIFY_SNAPSHOT_THERE;
	const cJSON *row = find_row(data, "name", name);

	if (!data)
		return VERDICT_BLIND;
	(void)snprintf(text, VERIFY_TEXT, "the snapshot is %s", row ? "there" : "not there");
	/* It is listed before it is made, and until it is gone. */
	if (row && json_get(row, "snapstate"))
		return VERDICT_NOT_YET;
	return !row != wants ? VERDICT_YES : VERDICT_NOT_YET;
}

/* Made after the task began, by the clock of the same node. */
static enum verify_verdict judge_backup(const struct verify_case *c, const cJSON *answer,
					char *text)
{
	const cJSON *data = pve_data_list(answer);
	struct upid upid;
	const cJSON *row;
	double vmid, ctime;

	if (!data || !c->upid || !upid_parse(c->upid, &upid))
		return VERDICT_BLIND;
	cJSON_ArrayForEach(row, data) {
		if (pve_number(json_get(row, "vmid"), &vmid) && vmid == (double)c->target->vmid &&
		    pve_number(json_get(row, "ctime"), &ctime) && ctime >= (double)upid.start_s)
			return VERDICT_YES;
	}
	(void)snprintf(text, VERIFY_TEXT, "no backup has been made since");
	return VERDICT_NOT_YET;
}

static enum verify_verdict judge_file(const struct verify_case *c, const cJSON *answer, char *text)
{
	_cleanup_(freep) char *volid = xasprintf("%s:%s/%s", tool_args_get(c->args, "storage").s,
						 tool_args_get(c->args, "content").s,
						 tool_args_get(c->args, "filename").s);
	const cJSON *data = pve_data_list(answer);

	if (!data)
		return VERDICT_BLIND;
	(void)snprintf(text, VERIFY_TEXT, "the file is not there");
	return find_row(data, "volid", volid) ? VERDICT_YES : VERDICT_NOT_YET;
}

static enum verify_verdict judge_task(const struct verify_case *c, const cJSON *answer, char *text)
{
	const cJSON *status = json_get(pve_data_object(answer), "status");

	(void)c;
	if (!cJSON_IsString(status))
		return VERDICT_BLIND;
	(void)snprintf(text, VERIFY_TEXT, "the task is %.32s", status->valuestring);
	return str_eq(status->valuestring, "stopped") ? VERDICT_YES : VERDICT_NOT_YET;
}

/* ── nodes ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static enum verify_verdict judge_member(const struct verify_case *c, const cJSON *answer,
					char *text)
{
	bool wants = c->tool->verify == VERIFY_NODE_ONLINE;
	struct node_now now;

	if (precheck_read_node(answer, c->target->node, &now) < 0 || !now.is_there)
		return VERDICT_BLIND;
	(void)snprintf(text, VERIFY_TEXT, "the node is %s", now.is_online ? "online" : "offline");
	return now.is_online == wants ? VERDICT_YES : VERDICT_NOT_YET;
}

static enum verify_verdict judge_node_rebooted(const struct verify_case *c, const cJSON *answer,
					       char *text)
{
	double uptime;

	if (!pve_number(json_get(pve_data_object(answer), "uptime"), &uptime))
		return VERDICT_BLIND;
	(void)snprintf(text, VERIFY_TEXT, "the node has been up for %.0f s", uptime);
	return is_younger(c, (int64_t)uptime) ? VERDICT_YES : VERDICT_NOT_YET;
}

/* ── the table ─────────────────────────────────────────────────────────────────────────────────────────────── */

#define CURRENT "/nodes/{node}/{type}/{vmid}/status/current"
#define CONTENT "/nodes/{node}/storage/{storage}/content"

static const struct condition conditions[] = {
	[VERIFY_RUNNING] = { CURRENT, "node", judge_running, false },
	[VERIFY_STOPPED] = { CURRENT, "node", judge_stopped, false },
	[VERIFY_PAUSED] = { CURRENT, "node", judge_paused, false },
	[VERIFY_REBOOTED] = { CURRENT, "node", judge_rebooted, false },
	[VERIFY_MOVED] = { "/nodes/{target_node}/{type}/{vmid}/status/current", "target_node",
			   judge_moved, false },
	[VERIFY_SNAPSHOT_THERE] = { "/nodes/{node}/{type}/{vmid}/snapshot", "node", judge_snapshot,
				    false },
	[VERIFY_SNAPSHOT_GONE] = { "/nodes/{node}/{type}/{vmid}/snapshot", "node", judge_snapshot,
				   false },
	[VERIFY_BACKUP_THERE] = { CONTENT "?content=backup&vmid={vmid}", "node", judge_backup,
				  false },
	[VERIFY_FILE_THERE] = { CONTENT "?content={content}", "node", judge_file, false },
	[VERIFY_TASK_ENDED] = { "/nodes/{node}/tasks/{upid}/status", "node", judge_task, false },
	[VERIFY_NODE_ONLINE] = { "/cluster/status", "!", judge_member, true },
	[VERIFY_NODE_OFFLINE] = { "/cluster/status", "!", judge_member, true },
	[VERIFY_NODE_REBOOTED] = { "/nodes/{node}/status", "node", judge_node_rebooted, true },
};

static const struct condition *condition_of(const struct tool *tool)
{
	size_t index = (size_t)tool->verify;

	return index < countof(conditions) && conditions[index].path ? &conditions[index] : NULL;
}

bool verify_is_needed(const struct tool *tool)
{
	return condition_of(tool);
}

static void add_word(const struct verify_case *c, const char *word, size_t length, struct str *out)
{
	char name[32] = "";

	(void)snprintf(name, sizeof(name), "%.*s", (int)length, word);
	if (str_eq(name, "node"))
		pve_add_level(out, c->target->node ? c->target->node : "");
	else if (str_eq(name, "type"))
		str_add(out, c->target->type ? c->target->type : "");
	else if (str_eq(name, "vmid"))
		str_printf(out, "%lld", (long long)c->target->vmid);
	else if (tool_args_get(c->args, name).s)
		pve_add_level(out, tool_args_get(c->args, name).s);
}

void verify_build(const struct verify_case *c, struct str *path, const char **node,
		  const char **avoid)
{
	const struct condition *condition = condition_of(c->tool);
	const char *from = condition->path;

	for (const char *brace; (brace = strchr(from, '{')); from = strchr(brace, '}') + 1) {
		str_add_n(path, from, (size_t)(brace - from));
		add_word(c, brace + 1, strcspn(brace + 1, "}"), path);
	}
	str_add(path, from);
	*node = *avoid = NULL;
	if (str_eq(condition->asks, "node"))
		*node = c->target->node;
	else if (str_eq(condition->asks, "target_node"))
		*node = tool_args_get(c->args, "target_node").s;
	else
		*avoid = c->target->node;
}

int64_t verify_patience_ms(const struct verify_case *c)
{
	int64_t all = (int64_t)c->tool->deadline_s * 1000;

	return condition_of(c->tool)->is_long || c->is_managed ? all :
								 min_of(all, (int64_t)PATIENCE_MS);
}

enum verify_verdict verify_judge(const struct verify_case *c, const cJSON *answer, bool is_gone,
				 char *text)
{
	if (!is_gone)
		return condition_of(c->tool)->judge(c, answer, text);
	(void)snprintf(text, VERIFY_TEXT, "it is not there");
	return c->tool->verify == VERIFY_MOVED ? VERDICT_NOT_YET : VERDICT_BLIND;
}
