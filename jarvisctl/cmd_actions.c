/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl actions, action, approve, deny, cancel: what was asked for, and a person's say in it.
 */
#include <stdio.h>
#include <unistd.h>

#include "jarvisctl/action.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/show.h"

#define PAGES_MAX 50
#define FOLLOW_MAX_S 86400

struct command_line {
	struct client_options client;
	struct action_proof proof;
	const char *id;
	const char *digest;
	bool all, is_sure;
	int64_t wait_s;
};

static void done(struct command_line *c)
{
	action_proof_done(&c->proof);
}

/* ── the list ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_row(struct show_table *table, const cJSON *action)
{
	const cJSON *steps = json_get(action, "steps"), *ms = json_get(action, "created_ms");
	const cJSON *actor = json_get(action, "actor");
	const char *status = action_text(action, "status"), *tier = action_text(action, "tier");
	_cleanup_(str_done) struct str target = { 0 }, asked = { 0 };

	if (steps && steps->child)
		action_target(steps->child, &target);
	if (cJSON_GetArraySize(steps) > 1)
		str_printf(&target, " and %d more", cJSON_GetArraySize(steps) - 1);
	show_time(&asked, cJSON_IsNumber(ms) ? (int64_t)ms->valuedouble : 0);
	show_cell(table, action_text(action, "id"), SHADE_PLAIN);
	show_cell(table, str_get(&asked), SHADE_DIM);
	show_cell(table, status, show_shade_of(status));
	show_cell(table, tier, show_shade_of(tier));
	show_cell(table, action_text(action, "tool"), SHADE_STRONG);
	show_cell(table, str_get(&target), SHADE_PLAIN);
	show_cell(table,
		  cJSON_IsObject(actor) ? action_text(actor, "name") :
					  action_text(action, "principal"),
		  SHADE_PLAIN);
}

struct listing {
	bool all, json;
	struct show_table table;
	struct json_writer w;
};

static void add_item(struct listing *l, const cJSON *action)
{
	char *text;

	if (!l->all && action_is_over(action))
		return;
	if (!l->json) {
		add_row(&l->table, action);
		return;
	}
	text = cJSON_PrintUnformatted(action);
	json_add_raw(&l->w, NULL, text);
	cJSON_free(text);
}

/* One page, and where the next begins; false at the end, or with an error in *CODE. */
static bool add_page(struct client *client, struct listing *l, char **cursor, int *code)
{
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	_cleanup_(freep) char *path =
		*cursor ? xasprintf("/api/actions?limit=200&cursor=%s", *cursor) :
			  xstrdup("/api/actions?limit=200");
	const char *next;
	const cJSON *action;

	*code = client_get(client, path, &answer);
	if (*code != EXIT_OK)
		return false;
	cJSON_ArrayForEach(action, json_get(answer.body, "items"))
		add_item(l, action);
	next = action_text(answer.body, "next");
	free(*cursor);
	*cursor = action_is_id(next) ? xstrdup(next) : NULL;
	return *cursor;
}

static int print_list(struct command_line *c, struct client *client)
{
	_cleanup_(str_done) struct str out = { 0 };
	_cleanup_(freep) char *cursor = NULL;
	struct listing l = { .all = c->all, .json = c->client.json, .w.out = &out };
	int code = EXIT_OK, pages = 0;

	l.table = (struct show_table){ .columns = 7, .colour = show_has_colour(STDOUT_FILENO) };
	if (l.json) {
		json_object_begin(&l.w, NULL);
		json_list_begin(&l.w, "items");
	}
	while (add_page(client, &l, &cursor, &code) && ++pages < PAGES_MAX)
		continue;
	if (l.json) {
		json_list_end(&l.w);
		json_object_end(&l.w);
		str_add_char(&out, '\n');
	} else if (l.table.cells_n) {
		show_table(&l.table, &out);
	} else if (code == EXIT_OK) {
		str_add(&out, c->all ? "no actions\n" :
				       "no action waits or runs; --all shows what is over\n");
	}
	return code == EXIT_OK ? show_print(&out) : code;
}

/* ── one ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static int print_action(const struct command_line *c, const struct client_answer *answer)
{
	_cleanup_(str_done) struct str out = { 0 };

	if (c->client.json) {
		str_add(&out, str_get(&answer->text));
		str_add_char(&out, '\n');
	} else {
		action_show(answer->body, show_has_colour(STDOUT_FILENO), &out);
	}
	return show_print(&out);
}

static int print_one(struct command_line *c, struct client *client)
{
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	_cleanup_(freep) char *path = xasprintf("/api/actions/%s", c->id);
	int code = client_get(client, path, &answer);

	return code == EXIT_OK ? print_action(c, &answer) : code;
}

/* ── deciding ──────────────────────────────────────────────────────────────────────────────────────────────── */

static int see_end(struct command_line *c, struct client *client)
{
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	int code = action_follow(client, c->id, c->wait_s * 1000, c->client.json, &answer);
	const char *status = action_text(answer.body, "status");

	if (code == EXIT_OK)
		code = print_action(c, &answer);
	return code == EXIT_OK ? action_code(status) : code;
}

static int approve(struct command_line *c, struct client *client)
{
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	int code = action_proof_read(&c->proof);

	if (code == EXIT_OK)
		code = action_get(client, c->id, &answer);
	if (code != EXIT_OK)
		return code;
	if (!str_eq(action_text(answer.body, "status"), "waiting")) {
		fprintf(stderr, "jarvisctl: it does not wait: it is %s\n",
			action_text(answer.body, "status"));
		return EXIT_REFUSED;
	}
	if (c->digest && !str_eq(c->digest, action_text(answer.body, "digest"))) {
		fputs("jarvisctl: what waits is not what --digest names; look at it again with jarvisctl action\n",
		      stderr);
		return EXIT_REFUSED;
	}
	code = action_approve(client, answer.body, &c->proof, c->is_sure);
	return code == EXIT_OK ? see_end(c, client) : code;
}

static int decide(struct command_line *c, struct client *client, const char *decision,
		  const char *did)
{
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	int code = action_decide(client, c->id, decision, NULL, NULL, &answer);

	if (code != EXIT_OK)
		return code;
	if (answer.status != 200)
		return client_tell(&answer);
	if (c->client.json)
		puts("{\"ok\":true}");
	else
		printf("%s: %s\n", c->id, did);
	return EXIT_OK;
}

static int deny(struct command_line *c, struct client *client)
{
	return decide(c, client, "deny", "denied");
}

static int cancel(struct command_line *c, struct client *client)
{
	return decide(c, client, "cancel", "cancelled; what runs already is told to stop");
}

/* ── the command lines ─────────────────────────────────────────────────────────────────────────────────────── */

enum {
	OPTION_ALL = 'a',
	OPTION_WAIT = 'w',
	OPTION_KEYWORD = 'k',
	OPTION_CODE = 'o',
	OPTION_YES = 'y',
	OPTION_DIGEST = 'd'
};

static bool take_option(struct command_line *c, int option)
{
	switch (option) {
	case OPTION_ALL:
		c->all = true;
		return true;
	case OPTION_WAIT:
		return str_to_i64(optarg, 0, FOLLOW_MAX_S, &c->wait_s) == 0;
	case OPTION_KEYWORD:
		c->proof.keyword_file = optarg;
		return true;
	case OPTION_CODE:
		c->proof.code_file = optarg;
		return true;
	case OPTION_YES:
		c->is_sure = true;
		return true;
	default:
		c->digest = optarg;
		return option == OPTION_DIGEST;
	}
}

/* LETTERS: the options of this one command. */
static int command(int argc, char **argv, const char *letters, bool takes_id,
		   int (*run)(struct command_line *c, struct client *client))
{
	static const struct option options[] = {
		CLIENT_OPTIONS,
		{ "all", no_argument, NULL, OPTION_ALL },
		{ "wait", required_argument, NULL, OPTION_WAIT },
		{ "keyword-file", required_argument, NULL, OPTION_KEYWORD },
		{ "code-file", required_argument, NULL, OPTION_CODE },
		{ "yes", no_argument, NULL, OPTION_YES },
		{ "digest", required_argument, NULL, OPTION_DIGEST },
		{ 0 },
	};
	_cleanup_(done) struct command_line c = { .wait_s = FOLLOW_MAX_S };
	_cleanup_(client_freep) struct client *client = NULL;
	int option, code;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (client_take_option(&c.client, option))
			continue;
		if (option > 'z' || !strchr(letters, option) || !take_option(&c, option))
			return EXIT_USAGE;
	}
	if (optind != argc - (takes_id ? 1 : 0))
		return EXIT_USAGE;
	c.id = takes_id ? argv[optind] : NULL;
	if (c.id && !action_is_id(c.id)) {
		fputs("jarvisctl: an action's id is 26 letters and digits; jarvisctl actions --all shows them\n",
		      stderr);
		return EXIT_USAGE_TOLD;
	}
	code = client_open(&c.client, &client);
	return code == EXIT_OK ? run(&c, client) : code;
}

int command_actions(int argc, char **argv)
{
	return command(argc, argv, "a", false, print_list);
}

int command_action(int argc, char **argv)
{
	return command(argc, argv, "", true, print_one);
}

int command_approve(int argc, char **argv)
{
	return command(argc, argv, "wkoyd", true, approve);
}

int command_deny(int argc, char **argv)
{
	return command(argc, argv, "", true, deny);
}

int command_cancel(int argc, char **argv)
{
	return command(argc, argv, "", true, cancel);
}
