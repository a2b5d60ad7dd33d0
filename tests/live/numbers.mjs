// Compares what is published with what Proxmox says when it is asked directly, before and after: what is fixed must be
// what it was at one of the two, what moves must lie near what it was between them. Pure.

/** A share of itself, and of its maximum, that a moving value may be off. */
const NEAR = 0.25;
const CPU_POINTS = 15;
const SIZE_SHARE = 0.1;
/** Pools and file servers share what they have with others. */
const TOTAL_SHARE = 0.02;

const isSaid = (value) => value !== undefined && value !== null && value !== '';
const number = (value) => (isSaid(value) ? Number(value) : undefined);
const positive = (value) => (number(value) > 0 ? Number(value) : undefined);
const flag = (value) => (isSaid(value) ? Boolean(Number(value)) : undefined);
const words = (text) => (isSaid(text) ? String(text).split(/[;, ]+/).filter(Boolean).sort().join(' ') : undefined);
const sorted = (list) => [...(list ?? [])].sort().join(' ') || null;

/** fixed/moving: field of the document → what Proxmox said, undefined when it did not. */
const GUEST = {
	fixed: {
		name: (row) => row.name, type: (row) => row.type, node: (row) => row.node, maxmem: (row) => number(row.maxmem),
		maxcpu: (row) => number(row.maxcpu), maxdisk: (row) => positive(row.maxdisk), template: (row) => flag(row.template),
		pool: (row) => row.pool, lock: (row) => row.lock, ha_state: (row) => row.hastate,
		status: (row) => (GUEST_WORDS.has(row.status) ? row.status : undefined), tags: (row) => words(row.tags),
	},
	moving: { cpu: (row) => whileRunning(row, share(row.cpu)), mem: (row) => whileRunning(row, number(row.mem)) },
	read: { tags: (doc) => sorted(doc.tags) },
};
const GUEST_WORDS = new Set(['running', 'stopped', 'paused', 'suspended', 'unknown']);
const share = (fraction) => (isSaid(fraction) ? Math.max(Number(fraction), 0) * 100 : undefined);
const whileRunning = (row, value) => (row.status === 'running' ? value : undefined);
const whileOnline = (row, value) => (row.status === 'online' ? value : undefined);

const NODE = {
	fixed: {
		status: (row) => row.status, maxcpu: (row) => whileOnline(row, number(row.maxcpu)),
		maxmem: (row) => whileOnline(row, number(row.maxmem)), maxdisk: (row) => whileOnline(row, number(row.maxdisk)),
	},
	moving: {
		cpu: (row) => whileOnline(row, share(row.cpu)), mem: (row) => whileOnline(row, number(row.mem)),
		disk: (row) => whileOnline(row, number(row.disk)),
	},
};

const DETAIL = {
	fixed: {
		kernel: (data) => data['current-kernel']?.release ?? String(data.kversion ?? '').split(' ')[1],
		cpu_model: (data) => data.cpuinfo?.model, version: (data) => String(data.pveversion ?? '').split('/')[1],
		maxcpu: (data) => number(data.cpuinfo?.cpus), maxmem: (data) => number(data.memory?.total), maxswap: (data) => number(data.swap?.total),
	},
	moving: { mem: (data) => number(data.memory?.used), disk: (data) => number(data.rootfs?.used) },
	// In Proxmox's own form it is "pve-manager/9.2.11/c5b0a9e27d4f8163".
	read: { version: (doc) => (doc.version?.includes('/') ? doc.version.split('/')[1] : doc.version) },
};

const STORAGE = {
	fixed: {
		type: (row) => row.type, shared: (row) => flag(row.shared), content: (row) => words(row.content),
		status: (row) => (flag(row.enabled) === false ? 'disabled' : flag(row.active) ? 'available' : 'inactive'),
	},
	moving: { used: (row) => whileActive(row, number(row.used)), total: (row) => whileActive(row, number(row.total)) },
	read: { content: (doc) => sorted(doc.content) },
};
const whileActive = (row, value) => (flag(row.active) ? value : undefined);

const OF_MAX = { mem: 'maxmem', disk: 'maxdisk', used: 'total' };

function tolerance(field, doc, high) {
	if (field === 'cpu') return CPU_POINTS + high * NEAR;
	if (field === 'total') return high * TOTAL_SHARE;
	return Math.max(high * NEAR, (doc[OF_MAX[field]] ?? high) * SIZE_SHARE);
}

/** ["vm 101 maxmem: published 1, Proxmox says 2"]; `rows`: what Proxmox said, before and after. */
export function compare(what, doc, rows, { fixed, moving, read = {} }) {
	const problems = [];
	const wrong = (field, have, said) => problems.push(`${what} ${field}: published ${JSON.stringify(have)}, Proxmox says ${JSON.stringify(said)}`);
	const valueOf = (field) => (read[field] ? read[field](doc) : doc[field]) ?? null;
	for (const [field, pick] of Object.entries(fixed)) {
		const said = rows.map(pick).filter(isSaid);
		const have = valueOf(field);
		if (said.length > 0 && !said.includes(have)) wrong(field, have, said.at(-1));
	}
	for (const [field, pick] of Object.entries(moving)) {
		const said = rows.map(pick).filter(isSaid);
		const have = valueOf(field);
		// What was said only once began or ended in between.
		if (said.length < rows.length) continue;
		const [low, high] = [Math.min(...said), Math.max(...said)];
		const margin = tolerance(field, doc, high);
		if (have === null || have < low - margin || have > high + margin) wrong(field, have, said.at(-1));
	}
	return problems;
}

const both = (before, after) => [before, after].filter(Boolean);

/** Rows of both answers by key: key → [before, after], without what is not there any more. */
function pair(before, after, accept, keyOf) {
	const index = (rows) => new Map((Array.isArray(rows) ? rows : []).filter((row) => row && accept(row)).map((row) => [keyOf(row), row]));
	const [first, second] = [index(before), index(after)];
	return [...second].map(([key, row]) => [key, both(first.get(key), row)]);
}

const isGuest = (row) => ['qemu', 'lxc'].includes(row.type);

/**
 * `before` and `after`: {resources, details: {node: data}, storages: {node: rows}} as Proxmox said them.
 * `published(path)`: the document of this cluster. Answers {guests, nodes, storages}: {count, problems}.
 */
export function compareAll(before, after, published) {
	const result = { guests: { count: 0, problems: [] }, nodes: { count: 0, problems: [] }, storages: { count: 0, problems: [] } };
	const check = (kind, what, path, rows, spec) => {
		const doc = published(path);
		result[kind].count++;
		result[kind].problems.push(...(doc ? compare(what, doc, rows, spec) : [`${what}: is not published`]));
	};
	const twice = new Map();
	for (const row of after.resources ?? []) if (isGuest(row)) twice.set(row.vmid, (twice.get(row.vmid) ?? 0) + 1);
	// A guest that moves is there twice, and which row is true is not for us to say.
	const guests = pair(before.resources, after.resources, (row) => isGuest(row) && twice.get(row.vmid) !== 2, (row) => row.vmid);
	const down = new Set((after.resources ?? []).filter((row) => row.type === 'node' && row.status !== 'online').map((row) => row.node));
	for (const [vmid, rows] of guests) {
		if (!down.has(rows.at(-1).node)) check('guests', `guest ${vmid}`, `guest/${vmid}/state`, rows, GUEST);
	}
	for (const [node, rows] of pair(before.resources, after.resources, (row) => row.type === 'node', (row) => row.node)) {
		check('nodes', `node ${node}`, `node/${level(node)}/state`, rows, NODE);
	}
	for (const [node, data] of Object.entries(after.details)) {
		check('nodes', `node ${node}`, `node/${level(node)}/state`, both(before.details[node], data), DETAIL);
	}
	for (const [node, list] of Object.entries(after.storages)) {
		for (const [id, rows] of pair(before.storages[node], list, (row) => typeof row.storage === 'string', (row) => row.storage)) {
			const shared = flag(rows.at(-1).shared);
			const spec = shared ? { ...STORAGE, fixed: { ...STORAGE.fixed, status: () => undefined } } : STORAGE;
			check('storages', `storage ${id} on ${node}`, `storage/${shared ? '-' : level(node)}/${level(id)}/state`, rows, spec);
		}
	}
	return result;
}

/** A name as one level of a topic, as topic_build() writes it. */
export function level(name) {
	return [...Buffer.from(name)].map((byte) => {
		const char = String.fromCharCode(byte);
		return /[A-Za-z0-9_.-]/.test(char) ? char : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
	}).join('');
}
