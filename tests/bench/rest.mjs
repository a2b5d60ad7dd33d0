// The whole stack at rest: memory, CPU, and how long it takes to come up.
import { startStack } from '../stack/stack.mjs';
import { cpuSeconds, load, login, pause, pss } from './measure.mjs';

const SECONDS = 30;

export async function atRest() {
	const stack = await startStack({});
	const readyMs = performance.now() - stack.servicesStarted;
	try {
		const cookie = await login(stack);
		const browser = load('ws', { filter: '#', port: stack.port, clients: 1, seconds: SECONDS + 5 }, cookie);
		await browser.ready;
		await pause(3000);
		const names = stack.names.filter((name) => !name.endsWith('simulator'));
		const pids = names.map((name) => stack.process(name).pid);
		const before = pids.map(cpuSeconds);
		await pause(SECONDS * 1000);
		const parts = names.map((name, i) => ({
			name, pss_mb: pss(pids[i]), cpu: ((cpuSeconds(pids[i]) - before[i]) / SECONDS) * 100,
		}));
		const sum = (key) => parts.reduce((total, part) => total + part[key], 0);
		browser.child.kill();
		browser.result.catch(() => {});
		return { ready_ms: readyMs, parts, pss_mb: sum('pss_mb'), cpu: sum('cpu') };
	} finally {
		await stack.stop();
	}
}
