/* SPDX-License-Identifier: MIT */
/*
 * What goes to the node itself: the request, where to, and what a read returns.
 */
#include "services/executor/run_parts.h"

#include "services/executor/ssh_answers.h"

#include <sodium.h>
#include <stdio.h>

/* Of a tool's deadline: connecting, and what the far side needs to end a program. */
#define RESERVE_S 20
#define STATUS_S 10
/* What waited longer for its connection is not begun any more: the world is not that of its approval. */
#define SEND_WITHIN_MS (RESERVE_S * 1000)
#define WORDS 200
/* Of a journal, where it is not said. */
#define LINES_DEFAULT 50
/* An envelope is needed, and a grant that was used before a restart is not kept. */
#define NO_ENVELOPE "{\"restarted\":true}"

/* ── words ─────────────────────────────────────────────────────────────────────────────────────────────────── */

/* What others say, as plain text in one line. */
static void copy_words(const char *text, size_t length, size_t size, char *ret)
{
	size_t n = 0;

	while (length && (text[length - 1] == '\n' || text[length - 1] == ' '))
		length--;
	for (; n < length && n + 1 < size; n++)
		ret[n] = text[n] == '\n' ? ' ' : text[n] < 0x20 || text[n] > 0x7e ? '?' : text[n];
	ret[n] = '\0';
}

bool run_ssh_is_ok(const struct ssh_answer *answer)
{
	return answer->outcome == SSH_ANSWER_EXIT && !answer->value;
}

void run_ssh_describe(const struct ssh_answer *answer, char *ret)
{
	char words[WORDS];
	const char *colon;

	copy_words(answer->err, answer->err_len, sizeof(words), words);
	colon = words[0] ? ": " : "";
	switch (answer->outcome) {
	case SSH_ANSWER_UNKNOWN:
		copy_words(answer->why, strlen(answer->why), FOLLOW_TEXT, ret);
		break;
	case SSH_ANSWER_EXIT:
		(void)snprintf(ret, FOLLOW_TEXT, "it ended with status %u%s%s", answer->value,
			       colon, words);
		break;
	case SSH_ANSWER_SIGNAL:
		(void)snprintf(ret, FOLLOW_TEXT, "it was killed by signal %u%s%s", answer->value,
			       colon, words);
		break;
	case SSH_ANSWER_TIMEOUT:
		(void)snprintf(ret, FOLLOW_TEXT, "it did not end in time%s%s", colon, words);
		break;
	case SSH_ANSWER_FLOOD:
		(void)snprintf(ret, FOLLOW_TEXT, "it wrote too much");
		break;
	case SSH_ANSWER_REFUSED:
		(void)snprintf(ret, FOLLOW_TEXT, "the node refused it%s%s", colon, words);
		break;
	}
}

/* ── asking ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void on_reply(void *ctx, const struct ssh_reply *reply)
{
	struct run *run = ctx;
	const struct ssh_result *result = reply->result;
	struct ssh_answer answer = { .out = "", .err = "", .why = reply->error };
	char said[WORDS];

	run->ssh_ask = NULL;
	if (result && (result->outcome == SSH_ENDED || result->outcome == SSH_FAILED ||
		       result->outcome == SSH_KILLED))
		ssh_wire_parse(result->output, result->output_len, run->boundary, &answer);
	/* What stands there in place of jarvis-act says why: the shell, perl, or another version of it. */
	if (answer.outcome == SSH_ANSWER_UNKNOWN && result && result->outcome != SSH_ENDED &&
	    result->errors[0]) {
		copy_words(result->errors, strlen(result->errors), sizeof(said), said);
		answer.why =
			arena_printf(run->arena, "%s: %s: %s", answer.why, result->error, said);
	}
	run->ssh_then(run, reply->is_sent, &answer);
}

static const struct config_node *find_node(const struct config_cluster *cluster, const char *name)
{
	for (size_t i = 0; i < cluster->nodes_n; i++) {
		if (str_eq(cluster->nodes[i].name, name))
			return &cluster->nodes[i];
	}
	return NULL;
}

/* Where the node is; NULL with WHY when that is not known. */
static const char *find_target(const struct run *run, struct ssh_target *ret)
{
	const struct config_cluster *cluster = pve_link_config(run->link);
	const struct config_node *node = find_node(cluster, run->order.target.node);

	if (!cluster->executor->ssh)
		return "clusters.NAME.executor.ssh is not set in jarvis.yaml";
	if (!node || !node->address)
		return "the node has no address in jarvis.yaml: clusters.NAME.nodes.NODE.address";
	*ret = (struct ssh_target){
		.cluster = cluster->name,
		.node = node->name,
		.host = node->address,
		.port = (unsigned)node->ssh_port,
		.user = cluster->executor->ssh->user,
		.known_hosts = cluster->executor->ssh->known_hosts,
		.connect_timeout_ms = (unsigned)cluster->executor->ssh->connect_timeout_ms,
	};
	return NULL;
}

int64_t run_ssh_patience_ms(const struct run *run)
{
	return pve_link_config(run->link)->executor->ssh->settle_ms;
}

static void make_boundary(char ret[SSH_WIRE_BOUNDARY])
{
	unsigned char bytes[(SSH_WIRE_BOUNDARY - 1) / 2];

	randombytes_buf(bytes, sizeof(bytes));
	hex_build(bytes, sizeof(bytes), ret);
}

/* A login may have taken its time. */
static bool may_send(void *ctx)
{
	struct run *run = ctx;

	run->held = run->wants_cancel ? "it was cancelled" : run_objection(run);
	if (!run->held && run_now(run) - run->sent_ms > SEND_WITHIN_MS)
		run->held = "the connection to the node took too long";
	if (run->held)
		return false;
	counter_add(run->host->env->counters, "effects", 1);
	return true;
}

/* Asks for what REQUEST says; THEN always comes later. Why it cannot be asked, or NULL. */
static const char *ask(struct run *run, struct ssh_request *request, bool is_read, run_ssh_fn then)
{
	_cleanup_(str_done) struct str input = { 0 };
	struct ssh_command command = { .command = SSH_WIRE_COMMAND,
				       .max_bytes = SSH_WIRE_ANSWER_MAX,
				       .may_send = is_read ? NULL : may_send };
	struct ssh_target target;
	const char *why = find_target(run, &target);

	if (why)
		return why;
	make_boundary(run->boundary);
	request->envelope = run->order.envelope ? run->order.envelope : NO_ENVELOPE;
	request->id = run->order.payload->gid;
	request->boundary = run->boundary;
	if (ssh_wire_build(request, &input) < 0)
		return "the grant is not in a form that can be sent to a node";
	command.input = input.data;
	command.input_len = input.len;
	command.timeout_ms = request->timeout_s * 1000 + SSH_WIRE_GRACE_MS;
	run->ssh_then = then;
	counter_add(run->host->env->counters, is_read ? "ssh_reads" : "ssh_changes", 1);
	run->ssh_ask = ssh_links_ask(run->host->ssh, &target, &command, is_read, on_reply, run);
	return NULL;
}

/* At least one second, and no more than the deadline of TOOL leaves; a command says itself how long it may take. */
static unsigned timeout_s(const struct run *run)
{
	const struct config *config = run->host->env->config;
	const char *command = tool_args_get(&run->order.args, "command_id").s;
	int64_t seconds = run->order.tool->deadline_s - RESERVE_S;

	for (size_t i = 0; command && i < config->commands_n; i++) {
		if (str_eq(config->commands[i].name, command))
			seconds = (config->commands[i].timeout_ms + 999) / 1000;
	}
	return (unsigned)min_of(max_of(seconds, (int64_t)1), (int64_t)SSH_WIRE_SECONDS_MAX);
}

static void add_pairs(struct run *run, const char *text, struct ssh_param *params, size_t *n)
{
	struct tool_pair pairs[TOOL_PAIRS_MAX];
	size_t pairs_n = tool_pairs_split(text, run->arena, pairs);

	for (size_t i = 0; i < pairs_n; i++)
		params[(*n)++] = (struct ssh_param){ pairs[i].name, pairs[i].value };
}

static const char *value_text(struct run *run, const struct tool_value *value)
{
	if (value->s)
		return value->s;
	return arena_printf(run->arena, "%lld", (long long)(value->has ? value->i : LINES_DEFAULT));
}

/* The tool itself, with its own arguments. All must be there: the far side has no defaults. */
const char *run_ssh_ask_tool(struct run *run, bool is_read, run_ssh_fn then)
{
	const struct tool *tool = run->order.tool;
	struct ssh_param params[TOOL_ARGS_MAX + TOOL_PAIRS_MAX];
	struct ssh_request request = { .tool = tool->name, .params = params };

	request.timeout_s = timeout_s(run);
	for (size_t i = 0; i < tool->args_n; i++) {
		const struct tool_arg *arg = &tool->args[i];
		const struct tool_value *value = &run->order.args.v[i];

		if (arg->kind == ARG_NODE || arg->kind == ARG_CLUSTER)
			continue;
		if (arg->kind == ARG_PAIRS)
			add_pairs(run, value->s, params, &request.params_n);
		else
			params[request.params_n++] =
				(struct ssh_param){ arg->name, value_text(run, value) };
	}
	return ask(run, &request, is_read, then);
}

const char *run_ssh_ask_unit(struct run *run, run_ssh_fn then)
{
	const struct ssh_param unit = { "unit", tool_args_get(&run->order.args, "unit").s };
	struct ssh_request request = {
		.tool = tool_table[TOOL_service_status].name,
		.timeout_s = STATUS_S,
		.params = &unit,
		.params_n = 1,
	};

	return ask(run, &request, true, then);
}

/* ── reads ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static const struct {
	enum tool_id tool;
	/* What a read returns; NULL: it changes something. */
	bool (*make)(const struct ssh_answer *answer, struct str *out);
	bool is_partial; /* status 1 with an answer: a part of it could not be read */
} rows[] = {
	{ TOOL_service_status, ssh_answer_fields, false },
	{ TOOL_journal_tail, ssh_answer_journal, false },
	{ TOOL_ping_node, ssh_answer_fields, false },
	{ TOOL_disk_usage, ssh_answer_disks, true },
	{ TOOL_service_restart, NULL, false },
	{ TOOL_service_stop, NULL, false },
	{ TOOL_run_command, NULL, false },
};

static size_t row_of(const struct tool *tool)
{
	size_t i = 0;

	while (i < countof(rows) && tool != &tool_table[rows[i].tool])
		i++;
	return i;
}

static void on_read(struct run *run, bool is_sent, const struct ssh_answer *answer)
{
	_cleanup_(str_done) struct str text = { 0 };
	size_t row = row_of(run->order.tool);
	bool is_whole = run_ssh_is_ok(answer);
	bool is_partial =
		rows[row].is_partial && answer->outcome == SSH_ANSWER_EXIT && answer->value == 1;
	char words[FOLLOW_TEXT];

	(void)is_sent;
	run_ssh_describe(answer, words);
	if ((is_whole || is_partial) && rows[row].make(answer, &text))
		run_answer(run, STEP_VERIFIED,
			   is_partial	    ? words :
			   answer->out_lost ? "It was too long: the end of it is missing." :
					      "",
			   str_get(&text));
	else
		run_end(run, STEP_FAILED, "It could not be read: %s", words);
}

/* ── the beginning ─────────────────────────────────────────────────────────────────────────────────────────── */

bool run_goes_by_ssh(const struct tool *tool)
{
	size_t i = row_of(tool);

	return i < countof(rows) && !rows[i].make == (tool->tier > TIER_GREEN);
}

void run_ssh(struct run *run)
{
	const char *why = "it is not known how to do that";

	run_enter(run, PHASE_LOOKING);
	if (!run->order.target.node)
		run->order.target.node = tool_args_get(&run->order.args, "node").s;
	if (run_goes_by_ssh(run->order.tool))
		why = run->order.tool->tier == TIER_GREEN ? run_ssh_ask_tool(run, true, on_read) :
							    run_ssh_change(run);
	if (why)
		run_end(run, STEP_FAILED, "Nothing was done: %s.", why);
}
