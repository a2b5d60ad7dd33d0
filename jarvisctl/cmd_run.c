/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl run: asks for a tool, gives what it needs, and stays until it is over. A read is waited for in one
 * question; what acts is followed, so that its log is seen.
 */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "common/tools.h"
#include "jarvisctl/action.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/show.h"
#include "jarvisctl/show_node.h"
#include "jarvisctl/tool_line.h"

#define WAIT_MAX_S 86400
#define GATEWAY_WAIT_S 60 /* the longest that it keeps a question */
#define ACTING_WAIT_S 1
#define TARGETS_MAX ((size_t)20)
#define BODY_BYTES ((size_t)49152)

struct run {
	struct client_options client;
	struct action_proof proof;
	const struct tool *tool;
	const char *targets[TARGETS_MAX];
	size_t targets_n;
	const char *reason;
	bool confirmed, dry;
	int64_t wait_s; /* -1: until it is over */
	struct str args;
	char request_id[33];
};

static void done(struct run *r)
{
	action_proof_done(&r->proof);
	str_done(&r->args);
}

/* ── asking ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void build_body(const struct run *r, int wait_s, struct str *out)
{
	struct json_writer w = { .out = out };

	str_reserve(out, BODY_BYTES);
	json_object_begin(&w, NULL);
	json_add_str(&w, "request_id", r->request_id);
	json_add_str(&w, "tool", r->tool->name);
	json_add_raw(&w, "args", str_get(&r->args));
	if (r->targets_n) {
		json_list_begin(&w, "targets");
		for (size_t i = 0; i < r->targets_n; i++)
			json_add_str(&w, NULL, r->targets[i]);
		json_list_end(&w);
	}
	if (r->reason)
		json_add_str(&w, "reason", r->reason);
	if (r->confirmed)
		json_add_bool(&w, "confirmed", true);
	if (r->dry)
		json_add_bool(&w, "dry_run", true);
	else
		action_proof_add(&r->proof, &w);
	json_add_i64(&w, "wait_s", wait_s);
	json_object_end(&w);
}

static int execute(const struct run *r, struct client *client, int wait_s,
		   struct client_answer *answer)
{
	_cleanup_(str_wipe) struct str body = { 0 };

	build_body(r, wait_s, &body);
	return client_ask(client, "POST", "/api/tools/execute", str_get(&body), wait_s, answer);
}

static int first_wait_s(const struct run *r)
{
	int wait_s = r->tool->verify == VERIFY_NOTHING ? GATEWAY_WAIT_S : ACTING_WAIT_S;

	return r->wait_s >= 0 ? (int)min_of((int64_t)wait_s, r->wait_s) : wait_s;
}

/* ── the end ───────────────────────────────────────────────────────────────────────────────────────────────── */

static int print_raw(struct client_answer *answer)
{
	_cleanup_(str_done) struct str out = { 0 };

	str_add(&out, str_get(&answer->text));
	if (out.len && out.data[out.len - 1] != '\n')
		str_add_char(&out, '\n');
	return show_print(&out);
}

static int print_result(const struct run *r, struct client_answer *answer)
{
	bool colour = show_has_colour(STDOUT_FILENO);
	const char *status = action_text(answer->body, "status");
	const cJSON *content = json_get(answer->body, "content");
	_cleanup_(str_done) struct str out = { 0 };

	/* What a read has to say of itself, when it went well: that a part is missing. */
	if (r->tool->verify != VERIFY_NOTHING || !str_eq(status, "verified") ||
	    !str_eq(action_text(answer->body, "text"), status)) {
		show_shaded(&out, status, show_shade_of(status), colour);
		str_add(&out, ": ");
		show_text(&out, action_text(answer->body, "text"));
		str_add_char(&out, '\n');
	}
	/* Of what acts only a command has something to say. */
	if (content && !show_node(&out, r->tool, content, colour) &&
	    r->tool->verify == VERIFY_NOTHING)
		show_json(&out, content, colour);
	return show_print(&out);
}

/* By what the gateway answered last. */
static int conclude(const struct run *r, struct client_answer *answer)
{
	const char *status = action_text(answer->body, "status");
	int code = action_code(status), printed;

	if (answer->status != 200 && answer->status != 202) {
		if (r->client.json)
			(void)print_raw(answer);
		code = client_tell(answer);
		if (str_eq(action_text(answer->body, "rule"), "unconfirmed"))
			fputs("jarvisctl: --confirmed says that you know what may be lost\n",
			      stderr);
		return code;
	}
	if (code == EXIT_OK && cJSON_IsTrue(json_get(answer->body, "is_error")))
		code = EXIT_FAILED;
	printed = r->client.json ? print_raw(answer) : print_result(r, answer);
	return printed == EXIT_OK ? code : printed;
}

/* What the gate says of it now: the same request is answered the same. */
static int finish(const struct run *r, struct client *client, struct client_answer *answer)
{
	int code = execute(r, client, 0, answer);

	return code == EXIT_OK ? conclude(r, answer) : code;
}

static void say_still(const cJSON *action)
{
	fprintf(stderr, "jarvisctl: it is %s still; jarvisctl action %s shows how it goes on\n",
		action_text(action, "status"), action_text(action, "id"));
}

/* From 202 to its end: what it waits for, and what it says. */
static int go_on(struct run *r, struct client *client, const char *id)
{
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	int64_t wait_ms = (r->wait_s < 0 ? WAIT_MAX_S : r->wait_s) * 1000;
	int code = action_follow(client, id, wait_ms, r->client.json, &answer);

	if (code == EXIT_OK && str_eq(action_text(answer.body, "status"), "waiting")) {
		/* Given on the command line it was tried already. */
		code = action_approve(client, answer.body, &r->proof, false);
		action_proof_done(&r->proof);
		if (code == EXIT_OK)
			code = action_follow(client, id, wait_ms, r->client.json, &answer);
	}
	if (code == EXIT_WAITS && r->client.json)
		(void)finish(r, client, &answer);
	if (code != EXIT_OK)
		return code;
	if (!action_is_over(answer.body))
		say_still(answer.body);
	return finish(r, client, &answer);
}

/* ── only judged ───────────────────────────────────────────────────────────────────────────────────────────── */

static void add_list(struct str *out, const char *before, const cJSON *list, const char *key)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, list) {
		const cJSON *value = key ? json_get(item, key) : item;

		if (!cJSON_IsString(value))
			continue;
		str_add(out, before);
		show_text(out, value->valuestring);
		str_add_char(out, '\n');
	}
}

static int print_verdict(const cJSON *verdict)
{
	bool colour = show_has_colour(STDOUT_FILENO);
	const char *decision = action_text(verdict, "decision"),
		   *tier = action_text(verdict, "tier");
	const char *need = action_text(verdict, "need"), *verify = action_text(verdict, "verify");
	_cleanup_(str_done) struct str out = { 0 };

	show_shaded(&out, tier, show_shade_of(tier), colour);
	str_add(&out, str_eq(decision, "allow") ? ": it would be done at once" :
		      str_eq(decision, "ask")	? ": it would wait for " :
						  ": it would be refused, by ");
	if (str_eq(decision, "ask"))
		show_text(&out, str_eq(need, "nothing") ? "a person's yes" :
				str_eq(need, "code")	? "a one-time code" :
							  "the keyword");
	else if (!str_eq(decision, "allow"))
		show_text(&out, action_text(verdict, "rule"));
	str_add_char(&out, '\n');
	show_text(&out, action_text(verdict, "reason"));
	str_add_char(&out, '\n');
	add_list(&out, "  on ", json_get(verdict, "steps"), "object");
	add_list(&out, "  ", json_get(verdict, "facts"), NULL);
	if (*verify) {
		str_add(&out, "  afterwards it is checked: ");
		show_text(&out, verify);
		str_add_char(&out, '\n');
	}
	return show_print(&out);
}

static int judged(const struct run *r, struct client_answer *answer)
{
	const char *decision = action_text(answer->body, "decision");
	int printed;

	if (answer->status != 200)
		return conclude(r, answer);
	printed = r->client.json ? print_raw(answer) : print_verdict(answer->body);
	if (printed != EXIT_OK)
		return printed;
	return str_eq(decision, "allow") ? EXIT_OK :
	       str_eq(decision, "ask")	 ? EXIT_WAITS :
					   EXIT_REFUSED;
}

static int run(struct run *r)
{
	_cleanup_(client_freep) struct client *client = NULL;
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	_cleanup_(freep) char *id = NULL;
	int code = action_proof_read(&r->proof);

	if (code == EXIT_OK)
		code = client_open(&r->client, &client);
	if (code == EXIT_OK)
		code = execute(r, client, first_wait_s(r), &answer);
	if (code != EXIT_OK)
		return code;
	if (r->dry)
		return judged(r, &answer);
	if (answer.status == 202 && action_is_id(action_text(answer.body, "id"))) {
		id = xstrdup(action_text(answer.body, "id"));
		return go_on(r, client, id);
	}
	return conclude(r, &answer);
}

/* ── the command line ──────────────────────────────────────────────────────────────────────────────────────── */

static bool take_option(struct run *r, int option)
{
	switch (option) {
	case 't':
		if (r->targets_n == TARGETS_MAX)
			return false;
		r->targets[r->targets_n++] = optarg;
		return true;
	case 'r':
		r->reason = optarg;
		return true;
	case 'c':
		r->confirmed = true;
		return true;
	case 'n':
		r->dry = true;
		return true;
	case 'w':
		return str_to_i64(optarg, 0, WAIT_MAX_S, &r->wait_s) == 0;
	case 'k':
		r->proof.keyword_file = optarg;
		return true;
	case 'o':
		r->proof.code_file = optarg;
		return true;
	default:
		return client_take_option(&r->client, option);
	}
}

static int read_words(struct run *r, int argc, char **argv)
{
	_cleanup_(str_done) struct str error = { 0 };

	r->tool = tool_find(argv[optind]);
	if (!r->tool)
		str_printf(&error, "there is no tool %s; jarvisctl tools lists them", argv[optind]);
	else if (tool_line_build(r->tool, argv + optind + 1, (size_t)(argc - optind - 1),
				 r->targets_n > 0, &r->args, &error) == 0)
		return EXIT_OK;
	{
		_cleanup_(str_done) struct str safe = { 0 };

		show_text(&safe, str_get(&error));
		fprintf(stderr, "jarvisctl: %s\n", str_get(&safe));
	}
	return EXIT_USAGE_TOLD;
}

int command_run(int argc, char **argv)
{
	static const struct option options[] = {
		CLIENT_OPTIONS,
		{ "target", required_argument, NULL, 't' },
		{ "reason", required_argument, NULL, 'r' },
		{ "confirmed", no_argument, NULL, 'c' },
		{ "dry-run", no_argument, NULL, 'n' },
		{ "wait", required_argument, NULL, 'w' },
		{ "keyword-file", required_argument, NULL, 'k' },
		{ "code-file", required_argument, NULL, 'o' },
		{ 0 },
	};
	_cleanup_(done) struct run r = { .wait_s = -1 };
	int option, code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (!take_option(&r, option))
			return EXIT_USAGE;
	}
	if (optind == argc)
		return EXIT_USAGE;
	code = read_words(&r, argc, argv);
	if (code != EXIT_OK)
		return code;
	action_request_id(r.request_id);
	return run(&r);
}
