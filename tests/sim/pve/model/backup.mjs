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
		{ log: `INFO: Starting Backup of VM ${guest.vmid} (${guest.type})`, run: () => {
			current = beginOne(sim, guest, what, failed);
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

function beginOne(sim, guest, what, failed) {
	if (guest.lock) {
		failed.push(`ERROR: Backup of VM ${guest.vmid} failed - ` +
			`${guest.type === 'qemu' ? 'VM' : 'CT'} is locked (${guest.lock})`);
		return null;
	}
	try {
		sim.cluster.checkWritable(guest);
	} catch (err) {
		failed.push(`ERROR: Backup of VM ${guest.vmid} failed - ${err.message}`);
		return null;
	}
	guest.lock = 'backup';
	return guest;
}

function copySteps(sim, guest, what, failed) {
	const gib = guest.maxdisk / GIB;
	const seconds = Math.min(60, 5 + gib * 0.4);
	const progress = [25, 50, 75, 100].map((percent) => ({
		wait: seconds / 4,
		log: `INFO: ${percent}% (${((gib * percent) / 100).toFixed(1)} GiB of ${gib.toFixed(1)} GiB)`,
	}));
	return [...progress, { run: (task) => {
		unlock(guest);
		const problem = what.fail ?? (full(what) ? 'No space left on device' : null);
		if (problem) {
			failed.push(`ERROR: Backup of VM ${guest.vmid} failed - ${problem}`);
			task.log.push(failed.at(-1));
			return;
		}
		keep(what.storage, volumeOf(what.storage, guest, Math.floor(sim.clock.now())));
		task.log.push(`INFO: Finished Backup of VM ${guest.vmid}`);
	} }];
}

/** Adds a backup and prunes: a simulator that runs for months must not grow for months. */
function keep(storage, volume) {
	storage.volumes.push(volume);
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
			volid: `${storage.id}:backup/${kind}/${guest.vmid}/${iso.slice(0, 19)}Z`,
			verification: { state: 'ok', upid: 'UPID:pbs:00000001:00000001:00000001:verify::root@pam:' } };
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
		(job.all ? !excluded.includes(guest.vmid) : false) || listed.includes(guest.vmid) ||
		(job.pool && guest.pool === job.pool));
}

/** What is on a storage: backups made so far, guests' disks, and a few images. */
export function contentOf(cluster, storage, node) {
	const kinds = storage.content.split(',');
	const out = storage.volumes.filter((v) => storage.shared || v.node === undefined ||
		v.node === node.name).map(({ node: _, ...v }) => v);
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

/** Fills the backup storages with a fortnight of nightly backups. */
export function pastBackups(cluster, now) {
	const job = cluster.backupJobs.find((j) => j.enabled && j.all);
	const storage = cluster.storages.get(job?.storage);
	if (!storage || cluster.guests.size > 500) {
		return;
	}
	const midnight = now - (now % DAY) + 2.5 * 3600;
	for (const guest of guestsOfJob(cluster, job)) {
		for (const back of [1, 2, 3, 4, 5, 6, 7, 14]) {
			storage.volumes.push(volumeOf(storage, guest, Math.floor(midnight - back * DAY +
				(guest.seed % 3000))));
		}
	}
}
