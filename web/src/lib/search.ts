/* SPDX-License-Identifier: MIT */
/*
 * The search language of the tables and of the search over everything:
 *   cpu>80  mem >= 2G  uptime<1d    numbers with an operator; %, sizes and times may carry a unit
 *   node:pve  type:vm,lxc  tag:prod fields, the whole word in any case; a comma means "or"
 *   name:jelly                      a part of the name
 *   backup:none backup>2d           how well a guest is backed up, how old its last good backup is
 *   snapshot>30d  temp>70  life<20  its oldest snapshot, its node's processor, what is left of a disk
 *   jelly  jelly,plex  "two words"  text anywhere in what names the thing
 *   -stopped  -tag:test             a minus turns a term round
 * Terms are joined by "and". An unknown value satisfies no comparison. What cannot be read is reported, not guessed.
 */

export interface Searchable {
	text: string[];
	fields: Readonly<Record<string, string | readonly string[] | null>>;
	numbers: Readonly<Record<string, number | null>>;
	/** Absolute values of the same names, for terms with a size. */
	sizes: Readonly<Record<string, number | null>>;
}

export interface SearchError {
	term: string;
	message: string;
}

type Test = (item: Searchable) => boolean;

export interface Query {
	errors: SearchError[];
	terms: number;
	test: Test;
}

const FIELDS: Record<string, string> = {
	name: 'name', node: 'node', host: 'node', type: 'type', tag: 'tag', tags: 'tag', status: 'status', is: 'status',
	pool: 'pool', lock: 'lock', ha: 'ha', id: 'vmid', vmid: 'vmid', backup: 'backup', snapshot: 'snapshot',
	storage: 'storage', job: 'job', onboot: 'onboot', kind: 'kind', health: 'health', os: 'os',
};
const NUMBERS: Record<string, string> = {
	cpu: 'cpu', mem: 'mem', memory: 'mem', disk: 'disk', cores: 'cores', uptime: 'uptime', netin: 'netin',
	netout: 'netout', net: 'net', read: 'read', write: 'write', vmid: 'vmid', id: 'vmid', backup: 'backup',
	snapshot: 'snapshot', snapshots: 'snapshots', temp: 'temp', life: 'life', used: 'disk', updates: 'updates',
};
/** Words people use for what Proxmox calls otherwise. */
const ALIASES: Record<string, Record<string, string>> = {
	type: { vm: 'qemu', ct: 'lxc', container: 'lxc' },
	status: { on: 'running', up: 'running', off: 'stopped', down: 'stopped' },
	backup: { ok: 'fine', good: 'fine', old: 'stale', bad: 'failed' },
	kind: { vm: 'guest', ct: 'guest', guests: 'guest', nodes: 'node', disks: 'disk', storages: 'storage', jobs: 'job' },
	onboot: { true: 'yes', 1: 'yes', false: 'no', 0: 'no' },
};
const SIZE: Record<string, number> = { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };
const TIME: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86400, w: 604800 };

/** "cpu > 20" is "cpu>20": blanks after a word and before a number belong to the operator between. */
function closeUp(input: string): string {
	const around = /("[^"]*"?)|(?<=[a-z])\s+(?=[<>]|!?=)|(?<=[<>=])\s+(?=\d)/gi;
	return input.replace(around, (_all, quoted?: string) => quoted ?? '');
}

/** Splits at blanks outside of double quotes; the quotes stay, so that a quoted operator is text. */
export function tokenize(input: string): string[] {
	return closeUp(input).match(/(?:[^\s"]+|"[^"]*"?)+/g) ?? [];
}

const unquote = (s: string) => s.replaceAll('"', '');

function alternatives(value: string): string[] {
	return (value.match(/(?:[^,"]+|"[^"]*"?)+/g) ?? []).map((v) => unquote(v).toLowerCase()).filter((v) => v !== '');
}

type Compare = (a: number, b: number) => boolean;
const OPERATORS: Record<string, Compare> = {
	'>': (a, b) => a > b,
	'>=': (a, b) => a >= b,
	'<': (a, b) => a < b,
	'<=': (a, b) => a <= b,
	'=': (a, b) => a === b,
	'!=': (a, b) => a !== b,
};

interface Amount {
	value: number;
	absolute: boolean;
}

/** Ages, with what a bare number of them means. */
const AGES: Record<string, number> = { uptime: 1, backup: TIME.d!, snapshot: TIME.d! };
const SIZED = new Set(['mem', 'disk', 'netin', 'netout', 'net', 'read', 'write']);

/** "80", "80%", "2G", "1.5d"; null when it is no number of this field. */
function parseAmount(field: string, text: string): Amount | null {
	const m = /^(\d+(?:\.\d+)?)([a-z%°/]*)$/i.exec(text);
	if (!m) return null;
	const value = Number(m[1]);
	const unit = m[2]!.toLowerCase().replace(/(ib|b)?(\/s)?$/, '');
	const age = AGES[field];
	if (age) {
		const size = unit === '' ? age : TIME[unit];
		return size ? { value: value * size, absolute: false } : null;
	}
	if (unit === '' || unit === '%') return { value, absolute: false };
	if (field === 'temp') return /^°?c?$/.test(unit) ? { value, absolute: false } : null;
	if (!SIZE[unit] || !SIZED.has(field)) return null;
	return { value: value * SIZE[unit], absolute: true };
}

function numberTest(field: string, compare: Compare, amount: Amount): Test {
	return (item) => {
		const have = amount.absolute ? item.sizes[field] ?? item.numbers[field] : item.numbers[field];
		return typeof have === 'number' && compare(have, amount.value);
	};
}

/** How a field is compared; what is not named here must be the very word. */
const LOOSE: Record<string, (have: string, wanted: string) => boolean> = {
	name: (have, wanted) => have.includes(wanted),
	lock: (have, wanted) => have.startsWith(wanted),
	ha: (have, wanted) => have.startsWith(wanted),
	vmid: (have, wanted) => have.startsWith(wanted),
	job: (have, wanted) => have.includes(wanted),
	os: (have, wanted) => have.startsWith(wanted),
};
const same = (have: string, wanted: string) => have === wanted;

function fieldTest(field: string, values: string[]): Test {
	const wanted = values.map((v) => ALIASES[field]?.[v] ?? v);
	const fits = LOOSE[field] ?? same;
	const hit = (have: string) => wanted.some((w) => fits(have, w));
	return (item) => {
		const have = item.fields[field];
		if (have === null || have === undefined) return false;
		return typeof have === 'string' ? hit(have.toLowerCase()) : have.some((h) => hit(h.toLowerCase()));
	};
}

function textTest(values: string[]): Test {
	return (item) => values.some((v) => item.text.some((t) => t.toLowerCase().includes(v)));
}

function parseNumberTerm(body: string): Test | string | null {
	const m = /^([a-z]+)(>=|<=|!=|>|<|=)(.*)$/i.exec(body);
	if (!m) return null;
	const field = NUMBERS[m[1]!.toLowerCase()];
	if (!field) return `no such number; there are ${[...new Set(Object.values(NUMBERS))].join(', ')}`;
	const amount = parseAmount(field, unquote(m[3]!));
	if (!amount) return m[3] === '' ? 'a number is missing' : `“${m[3]}” is no value of ${field}`;
	return numberTest(field, OPERATORS[m[2]!]!, amount);
}

function parseFieldTerm(body: string): Test | string | null {
	const m = /^([a-z]+):(.*)$/i.exec(body);
	if (!m) return null;
	const field = FIELDS[m[1]!.toLowerCase()];
	if (!field) return `no such field; there are ${[...new Set(Object.values(FIELDS))].join(', ')}`;
	const values = alternatives(m[2]!);
	return values.length ? fieldTest(field, values) : 'a value is missing';
}

function parseTerm(body: string): Test | string {
	const special = parseNumberTerm(body) ?? parseFieldTerm(body);
	if (special) return special;
	const values = alternatives(body);
	return values.length ? textTest(values) : 'nothing to look for';
}

/** Reads a search; terms that cannot be read are left out and listed in `errors`. */
export function parseSearch(input: string): Query {
	const errors: SearchError[] = [];
	const tests: Test[] = [];
	for (const term of tokenize(input)) {
		const negative = term.startsWith('-') && term.length > 1;
		const parsed = parseTerm(negative ? term.slice(1) : term);
		if (typeof parsed === 'string') errors.push({ term, message: parsed });
		else tests.push(negative ? (item) => !parsed(item) : parsed);
	}
	return { errors, terms: tests.length, test: (item) => tests.every((t) => t(item)) };
}
