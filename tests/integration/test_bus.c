/* SPDX-License-Identifier: MIT */
/*
 * The bus against a real broker with the real ACL: presence and last will, state that comes back after the broker
 * was killed, acknowledgements that wait for the commit, refused commands, replies, the event queue.
 */
#include "common/bus.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/log.h"
#include "common/state.h"
#include "common/str.h"
#include "tests/integration/cable.h"
#include "tests/integration/harness.h"
#include "tests/unit/check.h"

#define DEADLINE_MS 10000

/* One client of the broker, and what it saw. */
struct peer {
	struct harness *h;
	struct bus *bus;
	struct state *state;
	const char *instance;
	char last_topic[256];
	char last_payload[4096];
	bool last_retained;
	int received, online, offline, cleared, batches;
	const char *socket; /* NULL: the broker's own */
	bool stopped;
};

static void deliver(void *ctx, const struct bus_route *route, const struct msg *msg)
{
	struct peer *p = ctx;

	(void)snprintf(p->last_topic, sizeof(p->last_topic), "%s", msg->topic);
	(void)snprintf(p->last_payload, sizeof(p->last_payload), "%s", msg->payload);
	p->last_retained = msg->retained;
	p->received++;
	p->cleared += msg->payload_len == 0;
	if (route->fn)
		route->fn(p, msg);
}

static void on_online(void *ctx)
{
	struct peer *p = ctx;

	p->online++;
	if (p->state)
		state_republish(p->state);
}

static void on_offline(void *ctx)
{
	((struct peer *)ctx)->offline++;
}

static void on_batch_end(void *ctx)
{
	((struct peer *)ctx)->batches++;
}

static void on_own_retained(void *ctx, const struct msg *msg)
{
	struct peer *p = ctx;

	if (p->state)
		state_on_own_retained(p->state, msg);
}

static void peer_start(struct peer *p, struct harness *h, enum service_id service,
		       const struct bus_route *routes, size_t n)
{
	static char client_id[64];
	struct bus_options options = {
		.loop = harness_loop(h),
		.clock = &clock_system,
		.base = "jarvis",
		.service = service,
		.instance = p->instance ? p->instance : "main",
		.sid = "0123456789abcdef",
		.host = p->socket ? p->socket : harness_socket(h),
		.password = harness_password(),
		.client_id = client_id,
		.keepalive_s = 15,
		.routes = routes,
		.routes_n = n,
		.ctx = p,
		.deliver = deliver,
		.on_own_retained = on_own_retained,
		.on_online = on_online,
		.on_batch_end = on_batch_end,
		.on_offline = on_offline,
	};

	p->h = h;
	(void)snprintf(client_id, sizeof(client_id), "%s-%p", service_table[service].name,
		       (void *)p);
	assert_int_equal(bus_new(&options, &p->bus), 0);
	if (p->state)
		state_set_bus(p->state, p->bus);
	bus_start(p->bus);
}

static void on_stopped(void *ctx)
{
	((struct peer *)ctx)->stopped = true;
}

static bool is_stopped(void *ctx)
{
	return ((struct peer *)ctx)->stopped;
}

static void peer_stop(struct peer *p)
{
	bus_stop(p->bus, 2000, on_stopped, p);
	harness_wait(p->h, is_stopped, p, DEADLINE_MS, "the bus stops");
	bus_free(p->bus);
	if (p->state)
		state_free(p->state);
}

static bool is_settled(void *ctx)
{
	struct peer *p = ctx;

	return bus_is_online(p->bus) && bus_stats(p->bus).waiting == 0;
}

static bool has_received(void *ctx)
{
	return ((struct peer *)ctx)->received > 0;
}

static void forget(struct peer *p)
{
	p->received = 0;
	p->cleared = 0;
	p->last_topic[0] = '\0';
	p->last_payload[0] = '\0';
}

static const struct bus_route presence_routes[] = { { .topic = TOPIC_SERVICE_STATE } };
static const struct bus_route cluster_routes[] = { { .topic = TOPIC_CLUSTER_STATE } };

static bool says_offline(void *ctx)
{
	return str_eq(((struct peer *)ctx)->last_payload, "offline");
}

static bool says_online(void *ctx)
{
	return str_eq(((struct peer *)ctx)->last_payload, "online");
}

static void presence_and_orderly_end(void **state)
{
	struct harness *h = harness_new();
	struct peer watcher = { 0 }, service = { 0 };

	(void)state;
	peer_start(&watcher, h, SERVICE_GATEWAY, presence_routes, 1);
	harness_wait(h, says_online, &watcher, DEADLINE_MS, "the watcher sees itself online");
	forget(&watcher);
	peer_start(&service, h, SERVICE_PROXMOX_POLLER, NULL, 0);
	harness_wait(h, says_online, &watcher, DEADLINE_MS, "the service is announced");
	assert_string_equal(watcher.last_topic, "jarvis/service/proxmox-poller/main/state");
	assert_false(watcher.last_retained);
	bus_stop(service.bus, 2000, on_stopped, &service);
	harness_wait(h, says_offline, &watcher, DEADLINE_MS, "the service says goodbye");
	harness_wait(h, is_stopped, &service, DEADLINE_MS, "the service ends");
	bus_free(service.bus);
	peer_stop(&watcher);
	harness_free(h);
}

/* A document of ours survives the broker, and a broker that lost everything gets it again. */
static void state_comes_back(void **state)
{
	static const char *const args[] = { "home", NULL };
	struct msg_cluster_state doc = { .cluster = "home", .ts = 1 };
	struct harness *h = harness_new();
	struct peer service = { .state = state_new(&clock_system) }, watcher = { 0 };
	_cleanup_(freep) char *db = xasprintf("%s/mosquitto.db", harness_dir(h));

	(void)state;
	peer_start(&service, h, SERVICE_PROXMOX_POLLER, NULL, 0);
	assert_true(state_set(service.state, TOPIC_CLUSTER_STATE, args,
			      &doc)); /* before it is online */
	harness_wait(h, is_settled, &service, DEADLINE_MS, "the service publishes");
	harness_broker_kill(h, SIGKILL);
	(void)unlink(db);
	harness_broker_start(h);
	peer_start(&watcher, h, SERVICE_GATEWAY, cluster_routes, 1);
	harness_wait(h, has_received, &watcher, DEADLINE_MS, "the document is there again");
	assert_string_equal(watcher.last_topic, "jarvis/pve/home/state");
	assert_non_null(strstr(watcher.last_payload, "\"cluster\":\"home\""));
	assert_int_equal(service.online, 2);
	peer_stop(&watcher);
	peer_stop(&service);
	harness_free(h);
}

/* A new run that knows all there is, and somebody who sees the old document go. */
struct adoption {
	struct peer *run, *watcher;
};

static bool adopts_and_clears(void *ctx)
{
	static const char *const here[] = { "home", NULL };
	struct adoption *pair = ctx;

	state_adopt(pair->run->state, TOPIC_GUEST_STATE, here);
	return pair->watcher->cleared > 0;
}

/* What an earlier run left behind is cleared once the new run knows what there is. */
static void orphans_are_cleared(void **state)
{
	static const char *const old[] = { "home", "101", NULL };
	static const struct bus_route guest_routes[] = { { .topic = TOPIC_GUEST_STATE } };
	struct msg_guest_state guest = { .cluster = "home", .vmid = 101, .node = "pve" };
	struct harness *h = harness_new();
	struct peer first = { .state = state_new(&clock_system) };
	struct peer second = { .state = state_new(&clock_system) };
	struct peer watcher = { 0 };
	struct adoption pair;

	(void)state;
	peer_start(&first, h, SERVICE_PROXMOX_POLLER, NULL, 0);
	(void)state_set(first.state, TOPIC_GUEST_STATE, old, &guest);
	harness_wait(h, is_settled, &first, DEADLINE_MS, "the first run publishes");
	peer_stop(&first);
	peer_start(&watcher, h, SERVICE_GATEWAY, guest_routes, 1);
	harness_wait(h, has_received, &watcher, DEADLINE_MS, "the old document is there");
	assert_true(watcher.last_retained);
	peer_start(&second, h, SERVICE_PROXMOX_POLLER, NULL, 0);
	harness_wait(h, is_settled, &second, DEADLINE_MS, "the second run is online");
	pair = (struct adoption){ &second, &watcher };
	harness_wait(h, adopts_and_clears, &pair, DEADLINE_MS, "the old document is cleared");
	peer_stop(&second);
	peer_stop(&watcher);
	harness_free(h);
}

static bool is_offline(void *ctx)
{
	return ((struct peer *)ctx)->offline > 0;
}

static bool says_three(void *ctx)
{
	return strstr(((struct peer *)ctx)->last_payload, "\"ts\":3") != NULL;
}

/*
 * The broker has ts 2, its acknowledgement is lost, the connection breaks, ts 3 is set: what was not acknowledged
 * must not come again behind it. The same for a document that is cleared meanwhile.
 */
static void old_state_stays_behind(bool is_cleared)
{
	static const char *const args[] = { "home", NULL };
	struct msg_cluster_state doc = { .cluster = "home", .ts = 1 };
	struct harness *h = harness_new();
	struct cable *cable = cable_new(h);
	struct peer service = { .state = state_new(&clock_system), .socket = cable_socket(cable) };
	struct peer watcher = { 0 }, late = { 0 };

	peer_start(&watcher, h, SERVICE_GATEWAY, cluster_routes, 1);
	harness_wait(h, is_settled, &watcher, DEADLINE_MS, "the watcher is online");
	peer_start(&service, h, SERVICE_PROXMOX_POLLER, NULL, 0);
	harness_wait(h, is_settled, &service, DEADLINE_MS, "the service is online");
	cable_lose_answers(cable);
	doc.ts = 2;
	state_set_always(service.state, TOPIC_CLUSTER_STATE, args, &doc);
	harness_wait(h, has_received, &watcher, DEADLINE_MS, "the broker has the second document");
	cable_cut(cable);
	harness_wait(h, is_offline, &service, DEADLINE_MS, "the service is offline");
	doc.ts = 3;
	if (is_cleared)
		state_clear(service.state, TOPIC_CLUSTER_STATE, args);
	else
		state_set_always(service.state, TOPIC_CLUSTER_STATE, args, &doc);
	forget(&watcher);
	cable_mend(cable);
	harness_wait(h, is_settled, &service, DEADLINE_MS, "the service is online again");
	peer_start(&late, h, SERVICE_MONITOR, cluster_routes, 1);
	if (is_cleared)
		harness_wait(h, is_settled, &late, DEADLINE_MS, "a late watcher is online");
	else
		harness_wait(h, says_three, &late, DEADLINE_MS, "the newest document is there");
	assert_null(strstr(watcher.last_payload, "\"ts\":2"));
	assert_null(strstr(late.last_payload, "\"ts\":2"));
	peer_stop(&late);
	peer_stop(&service);
	peer_stop(&watcher);
	cable_free(cable);
	harness_free(h);
}

static void old_state_does_not_come_again(void **state)
{
	(void)state;
	old_state_stays_behind(false);
}

static void what_was_cleared_offline_stays_away(void **state)
{
	(void)state;
	old_state_stays_behind(true);
}

/* ── commands ──────────────────────────────────────────────────────────────────────────────────────────────── */

static const char *const poller_from_monitor[] = { "proxmox-poller", "monitor", NULL };
static const struct bus_route reply_routes[] = { { .topic = TOPIC_REPLY } };

static void answer(void *self, const struct msg *msg)
{
	struct peer *p = self;
	struct msg_reply reply = { .request_id = msg->request->request_id,
				   .status = REPLY_OK,
				   .text = msg->request->op };

	bus_reply(p->bus, msg, msg->request->request_id, &reply);
}
static const struct bus_route request_routes[] = { { .topic = TOPIC_REQUEST, .fn = answer } };

static void send_text(struct peer *p, const char *text)
{
	forget(p);
	assert_int_equal(
		bus_publish_text(p->bus, TOPIC_REQUEST, poller_from_monitor, text, strlen(text)),
		0);
}

static void commands_are_answered_or_refused(void **state)
{
	struct harness *h = harness_new();
	struct peer service = { 0 }, asker = { 0 };

	(void)state;
	peer_start(&service, h, SERVICE_PROXMOX_POLLER, request_routes, 1);
	peer_start(&asker, h, SERVICE_MONITOR, reply_routes, 1);
	harness_wait(h, is_settled, &service, DEADLINE_MS, "the service is online");
	harness_wait(h, is_settled, &asker, DEADLINE_MS, "the asker is online");

	send_text(&asker, "{\"request_id\":\"r-1\",\"op\":\"refresh\"}");
	harness_wait(h, has_received, &asker, DEADLINE_MS, "the command is answered");
	assert_string_equal(asker.last_topic, "jarvis/reply/monitor/r-1");
	assert_non_null(strstr(asker.last_payload, "\"status\":\"ok\""));

	send_text(&asker, "{\"request_id\":\"r-2\",\"op\":\"refresh\",\"surprise\":1}");
	harness_wait(h, has_received, &asker, DEADLINE_MS, "an unknown field is answered");
	assert_non_null(strstr(asker.last_payload, "\"status\":\"error\""));
	assert_non_null(strstr(asker.last_payload, "surprise"));
	assert_int_equal(service.received, 1);
	assert_int_equal(bus_stats(service.bus).bad_payloads, 1);

	send_text(&asker, "{\"request_id\":\"r-3\",\"op\":\"refresh\"}");
	harness_wait(h, has_received, &asker, DEADLINE_MS, "the service goes on");
	peer_stop(&asker);
	peer_stop(&service);
	harness_free(h);
}

/* What the ACL forbids is refused by the broker, counted, and does not break the link. */
static void refusals_are_counted(void **state)
{
	static const char *const args[] = { "home", NULL };
	struct harness *h = harness_new();
	struct peer p = { 0 };
	struct msg_cluster_state doc = { .cluster = "home" };

	(void)state;
	peer_start(&p, h, SERVICE_NOTIFIER, NULL, 0);
	harness_wait(h, is_settled, &p, DEADLINE_MS, "the peer is online");
	assert_int_equal(bus_publish(p.bus, TOPIC_CLUSTER_STATE, args, &doc), 0);
	harness_wait(h, is_settled, &p, DEADLINE_MS, "the broker answers");
	assert_int_equal(bus_stats(p.bus).refused, 1);
	assert_true(bus_is_online(p.bus));
	peer_stop(&p);
	harness_free(h);
}

/* ── events ────────────────────────────────────────────────────────────────────────────────────────────────── */

static bool has_ten(void *ctx)
{
	return ((struct peer *)ctx)->received >= 10;
}

static void events_wait_for_the_broker(void **state)
{
	static const struct bus_route routes[] = { { .topic = TOPIC_EVENT_TASK } };
	struct msg_event_task event = { .id = "01J", .event_type = EVENT_NEW, .cluster = "home" };
	struct harness *h = harness_new();
	struct peer sender = { 0 }, watcher = { 0 };

	(void)state;
	peer_start(&watcher, h, SERVICE_GATEWAY, routes, 1);
	harness_wait(h, is_settled, &watcher, DEADLINE_MS, "the watcher is online");
	peer_start(&sender, h, SERVICE_PROXMOX_POLLER, NULL, 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(bus_publish(sender.bus, TOPIC_EVENT_TASK, NULL, &event),
				 BUS_E_OFFLINE);
	harness_wait(h, has_ten, &watcher, DEADLINE_MS, "the events arrive");
	assert_int_equal(watcher.received, 10);
	peer_stop(&sender);
	peer_stop(&watcher);
	harness_free(h);
}

static bool has_two(void *ctx)
{
	return ((struct peer *)ctx)->received >= 2;
}

/* An event whose acknowledgement was lost is sent again: twice is better than never. */
static void events_survive_a_cut(void **state)
{
	static const struct bus_route routes[] = { { .topic = TOPIC_EVENT_TASK } };
	struct msg_event_task event = { .id = "01J", .event_type = EVENT_NEW, .cluster = "home" };
	struct harness *h = harness_new();
	struct cable *cable = cable_new(h);
	struct peer sender = { .socket = cable_socket(cable) }, watcher = { 0 };

	(void)state;
	peer_start(&watcher, h, SERVICE_GATEWAY, routes, 1);
	harness_wait(h, is_settled, &watcher, DEADLINE_MS, "the watcher is online");
	peer_start(&sender, h, SERVICE_PROXMOX_POLLER, NULL, 0);
	harness_wait(h, is_settled, &sender, DEADLINE_MS, "the sender is online");
	cable_lose_answers(cable);
	assert_int_equal(bus_publish(sender.bus, TOPIC_EVENT_TASK, NULL, &event), 0);
	harness_wait(h, has_received, &watcher, DEADLINE_MS, "the event arrives");
	cable_cut(cable);
	harness_wait(h, is_offline, &sender, DEADLINE_MS, "the sender is offline");
	assert_int_equal(bus_stats(sender.bus).waiting, 1);
	cable_mend(cable);
	harness_wait(h, has_two, &watcher, DEADLINE_MS, "the event arrives again");
	harness_wait(h, is_settled, &sender, DEADLINE_MS, "it is acknowledged");
	peer_stop(&sender);
	peer_stop(&watcher);
	cable_free(cable);
	harness_free(h);
}

/* ── a service that is killed ──────────────────────────────────────────────────────────────────────────────── */

/*
 * This program started again as a child: a service that runs until it is killed (proxmox-poller), one that dies in
 * its commit, and one that ends well after its first message (memory, with a persistent session).
 */
enum child_mode { CHILD_STAY, CHILD_DIE, CHILD_TAKE };

static const char *const child_modes[] = { "stay", "die", "take" };

struct child {
	struct peer peer;
	enum child_mode mode;
};

static void child_batch_end(void *ctx)
{
	struct child *c = ctx;

	if (c->mode != CHILD_STAY && c->peer.received > 0)
		_exit(c->mode == CHILD_DIE ? 42 : 7);
}

static int run_child(enum child_mode mode, const char *socket)
{
	static const struct bus_route routes[] = { { .topic = TOPIC_REQUEST } };
	struct child c = { .mode = mode };
	struct bus_options options = {
		.clock = &clock_system,
		.base = "jarvis",
		.instance = "main",
		.sid = "0123456789abcdef",
		.service = mode == CHILD_STAY ? SERVICE_PROXMOX_POLLER : SERVICE_MEMORY,
		.host = socket,
		.password = harness_password(),
		.client_id = child_modes[0],
		.keepalive_s = 15,
		.session_expiry_s = mode == CHILD_STAY ? 0 : 3600,
		.routes = routes,
		.routes_n = 1,
		.ctx = &c,
		.deliver = deliver,
		.on_batch_end = child_batch_end,
	};
	uv_loop_t loop;

	if (uv_loop_init(&loop) < 0)
		return 1;
	options.loop = &loop;
	if (bus_new(&options, &c.peer.bus) < 0)
		return 1;
	bus_start(c.peer.bus);
	return uv_run(&loop, UV_RUN_DEFAULT);
}

static pid_t spawn_child(struct harness *h, enum child_mode mode)
{
	const char *argv[] = { "/proc/self/exe", child_modes[mode], harness_socket(h), NULL };

	return harness_spawn(h, child_modes[mode], argv);
}

static void last_will_speaks(void **state)
{
	struct harness *h = harness_new();
	struct peer watcher = { 0 };
	pid_t pid;

	(void)state;
	peer_start(&watcher, h, SERVICE_GATEWAY, presence_routes, 1);
	harness_wait(h, says_online, &watcher, DEADLINE_MS, "the watcher sees itself online");
	forget(&watcher);
	pid = spawn_child(h, CHILD_STAY);
	harness_wait(h, says_online, &watcher, DEADLINE_MS, "the child is announced");
	assert_int_equal(kill(pid, SIGKILL), 0);
	(void)harness_reap(pid, DEADLINE_MS);
	harness_wait(h, says_offline, &watcher, DEADLINE_MS, "its last will is published");
	assert_string_equal(watcher.last_topic, "jarvis/service/proxmox-poller/main/state");
	peer_stop(&watcher);
	harness_free(h);
}

/* What was received but not committed was not acknowledged either: the next run gets it again. */
static void acknowledgements_wait_for_the_commit(void **state)
{
	static const char *const memory_from_monitor[] = { "memory", "monitor", NULL };
	static const char text[] = "{\"request_id\":\"r-1\",\"op\":\"keep\"}";
	struct harness *h = harness_new();
	struct peer asker = { 0 };
	pid_t pid;

	(void)state;
	peer_start(&asker, h, SERVICE_MONITOR, presence_routes, 1);
	harness_wait(h, says_online, &asker, DEADLINE_MS, "the asker is online");
	forget(&asker);
	pid = spawn_child(h, CHILD_DIE);
	harness_wait(h, says_online, &asker, DEADLINE_MS, "the child is online");
	assert_int_equal(bus_publish_text(asker.bus, TOPIC_REQUEST, memory_from_monitor, text,
					  sizeof(text) - 1),
			 0);
	harness_wait(h, says_offline, &asker, DEADLINE_MS, "the child dies in its commit");
	assert_int_equal(WEXITSTATUS(harness_reap(pid, DEADLINE_MS)), 42);
	pid = spawn_child(h, CHILD_TAKE);
	assert_int_equal(WEXITSTATUS(harness_reap(pid, DEADLINE_MS)), 7);
	peer_stop(&asker);
	harness_free(h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presence_and_orderly_end),
		cmocka_unit_test(state_comes_back),
		cmocka_unit_test(orphans_are_cleared),
		cmocka_unit_test(old_state_does_not_come_again),
		cmocka_unit_test(what_was_cleared_offline_stays_away),
		cmocka_unit_test(commands_are_answered_or_refused),
		cmocka_unit_test(refusals_are_counted),
		cmocka_unit_test(events_wait_for_the_broker),
		cmocka_unit_test(events_survive_a_cut),
		cmocka_unit_test(last_will_speaks),
		cmocka_unit_test(acknowledgements_wait_for_the_commit),
	};

	log_init("test", LOG_LEVEL_ERROR);
	for (size_t i = 0; argc == 3 && i < countof(child_modes); i++) {
		if (str_eq(argv[1], child_modes[i]))
			return run_child((enum child_mode)i, argv[2]);
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
