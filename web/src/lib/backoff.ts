/* SPDX-License-Identifier: MIT */
/* How long to wait before the n-th attempt to reconnect: 0.5, 1, 2, 4, 8, 8 … s, with a quarter of jitter. */

const FIRST_MS = 500;
const LAST_MS = 8000;
const JITTER = 0.25;

/** `random` is in [0, 1), as Math.random gives it. */
export function backoffMs(attempt: number, random: number): number {
	const base = Math.min(FIRST_MS * 2 ** Math.max(0, attempt), LAST_MS);
	return Math.round(base * (1 - JITTER + 2 * JITTER * random));
}
