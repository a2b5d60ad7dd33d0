/* SPDX-License-Identifier: MIT */
/*
 * Info, health and log of a service. Lag is what the loop spends between two waits: time in which everybody else
 * waits.
 */
#include "common/service_report.h"

#include "common/alloc.h"
#include "common/log.h"
#include "common/timer.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define HEALTH_PERIOD_MS 10000
/* Lines on the log topic: so many at once, then one a second. */
#define LOG_BURST 20

struct report {
	struct service_env *env;
	enum service_id service;
	char *sid;
	struct timer *timer;
	uv_prepare_t *prepare;
	uint64_t turn_ns; /* when the loop last came by, and how long it had waited in all */
	uint64_t idle_ns;
	uint64_t busy_max_ns;
	int64_t started_boot_ms;
	int64_t cpu_us;
	int64_t cpu_at_ms;
	int64_t log_tokens;
	int64_t log_refill_ms;
	int64_t log_dropped;
};

static const char *const *topic_args(const struct report *r, const char *args[3])
{
	args[0] = service_table[r->service].name;
	args[1] = r->env->instance;
	args[2] = NULL;
	return args;
}

/* ── lag ───────────────────────────────────────────────────────────────────────────────────────────────────── */

static void prepare_cb(uv_prepare_t *prepare)
{
	struct report *r = prepare->data;
	uint64_t now = uv_hrtime();
	uint64_t idle = uv_metrics_idle_time(r->env->loop);

	/* Callbacks of sockets run inside the poll: only the loop's own idle time tells them from waiting. */
	if (r->turn_ns)
		r->busy_max_ns = max_of(r->busy_max_ns, (now - r->turn_ns) - (idle - r->idle_ns));
	r->turn_ns = now;
	r->idle_ns = idle;
}

static void close_cb(uv_handle_t *handle)
{
	free(handle);
}

static void lag_start(struct report *r)
{
	r->prepare = xnew(uv_prepare_t);
	(void)uv_prepare_init(r->env->loop, r->prepare);
	r->prepare->data = r;
	(void)uv_prepare_start(r->prepare, prepare_cb);
	/* Watching the loop is no reason to keep it alive. */
	uv_unref((uv_handle_t *)r->prepare);
}

/* ── health ────────────────────────────────────────────────────────────────────────────────────────────────── */

static int64_t cpu_us(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return (int64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

static int64_t rss_bytes(void)
{
	_cleanup_(freep) char *line = NULL;
	FILE *file = fopen("/proc/self/statm", "re");
	size_t size = 0;
	long long pages = 0;

	if (!file)
		return 0;
	if (getline(&line, &size, file) > 0)
		(void)sscanf(line, "%*s %lld", &pages);
	(void)fclose(file);
	return pages * sysconf(_SC_PAGESIZE);
}

static void count_bus(struct report *r)
{
	struct bus_stats bus = bus_stats(r->env->bus);
	struct counters *c = r->env->counters;

	counter_set(c, "bus_received", bus.received);
	counter_set(c, "bus_published", bus.published);
	counter_set(c, "bus_refused", bus.refused);
	counter_set(c, "bus_bad_payloads", bus.bad_payloads);
	counter_set(c, "bus_bad_topics", bus.bad_topics);
	counter_set(c, "bus_dropped_events", bus.dropped_events);
	counter_set(c, "bus_connects", bus.connects);
	counter_set(c, "log_dropped", r->log_dropped);
	counter_set(c, "state_documents", (int64_t)state_count(r->env->state));
}

static void publish_health(struct report *r)
{
	int64_t now = clock_boot_ms(r->env->clock);
	int64_t cpu = cpu_us();
	const char *args[3];
	struct msg_service_health health = {
		.ts = clock_wall_ms(r->env->clock),
		.uptime_s = (now - r->started_boot_ms) / 1000,
		.loop_lag_ms = (double)r->busy_max_ns / 1e6,
		.rss_bytes = rss_bytes(),
		.cpu = now > r->cpu_at_ms ?
			       (double)(cpu - r->cpu_us) / 10.0 / (double)(now - r->cpu_at_ms) :
			       0,
		.bus_queue = (int64_t)bus_stats(r->env->bus).waiting,
	};

	count_bus(r);
	health.counters = counters_get(r->env->counters, &health.counters_n);
	(void)bus_publish(r->env->bus, TOPIC_SERVICE_HEALTH, topic_args(r, args), &health);
	r->busy_max_ns = 0;
	r->cpu_us = cpu;
	r->cpu_at_ms = now;
}

static void fire(void *ctx)
{
	struct report *r = ctx;

	publish_health(r);
	state_refresh(r->env->state);
}

/* ── log and info ──────────────────────────────────────────────────────────────────────────────────────────── */

static bool log_allowed(struct report *r)
{
	int64_t now = clock_boot_ms(r->env->clock);
	int64_t earned = (now - r->log_refill_ms) / 1000;

	if (earned > 0) {
		r->log_tokens = min_of(r->log_tokens + earned, (int64_t)LOG_BURST);
		r->log_refill_ms += earned * 1000;
	}
	if (r->log_tokens > 0) {
		r->log_tokens--;
		return true;
	}
	r->log_dropped++;
	return false;
}

static void log_sink(void *ctx, enum log_level level, const char *text)
{
	struct report *r = ctx;
	const char *args[3];
	struct msg_service_log line = {
		.ts = clock_wall_ms(r->env->clock),
		.level = log_level_name(level),
		.text = text,
	};

	if (log_allowed(r))
		(void)bus_publish(r->env->bus, TOPIC_SERVICE_LOG, topic_args(r, args), &line);
}

void report_info(struct report *r)
{
	const char *args[3];
	struct msg_service_info info = {
		.ts = clock_wall_ms(r->env->clock),
		.service = service_table[r->service].name,
		.instance = r->env->instance,
		.version = r->env->version,
		.started_ms = r->env->started_ms,
		.sid = r->sid,
		.config_digest = config_digest(r->env->config),
		.trouble = r->env->trouble,
	};

	(void)state_set(r->env->state, TOPIC_SERVICE_INFO, topic_args(r, args), &info);
}

void service_set_trouble(struct service_env *env, const char *text)
{
	const char *trouble = text && text[0] ? text : NULL;

	if (str_eq_null(env->trouble, trouble))
		return;
	free(env->trouble);
	env->trouble = xstrdup_null(trouble);
	if (env->report)
		report_info(env->report);
}

struct report *report_new(struct service_env *env, enum service_id service, const char *sid)
{
	struct report *r = xnew(struct report);

	r->env = env;
	r->service = service;
	r->sid = xstrdup(sid);
	r->cpu_us = cpu_us();
	r->cpu_at_ms = clock_boot_ms(env->clock);
	r->started_boot_ms = r->cpu_at_ms;
	r->log_tokens = LOG_BURST;
	r->log_refill_ms = r->cpu_at_ms;
	r->timer = timer_new(env->loop, fire, r);
	/* The first report soon, so that a page that was just opened is not empty. */
	timer_every(r->timer, 1000, HEALTH_PERIOD_MS);
	lag_start(r);
	log_set_sink(log_sink, r);
	env->report = r;
	report_info(r);
	return r;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	log_set_sink(NULL, NULL);
	r->env->report = NULL;
	timer_free(r->timer);
	uv_close((uv_handle_t *)r->prepare, close_cb);
	free(r->sid);
	free(r);
}
