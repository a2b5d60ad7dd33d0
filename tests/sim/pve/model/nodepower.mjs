/** Nodes going down in good order, and coming up again. */
const HALT_DELAY = 2;
const GUEST_SECONDS = 6;
const BOOT_SECONDS = 40;

/** reboot or shutdown: two seconds later the guests go, then the machine. */
export function powerNode(sim, node, command) {
	sim.clock.after(HALT_DELAY, () => node.alive && haltGuests(sim, node));
	sim.clock.after(HALT_DELAY + GUEST_SECONDS + 2, () => {
		sim.cluster.nodeDown(node);
		sim.syncSoon();
		if (command === 'reboot') {
			boot(sim, node);
		}
	});
}

function haltGuests(sim, node) {
	const running = sim.cluster.guestsOn(node.name).filter((guest) => guest.state !== 'stopped');
	sim.tasks.start(node.name, { type: 'stopall', user: 'root@pam', steps: [
		{ wait: GUEST_SECONDS, run: () => running.forEach((guest) => {
			guest.wasRunning = guest.state === 'running';
			sim.cluster.setState(guest, 'stopped');
		}) },
	] });
}

function boot(sim, node) {
	const since = node.offlineAt;
	sim.clock.after(BOOT_SECONDS, () => {
		if (!node.alive && node.offlineAt === since) {
			sim.cluster.nodeUp(node);
			sim.syncSoon();
		}
	});
}

/** The magic packet: wakes a machine that is off, unless it is broken. */
export function wakeNode(sim, node) {
	if (!node.alive && !node.broken) {
		boot(sim, node);
	}
}

/** After boot the node starts what ran before, one guest after the other. */
export function startGuestsAtBoot(sim) {
	sim.cluster.on('nodeUp', (node) => {
		const again = sim.cluster.guestsOn(node.name).filter((g) => g.wasRunning && !g.ha);
		sim.tasks.start(node.name, { type: 'startall', user: 'root@pam', steps: again.map((guest) => ({
			wait: 1.5, log: `Starting ${guest.type === 'qemu' ? 'VM' : 'CT'} ${guest.vmid}`,
			run: () => {
				guest.wasRunning = false;
				if (guest.state === 'stopped') {
					sim.cluster.setState(guest, 'running');
				}
			},
		})) });
		for (const guest of sim.cluster.guestsOn(node.name)) {
			if (guest.ha?.state === 'started' && guest.state === 'stopped') {
				sim.clock.after(20, () => guest.state === 'stopped' &&
					sim.cluster.setState(guest, 'running'));
			}
		}
	});
}
