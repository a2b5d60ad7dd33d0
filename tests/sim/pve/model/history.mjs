/** Tasks of the last days, so that a new cluster does not look newborn. */
import { createPrng } from '../lib/prng.mjs';
import { guestsOfJob } from './backup.mjs';

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
			events.push(...dayOf(sim.cluster.guestsOn(node.name), nightly, now - day * DAY, prng));
		}
		events.filter((e) => e.endtime < now && e.starttime > node.bootedAt)
			.sort((a, b) => a.endtime - b.endtime)
			.forEach((event) => sim.tasks.addPast(node.name, event));
		sim.tasks.notice(node.name);
	}
}

function dayOf(guests, nightly, t, prng) {
	const midnight = Math.floor(t - (t % DAY));
	const events = [update(midnight, prng), ...backups(guests, nightly, midnight, prng)];
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

function backups(guests, nightly, midnight, prng) {
	return nightly.map((job) => {
		const covered = guests.filter((guest) => job.has(guest));
		const roll = prng.next();
		const exit = roll < 0.06 ? 'job errors' : roll < 0.14 ? 'WARNINGS: 1' : 'OK';
		const start = midnight + 2.5 * 3600 + prng.int(1, 4);
		const log = covered.flatMap((guest, i) => [
			`INFO: Starting Backup of VM ${guest.vmid} (${guest.type})`,
			exit === 'job errors' && i === 0
				? `ERROR: Backup of VM ${guest.vmid} failed - unable to open file - got timeout`
				: `INFO: Finished Backup of VM ${guest.vmid} (00:01:${10 + (i % 50)})`,
		]);
		return past('vzdump', '', start, 60 + covered.length * 70, exit, log);
	});
}

function restart(guest, midnight, prng) {
	const type = `${guest.type === 'qemu' ? 'qm' : 'vz'}${prng.pick(['start', 'reboot', 'snapshot'])}`;
	const failed = prng.next() < 0.1;
	return past(type, guest.vmid, midnight + prng.int(30000, 80000), prng.int(1, 9),
		failed ? `${guest.type === 'qemu' ? 'VM' : 'CT'} is locked (backup)` : 'OK', []);
}
