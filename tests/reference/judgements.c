/* SPDX-License-Identifier: MIT */
/*
 * Judges what chance asks for, and prints question and verdict as lines of JSON, for tests/reference/judge.py:
 *
 *	judgements FIRST_SEED WORLDS		fifty judgements in each world
 */
#include "common/codec.h"
#include "tests/reference/worlds.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ASKS 50
#define TARGETS_MAX 5

struct asked {
	struct world *world;
	struct arena *arena;
	const struct tool *tool;
	const char *args;
	const char *command; /* that was asked for */
	const char *targets[TARGETS_MAX];
	size_t targets_n;
	struct judge_target resolved[TARGETS_MAX];
	struct ask ask;
};

static const char *const nodes[] = { "a", "A", "b", "B", "pve", "PVE" };

/* ── what is asked ─────────────────────────────────────────────────────────────────────────────────────────── */

static const char *guest_word(struct asked *a)
{
	static const char *const names[] = { "web", "db", "nas", "none" };
	struct dice *dice = &a->world->dice;

	if (dice_once_in(dice, 5))
		return dice_pick(dice, names);
	return arena_printf(a->arena, "%zu", 100 + dice_roll(dice, 7));
}

static const char *target_word(struct asked *a, enum tool_arg_kind kind)
{
	if (kind == ARG_GUEST)
		return guest_word(a);
	if (kind == ARG_NODE)
		return dice_pick(&a->world->dice, nodes);
	return dice_once_in(&a->world->dice, 3) ? "local" : "nas";
}

/* Of a guest, of several, of a storage, of nothing that is named. */
static const char *upid_of(struct asked *a)
{
	static const char *const ids[] = { "", "", "local", "nas", "0101", "pve" };
	struct dice *dice = &a->world->dice;
	const char *node = dice_pick(dice, nodes);
	const char *id = dice_once_in(dice, 2) ?
				 dice_pick(dice, ids) :
				 arena_printf(a->arena, "%zu", 100 + dice_roll(dice, 8));

	return arena_printf(a->arena,
			    "UPID:%s:00000001:00000002:65000000:vzdump:%s:root@pam:", node, id);
}

static const char *text_of(struct asked *a, const struct tool_arg *arg)
{
	static const char *const urls[] = {
		"https://cloud.debian.org/x",	  "https://example.org/a/b",
		"https://cloud.debian.org:443/x", "https://cloud.debian.org.evil.org/x",
		"https://EXAMPLE.org/x",	  "https://evil.org/cloud.debian.org/",
	};

	static const char *const commands[] = { "plain",  "full",   "full",   "places",
						"places", "places", "places", "none" };
	static const char *const units[] = { "a.service", "b.timer", "c.service" };

	switch (arg->pattern) {
	case PATTERN_UPID:
		return upid_of(a);
	case PATTERN_FILENAME:
		return "debian.iso";
	case PATTERN_HTTPS_URL:
		return dice_pick(&a->world->dice, urls);
	case PATTERN_UNIT:
		return dice_pick(&a->world->dice, units);
	case PATTERN_COMMAND:
		return a->command = dice_pick(&a->world->dice, commands);
	case PATTERN_HEX:
		return "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	default:
		return "words";
	}
}

/* Below what is listed, beside it, above it, and in ways in which nobody should ask. */
static const char *path_of(struct asked *a)
{
	static const char *const begins[] = { "/srv/share", "/srv/share", "/srv/share",
					      "/var/lib",   "/var/lib",	  "/srv",
					      "",	    "/etc",	  "/srv/share2",
					      "srv/share",  "/srv/shar",  "/srv/share " };
	static const char *const more[] = {
		"/x",	   "/x",       "/keep",	   "/keep2",	   "/deep",
		"/jarvis", "/vz",      "/images",  "/pve-cluster", "/",
		"/.",	   "/..",      "/...",	   "/a b",	   "/a  b",
		"/ a",	   "\xc2\xa0", "\xc3\xbc", "/jarvis-act",  "/template",
	};
	struct dice *dice = &a->world->dice;
	const char *path = dice_pick(dice, begins);

	for (size_t n = dice_roll(dice, 4); n > 0; n--)
		path = arena_printf(a->arena, "%s%s", path, dice_pick(dice, more));
	return *path ? path : "/";
}

static const char *url_of(struct asked *a)
{
	static const char *const schemes[] = { "https://", "https://", "https://", "https://",
					       "http://",  "HTTPS://", "https:/",  "ftp://" };
	static const char *const hosts[] = {
		"deb.debian.org",
		"deb.debian.org",
		"deb.debian.org",
		"192.168.1.50",
		"[fd12::1]",
		"fd12::1",
		"DEB.debian.org",
		"deb.debian.org.",
		"192.168.1.51",
		"127.0.0.1",
		"3232235826",
		"0xc0a80132",
		"192.168.306",
		"localhost",
		"[::1]",
		"[fd12:0::1]",
		"a@deb.debian.org",
		"deb.debian.org@a",
		"deb.debian.org.a",
		"",
	};
	static const char *const ports[] = { "", "", "", "", ":443", ":8443", ":80", ":0443", ":" };
	static const char *const paths[] = { "/",	  "/a/b.iso", "/a?b=c", "/%C3%BC",
					     "/%2e%2e/a", "/a/../b",  "/a#b",	"",
					     "/a b",	  "/%2fa",    "/..a",	"/.a",
					     "/%41",	  "/%4",      "/\\\\a" };
	struct dice *dice = &a->world->dice;

	return arena_printf(a->arena, "%s%s%s%s", dice_pick(dice, schemes), dice_pick(dice, hosts),
			    dice_pick(dice, ports), dice_pick(dice, paths));
}

/* One of them as chance has it: all of it wrong at once would tell little. */
static const char *places_of(struct asked *a)
{
	static const char *const names[] = { "nas", "_a", "-a", "a/b", "a b" };
	struct dice *dice = &a->world->dice;
	const char *at = "/srv/share/x", *from = "https://deb.debian.org/a", *host = "nas";

	if (dice_once_in(dice, 8))
		host = dice_pick(dice, names);
	else if (dice_once_in(dice, 2))
		at = path_of(a);
	else
		from = url_of(a);
	return arena_printf(a->arena, "{\"at\":\"%s\",\"from\":\"%s\",\"host\":\"%s\"}", at, from,
			    host);
}

/* Sometimes as it must be. */
static const char *pairs_of(struct asked *a)
{
	static const char *const pairs[] = {
		"{}",
		"{\"count\":3,\"pool\":\"tank\"}",
		"{\"pool\":\"tank\",\"count\":\"10\"}",
		"{\"pool\":\"tank\",\"count\":\"010\"}",
		"{\"count\":11,\"pool\":\"tank\"}",
		"{\"count\":3,\"pool\":\"lake\"}",
		"{\"count\":3}",
		"{\"count\":3,\"more\":1,\"pool\":\"tank\"}",
	};

	if (a->command && str_eq(a->command, "places") && !dice_once_in(&a->world->dice, 10))
		return places_of(a);
	return dice_pick(&a->world->dice, pairs);
}

static void add_arg(struct asked *a, const struct tool_arg *arg, struct json_writer *w)
{
	struct dice *dice = &a->world->dice;

	switch (arg->kind) {
	case ARG_GUEST:
		if (dice_once_in(dice, 2))
			json_add_str(w, arg->name, guest_word(a));
		else
			json_add_i64(w, arg->name, 100 + (int64_t)dice_roll(dice, 7));
		return;
	case ARG_NODE:
	case ARG_STORAGE:
		json_add_str(w, arg->name, target_word(a, arg->kind));
		return;
	case ARG_SNAPSHOT:
		json_add_str(w, arg->name, "before");
		return;
	case ARG_CLUSTER:
		json_add_str(w, arg->name,
			     a->world->clusters[dice_roll(dice, a->world->clusters_n)]);
		return;
	case ARG_INT:
		json_add_i64(w, arg->name, arg->max);
		return;
	case ARG_TEXT:
		json_add_str(w, arg->name, text_of(a, arg));
		return;
	case ARG_WORD:
		json_add_str(w, arg->name,
			     arena_strndup(a->arena, arg->words, strcspn(arg->words, " ")));
		return;
	case ARG_PAIRS:
		json_add_raw(w, arg->name, pairs_of(a));
		return;
	case ARG_FLAG:
		json_add_bool(w, arg->name, dice_once_in(dice, 2));
		return;
	}
}

static void make_args(struct asked *a)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct json_writer w = { .out = &text };
	struct dice *dice = &a->world->dice;
	const struct tool_arg *target = tool_target(a->tool);

	if (target && dice_once_in(dice, 3)) {
		a->targets_n = 1 + dice_roll(dice, TARGETS_MAX);
		for (size_t i = 0; i < a->targets_n; i++)
			a->targets[i] = target_word(a, target->kind);
	}
	json_object_begin(&w, NULL);
	for (size_t i = 0; i < a->tool->args_n; i++) {
		const struct tool_arg *arg = &a->tool->args[i];

		if (arg == target && a->targets_n)
			continue;
		/* Where there are two clusters, most names need the cluster. */
		if (arg->needed || dice_once_in(dice, 3) ||
		    (arg->kind == ARG_CLUSTER && a->world->clusters_n > 1 &&
		     !dice_once_in(dice, 4)))
			add_arg(a, arg, &w);
	}
	json_object_end(&w);
	a->args = arena_strdup(a->arena, str_get(&text));
}

static void make_asker(struct asked *a)
{
	static const char *const principals[][3] = {
		[WHO_PERSON] = { "gateway", "gateway", "gateway" },
		[WHO_AGENT] = { "gateway", "monitor", "llm-router" },
		[WHO_REMOTE] = { "ha", "ha", "ha" },
	};
	struct dice *dice = &a->world->dice;
	struct ask *ask = &a->ask;

	ask->who = (enum who)dice_roll(dice, 3);
	ask->principal = dice_once_in(dice, 20) ? (dice_once_in(dice, 2) ? "stranger" : "screen") :
						  dice_pick(dice, principals[ask->who]);
	ask->person = ask->who == WHO_PERSON ? "op" : NULL;
	ask->has_keyword = !dice_once_in(dice, 6);
	ask->has_code = !dice_once_in(dice, 6);
	ask->confirmed = !dice_once_in(dice, 4);
	ask->level = (int)dice_roll(dice, 5);
	ask->proposes = dice_once_in(dice, 5);
	ask->frozen = dice_once_in(dice, 15);
	ask->unfit = dice_once_in(dice, 15) ? "the disk is full" : NULL;
	ask->yellow_10min = (unsigned)(dice_once_in(dice, 4) ? dice_roll(dice, 61) : 0);
	ask->orange_10min = (unsigned)(dice_once_in(dice, 4) ? dice_roll(dice, 25) : 0);
	ask->red_under_way = dice_once_in(dice, 12);
}

/* ── what is said ──────────────────────────────────────────────────────────────────────────────────────────── */

static int read_targets(struct asked *a, const char **rule)
{
	size_t n = max_of(a->targets_n, (size_t)1);
	struct tool_error error;
	struct tool_args args;

	*rule = "arguments";
	for (size_t i = 0; i < n; i++) {
		int r = tool_args_read(a->tool, a->args, strlen(a->args), a->targets_n, a->arena,
				       &args, &error);

		if (r == 0 && a->targets_n)
			r = tool_args_set_target(&args, a->targets[i], a->arena, &error);
		if (r < 0)
			return r;
		r = judge_resolve(a->world->view, &args, a->arena, &a->resolved[i], &error);
		*rule = r == -EEXIST ? "target.ambiguous" : "target.unknown";
		if (r < 0)
			return r;
	}
	a->ask.tool = a->tool;
	a->ask.targets = a->resolved;
	a->ask.targets_n = n;
	return 0;
}

static void print_ask(const struct asked *a, struct json_writer *w)
{
	static const char *const whos[] = { "person", "agent", "remote" };

	json_object_begin(w, "ask");
	json_add_str(w, "tool", a->tool->name);
	json_add_raw(w, "args", a->args);
	json_list_begin(w, "targets");
	for (size_t i = 0; i < a->targets_n; i++)
		json_add_str(w, NULL, a->targets[i]);
	json_list_end(w);
	json_add_str(w, "who", whos[a->ask.who]);
	json_add_str(w, "principal", a->ask.principal);
	json_add_bool(w, "has_keyword", a->ask.has_keyword);
	json_add_bool(w, "has_code", a->ask.has_code);
	json_add_bool(w, "confirmed", a->ask.confirmed);
	json_add_i64(w, "level", a->ask.level);
	json_add_bool(w, "proposes", a->ask.proposes);
	json_add_bool(w, "frozen", a->ask.frozen);
	json_add_bool(w, "unfit", a->ask.unfit);
	json_add_i64(w, "yellow_10min", a->ask.yellow_10min);
	json_add_i64(w, "orange_10min", a->ask.orange_10min);
	json_add_bool(w, "red_under_way", a->ask.red_under_way);
	json_object_end(w);
}

static void print_verdict(const struct verdict *v, struct json_writer *w)
{
	static const char *const decisions[] = { "allow", "ask", "refuse", "state" };

	json_object_begin(w, "verdict");
	json_add_str(w, "tier", enumeration_word(&enumeration_tier, (int)v->tier));
	json_add_str(w, "decision", decisions[v->decision]);
	json_add_str(w, "need", enumeration_word(&enumeration_action_need, (int)v->need));
	json_add_str(w, "rule", v->rule);
	json_object_end(w);
}

static void judge_one(struct world *world, struct str *out)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct asked a = { .world = world, .arena = arena };
	struct verdict verdict = { .tier = TIER_BLACK, .decision = DECISION_REFUSE };
	struct json_writer w = { .out = out };
	/* Reads are simple: most of what is asked acts. */
	size_t first = dice_once_in(&world->dice, 6) ? 0 : TOOL_guest_start;

	a.tool = &tool_table[first + dice_roll(&world->dice, TOOL_COUNT - first)];
	make_args(&a);
	make_asker(&a);
	if (read_targets(&a, &verdict.rule) == 0)
		judge(world->config, world->view, &a.ask, world->boot_ms, arena, &verdict);
	json_object_begin(&w, NULL);
	print_ask(&a, &w);
	print_verdict(&verdict, &w);
	json_object_end(&w);
	str_add(out, "\n");
}

static void judge_world(uint64_t seed)
{
	_cleanup_(str_done) struct str out = { 0 };
	struct world world;

	world_make(&world, seed, &out);
	for (int i = 0; i < ASKS; i++)
		judge_one(&world, &out);
	(void)fwrite(out.data, 1, out.len, stdout);
	world_done(&world);
}

int main(int argc, char **argv)
{
	int64_t first, n;

	if (argc != 3 || str_to_i64(argv[1], 0, INT64_MAX / 2, &first) < 0 ||
	    str_to_i64(argv[2], 1, INT64_MAX / 2, &n) < 0) {
		(void)fprintf(stderr, "usage: judgements FIRST_SEED WORLDS\n");
		return 2;
	}
	for (int64_t i = 0; i < n; i++)
		judge_world((uint64_t)(first + i));
	return fflush(stdout) == 0 ? 0 : 1;
}
