/** ZFS pools of the nodes. A pool is as well as its disks are, unless the control port says otherwise. */
import { noiseAt } from '../lib/prng.mjs';
import { disksOf, hasZfs } from './hardware.mjs';

const members = (node) => disksOf(node).filter((disk) => disk.used === 'ZFS');
const isFaulted = (disk) => disk.health.startsWith('FAILED');

/** The state of `tank`. */
export function poolHealth(node) {
	return node.zfsHealth ?? (members(node).some(isFaulted) ? 'DEGRADED' : 'ONLINE');
}

/** @returns {object[] | null} rows of disks/zfs; null: no ZFS there */
export function zpoolsOf(node) {
	if (!hasZfs(node)) {
		return null;
	}
	const size = 1.98e12;
	const alloc = Math.round(size * (0.35 + 0.2 * noiseAt(node.seed, 31)));
	return [{ name: 'tank', size, alloc, free: size - alloc, frag: 9, dedup: 1,
		health: poolHealth(node) }];
}

/** @returns {object} the tree of a pool */
export function zpoolDetail(node, now) {
	const state = poolHealth(node);
	const disks = members(node);
	// a pool that was declared ill without a disk to blame blames its last one
	const bad = (disk, i) => isFaulted(disk) ||
		(state !== 'ONLINE' && !disks.some(isFaulted) && i === disks.length - 1);
	const scrubbed = new Date((now - 11 * 86400) * 1000).toString().slice(0, 24);
	const vdev = (name, more) => ({ name, state, read: 0, write: 0, cksum: 0, msg: '', leaf: 0, ...more });
	return {
		name: 'tank', state, errors: 'No known data errors', leaf: 0,
		scan: `scrub repaired 0B in 00:41:07 with 0 errors on ${scrubbed}`,
		...(state === 'ONLINE' ? {} : { action: 'Replace the faulted device, or use \'zpool clear\' to ' +
			'mark the device repaired.',
		status: 'One or more devices are faulted in response to persistent errors.  Sufficient ' +
			'replicas exist for the pool to continue functioning in a degraded state.' }),
		children: [vdev('tank', { children: [vdev('mirror-0', {
			children: disks.map((disk, i) => leaf(disk, bad(disk, i))),
		})] })],
	};
}

/** Counters such as 1.2K arrive as 1.2. */
const leaf = (disk, bad) => ({
	name: `${disk.by_id_link}-part1`, state: bad ? 'FAULTED' : 'ONLINE', read: bad ? 3 : 0,
	write: bad ? 1.2 : 0, cksum: 0, msg: bad ? 'too many errors' : '', leaf: 1,
});
