/** Tasks of the last days, so that a new cluster does not look newborn. */
import { createPrng } from '../lib/prng.mjs';
import { failure, guestsOfJob, isOver, nightOf } from './backup.mjs';

const DAY = 86400;
const DAYS = 4;

/** Fills the archives of all nodes, oldest first. */
export function pastTasks(sim, now) {
	const prng = createPrng(sim.options.seed ^ 0x1157);
	const nightly = sim.cluster.backupJobs.filter((job) => job.enabled && job.all)
		.map((job) => new Set(guestsOfJob(sim.cluster, job)));
	for (const node of sim.cluster.nodes.values()) {
		const events = [];
		for (let day = DAYS; day >= 0; day--) {
			events.push(...dayOf(sim.cluster.guestsOn(node.name), nightly, now - day * DAY, now, prng));
		}
		events.filter((e) => e.endtime < now && e.starttime > node.bootedAt)
			.sort((a, b) => a.endtime - b.endtime)
			.forEach((event) => sim.tasks.addPast(node.name, event));
		sim.tasks.notice(node.name);
	}
}

function dayOf(guests, nightly, t, now, prng) {
	const midnight = Math.floor(t - (t % DAY));
	const events = [update(midnight, prng), ...backups(guests, nightly, nightOf(t), now, prng)];
	if (guests.length > 0 && prng.next() < 0.6) {
		events.push(restart(prng.pick(guests), midnight, prng));
	}
	return events;
}

const past = (type, id, start, seconds, exitstatus, log) => ({
	type, id, user: 'root@pam', starttime: start, endtime: start + seconds, exitstatus, log,
});

const update = (midnight, prng) => past('aptupdate', '', midnight + prng.int(10000, 20000),
	prng.int(4, 12), 'OK', ['starting apt-get update', 'Reading package lists...']);

/** What is left of it stands on the storages: see pastBackups(). */
function backups(guests, nightly, night, now, prng) {
	const isLast = isOver(night, now) && !isOver(night + DAY, now);
	return nightly.map((job) => {
		const covered = guests.filter((guest) => job.has(guest));
		const troubled = (guest) => isLast && guest.backupTrouble;
		const exit = covered.some(troubled) ? 'job errors' : prng.next() < 0.08 ? 'WARNINGS: 1' : 'OK';
		const log = covered.flatMap((guest, i) => [
			`INFO: Starting Backup of VM ${guest.vmid} (${guest.type})`,
			troubled(guest) ? failure(guest, guest.backupTrouble)
				: `INFO: Finished Backup of VM ${guest.vmid} (00:01:${10 + (i % 50)})`,
		]);
		return past('vzdump', '', Math.floor(night), 60 + covered.length * 70, exit,
			['INFO: starting new backup job: vzdump --all 1 --mode snapshot --storage pbs', ...log]);
	}).filter((event) => isOver(event.starttime, now));
}

function restart(guest, midnight, prng) {
	const type = `${guest.type === 'qemu' ? 'qm' : 'vz'}${prng.pick(['start', 'reboot', 'snapshot'])}`;
	const failed = prng.next() < 0.1;
	return past(type, guest.vmid, midnight + prng.int(30000, 80000), prng.int(1, 9),
		failed ? `${guest.type === 'qemu' ? 'VM' : 'CT'} is locked (backup)` : 'OK', []);
}
