/* SPDX-License-Identifier: MIT */
/*
 * An action in lines.
 */
#include <stdio.h>

#include "common/time.h"
#include "jarvisctl/action_parts.h"
#include "jarvisctl/show.h"

#define LABEL_WIDTH 13

const char *action_text(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(json_get(object, key));

	return text ? text : "";
}

void action_target(const cJSON *step, struct str *out)
{
	const char *name = action_text(step, "name"), *object = action_text(step, "object");

	if (*name && *object)
		str_printf(out, "%s (%s)", name, object);
	else
		str_add(out, *name ? name : object);
}

static void line(struct str *out, const char *label, const char *text, bool colour)
{
	if (!text || !*text)
		return;
	show_shaded(out, label, SHADE_DIM, colour);
	str_printf(out, "%*s", (int)(LABEL_WIDTH - strlen(label)), "");
	show_text(out, text);
	str_add_char(out, '\n');
}

/* "verified by operator" */
static void shaded_line(struct str *out, const char *label, const char *word, bool colour)
{
	show_shaded(out, label, SHADE_DIM, colour);
	str_printf(out, "%*s", (int)(LABEL_WIDTH - strlen(label)), "");
	show_shaded(out, word, show_shade_of(word), colour);
	str_add_char(out, '\n');
}

static void time_line(struct str *out, const char *label, const cJSON *ms, bool colour)
{
	_cleanup_(str_done) struct str text = { 0 };

	if (!cJSON_IsNumber(ms))
		return;
	show_time(&text, (int64_t)ms->valuedouble);
	line(out, label, str_get(&text), colour);
}

static void asker_line(struct str *out, const cJSON *action, bool colour)
{
	const cJSON *actor = json_get(action, "actor");
	_cleanup_(str_done) struct str text = { 0 };

	if (cJSON_IsObject(actor))
		str_printf(&text, "%s (%s, through %s)", action_text(actor, "name"),
			   action_text(actor, "kind"), action_text(action, "principal"));
	else
		str_add(&text, action_text(action, "principal"));
	line(out, "asked by", str_get(&text), colour);
}

static void step_lines(struct str *out, const cJSON *step, bool colour)
{
	_cleanup_(str_done) struct str text = { 0 };
	const cJSON *args = json_get(step, "args");
	char *json = args && args->child ? cJSON_PrintUnformatted(args) : NULL;

	action_target(step, &text);
	line(out, "target", str_get(&text), colour);
	line(out, "arguments", json, colour);
	cJSON_free(json);
}

static void outcome_lines(struct str *out, const cJSON *step, bool colour)
{
	line(out, "task", action_text(step, "upid"), colour);
	line(out, "outcome", action_text(step, "detail"), colour);
}

/* What both the action and the bytes that are approved say. */
static void common_lines(struct str *out, const cJSON *action, bool colour)
{
	const cJSON *fact;

	shaded_line(out, "tier", action_text(action, "tier"), colour);
	asker_line(out, action, colour);
	line(out, "because", action_text(action, "reason"), colour);
	cJSON_ArrayForEach(fact, json_get(action, "facts"))
		line(out, "known", cJSON_GetStringValue(fact), colour);
}

/* The bytes that an approval is for, for people. */
void action_show_approved(const cJSON *shown, bool colour, struct str *out)
{
	const cJSON *step, *steps = json_get(shown, "steps");
	int64_t left = 0;

	line(out, "what", action_text(shown, "sentence"), colour);
	line(out, "tool", action_text(shown, "tool"), colour);
	cJSON_ArrayForEach(step, steps)
		step_lines(out, step, colour);
	common_lines(out, shown, colour);
	line(out, "afterwards", action_text(shown, "verify"), colour);
	if (cJSON_IsNumber(json_get(shown, "until_ms")))
		left = (int64_t)json_get(shown, "until_ms")->valuedouble -
		       clock_wall_ms(&clock_system);
	if (left > 0) {
		_cleanup_(freep) char *text = xasprintf("%lld s", (long long)(left / 1000));

		line(out, "time left", text, colour);
	}
}

void action_show(const cJSON *action, bool colour, struct str *out)
{
	const cJSON *step;

	line(out, "action", action_text(action, "id"), colour);
	shaded_line(out, "status", action_text(action, "status"), colour);
	line(out, "tool", action_text(action, "tool"), colour);
	cJSON_ArrayForEach(step, json_get(action, "steps")) {
		step_lines(out, step, colour);
		if (cJSON_GetArraySize(json_get(action, "steps")) > 1)
			shaded_line(out, "status", action_text(step, "status"), colour);
		outcome_lines(out, step, colour);
	}
	common_lines(out, action, colour);
	line(out, "rule", action_text(action, "rule"), colour);
	line(out, "verdict", action_text(action, "verdict"), colour);
	if (str_eq(action_text(action, "status"), "waiting"))
		line(out, "needs", action_text(action, "need"), colour);
	line(out, "digest", action_text(action, "digest"), colour);
	line(out, "approved by", action_text(action, "approved_by"), colour);
	line(out, "log", action_text(action, "line"), colour);
	line(out, "end", action_text(action, "summary"), colour);
	time_line(out, "asked", json_get(action, "created_ms"), colour);
	time_line(out, "until", json_get(action, "until_ms"), colour);
	time_line(out, "ended", json_get(action, "ended_ms"), colour);
}
