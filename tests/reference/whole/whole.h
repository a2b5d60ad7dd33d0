/* SPDX-License-Identifier: MIT */
#pragma once
/*
 * The gate and the executor, both whole and each on its own database, with a broker, a Proxmox and people between and
 * around them that are not there. A seed decides what everybody does and what breaks, and time is a number: so what
 * happened once happens again. What must hold is told from outside, by check.h.
 */
#include "common/bus_dispatch.h"
#include "common/codec.h"
#include "common/config.h"
#include "common/grant.h"
#include "common/seal.h"
#include "common/service.h"
#include "common/timer.h"
#include "tests/reference/dice.h"

#define WHOLE_WALL_MS 1700000000000
#define WHOLE_LINES 30
#define WHOLE_LINE_BYTES 240
#define WHOLE_SECRET "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
#define WHOLE_CODE "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
#define WHOLE_KEYWORD "open sesame"
#define WHOLE_TOKEN "jarvis@pve!control"

struct whole;
struct check;
struct pve;
struct people;
struct broker;

typedef void (*event_fn)(struct whole *w, void *ctx);

/* A service, and the host that it runs on. */
struct side {
	struct whole *w;
	enum service_id service;
	const char *name;
	uv_loop_t loop; /* never runs; tells whose timers and requests they are */
	struct clock clock;
	int64_t boot_ms, wall_ms; /* of its clocks, at the beginning; a step changes the second */
	struct service_env env;
	struct dispatch *dispatch;
	struct bus_stats stats;
	struct bus_options options;
	void *self;	      /* NULL: it does not run */
	unsigned lives;	      /* counts starts */
	bool is_online;	      /* as it believes */
	bool is_deaf;	      /* its connection is dead, and neither side knows */
	unsigned connections; /* counts them: what was sent on an earlier one is lost */
	bool is_dying; /* killed in the middle of something: nothing of it gets out any more */
	unsigned until_crash; /* counts effects down; 0: no crash is planned */
	int64_t asleep_until;
	char *data, *runtime;
};

/* What a seed may break, and how often: once in so many; 0: never. */
struct weather {
	size_t drop, duplicate, slow;		  /* messages */
	size_t lost, cut, late, refused, garbled; /* requests to Proxmox */
	size_t fails, vanishes, hangs;		  /* tasks */
	size_t stranger;			  /* somebody at Proxmox's own page */
	size_t crash, disconnect, restart_broker, sleep, step_clock;
	size_t freeze;
};

/* What --break spoils, to see that it is noticed. */
enum breakage {
	BREAK_NOTHING,
	BREAK_TWICE,
	BREAK_UNAPPROVED,
	BREAK_LIE,
	BREAK_THAW,
	BREAK_FORGET,
	BREAK_STUCK,
	BREAK_JOURNAL,
	BREAK_COUNT,
};

struct whole {
	uint64_t seed;
	struct dice dice;
	struct dice bytes; /* what the services take for random */
	bool is_verbose, is_calm;
	enum breakage breakage;
	int64_t now_ms; /* true time, since the beginning */
	uint64_t order;
	struct event *events;
	struct timer *timers;
	int64_t tick_ms; /* of the gate's clock */
	struct weather weather;
	struct config *config;
	char key_hex[65]; /* public, of the gate */
	struct grant_keys keys;
	struct seal_keys box;
	struct side gate, executor;
	struct broker *broker;
	struct pve *pve;
	struct people *people;
	struct check *check;
	char lines[WHOLE_LINES][WHOLE_LINE_BYTES]; /* of the trace, the last ones */
	uint64_t lines_n, hash;
	char failure[500]; /* "" as long as all is well */
};

/* The one that runs. */
extern struct whole *whole_current;

/* main.c: a line of the trace. */
_printf_(2, 3) void trace(struct whole *w, const char *format, ...);
/* True once in N; never for 0, nor once it is calm. */
bool whole_happens(struct whole *w, size_t n);
/* From LOW to HIGH. */
int64_t whole_between(struct whole *w, int64_t low, int64_t high);

/* time.c: calls FN in DELAY_MS, when SIDE, if there is one, is awake; DROP frees CTX when that never happens. */
struct event *event_add(struct whole *w, int64_t delay_ms, struct side *side, event_fn fn,
			void (*drop)(void *ctx), void *ctx);
void event_cancel(struct whole *w, struct event *event);
/* Every event whose FN is this one and of whose CTX the function says yes. */
void event_cancel_all(struct whole *w, event_fn fn, bool (*is_meant)(void *ctx, void *of),
		      void *of);
/* When the last event of this FN that is meant takes place; -1: there is none. */
int64_t event_last(struct whole *w, event_fn fn, bool (*is_meant)(void *ctx, void *of), void *of);
/* What is due next happens, if before UNTIL_MS; false when there is nothing. */
bool time_step(struct whole *w, int64_t until_ms);
void time_done(struct whole *w);
int64_t side_boot_ms(const struct side *side);
int64_t side_wall_ms(const struct side *side);

/* lives.c */
void side_init(struct whole *w, struct side *side, enum service_id service);
void side_done(struct side *side);
void side_start(struct side *side);
/* As if it was killed, now; it starts again later. */
void side_kill(struct side *side);
/* In order. */
void side_stop(struct side *side);
/* After every call into it: whoever died in it is buried. */
void side_settle(struct side *side);
/* One of its effects is about to happen, or has just happened; true: it does not get out, its side is dead. */
bool side_effect(struct side *side, const char *what);

/* bus.c */
void broker_init(struct whole *w);
void broker_done(struct whole *w);
void broker_restart(struct whole *w);
/* PUBLISHER NULL: somebody who is not simulated whole. */
void broker_publish(struct whole *w, struct side *publisher, enum topic_id id,
		    const char *const *args, const char *text, size_t length);
void broker_say(struct whole *w, enum topic_id id, const char *const *args, const void *value);
void side_connect(struct side *side);
void side_disconnect(struct side *side, bool is_silent);

/* people.c: persons, agents and the weather. */
void people_init(struct whole *w);
void people_done(struct whole *w);
/* No more faults; what waits for a person is denied. */
void people_calm(struct whole *w);
/* The gate says so of an action. */
void people_see(struct whole *w, const struct msg_action_state *state);

/* weather.c */
void weather_init(struct whole *w);
void weather_start(struct whole *w);
void weather_calm(struct whole *w);
