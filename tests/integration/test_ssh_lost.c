/* SPDX-License-Identifier: MIT */
/*
 * common/ssh against a real sshd: every way in which a connection may not come about, or be lost.
 */
#include "common/ssh.h"

#include <signal.h>
#include <unistd.h>

#include "tests/integration/ssh_leaks.h"
#include "tests/integration/ssh_world.h"

#define CUT_STEP_BYTES 43
/* Banner and key exchange are longer than this. */
#define HANDSHAKE_BYTES 1000

/* ── what is lost ──────────────────────────────────────────────────────────────────────────────────────────── */

static void test_cut(void **state)
{
	struct world *w = *state;

	world_come_up(w);
	world_run(w, &(struct ssh_command){ .command = "echo before; kill -9 $PPID" });
	assert_int_equal(w->outcome, SSH_CUT);
	world_wait(w, &w->is_down);
	assert_int_equal(w->end, SSH_END_UNREACHABLE);
	world_drain(w);
}

static void test_cut_while_idle(void **state)
{
	struct world *w = *state;

	world_come_up(w);
	/* Kills the connection's process a moment after the command has ended well. */
	world_run(w, &(struct ssh_command){
			     .command = "(sleep 0.2; kill -9 $PPID) >/dev/null 2>&1 &" });
	assert_int_equal(w->outcome, SSH_ENDED);
	world_wait(w, &w->is_down);
	world_drain(w);
}

/* The process that serves the connection. */
static pid_t peer_of(struct world *w)
{
	pid_t peer;

	world_run(w, &(struct ssh_command){ .command = "echo $PPID" });
	peer = (pid_t)strtol(str_get(&w->output), NULL, 10);
	assert_true(peer > 1);
	return peer;
}

/* What was never asked for is told as that, and does not happen later. */
static void test_not_sent(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *mark = xasprintf("%s/mark", w->dir);
	_cleanup_(freep) char *touch = xasprintf("touch %s", mark);
	pid_t peer;

	world_come_up(w);
	peer = peer_of(w);
	assert_int_equal(kill(peer, SIGSTOP), 0);
	world_run(w, &(struct ssh_command){ .command = touch, .timeout_ms = 300 });
	assert_int_equal(w->outcome, SSH_NOT_SENT);
	assert_non_null(strstr(w->error, "300 ms"));
	assert_int_equal(kill(peer, SIGCONT), 0);
	world_check_works(w);
	assert_int_not_equal(access(mark, F_OK), 0);
	assert_int_equal(kill(peer, SIGSTOP), 0);
	assert_non_null(
		ssh_exec(w->ssh, &(struct ssh_command){ .command = touch }, world_on_done, w));
	for (int turns = 0; turns < 10; turns++)
		(void)uv_run(&w->loop, UV_RUN_NOWAIT);
	assert_int_equal(kill(peer, SIGKILL), 0);
	world_wait(w, &w->is_down);
	assert_int_equal(w->outcome, SSH_NOT_SENT);
	assert_int_not_equal(access(mark, F_OK), 0);
	world_drain(w);
}

static bool says_yes(void *ctx)
{
	return ctx;
}

static bool says_no(void *ctx)
{
	return !ctx;
}

static void test_may_not(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *mark = xasprintf("%s/may", w->dir);
	_cleanup_(freep) char *touch = xasprintf("touch %s", mark);

	world_come_up(w);
	world_run(w, &(struct ssh_command){ .command = touch, .may_send = says_no });
	assert_int_equal(w->outcome, SSH_NOT_SENT);
	world_check_works(w);
	assert_int_not_equal(access(mark, F_OK), 0);
	world_run(w, &(struct ssh_command){ .command = touch, .may_send = says_yes });
	assert_int_equal(w->outcome, SSH_ENDED);
	assert_int_equal(access(mark, F_OK), 0);
	world_drain(w);
}

static void test_dead_peer(void **state)
{
	struct world *w = *state;
	struct ssh_options options = world_options(w);
	pid_t peer;

	options.keepalive_ms = 1000;
	options.dead_ms = 2500;
	world_open(w, &options);
	world_wait(w, &w->is_up);
	peer = peer_of(w);
	assert_int_equal(kill(peer, SIGSTOP), 0);
	world_wait(w, &w->is_down);
	assert_non_null(strstr(w->error, "silent"));
	(void)kill(peer, SIGKILL);
	world_drain(w);
}

/* With replies to its keepalives a connection outlives the time after which it would be dead. */
static void test_keepalive(void **state)
{
	struct world *w = *state;
	struct ssh_options options = world_options(w);
	int64_t until = clock_boot_ms(&clock_system) + 6000;

	options.keepalive_ms = 1000;
	options.dead_ms = 4500;
	world_open(w, &options);
	world_wait(w, &w->is_up);
	while (clock_boot_ms(&clock_system) < until && !w->is_down)
		(void)uv_run(&w->loop, UV_RUN_ONCE);
	assert_false(w->is_down);
	world_check_works(w);
	world_drain(w);
}

static struct ssh_options options_through(struct world *w, const struct relay *relay)
{
	struct ssh_options options = world_options(w);

	options.port = relay->port;
	options.known_hosts = relay->known_hosts;
	return options;
}

static bool on_sending(void *ctx)
{
	((struct world *)ctx)->is_sending = true;
	return true;
}

/* Connects through the relay, and has half a packet in flight that the relay does not take. */
static void get_stuck(struct world *w, struct relay *relay, const struct ssh_options *options)
{
	_cleanup_(freep) char *big = xcalloc(1, BIG);
	const struct ssh_command command = {
		.command = "cat", .input = big, .input_len = BIG, .may_send = on_sending
	};

	relay_start(relay, w, RELAY_SLOW, 4096);
	world_open(w, options);
	world_wait(w, &w->is_up);
	relay_squeeze(relay);
	w->is_sending = false;
	assert_non_null(ssh_exec(w->ssh, &command, world_on_done, w));
	world_wait(w, &w->is_sending);
	assert_int_equal(kill(relay->pid, SIGSTOP), 0);
	for (int turns = 0; turns < 100; turns++)
		(void)uv_run(&w->loop, UV_RUN_NOWAIT);
	assert_false(w->is_done || w->is_down);
}

static void test_lost_while_sending(void **state)
{
	struct world *w = *state;
	struct relay relay;
	struct ssh_options options;

	relay_init(&relay, w);
	options = options_through(w, &relay);
	get_stuck(w, &relay, &options);
	relay_stop(&relay);
	world_wait(w, &w->is_down);
	assert_int_equal(w->outcome, SSH_CUT);
	world_drain(w);
	/* Silence is noticed there as well. */
	options.keepalive_ms = 500;
	options.dead_ms = 1500;
	get_stuck(w, &relay, &options);
	world_wait(w, &w->is_down);
	assert_int_equal(w->outcome, SSH_CUT);
	assert_non_null(strstr(w->error, "silent"));
	world_drain(w);
	/* And it can be given up. */
	get_stuck(w, &relay, &options);
	world_drain(w);
	assert_false(w->is_done || w->is_down);
	relay_done(&relay);
}

/* ── what does not come about ──────────────────────────────────────────────────────────────────────────────── */

static void test_host_keys(void **state)
{
	struct world *w = *state;
	struct ssh_options options = world_options(w);
	_cleanup_(freep) char *other = xasprintf("%s/other", w->dir);
	_cleanup_(freep) char *other_pub = xasprintf("%s/other.pub", w->dir);
	_cleanup_(freep) char *known = xasprintf("%s/known_other", w->dir);
	_cleanup_(freep) char *public = NULL;

	world_make_key(other);
	public = world_read(other_pub);
	options.known_hosts = known;
	world_check_no(w, &options, SSH_END_REFUSED, "No such file");
	world_write(known, "[127.0.0.1]:%u %s", w->port, public);
	world_check_no(w, &options, SSH_END_NOT_TRUSTED, "has another");
	world_write(known, "example.org %s", public);
	world_check_no(w, &options, SSH_END_NOT_TRUSTED, "SHA256:");
	assert_non_null(strstr(w->error, "ssh-keygen -lf"));
	world_write(known, "%s", "");
	world_check_no(w, &options, SSH_END_NOT_TRUSTED, "unknown");
}

static void test_keys(void **state)
{
	struct world *w = *state;
	struct ssh_options options = world_options(w);
	_cleanup_(freep) char *other = xasprintf("%s/stranger", w->dir);
	_cleanup_(freep) char *key = NULL;

	world_make_key(other);
	key = world_read(other);
	options.key = key;
	options.key_len = strlen(key);
	world_check_no(w, &options, SSH_END_REFUSED, "authorized_keys");
	options.key = "rubbish";
	options.key_len = 7;
	world_check_no(w, &options, SSH_END_REFUSED, "key");
	options.key_len = 0;
	world_check_no(w, &options, SSH_END_REFUSED, "key");
	options = world_options(w);
	/* Without the newline that a file's reader took away. */
	options.key_len--;
	world_open(w, &options);
	world_wait(w, &w->is_up);
	world_drain(w);
}

static void test_nobody(void **state)
{
	struct world *w = *state;
	struct ssh_options options = world_options(w);
	int fd = world_listen(&options.port);

	options.connect_timeout_ms = 300;
	world_check_no(w, &options, SSH_END_UNREACHABLE, "within 300 ms");
	(void)close(fd);
	world_check_no(w, &options, SSH_END_UNREACHABLE, "refused");
	options.host = "no.such.host.invalid";
	world_check_no(w, &options, SSH_END_UNREACHABLE, "no.such.host.invalid");
}

/* Wherever handshake and login are broken off: told as what it is, and nothing is left (the sanitizer looks). */
static void test_cut_handshake(void **state)
{
	struct world *w = *state;
	struct relay relay;
	struct ssh_options options;
	size_t bytes = 0;

	relay_init(&relay, w);
	options = options_through(w, &relay);
	for (;; bytes += CUT_STEP_BYTES) {
		bool is_settled = false;

		relay_start(&relay, w, RELAY_CUT, bytes);
		world_open(w, &options);
		while (!is_settled && uv_run(&w->loop, UV_RUN_ONCE))
			is_settled = w->is_up || w->is_down;
		if (w->is_up)
			break;
		if (w->end != SSH_END_UNREACHABLE)
			fail_msg("cut after %zu bytes: %s", bytes, w->error);
		world_drain(w);
	}
	world_drain(w);
	assert_true(bytes > HANDSHAKE_BYTES);
	relay_done(&relay);
}

static void test_hanging_handshake(void **state)
{
	static const size_t places[] = { 0, 10, 100, 900, 1300, 1500, 1700 };
	struct world *w = *state;
	struct relay relay;
	struct ssh_options options;

	relay_init(&relay, w);
	options = options_through(w, &relay);
	for (size_t i = 0; i < countof(places); i++) {
		options.connect_timeout_ms = 300;
		relay_start(&relay, w, RELAY_HANG, places[i]);
		world_check_no(w, &options, SSH_END_UNREACHABLE, "within 300 ms");
		/* Given up while it hangs: ends soon, not at its deadline. */
		options.connect_timeout_ms = 0;
		relay_start(&relay, w, RELAY_HANG, places[i]);
		world_open(w, &options);
		for (int turns = 0; turns < 3; turns++)
			(void)uv_run(&w->loop, UV_RUN_NOWAIT);
		world_drain(w);
		assert_false(w->is_up || w->is_down);
	}
	relay_done(&relay);
}

/* It ends by itself, and at once: nothing waits for a deadline, and no thread is lost. */
static void test_endless_greeting(void **state)
{
	struct world *w = *state;
	struct relay relay;
	struct ssh_options options;

	relay_init(&relay, w);
	options = options_through(w, &relay);
	for (int i = 0; i < 6; i++) {
		relay_start(&relay, w, RELAY_TALK, 0);
		world_check_no(w, &options, SSH_END_UNREACHABLE, "says too much");
	}
	relay_done(&relay);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_while_idle),
		cmocka_unit_test(test_not_sent),
		cmocka_unit_test(test_may_not),
		cmocka_unit_test(test_dead_peer),
		cmocka_unit_test(test_keepalive),
		cmocka_unit_test(test_lost_while_sending),
		cmocka_unit_test(test_host_keys),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_cut_handshake),
		cmocka_unit_test(test_hanging_handshake),
		cmocka_unit_test(test_endless_greeting),
	};

	return cmocka_run_group_tests_name("ssh_lost", tests, world_setup, world_teardown);
}
