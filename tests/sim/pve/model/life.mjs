/**
 * What happens by itself in the demo: tasks, load, a warning, and the failures of
 * those whom the description gives trouble. It never
 * takes a node, an endpoint or the quorum away: that is for whoever holds the control port.
 */
import { createPrng } from '../lib/prng.mjs';
import { guestsOfJob, vzdump } from './backup.mjs';
import { createSnapshot, deleteSnapshot } from './transfer.mjs';

const PAUSE = [70, 240];

export class Life {
	/** @param {object} sim */
	constructor(sim) {
		this.sim = sim;
		this.prng = createPrng(sim.options.seed ^ 0x11fe);
	}

	start() {
		this.sim.clock.after(this.prng.int(20, 60), () => this.beat());
		this.sim.clock.after(60, () => this.schedule());
	}

	beat() {
		this.sim.clock.after(this.prng.int(...PAUSE), () => this.beat());
		const roll = this.prng.next();
		const guest = this.someGuest();
		if (!guest) {
			return;
		}
		if (roll < 0.35) {
			this.backup(guest);
		} else if (roll < 0.55) {
			this.snapshot(guest);
		} else if (roll < 0.65) {
			this.update(guest.node);
		} else {
			this.spike(guest);
		}
	}

	/** A running guest of a healthy node that nothing else is busy with. */
	someGuest() {
		const { cluster } = this.sim;
		const free = [...cluster.guests.values()].filter((guest) => {
			const node = cluster.nodes.get(guest.node);
			return guest.state === 'running' && !guest.lock && node.alive && cluster.quorate(node);
		});
		return free.length > 0 ? this.prng.pick(free) : null;
	}

	backup(guest) {
		const { cluster } = this.sim;
		const storage = cluster.storages.get('pbs') ?? cluster.storages.get('local');
		const warn = this.prng.next() < 0.1;
		// Whom nobody backs up stays so.
		if (cluster.backupJobs.some((job) => job.enabled && guestsOfJob(cluster, job).includes(guest))) {
			vzdump(this.sim, { guests: [guest], storage, mode: 'snapshot', node: guest.node,
				user: 'root@pam', warn });
		}
	}

	snapshot(guest) {
		const old = guest.snapshots.find((s) => s.name.startsWith('auto'));
		if (old) {
			deleteSnapshot(this.sim, guest, 'root@pam', old.name);
		} else {
			const stamp = new Date(this.sim.clock.now() * 1000).toISOString().slice(0, 10);
			createSnapshot(this.sim, guest, 'root@pam', { snapname: `auto_${stamp.replace(/-/g, '')}` });
		}
	}

	update(node) {
		this.sim.tasks.start(node, { type: 'aptupdate', user: 'root@pam',
			steps: [{ log: 'starting apt-get update' }, { wait: this.prng.int(3, 9) }] });
	}

	/** Some minutes of real work, unless somebody forced a load. */
	spike(guest) {
		if (guest.forcedCpu !== null) {
			return;
		}
		guest.forcedCpu = 0.6 + 0.4 * this.prng.next();
		const mark = guest.forcedCpu;
		this.sim.clock.after(this.prng.int(40, 150), () => {
			guest.forcedCpu = guest.forcedCpu === mark ? null : guest.forcedCpu;
		});
	}

	/** The backup jobs, at their time of day. */
	schedule() {
		this.sim.clock.after(60, () => this.schedule());
		const now = new Date(this.sim.clock.now() * 1000);
		const clock = `${String(now.getHours()).padStart(2, '0')}:` +
			String(now.getMinutes()).padStart(2, '0');
		const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][now.getDay()];
		for (const job of this.sim.cluster.backupJobs) {
			if (job.enabled && [clock, `${day} ${clock}`].includes(job.schedule)) {
				this.runJob(job);
			}
		}
	}

	runJob(job) {
		const { cluster } = this.sim;
		const covered = guestsOfJob(cluster, job);
		for (const node of cluster.nodes.values()) {
			const guests = covered.filter((guest) => guest.node === node.name);
			if (node.alive && guests.length > 0) {
				vzdump(this.sim, { guests, storage: cluster.storages.get(job.storage), mode: job.mode,
					node: node.name, user: 'root@pam' });
			}
		}
	}
}
