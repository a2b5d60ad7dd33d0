// SPDX-License-Identifier: MIT
// One-time codes of a secret, an implementation of our own. Each counts once, and the gate takes those of the step
// before and after too: so three come without waiting.
import { createHmac } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';

const STEP_MS = 30_000;

function base32(text) {
	const bits = [...text].map((c) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(c).toString(2).padStart(5, '0')).join('');
	return Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
}

function codeAt(secret, step) {
	const counter = Buffer.alloc(8);
	counter.writeBigUInt64BE(BigInt(step));
	const mac = createHmac('sha1', base32(secret)).update(counter).digest();
	return String((mac.readUInt32BE(mac[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}

/** A function that gives a code that was not given before, waiting for one where it must. */
export function codesOf(secret) {
	let last = 0;
	return async () => {
		const now = () => Math.floor(Date.now() / STEP_MS);
		const step = Math.max(now() - 1, last + 1);
		while (now() + 1 < step) await pause(200);
		/* The one before counts only until the step ends. */
		last = Math.max(step, now() - 1);
		return codeAt(secret, last);
	};
}
