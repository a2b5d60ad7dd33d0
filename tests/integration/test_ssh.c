/* SPDX-License-Identifier: MIT */
/*
 * common/ssh against a real sshd: what commands say and how they end, one by one, side by side, and given up.
 */
#include "common/ssh.h"

#include <signal.h>
#include <unistd.h>

#include "tests/integration/ssh_world.h"

#define ECHO_BYTES 500000
#define ECHOES 4
#define SLOW_CHUNK_BYTES 900
/* A few for each piece that the slow cable passes on, there or back; they are half as large as they may be. */
#define TURNS_MAX (3 * 2 * ECHOES * ECHO_BYTES / (SLOW_CHUNK_BYTES / 2))

/* ── commands ──────────────────────────────────────────────────────────────────────────────────────────────── */

/* As long as the connection is there, so that nothing is left behind. */
#define FOR_EVER "exec tail -f /dev/null --pid=$PPID"

static void test_ends(void **state)
{
	struct world *w = *state;

	world_come_up(w);
	world_run(w, &(struct ssh_command){ .command = "echo out; echo err >&2; exit 3" });
	assert_int_equal(w->outcome, SSH_FAILED);
	assert_int_equal(w->status, 3);
	assert_string_equal(str_get(&w->output), "out\n");
	assert_string_equal(str_get(&w->errors), "err\n");
	assert_non_null(strstr(w->error, "status 3"));
	world_run(w, &(struct ssh_command){ .command = "kill -9 $$" });
	assert_int_equal(w->outcome, SSH_KILLED);
	assert_non_null(strstr(w->error, "SIGKILL"));
	world_run(w, &(struct ssh_command){ .command = "true" });
	assert_int_equal(w->outcome, SSH_ENDED);
	assert_string_equal(str_get(&w->output), "");
	world_drain(w);
}

/* Who closes what it says may still be at work: its status is waited for. */
static void test_late_status(void **state)
{
	struct world *w = *state;

	world_come_up(w);
	world_run(w, &(struct ssh_command){ .command = "exec >&- 2>&-; sleep 0.3; exit 3" });
	assert_int_equal(w->outcome, SSH_FAILED);
	assert_int_equal(w->status, 3);
	world_run(w, &(struct ssh_command){ .command = "exec >&- 2>&-; sleep 0.1; kill -9 $$" });
	assert_int_equal(w->outcome, SSH_KILLED);
	world_run(w, &(struct ssh_command){ .command = "exec >&- 2>&-; exec sleep 3",
					    .timeout_ms = 200 });
	assert_int_equal(w->outcome, SSH_TIMEOUT);
	world_check_works(w);
	world_drain(w);
}

static void test_input(void **state)
{
	struct world *w = *state;
	_cleanup_(freep) char *big = xmalloc(BIG);

	for (size_t i = 0; i < BIG; i++)
		big[i] = (char)(i * 7919 >> 3);
	world_come_up(w);
	world_run(w,
		  &(struct ssh_command){
			  .command = "cat", .input = big, .input_len = BIG, .max_bytes = 2 * BIG });
	assert_int_equal(w->outcome, SSH_ENDED);
	assert_int_equal(w->output.len, BIG);
	assert_memory_equal(w->output.data, big, BIG);
	/* One that does not read it all. */
	world_run(w, &(struct ssh_command){ .command = "head -c 5 >/dev/null; exit 4",
					    .input = big,
					    .input_len = BIG });
	assert_int_equal(w->outcome, SSH_FAILED);
	assert_int_equal(w->status, 4);
	world_check_works(w);
	world_drain(w);
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

	assert_int_equal(result->outcome, SSH_ENDED);
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

	world_come_up(w);
	for (size_t i = 0; i < countof(many); i++) {
		_cleanup_(freep) char *command =
			xasprintf("echo %zu; head -c 60000 /dev/zero | tee /dev/stderr", i);

		many[i] = (struct many){ w, i, &left, &all };
		assert_non_null(ssh_exec(w->ssh, &(struct ssh_command){ .command = command },
					 on_one, &many[i]));
	}
	world_wait(w, &all);
	world_drain(w);
}

struct echo {
	char *data;
	size_t *left;
	bool *all;
};

static void on_echo(void *ctx, const struct ssh_result *result)
{
	struct echo *echo = ctx;

	assert_int_equal(result->outcome, SSH_ENDED);
	assert_int_equal(result->output_len, ECHO_BYTES);
	assert_memory_equal(result->output, echo->data, ECHO_BYTES);
	*echo->all = --*echo->left == 0;
}

static void echo_start(struct echo *echo, struct world *w, size_t number, size_t *left, bool *all)
{
	*echo = (struct echo){ xmalloc(ECHO_BYTES), left, all };
	for (size_t i = 0; i < ECHO_BYTES; i++)
		echo->data[i] = (char)((i * 7919 >> 3) + number);
	assert_non_null(ssh_exec(w->ssh,
				 &(struct ssh_command){ .command = "cat",
							.input = echo->data,
							.input_len = ECHO_BYTES,
							.max_bytes = ECHO_BYTES,
							.timeout_ms = PATIENCE_MS },
				 on_echo, echo));
}

static void count_turn(uv_prepare_t *prepare)
{
	++*(size_t *)prepare->data;
}

/*
 * Packets go out by halves, and come in by bytes: every call's bytes are its own, in order. And the loop turns when
 * something can go on, not all the time.
 */
static void test_slow_cable(void **state)
{
	struct world *w = *state;
	struct ssh_options options = world_options(w);
	struct relay relay;
	struct echo echoes[ECHOES];
	size_t left = countof(echoes), turns = 0;
	bool all = false;
	uv_prepare_t prepare = { .data = &turns };

	relay_init(&relay, w);
	relay_start(&relay, w, RELAY_SLOW, SLOW_CHUNK_BYTES);
	options.port = relay.port;
	options.known_hosts = relay.known_hosts;
	world_open(w, &options);
	world_wait(w, &w->is_up);
	relay_squeeze(&relay);
	(void)uv_prepare_init(&w->loop, &prepare);
	(void)uv_prepare_start(&prepare, count_turn);
	for (size_t i = 0; i < countof(echoes); i++)
		echo_start(&echoes[i], w, i, &left, &all);
	world_wait(w, &all);
	uv_close((uv_handle_t *)&prepare, NULL);
	assert_true(turns < TURNS_MAX);
	world_check_works(w);
	world_drain(w);
	for (size_t i = 0; i < countof(echoes); i++)
		free(echoes[i].data);
	relay_done(&relay);
}

static void test_flood(void **state)
{
	struct world *w = *state;

	world_come_up(w);
	world_run(w, &(struct ssh_command){ .command = "yes" });
	assert_int_equal(w->outcome, SSH_TOO_LARGE);
	assert_int_equal(w->output.len, 65536);
	world_run(w, &(struct ssh_command){ .command = "yes >&2", .max_bytes = 1000 });
	assert_int_equal(w->outcome, SSH_TOO_LARGE);
	assert_int_equal(w->errors.len, 1000);
	world_check_works(w);
	world_drain(w);
}

static void test_deadline(void **state)
{
	struct world *w = *state;

	world_come_up(w);
	world_run(w, &(struct ssh_command){ .command = "echo soon; " FOR_EVER, .timeout_ms = 500 });
	assert_int_equal(w->outcome, SSH_TIMEOUT);
	assert_string_equal(str_get(&w->output), "soon\n");
	assert_non_null(strstr(w->error, "500 ms"));
	world_check_works(w);
	world_drain(w);
}

static void test_refused_channel(void **state)
{
	struct world *w = *state;
	size_t opened = 0;

	world_come_up(w);
	/* MaxSessions is 10, and one is ours. */
	for (; opened < 9; opened++)
		(void)ssh_exec(w->ssh, &(struct ssh_command){ .command = FOR_EVER }, world_on_done,
			       w);
	world_run(w, &(struct ssh_command){ .command = "true" });
	assert_int_equal(w->outcome, SSH_NOT_RUN);
	w->is_done = false;
	world_drain(w);
	assert_false(w->is_done);
}

/* ── what is given up ──────────────────────────────────────────────────────────────────────────────────────── */

static void test_free_early(void **state)
{
	struct world *w = *state;
	struct ssh_options options = world_options(w);

	world_open(w, &options);
	world_drain(w);
	assert_false(w->is_up || w->is_down);
	/* While the job runs: after each further turn of the loop. */
	for (int turns = 1; turns < 5; turns++) {
		world_open(w, &options);
		for (int i = 0; i < turns; i++)
			(void)uv_run(&w->loop, UV_RUN_NOWAIT);
		world_drain(w);
	}
	world_open(w, &options);
	w->free_in_up = true;
	world_wait(w, &w->is_up);
	world_drain(w);
	assert_false(w->is_down);
}

static void test_free_in_callbacks(void **state)
{
	struct world *w = *state;

	world_come_up(w);
	w->free_in_done = true;
	for (int i = 0; i < 3; i++)
		(void)ssh_exec(w->ssh, &(struct ssh_command){ .command = "echo hi" }, world_on_done,
			       w);
	world_wait(w, &w->is_done);
	world_drain(w);
	assert_false(w->is_down);
	world_come_up(w);
	w->free_in_done = true;
	(void)ssh_exec(w->ssh, &(struct ssh_command){ .command = "sleep 9", .timeout_ms = 50 },
		       world_on_done, w);
	world_wait(w, &w->is_done);
	assert_true(w->outcome == SSH_TIMEOUT || w->outcome == SSH_NOT_SENT);
	world_drain(w);
	world_come_up(w);
	w->free_in_done = true;
	(void)ssh_exec(w->ssh, &(struct ssh_command){ .command = "kill -9 $PPID" }, world_on_done,
		       w);
	world_wait(w, &w->is_done);
	world_drain(w);
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

	world_come_up(w);
	for (int turns = 0; turns < 12; turns++) {
		struct ssh_call *call = ssh_exec(
			w->ssh,
			&(struct ssh_command){ .command = "yes", .max_bytes = SIZE_MAX / 4 }, never,
			w);

		for (int i = 0; i < turns; i++)
			(void)uv_run(&w->loop, UV_RUN_ONCE);
		ssh_cancel(call);
		if (turns % 3 == 0)
			world_check_works(w);
	}
	world_check_works(w);
	world_drain(w);
}

/* A server may close a channel without a status: then only what the command said tells. */
static void test_no_status(void **state)
{
	struct world *w = *state;

	world_restart_sshd(w, "ChannelTimeout session:*=1s\n");
	world_come_up(w);
	world_run(w, &(struct ssh_command){ .command = "echo begun; sleep 2; echo ended; exit 7" });
	assert_int_equal(w->outcome, SSH_ENDED);
	assert_string_equal(str_get(&w->output), "begun\n");
	world_drain(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ends),	   cmocka_unit_test(test_late_status),
		cmocka_unit_test(test_input),	   cmocka_unit_test(test_side_by_side),
		cmocka_unit_test(test_slow_cable), cmocka_unit_test(test_flood),
		cmocka_unit_test(test_deadline),   cmocka_unit_test(test_refused_channel),
		cmocka_unit_test(test_free_early), cmocka_unit_test(test_free_in_callbacks),
		cmocka_unit_test(test_cancel),	   cmocka_unit_test(test_no_status),
	};

	return cmocka_run_group_tests_name("ssh", tests, world_setup, world_teardown);
}
