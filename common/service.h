/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The life of a service: one table handed to service_main(). See HACKING.md, "Add a service".
 */
#include "common/bus.h"
#include "common/config.h"
#include "common/counters.h"
#include "common/state.h"
#include "common/time.h"

struct report;

/* What a service is given; it outlives the service's state. */
struct service_env {
	uv_loop_t *loop;
	const struct clock *clock;
	const struct config *config;
	struct bus *bus;
	struct state *state; /* the documents it owns */
	const char *instance;
	const char *data_dir; /* $data/<service>, made with mode 0700 */
	const char *runtime_dir;
	const char *secrets_dir;
	const char *version;
	int64_t started_ms; /* wall */
	struct counters *counters;
	char *trouble;	       /* by service_set_trouble() */
	struct report *report; /* internal to service*.c */
};

struct service_def {
	enum service_id id;
	const struct bus_route *routes;
	size_t routes_n;
	unsigned session_expiry_s; /* 0: clean session */
	/* Builds the state and opens what is local; nothing is published yet. 0 or -errno, logged by it. */
	int (*start)(struct service_env *env, void **ret);
	/* Optional. Begins no new work; the loop still runs until what is in flight is done. */
	void (*stop)(void *self);
	void (*free)(void *self);
	void (*on_online)(void *self);	  /* optional */
	void (*on_offline)(void *self);	  /* optional: the link to the broker is lost */
	void (*on_batch_end)(void *self); /* optional */
	/* Optional. A new configuration is in force; the old one is freed afterwards. */
	void (*reload)(void *self, const struct config *config);
	void (*reload_failed)(
		void *self); /* optional: it has errors, and the old one stays in force */
};

/*
 * What keeps the service from doing its work, and how to mend it: shown beside it wherever services are shown. NULL or
 * "": nothing does.
 */
void service_set_trouble(struct service_env *env, const char *text);

/*
 * Runs the service until SIGTERM or SIGINT and returns its exit status: 0, 64 (bad usage), 70 (out of memory), 74
 * (something local cannot be opened), 78 (bad configuration or secret). Around DEF it does what every service
 * does: options, configuration, log, secrets, the bus and its presence, `info`, `health` every 10 s, warnings on
 * the log topic, repeating and sweeping its state documents, reload on SIGHUP, an orderly end.
 */
int service_main(const struct service_def *def, int argc, char **argv);
