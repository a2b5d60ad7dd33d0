/* SPDX-License-Identifier: MIT */
/*
 * The gate and the executor, whole, through trouble, a seed each:
 *
 *	whole [-v] [--break NAME] FIRST_SEED N
 */
#include "tests/reference/whole/check.h"

#include "common/alloc.h"
#include "common/grant.h"
#include "common/log.h"
#include "common/password.h"
#include "common/persons.h"
#include "tests/unit/folder.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define QUIET_MS 3600000
#define PIN                                                                                        \
	"\"00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:"   \
	"00:00:00:00\""
#define NODE(name, host) "      " name ": {address: 10.0.0." host ", fingerprint: " PIN "}\n"
#define BOX "77076d0a7318a57d3c16c17251b26645df1a3f26d0a7a6d6a6d6a6d6a6d6a6d6"

struct whole *whole_current;

static const char config_text[] =
	"clusters:\n"
	"  home:\n"
	"    token: \"a@pve!b\"\n"
	"    executor: {token: \"" WHOLE_TOKEN "\", ssh: {}}\n"
	"    nodes:\n" NODE("a", "1") NODE("b", "2")
		NODE("c", "3") "self: external\n"
			       "principals:\n"
			       "  ha:\n"
			       "    class: remote\n"
			       "    tools: [guest_start, guest_shutdown]\n"
			       "    targets: [home/guest/*]\n"
			       "services: {home/a: [" PVE_UNIT "], home/b: [" PVE_UNIT
			       "], home/c: [" PVE_UNIT "]}\n"
			       "safety_gate: {yellow_rate: 100, orange_rate: 100}\n";

static const char *const breakages[BREAK_COUNT] = {
	[BREAK_NOTHING] = "nothing", [BREAK_TWICE] = "twice",	  [BREAK_UNAPPROVED] = "unapproved",
	[BREAK_LIE] = "lie",	     [BREAK_THAW] = "thaw",	  [BREAK_FORGET] = "forget",
	[BREAK_STUCK] = "stuck",     [BREAK_JOURNAL] = "journal",
};

/* ── the trace ─────────────────────────────────────────────────────────────────────────────────────────────── */

void trace(struct whole *w, const char *format, ...)
{
	char *line = w->lines[w->lines_n++ % WHOLE_LINES];
	int n = snprintf(line, WHOLE_LINE_BYTES, "%8" PRId64 "  ", w->now_ms);
	va_list args;

	va_start(args, format);
	(void)vsnprintf(line + n, WHOLE_LINE_BYTES - (size_t)n, format, args);
	va_end(args);
	for (const char *c = line; *c; c++)
		w->hash = (w->hash ^ (unsigned char)*c) * 1099511628211u;
	if (w->is_verbose)
		(void)printf("%s\n", line);
}

bool whole_happens(struct whole *w, size_t n)
{
	return n && !w->is_calm && dice_once_in(&w->dice, n);
}

int64_t whole_between(struct whole *w, int64_t low, int64_t high)
{
	return low + (int64_t)dice_roll(&w->dice, (size_t)(high - low + 1));
}

/* What services log is of no interest here; -v shows it. */
void __wrap_log_write(enum log_level level, const char *format, ...);
int __wrap_log_errno(int r, const char *format, ...);
void __wrap_log_folded(struct log_fold *fold, int64_t boot_ms, enum log_level level,
		       const char *format, ...);

static void show_log(const char *format, va_list args)
{
	if (!whole_current || !whole_current->is_verbose)
		return;
	(void)printf("          ");
	(void)vprintf(format, args);
	(void)printf("\n");
}

void __wrap_log_write(enum log_level level, const char *format, ...)
{
	va_list args;

	(void)level;
	va_start(args, format);
	show_log(format, args);
	va_end(args);
}

int __wrap_log_errno(int r, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	show_log(format, args);
	va_end(args);
	return r;
}

void __wrap_log_folded(struct log_fold *fold, int64_t boot_ms, enum log_level level,
		       const char *format, ...)
{
	va_list args;

	(void)fold;
	(void)boot_ms;
	(void)level;
	va_start(args, format);
	show_log(format, args);
	va_end(args);
}

/* ── chance ────────────────────────────────────────────────────────────────────────────────────────────────── */

static const char *random_name(void)
{
	return "seed";
}

static uint32_t random_word(void)
{
	struct dice none = { 1 };

	return (uint32_t)dice_next(whole_current ? &whole_current->bytes : &none);
}

static void random_bytes(void *const out, const size_t n)
{
	for (size_t i = 0; i < n; i++)
		((unsigned char *)out)[i] = (unsigned char)random_word();
}

static struct randombytes_implementation chance = { .implementation_name = random_name,
						    .random = random_word,
						    .buf = random_bytes };

/* ── one seed ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void begin(struct whole *w, const struct whole *like, uint64_t seed)
{
	*w = (struct whole){ .seed = seed,
			     .dice = dice_of(seed),
			     .bytes = dice_of(~seed),
			     .is_verbose = like->is_verbose,
			     .breakage = like->breakage,
			     .config = like->config,
			     .keys = like->keys,
			     .box = like->box,
			     .hash = 14695981039346656037u };
	memcpy(w->key_hex, like->key_hex, sizeof(w->key_hex));
	whole_current = w;
	w->tick_ms = whole_between(w, 250, 1000);
	weather_init(w);
	check_init(w);
	pve_init(w);
	broker_init(w);
	side_init(w, &w->gate, SERVICE_SAFETY_GATE);
	side_init(w, &w->executor, SERVICE_EXECUTOR);
	people_init(w);
	poller_start(w);
	weather_start(w);
	side_start(&w->gate);
	side_start(&w->executor);
}

static void end(struct whole *w)
{
	side_stop(&w->executor);
	side_stop(&w->gate);
	time_done(w);
	people_done(w);
	broker_done(w);
	pve_done(w);
	check_done(w);
	side_done(&w->gate);
	side_done(&w->executor);
	whole_current = NULL;
}

static void live(struct whole *w)
{
	int64_t until_ms = whole_between(w, 8000, 40000);

	while (!w->failure[0] && time_step(w, until_ms))
		;
	weather_calm(w);
	people_calm(w);
	until_ms += QUIET_MS;
	while (!w->failure[0] && !check_is_quiet(w) && time_step(w, until_ms))
		;
	if (!w->failure[0])
		check_end(w);
}

static void show_failure(const struct whole *w)
{
	uint64_t first = w->lines_n > WHOLE_LINES ? w->lines_n - WHOLE_LINES : 0;

	(void)printf("seed %" PRIu64 ", line %" PRIu64 " of its trace: %s\n", w->seed, w->lines_n,
		     w->failure);
	for (uint64_t i = first; !w->is_verbose && i < w->lines_n; i++)
		(void)printf("%s\n", w->lines[i % WHOLE_LINES]);
	(void)printf("  replay: build/whole -v %" PRIu64 " 1\n", w->seed);
	(void)fflush(stdout);
}

struct totals {
	unsigned actions, effects, verified, unknown, failed, broken;
	uint64_t hash;
};

static void run(const struct whole *like, uint64_t seed, struct totals *t)
{
	_cleanup_(freep) struct whole *w = xnew(struct whole);

	begin(w, like, seed);
	live(w);
	t->actions += (unsigned)w->check->actions_n;
	t->effects += w->check->effects;
	t->verified += w->check->verified;
	t->unknown += w->check->unknown;
	t->failed += w->check->failed;
	t->hash = (t->hash ^ w->hash) * 1099511628211u;
	if (w->failure[0]) {
		t->broken++;
		if (!like->breakage)
			show_failure(w);
	}
	end(w);
}

/* ── the program ───────────────────────────────────────────────────────────────────────────────────────────── */

static int make_keys(struct whole *like)
{
	unsigned char secret[GRANT_SECRET_BYTES];
	int r = grant_secret_from_hex(WHOLE_SECRET, secret);

	grant_public_hex(secret, like->key_hex);
	if (r == 0)
		r = grant_keys_from_hex(like->key_hex, &like->keys);
	return r < 0 ? r : seal_keys_from_hex(BOX, &like->box);
}

static void write_secrets(const struct whole *like, const char *folder)
{
	static const char *const folders[] = {
		"secrets", "secrets/safety-gate", "secrets/executor", "gate", "executor", "run",
		"run2"
	};
	_cleanup_(freep) char *persons = NULL;
	char hash[PASSWORD_HASH_SIZE];

	for (size_t i = 0; i < countof(folders); i++)
		free(folder_make(folder, folders[i]));
	if (password_hash_now(WHOLE_KEYWORD, hash) < 0)
		hash[0] = '\0';
	persons =
		xasprintf("{\"persons\":[{\"name\":\"op\",\"keyword\":\"%s\",\"totp\":\"" WHOLE_CODE
			  "\",\"enrolled_ms\":1}]}\n",
			  hash);
	folder_write(folder, "secrets/safety-gate/signing-key", WHOLE_SECRET "\n");
	folder_write(folder, "secrets/safety-gate/box-key", BOX "\n");
	folder_write(folder, "secrets/safety-gate/persons.json", persons);
	folder_write(folder, "secrets/executor/gate.pub", like->key_hex);
	folder_write(folder, "secrets/executor/ssh-key", "a key\n");
	folder_write(folder, "secrets/executor/home.token",
		     "11111111-2222-3333-4444-555555555555\n");
}

static int make_config(struct config **ret)
{
	_cleanup_(str_done) struct str errors = { 0 };
	int r = config_parse("whole", config_text, strlen(config_text), ret, &errors);

	if (r < 0)
		(void)fprintf(stderr, "%s\n", str_get(&errors));
	return r;
}

/* In memory, where that is to be had. */
static int enter_folder(char folder[32])
{
	bool has_memory = access("/dev/shm", W_OK) == 0;

	(void)snprintf(folder, 32, "%s/whole.XXXXXX", has_memory ? "/dev/shm" : "/tmp");
	return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	(void)clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of a breakage it is a success when it is noticed. */
static int report(const struct whole *like, int64_t n, const struct totals *t, double began_s)
{
	double cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID);

	(void)printf("%" PRId64
		     " seeds, %u actions, %u effects, %u failed (of the actions: %u verified, "
		     "%u failed, %u unknown), %.1f s, %.1f s of CPU (%.0f actions/s of it), "
		     "trace %016" PRIx64 "\n",
		     n, t->actions, t->effects, t->broken, t->verified, t->failed, t->unknown,
		     seconds(CLOCK_MONOTONIC) - began_s, cpu_s, t->actions / cpu_s, t->hash);
	if (like->breakage)
		return t->broken ? 0 : 1;
	return t->broken || !t->verified || !t->effects ? 1 : 0;
}

static int find_breakage(const char *name)
{
	for (int i = 1; i < BREAK_COUNT; i++) {
		if (str_eq(breakages[i], name))
			return i;
	}
	return BREAK_NOTHING;
}

int main(int argc, char **argv)
{
	struct whole like = { .is_verbose = argc > 1 && str_eq(argv[1], "-v") };
	struct totals totals = { .hash = 0 };
	char folder[32];
	double began_s = seconds(CLOCK_MONOTONIC);
	int64_t first, n;
	int at = 1 + like.is_verbose, r;

	if (at + 1 < argc && str_eq(argv[at], "--break")) {
		like.breakage = (enum breakage)find_breakage(argv[at + 1]);
		at += like.breakage ? 2 : argc;
	}
	if (argc != at + 2 || str_to_i64(argv[at], 0, INT64_MAX / 2, &first) < 0 ||
	    str_to_i64(argv[at + 1], 1, INT64_MAX / 2, &n) < 0) {
		(void)fprintf(stderr, "usage: whole [-v] [--break NAME] FIRST_SEED N\n");
		return 2;
	}
	(void)randombytes_set_implementation(&chance);
	if (sodium_init() < 0 || make_config(&like.config) < 0 || make_keys(&like) < 0 ||
	    enter_folder(folder) < 0)
		return 2;
	write_secrets(&like, folder);
	for (int64_t i = 0; i < n && totals.broken < (like.breakage ? 1 : 5); i++)
		run(&like, (uint64_t)(first + i), &totals);
	r = report(&like, n, &totals, began_s);
	folder_remove(folder);
	config_free(like.config);
	return r;
}
