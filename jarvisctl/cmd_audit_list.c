/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl audit: the newest records of the audit chain, as the gate tells them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "jarvisctl/action.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/show.h"

#define LIMIT_DEFAULT 50
#define LIMIT_MAX 10000
#define PAGE 25

struct command_line {
	struct client_options client;
	int64_t limit, before;
};

struct listing {
	bool json;
	int64_t left;
	struct show_table table;
	struct json_writer w;
};

/* "guest_start jellyfin (home/guest/101) and 2 more, for operator": the action that a record is about. */
static void summarize_action(const cJSON *action, struct str *out)
{
	const cJSON *steps = json_get(action, "steps"), *actor = json_get(action, "actor");
	int n = cJSON_GetArraySize(steps);

	str_printf(out, "%s ", action_text(action, "tool"));
	if (n)
		action_target(steps->child, out);
	if (n > 1)
		str_printf(out, " and %d more", n - 1);
	str_printf(out, ", for %s",
		   cJSON_IsObject(actor) ? action_text(actor, "name") :
					   action_text(action, "principal"));
}

/* "status verified, tool guest_start": what is flat in a record, after the action that it is about. */
static void summarize(const cJSON *body, struct str *out)
{
	const cJSON *member;

	if (json_get(body, "action"))
		summarize_action(json_get(body, "action"), out);

	cJSON_ArrayForEach(member, body) {
		if (cJSON_IsString(member) && *member->valuestring)
			str_printf(out, "%s%s %s", out->len ? ", " : "", member->string,
				   member->valuestring);
		else if (cJSON_IsNumber(member))
			str_printf(out, "%s%s %.0f", out->len ? ", " : "", member->string,
				   member->valuedouble);
		else if (cJSON_IsTrue(member))
			str_printf(out, "%s%s", out->len ? ", " : "", member->string);
	}
}

static void add_record(struct listing *l, const cJSON *record)
{
	_cleanup_(str_done) struct str time = { 0 }, text = { 0 };
	_cleanup_(freep) char *seq = NULL;
	const cJSON *ts = json_get(record, "ts"), *number = json_get(record, "seq");
	char *json;

	l->left--;
	if (l->json) {
		json = cJSON_PrintUnformatted(record);
		json_add_raw(&l->w, NULL, json);
		cJSON_free(json);
		return;
	}
	seq = xasprintf("%.0f", cJSON_IsNumber(number) ? number->valuedouble : 0);
	show_time(&time, cJSON_IsNumber(ts) ? (int64_t)ts->valuedouble : 0);
	summarize(json_get(record, "body"), &text);
	show_cell(&l->table, seq, SHADE_DIM);
	show_cell(&l->table, str_get(&time), SHADE_DIM);
	show_cell(&l->table, action_text(record, "kind"), SHADE_STRONG);
	show_cell(&l->table, str_get(&text), SHADE_PLAIN);
}

/* One page; *BEFORE is where the next one begins, 0: there is none. */
static int add_page(struct client *client, struct listing *l, int64_t *before)
{
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	_cleanup_(freep) char *path = NULL;
	const cJSON *record, *next;
	int code;

	path = xasprintf("/api/audit?before=%" PRId64 "&limit=%" PRId64, *before,
			 min_of(l->left, (int64_t)PAGE));
	code = client_get(client, path, &answer);
	if (code != EXIT_OK)
		return code;
	cJSON_ArrayForEach(record, json_get(answer.body, "records")) {
		if (l->left > 0)
			add_record(l, record);
	}
	next = json_get(answer.body, "next");
	*before = cJSON_IsNumber(next) ? (int64_t)next->valuedouble : 0;
	return EXIT_OK;
}

static int list(const struct command_line *c)
{
	_cleanup_(client_freep) struct client *client = NULL;
	_cleanup_(str_done) struct str out = { 0 };
	struct listing l = { .json = c->client.json, .left = c->limit, .w.out = &out };
	int64_t before = c->before;
	int code = client_open(&c->client, &client);

	l.table = (struct show_table){ .columns = 4, .colour = show_has_colour(STDOUT_FILENO) };
	if (l.json) {
		json_object_begin(&l.w, NULL);
		json_list_begin(&l.w, "records");
	}
	while (code == EXIT_OK && l.left > 0) {
		code = add_page(client, &l, &before);
		if (!before)
			break;
	}
	if (l.json) {
		json_list_end(&l.w);
		json_add_i64(&l.w, "next", before);
		json_object_end(&l.w);
		str_add_char(&out, '\n');
	} else {
		show_table(&l.table, &out);
	}
	return code == EXIT_OK ? show_print(&out) : code;
}

int command_audit_list(int argc, char **argv)
{
	static const struct option options[] = {
		CLIENT_OPTIONS,
		{ "limit", required_argument, NULL, 'l' },
		{ "before", required_argument, NULL, 'b' },
		{ 0 },
	};
	struct command_line c = { .limit = LIMIT_DEFAULT };
	int option, r = 0;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'l')
			r = str_to_i64(optarg, 1, LIMIT_MAX, &c.limit);
		else if (option == 'b')
			r = str_to_i64(optarg, 1, INT64_MAX, &c.before);
		else if (!client_take_option(&c.client, option))
			return EXIT_USAGE;
		if (r < 0)
			return EXIT_USAGE;
	}
	return optind == argc ? list(&c) : EXIT_USAGE;
}
