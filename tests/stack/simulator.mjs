// The simulated Proxmox VE cluster (tests/sim/pve) and its nodes' sshds (tests/sim/ssh) as parts of the stack.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Process, untilReady } from './process.mjs';

const MAIN = resolve(import.meta.dirname, '../sim/pve/main.mjs');
export const SSH_MAIN = resolve(import.meta.dirname, '../sim/ssh/main.mjs');
const START_MS = 15_000;

/** `options` become the simulator's --name=value arguments (see its --help). */
export function makeSimulator({ dir, log, options = {}, onExit }) {
	const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
	return makeOne({ name: 'simulator', main: MAIN, args, dir, file: join(dir, 'sim.json'), log, onExit });
}

/** `sim` is what the simulator of Proxmox told; its nodes' sshds listen from `port` on. */
export function makeSshSimulator({ dir, log, sim, port, control, onExit }) {
	const args = [`--pve=${sim.control_url}`, `--port=${port}`, `--control=${control}`];
	return makeOne({ name: 'ssh-simulator', main: SSH_MAIN, args, dir, file: join(dir, 'ssh.json'), log, onExit });
}

/** Either says that it is ready by writing `file`. */
function makeOne({ name, main, args, dir, file, log, onExit }) {
	const command = [process.execPath, main, `--state=${dir}`, ...args];
	const simulator = new Process(name, command, { log, onExit });
	simulator.prepare = () => rmSync(file, { force: true });
	simulator.ready = async () => {
		const up = () => existsSync(file);
		await untilReady(simulator, up, START_MS, `the ${name} does not come up`);
		simulator.info = JSON.parse(readFileSync(file, 'utf8'));
		return simulator.info;
	};
	return simulator;
}

/** Asks the control port for one operation or a list of them; answers what it said, or throws it. */
export async function controlSimulator(info, ops) {
	const answer = await fetch(`${info.control_url}/control`, { method: 'POST', body: JSON.stringify(ops) });
	const text = await answer.text();
	if (!answer.ok) throw new Error(`simulator: ${JSON.stringify(ops)}: ${answer.status} ${text}`);
	return JSON.parse(text);
}
