// What a poll cycle costs the poller, in CPU: small and very large clusters.
import { startStack } from '../stack/stack.mjs';
import { cpuSeconds, pause } from './measure.mjs';

/**
 * `cycle`: nodes, guests and quorum alone, again and again (of 5,000 guests their walk too, which never ends). `home`:
 * everything that is asked by default in ten seconds, with its TLS handshakes, for Proxmox closes idle connections after
 * five. `speed` makes Proxmox's own samples (every ten seconds) keep pace, so that every cycle has news.
 */
const RARELY = { tasks: '10m', node: '1h', storage: '1h', backups: '1d', guests: '1d', replication: '1d', ha: '1d' };
const PACES = {
	cycle: { seconds: 2, cycles: 10, speed: 5, poll: { nodes: '2s', ...RARELY } },
	home: { seconds: 10, cycles: 5, speed: 1, poll: {} },
};

function paced(poll) {
	return ({ clusters }) => {
		for (const cluster of Object.values(clusters)) cluster.poll = { ...cluster.poll, ...poll };
	};
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

export async function pollCycle({ nodes, guests, pace }) {
	const { seconds, cycles, speed, poll } = PACES[pace];
	const sim = { nodes, guests, speed, 'one-endpoint': true };
	const stack = await startStack({ services: ['proxmox-poller'], sim, config: paced(poll) });
	try {
		const pid = stack.process('proxmox-poller').pid;
		// The first cycle reads everything, and the first walk asks each guest twice, two calls a second.
		await pause(6000 + (guests <= 100 ? guests * 1000 : 0));
		const before = cpuSeconds(pid);
		const published = await countPolls(stack, () => pause(cycles * seconds * 1000));
		const used = cpuSeconds(pid) - before;
		return { cpu_ms: (used * 1000) / cycles, cycles, sources: published };
	} finally {
		await stack.stop();
	}
}
