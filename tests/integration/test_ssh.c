/* SPDX-License-Identifier: MIT */
/*
 * common/ssh against a real sshd on loopback, with keys of its own: what commands say and how they end, and every
 * way in which a connection may not come about, be lost, or be given up.
 */
#include "common/ssh.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/str.h"
#include "common/time.h"
#include "common/timer.h"
#include "tests/unit/check.h"

#define PATIENCE_MS 20000
#define BIG 1000000

extern char **environ;

struct world {
	uv_loop_t loop;
	char dir[128];
	unsigned port;
	pid_t sshd;
	char *user, *known_hosts, *key;
	struct timer *patience;

	/* What the hooks and the last command said. */
	struct ssh *ssh;
	bool is_up, is_down, is_done;
	enum ssh_end end;
	char error[SSH_ERROR_BYTES];
	enum ssh_outcome outcome;
	int status;
	struct str output, errors;
	bool free_in_up, free_in_done;
};

/* ── the far end ───────────────────────────────────────────────────────────────────────────────────────────── */

static void spawn_and_wait(char *const argv[])
{
	pid_t pid;
	int status;

	assert_int_equal(posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void make_key(const char *path)
{
	char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", (char *)path, NULL };

	(void)unlink(path);
	spawn_and_wait(argv);
}

static char *read_all(const char *path)
{
	char buffer[8192];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, buffer, sizeof(buffer));
	assert_true(n > 0);
	(void)close(fd);
	return xstrndup(buffer, (size_t)n);
}

_printf_(2, 3) static void write_file(const char *path, const char *format, ...)
{
	FILE *file = fopen(path, "we");
	va_list args;

	assert_non_null(file);
	va_start(args, format);
	(void)vfprintf(file, format, args);
	va_end(args);
	(void)fclose(file);
	(void)chmod(path, 0600);
}

/* A listening socket on a free port, or only its number. */
static int listen_somewhere(unsigned *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static bool answers(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = connect(fd, (struct sockaddr *)&address, sizeof(address));

	(void)close(fd);
	return r == 0;
}

static void start_sshd(struct world *w)
{
	_cleanup_(freep) char *config = xasprintf("%s/config", w->dir);
	int64_t until = clock_boot_ms(&clock_system) + PATIENCE_MS;

	write_file(
		config,
		"Port %u\nListenAddress 127.0.0.1\nHostKey %s/host\nPidFile none\n"
		"AuthorizedKeysFile %s/authorized\nAllowUsers %s\nPasswordAuthentication no\n"
		"KbdInteractiveAuthentication no\nUsePAM no\nPermitRootLogin prohibit-password\n"
		"StrictModes no\nSetEnv SHLVL=1\nPrintMotd no\nPrintLastLog no\nLogLevel ERROR\n",
		w->port, w->dir, w->dir, w->user);
	w->sshd = fork();
	if (!w->sshd) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		(void)execl("/usr/sbin/sshd", "/usr/sbin/sshd", "-D", "-e", "-f", config, NULL);
		_exit(127);
	}
	while (!answers(w->port)) {
		assert_true(clock_boot_ms(&clock_system) < until);
		(void)poll(NULL, 0, 10);
	}
}

static int setup(void **state)
{
	struct world *w = xnew(struct world);
	const char *scratch = getenv("SCRATCH");
	_cleanup_(freep) char *host = NULL, *client = NULL, *public = NULL, *known = NULL;

	(void)snprintf(w->dir, sizeof(w->dir), "%s/ssh-XXXXXX", scratch ? scratch : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	if (geteuid() == 0)
		(void)mkdir("/run/sshd", 0755);
	w->user = xstrdup(getpwuid(geteuid())->pw_name);
	(void)close(listen_somewhere(&w->port));
	host = xasprintf("%s/host", w->dir);
	client = xasprintf("%s/client", w->dir);
	make_key(host);
	make_key(client);
	w->key = read_all(client);
	public = xasprintf("%s/client.pub", w->dir);
	known = read_all(public);
	free(take(public));
	public = xasprintf("%s/authorized", w->dir);
	write_file(public, "restrict %s", known);
	free(take(known));
	known = xasprintf("%s/host.pub", w->dir);
	free(take(public));
	public = read_all(known);
	w->known_hosts = xasprintf("%s/known_hosts", w->dir);
	write_file(w->known_hosts, "[127.0.0.1]:%u %s", w->port, public);
	start_sshd(w);
	assert_int_equal(uv_loop_init(&w->loop), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	char *argv[] = { "rm", "-rf", w->dir, NULL };

	assert_int_equal(uv_loop_close(&w->loop), 0);
	(void)kill(w->sshd, SIGTERM);
	(void)waitpid(w->sshd, NULL, 0);
	spawn_and_wait(argv);
	str_done(&w->output);
	str_done(&w->errors);
	free(w->user);
	free(w->known_hosts);
	free(w->key);
	free(w);
	return 0;
}

/* ── our end ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void on_up(void *ctx)
{
	struct world *w = ctx;

	w->is_up = true;
	if (w->free_in_up)
		ssh_free(take(w->ssh));
}

static void on_down(void *ctx, enum ssh_end end, const char *error)
{
	struct world *w = ctx;

	w->is_down = true;
	w->end = end;
	(void)snprintf(w->error, sizeof(w->error), "%s", error);
	ssh_free(take(w->ssh));
}

static void on_done(void *ctx, const struct ssh_result *result)
{
	struct world *w = ctx;

	w->is_done = true;
	w->outcome = result->outcome;
	w->status = result->status;
	str_clear(&w->output);
	str_add_n(&w->output, result->output, result->output_len);
	str_clear(&w->errors);
	str_add_n(&w->errors, result->errors, result->errors_len);
	(void)snprintf(w->error, sizeof(w->error), "%s", result->error);
	assert_int_equal(result->outcome == SSH_OK, !result->error[0]);
	if (w->free_in_done)
		ssh_free(take(w->ssh));
}

static void lose_patience(void *ctx)
{
	(void)ctx;
	fail_msg("waited in vain");
}

static void run_until(struct world *w, const bool *flag)
{
	struct timer *patience = timer_new(&w->loop, lose_patience, NULL);

	timer_once(patience, PATIENCE_MS);
	while (!*flag && uv_run(&w->loop, UV_RUN_ONCE))
		;
	assert_true(*flag);
	timer_free(patience);
}

static void drain(struct world *w)
{
	ssh_free(take(w->ssh));
	(void)uv_run(&w->loop, UV_RUN_DEFAULT);
}

static struct ssh_options options_of(struct world *w)
{
	return (struct ssh_options){
		.loop = &w->loop,
		.host = "127.0.0.1",
		.port = w->port,
		.user = w->user,
		.known_hosts = w->known_hosts,
		.key = w->key,
		.key_len = strlen(w->key),
	};
}

static void open_with(struct world *w, const struct ssh_options *options)
{
	static const struct ssh_hooks hooks = { on_up, on_down };

	w->is_up = w->is_down = w->is_done = w->free_in_up = w->free_in_done = false;
	w->ssh = ssh_open(options, &hooks, w);
}

static void come_up(struct world *w)
{
	struct ssh_options options = options_of(w);

	open_with(w, &options);
	run_until(w, &w->is_up);
	assert_false(w->is_down);
	assert_true(ssh_is_up(w->ssh));
	assert_true(str_starts(ssh_fingerprint(w->ssh), "SHA256:"));
}

static void run_command(struct world *w, const struct ssh_command *command)
{
	w->is_done = false;
	assert_non_null(ssh_exec(w->ssh, command, on_done, w));
	assert_false(w->is_done);
	run_until(w, &w->is_done);
}

static void check_works(struct world *w)
{
	run_command(w, &(struct ssh_command){ .command = "echo works" });
	assert_int_equal(w->outcome, SSH_OK);
	assert_string_equal(str_get(&w->output), "works\n");
}

/* ── commands ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void test_ends(void **state)
{
	struct world *w = *state;

	come_up(w);
	run_command(w, &(struct ssh_command){ .command = "echo out; echo err >&2; exit 3" });
	assert_int_equal(w->outcome, SSH_FAILED);
	assert_int_equal(w->status, 3);
	assert_string_equal(str_get(&w->output), "out\n");
	assert_string_equal(str_get(&w->errors), "err\n");
	assert_non_null(strstr(w->error, "status 3"));
	run_command(w, &(struct ssh_command){ .command = "kill -9 $$" });
	assert_int_equal(w->outcome, SSH_KILLED);
	assert_non_null(strstr(w->error, "SIGKILL"));
	run_command(w, &(struct ssh_command){ .command = "true" });
	assert_int_equal(w->outcome, SSH_OK);
	assert_string_equal(str_get(&w->output), "");
	drain(w);
}

static void test_input(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *big = xmalloc(BIG);

	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 7919 >> 3);
	come_up(w);
	run_command(w, &(struct ssh_command){ .command = "cat",
					      .input = big,
					      .input_len = BIG,
					      .max_bytes = 2 * BIG });
	assert_int_equal(w->outcome, SSH_OK);
	assert_int_equal(w->output.len, BIG);
	assert_memory_equal(w->output.data, big, BIG);
	/* One that does not read it all. */
	run_command(w, &(struct ssh_command){ .command = "head -c 5 >/dev/null; exit 4",
					      .input = big,
					      .input_len = BIG });
	assert_int_equal(w->outcome, SSH_FAILED);
	assert_int_equal(w->status, 4);
	check_works(w);
	drain(w);
}

struct many {
	struct world *world;
	size_t number;
	size_t *left;
	bool *all;
};

static void on_one(void *ctx, const struct ssh_result *result)
{
	struct many *one = ctx;
	char first[16];

	assert_int_equal(result->outcome, SSH_OK);
	(void)snprintf(first, sizeof(first), "%zu\n", one->number);
	assert_true(str_starts(result->output, first));
	assert_int_equal(result->output_len, strlen(first) + 60000);
	assert_int_equal(result->errors_len, 60000);
	*one->all = --*one->left == 0;
}

static void test_side_by_side(void **state)
{
	struct world *w = *state;
	struct many many[8];
	size_t left = countof(many);
	bool all = false;

	come_up(w);
	for (size_t i = 0; i < countof(many); i++) {
		_cleanup_(freep) char *command =
			xasprintf("echo %zu; head -c 60000 /dev/zero | tee /dev/stderr", i);

		many[i] = (struct many){ w, i, &left, &all };
		assert_non_null(ssh_exec(w->ssh, &(struct ssh_command){ .command = command },
					 on_one, &many[i]));
	}
	run_until(w, &all);
	drain(w);
}

static void test_flood(void **state)
{
	struct world *w = *state;

	come_up(w);
	run_command(w, &(struct ssh_command){ .command = "yes" });
	assert_int_equal(w->outcome, SSH_TOO_LARGE);
	assert_int_equal(w->output.len, 65536);
	run_command(w, &(struct ssh_command){ .command = "yes >&2", .max_bytes = 1000 });
	assert_int_equal(w->outcome, SSH_TOO_LARGE);
	assert_int_equal(w->errors.len, 1000);
	check_works(w);
	drain(w);
}

static void test_deadline(void **state)
{
	struct world *w = *state;

	come_up(w);
	run_command(w, &(struct ssh_command){ .command = "echo soon; exec sleep 1000",
					      .timeout_ms = 500 });
	assert_int_equal(w->outcome, SSH_TIMEOUT);
	assert_string_equal(str_get(&w->output), "soon\n");
	assert_non_null(strstr(w->error, "500 ms"));
	check_works(w);
	drain(w);
}

static void test_refused_channel(void **state)
{
	struct world *w = *state;
	size_t opened = 0;

	come_up(w);
	/* MaxSessions is 10, and one is ours. */
	for (; opened < 9; opened++)
		(void)ssh_exec(w->ssh, &(struct ssh_command){ .command = "exec sleep 1000" },
			       on_done, w);
	run_command(w, &(struct ssh_command){ .command = "true" });
	assert_int_equal(w->outcome, SSH_NOT_RUN);
	w->is_done = false;
	drain(w);
	assert_false(w->is_done);
}

/* ── what is lost ──────────────────────────────────────────────────────────────────────────────────────────── */

static void test_cut(void **state)
{
	struct world *w = *state;

	come_up(w);
	run_command(w, &(struct ssh_command){ .command = "echo before; kill -9 $PPID" });
	assert_int_equal(w->outcome, SSH_CUT);
	run_until(w, &w->is_down);
	assert_int_equal(w->end, SSH_END_UNREACHABLE);
	drain(w);
}

static void test_cut_while_idle(void **state)
{
	struct world *w = *state;

	come_up(w);
	/* Kills the connection's process a moment after the command has ended well. */
	run_command(w, &(struct ssh_command){
			       .command = "(sleep 0.2; kill -9 $PPID) >/dev/null 2>&1 &" });
	assert_int_equal(w->outcome, SSH_OK);
	run_until(w, &w->is_down);
	drain(w);
}

static void test_dead_peer(void **state)
{
	struct world *w = *state;
	struct ssh_options options = options_of(w);
	pid_t peer;

	options.keepalive_ms = 1000;
	options.dead_ms = 2500;
	open_with(w, &options);
	run_until(w, &w->is_up);
	run_command(w, &(struct ssh_command){ .command = "echo $PPID" });
	peer = (pid_t)strtol(str_get(&w->output), NULL, 10);
	assert_true(peer > 1);
	assert_int_equal(kill(peer, SIGSTOP), 0);
	run_until(w, &w->is_down);
	assert_non_null(strstr(w->error, "silent"));
	(void)kill(peer, SIGKILL);
	drain(w);
}

/* With replies to its keepalives a connection outlives the time after which it would be dead. */
static void test_keepalive(void **state)
{
	struct world *w = *state;
	struct ssh_options options = options_of(w);
	int64_t until = clock_boot_ms(&clock_system) + 6000;

	options.keepalive_ms = 1000;
	options.dead_ms = 4500;
	open_with(w, &options);
	run_until(w, &w->is_up);
	while (clock_boot_ms(&clock_system) < until && !w->is_down)
		(void)uv_run(&w->loop, UV_RUN_ONCE);
	assert_false(w->is_down);
	check_works(w);
	drain(w);
}

/* ── what does not come about ──────────────────────────────────────────────────────────────────────────────── */

static void check_no(struct world *w, const struct ssh_options *options, enum ssh_end end,
		     const char *text)
{
	open_with(w, options);
	run_until(w, &w->is_down);
	assert_false(w->is_up);
	assert_int_equal(w->end, end);
	if (!strstr(w->error, text))
		fail_msg("no \"%s\" in: %s", text, w->error);
	drain(w);
}

static void test_host_keys(void **state)
{
	struct world *w = *state;
	struct ssh_options options = options_of(w);
	_cleanup_(freep) char *other = xasprintf("%s/other", w->dir);
	_cleanup_(freep) char *other_pub = xasprintf("%s/other.pub", w->dir);
	_cleanup_(freep) char *known = xasprintf("%s/known_other", w->dir);
	_cleanup_(freep) char *public = NULL;

	make_key(other);
	public = read_all(other_pub);
	options.known_hosts = known;
	check_no(w, &options, SSH_END_REFUSED, "No such file");
	write_file(known, "[127.0.0.1]:%u %s", w->port, public);
	check_no(w, &options, SSH_END_NOT_TRUSTED, "has another");
	write_file(known, "example.org %s", public);
	check_no(w, &options, SSH_END_NOT_TRUSTED, "SHA256:");
	assert_non_null(strstr(w->error, "ssh-keygen -lf"));
	write_file(known, "%s", "");
	check_no(w, &options, SSH_END_NOT_TRUSTED, "unknown");
}

static void test_keys(void **state)
{
	struct world *w = *state;
	struct ssh_options options = options_of(w);
	_cleanup_(freep) char *other = xasprintf("%s/stranger", w->dir);
	_cleanup_(freep) char *key = NULL;

	make_key(other);
	key = read_all(other);
	options.key = key;
	options.key_len = strlen(key);
	check_no(w, &options, SSH_END_REFUSED, "authorized_keys");
	options.key = "rubbish";
	options.key_len = 7;
	check_no(w, &options, SSH_END_REFUSED, "key");
	options.key_len = 0;
	check_no(w, &options, SSH_END_REFUSED, "key");
	options = options_of(w);
	/* Without the newline that a file's reader took away. */
	options.key_len--;
	open_with(w, &options);
	run_until(w, &w->is_up);
	drain(w);
}

static void test_nobody(void **state)
{
	struct world *w = *state;
	struct ssh_options options = options_of(w);
	int fd = listen_somewhere(&options.port);

	options.connect_timeout_ms = 300;
	check_no(w, &options, SSH_END_UNREACHABLE, "within 300 ms");
	(void)close(fd);
	check_no(w, &options, SSH_END_UNREACHABLE, "refused");
	options.host = "no.such.host.invalid";
	check_no(w, &options, SSH_END_UNREACHABLE, "no.such.host.invalid");
}

/* ── what is given up ──────────────────────────────────────────────────────────────────────────────────────── */

static void test_free_early(void **state)
{
	struct world *w = *state;
	struct ssh_options options = options_of(w);

	open_with(w, &options);
	drain(w);
	assert_false(w->is_up || w->is_down);
	/* While the job runs: after each further turn of the loop. */
	for (int turns = 1; turns < 5; turns++) {
		open_with(w, &options);
		for (int i = 0; i < turns; i++)
			(void)uv_run(&w->loop, UV_RUN_NOWAIT);
		drain(w);
	}
	open_with(w, &options);
	w->free_in_up = true;
	run_until(w, &w->is_up);
	drain(w);
	assert_false(w->is_down);
}

static void test_free_in_callbacks(void **state)
{
	struct world *w = *state;

	come_up(w);
	w->free_in_done = true;
	for (int i = 0; i < 3; i++)
		(void)ssh_exec(w->ssh, &(struct ssh_command){ .command = "echo hi" }, on_done, w);
	run_until(w, &w->is_done);
	drain(w);
	assert_false(w->is_down);
	come_up(w);
	w->free_in_done = true;
	(void)ssh_exec(w->ssh, &(struct ssh_command){ .command = "sleep 9", .timeout_ms = 50 },
		       on_done, w);
	run_until(w, &w->is_done);
	assert_int_equal(w->outcome, SSH_TIMEOUT);
	drain(w);
	come_up(w);
	w->free_in_done = true;
	(void)ssh_exec(w->ssh, &(struct ssh_command){ .command = "kill -9 $PPID" }, on_done, w);
	run_until(w, &w->is_done);
	drain(w);
}

static void never(void *ctx, const struct ssh_result *result)
{
	(void)ctx;
	(void)result;
	fail_msg("a cancelled command was told");
}

static void test_cancel(void **state)
{
	struct world *w = *state;

	come_up(w);
	for (int turns = 0; turns < 12; turns++) {
		struct ssh_call *call = ssh_exec(
			w->ssh,
			&(struct ssh_command){ .command = "yes", .max_bytes = SIZE_MAX / 4 }, never,
			w);

		for (int i = 0; i < turns; i++)
			(void)uv_run(&w->loop, UV_RUN_ONCE);
		ssh_cancel(call);
		if (turns % 3 == 0)
			check_works(w);
	}
	check_works(w);
	drain(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_input),
		cmocka_unit_test(test_side_by_side),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_deadline),
		cmocka_unit_test(test_refused_channel),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_while_idle),
		cmocka_unit_test(test_dead_peer),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_host_keys),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_free_early),
		cmocka_unit_test(test_free_in_callbacks),
		cmocka_unit_test(test_cancel),
	};

	return cmocka_run_group_tests_name("ssh", tests, setup, teardown);
}
