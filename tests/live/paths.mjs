// Which paths are asked: the poller's own table with its {words} filled in from what the cluster has. A few of each are
// enough to see the shape of an answer, and a disk that would be woken is left alone.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

export const LIMITS = { nodes: 3, guests: 4, storages: 3, disks: 2, pools: 1, tasks: 1 };
/** Of a simulator, which costs nobody anything: all there is, so that no field is missed. */
export const ALL = { nodes: 100, guests: 1000, storages: 100, disks: 100, pools: 100, tasks: 1 };

/** A {word} → of what it is one: `per` decides how many there are. */
const WORDS = { node: 'nodes', type: 'guests', vmid: 'guests', storage: 'storages', disk: 'disks', devpath: 'disks',
	pool: 'pools', name: 'pools', upid: 'tasks' };

/** Paths, each once, as proxmox-poller has them in its table. */
export function pollerPaths(build) {
	const text = execFileSync(join(build, 'livecheck'), ['paths'], { encoding: 'utf8' });
	return [...new Set(text.trim().split('\n'))];
}

export function wordsOf(template) {
	return [...template.matchAll(/\{(\w+)\}/g)].map(([, word]) => word);
}

/** Null for a path that can be asked, else the word that nobody here knows. */
export function unknownWord(template) {
	return wordsOf(template).find((word) => !WORDS[word]) ?? null;
}

/** At most so many calls become of a template. */
export function callsOf(template) {
	const kinds = new Set(wordsOf(template).map((word) => WORDS[word]));
	if (kinds.has('guests')) return LIMITS.guests; // which say their node
	const counts = [...kinds].map((kind) => LIMITS[kind]);
	return counts.reduce((product, n) => product * n, 1);
}

/** The first of each kind that `key` tells apart, then others, until there are `max`. */
export function variety(list, key, max) {
	const first = list.filter((item, i) => list.findIndex((other) => key(other) === key(item)) === i);
	return [...first, ...list.filter((item) => !first.includes(item))].slice(0, max);
}

const named = (rows, type) => rows.filter((row) => row?.type === type);

/** What stands for the {words}, as far as the resources tell: nodes, and guests with their node. */
export function placesFrom(resources, endpoints, limits = LIMITS) {
	const online = named(resources, 'node').filter((row) => row.status === 'online' && typeof row.node === 'string');
	// Those that can be asked themselves first.
	const direct = (row) => (endpoints.includes(row.node) ? 0 : 1);
	const nodes = online.sort((a, b) => direct(a) - direct(b)).slice(0, limits.nodes).map((row) => ({ node: row.node }));
	const up = new Set(online.map((row) => row.node));
	const guests = resources.filter((row) => ['qemu', 'lxc'].includes(row?.type) && up.has(row.node));
	const kind = (row) => `${row.type} ${row.status} ${row.template ?? 0}`;
	const some = variety(guests, kind, limits.guests).map(({ node, type, vmid }) => ({ node, type, vmid }));
	return { nodes, guests: some, storages: [], disks: [], pools: [], tasks: [] };
}

/** What only a node's own lists tell; `lists` is what became of /storage, /disks/list, /disks/zfs and /tasks of `node`. */
export function addPlaces(places, node, { storage = [], disks = [], zfs = [], tasks = [] }, limits = LIMITS) {
	const rows = (list) => (Array.isArray(list) ? list.filter((row) => row && typeof row === 'object') : []);
	const backups = (row) => String(row.content ?? '').includes('backup');
	const usable = rows(storage).filter((row) => row.active && row.enabled !== 0);
	const stores = variety(usable.sort((a, b) => backups(b) - backups(a)), (row) => row.type, limits.storages);
	places.storages.push(...stores.map((row) => ({ node, storage: row.storage })));
	const awake = rows(disks).filter((row) => ['ssd', 'nvme'].includes(row.type) && typeof row.devpath === 'string');
	places.disks.push(...awake.slice(0, limits.disks).map(({ devpath }) => ({ node, disk: devpath, devpath })));
	places.tasks.push(...rows(tasks).slice(0, limits.tasks).map(({ upid }) => ({ node, upid })));
	places.pools.push(...rows(zfs).slice(0, limits.pools).map(({ name }) => ({ node, pool: name, name })));
}

/** [{template, path, node}]: node is null where any may answer. */
export function expand(template, places) {
	const words = wordsOf(template);
	const kinds = words.map((word) => WORDS[word]).filter((kind) => kind !== 'nodes');
	const list = words.length === 0 ? [{}] : places[kinds[0] ?? 'nodes'];
	return list.map((place) => ({ template, node: place.node ?? null,
		path: template.replace(/\{(\w+)\}/g, (_, word) => encodeURIComponent(place[word])) }));
}
