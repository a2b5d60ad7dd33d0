/* SPDX-License-Identifier: MIT */
/*
 * What a node answers, with any bytes. What must hold: what is believed lies within the bytes and is as long as it
 * says; one byte less is never believed; and what is returned is JSON. And what goes to a node: whatever a parameter
 * is, it stays one field.
 */
#include "common/alloc.h"
#include "common/json.h"
#include "services/executor/ssh_answers.h"
#include "services/executor/ssh_unit.h"

#include <string.h>

#define BOUNDARY "0123456789abcdef0123456789abcdef"
#define OTHER "0123456789abcdef0123456789abcdee"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void require_json(const char *text, size_t length)
{
	cJSON *tree = NULL;
	struct json_error error;

	require(json_parse(text, length, JSON_FOREIGN, &tree, &error) == 0);
	cJSON_Delete(tree);
}

static void make_all(const struct ssh_answer *answer)
{
	static bool (*const makers[])(const struct ssh_answer *answer, struct str *out) = {
		ssh_answer_fields,
		ssh_answer_journal,
		ssh_answer_disks,
		ssh_answer_lines,
	};

	for (size_t i = 0; i < countof(makers); i++) {
		_cleanup_(str_done) struct str out = { 0 };

		if (makers[i](answer, &out))
			require_json(str_get(&out), out.len);
	}
}

static void read_unit(const char *text, size_t length)
{
	_cleanup_(str_done) struct str out = { 0 };
	char words[VERIFY_TEXT];
	struct unit_now unit, again;

	if (ssh_unit_read(text, length, &unit) < 0)
		return;
	ssh_unit_write(&unit, &out);
	require(ssh_unit_read(str_get(&out), out.len, &again) == 0);
	require(again.main_pid == unit.main_pid && again.entered_s == unit.entered_s &&
		str_eq(again.active, unit.active));
	/* What is as it was before was not restarted. */
	require(ssh_unit_judge(VERIFY_UNIT_RESTARTED, &unit, &again, words) == VERDICT_NOT_YET);
}

/* The first line is the envelope, each other one a parameter; id and boundary are within them. */
static void build(char *text)
{
	_cleanup_(str_done) struct str out = { 0 };
	struct ssh_param params[SSH_WIRE_PARAMS_MAX + 1];
	struct ssh_request request = { .timeout_s = 1, .tool = "t", .params = params };
	size_t fields = 0;

	request.envelope = strsep(&text, "\n");
	request.id = text ? strsep(&text, "\n") : "r";
	request.boundary = text ? strsep(&text, "\n") : BOUNDARY;
	while (text && request.params_n < countof(params))
		params[request.params_n++] = (struct ssh_param){ "p", strsep(&text, "\n") };
	if (ssh_wire_build(&request, &out) < 0) {
		require(!out.len);
		return;
	}
	for (size_t i = 0; i < out.len; i++)
		fields += !out.data[i];
	require(fields == 6 + request.params_n);
	require(memchr(out.data, '\n', out.len) == out.data + strlen(request.envelope));
	require(out.len > 4 && memcmp(out.data + out.len - 4, "end", 4) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freep) char *text = size ? xmemdup(data, size) : xmalloc(1);
	struct ssh_answer answer;
	_cleanup_(freep) char *lines = xstrndup(text, size);
	const struct ssh_answer all = { .out = text, .out_len = size, .err = "" };

	make_all(&all);
	read_unit(text, size);
	build(lines);
	ssh_wire_parse(text, size, OTHER, &answer);
	require(answer.outcome == SSH_ANSWER_UNKNOWN || memmem(text, size, OTHER, strlen(OTHER)));
	ssh_wire_parse(text, size, BOUNDARY, &answer);
	if (answer.outcome == SSH_ANSWER_UNKNOWN) {
		require(answer.why && !answer.out_len && !answer.err_len);
		return 0;
	}
	require(answer.out >= text && answer.err == answer.out + answer.out_len);
	require(answer.err + answer.err_len < text + size);
	make_all(&answer);
	ssh_wire_parse(text, size - 1, BOUNDARY, &answer);
	require(answer.outcome == SSH_ANSWER_UNKNOWN);
	return 0;
}
