/* SPDX-License-Identifier: MIT */
/*
 * common/ssh against a real sshd, short of memory. libssh2's allocations are the only ones that may fail without ending
 * the process: their sizes are partly the peer's choice.
 */
#include "common/ssh.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/integration/ssh_leaks.h"
#include "tests/integration/ssh_world.h"

/* The allocations of a session on a thread of the pool: all of libssh2's in a login. */
static struct {
	pthread_t loop;
	atomic_uint count;
	unsigned fail_at; /* 0: never */
	bool is_sticky;	  /* all that follow fail too */
} scarcity;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool is_scarce(void)
{
	unsigned at;

	if (pthread_equal(pthread_self(), scarcity.loop))
		return false;
	at = atomic_fetch_add(&scarcity.count, 1) + 1;
	return at == scarcity.fail_at ||
	       (scarcity.is_sticky && scarcity.fail_at && at > scarcity.fail_at);
}

void *__wrap_malloc(size_t size)
{
	return is_scarce() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return is_scarce() ? NULL : __real_realloc(old, size);
}

static void log_in_short_of_memory(struct world *w, unsigned fail_at)
{
	struct ssh_options options = world_options(w);
	bool is_settled = false;

	atomic_store(&scarcity.count, 0);
	scarcity.fail_at = fail_at;
	world_open(w, &options);
	while (!is_settled && uv_run(&w->loop, UV_RUN_ONCE))
		is_settled = w->is_up || w->is_down;
	scarcity.fail_at = 0;
	if (w->is_up)
		world_check_works(w);
	else
		assert_true(w->error[0]);
	world_drain(w);
}

/*
 * Whichever allocation of a login fails, alone or with all that follow: it is told as something, and the next login is
 * none the worse.
 */
static void test_scarce(void **state)
{
	struct world *w = *state;
	unsigned n;

	scarcity.loop = pthread_self();
	atomic_store(&scarcity.count, 0);
	world_come_up(w);
	n = scarcity.count;
	world_drain(w);
	assert_true(n > 10);
	for (unsigned run = 0; run < 2 * n; run++) {
		scarcity.is_sticky = run % 2;
		log_in_short_of_memory(w, run / 2 + 1);
	}
	world_come_up(w);
	world_check_works(w);
	world_drain(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_scarce) };

	return cmocka_run_group_tests_name("ssh_scarce", tests, world_setup, world_teardown);
}
