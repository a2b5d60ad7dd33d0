// Finds the processes that a test program leaves behind, also those in sessions of their own.
import { randomBytes } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** The name of an environment variable that all descendants of one program inherit. */
export function newMarker() {
	return `JARVIS_TEST_${randomBytes(6).toString('hex')}`;
}

function read(path) {
	try {
		return readFileSync(path, 'latin1');
	} catch {
		return ''; // gone meanwhile, or not ours to read
	}
}

/** Null for a zombie: it is only waiting for its parent to look. */
function identify(pid) {
	const stat = read(`/proc/${pid}/stat`);
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	if (stat === '' || fields[0] === 'Z' || fields[0] === 'X') return null;
	const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
	return { pid, name, session: Number(fields[3]) };
}

/** By marker; and by session for those whose environment cannot be read (not dumpable). */
function find(session, marker) {
	const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number);
	const ours = (p) => p.session === session || read(`/proc/${p.pid}/environ`).includes(`${marker}=`);
	return pids.map(identify).filter((p) => p !== null && ours(p));
}

/** What is still there after `graceMs`: whoever is about to end by itself is given the time to. */
export async function survivors(session, marker, graceMs) {
	const until = performance.now() + graceMs;
	let left = find(session, marker);
	while (left.length > 0 && performance.now() < until) {
		await sleep(25);
		left = find(session, marker);
	}
	return left;
}

export function reap(left) {
	for (const { pid } of left) {
		try {
			process.kill(pid, 'SIGKILL');
		} catch {
			// ended by itself
		}
	}
}
