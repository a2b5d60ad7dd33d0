/* SPDX-License-Identifier: MIT */
/*
 * What waits for a connection to a node, and what happens meanwhile. The nodes are played here: a connection is up or
 * lost when a test says so.
 */
#include "common/alloc.h"
#include "common/ssh.h"
#include "tests/unit/check.h"
#include "tests/unit/executor_plays.h"

#include <stdio.h>

#define STATUS                                                                                     \
	"LoadState=loaded\nActiveState=active\nSubState=running\nMainPID=7\n"                      \
	"ActiveEnterTimestamp=@1\n"

/* One connection, over which one thing at a time is asked for. */
struct ssh {
	const struct ssh_hooks *hooks;
	void *ctx;
	bool is_up;
};

struct ssh_call {
	ssh_done_fn done;
	void *ctx;
};

static struct ssh way;
static struct ssh_call call;
static char boundary[33];
static unsigned changes, opened;

static const struct lab_order restart = {
	"service_restart", "yellow",
	"{\"cluster\":\"home\",\"node\":\"pve\",\"unit\":\"smbd.service\"}", "home/node/pve",
	"{\"object\":\"home/node/pve\",\"node\":\"pve\",\"status\":\"online\"}"
};

struct ssh *__wrap_ssh_open(const struct ssh_options *options, const struct ssh_hooks *hooks,
			    void *ctx);
void __wrap_ssh_free(struct ssh *ssh);
bool __wrap_ssh_is_up(const struct ssh *ssh);
struct ssh_call *__wrap_ssh_exec(struct ssh *ssh, const struct ssh_command *command,
				 ssh_done_fn done, void *ctx);
void __wrap_ssh_cancel(struct ssh_call *cancelled);

struct ssh *__wrap_ssh_open(const struct ssh_options *options, const struct ssh_hooks *hooks,
			    void *ctx)
{
	(void)options;
	way = (struct ssh){ hooks, ctx, false };
	opened++;
	return &way;
}

void __wrap_ssh_free(struct ssh *ssh)
{
	(void)ssh;
	way.is_up = false;
}

bool __wrap_ssh_is_up(const struct ssh *ssh)
{
	return ssh->is_up;
}

/* Behind the envelope: version, id, boundary, seconds, tool. */
struct ssh_call *__wrap_ssh_exec(struct ssh *ssh, const struct ssh_command *command,
				 ssh_done_fn done, void *ctx)
{
	const char *field = strchr(command->input, '\n') + 1;

	if (!ssh->is_up)
		return NULL;
	for (int i = 0; i < 2; i++)
		field += strlen(field) + 1;
	(void)snprintf(boundary, sizeof(boundary), "%s", field);
	for (int i = 0; i < 2; i++)
		field += strlen(field) + 1;
	changes += str_eq(field, "service_restart");
	call = (struct ssh_call){ done, ctx };
	return &call;
}

void __wrap_ssh_cancel(struct ssh_call *cancelled)
{
	(void)cancelled;
}

static void up(struct lab *l)
{
	lab_pass(l, 0);
	way.is_up = true;
	way.hooks->up(way.ctx);
}

static void answer(const char *body)
{
	_cleanup_(freep) char *text =
		xasprintf("JARVIS-BEGIN %s 1\n%s\nJARVIS-END %s exit 0 %zu 0 0 0 5\n", boundary,
			  body, boundary, strlen(body));

	call.done(call.ctx, &(struct ssh_result){ .outcome = SSH_ENDED,
						  .output = text,
						  .output_len = strlen(text),
						  .errors = "",
						  .error = "" });
}

static void begin(struct lab *l)
{
	config_free(lab_configure(
		l, "clusters: {home: {token: \"a@pve!b\", executor: {token: \"jarvis@pve!control\","
		   " ssh: {}}, nodes: {" LAB_NODES "}}}\nself: external\n"));
	lab_write(l, "secrets/executor/ssh-key", "a key\n");
	lab_start(l);
	changes = opened = 0;
	lab_order(l, &restart);
	up(l);
	/* As it was before; then the connection is lost, before the change leaves. */
	answer(STATUS);
	way.is_up = false;
	way.hooks->down(way.ctx, SSH_END_UNREACHABLE, "it is lost");
	lab_pass(l, 0);
	assert_int_equal(opened, 2);
	assert_int_equal(changes, 0);
}

static void test_goes_on(void **state)
{
	struct lab *l = *state;

	begin(l);
	up(l);
	assert_int_equal(changes, 1);
	answer("");
}

static void test_frozen_meanwhile(void **state)
{
	struct lab *l = *state;

	begin(l);
	lab_write(l, "run/frozen", "");
	up(l);
	lab_pass(l, 0);
	assert_int_equal(changes, 0);
	lab_expect(l, "failed", "Nothing was done: frozen by the file in the runtime folder");
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, play_setup, play_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(goes_on),
		TEST(frozen_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
