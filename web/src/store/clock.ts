/* SPDX-License-Identifier: MIT */
/*
 * The page's only timer: once a second while the page is visible. Ages run on a clock that never goes back and
 * counts the time a laptop slept, which performance.now() alone leaves out on some systems.
 */
import { computed, signal } from '@preact/signals';

const TICK_MS = 1000;
/** More wall time than this beside the monotonic clock means that the machine slept. */
const SLEPT_MS = 2000;

let slept = 0;
let lastWall = Date.now();
let lastMonotonic = performance.now();

function noticeSleep(): void {
	const wall = Date.now();
	const monotonic = performance.now();
	const drift = wall - lastWall - (monotonic - lastMonotonic);
	if (drift > SLEPT_MS) slept += drift;
	lastWall = wall;
	lastMonotonic = monotonic;
}

/** Milliseconds on the page's own clock. */
export function now(): number {
	return performance.now() + slept;
}

/** now(), once a second. */
export const tick = signal(now());
/** The gateway's wall clock minus ours. */
export const serverOffset = signal(0);
/** The gateway's wall clock, for what changes slowly; moves every ten seconds. */
export const slowWall = computed(() => {
	void tick.value;
	return Math.floor((Date.now() + serverOffset.value) / 10_000) * 10_000;
});

const listeners = new Set<() => void>();

/** Calls back after every tick; returns how to stop. */
export function onTick(fn: () => void): () => void {
	listeners.add(fn);
	return () => listeners.delete(fn);
}

let timer: ReturnType<typeof setTimeout> | undefined;

function beat(): void {
	noticeSleep();
	tick.value = now();
	for (const fn of listeners) fn();
	/* Aligned to the wall's second, so that the clock on the page turns when others do. */
	timer = setTimeout(beat, TICK_MS - (Date.now() % TICK_MS));
}

export function startClock(): void {
	document.addEventListener('visibilitychange', () => {
		clearTimeout(timer);
		if (!document.hidden) beat();
	});
	if (!document.hidden) beat();
}
