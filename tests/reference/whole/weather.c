/* SPDX-License-Identifier: MIT */
/*
 * What breaks, and how often: each seed has a weather of its own, from fair to foul.
 */
#include "tests/reference/whole/check.h"

#include <inttypes.h>

/* Once in so many, or never; the worse the seed, the more often. */
static size_t risk(struct whole *w, size_t fair, size_t foul)
{
	size_t fairness = dice_roll(&w->dice, 3);

	return fairness == 0 ? 0 : fairness == 1 ? fair : foul;
}

void weather_init(struct whole *w)
{
	bool is_fair = dice_once_in(&w->dice, 5);

	if (w->breakage == BREAK_THAW)
		w->weather.freeze = 3;
	if (is_fair || w->breakage == BREAK_THAW)
		return;
	/* What is under way when all is frozen. */
	if (dice_once_in(&w->dice, 12)) {
		w->weather.cut = 2;
		w->weather.freeze = 3;
		return;
	}
	w->weather = (struct weather){
		.drop = risk(w, 200, 25),
		.duplicate = risk(w, 100, 15),
		.slow = risk(w, 100, 12),
		.lost = risk(w, 60, 10),
		.cut = risk(w, 40, 6),
		.late = risk(w, 100, 12),
		.refused = risk(w, 60, 12),
		.garbled = risk(w, 100, 25),
		.fails = risk(w, 20, 4),
		.vanishes = risk(w, 40, 5),
		.hangs = risk(w, 200, 60),
		.stranger = risk(w, 12, 4),
		.crash = risk(w, 20, 5),
		.disconnect = risk(w, 30, 8),
		.restart_broker = risk(w, 60, 25),
		.sleep = risk(w, 60, 15),
		.step_clock = risk(w, 60, 15),
		.freeze = dice_once_in(&w->dice, 8) ? 4 : risk(w, 80, 20),
	};
}

static void crash(struct whole *w, struct side *side)
{
	if (!side->self || side->until_crash)
		return;
	if (dice_once_in(&w->dice, 4))
		side_kill(side);
	else
		side->until_crash = 1 + (unsigned)dice_roll(&w->dice, 30);
}

static void step_clock(struct whole *w, struct side *side)
{
	static const int64_t steps_ms[] = { 1000, 5000, 60000, 600000, 3600000, 315360000000 };
	int64_t step_ms = dice_pick(&w->dice, steps_ms);

	if (dice_once_in(&w->dice, 2))
		step_ms = -step_ms;
	trace(w, "the clock of %s is set by %" PRId64 " ms", side->name, step_ms);
	side->wall_ms += step_ms;
}

static void sleep_long(struct whole *w, struct side *side)
{
	int64_t ms = whole_between(w, 500, dice_once_in(&w->dice, 4) ? 60000 : 5000);

	trace(w, "%s sleeps for %" PRId64 " ms", side->name, ms);
	side->asleep_until = max_of(side->asleep_until, w->now_ms + ms);
}

static struct side *either(struct whole *w)
{
	return dice_once_in(&w->dice, 2) ? &w->gate : &w->executor;
}

static void weather_cb(struct whole *w, _unused_ void *ctx)
{
	const struct weather *weather = &w->weather;

	if (w->is_calm)
		return;
	if (whole_happens(w, weather->stranger))
		pve_stranger(w);
	if (whole_happens(w, weather->crash))
		crash(w, either(w));
	if (whole_happens(w, weather->disconnect))
		side_disconnect(either(w), dice_once_in(&w->dice, 2));
	if (whole_happens(w, weather->restart_broker))
		broker_restart(w);
	if (whole_happens(w, weather->sleep))
		sleep_long(w, either(w));
	if (whole_happens(w, weather->step_clock))
		step_clock(w, either(w));
	event_add(w, whole_between(w, 200, 3000), NULL, weather_cb, NULL, NULL);
}

void weather_start(struct whole *w)
{
	event_add(w, 1000, NULL, weather_cb, NULL, NULL);
}

void weather_calm(struct whole *w)
{
	struct side *sides[] = { &w->gate, &w->executor };

	trace(w, "it is calm now");
	w->is_calm = true;
	w->pve->is_polled = false;
	for (size_t i = 0; i < countof(sides); i++)
		sides[i]->until_crash = 0;
	if (w->breakage == BREAK_STUCK)
		w->gate.asleep_until = INT64_MAX / 2;
}
