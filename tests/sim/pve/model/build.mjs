/** Turns a description into the objects that live. All chance comes from the seed. */
import { createPrng, hashText } from '../lib/prng.mjs';
import { pveVersion } from './versions.mjs';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const DAY = 86400;

/**
 * @param {object} description from reference.mjs or generate.mjs
 * @param {{seed: number, pve: string, now: number}} options
 */
export function build(description, { seed, pve, now }) {
	const prng = createPrng(seed);
	const nodes = new Map(description.nodes.map((d, i) =>
		[d.name, buildNode(d, i, { prng, seed, pve, now })]));
	const storages = new Map(description.storages.map((d) => [d.id, buildStorage(d, seed, nodes)]));
	const pools = new Map(description.pools.map((p) => [p.poolid, p]));
	const guests = new Map(description.guests.map((d) =>
		[d.vmid, buildGuest(d, { prng, seed, now, pools, node: nodes.get(d.node) })]));
	return {
		name: description.name, quorum: description.quorum, nodes, guests, storages, pools,
		backupJobs: description.backupJobs, oldBackups: description.oldBackups ?? [],
		replication: buildReplication(description.guests, now),
	};
}

function buildNode(d, index, { prng, seed, pve, now }) {
	const own = (seed ^ hashText(`node ${d.name}`)) >>> 0;
	return {
		name: d.name, nodeid: index + 1, ip: d.ip, votes: 1, seed: own, kit: d.kit,
		cores: d.cores, sockets: d.sockets, cpuModel: d.cpu,
		mac: ['bc', '24', '11', prng.hex(2), prng.hex(2), prng.hex(2)].join(':'),
		maxmem: d.memGib * GIB + prng.int(1, 90) * MIB,
		maxswap: 8 * GIB - 4096, maxdisk: (d.memGib > 8 ? 94 : 28) * GIB,
		bootedAt: now - prng.int(3 * DAY, 90 * DAY), pve: pveVersion(pve),
		alive: true, offlineAt: null, statdStuck: false, statdFrom: 0,
		endpoint: { state: 'up', slowMs: 0 }, hungStorages: new Map(), stuckWorkers: 0,
		kv: { node: null, storages: null }, forcedCpu: null, celsius: null,
		nextPid: prng.int(900, 900000), fingerprint: fakeFingerprint(own), certSerial: 0,
	};
}

/** For nodes without an endpoint: nobody can ever compare it with a real certificate. */
function fakeFingerprint(seed) {
	const hex = createPrng(seed).hex(64).toUpperCase();
	return hex.match(/../g).join(':');
}

function buildStorage(d, seed, nodes) {
	const size = (node) => Math.round(d.bytes[node] ?? d.bytes['*']);
	return {
		id: d.id, type: d.type, content: d.content, shared: d.shared, share: d.used,
		nodes: d.nodes ?? [...nodes.keys()], limited: d.nodes !== null,
		seed: (seed ^ hashText(`storage ${d.id}`)) >>> 0, sizeOn: size,
		nodeSeed: (node) => hashText(node), forcedFull: null, volumes: [],
	};
}

/** One guest from its description. */
export function buildGuest(d, { prng, seed, now, pools, node }) {
	const state = d.stopped || d.template ? 'stopped' : d.paused ? 'paused' : 'running';
	const upFor = prng.int(3600, Math.max(7200, Math.floor(now - node.bootedAt)));
	const guest = {
		vmid: d.vmid, type: d.type, name: d.name, node: d.node, cpus: d.cpus, load: d.load,
		maxmem: d.mib * MIB, maxdisk: d.diskGib * GIB, storage: d.storage,
		maxswap: d.type === 'lxc' ? 512 * MIB : 0,
		state, template: d.template ? 1 : 0, tags: d.tags ?? '', lock: null,
		pool: poolOf(pools, d.vmid), ha: d.ha ? { state: d.ha, max_restart: 1, max_relocate: 1 } : null,
		seed: (seed ^ hashText(`guest ${d.vmid}`)) >>> 0, forcedCpu: null,
		startedAt: state === 'stopped' ? null : now - Math.min(upFor, now - node.bootedAt - 60),
		onboot: state === 'running' ? 1 : 0, replicate: d.replicate ?? null,
		mac: ['BC', '24', '11', prng.hex(2), prng.hex(2), prng.hex(2)].join(':').toUpperCase(),
		uuid: [8, 4, 4, 4, 12].map((n) => prng.hex(n)).join('-'),
		pid: state === 'stopped' ? null : prng.int(1200, 400000), snapshots: [], overrides: { ...d.conf },
		backupTrouble: d.backupTrouble ?? null,
		agent: d.type === 'qemu' && d.load !== 'idle', counters: null, generation: 0,
	};
	if (d.vmid % 7 === 0 && !guest.template) {
		guest.snapshots.push({ name: 'before-upgrade', snaptime: Math.floor(now - 9 * DAY),
			description: 'made by hand', vmstate: 0, parent: null });
	}
	for (const [name, days, description, vmstate = 0] of d.snapshots ?? []) {
		guest.snapshots.push({ name, snaptime: Math.floor(now - days * DAY), description, vmstate,
			parent: guest.snapshots.at(-1)?.name ?? null });
	}
	return guest;
}

function poolOf(pools, vmid) {
	for (const pool of pools.values()) {
		if (pool.members.includes(vmid)) {
			return pool.poolid;
		}
	}
	return null;
}

function buildReplication(guests, now) {
	return guests.filter((d) => d.replicate).map((d) => ({
		id: `${d.vmid}-0`, guest: d.vmid, jobnum: 0, type: 'local', source: d.node,
		target: d.replicate, schedule: '*/15', comment: 'keep a copy next door',
		state: { duration: 4.316, brokenSince: d.replicationTrouble ? now - 3 * 3600 : null },
	}));
}
