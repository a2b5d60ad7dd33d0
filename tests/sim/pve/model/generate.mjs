/** Clusters of any size with made-up names, for the bench and for odd sizes in tests. */
import { createPrng } from '../lib/prng.mjs';

const GIB = 2 ** 30;
const WORDS = ['web', 'db', 'cache', 'queue', 'mail', 'git', 'ci', 'proxy', 'dns', 'app', 'log',
	'search', 'auth', 'files', 'build', 'video', 'voip', 'wiki', 'shop', 'lab'];
const LOADS = ['idle', 'web', 'db', 'media', 'files', 'automation', 'build', 'dns'];
const CPUS = ['AMD EPYC 7313P 16-Core Processor', 'Intel(R) Xeon(R) Silver 4314 CPU @ 2.40GHz'];

/** @param {{name: string, nodes: number, guests: number, seed: number}} wanted */
export function describeGenerated({ name, nodes, guests, seed }) {
	const prng = createPrng(seed ^ 0x5eed);
	const nodeList = range(nodes).map((i) => describeNode(prng, i, nodes));
	const perNode = Math.ceil(guests / Math.max(1, nodes));
	return {
		name,
		quorum: Math.floor(nodes / 2) + 1,
		nodes: nodeList,
		guests: range(guests).map((i) => describeGuest(prng, i, nodeList, perNode)),
		storages: describeStorages(),
		pools: [{ poolid: 'production', members: range(Math.min(guests, 5)).map((i) => 100 + i) }],
		backupJobs: [{ id: 'backup-nightly', schedule: '01:00', storage: 'pbs', all: 1, enabled: 1,
			mode: 'snapshot', 'prune-backups': { 'keep-last': '7' } }],
	};
}

const range = (n) => Array.from({ length: n }, (_, i) => i);

function describeNode(prng, i, count) {
	const digits = String(count).length < 2 ? 2 : String(count).length;
	return {
		name: `node${String(i + 1).padStart(digits, '0')}`,
		ip: `10.20.${1 + Math.floor(i / 250)}.${1 + (i % 250)}`,
		cores: 32, sockets: 1, memGib: prng.pick([128, 256]), cpu: prng.pick(CPUS), kit: 'zfs',
	};
}

function describeGuest(prng, i, nodes, perNode) {
	const type = prng.next() < 0.5 ? 'qemu' : 'lxc';
	const word = prng.pick(WORDS);
	return {
		vmid: 100 + i, type, name: `${word}-${String(i + 1).padStart(4, '0')}`,
		node: nodes[Math.min(nodes.length - 1, Math.floor(i / perNode))].name,
		cpus: prng.pick([1, 2, 2, 4]), mib: prng.pick([512, 1024, 2048, 4096]),
		diskGib: prng.pick([8, 16, 32, 64]), storage: 'local-lvm', load: prng.pick(LOADS),
		tags: word, stopped: prng.next() < 0.1,
	};
}

function describeStorages() {
	return [
		{ id: 'local', type: 'dir', content: 'iso,vztmpl,backup', shared: 0, nodes: null,
			bytes: { '*': 94 * GIB }, used: 0.3 },
		{ id: 'local-lvm', type: 'lvmthin', content: 'rootdir,images', shared: 0, nodes: null,
			bytes: { '*': 3600 * GIB }, used: 0.5 },
		{ id: 'pbs', type: 'pbs', content: 'backup', shared: 1, nodes: null,
			bytes: { '*': 40000 * GIB }, used: 0.6 },
	];
}
