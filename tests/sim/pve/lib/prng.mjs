/**
 * Seeded randomness. Two kinds: a stream (`createPrng`) for building a cluster, and pure
 * functions of (seed, position) for everything that must be repeatable at any time asked.
 */

/**
 * @param {number} seed
 * @returns {{next: () => number, int: (lo: number, hi: number) => number,
 *   pick: <T>(list: T[]) => T, hex: (digits: number) => string}}
 */
export function createPrng(seed) {
	let state = seed >>> 0;
	const next = () => {
		state = (state + 0x6d2b79f5) >>> 0;
		return finish(state);
	};
	return {
		next,
		int: (lo, hi) => lo + Math.floor(next() * (hi - lo + 1)),
		pick: (list) => list[Math.floor(next() * list.length)],
		hex: (digits) => {
			let out = '';
			while (out.length < digits) {
				out += Math.floor(next() * 16).toString(16);
			}
			return out;
		},
	};
}

/** The last stage of mulberry32: a well mixed number in [0, 1). */
function finish(x) {
	let t = Math.imul(x ^ (x >>> 15), x | 1);
	t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
	return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}

/** FNV-1a of a text: turns names into seeds. @param {string} text */
export function hashText(text) {
	let h = 0x811c9dc5;
	for (let i = 0; i < text.length; i++) {
		h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
	}
	return h >>> 0;
}

/** A number in [0, 1) for a place in a sequence. @param {number} seed @param {number} n */
export function noiseAt(seed, n) {
	return finish((Math.imul(seed, 0x9e3779b1) ^ Math.imul(n | 0, 0x85ebca6b)) >>> 0);
}

/**
 * Smooth noise in [0, 1): random values every `period` seconds, eased between them.
 * @param {number} seed @param {number} t seconds @param {number} period seconds
 */
export function smoothNoise(seed, t, period) {
	const place = t / period;
	const left = Math.floor(place);
	const f = place - left;
	const eased = f * f * (3 - 2 * f);
	const a = noiseAt(seed, left);
	return a + (noiseAt(seed, left + 1) - a) * eased;
}

// Shuffling does not need to be repeatable, only cheap: it runs for every object sent.
let shuffleState = 0x2545f491;

/** Shuffles in place (xorshift32 Fisher–Yates) and returns the same array. */
export function shuffle(list) {
	for (let i = list.length - 1; i > 0; i--) {
		shuffleState ^= shuffleState << 13;
		shuffleState ^= shuffleState >>> 17;
		shuffleState ^= shuffleState << 5;
		const j = (shuffleState >>> 0) % (i + 1);
		const kept = list[i];
		list[i] = list[j];
		list[j] = kept;
	}
	return list;
}
