/* SPDX-License-Identifier: MIT */
/*
 * The WebSocket clients on a loop, over real TCP, with a clock of our own: sessions that end, clients that are silent,
 * do not read, or fell too far behind; places that are kept and given back.
 */
#include "services/gateway/ws.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/json.h"
#include "services/gateway/ws_frame.h"

#include "tests/unit/check.h"

#define ALL_TOPICS (~(uint64_t)0)

struct world {
	uv_loop_t loop;
	struct clock clock;
	int64_t now_ms;
	struct mirror *mirror;
	struct ws_hub *hub;
	bool alive;
	int used;
};

static int64_t now_of(void *ctx)
{
	return ((struct world *)ctx)->now_ms;
}

static bool is_alive(void *ctx, uint64_t owner)
{
	(void)owner;
	return ((struct world *)ctx)->alive;
}

static void on_use(void *ctx, uint64_t owner)
{
	(void)owner;
	((struct world *)ctx)->used++;
}

static void start(struct world *w, size_t max_clients)
{
	struct ws_options options = {
		.loop = &w->loop,
		.clock = &w->clock,
		.sid = "s",
		.version = "v",
		.max_clients = max_clients,
		.is_alive = is_alive,
		.on_use = on_use,
		.ctx = w,
	};

	*w = (struct world){ .now_ms = 1000, .alive = true };
	w->clock = (struct clock){ now_of, now_of, w };
	assert_int_equal(uv_loop_init(&w->loop), 0);
	w->mirror = mirror_new();
	options.mirror = w->mirror;
	w->hub = ws_hub_new(&options);
}

static void end(struct world *w)
{
	ws_hub_free(w->hub);
	(void)uv_run(&w->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	mirror_free(w->mirror);
}

/* Both ends of a TCP connection; RECEIVE limits what the kernel takes for a client that does not read. */
static void connect_pair(int pair[2], int receive)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (receive)
		(void)setsockopt(pair[0], SOL_SOCKET, SO_RCVBUF, &receive, sizeof(receive));
	assert_int_equal(connect(pair[0], (struct sockaddr *)&address, size), 0);
	pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(pair[1] >= 0);
	(void)close(listener);
	assert_int_equal(fcntl(pair[0], F_SETFL, O_NONBLOCK), 0);
}

/* A client's end of an open WebSocket, and what came on it. */
struct peer {
	int fd;
	struct str in;
	bool ended;
};

static struct peer open_peer(struct world *w, int receive)
{
	struct peer peer = { 0 };
	uint64_t ticket;
	int pair[2];

	assert_int_equal(ws_hub_admit(w->hub, 1, ALL_TOPICS, &ticket), WS_ADMITTED);
	connect_pair(pair, receive);
	ws_hub_open(w->hub, ticket, pair[1]);
	peer.fd = pair[0];
	return peer;
}

static void close_peer(struct peer *peer)
{
	(void)close(peer->fd);
	str_done(&peer->in);
}

static void say(struct peer *peer, unsigned char first, const char *text)
{
	size_t length = strlen(text);
	_cleanup_(str_done) struct str frame = { 0 };

	assert_true(length < 126);
	str_add_char(&frame, (char)first);
	str_add_char(&frame, (char)(0x80 | length));
	str_add_n(&frame, "\0\0\0\0", 4);
	str_add_n(&frame, text, length);
	assert_int_equal(send(peer->fd, frame.data, frame.len, MSG_NOSIGNAL), (ssize_t)frame.len);
}

static void receive(struct peer *peer)
{
	char buffer[65536];
	ssize_t n = recv(peer->fd, buffer, sizeof(buffer), 0);

	if (n > 0)
		str_add_n(&peer->in, buffer, (size_t)n);
	else if (n == 0 || errno != EAGAIN)
		peer->ended = true;
}

static size_t frame_length(const struct peer *peer, size_t *head)
{
	const unsigned char *p = (const unsigned char *)peer->in.data;
	uint64_t length;

	if (peer->in.len < 2)
		return 0;
	*head = p[1] < 126 ? 2 : p[1] == 126 ? 4 : 10;
	if (peer->in.len < *head)
		return 0;
	length = p[1];
	if (*head > 2) {
		length = 0;
		for (size_t i = 2; i < *head; i++)
			length = length << 8 | p[i];
	}
	return peer->in.len >= *head + length ? *head + (size_t)length : 0;
}

/* The next frame: its opcode, and its payload in TEXT; -1 at the end. Runs the loop meanwhile. */
static int next_frame(struct world *w, struct peer *peer, struct str *text)
{
	size_t head, length;
	int opcode;

	while ((length = frame_length(peer, &head)) == 0) {
		if (peer->ended)
			return -1;
		(void)uv_run(&w->loop, UV_RUN_NOWAIT);
		receive(peer);
	}
	opcode = peer->in.data[0] & 0x0f;
	str_clear(text);
	str_add_n(text, peer->in.data + head, length - head);
	memmove(peer->in.data, peer->in.data + length, peer->in.len - length);
	peer->in.len -= length;
	return opcode;
}

/* Reads until a text that begins with START comes. */
static void expect(struct world *w, struct peer *peer, const char *start, struct str *text)
{
	do
		assert_int_equal(next_frame(w, peer, text), WS_TEXT);
	while (!str_starts(str_get(text), start));
}

static void set(struct world *w, const char *topic, const char *json)
{
	(void)mirror_set(w->mirror, TOPIC_NODE_STATE, topic, json, strlen(json), true, w->now_ms);
	ws_hub_changed(w->hub);
}

static void test_a_client_follows(void **state)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct world w;
	struct peer peer;

	(void)state;
	start(&w, 10);
	set(&w, "pve/home/node/a/state", "1");
	peer = open_peer(&w, 0);
	expect(&w, &peer, "{\"op\":\"hello\",\"v\":1,\"sid\":\"s\",\"version\":\"v\",\"now\":1000}",
	       &text);
	say(&peer, 0x81, "{\"op\":\"sub\",\"id\":1,\"filters\":[\"pve/#\"]}");
	expect(&w, &peer,
	       "{\"op\":\"snap\",\"id\":1,\"seq\":1,\"docs\":{\"pve/home/node/a/state\":1}", &text);
	assert_int_equal(w.used, 1);
	set(&w, "pve/home/node/a/state", "2");
	expect(&w, &peer, "{\"op\":\"chg\",\"seq\":2,\"docs\":{\"pve/home/node/a/state\":2}",
	       &text);
	/* Within the same moment the next two wait, and come together. */
	set(&w, "pve/home/node/a/state", "3");
	set(&w, "pve/home/node/a/state", "4");
	(void)uv_run(&w.loop, UV_RUN_NOWAIT);
	w.now_ms += WS_TICK_MS;
	expect(&w, &peer, "{\"op\":\"chg\",\"seq\":4,\"docs\":{\"pve/home/node/a/state\":4}",
	       &text);
	say(&peer, 0x89, "are you there");
	assert_int_equal(next_frame(&w, &peer, &text), WS_PONG);
	assert_string_equal(str_get(&text), "are you there");
	close_peer(&peer);
	while (ws_hub_stats(w.hub)->clients)
		(void)uv_run(&w.loop, UV_RUN_ONCE);
	end(&w);
}

static void test_an_ended_session_closes_its_sockets(void **state)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct world w;
	struct peer peer;

	(void)state;
	start(&w, 10);
	peer = open_peer(&w, 0);
	expect(&w, &peer, "{\"op\":\"hello\"", &text);
	w.alive = false;
	assert_int_equal(next_frame(&w, &peer, &text), WS_CLOSE);
	assert_memory_equal(text.data, "\x11\x31", 2); /* 4401 */
	assert_int_equal(next_frame(&w, &peer, &text), -1);
	close_peer(&peer);
	end(&w);
}

/* What comes behind the end of a client is no message any more, and nobody keeps it. */
static void test_nothing_is_kept_of_a_client_that_is_gone(void **state)
{
	static const unsigned char ends[] = { 0x88, 0x80, 0, 0, 0, 0, 0x88, 0x80, 0, 0, 0, 0 };
	static const unsigned char begun[] = { 0x81, 0xfe, 0x80, 0x00, 0, 0, 0, 0 };
	_cleanup_(str_done) struct str text = { 0 };
	_cleanup_(str_done) struct str flood = { 0 };
	struct world w;
	struct peer peer;

	(void)state;
	start(&w, 10);
	peer = open_peer(&w, 0);
	expect(&w, &peer, "{\"op\":\"hello\"", &text);
	str_add_n(&flood, (const char *)ends, sizeof(ends));
	str_add_n(&flood, (const char *)begun, sizeof(begun));
	for (size_t i = 0; i < 1000; i++)
		str_add_char(&flood, 'x');
	assert_int_equal(send(peer.fd, flood.data, flood.len, MSG_NOSIGNAL), (ssize_t)flood.len);
	while (ws_hub_stats(w.hub)->clients)
		(void)uv_run(&w.loop, UV_RUN_ONCE);
	close_peer(&peer);
	end(&w);
}

static void test_silent_clients_are_pinged_and_then_dropped(void **state)
{
	_cleanup_(str_done) struct str text = { 0 };
	struct world w;
	struct peer peer;

	(void)state;
	start(&w, 10);
	peer = open_peer(&w, 0);
	expect(&w, &peer, "{\"op\":\"hello\"", &text);
	w.now_ms += WS_PING_AFTER_MS;
	assert_int_equal(next_frame(&w, &peer, &text), WS_PING);
	say(&peer, 0x8a, "");
	(void)uv_run(&w.loop, UV_RUN_ONCE);
	/* Heard: the time counts anew. */
	w.now_ms += WS_SILENT_MS - 1;
	assert_int_equal(next_frame(&w, &peer, &text), WS_PING);
	assert_int_equal(ws_hub_stats(w.hub)->evicted, 0);
	w.now_ms += 1;
	assert_int_equal(next_frame(&w, &peer, &text), -1);
	assert_int_equal(ws_hub_stats(w.hub)->evicted, 1);
	assert_int_equal(ws_hub_stats(w.hub)->clients, 0);
	close_peer(&peer);
	end(&w);
}

/* Subscribes and then does not read, until something has to wait here. */
static struct peer open_stalled(struct world *w, const char *big)
{
	struct peer peer = open_peer(w, 4096);
	int64_t sent;
	int same = 0;

	say(&peer, 0x81, "{\"op\":\"sub\",\"id\":1,\"filters\":[\"pve/#\",\"event/#\"]}");
	while (w->used == 0)
		(void)uv_run(&w->loop, UV_RUN_ONCE);
	while (same < 3) {
		sent = ws_hub_stats(w->hub)->bytes;
		w->now_ms += WS_TICK_MS;
		(void)mirror_clear(w->mirror, "pve/home/node/a/state");
		set(w, "pve/home/node/a/state", big);
		(void)uv_run(&w->loop, UV_RUN_NOWAIT);
		same = ws_hub_stats(w->hub)->bytes == sent ? same + 1 : 0;
	}
	return peer;
}

static char *make_big(size_t size)
{
	char *big = xcalloc(1, size + 1);

	memset(big, 'x', size);
	big[0] = big[size - 1] = '"';
	return big;
}

static void test_who_does_not_read_is_evicted(void **state)
{
	_cleanup_(freep) char *big = make_big(60000);
	struct world w;
	struct peer peer;

	(void)state;
	start(&w, 10);
	peer = open_stalled(&w, big);
	assert_int_equal(ws_hub_stats(w.hub)->clients, 1);
	/* One check may find it stalled, and the next, that it still is. */
	while (ws_hub_stats(w.hub)->evicted == 0) {
		w.now_ms += WS_STALLED_MS;
		(void)uv_run(&w.loop, UV_RUN_ONCE);
		assert_true(w.now_ms < 3600 * 1000);
	}
	assert_int_equal(ws_hub_stats(w.hub)->clients, 0);
	close_peer(&peer);
	end(&w);
}

static void test_who_fell_too_far_behind_begins_again(void **state)
{
	_cleanup_(str_done) struct str text = { 0 };
	_cleanup_(freep) char *big = make_big(60000);
	struct world w;
	struct peer peer;

	(void)state;
	start(&w, 10);
	peer = open_stalled(&w, big);
	for (int i = 0; i <= MIRROR_EVENTS_MAX; i++)
		mirror_event(w.mirror, TOPIC_EVENT_TASK, "event/task", "1", 1);
	ws_hub_changed(w.hub);
	/* Now it reads. */
	expect(&w, &peer, "{\"op\":\"reset\"}", &text);
	assert_int_equal(ws_hub_stats(w.hub)->resets, 1);
	expect(&w, &peer, "{\"op\":\"snap\",\"id\":1", &text);
	assert_non_null(strstr(str_get(&text), "\"pve/home/node/a/state\":\"xxx"));
	w.now_ms += WS_TICK_MS;
	mirror_event(w.mirror, TOPIC_EVENT_TASK, "event/task", "2", 1);
	ws_hub_changed(w.hub);
	expect(&w, &peer, "{\"op\":\"chg\"", &text);
	assert_non_null(strstr(str_get(&text), "\"events\":[[\"event/task\",2]]"));
	close_peer(&peer);
	end(&w);
}

static void test_places(void **state)
{
	struct world w;
	uint64_t ticket, first;

	(void)state;
	start(&w, 4 * WS_RESERVED);
	assert_int_equal(ws_hub_admit(w.hub, 1, ALL_TOPICS, &first), WS_ADMITTED);
	for (int i = 1; i < 3 * WS_RESERVED; i++)
		assert_int_equal(ws_hub_admit(w.hub, 1, ALL_TOPICS, &ticket), WS_ADMITTED);
	assert_int_equal(ws_hub_admit(w.hub, 1, ALL_TOPICS, &ticket), WS_OWNER_FULL);
	for (int i = 0; i < WS_RESERVED; i++)
		assert_int_equal(ws_hub_admit(w.hub, 2, ALL_TOPICS, &ticket), WS_ADMITTED);
	assert_int_equal(ws_hub_admit(w.hub, 3, ALL_TOPICS, &ticket), WS_FULL);
	/* What is not taken up lapses. */
	w.now_ms += 10000;
	while (ws_hub_admit(w.hub, 3, ALL_TOPICS, &ticket) != WS_ADMITTED)
		(void)uv_run(&w.loop, UV_RUN_ONCE);
	ws_hub_open(w.hub, first, dup(STDERR_FILENO));
	assert_int_equal(ws_hub_stats(w.hub)->opened, 0);
	ws_hub_stop(w.hub);
	assert_int_equal(ws_hub_admit(w.hub, 3, ALL_TOPICS, &ticket), WS_FULL);
	end(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_client_follows),
		cmocka_unit_test(test_an_ended_session_closes_its_sockets),
		cmocka_unit_test(test_nothing_is_kept_of_a_client_that_is_gone),
		cmocka_unit_test(test_silent_clients_are_pinged_and_then_dropped),
		cmocka_unit_test(test_who_does_not_read_is_evicted),
		cmocka_unit_test(test_who_fell_too_far_behind_begins_again),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
