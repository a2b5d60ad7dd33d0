/** vzdump: backups of one or more guests of a node, and the volumes they leave behind. */
import { noiseAt } from '../lib/prng.mjs';
import { Warnings } from './tasks.mjs';

const GIB = 2 ** 30;
const DAY = 86400;
const KEEP = 12;

/**
 * @param {{guests: object[], storage: object, mode: string, user: string, node: string,
 *   warn?: boolean, jobId?: string, fail?: string}} what
 * @returns {object} the task
 */
export function vzdump(sim, what) {
	const failed = [];
	let current = null;
	const steps = what.guests.flatMap((guest) => [
		{ log: `INFO: Starting Backup of VM ${guest.vmid} (${guest.type})`, run: (task) => {
			current = beginOne(sim, guest, what, failed, task);
			return current ? copySteps(sim, guest, what, failed) : [];
		} },
	]);
	return sim.tasks.start(what.node, {
		type: 'vzdump', id: what.guests.length === 1 ? what.guests[0].vmid : '', user: what.user,
		onEnd: () => current && unlock(current),
		steps: [
			{ log: `INFO: starting new backup job: vzdump ${what.guests.map((g) => g.vmid).join(' ')} ` +
				`--storage ${what.storage.id} --mode ${what.mode}`, run: () => checkStorage(what) },
			...steps,
			{ log: 'INFO: Backup job finished', run: () => verdict(failed, what) },
		],
	});
}

function checkStorage({ storage, node }) {
	if (storage.offline?.has(node)) {
		throw new Error(`could not activate storage '${storage.id}': storage '${storage.id}' is not ` +
			'online');
	}
}

function beginOne(sim, guest, what, failed, task) {
	const fail = (why) => {
		failed.push(failure(guest, why));
		task.log.push(failed.at(-1));
	};
	if (guest.lock) {
		fail(`${guest.type === 'qemu' ? 'VM' : 'CT'} is locked (${guest.lock})`);
		return null;
	}
	try {
		sim.cluster.checkWritable(guest);
	} catch (err) {
		fail(err.message);
		return null;
	}
	guest.lock = 'backup';
	return guest;
}

function copySteps(sim, guest, what, failed) {
	const gib = guest.maxdisk / GIB;
	const seconds = Math.min(59, 5 + gib * 0.4);
	const progress = [25, 50, 75, 100].map((percent) => ({
		wait: seconds / 4,
		log: `INFO: ${percent}% (${((gib * percent) / 100).toFixed(1)} GiB of ${gib.toFixed(1)} GiB)`,
	}));
	return [...progress, { run: (task) => {
		unlock(guest);
		const problem = what.fail ?? guest.backupTrouble ?? (full(what) ? 'No space left on device' : null);
		if (problem) {
			failed.push(failure(guest, problem));
			task.log.push(failed.at(-1));
			return;
		}
		// Named after the beginning.
		keep(what, volumeOf(what.storage, guest, Math.floor(sim.clock.now() - seconds)));
		task.log.push(`INFO: Finished Backup of VM ${guest.vmid} (00:00:${String(Math.floor(seconds)).padStart(2, '0')})`);
	} }];
}

/** How the log of vzdump tells it. */
export const failure = (guest, why) => `ERROR: Backup of VM ${guest.vmid} failed - ${why}`;

/** Adds a backup and prunes: a simulator that runs for months must not grow for months. */
function keep({ storage, node }, volume) {
	storage.volumes.push(storage.shared ? volume : { ...volume, node });
	const mine = storage.volumes.filter((v) => v.content === 'backup' && v.vmid === volume.vmid);
	const surplus = new Set(mine.slice(0, Math.max(0, mine.length - KEEP)));
	storage.volumes = storage.volumes.filter((v) => !surplus.has(v));
}

const full = ({ storage, node }) =>
	storage.forcedFull && storage.forcedFull.share > 0.99 && (storage.shared ||
		!storage.forcedFull.node || storage.forcedFull.node === node);

function unlock(guest) {
	guest.lock = guest.lock === 'backup' ? null : guest.lock;
}

function verdict(failed, { warn }) {
	if (failed.length > 0) {
		throw new Error('job errors');
	}
	if (warn) {
		throw new Warnings(1);
	}
}

/** A backup as a row of a storage's content. */
export function volumeOf(storage, guest, ctime) {
	const iso = new Date(ctime * 1000).toISOString();
	const size = Math.round(guest.maxdisk * (0.1 + 0.2 * noiseAt(guest.seed, 21)));
	const common = { content: 'backup', ctime, size, vmid: guest.vmid, notes: guest.name,
		subtype: guest.type };
	if (storage.type === 'pbs') {
		const kind = guest.type === 'qemu' ? 'vm' : 'ct';
		return { ...common, format: `pbs-${kind}`,
			volid: `${storage.id}:backup/${kind}/${guest.vmid}/${iso.slice(0, 19)}Z` };
	}
	const ext = guest.type === 'qemu' ? 'vma.zst' : 'tar.zst';
	const stamp = iso.slice(0, 19).replace(/-/g, '_').replace('T', '-').replace(/:/g, '_');
	return { ...common, format: ext,
		volid: `${storage.id}:backup/vzdump-${guest.type}-${guest.vmid}-${stamp}.${ext}` };
}

/** Guests that a job covers. @param {object} job */
export function guestsOfJob(cluster, job) {
	const listed = (job.vmid ?? '').split(',').filter(Boolean).map(Number);
	const excluded = (job.exclude ?? '').split(',').filter(Boolean).map(Number);
	return [...cluster.guests.values()].filter((guest) =>
		(!job.node || job.node === guest.node) &&
		((job.all ? !excluded.includes(guest.vmid) : false) || listed.includes(guest.vmid) ||
		(job.pool && guest.pool === job.pool)));
}

/** What is on a storage: backups made so far, guests' disks, and a few images. */
export function contentOf(cluster, storage, node, now) {
	const kinds = storage.content.split(',');
	const out = storage.volumes.filter((v) => storage.shared || v.node === undefined ||
		v.node === node.name).map(({ node: _, ...v }) => verified(storage, v, now));
	for (const guest of cluster.guests.values()) {
		if (guest.storage === storage.id && (storage.shared || guest.node === node.name)) {
			out.push(diskOf(storage, guest));
		}
	}
	return kinds.includes('iso') ? [...out, ...images(storage)] : out;
}

function diskOf(storage, guest) {
	const vm = guest.type === 'qemu';
	const format = storage.type === 'nfs' && vm ? 'qcow2' : storage.type === 'zfspool' && !vm
		? 'subvol' : 'raw';
	return { volid: `${storage.id}:vm-${guest.vmid}-disk-0`, content: vm ? 'images' : 'rootdir',
		format, size: guest.maxdisk, vmid: guest.vmid, ctime: Math.floor(guest.seed % 9e7) + 1.65e9 };
}

const images = (storage) => [['debian-12.11.0-amd64-netinst.iso', 7e8], ['virtio-win.iso', 6e8]]
	.map(([name, size]) => ({ volid: `${storage.id}:iso/${name}`, content: 'iso', format: 'iso', size,
		ctime: 1748000000 }));

/** The backup server verifies what is new some hours later. */
const VERIFIED_AFTER = 4 * 3600;
const VERIFY = 'UPID:pbs:00000001:00000001:00000001:verify::root@pam:';

function verified(storage, { broken, ...volume }, now) {
	if (storage.type !== 'pbs' || volume.content !== 'backup' ||
		(!broken && now - volume.ctime < VERIFIED_AFTER)) {
		return volume;
	}
	return { ...volume, verification: { state: broken ? 'failed' : 'ok', upid: VERIFY } };
}

/** When the nightly job began on the day of `t`, and whether that is over: nobody starts in the midst of it. */
const NIGHT = 2.5 * 3600;
export const nightOf = (t) => t - (t % DAY) + NIGHT;
export const isOver = (night, now) => now - night > 3600;

/** Fills the backup storages: a fortnight of nights, some Sundays, and what was left over. */
export function pastBackups(cluster, now) {
	if (cluster.guests.size > 500) {
		return;
	}
	for (const job of cluster.backupJobs.filter((j) => j.enabled)) {
		const storage = cluster.storages.get(job.storage);
		const times = job.all ? nights(now) : sundays(now);
		for (const guest of storage ? guestsOfJob(cluster, job) : []) {
			storage.volumes.push(...times.filter((t, i) => !(guest.backupTrouble && i === 0))
				.map((t) => volumeOf(storage, guest, Math.floor(t + (guest.seed % 3000)))));
		}
	}
	for (const [id, vmid, type, name, gib, ...days] of cluster.oldBackups) {
		const guest = { vmid, type, name, maxdisk: gib * GIB, seed: vmid };
		const storage = cluster.storages.get(id);
		storage.volumes.push(...days.map((back) => volumeOf(storage, guest, Math.floor(now - back * DAY))));
	}
}

/** Newest first. */
const nights = (now) => [0, 1, 2, 3, 4, 5, 6, 7, 14].map((back) => nightOf(now) - back * DAY)
	.filter((night) => isOver(night, now));

const sundays = (now) => Array.from({ length: 22 }, (_, back) => nightOf(now) + 1.5 * 3600 - back * DAY)
	.filter((t) => new Date(t * 1000).getUTCDay() === 0 && isOver(t, now)).slice(0, 3);
