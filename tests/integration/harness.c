/* SPDX-License-Identifier: MIT */
/*
 * The private broker. Its configuration is the shipped one with other paths.
 */
#include "tests/integration/harness.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/str.h"
#include "common/timer.h"
#include "tests/unit/check.h"

struct harness {
	uv_loop_t loop;
	char *dir;
	char *socket;
	int broker;
};

const char *harness_password(void)
{
	return "only-for-tests";
}

static void write_file(const char *dir, const char *name, const char *text)
{
	_cleanup_(freep) char *path = xasprintf("%s/%s", dir, name);
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void child(struct harness *h, const char *name, const char *const *argv)
{
	_cleanup_(freep) char *log = xasprintf("%s/%s.log", h->dir, name);
	int fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	/* A test that is killed takes its children along. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd >= 0) {
		(void)dup2(fd, STDOUT_FILENO);
		(void)dup2(fd, STDERR_FILENO);
	}
	(void)execvp(argv[0], (char *const *)argv);
	_exit(127);
}

int harness_spawn(struct harness *h, const char *name, const char *const *argv)
{
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		child(h, name, argv);
	return pid;
}

int harness_reap(int pid, int deadline_ms)
{
	int status = 0;

	for (int waited = 0; waited <= deadline_ms; waited += 5) {
		pid_t r = waitpid(pid, &status, WNOHANG);

		if (r == pid)
			return status;
		assert_true(r == 0);
		(void)poll(NULL, 0, 5);
	}
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, &status, 0);
	fail_msg("process %d did not end within %d ms", pid, deadline_ms);
	return -1;
}

static int run(struct harness *h, const char *name, const char *const *argv)
{
	return harness_reap(harness_spawn(h, name, argv), 10000);
}

static void write_passwords(struct harness *h)
{
	_cleanup_(str_done) struct str text = { 0 };
	_cleanup_(freep) char *path = xasprintf("%s/passwords", h->dir);
	const char *argv[] = { "mosquitto_passwd", "-U", path, NULL };

	for (int i = 0; i < SERVICE_COUNT; i++)
		str_printf(&text, "%s:%s\n", service_table[i].name, harness_password());
	write_file(h->dir, "passwords", str_get(&text));
	assert_int_equal(run(h, "mosquitto_passwd", argv), 0);
}

static void write_acl(struct harness *h)
{
	const char *build = getenv("JARVIS_BUILD");
	_cleanup_(freep) char *program = xasprintf("%s/topicgen", build ? build : "build");
	_cleanup_(freep) char *path = xasprintf("%s/acl.log", h->dir);
	const char *argv[] = { program, "acl", NULL };

	assert_int_equal(run(h, "acl", argv), 0);
	assert_int_equal(access(path, R_OK), 0);
}

/* What is different here; all else is the configuration that ships. */
static bool is_replaced(const char *line)
{
	static const char *const words[] = { "listener ", "password_file ",
					     "acl_file ", "persistence_location ",
					     "user ",	  "autosave_interval " };

	for (size_t i = 0; i < countof(words); i++) {
		if (str_starts(line, words[i]))
			return true;
	}
	return false;
}

static void write_config(struct harness *h)
{
	FILE *shipped = fopen("deploy/mosquitto/mosquitto.conf", "re");
	_cleanup_(str_done) struct str text = { 0 };
	char line[512];

	assert_non_null(shipped);
	while (fgets(line, sizeof(line), shipped)) {
		if (line[0] != '#' && !is_replaced(line))
			str_add(&text, line);
	}
	(void)fclose(shipped);
	str_printf(&text,
		   "password_file %s/passwords\nacl_file %s/acl.log\npersistence_location %s/\n"
		   "autosave_interval 1\nuser %s\nlistener 0 %s\n",
		   h->dir, h->dir, h->dir, geteuid() == 0 ? "root" : "nobody", h->socket);
	write_file(h->dir, "mosquitto.conf", str_get(&text));
}

static bool accepts(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	assert_true(fd >= 0);
	assert_true(strlen(path) < sizeof(address.sun_path));
	memcpy(address.sun_path, path, strlen(path));
	ok = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	(void)close(fd);
	return ok;
}

void harness_broker_start(struct harness *h)
{
	_cleanup_(freep) char *config = xasprintf("%s/mosquitto.conf", h->dir);
	const char *argv[] = { "mosquitto", "-c", config, NULL };

	(void)unlink(h->socket);
	h->broker = harness_spawn(h, "mosquitto", argv);
	for (int tries = 0; tries < 2000; tries++) {
		if (accepts(h->socket))
			return;
		(void)poll(NULL, 0, 5);
	}
	fail_msg("mosquitto does not accept connections; see %s/mosquitto.log", h->dir);
}

void harness_broker_kill(struct harness *h, int number)
{
	assert_int_equal(kill(h->broker, number), 0);
	(void)harness_reap(h->broker, 10000);
	h->broker = 0;
}

struct harness *harness_new(void)
{
	const char *scratch = getenv("SCRATCH");
	struct harness *h = xnew(struct harness);

	assert_int_equal(uv_loop_init(&h->loop), 0);
	h->dir = xasprintf("%s/h-XXXXXX", scratch ? scratch : "/tmp");
	assert_non_null(mkdtemp(h->dir));
	h->socket = xasprintf("%s/b.sock", h->dir);
	write_passwords(h);
	write_acl(h);
	write_config(h);
	harness_broker_start(h);
	return h;
}

void harness_free(struct harness *h)
{
	const char *argv[] = { "rm", "-rf", h->dir, NULL };

	while (uv_loop_alive(&h->loop))
		(void)uv_run(&h->loop, UV_RUN_ONCE);
	if (h->broker)
		harness_broker_kill(h, SIGTERM);
	assert_int_equal(uv_loop_close(&h->loop), 0);
	(void)run(h, "rm", argv);
	free(h->socket);
	free(h->dir);
	free(h);
}

uv_loop_t *harness_loop(struct harness *h)
{
	return &h->loop;
}

const char *harness_dir(const struct harness *h)
{
	return h->dir;
}

const char *harness_socket(const struct harness *h)
{
	return h->socket;
}

static void set_flag(void *ctx)
{
	*(bool *)ctx = true;
}

void harness_wait(struct harness *h, bool (*condition)(void *ctx), void *ctx, int deadline_ms,
		  const char *what)
{
	bool late = false;
	struct timer *deadline = timer_new(&h->loop, set_flag, &late);

	timer_once(deadline, (uint64_t)deadline_ms);
	while (!condition(ctx) && !late)
		(void)uv_run(&h->loop, UV_RUN_ONCE);
	timer_free(deadline);
	if (!condition(ctx))
		fail_msg("within %d ms it did not happen that %s (logs in %s)", deadline_ms, what,
			 h->dir);
}
