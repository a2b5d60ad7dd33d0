// What the tests of the executor share: a stack with a played gate, targets as a gate would see them, and what the
// simulator counted.
import { startStack } from '../stack/stack.mjs';
import { PlayedGate } from './played_gate.mjs';
import { quick } from './poller_world.mjs';

/** Long enough for a simulated unit, and soon over where nothing comes of it. */
const SSH = { connect_timeout: '2s', settle: '1s' };

/**
 * `poller: false` leaves the poller out: results then do not wait for a refresh. `ssh`: with the nodes' sshds, and the
 * service that they come with.
 */
export async function start({ sim, change = () => {}, poller = false, ssh = false, ...more } = {}) {
	const config = (c) => {
		quick(c);
		for (const { executor } of Object.values(c.clusters)) if (executor.ssh) Object.assign(executor.ssh, SSH);
		change(c);
	};
	const services = [...(poller ? ['proxmox-poller'] : []), 'executor', ...(ssh ? ['thermal-collector'] : [])];
	const stack = await startStack({ services, sim: { life: 'off', 'auth-delay': 50, speed: 4, ...sim }, config, ...more });
	const gate = await PlayedGate.open(stack);
	return { stack, gate, ...world(stack, gate) };
}

function world(stack, gate) {
	const control = stack.simInfo.control_url;
	const truth = async () => (await fetch(`${control}/state`)).json();
	const asked = async () => (await fetch(`${control}/requests`)).json();
	const forget = () => fetch(`${control}/requests`, { method: 'DELETE' });
	const guest = async (vmid) => {
		const { guests } = await truth();
		const g = guests[vmid];
		return { object: `home/guest/${vmid}`, name: g.name, type: g.type, node: g.node, status: g.state, lock: g.lock };
	};
	const node = async (name) => {
		const { nodes } = await truth();
		return { object: `home/node/${name}`, node: name, status: nodes[name].alive ? 'online' : 'offline' };
	};
	const act = async (tool, vmid, { args = {}, target, ...more } = {}) =>
		gate.approve(tool, { guest: vmid, cluster: 'home', ...args }, { ...(await guest(vmid)), ...target }, more);
	/** Requests that change something, which the simulator carried out. */
	const effects = async () => (await asked()).log.filter((r) => r.method !== 'GET' && r.done);
	const stop = async () => {
		await gate.close();
		await stack.stop();
	};
	return { truth, asked, forget, guest, node, act, effects, stop };
}
