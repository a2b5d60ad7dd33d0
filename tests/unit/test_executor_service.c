/* SPDX-License-Identifier: MIT */
/*
 * The whole executor in this process, with a clock of our own and a bus that never comes online: what it does when
 * messages come at odd moments.
 */
#include "common/alloc.h"
#include "services/executor/executor_parts.h"
#include "tests/unit/check.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEED "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define ID "01ARZ3NDEKTSV4RRFFQ69G5FAV"
#define GID "0123456789abcdef0123456789abcdef"
#define EPOCH 7
#define DAY_MS (86400 * 1000LL)

struct world {
	char folder[40];
	char secrets[64];
	int64_t boot_ms, wall_ms;
	struct clock clock;
	struct config config;
	uv_loop_t loop;
	struct service_env env;
	struct executor *x;
};

static int64_t boot(void *ctx)
{
	return ((const struct world *)ctx)->boot_ms;
}

static int64_t wall(void *ctx)
{
	return ((const struct world *)ctx)->wall_ms;
}

static void write_key(const struct world *w)
{
	_cleanup_(freep) char *folder = xasprintf("%s/executor", w->secrets);
	_cleanup_(freep) char *path = xasprintf("%s/gate.pub", folder);
	unsigned char secret[GRANT_SECRET_BYTES];
	char hex[65];
	FILE *file;

	assert_int_equal(mkdir(w->secrets, 0700), 0);
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(grant_secret_from_hex(SEED, secret), 0);
	grant_public_hex(secret, hex);
	file = fopen(path, "w");
	assert_non_null(file);
	(void)fprintf(file, "%s\n", hex);
	(void)fclose(file);
	assert_int_equal(chmod(path, 0600), 0);
}

static void start(struct world *w)
{
	void *x;

	assert_int_equal(executor_start(&w->env, &x), 0);
	w->x = x;
}

static void set_up(struct world *w)
{
	struct bus_options options = { .base = "jarvis",
				       .service = SERVICE_EXECUTOR,
				       .instance = "main",
				       .sid = "s",
				       .host = "/nowhere",
				       .client_id = "c",
				       .password = "p" };

	*w = (struct world){ .folder = "/tmp/jarvis-executor-XXXXXX",
			     .boot_ms = 1000000,
			     .wall_ms = 1700000000000 };
	assert_non_null(mkdtemp(w->folder));
	(void)snprintf(w->secrets, sizeof(w->secrets), "%s/secrets", w->folder);
	write_key(w);
	w->clock = (struct clock){ .boot_ms = boot, .wall_ms = wall, .ctx = w };
	assert_int_equal(uv_loop_init(&w->loop), 0);
	options.loop = &w->loop;
	options.clock = &w->clock;
	w->env = (struct service_env){ .loop = &w->loop,
				       .clock = &w->clock,
				       .config = &w->config,
				       .instance = "main",
				       .data_dir = w->folder,
				       .runtime_dir = w->folder,
				       .secrets_dir = w->secrets,
				       .counters = counters_new() };
	assert_int_equal(bus_new(&options, &w->env.bus), 0);
	start(w);
}

static void tear_down(struct world *w)
{
	static const char *const files[] = { "secrets/executor/gate.pub", "executor.db",
					     "executor.db-wal", "executor.db-shm",
					     "executor.lock" };
	static const char *const folders[] = { "secrets/executor", "secrets", "" };

	executor_free(w->x);
	bus_free(w->env.bus);
	counters_free(w->env.counters);
	free(w->env.trouble);
	(void)uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	for (size_t i = 0; i < countof(files); i++) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", w->folder, files[i]);

		(void)unlink(path);
	}
	for (size_t i = 0; i < countof(folders); i++) {
		_cleanup_(freep) char *path = xasprintf("%s/%s", w->folder, folders[i]);

		assert_int_equal(rmdir(path), 0);
	}
}

static int64_t counted(const struct world *w, const char *name)
{
	size_t n;
	const struct num_entry *list = counters_get(w->env.counters, &n);

	for (size_t i = 0; i < n; i++) {
		if (str_eq(list[i].key, name))
			return (int64_t)list[i].value;
	}
	return 0;
}

/* ── a claim, and what answers it ──────────────────────────────────────────────────────────────────────────── */

static void say_action(struct world *w, enum action_status status, enum step_status step_status)
{
	const struct msg_action_step step = { .args = "{}", .status = step_status };
	const struct msg_action_state action = {
		.id = ID, .tool = "guest_list", .status = status, .steps = &step, .steps_n = 1
	};
	const struct topic_args args = { .n = 1, .value = { ID } };
	const struct msg msg = { .id = TOPIC_ACTION_STATE, .args = &args, .body = &action };

	executor_on_action(w->x, &msg);
}

static void say_grant(struct world *w, const char *nonce, int64_t epoch)
{
	_cleanup_(freep) char *payload = xasprintf(
		"{\"v\":1,\"gid\":\"" GID "\",\"id\":\"" ID "\",\"step\":0,\"epoch\":%lld,"
		"\"nonce\":\"%s\",\"valid_ms\":10000,\"principal\":\"gateway\",\"policy\":\"p\","
		"\"tier\":\"green\",\"tool\":\"guest_list\",\"args\":{}}",
		(long long)epoch, nonce);
	_cleanup_(str_done) struct str envelope = { 0 };
	unsigned char secret[GRANT_SECRET_BYTES];
	struct msg_grant grant = { .id = ID, .nonce = nonce };
	const struct msg msg = { .id = TOPIC_X_GRANT, .body = &grant };

	assert_int_equal(grant_secret_from_hex(SEED, secret), 0);
	grant_seal(secret, payload, strlen(payload), &envelope);
	grant.envelope = str_get(&envelope);
	executor_on_grant(w->x, &msg);
}

/*
 * A grant that is refused comes when its claim is about to be given up: the answer to it is told, which looks at all
 * wishes, and this one may be gone, or claimed anew, before it is taken back.
 */
static void test_refused_late(void **unused)
{
	(void)unused;
	for (int is_granted = 0; is_granted < 2; is_granted++) {
		char nonce[NONCE_TEXT];
		struct world w;

		set_up(&w);
		w.x->epoch = EPOCH;
		say_action(&w, ACTION_APPROVED, STEP_PENDING);
		assert_non_null(w.x->wishes.first);
		(void)snprintf(nonce, sizeof(nonce), "%s", w.x->wishes.first->nonce);
		assert_int_equal(counted(&w, "claims"), 1);
		if (is_granted)
			say_action(&w, ACTION_RUNNING, STEP_RUNNING);
		w.boot_ms += CLAIM_WAIT_MS + 1000;
		say_grant(&w, nonce, EPOCH - 1);
		assert_int_equal(counted(&w, "grants_refused"), 1);
		assert_int_equal(counted(&w, "results_other"), 1);
		/* It is not claimed again before the gate could have said how it stands. */
		assert_int_equal(counted(&w, "claims"), 1);
		assert_true(!w.x->wishes.first || !w.x->wishes.first->is_claimed);
		tear_down(&w);
	}
}

/* ── the journal ───────────────────────────────────────────────────────────────────────────────────────────── */

static int use(struct world *w, const char *gid)
{
	const struct journal_entry entry = {
		.gid = gid, .id = ID, .payload = "{}", .granted_ms = w->wall_ms
	};

	return journal_grant(w->x->journal, &entry);
}

/* Whoever runs for a year does not keep a year. */
static void test_pruned(void **unused)
{
	struct world w;

	(void)unused;
	set_up(&w);
	assert_int_equal(use(&w, "g1"), 0);
	assert_int_equal(journal_close(w.x->journal, "g1"), 0);
	assert_int_equal(use(&w, "g2"), 0);
	w.wall_ms += 33 * DAY_MS;
	w.boot_ms += DAY_MS - 1;
	executor_pump(w.x);
	assert_int_equal(use(&w, "g1"), -EEXIST);
	w.boot_ms++;
	executor_pump(w.x);
	assert_int_equal(use(&w, "g1"), 0);
	/* Its end is not known: it stays. */
	assert_int_equal(use(&w, "g2"), -EEXIST);
	tear_down(&w);
}

/* Written to a file that nobody will find, a grant would be good a second time. */
static void test_moved_away(void **unused)
{
	_cleanup_(freep) char *path = NULL, *aside = NULL;
	struct world w;

	(void)unused;
	set_up(&w);
	assert_int_equal(use(&w, "g1"), 0);
	executor_pump(w.x);
	assert_null(w.env.trouble);
	path = xasprintf("%s/executor.db", w.folder);
	aside = xasprintf("%s/aside", w.folder);
	assert_int_equal(rename(path, aside), 0);
	assert_int_equal(use(&w, "g2"), -ESTALE);
	assert_int_equal(journal_send(w.x->journal, "g1", "", -1, 1), -ESTALE);
	executor_pump(w.x);
	assert_non_null(w.env.trouble);
	assert_non_null(strstr(w.env.trouble, "was deleted or moved while it was in use"));
	assert_non_null(strstr(w.env.trouble, "restart executor"));
	assert_int_equal(rename(aside, path), 0);
	tear_down(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused_late),
		cmocka_unit_test(test_pruned),
		cmocka_unit_test(test_moved_away),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
