// Secrets as they could stand somewhere: as they are, and in the forms that programs give to bytes. hits() says where one
// is; canary.test.mjs first proves that it finds what is there.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The middle of base64 at each of three places within a longer text. */
function base64s(bytes) {
	return [0, 1, 2].map((pad) => {
		const text = Buffer.concat([Buffer.alloc(pad), bytes]).toString('base64').replace(/=+$/, '');
		return text.slice(pad ? 4 : 0, -2);
	});
}

const escaped = (text, how) => [...Buffer.from(text)].map((byte) => how(byte.toString(16).padStart(2, '0'))).join('');

/** Name → bytes, of one secret given as text. */
export function formsOf(secret) {
	const bytes = Buffer.from(secret);
	const forms = { raw: secret, hex: bytes.toString('hex'), HEX: bytes.toString('hex').toUpperCase(), url: encodeURIComponent(secret),
		percent: escaped(secret, (h) => `%${h}`), PERCENT: escaped(secret, (h) => `%${h.toUpperCase()}`), json: JSON.stringify(secret).slice(1, -1),
		slashes: secret.replaceAll('/', '\\/'), unicode: escaped(secret, (h) => `\\u00${h}`), utf16: Buffer.from(secret, 'utf16le') };
	base64s(bytes).forEach((text, i) => Object.assign(forms, { [`base64 ${i}`]: text, [`base64url ${i}`]: text.replaceAll('+', '-').replaceAll('/', '_') }));
	// What is written in hex or base32 is other bytes in itself.
	if (/^[0-9a-f]{32,}$/.test(secret)) {
		const inner = Buffer.from(secret, 'hex');
		forms.bytes = inner;
		base64s(inner).forEach((text, i) => (forms[`bytes in base64 ${i}`] = text));
	}
	return Object.entries(forms).map(([form, what]) => [form, Buffer.from(what)]);
}

/** `secrets`: name → text; a list of {name, form, bytes}, without those forms that are one and the same. */
export function makeNeedles(secrets) {
	const all = Object.entries(secrets).flatMap(([name, text]) => formsOf(text).map(([form, bytes]) => ({ name, form, bytes })));
	return [...new Map(all.reverse().map((needle) => [`${needle.name} ${needle.bytes.toString('latin1')}`, needle])).values()];
}

/** By their first two bytes: most of what is looked through begins no needle. */
function indexOf(needles) {
	const index = new Map();
	for (const needle of needles) {
		const key = needle.bytes.readUInt16BE(0);
		index.set(key, [...(index.get(key) ?? []), needle]);
	}
	return index;
}

/** `places`: name → bytes or text. `allowed(place, name)`: where a secret belongs. */
export function hits(places, needles, allowed = () => false) {
	const index = indexOf(needles);
	const begins = new Uint8Array(65536);
	for (const key of index.keys()) begins[key] = 1;
	const found = new Set();
	for (const [place, content] of places) {
		const bytes = Buffer.from(content);
		for (let i = 1, key = bytes[0]; i < bytes.length; i++) {
			key = ((key << 8) | bytes[i]) & 0xffff;
			if (!begins[key]) continue;
			for (const { name, form, bytes: needle } of index.get(key)) {
				const is = bytes.compare(needle, 0, needle.length, i - 1, Math.min(bytes.length, i - 1 + needle.length)) === 0;
				if (is && !allowed(place, name)) found.add(`${name} (${form}) in ${place}`);
			}
		}
	}
	return [...found];
}

/** Every file below a folder as [path, bytes]; sockets and what has gone are left out. */
export function filesBelow(dir, skip = () => false) {
	if (!existsSync(dir)) return [];
	return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
		const path = join(dir, entry.name);
		if (skip(path)) return [];
		if (entry.isDirectory()) return filesBelow(path, skip);
		return entry.isFile() ? read(path) : [];
	});
}

function read(path) {
	try {
		return statSync(path).size < 64 * 2 ** 20 ? [[path, readFileSync(path)]] : [];
	} catch (e) {
		if (e.code === 'ENOENT') return [];
		throw e;
	}
}
