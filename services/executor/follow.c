/* SPDX-License-Identifier: MIT */
/*
 * Reads task lists, states and logs.
 */
#include "services/executor/follow.h"

#include "common/pve_value.h"

#include <errno.h>
#include <stdio.h>

/*
 * Some tasks are over before one has looked, and most within two seconds, for which somebody waits: an end is seen with
 * about a fifth of what the task took. Later ones are not worth so many calls.
 */
static const int64_t first_delays_ms[] = { 300, 150, 150, 200, 250, 300, 350, 450, 600, 750 };
#define DELAY_STEADY_MS 1000
#define DELAY_MAX_MS 5000
/* So many times at the steady delay. */
#define STEADY_POLLS 4

enum task_end follow_end_of(const char *exitstatus)
{
	if (str_eq(exitstatus, "OK"))
		return TASK_END_OK;
	if (str_starts(exitstatus, "WARNINGS: "))
		return TASK_END_WARNINGS;
	if (str_eq(exitstatus, "unexpected status") ||
	    str_starts(exitstatus, "unable to get last line from task log"))
		return TASK_END_LOST;
	return TASK_END_ERROR;
}

static void copy_line(const char *from, char *to)
{
	(void)snprintf(to, FOLLOW_TEXT, "%s", from);
	for (char *c = to; *c; c++) {
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	}
}

int follow_read_status(const cJSON *answer, enum task_end *ret, char *text)
{
	const cJSON *data = pve_data_object(answer);
	const cJSON *status = json_get(data, "status");
	const cJSON *end = json_get(data, "exitstatus");

	if (!cJSON_IsString(status))
		return -EINVAL;
	if (str_eq(status->valuestring, "running")) {
		*ret = TASK_END_NONE;
		text[0] = '\0';
	} else {
		/* Stopped, and no word yet: its log is being written. */
		*ret = cJSON_IsString(end) ? follow_end_of(end->valuestring) : TASK_END_LOST;
		copy_line(cJSON_IsString(end) ? end->valuestring : "no exit status", text);
	}
	return 0;
}

int64_t follow_delay_ms(unsigned polls)
{
	const unsigned slow = countof(first_delays_ms) + STEADY_POLLS;
	int64_t extra = polls < slow ? 0 : (int64_t)(polls - slow) * 500;

	if (polls < countof(first_delays_ms))
		return first_delays_ms[polls];
	return min_of(DELAY_STEADY_MS + extra, (int64_t)DELAY_MAX_MS);
}

int64_t follow_read_log(const cJSON *answer, char *line)
{
	const cJSON *data = pve_data_list(answer);
	const cJSON *item;
	int64_t n = 0;

	if (!data)
		return -EINVAL;
	cJSON_ArrayForEach(item, data) {
		const cJSON *text = json_get(item, "t");

		/* What an empty log is called. */
		if (!cJSON_IsString(text) || str_eq(text->valuestring, "no content"))
			continue;
		if (text->valuestring[0])
			copy_line(text->valuestring, line);
		n++;
	}
	return n;
}

/* ── finding it ────────────────────────────────────────────────────────────────────────────────────────────── */

static const char *fitting_upid(const cJSON *row, const struct wanted_task *w)
{
	const cJSON *text = json_get(row, "upid");
	struct upid upid;

	if (!cJSON_IsString(text) || !upid_parse(text->valuestring, &upid) ||
	    !str_eq_null(upid.node, w->target->node) ||
	    !pve_action_is_task(w->action, w->target, w->args, &upid, w->user))
		return NULL;
	return text->valuestring;
}

int follow_list(const cJSON *answer, const struct wanted_task *wanted, struct str *out)
{
	const cJSON *data = pve_data_list(answer);
	const cJSON *row;

	if (!data)
		return -EINVAL;
	cJSON_ArrayForEach(row, data) {
		const char *upid = fitting_upid(row, wanted);

		if (upid)
			str_printf(out, "%s\n", upid);
	}
	return 0;
}

static bool is_known(const char *known, const char *upid)
{
	size_t length = strlen(upid);

	for (const char *at = known; *at; at += strcspn(at, "\n"), at += *at == '\n') {
		if (strcspn(at, "\n") == length && memcmp(at, upid, length) == 0)
			return true;
	}
	return false;
}

int follow_find(const cJSON *answer, const struct wanted_task *wanted, const char *known, char *ret)
{
	const cJSON *data = pve_data_list(answer);
	const cJSON *row;
	int found = 0;

	if (!data)
		return -EINVAL;
	cJSON_ArrayForEach(row, data) {
		const char *upid = fitting_upid(row, wanted);

		/* A task that ends while the list is made may stand in it twice. */
		if (!upid || is_known(known, upid) || (found && str_eq(upid, ret)))
			continue;
		if (found++)
			return -EEXIST;
		(void)snprintf(ret, UPID_BYTES, "%s", upid);
	}
	return found;
}
