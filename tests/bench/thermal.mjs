// What it costs the collector to read the temperatures of four nodes, from real sshds over connections that stay.
import { startStack } from '../stack/stack.mjs';
import { cpuSeconds, pause, pss } from './measure.mjs';

const INTERVAL_S = 2;
const SECONDS = 30;

function often({ clusters }) {
	for (const { thermal } of Object.values(clusters)) thermal.interval = `${INTERVAL_S}s`;
}

/** The readings that came while `work` went on, by what the collector says of each node. */
async function countReadings(stack, work) {
	const seen = new Set();
	const client = await stack.mqtt();
	client.on('message', (topic, payload) => {
		const { sources } = JSON.parse(payload);
		for (const [node, { last_ok_ms: at }] of Object.entries(sources)) if (at) seen.add(`${node} ${at}`);
	});
	await client.subscribeAsync('jarvis/pve/+/thermal', { qos: 1, rh: 2 });
	await work();
	await client.endAsync();
	return seen.size;
}

export async function thermalCycle() {
	const stack = await startStack({ services: ['thermal-collector'], config: often });
	try {
		const nodes = Object.keys(stack.sshInfo.nodes);
		for (const node of nodes) await stack.waitFor(`jarvis/pve/home/node/${node}/thermal`, (d) => d?.cpu != null, 20_000);
		const pid = stack.process('thermal-collector').pid;
		await pause(2 * INTERVAL_S * 1000);
		const before = cpuSeconds(pid);
		const readings = await countReadings(stack, () => pause(SECONDS * 1000));
		const used = cpuSeconds(pid) - before;
		// Nothing that was read is no measurement: Infinity shows that.
		return { cpu_ms: (used * 1000) / (readings / nodes.length), readings, nodes: nodes.length, pss_mb: pss(pid) };
	} finally {
		await stack.stop();
	}
}
