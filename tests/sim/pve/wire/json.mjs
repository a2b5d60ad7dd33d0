/**
 * JSON the way Perl writes it: the keys of an object come in another order every time. Clients
 * that read by position, or compare texts, must find out here and not at a customer's.
 */
import { shuffle } from '../lib/prng.mjs';

/** A number that is sent with its own spelling (`0.00`), or a ready-made text. */
export class Raw {
	constructor(text) {
		this.text = text;
	}
}

/** @param {unknown} value @returns {string} JSON with shuffled keys; undefined fields vanish */
export function encode(value) {
	if (value === null || value === undefined) {
		return 'null';
	}
	if (typeof value === 'number') {
		return number(value);
	}
	if (typeof value !== 'object') {
		return JSON.stringify(value);
	}
	if (value instanceof Raw) {
		return value.text;
	}
	if (Array.isArray(value)) {
		return encodeArray(value);
	}
	return encodeObject(value);
}

/** Perl writes 15 digits, and small numbers as 5.75e-05. */
function number(value) {
	if (Number.isInteger(value)) {
		return String(value);
	}
	const rounded = Number(value.toPrecision(15));
	if (Math.abs(rounded) >= 1e-4 || rounded === 0) {
		return String(rounded);
	}
	return rounded.toExponential().replace(/e-(\d)$/, 'e-0$1');
}

function encodeArray(list) {
	let out = '[';
	for (let i = 0; i < list.length; i++) {
		out += (i > 0 ? ',' : '') + encode(list[i]);
	}
	return out + ']';
}

function encodeObject(object) {
	let out = '';
	for (const key of shuffle(Object.keys(object))) {
		const value = object[key];
		if (value !== undefined) {
			out += (out === '' ? '' : ',') + quoteKey(key) + ':' + encode(value);
		}
	}
	return '{' + out + '}';
}

const quoted = new Map();

function quoteKey(key) {
	let text = quoted.get(key);
	if (text === undefined) {
		text = JSON.stringify(key);
		if (quoted.size < 5000) {
			quoted.set(key, text);
		}
	}
	return text;
}
