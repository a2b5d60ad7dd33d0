/* SPDX-License-Identifier: MIT */
/*
 * SHA-256 of a text's UTF-8 bytes. The browser's own is there only over HTTPS and on loopback; what a person approves
 * must be checked over plain HTTP on a LAN as well.
 */
const K = new Uint32Array(64);
const START = new Uint32Array(8);

/** The first 32 bits of the fraction of a root of a prime, exactly: by whole numbers. */
function fraction(prime: number, root: 2n | 3n): number {
	const wanted = BigInt(prime) << (32n * root);
	let low = 0n;
	let high = 1n << 40n;
	while (high - low > 1n) {
		const mid = (low + high) >> 1n;
		if (mid ** root <= wanted) low = mid;
		else high = mid;
	}
	return Number(low & 0xffffffffn);
}

for (let n = 2, i = 0; i < 64; n++) {
	let prime = true;
	for (let d = 2; d * d <= n; d++) if (n % d === 0) prime = false;
	if (!prime) continue;
	if (i < 8) START[i] = fraction(n, 2n);
	K[i++] = fraction(n, 3n);
}

const turn = (x: number, n: number) => (x >>> n) | (x << (32 - n));

function block(state: Uint32Array, view: DataView, at: number): void {
	const w = new Uint32Array(64);
	for (let i = 0; i < 16; i++) w[i] = view.getUint32(at + i * 4);
	for (let i = 16; i < 64; i++) {
		const a = w[i - 15]!;
		const b = w[i - 2]!;
		w[i] = w[i - 16]! + w[i - 7]! + (turn(a, 7) ^ turn(a, 18) ^ (a >>> 3)) + (turn(b, 17) ^ turn(b, 19) ^ (b >>> 10));
	}
	let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
	for (let i = 0; i < 64; i++) {
		const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
		const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i]! + w[i]!) | 0;
		const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
		const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
		[h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
	}
	for (const [i, v] of [a, b, c, d, e, f, g, h].entries()) state[i] = state[i]! + v;
}

/** In hexadecimal. */
export function sha256(text: string): string {
	const bytes = new TextEncoder().encode(text);
	const padded = new Uint8Array((((bytes.length + 8) >> 6) + 1) << 6);
	padded.set(bytes);
	padded[bytes.length] = 0x80;
	const view = new DataView(padded.buffer);
	view.setUint32(padded.length - 8, Math.floor((bytes.length * 8) / 2 ** 32));
	view.setUint32(padded.length - 4, (bytes.length * 8) >>> 0);
	const state = START.slice();
	for (let at = 0; at < padded.length; at += 64) block(state, view, at);
	return [...state].map((v) => v.toString(16).padStart(8, '0')).join('');
}
