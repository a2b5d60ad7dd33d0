// Which program runs when: so many at a time, and more while the processors have little to do, for programs that mostly wait.
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** Over so long it is watched whether there is room for one more; a stack has started by and large after it. */
const LOOK_MS = 500;
/** Room is when this share of the processors' time was nobody's. */
const ROOM = 0.2;

function spent() {
	const all = cpus().map(({ times }) => times);
	const sum = (of) => all.reduce((total, times) => total + of(times), 0);
	return { idle: sum((t) => t.idle), total: sum((t) => t.idle + t.user + t.nice + t.sys + t.irq) };
}

/** Whoever else works on this machine counts as well: what takes turns with others gets late. */
export async function hasRoom() {
	const before = spent();
	await sleep(LOOK_MS);
	const after = spent();
	return after.idle - before.idle > ROOM * (after.total - before.total);
}

/** Calls `run` for each of `items`, `jobs` at a time, up to `most` as long as `room` says so; none is begun after `signal`. */
export async function schedule(items, { jobs, most = jobs, room = hasRoom, signal }, run) {
	const queue = [...items];
	const running = new Set();
	const begin = () => {
		const one = run(queue.shift()).finally(() => running.delete(one));
		running.add(one);
	};
	const more = () => queue.length > 0 && !signal?.aborted;

	while (more() || running.size > 0) {
		while (more() && running.size < jobs) begin();
		if (more() && running.size < most) {
			if ((await room()) && more() && running.size < most) begin();
		} else if (running.size > 0) {
			await Promise.race(running);
		}
	}
}
