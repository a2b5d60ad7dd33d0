/** What the HA manager does on its own time: requests are carried out some seconds later. */
import { migrate } from './transfer.mjs';
import { POWER } from './power.mjs';
import { sidOf } from './ha.mjs';

const ROUND = 8;
const LOST = 60;
const FENCE = 120;
const TASKS = { started: 'hastart', stopped: 'hastop' };
const WORDS = { started: 'start', stopped: 'stop' };

/** Notes a wish; the task is over at once, whatever becomes of it. */
export function requestHa(sim, guest, wish, user) {
	guest.ha.state = wish;
	const task = sim.tasks.start(guest.node, {
		type: TASKS[wish], id: guest.vmid, user,
		steps: [{ log: `Requesting HA ${WORDS[wish]} for ${sidOf(guest).replace(':', ' ')}` }],
	});
	sim.clock.after(ROUND, () => carryOut(sim, guest));
	return task;
}

export function requestHaMigration(sim, guest, target, user) {
	const task = sim.tasks.start(guest.node, {
		type: 'hamigrate', id: guest.vmid, user,
		steps: [{ log: `Requesting HA migration for ${sidOf(guest)} to node ${target}` }],
	});
	sim.clock.after(ROUND, () => {
		guest.ha.transition = 'migrate';
		const running = migrate(sim, guest, 'root@pam', { target, 'with-local-disks': 1, online: 1 });
		const done = running.onEnd;
		running.onEnd = (ok) => {
			guest.ha.transition = undefined;
			done(ok);
		};
	});
	return task;
}

function carryOut(sim, guest) {
	const node = sim.cluster.nodes.get(guest.node);
	if (!node.alive || !sim.cluster.quorate(node) || !guest.ha) {
		return;
	}
	if (guest.ha.state === 'started' && guest.state === 'stopped') {
		POWER.start(sim, guest, 'root@pam');
	}
	if (guest.ha.state === 'stopped' && guest.state !== 'stopped') {
		POWER.shutdown(sim, guest, 'root@pam', { forceStop: 1 });
	}
}

/** A managed guest of a dead node is fenced and starts elsewhere, if the rest has quorum. */
export function watchFencing(sim) {
	sim.cluster.on('nodeDown', (node) => {
		const died = node.offlineAt;
		sim.clock.after(LOST, () => setFencing(sim, node, !backSince(node, died)));
		sim.clock.after(FENCE, () => recover(sim, node, died));
	});
	sim.cluster.on('nodeUp', (node) => setFencing(sim, node, false));
}

const backSince = (node, died) => node.alive || node.offlineAt !== died;

function setFencing(sim, node, on) {
	for (const guest of sim.cluster.guestsOn(node.name).filter((g) => g.ha?.state === 'started')) {
		guest.ha.fencing = on;
	}
}

function recover(sim, node, died) {
	if (backSince(node, died)) {
		return;
	}
	for (const guest of sim.cluster.guestsOn(node.name).filter((g) => g.ha?.state === 'started')) {
		const target = recoveryTarget(sim, guest);
		if (target) {
			guest.ha.fencing = false;
			guest.node = target.name;
			POWER.start(sim, guest, 'root@pam');
		}
	}
}

function recoveryTarget(sim, guest) {
	const storage = sim.cluster.storages.get(guest.storage);
	return [...sim.cluster.nodes.values()].find((node) => node.alive && storage.shared &&
		storage.nodes.includes(node.name) && sim.cluster.quorate(node));
}
