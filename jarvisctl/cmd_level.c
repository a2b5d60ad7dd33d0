/* SPDX-License-Identifier: MIT */
/*
 * jarvisctl level, freeze, unfreeze. Freezing needs nothing, and with --file not even a gateway or a broker: the file
 * is looked at by gate and executor themselves.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jarvisctl/action.h"
#include "jarvisctl/jarvisctl.h"
#include "jarvisctl/prompt.h"
#include "jarvisctl/show.h"

#define RUNTIME_DIR "/run/jarvis"
#define LEVEL_MAX 4
#define BODY_BYTES ((size_t)2048)

static const char *const levels[] = {
	"observe: it does nothing by itself",
	"advise: it says what it would do",
	"ask: it asks before everything",
	"act and report: what is reversible by itself",
	"guarded autopilot: what interrupts too, after a time to say no",
};

struct command_line {
	struct client_options client;
	struct action_proof proof; /* a code alone */
	const char *runbook, *runtime;
	bool by_file;
	int64_t level; /* -1: none is given */
};

static void done(struct command_line *c)
{
	action_proof_done(&c->proof);
}

/* ── changing ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* The gate knows whether a code is needed; it is asked for when it says so. */
static int post(const struct command_line *c, struct client *client, const char *path,
		struct client_answer *answer)
{
	_cleanup_(str_wipe) struct str body = { 0 };
	struct json_writer w = { .out = &body };
	char request_id[33];

	action_request_id(request_id);
	str_reserve(&body, BODY_BYTES);
	json_object_begin(&w, NULL);
	json_add_str(&w, "request_id", request_id);
	if (c->level >= 0)
		json_add_i64(&w, "level", c->level);
	if (c->runbook)
		json_add_str(&w, "runbook", c->runbook);
	action_proof_add(&c->proof, &w);
	json_object_end(&w);
	return client_ask(client, "POST", path, str_get(&body), 0, answer);
}

static bool needs_code(const struct client_answer *answer)
{
	const char *reason = action_text(answer->body, "reason");
	const char *detail = action_text(answer->body, "detail");

	return answer->status == 403 &&
	       (strstr(reason, "one-time code") || strstr(detail, "one-time code"));
}

static int change(struct command_line *c, const char *path, const char *question)
{
	_cleanup_(client_freep) struct client *client = NULL;
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	int r, code = action_proof_read(&c->proof);

	if (code == EXIT_OK)
		code = client_open(&c->client, &client);
	if (code == EXIT_OK)
		code = post(c, client, path, &answer);
	if (code == EXIT_OK && needs_code(&answer) && !c->proof.code.len &&
	    client_is_person(client)) {
		r = prompt_read(question, false, &c->proof.code);
		if (r == -ENXIO)
			fputs("jarvisctl: there is no terminal to ask at; --code-file FILE (- is standard input)\n",
			      stderr);
		code = r == 0 ? post(c, client, path, &answer) : EXIT_OK;
	}
	if (code != EXIT_OK)
		return code;
	return answer.status == 200 ? EXIT_OK : client_tell(&answer);
}

/* ── what is ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void add_names(struct str *out, const char *label, const cJSON *names)
{
	const cJSON *name;

	str_printf(out, "%-13s", label);
	if (!names || !names->child)
		str_add(out, "nobody");
	cJSON_ArrayForEach(name, names) {
		show_text(out, cJSON_GetStringValue(name) ? name->valuestring : "");
		str_add(out, name->next ? ", " : "");
	}
	str_add_char(out, '\n');
}

/* Why something is not done now; nothing when WHY is empty. */
static void add_why(struct str *out, const char *label, const char *why, bool colour)
{
	if (!*why)
		return;
	str_add(out, label);
	show_shaded(out, why, SHADE_BAD, colour);
	str_add_char(out, '\n');
}

static void add_state(const cJSON *state, bool colour, struct str *out)
{
	const cJSON *runbook, *level = json_get(state, "level");
	int n = cJSON_IsNumber(level) ? level->valueint : -1;
	bool is_frozen = cJSON_IsTrue(json_get(state, "frozen"));

	str_printf(out, "level        %d  %s\n", n, n >= 0 && n <= LEVEL_MAX ? levels[n] : "");
	cJSON_ArrayForEach(runbook, json_get(state, "runbooks")) {
		str_add(out, "  runbook    ");
		show_text(out, runbook->string ? runbook->string : "");
		str_printf(out, ": %d\n", runbook->valueint);
	}
	str_add(out, "frozen       ");
	show_shaded(out, is_frozen ? "yes: nothing but reads is done" : "no",
		    is_frozen ? SHADE_BAD : SHADE_GOOD, colour);
	if (is_frozen && *action_text(state, "by")) {
		str_add(out, "; by ");
		show_text(out, action_text(state, "by"));
	}
	str_add_char(out, '\n');
	add_why(out, "unfit        ", action_text(state, "unfit"), colour);
	add_why(out, "agents       ", action_text(state, "unfit_agents"), colour);
	add_names(out, "keyword", json_get(state, "keywords"));
	add_names(out, "codes", json_get(state, "codes"));
}

static int show_level(const struct command_line *c)
{
	_cleanup_(client_freep) struct client *client = NULL;
	_cleanup_(client_answer_done) struct client_answer answer = { 0 };
	_cleanup_(str_done) struct str out = { 0 };
	int code = client_open(&c->client, &client);

	if (code == EXIT_OK)
		code = client_get(client, "/api/autonomy", &answer);
	if (code != EXIT_OK)
		return code;
	if (c->client.json) {
		str_add(&out, str_get(&answer.text));
		str_add_char(&out, '\n');
	} else {
		add_state(answer.body, show_has_colour(STDOUT_FILENO), &out);
	}
	return show_print(&out);
}

/* ── the file ──────────────────────────────────────────────────────────────────────────────────────────────── */

static int freeze_by_file(const struct command_line *c)
{
	_cleanup_(freep) char *path = xasprintf("%s/frozen", c->runtime);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	bool is_there = fd < 0 && errno == EEXIST;

	if (fd < 0 && !is_there) {
		fprintf(stderr,
			"jarvisctl: %s: cannot be made: %s. It must be the folder that safety-gate and executor "
			"have as --runtime, and needs its owner or root\n",
			path, strerror(errno));
		return EXIT_FAILED;
	}
	if (fd >= 0)
		(void)close(fd);
	printf("frozen: %s %s. The executor begins nothing but reads from now on, and the safety gate grants "
	       "nothing; what runs in Proxmox already runs on. jarvisctl unfreeze ends it, once the gate runs.\n",
	       path, is_there ? "was there already" : "is made");
	return EXIT_OK;
}

/* ── the command lines ─────────────────────────────────────────────────────────────────────────────────────── */

static bool take_option(struct command_line *c, int option)
{
	switch (option) {
	case 'r':
		c->runbook = optarg;
		return true;
	case 'o':
		c->proof.code_file = optarg;
		return true;
	case 'f':
		c->by_file = true;
		return true;
	case 'd':
		c->runtime = optarg;
		return true;
	default:
		return client_take_option(&c->client, option);
	}
}

/* LETTERS: the options of this one command beside those of all. False: wrong usage. */
static bool read_options(int argc, char **argv, const char *letters, struct command_line *c)
{
	static const struct option options[] = {
		CLIENT_OPTIONS,
		{ "runbook", required_argument, NULL, 'r' },
		{ "code-file", required_argument, NULL, 'o' },
		{ "file", no_argument, NULL, 'f' },
		{ "runtime", required_argument, NULL, 'd' },
		{ 0 },
	};
	int option;

	c->level = -1;
	c->runtime = RUNTIME_DIR;
	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if ((option < OPTION_URL && !strchr(letters, option)) || !take_option(c, option))
			return false;
	}
	return true;
}

static int tell_done(const struct command_line *c, const char *text)
{
	puts(c->client.json ? "{\"ok\":true}" : text);
	return EXIT_OK;
}

int command_level(int argc, char **argv)
{
	_cleanup_(done) struct command_line c = { 0 };
	_cleanup_(freep) char *text = NULL;
	int code;

	if (!read_options(argc, argv, "ro", &c))
		return EXIT_USAGE;
	if (optind == argc && !c.runbook && !c.proof.code_file)
		return show_level(&c);
	if (optind != argc - 1 || str_to_i64(argv[optind], 0, LEVEL_MAX, &c.level) < 0)
		return EXIT_USAGE;
	code = change(&c, "/api/autonomy", "One-time code, to raise the level: ");
	text = xasprintf("level %d  %s", (int)c.level, levels[c.level]);
	return code == EXIT_OK ? tell_done(&c, text) : code;
}

int command_freeze(int argc, char **argv)
{
	_cleanup_(done) struct command_line c = { 0 };
	int code;

	if (!read_options(argc, argv, "fd", &c) || optind != argc)
		return EXIT_USAGE;
	if (c.by_file)
		return freeze_by_file(&c);
	code = change(&c, "/api/freeze", "");
	if (code == EXIT_UNREACHABLE)
		fputs("jarvisctl: on Jarvis's own host: jarvisctl freeze --file works without gateway and broker\n",
		      stderr);
	return code == EXIT_OK ? tell_done(&c, "frozen: nothing but reads is done") : code;
}

int command_unfreeze(int argc, char **argv)
{
	_cleanup_(done) struct command_line c = { 0 };
	int code;

	if (!read_options(argc, argv, "o", &c) || optind != argc)
		return EXIT_USAGE;
	code = change(&c, "/api/unfreeze", "One-time code, to unfreeze: ");
	return code == EXIT_OK ? tell_done(&c, "unfrozen") : code;
}
