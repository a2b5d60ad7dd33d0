/* SPDX-License-Identifier: MIT */
/*
 * The life of a service, in one readable order: options, configuration, loop, the service's own state, the bus,
 * the loop, and all of it back again.
 */
#include "common/service.h"

#include "common/alloc.h"
#include "common/log.h"
#include "common/secret.h"
#include "common/service_options.h"
#include "common/service_report.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#define DRAIN_MS 5000
/* How long an orderly end may take in all before we leave as we are; Docker kills after ten seconds. */
#define END_S 8
#define SID_BYTES 8

struct service {
	const struct service_def *def;
	const char *name;
	struct service_options options;
	uv_loop_t loop;
	struct config *config;
	struct service_env env;
	struct secret password;
	char *data_dir;
	char *client_id;
	char *instance; /* of the first configuration: topics do not change while we run */
	char sid[2 * SID_BYTES + 1];
	struct report *report;
	void *self;
	uv_signal_t signals[3];
	bool ending;
};

/* ── reading what is local ─────────────────────────────────────────────────────────────────────────────────── */

static int load_config(struct service *s)
{
	_cleanup_(str_done) struct str errors = { 0 };
	int r = config_load(s->options.config, &s->config, &errors);

	if (r < 0)
		fprintf(stderr, "%s", str_get(&errors));
	return r;
}

static int make_dir(const char *path)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return log_errno(-errno, "make folder %s", path);
	return 0;
}

static bool is_client_secret(const char *text)
{
	return strspn(text, "0123456789abcdef") == 2 * SID_BYTES;
}

/* Writes beside and renames: a crash leaves the old file or the new one, never half of it. */
static int write_client_secret(const char *path, const char *text)
{
	_cleanup_(freep) char *draft = xasprintf("%s.new", path);
	FILE *file = fopen(draft, "we");
	bool written;

	if (!file)
		return log_errno(-errno, "write %s", draft);
	written = fputs(text, file) >= 0 && fflush(file) == 0 && fsync(fileno(file)) == 0;
	if (fclose(file) != 0 || !written || rename(draft, path) < 0)
		return log_errno(errno ? -errno : -EIO, "write %s", path);
	return 0;
}

/*
 * The client id has a secret part that stays the same, so that a restart takes over its own session and nobody
 * else can.
 */
static int read_client_id(struct service *s)
{
	_cleanup_(freep) char *path = xasprintf("%s/client-id", s->data_dir);
	unsigned char random[SID_BYTES];
	char text[2 * SID_BYTES + 2] = "";
	FILE *file = fopen(path, "re");
	int r = 0;

	if (file && !fgets(text, sizeof(text), file))
		text[0] = '\0';
	if (file)
		(void)fclose(file);
	if (!is_client_secret(text)) {
		randombytes_buf(random, sizeof(random));
		hex_build(random, sizeof(random), text);
		r = write_client_secret(path, text);
	}
	s->client_id = xasprintf("%s-%s-%.*s", s->name, s->config->instance, 2 * SID_BYTES, text);
	return r;
}

static int read_password(struct service *s)
{
	_cleanup_(str_done) struct str error = { 0 };
	int r = secret_read(s->options.secrets, s->name, "mqtt-password", &s->password, &error);

	if (r < 0)
		log_error("%s", str_get(&error));
	return r;
}

static int read_local(struct service *s)
{
	int r;

	s->data_dir = xasprintf("%s/%s", s->options.data, s->name);
	r = make_dir(s->options.data);
	if (r == 0)
		r = make_dir(s->data_dir);
	return r == 0 ? read_client_id(s) : r;
}

/* ── the bus ───────────────────────────────────────────────────────────────────────────────────────────────── */

static void deliver(void *ctx, const struct bus_route *route, const struct msg *msg)
{
	struct service *s = ctx;

	route->fn(s->self, msg);
}

static void on_own_retained(void *ctx, const struct msg *msg)
{
	struct service *s = ctx;

	state_on_own_retained(s->env.state, msg);
}

static void on_online(void *ctx)
{
	struct service *s = ctx;

	state_republish(s->env.state);
	if (s->def->on_online)
		s->def->on_online(s->self);
}

static void on_offline(void *ctx)
{
	struct service *s = ctx;

	if (s->def->on_offline)
		s->def->on_offline(s->self);
}

static void on_batch_end(void *ctx)
{
	struct service *s = ctx;

	if (s->def->on_batch_end)
		s->def->on_batch_end(s->self);
}

static int make_bus(struct service *s)
{
	const struct config_mqtt *mqtt = &s->config->mqtt;
	struct bus_options options = {
		.loop = &s->loop,
		.clock = s->env.clock,
		.base = s->config->base,
		.service = s->def->id,
		.instance = s->config->instance,
		.sid = s->sid,
		.host = mqtt->socket ? mqtt->socket : mqtt->host,
		.port = mqtt->socket ? 0 : (int)mqtt->port,
		.password = s->password.value,
		.client_id = s->client_id,
		.keepalive_s = (unsigned)(mqtt->keepalive_ms / 1000),
		.session_expiry_s = s->def->session_expiry_s,
		.routes = s->def->routes,
		.routes_n = s->def->routes_n,
		.ctx = s,
		.deliver = deliver,
		.on_own_retained = on_own_retained,
		.on_online = on_online,
		.on_offline = on_offline,
		.on_batch_end = on_batch_end,
	};
	int r = bus_new(&options, &s->env.bus);

	if (r < 0)
		return log_errno(r, "prepare the connection to the broker");
	state_set_bus(s->env.state, s->env.bus);
	return 0;
}

/* ── signals ───────────────────────────────────────────────────────────────────────────────────────────────── */

/* What the link to the broker was made with. */
static bool needs_restart(const struct config *old, const struct config *now)
{
	return !str_eq(old->base, now->base) || !str_eq(old->instance, now->instance) ||
	       !str_eq(old->mqtt.host, now->mqtt.host) || old->mqtt.port != now->mqtt.port ||
	       !str_eq_null(old->mqtt.socket, now->mqtt.socket) ||
	       old->mqtt.keepalive_ms != now->mqtt.keepalive_ms;
}

static void reload(struct service *s)
{
	struct config *old = s->config;
	_cleanup_(str_done) struct str errors = { 0 };
	struct config *config;

	if (config_load(s->options.config, &config, &errors) < 0) {
		log_error("the configuration is not read again, the old one stays in force: %s",
			  str_get(&errors));
		if (s->def->reload_failed)
			s->def->reload_failed(s->self);
		return;
	}
	if (needs_restart(old, config))
		log_warn(
			"base, instance and mqtt are only read at the start: restart this service");
	s->config = config;
	s->env.config = config;
	log_set_level(config->log_level);
	if (s->def->reload)
		s->def->reload(s->self, config);
	report_info(s->report);
	log_info("read the configuration again");
	config_free(old);
}

static void stop_loop(void *ctx)
{
	struct service *s = ctx;

	for (size_t i = 0; i < countof(s->signals); i++)
		uv_close((uv_handle_t *)&s->signals[i], NULL);
	uv_stop(&s->loop);
}

/* A connect that hangs in the pool, a handle that nobody closes, exit() waiting for pool threads: no loop helps. */
static void late_cb(_unused_ int number)
{
	static const char text[] = "warn something did not end in time; leaving\n";

	(void)!write(STDERR_FILENO, text, sizeof(text) - 1);
	_exit(EX_TEMPFAIL);
}

static void begin_end(struct service *s)
{
	struct sigaction late = { .sa_handler = late_cb };

	(void)sigaction(SIGALRM, &late, NULL);
	(void)alarm(END_S);
	s->ending = true;
	log_info("ending");
	if (s->def->stop)
		s->def->stop(s->self);
	bus_stop(s->env.bus, DRAIN_MS, stop_loop, s);
}

static void signal_cb(uv_signal_t *handle, int number)
{
	struct service *s = handle->data;

	if (number == SIGHUP)
		reload(s);
	else if (s->ending)
		_exit(EX_TEMPFAIL); /* asked twice */
	else
		begin_end(s);
}

static void watch_signals(struct service *s)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };

	for (size_t i = 0; i < countof(numbers); i++) {
		(void)uv_signal_init(&s->loop, &s->signals[i]);
		s->signals[i].data = s;
		(void)uv_signal_start(&s->signals[i], signal_cb, numbers[i]);
	}
}

/* ── order ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static void fill_env(struct service *s)
{
	unsigned char random[SID_BYTES];

	randombytes_buf(random, sizeof(random));
	hex_build(random, sizeof(random), s->sid);
	s->instance = xstrdup(s->config->instance);
	s->env = (struct service_env){
		.loop = &s->loop,
		.clock = &clock_system,
		.config = s->config,
		.state = state_new(&clock_system),
		.instance = s->instance,
		.data_dir = s->data_dir,
		.runtime_dir = s->options.runtime,
		.secrets_dir = s->options.secrets,
		.version = JARVIS_VERSION,
		.started_ms = clock_wall_ms(&clock_system),
		.counters = counters_new(),
	};
}

/* Runs what is left in the loop until every handle is closed; the alarm of begin_end() ends what does not end. */
static void close_loop(struct service *s)
{
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&s->loop);
}

static int run(struct service *s)
{
	int r = s->def->start(&s->env, &s->self);

	if (r < 0)
		return r;
	s->report = report_new(&s->env, s->def->id, s->sid);
	watch_signals(s);
	bus_start(s->env.bus);
	log_info("%s started", JARVIS_VERSION);
	(void)uv_run(&s->loop, UV_RUN_DEFAULT);
	report_free(s->report);
	s->def->free(s->self);
	return 0;
}

static int run_with_bus(struct service *s)
{
	int r;

	(void)uv_loop_init(&s->loop);
	(void)uv_loop_configure(&s->loop,
				UV_METRICS_IDLE_TIME); /* before it runs; see service_report.c */
	fill_env(s);
	r = make_bus(s);
	if (r == 0)
		r = run(s);
	state_set_bus(s->env.state, NULL);
	bus_free(s->env.bus);
	close_loop(s);
	state_free(s->env.state);
	counters_free(s->env.counters);
	return r < 0 ? EX_IOERR : EX_OK;
}

/*
 * Memory holds secrets, and a core would be a file with them. Where a program takes cores the limit does not count, so
 * there is nothing in it.
 */
static void keep_memory_out_of_cores(void)
{
	const struct rlimit none = { 0, 0 };
	FILE *filter = fopen("/proc/self/coredump_filter", "we");

	(void)setrlimit(RLIMIT_CORE, &none);
	if (!filter)
		return;
	(void)fputs("0", filter);
	(void)fclose(filter);
}

static void prepare_process(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	(void)umask(077);
	keep_memory_out_of_cores();
	(void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int serve(struct service *s)
{
	int status = EX_CONFIG;

	if (load_config(s) < 0)
		return EX_CONFIG;
	log_set_level(s->config->log_level);
	if (s->options.check) {
		printf("%s is in order\n", s->options.config);
		return EX_OK;
	}
	if (read_password(s) == 0)
		status = read_local(s) == 0 ? run_with_bus(s) : EX_IOERR;
	return status;
}

int service_main(const struct service_def *def, int argc, char **argv)
{
	struct service s = { .def = def, .name = service_table[def->id].name };
	int r = service_options_parse(s.name, service_table[def->id].doc, argc, argv, &s.options);
	int status;

	if (r != 0)
		return r < 0 ? EX_USAGE : EX_OK;
	log_init(s.name, LOG_LEVEL_INFO);
	if (sodium_init() < 0)
		return EX_SOFTWARE;
	prepare_process();
	status = serve(&s);
	secret_done(&s.password);
	config_free(s.config);
	free(s.data_dir);
	free(s.client_id);
	free(s.instance);
	free(s.env.trouble);
	curl_global_cleanup();
	return status;
}
