/* SPDX-License-Identifier: MIT */
/*
 * Who keeps a worker for too long is cut off, and who waits for us is not: over real TCP, with a clock of our own.
 */
#include "tests/unit/check.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "services/gateway/watch.h"

#define WORKERS 4

struct world {
	uv_loop_t loop;
	uv_async_t alive; /* the watch alone keeps no loop running */
	struct clock clock;
	int64_t now_ms;
	struct watch *watch;
	struct watch_slot *slot;
	int server, client, peer; /* the listener, and both ends of one connection */
	int client_port;
};

static int64_t now_of(void *ctx)
{
	return ((struct world *)ctx)->now_ms;
}

static int port_of(int fd)
{
	struct sockaddr_in at;
	socklen_t size = sizeof(at);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
	return ntohs(at.sin_port);
}

static void nothing_cb(uv_async_t *handle)
{
	(void)handle;
}

static void start(struct world *w)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(at);

	*w = (struct world){ .now_ms = 1000 };
	w->clock = (struct clock){ now_of, now_of, w };
	assert_int_equal(uv_loop_init(&w->loop), 0);
	assert_int_equal(uv_async_init(&w->loop, &w->alive, nothing_cb), 0);
	w->server = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(w->server, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(w->server, 1), 0);
	assert_int_equal(getsockname(w->server, (struct sockaddr *)&at, &size), 0);
	w->client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(w->client, (struct sockaddr *)&at, sizeof(at)), 0);
	w->peer = accept(w->server, NULL, NULL);
	assert_true(w->peer >= 0);
	w->client_port = port_of(w->client);
	w->watch = watch_new(&w->loop, &w->clock, WORKERS, (uint16_t)port_of(w->server));
	w->slot = watch_slot_take(w->watch);
	watch_begin(w->slot, "127.0.0.1", w->client_port);
}

static void end(struct world *w)
{
	watch_end(w->slot);
	watch_free(w->watch);
	uv_close((uv_handle_t *)&w->alive, NULL);
	while (uv_run(&w->loop, UV_RUN_NOWAIT))
		;
	assert_int_equal(uv_loop_close(&w->loop), 0);
	(void)close(w->client);
	(void)close(w->peer);
	(void)close(w->server);
}

/* So much later it has been looked at. */
static bool is_cut_after(struct world *w, int64_t ms)
{
	w->now_ms += ms;
	/* Once for the wake that starts the timer, then for the timer. */
	(void)uv_run(&w->loop, UV_RUN_ONCE);
	(void)uv_run(&w->loop, UV_RUN_ONCE);
	return watch_cut(w->watch) > 0;
}

static void who_takes_too_long_is_cut_off(void **state)
{
	struct world w;
	char byte;

	(void)state;
	start(&w);
	watch_serve(w.slot);
	assert_false(is_cut_after(&w, WATCH_LIMIT_MS - 1));
	assert_true(is_cut_after(&w, 1));
	assert_int_equal(recv(w.client, &byte, 1, 0), 0);
	end(&w);
}

static void who_waits_for_us_is_not(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	watch_serve(w.slot);
	watch_wait(w.slot, 60000);
	assert_false(is_cut_after(&w, 60000 + WATCH_LIMIT_MS - 1));
	/* The answer is there: from now on it is the client who must take it. */
	watch_wait(w.slot, 0);
	assert_false(is_cut_after(&w, WATCH_LIMIT_MS - 1));
	assert_true(is_cut_after(&w, 1));
	end(&w);
}

static void the_next_one_has_the_usual_limit(void **state)
{
	struct world w;

	(void)state;
	start(&w);
	watch_wait(w.slot, 60000);
	watch_end(w.slot);
	watch_begin(w.slot, "127.0.0.1", w.client_port);
	assert_true(is_cut_after(&w, WATCH_LIMIT_MS));
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_takes_too_long_is_cut_off),
		cmocka_unit_test(who_waits_for_us_is_not),
		cmocka_unit_test(the_next_one_has_the_usual_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
