// What containers cost at rest, from the host: memory and CPU of their processes. The first process of each is known,
// and all below it are its; what a healthcheck starts is not.
//
//   tools/node tests/bench/containers.mjs NAME=PID…      prints {containers: [{name, pss_mb, cpu_percent}], pss_mb, cpu_percent}
//
// The sums leave out simulators, which nobody runs who has a cluster.
import { readFileSync } from 'node:fs';
import { cpuSeconds, pause, pss } from './measure.mjs';

const SECONDS = 30;

/** What is said of a process that ended meanwhile. */
function orElse(nothing, ask) {
	try {
		return ask();
	} catch (error) {
		if (!['ENOENT', 'ESRCH'].includes(error.code)) throw error;
		return nothing;
	}
}

function familyOf(pid) {
	const text = orElse('', () => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));
	const children = text.trim().split(/\s+/).filter(Boolean);
	return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
}

const total = (numbers) => numbers.reduce((sum, n) => sum + n, 0);
const cpuOf = (pid) => new Map(familyOf(pid).map((p) => [p, orElse(0, () => cpuSeconds(p))]));

/** Of those who are there at the end; those who came meanwhile with all that they used. */
function used(before, after) {
	return total([...after].map(([pid, seconds]) => seconds - (before.get(pid) ?? 0)));
}

const targets = process.argv.slice(2).map((arg) => arg.split('=')).map(([name, pid]) => ({ name, pid: Number(pid) }));
const before = targets.map(({ pid }) => cpuOf(pid));
await pause(SECONDS * 1000);
const containers = targets.map(({ name, pid }, i) => ({
	name,
	pss_mb: total(familyOf(pid).map((p) => orElse(0, () => pss(p)))),
	cpu_percent: (used(before[i], cpuOf(pid)) / SECONDS) * 100,
}));
const ours = containers.filter(({ name }) => !name.endsWith('simulator'));
const sum = (key) => total(ours.map((c) => c[key]));
process.stdout.write(`${JSON.stringify({ containers, pss_mb: sum('pss_mb'), cpu_percent: sum('cpu_percent') }, null, '\t')}\n`);
