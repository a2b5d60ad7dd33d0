// What a poll cycle costs the poller, in CPU: small and very large clusters.
import { startStack } from '../stack/stack.mjs';
import { cpuSeconds, pause } from './measure.mjs';

const POLL_S = 2;
const CYCLES = 8;

/** Everything as often as nodes and guests, and Proxmox's samples as fast as we look, so that every cycle has news. */
function quick(config) {
	for (const cluster of Object.values(config.clusters)) {
		cluster.poll = { nodes: `${POLL_S}s`, tasks: `${POLL_S}s`, node: '30s', storage: '30s' };
	}
}


async function countPolls(stack, work) {
	let n = 0;
	const client = await stack.mqtt();
	client.on('message', () => n++);
	await client.subscribeAsync('jarvis/pve/+/state', { qos: 1, rh: 2 });
	await work();
	await client.endAsync();
	return n;
}

export async function pollCycle({ nodes, guests }) {
	const sim = { nodes, guests, speed: 10 / POLL_S, 'one-endpoint': true };
	const stack = await startStack({ services: ['proxmox-poller'], sim, config: quick });
	try {
		const pid = stack.process('proxmox-poller').pid;
		await pause(3 * POLL_S * 1000); // the first cycle reads everything
		const before = cpuSeconds(pid);
		const published = await countPolls(stack, () => pause(CYCLES * POLL_S * 1000));
		const used = cpuSeconds(pid) - before;
		return { cpu_ms: (used * 1000) / CYCLES, cycles: CYCLES, sources: published };
	} finally {
		await stack.stop();
	}
}

