/* SPDX-License-Identifier: MIT */
/*
 * The gate short of memory: a scene with database and audit chain is played again and again, and each time another
 * allocation fails, ours or SQLite's; once only, or that one and all that follow. Whatever becomes of the process:
 * afterwards the database is sound, the chain verifies, and what was told to the executor is on record.
 *
 *	scarce STRIDE		every STRIDE-th allocation of opening the database, and more of those that judge and act
 */
#include "services/safety-gate/audit.h"
#include "services/safety-gate/store.h"
#include "tests/unit/gate_stage.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEED "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define TOLD_MAX 32

/* What survives the process. */
struct outside {
	unsigned long allocations, opened; /* in all, and before anything is asked */
	bool is_over;			   /* the scene was played to its end */
	size_t told_n;
	char told[TOLD_MAX][40]; /* gids of grants */
};

/* ── the allocator ─────────────────────────────────────────────────────────────────────────────────────────── */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);

static struct {
	unsigned long count, fail_at; /* 0: never */
	bool is_sticky, is_on;
} scarcity;

static bool fails(void)
{
	if (!scarcity.is_on)
		return false;
	scarcity.count++;
	return scarcity.fail_at && (scarcity.is_sticky ? scarcity.count >= scarcity.fail_at :
							 scarcity.count == scarcity.fail_at);
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

/* ── the scene ─────────────────────────────────────────────────────────────────────────────────────────────── */

struct scene {
	struct stage *stage;
	struct db *db;
	struct audit *audit;
	struct outside *outside;
	char path[64];
};

static const struct db_migration migrations[] = { { AUDIT_SQL }, { store_schema } };

static int64_t boot(void *ctx)
{
	return ((struct scene *)ctx)->stage->w.now.boot_ms;
}

static int64_t wall(void *ctx)
{
	return ((struct scene *)ctx)->stage->w.now.wall_ms;
}

static int open_all(struct scene *s, const struct clock *clock)
{
	const struct db_options options = { s->path, migrations, countof(migrations),
					    .is_durable = false };
	_cleanup_(str_done) struct str error = { 0 };
	struct audit_options audit = { .clock = clock, .origin = "scarce" };
	int r = db_open(&options, &s->db, &error);

	if (r != 0)
		return r;
	audit.db = s->db;
	if (grant_secret_from_hex(SEED, audit.secret) < 0)
		return -EINVAL;
	r = audit_open(&audit, &s->audit, &error);
	return r == 0 ? store_load(s->db, s->stage->core, s->stage->w.now) : r;
}

static int store_one(struct scene *s, const struct effect *e)
{
	struct stage *stage = s->stage;

	switch (e->kind) {
	case EFFECT_AUDIT:
		return audit_append(s->audit, e->name, e->text, strlen(e->text), NULL);
	case EFFECT_STORE:
		return store_action(s->db, e->record);
	case EFFECT_FORGET:
		return store_forget(s->db, e->name);
	case EFFECT_REQUEST:
		return store_request(s->db, e->request);
	case EFFECT_SETTINGS:
		return store_settings(s->db, core_settings(stage->core, stage->w.now),
				      core_epoch(stage->core));
	default:
		return 0;
	}
}

static void tell(struct scene *s, const struct effect *e)
{
	struct outside *o = s->outside;

	if (e->kind == EFFECT_GRANT && e->grant && o->told_n < TOLD_MAX)
		(void)snprintf(o->told[o->told_n++], sizeof(o->told[0]), "%s", e->grant->gid);
}

/* As the gate does it: first durable, then told; what cannot be stored has not happened. False then. */
static bool apply(struct scene *s)
{
	struct effects *out = s->stage->out;
	int r = db_begin(s->db);

	for (size_t i = 0; i < out->n && r >= 0; i++)
		r = store_one(s, &out->list[i]);
	if (r >= 0)
		r = db_commit(s->db);
	if (r < 0) {
		db_rollback(s->db);
		return false;
	}
	for (size_t i = 0; i < out->n; i++)
		tell(s, &out->list[i]);
	return true;
}

/* Asks, lets op approve, and plays the executor, as far as it goes. */
static bool act(struct scene *s, const char *request, const char *tool, const char *args)
{
	struct stage *stage = s->stage;
	_cleanup_(freep) char *id = NULL, *digest = NULL;
	struct msg_grant_payload grant;
	const struct effect *effect;

	stage_ask(stage, request, tool, args);
	if (!apply(s))
		return false;
	if (!stage_last(stage, EFFECT_STORE))
		return true;
	id = stage_id_of(stage);
	digest = xstrdup_null(stage_state(stage)->digest);
	if (digest) {
		stage_decide(stage, id, "approve", digest, GRADE_CODE);
		if (!apply(s))
			return false;
	}
	stage_again(stage);
	stage->w.now.boot_ms += CORE_WINDOW_MS;
	gate_world_poll(&stage->w, 3);
	core_tick(stage->core, stage->w.now, stage->out);
	if (!apply(s))
		return false;
	effect = stage_claim(stage, id);
	if (!apply(s) || !effect || !effect->grant)
		return false;
	grant = (struct msg_grant_payload){ .id = id, .gid = xstrdup(effect->grant->gid) };
	stage_report(stage, &grant, STEP_VERIFIED);
	free((char *)grant.gid);
	return apply(s);
}

static void play(struct scene *s)
{
	const struct clock clock = { boot, wall, s };
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct msg_audit_checkpoint checkpoint;

	if (open_all(s, &clock) < 0)
		return;
	s->outside->opened = scarcity.count;
	stage_hello(s->stage);
	if (!apply(s))
		return;
	s->outside->is_over = act(s, "r1", "guest_start", "{\"guest\":103}");
	s->outside->is_over &= act(s, "r2", "guest_shutdown", "{\"guest\":\"web\"}");
	s->outside->is_over &= act(s, "r3", "guest_stop", "{\"guest\":102}");
	s->outside->is_over &= act(s, "r4", "guest_destroy", "{}");
	s->outside->is_over &= audit_sign_now(s->audit, arena, &checkpoint) > 0;
	audit_free(s->audit);
	db_free(s->db);
}

/* ── what is left ──────────────────────────────────────────────────────────────────────────────────────────── */

static bool say(unsigned long at, bool is_sticky, const char *what, const char *why)
{
	(void)printf("allocation %lu fails%s: %s %s\n", at,
		     is_sticky ? ", and all that follow" : "", what, why);
	return false;
}

static bool is_recorded(struct db *db, const char *gid)
{
	int64_t n;

	return db_find_i64(
		       db, &n,
		       "SELECT count(*) FROM record WHERE kind = 'granted' AND instr(body, ?) > 0",
		       DB_TEXT(gid)) == 0 &&
	       n == 1;
}

static bool check(struct scene *s, unsigned long at, bool is_sticky)
{
	const struct db_options options = { s->path, migrations, countof(migrations),
					    .is_durable = false };
	_cleanup_(str_done) struct str error = { 0 };
	_cleanup_(db_freep) struct db *db = NULL;
	struct audit_report report = { 0 };
	struct audit_keys keys = { 0 };
	unsigned char secret[GRANT_SECRET_BYTES];
	const struct audit_check how = { .keys = &keys };
	char hex[65];
	int r = db_open(&options, &db, &error);

	if (r != 0)
		return say(at, is_sticky, "the database cannot be opened:", str_get(&error));
	if (grant_secret_from_hex(SEED, secret) < 0)
		return false;
	grant_public_hex(secret, hex);
	if (audit_keys_from_hex(hex, &keys) < 0)
		return false;
	r = audit_verify(db, &how, &report);
	if (r < 0)
		(void)say(at, is_sticky, "the chain is broken:", str_get(&report.text));
	str_done(&report.text);
	for (size_t i = 0; i < s->outside->told_n && r == 0; i++) {
		if (!is_recorded(db, s->outside->told[i]))
			r = say(at, is_sticky, "a grant without a record:", s->outside->told[i]) -
			    1;
	}
	if (r == 0 && store_load(db, s->stage->core, s->stage->w.now) < 0)
		return say(at, is_sticky, "what is stored cannot be read", "");
	return r == 0;
}

/* ── again and again ───────────────────────────────────────────────────────────────────────────────────────── */

static void empty(const char *folder)
{
	DIR *dir = opendir(folder);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		(void)unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir)
		(void)closedir(dir);
}

/* False when something was wrong afterwards. AT 0: nothing fails. */
static bool one_run(struct outside *outside, const char *folder, unsigned long at, bool is_sticky)
{
	struct stage stage;
	struct scene s = { .stage = &stage, .outside = outside };
	pid_t pid;
	int status;
	bool ok;

	empty(folder);
	*outside = (struct outside){ 0 };
	(void)snprintf(s.path, sizeof(s.path), "%s/gate.db", folder);
	stage_init(&stage, "");
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		/* It says that there is no memory; we know. */
		(void)dup2(null, STDERR_FILENO);
		scarcity.fail_at = at;
		scarcity.is_sticky = is_sticky;
		scarcity.is_on = true;
		play(&s);
		outside->allocations = scarcity.count;
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return say(at, is_sticky, "no process", "");
	ok = !WIFSIGNALED(status) || say(at, is_sticky, "killed by", strsignal(WTERMSIG(status)));
	ok = check(&s, at, is_sticky) && ok;
	stage_done(&stage);
	return ok;
}

static int sweep(struct outside *outside, const char *folder, unsigned long stride)
{
	unsigned long n, opened, at = 1, runs = 0, acting = 0, survived = 0, wrong = 0;

	if (!one_run(outside, folder, 0, false) || !outside->is_over || outside->told_n != 3) {
		(void)printf("the scene does not work with all the memory there is\n");
		return 1;
	}
	n = outside->allocations;
	opened = outside->opened;
	for (; at <= n && wrong < 5; at += at < opened ? stride : max_of(stride / 6, 1ul)) {
		for (int sticky = 0; sticky < 2; sticky++) {
			runs++;
			acting += at > opened;
			wrong += !one_run(outside, folder, at, sticky);
			survived += outside->allocations > 0;
		}
	}
	(void)printf(
		"%lu allocations, %lu of them to judge and act; %lu runs in which one or more failed, "
		"%lu of them there; %lu survived: %lu wrong\n",
		n, n - opened, runs, acting, survived, wrong);
	return wrong ? 1 : 0;
}

int main(int argc, char **argv)
{
	char folder[] = "/tmp/jarvis-scarce-XXXXXX";
	struct outside *outside = mmap(NULL, sizeof(*outside), PROT_READ | PROT_WRITE,
				       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int64_t stride;
	int r;

	if (argc != 2 || str_to_i64(argv[1], 1, 1000000, &stride) < 0) {
		(void)fprintf(stderr, "usage: scarce STRIDE\n");
		return 2;
	}
	if (outside == MAP_FAILED || sodium_init() < 0 || !mkdtemp(folder))
		return 2;
	r = sweep(outside, folder, (unsigned long)stride);
	empty(folder);
	(void)rmdir(folder);
	return r;
}
