/* SPDX-License-Identifier: MIT */
/*
 * Reading one node again and again. The command that is asked for does not matter: the node's authorized_keys says
 * what is run.
 */
#include "services/thermal-collector/node.h"

#include <sodium.h>
#include <stdio.h>

#include "common/alloc.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/ssh.h"
#include "common/timer.h"
#include "services/thermal-collector/rest.h"
#include "services/thermal-collector/thermal_parse.h"

#define COMMAND "jarvis-thermal"
#define ERROR_BYTES 257

struct node {
	struct service_env *env;
	struct arena *arena; /* of the settings */
	struct node_settings settings;
	node_result_fn on_result;
	void *ctx;

	struct ssh *ssh;
	bool is_asking;
	int64_t good_since_ms; /* this connection brought its first answer; 0: none yet */
	bool is_stopped;
	struct timer *timer;
	int64_t due_ms;

	unsigned failures;
	bool has_result;
	struct opt_i64 last_ok_ms; /* boot clock */
	struct opt_f64 latency_ms;
	char error[ERROR_BYTES]; /* "" while all is well */
};

static void connect_node(struct node *node);

static int64_t now_of(const struct node *node)
{
	return clock_boot_ms(node->env->clock);
}

static void wake_in(struct node *node, int64_t delay)
{
	if (!node->is_stopped)
		timer_once(node->timer, (uint64_t)max_of(delay, (int64_t)0));
}

/* ── results ───────────────────────────────────────────────────────────────────────────────────────────────── */

/* What was there before, now unknown: the sensors themselves have not gone. */
static void keep_names(const struct msg_node_thermal *old, struct arena *arena,
		       struct msg_node_thermal *doc)
{
	struct msg_temperature *list;
	struct msg_fan *fans;

	if (!old)
		return;
	list = arena_alloc(arena, (old->temperatures_n + 1) * sizeof(*list));
	fans = arena_alloc(arena, (old->fans_n + 1) * sizeof(*fans));
	for (size_t i = 0; i < old->temperatures_n; i++) {
		list[i] = old->temperatures[i];
		list[i].sensor = arena_strdup(arena, list[i].sensor);
		list[i].celsius.has = false;
	}
	for (size_t i = 0; i < old->fans_n; i++)
		fans[i].fan = arena_strdup(arena, old->fans[i].fan);
	doc->temperatures = list;
	doc->temperatures_n = old->temperatures_n;
	doc->fans = fans;
	doc->fans_n = old->fans_n;
}

static void publish(struct node *node, struct msg_node_thermal *doc)
{
	const char *const args[] = { node->settings.cluster, node->settings.name, NULL };

	doc->ts = clock_wall_ms(node->env->clock);
	doc->cluster = node->settings.cluster;
	doc->node = node->settings.name;
	doc->reason = node->error[0] ? node->error : NULL;
	(void)state_set(node->env->state, TOPIC_NODE_THERMAL, args, doc);
	node->has_result = true;
	node->on_result(node->ctx);
}

static void drop_connection(struct node *node)
{
	node->is_asking = false;
	node->good_since_ms = 0;
	ssh_free(take(node->ssh));
}

static double roll(void)
{
	return (double)randombytes_uniform(1 << 20) / (1 << 20);
}

/* TEXT may be a peer's: it goes out as plain ASCII. */
static void fail(struct node *node, bool is_refused, const char *text)
{
	const char *const args[] = { node->settings.cluster, node->settings.name, NULL };
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	struct msg_node_thermal doc = { 0 };
	_cleanup_(freep) char *before = xstrdup(node->error);

	(void)snprintf(node->error, sizeof(node->error), "%s", text);
	for (char *c = node->error; *c; c++) {
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	}
	node->failures++;
	counter_add(node->env->counters, "thermal_failures", 1);
	if (!str_eq(node->error, before))
		log_warn("%s/%s: %s", node->settings.cluster, node->settings.name, node->error);
	keep_names(state_get(node->env->state, TOPIC_NODE_THERMAL, args), arena, &doc);
	wake_in(node, rest_ms(node->failures, node->settings.interval_ms, is_refused, roll()));
	publish(node, &doc);
}

static void succeed(struct node *node, unsigned latency_ms, struct msg_node_thermal *doc)
{
	int64_t now = now_of(node), interval = node->settings.interval_ms;

	if (node->failures)
		log_info("%s/%s answers again", node->settings.cluster, node->settings.name);
	node->failures = 0;
	node->error[0] = '\0';
	node->good_since_ms = node->good_since_ms ? node->good_since_ms : now;
	node->last_ok_ms = some_i64(now);
	node->latency_ms = some_f64(latency_ms);
	counter_add(node->env->counters, "thermal_readings", 1);
	/* From the time it was due, so that slow answers do not stretch the period. */
	node->due_ms += interval;
	if (node->due_ms <= now || node->due_ms > now + interval)
		node->due_ms = now + interval;
	wake_in(node, node->due_ms - now);
	publish(node, doc);
}

/* ── asking ────────────────────────────────────────────────────────────────────────────────────────────────── */

static void take_answer(struct node *node, const struct ssh_result *result)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new();
	_cleanup_(str_done) struct str error = { 0 };
	struct msg_node_thermal doc = { 0 };
	struct thermal_counts counts = { 0 };

	if (thermal_parse(result->output, result->output_len, arena, &doc, &counts, &error) < 0) {
		fail(node, false, str_get(&error));
		return;
	}
	/* Only the names of counters that have counted are shown. */
	if (counts.bad_lines)
		counter_add(node->env->counters, "thermal_bad_lines", counts.bad_lines);
	if (counts.nonsense)
		counter_add(node->env->counters, "thermal_nonsense", counts.nonsense);
	succeed(node, result->duration_ms, &doc);
}

static void on_done(void *ctx, const struct ssh_result *result)
{
	struct node *node = ctx;

	node->is_asking = false;
	/* The end of the connection is told next. */
	if (!ssh_is_up(node->ssh))
		return;
	if (result->outcome == SSH_ENDED)
		take_answer(node, result);
	else
		fail(node, false, result->error);
}

static void ask(struct node *node)
{
	const struct ssh_command command = {
		.command = COMMAND,
		.timeout_ms = (unsigned)node->settings.command_timeout_ms,
	};

	node->is_asking = ssh_exec(node->ssh, &command, on_done, node) != NULL;
}

static void on_up(void *ctx)
{
	struct node *node = ctx;

	counter_add(node->env->counters, "thermal_connects", 1);
	ask(node);
}

static void on_down(void *ctx, enum ssh_end end, const char *error)
{
	struct node *node = ctx;
	/* Not one that ends after every answer: such a node rests. */
	bool was_good = node->good_since_ms &&
			now_of(node) - node->good_since_ms >= node->settings.interval_ms;

	drop_connection(node);
	if (was_good)
		connect_node(node);
	else
		fail(node, end != SSH_END_UNREACHABLE, error);
}

static void connect_node(struct node *node)
{
	static const struct ssh_hooks hooks = { on_up, on_down };
	_cleanup_(secret_done) struct secret key = { 0 };
	_cleanup_(str_done) struct str error = { 0 };
	struct ssh_options options = {
		.loop = node->env->loop,
		.host = node->settings.host,
		.port = node->settings.port,
		.user = node->settings.user,
		.known_hosts = node->settings.known_hosts,
		.connect_timeout_ms = (unsigned)node->settings.connect_timeout_ms,
	};

	timer_stop(node->timer);
	if (secret_read(node->env->secrets_dir, "thermal-collector", "ssh-key", &key, &error) < 0) {
		fail(node, false, str_get(&error));
		return;
	}
	options.key = key.value;
	options.key_len = key.len;
	node->ssh = ssh_open(&options, &hooks, node);
}

static void on_timer(void *ctx)
{
	struct node *node = ctx;

	if (node->is_asking)
		return;
	if (!node->ssh)
		connect_node(node);
	else if (ssh_is_up(node->ssh))
		ask(node);
}

/* ── its life ──────────────────────────────────────────────────────────────────────────────────────────────── */

static void copy_settings(struct node *node, const struct node_settings *settings)
{
	struct node_settings *mine = &node->settings;

	*mine = *settings;
	mine->cluster = arena_strdup(node->arena, settings->cluster);
	mine->name = arena_strdup(node->arena, settings->name);
	mine->host = arena_strdup(node->arena, settings->host);
	mine->user = arena_strdup(node->arena, settings->user);
	mine->known_hosts = arena_strdup(node->arena, settings->known_hosts);
}

struct node *node_new(struct service_env *env, const struct node_settings *settings,
		      node_result_fn on_result, void *ctx)
{
	struct node *node = xnew(struct node);

	node->env = env;
	node->arena = arena_new();
	copy_settings(node, settings);
	node->on_result = on_result;
	node->ctx = ctx;
	node->due_ms = now_of(node);
	node->timer = timer_new(env->loop, on_timer, node);
	wake_in(node, 0);
	return node;
}

void node_stop(struct node *node)
{
	node->is_stopped = true;
	timer_stop(node->timer);
	drop_connection(node);
}

void node_free(struct node *node)
{
	if (!node)
		return;
	node_stop(node);
	timer_free(node->timer);
	arena_free(node->arena);
	free(node);
}

bool node_has_settings(const struct node *node, const struct node_settings *settings)
{
	const struct node_settings *a = &node->settings, *b = settings;

	return str_eq(a->cluster, b->cluster) && str_eq(a->name, b->name) &&
	       str_eq(a->host, b->host) && a->port == b->port && str_eq(a->user, b->user) &&
	       str_eq(a->known_hosts, b->known_hosts) && a->interval_ms == b->interval_ms &&
	       a->connect_timeout_ms == b->connect_timeout_ms &&
	       a->command_timeout_ms == b->command_timeout_ms;
}

void node_retry(struct node *node, node_result_fn on_result, void *ctx)
{
	node->on_result = on_result;
	node->ctx = ctx;
	if (node->failures)
		wake_in(node, 0);
}

void node_forget(struct node *node)
{
	const char *const args[] = { node->settings.cluster, node->settings.name, NULL };

	state_clear(node->env->state, TOPIC_NODE_THERMAL, args);
}

const char *node_name(const struct node *node)
{
	return node->settings.name;
}

bool node_has_result(const struct node *node)
{
	return node->has_result;
}

void node_build_source(const struct node *node, struct msg_source_state *ret)
{
	*ret = (struct msg_source_state){
		.period_s = (double)node->settings.interval_ms / 1000,
		.latency_ms = node->latency_ms,
		.failures = node->failures,
		.error = node->error[0] ? node->error : NULL,
	};
	if (node->last_ok_ms.has)
		ret->last_ok_ms = some_i64(clock_wall_ms(node->env->clock) -
					   (now_of(node) - node->last_ok_ms.v));
}
