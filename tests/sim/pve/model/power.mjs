/**
 * Starting and stopping guests, as worker tasks. What PVE finds out before the task exists is
 * checked by the API handlers; what it finds out inside is found out here.
 */
const TASK_PREFIX = { qemu: 'qm', lxc: 'vz' };
const LABEL = { qemu: 'VM', lxc: 'CT' };

const SECONDS = { start: 1.5, stop: 0.8, shutdown: 4, reset: 0.4, pause: 0.3, resume: 0.4 };

/** What a container is called in messages differs from what a VM is called. */
export const label = (guest) => `${LABEL[guest.type]} ${guest.vmid}`;

export const checkLock = (guest) => {
	if (guest.lock) {
		throw new Error(`${LABEL[guest.type]} is locked (${guest.lock})`);
	}
};

/** @param {string} action used in the name of the task, `qmstart`, `vzstop` … */
const taskOf = (guest, action) => `${TASK_PREFIX[guest.type]}${action}`;

function begin(sim, guest, action, user, steps) {
	return sim.tasks.start(guest.node, { type: taskOf(guest, action), id: guest.vmid, user, steps });
}

function checkStart(guest) {
	if (guest.template) {
		const word = guest.type === 'qemu' ? 'vm' : 'CT';
		throw new Error(`you can't start a ${word} if it's a template`);
	}
	if (guest.lock !== 'suspended') {
		checkLock(guest);
	}
	if (guest.state !== 'stopped') {
		throw new Error(`${label(guest)} already running`);
	}
	if (guest.failStart) {
		throw new Error(guest.type === 'lxc' ? `startup for container '${guest.vmid}' failed`
			: `start failed: QEMU exited with code 1`);
	}
}

export function start(sim, guest, user) {
	return begin(sim, guest, 'start', user, [
		{ run: () => checkStart(guest) },
		{ wait: SECONDS.start, run: () => {
			guest.lock = guest.lock === 'suspended' ? null : guest.lock;
			sim.cluster.setState(guest, 'running');
		} },
	]);
}

export function stop(sim, guest, user) {
	return begin(sim, guest, 'stop', user, [
		{ run: () => guest.state !== 'stopped' && checkLock(guest) },
		{ wait: SECONDS.stop, run: () => sim.cluster.setState(guest, 'stopped') },
	]);
}

/** @param {{forceStop?: number, timeout?: number}} options */
export function shutdown(sim, guest, user, options = {}) {
	return begin(sim, guest, 'shutdown', user, [
		{ run: () => guest.state !== 'stopped' && checkLock(guest) },
		{ run: () => powerDownSteps(sim, guest, options) },
	]);
}

function powerDownSteps(sim, guest, { forceStop, timeout = 60 }) {
	const off = { wait: SECONDS.shutdown, run: () => sim.cluster.setState(guest, 'stopped') };
	if (guest.state === 'stopped') {
		return [];
	}
	if (!guest.stuck) {
		return [off];
	}
	if (forceStop) {
		return [{ wait: timeout, log: `${label(guest)} quit/powerdown failed - terminating now with ` +
			'SIGTERM' }, { ...off, wait: 1 }];
	}
	return [{ wait: timeout, run: () => {
		throw new Error(guest.type === 'qemu' ? 'VM quit/powerdown failed - got timeout'
			: 'command \'lxc-stop\' failed: received timeout');
	} }];
}

export function reboot(sim, guest, user, options = {}) {
	return begin(sim, guest, 'reboot', user, [
		{ run: () => checkLock(guest) },
		{ run: () => [...powerDownSteps(sim, guest, options),
			{ wait: SECONDS.start, run: () => sim.cluster.setState(guest, 'running') }] },
	]);
}

export function reset(sim, guest, user) {
	return begin(sim, guest, 'reset', user, [
		{ run: () => checkLock(guest) },
		{ wait: SECONDS.reset, run: () => {
			guest.generation++; // QEMU goes on, the guest begins anew: no new uptime
		} },
	]);
}

/** Pausing a VM keeps its process; a container is frozen. */
export function suspend(sim, guest, user, { todisk } = {}) {
	const action = guest.type === 'lxc' ? 'suspend' : todisk ? 'suspend' : 'pause';
	return begin(sim, guest, action, user, [
		{ run: () => checkLock(guest) },
		{ wait: todisk ? 6 : SECONDS.pause, run: () => {
			sim.cluster.setState(guest, todisk ? 'stopped' : 'paused');
			guest.lock = todisk ? 'suspended' : guest.lock;
		} },
	]);
}

export function resume(sim, guest, user) {
	return begin(sim, guest, 'resume', user, [
		{ wait: SECONDS.resume, run: () => {
			guest.lock = guest.lock === 'suspended' ? null : guest.lock;
			sim.cluster.setState(guest, 'running');
		} },
	]);
}

export const POWER = { start, stop, shutdown, reboot, reset, suspend, resume };
