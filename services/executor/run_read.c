/* SPDX-License-Identifier: MIT */
/*
 * What only reads, at Proxmox: the content of a storage, the log of a task.
 */
#include "services/executor/run_parts.h"

#include "common/pve_settings.h"
#include "common/pve_value.h"
#include "services/executor/answer.h"

#include <stdio.h>

#define LINES_DEFAULT 50
/* No log is longer than what we are willing to skip. */
#define LINES_ALL 1000000

static void on_fault(struct run *run, const struct pve_answer *answer)
{
	run_end(run, STEP_FAILED, "%s",
		answer->fault.class == PVE_OK ? "The answer makes no sense." : answer->fault.text);
}

/* ── the content of a storage ──────────────────────────────────────────────────────────────────────────────── */

static void on_content(void *ctx, const struct pve_answer *answer)
{
	struct run *run = ctx;
	const cJSON *data = answer->fault.class == PVE_OK ? pve_data_list(answer->tree) : NULL;
	_cleanup_(str_done) struct str text = { 0 };
	struct answer a;
	const cJSON *row;

	run->call = NULL;
	if (!data) {
		on_fault(run, answer);
		return;
	}
	answer_begin(&a, &text, "items");
	cJSON_ArrayForEach(row, data)
		answer_add_tree(&a, row);
	answer_end(&a);
	run_answer(run, STEP_VERIFIED, "", str_get(&text));
}

static void read_content(struct run *run)
{
	const char *node =
		run->order.target.node ? run->order.target.node : pve_link_any_node(run->link);
	struct tool_value kind = tool_args_get(&run->order.args, "content");
	_cleanup_(str_done) struct str path = { 0 };

	str_add(&path, "/nodes/");
	pve_add_level(&path, node);
	str_add(&path, "/storage/");
	pve_add_level(&path, tool_args_get(&run->order.args, "storage").s);
	str_add(&path, "/content");
	if (kind.has)
		str_printf(&path, "?content=%s", kind.s);
	run_get(run, str_get(&path), node, NULL, on_content);
}

/* ── the log of a task ─────────────────────────────────────────────────────────────────────────────────────── */

static void get_log(struct run *run, int64_t start, int64_t limit, pve_link_fn fn)
{
	const char *upid = tool_args_get(&run->order.args, "upid").s;
	_cleanup_(str_done) struct str path = { 0 };

	str_add(&path, "/nodes/");
	pve_add_level(&path, run->order.target.node);
	str_add(&path, "/tasks/");
	pve_add_level(&path, upid);
	str_printf(&path, "/log?start=%lld&limit=%lld", (long long)start, (long long)limit);
	run_get(run, str_get(&path), run->order.target.node, NULL, fn);
}

static int64_t wanted_lines(const struct run *run)
{
	struct tool_value lines = tool_args_get(&run->order.args, "lines");

	return lines.has ? lines.i : LINES_DEFAULT;
}

static void on_lines(void *ctx, const struct pve_answer *answer)
{
	struct run *run = ctx;
	const cJSON *data = answer->fault.class == PVE_OK ? pve_data_list(answer->tree) : NULL;
	_cleanup_(str_done) struct str text = { 0 };
	struct answer a;
	const cJSON *row;

	run->call = NULL;
	if (!data) {
		on_fault(run, answer);
		return;
	}
	answer_begin(&a, &text, "lines");
	cJSON_ArrayForEach(row, data)
		answer_add_tree(&a, json_get(row, "t"));
	answer_end(&a);
	run_answer(run, STEP_VERIFIED, "", str_get(&text));
}

/* How long it is says every answer: then the end of it is asked for. */
static void on_total(void *ctx, const struct pve_answer *answer)
{
	struct run *run = ctx;
	double total;

	run->call = NULL;
	if (answer->fault.class != PVE_OK || !pve_number(json_get(answer->tree, "total"), &total) ||
	    total < 0 || total > LINES_ALL) {
		on_fault(run, answer);
		return;
	}
	get_log(run, max_of((int64_t)total - wanted_lines(run), (int64_t)0), wanted_lines(run),
		on_lines);
}

static void read_log(struct run *run)
{
	struct upid upid;

	if (!upid_parse(tool_args_get(&run->order.args, "upid").s, &upid)) {
		run_end(run, STEP_FAILED, "That is not a UPID.");
		return;
	}
	run->order.target.node = arena_strdup(run->arena, upid.node);
	get_log(run, 0, 1, on_total);
}

/* ── the table ─────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct {
	enum tool_id tool;
	void (*fn)(struct run *run);
} readers[] = {
	{ TOOL_storage_content, read_content },
	{ TOOL_task_log, read_log },
};

bool run_reads(const struct tool *tool)
{
	for (size_t i = 0; i < countof(readers); i++) {
		if (tool == &tool_table[readers[i].tool])
			return true;
	}
	return false;
}

void run_read(struct run *run)
{
	run_enter(run, PHASE_LOOKING);
	for (size_t i = 0; i < countof(readers); i++) {
		if (run->order.tool != &tool_table[readers[i].tool])
			continue;
		readers[i].fn(run);
		return;
	}
	run_end(run, STEP_FAILED, "%s is not known how to do.", run->order.tool->name);
}
