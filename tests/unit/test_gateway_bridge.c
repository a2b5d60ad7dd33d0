/* SPDX-License-Identifier: MIT */
/*
 * The bridge with real threads: answers reach the one who asked, late answers harm nobody, closing lets all go. Made to
 * be run under ThreadSanitizer as well.
 */
#include "services/gateway/bridge.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "tests/unit/check.h"

#define WORKERS 8
#define ROUNDS 200

struct world {
	uv_loop_t loop;
	struct bridge *bridge;
	struct exchange *kept; /* an exchange that is answered late */
	_Atomic int done;
	_Atomic int wrong;
	uint64_t ticket;
	int fd;
};

static void on_request(void *ctx, struct exchange *x)
{
	struct world *w = ctx;

	if (str_eq(x->request.path, "/late")) {
		w->kept = x;
		return;
	}
	str_printf(&x->response.body, "answer to %s", x->request.path);
	x->response.status = 200;
	bridge_answer(x);
}

static void on_socket(void *ctx, uint64_t ticket, int fd)
{
	struct world *w = ctx;

	w->ticket = ticket;
	w->fd = fd;
}

static void start(struct world *w)
{
	const struct bridge_options options = { &w->loop, on_request, on_socket, w };

	*w = (struct world){ .fd = -1 };
	assert_int_equal(uv_loop_init(&w->loop), 0);
	w->bridge = bridge_new(&options);
}

static void end(struct world *w)
{
	bridge_close(w->bridge);
	bridge_free(w->bridge);
	(void)uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
}

static void *ask_often(void *ctx)
{
	struct world *w = ctx;

	for (int i = 0; i < ROUNDS; i++) {
		struct exchange *x = exchange_new(w->bridge);
		_cleanup_(freep) char *want = NULL;

		x->request.path = arena_printf(x->arena, "/%p/%d", (void *)&x, i);
		want = xasprintf("answer to %s", x->request.path);
		if (bridge_ask(x, 60000) != 0 || !str_eq(str_get(&x->response.body), want))
			atomic_fetch_add(&w->wrong, 1);
		exchange_unref(x);
	}
	atomic_fetch_add(&w->done, 1);
	return NULL;
}

static void idle_cb(uv_idle_t *idle)
{
	(void)idle;
}

/* The bridge does not keep the loop alive by itself. */
static void run_until(struct world *w, int done)
{
	uv_idle_t idle;

	(void)uv_idle_init(&w->loop, &idle);
	(void)uv_idle_start(&idle, idle_cb);
	while (atomic_load(&w->done) < done)
		(void)uv_run(&w->loop, UV_RUN_NOWAIT);
	uv_close((uv_handle_t *)&idle, NULL);
	(void)uv_run(&w->loop, UV_RUN_NOWAIT);
}

static void test_everybody_gets_their_own_answer(void **state)
{
	struct world w;
	pthread_t threads[WORKERS];

	(void)state;
	start(&w);
	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &w), 0);
	run_until(&w, WORKERS);
	for (size_t i = 0; i < WORKERS; i++)
		(void)pthread_join(threads[i], NULL);
	assert_int_equal(atomic_load(&w.wrong), 0);
	end(&w);
}

static void *ask_late(void *ctx)
{
	struct world *w = ctx;
	struct exchange *x = exchange_new(w->bridge);

	x->request.path = "/late";
	if (bridge_ask(x, 20) != -ETIMEDOUT)
		atomic_fetch_add(&w->wrong, 1);
	exchange_unref(x);
	atomic_fetch_add(&w->done, 1);
	return NULL;
}

static void test_a_late_answer_harms_nobody(void **state)
{
	struct world w;
	pthread_t thread;

	(void)state;
	start(&w);
	assert_int_equal(pthread_create(&thread, NULL, ask_late, &w), 0);
	run_until(&w, 1);
	(void)pthread_join(thread, NULL);
	assert_int_equal(atomic_load(&w.wrong), 0);
	/* The worker is gone; the exchange is still there for the loop. */
	assert_non_null(w.kept);
	str_add(&w.kept->response.body, "too late");
	bridge_answer(w.kept);
	end(&w);
}

static void *ask_closed(void *ctx)
{
	struct world *w = ctx;
	struct exchange *x = exchange_new(w->bridge);

	x->request.path = "/";
	if (bridge_ask(x, 60000) != -ESHUTDOWN)
		atomic_fetch_add(&w->wrong, 1);
	exchange_unref(x);
	return NULL;
}

static void test_closed(void **state)
{
	struct world w;
	pthread_t thread;
	int pair[2];
	char byte;

	(void)state;
	start(&w);
	bridge_close(w.bridge);
	assert_int_equal(pthread_create(&thread, NULL, ask_closed, &w), 0);
	(void)pthread_join(thread, NULL);
	assert_int_equal(atomic_load(&w.wrong), 0);
	assert_int_equal(pipe(pair), 0);
	bridge_hand_over(w.bridge, 7, pair[1]);
	/* Closed: the other end sees the end. */
	assert_int_equal(read(pair[0], &byte, 1), 0);
	(void)close(pair[0]);
	assert_int_equal(w.fd, -1);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_everybody_gets_their_own_answer),
		cmocka_unit_test(test_a_late_answer_harms_nobody),
		cmocka_unit_test(test_closed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
