/* SPDX-License-Identifier: MIT */
/*
 * Turns of guests. A turn that is over comes again after a period; those that are urgent go first.
 */
#include "services/proxmox-poller/guest_walk.h"

#define GAP_MS 500
#define ELSEWHERE_MS 10000
#define RETRY_MIN_MS 30000
/* What comes as soon after a configuration goes with it. */
#define PAIR_MS 20000
/* The guests of a period are spread over this part of it, so that a walk ends in time. */
#define SPREAD_PERCENT 90

void guest_walk_init(struct guest_walk *walk, int64_t wanted_ms, int64_t now)
{
	*walk = (struct guest_walk){ .wanted_ms = wanted_ms,
				     .last_ms = now - GAP_MS,
				     .turn_ms = now - wanted_ms };
}

void guest_walk_done(struct guest_walk *walk)
{
	free(walk->guests);
	walk->guests = NULL;
	walk->n = 0;
}

int64_t guest_walk_period_ms(const struct guest_walk *walk)
{
	return max_of(walk->wanted_ms, (int64_t)walk->n * WALK_STEPS * GAP_MS);
}

static struct walk_guest *find(const struct guest_walk *walk, int64_t vmid)
{
	size_t low = 0, high = walk->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (walk->guests[middle].vmid < vmid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < walk->n && walk->guests[low].vmid == vmid ? &walk->guests[low] : NULL;
}

static void call(struct walk_guest *guest, enum walk_step step, int64_t now)
{
	struct walk_turn *turn = &guest->turns[step];

	turn->due_ms = min_of(turn->due_ms, now);
	turn->urgent = true;
}

void guest_walk_call(struct guest_walk *walk, int64_t vmid, enum walk_step step, int64_t now)
{
	struct walk_guest *guest = find(walk, vmid);

	if (guest)
		call(guest, step, now);
}

/* ── following the cluster ─────────────────────────────────────────────────────────────────────────────────── */

static uint64_t hash_of(const char *text)
{
	uint64_t hash = 14695981039346656037u;

	for (; text && *text; text++)
		hash = (hash ^ (unsigned char)*text) * 1099511628211u;
	return hash;
}

static bool is_reachable(const struct pve_cluster *cluster, const struct pve_guest *guest)
{
	const struct pve_node *node = pve_cluster_find_node(cluster, guest->row->node);

	return node && pve_cluster_node_status(cluster, node, NULL) == NODE_ONLINE;
}

static void follow(struct walk_guest *guest, const struct pve_cluster *cluster,
		   const struct pve_guest *now_is, bool is_new, const struct walk_events *events,
		   int64_t now)
{
	bool unreachable = !is_reachable(cluster, now_is);
	/* A backup changes nothing, and each guest has one every night. */
	const char *holder =
		now_is->row->lock && str_eq(now_is->row->lock, "backup") ? NULL : now_is->row->lock;
	uint64_t lock = hash_of(holder);
	bool changed = is_new || lock != guest->lock || (guest->unreachable && !unreachable);

	for (int step = 0; changed && step < WALK_STEPS; step++)
		call(guest, (enum walk_step)step, now);
	if (unreachable && (is_new || !guest->unreachable))
		events->unreachable(events->ctx, now_is);
	guest->unreachable = unreachable;
	guest->lock = lock;
}

void guest_walk_sync(struct guest_walk *walk, const struct pve_cluster *cluster,
		     const struct walk_events *events, struct pve_now now)
{
	struct walk_guest *old = walk->guests, *list = xcalloc(cluster->guests_n, sizeof(*list));
	size_t at = 0, old_n = walk->n;

	for (size_t i = 0; i < cluster->guests_n; i++) {
		const struct pve_guest *guest = &cluster->guests[i];
		bool is_new;

		for (; at < old_n && old[at].vmid < guest->vmid; at++)
			events->gone(events->ctx, old[at].vmid);
		is_new = at >= old_n || old[at].vmid != guest->vmid;
		if (is_new)
			list[i].vmid = guest->vmid;
		else
			list[i] = old[at++];
		follow(&list[i], cluster, guest, is_new, events, now.boot_ms);
	}
	for (; at < old_n; at++)
		events->gone(events->ctx, old[at].vmid);
	free(old);
	walk->guests = list;
	walk->n = cluster->guests_n;
}

/* ── turns ─────────────────────────────────────────────────────────────────────────────────────────────────── */

static int64_t gap_ms(const struct guest_walk *walk)
{
	int64_t calls = max_of((int64_t)walk->n * WALK_STEPS, (int64_t)1);
	int64_t spread = guest_walk_period_ms(walk) * SPREAD_PERCENT / 100 / calls;

	return max_of(spread, (int64_t)GAP_MS);
}

/* When TURN may begin, by its own time and by that of the call before it. */
static int64_t begins_ms(const struct guest_walk *walk, const struct walk_turn *turn, int64_t gap)
{
	return max_of(turn->due_ms, walk->last_ms + (turn->urgent ? GAP_MS : gap));
}

static bool is_before(const struct walk_turn *a, const struct walk_turn *b)
{
	if (a->urgent != b->urgent)
		return a->urgent;
	return a->due_ms < b->due_ms;
}

/* The first turn of GUEST that may begin. */
static struct walk_turn *turn_of(const struct guest_walk *walk, struct walk_guest *guest,
				 int64_t gap, int64_t now)
{
	struct walk_turn *best = NULL;

	for (int step = 0; !guest->unreachable && step < WALK_STEPS; step++) {
		struct walk_turn *turn = &guest->turns[step];

		if (turn->asked || begins_ms(walk, turn, gap) > now)
			continue;
		if (!best || is_before(turn, best))
			best = turn;
	}
	return best;
}

const struct pve_guest *guest_walk_next(struct guest_walk *walk, const struct pve_cluster *cluster,
					const struct walk_events *events, int64_t now,
					enum walk_step *ret)
{
	const struct pve_guest *best_guest = NULL;
	struct walk_guest *best_entry = NULL;
	struct walk_turn *best = NULL;
	int64_t gap = gap_ms(walk);

	if (now < walk->last_ms + GAP_MS)
		return NULL;
	for (size_t i = 0; i < walk->n; i++) {
		struct walk_turn *turn = turn_of(walk, &walk->guests[i], gap, now);
		const struct pve_guest *guest;

		if (!turn || (best && !is_before(turn, best)))
			continue;
		guest = pve_cluster_find_guest(cluster, walk->guests[i].vmid);
		if (!guest || events->is_busy(events->ctx, guest->row->node))
			continue;
		best = turn;
		best_entry = &walk->guests[i];
		best_guest = guest;
	}
	if (!best)
		return NULL;
	walk->last_ms = now;
	if (!best->urgent)
		walk->turn_ms = now;
	best->asked = true;
	best->urgent = false;
	*ret = (enum walk_step)(best - best_entry->turns);
	return best_guest;
}

int64_t guest_walk_wake(const struct guest_walk *walk, int64_t now)
{
	int64_t gap = gap_ms(walk), wake = INT64_MAX;

	for (size_t i = 0; i < walk->n; i++) {
		const struct walk_guest *guest = &walk->guests[i];

		for (int step = 0; !guest->unreachable && step < WALK_STEPS; step++) {
			if (!guest->turns[step].asked)
				wake = min_of(wake, begins_ms(walk, &guest->turns[step], gap));
		}
	}
	/* Whoever could begin now waits for its node: that is looked at again soon. */
	return wake <= now ? now + GAP_MS : wake;
}

static void note_round(struct guest_walk *walk)
{
	for (size_t i = 0; !walk->had_round && i < walk->n; i++) {
		const struct walk_guest *guest = &walk->guests[i];

		for (int step = 0; !guest->unreachable && step < WALK_STEPS; step++) {
			if (!guest->turns[step].was_ok && !guest->turns[step].failures)
				return;
		}
	}
	walk->had_round = true;
}

void guest_walk_succeeded(struct guest_walk *walk, int64_t vmid, enum walk_step step, int64_t now)
{
	struct walk_guest *guest = find(walk, vmid);
	bool again;

	walk->last_ok_ms = some_i64(now);
	walk->failures = 0;
	walk->error[0] = '\0';
	if (!guest)
		return;
	/* What changed while it was being read is read once more. */
	again = guest->turns[step].asked && guest->turns[step].urgent;
	guest->turns[step] = (struct walk_turn){
		.due_ms = again ? now : now + guest_walk_period_ms(walk),
		.urgent = again,
		.was_ok = true,
	};
	/* The connection is still there. */
	if (step == WALK_CONFIG && guest->turns[WALK_SNAPSHOTS].due_ms - now < PAIR_MS)
		call(guest, WALK_SNAPSHOTS, now);
	note_round(walk);
}

unsigned guest_walk_failed(struct guest_walk *walk, int64_t vmid, enum walk_step step,
			   bool elsewhere, int64_t now)
{
	int64_t period = guest_walk_period_ms(walk), rest;
	struct walk_guest *guest = find(walk, vmid);
	struct walk_turn *turn;

	walk->failures++;
	if (!guest)
		return 0;
	turn = &guest->turns[step];
	rest = (int64_t)RETRY_MIN_MS << min_of(turn->failures, 16u);
	turn->due_ms = now + (elsewhere ? ELSEWHERE_MS : min_of(rest, period));
	turn->urgent = false;
	turn->asked = false;
	turn->failures++;
	note_round(walk);
	return turn->failures;
}
