/* SPDX-License-Identifier: MIT */
/*
 * sshd is started by us with a configuration of its own, as the user who runs the tests; it ends with us.
 */
#include "tests/integration/ssh_world.h"

#include <arpa/inet.h>
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

#define SSHD "/usr/sbin/sshd"

extern char **environ;

/* ── the far end ───────────────────────────────────────────────────────────────────────────────────────────── */

static bool is_well(char *const argv[])
{
	pid_t pid;
	int status;

	assert_int_equal(posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

void world_make_key(const char *path)
{
	char *argv[] = { "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", (char *)path, NULL };

	(void)unlink(path);
	assert_true(is_well(argv));
}

char *world_read(const char *path)
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

void world_write(const char *path, const char *format, ...)
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
int world_listen(unsigned *port)
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

static void write_config(struct world *w, const char *path, const char *lines, const char *more)
{
	world_write(path,
		    "Port %u\nListenAddress 127.0.0.1\nHostKey %s/host\nPidFile none\n"
		    "AuthorizedKeysFile %s/authorized\nAllowUsers %s\n"
		    "PasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n"
		    "PermitRootLogin prohibit-password\nStrictModes no\nSetEnv SHLVL=1\n"
		    "PrintMotd no\nPrintLastLog no\nLogLevel ERROR\n%s%s",
		    w->port, w->dir, w->dir, w->user, lines, more);
}

static void start_sshd(struct world *w, const char *lines)
{
	_cleanup_(freep) char *config = xasprintf("%s/config", w->dir);
	char *const check[] = { SSHD, "-q", "-t", "-f", config, NULL };
	char *const argv[] = { SSHD, "-D", "-e", "-f", config, NULL };
	int64_t until = clock_boot_ms(&clock_system) + PATIENCE_MS;

	/* Since 9.8 sshd locks out who breaks off too often, as we do on purpose; an older one knows no such word. */
	write_config(w, config, lines, "PerSourcePenalties no\n");
	if (!is_well(check))
		write_config(w, config, lines, "");
	w->sshd = fork();
	if (!w->sshd) {
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
		(void)execv(argv[0], argv);
		_exit(127);
	}
	while (!answers(w->port)) {
		assert_true(clock_boot_ms(&clock_system) < until);
		(void)poll(NULL, 0, 10);
	}
}

static void stop_sshd(struct world *w)
{
	(void)kill(w->sshd, SIGTERM);
	(void)waitpid(w->sshd, NULL, 0);
}

void world_restart_sshd(struct world *w, const char *lines)
{
	stop_sshd(w);
	start_sshd(w, lines);
}

/* A new key in the world's folder: its public half, in one line. */
static char *make_key_pair(struct world *w, const char *name)
{
	_cleanup_(freep) char *private = xasprintf("%s/%s", w->dir, name);
	_cleanup_(freep) char *public = xasprintf("%s/%s.pub", w->dir, name);

	world_make_key(private);
	return world_read(public);
}

int world_setup(void **state)
{
	struct world *w = xnew(struct world);
	const char *scratch = getenv("SCRATCH");
	_cleanup_(freep) char *public = NULL, *key = NULL, *authorized = NULL;

	(void)snprintf(w->dir, sizeof(w->dir), "%s/ssh-XXXXXX", scratch ? scratch : "/tmp");
	assert_non_null(mkdtemp(w->dir));
	if (geteuid() == 0)
		(void)mkdir("/run/sshd", 0755);
	w->user = xstrdup(getpwuid(geteuid())->pw_name);
	(void)close(world_listen(&w->port));
	w->host_key = make_key_pair(w, "host");
	public = make_key_pair(w, "client");
	key = xasprintf("%s/client", w->dir);
	w->key = world_read(key);
	authorized = xasprintf("%s/authorized", w->dir);
	world_write(authorized, "restrict %s", public);
	w->known_hosts = xasprintf("%s/known_hosts", w->dir);
	world_write(w->known_hosts, "[127.0.0.1]:%u %s", w->port, w->host_key);
	start_sshd(w, "");
	assert_int_equal(uv_loop_init(&w->loop), 0);
	*state = w;
	return 0;
}

int world_teardown(void **state)
{
	struct world *w = *state;
	char *argv[] = { "rm", "-rf", w->dir, NULL };

	assert_int_equal(uv_loop_close(&w->loop), 0);
	stop_sshd(w);
	assert_true(is_well(argv));
	str_done(&w->output);
	str_done(&w->errors);
	free(w->user);
	free(w->known_hosts);
	free(w->host_key);
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

void world_on_done(void *ctx, const struct ssh_result *result)
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
	assert_int_equal(result->outcome == SSH_ENDED, !result->error[0]);
	if (w->free_in_done)
		ssh_free(take(w->ssh));
}

static void lose_patience(void *ctx)
{
	(void)ctx;
	fail_msg("waited in vain");
}

void world_wait(struct world *w, const bool *flag)
{
	struct timer *patience = timer_new(&w->loop, lose_patience, NULL);

	timer_once(patience, PATIENCE_MS);
	while (!*flag && uv_run(&w->loop, UV_RUN_ONCE))
		;
	assert_true(*flag);
	timer_free(patience);
}

void world_drain(struct world *w)
{
	ssh_free(take(w->ssh));
	(void)uv_run(&w->loop, UV_RUN_DEFAULT);
}

struct ssh_options world_options(struct world *w)
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

void world_open(struct world *w, const struct ssh_options *options)
{
	static const struct ssh_hooks hooks = { on_up, on_down };

	w->is_up = w->is_down = w->is_done = w->free_in_up = w->free_in_done = false;
	w->ssh = ssh_open(options, &hooks, w);
}

void world_come_up(struct world *w)
{
	struct ssh_options options = world_options(w);

	world_open(w, &options);
	world_wait(w, &w->is_up);
	assert_false(w->is_down);
	assert_true(ssh_is_up(w->ssh));
	assert_true(str_starts(ssh_fingerprint(w->ssh), "SHA256:"));
}

void world_run(struct world *w, const struct ssh_command *command)
{
	w->is_done = false;
	assert_non_null(ssh_exec(w->ssh, command, world_on_done, w));
	assert_false(w->is_done);
	world_wait(w, &w->is_done);
}

void world_check_works(struct world *w)
{
	world_run(w, &(struct ssh_command){ .command = "echo works" });
	assert_int_equal(w->outcome, SSH_ENDED);
	assert_string_equal(str_get(&w->output), "works\n");
}

void world_check_no(struct world *w, const struct ssh_options *options, enum ssh_end end,
		    const char *text)
{
	world_open(w, options);
	world_wait(w, &w->is_down);
	assert_false(w->is_up);
	assert_int_equal(w->end, end);
	if (!strstr(w->error, text))
		fail_msg("no \"%s\" in: %s", text, w->error);
	world_drain(w);
}
