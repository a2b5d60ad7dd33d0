/**
 * Which calls exist, where they run, what they need and take: one row a call, per version.
 * `schema-9.json` is whole, `schema-8.json` says what differs (null: does not exist there).
 */
import { readFileSync } from 'node:fs';

const read = (name) => JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));

const cache = new Map();

/**
 * @param {number} major 8 or 9
 * @returns {{find: (method: string, path: string) => object | null}}
 */
export function schemaFor(major) {
	if (!cache.has(major)) {
		cache.set(major, buildTree(major === 8 ? { ...rows9(), ...read('schema-8.json') } : rows9()));
	}
	return cache.get(major);
}

let nine = null;

function rows9() {
	nine ??= read('schema-9.json');
	return nine;
}

function buildTree(rows) {
	const root = { fixed: new Map(), variable: null, methods: {} };
	for (const [key, row] of Object.entries(rows)) {
		if (row !== null) {
			const [method, template] = key.split(' ');
			addRow(root, method, template, row);
		}
	}
	return { find: (method, path) => find(root, method, path) };
}

function addRow(root, method, template, row) {
	let place = root;
	for (const part of template.split('/').filter(Boolean)) {
		place = part.startsWith('{') ? variableChild(place, part.slice(1, -1)) : child(place, part);
	}
	place.methods[method] = { ...row, key: `${method} ${template}`, template };
}

const blank = (extra) => ({ fixed: new Map(), variable: null, methods: {}, ...extra });

function variableChild(place, name) {
	place.variable ??= blank({ name });
	return place.variable;
}

function child(place, part) {
	if (!place.fixed.has(part)) {
		place.fixed.set(part, blank());
	}
	return place.fixed.get(part);
}

function find(root, method, path) {
	const parts = path.split('/').filter(Boolean);
	const uri = {};
	let place = root;
	for (let i = 0; i < parts.length; i++) {
		const fixed = place.fixed.get(parts[i]);
		if (!fixed && !place.variable) {
			return null;
		}
		if (!fixed && place.variable.name === 'volume') {
			// a volume id may contain slashes: it takes the rest
			uri.volume = parts.slice(i).join('/');
			place = place.variable;
			break;
		}
		if (!fixed) {
			uri[place.variable.name] = parts[i];
		}
		place = fixed ?? place.variable;
	}
	const row = place.methods[method];
	return row ? { row, uri } : null;
}
