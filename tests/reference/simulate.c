/* SPDX-License-Identifier: MIT */
/*
 * Years of trouble for the gate's core, a seed each:
 *
 *	simulate FIRST_SEED N
 */
#include "tests/reference/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define STEPS 250
#define HOUR_MS 3600000

static const char config[] =
	"principals: {ha: {class: remote, tools: [guest_start, guest_status, guest_stop], targets: [home/guest/*]}}\n"
	"safety_gate: {yellow_rate: 1, orange_rate: 1}\n";

/* Everything ends when time passes, also without an executor. */
static void let_time_pass(struct sim *sim)
{
	for (int i = 0; i < 60; i++) {
		struct effects *out = effects_new();

		sim->w.now.boot_ms += HOUR_MS / 6;
		sim->w.now.wall_ms += HOUR_MS / 6;
		core_tick(sim->core, sim->w.now, out);
		sim_take(sim, out);
		effects_free(out);
	}
	for (size_t i = 0; i < sim->actions_n; i++) {
		const struct sim_action *a = &sim->actions[i];

		sim_check(sim, a->status >= ACTION_VERIFIED && a->ends == 1,
			  "%s has status %d for ever, ended %u times", a->id, (int)a->status,
			  a->ends);
	}
}

/* Whether all held. */
static bool simulate(uint64_t seed, unsigned counts[3])
{
	struct sim *sim = xnew(struct sim);
	bool ok;

	sim->seed = seed;
	sim->dice = dice_of(seed);
	sim->level_before = CORE_LEVEL;
	gate_world_init(&sim->w, config);
	for (sim->step = 0; sim->step < STEPS && !sim->failure[0]; sim->step++) {
		sim_step(sim);
		if (sim->step % 16 == 0)
			sim_check_same(sim);
	}
	if (!sim->failure[0]) {
		sim_check_same(sim);
		let_time_pass(sim);
	}
	ok = !sim->failure[0];
	if (!ok)
		(void)printf("seed %" PRIu64 ", step %u: %s\n  replay: build/simulate %" PRIu64
			     " 1\n",
			     seed, sim->step, sim->failure, seed);
	counts[0] += (unsigned)sim->actions_n;
	counts[1] += sim->approved;
	counts[2] += sim->granted;
	core_free(sim->core);
	gate_world_done(&sim->w);
	sim_model_done(sim);
	free(sim);
	return ok;
}

int main(int argc, char **argv)
{
	unsigned counts[3] = { 0, 0, 0 };
	int64_t first, n, failed = 0;

	if (argc != 3 || str_to_i64(argv[1], 0, INT64_MAX / 2, &first) < 0 ||
	    str_to_i64(argv[2], 1, INT64_MAX / 2, &n) < 0) {
		(void)fprintf(stderr, "usage: simulate FIRST_SEED N\n");
		return 2;
	}
	for (int64_t i = 0; i < n && failed < 5; i++)
		failed += !simulate((uint64_t)(first + i), counts);
	(void)printf("%" PRId64 " seeds, %u actions, %u approved, %u granted: %" PRId64 " failed\n",
		     n, counts[0], counts[1], counts[2], failed);
	return failed || !counts[1] || !counts[2] ? 1 : 0;
}
